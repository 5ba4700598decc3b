"""The page of the class: where it stands, what it got wrong most, and who needs a teacher."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from autograder.records.drawing import histogram, strip
from autograder.records.pages import render, svg
from autograder.records.words import NOT_MISTAKES, STATUS_WORDS

Line = Mapping[str, Any]

_ORDER = ("passed", "partial", "failed", "error", "timeout", "not attempted", "missing")
_SHOWN = 25  # mistakes on the page


@dataclass
class Mistake:
    """A named mistake and who made it. ``message`` is the first student's."""

    function: str
    code: str
    message: str
    students: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ExerciseFigures:
    """One exercise over the class. ``counts`` is by status; ``mean`` in points."""

    name: str
    max_score: float
    mean: float
    counts: Mapping[str, int]
    optional: bool

    @property
    def passed(self) -> int:
        """Per cent of the class whose function is correct, rounded down: 100 means all."""
        return 100 * self.counts.get("passed", 0) // max(1, sum(self.counts.values()))


def mistakes(lines: Sequence[Line]) -> list[Mistake]:
    """Named mistakes, the most frequent first."""
    found: dict[tuple[str, str], Mistake] = {}
    for line in lines:
        for exercise in line["exercises"]:
            for diagnosis in exercise["diagnoses"]:
                if diagnosis["code"] in NOT_MISTAKES:
                    continue
                key = (diagnosis["function"], diagnosis["code"])
                mistake = found.setdefault(key, Mistake(*key, diagnosis["message"]))
                if line["student"] not in mistake.students[-1:]:
                    mistake.students.append(line["student"])
    return sorted(found.values(), key=lambda m: (-len(m.students), m.function, m.code))


def figures(lines: Sequence[Line], optional: Collection[str] = ()) -> list[ExerciseFigures]:
    """Each exercise over the class, in the notebook's order."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        for exercise in line["exercises"]:
            rows.setdefault(exercise["name"], []).append(exercise)
    return [
        ExerciseFigures(
            name,
            max(row["max_score"] for row in found),
            fmean(row["score"] for row in found),
            {s: n for s in _ORDER if (n := sum(row["status"] == s for row in found))},
            name in optional,
        )
        for name, found in rows.items()
    ]


def needs_eye(lines: Sequence[Line]) -> list[Line]:
    """Submissions that a teacher should look at, the gravest first."""
    odd = [line for line in lines if line["status"] != "graded" or line["message"]]
    return sorted(odd, key=lambda line: (line["status"] == "graded", line["student"]))


def class_page(
    lines: Sequence[Line],
    *,
    course: str = "cs-nn",
    optional: Collection[str] = (),
    links: Mapping[str, str] | None = None,
) -> str:
    """The class as one page of HTML.

    Args:
        lines: of ``results.jsonl``, at least one.
        links: by student, where the feedback page lies, relative to this page.
    """
    scores = [float(line["score"]) for line in lines]
    best = max(float(line["max_score"]) for line in lines)
    return render(
        "class.html",
        assignment=lines[0]["assignment"],
        course=course,
        count=len(lines),
        mean=fmean(scores),
        median=median(scores),
        max_score=best,
        complete=sum(score >= best for score in scores),
        isolation_none=any(line.get("isolation") == "none" for line in lines),
        histogram=svg(histogram([score / best if best else 0.0 for score in scores])),
        attention=needs_eye(lines),
        mistakes=mistakes(lines)[:_SHOWN],
        exercises=[_row(exercise) for exercise in figures(lines, optional)],
        everyone=[{**line, "strip": svg(_work(line, optional))} for line in lines],
        links=links or {},
    )


def _row(exercise: ExerciseFigures) -> dict[str, Any]:
    parts = [
        (status, float(count), f"{count} {STATUS_WORDS[status]}")
        for status, count in exercise.counts.items()
    ]
    return {
        "name": exercise.name,
        "optional": exercise.optional,
        "passed": exercise.passed,
        "mean": exercise.mean,
        "max_score": exercise.max_score,
        "strip": svg(strip(parts, 320)),
    }


def _work(line: Line, optional: Collection[str]) -> str:
    parts = [
        (e["status"], float(e["max_score"]) or 1.0, f"{e['name']}: {e['status']}")
        for e in line["exercises"]
        if e["name"] not in optional
    ]
    return strip(parts, 320)
