"""One submission, one line of ``results.jsonl``: what a worker does, anywhere.

A job is plain data and so is its answer, so that any ``concurrent.futures`` executor on any
machine can do it. It carries the seeds of one student's inputs, never the course secret.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise import Exercise, ExerciseResult

TEACHERS_WORDS: Mapping[str, str] = {
    "unreadable": "The notebook cannot be read.",
    "empty": "Nothing was handed in.",
    "missing": "The submission is gone.",
    "crashed": "The submission's process died.",
    "timeout": "The submission ran into a time limit, also when it ran alone.",
    "memory": "The submission used more memory than it may.",
    "not graded": "The grader itself failed here; this says nothing about the student's work.",
}
"""What a status means where nobody knows it better."""

_PICTURE_CELLS = 4096
_MOST_FATES = 3
_jail = threading.Lock()  # a process has one jail, whatever threads its executor brings


def grade_one(job: Mapping[str, Any]) -> dict[str, Any]:
    """Grade one submission.

    Args:
        job: ``student``, ``assignment``, ``submission`` (`Submission.to_data`), ``seeds`` by
            exercise, ``limits``, ``exercise_limits``, ``isolation``, ``bonus``, and the source of
            the teacher's ``private_cases``.

    Returns:
        ``result`` (the line), ``timings`` in seconds, ``pictures`` by exercise, and whether a time
        limit was met (``limited``): on a busy machine it may be fair to try once more alone. It
        raises only where the grader itself is at fault.
    """
    from autograder.notebooks.submission import Submission

    start = time.perf_counter()
    submission = Submission.from_data(job["submission"])
    exercises = _exercises(job["assignment"])
    if submission.status:
        results, status, messages = _untouched(exercises), submission.status, [submission.message]
        limited = False
    else:
        with _jail:
            results, status, messages, limited = _run(submission, job)
    seconds = round(time.perf_counter() - start, 4)
    line = result_line(job, results, status, [*messages, *submission.notes])
    pictures = {r.name: plain(r.picture) for r in results if r.picture is not None}
    return {
        "result": line,
        "timings": {"seconds": seconds},
        "pictures": pictures,
        "limited": limited,
    }


def result_line(
    job: Mapping[str, Any],
    results: Sequence[ExerciseResult],
    status: str,
    messages: Iterable[str],
) -> dict[str, Any]:
    """The object of ``results.jsonl`` that DESIGN.md describes."""
    counted = {e.name: e.points for e in _exercises(job["assignment"]) if e.core}
    score = sum(r.score for r in results if r.name in counted or job["bonus"])
    words = [_sentence(text) for text in messages if text]
    if not words and status in TEACHERS_WORDS:
        words = [TEACHERS_WORDS[status]]
    return {
        "student": job["student"],
        "assignment": job["assignment"],
        "status": status,
        "score": round(float(score), 4),
        "max_score": round(float(sum(counted.values())), 4),
        "message": _steady(" ".join(dict.fromkeys(words))),
        "isolation": job["isolation"],
        "exercises": [plain(result.to_json()) for result in results],
    }


def failed_line(job: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The answer for a submission on which the grader itself failed."""
    message = f"{TEACHERS_WORDS['not graded']} {reason}"
    results = _untouched(_exercises(job["assignment"]))
    line = result_line(job, results, "not graded", [message])
    return {"result": line, "timings": {}, "pictures": {}, "limited": False}


