"""The jail: a warm process that is kept between submissions, and replaced when in doubt."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.sandbox.behind import CellOutcome, JailStudent
from autograder.sandbox.limits import Limits
from autograder.sandbox.outer import Walled, WallsMissing
from autograder.sandbox.process import Process, SingleProcess, WarmProcess

__all__ = ["CellOutcome", "Jail", "JailStudent", "WallsMissing"]


class Jail:
    """Runs one submission at a time; stays warm between them; replaces itself when in doubt.

    Args:
        edition: the folder with the student's ``cs_nn`` and the public half of ``autograder``.
        isolation: "full" (both walls) or "none", which must be asked for by name.
        fork: ``False`` starts a process per submission, as on systems without fork.

    Raises:
        WallsMissing: for "full" on a machine that cannot give it, with what to install.
    """

    def __init__(
        self,
        edition: Path | str,
        isolation: str = "full",
        limits: Limits | None = None,
        *,
        fork: bool | None = None,
    ) -> None:
        if isolation not in ("full", "none"):
            raise ValueError(f"isolation is 'full' or 'none', not {isolation!r}")
        self.edition = Path(edition).resolve()
        self.isolation = isolation
        self.limits = limits or Limits()
        self._fork = hasattr(os, "fork") if fork is None else fork
        self._process: Process | None = None
        self.starts = 0

    def __enter__(self) -> Jail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the warm process and removes its folder."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def process(self) -> Process:
        """The warm process, started if there is none alive."""
        if self._process is not None and not self._process.alive():
            self.close()
        if self._process is None:
            self.starts += 1
            kind = WarmProcess if self._fork else SingleProcess
            self._process = (Walled if self.isolation == "full" else kind)(
                self.edition, self.limits
            )
        return self._process

    def tidy(self) -> None:
        """After a submission: a process that is not clean is thrown away."""
        if self._process is not None and not self._process.end():
            self.close()

    @contextlib.contextmanager
    def submission(
        self,
        cells: Sequence[Any],
        files: Mapping[str, bytes] | None = None,
        limits: Limits | None = None,
    ) -> Iterator[JailStudent]:
        """Runs the cells and gives the student to ask; afterwards nothing of it is left."""
        student = JailStudent(self, cells, files or {}, limits or self.limits)
        try:
            student.start()
            yield student
        finally:
            student.stop()
