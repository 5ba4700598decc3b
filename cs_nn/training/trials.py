"""Runs the trials of a search: in parallel if asked, and written down as they finish."""

import json
import multiprocessing
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

Parameters = dict[str, Any]

_evaluate: Callable[..., float]


def run_trials(
    evaluate: Callable[..., float],
    trials: list[Parameters],
    workers: int = 1,
    journal: str | Path | None = None,
) -> list[float]:
    """Return the score of each trial, in the order of the trials.

    Args:
        evaluate: ``evaluate(**parameters)`` gives a number. With several workers on macOS and
            Windows it must be a function at the top level of a module; on Linux any will do. A
            random ``evaluate`` should draw from a generator that it makes itself.
        trials: the parameters of each trial.
        workers: processes that evaluate at the same time; 1 evaluates here. Limit the threads of
            your BLAS library (``OMP_NUM_THREADS=1``) when you use several.
        journal: file to which each finished trial is added as one line of JSON. Trials that it
            already holds are not run again, so use one journal for one ``evaluate``.

    Raises:
        ValueError: if ``workers`` is below 1 or the journal is not one.
        TypeError: if a journal is kept and a parameter cannot be written as JSON.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}: give 1 or more.")
    if journal is None:
        scores = dict(_finished(evaluate, list(enumerate(trials)), workers))
        return [scores[i] for i in range(len(trials))]

    journal = Path(journal)
    known = _read(journal)
    keys = [_key(parameters) for parameters in trials]
    open_trials = [(i, trials[i]) for i, key in enumerate(keys) if key not in known]
    for i, score in _finished(evaluate, open_trials, workers):
        known[keys[i]] = score
        with journal.open("a", encoding="utf-8") as file:
            file.write(f'{{"parameters": {keys[i]}, "score": {json.dumps(score)}}}\n')
    return [known[key] for key in keys]


def _finished(
    evaluate: Callable[..., float], trials: list[tuple[int, Parameters]], workers: int
) -> Iterator[tuple[int, float]]:
    """Yield (number, score) of each trial as soon as it is done."""
    if workers == 1 or len(trials) < 2:
        for i, parameters in trials:
            yield i, float(evaluate(**parameters))
        return
    # A forked worker knows evaluate already, so that a function of a notebook can be used.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    pool = ProcessPoolExecutor(workers, context, initializer=_set_evaluate, initargs=(evaluate,))
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of any fork beside threads; the workers only compute.
            warnings.simplefilter("ignore", DeprecationWarning)
            futures = {pool.submit(_call, parameters): i for i, parameters in trials}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _set_evaluate(evaluate: Callable[..., float]) -> None:
    global _evaluate
    _evaluate = evaluate


def _call(parameters: Parameters) -> float:
    return float(_evaluate(**parameters))


def _read(journal: Path) -> dict[str, float]:
    """Return the scores by trial, and cut off a last line that a killed run left unfinished."""
    if not journal.exists():
        return {}
    text = journal.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        with journal.open("r+b") as file:
            file.truncate(len(whole))
    known = {}
    for number, line in enumerate(whole.decode("utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            known[_key(entry["parameters"])] = float(entry["score"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"Line {number} of {journal} is no finished trial: is this the journal of a search?"
            ) from error
    return known


def _key(parameters: Parameters) -> str:
    return json.dumps(parameters, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"A journal can hold numbers, strings, lists and None, but not {value!r}: search over "
        "names instead, and look the object up in evaluate."
    )
