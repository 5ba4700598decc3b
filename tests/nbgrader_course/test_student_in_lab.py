"""A student in JupyterLab, in a real browser: red with the mistake's name, then green."""

from __future__ import annotations

import shutil

import pytest

from autograder.report import GREEN, RED
from tests.nbgrader_course.classroom import NOTEBOOK, A
from tests.nbgrader_course.lab import Notebook, browser_page, jupyter_lab, picture

pytestmark = [pytest.mark.browser, pytest.mark.nightly, pytest.mark.filterwarnings("ignore")]

WRONG = "def relu_forward(x):\n    return np.abs(x), x"
RIGHT = "def relu_forward(x):\n    return np.maximum(x, 0), x"


def colour(element) -> str:
    style = element.locator("[style*='border-left']").first.get_attribute("style") or ""
    return style.partition("solid ")[2][:7]


def row(output, name: str) -> str:
    named = output.page.get_by_text(name, exact=True)
    return output.locator("tr").filter(has=named).inner_text()


def test_a_wrong_solution_is_red_and_named_and_the_right_one_green(empty_room, tmp_path):
    folder = tmp_path / A
    shutil.copytree(empty_room.root / "release" / A, folder)
    with jupyter_lab(empty_room, folder) as address, browser_page() as (page, complaints):
        notebook = Notebook(page, address, f"{NOTEBOOK}.ipynb")
        notebook.run(notebook.cell("from autograder import check"))
        exercise = notebook.cell("def relu_forward")
        grade = notebook.cell("check(relu_forward)")

        notebook.write(exercise, WRONG)
        notebook.run(exercise)
        output = notebook.run(grade)
        picture(page, "student-wrong")
        words = output.inner_text()
        assert colour(output) == RED
        assert "Negative inputs come out positive" in words
        assert "NotYet" in words
        assert "Traceback" not in words

        notebook.write(exercise, RIGHT)
        notebook.run(exercise)
        output = notebook.run(grade)
        picture(page, "student-right")
        assert colour(output) == GREEN
        assert "all checks pass" in output.inner_text()
        assert "NotYet" not in output.inner_text()

        mine = notebook.add_below(grade)
        notebook.write(mine, "check()")
        output = notebook.run(mine)
        output.scroll_into_view_if_needed()
        picture(page, "student-progress")
        assert "exercises pass their public checks" in output.inner_text()
        assert "✓" in row(output, "relu_forward")
        assert "not started" in row(output, "affine_forward")
        assert not complaints
