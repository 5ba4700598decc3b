"""From the instructor's text to notebooks: ``solutions/`` → ``assignments/``, byte for byte.

The format is described in ``docs/notebooks.md``. ``python -m autograder.notebooks.text`` writes
all of ``assignments/`` anew.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.course.curriculum import by_name
from autograder.notebooks.cells import names_defined
from autograder.notebooks.manifest import (
    ROOT,
    Manifest,
    NotebookPlan,
    read_manifest,
    written_assignments,
)

OPTIONS = frozenset({"exercise", "check", "question", "points", "tags"})
TAGS = frozenset({"experiment"})
JUPYTEXTS_OWN = ("lines_to_next_cell", "lines_to_end_of_cell_marker")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class TextError(ValueError):
    """The text of a notebook breaks a rule of the format; one sentence that says where."""


@dataclass(frozen=True)
class Built:
    """One notebook in both editions, as the bytes of their files."""

    name: str
    solution: bytes
    student: bytes
    exercises: tuple[str, ...]


def build_notebooks(assignment: str, root: Path = ROOT) -> list[Built]:
    """Both editions of every notebook of an assignment, in the manifest's order.

    Raises:
        ManifestError, TextError: with the place and the remedy.
    """
    manifest = read_manifest(assignment, root)
    folder = root / "solutions" / assignment
    return [_build(manifest, plan, folder / f"{plan.name}.py") for plan in manifest.notebooks]


def write_assignment(assignment: str, root: Path = ROOT) -> list[Path]:
    """Write ``assignments/<assignment>/*.ipynb`` anew and remove what is no longer made."""
    folder = root / "assignments" / assignment
    folder.mkdir(parents=True, exist_ok=True)
    built = build_notebooks(assignment, root)
    wanted = {folder / f"{notebook.name}.ipynb": notebook.student for notebook in built}
    for old in set(folder.glob("*.ipynb")) - set(wanted):
        old.unlink()
    for path, content in wanted.items():
        path.write_bytes(content)
    return sorted(wanted)


def out_of_step(root: Path = ROOT) -> list[str]:
    """What in ``assignments/`` is not what ``solutions/`` makes, a line each; [] if in step."""
    lines = []
    names = written_assignments(root)
    for assignment in names:
        folder = root / "assignments" / assignment
        wanted = {f"{b.name}.ipynb": b.student for b in build_notebooks(assignment, root)}
        there = {path.name: path.read_bytes() for path in folder.glob("*.ipynb")}
        for name in sorted(set(wanted) | set(there)):
            if wanted.get(name) != there.get(name):
                lines.append(f"assignments/{assignment}/{name} is not what its text makes")
    strays = {path.parent.name for path in (root / "assignments").glob("*/*.ipynb")} - set(names)
    return lines + [f"assignments/{name} has no text in solutions/" for name in sorted(strays)]


def _build(manifest: Manifest, plan: NotebookPlan, path: Path) -> Built:
    import jupytext  # here, not above: only whoever builds notebooks needs it

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TextError(f"{path} is missing, but the manifest names it") from None
    raw = jupytext.reads(text, fmt="py:percent")
    notebook = nbformat.v4.new_notebook()
    notebook.metadata = NotebookNode(
        cs_nn={
            "assignment": manifest.assignment,
            "notebook": plan.name,
            "exercises": list(plan.exercises),
        },
        kernelspec=NotebookNode(KERNEL),
        language_info=NotebookNode(name="python"),
        title=plan.title,
    )
    seen: dict[str, int] = {}
    filled = [cell for cell in raw.cells if cell.source.strip()]
    notebook.cells = [_cell(cell, i, path, seen) for i, cell in enumerate(filled)]
    _check_against_plan(notebook, plan, path)
    solution = _written(notebook)
    return Built(plan.name, solution, _written(student_edition(notebook, path)), plan.exercises)


def _cell(raw: NotebookNode, index: int, path: Path, seen: dict[str, int]) -> NotebookNode:
    where = f"{path.name}, cell {index + 1}"
    options = {key: raw.metadata[key] for key in raw.metadata if key not in JUPYTEXTS_OWN}
    unknown = set(options) - OPTIONS
    if unknown:
        raise TextError(f"{where}: a cell has no option {', '.join(sorted(unknown))}")
    tags = [str(tag) for tag in options.get("tags", [])]
    if not TAGS.issuperset(tags):
        raise TextError(f"{where}: the only tag is {', '.join(TAGS)}, not {', '.join(tags)}")
    kinds = [kind for kind in ("exercise", "check", "question") if kind in options]
    if len(kinds) + len(tags) > 1:
        raise TextError(f"{where}: a cell is one of exercise, check, question and experiment")
    if kinds and (kinds[0] == "question") == (raw.cell_type == "code"):
        wanted = "[markdown]" if kinds[0] == "question" else "code"
        raise TextError(f"{where}: a cell marked {kinds[0]} must be {wanted}")
    make = nbformat.v4.new_code_cell if raw.cell_type == "code" else nbformat.v4.new_markdown_cell
    cell = make(source=raw.source)
    cell.metadata = NotebookNode()
    if kinds:
        rule = {"exercise": _exercise, "check": _check, "question": _question}[kinds[0]]
        grader, tag = rule(cell, str(options[kinds[0]]), options.get("points"), where)
        cell.metadata.nbgrader = NotebookNode(grader)
        tags += tag
    if tags:
        cell.metadata.tags = tags
    cell.id = _cell_id(cell, seen)
    return cell


