"""Random search."""

import math

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.a6_training.sampling import (
    BEATS_THE_LAST,
    IMPROVEMENTS,
    LOG,
    OWN,
    bounds_as_exponents,
    compared_with_the_last,
    improving,
    linear,
    searched,
    tell,
)
from autograder.exercise import Case, Exercise
from cs_nn.training.search import random_search


def random_cases(rng):
    def case(ranges, trials, height=0.0):
        args = {
            "ranges": ranges,
            "centres": {key: float(np.sqrt(low * high)) for key, (low, high) in ranges.items()},
            "weights": {key: float(w) for key, w in zip(ranges, (1.0, 0.4, 0.7), strict=False)},
            "height": height,
            "trials": trials,
            "seed": int(rng.integers(2**31)),
        }
        return Case(f"{trials} trials of {' and '.join(ranges)}", args)

    return [
        case({"rate": (1e-5, 1e-1), "reg": (1e-4, 1e2)}, 300),
        case({"rate": (1e-3, 1.0)}, 7, height=5.0),
        case({"b": (1e-6, 1e-2), "a": (2.0, 300.0), "c": (1e-3, 10.0)}, 12),
    ]


def points(draw, *, count=lambda trials: trials):
    def make(ranges, trials, rng):
        return [
            {key: draw(low, high, rng) for key, (low, high) in ranges.items()}
            for _ in range(count(trials))
        ]

    return make


def log_draw(low, high, rng):
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def one_draw_for_all(ranges, trials, rng):
    shares = rng.random(trials)
    return [
        {key: low * (high / low) ** share for key, (low, high) in ranges.items()}
        for share in shares
    ]


def same_point_each_time(ranges, trials, rng):
    point = {key: log_draw(low, high, rng) for key, (low, high) in ranges.items()}
    return [dict(point) for _ in range(trials)]


def fresh_generator(ranges, trials, rng):
    return points(log_draw)(ranges, trials, np.random.default_rng())


def random_best_above_zero(evaluate, ranges, trials, rng):
    drawn = points(log_draw)(ranges, trials, rng)
    results = [(p, evaluate(**p)) for p in drawn]
    best, top = {}, 0
    for p, score in results:
        if score > top:
            best, top = p, score
    return best, results


def random_one_dict(evaluate, ranges, trials, rng):
    point, results, best, top = {}, [], None, -math.inf
    for _ in range(trials):
        for key, (low, high) in ranges.items():
            point[key] = log_draw(low, high, rng)
        score = evaluate(**point)
        results.append((point, score))
        if score > top:
            best, top = point, score
    return best, results


def random_by_arrays(evaluate, ranges, trials, rng):
    columns = {
        key: 10 ** rng.uniform(np.log10(low), np.log10(high), trials)
        for key, (low, high) in ranges.items()
    }
    results = []
    for i in range(trials):
        point = {key: column[i] for key, column in columns.items()}
        results.append([point, evaluate(**point)])
    scores = np.array([score for _, score in results])
    return results[scores.argmax()][0], results


def random_keeping_the_best(evaluate, ranges, trials, rng):
    best = None
    results = []
    while len(results) < trials:
        point = {key: float(np.exp(rng.uniform(*np.log(r)))) for key, r in ranges.items()}
        results.append((point, evaluate(**point)))
        if best is None or results[-1][1] > best[1]:
            best = results[-1]
    return dict(best[0]), tuple(results)


RANDOM = Exercise(
    name="random_search",
    kind=Scripted("random_points"),
    reference={"random_search": random_search},
    cases=random_cases,
    misconceptions=(
        tell("uniform-draws", searched(points(linear)), LOG, "log-uniform", 0.4),
        tell(
            "ranges-taken-for-exponents",
            searched(points(bounds_as_exponents)),
            "The bounds are taken for exponents of 10; they are the values themselves.",
            "within the ranges",
            0.4,
        ),
        tell(
            "one-draw-for-all-parameters",
            searched(one_draw_for_all),
            "One random number serves all parameters, so they rise and fall together and most "
            "combinations never come up.",
            "drawn apart for each parameter",
            0.4,
        ),
        tell(
            "same-point-each-time",
            searched(same_point_each_time),
            "The point is drawn once and tried again and again. Draw anew for each trial.",
            "log-uniform",
            0.5,
        ),
        tell("own-generator", searched(fresh_generator), OWN, "drawn from rng", 0.2),
        tell(
            "lowest-score-taken",
            searched(points(log_draw), pick=min),
            "The lowest score is called the best. Here a higher score is better.",
            "best",
        ),
        tell(
            "best-must-be-positive",
            random_best_above_zero,
            "The best score starts at 0, so negative scores, such as a negative loss, never win.",
            "best",
        ),
        tell(
            "compared-with-the-last-score",
            compared_with_the_last(points(log_draw)),
            BEATS_THE_LAST,
            "best",
        ),
        tell(
            "only-improvements-kept",
            improving(points(log_draw)),
            IMPROVEMENTS,
            "number of trials",
        ),
        tell(
            "one-dict-for-all-results",
            random_one_dict,
            "All results share one dictionary, which ends up holding the last point. Make a new "
            "one for each trial.",
            "scores belong to their parameters",
        ),
        tell(
            "one-trial-too-few",
            searched(points(log_draw, count=lambda trials: trials - 1)),
            "One trial is missing.",
            "number of trials",
        ),
        tell(
            "score-first",
            searched(points(log_draw), swap=True),
            "Each result is (score, parameters); the parameters come first.",
            "number of trials",
            0.2,
        ),
        tell(
            "results-not-returned",
            searched(points(log_draw), short=True),
            "Only the best comes back: return the list of all results as well.",
            "number of trials",
        ),
    ),
    variants=(
        searched(points(log_draw)),
        random_by_arrays,
        random_keeping_the_best,
    ),
)

EXERCISES = (RANDOM,)
