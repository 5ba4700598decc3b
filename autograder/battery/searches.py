"""Searches for hyper-parameters: every point that was tried, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.battery.classes import script
from autograder.battery.compare import describe
from autograder.battery.kind import ELSEWHERE, Observed, Outputs, arguments
from autograder.battery.series import as_series, verdict
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Function, Raised, Seed, Value


def landscape(centres: Mapping[str, float], weights: Mapping[str, float], height: float = 0.0):
    """A score with one peak: height − Σ weight·log10(value/centre)²."""

    def score(parameters: Mapping[str, Value]) -> float:
        total = height
        for key, centre in centres.items():
            total -= weights[key] * float(np.log10(float(parameters[key]) / centre)) ** 2
        return total

    return score


class Trials:
    """``evaluate(**parameters)`` for a search, which remembers what it was asked."""

    def __init__(self, score: Any) -> None:
        self.score, self.asked = score, []

    def recipe(self) -> Function:
        return Function(self.evaluate, "evaluate")

    def evaluate(self, **parameters: Value) -> Value:
        self.asked.append(dict(parameters))
        return self.score(parameters)


def _results_of(
    value: Value, parts: int, trials: Trials
) -> list[tuple[dict[str, Any], float]] | Raised:
    """The list of (parameters, score) in what a search returned, or what is wrong with it."""
    if isinstance(value, Raised):
        return value
    if not isinstance(value, (tuple, list)) or len(value) != parts:
        text = f"the search should return {parts} things, the best first"
        tried = isinstance(value, Mapping) and _key(value) in map(_key, trials.asked)
        return _not_results(text, "one that was tried" if tried else describe(value), trials)
    rows = value[1]
    pairs = isinstance(rows, (tuple, list)) and all(
        isinstance(row, (tuple, list)) and len(row) == 2 and isinstance(row[0], Mapping)
        for row in rows
    )
    if not pairs:
        text = "the results should be a list of (parameters, score)"
        return _not_results(text, describe(rows), trials)
    return [(dict(parameters), score) for parameters, score in rows]


def _not_results(text: str, what: str, trials: Trials) -> Raised:
    """An answer of a wrong form, told apart by what it is and by how much was tried for it."""
    return Outputs("Outputs", text, value=f"{what}, after {len(trials.asked)} trials")


def _key(parameters: Mapping[str, Any]) -> tuple:
    return tuple((name, str(parameters[name])) for name in sorted(parameters))


@script
def grid(name: str, student: Student, case: Case) -> Observed:
    """``grid_search``: every combination once, each with its score, and the best of them."""
    seen = Observed()
    given = arguments(case)
    trials = Trials(_table(given["scores"], given["grid"]))
    names = ("evaluate", "grid")
    reply = student.call(name, trials.recipe(), given["grid"], names=names, after=("grid",))
    seen.keeps(seen.note(reply), given, ("grid",))
    results = _results_of(reply.value, 2, trials)
    aspects = ("each combination once", "results", "best")
    if isinstance(results, Raised):
        seen.values = dict.fromkeys(aspects, results)
        return seen
    count = int(np.prod([len(values) for values in given["grid"].values()]))
    asked = [_key(parameters) for parameters in trials.asked]
    text = "too few trials" if len(set(asked)) < count else "some are evaluated twice"
    text = _strangers(trials.asked, given["grid"]) or text
    once = len(asked) == len(set(asked)) == count and not _strangers(trials.asked, given["grid"])
    seen.values["each combination once"] = verdict(once, text)
    ordered = sorted(results, key=lambda row: _key(row[0]))
    seen.values["results"] = [[dict(sorted(p.items())), score] for p, score in ordered]
    seen.values["best"] = reply.value[0]
    if _strangers(trials.asked, given["grid"]):  # what follows from that is no other mistake
        seen.values |= dict.fromkeys(("results", "best"), ELSEWHERE[0])
    return seen


def _table(scores: Sequence[float], grid: Mapping[str, Sequence[Value]]) -> Any:
    """A score for each combination of a grid, the last name fastest."""

    def score(parameters: Mapping[str, Value]) -> float:
        number = 0
        for key, values in grid.items():
            known = [str(v) for v in values]
            if key not in parameters:
                raise TypeError(f"evaluate() is called without {key!r}")
            value = str(parameters[key])
            number = number * len(values) + (known.index(value) if value in known else 0)
        return float(scores[number])

    return score


def _strangers(asked: Sequence[Mapping[str, Any]], grid: Mapping[str, Sequence[Value]]) -> str:
    """The first value that evaluate got and the grid does not hold, in words."""
    for parameters in asked:
        for key, value in parameters.items():
            if str(value) not in map(str, grid.get(key, ())):
                return f"evaluate gets {key} = {str(value)[:40]}, which is not in the grid"
    return ""


SEARCHED = (
    "number of trials",
    "within the ranges",
    "log-uniform",
    "drawn apart for each parameter",
    "scores belong to their parameters",
    "best",
    "drawn from rng",
)


@script
def random_points(name: str, student: Student, case: Case) -> Observed:
    """``random_search``: how the points are drawn, and which is called the best."""
    seen = Observed()
    given = arguments(case)
    trials = Trials(landscape(given["centres"], given["weights"], given["height"]))
    count, seed = int(given["trials"]), int(given["seed"])
    handed = (trials.recipe(), given["ranges"], count, Seed(seed))
    reply = student.call(name, *handed, names=("evaluate", "ranges"), after=("ranges",))
    seen.keeps(seen.note(reply), given, ("ranges",))
    results = _results_of(reply.value, 2, trials)
    if isinstance(results, Raised):
        seen.values = dict.fromkeys(SEARCHED, results)
        return seen
    seen.values["number of trials"] = len(results)
    ranges = given["ranges"]
    places = _places([p for p, _ in results], ranges)
    inside = places is not None and bool(((places > -1e-9) & (places < 1 + 1e-9)).all())
    seen.values["within the ranges"] = verdict(inside)
    seen.values["log-uniform"] = _evenly_spread(places) if inside else "yes"
    seen.values["drawn apart for each parameter"] = _independent(places) if inside else "yes"
    seen.values |= _scores_and_best(results, reply.value[0], trials)
    retrial = Trials(trials.score)
    again = student.call(name, retrial.recipe(), ranges, count, Seed(seed)).value
    twin = _results_of(again, 2, retrial)
    same = not isinstance(twin, Raised) and [_key(p) for p, _ in twin] == [
        _key(p) for p, _ in results
    ]
    seen.values["drawn from rng"] = verdict(same, "the same seed gives other points")
    return seen


def _places(
    points: Sequence[Mapping[str, Any]], ranges: Mapping[str, Sequence[float]]
) -> np.ndarray | None:
    """Where the points lie in their ranges in log space, 0 … 1; one row for each point."""
    try:
        rows = [
            [
                np.log(float(point[key]) / low) / np.log(high / low)
                for key, (low, high) in ranges.items()
            ]
            for point in points
        ]
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    places = np.array(rows)
    return places if np.isfinite(places).all() else None


def _evenly_spread(places: np.ndarray | None) -> str:
    """Kolmogorov and Smirnov's distance, passed by chance less than once in 1e11 (Massart)."""
    if places is None or len(places) < 100:
        return "yes"
    limit = np.sqrt(np.log(2e11) / (2 * len(places)))
    for column in places.T:
        ordered = np.sort(column)
        if len(set(np.round(ordered, 9).tolist())) < 0.97 * len(ordered):
            at_the_ends = np.mean((ordered < 1e-9) | (ordered > 1 - 1e-9))
            inside = ordered[(ordered > 1e-9) & (ordered < 1 - 1e-9)]
            if at_the_ends < 0.5 and len(set(np.round(inside, 9).tolist())) == len(inside):
                return "many draws lie just on a bound"
            return "some values come again and again"
        steps = np.arange(len(ordered) + 1) / len(ordered)
        distance = max(np.abs(ordered - steps[:-1]).max(), np.abs(ordered - steps[1:]).max())
        if distance > limit:
            words = "large values" if ordered.mean() > 0.5 else "small values"
            if abs(ordered.mean() - 0.5) < 0.1:
                words = "values in the middle" if ordered.std() < 0.28 else "values near the bounds"
            return f"{words} come too often"
    return "yes"


