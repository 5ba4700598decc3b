"""Checks before a run and numbers to watch during it."""

import math

import numpy as np

from autograder.battery.fixtures import Fixture
from autograder.battery.functions import Function
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.training.babysitting import (
    check_initial_loss,
    exploded,
    find_learning_rate,
)


def tell(code, wrong, sentence, aspect="values", severity=0.3, equivalent=()):
    return Misconception(code, wrong, sentence, aspect, severity, equivalent)


# Initial loss ---------------------------------------------------------------------------


def first_losses(rng):
    def case(classes, share, tolerance=None, check=""):
        loss = float(np.log(classes) * (1 + share))
        args = {"loss": loss, "classes": classes}
        args |= {} if tolerance is None else {"tolerance": tolerance}
        words = "" if tolerance is None else f" and tolerance = {tolerance}"
        label = f"a loss of {loss:.4g}, {classes} classes{words}"
        return Case(label, args, check)

    def away(low, high):
        return float(rng.uniform(low, high))

    return [
        case(10, away(0.0, 0.02)),
        case(10, away(0.1, 0.2)),
        case(3, away(-0.03, 0.0)),
        case(4, -away(0.1, 0.2)),
        case(1000, away(0.03, 0.045)),
        case(2, away(0.055, 0.065)),
        case(100, away(0.0515, 0.0525), check="just outside"),
        case(7, -away(0.0515, 0.0525), check="just outside"),
        case(50, -away(0.0475, 0.0485), check="just inside"),
        case(5, away(0.1, 0.2), 0.25, "another tolerance"),
        case(20, away(0.015, 0.04), 0.01, "another tolerance"),
        case(6, -away(0.1, 0.2), 0.25, "another tolerance"),
    ]


def by_isclose(loss, classes, tolerance=0.05):
    return np.isclose(loss, np.log(classes), rtol=tolerance, atol=0)


def by_bounds(loss, classes, tolerance=0.05):
    expected = -math.log(1 / classes)
    return (1 - tolerance) * expected <= loss <= (1 + tolerance) * expected


def by_ratio(loss, classes, tolerance=0.05):
    if abs(loss / math.log(classes) - 1) < tolerance:
        return True
    return False


