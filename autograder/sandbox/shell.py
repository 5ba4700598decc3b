"""Runs a notebook's cells as IPython does, without a screen, a keyboard or a network.

Lives on the student's side only. A failing cell is skipped, a cell that takes too long is
stopped, figures are closed and never drawn, and nothing that a cell prints costs memory.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from autograder.sandbox.clock import TimeLimit, time_limit

INSTALLERS = re.compile(r"\s*(?:sudo\s+)?(?:python\d?\s+-m\s+)?(?:pip\d?|conda|mamba|apt\S*)\s")
MISSING_NAME = re.compile(r"name '(\w+)' is not defined")


class GradingShell(InteractiveShell):
    """An IPython shell that nobody looks at."""

    def enable_gui(self, gui: str | None = None) -> None:
        """No event loop: nothing is shown."""

    def enable_matplotlib(self, gui: str | None = None) -> tuple[str, str]:
        return "agg", "agg"  # drawing each figure would cost more than all other cells together

    def ask_exit(self) -> None:
        raise SystemExit

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """Nobody reads it, and making it takes longer than most cells."""

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        """As `showtraceback`."""

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        yield  # IPython 9 would keep all that is printed in its history, without a limit

    def system(self, cmd: str) -> None:
        if not INSTALLERS.match(cmd):  # there is no network; waiting for it helps nobody
            self.system_raw(cmd)


def make_shell() -> GradingShell:
    """The shell of this process, without history (it would want a thread and a database)."""
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryAccessor.enabled = False
    config.InteractiveShell.colors = "NoColor"
    shell = GradingShell.instance(config=config)
    for name in ("pip", "conda", "mamba", "micromamba", "uv"):
        shell.register_magic_function(_no_installer, magic_name=name)  # type: ignore[arg-type]
    return shell


def _no_installer(line: str) -> None:
    """In place of ``%pip`` and its like: there is no network to install from."""


class Sink(io.StringIO):
    """A stdout that forgets what exceeds its limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, text: str, /) -> int:
        room = self.limit - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 1


class Notebook(Mapping[str, Any]):
    """The namespace after the cells, as the grader looks names up in it.

    A name finds the last callable that a cell bound to it, also when it was deleted or bound to
    something else later; where nothing is found, the deferred cell that defines it is run.
    """

    def __init__(self, shell: InteractiveShell, limits: Mapping[str, Any]) -> None:
        self.shell = shell
        self.limits = limits
        self.space: dict[str, Any] = shell.user_ns
        self.released = set(self.space)
        self.last: dict[str, Any] = {}
        self.deferred: list[tuple[int, str, frozenset[str]]] = []

    def run(self, cells: Sequence[Any], skip: Sequence[int]) -> Iterator[tuple[int, str, str]]:
        """Runs the cells in order; yields (index, status, message) before and after each."""
        for cell in cells:
            index, source = cell["index"], cell["source"].tobytes().decode()
            if cell["deferred"]:
                self.deferred.append((index, source, frozenset(cell["defines"])))
                yield index, "deferred", ""
            elif index not in skip:
                yield index, "running", ""
                yield (index, *self.run_cell(source))
        self.restore()

    def run_cell(self, source: str, depth: int = 0) -> tuple[str, str]:
        """Runs one cell; returns its status and a message."""
        error = self._execute(source)
        name = missing_name(error)
        if name and depth < 8 and self.define(name, depth + 1):
            error = self._execute(source)
        self.remember()
        if error is None or isinstance(error, SystemExit):
            return "ok", ""
        if isinstance(error, TimeLimit):
            return "timeout", "took longer than the time limit"
        return "error", f"{type(error).__name__}: {_text(error)}"[:400]

    def _execute(self, source: str) -> BaseException | None:
        sink = Sink(int(self.limits["output"]))
        try:
            with (
                contextlib.redirect_stdout(sink),
                contextlib.redirect_stderr(sink),
                time_limit(self.limits["cell_seconds"], self.limits["patience"]),
            ):
                result = self.shell.run_cell(source, store_history=True)
            return result.error_before_exec or result.error_in_exec
        except BaseException as error:  # whatever a cell raises ends the cell and no more
            return error
        finally:
            close_figures()

    def remember(self) -> None:
        """Notes what may be asked for by name, so that a later ``del`` does not hide it."""
        for name, thing in self.space.items():
            if callable(thing) or isinstance(thing, ModuleType):
                self.last[name] = thing

    def restore(self) -> None:
        """Binds deleted functions and modules again: other functions may rely on them."""
        for name, thing in self.last.items():
            self.space.setdefault(name, thing)

    def define(self, name: str, depth: int = 0) -> bool:
        """Runs the first deferred cell that defines ``name``; whether there was one."""
        for position, (_, source, defines) in enumerate(self.deferred):
            if name in defines:
                del self.deferred[position]
                self.run_cell(source, depth)
                return True
        return False

    def __getitem__(self, name: str) -> Any:
        if name not in self.space:
            self.define(name)
        thing = self.space[name]
        if not callable(thing) and callable(self.last.get(name)):
            return self.last[name]
        return thing

    def __iter__(self) -> Iterator[str]:
        return iter(self.space)

    def __len__(self) -> int:
        return len(self.space)


def missing_name(error: BaseException | None) -> str:
    """The name that a NameError complains of, or ""."""
    if type(error) is not NameError:
        return ""
    found = MISSING_NAME.search(_text(error))
    return found[1] if found else ""


def close_figures() -> None:
    """As the notebook's inline backend does after each cell."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        with contextlib.suppress(Exception):  # a student may have broken pyplot; not our cell
            pyplot.close("all")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a student's own exception may refuse to be printed
        return ""
