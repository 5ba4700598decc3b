"""Binary cross-entropy of logits."""

import numpy as np

from autograder.battery.functions import Loss
from autograder.course.a2_backprop.regression import scaled
from autograder.course.drawing import layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.losses import bce_with_logits_loss


def draw_binary(rng, shape):
    """Logits with targets of all sorts: 0, 1 and between."""
    y = np.round(rng.random(shape), 3)
    y = np.where(rng.random(shape) < 0.3, np.round(y), y)
    return {"x": numbers(rng, *shape), "y": y}


def more_binary(rng):
    sure = np.where(rng.random((4, 3)) < 0.5, -30.0, 30.0) + numbers(rng, 4, 3)
    huge = numbers(rng, 5, 2, scale=1000.0)
    huge[0, 0], huge[1, 1] = 1800.0, -1500.0
    right = (huge > 0).astype(float)
    right[2, 1] = 0.5
    return [
        Case("x of shape (7,)", draw_binary(rng, (7,)), "one dimension"),
        Case("confident mistakes", {"x": sure, "y": (sure < 0).astype(float)},
             "confident mistakes"),
        Case("logits in the thousands", {"x": huge, "y": np.round(rng.random((5, 2)), 3)},
             "huge logits"),
        Case("logits in the thousands, all but one right", {"x": huge, "y": right}, "huge logits"),
    ]  # fmt: skip


BINARY = layer_cases(draw_binary, more=more_binary)


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def bce_gradient(x, y):
    return bce_with_logits_loss(x, y)[1]


def bce_naive(x, y):
    p = 1 / (1 + np.exp(-x))
    return np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p)), bce_gradient(x, y)


def bce_guarded(x, y):
    p = sigmoid(x.astype(float))
    loss = np.mean(-y * np.log(p + 1e-8) - (1 - y) * np.log(1 - p + 1e-8))
    return x.dtype.type(loss) if x.dtype.kind == "f" else loss, bce_gradient(x, y)


def bce_softplus_overflows(x, y):
    return np.mean(np.log1p(np.exp(x)) - x * y), bce_gradient(x, y)


def bce_without_negatives(x, y):
    return np.mean(y * np.logaddexp(0, -x)), bce_gradient(x, y)


def bce_of_hard_targets(x, y):
    return bce_with_logits_loss(x, np.rint(y))


def bce_gradient_from(make):
    """The right loss with another gradient."""

    def wrong(x, y):
        loss, dx = bce_with_logits_loss(x, y)
        return loss, make(sigmoid(x), dx, y).astype(dx.dtype)

    return wrong


def bce_of_the_other_softplus(x, y):
    return np.mean(np.logaddexp(0, x) + (1 - y) * x), bce_gradient(x, y)


def bce_linear_term_subtracted(x, y):
    return np.mean(np.logaddexp(0, -x) - (1 - y) * x), bce_gradient(x, y)


def bce_by_logaddexp(x, y):
    loss = np.mean(y * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x))
    return loss, (sigmoid(x) - y) / x.size


def bce_by_masks(x, y):
    x = x.astype(x.dtype if x.dtype.kind == "f" else float)
    z = np.exp(-np.abs(x))
    terms = np.where(x > 0, x * (1 - y), -x * y) + np.log(1 + z)
    p = np.where(x > 0, 1 / (1 + z), z / (1 + z))
    return terms.sum() / terms.size, (p - y) / p.size


def bce_by_clipping(x, y):
    loss = np.mean(np.maximum(x, 0) - x * y + np.log1p(np.exp(-abs(x))))
    dx = -(y - 1 / (1 + np.exp(-x))) / x.size
    return float(loss), dx


def bce_clipped(eps):
    def wrong(x, y):
        p = np.clip(sigmoid(x.astype(float)), eps, 1 - eps)
        loss = np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))
        return x.dtype.type(loss) if x.dtype.kind == "f" else loss, bce_gradient(x, y)

    return wrong


def bce_of_whole_targets(x, y):
    return bce_with_logits_loss(x, np.trunc(y))


