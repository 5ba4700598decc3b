"""ReduceOnPlateau: the learning rate that listens to the loss."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.optim.schedules import ReduceOnPlateau


def plateau_cases(rng):
    def case(losses, check="", **settings):
        settings = {"rate": float(np.round(rng.uniform(0.1, 0.9), 3)), **settings}
        words = ", ".join(f"{key} = {value}" for key, value in settings.items())
        return Case(words, {**settings, "losses": [float(x) for x in losses]}, check)

    falling = [2.0, 1.5, 1.2]
    return [
        case([*falling, 1.3, 1.25, 1.22, 1.0, 1.1, 1.05, 1.2, 1.3, 1.4, 1.1, 0.5, 0.6, 0.7],
             factor=0.5, patience=3),
        case([3.0, *[2.5] * 9, 1.0, 1.5, 1.4, 1.3, 1.2, 1.1, 1.6], factor=0.2, patience=4),
        case([1.0, 0.8, *np.linspace(0.9, 1.2, 24)]),
        case([4.0, 5.0, 3.9, 4.5, 3.0, 3.5, 3.2, 3.1, 2.0, 2.5], factor=0.3, patience=2),
        case([1.0, 0.97, 0.95, 0.96, 0.94, 0.5, 0.49, 0.48, 0.47, 0.2], "threshold",
             factor=0.5, patience=3, threshold=0.1),
        case([100.0, 99.5, 99.2, 99.4, 80.0, 79.9, 79.8, 79.7], "threshold",
             factor=0.5, patience=2, threshold=0.01),
        case([1.0, 1.1, 0.99985, 1.1, 1.2, 0.99984], "threshold", factor=0.5, patience=3),
        case([1.0, 1.0, 0.9, 0.9, 0.9, 0.8], "threshold", factor=0.5, patience=2, threshold=0.0),
        case([1.0, *[1.1] * 12], "minimum",
             factor=0.1, patience=2, threshold=1e-4, minimum=0.004),
        case([0.5, 0.6, 0.7, 0.4, 0.5, 0.3], "patience of one", factor=0.5, patience=1),
        case([3e12, 2e12, 2.5e12, 1e12, 4e12, 2e12, 3e12], "large losses", factor=0.5, patience=2),
    ]  # fmt: skip


class Plateau:
    """A correct one; the misconceptions below change one thing each."""

    def __init__(self, rate, factor=0.1, patience=10, threshold=1e-4, minimum=0.0):
        self.rate, self.factor, self.patience = rate, factor, patience
        self.threshold, self.minimum = threshold, minimum
        self.best, self.bad = float("inf"), 0

    def improved(self, loss):
        return loss < self.best * (1 - self.threshold)

    def lowered(self):
        return max(self.rate * self.factor, self.minimum)

    def exhausted(self):
        return self.bad >= self.patience

    def step(self, loss):
        if self.improved(loss):
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
            if self.exhausted():
                self.rate, self.bad = self.lowered(), 0
        return self.rate


class StateInTheClass(Plateau):
    state = {"best": float("inf"), "bad": 0}

    def __init__(self, rate, factor=0.1, patience=10, threshold=1e-4, minimum=0.0):
        self.rate, self.factor, self.patience = rate, factor, patience
        self.threshold, self.minimum = threshold, minimum

    best = property(
        lambda self: self.state["best"], lambda self, value: self.state.update(best=value)
    )
    bad = property(lambda self: self.state["bad"], lambda self, value: self.state.update(bad=value))


class OneStepLate(Plateau):
    def exhausted(self):
        return self.bad > self.patience


class OneStepEarly(Plateau):
    def exhausted(self):
        return self.bad >= self.patience - 1


class AbsoluteThreshold(Plateau):
    def improved(self, loss):
        return loss < self.best - self.threshold


class NoThreshold(Plateau):
    def improved(self, loss):
        return loss < self.best


class AgainstTheLastLoss(Plateau):
    def step(self, loss):
        rate = super().step(loss)
        self.best = loss
        return rate


class CounterNotReset(Plateau):
    def step(self, loss):
        if self.improved(loss):
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
            if self.exhausted():
                self.rate = self.lowered()
        return self.rate


class ImprovementForgiven(Plateau):
    def step(self, loss):
        if self.improved(loss):
            self.best = loss
        else:
            self.bad += 1
            if self.exhausted():
                self.rate, self.bad = self.lowered(), 0
        return self.rate


class WithoutMinimum(Plateau):
    def lowered(self):
        return self.rate * self.factor


class StopsAboveTheMinimum(Plateau):
    def lowered(self):
        lower = self.rate * self.factor
        return lower if lower > self.minimum else self.rate


class OneMinusFactor(Plateau):
    def lowered(self):
        return max(self.rate * (1 - self.factor), self.minimum)


class LowersOnce(Plateau):
    def lowered(self):
        first, self.done = not getattr(self, "done", False), True
        return super().lowered() if first else self.rate


class HigherIsBetter(Plateau):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.best = -float("inf")

    def improved(self, loss):
        return loss > self.best * (1 + self.threshold)


class ReturnsTheOldRate(Plateau):
    def step(self, loss):
        before = self.rate
        super().step(loss)
        return before


class ReturnsNothing(Plateau):
    def step(self, loss):
        super().step(loss)


class ByHistory:
    def __init__(self, rate, factor=0.1, patience=10, threshold=1e-4, minimum=0.0):
        self.settings = (factor, patience, threshold, minimum)
        self.rate, self.waited, self.record = rate, [], None

    def step(self, loss):
        factor, patience, threshold, minimum = self.settings
        if self.record is None or (self.record - loss) / self.record > threshold:
            self.record, self.waited = loss, []
            return self.rate
        self.waited.append(loss)
        if len(self.waited) == patience:
            self.rate, self.waited = np.maximum(self.rate * factor, minimum), []
        return self.rate


class ByCountdown:
    def __init__(self, rate, factor=0.1, patience=10, threshold=1e-4, minimum=0.0):
        self.__dict__.update(vars_of := dict(rate=rate, factor=factor, patience=patience))
        self.keep, self.minimum, self.left = 1 - threshold, minimum, vars_of["patience"]
        self.best = None

    def step(self, loss):
        self.left -= 1
        if self.best is None or loss < self.keep * self.best:
            self.best, self.left = loss, self.patience
        if self.left == 0:
            self.left = self.patience
            self.rate *= self.factor
            if self.rate < self.minimum:
                self.rate = self.minimum
        return self.rate


EXERCISES = (
    Exercise(
        name="ReduceOnPlateau",
        kind=Scripted("plateau"),
        reference={"ReduceOnPlateau": ReduceOnPlateau},
        cases=plateau_cases,
        misconceptions=(
            Misconception(
                "state-in-the-class",
                StateInTheClass,
                "All schedulers share the best loss and the count, because they are kept in the "
                "class. What belongs to one object belongs into self, in __init__.",
                "rates",
                0.3,
            ),
            Misconception(
                "one-step-late",
                OneStepLate,
                "The rate is lowered one step too late. With patience 3 the third step in a row "
                "without an improvement lowers it. (PyTorch waits for the fourth.)",
                "rates",
                0.2,
            ),
            Misconception(
                "one-step-early",
                OneStepEarly,
                "The rate is lowered one step too early: patience counts the steps without an "
                "improvement.",
                "rates",
                0.3,
            ),
            Misconception(
                "threshold-is-absolute",
                AbsoluteThreshold,
                "The threshold is subtracted from the best loss. It is relative: a share of it.",
                "threshold",
                0.3,
            ),
            Misconception(
                "threshold-ignored",
                NoThreshold,
                "Any improvement counts, however small. It should be larger than the threshold.",
                "threshold",
                0.3,
            ),
            Misconception(
                "compared-with-the-last-loss",
                AgainstTheLastLoss,
                "Each loss is compared with the one before, so a noisy curve improves for ever. "
                "Compare with the best so far.",
                "rates",
                0.4,
            ),
            Misconception(
                "counter-not-reset-by-lowering",
                CounterNotReset,
                "After a lowering the count goes on, so the rate falls at every further step. The "
                "new rate deserves its own patience.",
                "rates",
                0.4,
            ),
            Misconception(
                "counter-not-reset-by-improvement",
                ImprovementForgiven,
                "An improvement does not reset the count: steps without one need not be in a row.",
                "rates",
                0.4,
            ),
            Misconception(
                "minimum-ignored",
                WithoutMinimum,
                "The rate falls below the minimum.",
                "minimum",
                0.2,
            ),
            Misconception(
                "stops-above-the-minimum",
                StopsAboveTheMinimum,
                "A lowering that would pass the minimum is left out. The rate should end exactly "
                "at the minimum.",
                "minimum",
                0.2,
            ),
            Misconception(
                "one-minus-the-factor",
                OneMinusFactor,
                "A lowering takes the share `factor` away; it should leave that share.",
                "rates",
                0.3,
            ),
            Misconception(
                "lowers-only-once",
                LowersOnce,
                "The rate is lowered once and never again.",
                "rates",
                0.4,
            ),
            Misconception(
                "higher-is-better",
                HigherIsBetter,
                "Rising losses count as an improvement. A loss should fall.",
                "rates",
                0.4,
            ),
            Misconception(
                "returns-the-old-rate",
                ReturnsTheOldRate,
                "step returns the rate as it was before this loss.",
                "rates",
                0.3,
            ),
            Misconception(
                "returns-nothing",
                ReturnsNothing,
                "step keeps the new rate to itself; the loop that calls it needs it back.",
                "rates",
                0.4,
            ),
        ),
        variants=(Plateau, ByHistory, ByCountdown),
    ),
)
