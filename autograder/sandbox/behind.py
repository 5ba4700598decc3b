"""A submission's notebook behind the wall, with the calls of `Student`.

Every answer is checked before it is believed to be an answer, every wait has an end, and a
session that dies leaves nothing: the next exercise starts it again without the cell that killed it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.sandbox.channel import Channel, Closed
from autograder.sandbox.limits import MIB, Limits
from autograder.sandbox.wire import WireError, pack, printable
from autograder.student import Reply
from autograder.values import Handle, Raised, Value

if TYPE_CHECKING:
    from autograder.sandbox.jail import Jail

GRACE = 1.0
"""Seconds after the polite limit before the process is killed."""

STATUSES = ("ok", "error", "timeout", "deferred", "killed")
MAX_CALLBACKS = 500_000
MOST_REPLIES = 8
"""All answers and callbacks of one session together hold at most this many of the largest: the
grader keeps what comes until the exercise is judged."""

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class CellOutcome:
    """How a cell ended: "ok", "error", "timeout", "deferred" or "killed" (with the process)."""

    index: int
    status: str
    message: str = ""


class Overrun(Exception):
    """A limit that is held from outside. ``kind``: "timeout" or "memory"."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class JailStudent:
    """A `Student` behind the wall.

    Attributes:
        outcomes: how each cell ended.
        status: "graded", or why no more answers come: "crashed", "timeout", "memory".
        message: the same in words for a teacher.
        limits: may be replaced at any time; holds for the next call.
    """

    def __init__(
        self, jail: Jail, cells: Sequence[Any], files: Mapping[str, bytes], limits: Limits
    ) -> None:
        self.jail = jail
        self.limits = limits
        self.status, self.message = "graded", ""
        self._cells = [_plain_cell(cell) for cell in cells if _is_code(cell)]
        self._files = {name: np.frombuffer(data, np.uint8) for name, data in files.items()}
        self._outcomes: dict[int, CellOutcome] = {}
        self._skip: list[int] = []
        self._lives = limits.lives
        self._renewed = False
        self._channel: Channel | None = None
        self._functions: list[Callable[..., Value]] = []
        self._spent = 0.0
        self._wall_end = time.monotonic() + limits.submission_seconds * limits.patience
        self._sampled = 0.0

    @property
    def outcomes(self) -> tuple[CellOutcome, ...]:
        return tuple(self._outcomes[index] for index in sorted(self._outcomes))

    # --------------------------------------------------------------------- life and death

    def start(self) -> None:
        """Runs the cells; again without the culprit when one of them takes the process along."""
        while self._channel is None and self._lives > 0:
            self._lives -= 1
            self._begin()

    def _begin(self) -> None:
        setup = {"cells": self._cells, "skip": tuple(self._skip), "files": self._files}
        try:
            frame = pack(("setup", setup | {"limits": asdict(self.limits)}))
        except WireError:
            self._lives, self.status, self.message = 0, "crashed", "the submission is too large"
            return
        self.process = self.jail.process()
        self._channel = self.process.begin(self.limits)
        self._functions.clear()
        self._current = -1
        watch = self._watch(self.limits.cell_seconds)
        try:
            self._channel.send(frame, watch)
            while self._follow(self._channel.receive(watch)):
                watch = self._watch(self.limits.cell_seconds)
            self.status, self.message = "graded", ""
        except (Closed, WireError, Overrun) as error:
            self._die(error)
            if self._current >= 0:
                status = "timeout" if self.status == "timeout" else "killed"
                self._outcomes[self._current] = CellOutcome(self._current, status, self.message)
                self._skip.append(self._current)
            else:
                # No cell to blame: the jail may be spoilt. In a new one it would end the same way
                # once more only if it is this submission's own doing.
                self.jail.close()
                self._lives = 0 if self._renewed else self._lives
                self._renewed = True

    def _follow(self, message: Value) -> bool:
        """Notes what the worker says of its cells; False when it has run them all."""
        kind, content = _message(message)
        if kind == "served":
            return False
        fields = content if kind == "cell" and isinstance(content, dict) else {}
        index, status, text = (fields.get(key) for key in ("index", "status", "message"))
        if type(index) is not int or not isinstance(text, str):
            raise WireError("not a cell")
        if index not in {cell["index"] for cell in self._cells}:
            raise WireError("no such cell")
        self._current = index if status == "running" else -1
        if status in STATUSES:
            self._outcomes[index] = CellOutcome(index, status, printable(text, 400))
        return True

    def _die(self, error: Exception) -> None:
        """Ends the session; what is left of it is removed at once."""
        if isinstance(error, Overrun):
            self.status, self.message = error.kind, str(error)
        elif self._channel is not None and self.process.memory_was_short():
            self.status, self.message = "memory", _memory_message(self.limits)
        elif isinstance(error, WireError):
            self.status, self.message = "crashed", "its answer could not be read"
        else:
            self.status, self.message = "crashed", "the process of the notebook died"
        self.stop()

    def stop(self) -> None:
        """Ends the session if there is one."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            self.jail.tidy()

    def _watch(self, seconds: float) -> Callable[[], float]:
        """Raises `Overrun` once the worker has used its time for one cell or call."""
        begun = time.monotonic()
        cpu_begun = self.process.cpu()
        cpu_last = cpu_begun or 0.0
        patience = self.limits.patience

        def watch() -> float:
            nonlocal cpu_begun, cpu_last
            now, cpu = time.monotonic(), self.process.cpu()
            if cpu is not None:
                cpu_begun = cpu if cpu_begun is None else cpu_begun
                self._spent += max(0.0, cpu - cpu_last) if cpu_last else 0.0
                cpu_last = cpu
            used = (cpu or 0.0) - (cpu_begun or 0.0)
            if self._spent > self.limits.submission_seconds or now > self._wall_end:
                self._lives = 0
                raise Overrun("timeout", "the submission took longer than its time limit")
            if used > seconds + GRACE or now - begun > seconds * patience + 2 * GRACE:
                raise Overrun("timeout", "took longer than the time limit")
            if self.process.child_exited():
                raise Closed
            self._sample_memory(now)
            return min(0.1, SAMPLE_SECONDS + (now - begun) / 10)

        return watch

    def _cpu(self) -> float | None:
        return self.process.cpu() if self._channel is not None else None

    def _sample_memory(self, now: float) -> None:
        if now - self._sampled >= SAMPLE_SECONDS:
            if self._sampled and self.process.over_memory():
                raise Overrun("memory", _memory_message(self.limits))
            self._sampled = now

    # ------------------------------------------------------------------------------ calls

    def _ask(self, kind: str, seconds: float, **content: Value) -> Value:
        """One question; the answer as a value, or a `Raised` of kind "TimeLimit" or "Died"."""
        if self._channel is None:
            return Raised("Died", self.message or "the notebook's process has ended")
        frame = pack((kind, content), self._functions)
        watch = self._watch(seconds)
        try:
            self._channel.send(frame, watch)
            for _ in range(MAX_CALLBACKS):
                answer_kind, answer = _message(self._channel.receive(watch))
                if self._channel.received > MOST_REPLIES * self.limits.reply:
                    raise Overrun("memory", "gave back more than all answers together may hold")
                if answer_kind == "answer":
                    return answer
                if answer_kind != "callback":
                    raise WireError("unexpected message")
                self._channel.send(self._serve(answer), watch)
            raise Overrun("timeout", "called the given function too often")
        except (Closed, WireError, Overrun) as error:
            self._die(error)
            kind = "TimeLimit" if self.status == "timeout" else "Died"
            return Raised(kind, self.message)

    def _serve(self, request: Value) -> bytes:
        """The student's code calls one of the grader's functions."""
        if not isinstance(request, dict):
            raise WireError("not a callback")
        number, args, kwargs = (request.get(key) for key in ("id", "args", "kwargs"))
        if type(number) is not int or not 0 <= number < len(self._functions):
            raise WireError("no such function")
        if not isinstance(args, tuple) or not isinstance(kwargs, dict):
            raise WireError("not arguments")
        try:
            with np.errstate(all="ignore"):
                value = self._functions[number](*args, **kwargs)
            return pack(("result", value))
        except Exception as error:  # hostile arguments may raise anything; the words stay here
            kind = type(error).__name__
            return pack(("result", Raised(kind, "the function cannot take these arguments")))

    def defines(self, name: str) -> bool:
        """As `Student.defines`. The first question of an exercise: the dead are woken for it."""
        self.start()
        return self._ask("defines", self.limits.call_seconds, name=name) is True

    def call(
        self,
        target: str | Handle,
        *args: Value,
        method: str = "",
        keep: Sequence[int] | bool = (),
        after: Sequence[str] = (),
        names: Sequence[str] = (),
        **kwargs: Value,
    ) -> Reply:
        options = {
            "method": method,
            "keep": keep if isinstance(keep, bool) else tuple(keep),
            "after": tuple(after),
            "names": tuple(names),
        }
        begun, cpu = time.monotonic(), self._cpu()
        answer = self._ask(
            "call",
            self.limits.call_seconds,
            target=target,
            args=args,
            kwargs=kwargs,
            options=options,
        )
        if isinstance(answer, Raised):
            return Reply(answer)
        reply = _reply(answer)
        now = self._cpu()
        if cpu is not None and now is not None:
            return Reply(reply.value, reply.changed, reply.after, max(0.0, now - cpu))
        seconds = min(max(reply.seconds, 0.0), time.monotonic() - begun)
        return Reply(reply.value, reply.changed, reply.after, seconds)

    def hold(self, value: Value) -> Handle:
        answer = self._ask("hold", self.limits.call_seconds, value=value)
        # No handle came: the session is over, and so says every call that is given this one.
        return answer if isinstance(answer, Handle) else Handle(-1)

    def read(self, handle: Handle, path: str = "") -> Value:
        return self._ask("read", self.limits.call_seconds, handle=handle, path=path)

    def write(self, handle: Handle, attribute: str, value: Value) -> Raised | None:
        answer = self._ask(
            "write", self.limits.call_seconds, handle=handle, attribute=attribute, value=value
        )
        return answer if isinstance(answer, Raised) else None

    def reset(self, seed: int) -> None:
        """Before each exercise. A session that died is started again while it has lives left."""
        self.start()
        self._functions.clear()
        self._ask("reset", self.limits.call_seconds, seed=seed, limits=asdict(self.limits))


def _is_code(cell: Any) -> bool:
    return getattr(cell, "kind", "code") == "code"


def _plain_cell(cell: Any) -> dict[str, Value]:
    return {
        "index": cell.index,
        "source": np.frombuffer(cell.source.encode("utf-8", "replace"), np.uint8),
        "deferred": bool(cell.deferred),
        "defines": tuple(cell.defines),
    }


def _message(message: Value) -> tuple[str, Value]:
    if not isinstance(message, tuple) or len(message) != 2 or not isinstance(message[0], str):
        raise WireError("not a message")
    return message


def _reply(answer: Value) -> Reply:
    """An answer to a call, its form checked."""
    if not isinstance(answer, dict) or "value" not in answer:
        return Reply(Raised("Died", "the answer has no value"))
    changed, after = answer.get("changed"), answer.get("after")
    seconds = answer.get("seconds")
    if not isinstance(changed, (tuple, list)) or not isinstance(after, dict):
        return Reply(Raised("Died", "the answer is malformed"))
    names = tuple(path for path in changed if isinstance(path, str))
    return Reply(answer["value"], names, after, float(seconds or 0.0) if _number(seconds) else 0.0)


def _number(thing: Value) -> bool:
    return isinstance(thing, (int, float)) and not isinstance(thing, bool) and thing == thing


def _memory_message(limits: Limits) -> str:
    return f"used more than {limits.memory // MIB} MiB of memory"
