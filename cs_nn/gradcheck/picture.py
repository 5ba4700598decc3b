"""The report for a notebook: a table of the worst entries and a map of the error, as plain HTML."""

import html
import math

import numpy as np

from cs_nn.gradcheck.report import Entry, GradientReport, LeafReport
from cs_nn.gradcheck.slopes import FAIL, INCONCLUSIVE, KINK, PASS, UNCHECKED

COLOURS = {"pass": "#1a7f37", "fail": "#cf222e", "inconclusive": "#9a6700"}
FILLS = {PASS: "#d2f4d9", INCONCLUSIVE: "#ffe08a", KINK: "#c8ccd1", UNCHECKED: "#f6f8fa"}
MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}
LARGEST_SIDE = 40
CELL = 12


def report_html(report: GradientReport) -> str:
    """Self-contained HTML without scripts; every name and sentence is escaped."""
    colour = COLOURS[report.verdict]
    parts = [
        f'<div style="border-left:4px solid {colour};padding:4px 12px;font-family:sans-serif">',
        f'<p style="margin:4px 0"><b style="color:{colour}">{MARKS[report.verdict]} '
        f"{html.escape(report.headline())}</b></p>",
    ]
    worst = [e for e in report.worst(8) if e.verdict != "pass"] if not report.problem else []
    if worst:
        parts.append(_table(worst))
    parts += [_map(leaf) for leaf in report.leaves if leaf.count(FAIL) and _drawable(leaf)]
    parts += [f'<p style="margin:4px 0">{html.escape(line)}</p>' for line in report.remarks()]
    parts.append(
        f'<p style="margin:4px 0;color:#656d76;font-size:85%">{report.calls} calls of f, mode '
        f"{html.escape(report.mode)}</p></div>"
    )
    return "".join(parts)


def _table(entries: list[Entry]) -> str:
    cell = 'style="text-align:left;padding:2px 10px"'
    heads = ("entry", "gradient", "slope of f", "±", "verdict")
    rows = [f"<tr>{''.join(f'<th {cell}>{head}</th>' for head in heads)}</tr>"]
    for e in entries:
        verdict = f"{e.verdict}: {e.reason}" if e.reason else e.verdict
        values = (e.where, f"{e.analytic:.7g}", f"{e.numeric:.7g}", f"{e.error_bar:.1g}", verdict)
        rows.append(
            f"<tr>{''.join(f'<td {cell}>{html.escape(value)}</td>' for value in values)}</tr>"
        )
    return f'<table style="border-collapse:collapse">{"".join(rows)}</table>'


def _drawable(leaf: LeafReport) -> bool:
    rows, columns = _sides(leaf)
    return leaf.analytic.size > 1 and max(rows, columns) <= LARGEST_SIDE


def _sides(leaf: LeafReport) -> tuple[int, int]:
    """All axes but the last go down, the last goes right."""
    shape = leaf.analytic.shape
    columns = shape[-1] if shape else 1
    return leaf.analytic.size // max(columns, 1), columns


def _map(leaf: LeafReport) -> str:
    """One square per entry: green right, red wrong (the darker the more), grey kink."""
    rows, columns = _sides(leaf)
    errors = leaf.relative_errors
    squares = []
    for flat in range(leaf.analytic.size):
        row, column = divmod(flat, columns)
        code = int(leaf.codes.flat[flat])
        fill = _red(float(errors.flat[flat])) if code == FAIL else FILLS[code]
        title = html.escape(str(leaf.entry(flat)))
        squares.append(
            f'<rect x="{column * CELL}" y="{row * CELL}" width="{CELL - 1}" height="{CELL - 1}" '
            f'fill="{fill}"><title>{title}</title></rect>'
        )
    shape = " × ".join(map(str, leaf.analytic.shape))
    return (
        f'<p style="margin:8px 0 2px 0">{html.escape(leaf.name)} ({shape}): green right, red wrong '
        "(the darker the more), yellow undecided, grey kink</p>"
        f'<svg width="{columns * CELL}" height="{rows * CELL}" role="img">{"".join(squares)}</svg>'
    )


def _red(relative: float) -> str:
    """From pale at 1e-4 to dark at 1, by the logarithm."""
    depth = float(np.clip(1 + math.log10(max(relative, 1e-12)) / 4, 0.0, 1.0))
    return f"hsl(356, 75%, {80 - 42 * depth:.0f}%)"
