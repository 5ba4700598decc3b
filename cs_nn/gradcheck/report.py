"""What the check found: a verdict, the entries behind it, and a text that says where to look."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cs_nn.arrays import Array
from cs_nn.gradcheck.directions import Directional
from cs_nn.gradcheck.slopes import FAIL, INCONCLUSIVE, KINK, PASS, UNCHECKED, VERDICTS


@dataclass
class Entry:
    """One entry: the gradient claims ``analytic``, f's slope is ``numeric`` ± ``error_bar``."""

    name: str
    index: tuple[int, ...]
    verdict: str
    analytic: float
    numeric: float
    error_bar: float
    left: float
    right: float
    reason: str = ""

    @property
    def where(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.index))}]" if self.index else self.name

    def __str__(self) -> str:
        if self.verdict == "kink":
            return (
                f"{self.where}: f has a kink here, slope {_number(self.left)} to the left and "
                f"{_number(self.right)} to the right; the gradient says {_number(self.analytic)}"
            )
        line = (
            f"{self.where}: gradient {_number(self.analytic)}, slope of f {_number(self.numeric)} "
            f"± {self.error_bar:.1g}"
        )
        return f"{line} ({self.reason})" if self.reason else line


@dataclass
class LeafReport:
    """The findings for one array of x; fields have its shape; nan where nothing was measured."""

    name: str
    x: Array
    analytic: Array
    numeric: Array
    error_bars: Array
    codes: Array
    left: Array
    right: Array
    reasons: dict[int, str] = field(default_factory=dict)

    @classmethod
    def empty(cls, name: str, analytic: Array, x: Array) -> LeafReport:
        blank = [np.full(analytic.shape, np.nan) for _ in range(4)]
        codes = np.full(analytic.shape, UNCHECKED, dtype=np.uint8)
        return cls(name, x, analytic, blank[0], blank[1], codes, blank[2], blank[3])

    @property
    def verdicts(self) -> Array:
        """Per entry "pass", "fail", "inconclusive", "kink" or "unchecked"."""
        return np.array(VERDICTS)[self.codes]

    @property
    def relative_errors(self) -> Array:
        """|analytic − numeric| over the larger of both; 0 where both are 0."""
        size = np.fmax(np.abs(self.analytic), np.abs(self.numeric))
        return np.abs(self.analytic - self.numeric) / np.where(size > 0, size, 1.0)

    def count(self, code: int) -> int:
        return int(np.sum(self.codes == code))

    def entry(self, flat: int) -> Entry:
        index = tuple(int(i) for i in np.unravel_index(flat, self.analytic.shape))
        return Entry(
            self.name,
            index,
            VERDICTS[int(self.codes.flat[flat])],
            float(self.analytic.flat[flat]),
            float(self.numeric.flat[flat]),
            float(self.error_bars.flat[flat]),
            float(self.left.flat[flat]),
            float(self.right.flat[flat]),
            self.reasons.get(flat, ""),
        )

    def worst(self, code: int, count: int) -> list[Entry]:
        """The entries with this verdict, largest relative error first."""
        chosen = np.flatnonzero(self.codes == code)
        order = np.argsort(-self.relative_errors.ravel()[chosen], kind="stable")
        return [self.entry(int(flat)) for flat in chosen[order][:count]]

    def pattern(self) -> str:
        """What the wrong entries have in common, if it is simple; else an empty string."""
        wrong = self.codes == FAIL
        a, n, x = self.analytic[wrong], self.numeric[wrong], self.x[wrong].astype(np.float64)
        if np.all(a == 0):
            return "The gradient is 0 where f does have a slope: is a term or a path missing?"
        if a.size < 2 or np.any(n == 0):
            return ""
        ratio = float(np.median(a / n))
        if np.allclose(a, ratio * n, rtol=1e-3, atol=0):
            if abs(ratio + 1) < 1e-3:
                return "All of them have the wrong sign."
            far = f"{ratio:.4g} times" if abs(ratio) >= 1 else f"1/{1 / ratio:.4g} of"
            return f"All of them are {far} the true slope: is it a factor that you expect?"
        if np.ptp(x) > 0 and np.all(x != 0):
            factor = float(np.median((a - n) / x))
            if factor and np.allclose(a - n, factor * x, rtol=1e-3, atol=0):
                return (
                    f"They are off by {factor:.4g} times {self.name} itself: is the gradient of a "
                    "regularisation term missing, or in it twice?"
                )
        return ""


