"""Large arrays: slopes along random directions through the whole array, and what they can miss.

Along a direction v of independent standard normal numbers, a gradient that is off by the array δ
shows the difference v·δ, which is normal with standard deviation ‖δ‖. It stays below τ with
probability at most √(2/π)·τ/‖δ‖; K directions all do with at most the K-th power of that. Turned
round: whatever the data, ‖δ‖ is below

    B = √(2/π) · τ · p^(−1/K)

except with probability p over the directions drawn, τ being the largest difference seen plus its
error bar. A single entry that is off by less than B stays unseen; single entries are for mode
"entries".
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from cs_nn.arrays import Array
from cs_nn.gradcheck.sampling import DirectionLine, Sampler, typical_size
from cs_nn.gradcheck.slopes import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    VERDICTS,
    Tolerance,
    first_step,
    measure,
    settle,
)

MISS_PROBABILITY = 1e-6


@dataclass
class Directional:
    """What the directions through one array say: ``bound`` on the norm of the gradient's error."""

    name: str
    verdict: str
    count: int
    bound: float
    norm: float
    analytic: Array
    numeric: Array
    error_bars: Array

    def __str__(self) -> str:
        if self.verdict == "fail":
            worst = int(np.argmax(np.abs(self.analytic - self.numeric)))
            return (
                f"{self.name}: along a random direction the slope of f is {self.numeric[worst]:.6g}"
                f" ± {self.error_bars[worst]:.1g}, the gradient says {self.analytic[worst]:.6g}."
            )
        sense = self.bound / self.norm if self.norm else self.bound
        of = "of its norm" if self.norm else "in norm"
        return (
            f"{self.name}: {self.count} random directions; the gradient as a whole is off by less "
            f"than {sense:.1e} {of}, or chance misled us (1 in {1 / MISS_PROBABILITY:,.0f}). An "
            f"error of less than {self.bound:.1e} in single entries can hide."
        )


def check_directions(
    sampler: Sampler,
    leaf_index: int,
    gradient: Array,
    tolerance: Tolerance,
    rng: np.random.Generator,
    count: int,
) -> Directional:
    """Compare slopes along ``count`` random directions through one leaf."""
    leaf = sampler.inputs.leaves[leaf_index]
    typical = typical_size(leaf.array)
    norm = float(np.linalg.norm(gradient))
    eps = max(leaf.eps, sampler.eps)
    # Along a direction the entries' errors add up and must not hide behind the relative tolerance
    # of the whole: what the error bar does not explain, round-off in the gradient apart, is wrong.
    strict = replace(tolerance, relative=0.0, absolute=tolerance.absolute + eps**0.5 * norm)
    analytic, numeric, bars, verdicts = [], [], [], []
    for _ in range(count):
        direction = rng.standard_normal(leaf.array.shape)
        expected = float(np.sum(direction * gradient))
        line = DirectionLine(leaf, direction, typical)
        first = measure(sampler, line, first_step(line, sampler.eps), 2, expected)
        finding = settle(sampler, line, expected, strict, first)
        analytic.append(expected)
        numeric.append(finding.slope.value)
        bars.append(finding.slope.bar)
        verdicts.append(finding.verdict)
    gaps = np.abs(np.array(analytic) - np.array(numeric)) + np.array(bars)
    bound = float(math.sqrt(2 / math.pi) * np.max(gaps) * MISS_PROBABILITY ** (-1 / count))
    if FAIL in verdicts:
        verdict = FAIL
    elif bound <= 2 * tolerance.relative * norm + tolerance.absolute or np.max(gaps) == 0:
        verdict = PASS
    else:
        verdict = INCONCLUSIVE
    return Directional(
        leaf.name,
        VERDICTS[verdict],
        count,
        bound,
        norm,
        np.array(analytic),
        np.array(numeric),
        np.array(bars),
    )
