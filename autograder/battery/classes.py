"""Kinds whose exercise is a conversation: layers with state, a training step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.battery.compare import NO, YES, same
from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Kind, Observed, Said, Trial, arguments, said, split
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Handle, Object, Raised, Seed, Value

Script = Callable[[str, Student, Case], Observed]
SCRIPTS: dict[str, Script] = {}
LINES: dict[str, str] = {}
"""Aspects that share one line of the report: facts about how an object starts."""
TOLD: dict[str, Said] = {}
"""What a tutor says of the words in which a conversation answers."""


Recogniser = Callable[[str, Sequence[tuple[Trial, Value]]], tuple[str, str, str] | None]
RECOGNISERS: dict[str, Recogniser] = {}

DISTURBED = Raised(
    "Outputs",
    "two objects of this class disturb each other: is something kept in the class, outside self?",
)
"""The answer of an object that does not have its state for itself."""


def recogniser(conversation: str) -> Callable[[Recogniser], Recogniser]:
    """Register what `Kind.recognise` does for a conversation."""

    def register(function: Recogniser) -> Recogniser:
        RECOGNISERS[conversation] = function
        return function

    return register


def script(function: Script) -> Script:
    """Register a conversation under its function's name."""
    SCRIPTS[function.__name__] = function
    return function


@dataclass(frozen=True)
class Scripted(Kind):
    """An exercise tried by a conversation of its own, ``SCRIPTS[conversation]``.

    heavy: too costly to be tried on hundreds of look-alikes of the reference.
    """

    conversation: str = ""
    companions: tuple[str, ...] = ()
    heavy: bool = False

    def script(self, name: str, student: Student, case: Case) -> Observed:
        return SCRIPTS[self.conversation](name, student, case)

    def needs(self) -> tuple[str, ...]:
        return self.companions

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        return {aspect: LINES.get(aspect, aspect) for aspect in aspects}

    def recognise(
        self, aspect: str, wrong: Sequence[tuple[Trial, Value]]
    ) -> tuple[str, str, str] | None:
        """What the conversation itself has a sentence for."""
        own = RECOGNISERS.get(self.conversation)
        told = own(aspect, wrong) if own else None
        return told or said(TOLD.get(self.conversation, {}), aspect, wrong)


def second_use(
    seen: Observed,
    student: Student,
    used: Handle,
    new: Value,
    given: tuple[tuple[Value, ...], tuple[Value, ...]],
) -> None:
    """Whether an object that was used before answers as a new one of its kind does.

    Args:
        given: the arguments of forward and of backward, other ones than before.
    """
    forward, backward = given
    answers = []
    for thing in (used, new):
        if not isinstance(thing, Handle):
            return
        student.call(thing, *forward, method="forward")
        answers.append(student.call(thing, *backward, method="backward").value)
    if not same(*answers, relative=1e-6):
        seen.conduct.append(
            "gives another answer at its second forward and backward than a new one would "
            "(is something kept from the first?)"
        )


@script
def linear_layer(name: str, student: Student, case: Case) -> Observed:
    """``Linear``: construct, set the weights, forward, backward, update, and once more on
    another x."""
    seen = Observed()
    given = arguments(case)
    x, w, b, dout = (given[key] for key in ("x", "w", "b", "dout"))
    aspects = (
        *(LINEAR_STARTS if CONDUCT in case.tags else ()),
        "parameters",
        "out",
        "dx",
        "dw",
        "db",
        "w after update",
        "b after update",
        "dw again",
    )
    made = student.call(name, w.shape[0], w.shape[1], Seed(int(given["seed"])), keep=True)
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(aspects, made.value)
        return seen
    layer = made.value
    if CONDUCT in case.tags:
        seen.values |= _linear_starts(name, student, int(given["seed"]))
    first = {key: student.read(layer, key) for key in ("w", "b")}
    seen.values["parameters"] = _shapes(first)
    for key, value in (("w", w), ("b", b)):
        student.write(layer, key, value)
    seen.values["out"] = seen.note(student.call(layer, x, method="forward", names=("x",))).value
    back = seen.note(student.call(layer, dout, method="backward", names=("dout",)))
    seen.values["dx"] = back.value
    seen.values["dw"], seen.values["db"] = student.read(layer, "dw"), student.read(layer, "db")
    updated = student.call(layer, given["learning_rate"], method="update").raised
    for key in ("w", "b"):
        seen.values[f"{key} after update"] = updated or student.read(layer, key)
    student.write(layer, "w", w)
    student.call(layer, x[::-1] - 0.25, method="forward")
    student.call(layer, dout, method="backward")
    seen.values["dw again"] = student.read(layer, "dw")
    if CONDUCT in case.tags and isinstance(back.value, np.ndarray):
        _second_layer(name, student, given, seen)
    return seen


