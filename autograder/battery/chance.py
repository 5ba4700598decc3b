"""What can be said of random numbers: a few tests whose false alarms are rarer than 1e-9.

Each answers with a word or a number that is the same for every honest draw, so that a student's
answers can be compared with the reference's and with those of a misconception. The limits are
about 7 standard deviations of a normal variable (two-sided 3e-12), which leaves room for the
many tests of one grading and for the normal approximation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LIMIT = 7.0
"""How many standard deviations a statistic may lie off."""

KOLMOGOROV = 3.8
"""Limit for √n·D: 2·exp(−2·3.8²) < 1e-12."""


EVEN = 0.15
"""Draws nearer than this (√n·D) to their distribution were never drawn: that happens in one of
exp(π²/8/0.15²) = 10²⁴ cases."""

SHARED_BY_ROWS = "the same for all rows"
SHARED = (SHARED_BY_ROWS, "the same for all columns")
"""What `dependence` calls draws that several entries share."""


def snap(estimate: float, deviation: float, *candidates: float) -> float:
    """The first candidate from which the estimate is not distinguishable, else the estimate,
    rounded to what it is worth."""
    for candidate in candidates:
        if abs(estimate - candidate) <= LIMIT * deviation:
            return float(candidate)
    return float(f"{estimate:.3g}")


def fraction(hits: np.ndarray, *candidates: float) -> float:
    """The fraction of ``True``, as the first candidate that fits."""
    n, share = hits.size, float(np.mean(hits))
    for candidate in candidates:
        spread = np.sqrt(max(candidate * (1 - candidate), 0.0) / n)
        if abs(share - candidate) <= LIMIT * spread + 1e-12:
            return float(candidate)
    return float(f"{share:.2f}")


def chi_square(statistic: float, degrees: int) -> float:
    """A χ² variable as a standard normal one (Wilson and Hilferty 1931)."""
    k = 2 / (9 * degrees)
    return ((max(statistic, 0.0) / degrees) ** (1 / 3) - (1 - k)) / np.sqrt(k)


def evenly(counts: np.ndarray) -> bool:
    """Whether draws fall evenly on the cells; expects at least 8 in each."""
    expected = counts.sum() / counts.size
    if not expected:
        return False
    statistic = float(((counts - expected) ** 2).sum() / expected)
    return bool(chi_square(statistic, counts.size - 1) < LIMIT)


def dependence(values: np.ndarray) -> str:
    """How the entries of a matrix hang together: "each entry for itself", or what is shared.

    The first axis counts examples (or inputs), the others are taken together.
    """
    table = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    rows, columns = table.shape
    if np.ptp(table) == 0:
        return "all entries alike"
    if rows > 1 and not np.any(table != table[0]):
        return SHARED_BY_ROWS
    if columns > 1 and not np.any(table != table[:, :1]):
        return SHARED[1]
    z = (table - table.mean()) / table.std()
    for axis, word in ((0, "rows"), (1, "columns")):
        if table.shape[axis] > 2 and _neighbours(z, axis) > LIMIT:
            return f"{word} depend on each other"
        totals = z.sum(axis=1 - axis)
        if len(totals) > 9 and table.shape[1 - axis] > 9:
            size = chi_square(float((totals**2).sum() / table.shape[1 - axis]), len(totals))
            if abs(size) > LIMIT:
                return f"{word} are drawn as a whole" if size > 0 else f"{word} balance out"
    return "each entry for itself"


def _neighbours(z: np.ndarray, axis: int) -> float:
    """Correlation of entries next to each other, in standard deviations."""
    a, b = (np.take(z, range(s, z.shape[axis] - 1 + s), axis=axis) for s in (0, 1))
    return float(abs(np.sum(a * b)) / np.sqrt(a.size))


def distribution(values: np.ndarray) -> str:
    """ "normal", "uniform", "constant", "two values", "another" …, whatever mean and variance."""
    x = np.sort(np.asarray(values, dtype=np.float64), axis=None)
    if x.size == 0 or not np.isfinite(x).all():
        return "not finite"
    spread = x.std()
    if spread <= 1e-12 * np.abs(x).max(initial=0.0):
        return "constant"
    if not np.any(x % 1) and not (x[0] == -1 and x[-1] == 1):
        return "whole numbers"
    if len(np.unique(x[:: max(1, x.size // 500)])) <= 2:
        return "two values"
    if min(np.count_nonzero(x == x[0]), np.count_nonzero(x == x[-1])) > 3:
        return "heaped at both ends"
    z = (x - x.mean()) / spread
    distance = {
        "normal": _kolmogorov(normal_cdf(z)),
        "uniform": _kolmogorov(np.clip((z / np.sqrt(3) + 1) / 2, 0, 1)),
    }
    word = min(distance, key=distance.__getitem__)
    if distance[word] < EVEN:
        return "an even grid"
    if word == "normal" and x.size > 1000 and _light_tails(z):
        triangle = np.where(z < 0, (1 + z / 6**0.5) ** 2 / 2, 1 - (1 - z / 6**0.5) ** 2 / 2)
        fits = 2.36 < np.abs(z).max() < 2.5 and _kolmogorov(triangle) < KOLMOGOROV
        return "triangular" if fits else "cut off"
    return word if distance[word] < KOLMOGOROV else "another"


def _light_tails(z: np.ndarray) -> bool:
    """Whether large values are too rare for normal draws: the kurtosis, downwards only, where
    its distribution falls off faster than a normal one."""
    return bool((np.mean(z**4) - 3) * np.sqrt(z.size / 24) < -LIMIT)


def _kolmogorov(probabilities: np.ndarray) -> float:
    """√n times the largest distance of the empirical from the true distribution function."""
    n = probabilities.size
    steps = np.arange(n + 1) / n
    above = np.abs(steps[1:] - probabilities).max()
    below = np.abs(probabilities - steps[:-1]).max()
    return float(np.sqrt(n) * max(above, below))


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """Φ to 1e-7 (Abramowitz and Stegun 1964, 26.2.17), enough beside √n·D of 10⁵ draws."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    coefficients: Sequence[float] = (
        0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429,
    )  # fmt: skip
    tail = sum(c * t ** (i + 1) for i, c in enumerate(coefficients))
    tail = tail * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.where(z >= 0, 1 - tail, tail)


def variance(values: np.ndarray, *candidates: float) -> float:
    """The variance about 0, as the first candidate that fits."""
    x = np.asarray(values, dtype=np.float64)
    estimate = float(np.mean(x**2))
    for candidate in candidates:
        # (Σx²)/candidate is χ² for normal draws; bounded draws of this variance vary less.
        statistic = x.size * estimate / candidate if candidate > 0 else np.inf
        if abs(chi_square(statistic, x.size)) < LIMIT:
            return float(candidate)
    return float(f"{estimate:.3g}")
