"""A whole network: affine – ReLU – affine – softmax, with L2 regularisation."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT
from autograder.course.a2_backprop import two_layer_nets as nets
from autograder.course.drawing import as_dtype, labels, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.modules import TwoLayerNet


def cases(rng):
    def case(n, d, h, c, check="", tags=(), reg=None, dtype: type = np.float64, shape=None,
             label=None):  # fmt: skip
        args = {
            "X": numbers(rng, n, *(shape or (d,))),
            "y": labels(rng, n, c) if label is None else np.full(n, label),
            "params": {
                "W1": numbers(rng, d, h, scale=0.6),
                "b1": numbers(rng, h),
                "W2": numbers(rng, h, c, scale=0.6),
                "b2": numbers(rng, c),
            },
            "reg": float(np.round(rng.uniform(0.2, 0.8), 3)) if reg is None else reg,
            "weight_scale": float(np.round(rng.uniform(0.02, 0.2), 3)),
            "seed": int(rng.integers(2**31)),
        }
        if reg == 0.0:
            words = "a network with default arguments"
            return Case(words, args, check, frozenset(tags), {"defaults": True})
        words = f"X of shape {args['X'].shape}, {h} hidden units and {c} classes"
        return Case(words, as_dtype(args, dtype), check, frozenset(tags))

    return [
        case(5, 4, 7, 3, tags=[CONDUCT]),
        case(3, 6, 4, 5),
        case(6, 3, 5, 2, reg=0.0, tags=["no regularisation"]),
        case(1, 4, 5, 3, "N = 1"),
        case(4, 12, 5, 3, "more than two dimensions", shape=(3, 2, 2)),
        case(4, 3, 5, 3, "all labels are 0", label=0),
        case(3, 5, 4, 6, "float32", dtype=np.float32),
    ]


EXERCISES = (
    Exercise(
        name="TwoLayerNet",
        kind=Scripted("two_layer_net"),
        reference={"TwoLayerNet": TwoLayerNet},
        cases=cases,
        misconceptions=(
            Misconception(
                "half-forgotten-in-the-penalty",
                nets.HalfForgottenInTheLoss,
                "The penalty in the loss is twice too large for its gradient: the ½ is missing.",
                "loss",
                0.25,
            ),
            Misconception(
                "half-in-the-gradient-too",
                nets.HalfInTheGradientToo,
                "The pull of the penalty on the weights is half of what it should be: the ½ of the "
                "loss cancels against the 2 of the square.",
                "dW1",
                0.25,
            ),
            Misconception(
                "penalty-without-the-half",
                nets.TwoInTheGradient,
                "Your penalty is reg·‖W‖², with its own right gradient. The course puts ½ in "
                "front.",
                "loss",
                0.3,
            ),
            Misconception(
                "penalty-missing-in-the-gradient",
                nets.NoPenaltyInTheGradient,
                "The loss has the penalty, the gradients know nothing of it, so the weights are "
                "never pulled in.",
                "dW1",
                0.3,
            ),
            Misconception(
                "penalty-missing-in-the-loss",
                nets.NoPenaltyInTheLoss,
                "The gradients have the penalty, the loss that is returned lacks it.",
                "loss",
                0.3,
            ),
            Misconception(
                "no-penalty",
                nets.NoPenaltyAtAll,
                "reg never enters, neither the loss nor the gradients.",
                "loss",
                0.4,
            ),
            Misconception(
                "biases-penalised",
                nets.BiasesPenalised,
                "The biases are penalised too. Regularisation keeps weights small; a bias only "
                "shifts.",
                "loss",
                0.25,
            ),
            Misconception(
                "only-w1-penalised",
                nets.OnlyTheFirstPenalised,
                "Only W1 is penalised; both weight matrices are.",
                "loss",
                0.25,
            ),
            Misconception(
                "only-w2-penalised",
                nets.OnlyTheLastPenalised,
                "Only W2 is penalised; both weight matrices are.",
                "loss",
                0.25,
            ),
            Misconception(
                "norm-not-squared",
                nets.NormNotSquared,
                "The penalty holds the norm of the weights, not its square.",
                "loss",
                0.25,
            ),
            Misconception(
                "no-nonlinearity",
                nets.NoNonlinearity,
                "There is no ReLU between the layers, so the two are one affine map and no better "
                "than a linear classifier.",
                "scores",
            ),
            Misconception(
                "mask-forgotten",
                nets.MaskForgotten,
                "On the way back the gradient passes the ReLU as if it were not there: units that "
                "were off get a gradient.",
                "dW1",
                0.4,
            ),
            Misconception(
                "mask-from-the-gradient",
                nets.MaskFromTheGradient,
                "On the way back you rectify the gradient. What decides is the sign of what went "
                "into the ReLU.",
                "dW1",
                0.4,
            ),
            Misconception(
                "scores-rectified",
                nets.ScoresRectified,
                "The scores pass through a ReLU as well. They are logits, which may be negative.",
                "scores",
            ),
            Misconception(
                "probabilities-for-scores",
                nets.ProbabilitiesForScores,
                "Without labels you return probabilities; the scores are asked for.",
                "scores",
                0.3,
            ),
            Misconception(
                "labels-for-scores",
                nets.LabelsForScores,
                "Without labels you return the winning classes; the scores are asked for.",
                "scores",
                0.3,
            ),
            Misconception(
                "input-not-flattened",
                nets.NotFlattened,
                "An example may have several axes, an image say; the first layer sees it as one "
                "row.",
                "more than two dimensions",
                0.15,
            ),
            Misconception(
                "gradients-not-averaged",
                nets.GradientsSummed,
                "The loss is a mean over the batch, the gradients of its data part are sums.",
                "dW1",
                0.4,
            ),
            Misconception(
                "gradients-averaged-twice",
                nets.GradientsAveragedTwice,
                "The gradients are divided by the batch size twice: the 1/N of the loss is already "
                "in what comes back from it.",
                "dW1",
                0.4,
            ),
            Misconception(
                "second-bias-forgotten",
                nets.SecondBiasMissing,
                "b2 never enters the scores.",
                "scores",
            ),
            Misconception(
                "weights-start-at-zero",
                nets.ZeroWeights,
                "All weights start at 0, so all hidden units get the same gradient, none, and stay "
                "alike.",
                "W1 starts with standard deviation weight_scale",
                0.2,
            ),
            Misconception(
                "weight-scale-ignored",
                nets.ScaleIgnored,
                "The weights start with the same spread whatever weight_scale is.",
                "W1 starts with standard deviation weight_scale",
                0.15,
            ),
            Misconception(
                "weight-scale-as-variance",
                nets.ScaleOfTheVariance,
                "weight_scale is the standard deviation of the first weights; yours is its square "
                "root, as if it were the variance.",
                "W1 starts with standard deviation weight_scale",
                0.15,
            ),
            Misconception(
                "weights-all-positive",
                nets.UniformWeights,
                "The first weights are all positive: uniform between 0 and weight_scale. They "
                "should be normal around 0.",
                "W1 starts with mean 0",
                0.15,
            ),
            Misconception(
                "biases-start-at-random",
                nets.RandomBiases,
                "The biases are drawn at random; they start at 0, for the weights break the "
                "symmetry already.",
                "biases start at 0",
                0.15,
            ),
            Misconception(
                "generator-ignored",
                nets.GeneratorIgnored,
                "The weights come from a generator of your own, so every network starts the same. "
                "Draw from the rng that is passed.",
                "W1 is drawn from rng",
                0.15,
            ),
            Misconception(
                "second-weights-transposed",
                nets.SecondShapeTransposed,
                "W2 should have the shape (hidden_dim, num_classes).",
                "parameters",
                0.2,
            ),
            Misconception(
                "w2-penalised-twice",
                nets.SecondPenalisedTwice,
                "In the loss W2 is penalised twice and W1 not at all; the gradients are right.",
                "loss",
                0.25,
            ),
            Misconception(
                "w1-penalised-twice",
                nets.FirstPenalisedTwice,
                "In the loss W1 is penalised twice and W2 not at all; the gradients are right.",
                "loss",
                0.25,
            ),
            Misconception(
                "gradients-add-up",
                nets.GradientsAddUp,
                "The gradients are kept with the network and added to at every call, so the second "
                "call returns the sum of both. Each call starts with gradients of its own.",
                "conduct",
            ),
            Misconception(
                "one-column-for-all-units",
                nets.OneColumnForAll,
                "The weights are drawn once and repeated for every unit. Then all units compute "
                "the same and stay the same for ever: each needs weights of its own.",
                "W1 gives each unit weights of its own",
                0.2,
            ),
            Misconception(
                "parameters-of-the-class",
                nets.ParametersOfTheClass,
                "params is a dict of the class, so all networks share it and a second network "
                "overwrites the weights of the first. Make a new dict in __init__.",
                "parameters",
                0.3,
            ),
            Misconception(
                "own-copies-of-the-parameters",
                nets.OwnCopies,
                "The network computes with arrays of its own (attributes such as self.W1?) and not "
                "with what stands in params. Whoever trains it puts new arrays there, and nothing "
                "would change: look them up in params at each call.",
                "scores",
            ),
            Misconception(
                "zeros-for-no-labels",
                nets.ZerosForNoLabels,
                "Labels that are all 0 are taken for no labels. 0 is a class like any other; the "
                "question is whether y is None.",
                "all labels are 0",
                0.2,
            ),
        ),
        variants=(nets.OneByOne, nets.WithScale, nets.ByLoops),
    ),
)
