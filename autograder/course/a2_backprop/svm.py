"""The multiclass hinge loss."""

import numpy as np

from autograder.battery.functions import Loss
from autograder.course.drawing import labels, layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.losses import svm_loss


def draw(rng, shape):
    """Without delta: CS231n's own svm_loss takes none."""
    return {"x": numbers(rng, *shape), "y": labels(rng, *shape)}


def more(rng):
    """Another delta, refused by who knows none; margins of exactly 0; every margin kept."""
    y = labels(rng, 5, 4)
    exact = rng.integers(-2, 3, (5, 4)).astype(float)
    exact[0], exact[3] = (0.0, 1.0, 2.0, 0.0), (1.0, 0.0, 1.0, 2.0)
    y[0], y[3] = 2, 3
    kept = numbers(rng, 4, 3)
    winners = labels(rng, 4, 3)
    kept[np.arange(4), winners] += 20.0

    def margin(delta, *shape, dtype=float):
        args = {"x": numbers(rng, *shape).astype(dtype), "y": labels(rng, *shape), "delta": delta}
        words = f"{'float32 ' if dtype is np.float32 else ''}x of shape {shape} and delta = {delta}"
        return Case(words, args, "other margins", frozenset({"may refuse"}))

    drawn = np.round(rng.uniform(0.4, 0.9, 3), 3)
    return [
        Case("margins that are exactly 0", {"x": exact, "y": y}, "kinks"),
        Case("examples whose margins are all kept", {"x": kept, "y": winners}, "no violation"),
        margin(float(drawn[0]), 6, 4),
        margin(float(drawn[1]), 2, 6),
        margin(float(drawn[2]), 5, 3, dtype=np.float32),
        margin(0.0, 6, 4),
    ]


CASES = layer_cases(
    draw, ordinary=((5, 3), (2, 6), (7, 4)), square=(4, 4), single=(1, 5), deep=None,
    more=more, large=1000.0,
)  # fmt: skip


def margins(x, y, delta):
    return np.maximum(0, x - x[np.arange(len(x)), y][:, None] + delta)


def finish(kept, positive, x, y, n=None):
    """Loss and gradient from the margins that count and those that push."""
    n = len(x) if n is None else n
    dx = positive.astype(kept.dtype)
    rows = np.arange(len(x))
    dx[rows, y] = 0
    dx[rows, y] = -dx.sum(axis=1)
    return kept.sum() / n, dx / n


def without_label(x, y, delta):
    kept = margins(x, y, delta)
    kept[np.arange(len(x)), y] = 0
    return kept


def correct(x, y, delta=1.0):
    kept = without_label(x, y, delta)
    return finish(kept, kept > 0, x, y)


def true_class_counted(x, y, delta=1.0):
    kept = margins(x, y, delta)
    return kept.sum() / len(x), correct(x, y, delta)[1]


def delta_forgotten(x, y, delta=1.0):
    return correct(x, y, 0.0)


def delta_fixed(x, y, delta=1.0):
    return correct(x, y, 1.0)


def delta_subtracted(x, y, delta=1.0):
    return correct(x, y, -delta)


def difference_turned(x, y, delta=1.0):
    rows = np.arange(len(x))
    kept = np.maximum(0, x[rows, y][:, None] - x + delta)
    kept[rows, y] = 0
    loss, dx = finish(kept, kept > 0, x, y)
    return loss, -dx


def not_clipped(x, y, delta=1.0):
    kept = x - x[np.arange(len(x)), y][:, None] + delta
    kept[np.arange(len(x)), y] = 0
    return finish(kept, kept != 0, x, y)


def squared(x, y, delta=1.0):
    kept = without_label(x, y, delta)
    rows = np.arange(len(x))
    dx = 2 * kept
    dx[rows, y] = -dx.sum(axis=1)
    return (kept**2).sum() / len(x), dx / len(x)


def only_the_worst(x, y, delta=1.0):
    kept = without_label(x, y, delta)
    worst = kept.max(axis=1, keepdims=True)
    first = np.arange(kept.shape[1]) == kept.argmax(axis=1)[:, None]
    kept = np.where(first, worst, 0)
    return finish(kept, kept > 0, x, y)


def sum_for_mean(x, y, delta=1.0):
    loss, dx = correct(x, y, delta)
    return loss * len(x), dx * len(x)


def gradient_not_averaged(x, y, delta=1.0):
    loss, dx = correct(x, y, delta)
    return loss, dx * len(x)


