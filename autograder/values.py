"""What may stand between grader and student: numbers, strings, containers, and names for the rest.

A *value* is ``None``, a bool, int, float, str, a numeric ``numpy.ndarray``, or a tuple, list or
dict (with string keys) of values. Whatever else a student's function returns is an `Opaque`;
what it raises is a `Raised`; what must stay on the student's side is a `Handle`. The types at
the end are arguments only: recipes from which the student's side makes a generator, an object
or a function.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Value = Any
"""A value as the module's docstring says; `Any` because Python's types cannot say it shortly."""

NUMERIC_KINDS = "biuf"
"""dtype kinds that count as numbers: bool, signed, unsigned, floating."""


@dataclass(frozen=True)
class Handle:
    """Something that stays on the student's side: a cache, an object, a config."""

    id: int


@dataclass(frozen=True)
class Opaque:
    """A result that is no value; only the name of its type is known, and of a ``Generator`` a
    name of the state it is in."""

    type_name: str


@dataclass(frozen=True)
class Raised:
    """An exception in the student's code.

    ``kind`` is the class name, ``line`` the source line of the student's code nearest to it
    ("" if unknown), ``lineno`` its number within its cell or file (0 if unknown).
    ``kind`` is "TimeLimit" or "Died" where the call never came back.
    """

    kind: str
    message: str
    line: str = ""
    lineno: int = 0


@dataclass(frozen=True)
class Seed:
    """Argument: the student's side gets ``numpy.random.default_rng(seed)``."""

    seed: int


@dataclass(frozen=True)
class Named:
    """Argument: the student's own function or class of this name."""

    name: str


@dataclass(frozen=True)
class Provided:
    """Argument: an object of the student edition, ``cs_nn.…``, built and then given attributes.

    ``path`` is dotted (``"cs_nn.modules.TwoLayerNet"``); with ``construct=False`` the thing
    itself is meant (a function), not an instance.
    """

    path: str
    args: tuple = ()
    kwargs: Mapping[str, Value] = field(default_factory=dict)
    attributes: Mapping[str, Value] = field(default_factory=dict)
    construct: bool = True


@dataclass(frozen=True)
class Function:
    """Argument: a function of the grader that the student's code may call.

    The call comes back to the grader's side, so the grader sees each argument. With ``into``, an
    attribute of the first argument that holds a dict of arrays, this dict is handed over in its
    place, and the answer is not returned but written into these arrays: what a training run does
    to a network.
    """

    call: Callable[..., Value]
    name: str = "f"
    into: str = ""


@dataclass(frozen=True)
class Object:
    """Argument: an object with attributes on the student's side and methods on the grader's.

    A method is called as ``method(attributes_now, *args, **kwargs)``.
    """

    attributes: Mapping[str, Value]
    methods: Mapping[str, Callable[..., Value]] = field(default_factory=dict)


def arrays_in(value: Value, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array inside a value with its path, ``"params.W1"`` or ``"0"``; "" for itself."""
    if isinstance(value, np.ndarray):
        yield path, value
    elif isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            yield from arrays_in(item, f"{path}.{i}" if path else str(i))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from arrays_in(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Object):
        yield from arrays_in(value.attributes, path)


def clean(thing: object, depth: int = 0) -> Value:
    """``thing`` as a value: subclasses of ndarray stripped, NumPy scalars kept as 0-d arrays.

    Raises nothing: what is not a value becomes `Opaque`.
    """
    if thing is None or type(thing) in (bool, int, float, str, Raised, Handle, Opaque):
        return thing
    if isinstance(thing, (np.ndarray, np.generic)):
        try:
            array = np.array(thing, subok=False, order="C")
        except (TypeError, ValueError):
            return Opaque(type(thing).__name__)
        return array if array.dtype.kind in NUMERIC_KINDS else Opaque(f"array of {array.dtype}")
    if depth > 8:
        return Opaque(type(thing).__name__)
    if type(thing) is tuple or (isinstance(thing, tuple) and hasattr(thing, "_fields")):
        return tuple(clean(item, depth + 1) for item in thing)
    if isinstance(thing, list):
        return [clean(item, depth + 1) for item in thing]
    if isinstance(thing, dict) and all(isinstance(key, str) for key in thing):
        return {str(key): clean(item, depth + 1) for key, item in thing.items()}
    if isinstance(thing, int):
        return int(thing)
    if isinstance(thing, float):
        return float(thing)
    if isinstance(thing, np.random.Generator):
        return Opaque(f"Generator {_state(thing)}")
    return Opaque(type(thing).__name__)


def _state(generator: np.random.Generator) -> str:
    """A short name of the state a generator is in: draws from equal states are equal."""
    try:
        return f"{zlib.crc32(repr(generator.bit_generator.state).encode()):08x}"
    except Exception:  # a bit generator of the student's own may do anything
        return "?"
