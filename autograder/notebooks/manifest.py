"""An assignment's ``manifest.toml``: its notebooks, and what its student edition gives away."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course.curriculum import ASSIGNMENTS, by_name

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: ``solutions/`` and ``assignments/`` lie here, beside the packages."""

REQUIREMENTS = (
    "numpy>=2.0",
    "matplotlib>=3.8",
    "jaxtyping>=0.2.36",
    "jupyterlab>=4",
    "tqdm>=4.66",
)
"""What a student installs, unless the manifest says otherwise."""


class ManifestError(ValueError):
    """A manifest that cannot be followed; one sentence with the remedy."""


@dataclass(frozen=True)
class NotebookPlan:
    """One notebook: its file name without ending, its title, the exercises in it, in order."""

    name: str
    title: str
    exercises: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.toml`` says.

    provides:     graded here or later, but in the edition all the same: name → why.
    overlaps:     in the edition, close to something graded here: name → why it may stay.
    needs:        what the notebooks import from ``cs_nn``; the edition must have it.
    requirements: lines of the student's ``requirements.txt``.
    """

    assignment: str
    title: str
    notebooks: tuple[NotebookPlan, ...]
    provides: Mapping[str, str] = field(default_factory=dict)
    overlaps: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    requirements: tuple[str, ...] = REQUIREMENTS

    @property
    def exercises(self) -> tuple[str, ...]:
        return tuple(name for notebook in self.notebooks for name in notebook.exercises)


def written_assignments(root: Path = ROOT) -> tuple[str, ...]:
    """The assignments that have a manifest, in order."""
    return tuple(sorted(p.parent.name for p in (root / "solutions").glob("*/manifest.toml")))


def read_manifest(assignment: str, root: Path = ROOT) -> Manifest:
    """Read and check ``solutions/<assignment>/manifest.toml``.

    Raises:
        ManifestError: where it is missing, no TOML, or names what the curriculum does not.
    """
    path = root / "solutions" / assignment / "manifest.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(written_assignments(root)) or "none"
        raise ManifestError(
            f"there is no assignment {assignment!r} in {path.parent.parent}; there is: {known}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from None
    return _checked(assignment, data, path)


def _checked(assignment: str, data: dict[str, Any], path: Path) -> Manifest:
    unknown = set(data) - {"title", "notebooks", "edition", "requirements"}
    edition = data.get("edition", {})
    unknown |= set(edition) - {"provides", "overlaps", "needs"}
    if unknown:
        raise ManifestError(f"{path}: {', '.join(sorted(unknown))} means nothing here; remove it")
    try:
        notebooks = tuple(
            NotebookPlan(n["name"], n["title"], tuple(n["exercises"])) for n in data["notebooks"]
        )
        manifest = Manifest(
            assignment,
            data.get("title", ASSIGNMENTS.get(assignment, "")),
            notebooks,
            dict(edition.get("provides", {})),
            dict(edition.get("overlaps", {})),
            tuple(edition.get("needs", ())),
            tuple(data.get("requirements", Manifest.requirements)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"{path}: each of [[notebooks]] needs name, title and exercises ({error})"
        ) from None
    for name in manifest.exercises:
        entry = by_name().get(name)
        if entry is None or entry.assignment != assignment:
            raise ManifestError(f"{path}: the curriculum has no exercise {name} in {assignment}")
    twice = {n for n in manifest.exercises if manifest.exercises.count(n) > 1}
    if twice:
        raise ManifestError(f"{path}: {', '.join(sorted(twice))} stands in two notebooks")
    return manifest
