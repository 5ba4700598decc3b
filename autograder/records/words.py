"""Text that came from students, made fit for pages, terminals and spreadsheets."""

from __future__ import annotations

import html
import re
import unicodedata

STATUS_WORDS = {
    "passed": "correct",
    "partial": "partly right",
    "failed": "not right yet",
    "missing": "not defined",
    "not attempted": "not started",
    "error": "stops with an error",
    "timeout": "ran out of time",
}
"""What the status of an exercise is called in front of people."""

NOT_MISTAKES = frozenset({"missing", "not-attempted", "waits-for-forward"})
"""Codes of diagnoses that say where someone stands, not what they got wrong."""


def readable(text: object) -> str:
    """``text`` without what could act instead of being read.

    Control characters (ESC among them), lone surrogates and marks that turn the direction of
    writing become �; line ends and tabs stay.
    """
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs") else "�"
        for char in str(text).replace("\r\n", "\n")
    )


def one_line(text: object) -> str:
    """`readable`, on one line."""
    return re.sub(r"\s+", " ", readable(text)).strip()


def prose(text: object) -> str:
    """A sentence as HTML: everything escaped, ```code``` in backticks set as code."""
    import nh3

    escaped = html.escape(readable(text))
    marked = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped)
    return nh3.clean(marked, tags={"code"}, attributes={})


def number(value: object) -> str:
    """A score as people write it: 100, 87.5, 33.33."""
    try:
        return f"{float(str(value)):.2f}".rstrip("0").rstrip(".")
    except ValueError:
        return one_line(value)


def title(assignment: str) -> str:
    """``a2_backprop`` → ``a2 · backprop``."""
    head, _, tail = one_line(assignment).partition("_")
    return f"{head} · {tail.replace('_', ' ')}" if tail else head