INITIAL = Exercise(
    name="check_initial_loss",
    kind=Function(),
    reference={"check_initial_loss": check_initial_loss},
    cases=first_losses,
    misconceptions=(
        tell(
            "absolute-tolerance",
            lambda loss, classes, tolerance=0.05: abs(loss - math.log(classes)) <= tolerance,
            "The tolerance is taken as a difference; it is a share of log C.",
        ),
        tell(
            "share-of-the-loss",
            lambda loss, classes, tolerance=0.05: abs(loss - math.log(classes)) <= tolerance * loss,
            "The deviation is measured as a share of the loss; it should be one of log C.",
        ),
        tell(
            "only-too-large",
            lambda loss, classes, tolerance=0.05: loss <= math.log(classes) * (1 + tolerance),
            "A loss far below log C passes. Before training that is as suspicious as one above.",
        ),
        tell(
            "only-too-small",
            lambda loss, classes, tolerance=0.05: loss >= math.log(classes) * (1 - tolerance),
            "A loss far above log C passes.",
        ),
        tell(
            "sign-forgotten",
            lambda loss, classes, tolerance=0.05: (
                (loss - math.log(classes)) / math.log(classes) <= tolerance
            ),
            "The difference is not taken by its size, so a loss far below log C passes.",
            equivalent=("only-too-large",),
        ),
        tell(
            "logarithm-of-base-two",
            lambda loss, classes, tolerance=0.05: (
                abs(loss - math.log2(classes)) <= tolerance * math.log2(classes)
            ),
            "The loss of guessing is the natural logarithm of C.",
            severity=0.5,
            equivalent=("classes-for-their-logarithm", "logarithm-of-base-ten"),
        ),
        tell(
            "logarithm-of-base-ten",
            lambda loss, classes, tolerance=0.05: (
                abs(loss - math.log10(classes)) <= tolerance * math.log10(classes)
            ),
            "The loss of guessing is the natural logarithm of C.",
            severity=0.5,
            equivalent=("classes-for-their-logarithm", "logarithm-of-base-two"),
        ),
        tell(
            "classes-for-their-logarithm",
            lambda loss, classes, tolerance=0.05: abs(loss - classes) <= tolerance * classes,
            "The loss is compared with the number of classes; guessing costs its logarithm.",
            severity=0.5,
            equivalent=("logarithm-of-base-two", "logarithm-of-base-ten"),
        ),
        tell(
            "always-ten-classes",
            lambda loss, classes, tolerance=0.05: check_initial_loss(loss, 10, tolerance),
            "The expected loss is 2.303 whatever `classes` says. That is guessing among ten: the "
            "fewer there are to guess among, the lower the loss starts.",
            severity=0.4,
        ),
        tell(
            "tolerance-hard-coded",
            lambda loss, classes, tolerance=0.05: check_initial_loss(loss, classes),
            "The tolerance is 5 % whatever the caller says; that is only the default.",
            "another tolerance",
            0.2,
        ),
        tell(
            "default-tolerance",
            lambda loss, classes, tolerance=0.1: check_initial_loss(loss, classes, tolerance),
            "Without a tolerance more than 5 % passes.",
            severity=0.2,
        ),
        tell(
            "answer-upside-down",
            lambda loss, classes, tolerance=0.05: not check_initial_loss(loss, classes, tolerance),
            "You answer True where something is wrong. True should mean that the loss is fine.",
            severity=0.5,
        ),
    ),
    variants=(by_isclose, by_bounds, by_ratio),
)


# Explosions -----------------------------------------------------------------------------


def runs(rng):
    def case(losses, label, check=""):
        given = {"losses": [float(loss) for loss in losses]}
        return Case(label, given, check, extra={"kept": ["losses"]})

    start = float(np.round(rng.uniform(1.5, 2.5), 3))
    falling = start * np.exp(-np.linspace(0, 2, 9))
    nan_inside, peak = falling.copy(), falling.copy()
    nan_inside[4], peak[3] = math.nan, 3.2 * start
    small = 0.01 * falling
    return [
        case(falling, "losses that fall"),
        case(np.linspace(start, 8 * start, 7), "losses that rise to 8 times the first"),
        case([*falling, 5 * start], "losses that jump up at the end"),
        case(nan_inside, "a nan in the middle", "not finite"),
        case([*falling, math.inf], "an infinite last loss", "not finite"),
        case([*falling, math.nan], "a nan at the end", "not finite"),
        case([math.inf, 2.0, 1.0], "an infinite first loss", "not finite"),
        case([math.nan, 2.0, 1.0], "a nan at the start", "not finite"),
        case(peak, "a peak of 3.2 times the first that passes", "three times the first"),
        case([start, 2.9 * start, start], "a peak of 2.9 times the first", "three times the first"),
        case([start, 0.2 * start, 0.9 * start], "a jump to 4.5 times the lowest",
             "three times the first"),
        case([*small, 0.08 * start], "small losses that rise to 8 times the first",
             "three times the first"),
        case([4 * start, 5 * start, 3.5 * start], "large losses that hardly change",
             "three times the first"),
        case([2.0, 6.0, 1.0], "a peak of exactly 3 times the first", "three times the first"),
        case([start], "a single loss", "a single loss"),
    ]  # fmt: skip


def finite(losses):
    return all(math.isfinite(loss) for loss in losses)


def loop_exploded(losses):
    for loss in losses:
        if math.isnan(loss) or math.isinf(loss) or loss > 3 * losses[0]:
            return True
    return False


