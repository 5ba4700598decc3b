"""Random weights judged by their distribution, and what they do to signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from autograder.battery.chance import LIMIT, snap, variance
from autograder.battery.classes import TOLD, script
from autograder.battery.compare import as_array, number, same, shape_text
from autograder.battery.draws import FOR_ITSELF, ODD, SAID, shape_of, togetherness
from autograder.battery.kind import Kind, Observed, Outputs, Trial, arguments, said
from autograder.battery.spread import formula
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Function, Opaque, Raised, Seed, Value

FOLLOWS = "follows rng"
NEVER = "the same draws whatever rng says"


@dataclass(frozen=True)
class Initializer(Kind):
    """``(fan_in, fan_out, rng, …) -> (fan_in, fan_out)``, drawn from ``distribution``.

    heavy: what a mutant draws says little, as all that is seen of it are estimates.

    In ``case.args``: ``fan_in``, ``fan_out``, ``seed`` and the ``settings`` that are handed over
    by name; in ``case.extra``: the true ``variance``.
    """

    heavy: ClassVar[bool] = True

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        aspects = ("shape", "variance", "mean", "distribution", "units", "rng")
        given = arguments(case)
        shape = int(given["fan_in"]), int(given["fan_out"])
        seed, settings = int(given["seed"]), dict(given["settings"])

        def draw(rng: Value) -> Value:
            return seen.note(student.call(name, *shape, rng, **settings)).value

        weights = draw(Seed(seed))
        trouble = weights if isinstance(weights, Raised) else _no_matrix(weights)
        if trouble is not None:
            seen.values = dict.fromkeys(aspects[: 1 if case.check else None], trouble)
            return seen
        assert isinstance(weights, np.ndarray)
        seen.values["shape"] = list(weights.shape)
        if case.check:
            return seen
        truth = float(case.extra["variance"])
        mean = snap(float(weights.mean()), float(weights.std()) / np.sqrt(weights.size), 0.0)
        how = togetherness(weights)
        alone = how == FOR_ITSELF
        drawn = shape_of(weights, truth) if alone else "see units"
        plain = alone and drawn not in ODD
        seen.values["variance"] = variance(weights - mean, truth) if plain else truth
        seen.values["mean"] = mean if plain else 0.0
        seen.values["distribution"] = drawn
        seen.values["units"] = UNITS.get(how, how)
        seen.values["rng"] = follows_rng(student, draw, seed)
        if how == "all entries alike" and seen.values["rng"] == NEVER:
            seen.values["rng"] = "see units"
        return seen

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        lines = {"shape": "shape of the matrix", "mean": "distribution"}
        return {a: lines.get(a, a) for a in aspects}

    def recognise(
        self, aspect: str, wrong: Sequence[tuple[Trial, Value]]
    ) -> tuple[str, str, str] | None:
        """Which formula the variance follows over all the shapes that were tried, and how the
        draws look."""
        if aspect == "variance":
            return formula(wrong)
        if aspect == "mean" and all(isinstance(got, float) for _, got in wrong):
            fact = f"is {number(wrong[0][1])}, though weights should lie as often below 0 as above"
            ask = "are all draws positive, or is something added to them?"
            return "mean:not-0", fact, f"{ask} (The first number of rng.normal is the mean.)"
        return said(SAID, aspect, wrong)

    def same_answer(self, aspect: str, a: Value, b: Value) -> bool:
        """Estimates of one mistake's variance or mean differ from draw to draw."""
        if aspect in ("variance", "mean") and isinstance(a, float) and isinstance(b, float):
            return abs(a - b) <= 0.15 * max(abs(a), abs(b))
        return same(a, b, relative=1e-6)


UNITS = {
    FOR_ITSELF: "all different",
    "the same for all columns": "all units alike",
    "the same for all rows": "all inputs weighed alike",
    "all entries alike": "every weight is the same number",
}


def _no_matrix(value: Value) -> Raised | None:
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind == "f" and value.size:
        finite = bool(np.isfinite(value).all())
        return None if finite else Raised("Outputs", "returns numbers that are not finite")
    what = shape_text(value) if isinstance(value, np.ndarray) else "no array"
    if isinstance(value, np.ndarray) and value.ndim == 2:
        what = f"{value.dtype} numbers"
    return Raised("Outputs", f"returns {what}, expected a matrix (fan_in, fan_out) of floats")


