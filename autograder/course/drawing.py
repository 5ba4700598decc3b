"""How inputs are drawn: one suite of shapes, dtypes and magnitudes for every layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.battery.functions import CONDUCT
from autograder.exercise import Case
from autograder.values import Value

Draw = Callable[[np.random.Generator, tuple[int, ...]], Mapping[str, Value]]
"""Arguments for an input ``x`` of the given shape, all in float64."""


def numbers(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Normal numbers with three decimals, none closer to 0 than 0.05·scale (no kink by chance)."""
    x = rng.normal(size=shape)
    x = np.where(np.abs(x) < 0.05, np.copysign(0.05, x), x)
    return np.round(x, 3) * scale


def labels(rng: np.random.Generator, n: int, classes: int) -> np.ndarray:
    """Labels in which, if there is room, several classes occur."""
    y = rng.integers(0, classes, size=n)
    if n > 1 and classes > 1 and len(set(y.tolist())) == 1:
        y[0] = (y[0] + 1) % classes
    return y


def named(args: Mapping[str, Value]) -> str:
    """ "x of shape (3, 4) and w of shape (4, 5)", the arrays that a case hands over."""
    shapes = [f"{key} of shape {v.shape}" for key, v in args.items() if isinstance(v, np.ndarray)]
    return shapes[0] if shapes else "this input"


def as_dtype(args: Value, dtype: Any) -> Value:
    """All floating arrays of a case in another dtype."""
    if isinstance(args, np.ndarray):
        return args.astype(dtype) if args.dtype.kind == "f" else args
    if isinstance(args, Mapping):
        return {key: as_dtype(value, dtype) for key, value in args.items()}
    return args


def strided(args: Mapping[str, Value]) -> dict[str, Value]:
    """The same numbers in arrays that are not contiguous in memory, nor in the order of C."""
    return {key: _spread(v) if isinstance(v, np.ndarray) else v for key, v in args.items()}


def _spread(array: np.ndarray) -> np.ndarray:
    if array.ndim == 0 or array.dtype.kind != "f":
        return array
    room = np.zeros(tuple(2 * n for n in array.shape), array.dtype, order="F")
    view = room[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def layer_cases(
    draw: Draw,
    out_shape: Callable[[Mapping[str, Value]], tuple[int, ...]] | None = None,
    *,
    ordinary: Sequence[tuple[int, ...]] = ((5, 7), (3, 4), (6, 2)),
    deep: tuple[int, ...] | None = (3, 2, 2, 2),
    single: tuple[int, ...] | None = (1, 4),
    square: tuple[int, ...] | None = (4, 4),
    integers: bool = True,
    large: float | None = None,
    more: Callable[[np.random.Generator], Sequence[Case]] | None = None,
    speed: tuple[int, ...] | None = None,
    label: Callable[[Mapping[str, Value]], str] = named,
) -> Callable[[np.random.Generator], list[Case]]:
    """The complete suite of inputs for a function of a batch.

    Args:
        draw: arguments for an input of a given shape.
        out_shape: shape of the output, where an upstream gradient is to be drawn too.
        ordinary: shapes of the cases that the main lines of the report stand on; the first one
            is also asked the questions of conduct.
        large: factor on the inputs for the check "large numbers".
        more: further cases of the exercise's own (kinks, ties, …).
        speed: shape of a case that finite differences cannot do in time.
    """

    def case(
        rng: np.random.Generator,
        args: Mapping[str, Value],
        check: str = "",
        tags: Sequence[str] = (),
        extra: Mapping[str, Value] | None = None,
        dtype: Any = np.float64,
        prefix: str = "",
        public: bool = True,
    ) -> Case:
        extras = dict(extra or {})
        if out_shape is not None:
            extras["dout"] = numbers(rng, *out_shape(args)).astype(dtype)
        words = prefix + label(args)
        return Case(words, args, check, frozenset(tags), extras, public)

    def cases(rng: np.random.Generator) -> list[Case]:
        made = [
            case(rng, draw(rng, shape), tags=[CONDUCT] if i == 0 else [])
            for i, shape in enumerate(ordinary)
        ]
        if square:
            made.append(case(rng, draw(rng, square), tags=["square"]))
        if single:
            made.append(case(rng, draw(rng, single), "N = 1"))
        if deep:
            made.append(case(rng, draw(rng, deep), "more than two dimensions"))
        made.append(case(rng, strided(draw(rng, ordinary[0])), "non-contiguous", prefix="strided "))
        narrow = as_dtype(draw(rng, ordinary[1]), np.float32)
        made.append(case(rng, narrow, "float32", dtype=np.float32, prefix="float32 "))
        if integers:
            whole = dict(draw(rng, ordinary[0]))
            first = next(iter(whole))
            whole[first] = np.rint(3 * whole[first]).astype(np.int64)
            tags = ["any float", "may refuse"]
            made.append(case(rng, whole, "integer inputs", tags, prefix="integer "))
        if large:
            big = dict(draw(rng, ordinary[0]))
            first = next(iter(big))
            big[first] = big[first] * large
            made.append(case(rng, big, "large numbers", prefix="large "))
        if more:
            made += more(rng)
        if speed:
            limit = {"seconds": 1.0}  # honest loops need a fifth of it, differences several times
            made.append(case(rng, draw(rng, speed), "speed", extra=limit, public=False))
        return made

    return cases
