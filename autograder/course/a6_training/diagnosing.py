"""Reading loss curves."""

import math

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.a6_training.babysitting import tell
from autograder.exercise import Case, Exercise
from cs_nn.training.babysitting import diagnose_curves

EPOCHS = 40
COPIES = 2


def fall(t, start, end, speed):
    return end + (start - end) * np.exp(-speed * t)


def diverging(rng, t):
    train = fall(t, 2.3, rng.uniform(1.7, 2.1), 10) + np.expm1(rng.uniform(2.0, 3.5) * t)
    if rng.random() < 0.3:
        train[-2:] = math.nan
    return train, train + 0.1


def blown_up(rng, t):
    """Falls as it should, and from one epoch to the next there are no numbers any more."""
    train = fall(t, 2.3, rng.uniform(0.3, 0.6), rng.uniform(3, 5))
    val = train + 0.05
    train[-4:] = val[-4:] = math.nan
    return train, val


def too_slow(rng, t):
    train = 2.3 - rng.uniform(0.02, 0.25) * t
    return train, train + rng.uniform(0.0, 0.03)


def overfitting(rng, t):
    train = fall(t, 2.3, rng.uniform(0.02, 0.1), rng.uniform(5, 7))
    return train, train + rng.uniform(1.0, 1.4) * t


def far_above(rng, t):
    """The validation loss does not rise again; it comes to rest far above."""
    train = fall(t, 2.3, rng.uniform(0.02, 0.1), rng.uniform(5, 7))
    return train, fall(t, 2.3, rng.uniform(1.1, 1.3), rng.uniform(9, 12))


def bad_initialization(rng, t):
    flat = rng.uniform(0.35, 0.5)
    train = fall(np.maximum(t - flat, 0), 2.3, rng.uniform(0.2, 0.5), rng.uniform(7, 11))
    return train, train + 0.05


def decayed_too_early(rng, t):
    k = rng.uniform(0.3, 0.45)
    train = fall(np.where(t < k, t, k + 0.05 * (t - k)), 2.3, 0.2, rng.uniform(1.6, 2.2))
    return train, train + rng.uniform(0.03, 0.08)


def still_improving(rng, t):
    train = fall(t, 2.3, rng.uniform(0.0, 0.2), rng.uniform(1.1, 1.5))
    return train, train + rng.uniform(0.03, 0.1) * t


def underfitting(rng, t):
    train = fall(t, 2.3, rng.uniform(1.35, 1.7), rng.uniform(8, 12))
    return train, train + rng.uniform(0.02, 0.08)


def good(rng, t):
    train = fall(t, 2.3, rng.uniform(0.1, 0.3), rng.uniform(8, 12))
    return train, train + rng.uniform(0.04, 0.12) * (1 - np.exp(-8 * t))


FAMILIES = {
    "diverging": diverging,
    "too slow": too_slow,
    "overfitting": overfitting,
    "underfitting": underfitting,
    "still improving": still_improving,
    "decayed too early": decayed_too_early,
    "bad initialization": bad_initialization,
    "good": good,
}


def clear_curves(rng):
    t = np.arange(EPOCHS) / (EPOCHS - 1)
    curves = {}
    for name in FAMILIES:
        curves[name] = []
        for _ in range(COPIES):
            curves[name].append(clear_curve(rng, name, FAMILIES[name], t))
    curves["diverging"].append(clear_curve(rng, "diverging", blown_up, t))
    curves["overfitting"].append(clear_curve(rng, "overfitting", far_above, t))
    factor = float(np.round(rng.uniform(20, 60), 1))
    larger = {name: (factor * np.array(pairs)).tolist() for name, pairs in curves.items()}
    words = f"clear curves of {EPOCHS} epochs with a little noise"
    return [
        Case(words, {"curves": curves}),
        Case(f"the same curves times {factor}", {"curves": larger}, "another scale"),
    ]


def clear_curve(rng, name, family, t):
    """A pair of curves on which three ways of looking agree: that is what clear means."""
    while True:
        train, val = (c + 0.01 * rng.standard_normal(EPOCHS) for c in family(rng, t))
        pair = [train.tolist(), val.tolist()]
        if all(look(*pair) == name for look in (by_stretches, by_lines, diagnose_curves)):
            return pair


# Correct, as students write them: the same pictures measured in other ways --------------


def _levels(series, parts):
    """Means over equal stretches of time."""
    return [float(np.mean(part)) for part in np.array_split(np.asarray(series, float), parts)]


def by_stretches(train_loss, val_loss):
    train, val = np.array(train_loss), np.array(val_loss)
    if not np.isfinite(np.concatenate([train, val])).all() or train[-5:].mean() > train[0] * 1.3:
        return "diverging"
    level, height = _levels(train, 10), train[0]
    end, v = level[-1], _levels(val, 10)
    if v[-1] - end > 0.3 * height:
        return "overfitting"
    if height - end < 0.15 * height:
        return "too slow"
    if height - level[2] < 0.15 * (height - end):
        return "bad initialization"
    late, early = level[6] - level[9], level[0] - level[2]
    if late > 0.06 * height:
        return "still improving"
    drops = -np.diff(level)
    if end > 0.35 * height and drops[0] < 1.6 * drops[1] and early < 0.9 * (height - end):
        return "decayed too early"
    return "underfitting" if end > 0.45 * height else "good"


