"""Functions to minimise, handed to the student's code."""

from __future__ import annotations

import numpy as np

from autograder.battery.fixtures import fixture
from autograder.values import Function


@fixture
def quadratic(A: np.ndarray, b: np.ndarray) -> Function:
    """½xᵀAx − bᵀx."""
    return Function(lambda x: float(0.5 * x @ A @ x - b @ x), "f")


@fixture
def quartic(scale: np.ndarray) -> Function:
    """Σ scale·x⁴ + x², steep far out."""
    return Function(lambda x: float(np.sum(scale * x**4 + x**2)), "f")


@fixture
def barrier(b: np.ndarray, wall: float, outside: float = float("inf")) -> Function:
    """½‖x − b‖²; beyond the wall ‖x‖ = wall infinite, or not a number."""

    def call(x: np.ndarray) -> float:
        return outside if np.linalg.norm(x) > wall else float(0.5 * np.sum((x - b) ** 2))

    return Function(call, "f")
