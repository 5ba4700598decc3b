"""The kinds of plain functions: a value, a loss, and a forward and backward pair."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.battery.carried import MOST_ENTRIES, agrees, bends, in_earnest, own_gradient
from autograder.battery.compare import as_array
from autograder.battery.kind import (
    Kind,
    Observed,
    Trial,
    arguments,
    call_with,
    split,
)
from autograder.battery.results import (
    HANDED_OUT_AGAIN,
    OVERWRITTEN,
    elsewhere,
    fresh,
    lasts,
    plain,
)
from autograder.exercise import Case
from autograder.student import STUB_ERROR, Student
from autograder.values import Handle, Raised, Value

CONDUCT = "conduct"
"""Tag of the one case on which the longer questions of conduct are asked."""


@dataclass(frozen=True)
class Function(Kind):
    """A function without memory: the same answer at every call, arguments untouched.

    ``extra["kept"]`` names the arguments that are lists or dictionaries of the caller and must
    stay as they are; arrays must always.
    """

    outputs: tuple[str, ...] = ("out",)

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        kept = case.extra.get("kept", ())
        reply = seen.note(call_with(student, name, given, after=kept))
        seen.keeps(reply, given, kept)
        seen.values = split(reply.value, self.outputs)
        if CONDUCT in case.tags and reply.raised is None:
            call = functools.partial(call_with, student, name)
            mine = functools.partial(call, given)
            if not self.same_answer("", reply.value, mine().value):
                seen.conduct.append("gives another answer when called again with the same input")
            elif plain(given) and not lasts(student, mine, lambda: call(elsewhere(given))):
                seen.conduct.append(OVERWRITTEN)
            elif plain(given) and not fresh(student, mine):
                seen.conduct.append(HANDED_OUT_AGAIN)
        return seen


def _straight(
    forward: Callable[[Mapping[str, Value]], Value],
    trials: Sequence[Trial],
    inputs: Sequence[str],
) -> bool:
    """Whether a forward pass is linear in one of the inputs in which the reference bends."""
    return any(
        trial.expected.side.get(f"bends in {argument}")
        and not bends(forward, arguments(trial.case), argument)
        for trial in trials
        for argument in inputs
    )


@dataclass(frozen=True)
class Loss(Function):
    """A loss ``(x, y, …) -> (loss, dx)``: its number, and its gradient for the first argument.

    The gradient is also accepted when it is the true gradient of the student's own wrong loss.
    """

    outputs: tuple[str, ...] = ("loss", "dx")

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = super().script(name, student, case)
        if CONDUCT in case.tags:
            argument = next(iter(case.args))
            forward = functools.partial(self._loss_of, name, student)
            seen.side[f"bends in {argument}"] = bends(forward, arguments(case), argument)
        return seen

    def _loss_of(self, name: str, student: Student, given: Mapping[str, Value]) -> Value:
        value = call_with(student, name, given).value
        return value[0] if isinstance(value, tuple) and len(value) == 2 else None

    def reconsider(
        self, name: str, student: Student, trials: Sequence[Trial], aspects: Sequence[str]
    ) -> tuple[set[str], str]:
        loss, dx = self.outputs
        if dx not in aspects or loss not in aspects:
            return set(), ""

        forward = functools.partial(self._loss_of, name, student)
        argument = next(iter(trials[0].case.args))
        if _straight(forward, trials, (argument,)):
            return set(), ""
        small = _small(trials, (argument,))
        for trial in small:
            given = arguments(trial.case)
            own = own_gradient(forward, given, argument, 1.0)
            reference = as_array(trial.expected.values[dx])
            claimed = split(call_with(student, name, given).value, self.outputs)[dx]
            if own is None or reference is None:
                return set(), ""
            if not in_earnest(own, reference) or not agrees(own, claimed):
                return set(), ""
        if not small:
            return set(), ""
        return {dx}, f"{dx}: right for the {loss} that you compute, so no points are lost here"


@dataclass(frozen=True)
class Forward(Kind):
    """A forward pass ``(…) -> (out, cache)``; the cache is the student's own business."""

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        settings = [key for key, value in given.items() if isinstance(value, Mapping)]
        reply = seen.note(call_with(student, name, given, keep=[1], after=settings))
        for key in settings:
            seen.settings(reply, given, key)
        seen.values = {"out": _first_of_pair(reply.value)}
        if CONDUCT in case.tags and reply.raised is None:
            again = _first_of_pair(call_with(student, name, given, keep=[1]).value)
            if not self.same_answer("", seen.values["out"], again):
                seen.conduct.append("gives another answer when called again with the same input")
            call = functools.partial(call_with, student, name)
            other = functools.partial(call, elsewhere(given), keep=True)
            if not lasts(student, functools.partial(call, given), other, "0"):
                seen.conduct.append(OVERWRITTEN)
        return seen


