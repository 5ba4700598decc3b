"""From differences to a slope with an error bar.

A central difference d(h) of a smooth f is f' + c₂h² + c₄h⁴ + …; two or three step sizes eliminate
the leading terms (Richardson 1911; Ridders 1982). The same holds for the second difference s(h).
A kink at distance t < h leaves d off by J/2·(1 − t/h), where J is the jump of the slope, and that
error does not show in d when t is near 0; it shows in h·s(h), the difference of the one-sided
slopes, which then stays near J where a smooth f lets it shrink like h. So the error bar is

    2·(disagreement of d between steps + h · disagreement of s between steps) + 8σ of round-off,

and holds for a smooth f and for one with a kink anywhere inside the step.
"""

from dataclasses import dataclass

import numpy as np

from cs_nn.gradcheck.sampling import Line, Sample, Sampler

UNCHECKED, PASS, FAIL, INCONCLUSIVE, KINK = range(5)
VERDICTS = ("unchecked", "pass", "fail", "inconclusive", "kink")

COARSEST = 0.5  # largest step, in units of the line's scale
ROUNDS = 9


@dataclass
class Slope:
    """A measured slope. The true one lies within ``bar`` of ``value``: ``spread`` + ``noise``."""

    value: float
    spread: float
    noise: float
    h: float
    left: float
    right: float
    natural: float = 0.0  # the slope that f's bends alone would make over the line's scale

    @property
    def bar(self) -> float:
        return self.spread + self.noise


@dataclass
class Tolerance:
    """When an entry is right: within ``relative`` of the larger of both, or within ``absolute``.

    ``largest`` is the largest entry of the whole gradient, ``nearby`` the largest of the same
    array, ``eps`` that of their number type: a gradient has round-off of its own, a few ε of what
    it was summed from, and that is not called wrong. An entry of exactly 0 has no relative error;
    it passes when the slope is 0 to within a millionth of what is usual for f.
    """

    relative: float
    absolute: float
    largest: float
    nearby: float
    eps: float

    def allowed(self, analytic: float, slope: Slope) -> float:
        return self.relative * max(abs(analytic), abs(slope.value)) + self.absolute

    def judge(self, analytic: float, slope: Slope) -> int:
        gap, bar, allowed = abs(analytic - slope.value), slope.bar, self.allowed(analytic, slope)
        if gap + bar <= allowed:
            return PASS
        if analytic == 0 and gap <= bar <= 1e-6 * max(self.largest, slope.natural):
            return PASS
        return FAIL if gap - bar - self.round_off(slope) > allowed else INCONCLUSIVE

    def round_off(self, slope: Slope) -> float:
        """What the gradient itself may be off by: more where large terms cancel to 0."""
        cancels = abs(slope.value) <= slope.bar
        return 16 * self.eps * (self.largest if cancels else self.nearby)

    def is_zero(self, analytic: float, slope: Slope) -> bool:
        """Whether both are 0 but for round-off: a bias before batch normalisation, for one."""
        cancels = abs(slope.value) <= slope.bar
        return cancels and abs(analytic) + slope.bar <= self.round_off(slope)


@dataclass
class Finding:
    """The verdict on one line, the slope it rests on, and a reason where there is no verdict."""

    verdict: int
    slope: Slope
    reason: str = ""


def first_step(line: Line, eps: float) -> float:
    """ε^¼ of the scale: extrapolated once, truncation and round-off then both stay below ε^¾."""
    return line.scale * max(eps, line.eps) ** 0.25


def measure(sampler: Sampler, line: Line, h: float, steps: int, analytic: float) -> Slope:
    """The slope along ``line`` from steps h, 2h (and 4h): two calls of f for each."""
    samples = [sampler.sample(line, h * 2**k) for k in range(steps)]
    noise = max(sample.noise for sample in samples)
    if analytic != 0 and not any(sample.moved for sample in samples):
        noise = sampler.total_noise()  # nothing moved, yet it should have
    return combine(samples, noise, line.scale)


