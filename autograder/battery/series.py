"""Kinds judged over time: a schedule asked at many steps, random batches over many draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.battery.classes import DISTURBED, recogniser, script
from autograder.battery.compare import NO, YES, as_array, same
from autograder.battery.kind import Kind, Observed, Trial, arguments
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Handle, Raised, Seed, Value


def as_series(values: Sequence[Value]) -> Value:
    """Numbers as one array; the first thing that is no number where there is one."""
    for value in values:
        array = as_array(value)
        if array is None:
            return value
        if array.ndim:
            text = f"one number was expected each time, not an array of shape {array.shape}"
            return Raised("Outputs", text)
    return np.array([float(value) for value in values])


@dataclass(frozen=True)
class Schedule(Kind):
    """A function of time: asked at every t of a list, its answers are judged as one series."""

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        rates = []
        for t in given["t"]:
            reply = seen.note(student.call(name, *{**given, "t": t}.values(), names=tuple(given)))
            rates.append(reply.value)
            if reply.raised is not None:
                break
        seen.values["rates"] = as_series(rates)
        return seen

    def recognise(
        self, aspect: str, wrong: Sequence[tuple[Trial, Value]]
    ) -> tuple[str, str, str] | None:
        """When the series rises, falls and goes wrong."""
        trial, got = wrong[0]
        e, g = as_array(trial.expected.values[aspect]), as_array(got)
        if e is None or g is None or e.shape != g.shape or e.size < 5:
            return None
        times = [int(t) for t in trial.case.args["t"]]
        if not np.isfinite(g).all() or _known_relation(e, g):
            return None
        return _moves_elsewhere(times, e, g) or _wrong_stretch(times, e, g)


def _known_relation(e: np.ndarray, g: np.ndarray) -> bool:
    """Whether a factor, a constant or a step of the clock explains it, which have names."""
    shifted = np.allclose(g[1:], e[:-1]) or np.allclose(g[:-1], e[1:])
    factor = float(np.vdot(e, g) / np.vdot(e, e)) if np.any(e) else 0.0
    return bool(shifted or np.allclose(g, factor * e) or np.ptp(g - e) <= 1e-6 * np.abs(e).max())


def _moves_elsewhere(
    times: Sequence[int], e: np.ndarray, g: np.ndarray
) -> tuple[str, str, str] | None:
    """A series that jumps now and then, and does so at other times."""
    least = 1e-6 * np.abs(e).max()
    for word, sign in (("rise", 1), ("fall", -1)):
        wanted, mine = (
            [t for t, d in zip(times[1:], np.diff(a), strict=True) if sign * d > least]
            for a in (e, g)
        )
        if not 0 < len(wanted) <= len(times) / 3 or wanted == mine:
            continue
        what = f"{word}s at t = {_first_few(mine)}" if mine else f"never {word}s"
        what += f", expected at t = {_first_few(wanted)}"
        return (
            f"over-time:{word}s-elsewhere",
            what,
            "how long is each piece, and where does it end?",
        )
    return None


def _wrong_stretch(
    times: Sequence[int], e: np.ndarray, g: np.ndarray
) -> tuple[str, str, str] | None:
    """A series that is wrong from some time on, until some time, or on one slope only."""
    wrong = np.abs(g - e) > 1e-6 * np.abs(e).max()
    at = np.flatnonzero(wrong)
    first, last = int(at[0]), int(at[-1])
    pair = f"{g[first]:.6g} at t = {times[first]}, expected {e[first]:.6g}"
    if first >= 2 and wrong[first:].mean() > 0.8:
        what = f"is right up to t = {times[first - 1]} and wrong from then on ({pair})"
        ask = "what is different from there on?"
        if np.ptp(e[first:]) == 0:
            ask = f"from there on it should stay at {e[first]:.6g}."
        return "over-time:wrong-from-then-on", what, ask
    if last <= len(e) - 3 and wrong[: last + 1].mean() > 0.8:
        what = f"is wrong up to t = {times[last]} ({pair}) and right from then on"
        return "over-time:wrong-at-first", what, "what is different before that?"
    slope = np.diff(e)
    for word, other, there in (("falls", "rises", slope < 0), ("rises", "falls", slope > 0)):
        both = there.any() and (~there).any()
        if both and wrong[1:][there].mean() > 0.8 and not wrong[1:][~there].any():
            what = f"is right where it {other} and wrong where it {word} ({pair})"
            return f"over-time:wrong-where-it-{word}", what, "look at that half alone."
    return None


def _first_few(times: Sequence[int]) -> str:
    more = ", …" if len(times) > 4 else ""
    return ", ".join(str(t) for t in times[:4]) + more


@script
def plateau(name: str, student: Student, case: Case) -> Observed:
    """``ReduceOnPlateau``: construct, report losses, and note the rate after each."""
    seen = Observed()
    given = arguments(case)
    settings = {key: value for key, value in given.items() if key != "losses"}
    made = student.call(name, *settings.values(), keep=True).value
    if not isinstance(made, Handle):
        seen.values["rates"] = made
        return seen
    rates = []
    for loss in given["losses"]:
        rates.append(student.call(made, loss, method="step").value)
        if isinstance(rates[-1], Raised):
            break
    alone = as_series(rates)
    # A much lower loss spoils a shared best, a much higher one a shared count.
    beside = (_rates_beside(name, student, settings, given["losses"], x) for x in (1e-6, 1e6))
    apart = isinstance(rates[-1], Raised) or all(same(alone, other, 1e-9) for other in beside)
    seen.values["rates"] = alone if apart else DISTURBED
    return seen


def verdict(holds: bool, otherwise: str = NO) -> str:
    """What stands for a fact that is either so or not."""
    return YES if holds else otherwise


@script
def epoch(name: str, student: Student, case: Case) -> Observed:
    """``minibatches``: one epoch looked at closely, then many to see how they differ."""
    seen = Observed()
    given = arguments(case)
    n, size = int(given["n"]), int(given["batch_size"])
    aspects = ("batch sizes", "each example once", "whole numbers", "shuffled", "drawn from rng")
    rng = student.hold(Seed(int(given["seed"])))
    first = student.call(name, n, size, rng).value
    batches = _index_arrays(first)
    if batches is None:
        seen.values = dict.fromkeys(aspects, _not_batches(first))
        return seen
    seen.values["batch sizes"] = [len(batch) for batch in batches]
    drawn = np.concatenate(batches) if batches else np.zeros(0, int)
    seen.values["each example once"] = _coverage(batches, drawn, n)
    seen.values["whole numbers"] = verdict(drawn.dtype.kind in "iu")
    runs = [batches]
    for _ in range(int(given["repeats"])):
        runs.append(_index_arrays(student.call(name, n, size, rng).value) or [])
    seen.values["shuffled"] = _shuffled(runs, n, size)
    again = _index_arrays(student.call(name, n, size, Seed(int(given["seed"]))).value) or []
    equal = len(again) == len(batches) and all(
        np.array_equal(a, b) for a, b in zip(again, batches, strict=True)
    )
    seen.values["drawn from rng"] = verdict(equal, "the same seed gives other batches")
    return seen


def _rates_beside(
    name: str, student: Student, settings: dict[str, Value], losses: Sequence[float], others: float
) -> Value:
    """The rates of a scheduler while another one, which sees other losses, is at work."""
    one, other = (student.call(name, *settings.values(), keep=True).value for _ in range(2))
    rates = []
    for number, loss in enumerate(losses):
        rates.append(student.call(one, loss, method="step").value)
        for k in range(2 + number % 2):
            student.call(other, others * 0.5 ** (number + k), method="step")
    return as_series(rates)


@recogniser("epoch")
def _about_batches(
    aspect: str, wrong: Sequence[tuple[Trial, Value]]
) -> tuple[str, str, str] | None:
    """What is odd about the sizes of the batches."""
    trial, sizes = wrong[0]
    if aspect != "batch sizes" or not isinstance(sizes, list) or not sizes:
        return None
    listed = f"are {sizes[:8]}, expected {trial.expected.values[aspect]}"
    if 0 in sizes:
        return (
            "empty-batch",
            listed,
            "an empty batch comes when batch_size divides n: one too many.",
        )
    if len(sizes) > 1 and max(sizes) - min(sizes) <= 1 and sum(sizes) == trial.case.args["n"]:
        ask = "all batches but the last hold batch_size examples; these share them out evenly."
        return "batches-shared-out-evenly", listed, ask
    return "batch-sizes", listed, "where does a batch begin and end?"


def _index_arrays(value: Value) -> list[np.ndarray] | None:
    if not isinstance(value, (list, tuple)):
        return None
    arrays = [np.asarray(b) if isinstance(b, (list, tuple)) else as_array(b) for b in value]
    good = [a for a in arrays if a is not None and a.ndim == 1 and a.dtype.kind in "iuf"]
    return good if len(good) == len(arrays) else None


def _coverage(batches: Sequence[np.ndarray], drawn: np.ndarray, n: int) -> str:
    """Whether the indices of an epoch are 0 … n − 1, each once; if not, what is wrong."""
    found = sorted(drawn.tolist())
    if found == list(range(n)):
        return YES
    if found and (found[0] < 0 or found[-1] >= n):
        return "some indices do not exist"
    first = [tuple(batch.tolist()) for batch in batches[:-1]]
    if len(first) > 1 and len(set(first)) == 1:
        return "all batches are the same array"
    missing, twice = len(set(found)) < n, len(set(found)) < len(found)
    if missing and twice:
        return "some come twice and others never"
    return "some come twice" if twice else "some never come"


def _not_batches(value: Value) -> Value:
    if isinstance(value, Raised) or value is None:
        return value
    return Raised("Outputs", "the function should yield index arrays with one axis, one per batch")


def _not_indices(value: Value) -> Value:
    if isinstance(value, Raised) or value is None:
        return value
    return Raised("Outputs", "the function should return an array of indices, whole numbers")


MANY = 48
"""Epochs after which, with 8 examples in batches of 4, each verdict but "yes" has a chance below
1e-9 for a fair shuffle."""


def _shuffled(runs: Sequence[Sequence[np.ndarray]], n: int, size: int) -> str:
    """What several epochs show, in words."""
    if len(runs) < 2 or n < 2:
        return YES
    whole = [r for r in runs if sorted(np.concatenate(r or [np.zeros(0)]).tolist()) == [*range(n)]]
    if len(whole) < len(runs):
        return YES  # said by the line "each example once"
    orders = np.array([np.concatenate(run) for run in whole]).astype(int)
    if (orders == orders[0]).all():
        in_order = (orders[0] == np.arange(n)).all()
        return "never: the examples stay in their order" if in_order else "the same at every epoch"
    if len(runs) < MANY or n <= size:
        return YES
    batch_of = np.argsort(orders, axis=1) // size
    if size > 1 and (np.sort(orders[:, :size], axis=1) == orders[:, :size]).all():
        return "not within a batch"
    if (batch_of == batch_of[0]).all(axis=0).any():
        return "only within each batch"
    together = (batch_of[:, :, None] == batch_of[:, None, :]).mean(axis=0)
    apart = ~np.eye(n, dtype=bool)
    if size > 1 and (together[apart].min() == 0 or together[apart].max() == 1):
        return "only whole batches: the same examples stay together"
    return YES


@script
def with_replacement(name: str, student: Student, case: Case) -> Observed:
    """``sample_batch``: many draws from one generator."""
    seen = Observed()
    given = arguments(case)
    n, size = int(given["n"]), int(given["batch_size"])
    aspects = ("shape", "range", "whole numbers", "repeats", "evenly drawn", "drawn from rng")
    rng = student.hold(Seed(int(given["seed"])))
    draws = []
    for _ in range(int(given["repeats"])):
        value = student.call(name, n, size, rng).value
        plain = isinstance(value, (list, tuple)) and all(isinstance(v, int) for v in value)
        array = np.asarray(value) if plain else as_array(value)
        if array is None or array.dtype.kind not in "iuf":
            seen.values = dict.fromkeys(aspects, _not_indices(value))
            return seen
        draws.append(array)
    seen.values["shape"] = list(draws[0].shape)
    drawn = np.concatenate([draw.ravel() for draw in draws])
    seen.values["range"] = verdict(
        drawn.min(initial=0) >= 0 and drawn.max(initial=0) < n, "some indices are not below n"
    )
    seen.values["whole numbers"] = verdict(drawn.dtype.kind in "iu")
    doubles = any(len(set(draw.ravel().tolist())) < draw.size for draw in draws)
    block = size > 2 and all(np.isin(np.diff(draw.ravel()) % n, 1).all() for draw in draws)
    text = "the indices of a batch follow one another" if block else ""
    seen.values["repeats"] = verdict(doubles, text or "no index ever comes twice in a batch")
    again = student.call(name, n, size, Seed(int(given["seed"]))).value
    equal = not isinstance(again, Raised) and np.array_equal(np.asarray(again), draws[0])
    fresh = any(not np.array_equal(draw, draws[0]) for draw in draws)
    seen.values["evenly drawn"] = _evenly(drawn, n) if fresh else YES
    text = "the same seed gives another batch" if fresh else "the same batch at every call"
    seen.values["drawn from rng"] = verdict(equal and fresh, text)
    return seen


def _evenly(drawn: np.ndarray, n: int) -> str:
    """χ² of the counts; its threshold is passed by chance less than once in 1e10."""
    if not (drawn.min(initial=0) >= 0 and drawn.max(initial=0) < n):  # NaN is not below n
        return YES  # said by the line "range"
    counts = np.bincount(drawn.astype(int), minlength=n)
    expected = len(drawn) / n
    if n == 1:
        return YES
    never = np.flatnonzero(counts == 0)
    if len(never):
        where = {0: "the first", n - 1: "the last"}.get(int(never[0]), "some")
        return f"{where if len(never) == 1 else 'some'} index never comes"
    chi = float(((counts - expected) ** 2 / expected).sum())
    z = 6.5  # Wilson and Hilferty: the cube root of χ²/df is nearly normal
    df = n - 1
    limit = df * (1 - 2 / (9 * df) + z * np.sqrt(2 / (9 * df))) ** 3
    return verdict(chi < limit, "some indices come too often")
