"""``csnn demo``: the main job from start to end on a small class that is made on the spot."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.batch import Outcome, Plan, Progress, grade_class
from autograder.config import Course
from autograder.planting import Planted, hand_in, small_class

ASSIGNMENT = "a2_backprop"
MARKER = ".csnn-demo"
LIMITS = {"cell_seconds": 2.0, "call_seconds": 1.0, "submission_seconds": 30.0}
"""Shorter than a course's, so that nobody waits for the submission that loops for ever."""


class DemoError(Exception):
    """The demonstration cannot begin; one sentence with a remedy."""


@dataclass(frozen=True)
class Demo:
    """Where everything is, who was in the class, and what came out."""

    folder: Path
    people: list[Planted]
    outcome: Outcome
    isolation: str
    why_not_walled: str

    @property
    def graded(self) -> Path:
        return self.folder / "graded"

    @property
    def named(self) -> int:
        """How many planted mistakes the feedback calls by their name."""
        found = {
            (line["student"], diagnosis["code"])
            for line in self.outcome.lines
            for exercise in line["exercises"]
            for diagnosis in exercise["diagnoses"]
        }
        return sum((person.student, person.code) in found for person in self.people if person.code)


def run_demo(
    folder: Path,
    *,
    release: Callable[[str, Path], object],
    workers: int | None = None,
    mistakes: int = 12,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Demo:
    """Release a2, build a class, grade it.

    Args:
        folder: emptied first, if it is a demonstration's own.
        release: writes what students get.
        say: told of each step.

    Raises:
        DemoError: if ``folder`` holds something else.
    """
    from autograder.course import exercises
    from autograder.notebooks.text import build_notebooks
    from autograder.sandbox.doctor import refusal

    _emptied(folder)
    release(ASSIGNMENT, folder / "release")
    say(f"Released {ASSIGNMENT} to {folder / 'release'}")
    built = build_notebooks(ASSIGNMENT)
    taught = {name for notebook in built for name in notebook.exercises}
    graded = [e for e in exercises(ASSIGNMENT) if e.name in taught and e.core]
    solution = {f"{notebook.name}.ipynb": notebook.solution for notebook in built}
    stub = {f"{notebook.name}.ipynb": notebook.student for notebook in built}
    people = small_class(graded, solution, stub, mistakes)
    hand_in(people, folder / "submissions")
    say(f"Handed in {len(people)} submissions to {folder / 'submissions'}")
    why_not = refusal()
    isolation = "none" if why_not else "full"
    plan = Plan(ASSIGNMENT, Course(name="A demonstration"), isolation, LIMITS)
    outcome = grade_class(
        folder / "submissions", folder / "graded", plan, workers=workers, progress=progress
    )
    return Demo(folder, people, outcome, isolation, why_not)


def _emptied(folder: Path) -> None:
    if folder.exists() and not (folder / MARKER).is_file() and any(folder.iterdir()):
        raise DemoError(f"{folder} holds other files; name an empty folder with --to.")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).write_text("csnn demo empties this folder when it runs again.\n")
