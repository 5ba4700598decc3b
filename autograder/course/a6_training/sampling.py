"""Draws on a log scale, and the search over a grid."""

import itertools
import math

import numpy as np

from autograder.battery.classes import Scripted
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.training.search import grid_search, sample_log_uniform


def draw_cases(rng):
    def case(low, high, repeats=1):
        args = {"low": low, "high": high, "seed": int(rng.integers(2**31)), "repeats": repeats}
        return Case(f"low = {low} and high = {high}", args)

    return [case(1e-4, 1.0, 450), case(2e-6, 3e-2, 30), case(5.0, 800.0, 30)]


def linear(low, high, rng):
    return rng.uniform(low, high)


def bounds_as_exponents(low, high, rng):
    return 10 ** rng.uniform(low, high)


def logarithm_returned(low, high, rng):
    return rng.uniform(math.log(low), math.log(high))


def bases_mixed(low, high, rng):
    return math.exp(rng.uniform(math.log10(low), math.log10(high)))


def whole_decades(low, high, rng):
    return float(np.clip(10.0 ** rng.integers(round(math.log10(low)), round(math.log10(high)) + 1),
                         low, high))  # fmt: skip


def normal_in_log_space(low, high, rng):
    middle, width = math.log(low * high) / 2, math.log(high / low)
    return float(np.clip(math.exp(rng.normal(middle, width / 8)), low, high))


def own_generator(low, high, rng):
    return math.exp(np.random.default_rng().uniform(math.log(low), math.log(high)))


def seeded_afresh(low, high, rng):
    return math.exp(np.random.default_rng(0).uniform(math.log(low), math.log(high)))


def an_array_of_one(low, high, rng):
    return np.exp(rng.uniform(math.log(low), math.log(high), size=1))


def reciprocal(low, high, rng):
    return 1 / rng.uniform(1 / high, 1 / low)


def by_powers_of_ten(low, high, rng):
    return 10 ** rng.uniform(np.log10(low), np.log10(high))


def by_ratio(low, high, rng):
    return low * (high / low) ** rng.random()


def as_numpy_number(low, high, rng):
    return np.exp(np.log(low) + (np.log(high) - np.log(low)) * rng.random())


# Grid ----------------------------------------------------------------------------------


