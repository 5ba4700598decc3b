"""One result as a student sees it: a small table, green or red by aspect, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from autograder.exercise import ExerciseResult
from autograder.grading import AS_ORDINARY

GREEN, RED, GREY = "#1a7f37", "#cf222e", "#57606a"
MARKS = {True: "✓", False: "✗"}
FRIENDLY = {
    "missing": "is not defined yet: run the cell that defines it, then check again",
    "not attempted": "is still the empty stub: write your solution where it raises "
    "NotImplementedError, run that cell, then check again",
}


@dataclass(frozen=True)
class Report:
    """Shows itself as text in a terminal and as a table in a notebook.

    ``hints`` is "full", "aspect" (which lines are wrong and where, no names of mistakes) or
    "none" (right or wrong, nothing more).
    """

    result: ExerciseResult
    hints: str = "full"

    @property
    def passed(self) -> bool:
        return self.result.status == "passed"

    @property
    def headline(self) -> str:
        """One line: what is the case."""
        r = self.result
        if r.status in FRIENDLY:
            return f"{r.name} {FRIENDLY[r.status]}."
        if self.passed:
            return f"{r.name}: all checks pass."
        wrong = to_mend(r)
        return f"{r.name}: not yet. To mend: {', '.join(wrong)}."

    @property
    def brief(self) -> str:
        """The same without what to do; it fits a dialog that does not break lines."""
        r = self.result
        if r.status in FRIENDLY:
            return f"{r.name} {FRIENDLY[r.status].partition(':')[0]}."
        return self.headline

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        r = self.result
        if r.status in FRIENDLY:
            return f"○ {self.headline}"
        lines = [f"{MARKS[self.passed]} {self.headline}"]
        width = max(len(c.name) for c in r.checks)
        for check in r.checks:
            note = f"  {check.message}" if check.message and self.hints != "none" else ""
            lines.append(f"  {MARKS[check.passed]} {check.name:<{width}}{note}".rstrip())
        for text in self._sentences():
            lines += ["", *_wrap(text)]
        return "\n".join(lines)

    def _sentences(self) -> list[str]:
        if self.hints != "full" or self.passed:
            return []
        return [d.message for d in self.result.diagnoses]

    def _repr_html_(self) -> str:
        r = self.result
        if r.status in FRIENDLY:
            return box(GREY, f"<b>{escape(self.headline)}</b>")
        rows = []
        for check in r.checks:
            colour = GREEN if check.passed else RED
            note = escape(check.message) if self.hints != "none" else ""
            rows.append(
                "<tr>"
                f"<td style='color:{colour};font-weight:600;text-align:center'>"
                f"{MARKS[check.passed]}</td>"
                f"<td style='text-align:left;white-space:nowrap'>{escape(check.name)}</td>"
                f"<td style='text-align:left;color:{GREY}'>{note}</td></tr>"
            )
        table = f"<table style='margin:.4em 0;font-size:100%'>{''.join(rows)}</table>"
        texts = "".join(
            f"<p style='margin:.5em 0;max-width:46em'>{escape(text)}</p>"
            for text in self._sentences()
        )
        drawing = picture_html(r.picture) if r.picture and self.hints == "full" else ""
        head = f"<b>{MARKS[self.passed]} {escape(self.headline)}</b>"
        return box(GREEN if self.passed else RED, head + texts + table + drawing)


def to_mend(result: ExerciseResult) -> list[str]:
    """The lines that ask for work of their own."""
    return [c.name for c in result.checks if not c.passed and c.message != AS_ORDINARY]


def picture_html(picture: Any) -> str:
    """The error entry by entry: blue too small, red too large, white right."""
    rows = picture["error"]
    most = max((abs(x) for row in rows for x in row if x == x), default=0.0) or 1.0
    cells = []
    for row in rows:
        tds = "".join(
            f"<td title='{x:.3g}' style='width:16px;height:16px;padding:0;"
            f"border:1px solid #d0d7de;background:{_colour(x / most)}'></td>"
            for x in row
        )
        cells.append(f"<tr>{tds}</tr>")
    caption = (
        f"error of {escape(picture['aspect'])} for {escape(picture['case'])}: "
        f"red too large, blue too small, at most {most:.3g}"
    )
    return (
        f"<div style='margin:.4em 0'><table style='border-collapse:collapse'>{''.join(cells)}"
        f"</table><div style='color:{GREY};font-size:90%'>{caption}</div></div>"
    )


def _colour(x: float) -> str:
    if x != x:
        return "#000000"
    fade = round(255 * (1 - min(1.0, abs(x)) * 0.85))
    return f"rgb(255,{fade},{fade})" if x > 0 else f"rgb({fade},{fade},255)"


def box(colour: str, body: str) -> str:
    return f"<div style='border-left:4px solid {colour};padding:.3em .8em'>{body}</div>"


def _wrap(text: str, width: int = 88) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ")