@dataclass
class GradientReport:
    """The outcome of ``check_gradient``. True in a condition when, and only when, it passed.

    ``verdict``: "pass", "fail" or "inconclusive". ``leaves``: one ``LeafReport`` per array of x.
    ``directional``: what random directions said (mode "directional"). ``problem``: why f or its
    gradient could not be compared at all, or None. ``calls``: how often f was called.
    """

    verdict: str
    leaves: list[LeafReport]
    directional: list[Directional] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: str | None = None
    mode: str = "entries"
    calls: int = 0
    rtol: float = 1e-4

    @classmethod
    def of(
        cls,
        leaves: list[LeafReport],
        directional: list[Directional],
        notes: list[str],
        mode: str,
        calls: int,
        rtol: float,
    ) -> GradientReport:
        """Fail if anything fails; pass if nothing is undecided and something was decided."""
        report = cls("inconclusive", leaves, directional, notes, None, mode, calls, rtol)
        along = [d.verdict for d in directional]
        if report.count(FAIL) or "fail" in along:
            report.verdict = "fail"
        elif report.count(PASS) and not report.count(INCONCLUSIVE) and "inconclusive" not in along:
            report.verdict = "pass"
        return report

    def __bool__(self) -> bool:
        return self.verdict == "pass"

    def count(self, code: int) -> int:
        return sum(leaf.count(code) for leaf in self.leaves)

    def worst(self, count: int = 5, verdict: str | None = None) -> list[Entry]:
        """The ``count`` worst entries: of one verdict, or failed, undecided and passed in turn."""
        codes = [VERDICTS.index(verdict)] if verdict else [FAIL, INCONCLUSIVE, PASS]
        found: list[Entry] = []
        for code in codes:
            entries = [entry for leaf in self.leaves for entry in leaf.worst(code, count)]
            found += sorted(entries, key=_relative_error, reverse=True)
        return found[:count]

    def headline(self) -> str:
        """The verdict in one sentence."""
        if self.problem:
            return self.problem
        checked = sum(leaf.analytic.size - leaf.count(UNCHECKED) for leaf in self.leaves)
        if self.verdict == "pass":
            decided = self.count(PASS)
            every = f"{decided} {'entry agrees' if decided == 1 else 'entries agree'} with f"
            return f"The gradient is right: {every}, each to better than {self.rtol:g}."
        if self.verdict == "fail":
            wrong = self.count(FAIL)
            if not wrong:
                return "The gradient is wrong along random directions."
            return f"The gradient is wrong in {wrong} of {checked} entries."
        if not self.count(INCONCLUSIVE) and self.count(KINK) == checked:
            return "Nothing could be decided: f has a kink at every entry. Move x off the kinks."
        return (
            f"No entry is certainly wrong, but {self.count(INCONCLUSIVE)} of {checked} cannot be "
            f"decided to {self.rtol:g}."
        )

    def remarks(self) -> list[str]:
        """The sentences under the headline: patterns, kinks, directions, notes."""
        lines = []
        for leaf in self.leaves:
            if pattern := leaf.pattern() if leaf.count(FAIL) else "":
                lines.append(f"{leaf.name}: {leaf.count(FAIL)} of {leaf.analytic.size}. {pattern}")
            elif leaf.count(FAIL):
                lines.append(f"{leaf.name}: {leaf.count(FAIL)} of {leaf.analytic.size} are wrong.")
        lines += [str(directional) for directional in self.directional]
        if kinks := self.count(KINK):
            entries = "1 entry was" if kinks == 1 else f"{kinks} entries were"
            lines.append(
                f"{entries} left out: f has a kink there (as ReLU has at 0), where no slope is "
                f"the right one. For example {self.worst(1, 'kink')[0]}."
            )
        if self.count(INCONCLUSIVE):
            lines.append(
                "Undecided does not mean wrong. It helps to let f return its parts (the loss of "
                "each example) instead of their sum, to choose larger x, or, for gradients that "
                "are 0 but for round-off, to set atol."
            )
        return lines + self.notes

    def __str__(self) -> str:
        mark = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE"}[self.verdict]
        lines = [f"{mark}: {self.headline()}"]
        shown = [] if self.verdict == "pass" else self.worst(5)
        lines += [f"  {entry}" for entry in shown if entry.verdict != "pass"]
        lines += self.remarks()
        lines.append(f"({self.calls} calls of f, mode {self.mode})")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from cs_nn.gradcheck.picture import report_html  # the picture draws reports

        return report_html(self)


def _relative_error(entry: Entry) -> float:
    size = max(abs(entry.analytic), abs(entry.numeric))
    return abs(entry.analytic - entry.numeric) / size if size > 0 else 0.0


def _number(value: float) -> str:
    return f"{value:.7g}"