def by_maximum(losses):
    return not max(np.nan_to_num(losses, nan=np.inf) / losses[0]) <= 3 or np.isinf(losses[0])


def by_comparison(losses):
    array = np.array(losses)
    return not np.logical_and(array <= 3 * array[0], array < np.inf).all()


def from_the_lowest_so_far(losses):
    lowest = math.inf
    for loss in losses:
        if not math.isfinite(loss) or loss > 3 * lowest:
            return True
        lowest = min(lowest, loss)
    return False


EXPLODED = Exercise(
    name="exploded",
    kind=Function(),
    reference={"exploded": exploded},
    cases=runs,
    misconceptions=(
        tell(
            "only-the-last-loss",
            lambda losses: not math.isfinite(losses[-1]) or losses[-1] > 3 * losses[0],
            "Only the last loss is looked at. A run that blew up may come back down.",
        ),
        tell(
            "nan-overlooked",
            lambda losses: bool(np.isinf(losses).any() or np.any(np.array(losses) > 3 * losses[0])),
            "A nan goes unnoticed: every comparison with it is False.",
            "not finite",
        ),
        tell(
            "nan-lost-in-the-maximum",
            lambda losses: not math.isfinite(max(losses)) or max(losses) > 3 * losses[0],
            "A nan goes unnoticed unless it comes first: every comparison with it is False, so "
            "max() passes over it.",
            "not finite",
        ),
        tell(
            "infinity-overlooked",
            lambda losses: bool(np.isnan(losses).any() or np.any(np.array(losses) > 3 * losses[0])),
            "An infinite first loss goes unnoticed: 3 times infinity is not exceeded.",
            "not finite",
            0.1,
        ),
        tell(
            "growth-overlooked",
            lambda losses: not finite(losses),
            "Only losses that are not finite count. One over 3 times the first counts as well.",
        ),
        tell(
            "only-growth",
            lambda losses: any(loss > 3 * losses[0] for loss in losses),
            "A nan goes unnoticed: every comparison with it is False.",
            "not finite",
            0.3,
        ),
        tell(
            "three-is-absolute",
            lambda losses: not finite(losses) or max(losses) > 3,
            "The limit is 3, whatever the losses start at. It is 3 times the first.",
        ),
        tell(
            "three-times-counts",
            lambda losses: not finite(losses) or max(losses) >= 3 * losses[0],
            "A loss of exactly 3 times the first counts as an explosion; only more than that does.",
            "three times the first",
            0.1,
        ),
        tell(
            "compared-with-the-lowest",
            lambda losses: not finite(losses) or max(losses) > 3 * min(losses),
            "The losses are compared with the lowest; compare with the first.",
        ),
        tell(
            "compared-with-the-lowest-so-far",
            from_the_lowest_so_far,
            "Each loss is compared with the lowest before it. A run that has learned well may "
            "bounce a little; measure from where it started.",
            "three times the first",
        ),
        tell(
            "compared-with-the-one-before",
            lambda losses: (
                not finite(losses)
                or any(b > 3 * a for a, b in zip(losses, losses[1:], strict=False))
            ),
            "Each loss is compared with the one before, so a steady rise goes unnoticed.",
        ),
        tell(
            "any-rise",
            lambda losses: not finite(losses) or max(losses) > losses[0],
            "Any loss above the first counts as an explosion; 3 times the first is the limit.",
        ),
        tell(
            "answer-upside-down",
            lambda losses: not exploded(losses),
            "You answer True where the run is fine.",
            severity=0.5,
        ),
    ),
    variants=(loop_exploded, by_maximum, by_comparison),
)


# Learning rates -------------------------------------------------------------------------


