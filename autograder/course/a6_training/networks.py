"""The small convolutional network."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.a6_training import nets
from autograder.course.drawing import as_dtype, labels, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.training.networks import ConvNet


def net_cases(rng):
    def case(n, dim, filters, size, hidden, classes, reg, check="", dtype=np.float64, **extra):
        c, h, w = dim
        pooled = filters * (h // 2) * (w // 2)
        params = {
            "W1": 0.5 * numbers(rng, filters, c, size, size),
            "b1": 0.2 * numbers(rng, filters),
            "W2": 0.4 * numbers(rng, pooled, hidden),
            "b2": 0.2 * numbers(rng, hidden),
            "W3": numbers(rng, hidden, classes),
            "b3": numbers(rng, classes),
        }
        args = {
            "X": rng.normal(size=(n, *dim)),
            "y": labels(rng, n, classes),
            "params": params,
            "input_dim": dim,
            "num_filters": filters,
            "filter_size": size,
            "hidden_dim": hidden,
            "num_classes": classes,
            "weight_scale": float(np.round(rng.uniform(0.01, 0.2), 3)),
            "reg": reg,
            "seed": int(rng.integers(2**31)),
        }
        words = f"{filters} {size}×{size} filters on {dim} images and reg = {reg}"
        return Case(words, as_dtype(args, dtype), check, extra=extra)

    return [
        case(3, (2, 4, 6), 5, 3, 7, 4, 0.3, start=True),
        case(4, (1, 6, 4), 3, 5, 4, 3, 0.0),
        case(2, (3, 4, 4), 4, 1, 6, 5, 0.05),
        case(3, (1, 5, 7), 3, 3, 5, 4, 0.1, "odd image sizes"),
        case(1, (2, 4, 4), 2, 3, 5, 3, 0.2, "N = 1"),
        case(3, (2, 4, 6), 3, 3, 5, 4, 0.0, "float32", np.float32),
    ]


def mistake(code, wrong, sentence, aspect, severity=0.3):
    return Misconception(code, wrong, sentence, aspect, severity)


EXERCISES = (
    Exercise(
        name="ConvNet",
        kind=Scripted("conv_net"),
        reference={"ConvNet": ConvNet},
        cases=net_cases,
        misconceptions=(
            mistake(
                "half-forgotten-in-the-loss",
                nets.HalfForgotten,
                "The penalty in the loss lacks its ½, while the gradient is that of ½·reg·‖W‖².",
                "loss",
                0.2,
            ),
            mistake(
                "half-forgotten-in-the-gradient",
                nets.GradientDoubled,
                "The penalty's gradient is twice as large as it should be: the ½ in the loss "
                "takes up the 2 of the derivative.",
                "dW1",
                0.2,
            ),
            mistake(
                "penalty-not-in-the-gradient",
                nets.PenaltyNotInGradient,
                "The penalty is in the loss but not in the gradients.",
                "dW1",
            ),
            mistake(
                "penalty-not-in-the-loss",
                nets.PenaltyNotInLoss,
                "The penalty is in the gradients but not in the loss.",
                "loss",
            ),
            mistake(
                "filters-not-penalised",
                nets.FiltersNotPenalised,
                "The penalty leaves the filters W1 out; they are weights like the others.",
                "dW1",
                0.2,
            ),
            mistake(
                "biases-penalised",
                nets.BiasesPenalised,
                "The penalty includes the biases, which only shift.",
                "db1",
                0.2,
            ),
            mistake(
                "padding-hard-coded",
                nets.PaddedByOne,
                "The padding is 1 whatever the filter size: only 3×3 filters keep the size of the "
                "image then. How many zeros does a filter of size k need on each side?",
                "scores",
                0.3,
            ),
            mistake(
                "first-relu-forgotten",
                nets.FirstReluForgotten,
                "There is no ReLU between the convolution and the pooling.",
                "scores",
            ),
            mistake(
                "second-relu-forgotten",
                nets.SecondReluForgotten,
                "There is no ReLU between the two affine layers, which so collapse into one.",
                "scores",
            ),
            mistake(
                "scores-through-a-relu",
                nets.ScoresThroughRelu,
                "There is a ReLU behind the last affine layer too. It cuts off every negative "
                "score and the gradient with it, though a class must be able to score below 0.",
                "scores",
            ),
            mistake(
                "maps-flattened-with-channels-last",
                nets.ChannelsLast,
                "The pooled maps are flattened in the order height, width, filters. The rows of W2 "
                "belong to (filters, height, width), the order in which the layers hand images on.",
                "scores",
                0.2,
            ),
            mistake(
                "first-relu-forgotten-backward",
                nets.FirstReluOnlyForward,
                "On the way back the ReLU behind the convolution is left out, so shut units get a "
                "gradient too.",
                "dW1",
            ),
            mistake(
                "second-relu-forgotten-backward",
                nets.SecondReluOnlyForward,
                "On the way back the ReLU between the affine layers is left out, so shut units "
                "get a gradient too.",
                "dW2",
            ),
            mistake(
                "average-pooling",
                nets.AveragePool,
                "The maps are averaged; max pooling was asked for.",
                "scores",
            ),
            mistake(
                "pool-gradient-to-all-four",
                nets.PoolGradientToAll,
                "On the way back through the pooling all four pixels of a window get its "
                "gradient. Only the largest had an influence.",
                "dW1",
            ),
            mistake(
                "made-for-8×8-images",
                nets.MadeForEight,
                "The first affine layer fits images of 8×8 only. How many numbers are left of an "
                "image of any size, after the pooling?",
                "parameters",
            ),
            mistake(
                "area-over-four",
                nets.AreaOverFour,
                "W2 has a row for every four pixels of the image. Height and width are halved and "
                "rounded down each by itself: how much is left of a side of 5?",
                "parameters",
                0.1,
            ),
            mistake(
                "arrays-of-its-own",
                nets.OwnArrays,
                "loss computes with the arrays that were made at first. A training step may put "
                "new ones into net.params: read them there, each time.",
                "scores",
            ),
            mistake(
                "sum-of-losses",
                nets.SumOfLosses,
                "The loss and its gradients add up over the batch; the mean is asked for, so that "
                "the step does not depend on the batch size.",
                "loss",
            ),
            mistake(
                "probabilities-for-scores",
                nets.Probabilities,
                "Without labels you return probabilities; the raw scores were asked for.",
                "scores",
                0.2,
            ),
            mistake(
                "classes-for-scores",
                nets.Classes,
                "Without labels you return the winning classes; the raw scores were asked for.",
                "scores",
                0.2,
            ),
            mistake(
                "gradients-not-returned",
                nets.LossOnly,
                "With labels only the loss comes back: return the gradients too.",
                "dW1",
                0.5,
            ),
            mistake(
                "units-counted-before-pooling",
                nets.PoolingForgotten,
                "W2 has rows for the image before pooling. Pooling halves height and width.",
                "parameters",
                0.3,
            ),
            mistake(
                "weight-scale-ignored",
                nets.ScaleIgnored,
                "The first weights have the default scale whatever weight_scale says.",
                "conduct",
                0.1,
            ),
            mistake(
                "weight-scale-is-the-variance",
                nets.ScaleOfTheVariance,
                "weight_scale is taken for the variance; it is the standard deviation.",
                "conduct",
                0.1,
            ),
            mistake(
                "penalty-by-default",
                nets.PenaltyByDefault,
                "Without reg there should be no penalty: its default is 0.",
                "conduct",
                0.1,
            ),
            mistake(
                "all-weights-zero",
                nets.AllZero,
                "All weights start at zero. Then all units stay alike, and behind a ReLU not even "
                "a gradient flows.",
                "conduct",
                0.2,
            ),
            mistake(
                "own-generator",
                nets.OwnGenerator,
                "The weights do not come from rng, so a run cannot be repeated.",
                "conduct",
                0.1,
            ),
            mistake(
                "only-positive-weights",
                nets.Positive,
                "The first weights are all positive; they should scatter around 0.",
                "conduct",
                0.1,
            ),
            mistake(
                "random-biases",
                nets.RandomBiases,
                "The biases start at random numbers; zero is what was asked for, and enough.",
                "conduct",
                0.1,
            ),
            mistake(
                "step-taken-in-the-loss",
                nets.StepTaken,
                "loss changes the parameters. It should only compute; the optimiser makes the "
                "step.",
                "conduct",
                0.2,
            ),
        ),
        variants=(nets.Net, nets.Inheriting, nets.InLayers),
    ),
)
