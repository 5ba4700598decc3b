"""Random layers: the student's own mask is read off and judged by statistics, never by its draws.

With a seed the whole grading can be repeated; without one, only that two masks differ is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.battery.compare import as_array, same
from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Kind, Observed, Trial, arguments, said, split
from autograder.battery.masks import (
    ALL_OR_NOTHING,
    FIXED,
    FRACTION,
    INDEPENDENCE,
    ODD,
    SAID,
    UNSEEDED,
    against_mask,
    at_zeros,
    compare_draws,
    constant,
    fixed_number,
    own_mask,
    quotient,
    read_mask,
    without_zeros,
)
from autograder.exercise import Case
from autograder.student import Reply, Student
from autograder.values import Handle, Value


@dataclass(frozen=True)
class Masked(Kind):
    """What dropout and its relatives have in common."""

    param: str = "dropout_param"

    def same_answer(self, aspect: str, a: Value, b: Value) -> bool:
        """Fractions are estimates: draws of one mistake differ by some hundredths."""
        if aspect == FRACTION and isinstance(a, float) and isinstance(b, float):
            return abs(a - b) < 0.12
        return same(a, b, relative=1e-4)

    def recognise(
        self, aspect: str, wrong: Sequence[tuple[Trial, Value]]
    ) -> tuple[str, str, str] | None:
        """What a mask looks like, and what it should."""
        # A row that is kept as a whole says little where other shapes show more.
        wrong = [pair for pair in wrong if pair[1] != ALL_OR_NOTHING] or wrong
        if aspect == FRACTION and all(got == 1.0 for _, got in wrong):
            return "nothing-dropped", "is 1", "training mode sets nothing to 0: where is the mask?"
        return said(SAID, aspect, wrong)


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
            whole = param | settings
            names = ("x", self.param)
            reply = student.call(name, x, whole, names=names, keep=[1], after=[self.param])
            seen.settings(reply, {self.param: whole}, self.param)
            return out_of(seen.note(reply))

        train = {"mode": "train"}
        out = forward(large, seed=seed, **train)
        seen.values |= read_mask(quotient(out, large), p)
        if not case.check:
            seen.values["same seed"] = compare_draws(out, forward(large, seed=seed, **train))
            seen.values["another seed"] = compare_draws(out, forward(large, seed=other, **train))
            none = [forward(large, seed=0, **train) for _ in range(2)]
            seen.values["seed 0"] = compare_draws(*none)
            seen.values["no seed"] = compare_draws(forward(large, **train), forward(large, **train))
            few = large[:5, :8]
            if fixed_number([quotient(forward(few, **train), few) for _ in range(24)]):
                seen.values[INDEPENDENCE] = FIXED
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
        if not case.check:
            out, dx, _ = run(large, upstream, **train)
            seen.values[UNSEEDED] = own_mask(quotient(dx, upstream), quotient(out, large))
        tested, dx_tested, _ = run(x, dout, mode="test")
        seen.values |= against_mask(claimed, mask)
        holes = np.where(np.arange(large.size).reshape(large.shape) % 2, large, 0).astype(x.dtype)
        out, dx, _ = run(holes, upstream, seed=seed, **train)
        seen.values["where x is 0"] = at_zeros(quotient(dx, upstream), quotient(out, holes), holes)
        out, dx, _ = run(x, dout, seed=seed, **(train | {"p": 1.0}))
        seen.values["p = 1"] = _for_its_own_forward(dx, dout, quotient(out, x))
        after = quotient(dx_tested, dout, "after a forward pass in test mode, it ")
        seen.values["test mode"] = constant(_over(after, quotient(tested, x)), ODD)
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