def loss_not_averaged(x, y, delta=1.0):
    loss, dx = correct(x, y, delta)
    return loss * len(x), dx


def averaged_over_all_entries(x, y, delta=1.0):
    loss, dx = correct(x, y, delta)
    return loss / x.shape[1], dx / x.shape[1]


def label_column(value):
    """The gradient with another entry at the label."""

    def wrong(x, y, delta=1.0):
        loss, dx = correct(x, y, delta)
        rows = np.arange(len(x))
        dx[rows, y] = value(dx, rows, y)
        return loss, dx

    return wrong


def open_at_zero(x, y, delta=1.0):
    rows = np.arange(len(x))
    raw = x - x[rows, y][:, None] + delta
    return finish(without_label(x, y, delta), raw >= 0, x, y)


def sign_of_the_gradient(x, y, delta=1.0):
    loss, dx = correct(x, y, delta)
    return loss, -dx


def margins_for_counts(x, y, delta=1.0):
    kept = without_label(x, y, delta)
    rows = np.arange(len(x))
    dx = kept.copy()
    dx[rows, y] = -dx.sum(axis=1)
    return kept.sum() / len(x), dx / len(x)


def scores_changed(x, y, delta=1.0):
    answer = correct(x.copy(), y, delta)
    x -= x[np.arange(len(x)), y][:, None]
    return answer


def delta_left_in_the_mean(x, y, delta=1.0):
    kept = margins(x, y, delta)
    return kept.sum() / len(x) - 1.0, correct(x, y, delta)[1]


def as_in_the_notes(x, y, delta=1.0):
    N = x.shape[0]
    correct_class_scores = x[np.arange(N), y]
    margins = np.maximum(0, x - correct_class_scores[:, np.newaxis] + delta)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(N), y] -= num_pos
    dx /= N
    return loss, dx


def by_loops(x, y, delta=1.0):
    loss, dx = 0.0, np.zeros(x.shape, dtype=x.dtype if x.dtype.kind == "f" else float)
    for i in range(len(x)):
        for j in range(x.shape[1]):
            if j == y[i]:
                continue
            margin = x[i, j] - x[i, y[i]] + delta
            if margin > 0:
                loss += margin
                dx[i, j] += 1
                dx[i, y[i]] -= 1
    dx /= len(x)
    return float(loss) / len(x), dx


def with_one_hot(x, y, delta=1.0):
    hot = np.eye(x.shape[1], dtype=x.dtype if x.dtype.kind == "f" else float)[y]
    raw = x - (x * hot).sum(axis=1, keepdims=True) + delta * (1 - hot)
    push = ((raw > 0) & (hot == 0)).astype(hot.dtype)
    dx = push - hot * push.sum(axis=1, keepdims=True)
    return np.mean(np.sum(push * raw, axis=1)), dx / x.shape[0]


def delta_outside_the_hinge(x, y, delta=1.0):
    rows = np.arange(len(x))
    raw = x - x[rows, y][:, None]
    kept = np.maximum(0, raw) + delta
    kept[rows, y] = 0
    return finish(kept, raw > 0, x, y)


def loss_outside_the_hinge(x, y, delta=1.0):
    return delta_outside_the_hinge(x, y, delta)[0], correct(x, y, delta)[1]


def one_more_at_the_label(x, y, delta=1.0):
    loss, dx = correct(x, y, delta)
    kept = margins(x, y, delta)
    rows = np.arange(len(x))
    dx[rows, y] -= (kept[rows, y] > 0) / len(x)
    return kept.sum() / len(x), dx


def whole_columns(x, y, delta=1.0):
    kept = margins(x, y, delta)
    kept[:, y] = 0
    return finish(kept, kept > 0, x, y)


def gradient_without_delta(x, y, delta=1.0):
    return finish(without_label(x, y, delta), margins(x, y, 0.0) > 0, x, y)


