"""Limits on norms: of each unit's weights, and of all gradients together."""

import math

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.course.a4_normalization.regularizers import floating, weight_cases
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.regularizers import clip_gradient_norm, max_norm

TOLERANCE = 1e-5
"""Some divide by norm + 1e-6, as PyTorch does."""


def cases(rng):
    def drawn(*shapes):
        return {
            f"{'Wb'[i % 2]}{i // 2 + 1}": np.asarray(numbers(rng, *s)) for i, s in enumerate(shapes)
        }

    def case(
        grads, limit, check="", as_list=False, tags=(), dtype: type = np.float64, words="", tol=None
    ):
        total = math.sqrt(sum(float((g**2).sum()) for g in grads.values()))
        grads = as_dtype(grads, dtype)
        given = list(grads.values()) if as_list else grads
        what = f"{len(grads)} gradients in a {'list' if as_list else 'dict'}"
        label = f"{words}{what} of global norm {total:.3g} and max_norm = {limit:g}"
        extra = {"tolerance": tol or TOLERANCE}
        return Case(label, {"grads": given, "max_norm": limit}, check, frozenset(tags), extra)

    def near_limit(scale, ratio):
        """Small gradients whose norm is ``ratio`` times the limit."""
        grads = {key: scale * value for key, value in drawn((3, 4), (4,)).items()}
        total = math.sqrt(sum(float((g**2).sum()) for g in grads.values()))
        return grads, float(f"{total / ratio:.3g}")

    zeros = {key: value * 0 for key, value in drawn((3, 2), (2,)).items()}
    flat = drawn((3, 4), (4,), (4, 2), ())
    return [
        case(drawn((4, 5), (5,), (5, 3), (3,)), 1.7, tags=[CONDUCT]),
        case(drawn((3, 4), (4,), (4, 2)), 2.3, as_list=True),
        case(drawn((6, 2), (2,)), 0.8),
        case(drawn((3, 2), (2,)), 50.0, "a norm below the limit"),
        case(drawn((3, 2), (2,)), 50.0, "a norm below the limit", as_list=True),
        case(*near_limit(1.0, 0.9), "a norm below the limit"),
        case(*near_limit(0.1, 1.2)),
        case(drawn((3, 4)), 1.2, "one array"),
        case(zeros, 1.0, "all gradients zero"),
        case(flat, 1.1, "a gradient without axes"),
        case(drawn((3, 4), (4,)), 1.4, "float32", dtype=np.float32, words="float32: ", tol=2e-4),
        case(drawn((4, 3), (3,)), 1.2, "float32", True, (), np.float32, "float32: ", 2e-4),
    ]


def same_container(grads, function):
    if isinstance(grads, dict):
        return {key: np.asarray(function(g), dtype=g.dtype) for key, g in grads.items()}
    return [np.asarray(function(g), dtype=g.dtype) for g in grads]


def arrays(grads):
    return list(grads.values()) if isinstance(grads, dict) else list(grads)


def size(grads):
    return math.sqrt(sum(float(np.sum(g**2)) for g in arrays(grads)))


def scaled(factor):
    """Clipping with another idea of the factor; ``factor(global norm, max_norm, grads)``."""

    def clip(grads, max_norm):
        scale = factor(size(grads), max_norm, arrays(grads))
        return same_container(grads, lambda g: g * scale)

    return clip


def limit(norm, most):
    return min(1.0, most / norm) if norm > 0 else 1.0


def each_for_itself(grads, max_norm):
    return same_container(grads, lambda g: g * limit(float(np.linalg.norm(g)), max_norm))


def entries_clipped(grads, max_norm):
    return same_container(grads, lambda g: np.clip(g, -max_norm, max_norm))


def sum_of_norms(norm, most, grads):
    return limit(sum(float(np.linalg.norm(g)) for g in grads), most)


def largest_norm(norm, most, grads):
    return limit(max(float(np.linalg.norm(g)) for g in grads), most)


def sum_of_sizes(norm, most, grads):
    return limit(sum(float(np.abs(g).sum()) for g in grads), most)


def largest_entry(norm, most, grads):
    return limit(max(float(np.abs(g).max()) for g in grads), most)


def zero_by_zero(norm, most, grads):
    return np.float64(most) / np.float64(norm) if not norm <= most or norm == 0 else 1.0


def always_a_list(grads, max_norm):
    scale = limit(size(grads), max_norm)
    return [np.asarray(g * scale, dtype=g.dtype) for g in arrays(grads)]


def nothing_below(grads, max_norm):
    norm = size(grads)
    if norm <= max_norm:
        return None
    return same_container(grads, lambda g: g * (max_norm / norm))


def in_place(grads, max_norm):
    scale = limit(size(grads), max_norm)
    for g in arrays(grads):
        g *= scale
    return grads


