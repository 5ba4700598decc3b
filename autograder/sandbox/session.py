"""One submission on the student's side: runs its cells, then answers calls.

This is the process in which the student's code lives. Nothing in it is trusted by the grader.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import os
import pkgutil
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.sandbox.channel import Channel, Closed
from autograder.sandbox.clock import time_limit
from autograder.sandbox.shell import GradingShell, Notebook, close_figures, missing_name
from autograder.sandbox.wire import WireError, pack
from autograder.student import LocalStudent, Reply, raised
from autograder.values import Handle, Raised, Value


class Session:
    """Serves one channel until it closes."""

    def __init__(self, channel: Channel, shell: GradingShell) -> None:
        self.channel = channel
        self.shell = shell
        self.pid = os.getpid()
        self.turn = threading.RLock()
        self.options = np.get_printoptions()

    def serve(self) -> None:
        """Runs the cells, then answers until the grader hangs up."""
        with contextlib.suppress(Closed, OSError):
            self._prepare()
            while True:
                kind, content = self.channel.receive(proxy=self._proxy)
                try:
                    answer = getattr(self, f"on_{kind}")(**content)
                except BaseException as error:  # a time limit, or what only LocalStudent lets by
                    answer = raised(error)
                if isinstance(answer, Raised) and kind == "call":
                    answer = {"value": answer, "changed": (), "after": {}, "seconds": 0.0}
                self._stay_alone()
                self._send("answer", answer)

    def _prepare(self) -> None:
        _, setup = self.channel.receive()
        for name, content in setup["files"].items():
            write_file(name, content.tobytes())
        self.limits: dict[str, Any] = setup["limits"]
        self.notebook = Notebook(self.shell, self.limits)
        self.student = LocalStudent(self.notebook)
        for index, status, message in self.notebook.run(setup["cells"], setup["skip"]):
            self._stay_alone()
            self._send("cell", {"index": index, "status": status, "message": message})
        self._send("served", None)

    def _stay_alone(self) -> None:
        """A copy that the student's code made with fork must not go on with our work."""
        if os.getpid() != self.pid:
            os._exit(0)

    def _send(self, kind: str, content: Value) -> None:
        try:
            frame = pack((kind, content))
        except WireError as error:
            trouble = Raised("WireError", f"the answer cannot leave the notebook: {error}")
            frame = pack((kind, {"value": trouble, "changed": (), "after": {}, "seconds": 0.0}))
        self.channel.send(frame)

    def _proxy(self, number: int) -> Callable[..., Value]:
        """A function of the grader: asks, and waits for what comes back."""

        def call(*args: Value, **kwargs: Value) -> Value:
            with self.turn:
                self._send("callback", {"id": number, "args": args, "kwargs": kwargs})
                _, value = self.channel.receive(proxy=self._proxy)
            if isinstance(value, Raised):
                kind = getattr(builtins, value.kind, RuntimeError)
                raise kind(value.message)
            return value

        return call

    # ------------------------------------------------------------------ what may be asked

    def on_defines(self, name: str) -> Value:
        with self._limit():
            return self.student.defines(name)

    def on_call(
        self,
        target: str | Handle,
        args: tuple[Value, ...],
        kwargs: Mapping[str, Value],
        options: Mapping[str, Any],
    ) -> Value:
        with self._limit():
            reply = self._call(target, args, kwargs, options)
            while reply.raised and reply.raised.kind == "NameError":
                name = missing_name(NameError(reply.raised.message))
                if not name or not self.notebook.define(name):
                    break
                reply = self._call(target, args, kwargs, options)
            if reply.raised and reply.raised.kind in ("TypeError", "AttributeError"):
                with self.notebook.unshadowed() as changed:
                    again = self._call(target, args, kwargs, options) if changed else reply
                reply = reply if again.raised else again
        close_figures()
        return {
            "value": reply.value,
            "changed": reply.changed,
            "after": dict(reply.after),
            "seconds": reply.seconds,
        }

    def _call(self, target: Any, args: Any, kwargs: Any, options: Any) -> Reply:
        with contextlib.redirect_stderr(io.StringIO()):
            return self.student.call(target, *args, **options, **kwargs)

    def on_hold(self, value: Value) -> Value:
        with self._limit():
            return self.student.hold(value)

    def on_read(self, handle: Handle, path: str) -> Value:
        with self._limit():
            return self.student.read(handle, path)

    def on_write(self, handle: Handle, attribute: str, value: Value) -> Value:
        with self._limit():
            return self.student.write(handle, attribute, value)

    def on_reset(self, seed: int, limits: Mapping[str, Any]) -> Value:
        self.limits.update(limits)
        self.student.reset(seed)
        np.set_printoptions(**self.options)
        warnings.resetwarnings()
        return None

    def _limit(self) -> contextlib.AbstractContextManager[None]:
        return time_limit(self.limits["call_seconds"], self.limits["patience"])


def write_file(name: str, content: bytes) -> None:
    """A file of the submission, in the working folder and nowhere else."""
    path = os.path.normpath(name)
    if os.path.isabs(path) or path.startswith(".."):
        return
    if folder := os.path.dirname(path):
        os.makedirs(folder, exist_ok=True)
    with open(path, "wb") as out:
        out.write(content)


def quiet_matplotlib() -> None:
    """Figures can be made and are never shown, whatever backend a notebook asks for."""
    import matplotlib

    matplotlib.use("agg", force=True)
    import matplotlib.pyplot as plt

    plt.figure().add_subplot()  # loads fonts and backends once, before the fork
    plt.close("all")
    plt.switch_backend = lambda newbackend: None
    plt.show = lambda *args, **kwargs: None


def preload() -> None:
    """What most notebooks import, and the student edition, loaded once for all of them."""
    quiet_matplotlib()
    package = import_or_none("cs_nn")
    for module in pkgutil.walk_packages(getattr(package, "__path__", ()), "cs_nn."):
        import_or_none(module.name)
    import_or_none("autograder.check")


def import_or_none(name: str) -> Any:
    """A module of the edition, or None if the edition has none of this name or a broken one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except Exception:  # the student's own import will say what is wrong
            sys.modules.pop(name, None)
            return None