def grid_cases(rng):
    def case(grid, check=""):
        count = int(np.prod([len(values) for values in grid.values()]))
        scores = np.round(rng.permutation(count) / 7 - count / 5, 3)
        if count >= 4:  # the best early, and at the end one that is better than the one before
            early, top = int(rng.integers(1, count // 2)), int(scores.argmax())
            scores[[early, top]] = scores[[top, early]]
            scores[-2:].sort()
        words = " × ".join(f"{len(values)} values of {key}" for key, values in grid.items())
        return Case(words, {"grid": grid, "scores": [float(s) for s in scores]}, check)

    return [
        case({"rate": [0.1, 0.01, 0.001], "reg": [0.5, 0.05]}),
        case({"width": [10, 20, 30, 40], "rate": [1.0, 0.3], "decay": [0.9, 0.99, 0.5]}),
        case({"b": [1, 2, 3], "a": [4, 5], "c": [6, 7]}),
        case({"rate": [0.2, 0.4, 0.1, 0.3]}, "one parameter"),
        case({"rule": ["sgd", "adam"], "rate": [0.1, 0.2, 0.3]}, "names as values"),
        case({"rate": [0.1], "reg": [0.3]}, "one combination"),
    ]


def every(grid):
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def searched(points, *, pick=max, swap=False, short=False):
    """A search with switches for what may go wrong at its end."""

    def search(evaluate, space, *rest):
        results = [(p, evaluate(**p)) for p in points(space, *rest)]
        best, score = pick(results, key=lambda row: row[1])
        if short:
            return best
        if swap:
            return best, [(s, p) for p, s in results]
        return best, results

    return search


def along_the_diagonal(grid):
    return [dict(zip(grid, values, strict=True)) for values in zip(*grid.values(), strict=False)]


def one_at_a_time(grid):
    first = {key: values[0] for key, values in grid.items()}
    points = [first]
    for key, values in grid.items():
        points += [{**first, key: value} for value in values[1:]]
    return points


def without_the_last(grid):
    return every(grid)[:-1] or every(grid)


def twice(grid):
    return every(grid) * 2


def best_above_zero(evaluate, grid):
    best, top, results = None, 0, []
    for p in every(grid):
        score = evaluate(**p)
        results.append((p, score))
        if score > top:
            best, top = p, score
    return best, results


def compared_with_the_last(points):
    """A search whose best is whatever beats the trial just before it."""

    def search(evaluate, space, *rest):
        best, before, results = None, -math.inf, []
        for p in points(space, *rest):
            score = evaluate(**p)
            results.append((p, score))
            if score > before:
                best = p
            before = score
        return best, results

    return search


def improving(points):
    """A search that writes down only what beats all before."""

    def search(evaluate, space, *rest):
        results, top = [], -math.inf
        for p in points(space, *rest):
            score = evaluate(**p)
            if score > top:
                results.append((p, score))
                top = score
        return results[-1][0], results

    return search


def one_dict_for_all(evaluate, grid):
    point, results, best, top = {}, [], None, -math.inf
    for values in itertools.product(*grid.values()):
        point.update(zip(grid, values, strict=True))
        score = evaluate(**point)
        results.append((point, score))
        if score > top:
            best, top = point, score
    return best, results


def best_score_too(evaluate, grid):
    best, results = searched(every)(evaluate, grid)
    return (best, max(score for _, score in results)), results


def evaluated_again(evaluate, grid):
    results = [(p, evaluate(**p)) for p in every(grid)]
    best = max(every(grid), key=lambda p: evaluate(**p))
    return best, results


def grid_by_recursion(evaluate, grid):
    results = []

    def visit(names, chosen):
        if not names:
            results.append([chosen, evaluate(**chosen)])
            return
        for value in grid[names[0]]:
            visit(names[1:], {**chosen, names[0]: value})

    visit(list(grid), {})
    return max(results, key=lambda row: row[1])[0], results


def grid_by_counting(evaluate, grid):
    names, results = list(grid), []
    for number in range(int(np.prod([len(grid[name]) for name in names]))):
        point = {}
        for name in names:
            number, place = divmod(number, len(grid[name]))
            point[name] = grid[name][place]
        results.append((point, evaluate(**point)))
    best = int(np.argmax([score for _, score in results]))
    return results[best][0], results


def grid_sorted(evaluate, grid):
    results = sorted(((p, evaluate(**p)) for p in every(grid)), key=lambda r: -r[1])
    return results[0][0], results


def tell(code, wrong, sentence, aspect, severity=0.3, equivalent=()):
    return Misconception(code, wrong, sentence, aspect, severity, equivalent)


LOG = (
    "The draws are uniform, so nine of ten lie in the largest decade. Rates and penalties act by "
    "their order of magnitude: draw the logarithm uniformly."
)
BEATS_THE_LAST = (
    "A trial becomes the best if it beats the one just before it, so a poor one wins after a "
    "poorer. What must a score be compared with?"
)
IMPROVEMENTS = "Only trials that beat all before are kept. The list should hold every trial."
OWN = "The draws do not come from rng, so a search cannot be repeated."

DRAWS = Exercise(
    name="sample_log_uniform",
    kind=Scripted("log_uniform"),
    reference={"sample_log_uniform": sample_log_uniform},
    cases=draw_cases,
    misconceptions=(
        tell("uniform-draw", linear, LOG, "log-uniform", 0.5),
        tell(
            "bounds-taken-for-exponents",
            bounds_as_exponents,
            "The bounds are taken for exponents of 10; they are the values themselves.",
            "within the bounds",
            0.4,
        ),
        tell(
            "logarithm-returned",
            logarithm_returned,
            "You return the logarithm. Undo it before you return.",
            "within the bounds",
            0.4,
            ("bounds-taken-for-exponents", "bases-mixed"),
        ),
        tell(
            "bases-mixed",
            bases_mixed,
            "The logarithm has base 10 and the exponential base e: use one base for both.",
            "within the bounds",
            0.4,
            ("bounds-taken-for-exponents", "logarithm-returned"),
        ),
        tell(
            "whole-decades-only",
            whole_decades,
            "Only powers of ten come up. Everything between them should, too.",
            "log-uniform",
            0.4,
        ),
        tell(
            "normal-draw",
            normal_in_log_space,
            "The logarithms are normal, so the ends of the range hardly ever come up.",
            "log-uniform",
            0.4,
        ),
        tell(
            "uniform-in-the-reciprocal",
            reciprocal,
            "Small values come up far too often: the reciprocal is uniform, not the logarithm.",
            "log-uniform",
            0.4,
        ),
        tell("own-generator", own_generator, OWN, "drawn from rng", 0.2),
        tell(
            "seeded-afresh",
            seeded_afresh,
            "A generator is made inside with a fixed seed, so every draw is the same.",
            "drawn from rng",
            0.4,
        ),
        tell(
            "an-array-of-one",
            an_array_of_one,
            "The draw comes in an array of length 1; one number was asked for.",
            "a number",
            0.2,
        ),
    ),
    variants=(by_powers_of_ten, by_ratio, as_numpy_number),
)

GRID = Exercise(
    name="grid_search",
    kind=Scripted("grid"),
    reference={"grid_search": grid_search},
    cases=grid_cases,
    misconceptions=(
        tell(
            "lowest-score-taken",
            searched(every, pick=min),
            "The lowest score is called the best. Here a higher score is better.",
            "best",
        ),
        tell(
            "diagonal-only",
            searched(along_the_diagonal),
            "The values are paired off. A grid tries every value of one with every value of the "
            "others.",
            "each combination once",
            0.5,
        ),
        tell(
            "one-parameter-at-a-time",
            searched(one_at_a_time),
            "Only one parameter is varied at a time. A grid tries all combinations.",
            "each combination once",
            0.5,
        ),
        tell(
            "last-combination-forgotten",
            searched(without_the_last),
            "The last combination is never tried.",
            "each combination once",
        ),
        tell(
            "everything-twice",
            searched(twice),
            "Combinations are tried twice. Each trial is a whole training run.",
            "each combination once",
        ),
        tell(
            "best-evaluated-again",
            evaluated_again,
            "The best is found by evaluating everything a second time. Keep the scores: each "
            "trial is a whole training run.",
            "each combination once",
            0.2,
        ),
        tell(
            "best-must-be-positive",
            best_above_zero,
            "The best score starts at 0, so negative scores, such as a negative loss, never win.",
            "best",
        ),
        tell(
            "compared-with-the-last-score",
            compared_with_the_last(every),
            BEATS_THE_LAST,
            "best",
        ),
        tell(
            "one-dict-for-all-results",
            one_dict_for_all,
            "All results share one dictionary, which ends up holding the last combination. Make a "
            "new one for each.",
            "results",
        ),
        tell(
            "score-first",
            searched(every, swap=True),
            "Each result is (score, parameters); the parameters come first.",
            "results",
            0.2,
        ),
        tell(
            "results-not-returned",
            searched(every, short=True),
            "Only the best comes back: return the list of all results as well.",
            "results",
        ),
        tell(
            "only-improvements-kept",
            improving(every),
            IMPROVEMENTS,
            "results",
        ),
        tell(
            "best-with-its-score",
            best_score_too,
            "The first result is a pair of parameters and score; the parameters alone were asked "
            "for.",
            "best",
            0.2,
        ),
    ),
    variants=(grid_by_recursion, grid_by_counting, grid_sorted),
)

EXERCISES = (DRAWS, GRID)
