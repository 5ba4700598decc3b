"""What a relation between a wrong and a right answer is made of: codes, words, named numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from autograder.battery.compare import number
from autograder.diagnosis.evidence import Row
from autograder.values import Value


@dataclass(frozen=True)
class Relation:
    """code: a stable name, the same for all cases of one mistake ("ratio:1/N").
    fact: completes "<aspect> …" ("is 3 times too small").
    question: what a tutor would ask."""

    code: str
    fact: str
    question: str = ""


Rule = Callable[[Row, np.ndarray, np.ndarray], "Relation | list[Relation] | None"]


def near(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-6) -> bool:
    """Whether two arrays of one shape are equal up to rounding."""
    if np.shape(a) != np.shape(b):
        return False
    a, b = np.asarray(a, float), np.asarray(b, float)
    scale = np.abs(b).max(initial=0.0)
    return bool(np.isfinite(a).all() and np.abs(a - b).max(initial=0.0) <= tolerance * scale)


def dimensions(args: Mapping[str, Value]) -> dict[str, int]:
    """Sizes that a formula may divide by, by the names that the course gives them."""
    named: dict[str, int] = {}
    arrays = {k: v for k, v in args.items() if isinstance(v, np.ndarray) and v.ndim}
    if not arrays:
        return named
    first, x = next(iter(arrays.items()))
    if first in ("x", "X", "images", "train", "predictions"):
        named["N"] = x.shape[0]
        labels = arrays.get("y")
        if x.ndim == 2:
            classes = labels is not None and labels.ndim == 1
            named["C" if classes else "D"] = x.shape[1]
        if x.ndim == 4:
            named |= {"C": x.shape[1], "H": x.shape[2], "W": x.shape[3]}
            named["N·H·W"] = x.size // x.shape[1]
        named["the number of elements"] = x.size
    w = arrays.get("w")
    if w is not None and w.ndim == 2:
        named["M"] = w.shape[1]
    return {key: size for key, size in named.items() if size > 1}


def hyperparameters(args: Mapping[str, Value], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Numbers among the arguments, those in dictionaries included: ("p", 0.8)."""
    for key, value in args.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool) and key != "seed":
            yield key, float(value)
        elif isinstance(value, dict):
            yield from hyperparameters(value, key)


def ratio_names(row: Row) -> Iterator[tuple[str, float, str]]:
    """(symbol, value, question) of the ratios that have a meaning."""
    yield "-1", -1.0, "the sign is the wrong way round: which term is subtracted from which?"
    yield "2", 2.0, "is something counted twice, or a factor ½ missing?"
    yield "1/2", 0.5, "is the 2 of a derivative of a square missing, or a factor ½ too many?"
    yield "-2", -2.0, "look at the sign and at the factor 2."
    yield "-1/2", -0.5, "look at the sign and at the factor ½."
    yield "4", 4.0, "is a factor of ½ missing twice?"
    named = dimensions(row.trial.case.args)
    for name, size in named.items():
        over = "the batch" if name == "N" else name
        yield (
            f"1/{name}",
            1 / size,
            (
                f"did you take the mean over {over} where the sum is needed, "
                f"or divide by {name} once too often?"
            ),
        )
        yield (
            name,
            float(size),
            (f"is a division by {name} missing, a sum taken where the mean is needed?"),
        )
        yield f"-1/{name}", -1 / size, "look at the sign, and at the mean that should be a sum."
        yield f"-{name}", -float(size), "look at the sign, and at the sum that should be a mean."
        for other, length in named.items():
            if other != name and length != size and "number" not in name + other:
                yield (
                    f"{name}/{other}",
                    size / length,
                    (f"does {other} divide where {name} should?"),
                )
        less = f"does {name} − 1 stand where {name} belongs, or the other way round?"
        yield f"{name}/({name}-1)", size / (size - 1), less
        yield f"({name}-1)/{name}", (size - 1) / size, less
        yield f"√{name}", size**0.5, f"is a square root of {name} misplaced?"
        yield f"1/√{name}", size**-0.5, f"is a square root of {name} misplaced?"
    for name, value in hyperparameters(row.trial.case.args):
        for symbol, size in (
            (name, value),
            (f"1/{name}", 1 / value if value else np.nan),
            (f"(1-{name})", 1 - value),
            (f"1/(1-{name})", 1 / (1 - value) if value != 1 else np.nan),
            (f"-{name}", -value),
            (f"{name}/(1-{name})", value / (1 - value) if value != 1 else np.nan),
            (f"(1-{name})/{name}", (1 - value) / value if value else np.nan),
            (f"√{name}", np.sqrt(value) if value > 0 else np.nan),
            (f"1/√{name}", 1 / np.sqrt(value) if value > 0 else np.nan),
            (f"√(1-{name})", np.sqrt(1 - value) if value < 1 else np.nan),
            (f"1/√(1-{name})", 1 / np.sqrt(1 - value) if value < 1 else np.nan),
            (f"{name}²", value * value),
        ):
            if np.isfinite(size) and abs(size - 1) > 1e-6 and size:
                yield symbol, size, f"look at how {name} enters."


def factor_names(row: Row, factor: float) -> Iterator[Relation]:
    """Every meaning that a factor may have on one case."""
    for symbol, value, question in ratio_names(row):
        if abs(factor - value) <= 1e-6 * abs(value):
            yield Relation(f"ratio:{symbol}", multiple(factor, symbol), question)


def multiple(factor: float, symbol: str) -> str:
    if factor == -1 or symbol == "-1":
        return "has the wrong sign"
    name = symbol.lstrip("-")
    size = f"{number(abs(factor))} times too large"
    if abs(factor) < 1:
        size = f"{number(1 / abs(factor))} times too small"
    named = name and not name.replace("/", "").replace(".", "").isdigit()
    sign = " and has the wrong sign" if factor < 0 else ""
    return f"is {size}" + (f" (a factor {name})" if named else "") + sign


def things(row: Row) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays among the arguments, and in dictionaries among them."""
    things: dict[str, Value] = {}
    for name, value in {**row.trial.case.args, **row.trial.case.extra}.items():
        things |= value if isinstance(value, dict) else {name: value}
    for name, value in things.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.any(value):
            yield name, value


def terms(row: Row, e: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The arguments that may stand as a term in an array like ``e``, broadcast to its shape."""
    for name, value in things(row):
        if value.ndim and value.ndim <= e.ndim and value.shape == e.shape[e.ndim - value.ndim :]:
            yield name, np.broadcast_to(value, e.shape).astype(float)
