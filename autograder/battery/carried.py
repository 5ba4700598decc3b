"""Error carried forward: a gradient judged by the numerical gradient of the student's own forward.

A wrong forward pass costs its own points and not the backward's. That credit needs a forward
pass that has the reference's shape and depends in earnest on what is differentiated: ``out = b``
with its honest gradient earns nothing, nor does zero with zero, nor a straight line in place of
what bends (``out = x`` for a ReLU), whose gradient is another, easier exercise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.battery.compare import as_array
from autograder.values import Value

MOST_ENTRIES = 80
"""Arrays larger than this are not differentiated entry by entry."""


def own_gradient(
    forward: Callable[[Mapping[str, Value]], Value],
    given: Mapping[str, Value],
    argument: str,
    upstream: np.ndarray | float,
    step: float = 1e-3,
) -> np.ndarray | None:
    """Numerical gradient of ``sum(upstream · forward(given))`` for one argument.

    Five-point central differences, error of order step⁴; ``None`` where the forward pass fails
    or has another shape than ``upstream``.
    """
    x = np.asarray(given[argument], dtype=np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        total = 0.0
        for offset, weight in ((-2, 1.0), (-1, -8.0), (1, 8.0), (2, -1.0)):
            moved = x.copy()
            moved[index] += offset * step
            out = as_array(forward({**given, argument: moved}))
            if out is None or out.shape != np.shape(upstream):
                return None
            total += weight * float(np.sum(upstream * out))
        gradient[index] = total / (12 * step)
    return gradient if np.isfinite(gradient).all() else None


def bends(
    forward: Callable[[Mapping[str, Value]], Value], given: Mapping[str, Value], argument: str
) -> bool:
    """Whether a forward pass is more than a straight line along one argument."""
    x = np.asarray(given[argument], dtype=np.float64)
    step = 0.9 * np.roll(x, 1) + 0.37  # some direction, far enough to cross kinks
    found = [as_array(forward({**given, argument: x + side * step})) for side in (-1, 0, 1)]
    outs = [out.astype(np.float64) for out in found if out is not None]
    if len(outs) < 3 or len({out.shape for out in outs}) > 1:
        return False
    low, middle, high = outs
    scale = max(np.abs(out).max(initial=0.0) for out in outs)
    return bool(np.abs(low - 2 * middle + high).max(initial=0.0) > 1e-6 * scale)


def in_earnest(own: np.ndarray, reference: np.ndarray) -> bool:
    """Whether a forward pass with gradient ``own`` is an attempt at one with ``reference``.

    It must move where the reference moves, by a comparable amount, and not in an unrelated
    direction; a factor or a sign is no obstacle.
    """
    size, wanted = np.linalg.norm(own), np.linalg.norm(reference)
    if wanted == 0 or not 0.01 < size / wanted < 1000:
        return False
    moving = np.abs(reference) > 1e-6 * np.abs(reference).max()
    covered = np.mean(np.abs(own[moving]) > 1e-6 * np.abs(own).max())
    return bool(covered > 0.6 and abs(np.vdot(own, reference)) > 0.2 * size * wanted)


def agrees(own: np.ndarray, claimed: Value) -> bool:
    """Whether the student's gradient is the numerical one, shape first."""
    array = as_array(claimed)
    if array is None or array.shape != own.shape or array.dtype.kind != "f":
        return False
    scale = np.abs(own).max(initial=0.0)
    return bool(np.all(np.abs(own - array) <= 1e-5 * np.abs(own) + 1e-6 * scale))
