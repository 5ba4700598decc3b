"""The polite time limit: stops the student's code from inside, so that the rest can go on.

Code that will not be stopped this way (it catches everything, or never leaves C) is killed from
outside a moment later; see `autograder.sandbox.jail`.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class TimeLimit(BaseException):
    """Not an `Exception`, so that ``except Exception`` does not swallow it."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise TimeLimit("took longer than the time limit")


@contextlib.contextmanager
def time_limit(seconds: float, patience: float) -> Iterator[None]:
    """Raises `TimeLimit` after ``seconds`` of CPU or ``patience`` times as much wall time.

    Does nothing where the system has no interval timers (Windows).
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, _stop)
    cpu, _ = signal.setitimer(signal.ITIMER_PROF, seconds)
    wall, _ = signal.setitimer(signal.ITIMER_REAL, seconds * patience)
    try:
        yield
    finally:  # a limit around this one goes on where it was
        signal.setitimer(signal.ITIMER_PROF, cpu)
        signal.setitimer(signal.ITIMER_REAL, wall)