def _nbgrader(grade_id: str, **flags: Any) -> dict[str, Any]:
    base = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
    return base | {"grade_id": grade_id} | flags


def _exercise(
    cell: NotebookNode, name: str, points: Any, where: str
) -> tuple[dict[str, Any], list[str]]:
    missing = set(name.split()) - set(names_defined(cell.source))
    if missing or not name.split():
        raise TextError(f"{where}: it does not define {', '.join(sorted(missing)) or 'anything'}")
    if "### BEGIN SOLUTION" not in cell.source:
        raise TextError(f"{where}: an exercise needs a ### BEGIN SOLUTION … ### END SOLUTION")
    if points is not None:
        raise TextError(f"{where}: the points of an exercise stand in the curriculum, not here")
    return _nbgrader("-".join(name.split()), solution=True), []


def _check(
    cell: NotebookNode, name: str, points: Any, where: str
) -> tuple[dict[str, Any], list[str]]:
    entry = by_name().get(name)
    if entry is None:
        raise TextError(f"{where}: the curriculum has no exercise {name}")
    if f"check({name})" not in cell.source:
        raise TextError(f"{where}: the cell that checks {name} must call check({name})")
    if points is not None:
        raise TextError(f"{where}: the points of {name} stand in the curriculum, not here")
    worth = _number(entry.points)
    return _nbgrader(f"check-{name}", grade=True, locked=True, points=worth), ["check"]


def _question(
    cell: NotebookNode, name: str, points: Any, where: str
) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(points, (int, float)) or points < 0:
        raise TextError(f"{where}: a question graded by hand needs points=…")
    if "### BEGIN SOLUTION" not in cell.source:
        raise TextError(f"{where}: a question needs its answer, from ### BEGIN SOLUTION on")
    if "*Rubric.*" not in cell.source.partition("### BEGIN SOLUTION")[2]:
        raise TextError(f"{where}: the answer needs a rubric, a paragraph that begins *Rubric.*")
    return _nbgrader(name, grade=True, solution=True, points=_number(points)), []


def _number(points: float) -> float:
    return int(points) if points == int(points) else points


def _cell_id(cell: NotebookNode, seen: dict[str, int]) -> str:
    """Stable under edits elsewhere: the grade id, or a hash of the cell's own text."""
    grader = cell.metadata.get("nbgrader")
    if grader:
        base = re.sub(r"[^a-zA-Z0-9_-]", "-", grader["grade_id"])[:60]
    else:
        base = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    seen[base] = seen.get(base, 0) + 1
    return base if seen[base] == 1 else f"{base}-{seen[base]}"


def _check_against_plan(notebook: NotebookNode, plan: NotebookPlan, path: Path) -> None:
    def named(role: str) -> Iterator[str]:
        for cell in notebook.cells:
            grader = cell.metadata.get("nbgrader", {})
            grade_id = grader.get("grade_id", "")
            if role == "check" and grader.get("grade") and cell.cell_type == "code":
                yield grade_id.removeprefix("check-")
            elif role == "exercise" and grader.get("solution") and not grader.get("grade"):
                yield from grade_id.split("-")

    for role in ("exercise", "check"):
        found = list(named(role))
        if found != list(plan.exercises):
            odd = sorted(set(found) ^ set(plan.exercises)) or ["their order"]
            raise TextError(
                f"{path.name}: cells marked {role} and the manifest disagree about "
                f"{', '.join(odd)}; each exercise has one {role} cell, in the manifest's order"
            )


def student_edition(notebook: NotebookNode, path: Path) -> NotebookNode:
    """The notebook as nbgrader's generate_assignment would make it, by its own preprocessors.

    Raises:
        TextError: a solution region where nbgrader would not look for one, or without its end.
    """
    from nbgrader.preprocessors import ClearOutput, ClearSolutions, ComputeChecksums, LockCells

    student = copy.deepcopy(notebook)
    resources: Any = {}
    for step in (LockCells, ClearSolutions, ClearOutput, ComputeChecksums):
        try:
            student, resources = step().preprocess(student, resources)
        except RuntimeError as error:
            raise TextError(f"{path.name}: {error}") from None
    return student


def student_edition_of(solution: bytes, name: str) -> bytes:
    """`student_edition` from the bytes of a solution notebook to those of the student's."""
    notebook = nbformat.reads(solution.decode(), as_version=4)
    return _written(student_edition(notebook, Path(f"{name}.ipynb")))


def _written(notebook: NotebookNode) -> bytes:
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return (nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip() + "\n").encode()


if __name__ == "__main__":
    for written in written_assignments():
        for made in write_assignment(written):
            print(made.relative_to(ROOT))
