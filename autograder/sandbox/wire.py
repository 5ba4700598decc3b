"""Values as bytes and back. One side of the wire is hostile: every byte of it is checked here.

A frame is a header (two big-endian 32-bit lengths), a *structure* in msgpack and a *blob* with
the bytes of all arrays, one after the other. The structure is small, so that a few bytes can
never unfold into gigabytes of Python objects; an array takes from the blob exactly what its
dtype and shape say. There is no pickle, no object array, no shared memory.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from typing import Any

import msgpack
import numpy as np

from autograder.values import (
    NUMERIC_KINDS,
    Function,
    Handle,
    Named,
    Object,
    Opaque,
    Provided,
    Raised,
    Seed,
    Value,
)

HEADER = struct.Struct(">II")
MAX_STRUCTURE = 2**20
MAX_BLOB = 64 * 2**20
MAX_DEPTH = 24
MAX_NDIM = 16
MAX_TEXT = 20_000


class WireError(Exception):
    """What came is not what the wire carries, or too much of it."""


def printable(text: str, limit: int = MAX_TEXT) -> str:
    """``text`` without control characters (they are spelled out) and not longer than ``limit``.

    Line feeds and tabs stay. Terminal sequences and marks that reverse the direction of reading
    cannot pass, and neither can lone surrogates.
    """
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    if character.isspace():
        return " "
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


# ------------------------------------------------------------------------------- to bytes


class _Encoder:
    """Builds one frame. ``functions`` receives the grader's callables, by position."""

    def __init__(self, functions: list[Callable[..., Value]] | None) -> None:
        self.functions = functions
        self.blobs: list[bytes] = []

    def encode(self, value: Value, depth: int = 0) -> Any:
        if isinstance(value, (np.ndarray, np.generic)):  # first: np.float64 is also a float
            return self._array(np.asarray(value))
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, int):
            # No array holds more; arithmetic with it would fail on the grader's side.
            return value if -(2**63) <= value < 2**63 else ["O", "int beyond 64 bits"]
        if isinstance(value, str):
            text = value if self.functions is not None else value[:MAX_TEXT]
            return text.encode("utf-8", "replace").decode("utf-8")
        if depth > MAX_DEPTH:
            raise WireError("nested too deeply")
        if isinstance(value, (list, tuple)):
            tag = "T" if isinstance(value, tuple) else "L"
            return [tag, *(self.encode(item, depth + 1) for item in value)]
        if isinstance(value, Mapping):
            return {str(k)[:MAX_TEXT]: self.encode(v, depth + 1) for k, v in value.items()}
        return self._named(value, depth + 1)

    def _array(self, array: np.ndarray) -> Any:
        if array.dtype.kind not in NUMERIC_KINDS:
            raise WireError(f"an array of {array.dtype} is not numeric")
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        order = "C" if array.flags.c_contiguous else "F" if array.flags.f_contiguous else "S"
        self.blobs.append(native.tobytes("F" if order == "F" else "C"))
        return ["A", native.dtype.str[1:], list(array.shape), order]

    def _named(self, value: Value, depth: int) -> Any:
        if isinstance(value, Handle):
            return ["H", value.id]
        if isinstance(value, Opaque):
            return ["O", self.encode(value.type_name)]
        if isinstance(value, Raised):
            text = [self.encode(part) for part in (value.kind, value.message, value.line)]
            return ["R", *text, self.encode(value.lineno)]
        if self.functions is None:
            raise WireError(f"{type(value).__name__} cannot cross")
        if isinstance(value, Seed):
            return ["S", self.encode(value.seed)]
        if isinstance(value, Named):
            return ["N", value.name]
        if isinstance(value, Function):
            return ["F", self._register(value.call), value.name, value.into]
        if isinstance(value, Object):
            methods = {name: self._register(call) for name, call in value.methods.items()}
            return ["B", self.encode(value.attributes, depth), methods]
        if isinstance(value, Provided):
            parts = (value.args, value.kwargs, value.attributes)
            encoded = [self.encode(part, depth) for part in parts]
            return ["P", value.path, *encoded, value.construct]
        raise WireError(f"{type(value).__name__} cannot cross")

    def _register(self, call: Callable[..., Value]) -> int:
        assert self.functions is not None
        self.functions.append(call)
        return len(self.functions) - 1


def pack(value: Value, functions: list[Callable[..., Value]] | None = None) -> bytes:
    """One frame. With ``functions`` (the grader's side) recipes and callables may be in it.

    Raises:
        WireError: for what cannot cross, or a frame larger than the other side would accept.
    """
    encoder = _Encoder(functions)
    structure: bytes = msgpack.packb(encoder.encode(value)) or b""
    blob = b"".join(encoder.blobs)
    if len(structure) > MAX_STRUCTURE or len(blob) > MAX_BLOB:
        raise WireError("the value is too large")
    return HEADER.pack(len(structure), len(blob)) + structure + blob


# ----------------------------------------------------------------------------- from bytes

Proxy = Callable[[int], Callable[..., Value]]


