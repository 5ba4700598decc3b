"""Before handing in: read the notebook with the grader's eyes, run it, say what will be graded.

Runs the student's own code in the student's own process; needs NumPy only.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import linecache
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autograder.check import NotYet, check_all, find_examples
from autograder.exercise import ExerciseResult
from autograder.notebooks.cells import Cell, as_python
from autograder.notebooks.submission import Release, Submission, read_submission
from autograder.report import Progress


def main(words: Sequence[str]) -> int:
    """The command; returns its exit code: 0 when everything that is asked for passes.

    Args:
        words: the notebook, and ``--json`` for results as data.
    """
    parser = argparse.ArgumentParser(
        prog="python -m autograder check",
        description="Check a notebook before handing it in: what will be graded, what is missing.",
        epilog="example: python -m autograder check 1_layers.ipynb",
    )
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    given = parser.parse_args(words)
    try:
        submission, results, troubles = precheck(given.notebook)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(_data(submission, results, troubles), ensure_ascii=False, indent=1))
    else:
        print("\n".join(_lines(submission, results, troubles)))
    return 0 if results and all(r.status == "passed" for r in results) else 1


def precheck(notebook: Path) -> tuple[Submission, list[ExerciseResult], list[str]]:
    """What was read, the results on the public examples, and which cells stopped.

    Raises:
        FileNotFoundError: when there is no such notebook, or no examples beside it.
    """
    if not notebook.is_file():
        raise FileNotFoundError(f"there is no file {notebook}; name the notebook to check")
    folder = notebook.resolve().parent
    with _inside(folder):
        files = find_examples()
        release = _release(folder, str(files[0]["assignment"]))
        submission = read_submission(folder / notebook.name, release.assignment, release)
        if submission.status:
            return submission, [], []
        space, troubles = run_cells(submission.cells)
        results = check_all(files, space)
    asked = _asked(release, submission)
    return submission, [r for r in results if not asked or r.name in asked], troubles


def run_cells(cells: Iterable[Cell]) -> tuple[dict[str, Any], list[str]]:
    """The names that the cells leave behind, and a line for each cell that stopped.

    IPython's own lines (magics, shell commands) are passed over.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    troubles = []
    for cell in cells:
        if cell.kind != "code" or cell.deferred:
            continue
        source, name = as_python(cell.source), f"<cell {cell.index + 1}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        quiet = contextlib.redirect_stdout(io.StringIO())
        with quiet, contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(compile(source, name, "exec"), space)
            except NotYet:
                continue  # an edited check cell; the report below says the same
            except (Exception, SystemExit) as error:
                troubles.append(_trouble(cell, error))
    return space, troubles


def _asked(release: Release, submission: Submission) -> set[str]:
    """The exercises of the released notebooks that this one is a version of."""
    defined = {name for cell in submission.cells for name in cell.defines}
    parts = [
        {name for cell in cells if cell.role == "exercise" for name in cell.defines}
        for cells in release.notebooks.values()
    ]
    asked = {name for part in parts if part & defined for name in part}
    return (asked or set(release.names)) & set(release.names)


def _trouble(cell: Cell, error: BaseException) -> str:
    words = (str(error).splitlines() or [""])[0][:200]
    first = next((line for line in cell.source.splitlines() if line.strip()), "")[:60]
    return f"cell {cell.index + 1} ({first}) stops with {type(error).__name__}: {words}".rstrip(
        ": "
    )


def _release(folder: Path, assignment: str) -> Release:
    """What was released, by the record beside the notebook; less is known without it."""
    for place in (folder, folder.parent):
        try:
            data = json.loads((place / "release.json").read_text(encoding="utf-8"))
            return Release.from_data(data)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return Release(assignment)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Run as a notebook in this folder would: imports and files from there, no windows."""
    before = os.getcwd()
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        os.chdir(before)


def _lines(
    submission: Submission, results: list[ExerciseResult], troubles: list[str]
) -> Iterator[str]:
    if submission.status:
        yield f"This cannot be graded: {submission.message}."
        return
    yield str(Progress(results))
    missing = [r.name for r in results if r.status == "missing"]
    if missing:
        yield f"\nNot defined, so not graded: {', '.join(missing)}."
    for trouble in troubles:
        yield f"\nNote: {trouble}. What later cells need from it may be missing."
    for note in submission.notes:
        yield f"\nNote: {note}."


def _data(
    submission: Submission, results: list[ExerciseResult], troubles: list[str]
) -> dict[str, Any]:
    return {
        "assignment": submission.assignment,
        "status": submission.status or "readable",
        "message": submission.message,
        "notes": [*submission.notes, *troubles],
        "exercises": [result.to_json() for result in results],
    }
