"""A course: one file ``csnn.toml``, one secret beside it, and what they decide.

``csnn.toml`` (every line is optional)::

    name = "Deep learning, autumn"
    hints = "full"            # full | aspect | none: how much a student's own check says
    bonus = false             # whether starred exercises add to the score
    overlay = "private"       # a folder of the teacher's own cases, relative to this file

    [limits]                  # for every submission
    submission_seconds = 120

    [assignments.a2_backprop]
    bonus = true
    limits = { memory = 4294967296 }

    [exercises.train_step]
    limits = { call_seconds = 20 }

The secret decides which inputs each student is tried on. It lies in ``.csnn-secret`` beside the
file, or, where there is no course folder, once per user.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COURSE_FILE = "csnn.toml"
SECRET_FILE = ".csnn-secret"
HINTS = ("full", "aspect", "none")
LIMITS: Mapping[str, float] = {
    "cell_seconds": 10,
    "call_seconds": 10,
    "submission_seconds": 120,
    "memory": 2 << 30,
    "processes": 64,
    "file_size": 64 << 20,
    "scratch": 256 << 20,
    "output": 1 << 20,
}
"""Names of the limits and DESIGN.md's defaults: seconds, bytes, counts."""

_COURSE_KEYS = {"name", "hints", "bonus", "overlay", "limits", "assignments", "exercises"}


_NEW_COURSE = """\
name = {name}
hints = "full"      # full | aspect | none: how much a student's own check says
bonus = false       # whether starred exercises add to the score

# [limits]          # for every submission; all of them: csnn grade --help
# submission_seconds = 120
"""


class ConfigError(Exception):
    """Something in the course's own files is wrong; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Secret:
    """The course secret, as bytes that never leave the grader, and the name of its version."""

    key: bytes = field(repr=False)

    @property
    def version(self) -> str:
        """A digest that tells secrets apart and gives nothing away."""
        return hmac.new(self.key, b"cs-nn secret version", hashlib.sha256).hexdigest()[:16]


@dataclass(frozen=True)
class Course:
    """What a course decides. ``folder`` is ``None`` where there is no ``csnn.toml``."""

    name: str = "cs-nn"
    folder: Path | None = None
    hints: str = "full"
    bonus: bool = False
    overlay: Path | None = None
    base_limits: Mapping[str, float] = field(default_factory=dict)
    assignments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    exercises: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def limits(self, assignment: str, **flags: float | None) -> dict[str, float]:
        """All limits for one assignment: defaults, then the course, the assignment, the flags."""
        given = {key: value for key, value in flags.items() if value is not None}
        own = self.assignments.get(assignment, {}).get("limits", {})
        return {**LIMITS, **self.base_limits, **own, **given}

    def exercise_limits(self) -> dict[str, dict[str, float]]:
        """What single exercises may use beyond that, by the exercise's name."""
        return {
            name: dict(own["limits"]) for name, own in self.exercises.items() if "limits" in own
        }

    def has_bonus(self, assignment: str) -> bool:
        return bool(self.assignments.get(assignment, {}).get("bonus", self.bonus))

    def hints_for(self, assignment: str) -> str:
        return str(self.assignments.get(assignment, {}).get("hints", self.hints))

    def secret(self) -> Secret:
        """The course's secret, made at first use.

        Raises:
            ConfigError: if it cannot be read or made, is damaged, or others may read it.
        """
        return read_secret(self.folder / SECRET_FILE if self.folder else user_secret_file())


