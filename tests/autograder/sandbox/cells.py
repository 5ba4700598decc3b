"""Cells for tests, as short as they can be written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    index: int
    source: str
    deferred: bool = False
    defines: tuple[str, ...] = ()


def code(index: int, source: str) -> Cell:
    return Cell(index, source)


def deferred(index: int, source: str, *defines: str) -> Cell:
    return Cell(index, source, True, defines)
