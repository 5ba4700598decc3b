"""Numbers to watch during a run: the size of updates, a smoothed loss."""

import numpy as np

from autograder.battery.curves import Series
from autograder.battery.functions import CONDUCT, Function
from autograder.course.a6_training.babysitting import tell
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise
from cs_nn.training.babysitting import moving_average, update_ratio


def ratio_cases(rng):
    def case(shape, check="", tags=(), scale=1e-3, change=None, words="", **extra):
        args = {"w": 2 * numbers(rng, *shape), "update": scale * numbers(rng, *shape)}
        args = change(args) if change else args
        return Case(f"{words}w of shape {shape}", args, check, frozenset(tags), extra)

    return [
        case((4, 3), tags=[CONDUCT]),
        case((7,)),
        case((3, 5), scale=0.4),
        case((2, 3, 2, 2), "more than two dimensions"),
        case((5, 2), "large updates", scale=50.0),
        case((4, 2), "no update", scale=0.0),
        case((3, 4), "non-contiguous", change=strided, words="strided "),
        case((4, 3), "float32", change=lambda a: as_dtype(a, np.float32), words="float32 ",
             tolerance=1e-5),
    ]  # fmt: skip


def norm(a):
    return np.sqrt(np.sum(a**2))


RATIO = Exercise(
    name="update_ratio",
    kind=Function(),
    reference={"update_ratio": update_ratio},
    cases=ratio_cases,
    misconceptions=(
        tell(
            "upside-down",
            lambda w, update: norm(w) / max(norm(update), 1e-300),
            "The ratio is upside down: the update is compared with the weights.",
        ),
        tell(
            "root-forgotten",
            lambda w, update: np.sum(update**2) / np.sum(w**2),
            "You divide sums of squares: a norm is the root of that.",
        ),
        tell(
            "mean-of-the-ratios",
            lambda w, update: np.mean(np.abs(update / w)),
            "You average the ratios of single entries, which tiny weights dominate. Take one norm "
            "of each array.",
        ),
        tell(
            "sums-of-magnitudes",
            lambda w, update: np.sum(np.abs(update)) / np.sum(np.abs(w)),
            "You add up magnitudes; the Euclidean norm was asked for.",
        ),
        tell(
            "sums-with-signs",
            lambda w, update: np.sum(update) / np.sum(w),
            "Positive and negative entries cancel in your sums. A norm does not let them.",
        ),
        tell(
            "largest-entries",
            lambda w, update: np.max(np.abs(update)) / np.max(np.abs(w)),
            "You compare the largest entries; the norm takes all of them in.",
        ),
        tell(
            "spectral-norm",
            lambda w, update: (
                np.linalg.norm(update.reshape(len(w), -1), 2)
                / np.linalg.norm(w.reshape(len(w), -1), 2)
            ),
            "For a matrix you take the spectral norm. All entries count alike here.",
            severity=0.2,
        ),
        tell(
            "column-by-column",
            lambda w, update: np.linalg.norm(update, axis=0) / np.linalg.norm(w, axis=0),
            "There is a ratio for each column; one number for the whole parameter was asked for.",
        ),
        tell(
            "weights-after-the-step",
            lambda w, update: norm(update) / norm(w + update),
            "You divide by the weights after the step; they are meant as given.",
            severity=0.2,
        ),
        tell(
            "standard-deviations",
            lambda w, update: np.std(update) / np.std(w),
            "A standard deviation forgets the mean of the entries. The norm does not.",
            severity=0.2,
        ),
    ),
    variants=(
        lambda w, update: np.linalg.norm(update.ravel()) / np.linalg.norm(w.ravel()),
        lambda w, update: float(np.sqrt((update**2).mean() / (w**2).mean())),
        lambda w, update: (sum(u * u for u in update.flat) / sum(v * v for v in w.flat)) ** 0.5,
    ),
)


def series_cases(rng):
    def case(length, window, check="", tags=(), whole=False, as_list=True):
        series = np.round(rng.normal(size=length) + 2, 3)
        if whole:
            series = np.rint(5 * series).astype(int)
        values = series.tolist() if as_list else series
        args = {"series": values, "window": window}
        kind = "whole numbers" if whole else "numbers"
        label, extra = f"{length} {kind} and window = {window}", {"kept": ["series"]}
        return Case(label, args, check, frozenset(tags), extra)

    return [
        case(9, 3, tags=[CONDUCT], as_list=False),
        case(11, 4),
        case(14, 5, as_list=False),
        case(8, 2, "a short window"),
        case(6, 1, "window = 1"),
        case(5, 9, "a window longer than the series"),
        case(6, 6, "a window as long as the series"),
        case(1, 3, "a single number"),
        case(10, 4, "whole numbers", whole=True, as_list=False),
    ]


def so_far(size=lambda window: window, divide=None, shift=0):
    """Means of the last values, with switches for what may go wrong."""

    def moving_average(series, window):
        out = []
        for t in range(len(series)):
            last = t + 1 + shift
            part = [float(x) for x in series[max(0, last - size(window)) : max(last, 0)]]
            count = divide(part, window) if divide else max(len(part), 1)
            out.append(sum(part) / count)
        return np.array(out)

    return moving_average


