"""A teacher in formgrader, in a real browser: Autograde, a manual grade, the feedback."""

from __future__ import annotations

import json
import shutil

import pytest

from autograder.records.gradebook import open_gradebook
from tests.nbgrader_course.classroom import (
    FORWARD,
    MEAN,
    NOTEBOOK,
    QUESTION,
    A,
    Classroom,
    changed,
    grades,
)
from tests.nbgrader_course.lab import browser_page, jupyter_lab, picture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.nightly,
    pytest.mark.filterwarnings("ignore"),
]


def test_autograde_manual_grade_and_feedback_by_hand(empty_room, tmp_path):
    from autograder.planting import replaced

    shutil.copytree(empty_room.root, tmp_path / "course")
    room = Classroom(tmp_path / "course", empty_room.home)
    shutil.rmtree(room.root / "submitted", ignore_errors=True)
    name = f"{NOTEBOOK}.ipynb"
    work = replaced({name: room.solution()}, {"affine_forward": FORWARD, "affine_backward": MEAN})
    room.hand_in("grace", {name: changed(work[name], _in_her_words)})
    with jupyter_lab(room, room.root) as address, browser_page() as (page, complaints):
        page.goto(f"{address}/formgrader/manage_submissions/{A}")
        row = page.locator("tr", has_text="grace")
        row.locator(".autograde a").click()
        page.get_by_text("Successfully autograded").wait_for()
        picture(page, "teacher-autograde-log")
        page.locator(".modal .btn", has_text="OK").first.click()
        page.locator(".modal-backdrop").wait_for(state="detached")
        found = {grade: v for (who, grade), v in grades(room.url).items() if who == "grace"}
        total = sum(v["score"] for v in found.values())
        most = sum(v["max"] for v in found.values())
        assert 0 < total < most
        shown = row.locator(".score")
        picture(page, "teacher-autograded")
        assert shown.inner_text() == f"{round(total, 2):g} / {round(most, 2):g}"
        assert "needs manual grading" in row.inner_text()

        with open_gradebook(room.url) as book:
            number = book.find_submission(A, "grace").notebooks[0].id
        # The page's own script fetches the grades last; what is typed before is not heard.
        page.goto(f"{address}/formgrader/submissions/{number}", wait_until="networkidle")
        _rubric_is_there(page)
        points = page.locator(f"input#{QUESTION}")
        with page.expect_response("**/formgrader/api/grade/*") as answer:
            points.fill("1.5")
            points.press("Tab")
        assert answer.value.ok
        picture(page, "teacher-manual-grade")
        entry = grades(room.url)["grace", QUESTION]
        assert entry["manual"] == 1.5
        assert not entry["by hand"]

        page.goto(f"{address}/formgrader/manage_submissions/{A}")
        row = page.locator("tr", has_text="grace")
        assert f"{round(total + 1.5, 2):g} / " in row.locator(".score").inner_text()
        assert not page.asked_elsewhere, "formgrader works without a network"
        row.locator(".generate-feedback a").click()
        page.get_by_text("Successfully generated feedback").wait_for()
        # The server gives files to pages of its own only: a typed address has no referrer.
        with page.expect_navigation():
            page.evaluate(f"location.href = '/files/feedback/grace/{A}/{NOTEBOOK}.html'")
        picture(page, "teacher-feedback", of=page.locator("math").nth(20))
        assert page.locator("math").count() > 20, "formulas are drawn"
        assert not page.asked_elsewhere, "and without a network"
        assert "mean" in page.content()
        assert "affine_backward" in page.content()
        assert "Rubric" not in page.content()
        assert "students never see this" not in page.content()
        assert not complaints, json.dumps(complaints)


def test_the_table_shows_what_the_results_have_for_everyone(room):
    """Everyone's total on formgrader's own page, partial credit and points by hand in it."""
    with open_gradebook(room.url) as book:
        for student, given in {"wrong": 1.25, "split": 0.5}.items():
            grade = book.find_grade(QUESTION, NOTEBOOK, A, student)
            grade.manual_score, grade.needs_manual_grade = given, False
        book.db.commit()
    found, lines = grades(room.url), room.lines()
    with jupyter_lab(room, room.root) as address, browser_page() as (page, complaints):
        page.goto(f"{address}/formgrader/manage_submissions/{A}", wait_until="networkidle")
        rows = page.locator("#main-table tr")
        assert rows.count() == len(lines)
        picture(page, "teacher-class")
        for row in rows.all():
            student = row.locator(".student-id").inner_text()
            by_hand = found[student, QUESTION]["manual"] or 0
            scores = {f"check-{e['name']}": e["score"] for e in lines[student]["exercises"]}
            total = sum(scores.get(name, 0) for who, name in found if who == student)
            said, _, most = row.locator(".score").inner_text().partition(" / ")
            assert float(said) == pytest.approx(total + by_hand, abs=0.01), student
            assert float(most) == pytest.approx(35)
            assert row.locator(".status").inner_text() != "needs autograding"
        assert not complaints
        assert not page.asked_elsewhere


def _in_her_words(cells):
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == QUESTION:
            cell["source"] = "(a) Units fall silent, $h = 0$, each in its turn. (b) They vote."


def _rubric_is_there(page):
    """Below the answer: what the solution notebook says of it, with its formulas set."""
    rubric = page.locator(".alert", has_text="students never see this")
    words = rubric.inner_text()
    assert "Rubric. 1 point for (a): two different reasons" in words
    assert "Reference answer." in words
    assert "BEGIN SOLUTION" not in words
    page.wait_for_function("() => window.MathJax && MathJax.Hub && !MathJax.Hub.queue.running")
    rubric.locator(".MathJax").first.wait_for()
    picture(page, "teacher-rubric", of=rubric)
