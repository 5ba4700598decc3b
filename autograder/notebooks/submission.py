"""What a student handed in, as the grader sees it. Reading never raises for a student's doing.

Ships to students: ``python -m autograder check NOTEBOOK`` reads with the grader's eyes.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from autograder.notebooks.cells import (
    LARGEST_PARSED,
    Cell,
    Notebook,
    Unreadable,
    cell_hash,
    deferred,
    parse_notebook,
)
from autograder.notebooks.collect import Place, find_submissions, student_id
from autograder.notebooks.intake import Entry, Intake, display, gather

__all__ = [
    "Cell",
    "Place",
    "Release",
    "Submission",
    "find_submissions",
    "read_submission",
    "student_id",
]

LARGEST_EXTRA = 4 * 2**20
LARGEST_EXTRAS = 16 * 2**20
MOST_EXTRAS = 100
NOT_EXTRAS = frozenset({"cs_nn", "autograder", "data"})
"""What a release brings along itself; a student's copy of it is not read back."""

UNTOUCHED_ROLES = frozenset({"experiment", "check"})


@dataclass(frozen=True)
class ReleasedCell:
    """One code cell as it was released. role: "setup", "exercise", "experiment" or "check"."""

    role: str
    source: str
    defines: tuple[str, ...]


@dataclass(frozen=True)
class Release:
    """What a submission is compared with.

    notebooks: file name → code cells in order.
    names:     the graded names.
    others:    assignment → its graded names, to recognise a wrong notebook.
    """

    assignment: str
    notebooks: Mapping[str, tuple[ReleasedCell, ...]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        assignment: str,
        notebooks: Mapping[str, bytes],
        others: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Release:
        """From the released notebooks themselves, by file name.

        Raises:
            Unreadable: where one is no notebook.
        """
        cells, names = {}, []
        for name, content in notebooks.items():
            notebook = parse_notebook(content)
            pairs = zip(notebook.cells, notebook.cell_metadata, strict=True)
            cells[name] = tuple(
                ReleasedCell(_role(meta), cell.source, cell.defines)
                for cell, meta in pairs
                if cell.kind == "code" and cell.source.strip()
            )
            own = notebook.metadata.get("cs_nn")
            names += own.get("exercises", []) if isinstance(own, Mapping) else []
        return cls(assignment, cells, tuple(names), dict(others or {}))

    def to_data(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Release:
        notebooks = {
            name: tuple(ReleasedCell(c["role"], c["source"], tuple(c["defines"])) for c in cells)
            for name, cells in data["notebooks"].items()
        }
        others = {name: tuple(found) for name, found in data["others"].items()}
        return cls(data["assignment"], notebooks, tuple(data["names"]), others)


def _role(metadata: Mapping[str, Any]) -> str:
    tags = metadata.get("tags")
    for role in ("experiment", "check"):
        if isinstance(tags, list) and role in tags:
            return role
    own = metadata.get("nbgrader")
    own = own if isinstance(own, Mapping) else {}
    if own.get("grade"):
        return "check"
    return "exercise" if own.get("solution") else "setup"


@dataclass(frozen=True)
class Submission:
    """One student's work, ready to be run.

    student: the canonical id.
    cells:   all cells of all notebooks handed in, in the order in which to run them.
    files:   small files beside the notebook, by relative name.
    status:  "" (it can be run), "unreadable", "empty", "missing" or "wrong assignment".
    message: for a teacher, what is wrong and what to do; "" when nothing is.
    notes:   for a teacher, what was odd but did not matter.
    digest:  of everything that can change the result.
    """

    student: str
    assignment: str
    cells: tuple[Cell, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    status: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()
    digest: str = ""

    def to_data(self) -> dict[str, Any]:
        """A plain dict (with bytes for the files) that crosses processes."""
        return asdict(self) | {"files": dict(self.files)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Submission:
        cells = tuple(
            Cell(**(cell | {"defines": tuple(cell["defines"])})) for cell in data["cells"]
        )
        return cls(**(dict(data) | {"cells": cells, "notes": tuple(data["notes"])}))


def read_submission(
    where: Place | str | os.PathLike[str], assignment: str, release: Release | None = None
) -> Submission:
    """Read one student's work, from a `Place` or from a notebook or folder on its own."""
    place = where if isinstance(where, Place) else _place(os.fspath(where))
    release = release or Release(assignment)
    if place.refusal:
        return _failed(place, assignment, "unreadable", place.refusal)
    if not os.path.lexists(place.path):
        return _failed(place, assignment, "missing", f"nothing was handed in for {assignment}")
    intake = gather(place.path, place.members)
    for note in place.notes:
        intake.note(note)
    candidates = _candidates(intake)
    notebooks, broken = _parse_all(intake, candidates)
    if not notebooks:
        status, message = _why_nothing(intake, broken, candidates)
        return _failed(place, assignment, status, message, intake.notes)
    for name, error in broken:
        intake.note(f"{display(name)} was left out: {error}")
    notebooks = _ordered(intake, notebooks, release)
    stranger = _other_assignment([n for _, n in notebooks], release)
    if stranger:
        message = f"this is the notebook of {stranger}, not of {assignment}; ask for the right one"
        return _failed(place, assignment, "wrong assignment", message, intake.notes)
    cells = _assemble([n for _, n in notebooks])
    if not any(c.kind == "code" and c.source.strip() for c in cells):
        message = "the notebook holds no code at all"
        return _failed(place, assignment, "empty", message, intake.notes)
    cells = _restore(_defer(cells, release), release, intake)
    used = {name for name, _ in notebooks} | {name for name, _ in broken}
    files = _extras(intake, used)
    return _sealed(Submission(place.student, assignment, cells, files, notes=tuple(intake.notes)))


def unread_submission(place: Place, assignment: str, error: Exception) -> Submission:
    """What stands for a submission that could not even be read, for a reason nobody foresaw."""
    message = f"reading it failed ({type(error).__name__}); look at the files handed in"
    return _failed(place, assignment, "unreadable", message)


def notebooks_of(
    place: Place, release: Release | None = None
) -> tuple[list[tuple[str, Notebook]], str]:
    """The readable notebooks of a place, in the order in which they are run, with cell metadata.

    Returns:
        (file name, notebook) pairs, and, where there are none, why, for a teacher.
    """
    if place.refusal:
        return [], place.refusal
    if not os.path.lexists(place.path):
        return [], "nothing was handed in"
    intake = gather(place.path, place.members)
    candidates = _candidates(intake)
    notebooks, broken = _parse_all(intake, candidates)
    if not notebooks:
        return [], _why_nothing(intake, broken, candidates)[1]
    return _ordered(intake, notebooks, release or Release("")), ""


def _place(path: str) -> Place:
    name = os.path.basename(os.path.abspath(path))
    return Place(student_id(re.sub(r"\.ipynb$", "", name)), path)


def _failed(
    place: Place, assignment: str, status: str, message: str, notes: Iterable[str] = ()
) -> Submission:
    submission = Submission(place.student, assignment, (), {}, status, message, tuple(notes))
    return _sealed(submission)


def _sealed(submission: Submission) -> Submission:
    parts: list[Any] = [submission.assignment, submission.status, submission.message]
    parts += [[c.source, c.kind, c.deferred] for c in submission.cells]
    parts += [submission.notes]
    parts += [[n, hashlib.sha256(c).hexdigest()] for n, c in sorted(submission.files.items())]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return replace(submission, digest=digest)


def _candidates(intake: Intake) -> list[Entry]:
    """The files that are notebooks by name or, where there is none, that may be by content."""
    named = [e for e in intake.entries if ".ipynb" in e.name.lower()]
    if named:
        return named
    loose = {".json", ".txt", ".html", ""}
    return [e for e in intake.entries if posixpath.splitext(e.name.lower())[1] in loose]


def _parse_all(
    intake: Intake, candidates: list[Entry]
) -> tuple[list[tuple[Entry, Notebook]], list[tuple[str, str]]]:
    notebooks, broken, seen = [], [], set()
    parsed = LARGEST_PARSED
    for entry in candidates:
        content = intake.bytes_of(entry)
        if content is None:
            continue
        try:
            notebook = parse_notebook(content, parsed)
        except Unreadable as error:
            if ".ipynb" in entry.name.lower():
                broken.append((entry.name, str(error)))
            continue
        parsed -= sum(len(cell.source) for cell in notebook.cells)
        key = tuple((c.kind, cell_hash(c.source)) for c in notebook.cells if c.source.strip())
        for note in notebook.notes:
            intake.note(f"{display(entry.name)}: {note}")
        if key not in seen:  # the same notebook twice says nothing new
            notebooks.append((entry, notebook))
        seen.add(key)
    return notebooks, broken


def _why_nothing(
    intake: Intake, broken: list[tuple[str, str]], candidates: list[Entry]
) -> tuple[str, str]:
    if broken:
        return "unreadable", "; ".join(f"{display(n)} cannot be read: {e}" for n, e in broken[:3])
    if any(".ipynb" in e.name.lower() for e in candidates):
        return "unreadable", "; ".join(intake.notes) or "the notebook cannot be read"
    if intake.entries:
        found = ", ".join(display(e.name, 40) for e in intake.entries[:5])
        return "missing", f"no notebook among the files handed in ({found}); ask for the .ipynb"
    if intake.notes:
        return "unreadable", "; ".join(intake.notes[:3])
    return "empty", "the folder is empty; ask whether the hand-in went through"


def _ordered(
    intake: Intake, notebooks: list[tuple[Entry, Notebook]], release: Release
) -> list[tuple[str, Notebook]]:
    """The order to run them in: as released, or, where one is renamed, the newest last."""
    released = list(release.notebooks)
    base = [posixpath.basename(entry.name) for entry, _ in notebooks]
    strangers = [name for name in base if name not in released]
    if released and strangers:
        shown = ", ".join(map(display, strangers[:4]))
        intake.note(f"not named as released: {shown}")
    if strangers or len(set(base)) < len(base):
        notebooks = sorted(notebooks, key=lambda pair: (int(pair[0].time), pair[0].name))
        if len(notebooks) > max(1, len(released)):
            names = ", ".join(display(entry.name, 40) for entry, _ in notebooks[:5])
            intake.note(
                f"{len(notebooks)} notebooks were handed in and all were read, "
                f"the newest definition counts; in order: {names}"
            )
    else:
        notebooks = sorted(
            notebooks, key=lambda pair: released.index(posixpath.basename(pair[0].name))
        )
    return [(entry.name, notebook) for entry, notebook in notebooks]


def _other_assignment(notebooks: list[Notebook], release: Release) -> str:
    """The name of the assignment that these notebooks belong to instead, or ""."""
    told = {str(own.get("assignment", "")) for own in map(_own_metadata, notebooks)} - {""}
    defined = {name for n in notebooks for c in n.cells for name in c.defines}
    if release.assignment in told or defined & set(release.names):
        return ""
    for name, graded in release.others.items():
        if name != release.assignment and (name in told or len(defined & set(graded)) >= 2):
            return name
    return display(min(told)) if told and release.names else ""


def _own_metadata(notebook: Notebook) -> Mapping[str, Any]:
    own = notebook.metadata.get("cs_nn")
    return own if isinstance(own, Mapping) else {}


def _assemble(notebooks: list[Notebook]) -> tuple[Cell, ...]:
    cells = [cell for notebook in notebooks for cell in notebook.cells]
    return tuple(replace(cell, index=i) for i, cell in enumerate(cells))


def _defer(cells: tuple[Cell, ...], release: Release) -> tuple[Cell, ...]:
    """Defer released experiments and checks left as they were, and stubs that hide real work.

    A stub is as released where a second copy of the notebook, or of the cell, still holds it:
    it must not replace what the student wrote elsewhere.
    """
    roles = {cell_hash(c.source): c.role for cs in release.notebooks.values() for c in cs}
    role = [roles.get(cell_hash(cell.source), "") for cell in cells]
    written = {
        name
        for cell, found in zip(cells, role, strict=True)
        if found != "exercise"
        for name in cell.defines
    }
    return tuple(
        deferred(cell)
        if cell.kind == "code"
        and (
            found in UNTOUCHED_ROLES
            or (found == "exercise" and cell.defines and written.issuperset(cell.defines))
        )
        else cell
        for cell, found in zip(cells, role, strict=True)
    )


def _restore(cells: tuple[Cell, ...], release: Release, intake: Intake) -> tuple[Cell, ...]:
    """Add the released set-up cells that were deleted, deferred: a lost import costs no points."""
    bound = {name for cell in cells for name in cell.defines}
    restored, deleted = [], False
    for released in release.notebooks.values():
        lost = [
            Cell(len(cells), c.source, "code", "", True, c.defines)
            for c in released
            if c.role == "setup" and c.defines and not bound.issuperset(c.defines)
        ]
        restored += lost
        # A notebook of which nothing was handed in has lost nothing.
        handed_in = any(c.role == "exercise" and bound.intersection(c.defines) for c in released)
        deleted |= bool(lost) and handed_in
    if deleted:
        intake.note("set-up cells of the release were missing; they count as still there")
    return cells + tuple(replace(c, index=len(cells) + i) for i, c in enumerate(restored))


def _extras(intake: Intake, used: set[str]) -> dict[str, bytes]:
    """Small files beside the notebook that its code may want to import or read."""
    files: dict[str, bytes] = {}
    total = 0
    homes = {posixpath.dirname(name) for name in used}
    home = homes.pop() + "/" if len(homes) == 1 else ""
    for entry in intake.entries:
        name = _safe_name(entry.name.removeprefix(home).split("/"))
        if entry.name in used or not name or ".ipynb" in entry.name.lower():
            continue
        if len(files) >= MOST_EXTRAS or total + entry.size > LARGEST_EXTRAS:
            intake.note("not all files beside the notebook were kept: they are too many")
            break
        if entry.size > LARGEST_EXTRA:
            intake.note(f"{display(entry.name)} is too large to be put beside the notebook")
            continue
        content = intake.bytes_of(entry)
        if content is not None:
            files[name] = content
            total += len(content)
    return files


def _safe_name(parts: list[str]) -> str:
    """The name under which a file is put beside the notebook, or "" where it is not."""
    hidden = any(part.startswith(".") or not part.isprintable() for part in parts)
    if hidden or NOT_EXTRAS & {parts[0], parts[0].partition(".")[0]} or len(parts) > 4:
        return ""
    return "/".join(parts) if len("/".join(parts).encode("utf-8", "replace")) <= 200 else ""
