"""The grader's hold on a warm process: start it, order a child, see that nothing is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from autograder.sandbox import inner
from autograder.sandbox.channel import (
    Channel,
    Closed,
    PipeTransport,
    SocketTransport,
)
from autograder.sandbox.limits import Limits
from autograder.sandbox.wire import WireError, pack

START_SECONDS = 60.0
END_SECONDS = 1.5
PREFIX = "csnn-jail-"
HERE = Path(__file__).resolve().parent
RUNTIME_FILES = (
    "values.py",
    "student.py",
    *(
        f"sandbox/{name}.py"
        for name in ("__init__", "channel", "clock", "inner", "session", "shell", "warm")
    ),
    "sandbox/wire.py",
    "sandbox/worker.py",
)


class Process(Protocol):
    """What `autograder.sandbox.jail` needs of the process that runs submissions."""

    isolation: str

    def begin(self, limits: Limits) -> Channel: ...
    def end(self) -> bool: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...
    def alive(self) -> bool: ...
    def cpu(self) -> float | None: ...
    def over_memory(self) -> bool: ...
    def memory_was_short(self) -> bool: ...
    def child_exited(self) -> bool: ...


class Base:
    """A private folder of one jail: our modules for the worker, a home, a scratch folder."""

    def __init__(self) -> None:
        sweep_stale_folders()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.path.chmod(0o755)
        self.runtime, self.home = self.path / "runtime", self.path / "home"
        self.scratch, self.log = self.path / "work", self.path / "log"
        for folder in (self.home, self.scratch):
            folder.mkdir()
        self._copy_runtime()

    def _copy_runtime(self) -> None:
        package = self.runtime / "autograder"
        (package / "sandbox").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        for name in RUNTIME_FILES:
            shutil.copyfile(HERE.parent / name, package / name)

    @property
    def worker(self) -> Path:
        return self.runtime / "autograder" / "sandbox" / "worker.py"

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def sweep_stale_folders() -> None:
    """Removes what graders that were killed have left in the temporary folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not process_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


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


