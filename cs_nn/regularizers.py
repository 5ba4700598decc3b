"""Keeping weights and gradients small: penalties, max-norm, clipping of the global norm."""

import math

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array, Scalar, as_float


def l1_penalty(w: Float[Array, "*shape"], strength: Scalar) -> tuple[float, Float[Array, "*shape"]]:
    """The penalty strength·‖w‖₁, which drives small weights to exactly 0.

    Args:
        w: weights of any shape.
        strength: the factor λ.
    Returns:
        (value, gradient): a float, and an array of the shape and dtype of `w`. The gradient of
        |w| at 0 is taken as 0.
    Source:
        CS231n, Loss Functions and Optimization, "Regularization".
    """
    return float(strength * np.abs(w).sum()), float(strength) * np.sign(w)


def l2_penalty(w: Float[Array, "*shape"], strength: Scalar) -> tuple[float, Float[Array, "*shape"]]:
    """The penalty ½·strength·‖w‖², whose gradient pulls every weight in proportion to its size.

    Args:
        w: weights of any shape.
        strength: the factor λ.
    Returns:
        (value, gradient): a float, and an array of the shape and dtype of `w`.
    Source:
        CS231n, Loss Functions and Optimization, "Regularization".
    """
    return float(0.5 * strength * (w * w).sum()), float(strength) * w


def elastic_net(
    w: Float[Array, "*shape"], l1: Scalar, l2: Scalar
) -> tuple[float, Float[Array, "*shape"]]:
    """The sum of both penalties, l1·‖w‖₁ + ½·l2·‖w‖².

    Args:
        w: weights of any shape.
        l1: strength of the L1 part.
        l2: strength of the L2 part.
    Returns:
        (value, gradient): a float, and an array of the shape and dtype of `w`.
    Source:
        Zou and Hastie 2005, equation 3, with the ½ of `l2_penalty`.
    """
    l1_value, l1_gradient = l1_penalty(w, l1)
    l2_value, l2_gradient = l2_penalty(w, l2)
    return l1_value + l2_value, l1_gradient + l2_gradient


def max_norm(w: Float[Array, "D M"], c: Scalar) -> Float[Array, "D M"]:
    """Shrink each unit's incoming weights, a column of `w`, to a norm of at most `c`.

    Args:
        w: weights (D, M); not changed.
        c: the largest norm allowed, positive.
    Returns:
        (D, M), dtype of `w`; columns within the limit are kept as they are.
    Raises:
        ValueError: `c` is not positive.
    Source:
        Srivastava et al. 2014, "Dropout", section 5.1.
    """
    if not c > 0:
        raise ValueError(f"max_norm needs a positive norm c, not {c}; 3 or 4 are usual.")
    c = float(c)
    norm = np.sqrt((w * w).sum(axis=0))
    return w * (c / np.maximum(norm, c))


def clip_gradient_norm(
    grads: list[Array] | dict[str, Array], max_norm: Scalar
) -> list[Array] | dict[str, Array]:
    """Scale all gradients by one factor, so that together they are no longer than `max_norm`.

    One factor for all: the direction of the step stays what it was.

    Args:
        grads: list or dictionary of arrays of any shapes; not changed.
        max_norm: the largest norm allowed of all gradients taken as one long vector, ≥ 0.
    Returns:
        The same kind of container with new arrays; dtypes kept.
    Raises:
        ValueError: `max_norm` is negative.
    Source:
        Pascanu et al. 2013, "On the difficulty of training recurrent neural networks",
        algorithm 1.
    """
    if not max_norm >= 0:
        raise ValueError(f"clip_gradient_norm needs max_norm ≥ 0, not {max_norm}.")
    arrays = grads.values() if isinstance(grads, dict) else grads
    # In float64, because exploding float32 gradients are what clipping is for, and the square
    # of 1e20 overflows there.
    global_norm = math.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in arrays))
    scale = float(max_norm) / global_norm if global_norm > max_norm else 1.0
    if isinstance(grads, dict):
        return {name: _scaled(g, scale) for name, g in grads.items()}
    return [_scaled(g, scale) for g in grads]


def _scaled(g: Array, scale: float) -> Array:
    """A scaled copy; NumPy would make a gradient without axes a scalar of another type."""
    return np.asarray(scale * g, dtype=as_float(g).dtype)
