"""Shape and dtype first, strictly, never by broadcasting; then values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.values import Opaque, Raised, Value

TOLERANCE = {np.dtype(np.float64): 1e-7, np.dtype(np.float32): 2e-4}
"""Relative to the largest entry of the expected array, by dtype: wide enough for any order of
summation, narrow enough to see an epsilon of 1e-5 on the wrong side of a root."""


YES, NO = "yes", "no"
"""Answers to a statement that is an aspect of its own ("no row comes twice in a batch")."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one value.

    kind: "raised", "type", "structure", "shape", "dtype", "nan", "fact" (a statement that
          should be true) or "value".
    text: completes "<aspect> …": "has shape (1, 3), expected (3,)".
    worst: index of the worst entry, for faults of value.
    """

    kind: str
    text: str
    worst: tuple[int, ...] | None = None

    def about(self, aspect: str) -> str:
        """The fault with its subject: "db has shape (1, 3), expected (3,)"."""
        if self.kind == "structure":
            return self.text
        return f"“{aspect}” {self.text}" if self.kind == "fact" else f"{aspect} {self.text}"


def as_array(value: Value) -> np.ndarray | None:
    """A number or array as an array; ``None`` for everything else."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, int) and abs(value) >= 2**63:
        return None  # no array of numbers can hold it
    if isinstance(value, (bool, int, float)):
        return np.asarray(value)
    return None


def tolerance_for(expected: np.ndarray, relative: float | None = None) -> np.ndarray:
    """Allowed absolute difference per entry."""
    relative = relative or TOLERANCE.get(expected.dtype, 1e-7)
    finite = np.abs(np.where(np.isfinite(expected), expected, 0.0)).astype(np.float64)
    scale = finite.max(initial=0.0)
    return relative * finite + relative * 0.01 * scale + 1e-300


def close(expected: np.ndarray, got: np.ndarray, relative: float | None = None) -> np.ndarray:
    """Entry by entry, whether ``got`` is ``expected``; equal shapes are required."""
    assert expected.shape == got.shape
    if expected.dtype.kind in "biu" and got.dtype.kind in "biu":
        return expected == got
    with np.errstate(all="ignore"):
        e, g = expected.astype(np.float64), got.astype(np.float64)
        near = np.abs(e - g) <= tolerance_for(expected, relative)
        return near | (e == g) | (np.isnan(e) & np.isnan(g))


def same(a: Value, b: Value, relative: float | None = None) -> bool:
    """Whether two answers are one answer, be they arrays, errors or containers."""
    if isinstance(a, Raised) or isinstance(b, Raised):
        if not isinstance(a, Raised) or not isinstance(b, Raised):
            return False
        if a.kind != b.kind or a.kind != "Outputs":
            return a.kind == b.kind
        # Of an answer in a wrong form the value is known on the grader's side, not in a notebook.
        mine, theirs = getattr(a, "value", b), getattr(b, "value", a)
        known = mine is not b and theirs is not a
        return a.message == b.message and (not known or same(mine, theirs, relative))
    x, y = as_array(a), as_array(b)
    if x is not None and y is not None:
        if x.shape != y.shape:
            return False
        if x.dtype.kind == "f" and y.dtype.kind == "f" and x.dtype.itemsize != y.dtype.itemsize:
            x = x.astype(y.dtype)
        return bool(close(x, y, relative).all())
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(same(p, q, relative) for p, q in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k], relative) for k in a)
    return type(a) is type(b) and a == b


def fault(
    expected: Value, got: Value, *, relative: float | None = None, any_float: bool = False
) -> Fault | None:
    """The first thing that is wrong with ``got``, or ``None``.

    Args:
        relative: tolerance, by default from the dtype of ``expected``.
        any_float: whether any numeric dtype will do (integer inputs).
    """
    if isinstance(expected, Raised):
        ok = isinstance(got, Raised) and got.kind == expected.kind
        return None if ok else Fault("value", f"should have raised {expected.kind}")
    if isinstance(got, Raised) and got.kind == "Outputs":
        return Fault("structure", got.message)
    if isinstance(got, Raised):
        where = f" at `{got.line}`" if got.line else ""
        text = f"raised {got.kind}{where}" + (f": {first_line(got.message)}" if got.message else "")
        return Fault("raised", text)
    if got is None:
        return Fault("type", "is None: is there a `return`?")
    if isinstance(got, Opaque):
        return Fault("type", f"is {_a(got.type_name)}, expected {describe(expected)}")
    if isinstance(expected, str) and expected == YES:
        if not isinstance(got, str):
            return Fault("type", f"is {describe(got)}")
        detail = f": {got[:80]}" if got != NO else ""
        return None if got == YES else Fault("fact", f"is not the case{detail}")
    if isinstance(expected, bool):
        return _truth_fault(expected, got)
    if isinstance(expected, (tuple, list)):
        return _container_fault(expected, got, relative, any_float)
    if isinstance(expected, dict):
        return _dict_fault(expected, got, relative, any_float)
    e, g = as_array(expected), as_array(got)
    if e is None:
        if type(expected) is type(got) and expected == got:
            return None
        return Fault("value", f"is {describe(got)}, expected {describe(expected)}")
    if g is None:
        return Fault("type", f"is {describe(got)}, expected {describe(expected)}")
    return array_fault(e, g, relative, any_float)


