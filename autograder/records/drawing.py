"""Small drawings for the pages, as inline SVG without styles, scripts or outside references.

Colours stand in attributes: the pages' Content-Security-Policy forbids ``style``.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from autograder.records.words import one_line

TOO_MUCH = (196, 61, 45)
TOO_LITTLE = (38, 96, 164)
PAPER = (250, 250, 247)
COLOURS = {
    "passed": "#2f7d5b",
    "partial": "#d9a03a",
    "failed": "#c4523f",
    "error": "#c4523f",
    "timeout": "#c4523f",
    "missing": "#c9c9c3",
    "not attempted": "#c9c9c3",
}


def error_map(picture: Mapping[str, Any]) -> str:
    """The error of an array, cell by cell: red where it is too large, blue where too small.

    Args:
        picture: ``aspect``, ``case`` and ``error``, a list of rows; ``None`` is not finite.
    """
    rows = _table(picture.get("error"))
    if not rows:
        return ""
    columns = len(rows[0])
    side = max(5, min(26, 420 // columns, 260 // len(rows)))
    worst = max((abs(e) for row in rows for e in row if _finite(e)), default=0.0)
    cells = []
    for i, row in enumerate(rows):
        for j, error in enumerate(row):
            text = f"{error:+.3g}" if _finite(error) else "not a number"
            cells.append(
                f'<rect x="{j * side}" y="{i * side}" width="{side - 1}" height="{side - 1}" '
                f'fill="{_shade(error, worst)}"><title>[{i}, {j}] {text}</title></rect>'
            )
    width, height = columns * side, len(rows) * side
    label = html.escape(one_line(f"error of {picture.get('aspect', '')}"))
    return (
        f'<svg class="map" role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'viewBox="-1 -1 {width + 1} {height + 1}"><rect x="-1" y="-1" width="{width + 1}" '
        f'height="{height + 1}" fill="#dcdcd4"/>{"".join(cells)}</svg>'
    )


def worst_error(picture: Mapping[str, Any]) -> str:
    """The largest finite error as text, or "" where there is none."""
    errors = [e for row in _table(picture.get("error")) for e in row if _finite(e)]
    return f"{max(errors, key=abs):+.3g}" if errors else ""


def ring(share: float) -> str:
    """A score as a ring that fills up."""
    share = min(1.0, max(0.0, share))
    around = 2 * math.pi * 52
    colour = COLOURS["passed"] if share >= 0.999 else "#3d6f94"
    arc = (
        f'<circle cx="60" cy="60" r="52" fill="none" stroke="{colour}" stroke-width="9" '
        f'stroke-linecap="round" stroke-dasharray="{share * around:.2f} {around:.2f}" '
        'transform="rotate(-90 60 60)"/>'
    )
    return (
        '<svg class="ring" width="120" height="120" viewBox="0 0 120 120" aria-hidden="true">'
        '<circle cx="60" cy="60" r="52" fill="none" stroke="#e8e8e0" stroke-width="9"/>'
        f"{arc if share > 0 else ''}</svg>"
    )


def strip(parts: Sequence[tuple[str, float, str]], width: int = 720, height: int = 12) -> str:
    """A bar of coloured parts: (status, share, what a pointer over it says)."""
    total = sum(share for _, share, _ in parts) or 1.0
    x, drawn = 0.0, []
    for status, share, tip in parts:
        if share <= 0:
            continue
        w = width * share / total
        gap = 2 if w > 6 else 0
        drawn.append(
            f'<rect x="{x:.1f}" y="0" width="{w - gap:.1f}" height="{height}" rx="2" '
            f'fill="{COLOURS.get(status, "#c9c9c3")}"><title>{html.escape(one_line(tip))}</title>'
            "</rect>"
        )
        x += w
    return (
        f'<svg class="strip" width="100%" height="{height}" viewBox="0 0 {width} {height}" '
        f'preserveAspectRatio="none" aria-hidden="true">{"".join(drawn)}</svg>'
    )


def histogram(shares: Sequence[float], bins: int = 10) -> str:
    """How many students reached which part of the points."""
    counts = [0] * bins
    for share in shares:
        counts[min(bins - 1, max(0, int(share * bins + 1e-9)))] += 1
    top = max(counts, default=0) or 1
    bar, tall, base = 62, 150, 178
    parts = [f'<line x1="0" y1="{base}" x2="{bins * bar}" y2="{base}" stroke="#cfcfc6"/>']
    for i, count in enumerate(counts):
        h = tall * count / top
        x = i * bar
        if count:
            parts.append(
                f'<rect x="{x + 4}" y="{base - h:.1f}" width="{bar - 8}" height="{h:.1f}" rx="3" '
                f'fill="#3d6f94"/>{_label(x + bar / 2, base - h - 7, str(count), "#3b3b36")}'
            )
        low, high = 100 * i // bins, 100 * (i + 1) // bins
        last = i == bins - 1
        parts.append(_label(x + bar / 2, base + 19, f"{low}–{high if last else high - 1}"))
    return (
        f'<svg class="histogram" width="100%" viewBox="0 0 {bins * bar} 205" role="img" '
        f'aria-label="how many students reached which part of the points, in per cent">'
        f"{''.join(parts)}</svg>"
    )


def _label(x: float, y: float, text: str, colour: str = "#75756c") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" text-anchor="middle" '
        f'fill="{colour}">{html.escape(text)}</text>'
    )


def _table(rows: Any) -> list[list[Any]]:
    """The rows of a table, or none where it is no table."""
    whole = isinstance(rows, list) and all(
        isinstance(row, list) and row and len(row) == len(rows[0]) for row in rows
    )
    return rows if whole else []


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _shade(error: Any, worst: float) -> str:
    if not _finite(error):
        return "#3b3b36"
    share = math.sqrt(abs(error) / worst) if worst > 0 else 0.0
    end = TOO_MUCH if error > 0 else TOO_LITTLE
    red, green, blue = (round(p + (e - p) * share) for p, e in zip(PAPER, end, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"
