"""Random layers: the student's own mask is read off and judged by statistics, never by its draws.

The inputs contain no zeros, so that ``out / x`` *is* the mask times its scale. With a seed the
whole grading can be repeated; without one, only that two masks differ is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.battery.chance import LIMIT, SHARED, SHARED_BY_ROWS, dependence, fraction
from autograder.battery.compare import as_array, same, shape_text
from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Kind, Observed, arguments, split
from autograder.exercise import Case
from autograder.student import Reply, Student
from autograder.values import Handle, Raised, Value

FRACTION = "keep fraction"
INDEPENDENCE = "independence"


@dataclass(frozen=True)
class Masked(Kind):
    """What dropout and its relatives have in common."""

    param: str = "dropout_param"

    def same_answer(self, aspect: str, a: Value, b: Value) -> bool:
        """Fractions are estimates: draws of one mistake differ by some hundredths."""
        if aspect == FRACTION and isinstance(a, float) and isinstance(b, float):
            return abs(a - b) < 0.12
        return same(a, b, relative=1e-4)


@dataclass(frozen=True)
class DropoutForward(Masked):
    """``(x, dropout_param) -> (out, cache)``.

    In ``case.extra``: ``wide``, the shape of a large input for the statistics; ``seeds``.
    """

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        x, param = given["x"], dict(given[self.param])
        p, (seed, other) = param["p"], case.extra["seeds"]
        large = without_zeros(case.extra["wide"], x.dtype, seed)

        def forward(x: np.ndarray, **settings: Value) -> Value:
            reply = student.call(name, x, param | settings, names=("x", self.param), keep=[1])
            return out_of(seen.note(reply))

        train = {"mode": "train"}
        out = forward(large, seed=seed, **train)
        seen.values |= read_mask(quotient(out, large), p)
        if not case.check:
            seen.values["same seed"] = compare_draws(out, forward(large, seed=seed, **train))
            seen.values["another seed"] = compare_draws(out, forward(large, seed=other, **train))
            seen.values["no seed"] = compare_draws(forward(large, **train), forward(large, **train))
        seen.values["p = 1"] = forward(x, seed=seed, **(train | {"p": 1.0}))
        seen.values["test mode"] = forward(x, seed=seed, mode="test")
        return seen

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        lines = {"scale": "scale", FRACTION: "mask", INDEPENDENCE: "mask", "p = 1": "scale"}
        return {a: lines.get(a, "seed" if "seed" in a else "test mode") for a in aspects}


@dataclass(frozen=True)
class DropoutBackward(Masked):
    """``(dout, cache) -> dx``, held against the mask of the student's own forward pass.

    The gradient of ``x∘m`` is ``dout∘m``, with the ``m`` that the output shows. Where x is 0 the
    output does not show it; there the entries that pass must be as many as elsewhere.
    """

    forward: str = "dropout_forward"

    def needs(self) -> tuple[str, ...]:
        return (self.forward,)

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        return {a: "test mode" if a == "test mode" else "dx" for a in aspects}

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        x, param = given["x"], dict(given[self.param])
        seed, other = case.extra["seeds"]
        dout = case.extra["dout"]

        def run(x: np.ndarray, dout: np.ndarray, **settings: Value) -> tuple[Value, Value, Value]:
            reply = student.call(self.forward, x, param | settings, keep=[1])
            cache = cache_of(reply)
            if cache is None:
                return None, None, None
            back = seen.note(student.call(name, dout, cache, names=("dout", "cache")))
            return out_of(reply), back.value, cache

        train = {"mode": "train"}
        large = without_zeros(case.extra["wide"], x.dtype, seed)
        upstream = without_zeros(case.extra["wide"], dout.dtype, other)
        out, dx, cache = run(large, upstream, seed=seed, **train)
        if cache is None:
            seen.waits = self.forward
            return seen
        mask = quotient(out, large)
        claimed = quotient(dx, upstream)
        seen.values |= against_mask(claimed, mask)
        holes = np.where(np.arange(large.size).reshape(large.shape) % 2, large, 0).astype(x.dtype)
        out, dx, _ = run(holes, upstream, seed=seed, **train)
        seen.values["where x is 0"] = at_zeros(quotient(dx, upstream), quotient(out, holes), holes)
        out, dx, _ = run(x, dout, seed=seed, **(train | {"p": 1.0}))
        seen.values["p = 1"] = _for_its_own_forward(dx, dout, quotient(out, x))
        out, dx, _ = run(x, dout, mode="test")
        seen.values["test mode"] = constant(
            _over(quotient(dx, dout), quotient(out, x)), "not a multiple of dout"
        )
        if CONDUCT in case.tags and isinstance(claimed, np.ndarray):
            self._question(name, student, seen, cache, upstream, given, claimed)
        return seen

    def _question(
        self,
        name: str,
        student: Student,
        seen: Observed,
        cache: Handle,
        dout: np.ndarray,
        given: Mapping[str, Value],
        first: np.ndarray,
    ) -> None:
        param = dict(given[self.param]) | {"mode": "train"}
        student.call(self.forward, given["x"], param, keep=[1])
        student.call(self.forward, given["x"], param | {"mode": "test"}, keep=[1])
        again = quotient(student.call(name, dout, cache).value, dout)
        if not same(first, again, 1e-6):
            seen.conduct.append(
                "gives another answer when a second forward pass comes between "
                "(is something kept outside the cache?)"
            )
            return
        zero = as_array(student.call(name, np.zeros_like(dout), cache).value)
        if zero is not None and np.any(zero != 0):
            seen.conduct.append("dx is not zero for dout = 0")


def without_zeros(shape: Sequence[int], dtype: np.dtype, seed: int) -> np.ndarray:
    """A large input that needs no room in the case: magnitudes from 1 to 2, both signs."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(1, 2, tuple(shape)) * np.where(rng.random(tuple(shape)) < 0.5, -1, 1)
    if np.dtype(dtype).kind in "iu":
        x = np.copysign(np.floor(3 * np.abs(x)), x)
    return x.astype(dtype)


