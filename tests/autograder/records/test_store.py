"""What a teacher loses when these fail: graded work, or the trust that a rerun changes nothing."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.records.files import StoreError
from autograder.records.store import Entry, Store, read_pictures, read_results

A2 = "a2_backprop"


def entry(student: str, score: float = 1.0) -> Entry:
    result = {"student": student, "assignment": A2, "status": "graded", "score": score}
    return Entry(f"key of {student}", result, {"seconds": 0.5}, {"relu_forward": {"error": [[1]]}})


def grade(out: Path, *students: str) -> None:
    with Store(out, A2) as store:
        for student in students:
            store.add(entry(student))
        store.finish(f"key of {student}" for student in students)


def test_results_are_sorted_and_whole_whatever_the_order_of_grading(tmp_path: Path) -> None:
    grade(tmp_path / "1", "bob", "ada", "éva", "\udc80", "a\nb")
    grade(tmp_path / "2", "a\nb", "\udc80", "éva", "bob", "ada")
    one = (tmp_path / "1" / "results.jsonl").read_bytes()
    assert one == (tmp_path / "2" / "results.jsonl").read_bytes()
    assert one.decode("utf-8").count("\n") == 5
    names = [line["student"] for line in read_results(tmp_path / "1")]
    assert names == ["a\nb", "ada", "bob", "éva", "\udc80"]
    assert json.loads((tmp_path / "1" / "timings.jsonl").read_text().split("\n")[1]) == {
        "student": "ada",
        "seconds": 0.5,
    }
    assert read_pictures(tmp_path / "1")["ada"] == {"relu_forward": {"error": [[1]]}}


def test_what_was_graded_before_a_crash_is_kept_and_the_torn_line_is_not(tmp_path: Path) -> None:
    with Store(tmp_path, A2) as store:
        store.add(entry("ada"))
        store.add(entry("bob"))
    journal = tmp_path / ".csnn" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert not (tmp_path / "results.jsonl").exists()
    with Store(tmp_path, A2) as store:
        assert set(store.entries) == {"key of ada"}
        store.add(entry("bob"))
        store.add(entry("eve"))
    with Store(tmp_path, A2) as store:
        assert set(store.entries) == {"key of ada", "key of bob", "key of eve"}


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"null\n", b"\xff\xfe\n", b"[" * 9999 + b"\n"])
def test_a_damaged_journal_costs_time_and_nothing_else(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / ".csnn").mkdir()
    (tmp_path / ".csnn" / "journal.jsonl").write_bytes(damage + entry("ada").to_line() + b'{"ke')
    with Store(tmp_path, A2) as store:
        assert set(store.entries) == {"key of ada"}


def test_who_left_the_class_leaves_the_results(tmp_path: Path) -> None:
    grade(tmp_path, "ada", "bob")
    grade(tmp_path, "ada")
    assert [line["student"] for line in read_results(tmp_path)] == ["ada"]
    with Store(tmp_path, A2) as store:
        assert set(store.entries) == {"key of ada"}


def test_a_failure_of_the_grader_is_in_the_results_and_tried_again(tmp_path: Path) -> None:
    with Store(tmp_path, A2) as store:
        store.add(entry("ada"), keep=False)
        assert [line["student"] for line in store.finish(["key of ada"])] == ["ada"]
    assert [line["student"] for line in read_results(tmp_path)] == ["ada"]
    with Store(tmp_path, A2) as store:
        assert not store.entries


def test_two_graders_on_one_folder(tmp_path: Path) -> None:
    with Store(tmp_path, A2), pytest.raises(StoreError, match="Another grader is writing"):
        Store(tmp_path, A2)
    Store(tmp_path, A2).close()


def test_the_folder_is_free_again_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from autograder.records.store import Store\n"
        "store = Store(Path(sys.argv[1]), 'a2_backprop'); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=False)
    assert done.returncode == -9
    Store(tmp_path, A2).close()


def test_another_assignment_is_not_overwritten(tmp_path: Path) -> None:
    grade(tmp_path, "ada")
    with pytest.raises(StoreError, match="holds the results of a2_backprop"):
        Store(tmp_path, "a3_initialization")
    grade(tmp_path, "ada", "bob")


def test_a_full_disk_stops_with_a_sentence_and_keeps_what_is_graded(
    tmp_path: Path, monkeypatch
) -> None:
    grade(tmp_path, "ada")
    before = (tmp_path / "results.jsonl").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Store(tmp_path, A2) as store, monkeypatch.context() as patch:
        store.add(entry("bob"))
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="is full; make room and run the same command"):
            store.add(entry("eve"))
        with pytest.raises(StoreError, match="is full"):
            store.finish(["key of ada", "key of bob"])
    assert (tmp_path / "results.jsonl").read_bytes() == before
    with Store(tmp_path, A2) as store:
        assert {"key of ada", "key of bob"} <= set(store.entries)


def test_a_read_only_folder_is_one_sentence(tmp_path: Path, monkeypatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", closed)
    with pytest.raises(StoreError, match="cannot be written; choose a folder of your own"):
        Store(tmp_path / "out", A2)


@pytest.mark.parametrize("text", ["{}\n", "[1]\n", '{"student": "ada"', "\x00\n"])
def test_damaged_results_are_named_by_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.jsonl").write_text('{"student": "ada"}\n' + text)
    with pytest.raises(StoreError, match="line 2 is damaged"):
        read_results(tmp_path)


def test_no_results_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="csnn grade ASSIGNMENT SUBMISSIONS --out"):
        read_results(tmp_path)