def combine(samples: list[Sample], noise: float, scale: float) -> Slope:
    """Extrapolate samples at h, 2h (, 4h) to h = 0."""
    h = samples[0].h
    d = [sample.slope for sample in samples]
    s = [sample.bend for sample in samples]
    if len(samples) == 2:
        value = (4 * d[0] - d[1]) / 3
        apart, bent = abs(d[0] - d[1]), 2 * h * abs(s[0] - s[1])
    else:
        fine, coarse = (4 * d[0] - d[1]) / 3, (4 * d[1] - d[2]) / 3
        value = (16 * fine - coarse) / 15
        apart = abs(fine - coarse)
        bent = 2 * h * abs((4 * s[0] - s[1]) - (4 * s[1] - s[2])) / 3
    spread = 2 * (apart + bent)
    natural = _agreed(s[0], s[1]) * scale
    if len(samples) == 3:
        natural += _agreed((d[1] - d[0]) / 3, (d[2] - d[1]) / 12) * (scale / h) ** 2
    if not np.isfinite(spread):
        value, spread, natural = float("nan"), float("inf"), 0.0
    # The step itself is rounded, and so are the differences: a few ε of the slope.
    return Slope(
        value,
        spread,
        8 * noise / h + 8 * 2.3e-16 * abs(d[0]),
        h,
        samples[0].left,
        samples[0].right,
        natural,
    )


def _agreed(first: float, second: float) -> float:
    """The size of two estimates of a derivative, 0 unless they agree, as at a kink they do not."""
    return max(0.0, abs(second) - 2 * abs(second - first))


def settle(
    sampler: Sampler, line: Line, analytic: float, tolerance: Tolerance, first: Slope
) -> Finding:
    """Measure again with other steps until the error bar allows a verdict, or cannot shrink.

    Where disagreement between steps rules, f bends within the step, and the step shrinks; where
    round-off rules, it grows. A fail needs two measurements with different steps that agree.
    """
    eps = max(line.eps, sampler.eps)
    finest = line.scale * eps**0.6
    best, current, witness = first, first, None
    bent_at = 0.0  # the finest step at which f was seen to bend
    grown = shrunk = False
    unseen = 0.0  # noise that the first look did not see
    for _ in range(ROUNDS):
        verdict = tolerance.judge(analytic, current)
        if verdict == PASS:
            return Finding(PASS, current)
        if verdict == FAIL:
            if witness and abs(witness.value - current.value) <= witness.bar + current.bar:
                return Finding(FAIL, min(witness, current, key=lambda m: m.bar))
            witness = current
            gap = abs(analytic - current.value)
            h = current.h / 3 if 8 * current.noise < gap or grown else current.h * 3
        elif current.spread > 4 * current.noise:
            bent_at = current.h
            if grown or current.h <= finest:
                break
            shrunk = True
            h = max(current.h / 16, finest)
        else:
            if shrunk or 4 * current.h >= COARSEST * line.scale:
                break
            grown = True
            h = min(current.h * 8, COARSEST * line.scale / 4)
        before, current = current, measure(sampler, line, h, 3, analytic)
        if shrunk and h < before.h and current.spread > 6 * before.spread:
            # Smaller steps make it worse: noise that was not foreseen (or a jump of f). Grow.
            unseen = max(before.spread * before.h, current.spread * h) / 2
            shrunk, bent_at, witness = False, 0.0, None
            current = measure(sampler, line, first.h * 8, 3, analytic)
        current.noise += unseen / current.h
        if current.bar < best.bar:
            best = current
    return _undecided(best, current, line, bent_at, unseen > 0, finest)


def _undecided(
    best: Slope, last: Slope, line: Line, bent_at: float, noisy: bool, finest: float
) -> Finding:
    if not np.isfinite(last.spread):
        return Finding(INCONCLUSIVE, best, "f is not finite beside x")
    if noisy:
        return Finding(INCONCLUSIVE, best, "f jumps near x, or is noisier than its number type")
    if last.h <= finest and last.spread > 4 * last.noise:
        return Finding(KINK, last)
    if bent_at and bent_at < 1e-2 * line.scale:
        return Finding(
            INCONCLUSIVE, best, "f bends within the step, and with smaller steps its change drowns"
        )
    return Finding(INCONCLUSIVE, best, "too small beside f: its effect drowns in round-off")
