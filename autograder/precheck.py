"""Before handing in: run the notebook from top to bottom and say what will be graded. Public.

The notebook is read as the grader reads it: in order, in a fresh namespace, each cell for itself.
What works only because of the order in which cells were clicked shows here.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import contextlib
import io
import json
import linecache
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.bounds import Exceeded, within
from autograder.check import check_all, find_examples, progress_of
from autograder.exercise import ExerciseResult
from autograder.notebooks.cells import Cell, as_python
from autograder.notebooks.submission import Release, Submission, read_submission
from autograder.progress import Progress

CELL_SECONDS = 10.0
"""CPU seconds for one cell, as when it is graded."""


@dataclass(frozen=True)
class Precheck:
    """What came of a notebook.

    stopped: number of a cell, counted from 1 → why it stopped.
    core:    names of the exercises that make up the points; the others are a bonus.
    progress: the same results by notebook.
    """

    submission: Submission
    stopped: Mapping[int, str]
    results: Sequence[ExerciseResult]
    core: frozenset[str]
    progress: Progress | None = None

    @property
    def passed(self) -> bool:
        done = {result.name for result in self.results if result.status == "passed"}
        return bool(self.results) and self.core <= done

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "assignment": self.submission.assignment,
            "passed": self.passed,
            "message": self.submission.message,
            "notes": list(self.submission.notes),
            "stopped": [{"cell": n, "reason": why} for n, why in self.stopped.items()],
            "exercises": [result.to_json() for result in self.results],
        }

    def __str__(self) -> str:
        lines = [f"Note: {note}." for note in self.submission.notes]
        if self.submission.status:
            return "\n".join([*lines, f"This cannot be graded: {self.submission.message}."])
        lines += [str(self.progress or Progress(self.results))]
        if self.stopped:
            lines += [
                "Cells that stop, run from top to bottom (the others are graded all the same):"
            ]
            lines += [f"  cell {number}: {why}" for number, why in self.stopped.items()]
        if self.passed:
            lines += ["Everything is there. Hand it in."]
        return "\n".join(lines)


def main(words: Sequence[str]) -> int:
    """Run the check from the command line; 0 if every function passes its public checks."""
    parser = argparse.ArgumentParser(
        prog="python -m autograder check",
        description="Run a notebook from top to bottom and say what will be graded.",
    )
    parser.add_argument("notebook", help="the notebook, in the folder of the release")
    parser.add_argument("--json", action="store_true", help="print data for programs")
    told = parser.parse_args(list(words))
    try:
        found = precheck(Path(told.notebook))
    except (OSError, ValueError, KeyError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        print(f"{told.notebook}: {reason}", file=sys.stderr)
        return 1
    text = json.dumps(found.to_json(), indent=2) if told.json else _printable(str(found))
    print(text)
    return 0 if found.passed else 1


def precheck(notebook: Path) -> Precheck:
    """Run a notebook and try its functions on the public examples beside it.

    Raises:
        FileNotFoundError: without the notebook, or without its examples.
        ValueError: for examples that cannot be read.
    """
    notebook = notebook.resolve()
    if not notebook.exists():
        raise FileNotFoundError("there is no such notebook; is the name spelled as the file's?")
    with _in_folder(notebook if notebook.is_dir() else notebook.parent):
        examples = find_examples()
        assignment = str(examples[0]["assignment"])
        exercises = [exercise for file in examples for exercise in file["exercises"]]
        core = frozenset(e["name"] for e in exercises if e.get("core", True))
        submission = read_submission(notebook, assignment, _release(assignment))
        if submission.status:
            return Precheck(submission, {}, (), core)
        namespace, stopped = run_cells(submission.cells)
        results = check_all(examples, namespace)
        return Precheck(submission, stopped, results, core, progress_of(examples, results))


def run_cells(cells: Sequence[Cell]) -> tuple[dict[str, Any], dict[int, str]]:
    """Run the cells that count, each for itself; the names they leave, and which cells stopped."""
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    stopped: dict[int, str] = {}
    code = [cell for cell in cells if cell.kind == "code"]
    used = {name for cell in code if not cell.deferred for name in _names_used(cell.source)}
    with _quiet():
        for cell in code:
            if cell.deferred and not used & set(cell.defines):
                continue  # an experiment or check left as it was, that nothing else needs
            reason = _run(cell, namespace)
            if reason and not cell.deferred:
                stopped[cell.index + 1] = reason
    return namespace, stopped


def _run(cell: Cell, namespace: dict[str, Any]) -> str:
    """Run one cell; "" or why it stopped."""
    name, source = f"<cell {cell.index + 1}>", as_python(cell.source)
    # So that a traceback, and the report of a function that raises, can show the line.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    sys.stdin = io.StringIO()  # a fresh one: exit() closes it
    try:
        with within(CELL_SECONDS):
            code = compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            pending = eval(code, namespace)
            if asyncio.iscoroutine(pending):
                asyncio.run(pending)
    except Exceeded:
        return f"it took longer than {CELL_SECONDS:g} seconds"
    except (SystemExit, KeyboardInterrupt):
        return ""
    except NotImplementedError:
        return ""  # something is not filled in yet; the list of functions says what
    except BaseException as error:
        text = str(error).strip().split("\n")[0][:200]
        return "" if type(error).__name__ == "NotYet" else f"{type(error).__name__}: {text}"
    return ""


def _names_used(source: str) -> set[str]:
    try:
        tree = ast.parse(as_python(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _release(assignment: str) -> Release | None:
    for folder in (Path.cwd(), Path.cwd().parent):
        try:
            data = json.loads((folder / "release.json").read_text(encoding="utf-8"))
            return Release.from_data(data)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            break
    return Release(assignment)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


@contextlib.contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    before, path = Path.cwd(), list(sys.path)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without prints, warnings and windows; whoever asks for input meets the end of a file."""
    os.environ["MPLBACKEND"] = "Agg"
    stdin = sys.stdin
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stdin = stdin
