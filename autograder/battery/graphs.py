"""Conversations with gates and with values of an automatic differentiator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.battery.classes import script, second_use
from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Observed, arguments, split
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Handle, Raised, Value


@script
def gate(name: str, student: Student, case: Case) -> Observed:
    """A gate with two inputs: forward, backward, and another gate of its kind in between."""
    seen = Observed()
    given = arguments(case)
    x, y, dz = given["x"], given["y"], given["dz"]
    made = student.call(name, keep=True)
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(("z", "dx", "dy"), made.value)
        return seen
    this = made.value
    out = seen.note(student.call(this, x, y, method="forward", names=("x", "y")))
    if out.raised:
        seen.values = dict.fromkeys(("z", "dx", "dy"), out.raised)
        return seen
    seen.values["z"] = out.value
    back = seen.note(student.call(this, dz, method="backward", names=("dz",)))
    seen.values |= split(back.value, ("dx", "dy"))
    if CONDUCT in case.tags and back.raised is None:
        other = student.call(name, keep=True).value
        student.call(this, x, y, method="forward")
        if isinstance(other, Handle):
            student.call(other, 0.1 - y, x + 0.3, method="forward")
        _compare(seen, back.value, student.call(this, dz, method="backward").value)
        second_use(seen, student, this, other, ((y - 0.2, x + 0.1), (dz,)))
    return seen


@script
def copy_gate(name: str, student: Student, case: Case) -> Observed:
    """``CopyGate(n)``: n copies forward, the sum of n gradients back."""
    seen = Observed()
    given = arguments(case)
    x, n = given["x"], int(given["n"])
    dzs = list(given["dzs"])
    made = student.call(name, n, keep=True)
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(("copies", "dx"), made.value)
        return seen
    this = made.value
    copies = seen.note(student.call(this, x, method="forward", names=("x",))).value
    if isinstance(copies, np.ndarray) and copies.shape == (n, *x.shape):
        copies = tuple(copies)  # a stack of copies unpacks like a tuple
    seen.values["copies"] = copies
    names = tuple(f"dz{i + 1}" for i in range(n))
    back = seen.note(student.call(this, *dzs, method="backward", names=names))
    seen.values["dx"] = back.value
    if CONDUCT in case.tags and back.raised is None:
        other = student.call(name, n + 1, keep=True).value
        student.call(this, x, method="forward")
        if isinstance(other, Handle):
            student.call(other, x + 0.3, method="forward")
        _compare(seen, back.value, student.call(this, *dzs, method="backward").value)
        new = student.call(name, n, keep=True).value
        second_use(seen, student, this, new, ((x - 0.2,), tuple(dzs)))
    return seen


def _compare(seen: Observed, first: Value, late: Value) -> None:
    from autograder.battery.compare import same

    if not same(first, late, relative=1e-6):
        seen.conduct.append(
            "gives another answer when a second gate runs forward in between "
            "(is something kept outside the object?)"
        )


SIGNS = {
    "__add__": "{} + {}",
    "__radd__": "{1} + {0}",
    "__sub__": "{} - {}",
    "__rsub__": "{1} - {0}",
    "__mul__": "{} * {}",
    "__rmul__": "{1} * {0}",
    "__truediv__": "{} / {}",
    "__rtruediv__": "{1} / {0}",
    "__pow__": "{} ** {}",
    "__neg__": "-{}",
    "max": "{}.max({})",
}
"""How a step of a graph is written in Python; the rest are methods without arguments."""


def written(steps: Sequence[Sequence[Any]]) -> str:
    """The steps of a graph as a student would type them: "c = a * b; f = c + 2"."""
    lines = []
    for name, method, *operands in steps:
        form = str(SIGNS.get(method, "{}." + method + "()"))
        lines.append(f"{name} = " + form.format(*operands))
    return "; ".join(lines)


@script
def value_graph(name: str, student: Student, case: Case) -> Observed:
    """A graph of ``Value`` nodes, built step by step; then ``backward()`` from the last one.

    Each step is ``[node, method, operand, operand]``, operands being nodes or plain numbers.
    """
    seen = Observed()
    given = arguments(case)
    nodes: dict[str, Handle] = {}
    for key, number in given["inputs"].items():
        made = student.call(name, number, keep=True).value
        if not isinstance(made, Handle):
            return _all_raised(seen, made)
        nodes[key] = made
    last = next(iter(nodes))
    for key, method, first, *rest in given["steps"]:
        operands = [nodes[r] if isinstance(r, str) else r for r in rest]
        made = student.call(nodes[first], *operands, method=method, keep=True).value
        if not isinstance(made, Handle):
            return _all_raised(seen, made)
        nodes[key] = made
        last = key
    shown = [key for key in nodes if key in given.get("show", nodes)]
    seen.values["data"] = _numbers(student, nodes, shown, "data")
    reply = student.call(nodes[last], method="backward")
    if reply.raised:
        seen.values["grad"] = reply.raised
    else:
        seen.values["grad"] = _numbers(student, nodes, shown, "grad")
    if CONDUCT in case.tags and _numbers(student, nodes, shown, "data") != seen.values["data"]:
        seen.conduct.append("changes the data of a node in backward")
    return seen


def _all_raised(seen: Observed, value: Value) -> Observed:
    seen.values = dict.fromkeys(("data", "grad"), value)
    return seen


def _numbers(student: Student, nodes: dict[str, Handle], shown: Sequence[str], what: str) -> Value:
    """One attribute of all nodes, as plain numbers; the first that cannot be read instead."""
    found: dict[str, Value] = {}
    for key in shown:
        value = student.read(nodes[key], what)
        if isinstance(value, Raised):
            return value
        whole = isinstance(value, int) and not isinstance(value, bool)
        found[key] = float(value) if whole else value
    return found
