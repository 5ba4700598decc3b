"""Which path back through a normalisation is missing, or counts too often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.diagnosis.evidence import Row
from autograder.diagnosis.relation import Relation, near


def paths(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """How often each path counts in dx = (d − mean(d) − x̂·mean(d·x̂))/σ with d = dout·γ.

    A wrong dx that is still made of d, 1 and x̂ in each group that shares its statistics has
    another weight for one of the three.
    """
    given, dout = row.trial.case.args, row.trial.case.extra.get("dout")
    x, gamma = given.get("x"), given.get("gamma")
    for array in (x, dout):
        if not isinstance(array, np.ndarray) or not array.shape == e.shape == g.shape:
            return None
    if not isinstance(gamma, np.ndarray) or not np.isfinite(g).all() or not g.any():
        return None
    for table in _groups(x, gamma, dout, given.get("G"), e, g):  # type: ignore[arg-type]
        found = _paths_in(*table)
        if found is not None:
            return found
    return None


def _groups(
    x: np.ndarray, gamma: np.ndarray, dout: np.ndarray, G: Any, e: np.ndarray, g: np.ndarray
) -> Iterator[list[np.ndarray]]:
    """x, d, e and g as tables whose rows are the groups that share their statistics: all ways to
    form groups that the shapes allow."""
    if gamma.size != x.shape[1]:
        return
    channels = gamma.reshape(-1, *(1,) * (x.ndim - 2))
    arrays = [a.astype(np.float64) for a in (x, dout * channels, e, g)]
    if isinstance(G, int):
        yield [a.reshape(len(a) * G, -1) for a in arrays]
        return
    yield [np.moveaxis(a, 1, 0).reshape(a.shape[1], -1) for a in arrays]
    yield [a.reshape(len(a), -1) for a in arrays]


def _paths_in(x: np.ndarray, d: np.ndarray, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if x.shape[1] < 4:
        return None  # three unknowns fit anything
    centred = x - x.mean(axis=1, keepdims=True)
    parts = np.stack([d, np.ones_like(d), centred], axis=2)
    (right, rest), (mine, other) = (_weights(parts, a) for a in (e, g))
    if max(rest, other) > 1e-5:
        return None
    # The right weight of d is 1/σ; those of 1 and x̂ may be wrong by the path of either.
    direct = float(np.median(mine[:, 0] / right[:, 0]))
    if not near(mine[:, 0], direct * right[:, 0], 1e-4):
        return None
    if abs(direct) < 1e-4:
        return Relation("path:direct-left-out", "lacks the direct path, the one beside mean and "
                        "variance", "does something that comes back later replace it instead of "
                        "adding to it?")  # fmt: skip
    if abs(direct - 1) > 1e-4:
        return None
    sigma = 1 / right[:, :1]
    through_variance = -(d * centred).mean(axis=1, keepdims=True) / sigma**3
    through_mean = -d.mean(axis=1, keepdims=True) / sigma
    # What the weight of 1 is beside the mean's path: x̂ has none, for x is centred.
    found = [
        _weight(name, mine[:, k : k + 1], path)
        for name, k, path in (("mean", 1, through_mean), ("variance", 2, through_variance))
    ]
    wrong = [f for f in found if f is not None and f[0]]
    if None in found:
        return Relation("path:other-factors", "has the direct path right, but what comes back "
                        "through mean and variance is scaled otherwise",
                        "does the common factor stand before all terms, or only before the first?")  # fmt: skip  # noqa: E501
    if not wrong:
        return None
    code, fact = "+".join(f[0] for f in wrong), " and ".join(f[1] for f in wrong)
    ask = "draw the graph and count what comes back along each arrow that leaves x."
    return Relation(f"path:{code}", fact, ask)


def _weights(parts: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, float]:
    """The weights of d, 1 and x − mean in each group, and how much is left over."""
    weights = np.stack([np.linalg.lstsq(p, r, rcond=None)[0] for p, r in zip(parts, a)])  # noqa: B905
    left = a - np.einsum("gnk,gk->gn", parts, weights)
    return weights, float(np.abs(left).max() / max(np.abs(a).max(), 1e-300))


WRONG_WEIGHTS = {
    0.0: ("left-out", "lacks the path through the {}"),
    0.5: ("half", "counts the path through the {} only half"),
    -1.0: ("wrong-sign", "counts the path through the {} with the wrong sign"),
    2.0: ("twice", "counts the path through the {} twice"),
}


def _weight(name: str, mine: np.ndarray, path: np.ndarray) -> tuple[str, str] | None:
    """What is wrong with one path, if it is one thing in all groups; ("", "") for nothing."""
    times = float((mine * path).sum() / (path**2).sum())
    if not near(mine, times * path, 1e-3) and np.abs(mine).max() > 1e-4 * np.abs(path).max():
        return None
    if abs(times - 1) < 1e-3:
        return "", ""
    for value, (code, fact) in WRONG_WEIGHTS.items():
        if abs(times - value) < 1e-3:
            return f"{name}-{code}", fact.format(name)
    return f"{name}-times", f"counts the path through the {name} {times:.3g} times"