EXERCISES = (
    Exercise(
        name="svm_loss",
        kind=Loss(),
        reference={"svm_loss": svm_loss},
        cases=CASES,
        misconceptions=(
            Misconception(
                "true-class-in-the-margin",
                true_class_counted,
                "The true class is compared with itself and adds a constant delta for every "
                "example. The sum runs over the other classes only.",
                "loss",
                0.4,
            ),
            Misconception(
                "one-subtracted-for-the-true-class",
                delta_left_in_the_mean,
                "You take the true class out of the loss by subtracting 1. It contributed delta, "
                "which is 1 only by default.",
                "loss",
                0.3,
            ),
            Misconception(
                "delta-forgotten",
                delta_forgotten,
                "There is no margin in your loss: a class that is just barely right costs "
                "nothing. Where does delta enter?",
                "loss",
                0.4,
            ),
            Misconception(
                "delta-hard-coded",
                delta_fixed,
                "The margin is always 1, whatever delta is passed. The default is only for callers "
                "who say nothing.",
                "loss",
                0.3,
            ),
            Misconception(
                "delta-missing-in-the-gradient",
                gradient_without_delta,
                "Only classes that beat the true one send a gradient. Those that are behind by "
                "less than delta cost something too, so they are pushed as well: ask where the "
                "margin, with its delta, is positive.",
                "dx",
                0.4,
            ),
            Misconception(
                "whole-columns-cleared",
                whole_columns,
                "Indexing with a colon and y takes whole columns, so the margins of other examples "
                "are cleared too. Each row has one label: index rows and labels together.",
                "loss",
                0.5,
            ),
            Misconception(
                "sign-of-delta",
                delta_subtracted,
                "The margin has the wrong sign: the true class should have to win by delta, yours "
                "may lose by it.",
                "loss",
                0.4,
            ),
            Misconception(
                "difference-turned-round",
                difference_turned,
                "The loss grows when the true class wins. Which score is subtracted from which?",
                "loss",
            ),
            Misconception(
                "not-clipped-at-zero",
                not_clipped,
                "Margins that are kept count as negative losses. A hinge is flat once the true "
                "class is ahead by enough.",
                "loss",
            ),
            Misconception(
                "squared-hinge",
                squared,
                "The margins are squared. That is a loss too, L2-SVM, but the exercise asks for "
                "the plain hinge.",
                "loss",
            ),
            Misconception(
                "only-the-worst-class",
                only_the_worst,
                "Only the class that violates most counts. This loss (Weston and Watkins) adds "
                "the margins of all wrong classes.",
                "loss",
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
                "label-column-empty",
                label_column(lambda dx, rows, y: 0),
                "The true class gets no gradient. Its score stands in every margin of the "
                "example, so each violated margin pulls it up.",
                "dx",
                0.4,
            ),
            Misconception(
                "label-column-minus-one",
                label_column(lambda dx, rows, y: np.where(dx[rows, y] < 0, -1 / len(dx), 0)),
                "At the true class you subtract 1 once per example. Its score stands in every "
                "margin, so each violated one counts.",
                "dx",
                0.4,
            ),
            Misconception(
                "label-column-positive",
                label_column(lambda dx, rows, y: -dx[rows, y]),
                "At the true class the gradient has the wrong sign: a higher true score makes the "
                "margins smaller.",
                "dx",
                0.4,
            ),
            Misconception(
                "open-at-zero",
                open_at_zero,
                "A margin of exactly 0 has no gradient in this course. Look at the comparison.",
                "kinks",
            ),
            Misconception(
                "margins-for-counts",
                margins_for_counts,
                "The gradient holds the margins themselves, as for a squared hinge. The slope of "
                "a hinge is 1 wherever it is violated.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-of-the-wrong-sign",
                sign_of_the_gradient,
                "dx has the wrong sign, so a step against it makes the loss larger.",
                "dx",
                0.4,
            ),
            Misconception(
                "scores-changed-in-place",
                scores_changed,
                "x is changed while the margins are computed; the caller still needs the scores. "
                "Subtract into a new array.",
                "conduct",
            ),
            Misconception(
                "delta-outside-the-hinge",
                delta_outside_the_hinge,
                "delta is added after the maximum with 0, so classes that are far behind cost "
                "delta too, and near misses get no gradient. It belongs inside.",
                "loss",
                0.5,
            ),
            Misconception(
                "delta-outside-the-hinge-of-the-loss",
                loss_outside_the_hinge,
                "In the loss delta is added after the maximum with 0, so classes that are far "
                "behind cost delta too. It belongs inside.",
                "loss",
                0.4,
            ),
            Misconception(
                "true-class-counted-throughout",
                one_more_at_the_label,
                "The true class is compared with itself: it adds delta to the loss of every "
                "example, and 1 to the count of violated margins at the label. Leave it out of "
                "both.",
                "loss",
                0.5,
            ),
        ),
        variants=(as_in_the_notes, by_loops, with_one_hot),
    ),
)
