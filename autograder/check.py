"""What a notebook calls: ``check(affine_backward)``, or ``check()`` for all that is defined.

The checks run on public inputs in the notebook's own process; grading uses other inputs, on the
other side of a wall.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.examples import brief_from_json, load_examples
from autograder.exercise import ExerciseResult
from autograder.grading import grade
from autograder.progress import Progress
from autograder.report import Report
from autograder.student import LocalStudent

PUBLIC_FOLDER = Path(__file__).parent / "public"


class NotYet(Exception):
    """Raised after the report when something is still wrong, so that a grade cell is red.

    Shown as one line in a notebook, without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"NotYet: {self}"]


def check(*functions: Any, examples: str | Path | None = None) -> None:
    """Check your functions on the public examples and show a report.

    Args:
        functions: functions or classes of the notebook (or their names). None: all exercises
            that are defined so far, with the progress through the assignment.
        examples: the examples file, if it is not beside the notebook.

    Raises:
        NotYet: after the report, if a function that was asked for does not pass.
        LookupError: for something that is no exercise here; the message lists the exercises.
    """
    data = find_examples(examples)
    namespace = _notebook_namespace(sys._getframe(1).f_globals)
    if not functions:
        _show(progress_of(data, check_all(data, namespace)))
        return
    missed = []
    for function in functions:
        report = check_one(data, namespace, function)
        _show(report)
        if not report:
            missed.append(report.brief)
    if missed:
        raise NotYet(" ".join(missed))


def check_one(data: list[dict[str, Any]], namespace: Mapping[str, Any], function: Any) -> Report:
    """The report for one function, asked for by itself or by name."""
    name = function if isinstance(function, str) else getattr(function, "__name__", "")
    for file in data:
        for exercise in file["exercises"]:
            if exercise["name"] == name:
                mine = dict(namespace)
                if not isinstance(function, str):
                    mine[name] = function
                result = grade(brief_from_json(exercise), LocalStudent(mine))
                return Report(result, file["hints"])
    known = ", ".join(e["name"] for file in data for e in file["exercises"])
    what = f"{name or function!r}"
    raise LookupError(f"{what} is no exercise of this notebook; these are: {known}")


def check_all(data: list[dict[str, Any]], namespace: Mapping[str, Any]) -> list[ExerciseResult]:
    """Results of every exercise, those that are not defined included."""
    return [
        grade(brief_from_json(exercise), LocalStudent(namespace))
        for file in data
        for exercise in file["exercises"]
    ]


def progress_of(data: list[dict[str, Any]], results: list[ExerciseResult]) -> Progress:
    """The results in the order of the notebooks that the examples tell of."""
    return Progress(
        results,
        {name: names for file in data for name, names in file.get("notebooks", {}).items()},
        {e["name"] for file in data for e in file["exercises"] if not e["core"]},
    )


def find_examples(path: str | Path | None = None) -> list[dict[str, Any]]:
    """The examples beside the notebook, above it, or shipped with this package.

    Raises:
        FileNotFoundError: when there are none, saying where they should lie.
    """
    if path is not None:
        return [load_examples(Path(path))]
    here = Path.cwd()
    for folder in (here, here.parent, PUBLIC_FOLDER):
        files = sorted(folder.glob("*.examples.json"))
        if files:
            return [load_examples(file) for file in files]
    raise FileNotFoundError(
        f"no *.examples.json in {here} or above it: start Jupyter in the folder of the release, "
        "where the notebook lies"
    )


def _notebook_namespace(fallback: dict[str, Any]) -> dict[str, Any]:
    """The notebook's variables; outside of a notebook those of the caller."""
    shell = _shell()
    return shell.user_ns if shell is not None else fallback


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _show(report: Report | Progress) -> None:
    if _shell() is not None and hasattr(_shell(), "kernel"):
        from IPython.display import display

        display(report)
    else:
        print(report)
