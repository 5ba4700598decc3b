"""Bounds for code that may eat all memory or never come back: a mutant, a student's cell."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS = 2.0
MEMORY = 1 << 29


class Exceeded(BaseException):
    """Raised by the timer; no ``except Exception`` of the code can catch it."""


@contextlib.contextmanager
def bounded(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Run a block with so much CPU time and so much memory more than now.

    Raises:
        Exceeded: when the time is over (only in a process's main thread, where timers work).
        MemoryError: when the memory is used up (where the system can say how much is used now).
    """
    with _memory(memory), within(seconds):
        yield


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Run a block with so much CPU time.

    Raises:
        Exceeded: when the time is over (only in a process's main thread, where timers work).
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def ring(*_: Any) -> None:
        raise Exceeded

    previous = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


@contextlib.contextmanager
def _memory(more: int) -> Iterator[None]:
    statm = Path("/proc/self/statm")
    if not statm.exists():
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = int(statm.read_text().split()[0]) * resource.getpagesize() + more
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