def follows_rng(student: Student, draw: Callable[[Value], Value], seed: int) -> Value:
    """Whether draws come from the generator that is handed over."""
    first, again, other = draw(Seed(seed)), draw(Seed(seed)), draw(Seed(seed + 1))
    if not same(first, again, 1e-9):
        return "another answer for the same state of rng"
    if same(first, other, 1e-9):
        return NEVER
    held = student.hold(Seed(seed))
    return "the same draws at every call" if same(draw(held), draw(held), 1e-9) else FOLLOWS


@script
def orthogonal(name: str, student: Student, case: Case) -> Observed:
    """``orthogonal_init``: orthonormal columns or rows, and no favoured signs."""
    seen = Observed()
    aspects = ("shape", "orthonormal", "signs", "rng")
    given = arguments(case)
    shape, seed = (int(given["fan_in"]), int(given["fan_out"])), int(given["seed"])

    def draw(rng: Value, shape: tuple[int, int] = shape) -> Value:
        return seen.note(student.call(name, *shape, rng)).value

    weights = draw(Seed(seed))
    trouble = weights if isinstance(weights, Raised) else _no_matrix(weights)
    if trouble is not None:
        seen.values = dict.fromkeys(aspects[: 2 if case.check else None], trouble)
        return seen
    assert isinstance(weights, np.ndarray)
    seen.values["shape"] = list(weights.shape)
    seen.values["orthonormal"] = _orthonormal(weights)
    if case.check:
        return seen
    seen.values["rng"] = follows_rng(student, draw, seed)
    held = student.hold(Seed(seed))
    small = [draw(held, (4, 3) if shape[0] >= shape[1] else (3, 4)) for _ in range(64)]
    square = [draw(held, (3, 3)) for _ in range(64)]
    matrices = [w for w in small if isinstance(w, np.ndarray) and w.shape == np.shape(small[0])]
    if len(matrices) < len(small):
        seen.values["signs"] = next((w for w in small if isinstance(w, Raised)), "no matrices")
    elif seen.values["rng"] == NEVER:  # one matrix says nothing of many
        zeros = np.mean(weights == 0) > 0.5
        seen.values["signs"] = "most entries are 0" if zeros else "both alike"
    else:
        seen.values["signs"] = _evenly_turned(np.array(matrices), square)
    return seen


def _evenly_turned(matrices: np.ndarray, square: Sequence[Value]) -> str:
    """Whether 64 matrices favour a sign or a direction; entries of random directions in four
    dimensions have the mean square 1/4 and the mean fourth power 1/8."""
    n = len(matrices)
    if np.mean(matrices == 0) > 0.5:
        return "most entries are 0"
    positive = (matrices > 0).sum(axis=0)
    if (np.abs(positive - n / 2) / np.sqrt(n / 4)).max() >= LIMIT:
        return "some entries have a fixed sign"
    squares = np.abs((matrices**2).mean(axis=0) - 1 / 4).max() / (0.25 / np.sqrt(n))
    fourth = np.abs((matrices**4).mean() - 1 / 8) / (0.03 / np.sqrt(n))
    if max(squares, fourth) >= LIMIT:
        return "some directions are favoured"
    found = [w for w in square if isinstance(w, np.ndarray) and w.shape == (3, 3)]
    if len(found) == n and len({bool(np.linalg.det(w) > 0) for w in found}) == 1:
        return "no reflections"
    return "both alike"


def _orthonormal(w: np.ndarray) -> str:
    tall = w.shape[0] >= w.shape[1]
    vectors, word = (w, "columns") if tall else (w.T, "rows")
    gram = vectors.T @ vectors
    if np.abs(gram - np.eye(len(gram))).max() < 1e-4:
        return f"orthonormal {word}"
    lengths = np.sqrt(np.diag(gram))
    if np.abs(gram - np.diag(np.diag(gram))).max() < 1e-4 * lengths.max() ** 2:
        return f"orthogonal {word} of another length than 1"
    return (
        f"{word} of length 1 that are not orthogonal"
        if (np.abs(lengths - 1).max() < 1e-4)
        else f"{word} that are not orthonormal"
    )


ELEMENTWISE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "relu": lambda h: np.maximum(h, 0),
    "identity": lambda h: h,
}


def through(kind: str) -> Function:
    """A nonlinearity for the student's code to call."""

    def nonlinearity(h: Value) -> Value:
        array = as_array(h)
        if array is None:
            raise TypeError("the nonlinearity takes an array")
        return ELEMENTWISE[kind](array)

    return Function(nonlinearity, "nonlinearity")


