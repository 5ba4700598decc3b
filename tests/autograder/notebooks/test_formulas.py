"""A student who reads feedback offline must not see dollars and backslashes."""

import json

import pytest
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.notebooks.formulas import with_formulas_set
from autograder.notebooks.manifest import ROOT


def page(text: str) -> str:
    """As nbconvert draws it."""
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(with_formulas_set(text))


def test_formulas_in_lines_and_blocks_are_set():
    shown = page("Since $a_1 * b_2 \\ne \\text{fan}_{in}$, we have\n\n$$ y = \\frac{1}{2} $$")
    assert shown.count("<math") == shown.count("</math>") == 2
    assert 'display="block"' in shown
    assert "<mfrac>" in shown
    assert "<em>" not in shown, "no star or underscore of a formula is Markdown's"
    assert "$" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "`$HOME` and ``a $b$ c``",
        "```\nprice = $5 + $6\n```",
        "it costs $5 or $6",
        "a lone $ sign",
        "\\$x\\$",
    ],
)
def test_what_is_no_formula_stays(text):
    assert with_formulas_set(text) == text


def test_what_cannot_be_set_stays():
    assert with_formulas_set("$\\left($") == "$\\left($"


def test_every_formula_of_the_course_can_be_set():
    for file in sorted((ROOT / "assignments").glob("*/*.ipynb")):
        for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                made = with_formulas_set("".join(cell["source"]))
                assert not [p for p in made.split("`")[::2] if "$" in p], file.name
