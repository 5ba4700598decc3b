"""Results for other programs: a plain CSV, Canvas's gradebook, Gradescope's autograder.

A spreadsheet runs a cell that begins with ``=``; what students chose to be called must not.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.records.files import StoreError, make_folder, safe_names, write_whole
from autograder.records.words import STATUS_WORDS, one_line, readable

Line = Mapping[str, Any]

_ACTIVE = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """A cell that no spreadsheet runs: numbers stay numbers, active text gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else ""
    # Judged before and after cleaning: what looks harmless behind a control character is not.
    raw, text = str(value), one_line(value)
    return "'" + text if raw.startswith(_ACTIVE) or text.startswith(_ACTIVE) else text


def to_csv(lines: Sequence[Line]) -> str:
    """One row per student, one column per exercise; points, then what each mistake is called."""
    names = _exercise_names(lines)
    header = [
        "student",
        "assignment",
        "status",
        "score",
        "max_score",
        *names,
        "mistakes",
        "message",
    ]
    rows = []
    for line in lines:
        points = {e["name"]: e["score"] for e in line["exercises"]}
        codes = [f"{d['function']}: {d['code']}" for d in _diagnoses(line)]
        rows.append(
            [line["student"], line["assignment"], line["status"], line["score"], line["max_score"]]
            + [points.get(name, "") for name in names]
            + ["; ".join(codes), line["message"]]
        )
    return _table([header, *rows])


def to_canvas(lines: Sequence[Line]) -> str:
    """Canvas's gradebook import, matched by login id. Canvas wants its first columns so named."""
    best = max((line["max_score"] for line in lines), default=0)
    column = lines[0]["assignment"] if lines else "score"
    rows: list[list[Any]] = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column],
        ["    Points Possible", "", "", "", "", best],
    ]
    for line in lines:
        rows.append([line["student"], "", "", line["student"], "", line["score"]])
    return _table(rows)


def to_gradescope(line: Line) -> str:
    """One student's ``results.json`` as Gradescope's autograder specification has it."""
    tests = [
        {
            "name": one_line(exercise["name"]),
            "score": exercise["score"],
            "max_score": exercise["max_score"],
            "status": "passed" if exercise["status"] == "passed" else "failed",
            "output": _explained(exercise),
            # As plain text: Gradescope shows it as it is and runs none of it.
            "output_format": "text",
        }
        for exercise in line["exercises"]
    ]
    data = {
        "score": line["score"],
        "output": readable(line["message"]),
        "output_format": "text",
        "tests": tests,
    }
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def export(lines: Sequence[Line], kind: str, to: Path) -> Path:
    """Write an export and say where it is.

    Args:
        kind: "csv", "canvas" (one file) or "gradescope" (a folder with a file per student).

    Raises:
        StoreError: for an unknown kind, or where it cannot be written.
    """
    if kind == "gradescope":
        make_folder(to)
        names = safe_names(str(line["student"]) for line in lines)
        for line in lines:
            write_whole(to / f"{names[line['student']]}.json", to_gradescope(line))
        return to
    if kind not in TABLES:
        kinds = ", ".join([*TABLES, "gradescope"])
        raise StoreError(f"There is no export to {kind!r}; choose one of {kinds}.")
    make_folder(to.parent)
    if to.is_dir():
        raise StoreError(f"{to} is a folder; name a file with --file, or take the folder away.")
    write_whole(to, TABLES[kind](lines))
    return to


TABLES: Mapping[str, Callable[[Sequence[Line]], str]] = {"csv": to_csv, "canvas": to_canvas}


def _explained(exercise: Mapping[str, Any]) -> str:
    parts = [d["message"] for d in exercise["diagnoses"]]
    parts += [f"{c['name']}: {c['message']}" for c in exercise["checks"] if not c["passed"]]
    return readable("\n".join(parts) or STATUS_WORDS.get(exercise["status"], exercise["status"]))


def _diagnoses(line: Line) -> list[Mapping[str, Any]]:
    return [d for exercise in line["exercises"] for d in exercise["diagnoses"]]


def _exercise_names(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(e["name"] for line in lines for e in line["exercises"]))


def _table(rows: Sequence[Sequence[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return stream.getvalue()
