"""Formulas set in advance, as MathML, for pages that are read without a network.

nbgrader's feedback fetches MathJax from elsewhere; JupyterLab shows such a page without running its
scripts, and a student on a train sees dollars and backslashes. Browsers draw MathML by themselves.
"""

from __future__ import annotations

import re
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

_CODE_OR_FORMULA = re.compile(
    r"(?P<code>^```.*?^```|(?P<ticks>`+)[^`].*?(?P=ticks))"
    r"|\$\$(?P<block>[^$]+?)\$\$"
    r"|(?<![\\\w$])\$(?P<line>[^$\s](?:[^$\n]|\n(?!\n))*?)(?<![\s\\])\$(?!\d)",
    re.DOTALL | re.MULTILINE,
)
_MARKDOWNS_OWN = re.compile(r"[*_\\`~\[\]$]")


class SetFormulas(Preprocessor):
    """Turns the formulas of the feedback's texts into MathML; other pages stay as they are."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """A text cell with its formulas set, on feedback's pages alone."""
        exporter = self.parent
        is_feedback = isinstance(exporter, TemplateExporter) and (
            exporter.template_name == "feedback"
        )
        if is_feedback and cell.cell_type == "markdown":
            cell.source = with_formulas_set(cell.source)
        return cell, resources


def with_formulas_set(text: str) -> str:
    """Markdown with ``$…$`` and ``$$…$$`` as MathML; what cannot be set stays as it is."""
    return _CODE_OR_FORMULA.sub(_set, text)


def _set(found: re.Match[str]) -> str:
    if found["code"] is not None:
        return found[0]
    from latex2mathml.converter import convert

    block = found["block"] is not None
    try:
        made = convert(found["block"] or found["line"], display="block" if block else "inline")
    except Exception:  # whatever a student typed between dollars
        return found[0]
    # Between tags Markdown still reads; its own signs go as entities.
    parts = re.split(r"(<[^>]*>)", made)
    parts[::2] = [_MARKDOWNS_OWN.sub(lambda m: f"&#{ord(m[0])};", part) for part in parts[::2]]
    return "".join(parts)
