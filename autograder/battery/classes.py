"""Kinds whose exercise is a conversation: layers with state, a training step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.battery.compare import NO, YES
from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Kind, Observed, Said, Trial, arguments, said, split
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Handle, Object, Raised, Seed, Value

Script = Callable[[str, Student, Case], Observed]
SCRIPTS: dict[str, Script] = {}
TOLD: dict[str, Said] = {}
"""What a tutor says of the words in which a conversation answers."""


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
        return {aspect: aspect for aspect in aspects}

    def recognise(
        self, aspect: str, wrong: Sequence[tuple[Trial, Value]]
    ) -> tuple[str, str, str] | None:
        """What the conversation itself has a sentence for."""
        return said(TOLD.get(self.conversation, {}), aspect, wrong)


@script
def linear_layer(name: str, student: Student, case: Case) -> Observed:
    """``Linear``: construct, set the weights, forward, backward, update, and once more."""
    seen = Observed()
    given = arguments(case)
    x, w, b, dout = (given[key] for key in ("x", "w", "b", "dout"))
    aspects = (
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
    first = {key: student.read(layer, key) for key in ("w", "b")}
    seen.values["parameters"] = _shapes(first)
    if isinstance(first["w"], np.ndarray) and first["w"].size > 1 and np.ptp(first["w"]) == 0:
        seen.conduct.append("starts with all weights equal, so all units stay alike")
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
    student.call(layer, x, method="forward")
    student.call(layer, dout, method="backward")
    seen.values["dw again"] = student.read(layer, "dw")
    return seen


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
        return (given["loss"], grads) if y is not None else np.zeros((len(X), 3))

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
    seen.values |= {fact: reply.raised or (YES if true else NO) for fact, true in facts.items()}
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
