"""The affine (fully connected) layer."""

import math
from typing import Any

from jaxtyping import Float

from cs_nn.arrays import Array, as_float


def affine_forward(
    x: Float[Array, "N *dims"], w: Float[Array, "D M"], b: Float[Array, "M"]
) -> tuple[Float[Array, "N M"], Any]:
    """out = x·w + b, each example read as one row of D numbers.

    Args:
        x: inputs (N, d_1, …, d_k) with d_1·…·d_k = D.
        w: weights (D, M).
        b: biases (M,).

    Returns:
        out (N, M), and the cache for ``affine_backward``.

    Raises:
        ValueError: if an example does not hold D numbers.

    Source: the lecture on backpropagation, vectorised operations.

    >>> affine_forward(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([5.0]))[0]
    array([[16.]])
    """
    x = as_float(x)
    rows = x.reshape(len(x), math.prod(x.shape[1:]))
    if rows.shape[1] != len(w):
        raise ValueError(
            f"an example of shape {x.shape[1:]} holds {rows.shape[1]} numbers, "
            f"but w has {len(w)} rows: make them equal"
        )
    out = rows @ w + b
    return out, (x, w)


def affine_backward(
    dout: Float[Array, "N M"], cache: Any
) -> tuple[Float[Array, "N *dims"], Float[Array, "D M"], Float[Array, "M"]]:
    """Gradients (dx, dw, db) of an affine layer, in the shapes of x, w and b.

    The shapes leave only one product for each: dx = dout·wᵀ, dw = xᵀ·dout. b is added to every
    row, and gradients of a shared number add: db sums over the batch.

    Args:
        dout: upstream gradient (N, M).
        cache: from ``affine_forward``.
    """
    x, w = cache
    dout = as_float(dout)
    rows = x.reshape(len(x), len(w))
    dx = (dout @ w.T).reshape(x.shape)
    dw = rows.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db