def valid_only(series, window):
    return np.convolve(series, np.ones(window) / window, mode="valid")


def centred(series, window):
    half = window // 2
    return np.array([np.mean(series[max(0, t - half) : t + half + 1]) for t in range(len(series))])


def convolved(zeros):
    """np.convolve with mode="same"; beyond the ends there are zeros or nothing."""

    def moving_average(series, window):
        ones = np.ones(min(window, len(series)))
        counts = len(ones) if zeros else np.convolve(np.ones(len(series)), ones, mode="same")
        return np.convolve(series, ones, mode="same") / counts

    return moving_average


def exponential(series, window):
    out, decay = [], 1 - 1 / window
    for x in series:
        out.append(x if not out else decay * out[-1] + (1 - decay) * x)
    return np.array(out, dtype=float)


def start_copied(series, window):
    good = so_far()(series, window)
    good[: window - 1] = series[: window - 1]
    return good


def start_missing(series, window):
    good = so_far()(series, window)
    good[: window - 1] = np.nan
    return good


def blocks(series, window):
    x = np.array(series, dtype=float)
    return np.array([x[t // window * window : t + 1].mean() for t in range(len(x))])


def rounded(series, window):
    good = so_far()(series, window)
    return good.astype(np.asarray(series).dtype)


def median(series, window):
    return np.array([np.median(series[max(0, t + 1 - window) : t + 1]) for t in range(len(series))])


def by_running_totals(series, window):
    total = np.concatenate([[0.0], np.cumsum(series)])
    t = np.arange(1, len(series) + 1)
    first = np.maximum(t - window, 0)
    return (total[t] - total[first]) / (t - first)


def by_queue(series, window):
    from collections import deque

    last = deque(maxlen=window)
    means = []
    for x in series:
        last.append(float(x))
        means.append(sum(last) / len(last))
    return means


def by_convolution(series, window):
    n = len(series)
    sums = np.convolve(series, np.ones(window))[:n]
    return sums / np.minimum(np.arange(1, n + 1), window)


AVERAGE = Exercise(
    name="moving_average",
    kind=Series(),
    reference={"moving_average": moving_average},
    cases=series_cases,
    misconceptions=(
        tell(
            "start-left-out",
            valid_only,
            "The result is shorter than the series: the start is left out. There the mean is over "
            "what has come so far.",
        ),
        tell(
            "start-divided-by-the-window",
            so_far(divide=lambda part, window: window),
            "At the start the sum of fewer values is divided by the whole window, so the curve "
            "begins too low. Divide by how many there are.",
        ),
        tell(
            "start-copied",
            start_copied,
            "The first values are copied as they are. They are averaged with what came before.",
        ),
        tell(
            "start-missing",
            start_missing,
            "The first values are nan. There the mean is over what has come so far.",
        ),
        tell(
            "centred-window",
            centred,
            "The window looks ahead as well. During a run the future is not known: only the last "
            "values so far count.",
        ),
        tell(
            "centred-by-convolution",
            convolved(zeros=False),
            'The window looks ahead as well: with mode="same" np.convolve puts each place in the '
            "middle of its window. Only the last values so far count.",
        ),
        tell(
            "centred-between-zeros",
            convolved(zeros=True),
            'With mode="same" np.convolve puts each place in the middle of its window, which so '
            "looks ahead, and beyond both ends it adds zeros. Only the last values so far count, "
            "and only those that exist.",
        ),
        tell(
            "window-one-too-long",
            so_far(size=lambda window: window + 1),
            "The window holds one value too many.",
        ),
        tell(
            "window-one-too-short",
            so_far(size=lambda window: max(window - 1, 1)),
            "The window holds one value too few.",
        ),
        tell(
            "newest-value-left-out",
            so_far(shift=-1),
            "The newest value is left out, so the curve lags one step behind.",
        ),
        tell(
            "mean-of-everything-so-far",
            so_far(size=lambda window: 10**9),
            "The mean is over everything so far. Old values should drop out of the window.",
        ),
        tell(
            "exponential-average",
            exponential,
            "This is an exponential average, in which old values fade. Here each of the last "
            "values counts fully, older ones not at all.",
        ),
        tell(
            "window-by-window",
            blocks,
            "The mean starts again after each window. The window should slide.",
        ),
        tell(
            "sums-for-means",
            so_far(divide=lambda part, window: 1),
            "You add up the window; divide by the number of values in it.",
        ),
        tell(
            "rounded-to-whole-numbers",
            rounded,
            "For whole numbers the means are cut down to whole numbers. Look at the dtype of the "
            "array that you write into.",
            "whole numbers",
            0.15,
        ),
        tell(
            "median-for-mean",
            median,
            "You take the median; the mean was asked for.",
        ),
    ),
    variants=(by_running_totals, by_queue, by_convolution),
)

EXERCISES = (RATIO, AVERAGE)
