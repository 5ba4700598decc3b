"""What the system says of other processes: who they are, what they have used."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from autograder.sandbox import inner


def process_exists(pid: int) -> bool:
    """Whether some process has this id."""
    if sys.platform == "win32":
        return True  # never remove what may be in use
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def runs(pid: int) -> bool:
    """Whether a process is still able to do anything (a dead one may wait to be reaped)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return not inner.LINUX and process_exists(pid)


def descendants(pid: int) -> list[int]:
    """Children, their children and so on, parents first."""
    found = [*inner.children(pid)]
    for child in found:  # grows while we walk
        found += inner.children(child)
    return found


def cpu_seconds(pid: int) -> float | None:
    """CPU time of another process; None when it is gone or the system does not say."""
    if inner.LINUX:
        try:
            return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3)
        except OSError:
            return None
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return times.user + times.system


def cpu_below(pid: int) -> float | None:
    """CPU time of all processes below ``pid`` and of those they have reaped; None: there are none.

    Work that a submission hands to another process is its work too.
    """
    times = [
        seconds + _reaped(child) for child in descendants(pid) if (seconds := cpu_seconds(child))
    ]
    return sum(times) if times else None


def _reaped(pid: int) -> float:
    """CPU time of the children that a process has waited for."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def used_memory(pid: int, own: bool = False) -> int:
    """Bytes that the processes below ``pid`` hold together.

    Resident pages are counted first, which is quick and counts shared ones more than once; only
    if that is a lot, their proportional share is asked for.
    """
    import psutil

    total = 0
    for child in [*([pid] if own else []), *descendants(pid)]:
        with contextlib.suppress(psutil.Error, OSError):
            total += psutil.Process(child).memory_info().rss
    if total < 2**30 or not inner.LINUX:
        return total
    return sum(_proportional(child) for child in descendants(pid)) or total


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0
