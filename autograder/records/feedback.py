"""One page per student: what is right, and for what is not, the name of the mistake."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from autograder.records.drawing import error_map, ring, strip, worst_error
from autograder.records.pages import render, svg
from autograder.records.words import NOT_MISTAKES, STATUS_WORDS

_WAITING = ("missing", "not attempted")


def feedback_page(
    line: Mapping[str, Any],
    pictures: Mapping[str, Any] | None = None,
    optional: Collection[str] = (),
) -> str:
    """The page of one student as HTML that works from a file, offline, without scripts.

    Args:
        line: the student's line of ``results.jsonl``.
        pictures: by exercise, the data of a drawing of the error.
        optional: names of exercises that are worth a bonus only.
    """
    exercises = [
        _prepared(exercise, i, (pictures or {}).get(exercise["name"]), optional)
        for i, exercise in enumerate(line["exercises"])
    ]
    waiting = [e for e in exercises if e["status"] in _WAITING]
    passed = [e for e in exercises if e["status"] == "passed"]
    still = [e for e in exercises if e not in waiting and e not in passed]
    return render(
        "feedback.html",
        line=line,
        ring=svg(ring(line["score"] / line["max_score"] if line["max_score"] else 0.0)),
        lead=_lead(line, exercises),
        notes=line["message"],
        overview=svg(_overview(exercises)),
        first=_first(still),
        open=still,
        passed=passed,
        waiting=waiting if line["status"] not in ("unreadable", "missing") else [],
    )


def _prepared(
    exercise: Mapping[str, Any], index: int, picture: Any, optional: Collection[str]
) -> dict[str, Any]:
    drawn = picture if isinstance(picture, Mapping) else {}
    return {
        **exercise,
        # An anchor from the position, not from a name: nothing to escape, nothing to collide.
        "anchor": f"exercise-{index + 1}",
        "optional": exercise["name"] in optional,
        "picture": {"aspect": drawn.get("aspect", ""), "case": drawn.get("case", "")},
        "rows": _rows(exercise["checks"]),
        "map": svg(error_map(drawn)),
        "worst": worst_error(drawn),
    }


def _rows(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong first; checks that have the same to say share a line."""
    rows: dict[tuple[bool, str], list[str]] = {}
    for check in sorted(checks, key=lambda c: c["passed"]):
        rows.setdefault((check["passed"], check["message"]), []).append(check["name"])
    return [
        {"passed": passed, "message": message, "names": names}
        for (passed, message), names in rows.items()
    ]


def _first(exercises: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Named mistakes, each once, those of the core before those of the optional part."""
    seen: set[tuple[str, str]] = set()
    mistakes = []
    for exercise in sorted(exercises, key=lambda e: e["optional"]):
        for diagnosis in exercise["diagnoses"]:
            key = (diagnosis["function"], diagnosis["message"])
            if diagnosis["code"] not in NOT_MISTAKES and key not in seen:
                seen.add(key)
                mistakes.append({**diagnosis, "anchor": exercise["anchor"]})
    return mistakes


def _lead(line: Mapping[str, Any], exercises: list[dict[str, Any]]) -> str:
    core = [e for e in exercises if not e["optional"]]
    right = sum(e["status"] == "passed" for e in core)
    if line["status"] in ("unreadable", "empty", "missing", "wrong assignment", "not graded"):
        return "This submission could not be graded."
    if core and right == len(core):
        return f"All {right} functions are correct." if right > 1 else "Everything is correct."
    if not any(e["status"] not in _WAITING for e in exercises):
        return "Nothing is filled in yet."
    return f"{right} of {len(core)} functions are correct."


def _overview(exercises: list[dict[str, Any]]) -> str:
    parts = [
        (
            e["status"],
            float(e["max_score"]) or 1.0,
            f"{e['name']}: {STATUS_WORDS.get(e['status'], e['status'])}",
        )
        for e in exercises
        if not (e["optional"] and e["status"] in _WAITING)
    ]
    return strip(parts)
