"""The reference asked another question: whose answer is the right one to the wrong question?

Many mistakes amount to that: a hyper-parameter written out as a number, two arguments exchanged,
an upstream gradient that is not multiplied in, a formula applied twice. Each `Question` makes a
wrong implementation out of the reference by changing what it is called with.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.exercise import Case, Exercise

Arguments = dict[str, Any]


class Unchanged(Exception):
    """Raised where a change does not apply: then the reference answers as ever."""


@dataclass(frozen=True)
class Question:
    """code: a name for the mistake. words: "as if alpha were 0.01, whatever it is given"."""

    code: str
    words: str
    wrong: Mapping[str, Any]


def questions(exercise: Exercise, cases: list[Case]) -> Iterator[Question]:
    """All other questions to the reference of an exercise that is a function."""
    reference = inspect.unwrap(exercise.reference[exercise.name])
    forward = getattr(exercise.kind, "forward", "")
    if isinstance(reference, type) or not callable(reference):
        return
    if forward:
        yield from _about_the_forward_pass(exercise, forward, cases)
    signature = inspect.signature(reference)
    for code, words, change in _changes(signature, cases, reference):
        wrong = _asked_otherwise(reference, signature, change)
        yield Question(code, words, {exercise.name: wrong})


Change = Callable[[Arguments], None]


def _asked_otherwise(reference: Any, signature: inspect.Signature, change: Change) -> Any:
    @functools.wraps(reference)
    def wrong(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        try:
            change(given.arguments)
        except Unchanged:
            return reference(*args, **kwargs)
        return reference(*given.args, **given.kwargs)

    return wrong


def _about_the_forward_pass(
    exercise: Exercise, forward: str, cases: list[Case]
) -> Iterator[Question]:
    """A backward pass whose cache holds other things than the forward pass was given."""
    reference = inspect.unwrap(exercise.reference[forward])
    signature = inspect.signature(reference)
    for code, words, change in _changes(signature, cases, reference):
        other = _asked_otherwise(reference, signature, change)

        def wrong(*args: Any, _other: Any = other, **kwargs: Any) -> Any:
            spare = [dict(a) if isinstance(a, dict) else a for a in args]
            return reference(*args, **kwargs)[0], _other(*spare, **kwargs)[1]

        yield Question(code, f"{words} in the backward pass", {forward: wrong})


def _changes(
    signature: inspect.Signature, cases: list[Case], reference: Any
) -> Iterator[tuple[str, str, Change]]:
    names = list(signature.parameters)
    keys = _settings(cases, names)
    for name in names:
        default = signature.parameters[name].default
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            words = f"as if {name} were {default:g}, whatever it is given"
            yield f"{name}-hard-coded", words, _number(name, lambda _v, d=default: type(d)(d))
    for holder, key in keys:
        words = f"as if {key} had its default value, whatever it is given"
        yield f"{key}-hard-coded", words, _key_removed(holder, key)
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            a, b = names[one], names[other]
            yield f"{a}-and-{b}-swapped", f"as if {a} and {b} were exchanged", _swap(a, b)
    for i, (holder, a) in enumerate(keys):
        for place, b in keys[i + 1 :]:
            if place == holder:
                words = f"as if {a} and {b} were exchanged"
                yield f"{a}-and-{b}-swapped", words, _swap_keys(holder, a, b)
    for code, words, function in NUMBERS:
        for name in names:
            yield code.format(name), words.format(name), _number(name, function)
        for holder, key in keys:
            yield code.format(key), words.format(key), _number_in(holder, key, function)
    for code, words, array in ARRAYS:
        for name in names:
            yield code.format(name), words.format(name), _array(name, array)
    first = names[0] if names else ""
    yield "applied-twice", "as if the function were applied twice", _twice(first, reference)


NUMBERS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("{}-taken-as-0", "as if {} were left out (taken as 0)", lambda v: type(v)(0)),
    ("{}-taken-as-1", "as if {} were left out (taken as 1)", lambda v: type(v)(1)),
    ("one-minus-{}", "as if 1 − {0} stood where {0} belongs", lambda v: 1 - v),
    ("{}-of-the-wrong-sign", "as if {} had the other sign", lambda v: -v),
    ("{}-inverted", "as if 1/{0} stood where {0} belongs", lambda v: 1 / v),
    ("{}-squared", "as if {} were squared", lambda v: v * v),
    ("root-of-{}", "as if the root of {0} stood where {0} belongs", lambda v: float(v) ** 0.5),
    ("half-of-{}", "as if {} were halved", lambda v: v / 2),
    ("twice-{}", "as if {} were doubled", lambda v: 2 * v),
    ("{}-one-too-many", "as if {} were one larger", lambda v: _count(v) + 1),
    ("{}-one-too-few", "as if {} were one smaller", lambda v: _count(v) - 1),
    ("{}-cut-to-a-whole-number", "as if {} were cut to a whole number", lambda v: type(v)(int(v))),
)


def _count(v: Any) -> int:
    if not isinstance(v, int):
        raise Unchanged
    return v


def _float(a: np.ndarray) -> np.ndarray:
    if a.dtype.kind != "f":
        raise Unchanged
    return a


def _rows(a: np.ndarray) -> np.ndarray:
    if a.ndim < 2 or len(a) < 2:
        raise Unchanged
    return a


def _one_row(a: np.ndarray, i: int) -> np.ndarray:
    """All rows but one set to 0: what is summed over rows keeps the contribution of that one."""
    only = np.zeros_like(_rows(_float(a)))
    only[i] = a[i]
    return only


ARRAYS: tuple[tuple[str, str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("{}-left-out", "as if {} were left out (all ones)", lambda a: np.ones_like(_float(a))),
    ("{}-taken-as-0", "as if {} were left out (all zeros)", lambda a: np.zeros_like(_float(a))),
    ("{}-of-the-wrong-sign", "as if {} had the other sign", lambda a: -_float(a)),
    ("absolute-{}", "as if the absolute values of {} were taken", lambda a: np.abs(_float(a))),
    ("sign-of-{}", "as if only the signs of {} were used", lambda a: np.sign(_float(a))),
    ("{}-squared", "as if {} were squared", lambda a: _float(a) ** 2),
    ("{}-inverted", "as if 1/{0} stood where {0} belongs", lambda a: 1 / _float(a)),
    ("positive-part-of-{}", "as if only the positive part of {} counted",
     lambda a: np.maximum(_float(a), 0)),
    ("{}-without-its-mean", "as if the mean of {} were subtracted first",
     lambda a: _float(a) - a.mean(axis=0, dtype=a.dtype)),
    ("only-the-first-row-of-{}", "as if the first row of {} stood for all",
     lambda a: np.broadcast_to(_rows(a)[:1], a.shape).copy()),
    ("only-the-last-row-of-{}", "as if the last row of {} stood for all",
     lambda a: np.broadcast_to(_rows(a)[-1:], a.shape).copy()),
    ("only-the-first-row-of-{}-counts", "as if only the first row of {} counted",
     lambda a: _one_row(a, 0)),
    ("only-the-last-row-of-{}-counts", "as if only the last row of {} counted",
     lambda a: _one_row(a, -1)),
    ("{}-averaged-over-rows", "as if the rows of {} were replaced by their mean",
     lambda a: np.broadcast_to(_rows(_float(a)).mean(axis=0, keepdims=True), a.shape).copy()),
    ("{}-summed-over-rows", "as if the rows of {} were replaced by their sum",
     lambda a: np.broadcast_to(_rows(_float(a)).sum(axis=0, keepdims=True), a.shape).copy()),
    ("{}-transposed", "as if {} were transposed",
     lambda a: np.swapaxes(_rows(a), -1, -2).copy()),
    ("{}-reordered", "as if {} were read in another order of its axes",
     lambda a: _rows(a).reshape(a.shape[::-1]).transpose().copy()),
    ("{}-reversed", "as if {} were read from the end", lambda a: a[::-1].copy()),
    ("{}-flipped", "as if {} were flipped along its last axes",
     lambda a: _rows(a)[..., ::-1, ::-1].copy()),
    ("{}-cut-to-whole-numbers", "as if {} were cut to whole numbers",
     lambda a: np.trunc(_float(a))),
    ("{}-one-too-many", "as if the indices in {} were one too high", lambda a: _whole(a) + 1),
    ("{}-one-too-few", "as if the indices in {} were one too low", lambda a: _whole(a) - 1),
)  # fmt: skip


def _whole(a: np.ndarray) -> np.ndarray:
    if a.dtype.kind not in "iu":
        raise Unchanged
    return a


def _settings(cases: list[Case], names: list[str]) -> list[tuple[str, str]]:
    """(parameter, key) of every number that is handed over in a dictionary."""
    found: dict[tuple[str, str], None] = {}
    for case in cases:
        for name, value in case.args.items():
            if name in names and isinstance(value, Mapping):
                for key, item in value.items():
                    number = isinstance(item, (int, float)) and not isinstance(item, bool)
                    if number and key != "seed":
                        found[name, str(key)] = None
    return list(found)


def _number(name: str, function: Callable[[Any], Any]) -> Change:
    def change(given: Arguments) -> None:
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Unchanged
        given[name] = function(value)

    return change


def _number_in(holder: str, key: str, function: Callable[[Any], Any]) -> Change:
    def change(given: Arguments) -> None:
        settings = given.get(holder)
        if not isinstance(settings, dict) or not isinstance(settings.get(key), (int, float)):
            raise Unchanged
        given[holder] = {**settings, key: function(settings[key])}

    return change


def _key_removed(holder: str, key: str) -> Change:
    def change(given: Arguments) -> None:
        settings = given.get(holder)
        if not isinstance(settings, dict) or key not in settings:
            raise Unchanged
        given[holder] = {k: v for k, v in settings.items() if k != key}

    return change


def _swap(a: str, b: str) -> Change:
    def change(given: Arguments) -> None:
        if type(given.get(a)) is not type(given.get(b)) or given.get(a) is None:
            raise Unchanged
        given[a], given[b] = given[b], given[a]

    return change


def _swap_keys(holder: str, a: str, b: str) -> Change:
    def change(given: Arguments) -> None:
        settings = given.get(holder)
        if not isinstance(settings, dict) or not {a, b} <= settings.keys():
            raise Unchanged
        given[holder] = {**settings, a: settings[b], b: settings[a]}

    return change


def _array(name: str, function: Callable[[np.ndarray], np.ndarray]) -> Change:
    def change(given: Arguments) -> None:
        value = given.get(name)
        if not isinstance(value, np.ndarray) or not value.size:
            raise Unchanged
        given[name] = function(value)

    return change


def _twice(name: str, reference: Any) -> Change:
    def change(given: Arguments) -> None:
        value = np.asarray(given.get(name))
        out = reference(**given)
        out = out[0] if isinstance(out, tuple) else out
        if not isinstance(out, np.ndarray) or out.shape != value.shape:
            raise Unchanged
        given[name] = out

    return change