def like_torch(grads, max_norm):
    total = np.linalg.norm([np.linalg.norm(g) for g in arrays(grads)])
    scale = float(min(max_norm / (total + 1e-6), 1.0))
    return same_container(grads, lambda g: g * scale)


def one_long_vector(grads, max_norm):
    vector = np.concatenate([np.ravel(g).astype(float) for g in arrays(grads)])
    length = np.sqrt(vector @ vector)
    if length > max_norm:
        return same_container(grads, lambda g: g / length * max_norm)
    return same_container(grads, lambda g: g.copy())


def given_back(grads, max_norm):
    total = 0.0
    for g in arrays(grads):
        for entry in np.ravel(g):
            total += float(entry) ** 2
    if total <= max_norm**2:
        return grads
    factor = max_norm * total**-0.5
    if isinstance(grads, list):
        return [np.multiply(g, factor, dtype=g.dtype) for g in grads]
    out = {}
    for key in grads:
        out[key] = np.multiply(grads[key], factor, dtype=grads[key].dtype)
    return out


def norms(w, axis: int | None = 0):
    return np.sqrt((w * w).sum(axis=axis, keepdims=True))


def limited(scale):
    """Max-norm with another idea of the factor."""
    return lambda w, c: w * np.asarray(scale(w, c)).astype(floating(w))


def shrink(norm, c):
    return np.minimum(1.0, c / np.maximum(norm, 1e-30))


def limit_in_place(w, c):
    out = w * shrink(norms(w), c).astype(floating(w))
    if w.dtype.kind == "f":
        w[...] = out
    return out


def limit_by_loop(w, c):
    out = np.array(w, dtype=floating(w))
    for j in range(w.shape[1]):
        norm = np.linalg.norm(w[:, j])
        if norm > c:
            out[:, j] = w[:, j] * (c / norm)
    return out


def limit_by_where(w, c):
    norm = np.linalg.norm(w, axis=0)
    factor = np.where(norm > c, c / np.where(norm > 0, norm, 1), 1.0)
    return (w * factor).astype(floating(w))


def limit_with_epsilon(w, c):
    norm = np.sqrt(np.sum(w**2, axis=0, keepdims=True))
    return (w * (np.clip(norm, 0, c) / (norm + 1e-8))).astype(floating(w))


MAX_NORM = (
    Misconception(
        "square-compared-with-the-limit",
        limited(lambda w, c: np.where(norms(w) ** 2 > c, c / np.maximum(norms(w), 1e-30), 1.0)),
        "The squared norm is compared with c, though long columns are then shortened rightly. "
        "Compare like with like: norm with c, or square with square.",
        "values",
        0.25,
    ),
    Misconception(
        "rows-for-columns",
        limited(lambda w, c: shrink(norms(w, 1), c)),
        "The rows are limited. A unit's incoming weights are a column of w.",
        "values",
        0.4,
    ),
    Misconception(
        "one-norm-for-all",
        limited(lambda w, c: shrink(norms(w, None), c)),
        "The norm of the whole matrix is limited. Each unit is limited for itself: one norm for "
        "each column.",
        "values",
        0.4,
    ),
    Misconception(
        "always-scaled",
        limited(lambda w, c: c / np.maximum(norms(w), 1e-30)),
        "Columns that are short already are stretched to the norm c. c is an upper limit.",
        "values",
        0.4,
    ),
    Misconception(
        "entries-clipped",
        lambda w, c: np.clip(w, -c, c).astype(floating(w)),
        "Single entries are limited. The length of a column is what counts, and its direction "
        "should stay.",
        "values",
        0.5,
    ),
    Misconception(
        "root-forgotten",
        limited(lambda w, c: shrink(norms(w) ** 2, c)),
        "The squared norm is compared with c; the root is missing.",
        "values",
        0.3,
    ),
    Misconception(
        "scaled-to-one",
        limited(lambda w, c: np.where(norms(w) > c, 1 / np.maximum(norms(w), 1e-30), 1.0)),
        "Long columns come out with norm 1 instead of c.",
        "values",
        0.3,
    ),
    Misconception(
        "sum-of-sizes",
        limited(lambda w, c: shrink(np.abs(w).sum(axis=0), c)),
        "The columns are measured by the sum of absolute values; the norm is the Euclidean one.",
        "values",
        0.3,
    ),
    Misconception(
        "zero-divided-by-zero",
        lambda w, c: np.where(norms(w) > c, w / norms(w) * c, w * (norms(w) / norms(w))).astype(
            floating(w)
        ),
        "A column of zeros becomes NaN: its norm is 0, and you divide by it.",
        "a column of zeros",
    ),
    Misconception(
        "weights-changed",
        limit_in_place,
        "w itself is changed; a new array is asked for.",
        "conduct",
    ),
)


