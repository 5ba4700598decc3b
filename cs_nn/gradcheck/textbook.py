"""The numerical gradient as every course begins with it: central differences, one step for all."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array


def numeric_gradient(
    f: Callable[[Array], Any], x: Float[Array, "*shape"], h: float = 1e-5
) -> Float[Array, "*shape"]:
    """Central differences (f(x+h) − f(x−h)) / 2h, one entry of ``x`` at a time.

    ``f`` returns a scalar. ``x`` is changed while ``f`` is called and is afterwards bit for bit
    what it was, also when ``f`` raises. The error is O(h²) from truncation and O(ε|f|/h) from
    round-off, which is why h = 1e-5 suits float64 and no other type.

    Raises TypeError when ``x`` is not a floating-point array (a step would be truncated).
    Source: CS231n, "Neural Networks Part 3: Learning and Evaluation", gradient checks.
    """
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError(f"x is {x.dtype}: pass a float array, integers cannot take a small step.")
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        before = x[index].copy()
        try:
            x[index] = before + h
            above = f(x)
            x[index] = before - h
            below = f(x)
        finally:
            x[index] = before
        gradient[index] = (above - below) / (2 * h)
    return gradient


def relative_error(a: Float[Array, "*shape"] | float, b: Float[Array, "*shape"] | float) -> float:
    """The largest |a − b| / max(1e-8, |a| + |b|) over all entries; 0 for empty arrays.

    Raises ValueError when the shapes differ: (3,) beside (3, 1) would broadcast to nine
    comparisons, and some of them might even agree.
    Source: CS231n, "Neural Networks Part 3: Learning and Evaluation", gradient checks.
    """
    if np.shape(a) != np.shape(b):
        raise ValueError(f"shapes {np.shape(a)} and {np.shape(b)} differ: compare like with like.")
    a, b = np.asarray(a), np.asarray(b)
    return float(np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)), initial=0.0))


def error_against_step(
    f: Callable[[float], float],
    df: Callable[[float], float],
    x: float,
    steps: Float[Array, " steps"],
) -> tuple[Float[Array, " steps"], Float[Array, " steps"]]:
    """Relative errors at ``x`` of forward and of central differences, for each step.

    Drawn against ``steps`` on logarithmic axes they make two valleys: truncation on the right
    (slopes 1 and 2), round-off on the left (slope −1), the lowest points near √ε and ∛ε.
    ``f`` and its derivative ``df`` map a number to a number. Raises ValueError where df(x) = 0.
    """
    exact = df(x)
    if exact == 0:
        raise ValueError(f"df({x}) is 0: a relative error needs a slope, choose another x.")
    forward = np.array([(f(x + h) - f(x)) / h for h in steps])
    central = np.array([(f(x + h) - f(x - h)) / (2 * h) for h in steps])
    return np.abs(forward - exact) / abs(exact), np.abs(central - exact) / abs(exact)
