"""Memory and processes of a whole jail, counted by the kernel where it lets us.

A group of our own is made *below* the group we live in (version 1), or beside it where version 2
wants that; so whatever limits hold for the grader hold for its jails too. Where neither is
allowed, `Group.make` gives None and memory is sampled instead.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.observe import process_exists

NAME = "csnn-"
_count = itertools.count()


@dataclass
class Group:
    """A group of processes: its folder with the memory files, that with the process count, and
    that with the CPU time."""

    memory: Path
    pids: Path | None
    version: int
    time: Path | None = None

    @staticmethod
    def make(root: Path = Path("/")) -> Group | None:
        """A new group, or None where there are no control groups for us."""
        name = f"{NAME}{os.getpid()}-{next(_count)}"
        homes = dict(_homes(root))
        if "memory" in homes:
            memory = _make(homes["memory"], name)
            pids = _make(homes["pids"], name) if "pids" in homes else None
            time = _make(homes["cpuacct"], name) if memory and "cpuacct" in homes else None
            return Group(memory, pids, 1, time) if memory else None
        if "unified" in homes:
            for home in (homes["unified"], *homes["unified"].parents):
                if {"memory", "pids"} <= set(_read(home / "cgroup.subtree_control").split()):
                    made = _make(home, name)
                    return Group(made, made, 2, made) if made else None
        return None

    @property
    def doors(self) -> list[Path]:
        """The files into which a process writes its id to enter."""
        folders = (self.memory, self.pids, self.time)
        return sorted({folder / "cgroup.procs" for folder in folders if folder})

    def limit(self, memory: int, processes: int) -> None:
        """Allows this much beside what is used now."""
        limit = "memory.limit_in_bytes" if self.version == 1 else "memory.max"
        (self.memory / limit).write_text(str(memory))
        if self.pids:
            (self.pids / "pids.max").write_text(str(processes))

    def used(self) -> tuple[int, int]:
        """Bytes and processes in the group now."""
        name = "memory.usage_in_bytes" if self.version == 1 else "memory.current"
        pids = _read(self.pids / "pids.current") if self.pids else ""
        return int(_read(self.memory / name) or 0), int(pids or 0)

    def cpu(self) -> float | None:
        """CPU seconds of all that ever ran in the group, as the kernel counts them; or None."""
        if self.time is None:
            return None
        if self.version == 1:
            return int(_read(self.time / "cpuacct.usage") or 0) / 1e9
        for line in _read(self.time / "cpu.stat").splitlines():
            word, _, number = line.partition(" ")
            if word == "usage_usec":
                return int(number) / 1e6
        return None

    def kills(self) -> int:
        """How many processes were killed for want of memory."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        for line in _read(self.memory / name).splitlines():
            word, _, number = line.partition(" ")
            if word == "oom_kill":
                return int(number)
        return 0

    def remove(self) -> None:
        """The group must be empty; a group that is not is swept by a later grader."""
        for folder in {self.memory, self.pids or self.memory, self.time or self.memory}:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _homes(root: Path) -> Iterator[tuple[str, Path]]:
    """Per controller the folder of the group that this process is in."""
    mounts = {}
    for line in _read(root / "proc/self/mounts").splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup":
            mounts |= {option: root / place.lstrip("/") for option in options.split(",")}
        elif kind == "cgroup2":
            mounts["unified"] = root / place.lstrip("/")
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in (controllers or "unified").split(","):
            if controller in mounts:
                yield controller, mounts[controller] / path.lstrip("/")


def _make(home: Path, name: str) -> Path | None:
    _sweep(home)
    try:
        (home / name).mkdir()
    except OSError:
        return None
    return home / name


def _sweep(home: Path) -> None:
    """Removes empty groups of graders that were killed."""
    for old in home.glob(f"{NAME}*"):
        pid = old.name.removeprefix(NAME).partition("-")[0]
        if pid.isdigit() and not process_exists(int(pid)):
            with contextlib.suppress(OSError):
                old.rmdir()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
