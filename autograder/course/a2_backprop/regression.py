"""Losses for numbers: squared and absolute error."""

import numpy as np

from autograder.battery.functions import Loss
from autograder.course.drawing import layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.losses import l1_loss, mse_loss


def draw(rng, shape):
    return {"x": numbers(rng, *shape), "y": numbers(rng, *shape)}


def more(rng):
    x, y = numbers(rng, 4, 3), numbers(rng, 4, 3)
    y[0, 1], y[2, 0], y[3] = x[0, 1], x[2, 0], x[3]
    flat = draw(rng, (7,))
    return [
        Case("x of shape (7,)", flat, "one dimension"),
        Case("predictions that are exactly right", {"x": x, "y": y}, "kinks"),
    ]


CASES = layer_cases(draw, more=more, large=1000.0)


def scaled(loss, value=lambda x: 1.0, gradient=lambda x: 1.0):
    """The right answer times a factor that depends on the shape of x."""

    def wrong(x, y):
        number, dx = loss(x, y)
        return number * value(x), dx * x.dtype.type(gradient(x)) if x.dtype.kind == "f" else (
            dx * gradient(x)
        )

    return wrong


def in_place(loss):
    def wrong(x, y):
        answer = loss(x.copy(), y)
        x -= y.astype(x.dtype)
        return answer

    return wrong


def per_example(x):
    """Elements for each example, one where there is a single axis."""
    return x.size / len(x)


def common(loss):
    """What goes wrong in the same way with every mean over elements."""
    return (
        Misconception(
            "mean-over-the-batch-only",
            scaled(loss, per_example, per_example),
            "You divide by the number of examples. The course, as PyTorch, takes the mean over "
            "all elements.",
            "loss",
            0.5,
        ),
        Misconception(
            "sum-for-mean",
            scaled(loss, np.size, np.size),
            "You add over all elements where the mean is asked for.",
            "loss",
            0.5,
        ),
        Misconception(
            "gradient-not-averaged",
            scaled(loss, gradient=np.size),
            "The loss is a mean, but its gradient is not divided by the number of elements. "
            "Whatever factor stands before the loss stands before the gradient.",
            "dx",
            0.4,
        ),
        Misconception(
            "gradient-averaged-over-the-batch-only",
            scaled(loss, gradient=per_example),
            "The loss is a mean over all elements, its gradient is divided by the batch size "
            "alone. Both carry the same factor.",
            "dx",
            0.4,
        ),
        Misconception(
            "loss-not-averaged",
            scaled(loss, np.size),
            "The gradient is that of the mean, the loss that is returned is the sum.",
            "loss",
            0.4,
        ),
        Misconception(
            "gradient-of-the-wrong-sign",
            scaled(loss, gradient=lambda x: -1.0),
            "dx has the wrong sign, as if it were the gradient for the targets. Which is "
            "subtracted from which?",
            "dx",
            0.4,
        ),
        Misconception(
            "predictions-changed-in-place",
            in_place(loss),
            "x is changed on the way; the caller still needs its predictions. Subtract into a "
            "new array.",
            "conduct",
        ),
    )


def root_of_the_mean(x, y):
    loss, dx = mse_loss(x, y)
    return np.sqrt(loss), dx


def absolute_for_squared(x, y):
    return l1_loss(x, y)


def difference_for_its_magnitude(x, y):
    return np.mean(x - y), l1_loss(x, y)[1]


def half_step_at_zero(value):
    """l1 with a slope at 0."""

    def wrong(x, y):
        loss, _ = l1_loss(x, y)
        slope = np.where(x == y, value, np.sign(x - y)).astype(np.result_type(x, y))
        return loss, slope / slope.dtype.type(x.size)

    return wrong


def divided_by_the_magnitude(x, y):
    difference = x - y
    return np.mean(np.abs(difference)), difference / np.abs(difference) / difference.size


def difference_for_its_sign(x, y):
    return l1_loss(x, y)[0], (x - y) / np.size(x)


def squared_for_absolute(x, y):
    return mse_loss(x, y)


def mse_by_dot(x, y):
    d = (x - y).ravel()
    return float(d @ d) / d.size, (2.0 / d.size * d).reshape(x.shape)


def mse_by_products(x, y):
    loss = np.average(np.square(y - x))
    dx = -2 * (y - x) / np.prod(x.shape)
    return loss, dx.astype(x.dtype) if x.dtype.kind == "f" else dx


