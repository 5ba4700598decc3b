"""A whole class for ``nbgrader autograde``: graded in parallel at the first question, then told.

nbgrader goes through its students one by one and its sqlite takes one writer. So the class is
graded once, by all cores, into ``graded/<assignment>/`` of the course, where ``csnn explain``,
``report`` and ``export`` find it; nbgrader then writes what is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Line = Mapping[str, Any]


def grade_submitted(
    root: Path, submitted: Path, assignment: str, isolation: str, say: Callable[[str], None]
) -> dict[str, Line]:
    """The results of everyone in ``submitted``, by student; only what changed is graded.

    Args:
        root: the course's folder.
        say: told, at the end, who needs a teacher's eye and why.
    """
    from autograder.batch import Plan, grade_class
    from autograder.config import find_course
    from autograder.records.class_report import needs_eye

    plan = Plan(assignment, find_course(root), isolation)
    with _bar(assignment) as progress:
        outcome = grade_class(submitted, root / "graded" / assignment, plan, progress=progress)
    odd = needs_eye(outcome.lines)
    if odd:
        width = max(len(line["student"]) for line in odd)
        rows = [
            f"  {line['student']:<{width}}  {line['status']}: {line['message']}" for line in odd
        ]
        say("\n".join([f"{len(odd)} of {len(outcome.lines)} need a teacher's eye:", *rows]))
    return {line["student"]: line for line in outcome.lines}


@contextmanager
def _bar(assignment: str) -> Any:
    from tqdm import tqdm

    with tqdm(desc=f"Grading {assignment}", unit=" students", file=sys.stderr) as bar:

        def show(done: int, total: int, _: Line | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
