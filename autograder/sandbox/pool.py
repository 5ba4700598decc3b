"""One jail per process and edition, kept warm, closed when the process ends."""

from __future__ import annotations

import atexit
import os
from multiprocessing import util
from pathlib import Path

from autograder.sandbox.jail import Jail
from autograder.sandbox.limits import Limits

_jails: dict[tuple[int, str, str], Jail] = {}


def jail_here(edition: Path | str, isolation: str = "full", limits: Limits | None = None) -> Jail:
    """The jail of this process for this edition; started at its first submission.

    A process that was forked from one with a jail gets its own.
    """
    key = (os.getpid(), str(Path(edition).resolve()), isolation)
    if key not in _jails:
        if not any(pid == os.getpid() for pid, _, _ in _jails):
            atexit.register(close_jails)
            util.Finalize(None, close_jails, exitpriority=20)  # multiprocessing skips atexit
        _jails[key] = Jail(edition, isolation, limits)
    return _jails[key]


def close_jails() -> None:
    """Closes the jails of this process."""
    for key in [key for key in _jails if key[0] == os.getpid()]:
        _jails.pop(key).close()
