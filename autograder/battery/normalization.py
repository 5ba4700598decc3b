"""Batch normalisation: training steps that remember, then test mode that uses what was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Kind, Observed, arguments, split
from autograder.exercise import Case
from autograder.student import Reply, Student
from autograder.values import Handle, Opaque, Raised, Value

NAMES = ("x", "gamma", "beta", "bn_param")
STATISTICS = ("running_mean", "running_var")
TRAINING, RUNNING, TESTING = "training mode", "running statistics", "test mode"
UNTRAINED = "out in test mode before any training"
DEFAULTS = "default parameters"
"""Tag of cases in which nothing is set."""

LINES = {
    "out": TRAINING,
    "running_mean": RUNNING,
    "running_var": RUNNING,
    "running_mean after step 3": RUNNING,
    "running_var after step 3": RUNNING,
    "out in test mode": TESTING,
    UNTRAINED: TESTING,
    "one example in test mode": TESTING,
    "statistics after testing": TESTING,
}
"""Aspect → line of the report."""


@dataclass(frozen=True)
class BatchNorm(Kind):
    """``(x, gamma, beta, bn_param) -> (out, cache)`` with running statistics in ``bn_param``.

    Test mode starts from statistics of the case's own, so that a mistake in the averages does
    not count there again; one example goes through it alone, because test mode must not look at
    the rest of the batch.

    In ``case.extra``: ``batches``, what later training steps see; ``test``, the inputs of test
    mode; ``statistics``, the running statistics it is to use.
    """

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        start = dict(given["bn_param"])
        first = seen.note(_step(name, student, given, start | {"mode": "train"}))
        if first.raised:
            seen.values = dict.fromkeys(LINES, first.raised)
            if DEFAULTS not in case.tags:
                del seen.values[UNTRAINED]
            return seen
        seen.values["out"] = _out(first.value)
        seen.values |= _statistics(first, "")
        last = first
        for batch in case.extra["batches"]:
            later = {**given, "x": batch}
            last = seen.note(_step(name, student, later, _state(last, start)))
        seen.values |= _statistics(last, " after step 3")
        kept = {key: value for key, value in start.items() if key not in STATISTICS}
        test = kept | dict(case.extra["statistics"]) | {"mode": "test"}
        x = case.extra["test"]
        reply = seen.note(_step(name, student, {**given, "x": x}, test))
        alone = seen.note(_step(name, student, {**given, "x": x[:1]}, test))
        seen.values["out in test mode"] = _out(reply.value)
        seen.values["one example in test mode"] = _out(alone.value)
        after = _statistics(reply, "")
        raised = next((v for v in after.values() if isinstance(v, Raised)), None)
        seen.values["statistics after testing"] = raised or after
        if DEFAULTS in case.tags:
            fresh = seen.note(_step(name, student, {**given, "x": x}, {"mode": "test"}))
            seen.values[UNTRAINED] = _out(fresh.value)
        seen.settings(first, {"bn_param": start | {"mode": "train"}}, "bn_param", STATISTICS)
        seen.settings(reply, {"bn_param": test}, "bn_param", STATISTICS)
        if CONDUCT in case.tags:
            again = _step(name, student, given, start | {"mode": "train"})
            if not self.same_answer("", seen.values["out"], _out(again.value)):
                seen.conduct.append("gives another answer when called again with the same input")
        return seen

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        return {aspect: LINES[aspect] for aspect in aspects}


def _step(
    name: str, student: Student, given: Mapping[str, Value], bn_param: Mapping[str, Value]
) -> Reply:
    things = [given["x"], given["gamma"], given["beta"], dict(bn_param)]
    return student.call(name, *things, names=NAMES, keep=[1], after=["bn_param"])


def _state(reply: Reply, start: Mapping[str, Value]) -> dict[str, Value]:
    """The dictionary for the next step: what the last one left in it."""
    left = reply.after.get("bn_param")
    known = left if isinstance(left, Mapping) else start
    return {k: v for k, v in known.items() if not isinstance(v, Opaque)} | {"mode": "train"}


def _statistics(reply: Reply, when: str) -> dict[str, Value]:
    """What stands in ``bn_param`` once a call is over."""
    left = reply.after.get("bn_param")
    found: dict[str, Value] = {}
    for key in STATISTICS:
        value = left.get(key) if isinstance(left, Mapping) else None
        missing = Raised("Outputs", f"bn_param['{key}'] is not there after the call")
        found[key + when] = reply.raised or (missing if value is None else value)
    return found


def _out(value: Value) -> Value:
    if isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], Handle):
        return value[0]
    return split(value, ("out", "cache"))["out"]