@dataclass(frozen=True)
class Backward(Kind):
    """A backward pass ``(dout, cache) -> gradients``, fed by the student's own forward.

    forward:   name of the forward pass.
    gradients: aspects in the order of return, one for each of ``inputs``.
    inputs:    the forward's differentiable arguments.
    """

    forward: str = ""
    gradients: tuple[str, ...] = ("dx",)
    inputs: tuple[str, ...] = ("x",)

    def needs(self) -> tuple[str, ...]:
        return (self.forward,)

    def lack(self, case: Case) -> str:
        if "dout" in case.extra:
            return ""
        return "has no upstream gradient; give it one: extra={'dout': an array in out's shape}"

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        return {aspect: aspect for aspect in aspects}

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        forward = call_with(student, self.forward, given, keep=[1])
        cache = _cache_of(forward.value)
        if cache is None:
            seen.waits = self.forward
            untouched = student.call(name, case.extra["dout"], None).raised
            if untouched and untouched.kind == STUB_ERROR:
                seen.values = dict.fromkeys(self.gradients, untouched)
            return seen
        seen.side["out"] = _first_of_pair(forward.value)
        dout = case.extra["dout"]
        reply = seen.note(student.call(name, dout, cache, names=("dout", "cache")))
        seen.values = split(reply.value, self.gradients)
        if reply.raised is None and reply.seconds > case.extra.get("seconds", np.inf):
            slow = Raised("TimeLimit", "it takes thousands of times as long as the forward pass")
            seen.values = dict.fromkeys(self.gradients, slow)
        if CONDUCT in case.tags and reply.raised is None:
            self._question_conduct(name, student, case, seen, cache, reply.value)
            out = functools.partial(self._out_of, student)
            for argument in self.inputs:
                seen.side[f"bends in {argument}"] = bends(out, given, argument)
        return seen

    def _out_of(self, student: Student, given: Mapping[str, Value]) -> Value:
        return _first_of_pair(call_with(student, self.forward, given, keep=[1]).value)

    def _question_conduct(
        self,
        name: str,
        student: Student,
        case: Case,
        seen: Observed,
        cache: Handle,
        first: Value,
    ) -> None:
        dout = case.extra["dout"]
        again = student.call(name, dout, cache).value
        if not self.same_answer("", first, again):
            seen.conduct.append(
                "gives another answer when called again with the same cache "
                "(is the cache or dout changed on the way?)"
            )
        given = arguments(case)

        def above() -> None:
            """Another layer of the same sizes, which has its backward pass too."""
            made = call_with(student, self.forward, elsewhere(given), keep=[1]).value
            student.call(name, 0.6 * dout, _cache_of(made))

        if not lasts(student, functools.partial(student.call, name, dout, cache), above):
            seen.conduct.append(OVERWRITTEN)
        zero = student.call(name, np.zeros_like(dout), cache).value
        for aspect, value in split(zero, self.gradients).items():
            array = as_array(value)
            if array is not None and np.any(array != 0):
                seen.conduct.append(f"{aspect} is not zero for dout = 0")
        mine = _cache_of(call_with(student, self.forward, given, keep=[1]).value)
        call_with(student, self.forward, self._another_layer(given), keep=[1])
        late = student.call(name, dout, mine).value if mine is not None else None
        if not self.same_answer("", first, late):
            seen.conduct.append(
                "gives another answer when a second forward pass comes between "
                "(is something kept outside the cache?)"
            )

    def _another_layer(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Arguments of a forward pass with other numbers, another setting, one example more."""
        other: dict[str, Value] = dict(given)
        for key, value in given.items():
            if key in self.inputs:
                other[key] = -0.7 * value + 0.1
            elif isinstance(value, float):
                other[key] = 0.6 * value + 0.1
        x = self.inputs[0]
        other[x] = np.concatenate([other[x], other[x][:1]])
        return other

    def reconsider(
        self, name: str, student: Student, trials: Sequence[Trial], aspects: Sequence[str]
    ) -> tuple[set[str], str]:
        """Judge by the numerical gradient of the student's own forward pass."""
        forward = functools.partial(self._out_of, student)
        if _straight(forward, trials, self.inputs):
            return set(), ""
        forgiven = set(aspects)
        small = _small(trials, self.inputs)
        for trial in small:
            given, dout = arguments(trial.case), trial.case.extra["dout"]
            cache = _cache_of(call_with(student, self.forward, given, keep=[1]).value)
            if cache is None or self.same_answer(
                "out", forward(given), trial.expected.side.get("out")
            ):
                return set(), ""
            claimed = split(student.call(name, dout, cache).value, self.gradients)
            for aspect, argument in zip(self.gradients, self.inputs, strict=True):
                own = own_gradient(forward, given, argument, dout)
                reference = as_array(trial.expected.values[aspect])
                if own is None or reference is None or not in_earnest(own, reference):
                    return set(), ""
                if not agrees(own, claimed[aspect]):
                    forgiven.discard(aspect)
        if not forgiven or not small:
            return set(), ""
        words = " and ".join(sorted(forgiven))
        return forgiven, (
            f"{words}: right for what your own {self.forward} computes, so no points are lost "
            f"here; mend the forward pass first"
        )


def _first_of_pair(value: Value) -> Value:
    if isinstance(value, Raised):
        return value
    if isinstance(value, tuple) and len(value) == 2:
        return value[0]
    return split(value, ("out", "cache"))["out"]


def _cache_of(value: Value) -> Handle | None:
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Handle):
        return value[1]
    return None


def _small(trials: Sequence[Trial], arguments: Sequence[str]) -> list[Trial]:
    """Up to two trials that are cheap to differentiate numerically."""
    small = [
        t
        for t in trials
        if not t.case.check
        and all(np.size(t.case.args[a]) <= MOST_ENTRIES for a in arguments if a in t.case.args)
    ]
    return small[:2]
