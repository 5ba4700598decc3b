"""What a teacher loses when these fail: grades in the wrong column, or a spreadsheet that runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from autograder.records.exports import cell, export, to_canvas, to_csv, to_gradescope
from autograder.records.files import StoreError
from tests.autograder.records.sample import ATTACKS, a_class, exercise, line


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_csv_has_a_row_per_student_and_a_column_per_exercise() -> None:
    table = rows(to_csv(a_class()))
    assert table[0] == [
        *("student", "assignment", "status", "score", "max_score"),
        *("affine", "relu", "mistakes", "message"),
    ]
    assert table[2][:7] == ["bob", "a2_backprop", "graded", "5.0", "20", "5.0", "0.0"]
    assert table[2][7] == "affine: db-is-a-mean; relu: db-is-a-mean"
    assert len(table) == 5


def test_canvas_finds_its_columns_and_the_points_possible() -> None:
    table = rows(to_canvas(a_class()))
    assert table[0][-1] == "a2_backprop"
    assert (table[1][0], table[1][-1]) == ("Points Possible", "20")
    assert (table[3][3], table[3][-1]) == ("bob", "5.0")


def test_gradescope_gets_scores_and_reasons_as_plain_text() -> None:
    data = json.loads(to_gradescope(a_class()[1]))
    assert data["score"] == 5
    assert data["tests"][0]["max_score"] == 10
    assert "the gradient needs the sum" in data["tests"][0]["output"]
    assert {t["output_format"] for t in data["tests"]} == {"text"}


@pytest.mark.parametrize(
    "attack", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\x00=1", " =1"]
)
def test_no_cell_begins_like_a_formula(attack: str) -> None:
    assert not str(cell(attack)).startswith(("=", "+", "-", "@", "\t", "\r"))
    for table in (to_csv, to_canvas):
        text = table([line(attack, exercise("affine", "failed", attack), message=attack)])
        for row in rows(text):
            assert not [c for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_numbers_stay_numbers() -> None:
    assert [cell(v) for v in (-1.5, 3, None, float("nan"))] == [-1.5, 3, "", ""]


@pytest.mark.parametrize("kind", ["csv", "canvas", "gradescope"])
def test_every_export_bears_what_students_write(tmp_path: Path, kind: str) -> None:
    lines = [line(attack, exercise("affine", "failed", attack)) for attack in ATTACKS]
    to = export(lines, kind, tmp_path / "deep" / "out")
    files = sorted(to.iterdir()) if to.is_dir() else [to]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert len(files) == (len(ATTACKS) if kind == "gradescope" else 1)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_an_unknown_export_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="csv, canvas, gradescope"):
        export(a_class(), "moodle", tmp_path / "x")
    with pytest.raises(StoreError, match="is a folder"):
        export(a_class(), "csv", tmp_path)
