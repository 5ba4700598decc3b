"""Learning-rate schedules: how large the steps are as training goes on.

A schedule is a function of the time ``t``, counted from 0 in whatever unit the caller steps it
(iterations or epochs), and returns a plain Python float, so that float32 parameters stay float32.
"""

import math

from cs_nn.arrays import Scalar


def step_decay(rate: Scalar, t: Scalar, factor: Scalar, every: Scalar) -> float:
    """Return rate·factor^⌊t/every⌋: the rate drops by ``factor`` each ``every`` steps.

    Args:
        rate: learning rate at t = 0.
        t: steps done.
        factor: what each drop multiplies the rate by, usually 0.1 or 0.5.
        every: steps between two drops, more than 0.

    Raises:
        ValueError: if ``every`` is not positive.

    Source: He et al. 2016, section 3.4; CS231n, "Annealing the learning rate".
    """
    _require_positive(every=every)
    return float(rate * factor ** math.floor(t / every))


def exponential_decay(rate: Scalar, t: Scalar, k: Scalar) -> float:
    """Return rate·e^(−kt).

    Args:
        rate: learning rate at t = 0.
        t: steps done.
        k: decay per step.

    Source: CS231n, "Annealing the learning rate".
    """
    return float(rate * math.exp(-k * t))


def inverse_time_decay(rate: Scalar, t: Scalar, k: Scalar) -> float:
    """Return rate/(1 + kt), which meets the conditions of Robbins and Monro for convergence.

    Args:
        rate: learning rate at t = 0.
        t: steps done.
        k: decay per step, 0 or more.

    Source: Robbins and Monro 1951; CS231n, "Annealing the learning rate".
    """
    return float(rate / (1 + k * t))


def cosine_decay(rate: Scalar, t: Scalar, total: Scalar, minimum: Scalar = 0.0) -> float:
    """Return minimum + ½(rate − minimum)(1 + cos(πt/total)), then ``minimum`` for t ≥ total.

    Args:
        rate: learning rate at t = 0.
        t: steps done.
        total: steps until the minimum is reached, more than 0.
        minimum: learning rate at the end.

    Raises:
        ValueError: if ``total`` is not positive.

    Source: Loshchilov and Hutter 2017, eq. (5), without restarts.
    """
    _require_positive(total=total)
    progress = min(t / total, 1.0)
    return float(minimum + 0.5 * (rate - minimum) * (1 + math.cos(math.pi * progress)))


def warm_restarts(
    rate: Scalar, t: Scalar, period: Scalar, multiplier: Scalar = 1, minimum: Scalar = 0.0
) -> float:
    """Return the rate of SGDR: a cosine decay that starts again after each period.

    Args:
        rate: learning rate at the start of each period.
        t: steps done.
        period: length of the first period, more than 0.
        multiplier: each period is this many times as long as the one before, 1 or more.
        minimum: learning rate that each period decays towards.

    Raises:
        ValueError: if ``period`` is not positive or ``multiplier`` is below 1.

    Source: Loshchilov and Hutter 2017, eq. (5).
    """
    _require_positive(period=period)
    if multiplier < 1:
        raise ValueError(f"multiplier is {multiplier}, but periods may not shrink: give 1 or more.")
    while t >= period:
        t = t - period
        period = period * multiplier
    return cosine_decay(rate, t, period, minimum)


def cyclic(low: Scalar, high: Scalar, t: Scalar, half_period: Scalar) -> float:
    """Return a triangle wave: ``low`` at t = 0, ``high`` at ``half_period``, and back.

    Args:
        low: smallest learning rate.
        high: largest learning rate.
        t: steps done.
        half_period: steps from ``low`` to ``high``, more than 0.

    Raises:
        ValueError: if ``half_period`` is not positive.

    Source: Smith 2017, section 3 ("triangular" policy).
    """
    _require_positive(half_period=half_period)
    position = (t / half_period) % 2.0
    height = 1.0 - abs(position - 1.0)
    return float(low + (high - low) * height)


def linear_warmup(rate: Scalar, t: Scalar, steps: Scalar) -> float:
    """Return rate·min(1, (t+1)/steps): the first step is already larger than 0.

    Args:
        rate: learning rate after the warm-up.
        t: steps done.
        steps: length of the warm-up; 0 means none.

    Raises:
        ValueError: if ``steps`` is negative.

    Source: Goyal et al. 2017, section 2.2 ("gradual warmup").
    """
    if steps < 0:
        raise ValueError(f"steps is {steps}, but a warm-up cannot be shorter than 0 steps.")
    if steps == 0:
        return float(rate)
    return float(rate * min(1.0, (t + 1) / steps))


class ReduceOnPlateau:
    """A learning rate that is lowered when the loss no longer improves.

    An improvement is a loss below (1 − threshold) times the best so far. After ``patience`` steps
    in a row without one, the rate is multiplied by ``factor``, but not below ``minimum``, and the
    count starts again.

    Args:
        rate: learning rate to begin with.
        factor: what each lowering multiplies the rate by, in (0, 1).
        patience: steps without improvement that are put up with, 1 or more.
        threshold: relative improvement that is needed to count.
        minimum: the rate never falls below this.

    Attributes:
        rate: the current learning rate.
        best: the lowest loss so far.

    Raises:
        ValueError: if ``factor`` is not in (0, 1) or ``patience`` is below 1.

    Source: CS231n, "Annealing the learning rate"; as ``torch.optim.lr_scheduler``, except that
    the rate falls at the step that exhausts the patience, not one later.
    """

    def __init__(
        self,
        rate: Scalar,
        factor: Scalar = 0.1,
        patience: int = 10,
        threshold: Scalar = 1e-4,
        minimum: Scalar = 0.0,
    ) -> None:
        if not 0 < factor < 1:
            raise ValueError(f"factor is {factor}: give a number between 0 and 1.")
        if patience < 1:
            raise ValueError(f"patience is {patience}: give 1 step or more.")
        self.rate = float(rate)
        self.factor = float(factor)
        self.patience = patience
        self.threshold = threshold
        self.minimum = float(minimum)
        self.best = math.inf
        self.steps_without_improvement = 0

    def step(self, loss: Scalar) -> float:
        """Take note of a loss (0 or more) and return the learning rate for the next step."""
        if loss < self.best * (1 - self.threshold):
            self.best = float(loss)
            self.steps_without_improvement = 0
            return self.rate
        self.steps_without_improvement += 1
        if self.steps_without_improvement >= self.patience:
            # A rate that starts below the minimum is left alone, never raised.
            self.rate = min(self.rate, max(self.rate * self.factor, self.minimum))
            self.steps_without_improvement = 0
        return self.rate


def _require_positive(**values: Scalar) -> None:
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"{name} is {value}: give a number greater than 0.")
