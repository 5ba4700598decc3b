"""The functions that saturate: sigmoid and tanh."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.a2_backprop.mistakes import (
    derivative_for_the_function,
    dout_changed,
    input_changed,
    kept_in_a_global,
    upstream_forgotten,
)
from autograder.course.drawing import layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.activations import (
    sigmoid_backward,
    sigmoid_forward,
    tanh_backward,
    tanh_forward,
)

SIGMOID = {"sigmoid_forward": sigmoid_forward, "sigmoid_backward": sigmoid_backward}
TANH = {"tanh_forward": tanh_forward, "tanh_backward": tanh_backward}


def draw(rng, shape):
    return {"x": numbers(rng, *shape)}


def large(rng):
    """Large inputs beside moderate ones, which set the scale: a slope of 1e-22 may come out 0."""
    x = numbers(rng, 5, 4)
    x[:, :3] *= 1000.0
    x[0, 0], x[1, 1] = -800.0, 900.0
    extra = {"dout": numbers(rng, 5, 4)}
    return [Case("x with entries in the thousands", {"x": x}, "large numbers", extra=extra)]


CASES = layer_cases(draw, lambda args: args["x"].shape, more=large, speed=(60, 1000))


def sigma(x):
    return sigmoid_forward(x)[0]


def quotient_of_exponentials(x):
    return np.exp(x) / (1 + np.exp(x)), x


def sign_in_the_exponent(x):
    return 1 / (1 + np.exp(np.minimum(x, 700))), x


def tanh_for_sigmoid(x):
    return np.tanh(x), x


def softmax_for_sigmoid(x):
    z = np.exp(x - x.max(axis=-1, keepdims=True))
    return z / z.sum(axis=-1, keepdims=True), x


def filled_into(x, out):
    positive = x >= 0
    out[positive] = 1 / (1 + np.exp(-x[positive]))
    z = np.exp(x[~positive])
    out[~positive] = z / (1 + z)
    return out, out


def filled_into_integers(x):
    return filled_into(x, np.zeros_like(x))


def filled_into_float64(x):
    return filled_into(x, np.zeros(x.shape))


def sigmoid_of_the_output(dout, out):
    return dout * sigma(out) * (1 - sigma(out))


def first_factor_only(dout, out):
    return dout * out


def second_factor_only(dout, out):
    return dout * (1 - out)


def slope_of_tanh(dout, out):
    return dout * (1 - out**2)


def slope_with_minus(dout, out):
    return dout * out * (out - 1)


def keeps_x(x):
    return sigma(x), x


def slope_from_exponentials(dout, x):
    return dout * np.exp(-x) / (1 + np.exp(-x)) ** 2


def by_tanh(x):
    out = 0.5 * (np.tanh(0.5 * x) + 1)
    return out, {"out": out}


def naive(x):
    return 1.0 / (1.0 + np.exp(-x)), (x,)


def two_branches(x):
    x = np.asarray(x, dtype=x.dtype if x.dtype.kind == "f" else float)
    return filled_into(x, np.empty_like(x))


def backward_from_x(dout, x):
    s = sigma(x)
    return s * (1 - s) * dout


def backward_by_square(dout, out):
    return dout * (out - out**2)


def backward_from_decay(dout, x):
    z = np.exp(-np.abs(x))
    return dout * z / (1 + z) ** 2


def backward_in_place(dout, out):
    dx = dout.copy()
    dx *= out
    dx *= 1 - out
    return dx


def hyperbolic_quotient(x):
    plus, minus = np.exp(x), np.exp(-x)
    return (plus - minus) / (plus + minus), x


def half_the_argument(x):
    return 2 * sigma(x) - 1, x


def square_forgotten(dout, out):
    return dout * (1 - out)


def tanh_of_the_output(dout, out):
    return dout * (1 - np.tanh(out) ** 2)


def plus_the_square(dout, out):
    return dout * (1 + out**2)


def slope_of_sigmoid(dout, out):
    return dout * out * (1 - out)


def tanh_by_sigmoid(x):
    return 2 * sigma(2 * x) - 1, x


def tanh_by_decay(x):
    z = np.exp(-2 * np.abs(x))
    out = np.sign(x) * (1 - z) / (1 + z)
    return out, [out]


def tanh_copy(x):
    return np.tanh(x.astype(float) if x.dtype.kind != "f" else x), {"x": x}


def tanh_backward_from_x(dout, cache):
    return (1 - np.tanh(cache["x"]) ** 2) * dout


def tanh_backward_factored(dout, cache):
    (out,) = cache
    return dout * (1 - out) * (1 + out)


def tanh_backward_difference(dout, out):
    return dout - dout * out * out


def shifted_by_the_maximum(x):
    return sigma(x - x.max()), x


def of_the_magnitude(x):
    return sigma(np.abs(x)), x


def clipped_to_ten(x):
    out = sigma(np.clip(x, -10, 10))
    return out, out


def keeps_tanh_input(x):
    return np.tanh(x), x


FORWARD_OF_SIGMOID = Exercise(
    name="sigmoid_forward",
    kind=Forward(),
    reference=SIGMOID,
    cases=CASES,
    misconceptions=(
        Misconception(
            "exponential-overflows",
            quotient_of_exponentials,
            "exp of a large input is infinite, and inf/inf is not a number. Arrange the fraction "
            "so that a large exponential can only stand in the denominator.",
            "large numbers",
        ),
        Misconception(
            "sign-in-the-exponent",
            sign_in_the_exponent,
            "The curve is mirrored: a large input should give almost 1. Look at the sign in the "
            "exponent.",
            "values",
        ),
        Misconception(
            "tanh-for-sigmoid",
            tanh_for_sigmoid,
            "This is tanh, which runs from −1 to 1. The sigmoid runs from 0 to 1 and is ½ at 0.",
            "values",
        ),
        Misconception(
            "softmax-for-sigmoid",
            softmax_for_sigmoid,
            "Your outputs add up to 1 in each row: that is a softmax. A sigmoid looks at each "
            "number for itself.",
            "values",
        ),
        Misconception(
            "result-in-integers",
            filled_into_integers,
            "The result is written into an array of the input's dtype; for whole-number inputs "
            "everything between 0 and 1 becomes 0.",
            "integer inputs",
        ),
        Misconception(
            "float32-promoted",
            filled_into_float64,
            "The result is written into an array that was made without a dtype, so float32 comes "
            "out as float64: twice the memory, and the next layer follows suit.",
            "float32",
        ),
        derivative_for_the_function(lambda x: sigma(x) * (1 - sigma(x))),
        input_changed(sigmoid_forward),
        Misconception(
            "shifted-by-the-maximum",
            shifted_by_the_maximum,
            "The largest input is subtracted first. That is safe in a softmax, which does not "
            "change by it; a sigmoid does.",
            "values",
        ),
        Misconception(
            "clipped-to-ten",
            clipped_to_ten,
            "The input is clipped to ±10, so the output stops at 0.00005 and 0.99995 and its slope "
            "never vanishes. exp overflows beyond 700 only; better, arrange the formula so that "
            "nothing needs to be clipped.",
            "large numbers",
            0.2,
        ),
        Misconception(
            "sigmoid-of-the-magnitude",
            of_the_magnitude,
            "Negative inputs come out as if they were positive: the magnitude keeps the "
            "exponential small, but the other side needs a formula of its own.",
            "values",
        ),
    ),
    variants=(by_tanh, naive, two_branches),
)

BACKWARD_OF_SIGMOID = Exercise(
    name="sigmoid_backward",
    kind=Backward("sigmoid_forward", ("dx",), ("x",)),
    reference=SIGMOID,
    cases=CASES,
    misconceptions=(
        Misconception(
            "sigmoid-taken-twice",
            sigmoid_of_the_output,
            "The slope is computed at the output in place of the input: the sigmoid is applied "
            "once more to what is σ(x) already. What did you put into the cache?",
            "dx",
        ),
        Misconception(
            "second-factor-missing",
            first_factor_only,
            "The slope of σ must vanish on both sides, where the curve is flat. Yours grows "
            "towards 1 on the right: a factor is missing.",
            "dx",
        ),
        Misconception(
            "first-factor-missing",
            second_factor_only,
            "The slope of σ must vanish on both sides, where the curve is flat. Yours grows "
            "towards 1 on the left: a factor is missing.",
            "dx",
        ),
        Misconception(
            "slope-of-tanh",
            slope_of_tanh,
            "That is the derivative of tanh written in terms of its output. Differentiate "
            "1/(1 + e^(−x)), then write the result in terms of σ.",
            "dx",
        ),
        Misconception(
            "sign-of-the-slope",
            slope_with_minus,
            "The sigmoid rises everywhere, so its slope is positive. Look at the order in the "
            "difference, or at the inner derivative of e^(−x).",
            "dx",
        ),
        Misconception(
            "slope-overflows",
            {"sigmoid_forward": keeps_x, "sigmoid_backward": slope_from_exponentials},
            "For a large negative input the exponential is infinite, and inf/inf is not a number. "
            "The slope can be written with the output alone, which lies between 0 and 1.",
            "large numbers",
        ),
        upstream_forgotten(sigmoid_backward),
        dout_changed(sigmoid_backward),
        kept_in_a_global(SIGMOID, "sigmoid"),
        Misconception(
            "clipped-to-ten",
            {"sigmoid_forward": clipped_to_ten, "sigmoid_backward": sigmoid_backward},
            "The input is clipped to ±10, so the slope stops at 0.00005 and never vanishes. exp "
            "overflows beyond 700 only; better, arrange the formula so that nothing needs to be "
            "clipped.",
            "large numbers",
            0.2,
        ),
        Misconception(
            "input-for-the-output",
            {"sigmoid_forward": keeps_x, "sigmoid_backward": lambda dout, x: dout * x * (1 - x)},
            "The slope σ·(1 − σ) is written with the output, and you put the input there. Which of "
            "the two is in your cache?",
            "dx",
        ),
    ),
    variants=(
        {"sigmoid_forward": keeps_x, "sigmoid_backward": backward_from_x},
        {"sigmoid_forward": two_branches, "sigmoid_backward": backward_by_square},
        {"sigmoid_forward": keeps_x, "sigmoid_backward": backward_from_decay},
        backward_in_place,
    ),
)

FORWARD_OF_TANH = Exercise(
    name="tanh_forward",
    kind=Forward(),
    reference=TANH,
    cases=CASES,
    misconceptions=(
        Misconception(
            "exponential-overflows",
            hyperbolic_quotient,
            "Both exponentials of a large input are infinite or 0, and inf/inf is not a number. "
            "NumPy has a function that knows how.",
            "large numbers",
        ),
        Misconception(
            "sigmoid-for-tanh",
            lambda x: (sigma(x), x),
            "This is the sigmoid, which runs from 0 to 1. tanh runs from −1 to 1 and is 0 at 0.",
            "values",
        ),
        Misconception(
            "half-the-argument",
            half_the_argument,
            "The curve has the right height and is twice too wide. tanh is a scaled sigmoid: the "
            "output is stretched, and so is the input.",
            "values",
        ),
        derivative_for_the_function(lambda x: 1 - np.tanh(x) ** 2),
        input_changed(tanh_forward),
    ),
    variants=(tanh_by_sigmoid, tanh_by_decay, tanh_copy),
)

BACKWARD_OF_TANH = Exercise(
    name="tanh_backward",
    kind=Backward("tanh_forward", ("dx",), ("x",)),
    reference=TANH,
    cases=CASES,
    misconceptions=(
        Misconception(
            "square-forgotten",
            square_forgotten,
            "The slope of tanh is the same at x and at −x; yours is not. What has to be squared?",
            "dx",
        ),
        Misconception(
            "tanh-taken-twice",
            tanh_of_the_output,
            "The slope is computed at the output in place of the input: tanh is applied once more "
            "to what is tanh(x) already. What did you put into the cache?",
            "dx",
        ),
        Misconception(
            "sign-of-the-square",
            plus_the_square,
            "Your slope grows where the curve flattens out. Look at the sign of the square.",
            "dx",
        ),
        Misconception(
            "slope-of-sigmoid",
            slope_of_sigmoid,
            "That is the derivative of the sigmoid written in terms of its output; tanh has "
            "another.",
            "dx",
        ),
        upstream_forgotten(tanh_backward),
        dout_changed(tanh_backward),
        kept_in_a_global(TANH, "tanh"),
        Misconception(
            "input-for-the-output",
            {"tanh_forward": keeps_tanh_input, "tanh_backward": lambda dout, x: dout * (1 - x**2)},
            "The slope 1 − tanh² is written with the output, and you put the input there. Which of "
            "the two is in your cache?",
            "dx",
        ),
        Misconception(
            "square-subtracted-from-dout",
            lambda dout, out: dout - out**2,
            "The square is subtracted from dout itself. dout multiplies the whole slope, "
            "1 − tanh²: mind the bracket.",
            "dx",
        ),
    ),
    variants=(
        {"tanh_forward": tanh_copy, "tanh_backward": tanh_backward_from_x},
        {"tanh_forward": tanh_by_decay, "tanh_backward": tanh_backward_factored},
        tanh_backward_difference,
    ),
)


EXERCISES = (FORWARD_OF_SIGMOID, BACKWARD_OF_SIGMOID, FORWARD_OF_TANH, BACKWARD_OF_TANH)
