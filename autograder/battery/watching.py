"""Conversations with code that watches something random or something that moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.battery.classes import TOLD, script
from autograder.battery.compare import YES, same
from autograder.battery.kind import ELSEWHERE, Observed, arguments, split
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Function, Handle, Opaque, Raised, Seed, Value, clean


@script
def mc_dropout(name: str, student: Student, case: Case) -> Observed:
    """``mc_dropout_predict``: passes that are known beforehand, and what each was asked."""
    seen = Observed()
    given = arguments(case)
    x, samples, passes = given["x"], int(given["samples"]), case.extra["passes"]
    asked: list[tuple[Value, Value]] = []

    def predict(x: Value, rng: Value) -> Value:
        asked.append((x, rng))
        return passes[(len(asked) - 1) % len(passes)]

    rng = Seed(int(case.extra["seed"]))
    names = ("predict", "x", "samples", "rng")
    reply = seen.note(student.call(name, Function(predict), x, samples, rng, names=names))
    seen.values = split(reply.value, ("mean", "standard deviation"))
    seen.values["number of passes"] = reply.raised or len(asked)
    missing = None if asked else Raised("Outputs", "predict is never called")
    told = reply.raised or missing or _given_to_passes(asked, x, rng)
    seen.values["each pass gets x and rng"] = told
    return seen


def _given_to_passes(asked: Sequence[tuple[Value, Value]], x: np.ndarray, rng: Seed) -> str:
    """`YES`, or what was wrong with the arguments of ``predict``.

    This ``predict`` draws nothing, so that a generator handed on stays in the state it came in; a
    generator of the student's own must be in another state for each pass.
    """
    if not all(isinstance(a, np.ndarray) and np.array_equal(a, x) for a, _ in asked):
        return "predict was called with another x"
    states = [r.type_name for _, r in asked if isinstance(r, Opaque)]
    if not all(state.startswith("Generator") for state in states) or len(states) < len(asked):
        return "predict was called without a generator"
    first = clean(np.random.default_rng(rng.seed)).type_name
    if len(states) > 1 and len(set(states)) == 1 and states[0] not in (first, "Generator ?"):
        return "all passes start from the same state of a generator, and draw the same masks"
    return YES


@script
def early_stopping(name: str, student: Student, case: Case) -> Observed:
    """``EarlyStopping``: a curve of losses, and weights that training goes on changing in place."""
    seen = Observed()
    given = arguments(case)
    aspects = ("stops", "best_loss", "best_weights", "best_weights on the way")
    apart = _two_objects(name, student)
    made = student.call(name, given["patience"], keep=True)
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(aspects, made.value)
        return seen
    stopper, losses = made.value, [float(loss) for loss in given["losses"]]
    arrays = {"W": np.zeros((2, 3)), "b": np.zeros(3)}
    live = {key: student.hold(value) for key, value in arrays.items()}
    answers: list[Value] = []
    half = len(losses) // 2
    for step, loss in enumerate(losses):
        for handle in live.values():
            student.call(handle, step + 1.0, method="fill")
        reply = seen.note(
            student.call(stopper, loss, dict(live), method="step", names=("loss", "weights"))
        )
        if reply.raised:
            seen.values = dict.fromkeys(aspects, reply.raised)
            return seen
        answers.append(truth(reply.value))
        if step == half:
            on_the_way = student.read(stopper, "best_weights")
    for handle in live.values():
        student.call(handle, -7.0, method="fill")
    wrong = next((a for a in answers if not isinstance(a, int)), None)
    seen.values["stops"] = wrong if wrong is not None else np.array(answers)
    for aspect in aspects[1:3]:
        seen.values[aspect] = student.read(stopper, aspect)
    seen.values[aspects[3]] = on_the_way
    if apart != AFRESH:
        seen.values = dict.fromkeys(aspects, ELSEWHERE[0])
    seen.values["a second EarlyStopping"] = apart
    return seen


AFRESH = "starts afresh"


def _two_objects(name: str, student: Student) -> str:
    """Whether a second object knows nothing of the first, nor the first of the second."""

    def start(loss: float) -> tuple[Value, Value]:
        made = student.call(name, 2, keep=True).value
        if isinstance(made, Handle):
            student.call(made, loss, {"W": np.full(2, loss)}, method="step")
            return made, student.read(made, "best_loss")
        return made, None

    first, mine = start(5.0)
    if not isinstance(first, Handle):
        return AFRESH
    before = student.read(first, "best_weights")
    theirs = start(6.0)[1]
    stale = mine == theirs and isinstance(mine, float) and mine and np.isfinite(mine)
    if (mine == 5.0 and theirs != 6.0) or stale:
        return "starts where another one ended"
    kept = same(before, student.read(first, "best_weights"))
    return AFRESH if kept else "shares best_weights with another one"


def truth(value: Value) -> Value:
    """Yes and no in whatever form they come; ``None`` is a no."""
    if value is None:
        return 0
    if isinstance(value, (bool, int, float)) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return int(bool(value))
    return value if isinstance(value, Raised) else Raised("Outputs", "step should return a bool")


TOLD["early_stopping"] = {
    ("a second EarlyStopping", "starts where another one ended"): (
        "starts where another one ended",
        "its memory is kept in the class, which all objects share. Give each object its own, in "
        "__init__.",
    ),
    ("a second EarlyStopping", "shares best_weights with another one"): (
        "writes into the best_weights of another one",
        "they are kept in the class, which all objects share. Give each object its own, in "
        "__init__.",
    ),
}
