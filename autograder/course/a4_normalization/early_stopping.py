"""Early stopping: when to give up, and what to go back to."""

import copy

import numpy as np

from autograder.battery.classes import Scripted
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.training.early_stopping import EarlyStopping


def stop_cases(rng):
    def case(losses, patience, check=""):
        noisy = np.round(np.array(losses) + rng.uniform(0, 0.004, len(losses)).round(3), 3)
        args = {"losses": noisy if not check else np.array(losses), "patience": patience}
        listed = ", ".join(f"{loss:g}" for loss in args["losses"])
        return Case(f"patience {patience} and the losses {listed}", args, check)

    return [
        case([2.0, 1.5, 1.2, 1.3, 1.25, 1.1, 1.4, 1.3, 1.2, 1.15], 4),
        case([1.0, 0.8, 0.9, 0.85, 0.7, 0.75, 0.6, 0.95, 0.9], 2),
        case([3.0, 3.5, 2.5, 2.75, 2.6, 2.65, 2.9], 3),
        case([1.0, 0.5, 0.75, 0.5, 0.5, 0.625], 3, "equal losses"),
        case([2.0, 2.5], 1, "patience 1"),
        case([5.0, 4.0, 3.0, 2.0, 1.0], 2, "a loss that always falls"),
        case([-1.0, -2.0, -1.5, -1.75], 2, "negative losses"),
        case([3e12, 2e12, 2.5e12, 1e12, 4e12, 2e12], 2, "large losses"),
    ]


class Stopper:
    """A correct one, with a method for each thing that can go wrong."""

    limit = 0
    start = float("inf")

    def __init__(self, patience):
        self.patience = patience
        self.best_loss, self.best_weights, self.waited = self.start, None, 0

    def better(self, loss):
        return loss < self.best_loss

    def keep(self, weights):
        return {key: value.copy() for key, value in weights.items()}

    def improved(self, loss, weights):
        self.best_loss, self.best_weights, self.waited = loss, self.keep(weights), 0

    def missed(self, loss):
        self.waited += 1

    def step(self, loss, weights):
        if self.better(loss):
            self.improved(loss, weights)
        else:
            self.missed(loss)
        return self.waited >= self.patience + self.limit


class OneStepLate(Stopper):
    limit = 1


class OneStepEarly(Stopper):
    limit = -1

    def step(self, loss, weights):
        stop = super().step(loss, weights)
        return stop and self.waited > 0 or self.waited >= self.patience


class NotCopied(Stopper):
    def keep(self, weights):
        return weights


class CounterNotReset(Stopper):
    def improved(self, loss, weights):
        self.best_loss, self.best_weights = loss, self.keep(weights)


class BadStepsAddUp(CounterNotReset):
    """The same, but it never stops at an improvement."""

    def step(self, loss, weights):
        better = self.better(loss)
        return super().step(loss, weights) and not better


class AgainstTheLastLoss(Stopper):
    """Compares with the step before, keeps the true best."""

    last = float("inf")

    def step(self, loss, weights):
        if loss < self.best_loss:
            self.best_loss, self.best_weights = loss, self.keep(weights)
        self.waited = 0 if loss < self.last else self.waited + 1
        self.last = loss
        return self.waited >= self.patience


class EqualIsBetter(Stopper):
    def better(self, loss):
        return loss <= self.best_loss


class HigherIsBetter(Stopper):
    start = -float("inf")

    def better(self, loss):
        return loss > self.best_loss


class WeightsOfTheLastStep(Stopper):
    def step(self, loss, weights):
        stop = super().step(loss, weights)
        self.best_weights = self.keep(weights)
        return stop


class WeightsOfTheFirstStep(Stopper):
    def keep(self, weights):
        return super().keep(weights) if self.best_weights is None else self.best_weights


class LossOfTheLastStep(Stopper):
    """Right in what it decides, but best_loss shows the latest."""

    def step(self, loss, weights):
        self.best_loss = getattr(self, "true_best", self.start)
        stop = super().step(loss, weights)
        self.true_best, self.best_loss = self.best_loss, loss
        return stop


class StartsAtZero(Stopper):
    start = 0.0


class StartsAtANumber(Stopper):
    start = 1e9


class NeverSaysSo(Stopper):
    def step(self, loss, weights):
        super().step(loss, weights)


class SaysGoOn(Stopper):
    def step(self, loss, weights):
        return not super().step(loss, weights)


