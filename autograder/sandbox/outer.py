"""The outer wall: bubblewrap, started as an unprivileged user.

Inside there is an interpreter with its packages (without the grader's own), the student edition,
our few modules for the worker, and empty memory-backed folders; no network, no home, no course,
no project. Started by root the jail gets a user id of its own: root inside a namespace that root
made could still write to ``/proc/sys``.
"""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import site
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from autograder.sandbox import inner
from autograder.sandbox.base import environment
from autograder.sandbox.cgroups import Group
from autograder.sandbox.filter import FilterMissing, program
from autograder.sandbox.limits import MIB, Limits
from autograder.sandbox.process import WarmProcess, spawn

SYSTEM_FOLDERS = ("/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec")
SYSTEM_LINKS = ("/bin", "/lib", "/lib32", "/lib64", "/sbin")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/usr/share/zoneinfo")
OURS = ("autograder", "cs_nn")
FIRST_UID = 2_000_000_000
WARM_MEMORY = 256 * MIB
"""For the warm process itself, until it has told what it needs."""

OWN_COPIES = 96 * MIB
"""Pages of the warm process that a child copies by using them."""

SCRATCH = "/tmp/work"
"""The one place besides shared memory where a submission writes; /tmp itself is read-only, as an
interpreter may lie in it that must not be cleared away."""
_count = itertools.count()


class WallsMissing(Exception):
    """This machine cannot give the walls; the message says what to do."""


class Walled(WarmProcess):
    """A warm process within both walls."""

    isolation = "full"

    def __init__(self, edition: Path, limits: Limits) -> None:
        self.group: Group | None = None
        self.kills = 0
        self.own = (0, 0)
        try:
            self.filter = program()
        except FilterMissing as error:
            raise WallsMissing(missing("pyseccomp and libseccomp", "libseccomp2")) from error
        self.bwrap = shutil.which("bwrap")
        if not self.bwrap:
            raise WallsMissing(missing("bubblewrap", "bubblewrap"))
        self.group = Group.make()
        try:
            super().__init__(edition, limits)
        except (TimeoutError, ConnectionError, EOFError) as error:
            raise WallsMissing(self._complaint()) from error
        self.scratch, self.clean = SCRATCH, [SCRATCH, "/dev/shm"]
        if self.group:
            self.own = self.group.used()
        if not self.end():
            self.close()
            raise WallsMissing("the jail could not be emptied; run: csnn doctor")

    def _complaint(self) -> str:
        said = self.complaint.strip().splitlines()[-1:] or ["nothing was said"]
        return (
            f"the jail did not start ({said[0][:200]}); see what is missing with: csnn doctor; "
            "or grade without walls, if you trust every submission: --isolation none"
        )

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        package = self.base.runtime / "autograder" / "sandbox"
        (package / "filter.bpf").write_bytes(self.filter)
        root = os.geteuid() == 0
        edition = self.base.copy_edition(self.edition) if root else self.edition
        binds = [(self.base.runtime, "/runtime"), (edition, "/edition"), *interpreter()]
        if self.group:
            _, processes = self.group.used()
            more = WARM_MEMORY + self.limits.memory
            self.group.limit(more, processes + self.limits.processes + 16)
        script = enter_groups(self.group)
        if root:
            stage, uid = self.base.path / "stage", FIRST_UID + os.getpid() * 16 + next(_count) % 16
            stage.mkdir()
            script += stage_binds(stage, [source for source, _ in binds])
            binds = [(Path(f"/run/{i}"), target) for i, (_, target) in enumerate(binds)]
            script += f"exec setpriv --reuid {uid} --regid {uid} --clear-groups --inh-caps=-all "
        else:
            script += "exec "
        outer = ["unshare", "--mount", "--propagation", "private", "--"] if root else []
        # Not on the command line, which the student's code can read: the grader's paths are ours.
        with tempfile.TemporaryFile() as options:
            options.write("\0".join(bubblewrap(binds, self.limits)).encode() + b"\0")
            options.seek(0)
            inside = [
                str(self.bwrap),
                "--args",
                str(options.fileno()),
                "--",
                *worker_command(descriptor),
            ]
            return spawn(
                [*outer, "/bin/sh", "-ec", script + shlex.join(inside)],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                base=self.base,
                descriptors=[descriptor, options.fileno()],
            )

    def _find_warm(self) -> int:
        pid = self.popen.pid
        while below := inner.children(pid):
            pid = below[0]
        return pid

    def _walls(self) -> dict[str, Any]:
        if self.group:
            memory, processes = self.own
            # A little more than one process may take, so that it meets its own limit first: that
            # one is an exception in its code, this one ends the process.
            memory += self.limits.memory + self.limits.memory // 8 + OWN_COPIES
            self.group.limit(memory, processes + self.limits.processes)
            self.kills = self.group.kills()
        return {"walls": True}

    def rlimits(self) -> dict[str, int]:
        limits = super().rlimits()
        if _processes_are_counted_by_namespace():
            limits["NPROC"] = self.limits.processes + 8
        return limits

    def cpu(self) -> float | None:
        counted = self.group.cpu() if self.group else None
        return super().cpu() if counted is None else counted

    def over_memory(self) -> bool:
        return not self.group and super().over_memory()

    def memory_was_short(self) -> bool:
        return bool(self.group) and self.group.kills() > self.kills

    def close(self) -> None:
        super().close()
        if self.group:
            self.group.remove()


