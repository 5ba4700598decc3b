"""Functions that an exercise hands to the student's code, and the numerical gradient."""

from __future__ import annotations

import numpy as np

from autograder.battery.classes import script
from autograder.battery.fixtures import fixture
from autograder.battery.kind import Observed, arguments, call_with
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Function, Value


@fixture
def weighted_cubes(weights: np.ndarray, mix: np.ndarray) -> Function:
    """f(x) = Σ weights·x³ + (Σ mix·x)² for x of the shape of ``weights``."""

    def call(x: Value) -> Value:
        x = _like(x, weights)
        return float(np.sum(weights * x**3) + np.sum(mix * x) ** 2)

    return Function(call)


@fixture
def smooth_sum(weights: np.ndarray) -> Function:
    """f(x) = Σ weights·sin(x) + exp(mean(x)), a function that is no polynomial."""

    def call(x: Value) -> Value:
        x = _like(x, weights)
        return float(np.sum(weights * np.sin(x)) + np.exp(np.mean(x)))

    return Function(call)


@fixture
def failing_after(weights: np.ndarray, calls: int, kind: str = "ValueError") -> Function:
    """Σ weights·x³ that raises an error of a kind from the given number of calls on."""
    count = [0]

    def call(x: Value) -> Value:
        count[0] += 1
        if count[0] > calls:
            raise ERRORS[kind]("f cannot be evaluated here")
        return float(np.sum(weights * _like(x, weights) ** 3))

    return Function(call)


ERRORS = {error.__name__: error for error in (ValueError, ZeroDivisionError)}


def _like(x: Value, weights: np.ndarray) -> np.ndarray:
    """``x`` as an array; ValueError unless it has the shape that f is made for."""
    x = np.asarray(x, dtype=float)
    if x.shape != weights.shape:
        raise ValueError(f"f takes an x of shape {weights.shape}, it was called with {x.shape}")
    return x


SLOPES = {
    "cos": np.cos,
    "2x": lambda x: 2 * x,
    "exp": np.exp,
    "1 - tanh²": lambda x: 1 - np.tanh(x) ** 2,
}


@fixture
def slope(name: str) -> Function:
    """The derivative of an elementwise function: of an array or of a number."""

    def call(x: Value) -> Value:
        return SLOPES[name](x)

    return Function(call, name)


@script
def numeric_gradient(name: str, student: Student, case: Case) -> Observed:
    """The numerical gradient of a function of the grader's."""
    seen = Observed()
    reply = seen.note(call_with(student, name, arguments(case)))
    seen.values = {"gradient": reply.value}
    if "raises" in case.tags and reply.raised is None:
        seen.values = {"gradient": "an answer although f raised"}
    return seen
