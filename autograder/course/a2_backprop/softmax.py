"""Losses on scores and labels."""

import numpy as np

from autograder.battery.functions import Loss
from autograder.course.drawing import labels, layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.losses import softmax_loss


def draw(rng, shape):
    return {"x": numbers(rng, *shape), "y": labels(rng, *shape)}


def extreme_logits(rng):
    """Logits that overflow exp, and a probability so small that log(p + 1e-8) shows."""
    huge = numbers(rng, 4, 3, scale=1000.0)
    huge[0, :2] = 2000.0, -2000.0
    right = labels(rng, 4, 3)
    right[0] = 1  # its probability underflows to 0
    x = numbers(rng, 5, 4)
    y = labels(rng, 5, 4)
    x[np.arange(5), y] -= 30.0
    rows = numbers(rng, 3, 4) + np.array([[0.0], [-900.0], [-2000.0]])
    many = "very different rows"
    return [
        Case("logits in the thousands", {"x": huge, "y": right}, "huge logits"),
        Case("a true class of tiny probability", {"x": x, "y": y}, "tiny probabilities"),
        Case(f"logits with {many}", {"x": rows, "y": labels(rng, 3, 4)}, "rows far apart"),
    ]


CASES = layer_cases(
    draw, ordinary=((5, 3), (2, 6), (7, 4)), square=(4, 4), single=(1, 5), deep=None,
    more=extreme_logits,
)  # fmt: skip


def _softmax(x):
    z = x - x.max(axis=1, keepdims=True)
    z = np.exp(z)
    return z / z.sum(axis=1, keepdims=True)


def _finish(p, y, x, n=None):
    """Loss and gradient for probabilities p; the loss from p itself where p is not the softmax."""
    n = len(x) if n is None else n
    rows = np.arange(len(x))
    dx = p.copy()
    dx[rows, y] -= 1
    return -np.log(p[rows, y]).sum() / n, dx / n


def _correct(x, y):
    z = x - x.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    _, dx = _finish(_softmax(x), y, x)
    return -log_p[np.arange(len(x)), y].mean(), dx


def logarithm_of_the_softmax(x, y):
    return _finish(_softmax(x), y, x)


def naive_exponentials(x, y):
    z = np.exp(x)
    return _finish(z / z.sum(axis=1, keepdims=True), y, x)


def sum_for_mean(x, y):
    loss, dx = _correct(x, y)
    return loss * len(x), dx * len(x)


def gradient_not_averaged(x, y):
    loss, dx = _correct(x, y)
    return loss, dx * len(x)


def loss_not_averaged(x, y):
    loss, dx = _correct(x, y)
    return loss * len(x), dx


def averaged_over_all_entries(x, y):
    loss, dx = _correct(x, y)
    return loss / x.shape[1], dx / x.shape[1]


def one_at_the_label_forgotten(x, y):
    loss, _ = _correct(x, y)
    return loss, _softmax(x) / len(x)


def probabilities_returned(x, y):
    loss, _ = _correct(x, y)
    return loss, _softmax(x)


def whole_columns(x, y):
    z = x - x.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[:, y].mean(), _correct(x, y)[1]


def one_in_whole_columns(x, y):
    loss, _ = _correct(x, y)
    dx = _softmax(x)
    dx[:, y] -= 1
    return loss, dx / len(x)


def label_sign(x, y):
    loss, _ = _correct(x, y)
    dx = _softmax(x)
    dx[np.arange(len(x)), y] += 1
    return loss, dx / len(x)


def one_after_the_division(x, y):
    loss, _ = _correct(x, y)
    dx = _softmax(x) / len(x)
    dx[np.arange(len(x)), y] -= 1
    return loss, dx


def global_maximum(x, y):
    z = np.exp(x - x.max())
    return _finish(z / z.sum(axis=1, keepdims=True), y, x)


def maximum_per_column(x, y):
    z = np.exp(x - x.max(axis=0))
    return _finish(z / z.sum(axis=1, keepdims=True), y, x)


def normalised_over_the_batch(x, y):
    z = np.exp(x - x.max(axis=0))
    return _finish(z / z.sum(axis=0), y, x)


def normalised_over_everything(x, y):
    z = np.exp(x - x.max())
    return _finish(z / z.sum(), y, x)


def guarded_logarithm(x, y):
    p = _softmax(x)
    rows = np.arange(len(x))
    loss, dx = _correct(x, y)
    return -np.log(p[rows, y] + 1e-8).mean(), dx


