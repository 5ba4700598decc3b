"""A result as a student sees it: a small table, green or red by aspect, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
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
        wrong = _to_mend(r)
        return f"{r.name}: not yet. To mend: {', '.join(wrong)}."

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
            return _box(GREY, f"<b>{escape(self.headline)}</b>")
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
        return _box(GREEN if self.passed else RED, head + texts + table + drawing)


@dataclass(frozen=True)
class Progress:
    """All exercises of a notebook at once."""

    results: Sequence[ExerciseResult]

    def _counts(self) -> str:
        done = sum(r.status == "passed" for r in self.results)
        points = sum(r.score for r in self.results)
        most = sum(r.max_score for r in self.results)
        return (
            f"{done} of {len(self.results)} exercises pass their public checks "
            f"({points:g} of {most:g} points; the hidden checks draw other inputs)"
        )

    def _remark(self, r: ExerciseResult) -> str:
        if r.status in FRIENDLY:
            return "not started"
        if r.status == "passed":
            return ""
        return "to mend: " + ", ".join(_to_mend(r))

    def __str__(self) -> str:
        width = max((len(r.name) for r in self.results), default=0)
        lines = [self._counts()]
        for r in self.results:
            mark = "○" if r.status in FRIENDLY else MARKS[r.status == "passed"]
            lines.append(f"  {mark} {r.name:<{width}}  {self._remark(r)}".rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = []
        for r in self.results:
            mark = "○" if r.status in FRIENDLY else MARKS[r.status == "passed"]
            colour = {"○": GREY, "✓": GREEN, "✗": RED}[mark]
            rows.append(
                f"<tr><td style='color:{colour};font-weight:600'>{mark}</td>"
                f"<td style='text-align:left'><code>{escape(r.name)}</code></td>"
                f"<td style='text-align:left;color:{GREY}'>{escape(self._remark(r))}</td></tr>"
            )
        share = sum(r.status == "passed" for r in self.results) / max(1, len(self.results))
        bar = (
            "<div style='background:#d0d7de;height:8px;width:24em;border-radius:4px;margin:.5em 0'>"
            f"<div style='background:{GREEN};height:8px;border-radius:4px;width:{share:.0%}'>"
            "</div></div>"
        )
        head = f"<b>{escape(self._counts())}</b>"
        return _box(GREEN if share == 1 else GREY, f"{head}{bar}<table>{''.join(rows)}</table>")


def _to_mend(result: ExerciseResult) -> list[str]:
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


def _box(colour: str, body: str) -> str:
    return f"<div style='border-left:4px solid {colour};padding:.3em .8em'>{body}</div>"


def _wrap(text: str, width: int = 88) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ")
