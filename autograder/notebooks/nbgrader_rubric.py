"""The rubric of a written question, shown to whoever grades it and to nobody else.

Formgrader draws a submission through an `HTMLExporter` that runs this preprocessor. Below each
answer it puts what the solution notebook in ``source/`` has there: the reference answer and the
rubric. It is on the page only: no file that a student ever gets holds it.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import TemplateExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader.handlers import template_path

from autograder.notebooks.formulas import SetFormulas

TEMPLATES = Path(__file__).parent / "templates"
"""Ours come first, for pages that are drawn without a network."""
SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)\n### END SOLUTION", re.DOTALL)


def configure_pages(config: Any) -> None:
    """Set the pages of formgrader and of the feedback up in an nbgrader configuration."""
    config.HTMLExporter.preprocessors = [ShowRubrics, SetFormulas]
    config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), template_path]


class ShowRubrics(Preprocessor):
    """Adds a cell for the grader below each written answer, on formgrader's page alone."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The same notebook, or in formgrader a copy with the rubrics in it."""
        exporter = self.parent
        formgrader = isinstance(exporter, TemplateExporter) and (
            exporter.template_name == "formgrade" and "submission_id" in resources
        )
        if not formgrader:
            return nb, resources
        rubrics = self._rubrics(resources["assignment_id"], resources["notebook_id"])
        cells = []
        for cell in nb.cells:
            cells.append(cell)
            own = cell.metadata.get("nbgrader", {})
            if own.get("grade") and own.get("solution") and own["grade_id"] in rubrics:
                cells.append(_for_the_grader(own["grade_id"], rubrics[own["grade_id"]]))
        shown = copy.copy(nb)
        shown.cells = cells
        return shown, resources

    def _rubrics(self, assignment: str, notebook: str) -> dict[str, str]:
        """Grade id → what the solution notebook says there; {} where there is none."""
        course = CourseDirectory(parent=self)
        folder = course.format_path(course.source_directory, ".", assignment)
        try:
            solution = nbformat.read(Path(folder) / f"{notebook}.ipynb", as_version=4)
        except (OSError, ValueError):
            return {}
        return rubrics_of(solution)


def rubrics_of(solution: NotebookNode) -> dict[str, str]:
    """Grade id → reference answer and rubric, of each question in a solution notebook."""
    found: dict[str, str] = {}
    for cell in solution.cells:
        own = cell.metadata.get("nbgrader", {})
        if own.get("grade") and own.get("solution"):
            found[own["grade_id"]] = "\n\n".join(SOLUTION.findall(cell.source))
    return {name: text for name, text in found.items() if text}


def _for_the_grader(name: str, text: str) -> NotebookNode:
    answer, mark, rubric = text.partition("*Rubric.*")
    parts = [f"**Rubric.** {rubric.strip()}"] if mark else []
    parts += [f"**Reference answer.** {answer.strip()}"]
    words = "\n\n".join(parts)
    return nbformat.v4.new_markdown_cell(
        '<div class="alert alert-info">\n\n*For you who grade; students never see this.*\n\n'
        f"{words}\n\n</div>",
        id=re.sub(r"[^a-zA-Z0-9_-]", "-", f"rubric-{name}")[:64],
    )
