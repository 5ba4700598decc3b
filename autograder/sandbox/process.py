"""The grader's hold on a warm process: start it, order a child, see that nothing is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from autograder.sandbox import inner
from autograder.sandbox.base import Base, environment, rlimits
from autograder.sandbox.channel import Channel, Closed, PipeTransport, SocketTransport
from autograder.sandbox.limits import Limits
from autograder.sandbox.observe import cpu_below, cpu_seconds, descendants, runs, used_memory
from autograder.sandbox.wire import WireError, pack

START_SECONDS = 60.0
END_SECONDS = 1.5


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


class WarmProcess:
    """A warm process without walls, and the base of the one with walls (`Walled`)."""

    isolation = "none"

    def __init__(self, edition: Path, limits: Limits) -> None:
        self.edition = edition
        self.limits = limits
        self.base = Base()
        self.scratch = str(self.base.scratch)
        self.clean = [self.scratch]
        self.warm = 0
        self.control, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        try:
            self.popen = self._start(theirs.fileno())
            theirs.close()
            self._await("ready", START_SECONDS)
            self.warm = self._find_warm()
        except Closed as error:
            self.complaint = self.base.complaint()
            self.close()
            raise ConnectionError("the warm process ended before it was ready") from error
        except BaseException:
            self.complaint = self.base.complaint()
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
            order = {"scratch": self.scratch, "walls": False, "rlimits": self.rlimits()}
            order |= self._walls()
            socket.send_fds(self.control, [pack(("run", order))], [theirs.fileno()])
        return Channel(SocketTransport(ours), limits.reply)

    def rlimits(self) -> dict[str, int]:
        return rlimits(self.limits)

    def _walls(self) -> dict[str, Any]:
        return {}

    def end(self) -> bool:
        """Kills what is left of the submission; whether the warm process is clean again."""
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
        """CPU seconds of the submission's processes, as the kernel tells it; None: unknown."""
        return cpu_below(self.warm)

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
        """SIGKILL for the warm process and all below it; returns when they are gone."""
        doomed = descendants(self.popen.pid)
        for pid in reversed(doomed):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.popen.kill()
        self.popen.wait()
        deadline = time.monotonic() + END_SECONDS
        while any(runs(pid) for pid in doomed) and time.monotonic() < deadline:
            time.sleep(0.002)

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