def rate_cases(rng):
    times = np.linspace(0, 1, 12)

    def falling(end, speed=4.0):
        return end + (2.3 - end) * np.exp(-speed * times)

    def case(pairs, label, check="", shuffled=True):
        order = rng.permutation(len(pairs)) if shuffled else range(len(pairs))
        rates = [float(pairs[i][0]) for i in order]
        curves = [[float(x) for x in pairs[i][1]] for i in order]
        given = Fixture("loss_curves", {"rates": rates, "curves": curves})
        extra = {"kept": ["rates"]}
        return Case(label, {"loss_curve": given, "rates": rates}, check, extra=extra)

    slow, fair = falling(2.2), falling(1.4)
    best, rising = falling(0.6), falling(1.9) + 0.3 * times
    bang = np.concatenate([falling(0.5)[:-2], [math.nan, math.nan]])
    peak = falling(0.2)
    peak[3] = 9.0
    dip = falling(0.9)
    dip[6] = dip[-2] = 0.1
    late, early = falling(0.2, 1.2), falling(1.0, 9.0)
    return [
        case([(1e-4, slow), (1e-2, best), (1e-3, fair), (1e-1, rising)], "four rates"),
        case([(1e-5, slow), (1e-4, fair), (3e-3, best)], "three rates, the largest best"),
        case([(1e-3, late), (1e-2, early), (3e-2, rising), (1e-5, slow)], "curves that cross"),
        case([(1e-3, fair), (1e-2, best), (1.0, bang)], "a curve that ends in nan", "explosions"),
        case([(1e-3, fair), (1e-2, best), (1.0, peak)], "a curve that explodes and comes back",
             "explosions"),
        case([(1.0, bang), (1e-3, fair), (1e-2, best)], "a curve that ends in nan, tried first",
             "explosions", shuffled=False),
        case([(1e-2, dip), (1e-3, falling(0.7))], "a curve that dips", "a dip that does not last"),
        case([(1.0, bang), (10.0, peak)], "curves that all explode", "all explode"),
        case([(rate, 1e12 * np.array(curve)) for rate, curve in
              ((1e-4, slow), (1e-2, best), (1e-3, fair))], "losses of another scale",
             "large losses"),
    ]  # fmt: skip


def find_with(value=lambda curve: curve[-1], good=lambda curve: not exploded(curve),
              answer=lambda rate, loss, i: rate, pick=min, empty="raise"):  # fmt: skip
    """The search for a rate with switches for what may go wrong in it."""

    def find_learning_rate(loss_curve, rates):
        curves = [loss_curve(rate) for rate in rates]
        rows = [(value(c), i) for i, c in enumerate(curves) if good(c)]
        if not rows:
            if empty == "raise":
                raise ValueError("every curve exploded")
            return empty
        loss, i = pick(rows)
        return answer(rates[i], loss, i)

    return find_learning_rate


def find_from_a_number(loss_curve, rates):
    best, lowest = None, 1e9
    for rate in rates:
        losses = loss_curve(rate)
        if not exploded(losses) and losses[-1] < lowest:
            best, lowest = rate, losses[-1]
    if best is None:
        raise ValueError("every curve exploded")
    return best


def place_among_the_good(loss_curve, rates):
    good = [curve for curve in map(loss_curve, rates) if not exploded(curve)]
    if not good:
        raise ValueError("every curve exploded")
    return rates[int(np.argmin([curve[-1] for curve in good]))]


def find_by_loop(loss_curve, rates):
    best, lowest = None, float("inf")
    for rate in rates:
        losses = np.array(loss_curve(rate))
        if np.all(np.isfinite(losses)) and losses.max() <= 3 * losses[0] and losses[-1] < lowest:
            best, lowest = rate, losses[-1]
    if best is None:
        raise ValueError("no rate works")
    return best


def find_by_argmin(loss_curve, rates):
    ends = [np.inf if exploded(c) else c[-1] for c in map(loss_curve, rates)]
    if np.isinf(ends).all():
        raise ValueError("all rates explode: go lower")
    return np.asarray(rates)[np.argmin(ends)]


