"""Attacks are tried where there are walls; a machine without them is told so, not failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox.doctor import refusal
from autograder.sandbox.jail import Jail
from tests.hostile.harness import LIMITS, RIGHT_RELU, WRONG_AFFINE, Graded, grade, neighbour

REFUSAL = refusal()
collect_ignore_glob = ["test_*.py"] if REFUSAL else []


def pytest_report_header() -> list[str]:
    return [f"hostile notebooks are left out: {REFUSAL}"] if REFUSAL else []


@pytest.fixture(scope="session")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student edition with nothing in it that these notebooks would need."""
    folder = tmp_path_factory.mktemp("edition")
    (folder / "cs_nn").mkdir()
    (folder / "cs_nn" / "__init__.py").write_text('"""The student edition."""\n')
    return folder


@pytest.fixture(scope="session")
def jail(edition: Path) -> Iterator[Jail]:
    with Jail(edition, "full", LIMITS) as made:
        yield made


@pytest.fixture(scope="session")
def honest(jail: Jail) -> Graded:
    """What the honest start of every attack earns by itself."""
    return grade(jail, RIGHT_RELU, WRONG_AFFINE)


@pytest.fixture(scope="session")
def clean(jail: Jail) -> Graded:
    """The neighbour's results before any attack."""
    return neighbour(jail)