def _independent(places: np.ndarray | None) -> str:
    """Whether the parameters vary apart: |r| above 7/√n is chance less than once in 1e11."""
    if places is None or len(places) < 100 or places.shape[1] < 2:
        return "yes"
    r = np.corrcoef(places.T)[0, 1]
    return verdict(bool(abs(r) < 7 / np.sqrt(len(places))), "the parameters rise and fall together")


def _scores_and_best(
    results: list[tuple[dict[str, Any], float]], best: Value, trials: Trials, last: int = 1
) -> dict[str, Value]:
    """The facts on scores; ``last`` is how many trials make the last round."""
    try:
        true = [trials.score(parameters) for parameters, _ in results]
        fitting = np.allclose(true, [float(score) for _, score in results], rtol=1e-9)
        top = results[int(np.argmax(true))][0] if results else {}
        low = results[int(np.argmin(true))][0] if results else {}
        is_best = isinstance(best, Mapping) and _key(best) == _key(top)
        is_worst = isinstance(best, Mapping) and _key(best) == _key(low)
        newest = max(len(results) - last, 0) + int(np.argmax(true[-last:])) if results else 0
        is_last = isinstance(best, Mapping) and _key(best) == _key(results[newest][0])
        tried = isinstance(best, Mapping) and _key(best) in [_key(row[0]) for row in results]
    except (KeyError, TypeError, ValueError):
        fitting, is_best, is_worst, is_last, tried = False, False, False, False, True
    text = "not the parameters of the highest score" if tried else "it is none of the trials"
    if is_worst or is_last:
        newest_words = "the last trial" if last == 1 else "the best of the last round"
        text = "the lowest score is taken" if is_worst else f"{newest_words} is taken"
    return {
        "scores belong to their parameters": verdict(bool(fitting)),
        "best": verdict(is_best, text),
    }