def find_by_sorting(loss_curve, rates):
    ends = {rate: loss_curve(rate) for rate in rates}
    kept = sorted((c[-1], r) for r, c in ends.items() if not exploded(c))
    if len(kept) == 0:
        raise ValueError
    return kept[0][1]


def nan_as_the_lowest(loss_curve, rates):
    ends = [math.nan if exploded(curve) else curve[-1] for curve in map(loss_curve, rates)]
    if np.isnan(ends).all():
        raise ValueError("every curve exploded")
    return rates[int(np.argmin(ends))]


RATES = Exercise(
    name="find_learning_rate",
    kind=Function(),
    reference={"find_learning_rate": find_learning_rate},
    cases=rate_cases,
    misconceptions=(
        tell(
            "explosions-not-excluded",
            find_with(good=lambda c: math.isfinite(c[-1]), empty=None),
            "A curve that exploded on its way and came back is taken. It counts as exploded.",
            "explosions",
        ),
        tell(
            "nan-is-the-lowest",
            nan_as_the_lowest,
            "A rate whose curve exploded is returned. np.argmin takes a nan for the smallest of "
            "all: leave these curves out of the comparison.",
            "explosions",
        ),
        tell(
            "place-among-the-survivors",
            place_among_the_good,
            "The place of the best is found among the curves that did not explode and then looked "
            "up among all rates. Where an exploded curve came first, every place has shifted: keep "
            "each rate together with its curve.",
            "explosions",
        ),
        tell(
            "lowest-starts-at-a-number",
            find_from_a_number,
            "The lowest end so far starts at a number that seemed large enough. Losses have no "
            "fixed scale: where all curves end above it, none is ever found. What is above every "
            "number?",
            "large losses",
            0.15,
        ),
        tell(
            "lowest-loss-on-the-way",
            find_with(value=min),
            "The lowest loss anywhere on the curve decides; the one at the end should.",
            "a dip that does not last",
            0.2,
        ),
        tell(
            "highest-end-taken",
            find_with(pick=max),
            "The curve that ends highest is taken.",
            severity=0.5,
        ),
        tell(
            "loss-returned",
            find_with(answer=lambda rate, loss, i: loss),
            "You return the loss; the rate was asked for.",
            severity=0.4,
        ),
        tell(
            "place-returned",
            find_with(answer=lambda rate, loss, i: i),
            "You return the place in the list; the rate itself was asked for.",
            severity=0.3,
        ),
        tell(
            "mean-loss-decides",
            find_with(value=lambda c: float(np.mean(c[:6]))),
            "The early losses decide. What counts is where the curve ends.",
            severity=0.3,
        ),
        tell(
            "largest-rate-that-survives",
            lambda loss_curve, rates: max(_survivors(loss_curve, rates)),
            "The largest rate that does not explode is taken; the one whose curve ends lowest was "
            "asked for.",
            severity=0.4,
        ),
        tell(
            "smallest-rate-that-survives",
            lambda loss_curve, rates: min(_survivors(loss_curve, rates)),
            "The smallest rate is taken; the one whose curve ends lowest was asked for.",
            severity=0.4,
        ),
        tell(
            "no-error-when-all-explode",
            find_with(empty=None),
            "When every curve has exploded there is no answer: raise a ValueError instead of "
            "returning something.",
            "all explode",
            0.15,
        ),
        tell(
            "first-rate-when-all-explode",
            lambda loss_curve, rates: find_with(empty=rates[0])(loss_curve, rates),
            "When every curve has exploded there is no answer: raise a ValueError instead of "
            "returning something.",
            "all explode",
            0.15,
            ("no-error-when-all-explode",),
        ),
    ),
    variants=(find_by_loop, find_by_argmin, find_by_sorting),
)


def _survivors(loss_curve, rates):
    kept = [rate for rate in rates if not exploded(loss_curve(rate))]
    if not kept:
        raise ValueError("every curve exploded")
    return kept


EXERCISES = (INITIAL, EXPLODED, RATES)
