"""The kind of optimisers: several steps with changing gradients, state carried in the config.

What the config holds between two steps is the student's business; the kind only hands back what
it was given. Gradients of all steps come with the case (``extra["gradients"]``).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Finding, Kind, Observed, Trial, arguments, split
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Handle, Raised, Value

NOTHING, STATE = "settings of 0", "a given state"
"""Checks of cases with settings of 0, and with what an earlier run remembered."""

ONLY = {
    NOTHING: (
        "zero-taken-for-missing",
        "is right for other settings and wrong where one is 0",
        "a setting of 0 is there; `or` takes it for nothing and puts the default in its place.",
    ),
    STATE: (
        "state-of-another-kind",
        "is wrong though your own runs are right: it goes on from a state in the caller's config",
        "which sign and scale does the text give to what is stored, and from where does t count?",
    ),
}
"""Check → what is said where nothing else is wrong."""

OMITTED = "omitted"
"""Tag: the config is not passed at all, so that the default of the signature shows."""


@dataclass(frozen=True)
class Optimiser(Kind):
    """An update rule ``(w, dw, config=None) -> (next_w, config)``.

    ``extra`` may hold, beside ``gradients``: ``other``, the start and gradients of a second
    parameter that is updated in turns with a config of its own; ``rates``, the learning rate that
    the caller sets before each step from the second on; ``state``, the keys of the config under
    which the caller hands over what an earlier run remembered, and ``done``, its number of steps:
    counting goes on from there, because a step that is wrong in the student's own runs explains
    what comes later.

    A given state must be used with the meaning that the text gives it. Who remembers under other
    names does not see it, or sees a part, and that is right as well.
    """

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        walker = _Walker(name, student, given["w"], given.get("config"), OMITTED in case.tags)
        other = case.extra.get("other")
        beside = None
        if other is not None:
            beside = _Walker(name, student, other["w"], given.get("config"), OMITTED in case.tags)
        rates = case.extra.get("rates", ())
        first = case.extra.get("done", 0) + 1
        for number, gradient in enumerate(case.extra["gradients"], start=first):
            if rates and number > 1:
                walker.set_rate(rates[number - 2])
            seen.values[f"w after step {number}"] = walker.step(gradient, seen)
            if beside is not None and other is not None:
                beside.step(other["gradients"][number - 1], seen)
        if CONDUCT in case.tags:
            again = _Walker(name, student, given["w"], given.get("config"), False)
            for number, gradient in enumerate(case.extra["gradients"], start=1):
                w = again.step(gradient, Observed())
                if not self.same_answer("", w, seen.values[f"w after step {number}"]):
                    seen.conduct.append(
                        "gives another answer when the same run is started again "
                        "(is something kept outside the config?)"
                    )
                    break
        for number, config in enumerate(_poorer(given.get("config"), case.extra.get("state", ()))):
            alone = _Walker(name, student, given["w"], config, False)
            for step, gradient in enumerate(case.extra["gradients"], start=first):
                w = alone.step(gradient, Observed())
                seen.side[f"w after step {step}, other names {number}"] = w
        return seen

    def judge(self, trial: Trial, got: Observed) -> list[Finding]:
        found = super().judge(trial, got)
        if "state" not in trial.case.extra or all(finding.passed for finding in found):
            return found
        for number in range(2 ** len(trial.case.extra["state"]) - 1):
            values = {
                aspect: trial.expected.side[f"{aspect}, other names {number}"]
                for aspect in trial.expected.values
            }
            other = super().judge(Trial(trial.case, Observed(values)), got)
            if all(finding.passed for finding in other):
                return other
        return found

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        first, *later = aspects
        return {first: "first step"} | dict.fromkeys(later, "later steps")

    def recognise(
        self, aspect: str, wrong: Sequence[tuple[Trial, Value]]
    ) -> tuple[str, str, str] | None:
        """A wrong default: wrong wherever the config leaves a setting out, and only there. A
        setting of 0, or a state that the caller brings, that means something else."""
        checks = {trial.case.check for trial, _ in wrong}
        if len(checks) == 1 and not any(isinstance(value, Raised) for _, value in wrong):
            known = ONLY.get(next(iter(checks)))
            if known is not None:
                return known
        plain = [trial for trial, _ in wrong if not trial.case.check]
        given = [trial.case.args.get("config") or {} for trial, _ in wrong]
        if not plain or len({len(config) for config in given}) > 2:
            return None
        if any(isinstance(value, Raised) for _, value in wrong):
            return None
        rate_only = {"learning_rate"}
        if any(trial.case.args.get("config") for trial in plain) or any(
            not config.keys() <= rate_only for config in given
        ):
            return None
        which = "a setting" if any(given) else "the learning rate"
        return (
            "a-default-is-wrong",
            f"is right where the config names everything and wrong where {which} is left out",
            "compare your defaults with the text, one by one.",
        )


def _poorer(config: Value, state: Sequence[str]) -> Iterator[dict[str, Value]]:
    """The config without one or more of the keys of its state, in each way."""
    if not isinstance(config, Mapping):
        return
    for count in range(1, len(state) + 1):
        for gone in itertools.combinations(state, count):
            yield {key: value for key, value in config.items() if key not in gone}


def columns_first(array: np.ndarray) -> bool:
    """Whether an array lies in memory as a transposed one does."""
    return array.ndim > 1 and array.strides[0] < array.strides[-1]


class _Walker:
    """One parameter on its way, with what the student's code returned as its config."""

    def __init__(
        self, name: str, student: Student, w: np.ndarray, config: Value, omit: bool
    ) -> None:
        self.name, self.student, self.w = name, student, w
        self.transposed = columns_first(w)
        self.config = config
        self.passed = () if omit else ("config",)

    def step(self, gradient: np.ndarray, seen: Observed) -> Value:
        """The parameter after one more step, or the error that ended the walk."""
        if isinstance(self.w, Raised):
            return self.w
        names = ("w", "dw", *self.passed)
        args = (self.w, gradient, self.config)[: len(names)]
        reply = self.student.call(
            self.name, *args, keep=[1], after=("config",) if self.passed else (), names=names
        )
        seen.note(reply)
        parts = split(reply.value, ("w", "config"))
        self.config, self.passed = parts["config"], ("config",)
        result = parts["w"]
        plain = isinstance(result, np.ndarray) and result.shape == np.shape(gradient)
        end = Raised("Outputs", "the step before this one gave no array in the shape of w")
        self.w = result if plain or isinstance(result, Raised) else end
        if plain and self.transposed:  # what crosses over comes back row by row
            self.w = np.asfortranarray(result)
        return result

    def set_rate(self, rate: float) -> None:
        """What a schedule does between two steps."""
        config = self.config
        if isinstance(config, Handle):
            config = self.student.read(config)
        if isinstance(config, Mapping):
            self.config = {**config, "learning_rate": rate}
        elif not isinstance(self.w, Raised):
            self.w = Raised("Outputs", "the config that is returned should be a dict")
