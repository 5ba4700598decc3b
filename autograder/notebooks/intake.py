"""The files of one student, wherever they lie: folder, file or archive. Ships to students.

Nothing here trusts a name, a size or a kind of file. Only regular files are opened, links are
followed only inside the student's own folder, and archives are read in memory within limits.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import os
import posixpath
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

LARGEST_FILE = 160 * 2**20
"""Plots make honest notebooks of 100 MB."""

LARGEST_HANDOUT = 256 * 2**20
"""Bytes read for one student, all files together."""
MOST_FILES = 2000
DEEPEST = 6

IGNORED = frozenset(
    {".ipynb_checkpoints", "__MACOSX", ".git", "__pycache__", ".venv", "venv", "node_modules"}
)
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class Entry:
    """A file handed in. ``name`` is relative with forward slashes; ``read`` may raise OSError."""

    name: str
    size: int
    time: float
    read: Callable[[], bytes]


@dataclass
class Intake:
    """All files of one student and what was odd about them."""

    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: int = LARGEST_HANDOUT

    def note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < 20:
            self.notes.append(text)

    def bytes_of(self, entry: Entry) -> bytes | None:
        """The content, or None (with a note) where a limit or the system forbids it."""
        shown = display(entry.name)
        if entry.size > LARGEST_FILE:
            self.note(f"{shown} is larger than {LARGEST_FILE // 2**20} MiB and was not read")
            return None
        if entry.size > self.left:
            self.note(f"{shown} was not read: the files are too large together")
            return None
        self.left -= entry.size  # spent even where reading fails in the end
        try:
            content = entry.read()
        except TooLarge:
            self.note(f"{shown} unpacks to more than its archive says and was not read")
            return None
        except Exception as error:  # damaged archives raise whatever their codec likes
            self.note(f"{shown} could not be read ({_reason(error)})")
            return None
        return content


class TooLarge(Exception):
    """More bytes came out than were announced."""


def display(name: str, limit: int = 80) -> str:
    """A file's name for a teacher's eyes: no control, direction or undecodable characters."""
    text = name.encode("utf-8", "replace").decode("utf-8")
    text = "".join(c if c.isprintable() else "�" for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def gather(path: str, members: tuple[str, ...] = ()) -> Intake:
    """The files at ``path``: a folder, a file, or these members of a folder or archive."""
    intake = Intake()
    try:
        mode = os.stat(path, follow_symlinks=False).st_mode
    except (OSError, ValueError) as error:
        intake.note(f"it could not be opened ({_reason(error)})")
        return intake
    if members and stat.S_ISDIR(mode):
        for name in members:
            _add_file(intake, os.path.realpath(path), name, os.path.join(path, name))
    elif members:
        _from_zip(intake, class_archive(path), members)
    elif stat.S_ISDIR(mode):
        root = os.path.realpath(path)
        for name, full in _walk(intake, path, "", 0):
            _add_file(intake, root, name, full)
    else:
        parent = os.path.realpath(os.path.dirname(path) or ".")
        _add_file(intake, parent, os.path.basename(path), path)
    _unpack(intake)
    return intake


def _walk(intake: Intake, folder: str, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        intake.note(f"folders deeper than {DEEPEST} levels were not searched")
        return
    try:
        with os.scandir(folder) as found:
            items = sorted(found, key=lambda item: item.name)
    except OSError as error:
        intake.note(f"{display(prefix) or 'the folder'} could not be opened ({_reason(error)})")
        return
    for item in items:
        if item.name in IGNORED:
            continue
        name = prefix + item.name
        if item.is_dir(follow_symlinks=False):
            yield from _walk(intake, item.path, name + "/", depth + 1)
        else:
            yield name, item.path


def _add_file(intake: Intake, root: str, name: str, path: str) -> None:
    if len(intake.entries) >= MOST_FILES:
        intake.note(f"only the first {MOST_FILES} files were looked at")
        return
    try:
        real = os.path.realpath(path, strict=True)
        info = os.stat(real)
    except (OSError, ValueError) as error:
        intake.note(f"{display(name)} could not be opened ({_reason(error)})")
        return
    if os.path.commonpath([root, real]) != root:
        intake.note(f"{display(name)} is a link that leads out of the folder; it was not followed")
    elif not stat.S_ISREG(info.st_mode):
        intake.note(f"{display(name)} is no ordinary file; it was not opened")
    else:
        read = functools.partial(_read_file, real)
        intake.entries.append(Entry(name, info.st_size, info.st_mtime, read))


def _read_file(path: str) -> bytes:
    # O_NONBLOCK and the second look: what was a file a moment ago may now be a pipe.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError("no ordinary file")
        return _limited(stream, LARGEST_FILE)


def _limited(stream: Any, limit: int) -> bytes:
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise TooLarge
    return content


def is_archive(name: str) -> bool:
    return name.lower().endswith(ARCHIVES)


def _unpack(intake: Intake) -> None:
    """Put the members of handed-in archives beside the files; archives inside those stay shut."""
    for entry in [e for e in intake.entries if is_archive(e.name)]:
        intake.entries.remove(entry)
        content = intake.bytes_of(entry)
        if content is None:
            continue
        try:
            if content.count(b"PK\1\2") > 10 * MOST_FILES:
                raise TooLarge  # its list alone would take minutes and gigabytes
            if entry.name.lower().endswith(".zip"):
                archive = zipfile.ZipFile(io.BytesIO(content))
                _from_zip(intake, archive, tuple(archive.namelist()))
            else:
                _from_tar(intake, entry, content)
        except TooLarge:
            intake.note(f"{display(entry.name)} unpacks to too much; it was left out")
        except Exception as error:  # damaged archives raise whatever their codec likes
            shown = display(entry.name)
            intake.note(f"{shown} is a damaged or unknown archive ({_reason(error)})")


def safe_member(name: str) -> str:
    """A member's name as a relative path, or "" where it is none (absolute, "..", a drive)."""
    name = name.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return ""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or any(part in IGNORED for part in parts) or len(parts) > DEEPEST + 3:
        return ""
    return posixpath.join(*parts) if parts else ""