def missing(what: str, package: str) -> str:
    """One sentence with the remedy."""
    return (
        f"{what} is missing, so submissions cannot be walled in. Install it "
        f"(apt install {package}), look at: csnn doctor; or grade without walls, if you trust "
        "every submission: --isolation none"
    )


def interpreter() -> list[tuple[Path, str]]:
    """The interpreter and its packages, each at its own path."""
    wanted = [sys.base_prefix, sys.prefix, *site.getsitepackages()]
    roots: list[Path] = []
    for place in map(Path, wanted):
        if place.is_dir() and place != Path("/usr") and not _within(place, roots):
            roots.append(place)
    return [(root, str(root)) for root in roots]


def _within(place: Path, roots: list[Path]) -> bool:
    return any(place.is_relative_to(root) for root in (*roots, *map(Path, SYSTEM_FOLDERS)))


def hidden_packages() -> list[Path]:
    """The grader's own packages, if they are installed beside the others."""
    places = {Path(place) for place in (*site.getsitepackages(), *sys.path) if "-packages" in place}
    return sorted(place / name for place in places for name in OURS if (place / name).is_dir())


def enter_groups(group: Group | None) -> str:
    """Shell lines that put the shell, and all that comes of it, into a control group."""
    doors = group.doors if group else []
    return "".join(f"echo $$ > {shlex.quote(str(door))}\n" for door in doors)


def stage_binds(stage: Path, sources: list[Path]) -> str:
    """Shell lines that show the sources at ``/run/0``, ``/run/1`` … in this mount namespace.

    As root only: the jail's own user may have no way to the interpreter (a private home), but
    it can read what is mounted where everybody may go. Nobody else sees these mounts.
    """
    place = shlex.quote(str(stage))
    lines = [f"mount -t tmpfs -o mode=755,size=1m tmpfs {place}"]
    for i, source in enumerate(sources):
        lines += [f"mkdir {place}/{i}", f"mount --rbind {shlex.quote(str(source))} {place}/{i}"]
    return "\n".join([*lines, f"mount --rbind {place} /run"]) + "\n"


def bubblewrap(binds: list[tuple[Path, str]], limits: Limits) -> list[str]:
    """Bubblewrap's options."""
    command = ["--unshare-all", "--unshare-user", "--disable-userns"]
    command += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    command += ["--uid", "1000", "--gid", "1000", "--hostname", "notebook"]
    for folder in SYSTEM_FOLDERS:
        if Path(folder).is_dir():
            command += ["--ro-bind", folder, folder]
    for link in SYSTEM_LINKS:
        if Path(link).is_symlink():
            command += ["--symlink", os.readlink(link), link]
        elif Path(link).is_dir():
            command += ["--ro-bind", link, link]
    for file in SYSTEM_FILES:
        command += ["--ro-bind-try", file, file]
    # Before the binds: an interpreter under /tmp must not vanish behind it.
    command += ["--size", str(MIB), "--tmpfs", "/tmp"]
    for source, target in binds:
        command += ["--ro-bind", str(source), target]
    for package in hidden_packages():
        command += ["--tmpfs", str(package), "--remount-ro", str(package)]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for folder in ("/dev/shm", SCRATCH):
        command += ["--size", str(limits.scratch), "--tmpfs", folder]
    for name, value in environment(f"{SCRATCH}/home").items():
        command += ["--setenv", name, value]
    for folder in ("/dev", "/tmp", "/"):
        command += ["--remount-ro", folder]
    return [*command, "--dir", f"{SCRATCH}/home", "--chdir", SCRATCH]


def worker_command(descriptor: int) -> list[str]:
    """The warm process inside."""
    worker = "/runtime/autograder/sandbox/worker.py"
    return [sys.executable, "-s", "-P", "-B", worker, "/edition", str(descriptor)]


def _processes_are_counted_by_namespace() -> bool:
    """Before Linux 5.14 the limit would count all processes of the grader's user."""
    major, minor = (int("".join(filter(str.isdigit, p))) for p in os.uname().release.split(".")[:2])
    return os.geteuid() == 0 or (major, minor) >= (5, 14)
