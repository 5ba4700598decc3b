"""The life of the warm process: fork, watch, sweep up.

It listens on the control socket for two words of the grader: ``run``, which comes
with the descriptor of a submission's channel, and ``end``. It answers ``exited`` when the child
has died by itself and ``clean`` when nothing of a submission is left.
"""

from __future__ import annotations

import array
import contextlib
import gc
import os
import select
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any

from autograder.sandbox import inner
from autograder.sandbox.channel import Channel, Closed, FileTransport, SocketTransport
from autograder.sandbox.session import Session, preload
from autograder.sandbox.shell import GradingShell, make_shell
from autograder.sandbox.wire import HEADER, pack, sizes, unpack

SWEEP_SECONDS = 1.0


class Warm:
    """The warm process; at most one child at a time."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.child = 0
        self.shell = warm_up()

    def serve(self) -> None:
        """Until the grader hangs up; then nothing of ours stays behind."""
        self._tell("ready")
        try:
            while True:
                if not self._readable():
                    self._look_after_child()
                    continue
                word, content, descriptors = self._hear()
                if word == "run":
                    self._run(content, descriptors[0])
                elif word == "end":
                    self._end(content)
        except Closed:
            self._sweep()

    def _readable(self) -> bool:
        """Waits for a word or the death of the child; True for a word."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        watch = os.pidfd_open(self.child) if self.child and hasattr(os, "pidfd_open") else -1
        if watch >= 0:
            poll.register(watch, select.POLLIN)
        try:
            timeout = 20 if self.child and watch < 0 else None
            ready = [fd for fd, _ in poll.poll(timeout)]
        finally:
            if watch >= 0:
                os.close(watch)
        return self.control.fileno() in ready

    def _hear(self) -> tuple[str, Any, list[int]]:
        received = array.array("i")
        head, ancillary, _, _ = self.control.recvmsg(HEADER.size, socket.CMSG_SPACE(4))
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received.frombytes(data[:4])
        if not head:
            raise Closed
        structure, _ = sizes(head)
        body = self.control.recv(structure, socket.MSG_WAITALL)
        word, content = unpack(body, b"")
        return word, content, received.tolist()

    def _tell(self, word: str, content: Any = None) -> None:
        with contextlib.suppress(OSError):  # the next read notices that nobody listens
            self.control.sendall(pack((word, content)))

    def _run(self, order: Mapping[str, Any], descriptor: int) -> None:
        os.makedirs(order["scratch"], mode=0o700, exist_ok=True)
        self.child = os.fork()
        if self.child:
            os.close(descriptor)
            return
        status = 1
        try:
            be_a_child(order, descriptor, self.shell)
            status = 0
        except BaseException:
            traceback.print_exc()  # to the jail's log, or to nowhere once the doors are closed
        finally:
            os._exit(status)  # never back into the warm process's own loop

    def _look_after_child(self) -> None:
        with contextlib.suppress(ChildProcessError):
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid == self.child:
                self.child = 0
                self._tell("exited", os.waitstatus_to_exitcode(status))

    def _end(self, order: Mapping[str, Any]) -> None:
        empty = self._sweep()
        for folder in order["clean"]:
            empty = empty_folder(folder) and empty
        self._tell("clean", empty)

    def _sweep(self) -> bool:
        """Kills and reaps every descendant; whether none is left.

        As subreaper this process inherits whatever the student's code detached from itself, so
        its children are all that there is; killing them makes their children ours.
        """
        self.child = 0
        end = time.monotonic() + SWEEP_SECONDS
        while time.monotonic() < end:
            children = inner.children()
            for pid in children:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            try:
                pid, _ = os.waitpid(-1, 0 if children else os.WNOHANG)
            except ChildProcessError:
                return True
        return False


def warm_up() -> GradingShell:
    """Loads everything once; the first cell of a shell is the slowest."""
    shell = make_shell()
    preload()
    shell.run_cell("import numpy as np\nimport matplotlib.pyplot as plt\n1 + 1", store_history=True)
    for name in ("np", "plt", "_", "_i", "_ii", "_iii", "_i1", "_1"):
        shell.user_ns.pop(name, None)
    shell.reset(new_session=True)
    gc.collect()
    gc.freeze()  # a collection in the child would copy every page it shares with us
    return shell


def be_a_child(order: Mapping[str, Any], descriptor: int, shell: GradingShell) -> None:
    """In the forked process: close the doors, then let the student's code in."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.set_inheritable(descriptor, False)
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, 4096)
    os.chdir(order["scratch"])
    os.environ.update(HOME=order["scratch"], TMPDIR=order["scratch"], USER="student")
    sys.path.insert(0, order["scratch"])
    inner.close_doors(order)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    Session(Channel(SocketTransport(socket.socket(fileno=descriptor))), shell).serve()


def empty_folder(folder: str) -> bool:
    """Removes everything in a folder, and what its own attributes could say to the next student;
    whether it is empty now."""
    try:
        os.chmod(folder, 0o755)
        for name in os.listxattr(folder) if hasattr(os, "listxattr") else ():
            os.removexattr(folder, name)
        for root, folders, _ in os.walk(folder):
            for path in (os.path.join(root, name) for name in folders):
                if not os.path.islink(path):
                    os.chmod(path, 0o700)  # even a folder without permissions can be emptied
        for entry in list(os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        os.utime(folder)
    except (OSError, RecursionError):
        return False
    return not os.listdir(folder)


def serve_many(control: int) -> None:
    """The warm process of a jail."""
    inner.become_warm_parent()
    os.set_inheritable(control, False)
    Warm(socket.socket(fileno=control)).serve()


def serve_once() -> None:
    """One submission over stdin and stdout, which the student's code does not see."""
    read_fd, write_fd = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    sys.path.insert(0, os.getcwd())
    Session(Channel(FileTransport(read_fd, write_fd)), warm_up()).serve()