@script
def lsuv(name: str, student: Student, case: Case) -> Observed:
    """``lsuv_init``: the variance before each nonlinearity, seen with the new weights."""
    seen = Observed()
    given = arguments(case)
    weights, x, kind = given["weights"], given["x"], str(given["nonlinearity"])
    settings = {k: given[k] for k in ("tolerance", "max_iterations") if k in given}
    names = ("weights", "x", "nonlinearity")
    reply = seen.note(student.call(name, weights, x, through(kind), names=names, **settings))
    value = reply.value
    aspects = ("shapes", "direction", "variance before the nonlinearity")
    if isinstance(value, Raised) or not isinstance(value, (list, tuple)):
        wrong = value if isinstance(value, Raised) else Raised("Outputs", "expected a list")
        seen.values = dict.fromkeys(aspects, wrong)
        return seen
    arrays = [as_array(v) for v in value]
    shapes = [list(a.shape) if a is not None else [-1] for a in arrays]
    seen.values["shapes"] = [f"{shape} {a.dtype if a is not None else ''}" for shape, a in
                             zip(shapes, arrays, strict=True)]  # fmt: skip
    if shapes != [list(w.shape) for w in weights]:
        return _fill(seen, aspects, Raised("Outputs", "returns matrices of other shapes"))
    h, variances, multiples = x.astype(np.float64), [], []
    for w, new in zip(weights, arrays, strict=True):
        assert new is not None
        factor = float(np.vdot(w, new) / np.vdot(w, w))
        near = np.allclose(new, factor * w, rtol=1e-4, atol=1e-5 * np.abs(w).max() * abs(factor))
        multiples.append("a multiple" if near and factor > 0 else _direction(w, new))
        before = h @ new
        spread = float(before.var())
        within = abs(spread - 1) <= float(given.get("tolerance", 0.01)) + 1e-5
        variances.append(1.0 if within else float(f"{spread:.6g}"))
        h = ELEMENTWISE[kind](before)
    seen.values["direction"] = multiples
    seen.values["variance before the nonlinearity"] = np.array(variances)
    return seen


def _fill(seen: Observed, aspects: Sequence[str], value: Value) -> Observed:
    for aspect in aspects:
        seen.values.setdefault(aspect, value)
    return seen


def _direction(w: np.ndarray, new: np.ndarray) -> str:
    """What became of a matrix that is no multiple of what it was."""
    factors = (w * new).sum(axis=0) / np.maximum((w * w).sum(axis=0), 1e-300)
    apart = np.allclose(new, factors * w, rtol=1e-4, atol=1e-5 * np.abs(new).max(initial=0.0))
    return "its columns are multiples" if apart else "another matrix"


@script
def layer_statistics(name: str, student: Student, case: Case) -> Observed:
    """``activation_statistics``: one array over the layers for each number."""
    seen = Observed()
    given = arguments(case)
    kind = through(str(given["nonlinearity"]))
    names = ("weights", "x", "nonlinearity")
    reply = seen.note(student.call(name, given["weights"], given["x"], kind, names=names))
    value = reply.value
    keys = ("mean", "std", "saturated", "dead")
    if isinstance(value, Raised) or not isinstance(value, (list, tuple)):
        text = "expected a list of dicts"
        what = value if isinstance(value, Raised) else Outputs("Outputs", text, value=value)
        seen.values = dict.fromkeys((*keys, "number of layers"), what)
        return seen
    for key in keys:
        seen.values[key] = _column(value, key)
    seen.values["number of layers"] = len(value)
    return seen


def _column(rows: Sequence[Value], key: str) -> Value:
    numbers = []
    for layer, row in enumerate(rows, start=1):
        entry = row.get(key) if isinstance(row, Mapping) else None
        number = as_array(entry)
        if number is None or number.ndim:
            if isinstance(entry, Opaque) or entry is not None:
                return Raised("Outputs", f"'{key}' of layer {layer} is not a number")
            return Raised("Outputs", f"layer {layer} has no '{key}'")
        numbers.append(float(number))
    return np.array(numbers)


TOLD["orthogonal"] = {
    ("signs", "most entries are 0"): (
        "cannot be judged: most entries are 0",
        "the vectors only run along the axes. They should point anywhere: orthogonalise Gaussian "
        "draws.",
    ),
    ("signs", "some entries have a fixed sign"): (
        "are not random: some entries have the same sign in every matrix",
        "which convention does the decomposition follow, and how can it be undone?",
    ),
    ("signs", "some directions are favoured"): (
        "may be random, but some directions are likelier than others",
        "orthogonalise Gaussian draws, which favour none.",
    ),
    ("signs", "no reflections"): (
        "are not free: all square matrices have a determinant of the same sign",
        "there should be rotations and reflections, equally often.",
    ),
    **{key: sentence for key, sentence in SAID.items() if key[0] == "rng"},
}
