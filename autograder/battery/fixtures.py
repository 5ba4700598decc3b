"""Functions and objects that exercises hand to the student's code, by name and numbers.

A case names a fixture and its parameters, so that a case is plain data and can be stored in the
public examples; the code of a fixture is no secret, its hidden parameters are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.values import Value

_FIXTURES: dict[str, Callable[..., Value]] = {}


@dataclass(frozen=True)
class Fixture:
    """Argument: what the registered maker ``name`` builds from ``parameters``."""

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


def fixture(make: Callable[..., Value]) -> Callable[..., Value]:
    """Register a maker of `Function`s or `Object`s under its own name."""
    _FIXTURES[make.__name__] = make
    return make


def resolve(value: Value) -> Any:
    """``value`` with every `Fixture` in it built."""
    if isinstance(value, Fixture):
        parameters = {key: resolve(item) for key, item in value.parameters.items()}
        return _FIXTURES[value.name](**parameters)
    if isinstance(value, (tuple, list)):
        return type(value)(resolve(item) for item in value)
    if isinstance(value, dict):
        return {key: resolve(item) for key, item in value.items()}
    return value
