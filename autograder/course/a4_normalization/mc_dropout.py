"""Monte-Carlo dropout: many passes, their mean and their spread."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.dropout import mc_dropout_predict


def mc_cases(rng):
    def case(shape, samples, check="", dtype: type = np.float64, d=4, words=""):
        args = {"x": numbers(rng, shape[0], d).astype(dtype), "samples": samples}
        extra = {
            "passes": numbers(rng, samples + 5, *shape).astype(dtype),
            "seed": int(rng.integers(2**31)),
        }
        return Case(
            f"{words}{samples} samples and {len(args['x'])} inputs", args, check, extra=extra
        )

    return [
        case((3, 2), 7),
        case((2, 5), 4),
        case((5, 3), 12),
        case((3, 2), 1, "one sample"),
        case((1, 3), 6, "N = 1"),
        case((3, 4), 5, "float32", np.float32, words="float32: "),
    ]


def passes(predict, x, samples, rng):
    return np.stack([predict(x, rng) for _ in range(samples)])


def unbiased(predict, x, samples, rng):
    runs = passes(predict, x, samples, rng)
    return runs.mean(axis=0), runs.std(axis=0, ddof=1)


def variance(predict, x, samples, rng):
    runs = passes(predict, x, samples, rng)
    return runs.mean(axis=0), runs.var(axis=0)


def over_everything(predict, x, samples, rng):
    runs = passes(predict, x, samples, rng)
    return runs.mean(axis=0), runs.std()


def over_everything_repeated(predict, x, samples, rng):
    runs = passes(predict, x, samples, rng)
    return runs.mean(axis=0), np.full_like(runs[0], runs.std())


def over_the_examples(predict, x, samples, rng):
    runs = passes(predict, x, samples, rng)
    return runs.mean(axis=1), runs.std(axis=1)


def one_pass(predict, x, samples, rng):
    run = predict(x, rng)
    return run, np.zeros_like(run)


def one_pass_repeated(predict, x, samples, rng):
    runs = np.stack([predict(x, rng)] * samples)
    return runs.mean(axis=0), runs.std(axis=0)


def deviation_of_the_mean(predict, x, samples, rng):
    runs = passes(predict, x, samples, rng)
    return runs.mean(axis=0), (runs.std(axis=0) / samples**0.5).astype(runs.dtype)


def one_short(predict, x, samples, rng):
    runs = passes(predict, x, max(samples - 1, 1), rng)
    return runs.mean(axis=0), runs.std(axis=0)


def sum_for_mean(predict, x, samples, rng):
    runs = passes(predict, x, samples, rng)
    return runs.sum(axis=0), runs.std(axis=0)


def other_way_round(predict, x, samples, rng):
    runs = passes(predict, x, samples, rng)
    return runs.std(axis=0), runs.mean(axis=0)


def two_sets(predict, x, samples, rng):
    return passes(predict, x, samples, rng).mean(axis=0), passes(predict, x, samples, rng).std(0)


def fed_back(predict, x, samples, rng):
    runs = [predict(x, rng)]
    for _ in range(samples - 1):
        runs.append(predict(runs[-1], rng))
    return np.mean(runs, axis=0).astype(x.dtype), np.std(runs, axis=0).astype(x.dtype)


def running_sums(predict, x, samples, rng):
    total = square = None
    for _ in range(samples):
        out = predict(x, rng).astype(np.float64)
        total = out if total is None else total + out
        square = out**2 if square is None else square + out**2
    mean = total / samples
    deviation = np.sqrt(np.maximum(square / samples - mean**2, 0))
    return mean.astype(x.dtype), deviation.astype(x.dtype)


def in_a_list(predict, x, samples, rng):
    runs = []
    while len(runs) < samples:
        runs.append(predict(x, rng=rng))
    return [np.mean(runs, axis=0), np.std(np.array(runs), axis=0)]


def written_into(predict, x, samples, rng):
    first = predict(x, rng)
    runs = np.empty((samples,) + first.shape, first.dtype)
    runs[0] = first
    for i in range(1, samples):
        runs[i] = predict(x, rng)
    mean = runs.sum(axis=0) / samples
    return mean, (((runs - mean) ** 2).sum(axis=0) / samples) ** 0.5


EXERCISES = (
    Exercise(
        name="mc_dropout_predict",
        kind=Scripted("mc_dropout"),
        reference={"mc_dropout_predict": mc_dropout_predict},
        cases=mc_cases,
        misconceptions=(
            Misconception(
                "deviation-with-one-less",
                unbiased,
                "The standard deviation is divided by samples − 1. Here it describes the passes "
                "that were made, and divides by their number; with one sample it should be 0.",
                "standard deviation",
                0.2,
            ),
            Misconception(
                "variance-for-deviation",
                variance,
                "The second result is the variance; the standard deviation, which has the units of "
                "the prediction, is its root.",
                "standard deviation",
                0.25,
            ),
            Misconception(
                "one-deviation-for-all",
                over_everything,
                "One deviation is taken over all inputs and outputs. The point is to see which "
                "predictions are unsure: keep one number for each of them.",
                "standard deviation",
                0.35,
            ),
            Misconception(
                "one-deviation-repeated",
                over_everything_repeated,
                "The second result has the right shape, but one and the same number everywhere: "
                "the deviation of all inputs and outputs together. Each prediction has a spread of "
                "its own, over the passes.",
                "standard deviation",
                0.35,
            ),
            Misconception(
                "averaged-over-the-inputs",
                over_the_examples,
                "Mean and deviation run over the inputs. They should run over the passes, the axis "
                "along which you stacked them.",
                "mean",
                0.5,
            ),
            Misconception(
                "a-single-pass",
                one_pass,
                "There is only one pass. It takes many, with other units dropped in each, to see "
                "how far the predictions spread.",
                "number of passes",
                0.6,
                ("one-pass-repeated",),
            ),
            Misconception(
                "one-pass-repeated",
                one_pass_repeated,
                "One pass is made and its result repeated, so the spread is 0. Each sample needs a "
                "pass of its own: call predict inside the loop.",
                "number of passes",
                0.6,
                ("a-single-pass",),
            ),
            Misconception(
                "deviation-of-the-mean",
                deviation_of_the_mean,
                "The deviation is divided by the root of the number of samples. That is how well "
                "the mean is known, not how far the predictions spread.",
                "standard deviation",
                0.25,
            ),
            Misconception(
                "one-sample-short",
                one_short,
                "One pass too few is made: count how often your loop runs.",
                "number of passes",
                0.25,
            ),
            Misconception(
                "sum-for-mean",
                sum_for_mean,
                "The passes are added up but not divided by their number.",
                "mean",
                0.3,
            ),
            Misconception(
                "results-swapped",
                other_way_round,
                "The mean comes first, then the standard deviation.",
                "mean",
                0.3,
            ),
            Misconception(
                "mean-and-deviation-of-different-passes",
                two_sets,
                "The mean is taken of one set of passes and the deviation of another, at twice the "
                "cost. Keep the passes and take both from them.",
                "number of passes",
                0.25,
            ),
        ),
        variants=(running_sums, in_a_list, written_into),
    ),
)
