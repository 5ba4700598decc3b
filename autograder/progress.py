"""The way through an assignment by notebook: what is done and what to mend."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from autograder.exercise import ExerciseResult
from autograder.report import FRIENDLY, GREEN, GREY, RED, box, to_mend

COLOURS = {"○": GREY, "✓": GREEN, "✗": RED}


@dataclass(frozen=True)
class Progress:
    """All exercises of an assignment at once.

    notebooks: the notebooks' names in order, each with its exercises; {} shows no notebooks.
    starred:   names of the exercises that give a bonus at most.

    A notebook with nothing in it yet is one line: what lies far ahead need not be read.
    """

    results: Sequence[ExerciseResult]
    notebooks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    starred: Collection[str] = ()

    @property
    def headline(self) -> str:
        """How far it is: exercises and points, those with a star apart."""
        core = [r for r in self.results if r.name not in self.starred]
        stars = [r for r in self.results if r.name in self.starred]
        words = f"{_passed(core)} of {len(core)} exercises pass their public checks"
        details = [f"{sum(r.score for r in core):g} of {sum(r.max_score for r in core):g} points"]
        if stars:
            details.append(f"{_passed(stars)} of {len(stars)} starred ones")
        return f"{words} ({', '.join(details)}; the hidden checks draw other inputs)"

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        """(mark, name, remark) of each line; a notebook that is begun has no mark."""
        known = {name for names in self.notebooks.values() for name in names}
        rest = [r for r in self.results if r.name not in known]
        by_name = {r.name: r for r in self.results}
        for notebook, names in self.notebooks.items():
            found = [by_name[name] for name in names if name in by_name]
            if all(r.status in FRIENDLY for r in found):
                yield "○", notebook, f"not started ({len(found)} exercises)" if found else ""
                continue
            yield "", notebook, f"{_passed(found)} of {len(found)}"
            yield from map(self._row, found)
        yield from map(self._row, rest)

    def _row(self, r: ExerciseResult) -> tuple[str, str, str]:
        star = " ★" if r.name in self.starred else ""
        if r.status in FRIENDLY:
            return "○", r.name + star, "not started"
        if r.status == "passed":
            return "✓", r.name + star, ""
        return "✗", r.name + star, f"to mend: {', '.join(to_mend(r))}"

    def __str__(self) -> str:
        rows = list(self._rows())
        width = max((len(name) for _, name, _ in rows), default=0)
        lines = [self.headline]
        lines += [f"  {mark or ' '} {name:<{width}}  {said}".rstrip() for mark, name, said in rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = []
        for mark, name, said in self._rows():
            shown = f"<code>{escape(name)}</code>" if mark else f"<b>{escape(name)}</b>"
            rows.append(
                f"<tr><td style='color:{COLOURS.get(mark, GREY)};font-weight:600'>{mark}</td>"
                f"<td style='text-align:left'>{shown}</td>"
                f"<td style='text-align:left;color:{GREY}'>{escape(said)}</td></tr>"
            )
        core = [r for r in self.results if r.name not in self.starred] or self.results
        share = _passed(core) / max(1, len(core))
        bar = (
            "<div style='background:#d0d7de;height:8px;width:24em;border-radius:4px;margin:.5em 0'>"
            f"<div style='background:{GREEN};height:8px;border-radius:4px;width:{share:.0%}'>"
            "</div></div>"
        )
        head = f"<b>{escape(self.headline)}</b>"
        return box(GREEN if share == 1 else GREY, f"{head}{bar}<table>{''.join(rows)}</table>")


def _passed(results: Sequence[ExerciseResult]) -> int:
    return sum(r.status == "passed" for r in results)
