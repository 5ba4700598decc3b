"""Printing for people and for programs; text of students never reaches the terminal raw."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograder.records.words import STATUS_WORDS, number, one_line, readable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

STYLES = {
    "passed": "green",
    "graded": "green",
    "partial": "yellow",
    "failed": "red",
    "error": "red",
    "timeout": "red",
    "not attempted": "dim",
    "missing": "dim",
}


def out() -> Console:
    """Where results go."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def err() -> Console:
    """Where progress and complaints go, so that results can be piped."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def complain(sentence: str) -> None:
    """One sentence on standard error."""
    from rich.text import Text

    words = Text.assemble(("csnn: ", "bold red"), readable(sentence))
    err().print(words, soft_wrap=True)


def show_json(data: Any) -> None:
    """Data for programs, and nothing else on standard output."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()


def text(words: object, style: str = "") -> Text:
    """Words without markup or control characters, on one line."""
    from rich.text import Text

    return Text(one_line(words), style=style)


def status_text(status: str) -> Text:
    return text(STATUS_WORDS.get(status, status), STYLES.get(status, "red"))


def table(*columns: str, right: Iterable[str] = (), whole: Iterable[str] = ()) -> Table:
    """A light table; columns named in ``right`` are numbers, those in ``whole`` never break."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        justify = "right" if column in right else "left"
        made.add_column(column, justify=justify, no_wrap=column in (*right, *whole))
    return made


def class_table(lines: Sequence[Mapping[str, Any]], most: int = 40) -> Table:
    """Everyone's score and named mistakes; of a large class, the first ``most``."""
    made = table("student", "score", "status", "mistakes", right=("score",))
    for line in lines[:most]:
        score = f"{number(line['score'])} / {number(line['max_score'])}"
        full = line["score"] >= line["max_score"] > 0
        made.add_row(
            text(line["student"], "bold"),
            text(score, "green" if full else ""),
            text(line["status"], STYLES.get(line["status"], "red")),
            _mistakes(line),
        )
    if len(lines) > most:
        made.add_row(text(f"… {len(lines) - most} more", "dim"))
    return made


def _mistakes(line: Mapping[str, Any]) -> Text:
    from rich.text import Text

    from autograder.records.words import NOT_MISTAKES

    named = [
        (d["function"], d["code"])
        for exercise in line["exercises"]
        for d in exercise["diagnoses"]
        if d["code"] not in NOT_MISTAKES
    ]
    if not named:
        waiting = [e for e in line["exercises"] if e["status"] in ("missing", "not attempted")]
        if line["message"]:
            return text(line["message"], "dim")
        everything = len(waiting) == len(line["exercises"])
        return text("nothing filled in" if everything and waiting else "", "dim")
    words = Text()
    for i, (function, code) in enumerate(named[:3]):
        words.append("\n" if i else "")
        words.append_text(text(f"{function}:", "dim")).append(" ")
        words.append_text(text(code, "yellow"))
    if len(named) > 3:
        words.append(f"\nand {len(named) - 3} more", "dim")
    return words
