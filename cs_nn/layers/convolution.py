"""Convolution of images, in a form to read and in a form to train with.

``conv_forward`` and ``conv_backward`` say what a convolution is: one window of the image after
another meets every filter. ``conv_forward_fast`` and ``conv_backward_fast`` give the same numbers
by lining up all windows as columns, so that one matrix product does the work. Images are
``(N, C, H, W)``; like everywhere in deep learning the filters are not flipped, so this is
cross-correlation in the words of signal processing.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array


def conv_forward(
    x: Float[Array, "N C H W"],
    w: Float[Array, "F C HH WW"],
    b: Float[Array, "F"],
    conv_param: dict[str, int],
) -> tuple[Float[Array, "N F H_out W_out"], Any]:
    """Convolve images with filters, window by window.

    H_out = 1 + ⌊(H + 2·pad − HH)/stride⌋ and the same for the width; rows and columns that the
    windows do not reach take no part.

    Args:
        x: N images of C channels, (N, C, H, W), float32 or float64.
        w: F filters, (F, C, HH, WW).
        b: one bias for each filter, (F,).
        conv_param: ``stride``, pixels between two windows, 1 or more; ``pad``, zeros on each side
            of the image, 0 or more.

    Returns:
        out (N, F, H_out, W_out), and the cache for :func:`conv_backward`.

    Raises:
        ValueError: if channels or biases do not fit the filters, the window is larger than the
            padded image, or stride or pad is out of range.

    Source: LeCun et al. 1998, section II; CS231n, "Convolutional networks".
    """
    stride, pad = conv_param["stride"], conv_param["pad"]
    H_out, W_out = _conv_output_size(x, w, b, stride, pad)
    HH, WW = w.shape[2:]

    x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.empty((len(x), len(w), H_out, W_out), dtype=np.result_type(x, w, b, np.float32))
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            window = x_padded[:, :, top : top + HH, left : left + WW]
            out[:, :, i, j] = np.tensordot(window, w, axes=((1, 2, 3), (1, 2, 3))) + b
    return out, (x, w, stride, pad)


def conv_backward(
    dout: Float[Array, "N F H_out W_out"], cache: Any
) -> tuple[Float[Array, "N C H W"], Float[Array, "F C HH WW"], Float[Array, "F"]]:
    """Return the gradients of a convolution, window by window.

    Windows overlap, so each adds to the pixels it has seen.

    Args:
        dout: upstream gradient, (N, F, H_out, W_out).
        cache: from :func:`conv_forward`.

    Returns:
        dx (N, C, H, W), dw (F, C, HH, WW), db (F,).

    Source: CS231n, "Convolutional networks"; the chain rule.
    """
    x, w, stride, pad = cache
    H, W = x.shape[2:]
    HH, WW = w.shape[2:]
    H_out, W_out = dout.shape[2:]

    x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dx_padded = np.zeros(x_padded.shape, dtype=np.result_type(dout, w))
    dw = np.zeros(w.shape, dtype=np.result_type(dout, x))
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            window = x_padded[:, :, top : top + HH, left : left + WW]
            d = dout[:, :, i, j]
            dw += np.tensordot(d, window, axes=(0, 0))
            dx_padded[:, :, top : top + HH, left : left + WW] += np.tensordot(d, w, axes=(1, 0))
    dx = dx_padded[:, :, pad : pad + H, pad : pad + W].copy()
    db = dout.sum(axis=(0, 2, 3))
    return dx, dw, db


def conv_forward_fast(
    x: Float[Array, "N C H W"],
    w: Float[Array, "F C HH WW"],
    b: Float[Array, "F"],
    conv_param: dict[str, int],
) -> tuple[Float[Array, "N F H_out W_out"], Any]:
    """Do what :func:`conv_forward` does, as one matrix product over all windows.

    Arguments, result and errors are those of :func:`conv_forward`; the cache is for
    :func:`conv_backward_fast`. The windows are copied out as columns, which takes HH·WW times the
    memory of the images.

    Source: Chellapilla, Puri and Simard 2006, section 3 ("unrolling convolution").
    """
    stride, pad = conv_param["stride"], conv_param["pad"]
    H_out, W_out = _conv_output_size(x, w, b, stride, pad)
    N, C, _, _ = x.shape
    F, _, HH, WW = w.shape

    columns = _im2col(x, HH, WW, stride, pad, H_out, W_out)
    out = w.reshape(F, C * HH * WW) @ columns + b[:, None]
    out = out.reshape(F, N, H_out, W_out).transpose(1, 0, 2, 3)
    return np.ascontiguousarray(out), (x.shape, w, columns, stride, pad)


def conv_backward_fast(
    dout: Float[Array, "N F H_out W_out"], cache: Any
) -> tuple[Float[Array, "N C H W"], Float[Array, "F C HH WW"], Float[Array, "F"]]:
    """Do what :func:`conv_backward` does, as two matrix products over all windows.

    Args:
        dout: upstream gradient, (N, F, H_out, W_out).
        cache: from :func:`conv_forward_fast`.

    Returns:
        dx (N, C, H, W), dw (F, C, HH, WW), db (F,).

    Source: Chellapilla, Puri and Simard 2006, section 3.
    """
    x_shape, w, columns, stride, pad = cache
    F = len(w)

    d = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    dw = (d @ columns.T).reshape(w.shape)
    db = d.sum(axis=1)
    dcolumns = w.reshape(F, -1).T @ d
    dx = _col2im(dcolumns, x_shape, w.shape, dout.shape, stride, pad)
    return dx, dw, db


def _im2col(
    x: Array, HH: int, WW: int, stride: int, pad: int, H_out: int, W_out: int
) -> Float[Array, "C_HH_WW N_H_out_W_out"]:
    """Return every window of every image as one column.

    One copy for each of the HH·WW places in the window moves long rows of memory, where a copy
    for each window would move many short ones.
    """
    N, C, _, _ = x.shape
    x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad))).transpose(1, 0, 2, 3)
    columns = np.empty((C, HH, WW, N, H_out, W_out), dtype=x.dtype)
    for i in range(HH):
        for j in range(WW):
            columns[:, i, j] = x_padded[_seen_by(i, j, stride, H_out, W_out)]
    return columns.reshape(C * HH * WW, N * H_out * W_out)


def _col2im(
    columns: Array,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    stride: int,
    pad: int,
) -> Float[Array, "N C H W"]:
    """Add every column back to the pixels that it was copied from."""
    N, C, H, W = x_shape
    HH, WW = w_shape[2:]
    H_out, W_out = out_shape[2:]
    columns = columns.reshape(C, HH, WW, N, H_out, W_out)
    dx_padded = np.zeros((C, N, H + 2 * pad, W + 2 * pad), dtype=columns.dtype)
    for i in range(HH):
        for j in range(WW):
            dx_padded[_seen_by(i, j, stride, H_out, W_out)] += columns[:, i, j]
    dx = dx_padded[:, :, pad : pad + H, pad : pad + W]
    return np.ascontiguousarray(dx.transpose(1, 0, 2, 3))


def _seen_by(i: int, j: int, stride: int, H_out: int, W_out: int) -> tuple[Any, ...]:
    """Index the pixels that place (i, j) of the window meets on its way over the image."""
    rows = slice(i, i + stride * (H_out - 1) + 1, stride)
    columns = slice(j, j + stride * (W_out - 1) + 1, stride)
    return (..., rows, columns)


def _conv_output_size(x: Array, w: Array, b: Array, stride: int, pad: int) -> tuple[int, int]:
    if x.ndim != 4 or w.ndim != 4 or x.shape[1] != w.shape[1] or b.shape != w.shape[:1]:
        raise ValueError(
            f"x {x.shape}, w {w.shape} and b {b.shape} do not fit together: "
            "expected (N, C, H, W), (F, C, HH, WW) and (F,)."
        )
    if stride < 1 or pad < 0:
        raise ValueError(f"stride is {stride} and pad is {pad}: give stride ≥ 1 and pad ≥ 0.")
    H, W = x.shape[2] + 2 * pad, x.shape[3] + 2 * pad
    HH, WW = w.shape[2:]
    if HH > H or WW > W:
        raise ValueError(
            f"The {HH}×{WW} window is larger than the padded {H}×{W} image: pad more, or use "
            "smaller filters."
        )
    return 1 + (H - HH) // stride, 1 + (W - WW) // stride
