"""Pooling of images, in a form to read and in a form to train with.

A window slides over each channel by itself and keeps the largest value, or the mean. The readable
form takes one window after another; the fast form takes one place of the window after another,
for all windows at once, and gives the same numbers.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array


def max_pool_forward(
    x: Float[Array, "N C H W"], pool_param: dict[str, int]
) -> tuple[Float[Array, "N C H_out W_out"], Any]:
    """Keep the largest value of each window.

    H_out = 1 + ⌊(H − pool_height)/stride⌋ and the same for the width.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        pool_param: ``pool_height`` and ``pool_width``, the size of the window in pixels;
            ``stride``, pixels between two windows; each 1 or more.

    Returns:
        out (N, C, H_out, W_out), and the cache for :func:`max_pool_backward`.

    Raises:
        ValueError: if the window is larger than the image, or a parameter is below 1.

    Source: CS231n, "Convolutional networks", pooling layer.
    """
    height, width, stride, H_out, W_out = _pool_geometry(x, pool_param)
    out = np.empty((*x.shape[:2], H_out, W_out), dtype=x.dtype)
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + height, left : left + width]
            out[:, :, i, j] = window.max(axis=(2, 3))
    return out, (x, height, width, stride)


def max_pool_backward(dout: Float[Array, "N C H_out W_out"], cache: Any) -> Float[Array, "N C H W"]:
    """Return the gradient of max pooling: all of it goes to the winner of each window.

    A tie goes to the first of the winners in row order.

    Args:
        dout: upstream gradient, (N, C, H_out, W_out).
        cache: from :func:`max_pool_forward`.

    Returns:
        dx (N, C, H, W).

    Source: CS231n, "Convolutional networks", pooling layer.
    """
    x, height, width, stride = cache
    N, C = x.shape[:2]
    dx = np.zeros(x.shape, dtype=dout.dtype)
    n, c = np.indices((N, C))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + height, left : left + width]
            winner = window.reshape(N, C, height * width).argmax(axis=2)
            dx[n, c, top + winner // width, left + winner % width] += dout[:, :, i, j]
    return dx


def avg_pool_forward(
    x: Float[Array, "N C H W"], pool_param: dict[str, int]
) -> tuple[Float[Array, "N C H_out W_out"], Any]:
    """Keep the mean of each window.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        pool_param: ``pool_height``, ``pool_width`` and ``stride``, as in
            :func:`max_pool_forward`.

    Returns:
        out (N, C, H_out, W_out), and the cache for :func:`avg_pool_backward`.

    Raises:
        ValueError: if the window is larger than the image, or a parameter is below 1.

    Source: LeCun et al. 1998, section II-B (subsampling).
    """
    height, width, stride, H_out, W_out = _pool_geometry(x, pool_param)
    out = np.empty((*x.shape[:2], H_out, W_out), dtype=np.result_type(x, np.float32))
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + height, left : left + width]
            out[:, :, i, j] = window.mean(axis=(2, 3))
    return out, (x.shape, height, width, stride)


def avg_pool_backward(dout: Float[Array, "N C H_out W_out"], cache: Any) -> Float[Array, "N C H W"]:
    """Return the gradient of average pooling: each pixel of a window gets an equal share.

    Args:
        dout: upstream gradient, (N, C, H_out, W_out).
        cache: from :func:`avg_pool_forward`.

    Returns:
        dx (N, C, H, W).

    Source: LeCun et al. 1998, section II-B.
    """
    x_shape, height, width, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            share = dout[:, :, i, j] / (height * width)
            dx[:, :, top : top + height, left : left + width] += share[:, :, None, None]
    return dx


def max_pool_forward_fast(
    x: Float[Array, "N C H W"], pool_param: dict[str, int]
) -> tuple[Float[Array, "N C H_out W_out"], Any]:
    """Do what :func:`max_pool_forward` does, for all windows at once.

    Arguments, result and errors are those of :func:`max_pool_forward`; the cache is for
    :func:`max_pool_backward_fast`.
    """
    height, width, stride, H_out, W_out = _pool_geometry(x, pool_param)
    places = _window_places(height, width, stride, H_out, W_out)
    out = x[places[0]].copy()
    for place in places[1:]:
        np.maximum(out, x[place], out=out)
    return out, (x, out.copy(), places)


def max_pool_backward_fast(
    dout: Float[Array, "N C H_out W_out"], cache: Any
) -> Float[Array, "N C H W"]:
    """Do what :func:`max_pool_backward` does, for all windows at once.

    Args:
        dout: upstream gradient, (N, C, H_out, W_out).
        cache: from :func:`max_pool_forward_fast`.
    """
    x, largest, places = cache
    dx = np.zeros(x.shape, dtype=dout.dtype)
    open_windows = np.ones(dout.shape, dtype=bool)
    for place in places:
        wins = open_windows & (x[place] == largest)
        dx[place] += dout * wins
        open_windows &= ~wins
    return dx


def avg_pool_forward_fast(
    x: Float[Array, "N C H W"], pool_param: dict[str, int]
) -> tuple[Float[Array, "N C H_out W_out"], Any]:
    """Do what :func:`avg_pool_forward` does, for all windows at once.

    Arguments, result and errors are those of :func:`avg_pool_forward`; the cache is for
    :func:`avg_pool_backward_fast`.
    """
    height, width, stride, H_out, W_out = _pool_geometry(x, pool_param)
    places = _window_places(height, width, stride, H_out, W_out)
    out = np.zeros((*x.shape[:2], H_out, W_out), dtype=np.result_type(x, np.float32))
    for place in places:
        out += x[place]
    return out / (height * width), (x.shape, places)


def avg_pool_backward_fast(
    dout: Float[Array, "N C H_out W_out"], cache: Any
) -> Float[Array, "N C H W"]:
    """Do what :func:`avg_pool_backward` does, for all windows at once.

    Args:
        dout: upstream gradient, (N, C, H_out, W_out).
        cache: from :func:`avg_pool_forward_fast`.
    """
    x_shape, places = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    share = dout / len(places)
    for place in places:
        dx[place] += share
    return dx


def _window_places(
    height: int, width: int, stride: int, H_out: int, W_out: int
) -> list[tuple[Any, ...]]:
    """Index, for each place in the window in row order, the pixels that it meets."""
    return [
        (
            ...,
            slice(i, i + stride * (H_out - 1) + 1, stride),
            slice(j, j + stride * (W_out - 1) + 1, stride),
        )
        for i in range(height)
        for j in range(width)
    ]


def _pool_geometry(x: Array, pool_param: dict[str, int]) -> tuple[int, int, int, int, int]:
    """Return the window's height and width, the stride, and the output's height and width."""
    height, width = pool_param["pool_height"], pool_param["pool_width"]
    stride = pool_param["stride"]
    if min(height, width, stride) < 1:
        raise ValueError(
            f"pool_height is {height}, pool_width {width}, stride {stride}: give each 1 or more."
        )
    if x.ndim != 4:
        raise ValueError(f"x is {x.shape}: expected images of shape (N, C, H, W).")
    H, W = x.shape[2:]
    if height > H or width > W:
        raise ValueError(
            f"The {height}×{width} window is larger than the {H}×{W} image: use a smaller window."
        )
    return height, width, stride, 1 + (H - height) // stride, 1 + (W - width) // stride
