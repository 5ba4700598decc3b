"""Attacks are tried where there are walls; a machine without them is told so, not failed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.notebooks.edition import cached_edition
from autograder.sandbox.doctor import refusal
from autograder.sandbox.jail import Jail
from tests.hostile.harness import LIMITS, RIGHT_RELU, WRONG_AFFINE, Graded, grade, neighbour

REFUSAL = refusal()
collect_ignore_glob = ["test_*.py"] if REFUSAL else []


def pytest_report_header() -> list[str]:
    return [f"hostile notebooks are left out: {REFUSAL}"] if REFUSAL else []


@pytest.fixture(scope="session")
def jail() -> Iterator[Jail]:
    with Jail(cached_edition("a2_backprop"), "full", LIMITS) as made:
        yield made


@pytest.fixture(scope="session")
def honest(jail: Jail) -> Graded:
    """What the honest start of every attack earns by itself."""
    return grade(jail, RIGHT_RELU, WRONG_AFFINE)


@pytest.fixture(scope="session")
def clean(jail: Jail) -> Graded:
    """The neighbour's results before any attack."""
    return neighbour(jail)
