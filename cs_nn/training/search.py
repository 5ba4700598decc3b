"""Hyper-parameter search: grids, random points, and random points in ever smaller boxes.

Every search takes ``evaluate(**parameters)``, which trains a model and gives its score, higher is
better. All of them can run in parallel and keep a journal, so that a search that was stopped goes
on where it was; neither changes the result.
"""

import itertools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from cs_nn.arrays import Array, Scalar
from cs_nn.training.trials import run_trials

Parameters = dict[str, Any]
Result = tuple[Parameters, float]
Values = Sequence[Any] | Shaped[Array, "K"]
Ranges = Mapping[str, tuple[Scalar, Scalar]]


class BorderWarning(UserWarning):
    """The best value found lies on the border of what was searched; a better one may lie beyond."""


def sample_log_uniform(low: Scalar, high: Scalar, rng: np.random.Generator) -> float:
    """Return a number between two bounds whose logarithm is uniformly distributed.

    Args:
        low: lower bound itself (1e-4, not −4), more than 0.
        high: upper bound, at least ``low``.
        rng: source of the draw.

    Raises:
        ValueError: if the bounds are not 0 < low ≤ high.

    Source: Bergstra and Bengio 2012, section 2.1; CS231n, "Hyperparameter optimization".
    """
    if not 0 < low <= high < math.inf:
        raise ValueError(f"The bounds are {low} and {high}: give 0 < low ≤ high.")
    drawn = math.exp(rng.uniform(math.log(low), math.log(high)))
    # exp(log(low)) can miss low by one unit in the last place.
    return float(min(max(drawn, low), high))


def grid_search(
    evaluate: Callable[..., float],
    grid: Mapping[str, Values],
    *,
    workers: int = 1,
    journal: str | Path | None = None,
) -> tuple[Parameters, list[Result]]:
    """Try every combination of the values in a grid.

    Warns (:class:`BorderWarning`) where the best of three or more numbers is the smallest or the
    largest of them.

    Args:
        evaluate: ``evaluate(**parameters)`` gives a score, higher is better; NaN is never best.
        grid: the values to try, by parameter name.
        workers: processes that evaluate at the same time; see :func:`run_trials`.
        journal: file that keeps finished trials; see :func:`run_trials`.

    Returns:
        The best parameters, and (parameters, score) of every trial; the last name varies fastest.

    Raises:
        ValueError: if a parameter has no values.

    Source: Bergstra and Bengio 2012, section 1.
    """
    if not all(len(values) for values in grid.values()):
        raise ValueError("A parameter of the grid has no values: give each at least one.")
    trials = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    results = _results(evaluate, trials, workers, journal)
    best = _best(results)
    _warn_of_border([name for name in grid if _is_extreme(best[name], grid[name])], best)
    return best, results


def random_search(
    evaluate: Callable[..., float],
    ranges: Ranges,
    trials: int,
    rng: np.random.Generator,
    *,
    workers: int = 1,
    journal: str | Path | None = None,
) -> tuple[Parameters, list[Result]]:
    """Try random points, which show each parameter more different values than a grid.

    Warns (:class:`BorderWarning`) where the best lies within 5 % of a range's end in log space.

    Args:
        evaluate: ``evaluate(**parameters)`` gives a score, higher is better; NaN is never best.
        ranges: (low, high) by parameter name, drawn log-uniformly.
        trials: number of points, 1 or more.
        rng: source of the points.
        workers: processes that evaluate at the same time; see :func:`run_trials`.
        journal: file that keeps finished trials; see :func:`run_trials`.

    Returns:
        The best parameters, and (parameters, score) of every trial.

    Raises:
        ValueError: if ``trials`` is below 1 or a range is not 0 < low ≤ high.

    Source: Bergstra and Bengio 2012.
    """
    results = _results(evaluate, _draw(ranges, trials, rng), workers, journal)
    best = _best(results)
    _warn_of_border(_on_border(best, ranges), best)
    return best, results


def coarse_to_fine(
    evaluate: Callable[..., float],
    ranges: Ranges,
    trials: int,
    rounds: int,
    rng: np.random.Generator,
    *,
    workers: int = 1,
    journal: str | Path | None = None,
) -> tuple[Parameters, list[Result], list[str]]:
    """Search at random, then again and again in a box half as wide around the best so far.

    Widths are measured in log space, and no box leaves the first one. Warns
    (:class:`BorderWarning`) where the best lies on the border of its first range.

    Args:
        evaluate: ``evaluate(**parameters)`` gives a score, higher is better; NaN is never best.
        ranges: the first (low, high) by parameter name.
        trials: number of points in each round, 1 or more.
        rounds: number of rounds, 1 or more.
        rng: source of the points.
        workers: processes that evaluate at the same time; see :func:`run_trials`.
        journal: file that keeps finished trials; see :func:`run_trials`.

    Returns:
        The best parameters, (parameters, score) of every trial, and the names of the parameters
        whose best lies within 5 % of an end of its first range, in log space.

    Raises:
        ValueError: if ``trials`` or ``rounds`` is below 1 or a range is not 0 < low ≤ high.

    Source: CS231n, "Neural networks part 3", "stage your search from coarse to fine".
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}: give 1 or more.")
    results: list[Result] = []
    box = dict(ranges)
    for finished_rounds in range(1, rounds + 1):
        results += _results(evaluate, _draw(box, trials, rng), workers, journal)
        best = _best(results)
        box = {name: _narrowed(best[name], ranges[name], 0.5**finished_rounds) for name in ranges}
    border = _on_border(best, ranges)
    _warn_of_border(border, best)
    return best, results, border


def _draw(ranges: Ranges, trials: int, rng: np.random.Generator) -> list[Parameters]:
    if trials < 1:
        raise ValueError(f"trials is {trials}: give 1 or more.")
    return [
        {name: sample_log_uniform(low, high, rng) for name, (low, high) in ranges.items()}
        for _ in range(trials)
    ]


def _results(
    evaluate: Callable[..., float],
    trials: list[Parameters],
    workers: int,
    journal: str | Path | None,
) -> list[Result]:
    return list(zip(trials, run_trials(evaluate, trials, workers, journal), strict=True))


def _best(results: list[Result]) -> Parameters:
    parameters, _ = max(
        results, key=lambda result: -math.inf if math.isnan(result[1]) else result[1]
    )
    return dict(parameters)


def _narrowed(centre: float, first: tuple[Scalar, Scalar], share: float) -> tuple[float, float]:
    """Return the range around ``centre`` that covers a share of the first one, within it."""
    low, high = first
    stretch = float(high / low) ** (share / 2)
    return max(float(low), float(centre) / stretch), min(float(high), float(centre) * stretch)


def _on_border(best: Parameters, ranges: Ranges) -> list[str]:
    names = []
    for name, (low, high) in ranges.items():
        if low < high:
            place = math.log(best[name] / low) / math.log(high / low)
            if not 0.05 < place < 0.95:
                names.append(name)
    return names


def _is_extreme(value: Any, values: Values) -> bool:
    numeric = all(isinstance(v, int | float | np.number) and v is not True for v in values)
    return numeric and len(set(values)) >= 3 and value in (min(values), max(values))


def _warn_of_border(names: list[str], best: Parameters) -> None:
    if names:
        found = ", ".join(f"{name} = {best[name]:.3g}" for name in names)
        warnings.warn(
            f"The best lies on the border of the search ({found}): widen the range there.",
            BorderWarning,
            stacklevel=3,
        )
