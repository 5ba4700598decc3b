"""Results on disk: a journal while grading, ``results.jsonl`` at once at the end.

The journal keeps one line per graded submission under a key made of everything the result
depends on. A killed run goes on from it, a second run grades only what changed, and neither can
tell: the results come out in the same bytes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from autograder.records.files import StoreError, make_folder, sentence, write_whole

RESULTS = "results.jsonl"
TIMINGS = "timings.jsonl"
_PRIVATE = ".csnn"


@dataclass(frozen=True)
class Entry:
    """One graded submission.

    result:   the student's line of ``results.jsonl``.
    timings:  where the time went, in seconds; never part of the results.
    pictures: by exercise, the data of a drawing of the error.
    """

    key: str
    result: Mapping[str, Any]
    timings: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        return json_line(
            {
                "key": self.key,
                "result": self.result,
                "timings": self.timings,
                "pictures": self.pictures,
            }
        )


def json_line(data: Any) -> bytes:
    """One line of JSON: readable letters, and strict for whatever is in a student's name."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))
    # A lone surrogate cannot be UTF-8; written \udc80 it is what JSON calls it.
    return text.encode("utf-8", "backslashreplace") + b"\n"


class Store:
    """The folder of one grading, held by one grader at a time.

    Raises:
        StoreError: if the folder cannot be used, another grader holds it, or it holds the results
            of another assignment.
    """

    def __init__(self, out: Path, assignment: str) -> None:
        self.out = out
        make_folder(out / _PRIVATE)
        self._lock = _take_lock(out)
        try:
            _same_assignment(out, assignment)
            self._passing: set[str] = set()
            self._journal = out / _PRIVATE / "journal.jsonl"
            self.entries = {entry.key: entry for entry in _read_journal(self._journal)}
            self._stream = _open_journal(self._journal, out)
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the folder."""
        self._stream.close()
        self._lock.close()

    def add(self, entry: Entry, *, keep: bool = True) -> None:
        """Keep one result for good: it survives whatever happens next.

        Args:
            keep: ``False`` for a result that stands in these results only and is tried anew by
                the next run.

        Raises:
            StoreError: if the disk is full or gone.
        """
        self.entries[entry.key] = entry
        if not keep:
            self._passing.add(entry.key)
            return
        try:
            rest = memoryview(entry.to_line())
            while rest:
                rest = rest[self._stream.write(rest) :]
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise sentence(error, self.out) from None

    def finish(self, keys: Iterable[str]) -> list[dict[str, Any]]:
        """Write the results of these entries, sorted by student, and forget all others.

        Returns:
            the lines of ``results.jsonl``.

        Raises:
            StoreError: if they cannot be written; then the old results are untouched.
        """
        kept = sorted((self.entries[key] for key in set(keys)), key=_by_student)
        names = [str(entry.result["student"]) for entry in kept]
        write_whole(self.out / RESULTS, b"".join(json_line(entry.result) for entry in kept))
        write_whole(
            self.out / TIMINGS,
            b"".join(
                json_line({"student": name, **entry.timings})
                for name, entry in zip(names, kept, strict=True)
            ),
        )
        self._stream.close()
        lasting = [entry for entry in kept if entry.key not in self._passing]
        write_whole(self._journal, b"".join(entry.to_line() for entry in lasting))
        self._stream = _open_journal(self._journal, self.out)
        self.entries = {entry.key: entry for entry in kept}
        return [dict(entry.result) for entry in kept]


def read_results(out: Path) -> list[dict[str, Any]]:
    """The lines of ``OUT/results.jsonl`` (or of that file itself).

    Raises:
        StoreError: if there are none, or the file was damaged.
    """
    file = out / RESULTS if out.is_dir() else out
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise StoreError(
            f"There are no results in {out}; grade first: csnn grade ASSIGNMENT SUBMISSIONS "
            f"--out {out}"
        ) from None
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            result = json.loads(line)
            lines.append({**result, "student": str(result["student"])})
        except (ValueError, KeyError, TypeError):
            raise StoreError(
                f"{file}, line {number} is damaged; run 'csnn grade' again: it costs nothing for "
                "what is unchanged."
            ) from None
    return lines


def read_pictures(out: Path) -> dict[str, Mapping[str, Any]]:
    """By student and exercise, the drawings of errors; empty where the journal is gone."""
    journal = out / _PRIVATE / "journal.jsonl"
    return {str(e.result["student"]): e.pictures for e in _read_journal(journal) if e.pictures}


def _by_student(entry: Entry) -> tuple[str, str]:
    return str(entry.result["student"]), entry.key


def _same_assignment(out: Path, assignment: str) -> None:
    try:
        first = (out / RESULTS).read_text(encoding="utf-8").split("\n", 1)[0]
        there = str(json.loads(first)["assignment"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if there != assignment:
        raise StoreError(
            f"{out} holds the results of {there}; choose another folder for {assignment} with "
            "--out."
        )


def _read_journal(file: Path) -> list[Entry]:
    try:
        data = file.read_bytes()
    except OSError:
        return []
    entries = []
    for line in data.split(b"\n")[:-1]:
        try:
            kept = json.loads(line)
            str(kept["result"]["student"])
            entries.append(Entry(kept["key"], kept["result"], kept["timings"], kept["pictures"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # a line that a crash tore is graded again
    return entries


def _open_journal(file: Path, out: Path) -> IO[bytes]:
    try:
        data = file.read_bytes() if file.exists() else b""
        stream = open(file, "ab", buffering=0)  # noqa: SIM115 - closed by Store.close
        # What a crash left behind the last whole line must not become part of the next one.
        stream.truncate(data.rfind(b"\n") + 1)
        return stream
    except OSError as error:
        raise sentence(error, out) from None


def _take_lock(out: Path) -> IO[str]:
    try:
        stream = open(out / _PRIVATE / "lock", "a+", encoding="ascii")  # noqa: SIM115 - held
    except OSError as error:
        raise sentence(error, out) from None
    try:
        if sys.platform == "win32":
            import msvcrt

            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise StoreError(
            f"Another grader is writing to {out}; wait until it is done or choose another folder "
            "with --out."
        ) from None
    return stream
