"""The complex step: f'(x) = Im f(x + ih) / h, with no subtraction and so no cancellation.

It holds for functions made of analytic operations and branches, and is silently wrong for others:
z.real, conj(z) and the like are not analytic. Two guards stand before it. The array that f
receives here watches what is done with it, and refuses what is not on a list of analytic
operations; and whoever uses a complex step compares it with central differences first
(``agrees``).
Source: Squire and Trapp 1998, "Using complex variables to estimate derivatives of real functions".
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cs_nn.arrays import Array
from cs_nn.gradcheck.slopes import Slope
from cs_nn.gradcheck.structure import Inputs, replace_leaves

# Comparisons, maximum and clip order complex numbers by their real part: branches stay branches.
ANALYTIC = frozenset(
    {"add", "subtract", "multiply", "divide", "negative", "positive", "power", "square", "sqrt"}
    | {"reciprocal", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan"}
    | {"sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"}
    | {"matmul", "matvec", "vecmat", "maximum", "minimum", "clip", "greater", "greater_equal"}
    | {"less", "less_equal", "equal", "not_equal", "isfinite", "isnan", "isinf"}
    | {"logical_not", "logical_and", "logical_or"}
)
BRANCHES = frozenset({"maximum", "minimum", "greater", "greater_equal", "less", "less_equal"})
# Functions written in C that would otherwise hand back an array that no longer watches.
WATCHED = frozenset(
    {"concatenate", "where", "dot", "inner", "c_einsum", "copyto", "putmask", "empty_like"}
)
LINALG = frozenset({"inv", "solve", "det", "matrix_power", "multi_dot"})
REFUSED = frozenset({"vdot", "vecdot", "nanvar", "nanstd", "real", "imag", "angle", "iscomplexobj"})


class NotAnalytic(Exception):
    """The complex step does not hold for this function; the message names what forbids it."""


class Watching(np.ndarray):
    """A complex array that refuses operations which are not analytic."""

    last_float: ClassVar[complex] = complex("nan")
    tied: ClassVar[bool] = False

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        name = ufunc.__name__
        if name in {"absolute", "fabs", "sign"} and method == "__call__":
            # Of real numbers these are ±z and ±1: their continuation keeps the sign of the branch.
            sign = np.sign(_bare(inputs[0]).real)
            Watching.tied |= bool(np.any((sign == 0) & (_bare(inputs[0]).imag != 0)))
            return sign if name == "sign" else inputs[0] * sign
        if name not in ANALYTIC:
            raise NotAnalytic(f"f uses np.{name}, which is not analytic")
        if name in BRANCHES and method == "__call__":
            a, b = _bare(inputs[0]), _bare(inputs[1])
            tie = (np.real(a) == np.real(b)) & (np.imag(a) != np.imag(b))
            Watching.tied |= bool(np.any(tie))
        if out is not None:
            kwargs["out"] = tuple(_bare(o) for o in out)
        result = getattr(ufunc, method)(*(_bare(i) for i in inputs), **_bare(kwargs))
        return out[0] if out is not None else _watching(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = func.__name__
        linalg = (func.__module__ or "").startswith("numpy.linalg")
        if name in REFUSED or (linalg and name not in LINALG):
            raise NotAnalytic(f"f uses np.{'linalg.' if linalg else ''}{name}")
        if linalg or name in WATCHED:
            return _watching(func(*_bare(args), **_bare(kwargs)))
        return super().__array_function__(func, types, args, kwargs)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise NotAnalytic("f takes the real part or the conjugate of its values")

    real = imag = property(_refuse)  # type: ignore[assignment]
    conj = conjugate = __complex__ = _refuse  # type: ignore[assignment]

    def var(self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, **kw: Any):
        """Without the absolute value that NumPy takes of complex numbers."""
        squares = np.square(self - self.mean(axis=axis, keepdims=True))
        count = squares.size // max(np.sum(squares, axis=axis).size, 1)
        return np.sum(squares, axis=axis, **kw) / (count - ddof)

    def __float__(self) -> float:
        """``return float(loss)`` is so common that it must not end here: it is remembered."""
        Watching.last_float = complex(self.view(np.ndarray)[()])
        return Watching.last_float.real

    def item(self, *args: Any) -> Any:
        return float(self) if not args and self.size == 1 else self._refuse()

    def std(self, *args: Any, **kwargs: Any) -> Any:
        return np.sqrt(self.var(*args, **kwargs))

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        if np.dtype(dtype).kind != "c":
            raise NotAnalytic(f"f casts its values to {np.dtype(dtype)}")
        return super().astype(dtype, *args, **kwargs)


def _bare(value: Any) -> Any:
    """The same without watchers, so that NumPy works on it as usual."""
    if isinstance(value, Watching):
        return value.view(np.ndarray)
    if isinstance(value, tuple | list):
        return type(value)(_bare(part) for part in value)
    if isinstance(value, dict):
        return {key: _bare(part) for key, part in value.items()}
    return value


def _watching(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "c":
        return np.asarray(value).view(Watching)
    return value


@dataclass
class ComplexSlope:
    """A slope by complex step. ``kink``: it is another one upwards than downwards. ``tie``: f
    compares two equal numbers on the way, of which only one moves: a kink, even if it cancels."""

    slope: Slope
    kink: bool
    tie: bool


class ComplexStep:
    """Complex steps of f at x. Raises NotAnalytic as soon as f does what does not allow them."""

    def __init__(self, f: Callable[..., Any], inputs: Inputs, weights: Any) -> None:
        self.f = f
        self.inputs = inputs
        self.weights = np.ravel(weights)
        self.calls = 0

    def slope(self, leaf: int, index: int) -> ComplexSlope:
        """Three steps of unlike size and sign; their disagreement shows the round-off."""
        x = self.inputs.leaves[leaf].array.flat[index]
        with self._complex_inputs() as arrays:
            flat = arrays[leaf].flat
            found = []
            Watching.tied = False
            for h in (1e-25, -1.7e-25, 2.9e-26):
                flat[index] = x + 1j * h
                found.append(self._imaginary() / h)
        up, down, again = found
        kink = abs(up - down) > 1e3 * abs(up - again) + 1e-9 * max(abs(up), abs(down))
        spread = 16 * (max(found) - min(found)) + 1e-13 * abs(up) + 1e-290
        left, right = (down, up)
        return ComplexSlope(Slope(up, spread, 0.0, 1e-25, left, right), kink, Watching.tied)

    def _imaginary(self) -> float:
        self.calls += 1
        Watching.last_float = complex("nan")
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            try:
                out = self.inputs.call(self.f)
            except (TypeError, np.exceptions.ComplexWarning) as refusal:
                raise NotAnalytic(f"f does not take complex numbers ({refusal})") from refusal
        if isinstance(out, float) and out == Watching.last_float.real:
            out = _watching(np.complex128(Watching.last_float))
        if not isinstance(out, Watching) or out.size != self.weights.size:
            raise NotAnalytic("f's result lost its imaginary part on the way")
        value = float(self.weights @ _bare(out).imag.ravel())
        if not np.isfinite(value):
            raise NotAnalytic("f is not finite for complex numbers")
        return value

    @contextmanager
    def _complex_inputs(self) -> Iterator[list[Array]]:
        """x in complex numbers, in place where x is a dict: nets look at their own ``params``."""
        leaves = self.inputs.leaves
        arrays = [leaf.array.astype(np.complex128) for leaf in leaves]
        by_path = {leaf.path: a.view(Watching) for leaf, a in zip(leaves, arrays, strict=True)}
        original = self.inputs.structure
        if isinstance(original, dict):
            saved = dict(original)
            replaced = replace_leaves(original, lambda path, _: by_path[path])
            try:
                original.update(replaced)
                yield arrays
            finally:
                original.update(saved)
        else:
            self.inputs.structure = replace_leaves(original, lambda path, _: by_path[path])
            try:
                yield arrays
            finally:
                self.inputs.structure = original


def agrees(complex_slope: Slope, central: Slope) -> bool:
    """Whether central differences confirm the complex step, as far as they can see."""
    return abs(complex_slope.value - central.value) <= central.bar + complex_slope.bar