def out_of(reply: Reply) -> Value:
    """The output of a forward pass."""
    value = reply.value
    if isinstance(value, tuple) and len(value) == 2:
        return value[0]
    return split(value, ("out", "cache"))["out"]


def cache_of(reply: Reply) -> Handle | None:
    """The cache of a forward pass, if there is one."""
    value = reply.value
    whole = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Handle)
    return value[1] if whole else None


def quotient(value: Value, by: np.ndarray) -> Value:
    """``value / by`` entry by entry in float64, or what is wrong with the value's shape."""
    array = as_array(value)
    if isinstance(value, Raised):
        return value
    if array is None or array.shape != by.shape:
        what = "nothing" if value is None else "no array" if array is None else shape_text(array)
        return Raised("Outputs", f"returns {what} where shape {shape_text(by)} is expected")
    with np.errstate(all="ignore"):
        return array.astype(np.float64) / by


def read_mask(ratio: Value, p: float) -> dict[str, Value]:
    """Scale, keep fraction and independence of a mask times its scale."""
    if not isinstance(ratio, np.ndarray):
        return dict.fromkeys(("scale", FRACTION, INDEPENDENCE), ratio)
    kept = ratio != 0
    if len(kept) == 1 and (kept.all() or not kept.any()) and p < 1:
        return dict.fromkeys(("scale", FRACTION, INDEPENDENCE), "all or nothing")
    how = dependence(kept) if kept.any() and not kept.all() else "nothing is random"
    # Shared draws count once, or a mask for all rows would seem to keep a wrong part as well.
    draws = kept[:1] if how == SHARED_BY_ROWS else kept[(..., *[0] * (kept.ndim - 1))]
    return {
        "scale": constant(ratio[kept], "not one constant") if kept.any() else "nothing is kept",
        FRACTION: fraction(draws if how in SHARED else kept, p, 1 - p),
        INDEPENDENCE: how,
    }


def constant(values: Value, otherwise: str) -> Value:
    """The one number that all values are, up to the rounding of float32."""
    if not isinstance(values, np.ndarray) or not values.size:
        return otherwise if isinstance(values, np.ndarray) else values
    middle = float(np.median(values))
    if not np.isfinite(values).all():
        return "not finite"
    if np.abs(values - middle).max() > 1e-5 * max(abs(middle), 1e-3):
        return otherwise
    return float(f"{middle:.5g}")


def compare_draws(first: Value, second: Value) -> Value:
    """Whether two outputs for one input show the same mask."""
    for value in (first, second):
        if isinstance(value, Raised) or as_array(value) is None:
            return value
    return "the same mask" if same(first, second, 1e-6) else "another mask"


def against_mask(claimed: Value, mask: Value) -> dict[str, Value]:
    """A gradient over dout, held against the mask of the forward pass."""
    names = ("where kept", "where dropped")
    if not isinstance(claimed, np.ndarray) or not isinstance(mask, np.ndarray):
        return dict.fromkeys(names, claimed if isinstance(mask, np.ndarray) else mask)
    kept = mask != 0
    if not kept.any() or kept.all():
        word = "the forward pass drops " + ("nothing" if kept.any() else "everything")
        return dict.fromkeys(names, word)
    return {
        "where kept": constant(claimed[kept] / mask[kept], "not a multiple of dout"),
        "where dropped": constant(claimed[~kept], "not a multiple of dout"),
    }


def at_zeros(claimed: Value, mask: Value, x: np.ndarray) -> Value:
    """Whether a gradient passes as often where x is 0 as elsewhere, and with the same scale."""
    if not isinstance(claimed, np.ndarray) or not isinstance(mask, np.ndarray):
        return claimed if isinstance(mask, np.ndarray) else mask
    hidden, shown = claimed[x == 0], mask[x != 0]
    share, passing = float(np.mean(shown != 0)), hidden[hidden != 0]
    if isinstance(constant(claimed[(x != 0) & (mask != 0)], "varies"), str):
        return "wrong as elsewhere"
    if np.any(claimed[(x != 0) & (mask == 0)]):
        return "wrong as elsewhere"
    if not passing.size:
        return "nothing passes"
    spread = np.sqrt(2 * share * (1 - share) / min(hidden.size, shown.size))
    if abs(float(np.mean(hidden != 0)) - share) > LIMIT * spread:
        return "another part passes"
    scale = constant(passing, "not a multiple of dout")
    wanted = constant(claimed[(x != 0) & (mask != 0)], "not a multiple of dout")
    return "as elsewhere" if same(scale, wanted, 1e-4) else "passes with another scale"


def _for_its_own_forward(dx: Value, dout: np.ndarray, mask: Value) -> Value:
    """``dx`` with p = 1, where it should be dout; excused where the student's own mask is
    another one and ``dx`` is right for that."""
    if not isinstance(dx, np.ndarray) or not isinstance(mask, np.ndarray) or np.all(mask == 1):
        return dx
    own = dx.shape == dout.shape and np.allclose(dx, dout * mask, rtol=1e-4, atol=1e-6)
    return dout.astype(dx.dtype) if own else dx


def _over(claimed: Value, mask: Value) -> Value:
    if not isinstance(claimed, np.ndarray) or not isinstance(mask, np.ndarray):
        return claimed if isinstance(mask, np.ndarray) else mask
    with np.errstate(all="ignore"):
        kept = mask != 0
        return claimed[kept] / mask[kept]
