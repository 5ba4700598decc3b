"""ELU, whose left side is a curve."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.a2_backprop.leaky_relu import cases_with
from autograder.course.a2_backprop.mistakes import (
    derivative_for_the_function,
    dout_changed,
    input_changed,
    kept_in_a_global,
    upstream_forgotten,
)
from autograder.exercise import Exercise, Misconception
from cs_nn.layers.activations import elu_backward, elu_forward

ELU = {"elu_forward": elu_forward, "elu_backward": elu_backward}
ELU_CASES = cases_with("alpha", 0.4, 1.9)


def alpha_fixed(x, alpha=1.0):
    return elu_forward(x)[0], (x, 1.0)


def one_forgotten(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.exp(np.minimum(x, 0))), (x, alpha)


def alpha_inside(x, alpha=1.0):
    return np.where(x > 0, x, np.expm1(alpha * np.minimum(x, 0))), (x, alpha)


def alpha_outside_the_bracket(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.exp(np.minimum(x, 0)) - 1), (x, alpha)


def alpha_everywhere(x, alpha=1.0):
    return alpha * elu_forward(x)[0], (x, alpha)


def elu_sign(x, alpha=1.0):
    return np.where(x > 0, x, -alpha * np.expm1(np.minimum(x, 0))), (x, alpha)


def elu_by_products(x, alpha=1.0):
    return (x > 0) * x + (x <= 0) * alpha * (np.exp(x) - 1), (x, alpha)


def elu_gradient(on_the_left):
    """Backward with another slope on the left side."""

    def backward(dout, cache):
        x, alpha = cache
        return np.where(x > 0, 1.0, on_the_left(np.minimum(x, 0), alpha)).astype(dout.dtype) * dout

    return backward


def elu_open_at_zero(dout, cache):
    x, alpha = cache
    return np.where(x >= 0, dout, alpha * np.exp(np.minimum(x, 0)) * dout)


def elu_gradient_overflows(dout, cache):
    x, alpha = cache
    return dout * ((x > 0) + (x <= 0) * alpha * np.exp(x))


def elu_by_index(x, alpha=1.0):
    out = np.array(x, dtype=x.dtype if x.dtype.kind == "f" else np.float64)
    low = out <= 0
    out[low] = alpha * (np.exp(out[low]) - 1)
    return out, (low, out, alpha)


def elu_by_where(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1)), [x, alpha]


def elu_by_parts(x, alpha=1.0):
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0)), (x, alpha)


def elu_backward_from_out(dout, cache):
    low, out, alpha = cache
    dx = dout.copy()
    dx[low] *= out[low] + alpha
    return dx


def elu_backward_by_where(dout, cache):
    x, alpha = cache
    return np.where(x > 0, dout, dout * alpha * np.exp(x))


def elu_backward_by_index(dout, cache):
    x, alpha = cache
    slope = np.ones(x.shape, dout.dtype)
    slope[x <= 0] = alpha * np.exp(x[x <= 0])
    return slope * dout


FORWARD_OF_ELU = Exercise(
    name="elu_forward",
    kind=Forward(),
    reference=ELU,
    cases=ELU_CASES,
    misconceptions=(
        Misconception(
            "alpha-ignored",
            alpha_fixed,
            "The left side saturates at −1 whatever alpha is passed. Where does alpha enter the "
            "formula?",
            "values",
            0.3,
        ),
        Misconception(
            "minus-one-forgotten",
            one_forgotten,
            "The two sides do not meet at 0: the left one tends to alpha there. Something must be "
            "subtracted from the exponential.",
            "values",
        ),
        Misconception(
            "alpha-in-the-exponent",
            alpha_inside,
            "alpha sets the level at which the left side saturates, so it stands before the "
            "bracket, not inside the exponential.",
            "values",
        ),
        Misconception(
            "alpha-on-the-exponential-only",
            alpha_outside_the_bracket,
            "alpha multiplies the exponential but not the 1, so the two sides do not meet at 0. "
            "Mind the bracket.",
            "values",
        ),
        Misconception(
            "alpha-on-both-sides",
            alpha_everywhere,
            "Positive inputs are multiplied by alpha too; they should pass as they are.",
            "values",
        ),
        Misconception(
            "sign-of-the-left-side",
            elu_sign,
            "Negative inputs come out positive. The left side falls towards −alpha.",
            "values",
        ),
        Misconception(
            "exponential-of-large-inputs",
            elu_by_products,
            "The exponential is taken of large positive inputs too; it is infinite there, and "
            "infinity times 0 is not a number. A mask does not hide it: choose, or clip first.",
            "large numbers",
        ),
        derivative_for_the_function(
            lambda x, alpha=1.0: np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0))).astype(
                x.dtype
            )
        ),
        input_changed(elu_forward),
    ),
    variants=(elu_by_index, elu_by_where, elu_by_parts),
)

BACKWARD_OF_ELU = Exercise(
    name="elu_backward",
    kind=Backward("elu_forward", ("dx",), ("x",)),
    reference=ELU,
    cases=ELU_CASES,
    misconceptions=(
        Misconception(
            "alpha-forgotten",
            elu_gradient(lambda x, alpha: np.exp(x)),
            "On the left the slope lacks alpha, which multiplies the exponential in the forward "
            "pass and so in its derivative.",
            "dx",
            0.3,
        ),
        Misconception(
            "value-for-the-slope",
            elu_gradient(lambda x, alpha: alpha * np.expm1(x)),
            "On the left you multiply by the output. What becomes of the −1 when you "
            "differentiate?",
            "dx",
        ),
        Misconception(
            "gradient-of-relu",
            elu_gradient(lambda x, alpha: 0 * x),
            "Nothing comes back where the input was negative, but the curve has a slope there.",
            "dx",
        ),
        Misconception(
            "slope-of-leaky-relu",
            elu_gradient(lambda x, alpha: alpha + 0 * x),
            "You use the same slope for all negative inputs. The left side of ELU is a curve that "
            "flattens out.",
            "dx",
        ),
        Misconception(
            "open-at-zero",
            elu_open_at_zero,
            "At an input of exactly 0 the left side counts, so the slope is alpha there. Look at "
            "the comparison.",
            "kinks",
        ),
        Misconception(
            "exponential-of-large-inputs",
            elu_gradient_overflows,
            "The exponential is taken of large positive inputs too; it is infinite there, and "
            "infinity times 0 is not a number. A mask does not hide it: choose, or clip first.",
            "large numbers",
        ),
        upstream_forgotten(elu_backward),
        dout_changed(elu_backward),
        kept_in_a_global(ELU, "elu"),
        Misconception(
            "one-for-alpha",
            elu_gradient(lambda x, alpha: alpha * np.expm1(x) + 1),
            "On the left you add 1 to the output. That is the slope only for alpha = 1: write the "
            "exponential in terms of the output and see what has to be added.",
            "dx",
        ),
        Misconception(
            "power-rule-for-the-exponential",
            elu_gradient(lambda x, alpha: alpha * x * np.exp(x - 1)),
            "You differentiate the exponential as if it were a power. What is its derivative?",
            "dx",
        ),
    ),
    variants=(
        {"elu_forward": elu_by_index, "elu_backward": elu_backward_from_out},
        {"elu_forward": elu_by_where, "elu_backward": elu_backward_by_where},
        elu_backward_by_index,
    ),
)

EXERCISES = (FORWARD_OF_ELU, BACKWARD_OF_ELU)
