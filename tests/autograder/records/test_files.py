"""What a teacher loses when these fail: a page overwritten by another student's, a torn file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from autograder.records.files import StoreError, make_folder, safe_name, safe_names, write_whole


@pytest.mark.parametrize("name", ["ada", "Ada_Lovelace", "a.b-c", "x" * 60, "123"])
def test_an_ordinary_name_stays(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/root",
        "..",
        "",
        ".hidden",
        "-rf",
        "a\nb",
        "a,b",
        'a"b',
        "\u202egnp.exe",
        "\udc80bad bytes",
        "con",
        "NUL.txt",
        "x" * 300,
        "Ünal Öz",
        "学生",
        "<script>alert(1)</script>",
        "a\x1b[2Jb",
    ],
)
def test_a_strange_name_stays_in_its_folder(name: str) -> None:
    cleaned = safe_name(name)
    assert cleaned != name
    assert len(cleaned) <= 70
    assert cleaned.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert cleaned.isascii()
    assert cleaned[0] not in ".-"


def test_no_two_students_share_a_file() -> None:
    students = ["ada", "Ada", "ADA ", "a b", "a-b", "a/b", "学生", "老师", "", "..", "."]
    names = safe_names(students)
    assert len({name.lower() for name in names.values()}) == len(students)
    assert names == safe_names(reversed(students))


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "results.jsonl"
    write_whole(file, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"disk that holds .* is full"):
        write_whole(file, "new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["results.jsonl"]


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(StoreError, match="not a folder"):
        make_folder(tmp_path / "out")
    with pytest.raises(StoreError, match="not a folder"):
        make_folder(tmp_path / "out" / "deeper")
