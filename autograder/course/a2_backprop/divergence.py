"""The Kullback–Leibler divergence from the softmax to a target distribution."""

import numpy as np

from autograder.battery.functions import Loss
from autograder.course.a2_backprop.regression import scaled
from autograder.course.drawing import labels, layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.losses import kl_div_loss


def draw_distributions(rng, shape):
    p = rng.random(shape) + 0.1
    return {"x": numbers(rng, *shape), "p": p / p.sum(axis=1, keepdims=True)}


def more_distributions(rng):
    zeros = draw_distributions(rng, (5, 4))
    zeros["p"][0, 1] = zeros["p"][3, 0] = zeros["p"][3, 2] = 0.0
    zeros["p"] /= zeros["p"].sum(axis=1, keepdims=True)
    hot = draw_distributions(rng, (4, 3)) | {"p": np.eye(3)[labels(rng, 4, 3)]}
    huge = draw_distributions(rng, (4, 3))
    huge["x"] = huge["x"] * 1000.0
    huge["x"][0, :2] = 2000.0, -2000.0
    rows = draw_distributions(rng, (3, 4))
    rows["x"] += np.array([[0.0], [-900.0], [-2000.0]])
    tiny = draw_distributions(rng, (4, 3))
    tiny["x"][np.arange(4), labels(rng, 4, 3)] -= 40.0
    return [
        Case("a p with zeros", zeros, "p = 0"),
        Case("one-hot p", hot, "p = 0"),
        Case("logits in the thousands", huge, "huge logits"),
        Case("logits with very different rows", rows, "rows far apart"),
        Case("classes that the logits rule out", tiny, "tiny probabilities"),
    ]


DISTRIBUTIONS = layer_cases(
    draw_distributions, ordinary=((5, 3), (2, 6), (7, 4)), square=(4, 4), single=(1, 5),
    deep=None, more=more_distributions,
)  # fmt: skip


def log_softmax(x, axis=1):
    z = x - x.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


def p_log(p, q):
    """Σ p·log q, with 0·log q = 0."""
    return np.sum(np.where(p > 0, p * np.log(np.where(p > 0, q, 1)), 0))


def kl_gradient(x, p):
    return kl_div_loss(x, p)[1]


def kl_but(make):
    """Another loss with the right gradient."""

    def wrong(x, p):
        loss, dx = kl_div_loss(x, p)
        return make(loss, log_softmax(x), p), dx

    return wrong


def kl_gradient_from(make):
    """The right loss with another gradient."""

    def wrong(x, p):
        loss, dx = kl_div_loss(x, p)
        return loss, make(np.exp(log_softmax(x)), dx, p).astype(dx.dtype)

    return wrong


def kl_with_nan(x, p):
    log_q = log_softmax(x)
    return np.sum(p * (np.log(p) - log_q)) / len(x), kl_gradient(x, p)


def kl_naive(x, p):
    q = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    loss = (p_log(p, p) - np.sum(np.where(p > 0, p * np.log(q), 0))) / len(x)
    return loss, (q - p) / len(x)


def kl_log_of_softmax(x, p):
    q = np.exp(log_softmax(x))
    loss = (p_log(p, p) - np.sum(np.where(p > 0, p * np.log(q), 0))) / len(x)
    return loss, (q - p) / len(x)


def kl_over_the_batch(x, p):
    log_q = log_softmax(x, axis=0)
    return (p_log(p, p) - np.sum(p * log_q)) / len(x), (np.exp(log_q) - p) / len(x)


def kl_global_maximum(x, p):
    z = np.exp(x - x.max())
    q = z / z.sum(axis=1, keepdims=True)
    return (p_log(p, p) - np.sum(p * np.log(q))) / len(x), (q - p) / len(x)


def kl_guarded(x, p):
    loss, dx = kl_div_loss(x, p)
    log_q = log_softmax(x)
    return loss + np.sum(p * (log_q - np.log(np.exp(log_q) + 1e-8))) / len(x), dx


def kl_turned_round(x, p):
    log_q = log_softmax(x)
    q, ratio = np.exp(log_q), log_q - np.log(np.maximum(p, 1e-30))
    each = np.sum(q * ratio, axis=1, keepdims=True)
    return each.mean(), (q * (ratio - each) / len(x)).astype(log_q.dtype)


def hard_labels(q, dx, p):
    return (q - np.eye(p.shape[1])[p.argmax(axis=1)]) / len(q)


def kl_by_entropy(x, p):
    log_q = log_softmax(x)
    entropy = -sum(v * np.log(v) for v in p.ravel() if v > 0)
    return (-(p * log_q).sum() - entropy) / len(x), (np.exp(log_q) - p) / len(x)


def kl_by_rows(x, p):
    dx = np.zeros(x.shape, x.dtype if x.dtype.kind == "f" else float)
    total = 0.0
    for i in range(len(x)):
        log_q = log_softmax(x[i : i + 1].astype(dx.dtype))[0]
        some = p[i] > 0
        total += np.sum(p[i][some] * (np.log(p[i][some]) - log_q[some]))
        dx[i] = (np.exp(log_q) - p[i]) / len(x)
    return total / len(x), dx


