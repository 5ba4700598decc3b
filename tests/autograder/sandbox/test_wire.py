"""What crosses the wire comes out as it went in; what is forged does not come out at all."""

from __future__ import annotations

import math

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.sandbox import wire
from autograder.sandbox.wire import HEADER, WireError, pack, printable, unpack
from autograder.values import Function, Handle, Object, Opaque, Provided, Raised, Seed, Value


def across(value: Value) -> Value:
    """From the student's side to the grader's."""
    frame = pack(value)
    structure, blob = wire.sizes(frame[: HEADER.size])
    body = frame[HEADER.size :]
    assert len(body) == structure + blob
    return unpack(body[:structure], body[structure:])


def forged(raw: object, blob: bytes = b"") -> Value:
    return unpack(msgpack.packb(raw), blob)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**63),
        1.5,
        math.inf,
        "δ loss\n",
        (),
        [],
        {},
        (1, [2.0, {"W1": ("a",)}]),
        Handle(7),
        Opaque("Figure"),
        Raised("ValueError", "no", "x + y", 3),
    ],
)
def test_a_value_comes_out_as_it_went_in(value: Value):
    out = across(value)
    assert out == value
    assert type(out) is type(value)


@pytest.mark.parametrize("code", ["?", "i1", "u2", "i4", "i8", "u8", "f2", "f4", "f8", "g"])
@pytest.mark.parametrize("shape", [(), (0, 3), (3,), (1, 1), (2, 3, 4)])
def test_arrays_keep_dtype_shape_and_bits(code: str, shape: tuple[int, ...]):
    array = np.random.default_rng(5).integers(0, 2, shape).astype(code)
    out = across({"x": array})["x"]
    assert out.dtype == array.dtype
    assert out.shape == shape
    assert np.array_equal(out, array)
    assert out.flags.writeable


def test_an_integer_that_no_array_holds_is_not_handed_to_the_grader():
    assert across([2**63, -(3**80)]) == [Opaque("int beyond 64 bits")] * 2
    assert forged(2**64 - 1) == Opaque("int beyond 64 bits")


def test_numpy_scalars_stay_numpy_scalars():
    out = across(np.float64(0.25))
    assert isinstance(out, np.ndarray)
    assert out.shape == ()
    assert out == 0.25


def test_arguments_keep_their_memory_layout():
    base = np.arange(24.0).reshape(4, 6)
    for array in (base, base.T, base[:, ::2]):
        frame = pack(array, [])
        structure, _ = wire.sizes(frame[: HEADER.size])
        body = frame[HEADER.size :]
        out = unpack(body[:structure], body[structure:], lambda number: abs)
        assert np.array_equal(out, array)
        assert out.flags.c_contiguous == array.flags.c_contiguous
        assert out.flags.f_contiguous == array.flags.f_contiguous


@pytest.mark.parametrize("recipe", [Seed(1), Function(abs), Object({}), Provided("cs_nn.x")])
def test_recipes_cannot_come_from_the_student(recipe: Value):
    with pytest.raises(WireError):
        pack(recipe)
    frame = pack(recipe, [])
    with pytest.raises(WireError):
        unpack(frame[HEADER.size :], b"")


@pytest.mark.parametrize(
    ("raw", "blob"),
    [
        ([], b""),
        (["A"], b""),
        (["A", "O", [1], "C"], b"12345678"),
        (["A", "f8", [2], "C"], b"12345678"),
        (["A", "f8", [1], "C"], b"123456789"),
        (["A", "f8", [-1], "C"], b""),
        (["A", "f8", [True], "C"], b"12345678"),
        (["A", "f8", [1.0], "C"], b"12345678"),
        (["A", "f8", [0, 2**31, 2**31], "C"], b""),
        (["A", "f8", [0] + [2**16] * 8, "C"], b""),
        (["A", "f8", [1] * 17, "C"], b"12345678"),
        (["A", ["f8"], [1], "C"], b"12345678"),
        (["H", -1], b""),
        (["H", True], b""),
        (["R", "E", "m", "l"], b""),
        (["O", 5], b""),
        ([["T"], 1], b""),
        (["Z", 1], b""),
        ({1: 2}, b""),
        (b"bytes", b""),
        (msgpack.ExtType(5, b"x"), b""),
        (msgpack.Timestamp(1), b""),
        (None, b"left over"),
    ],
)
def test_a_forged_value_is_refused(raw: object, blob: bytes):
    packed = raw if isinstance(raw, bytes) else msgpack.packb(raw, strict_types=False)
    with pytest.raises(WireError):
        unpack(msgpack.packb(packed) if isinstance(raw, bytes) else packed, blob)