def find_course(start: Path | None = None) -> Course:
    """The course whose ``csnn.toml`` lies in ``start`` (default: here) or a folder above it.

    Raises:
        ConfigError: if that file is wrong, or if ``start`` was given and holds no course.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / COURSE_FILE).is_file():
            return load_course(folder / COURSE_FILE)
    if start is not None:
        raise ConfigError(
            f"There is no {COURSE_FILE} in {start} or above it; make a course there with "
            f"'csnn course init {start}'."
        )
    return Course()


def make_course(folder: Path, name: str) -> Course:
    """Make a course: its file, its secret, and a ``.gitignore`` that keeps the secret at home.

    Raises:
        ConfigError: if there is one already, or the folder cannot be written.
    """
    file = folder / COURSE_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(file, "x", encoding="utf-8") as stream:
            stream.write(_NEW_COURSE.format(name=json.dumps(name, ensure_ascii=False)))
        ignored = folder / ".gitignore"
        if not ignored.exists():
            ignored.write_text(f"{SECRET_FILE}\nsubmitted/\ngraded/\n", encoding="utf-8")
    except FileExistsError:
        raise ConfigError(f"There is a course in {folder} already: {file}.") from None
    except OSError as error:
        raise ConfigError(f"{folder} cannot hold a course ({error.strerror}).") from None
    course = load_course(file)
    course.secret()
    return course


def load_course(file: Path) -> Course:
    """Read one ``csnn.toml``.

    Raises:
        ConfigError: naming the line or key that is wrong.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.") from None
    _known_keys(data, _COURSE_KEYS, str(file))
    course = Course(
        name=_typed(data, "name", str, "cs-nn", file),
        folder=file.parent.resolve(),
        hints=_typed(data, "hints", str, "full", file),
        bonus=_typed(data, "bonus", bool, False, file),
        overlay=_overlay(_typed(data, "overlay", str, "", file), file),
        base_limits=_limits(data.get("limits", {}), f"{file}, [limits]"),
        assignments=_sections(data, "assignments", {"hints", "bonus", "limits"}, file),
        exercises=_sections(data, "exercises", {"limits"}, file),
    )
    for place, hints in [
        ("hints", course.hints),
        *((f"assignments.{a}.hints", course.hints_for(a)) for a in course.assignments),
    ]:
        if hints not in HINTS:
            raise ConfigError(f"{file}: {place} = {hints!r} must be one of {', '.join(HINTS)}.")
    return course


def case_seed(secret: Secret, student: str, exercise: str) -> int:
    """The seed of one student's hidden inputs for one exercise; 63 bits, the same for ever."""
    name = student.encode("utf-8", "surrogatepass")
    text = b"%d:%s:%s" % (len(name), name, exercise.encode())
    return int.from_bytes(hmac.new(secret.key, text, hashlib.sha256).digest()[:8], "big") >> 1


def user_secret_file() -> Path:
    """Where the secret lies for a user without a course folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", "~/AppData/Roaming"))
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config")
    return base.expanduser() / "csnn" / "secret"


def read_secret(file: Path) -> Secret:
    """Read the secret, or make one that only its owner can read.

    Raises:
        ConfigError: if it cannot be read or made, is damaged, or others may read it.
    """
    try:
        if not file.exists():
            _make_secret(file)
        text = file.read_text(encoding="ascii").strip()
        mode = file.stat().st_mode
    except UnicodeDecodeError:
        text, mode = "", 0
    except OSError as error:
        raise ConfigError(
            f"The course secret {file} cannot be used ({error.strerror}); make its folder "
            "readable and writable for you."
        ) from None
    if mode & 0o077 and sys.platform != "win32":
        raise ConfigError(f"Others may read the course secret; run 'chmod 600 {file}'.")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) < 16:
        raise ConfigError(
            f"The course secret {file} is damaged; restore it from a backup, or delete it to get "
            "new hidden inputs for everyone."
        )
    return Secret(key)


def _make_secret(file: Path) -> None:
    # Written whole under another name and then linked: two graders that start together agree on
    # one secret, and a crash leaves either none or a whole one.
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(32) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _overlay(name: str, file: Path) -> Path | None:
    if not name:
        return None
    folder = (file.parent / name).resolve()
    if not folder.is_dir():
        raise ConfigError(f"{file}: overlay = {name!r} is not a folder; make it or take it out.")
    return folder


def _sections(data: Mapping[str, Any], key: str, keys: set[str], file: Path) -> dict[str, Any]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: write [{key}.NAME] for one of the {key}.")
    sections: dict[str, Any] = {}
    for name, section in table.items():
        place = f"{file}, [{key}.{name}]"
        if not isinstance(section, dict):
            raise ConfigError(f"{file}: write [{key}.{name}] as a table.")
        _known_keys(section, keys, place)
        sections[name] = dict(section)
        if "bonus" in section:
            _typed(section, "bonus", bool, False, file)
        if "limits" in section:
            sections[name]["limits"] = _limits(section["limits"], place)
    return sections


def _limits(table: Any, place: str) -> dict[str, float]:
    if not isinstance(table, dict):
        raise ConfigError(f"{place}: limits must be a table such as {{ call_seconds = 20 }}.")
    _known_keys(table, set(LIMITS), place)
    for key, value in table.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise ConfigError(f"{place}: {key} = {value!r} must be a positive number.")
    return dict(table)


def _typed(data: Mapping[str, Any], key: str, kind: type, default: Any, file: Path) -> Any:
    value = data.get(key, default)
    if not isinstance(value, kind):
        wanted = {"str": "a text in quotes", "bool": "true or false"}[kind.__name__]
        raise ConfigError(f"{file}: {key} = {value!r} must be {wanted}.")
    return value


def _known_keys(table: Mapping[str, Any], known: set[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(
                f"{place}: unknown key {key!r}; known are {', '.join(sorted(known))}."
            )