def only_the_diagonal(x, y):
    p = _softmax(x)
    loss, _ = _correct(x, y)
    rows = np.arange(len(x))
    dx = np.zeros_like(p)
    dx[rows, y] = -(1 - p[rows, y])
    return loss, dx / len(x)


def sign_of_the_gradient(x, y):
    loss, dx = _correct(x, y)
    return loss, -dx


def positive_log(x, y):
    loss, dx = _correct(x, y)
    return -loss, dx


def base_two(x, y):
    loss, dx = _correct(x, y)
    return loss / np.log(2), dx


def over_all_classes(x, y):
    p = _softmax(x)
    _, dx = _finish(p, y, x)
    return -np.log(p).sum() / len(x), dx


def shifted_in_place(x, y):
    x -= x.max(axis=1, keepdims=True).astype(x.dtype)
    return _correct(x, y)


def log_sum_exp(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    log_z = np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    log_p = shifted - log_z
    n = x.shape[0]
    dx = np.exp(log_p)
    dx[np.arange(n), y] -= 1
    return -np.sum(log_p[np.arange(n), y]) / n, dx / n


def by_rows(x, y):
    dx = np.zeros(x.shape, dtype=x.dtype if x.dtype.kind == "f" else float)
    loss = 0.0
    for i, row in enumerate(x):
        z = row - max(row)
        log_z = np.log(np.exp(z).sum())
        loss += (log_z - z[y[i]]) / len(x)
        for j in range(len(row)):
            dx[i, j] = (np.exp(z[j] - log_z) - (1.0 if j == y[i] else 0.0)) / len(x)
    return float(loss), dx


def with_one_hot(x, y):
    hot = np.eye(x.shape[1], dtype=x.dtype if x.dtype.kind == "f" else float)[y]
    top = x.max(axis=1)[:, None]
    log_p = (x - top) - np.log(np.exp(x - top).sum(1))[:, None]
    return -(hot * log_p).sum(1).mean(), (np.exp(log_p) - hot) / len(x)


def maximum_added_back(x, y):
    loss, dx = _correct(x, y)
    return loss + x.max(axis=1).mean(), dx


def loss_of_the_winner(x, y):
    return -np.log(_softmax(x).max(axis=1)).mean(), _correct(x, y)[1]


def one_subtracted_everywhere(x, y):
    return _correct(x, y)[0], (_softmax(x) - 1) / len(x)


EXERCISES = (
    Exercise(
        name="softmax_loss",
        kind=Loss(),
        reference={"softmax_loss": softmax_loss},
        cases=CASES,
        misconceptions=(
            Misconception(
                "exponentials-overflow",
                naive_exponentials,
                "exp of a logit beyond 709 is infinite, and inf/inf is not a number. The softmax "
                "does not change when you subtract the same number from every logit of a row.",
                "huge logits",
            ),
            Misconception(
                "logarithm-of-zero",
                logarithm_of_the_softmax,
                "A probability underflows to 0 and its logarithm is infinite. Take the logarithm "
                "of the softmax on paper first: the exponential of the label cancels.",
                "huge logits",
            ),
            Misconception(
                "sum-for-mean",
                sum_for_mean,
                "You add the losses of the examples; the course takes their mean, so that the "
                "learning rate need not change with the batch size.",
                "loss",
                0.5,
            ),
            Misconception(
                "gradient-not-averaged",
                gradient_not_averaged,
                "The loss is a mean over the batch, but its gradient is not divided by N. "
                "Whatever factor stands before the loss stands before the gradient.",
                "dx",
                0.4,
            ),
            Misconception(
                "loss-not-averaged",
                loss_not_averaged,
                "The gradient is that of the mean, the loss that is returned is the sum: divide "
                "it by the number of examples as well.",
                "loss",
                0.4,
            ),
            Misconception(
                "mean-over-all-entries",
                averaged_over_all_entries,
                "You divide by the number of entries, N·C. There are only N losses, one for each "
                "example.",
                "loss",
                0.5,
            ),
            Misconception(
                "one-at-the-label-forgotten",
                one_at_the_label_forgotten,
                "The gradient is just the probabilities: it pushes every class down, the right one "
                "too. What does the −log of the true class add to its own logit's gradient?",
                "dx",
                0.4,
            ),
            Misconception(
                "probabilities-returned",
                probabilities_returned,
                "The gradient is just the probabilities. What does the −log of the true class add "
                "at its own logit, and which factor stands before a mean?",
                "dx",
                0.5,
            ),
            Misconception(
                "whole-columns-in-the-loss",
                whole_columns,
                "Indexing with a colon and y takes whole columns: the log-probabilities of other "
                "examples' labels too. Each row has one label: index rows and labels together.",
                "loss",
                0.4,
            ),
            Misconception(
                "whole-columns-in-the-gradient",
                one_in_whole_columns,
                "Indexing with a colon and y takes whole columns, so the 1 is subtracted in rows "
                "that have another label. Index rows and labels together.",
                "dx",
                0.4,
            ),
            Misconception(
                "wrong-sign-at-the-label",
                label_sign,
                "At the true class the gradient must pull the logit up. Look at the sign of what "
                "you do in the label's column.",
                "dx",
                0.4,
            ),
            Misconception(
                "label-after-the-division",
                one_after_the_division,
                "The 1 at the label is subtracted after the division by N, so it weighs N times "
                "too much. All of the gradient carries the factor 1/N.",
                "dx",
                0.3,
            ),
            Misconception(
                "maximum-over-the-whole-array",
                global_maximum,
                "You subtract one maximum for the whole array. A row far below it underflows to "
                "0/0: each row needs the maximum of its own.",
                "rows far apart",
            ),
            Misconception(
                "maximum-over-the-wrong-axis",
                maximum_per_column,
                "You subtract a different number from each logit of a row, which does change the "
                "softmax. The maximum must run over the classes of one example.",
                "loss",
            ),
            Misconception(
                "normalised-over-the-batch",
                normalised_over_the_batch,
                "Your probabilities add up to 1 over the examples. They should add up to 1 over "
                "the classes of each example: look at the axis of the sum.",
                "loss",
            ),
            Misconception(
                "normalised-over-everything",
                normalised_over_everything,
                "Your probabilities add up to 1 over the whole batch. Each example has a "
                "distribution of its own.",
                "loss",
            ),
            Misconception(
                "guarded-logarithm",
                guarded_logarithm,
                "A small number inside the logarithm caps the loss of a confident mistake and "
                "no longer fits the gradient. Work with log-probabilities, which need no guard.",
                "tiny probabilities",
                0.15,
            ),
            Misconception(
                "only-the-diagonal",
                only_the_diagonal,
                "Only the true class gets a gradient. Every logit is in the denominator of the "
                "softmax, so every class gets one.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-of-the-wrong-sign",
                sign_of_the_gradient,
                "dx has the wrong sign, so a step against it makes the loss larger. The loss is "
                "minus a logarithm.",
                "dx",
                0.4,
            ),
            Misconception(
                "loss-of-the-wrong-sign",
                positive_log,
                "The loss is negative: the logarithm of a probability is at most 0, and the loss "
                "is minus that.",
                "loss",
                0.4,
            ),
            Misconception(
                "logarithm-of-base-two",
                base_two,
                "The loss is in bits. The natural logarithm goes with the exponentials of the "
                "softmax; only then does the gradient fit.",
                "loss",
                0.3,
            ),
            Misconception(
                "all-classes-in-the-loss",
                over_all_classes,
                "You add −log p of every class. Cross-entropy with a label looks only at the "
                "class that is true.",
                "loss",
                0.4,
            ),
            Misconception(
                "logits-changed-in-place",
                shifted_in_place,
                "x is changed while you subtract the maximum; the caller still needs the scores, "
                "to count the right answers say. Subtract into a new array.",
                "conduct",
            ),
            Misconception(
                "maximum-added-back",
                maximum_added_back,
                "The loss is too large by the mean of the largest logits: the maximum is added "
                "back to the logarithm of the sum, although the label's logit was shifted by it "
                "too.",
                "loss",
                0.4,
            ),
            Misconception(
                "loss-of-the-winner",
                loss_of_the_winner,
                "The loss is made of the largest probability of each row. What counts is the "
                "probability of the true class, be it large or small.",
                "loss",
                0.4,
            ),
            Misconception(
                "one-subtracted-everywhere",
                one_subtracted_everywhere,
                "1 is subtracted from all probabilities; only the true class of each row has it.",
                "dx",
                0.4,
            ),
        ),
        variants=(log_sum_exp, by_rows, with_one_hot),
    ),
)
