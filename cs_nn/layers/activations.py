"""Activation functions, each with its backward pass beside it.

All but maxout work elementwise on arrays of any shape.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array, Scalar, as_float


def sigmoid_forward(x: Float[Array, "*dims"]) -> tuple[Float[Array, "*dims"], Any]:
    """σ(x) = 1 / (1 + e^(−x)), for x of any shape and size.

    The exponential is only ever taken of −|x|, so that it cannot overflow; where x is negative,
    numerator and denominator are multiplied by e^x.

    Returns:
        out, of the shape of x, and the cache for ``sigmoid_backward``.

    >>> sigmoid_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([0. , 0.5, 1. ])
    """
    x = as_float(x)
    z = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1, z) / (1 + z)
    return out, out


def sigmoid_backward(dout: Float[Array, "*dims"], cache: Any) -> Float[Array, "*dims"]:
    """dx = dout · σ(1 − σ): at most a quarter of dout, almost nothing where σ saturates."""
    out = cache
    return dout * out * (1 - out)


def tanh_forward(x: Float[Array, "*dims"]) -> tuple[Float[Array, "*dims"], Any]:
    """tanh(x), for x of any shape: a sigmoid centred on zero.

    Returns:
        out, of the shape of x, and the cache for ``tanh_backward``.
    """
    out = np.tanh(as_float(x))
    return out, out


def tanh_backward(dout: Float[Array, "*dims"], cache: Any) -> Float[Array, "*dims"]:
    """dx = dout · (1 − tanh²)."""
    out = cache
    return dout * (1 - out**2)


def relu_forward(x: Float[Array, "*dims"]) -> tuple[Float[Array, "*dims"], Any]:
    """max(0, x), for x of any shape.

    Returns:
        out, of the shape of x, and the cache for ``relu_backward``.
    """
    x = as_float(x)
    return np.maximum(x, 0), x


def relu_backward(dout: Float[Array, "*dims"], cache: Any) -> Float[Array, "*dims"]:
    """dout where x > 0, else 0; at the kink x = 0 the slope is 0."""
    x = cache
    return np.where(x > 0, as_float(dout), 0)


def leaky_relu_forward(
    x: Float[Array, "*dims"], slope: Scalar = 0.01
) -> tuple[Float[Array, "*dims"], Any]:
    """x where x > 0, else slope·x (Maas, Hannun and Ng 2013).

    Returns:
        out, of the shape of x, and the cache for ``leaky_relu_backward``.
    """
    x, slope = as_float(x), float(slope)
    return np.where(x > 0, x, slope * x), (x, slope)


def leaky_relu_backward(dout: Float[Array, "*dims"], cache: Any) -> Float[Array, "*dims"]:
    """dout where x > 0, else slope·dout; the kink x = 0 belongs to the left side."""
    x, slope = cache
    return np.where(x > 0, dout, slope * dout)


def elu_forward(x: Float[Array, "*dims"], alpha: Scalar = 1.0) -> tuple[Float[Array, "*dims"], Any]:
    """x where x > 0, else alpha·(e^x − 1) (Clevert, Unterthiner and Hochreiter 2015, eq. 14).

    Returns:
        out, of the shape of x, and the cache for ``elu_backward``.
    """
    x, alpha = as_float(x), float(alpha)
    negative_part = np.minimum(x, 0)  # e^x of a large positive x, thrown away, would still overflow
    return np.where(x > 0, x, alpha * np.expm1(negative_part)), (x, alpha)


def elu_backward(dout: Float[Array, "*dims"], cache: Any) -> Float[Array, "*dims"]:
    """dout where x > 0, else alpha·e^x·dout; the kink x = 0 belongs to the left side."""
    x, alpha = cache
    return np.where(x > 0, dout, alpha * np.exp(np.minimum(x, 0)) * dout)


def prelu_forward(
    x: Float[Array, "*dims"], slope: Scalar | Float[Array, "C"]
) -> tuple[Float[Array, "*dims"], Any]:
    """Leaky ReLU with a learned slope (He, Zhang, Ren and Sun 2015, eq. 1).

    Args:
        x: any shape; with a slope per channel, axis 1 holds the C channels.
        slope: one for all, shape (), or one per channel, shape (C,).

    Returns:
        out, of the shape of x, and the cache for ``prelu_backward``.

    Raises:
        ValueError: if there is not one slope per channel.
    """
    x = as_float(x)
    slope = np.asarray(slope, dtype=np.result_type(x, slope))
    if slope.ndim and (x.ndim < 2 or slope.shape != x.shape[1:2]):
        raise ValueError(
            f"slope of shape {slope.shape} does not fit x of shape {x.shape}: "
            "give one number, or one per channel (axis 1 of x)"
        )
    return np.where(x > 0, x, _per_channel(slope, x.ndim) * x), (x, slope)


def prelu_backward(
    dout: Float[Array, "*dims"], cache: Any
) -> tuple[Float[Array, "*dims"], Float[Array, ""] | Float[Array, "C"]]:
    """Gradients (dx, dslope); dslope adds up every entry that its slope was multiplied with."""
    x, slope = cache
    dx = np.where(x > 0, dout, _per_channel(slope, x.ndim) * dout)
    shared = tuple(axis for axis in range(x.ndim) if slope.ndim == 0 or axis != 1)
    dslope = np.asarray(np.sum(dout * np.minimum(x, 0), axis=shared))
    return dx, dslope


def _per_channel(slope: np.ndarray, ndim: int) -> np.ndarray:
    """A slope of shape (C,) laid along axis 1 of ``ndim`` axes; one of shape () as it is."""
    return slope.reshape((1, -1) + (1,) * (ndim - 2)) if slope.ndim else slope


def maxout_forward(
    x: Float[Array, "N *dims"], w: Float[Array, "k D M"], b: Float[Array, "k M"]
) -> tuple[Float[Array, "N M"], Any]:
    """The largest of k affine pieces, entry by entry (Goodfellow et al. 2013, section 2).

    Args:
        x: inputs (N, d_1, …, d_j) with d_1·…·d_j = D.
        w: weights (k, D, M).
        b: biases (k, M).

    Returns:
        out (N, M), and the cache for ``maxout_backward``.
    """
    x = as_float(x)
    rows = x.reshape(len(x), w.shape[1])
    pieces = rows @ w + b[:, None, :]
    winner = pieces.argmax(axis=0)
    return pieces.max(axis=0), (x, w, winner)


def maxout_backward(
    dout: Float[Array, "N M"], cache: Any
) -> tuple[Float[Array, "N *dims"], Float[Array, "k D M"], Float[Array, "k M"]]:
    """Gradients (dx, dw, db): dout goes to the winning piece only, the first one on a tie."""
    x, w, winner = cache
    rows = x.reshape(len(x), w.shape[1])
    piece = np.arange(len(w))[:, None, None]
    dpieces = np.where(piece == winner, as_float(dout), 0)
    dx = (dpieces @ w.transpose(0, 2, 1)).sum(axis=0).reshape(x.shape)
    dw = rows.T @ dpieces
    db = dpieces.sum(axis=1)
    return dx, dw, db
