"""Conversations with code that watches something random or something that moves."""

from __future__ import annotations

import numpy as np

from autograder.battery.classes import script
from autograder.battery.kind import Observed, arguments, split
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Function, Handle, Opaque, Raised, Seed, Value


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
    same_x = all(isinstance(a, np.ndarray) and np.array_equal(a, x) for a, _ in asked)
    generators = all(isinstance(r, Opaque) and r.type_name == "Generator" for _, r in asked)
    missing = None if asked else Raised("Outputs", "predict is never called")
    fact = reply.raised or missing or int(same_x and generators)
    seen.values["each pass gets x and rng"] = fact
    return seen


@script
def early_stopping(name: str, student: Student, case: Case) -> Observed:
    """``EarlyStopping``: a curve of losses, and weights that training goes on changing in place."""
    seen = Observed()
    given = arguments(case)
    aspects = ("stops", "best_loss", "best_weights", "best_weights on the way")
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
    return seen


def truth(value: Value) -> Value:
    """Yes and no in whatever form they come; ``None`` is a no."""
    if value is None:
        return 0
    if isinstance(value, (bool, int, float)) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return int(bool(value))
    return value if isinstance(value, Raised) else Raised("Outputs", "step should return a bool")