def _second_layer(name: str, student: Student, given: dict[str, Any], seen: Observed) -> None:
    """Whether a new layer keeps its input and gradients while another one runs."""
    x, w, dout = (given[key] for key in ("x", "w", "dout"))

    def gradients(disturbed: bool) -> list[Value]:
        made = (student.call(name, *w.shape, Seed(1), keep=True).value for _ in range(2))
        layer, other = made
        if not isinstance(layer, Handle) or not isinstance(other, Handle):
            return []
        student.call(layer, x, method="forward")
        if disturbed:
            student.call(other, 0.1 - 0.7 * x, method="forward")
        dx = student.call(layer, dout, method="backward").value
        if disturbed:
            student.call(other, 0.5 * dout, method="backward")
        return [dx, student.read(layer, "dw"), student.read(layer, "db")]

    if not same(gradients(disturbed=False), gradients(disturbed=True), relative=1e-6):
        seen.conduct.append(
            "gives another answer when a second layer runs forward in between "
            "(is something kept outside the object?)"
        )


LINEAR_STARTS = (
    "units start different from each other",
    "w starts with variance 2/fan_in",
    "w starts with mean 0",
    "w is drawn from rng",
    "b starts at 0",
)
LINES |= dict.fromkeys(LINEAR_STARTS, "start")


def _linear_starts(name: str, student: Student, seed: int) -> dict[str, Value]:
    """What is true of the first parameters of a large layer.

    The standard deviation of 6,000 weights is within 8 % of the true one, and their mean within
    a ninth of it, but for one draw in 10^11; where all units are alike nothing else is asked.
    """

    def start(number: int) -> Value:
        made = student.call(name, 50, 120, Seed(number), keep=True).value
        if not isinstance(made, Handle):
            return made
        w, b = student.read(made, "w"), student.read(made, "b")
        good = isinstance(w, np.ndarray) and isinstance(b, np.ndarray) and w.size == 6000
        return (w, b) if good else Raised("Outputs", "w and b should be arrays that fit x·w + b")

    started = [start(number) for number in (seed, seed, seed + 1)]
    failed = next((made for made in started if isinstance(made, Raised)), None)
    if failed is not None:
        return dict.fromkeys(LINEAR_STARTS, failed)
    (w, b), (again, _), (other, _) = started
    spread = float(w.std())
    alike = not np.ptp(w, axis=-1 if w.shape == (50, 120) else 0).any()
    true = (
        not alike,
        alike or abs(spread / np.sqrt(2 / 50) - 1) <= 0.08 or _spread_in_words(spread, 50, 120),
        alike or abs(float(w.mean())) <= spread / 9,
        alike or (np.array_equal(w, again) and not np.array_equal(w, other)),
        not b.any(),
    )
    answers = (yes if isinstance(yes, str) else YES if yes else NO for yes in true)
    return dict(zip(LINEAR_STARTS, answers, strict=True))


def _spread_in_words(spread: float, fan_in: int, fan_out: int) -> str:
    """What a wrong standard deviation looks like; windows of 5 % keep the likely ones apart."""
    likely = {
        "2/fan_in, without the root": 2 / fan_in,
        "√(2/fan_out)": np.sqrt(2 / fan_out),
        "√(1/fan_in)": np.sqrt(1 / fan_in),
        "√(2/(fan_in + fan_out))": np.sqrt(2 / (fan_in + fan_out)),
        "0.01": 0.01,
        "1": 1.0,
    }
    near = (words for words, value in likely.items() if abs(spread / value - 1) <= 0.05)
    return f"the standard deviation is {next(near, f'about {spread:.1g}')}"