def plain(thing: Any) -> Any:
    """Numbers, strings and containers as strict JSON has them: NaN and infinity as ``None``."""
    if isinstance(thing, np.ndarray):
        if thing.size > _PICTURE_CELLS:
            return None
        return plain(thing.tolist())
    if isinstance(thing, np.generic):
        return plain(thing.item())
    if isinstance(thing, float):
        return float(f"{thing:.6g}") if math.isfinite(thing) else None
    if isinstance(thing, Mapping):
        return {str(key): plain(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [plain(value) for value in thing]
    if thing is None or isinstance(thing, (bool, int)):
        return thing
    return _steady(str(thing))


def _run(
    submission: Any, job: Mapping[str, Any]
) -> tuple[list[ExerciseResult], str, list[str], bool]:
    from autograder.course import with_private_cases
    from autograder.grading import grade_submission
    from autograder.notebooks.edition import cached_edition
    from autograder.sandbox.limits import Limits
    from autograder.sandbox.pool import jail_here

    limits = Limits(**job["limits"])
    jail = jail_here(cached_edition(job["assignment"]), job["isolation"], limits)
    with jail.submission(submission.cells, submission.files, limits) as student:

        def seed(exercise: str) -> int:
            # Asked for once as each exercise begins, which is when its own limits begin to hold.
            student.limits = limits.with_(**job["exercise_limits"].get(exercise, {}))
            return job["seeds"][exercise]

        private = with_private_cases(job["assignment"], job.get("private_cases", ""))
        results = grade_submission(student, job["assignment"], seed, exercises=private)
        outcomes, status, message = student.outcomes, student.status, student.message
    events = {outcome.status for outcome in outcomes} | {result.status for result in results}
    if any(diagnosis.code == "raised:Died" for r in results for diagnosis in r.diagnoses):
        events.add("killed")  # also where a fresh process answered the calls that came after
    limited = "timeout" in events | {status}
    if all(result.status == "passed" for result in results):
        return results, status, [message], limited  # whatever failed did no harm
    if status == "graded":
        status = next((name for event, name in _EVENTS.items() if event in events), status)
    return results, status, [*(_ends(results) or [message]), *_cells(outcomes)], limited


_EVENTS = {"killed": "crashed", "timeout": "timeout"}
"""What a submission is called after a cell or call that ended so, unless it did no harm."""

_EXPECTED = ("NotYet", "NotImplementedError")
"""How cells end that meet something unfinished; the exercises say that better."""


def _ends(results: Iterable[ExerciseResult]) -> list[str]:
    """Which functions never came back, and on which we ourselves failed."""
    ends: dict[str, list[str]] = {}
    for result in results:
        codes = {diagnosis.code for diagnosis in result.diagnoses}
        if result.status == "timeout":
            ends.setdefault("ran into the time limit", []).append(result.name)
        elif "raised:Died" in codes:
            ends.setdefault("ended the notebook's process", []).append(result.name)
        elif "grader-failed" in codes:
            text = "could not be judged, because the grader itself failed: look at it yourself"
            ends.setdefault(text, []).append(result.name)
    return [f"{', '.join(names)} {end}" for end, names in ends.items()]


def _cells(outcomes: Iterable[Any]) -> list[str]:
    """What happened to cells, those of one fate together."""
    fates: dict[str, list[int]] = {}
    for outcome in outcomes:
        if outcome.status not in ("ok", "deferred") and not outcome.message.startswith(_EXPECTED):
            reason = outcome.message.strip().split("\n")[0][:200]
            fate = "met a time limit" if outcome.status == "timeout" else f"stopped ({reason})"
            fates.setdefault(fate, []).append(outcome.index + 1)
    lines = []
    for fate, cells in fates.items():
        which = f"cell {cells[0]}" if len(cells) == 1 else f"cells {', '.join(map(str, cells))}"
        lines.append(f"{which} {fate}, the others were run")
    left = len(lines) - _MOST_FATES
    return lines[:_MOST_FATES] + (
        [f"{left} more cells or groups of cells failed"] if left > 0 else []
    )


def _steady(text: str) -> str:
    """Without what differs from run to run: addresses in memory, names of scratch folders."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return re.sub(r"[^\s'\"(]*/csnn-jail-[^/\s'\"]+(/work)?/?", "./", text)


def _sentence(text: str) -> str:
    text = text.strip()
    # A sentence may begin with the name of a function or file, which keeps its own letters.
    first = text.partition(" ")[0]
    is_name = "_" in first or "." in first.rstrip(".")
    text = text if is_name else text[:1].upper() + text[1:]
    return text + ("" if text.endswith((".", "!", "?", "…")) else ".")


def _exercises(assignment: str) -> tuple[Exercise, ...]:
    from autograder.course import exercises

    return exercises(assignment)


def _untouched(exercises: Iterable[Exercise]) -> list[ExerciseResult]:
    return [ExerciseResult(e.name, 0.0, e.points, "missing") for e in exercises]