def by_lines(train_loss, val_loss):
    """By straight lines through pieces of the curve."""
    train, val = list(map(float, train_loss)), list(map(float, val_loss))
    if any(x != x or abs(x) > 1e6 for x in train + val) or train[-1] > 1.5 * train[0]:
        return "diverging"
    n, top = len(train), train[0]

    def slope(a, b):
        part = train[int(a * n) : max(int(b * n), int(a * n) + 3)]
        return np.polyfit(np.linspace(a, b, len(part)), part, 1)[0] / top

    end = sum(train[-5:]) / 5 / top
    if sum(val[-5:]) / 5 / top - end > 0.25:
        return "overfitting"
    if end > 0.85:
        return "too slow"
    if slope(0.0, 0.25) > -0.15:
        return "bad initialization"
    if slope(0.7, 1.0) < -0.2:
        return "still improving"
    if slope(0.0, 0.12) > 1.6 * slope(0.12, 0.24) and end > 0.35:
        return "decayed too early"
    return "underfitting" if end > 0.5 else "good"


def through_the_reference(train_loss, val_loss):
    """Smooths first, as many do."""

    def smooth(series):
        padded = np.concatenate([series[:1], series, series[-1:]])
        return np.convolve(padded, [0.2, 0.6, 0.2], mode="valid")

    return diagnose_curves(smooth(np.array(train_loss)), smooth(np.array(val_loss)))


def renaming(**names):
    """The reference with some words for others."""
    words = {key.replace("_", " "): value for key, value in names.items()}

    def diagnose(train_loss, val_loss):
        name = diagnose_curves(train_loss, val_loss)
        return words.get(name, name)

    return diagnose


def swapped_curves(train_loss, val_loss):
    return diagnose_curves(val_loss, train_loss)


def nan_ignored(train_loss, val_loss):
    train, val = np.array(train_loss), np.array(val_loss)
    bad = ~np.isfinite(train) | (train > 3.0)
    train[bad], val[bad] = train[0], val[0]
    return diagnose_curves(train, val)


def _seen_as(code, wrong, sentence, family, severity=0.15):
    return tell(code, wrong, sentence, f"curves that are {family}", severity)


EXERCISES = (
    Exercise(
        name="diagnose_curves",
        kind=Scripted("named_curves", heavy=True),
        reference={"diagnose_curves": diagnose_curves},
        cases=clear_curves,
        misconceptions=(
            _seen_as(
                "gap-overlooked",
                renaming(overfitting="good"),
                "A validation loss that climbs away from the training loss is overfitting, however "
                "low the training loss gets. Compare the two curves at the end.",
                "overfitting",
            ),
            _seen_as(
                "underfitting-taken-for-good",
                renaming(underfitting="good"),
                "Both curves level off together, but high: the network has not learned enough. "
                "Look at how far the loss has come down.",
                "underfitting",
            ),
            _seen_as(
                "slow-taken-for-underfitting",
                renaming(too_slow="underfitting"),
                "The loss has hardly moved, and in a straight line: the rate is too small. "
                "Underfitting is a curve that has come to rest.",
                "too slow",
            ),
            _seen_as(
                "unfinished-taken-for-good",
                renaming(still_improving="good"),
                "The loss is still falling when the run ends: train longer before you judge.",
                "still improving",
            ),
            _seen_as(
                "decay-overlooked",
                renaming(decayed_too_early="underfitting"),
                "The loss falls steeply and stops at once: something was switched, the learning "
                "rate. A curve that comes to rest by itself slows down first.",
                "decayed too early",
            ),
            _seen_as(
                "flat-start-overlooked",
                renaming(bad_initialization="good"),
                "The loss is flat for long and then falls: the start was bad. Look at the "
                "beginning of the curve too.",
                "bad initialization",
            ),
            _seen_as(
                "divergence-overlooked",
                nan_ignored,
                "A loss that climbs or turns into nan has diverged, whatever it did before.",
                "diverging",
            ),
            _seen_as(
                "other-words",
                renaming(diverging="divergence"),
                "The name is not one of the eight in the docstring: spell it as it stands there.",
                "diverging",
            ),
            tell(
                "always-good",
                lambda train_loss, val_loss: "good",
                "Every curve is called good.",
                "curves that are overfitting",
                1.0,
            ),
            tell(
                "only-the-last-epoch",
                lambda train_loss, val_loss: (
                    "diverging"
                    if not train_loss[-1] < 1.5 * train_loss[0]
                    else "overfitting"
                    if val_loss[-1] > train_loss[-1] + 0.4
                    else "underfitting"
                    if train_loss[-1] > 1.0
                    else "good"
                ),
                "Only the last epoch is looked at. How the curve got there tells slow, unfinished "
                "and stopped runs apart.",
                "curves that are too slow",
                0.5,
            ),
            tell(
                "curves-swapped",
                swapped_curves,
                "Training and validation loss have changed places.",
                "curves that are overfitting",
                0.3,
            ),
        ),
        variants=(by_stretches, by_lines, through_the_reference),
    ),
)