def environment(home: str) -> dict[str, str]:
    """The worker's whole environment: nothing of the grader's."""
    kept = {}
    if sys.platform == "win32":
        kept = {k: v for k, v in os.environ.items() if k.upper() in ("SYSTEMROOT", "PATH", "TEMP")}
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")}
    return (
        {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": home, "MPLBACKEND": "agg"}
        | {"MPLCONFIGDIR": home, "IPYTHONDIR": f"{home}/ipython", "PYTHONHASHSEED": "0"}
        | one
        | kept
    )


def rlimits(limits: Limits) -> dict[str, int]:
    """The limits that the kernel holds per process (see `inner.set_limits`)."""
    seconds = int(limits.submission_seconds) + 5
    return {
        "AS": limits.memory,
        "CORE": 0,
        "CPU": seconds,
        "FSIZE": limits.file_size,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
        "NOFILE": 256,
    }


class WarmProcess:
    """A warm process without walls, and the base of the one with walls (`Walled`)."""

    isolation = "none"

    def __init__(self, edition: Path, limits: Limits) -> None:
        self.edition = edition
        self.limits = limits
        self.base = Base()
        self.scratch = str(self.base.scratch)
        self.clean = [self.scratch]
        self.child = 0
        self.warm = 0
        self.control, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        try:
            self.popen = self._start(theirs.fileno())
            theirs.close()
            self._await("ready", START_SECONDS)
            self.warm = self._find_warm()
        except BaseException:
            self.close()
            raise

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-s", "-P", "-B", str(self.base.worker)]
        return spawn(
            [*command, str(self.edition), str(descriptor)],
            env=environment(str(self.base.home)),
            base=self.base,
            descriptors=[descriptor],
        )

    def _find_warm(self) -> int:
        return self.popen.pid

    # -------------------------------------------------------------------- submissions

    def begin(self, limits: Limits) -> Channel:
        """Orders a child; returns the channel to it."""
        self.limits = limits
        ours, theirs = socket.socketpair()
        with theirs:
            order = {"scratch": self.scratch, "walls": False, "rlimits": rlimits(limits)}
            order |= self._walls()
            socket.send_fds(self.control, [pack(("run", order))], [theirs.fileno()])
        self.child = 0
        return Channel(SocketTransport(ours), limits.reply)

    def _walls(self) -> dict[str, Any]:
        return {}

    def end(self) -> bool:
        """Kills what is left of the submission; whether the warm process is clean again."""
        self.child = 0
        try:
            self.control.sendall(pack(("end", {"clean": self.clean})))
            return self._await("clean", END_SECONDS) is True and not inner.children(self.warm)
        except (OSError, Closed, WireError, TimeoutError):
            return False

    def _await(self, word: str, seconds: float) -> Any:
        """The content of the warm process's next ``word``; anything else is passed over."""
        channel = Channel(SocketTransport(self.control), max_blob=0)
        deadline = time.monotonic() + seconds

        def watch() -> float:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the warm process did not say {word!r}")
            return left

        while True:
            message = channel.receive(watch)
            if isinstance(message, tuple) and len(message) == 2 and message[0] == word:
                return message[1]

    def child_exited(self) -> bool:
        """Whether the warm process has something to say: its child is dead, or it is itself."""
        try:
            return bool(self.control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) or True)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def cpu(self) -> float | None:
        """CPU seconds of the submission's process, as the kernel tells it; None: unknown."""
        if not self.child:
            found = inner.children(self.warm)
            self.child = found[0] if found else 0
        return cpu_seconds(self.child) if self.child else None

    # ------------------------------------------------------------------------- memory

    def over_memory(self) -> bool:
        """Whether the submission's processes together are above their limit (sampled)."""
        return used_memory(self.warm) > self.limits.memory

    def memory_was_short(self) -> bool:
        return False

    # ---------------------------------------------------------------------- life, death

    def alive(self) -> bool:
        return self.popen.poll() is None

    def kill(self) -> None:
        """SIGKILL for the warm process and all below it, reaped."""
        for pid in reversed(descendants(self.popen.pid)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.popen.kill()
        self.popen.wait()

    def close(self) -> None:
        if hasattr(self, "popen"):
            self.kill()
        self.control.close()
        self.base.remove()


class SingleProcess:
    """A process per submission: for systems without fork."""

    isolation = "none"

    def __init__(self, edition: Path, limits: Limits) -> None:
        self.edition, self.limits = edition, limits
        self.base = Base()
        self.popen: subprocess.Popen[bytes] | None = None

    def begin(self, limits: Limits) -> Channel:
        self.limits = limits
        command = [sys.executable, "-s", "-P", "-B", str(self.base.worker), str(self.edition)]
        self.popen = subprocess.Popen(
            [*command, "once"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(str(self.base.home)),
            cwd=self.base.scratch,
        )
        assert self.popen.stdout is not None
        assert self.popen.stdin is not None
        ends = os.dup(self.popen.stdout.fileno()), os.dup(self.popen.stdin.fileno())
        self.popen.stdout.close()
        self.popen.stdin.close()
        return Channel(PipeTransport(*ends), limits.reply)

    def end(self) -> bool:
        self.kill()
        shutil.rmtree(self.base.scratch, ignore_errors=True)
        self.base.scratch.mkdir(exist_ok=True)
        return not any(self.base.scratch.iterdir())

    def kill(self) -> None:
        if self.popen is not None:
            for pid in reversed(descendants(self.popen.pid)):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
            self.popen.kill()
            self.popen.wait()
            self.popen = None

    def close(self) -> None:
        self.kill()
        self.base.remove()

    def alive(self) -> bool:
        return True  # each submission starts its own

    def cpu(self) -> float | None:
        return cpu_seconds(self.popen.pid) if self.popen else None

    def over_memory(self) -> bool:
        return bool(self.popen) and used_memory(self.popen.pid, own=True) > self.limits.memory

    def memory_was_short(self) -> bool:
        return False

    def child_exited(self) -> bool:
        return self.popen is None or self.popen.poll() is not None


# --------------------------------------------------------------------------------- helpers


def spawn(
    command: Sequence[str], *, env: dict[str, str], base: Base, descriptors: Sequence[int]
) -> subprocess.Popen[bytes]:
    """A process with nothing of ours but the given descriptors; its complaints go to a file."""
    with open(base.log, "ab") as log:
        return subprocess.Popen(
            command,
            env=env,
            cwd=base.home,
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


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