class _Decoder:
    """Reads one frame. Without ``proxy`` (the grader's side) only results are legal."""

    def __init__(self, blob: memoryview, proxy: Proxy | None) -> None:
        self.blob = blob
        self.cursor = 0
        self.proxy = proxy

    def decode(self, raw: Any, depth: int = 0) -> Value:
        if raw is None or isinstance(raw, (bool, float)):
            return raw
        if isinstance(raw, int):
            return raw if raw < 2**63 else Opaque("int beyond 64 bits")
        if isinstance(raw, str):
            return printable(raw) if self.proxy is None else raw
        if depth > MAX_DEPTH:
            raise WireError("nested too deeply")
        if isinstance(raw, dict):
            return {self._text(k): self.decode(v, depth + 1) for k, v in raw.items()}
        if not isinstance(raw, list) or not raw:
            raise WireError("not a value")
        tag, *parts = raw
        if tag in ("T", "L"):
            items = [self.decode(part, depth + 1) for part in parts]
            return tuple(items) if tag == "T" else items
        read = _RESULTS.get(tag) if isinstance(tag, str) else None
        if read is None and self.proxy is not None and isinstance(tag, str):
            read = _RECIPES.get(tag)
        if read is None:
            raise WireError("unknown tag")
        return read(self, parts, depth + 1)

    def _text(self, raw: Any, limit: int = MAX_TEXT) -> str:
        if not isinstance(raw, str):
            raise WireError("not a text")
        return printable(raw, limit)

    def array(self, parts: list[Any], depth: int) -> np.ndarray:
        _expect(parts, str, list, str)
        spelling, shape, order = parts
        dtype = _DTYPES.get(spelling)
        if dtype is None or order not in ("C", "F", "S") or len(shape) > MAX_NDIM:
            raise WireError("not a numeric array")
        for n in shape:
            if type(n) is not int or not 0 <= n <= MAX_BLOB:
                raise WireError("not a shape")
        # The zeros of an empty array must not hide dimensions that nobody could allocate.
        if math.prod(n for n in shape if n) * dtype.itemsize > MAX_BLOB:
            raise WireError("array too large")
        size = math.prod(shape) * dtype.itemsize
        piece = self.blob[self.cursor : self.cursor + size]
        if len(piece) != size:
            raise WireError("array without its bytes")
        self.cursor += size
        if dtype.kind == "b":  # any byte but 0 and 1 would be a bool that equals neither
            flat = np.frombuffer(piece, np.uint8) != 0
        else:
            flat = np.frombuffer(piece, dtype).copy()
        if self.proxy is None or order == "C":
            return flat.reshape(shape)
        if order == "F":
            return flat.reshape(shape, order="F")
        return _spread(flat.reshape(shape))

    def handle(self, parts: list[Any], depth: int) -> Handle:
        _expect(parts, int)
        if not 0 <= parts[0] < 2**31:
            raise WireError("not a handle")
        return Handle(parts[0])

    def opaque(self, parts: list[Any], depth: int) -> Opaque:
        _expect(parts, str)
        return Opaque(self._text(parts[0], 200))

    def raised(self, parts: list[Any], depth: int) -> Raised:
        _expect(parts, str, str, str, int)
        kind, message, line, lineno = parts
        lineno = lineno if 0 <= lineno < 2**31 else 0
        return Raised(
            self._text(kind, 100), self._text(message, 2000), self._text(line, 200), lineno
        )

    def seed(self, parts: list[Any], depth: int) -> Seed:
        return Seed(self.decode(parts[0]))

    def named(self, parts: list[Any], depth: int) -> Named:
        return Named(parts[0])

    def function(self, parts: list[Any], depth: int) -> Function:
        assert self.proxy is not None
        number, name, into = parts
        return Function(self.proxy(number), name, into)

    def object(self, parts: list[Any], depth: int) -> Object:
        assert self.proxy is not None
        attributes, methods = self.decode(parts[0], depth), parts[1]
        return Object(attributes, {name: self.proxy(number) for name, number in methods.items()})

    def provided(self, parts: list[Any], depth: int) -> Provided:
        path, *encoded, construct = parts
        args, kwargs, attributes = (self.decode(part, depth) for part in encoded)
        return Provided(path, args, kwargs, attributes, construct)


_RESULTS: dict[str, Any] = {
    "A": _Decoder.array,
    "H": _Decoder.handle,
    "O": _Decoder.opaque,
    "R": _Decoder.raised,
}
_RECIPES: dict[str, Any] = {
    "S": _Decoder.seed,
    "N": _Decoder.named,
    "F": _Decoder.function,
    "B": _Decoder.object,
    "P": _Decoder.provided,
}
_DTYPES = {
    np.dtype(code).str[1:]: np.dtype(code)
    for code in ("?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d", "g")
}


def sizes(header: bytes, max_blob: int = MAX_BLOB) -> tuple[int, int]:
    """The two lengths that a header announces.

    Raises:
        WireError: when they are more than the wire carries.
    """
    structure, blob = HEADER.unpack(header)
    if structure > MAX_STRUCTURE or blob > min(max_blob, MAX_BLOB):
        raise WireError("the frame is too large")
    return structure, blob


def unpack(structure: bytes, blob: bytes, proxy: Proxy | None = None) -> Value:
    """The value of a frame.

    ``proxy`` makes a callable from the number of a function; only the student's side gives it
    (its frames come from the grader and are believed), and only there recipes are legal.

    Raises:
        WireError: for anything that is not exactly one value of the wire.
    """
    try:
        raw = msgpack.unpackb(structure, strict_map_key=True, max_ext_len=0)
    except Exception as error:  # msgpack's own errors have no common base
        raise WireError("not msgpack") from error
    decoder = _Decoder(memoryview(blob), proxy)
    value = decoder.decode(raw)
    if decoder.cursor != len(blob):
        raise WireError("bytes that belong to no array")
    return value


def _expect(parts: list[Any], *types: type) -> None:
    fits = len(parts) == len(types)
    if not fits or any(type(p) is not t for p, t in zip(parts, types, strict=False)):
        raise WireError("malformed value")


def _spread(array: np.ndarray) -> np.ndarray:
    """The same numbers in memory that is not contiguous, as they were on the grader's side."""
    wide = np.empty(tuple(2 * n for n in array.shape), array.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view
