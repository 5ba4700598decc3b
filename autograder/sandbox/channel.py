"""Frames over a socket or a pair of pipes, with a deadline on every read.

Both sides use `Channel`. The trusted side gives it a ``watch``, called whenever nothing has
arrived for a moment; it raises when time or memory is used up, and may shorten the next wait.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import threading
from collections.abc import Callable
from typing import Protocol

from autograder.sandbox.wire import HEADER, MAX_BLOB, Proxy, sizes, unpack
from autograder.values import Value

CHUNK = 2**18
UNFOLDED = 16
"""Bytes of Python's objects for one byte of a frame's structure, roughly."""


class Closed(Exception):
    """The other side is gone."""


class Transport(Protocol):
    def read(self, timeout: float | None) -> bytes | None:
        """Some bytes; ``None`` when the time is over. Raises `Closed` at the end."""
        ...

    def write(self, data: memoryview, timeout: float | None) -> int:
        """Writes some bytes and says how many (0 when the time is over)."""
        ...

    def close(self) -> None: ...


class SocketTransport:
    """One end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def fileno(self) -> int:
        return self.end.fileno()

    def read(self, timeout: float | None) -> bytes | None:
        try:
            if timeout is not None and not _ready(self.end, select.POLLIN, timeout):
                return None
            data = self.end.recv(CHUNK)
        except OSError as error:
            raise Closed from error
        if not data:
            raise Closed
        return data

    def write(self, data: memoryview, timeout: float | None) -> int:
        try:
            if timeout is None:
                return self.end.send(data[:CHUNK])
            if not _ready(self.end, select.POLLOUT, timeout):
                return 0
            return self.end.send(data[:CHUNK], socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Closed from error

    def close(self) -> None:
        self.end.close()


def _ready(end: socket.socket, event: int, timeout: float) -> bool:
    poll = select.poll()
    poll.register(end, event)
    return bool(poll.poll(max(0, timeout * 1000)))


class PipeTransport:
    """Two pipes, read and written by threads: works where pipes cannot be polled (Windows)."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._incoming: queue.Queue[bytes] = queue.Queue(maxsize=16)
        self._outgoing: queue.Queue[bytes | None] = queue.Queue(maxsize=16)
        for target, fd in ((self._pump_in, read_fd), (self._pump_out, write_fd)):
            threading.Thread(target=target, args=(fd,), daemon=True).start()

    def _pump_in(self, fd: int) -> None:
        data = b"first"
        while data:
            try:
                data = os.read(fd, CHUNK)
            except OSError:
                data = b""
            self._incoming.put(data)
        os.close(fd)

    def _pump_out(self, fd: int) -> None:
        with contextlib.suppress(OSError):  # the reader's end tells that the other side is gone
            while (data := self._outgoing.get()) is not None:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
        os.close(fd)

    def read(self, timeout: float | None) -> bytes | None:
        try:
            data = self._incoming.get(timeout=timeout)
        except queue.Empty:
            return None
        if not data:
            raise Closed
        return data

    def write(self, data: memoryview, timeout: float | None) -> int:
        piece = bytes(data[:CHUNK])
        try:
            self._outgoing.put(piece, timeout=timeout)
        except queue.Full:
            return 0
        return len(piece)

    def close(self) -> None:
        with contextlib.suppress(queue.Full):
            self._outgoing.put_nowait(None)


class FileTransport:
    """Two plain file descriptors that block: the worker's side of the pipes."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.read_fd, self.write_fd = read_fd, write_fd

    def read(self, timeout: float | None) -> bytes | None:
        data = os.read(self.read_fd, CHUNK)
        if not data:
            raise Closed
        return data

    def write(self, data: memoryview, timeout: float | None) -> int:
        return os.write(self.write_fd, data[:CHUNK])

    def close(self) -> None:
        os.close(self.write_fd)


Watch = Callable[[], float]
"""Returns how many seconds may pass before it wants to be asked again; raises to give up."""


class Channel:
    """Frames in both directions.

    Attributes:
        received: about how many bytes all values that came take in memory.
    """

    def __init__(self, transport: Transport, max_blob: int = MAX_BLOB) -> None:
        self.transport = transport
        self.max_blob = max_blob
        self.received = 0
        self._buffer = bytearray()

    def send(self, frame: bytes, watch: Watch | None = None) -> None:
        """Raises `Closed` when nobody is there, and whatever ``watch`` raises."""
        view = memoryview(frame)
        while view:
            view = view[self.transport.write(view, watch() if watch else None) :]

    def receive(self, watch: Watch | None = None, proxy: Proxy | None = None) -> Value:
        """The next value.

        Raises:
            Closed: when nobody is there.
            WireError: when what came is no frame.
            Exception: whatever ``watch`` raises.
        """
        structure, blob = sizes(self._take(HEADER.size, watch), self.max_blob)
        self.received += UNFOLDED * structure + blob
        body = self._take(structure + blob, watch)
        return unpack(body[:structure], body[structure:], proxy)

    def _take(self, size: int, watch: Watch | None) -> bytes:
        # The buffer grows with what has arrived, never with what was announced.
        while len(self._buffer) < size:
            data = self.transport.read(watch() if watch else None)
            if data is not None:
                self._buffer += data
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken

    def close(self) -> None:
        self.transport.close()