def test_deep_nesting_is_refused_before_the_stack_ends():
    raw: object = 1
    for _ in range(200):
        raw = ["L", raw]
    with pytest.raises(WireError):
        forged(raw)
    with pytest.raises(WireError):
        unpack(b"\x91" * 100_000 + b"\xc0", b"")


def test_an_announced_length_is_not_believed():
    with pytest.raises(WireError):
        wire.sizes(HEADER.pack(2**32 - 1, 0))
    with pytest.raises(WireError):
        wire.sizes(HEADER.pack(10, 2**31))
    with pytest.raises(WireError):
        wire.sizes(HEADER.pack(10, 2**20), max_blob=1000)


def test_a_forged_bool_is_still_true_or_false():
    out = forged(["A", "b1", [3], "C"], b"\x00\x02\xff")
    assert out.view(np.uint8).tolist() == [0, 1, 1]


def test_text_from_the_student_carries_no_control_characters():
    text = "\x1b[2J red \u202e evil \x00 \x9b \ud800 ok\n"
    shown = printable(text)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.endswith("ok\n")
    assert shown.encode("utf-8")
    assert forged("a\x1bb") == "a\\x1bb"
    assert len(printable("x" * 10**6)) == wire.MAX_TEXT


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["A", "T", "L", "H", "O", "R", "F", "P", "S", "f8", "b1", "C"])
    | st.binary(max_size=20)
)
raws = st.recursive(
    leaves,
    lambda inside: (
        st.lists(inside, max_size=6)
        | st.dictionaries(st.text(max_size=5) | st.integers(0, 3), inside, max_size=4)
    ),
    max_leaves=20,
)


def hostile_bytes() -> st.SearchStrategy[tuple[bytes, bytes]]:
    """Structures that are noise, that are msgpack of anything, or a good frame with one bit off."""

    def packed(raw: object) -> bytes:
        try:
            return msgpack.packb(raw)
        except (OverflowError, ValueError):
            return b"\xc1"

    def flipped(data: tuple[int, int]) -> tuple[bytes, bytes]:
        frame = bytearray(
            pack({"value": (np.arange(6.0).reshape(2, 3), Raised("E", "m"), [1, "s"])})
        )
        frame[HEADER.size + data[0] % (len(frame) - HEADER.size)] ^= 1 << data[1]
        structure, _ = wire.sizes(bytes(frame[: HEADER.size]))
        return bytes(frame[HEADER.size :][:structure]), bytes(frame[HEADER.size :][structure:])

    noise = st.tuples(st.binary(max_size=200), st.binary(max_size=100))
    shaped = st.tuples(raws.map(packed), st.binary(max_size=100))
    return noise | shaped | st.tuples(st.integers(0, 10**4), st.integers(0, 7)).map(flipped)


def survives(bytes_: tuple[bytes, bytes]) -> None:
    structure, blob = bytes_
    try:
        value = unpack(structure, blob)
    except WireError:
        return
    assert len(repr(value)) < 40 * (len(structure) + len(blob)) + 1000
    across(value)  # what was accepted is a value of the wire


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(hostile_bytes())
def test_hostile_bytes_give_a_value_or_a_wire_error(bytes_: tuple[bytes, bytes]):
    survives(bytes_)


@pytest.mark.nightly
@settings(
    max_examples=100_000,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(hostile_bytes())
def test_a_hundred_thousand_hostile_frames(bytes_: tuple[bytes, bytes]):
    survives(bytes_)