def _from_zip(intake: Intake, archive: zipfile.ZipFile, members: tuple[str, ...]) -> None:
    for member in members[:MOST_FILES]:
        info = archive.getinfo(member)
        name = safe_member(info.filename)
        if info.is_dir() or any(p in IGNORED for p in info.filename.split("/")):
            continue
        if not name:
            shown = display(info.filename)
            intake.note(f"{shown} in the archive has a path that leads out of it; left out")
        elif stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            intake.note(f"{display(name)} in the archive is a link or device; left out")
        elif info.flag_bits & 1:
            intake.note(f"{display(name)} is locked with a password; ask for it without")
        else:
            read = functools.partial(_read_member, archive, info)
            year, month, day, hour, minute, second = info.date_time
            time = ((((year * 12 + month) * 31 + day) * 24 + hour) * 60 + minute) * 60 + second
            intake.entries.append(Entry(name, info.file_size, float(time), read))
    if len(members) > MOST_FILES:
        intake.note(f"only the first {MOST_FILES} files of the archive were looked at")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as stream:
        return _limited(stream, min(info.file_size, LARGEST_FILE))


def _from_tar(intake: Intake, entry: Entry, content: bytes) -> None:
    """Unpacked first, within the limit: a tar's headers may themselves be the bomb."""
    unpack = {".gz": gzip.open, ".tgz": gzip.open, ".bz2": bz2.open, ".xz": _open_xz}
    opener = unpack.get(posixpath.splitext(entry.name.lower())[1])
    if opener:
        with opener(io.BytesIO(content)) as stream:
            content = _unpacked(intake, stream)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for count, member in enumerate(archive):
            if count >= MOST_FILES:
                intake.note(f"only the first {MOST_FILES} files of the archive were looked at")
                return
            name = safe_member(member.name)
            if not member.isfile():
                if not member.isdir():
                    shown = display(member.name)
                    intake.note(f"{shown} in the archive is a link or device; left out")
            elif name:
                start = member.offset_data
                data = content[start : start + min(member.size, LARGEST_FILE)]
                read = functools.partial(bytes, data)
                intake.entries.append(Entry(name, member.size, float(member.mtime), read))
            elif not any(part in IGNORED for part in member.name.split("/")):
                shown = display(member.name)
                intake.note(f"{shown} in the archive has a path that leads out of it; left out")


def _unpacked(intake: Intake, stream: Any) -> bytes:
    """All of a stream. What comes out is spent, also where the stream breaks off in the end."""
    pieces, room = [], min(intake.left, LARGEST_FILE)
    while piece := stream.read(2**20):
        room, intake.left = room - len(piece), intake.left - len(piece)
        if room < 0:
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)


def _open_xz(stream: io.BytesIO) -> Any:
    import lzma  # absent from some builds of Python; then such an archive cannot be opened

    return lzma.open(stream)


@functools.lru_cache(maxsize=4)
def _open_archive(path: str, size: int, time: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def class_archive(path: str) -> zipfile.ZipFile:
    """A class's zip, opened once per process: it may hold thousands of students.

    Raises:
        zipfile.BadZipFile, OSError: where it cannot be read as a zip.
    """
    info = os.stat(path)
    return _open_archive(path, info.st_size, info.st_mtime_ns)