def mse_by_loops(x, y):
    dx = np.empty(x.shape, x.dtype if x.dtype.kind == "f" else float)
    total = 0.0
    for index, value in np.ndenumerate(x):
        total += (value - y[index]) ** 2 / x.size
        dx[index] = 2 * (value - y[index]) / x.size
    return total, dx


def l1_by_where(x, y):
    d = np.asarray(x - y)
    loss = np.where(d > 0, d, -d).sum() / d.size
    return loss, ((d > 0).astype(d.dtype) - (d < 0).astype(d.dtype)) / d.size


def l1_by_mask(x, y):
    d = x - y
    dx = np.zeros_like(d)
    dx[d > 0], dx[d < 0] = 1 / d.size, -1 / d.size
    return np.abs(d).mean(), dx


def l1_by_difference(x, y):
    larger, smaller = np.maximum(x, y), np.minimum(x, y)
    return (larger - smaller).mean(), np.sign(x - y) * (1 / x.size)


def target_forgotten(x, y):
    return mse_loss(x, y)[0], mse_loss(x, 0 * y)[1]


def sign_of_the_prediction(x, y):
    return l1_loss(x, y)[0], l1_loss(x, 0 * y)[1]


EXERCISES = (
    Exercise(
        name="mse_loss",
        kind=Loss(),
        reference={"mse_loss": mse_loss},
        cases=CASES,
        misconceptions=(
            *common(mse_loss),
            Misconception(
                "half-in-front",
                scaled(mse_loss, lambda x: 0.5, lambda x: 0.5),
                "Loss and gradient are half of what is asked: there is no ½ in front of this "
                "mean, as in torch.nn.MSELoss.",
                "loss",
                0.4,
            ),
            Misconception(
                "half-in-the-loss-only",
                scaled(mse_loss, lambda x: 0.5),
                "There is a ½ in the loss that the gradient knows nothing of; the exercise has "
                "none at all.",
                "loss",
                0.4,
            ),
            Misconception(
                "two-forgotten-in-the-gradient",
                scaled(mse_loss, gradient=lambda x: 0.5),
                "The gradient is half of what it should be: what comes down when a square is "
                "differentiated?",
                "dx",
                0.4,
            ),
            Misconception(
                "root-of-the-mean",
                root_of_the_mean,
                "You take the root of the mean. That is the RMSE; the loss is the mean itself.",
                "loss",
                0.4,
            ),
            Misconception(
                "absolute-for-squared",
                absolute_for_squared,
                "This is the absolute error. The square is missing.",
                "loss",
            ),
            Misconception(
                "target-forgotten-in-the-gradient",
                target_forgotten,
                "The gradient is made of the prediction alone; what counts is the difference from "
                "the target.",
                "dx",
                0.4,
            ),
        ),
        variants=(mse_by_dot, mse_by_products, mse_by_loops),
    ),
    Exercise(
        name="l1_loss",
        kind=Loss(),
        reference={"l1_loss": l1_loss},
        cases=CASES,
        misconceptions=(
            *common(l1_loss),
            Misconception(
                "magnitude-forgotten",
                difference_for_its_magnitude,
                "Errors of opposite sign cancel in your loss. Each one counts with its magnitude.",
                "loss",
                0.4,
            ),
            Misconception(
                "slope-one-at-zero",
                half_step_at_zero(1.0),
                "Where the prediction is exactly right the gradient should be 0; yours is that of "
                "a prediction too large. Look at the comparison.",
                "kinks",
            ),
            Misconception(
                "slope-minus-one-at-zero",
                half_step_at_zero(-1.0),
                "Where the prediction is exactly right the gradient should be 0; yours is that of "
                "a prediction too small. Look at the comparison.",
                "kinks",
            ),
            Misconception(
                "zero-divided-by-zero",
                divided_by_the_magnitude,
                "Where the prediction is exactly right you divide 0 by 0. NumPy has a function "
                "for the sign.",
                "kinks",
            ),
            Misconception(
                "difference-for-its-sign",
                difference_for_its_sign,
                "The gradient grows with the error, as for a square. The slope of a magnitude is "
                "the same however far away you are.",
                "dx",
                0.4,
            ),
            Misconception(
                "squared-for-absolute",
                squared_for_absolute,
                "This is the squared error, with its gradient.",
                "loss",
            ),
            Misconception(
                "sign-of-the-prediction",
                sign_of_the_prediction,
                "The gradient has the sign of the prediction. What counts is on which side of the "
                "target it lies.",
                "dx",
                0.4,
            ),
        ),
        variants=(l1_by_where, l1_by_mask, l1_by_difference),
    ),
)
