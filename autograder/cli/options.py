"""Arguments that several commands share, and how they are read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from autograder.config import Course

Json = Annotated[bool, typer.Option("--json", help="Print data for programs instead.")]
Out = Annotated[
    Path, typer.Argument(metavar="OUT", help="The folder that 'csnn grade --out' wrote.")
]
CourseFolder = Annotated[
    Path | None,
    typer.Option("--course", metavar="DIR", help="The course's folder; else csnn.toml above here."),
]

_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class UsageError(Exception):
    """The command line asks for something that is not there."""


def assignment_named(name: str) -> str:
    """The full name of a built assignment from its beginning: ``a2`` → ``a2_backprop``.

    Raises:
        UsageError: naming those that are built.
    """
    from autograder.course import assignments

    known = assignments()
    found = [one for one in known if one == name or one.startswith(f"{name}_")]
    if len(found) != 1:
        raise UsageError(f"There is no assignment {name!r}; built are {', '.join(known)}.")
    return found[0]


def among(name: str, known: Iterable[str], what: str) -> str:
    """``name`` if it is known.

    Raises:
        UsageError: with the nearest names.
    """
    names = list(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 3, 0.5) or names[:5]
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    raise UsageError(f"There is no {what} {name!r}{hint}")


def course_at(folder: Path | None) -> Course:
    """The course of a command: the one named, or the one around here."""
    from autograder.config import find_course

    return find_course(folder)


def optional_names(assignment: str) -> frozenset[str]:
    """Exercises worth a bonus only; none where the assignment is not built here."""
    from autograder.course import assignments, exercises

    if assignment not in assignments():
        return frozenset()
    return frozenset(exercise.name for exercise in exercises(assignment) if not exercise.core)


def size(text: str) -> float:
    """``2G`` → bytes.

    Raises:
        UsageError: for what is no size.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)i?b?", text.strip().lower())
    if not match or float(match[1]) <= 0:
        raise UsageError(f"{text!r} is no size; write 512M or 2G.")
    return float(match[1]) * _SIZES[match[2]]