REFINED = (
    "number of trials",
    "within the first ranges",
    "log-uniform at first",
    "narrower in each round",
    "around the best so far",
    "scores belong to their parameters",
    "best",
    "names on the border",
)


@script
def rounds(name: str, student: Student, case: Case) -> Observed:
    """``coarse_to_fine``: each round looked at apart, in log space."""
    seen = Observed()
    given = arguments(case)
    trials = Trials(landscape(given["centres"], given["weights"], given["height"]))
    count, times = int(given["trials"]), int(given["rounds"])
    handed = (trials.recipe(), given["ranges"], count, times, Seed(int(given["seed"])))
    reply = student.call(name, *handed, names=("evaluate", "ranges"), after=("ranges",))
    seen.keeps(seen.note(reply), given, ("ranges",))
    results = _results_of(reply.value, 3, trials)
    if isinstance(results, Raised):
        seen.values = dict.fromkeys(REFINED, results)
        return seen
    ranges = given["ranges"]
    seen.values["number of trials"] = len(results)
    places = _places([p for p, _ in results], ranges)
    inside = places is not None and bool(((places > -1e-9) & (places < 1 + 1e-9)).all())
    seen.values["within the first ranges"] = verdict(inside)
    whole = inside and len(results) == count * times
    first = places[:count] if whole and places is not None else None
    seen.values["log-uniform at first"] = _evenly_spread(first)
    narrower, around = _rounds(places, results, count, times, trials) if whole else ("yes", "yes")
    if narrower == "no" and _narrower_in_plain_numbers([p for p, _ in results[-count:]], ranges):
        narrower = "in plain numbers, but not in log space"
    seen.values["narrower in each round"] = narrower
    seen.values["around the best so far"] = around
    seen.values |= _scores_and_best(results, reply.value[0], trials, count)
    seen.values["names on the border"] = _border(reply.value, ranges)
    return seen