def _truth_fault(expected: bool, got: Value) -> Fault | None:
    array = as_array(got)
    if array is None or array.ndim or array.dtype.kind not in "bi":
        return Fault("type", f"is {describe(got)}, expected {expected}")
    return None if bool(array) is expected else Fault("value", f"is {got}, expected {expected}")


def array_fault(
    expected: np.ndarray, got: np.ndarray, relative: float | None, any_float: bool
) -> Fault | None:
    """`fault` for two arrays (numbers count as 0-d arrays)."""
    if got.shape != expected.shape:
        return Fault("shape", f"has shape {shape_text(got)}, expected {shape_text(expected)}")
    if expected.dtype.kind == "b" and expected.ndim and got.dtype.kind != "b":
        return Fault("dtype", f"has dtype {got.dtype}, expected bool")
    if expected.dtype.kind == "f" and got.dtype.kind != "f" and not any_float:
        text = f"has dtype {got.dtype}, expected {expected.dtype}"
        cut = got.dtype.kind in "iu" and not np.array_equal(expected, np.rint(expected))
        return Fault("dtype", text + (": the fractions are cut off" if cut else ""))
    wrong_dtype = expected.dtype.kind == "f" and got.dtype != expected.dtype and expected.ndim > 0
    if wrong_dtype and not any_float:
        with np.errstate(all="ignore"):
            wide = fault(expected, got.astype(expected.dtype), relative=relative)
        text = f"has dtype {got.dtype}, expected {expected.dtype}"
        return wide if wide and wide.kind == "value" else Fault("dtype", text)
    if any_float and got.dtype == np.float32:
        relative = TOLERANCE[got.dtype]
    good = close(expected, got, relative)
    if good.all():
        return None
    broken = ~np.isfinite(got.astype(np.float64)) & np.isfinite(expected.astype(np.float64))
    if broken.any():
        index = _first(broken)
        text = f"is {got[index]}{_place(index)}, expected {number(expected[index])}"
        return Fault("nan", text, index)
    with np.errstate(all="ignore"):
        distance = np.abs(expected.astype(np.float64) - got.astype(np.float64))
        distance = np.where(np.isnan(distance), np.inf, distance)  # ∞ was wanted, NaN came
    index = _first(np.where(good, -1.0, distance) == np.where(good, -1.0, distance).max())
    place = _place(index)
    wrong = np.count_nonzero(~good)
    many = f" ({wrong} of {good.size} entries are wrong)" if good.size > 1 else ""
    mine, right = apart(got[index], expected[index])
    return Fault("value", f"is {mine}{place}, expected {right}{many}", index)


def _container_fault(expected: Sequence, got: Value, relative, any_float) -> Fault | None:
    if not isinstance(got, (tuple, list)):
        return Fault("structure", f"is {describe(got)}, expected {describe(expected)}")
    if len(got) != len(expected):
        return Fault("structure", f"holds {len(got)} things, expected {len(expected)}")
    for i, (e, g) in enumerate(zip(expected, got, strict=True)):
        found = fault(e, g, relative=relative, any_float=any_float)
        if found:
            return Fault(found.kind, f"at position {i} {found.text}", found.worst)
    return None


def _dict_fault(expected: dict, got: Value, relative, any_float) -> Fault | None:
    if not isinstance(got, dict):
        return Fault("structure", f"is {describe(got)}, expected {describe(expected)}")
    missing = [key for key in expected if key not in got]
    if missing:
        return Fault("structure", f"has no key {missing[0]!r}")
    for key, e in expected.items():
        found = fault(e, got[key], relative=relative, any_float=any_float)
        if found:
            return Fault(found.kind, f"[{key!r}] {found.text}", found.worst)
    return None


def describe(value: Value) -> str:
    """A value in words: "an array of shape (3, 4)", "a tuple of 3"."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {shape_text(value)}" if value.ndim else "a number"
    if isinstance(value, (bool, int, float)):
        return "a number"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        return "a dict with keys " + ", ".join(list(value)[:6])
    if isinstance(value, str):
        return repr(value[:80])
    if isinstance(value, Opaque):
        return _a(value.type_name)
    return _a(type(value).__name__)


def shape_text(array: np.ndarray) -> str:
    """A shape as NumPy prints it, and "() (a number)" for the empty one."""
    return str(array.shape) if array.ndim else "() (a number)"


def number(x: object) -> str:
    """A number with the digits that a reader wants."""
    value = float(x) + 0.0  # type: ignore[arg-type]  # never "-0"
    return f"{value:.6g}"


def apart(x: object, y: object) -> tuple[str, str]:
    """Two different numbers with as many digits as it takes to see that they differ."""
    a, b = float(x), float(y)  # type: ignore[arg-type]
    for digits in (6, 9, 12, 17):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def first_line(text: str) -> str:
    """The first line of a message, at most 160 characters."""
    lines = text.strip().splitlines()
    return lines[0][:160] if lines else ""


def _place(index: tuple[int, ...]) -> str:
    return f" at {list(index)}" if index else ""


def _first(mask: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0]) if mask.ndim else ()


def _a(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
