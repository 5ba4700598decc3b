"""A search must find the best it has seen, lose no finished trial, and say when to look further."""

import json
import math
import os
import warnings

import numpy as np
import pytest

from cs_nn.training.search import (
    BorderWarning,
    coarse_to_fine,
    grid_search,
    random_search,
    sample_log_uniform,
)
from cs_nn.training.trials import run_trials

RANGES = {"rate": (1e-6, 1e0), "reg": (1e-5, 1e1)}


def score(rate, reg):
    """Best at rate 1e-3, reg 1e-2, in the middle of the ranges."""
    return -((math.log10(rate) + 3) ** 2) - (math.log10(reg) + 2) ** 2


def at_the_edge(rate, reg):
    return math.log10(rate) - (math.log10(reg) + 2) ** 2


def rng(seed=0):
    return np.random.default_rng(seed)


def test_log_uniform_draws_have_a_uniform_logarithm():
    generator = rng()
    draws = np.log10([sample_log_uniform(1e-4, 1e0, generator) for _ in range(4000)])
    counts, _ = np.histogram(draws, bins=4, range=(-4, 0))
    # 1000 expected in each decade; 6 standard deviations are about 164.
    assert np.all(np.abs(counts - 1000) < 164)
    assert counts.sum() == 4000


def test_log_uniform_stays_within_its_bounds_exactly():
    generator = rng()
    assert {sample_log_uniform(0.3, 0.3, generator) for _ in range(50)} == {0.3}
    for low, high in [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0), (1.0, math.inf)]:
        with pytest.raises(ValueError, match="0 < low ≤ high"):
            sample_log_uniform(low, high, generator)


def test_grid_tries_every_combination_and_returns_the_best():
    grid = {"rate": [1e-4, 1e-3, 1e-2], "reg": [1e-3, 1e-2, 1e-1]}
    best, results = grid_search(score, grid)
    assert best == {"rate": 1e-3, "reg": 1e-2}
    assert len(results) == 9
    assert results[0] == ({"rate": 1e-4, "reg": 1e-3}, score(1e-4, 1e-3))
    with pytest.raises(ValueError, match="no values"):
        grid_search(score, {"rate": [], "reg": [1.0]})


def test_grid_takes_values_of_any_kind_and_skips_nan():
    scores = {"sgd": math.nan, "adam": 0.5, "rprop": 0.1}
    grid = {"update": list(scores), "nesterov": [True, False]}
    best, _ = grid_search(lambda update, nesterov: scores[update], grid)
    assert best == {"update": "adam", "nesterov": True}


def test_random_search_returns_the_best_of_its_trials():
    best, results = random_search(score, RANGES, 30, rng(1))
    assert len(results) == 30
    assert score(**best) == max(result for _, result in results)
    for parameters, result in results:
        assert result == score(**parameters)
        assert all(low <= parameters[n] <= high for n, (low, high) in RANGES.items())


def test_coarse_to_fine_comes_closer_than_random_search_with_as_many_trials():
    gains = []
    for seed in range(5):
        best, results, border = coarse_to_fine(score, RANGES, 12, 4, rng(seed))
        assert len(results) == 48
        assert border == []
        for parameters, _ in results:
            assert all(low <= parameters[n] <= high for n, (low, high) in RANGES.items())
        at_random, _ = random_search(score, RANGES, 48, rng(seed))
        gains.append(score(**best) - score(**at_random))
    assert np.mean(gains) > 0


def test_the_border_is_named_and_warned_of():
    with pytest.warns(BorderWarning, match="rate = .*widen the range"):
        best, _, border = coarse_to_fine(at_the_edge, RANGES, 20, 4, rng())
    assert border == ["rate"]
    assert best["rate"] > 0.5
    with pytest.warns(BorderWarning, match="rate"):
        random_search(at_the_edge, {"rate": (1e-6, 1.0), "reg": (1e-2, 1e-2)}, 40, rng())
    with pytest.warns(BorderWarning, match="rate"):
        grid_search(at_the_edge, {"rate": [0.1, 0.2, 0.3], "reg": [1e-3, 1e-2, 1e-1]})


def test_a_choice_of_two_has_no_border():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grid_search(at_the_edge, {"rate": [0.1, 0.2], "reg": [1e-3, 1e-2, 1e-1]})


@pytest.mark.parametrize(("trials", "rounds"), [(0, 1), (1, 0)])
def test_searches_without_trials_are_refused(trials, rounds):
    with pytest.raises(ValueError, match="give 1 or more"):
        coarse_to_fine(score, RANGES, trials, rounds, rng())


def test_more_workers_give_the_same_result_in_other_processes():
    def with_process(rate, reg):
        return score(rate, reg)

    alone = coarse_to_fine(with_process, RANGES, 6, 2, rng())
    shared = coarse_to_fine(with_process, RANGES, 6, 2, rng(), workers=2)
    assert alone == shared
    here = os.getpid()
    ids = run_trials(lambda i: os.getpid(), [{"i": i} for i in range(4)], workers=2)
    assert here not in ids


def test_an_error_in_a_worker_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        run_trials(lambda i: 1 / i, [{"i": i} for i in range(3)], workers=2)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_search_that_was_stopped_goes_on_where_it_was(tmp_path, workers):
    journal = tmp_path / "search.jsonl"
    undisturbed = coarse_to_fine(score, RANGES, 5, 3, rng())
    calls = 0

    def stops(rate, reg):
        nonlocal calls
        calls += 1
        if calls > 8:
            raise KeyboardInterrupt
        return score(rate, reg)

    with pytest.raises(KeyboardInterrupt):
        coarse_to_fine(stops, RANGES, 5, 3, rng(), journal=journal)
    kept = journal.read_text()
    assert len(kept.splitlines()) == 8
    journal.write_text(kept + '{"parameters": {"rate": 0.1')
    resumed = coarse_to_fine(score, RANGES, 5, 3, rng(), workers=workers, journal=journal)
    assert resumed == undisturbed
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len(lines) == 15
    assert journal.read_text().startswith(kept)


def test_a_finished_search_runs_nothing_again(tmp_path):
    journal = tmp_path / "search.jsonl"
    grid = {"rate": np.array([1e-4, 1e-3, 1e-2]), "reg": [1e-3, 1e-2, 1e-1]}
    first = grid_search(score, grid, journal=journal)

    def never(rate, reg):
        raise AssertionError("this trial was finished before")

    assert grid_search(never, grid, journal=journal) == first


def test_a_file_that_is_no_journal_is_left_alone(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("my notes\n")
    with pytest.raises(ValueError, match=r"Line 1 of .*notes\.txt is no finished trial"):
        run_trials(score, [{"rate": 1.0, "reg": 1.0}], journal=notes)
    assert notes.read_text() == "my notes\n"


def test_what_a_journal_cannot_hold_is_explained(tmp_path):
    with pytest.raises(TypeError, match="search over names instead"):
        run_trials(lambda f: f(1), [{"f": abs}], journal=tmp_path / "j")
    with pytest.raises(ValueError, match="workers is 0"):
        run_trials(score, [], workers=0)