EXERCISES = (
    Exercise(
        name="bce_with_logits_loss",
        kind=Loss(),
        reference={"bce_with_logits_loss": bce_with_logits_loss},
        cases=BINARY,
        misconceptions=(
            Misconception(
                "logarithm-of-zero",
                bce_naive,
                "σ of a large logit is exactly 0 or 1, and log 0 is infinite. Put the logarithm "
                "and the sigmoid together on paper before you compute.",
                "huge logits",
                0.3,
            ),
            Misconception(
                "guarded-logarithm",
                bce_guarded,
                "A small number inside the logarithm caps the loss of a confident mistake and no "
                "longer fits the gradient. Rearranged, the loss needs no guard.",
                "confident mistakes",
                0.2,
            ),
            Misconception(
                "exponential-overflows",
                bce_softplus_overflows,
                "The exponential of a large logit is infinite. Pull the large part out of the "
                "logarithm, so that only a small exponential is left.",
                "huge logits",
                0.3,
            ),
            Misconception(
                "zeros-cost-nothing",
                bce_without_negatives,
                "Only the term with y counts in your loss. A target of 0 costs something too: "
                "minus the logarithm of 1 − σ.",
                "loss",
                0.4,
            ),
            Misconception(
                "softplus-of-the-wrong-sign",
                bce_of_the_other_softplus,
                "Two right forms of the loss are mixed: the softplus of one stands beside the "
                "linear term of the other, so the loss is too large by x. Try y = 1 and a large "
                "logit, which should cost nothing.",
                "loss",
                0.4,
            ),
            Misconception(
                "linear-term-subtracted",
                bce_linear_term_subtracted,
                "The term with (1 − y)·x has the wrong sign: a large logit for a target of 0 "
                "should cost much, and yours makes the loss smaller.",
                "loss",
                0.4,
            ),
            Misconception(
                "targets-rounded",
                bce_of_hard_targets,
                "Targets between 0 and 1 are treated as 0 or 1. They may be any probability.",
                "loss",
                0.4,
            ),
            Misconception(
                "mean-over-the-batch-only",
                scaled(bce_with_logits_loss, lambda x: x.size / len(x), lambda x: x.size / len(x)),
                "You divide by the number of examples; the mean runs over all elements.",
                "loss",
                0.5,
            ),
            Misconception(
                "sum-for-mean",
                scaled(bce_with_logits_loss, np.size, np.size),
                "You add over all elements where the mean is asked for.",
                "loss",
                0.5,
            ),
            Misconception(
                "gradient-not-averaged",
                scaled(bce_with_logits_loss, gradient=np.size),
                "The loss is a mean, but its gradient is not divided by the number of elements.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-of-the-wrong-sign",
                scaled(bce_with_logits_loss, gradient=lambda x: -1.0),
                "dx has the wrong sign: a logit that is too high should be pushed down.",
                "dx",
                0.4,
            ),
            Misconception(
                "loss-of-the-wrong-sign",
                scaled(bce_with_logits_loss, lambda x: -1.0),
                "The loss is negative. Logarithms of probabilities are at most 0, and the loss is "
                "minus those.",
                "loss",
                0.4,
            ),
            Misconception(
                "target-forgotten-in-the-gradient",
                bce_gradient_from(lambda s, dx, y: s / s.size),
                "The gradient is just the probability: it pushes every logit down, whatever the "
                "target.",
                "dx",
                0.4,
            ),
            Misconception(
                "slope-of-the-sigmoid-left-in",
                bce_gradient_from(lambda s, dx, y: dx * s * (1 - s)),
                "There is a factor σ(1 − σ) too many, as for a squared error. With the logarithm "
                "it cancels; that is what makes this loss learn fast.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-for-the-probability",
                bce_gradient_from(lambda s, dx, y: (s - y) / (s * (1 - s)) / s.size),
                "This is the gradient for the probability σ(x). One more link of the chain leads "
                "to the logit.",
                "dx",
                0.4,
            ),
            *(
                Misconception(
                    f"probability-clipped-at-{eps:g}",
                    bce_clipped(eps),
                    "The probability is clipped before the logarithm, so a confident mistake never "
                    "costs more than a fixed sum, and the gradient does not fit. Put the logarithm "
                    "and the sigmoid together on paper: then nothing needs to be clipped.",
                    "confident mistakes",
                    0.3,
                    ("guarded-logarithm",),
                )
                for eps in (1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12)
            ),
            Misconception(
                "targets-cut-to-whole-numbers",
                bce_of_whole_targets,
                "Targets between 0 and 1 are taken as 0, as if y were cast to whole numbers. A "
                "target may be anything in between.",
                "loss",
                0.4,
            ),
        ),
        variants=(bce_by_logaddexp, bce_by_masks, bce_by_clipping),
    ),
)
