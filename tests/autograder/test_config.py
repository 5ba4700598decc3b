"""What a teacher loses when these fail: the course's own settings, and its secret."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from autograder.config import (
    ConfigError,
    Course,
    Secret,
    case_seed,
    find_course,
    load_course,
    make_course,
    read_secret,
    user_secret_file,
)

FULL = """
name = "Deep learning"
hints = "aspect"
overlay = "private"
[limits]
call_seconds = 5
[assignments.a2_backprop]
bonus = true
hints = "none"
limits = { memory = 1000, call_seconds = 6 }
[exercises.train_step]
limits = { call_seconds = 20 }
"""


def write_course(folder: Path, text: str) -> Path:
    file = folder / "csnn.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_course_file_decides_limits_hints_and_bonus(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    course = load_course(write_course(tmp_path, FULL))
    assert course.name == "Deep learning"
    assert course.overlay == tmp_path / "private"
    assert (course.hints_for("a1_graphs"), course.hints_for("a2_backprop")) == ("aspect", "none")
    assert (course.has_bonus("a1_graphs"), course.has_bonus("a2_backprop")) == (False, True)
    assert course.limits("a1_graphs")["call_seconds"] == 5
    assert course.limits("a2_backprop")["call_seconds"] == 6
    assert course.limits("a2_backprop")["memory"] == 1000
    assert course.limits("a2_backprop")["processes"] == 64
    assert course.limits("a2_backprop", call_seconds=3, memory=None)["call_seconds"] == 3
    assert course.exercise_limits() == {"train_step": {"call_seconds": 20}}


def test_the_course_is_found_from_a_folder_below(tmp_path: Path) -> None:
    write_course(tmp_path, "name = 'x'")
    (tmp_path / "submitted" / "ada").mkdir(parents=True)
    assert find_course(tmp_path / "submitted" / "ada").folder == tmp_path


def test_no_course_is_a_course_with_defaults(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_course() == Course()
    with pytest.raises(ConfigError, match="csnn course init"):
        find_course(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hints = 'some'", "full, aspect, none"),
        ("hinst = 'full'", "unknown key 'hinst'"),
        ("bonus = 'yes'", "true or false"),
        ("name = 3", "text in quotes"),
        ("[limits]\ncall_second = 3", "unknown key 'call_second'"),
        ("[limits]\ncall_seconds = -3", "positive number"),
        ("[limits]\ncall_seconds = nan", "positive number"),
        ("[limits]\nmemory = true", "positive number"),
        ("[assignments.a2_backprop]\nhints = 'x'", "assignments.a2_backprop.hints"),
        ("[assignments]\na2 = 3", "as a table"),
        ("overlay = 'nowhere'", "not a folder"),
        ("name = ", "not valid TOML"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_course(write_course(tmp_path, text))
    assert "csnn.toml" in str(caught.value)


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    write_course(tmp_path, "")
    secret = find_course(tmp_path).secret()
    assert find_course(tmp_path).secret() == secret
    assert len(secret.key) == 32
    assert [p.name for p in tmp_path.iterdir() if "secret" in p.name] == [".csnn-secret"]
    if sys.platform != "win32":
        assert stat.S_IMODE(os.stat(tmp_path / ".csnn-secret").st_mode) == 0o600
    assert secret.key.hex() not in repr(secret) + secret.version


def test_without_a_course_the_secret_is_the_users(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    assert Course().secret().key
    assert user_secret_file() == tmp_path / "csnn" / "secret"


@pytest.mark.parametrize("text", ["", "abcd", "not hexadecimal", "\xff\xfe"])
def test_a_damaged_secret_is_not_replaced_silently(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="damaged"):
        read_secret(file)


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("ab" * 32)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret(file)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        read_secret(tmp_path / "file" / "secret")


def test_inputs_differ_by_student_exercise_and_secret_and_never_by_run() -> None:
    secret = Secret(bytes(32))
    assert case_seed(secret, "ada", "affine_forward") == 1973160301300133570
    seeds = {
        case_seed(secret, "ada", "affine_forward"),
        case_seed(secret, "bob", "affine_forward"),
        case_seed(secret, "ada", "affine_backward"),
        case_seed(Secret(bytes(31) + b"1"), "ada", "affine_forward"),
        case_seed(secret, "ada:1", "x"),
        case_seed(secret, "ada", "1:x"),
        case_seed(secret, "\udc80", "x"),
    }
    assert len(seeds) == 7
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_new_course_is_a_course_and_keeps_its_secret_out_of_git(tmp_path: Path) -> None:
    made = make_course(tmp_path / "dl", 'Deep "learning" für alle')
    assert made.name == 'Deep "learning" für alle'
    assert load_course(tmp_path / "dl" / "csnn.toml") == made
    assert ".csnn-secret" in (tmp_path / "dl" / ".gitignore").read_text()
    with pytest.raises(ConfigError, match="already"):
        make_course(tmp_path / "dl", "again")