def _rounds(
    places: np.ndarray | None, results: list, count: int, times: int, trials: Trials
) -> tuple[str, str]:
    if places is None or times < 2 or count < 20:
        return "yes", "yes"
    scores = np.array([trials.score(parameters) for parameters, _ in results])
    narrower = around = "yes"
    widths = [np.ptp(places[i * count : (i + 1) * count], axis=0) for i in range(times)]
    for number in range(1, times):
        # A box near an end of the range may be cut off there, and grow again a little later.
        most = 0.85 if number == 1 else 0.75
        if (widths[number] > most).any():
            narrower = "no"
        part = places[number * count : (number + 1) * count]
        best = places[int(np.argmax(scores[: number * count]))]
        gap = np.maximum(part.min(axis=0) - best, best - part.max(axis=0))
        if (gap > np.maximum(0.6 * widths[number], 0.02)).any():
            around = "no"
    if times > 3 and (widths[-1] > 0.95 * widths[1]).any():
        narrower = "only once"
    return narrower, around


def _narrower_in_plain_numbers(
    points: Sequence[Mapping[str, Any]], ranges: Mapping[str, Sequence[float]]
) -> bool:
    widths = [
        np.ptp([float(point[key]) for point in points]) / (high - low)
        for key, (low, high) in ranges.items()
    ]
    return max(widths) < 0.6


def _border(value: Value, ranges: Mapping[str, Sequence[float]]) -> Value:
    """Whether the names are those whose best lies within 5 % of an end; 4 to 6 % may go either
    way."""
    best, _, names = value
    if not isinstance(names, (list, tuple)):
        return Raised("Outputs", "the names on the border should come as a list")
    places = _places([best], ranges) if isinstance(best, Mapping) else None
    if places is None:
        return "yes"
    for key, place in zip(ranges, places[0], strict=True):
        edge = min(place, 1 - place)
        if edge < 0.04 and key not in names:
            return (
                f"one whose best lies at the {'lower' if place < 0.5 else 'upper'} end is missing"
            )
        if edge > 0.06 and key in names:
            return "one does not belong"
    return "yes"


@script
def log_uniform(name: str, student: Student, case: Case) -> Observed:
    """``sample_log_uniform``: many draws from one generator."""
    seen = Observed()
    given = arguments(case)
    low, high = float(given["low"]), float(given["high"])
    rng = student.hold(Seed(int(given["seed"])))
    drawn = [student.call(name, low, high, rng).value for _ in range(int(given["repeats"]))]
    series = as_series(drawn)
    aspects = ("a number", "within the bounds", "log-uniform", "drawn from rng")
    if not isinstance(series, np.ndarray):
        wrong = series if isinstance(series, Raised) or series is None else _no_number(series)
        seen.values = dict.fromkeys(aspects, wrong)
        return seen
    seen.values["a number"] = "yes"
    inside = bool(((series >= low * (1 - 1e-9)) & (series <= high * (1 + 1e-9))).all())
    seen.values["within the bounds"] = verdict(inside)
    places = np.log(series / low) / np.log(high / low) if inside else None
    fresh = len(series) < 2 or bool(np.ptp(series) > 0)
    even = _evenly_spread(places[:, None]) if places is not None and fresh else "yes"
    seen.values["log-uniform"] = even
    again = student.call(name, low, high, Seed(int(given["seed"]))).value
    same = isinstance(again, (int, float, np.ndarray)) and float(again) == float(series[0])
    text = "the same seed gives another number" if fresh else "the same number at every call"
    seen.values["drawn from rng"] = verdict(same and fresh, text)
    return seen


def _no_number(value: Value) -> Raised:
    return Raised("Outputs", "the function should return one number")