def kl_by_where(x, p):
    log_p = np.log(p, out=np.zeros_like(p), where=p > 0)
    top = x.max(1)[:, None]
    log_q = x - top - np.log(np.exp(x - top).sum(1))[:, None]
    return np.mean((p * (log_p - log_q)).sum(1)), (np.exp(log_q) - p) / x.shape[0]


EXERCISES = (
    Exercise(
        name="kl_div_loss",
        kind=Loss(),
        reference={"kl_div_loss": kl_div_loss},
        cases=DISTRIBUTIONS,
        misconceptions=(
            Misconception(
                "entropy-forgotten",
                kl_but(lambda loss, log_q, p: -np.sum(p * log_q) / len(p)),
                "This is the cross-entropy. The divergence is 0 when the two distributions are "
                "equal: something that depends on p alone is missing.",
                "loss",
                0.4,
            ),
            Misconception(
                "divergence-turned-round",
                kl_but(
                    lambda loss, log_q, p: (
                        np.sum(np.exp(log_q) * (log_q - np.log(np.where(p > 0, p, 1)))) / len(p)
                    )
                ),
                "You compute KL(softmax ‖ p). The divergence is not symmetric: the expectation is "
                "taken under the target p.",
                "loss",
                0.5,
            ),
            Misconception(
                "divergence-turned-round-with-its-gradient",
                kl_turned_round,
                "You compute KL(softmax ‖ p), with a gradient that fits it. The divergence is not "
                "symmetric: the expectation is taken under the target p.",
                "loss",
                0.5,
            ),
            Misconception(
                "loss-of-the-wrong-sign",
                kl_but(lambda loss, log_q, p: -loss),
                "A divergence is never negative. Which logarithm is subtracted from which?",
                "loss",
                0.4,
            ),
            Misconception(
                "mean-over-all-entries",
                scaled(kl_div_loss, lambda x: 1 / x.shape[1], lambda x: 1 / x.shape[1]),
                "You divide by N·C. There are N divergences, one for each example, and the loss is "
                "their mean.",
                "loss",
                0.5,
            ),
            Misconception(
                "sum-for-mean",
                scaled(kl_div_loss, len, len),
                "You add the divergences of the examples; the course takes their mean.",
                "loss",
                0.5,
            ),
            Misconception(
                "gradient-not-averaged",
                scaled(kl_div_loss, gradient=len),
                "The loss is a mean over the batch, but its gradient is not divided by N.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-of-the-wrong-sign",
                scaled(kl_div_loss, gradient=lambda x: -1.0),
                "dx has the wrong sign: a class with too much probability should be pushed down.",
                "dx",
                0.4,
            ),
            Misconception(
                "target-forgotten-in-the-gradient",
                kl_gradient_from(lambda q, dx, p: q / len(q)),
                "The gradient is just the softmax and knows nothing of p.",
                "dx",
                0.4,
            ),
            Misconception(
                "most-probable-class-for-a-label",
                kl_gradient_from(hard_labels),
                "The gradient takes the most probable class of p for the label, as if all the "
                "others had 0. p says how much each class should get: compare with all of it.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-through-one-logarithm",
                kl_gradient_from(lambda q, dx, p: -p / len(q)),
                "You differentiate only the logit in the numerator of the softmax. Every logit "
                "stands in its denominator too.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-weighted-by-p",
                kl_gradient_from(lambda q, dx, p: dx * p),
                "The difference of the distributions is multiplied by p once more.",
                "dx",
                0.4,
            ),
            Misconception(
                "logarithm-of-p-zero",
                kl_with_nan,
                "Where p is 0 you multiply 0 by −∞. By convention, and in the limit, such a term "
                "is 0: keep it away from the logarithm.",
                "p = 0",
                0.2,
            ),
            Misconception(
                "exponentials-overflow",
                kl_naive,
                "exp of a large logit is infinite, and inf/inf is not a number. Subtract the "
                "largest logit of each row first.",
                "huge logits",
            ),
            Misconception(
                "logarithm-of-the-softmax",
                kl_log_of_softmax,
                "A probability underflows to 0 and its logarithm is infinite. Take the logarithm "
                "of the softmax on paper first.",
                "huge logits",
            ),
            Misconception(
                "guarded-logarithm",
                kl_guarded,
                "A small number inside the logarithm caps the loss where softmax rules out what p "
                "does not. Work with log-probabilities.",
                "tiny probabilities",
                0.15,
            ),
            Misconception(
                "maximum-over-the-whole-array",
                kl_global_maximum,
                "You subtract one maximum for the whole array. A row far below it underflows: each "
                "row needs the maximum of its own.",
                "rows far apart",
            ),
            Misconception(
                "normalised-over-the-batch",
                kl_over_the_batch,
                "Your probabilities add up to 1 over the examples. Look at the axis: each example "
                "has a distribution over the classes.",
                "loss",
            ),
            Misconception(
                "gradient-for-the-probabilities",
                kl_gradient_from(lambda q, dx, p: -p / np.maximum(q, 1e-300) / len(p)),
                "This is the gradient for the probabilities of the softmax. Asked for is that for "
                "the logits: go on back through the softmax.",
                "dx",
                0.4,
            ),
        ),
        variants=(kl_by_entropy, kl_by_rows, kl_by_where),
    ),
)
