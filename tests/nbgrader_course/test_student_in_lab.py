"""A student in a real browser: red with the mistake's name, then green, then Validate."""

from __future__ import annotations

import shutil

import pytest

from autograder.report import GREEN, RED
from tests.nbgrader_course.classroom import NOTEBOOK, A
from tests.nbgrader_course.lab import Notebook, Notebook7, browser_page, jupyter_lab, picture

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]

WRONG = "def relu_forward(x):\n    return np.abs(x), x"
RIGHT = "def relu_forward(x):\n    return np.maximum(x, 0), x"


def colour(element) -> str:
    style = element.locator("[style*='border-left']").first.get_attribute("style") or ""
    return style.partition("solid ")[2][:7]


def row(output, name: str) -> str:
    named = output.page.get_by_text(name, exact=True)
    return output.locator("tr").filter(has=named).inner_text()


def wrong_then_right(page, notebook, name: str) -> None:
    """Type both, run the check after each, and look at what it shows."""
    notebook.run(notebook.cell("from autograder import check"))
    exercise = notebook.cell("def relu_forward")
    grade = notebook.cell("check(relu_forward)")

    notebook.write(exercise, WRONG)
    notebook.run(exercise)
    output = notebook.run(grade)
    picture(page, f"{name}-wrong", of=grade)
    words = output.inner_text()
    assert colour(output) == RED
    assert "Negative inputs come out positive" in words
    assert "NotYet" in words
    assert "Traceback" not in words

    notebook.write(exercise, RIGHT)
    notebook.run(exercise)
    output = notebook.run(grade)
    picture(page, f"{name}-right", of=grade)
    assert colour(output) == GREEN
    assert "all checks pass" in output.inner_text()
    assert "NotYet" not in output.inner_text()

    mine = notebook.add_below(grade)
    notebook.write(mine, "check()")
    output = notebook.run(mine)
    picture(page, f"{name}-progress", of=output)
    assert "exercises pass their public checks" in output.inner_text()
    assert "✓" in row(output, "relu_forward")
    assert "not started" in row(output, "affine_forward")


def test_red_then_green_then_validate_in_lab(empty_room, tmp_path):
    folder = tmp_path / A
    shutil.copytree(empty_room.root / "release" / A, folder)
    (folder / "solved.ipynb").write_bytes(empty_room.solution())
    with jupyter_lab(empty_room, folder) as address, browser_page() as (page, complaints):
        notebook = Notebook(page, address, f"{NOTEBOOK}.ipynb")
        wrong_then_right(page, notebook, "lab")
        dialog = notebook.validate()
        picture(page, "lab-validate")
        said = dialog.inner_text()
        assert "check(affine_forward)" in said
        assert "affine_forward is still the empty stub." in said
        assert "check(relu_forward)" not in said, "what is right is not among the failed"
        dialog.locator("button", has_text="Ok").click()

        solved = Notebook(page, address, "solved.ipynb")
        dialog = solved.validate()
        picture(page, "lab-validate-solved")
        assert "Success! Your notebook passes all the tests." in dialog.inner_text()
        assert not complaints
        assert not page.asked_elsewhere


@pytest.mark.nightly
def test_red_then_green_then_validate_in_notebook_7(empty_room, tmp_path):
    folder = tmp_path / A
    shutil.copytree(empty_room.root / "release" / A, folder)
    with (
        jupyter_lab(empty_room, folder, "notebook") as address,
        browser_page() as (page, complaints),
    ):
        notebook = Notebook7(page, address, f"{NOTEBOOK}.ipynb")
        wrong_then_right(page, notebook, "notebook7")
        said = notebook.validate().inner_text()
        assert "check(affine_forward)" in said
        assert "check(relu_forward)" not in said
        # Notebook 7.6 by itself, whatever it opens: its shortcuts are asked for before they load.
        own = "Cannot read properties of undefined (reading 'schema')"
        assert not [words for words in complaints if words != own]
        assert not page.asked_elsewhere
