"""Tests of the walls are for machines that have them; one that has not is told so."""

from __future__ import annotations

from autograder.sandbox.doctor import refusal

REFUSAL = refusal()
collect_ignore = ["test_walls.py"] if REFUSAL else []


def pytest_report_header() -> list[str]:
    return [f"tests of the walls are left out: {REFUSAL}"] if REFUSAL else []