@script
def train_step(name: str, student: Student, case: Case) -> Observed:
    """``train_step`` on a network whose loss and gradients are known, so that any fair draw of
    the mini-batch gives the same new parameters; what was drawn is looked at apart."""
    seen = Observed()
    given = arguments(case)
    params, grads = given["params"], given["grads"]
    asked: list[tuple[Value, Value]] = []

    def loss(now: dict[str, Value], X: Value, y: Value = None) -> Value:
        asked.append((X, y))
        before = same(now["params"], params, relative=1e-12)
        value = given["loss"] if before else 0.731 * given["loss"]
        return (value, grads) if y is not None else np.zeros((len(X), 3))

    net = student.hold(Object({"params": params}, {"loss": loss}))
    rng = student.hold(Seed(int(given["seed"])))
    X, y, size = given["X"], given["y"], int(given["batch_size"])
    names = ("net", "X", "y", "learning_rate", "batch_size", "rng")
    reply = seen.note(student.call(name, net, X, y, given["learning_rate"], size, rng, names=names))
    seen.conduct = [text for text in seen.conduct if not text.startswith("changes net")]
    seen.values["loss"] = reply.value
    after = student.read(net, "params")
    seen.values |= {
        f"{key} after the step": after.get(key) if isinstance(after, dict) else after
        for key in params
    }
    for _ in range(int(given["repeats"])):
        student.call(name, net, X, y, given["learning_rate"], size, rng)
    seen.values["batch size"] = reply.raised or _batch_sizes(asked)
    facts = _batch_facts(asked, X, y)
    # Of batches that were never drawn everything would be true.
    missing = None if asked else Raised("Outputs", "net.loss is never called")
    trouble = reply.raised or missing
    seen.values |= {fact: trouble or (YES if true else NO) for fact, true in facts.items()}
    return seen


def _batch_sizes(asked: list[tuple[Value, Value]]) -> Value:
    sizes = {len(X) if isinstance(X, np.ndarray) and X.ndim else -1 for X, _ in asked}
    return sizes.pop() if len(sizes) == 1 else sorted(sizes)


FACTS = (
    "rows come from X",
    "no row comes twice in a batch",
    "labels belong to their rows",
    "each step draws anew",
    "a batch is not just the first rows",
)


def _batch_facts(asked: list[tuple[Value, Value]], X: np.ndarray, y: np.ndarray) -> dict[str, bool]:
    """What is true of all the mini-batches that a function drew."""
    rows = {row.tobytes(): i for i, row in enumerate(np.ascontiguousarray(X))}
    known = unique = fitting = True
    draws = set()
    for batch, labels in asked:
        if not isinstance(batch, np.ndarray) or batch.ndim != X.ndim:
            return dict.fromkeys(FACTS, False)
        labels = np.atleast_1d(labels) if isinstance(labels, np.ndarray) else np.zeros(0)
        index = [rows.get(row.tobytes()) for row in np.ascontiguousarray(batch)]
        known &= None not in index
        unique &= len(set(index)) == len(index)
        paired = [i is not None and y[i] == label for i, label in zip(index, labels, strict=False)]
        fitting &= len(labels) == len(index) and all(paired)
        draws.add(tuple(-1 if i is None else i for i in index))
    whole = all(len(batch) == len(X) for batch, _ in asked)
    anew = whole or len(draws) > 1 or len(asked) < 2
    chosen = whole or any(draw != tuple(range(len(draw))) for draw in draws)
    return dict(zip(FACTS, (known, unique, fitting, anew, chosen), strict=True))


def _shapes(parameters: dict[str, Any]) -> Value:
    for value in parameters.values():
        if isinstance(value, Raised):
            return value
    return {
        key: list(value.shape) if isinstance(value, np.ndarray) else [-1]
        for key, value in parameters.items()
    }


__all__ = [
    "CONDUCT",
    "SCRIPTS",
    "TOLD",
    "Scripted",
    "linear_layer",
    "script",
    "split",
    "train_step",
]
