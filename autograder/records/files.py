"""Files that are whole or not there, and names of files that come from names of students."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")


class StoreError(Exception):
    """The results cannot be kept or read; the message is one sentence with a remedy."""


def sentence(error: OSError, place: Path) -> StoreError:
    """What an operating system's error means to someone who grades a class."""
    if error.errno in _FULL:
        return StoreError(
            f"The disk that holds {place} is full; make room and run the same command again: what "
            "is graded is kept."
        )
    if error.errno in _CLOSED:
        return StoreError(f"{place} cannot be written; choose a folder of your own with --out.")
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return StoreError(f"{place} is not a folder; choose another with --out.")
    return StoreError(f"{place} cannot be written ({error.strerror}); choose another with --out.")


def make_folder(folder: Path) -> None:
    """Make a folder for results.

    Raises:
        StoreError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise sentence(error, folder) from None


def write_whole(file: Path, data: bytes | str) -> None:
    """Write a file at once: who reads it sees the old one or the new one, never a part.

    Raises:
        StoreError: if it cannot be written; then the old file is untouched.
    """
    data = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with open(draft, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, file)
    except OSError as error:
        raise sentence(error, file.parent) from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def safe_name(student: str) -> str:
    """A file name for a student: ASCII letters, digits, ``.``, ``_`` and ``-`` only.

    A name that had to be changed carries a digest of the original, so that two students never
    share a file.
    """
    plain = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-")[:60]
    if name and name == student and not _WINDOWS.match(name):
        return name
    return _marked(name, student)


def safe_names(students: Iterable[str]) -> dict[str, str]:
    """File names for a class, different also where the disk does not tell ``Ada`` from ``ada``."""
    names = {student: safe_name(student) for student in students}
    folded: dict[str, int] = {}
    for name in names.values():
        folded[name.lower()] = folded.get(name.lower(), 0) + 1
    return {
        student: name if folded[name.lower()] == 1 else _marked(name, student)
        for student, name in names.items()
    }


def _marked(name: str, student: str) -> str:
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name or 'student'}-{digest}"