def limit_cases(rng):
    def limit(rng):
        return {"c": float(np.round(rng.uniform(1.7, 2.3), 2))}

    # Columns of length from about 0.5 to 5, so that c lies among them.
    stretch = np.array([0.2, 2.5, 0.4, 1.6, 0.3, 3.0, 1.2])

    def spread(case):
        w = case.args["w"]
        wide = (w * stretch[: w.shape[1]]).astype(w.dtype)
        args = {**case.args, "w": wide}
        if "non-contiguous" in case.check:
            args["w"] = strided({"w": wide})["w"]
        # Some add a small epsilon to the norm before they divide.
        return Case(case.label, args, case.check, case.tags, {"tolerance": 1e-6} | case.extra)

    drawn = weight_cases(limit, deep=False)(rng)
    made = [spread(c) if c.args["w"].dtype.kind == "f" else c for c in drawn]
    empty = numbers(rng, 4, 3)
    empty[:, 1] = 0.0
    more = {"w": empty, "c": 1.5}
    return [*made, Case("w of shape (4, 3) with a column of zeros", more, "a column of zeros")]


EXERCISES = (
    Exercise(
        name="max_norm",
        kind=Function(),
        reference={"max_norm": max_norm},
        cases=limit_cases,
        misconceptions=MAX_NORM,
        variants=(limit_by_loop, limit_by_where, limit_with_epsilon),
    ),
    Exercise(
        name="clip_gradient_norm",
        kind=Function(("clipped gradients",)),
        reference={"clip_gradient_norm": clip_gradient_norm},
        cases=cases,
        misconceptions=(
            Misconception(
                "each-array-by-its-own-norm",
                each_for_itself,
                "Each array is clipped by its own norm. That turns the step: large gradients "
                "shrink, small ones stay. Take one norm of all arrays together, and one factor "
                "for all.",
                "values",
                0.4,
            ),
            Misconception(
                "entries-clipped",
                entries_clipped,
                "Single entries are cut off, which turns the step. Scale everything by one factor.",
                "values",
                0.4,
            ),
            Misconception(
                "always-scaled",
                scaled(lambda norm, most, grads: most / norm if norm else 1.0),
                "Gradients that are short enough are stretched to max_norm. It is an upper limit: "
                "leave short ones alone.",
                "a norm below the limit",
                0.3,
            ),
            Misconception(
                "square-compared-with-the-limit",
                scaled(
                    lambda norm, most, grads: most / norm if norm**2 > most and norm > 0 else 1.0
                ),
                "The squared norm is compared with max_norm, though the factor is right. Compare "
                "like with like: norm with max_norm, or square with square.",
                "values",
                0.2,
            ),
            Misconception(
                "root-forgotten",
                scaled(lambda norm, most, grads: limit(norm**2, most)),
                "The sum of squares is compared with max_norm; the root is missing.",
                "values",
                0.35,
            ),
            Misconception(
                "norms-added",
                scaled(sum_of_norms),
                "The norms of the arrays are added. The global norm is that of one long vector: "
                "add the squares, then take the root.",
                "values",
                0.35,
            ),
            Misconception(
                "the-largest-norm",
                scaled(largest_norm),
                "The largest norm of a single array decides. Take the norm of all together.",
                "values",
                0.35,
            ),
            Misconception(
                "sizes-added",
                scaled(sum_of_sizes),
                "Absolute values are added up; the norm is the Euclidean one.",
                "values",
                0.35,
            ),
            Misconception(
                "the-largest-entry",
                scaled(largest_entry),
                "The largest entry is taken for the norm. Take the Euclidean norm of all entries.",
                "values",
                0.35,
            ),
            Misconception(
                "scaled-to-one",
                scaled(lambda norm, most, grads: 1 / norm if norm > most else 1.0),
                "Long gradients come out with norm 1; they should have norm max_norm.",
                "values",
                0.3,
            ),
            Misconception(
                "factor-upside-down",
                scaled(lambda norm, most, grads: norm / most if norm > most else 1.0),
                "Long gradients grow longer: the factor is upside down.",
                "values",
                0.4,
            ),
            Misconception(
                "zero-divided-by-zero",
                scaled(zero_by_zero),
                "Gradients of zero become NaN: the norm is 0, and you divide by it.",
                "all gradients zero",
            ),
            Misconception(
                "always-a-list",
                always_a_list,
                "A dict comes back as a list, so the names are lost. Give back what you got.",
                "values",
                0.3,
            ),
            Misconception(
                "nothing-returned-below-the-limit",
                nothing_below,
                "When the norm is below the limit nothing is returned.",
                "a norm below the limit",
                0.3,
            ),
            Misconception(
                "gradients-changed",
                in_place,
                "The arrays you are given are changed. The caller may still want the true "
                "gradients: make new ones.",
                "conduct",
            ),
        ),
        variants=(like_torch, one_long_vector, given_back),
    ),
)
