"""What is lost when these fail: a student's reason to trust the page, or a teacher's session."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from autograder.records.class_report import class_page, figures, mistakes, needs_eye
from autograder.records.drawing import error_map, histogram, ring, worst_error
from autograder.records.feedback import feedback_page
from autograder.records.words import number, one_line, prose, readable, title
from tests.autograder.records.sample import ATTACKS, a_class, exercise, line

NEEDED = {"html", "head", "meta", "title", "style", "body", "main", "footer", "header", "section"}
NEEDED |= {"article", "div", "p", "span", "small", "b", "br", "h1", "h2", "h3", "ol", "li", "a"}
NEEDED |= {"table", "tr", "th", "td", "code", "details", "summary", "figure", "figcaption"}
NEEDED |= {"svg", "rect", "circle", "line", "text"}


class Page(HTMLParser):
    """The elements, attributes and text of a page as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_inert(html: str) -> Page:
    """Nothing in the page runs, loads or is sent."""
    page = Page(html)
    assert set(page.tags) <= NEEDED
    assert page.tags.count("style") == 1
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("style", "src", "action")
        if name == "href":
            assert value.startswith(("#", "feedback/"))
    assert "default-src 'none'" in html
    assert "unsafe" not in html
    return page


def test_a_page_says_what_is_wrong_before_anything_else() -> None:
    page = assert_inert(feedback_page(a_class()[1], {}, {"relu"}))
    assert page.text.index("What to look at first") < page.text.index("db is the mean")
    assert "0 of 1 functions are correct" in page.text
    assert "★ optional" in page.text
    assert page.text.count("db is the mean: the gradient needs the sum.") == 3


def test_a_page_of_the_best_and_of_the_beginner() -> None:
    best = assert_inert(feedback_page(a_class()[0]))
    assert "All 2 functions are correct." in best.text
    assert "What to look at first" not in best.text
    untouched = line("new", exercise("affine", "not attempted"), exercise("relu", "not attempted"))
    beginner = assert_inert(feedback_page(untouched))
    assert "Nothing is filled in yet." in beginner.text
    assert "Not started" in beginner.text


def test_an_unreadable_submission_is_told_why() -> None:
    page = assert_inert(feedback_page(a_class()[3]))
    assert "could not be graded" in page.text
    assert "it is no JSON" in page.text
    assert "Not started" not in page.text


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_students_write_is_text_and_nothing_else(attack: str) -> None:
    bad = exercise("affine", "failed", attack)
    bad["checks"][1]["name"] = bad["diagnoses"][0]["function"] = attack
    lines = [line(attack, bad, exercise(attack, "partial", attack), status=attack, message=attack)]
    picture = {"aspect": attack, "case": attack, "error": [[1.0]]}
    pages = [
        feedback_page(lines[0], {"affine": picture}),
        class_page(lines, course=attack, links={attack: "feedback/x.html"}),
    ]
    for html in pages:
        page = assert_inert(html)
        assert "\x1b" not in html
        assert "\u202e" not in html
        assert "1337" not in page.text
        html.encode("utf-8")


def test_the_picture_shows_where_and_how_much() -> None:
    html = feedback_page(
        a_class()[1],
        {
            "affine": {
                "aspect": "db",
                "case": "x of shape (3, 4)",
                "error": [[0.0, -2.5], [1, None]],
            }
        },
    )
    page = assert_inert(html)
    assert "[0, 1] -2.5" in html
    assert "[1, 1] not a number" in html
    assert "The largest error is -2.5." in page.text


@pytest.mark.parametrize("error", [None, [], [[]], [1, 2], [[1], [1, 2]], "x", {"a": 1}])
def test_a_picture_without_a_table_is_no_picture(error: object) -> None:
    assert error_map({"error": error}) == ""
    assert worst_error({"error": error}) == ""


def test_the_class_page_counts_mistakes_and_names_who_made_them() -> None:
    lines = a_class()
    first = mistakes(lines)[0]
    assert (first.function, first.code, first.students) == (
        "affine",
        "db-is-a-mean",
        ["bob", "eve"],
    )
    by_name = {row.name: row for row in figures(lines, {"relu"})}
    assert by_name["affine"].passed == 25
    assert by_name["affine"].mean == 5
    assert by_name["relu"].optional
    assert [row["student"] for row in needs_eye(lines)] == ["tom"]
    page = assert_inert(
        class_page(lines, course="Deep learning", links={"bob": "feedback/bob.html"})
    )
    assert "Deep learning" in page.text
    assert ("href", "feedback/bob.html") in page.attributes


def test_a_large_class_folds_its_lists() -> None:
    lines = [line(f"s{i:03}", exercise("affine", "partial", "Sign.")) for i in range(40)]
    assert "and 28 more" in class_page(lines)


def test_results_without_walls_say_so() -> None:
    lines = [{**row, "isolation": "none"} for row in a_class()]
    assert "--isolation none" in class_page(lines)
    assert "--isolation none" not in class_page(a_class())


def test_pages_are_the_same_at_every_writing() -> None:
    assert feedback_page(a_class()[1]) == feedback_page(a_class()[1])
    assert class_page(a_class()) == class_page(a_class())


def test_drawings_bear_scores_out_of_range() -> None:
    assert "stroke-dasharray" not in ring(-1.0)
    assert histogram([-0.2, 1.3, 0.3]).count("<rect") == 3
    assert histogram([]).count("<rect") == 0


def test_text_for_people() -> None:
    assert [number(v) for v in (100.0, 87.5, 1 / 3, 0)] == ["100", "87.5", "0.33", "0"]
    assert title("a2_backprop") == "a2 · backprop"
    assert readable("a\r\nb\x1b[2J\u202e") == "a\nb�[2J�"
    assert one_line(" a\n b\t") == "a b"
    assert prose("`x @ w` & <b>") == "<code>x @ w</code> &amp; &lt;b&gt;"
