"""Runs a notebook's cells as IPython does, without a screen, a keyboard or a network.

Lives on the student's side only. A failing cell is skipped, a cell that takes too long is
stopped, figures are closed and never drawn, and nothing that a cell prints costs memory.
"""

from __future__ import annotations

import ast
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

    What follows in a cell that failed is deferred too, a statement at a time: a missing package,
    a file that only the student has, or a long experiment hides no definition below it.
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
            elif index in skip:
                self._defer_definitions(source)
            else:
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
        if error is not None:
            self._defer_rest(source, error)
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

    def _defer_rest(self, source: str, error: BaseException) -> None:
        """Defers the statements below the one that failed; what has run is not run again."""
        trace = error.__traceback__
        while trace and not (
            trace.tb_frame.f_globals is self.space and trace.tb_frame.f_code.co_name == "<module>"
        ):
            trace = trace.tb_next
        if trace is not None:  # else nothing of it ran, as with an error of syntax
            self._defer_statements(source, after=trace.tb_lineno)

    def _defer_definitions(self, source: str) -> None:
        """Of a cell that killed its process: it may hold functions, too."""
        kinds = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
        self._defer_statements(source, kinds=kinds)

    def _defer_statements(
        self, source: str, after: int = 0, kinds: tuple[type[ast.stmt], ...] = (ast.stmt,)
    ) -> None:
        try:
            source = self.shell.transform_cell(source)
            body = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        lines = source.splitlines(keepends=True)
        rest = [s for s in body if s.lineno > after and isinstance(s, kinds)]
        # The last comes first: where a name is bound twice, it is the later binding that counts.
        self.deferred[:0] = [
            (-1, _text_of(statement, lines), frozenset(_bound(statement)))
            for statement in reversed(rest)
        ]

    def remember(self) -> None:
        """Notes what may be asked for by name, so that a later ``del`` does not hide it."""
        for name, thing in self.space.items():
            if _is_code(thing):
                self.last[name] = thing

    def restore(self) -> None:
        """Binds deleted functions and modules again: other functions may rely on them."""
        for name, thing in self.last.items():
            self.space.setdefault(name, thing)

    @contextlib.contextmanager
    def unshadowed(self) -> Iterator[bool]:
        """Modules and functions in place of the data that took their names; whether there are any.

        ``np = 5`` in a late cell costs nothing that was right before.
        """
        mine = {
            name: self.space[name]
            for name, thing in self.last.items()
            if name in self.space and not _is_code(self.space[name])
        }
        self.space.update({name: self.last[name] for name in mine})
        try:
            yield bool(mine)
        finally:
            self.space.update(mine)

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


def _is_code(thing: Any) -> bool:
    return callable(thing) or isinstance(thing, ModuleType)


def _text_of(statement: ast.stmt, lines: Sequence[str]) -> str:
    """A function as it was written, so that errors can quote its lines; the rest by its tree."""
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return ast.unparse(statement)
    first = min(node.lineno for node in (statement, *statement.decorator_list))
    return "".join(lines[first - 1 : statement.end_lineno])


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement may bind."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


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
