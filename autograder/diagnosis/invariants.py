"""What every right answer of some layers has in common, and a wrong one often lacks."""

from __future__ import annotations

import numpy as np

from autograder.diagnosis.evidence import Row
from autograder.diagnosis.normalised import paths
from autograder.diagnosis.relation import Relation


def unbalanced(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """The right answer sums to 0 along an axis (softmax over classes, batch norm over the batch)
    or is orthogonal to the input there (normalisation), and this one is not."""
    if e.shape != g.shape or e.ndim < 2 or not np.isfinite(g).all():
        return None
    if paths(row, e, g) is not None:
        return None  # which says more
    size = np.abs(e).max()
    for axis in range(e.ndim):
        rest, mine = (np.abs(a.sum(axis=axis)).max() for a in (e, g))
        if not size or e.shape[axis] < 3 or rest > 1e-6 * size:
            continue
        where = f"over axis {axis}"
        if mine > 1e-3 * size and not {"dout", "y"} & {*row.trial.case.extra, *row.trial.case.args}:
            return Relation(f"mean-not-zero:{axis}", f"does not have mean 0 {where}, as it must",
                            "is what is subtracted the mean?")  # fmt: skip
        if mine > 1e-3 * size:
            return Relation(f"sum-not-zero:{axis}", f"does not sum to 0 {where}, as it must",
                            "moving all inputs there by the same amount changes nothing: is a "
                            "path through a sum or a mean left out?")  # fmt: skip
        x = next((v for v in row.trial.case.args.values() if isinstance(v, np.ndarray)), None)
        if x is None or x.shape != e.shape:
            continue
        length = size * np.abs(x).max()
        rest, mine = (np.abs((a * x).sum(axis=axis)).max() for a in (e, g))
        if rest < 0.03 * length and mine > max(0.05 * length, 4 * rest):
            return Relation(f"not-orthogonal:{axis}", f"is not orthogonal to the input {where}, "
                            "as it must (nearly) be", "stretching the inputs there changes "
                            "nothing: is the path through the variance left out?")  # fmt: skip
    return None