class ByHistory:
    def __init__(self, patience):
        self.patience, self.history, self.best_weights = patience, [], None

    @property
    def best_loss(self):
        return min(self.history, default=np.inf)

    def step(self, loss, weights):
        if not self.history or loss < min(self.history):
            self.best_weights = copy.deepcopy(weights)
        self.history.append(float(loss))
        return len(self.history) - 1 - self.history.index(min(self.history)) >= self.patience


class CountingDown:
    best_loss = None

    def __init__(self, patience):
        self.patience = self.left = patience

    def step(self, loss, weights):
        if self.best_loss is None or loss < self.best_loss:
            self.left = self.patience
            self.best_loss = np.float64(loss)
            self.best_weights = {k: np.array(v) for k, v in weights.items()}
            return False
        self.left -= 1
        return np.bool_(self.left <= 0)


class OnlyTrueMatters(Stopper):
    def step(self, loss, weights):
        if super().step(loss, weights):
            return True


EXERCISES = (
    Exercise(
        name="EarlyStopping",
        kind=Scripted("early_stopping"),
        reference={"EarlyStopping": EarlyStopping},
        cases=stop_cases,
        misconceptions=(
            Misconception(
                "one-step-late",
                OneStepLate,
                "It stops one step too late: after `patience` steps without improvement, not after "
                "one more. Greater, or greater or equal?",
                "stops",
                0.25,
            ),
            Misconception(
                "one-step-early",
                OneStepEarly,
                "It stops one step too early: `patience` steps without improvement are allowed for "
                "before it gives up.",
                "stops",
                0.25,
            ),
            Misconception(
                "weights-not-copied",
                NotCopied,
                "best_weights is the very dictionary that training goes on changing, so in the end "
                "it holds the last weights, not the best. Copy the arrays.",
                "best_weights",
                0.3,
            ),
            Misconception(
                "counter-not-reset",
                CounterNotReset,
                "An improvement does not reset the count, so scattered bad steps add up. Patience "
                "means steps in a row.",
                "stops",
                0.3,
            ),
            Misconception(
                "bad-steps-add-up",
                BadStepsAddUp,
                "All bad steps of the training are counted, also those before an improvement. "
                "Patience means steps in a row: an improvement starts the count anew.",
                "stops",
                0.3,
            ),
            Misconception(
                "compared-with-the-last-loss",
                AgainstTheLastLoss,
                "Each loss is compared with the one before. A curve that jumps up and creeps down "
                "would never stop: compare with the best so far.",
                "stops",
                0.3,
            ),
            Misconception(
                "equal-counts-as-better",
                EqualIsBetter,
                "A loss equal to the best counts as an improvement, so a plateau goes on for ever.",
                "equal losses",
                0.15,
            ),
            Misconception(
                "higher-counts-as-better",
                HigherIsBetter,
                "The largest loss is taken for the best. Lower is better here.",
                "stops",
                0.5,
            ),
            Misconception(
                "weights-of-the-last-step",
                WeightsOfTheLastStep,
                "best_weights is replaced at every step. Keep what belongs to the best loss.",
                "best_weights",
                0.35,
            ),
            Misconception(
                "weights-of-the-first-step",
                WeightsOfTheFirstStep,
                "best_weights is stored once and never again; every improvement should replace it.",
                "best_weights",
                0.35,
            ),
            Misconception(
                "loss-of-the-last-step",
                LossOfTheLastStep,
                "best_loss shows the latest loss, not the lowest so far.",
                "best_loss",
                0.3,
            ),
            Misconception(
                "best-loss-starts-at-zero",
                StartsAtZero,
                "The best loss starts at 0, which no ordinary loss can beat. What is worse than "
                "anything that can come?",
                "best_loss",
                0.5,
            ),
            Misconception(
                "best-starts-at-a-number",
                StartsAtANumber,
                "The best loss starts at a number that seemed large enough. Losses have no fixed "
                "scale: summed over many examples they may begin above it and then none is ever "
                "the best. What is above every number?",
                "large losses",
                0.15,
            ),
            Misconception(
                "never-says-stop",
                NeverSaysSo,
                "step returns nothing, so the training loop never learns that it should stop.",
                "stops",
                0.4,
            ),
            Misconception(
                "says-go-on-for-stop",
                SaysGoOn,
                "step answers the other way round: True means stop.",
                "stops",
                0.4,
            ),
        ),
        variants=(ByHistory, CountingDown, OnlyTrueMatters),
    ),
)
