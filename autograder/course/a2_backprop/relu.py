"""ReLU and its relatives."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.drawing import layer_cases, named, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.activations import relu_backward, relu_forward

RELU = {"relu_forward": relu_forward, "relu_backward": relu_backward}


def draw(rng, shape):
    return {"x": numbers(rng, *shape)}


def kinks(rng):
    """Inputs that are exactly 0, where the left side counts; a batch for which no unit fires."""
    x = numbers(rng, 4, 3)
    x[0, 0] = x[1, 2] = x[3, 1] = 0.0
    extra = {"dout": numbers(rng, 4, 3)}
    below = {"x": -np.abs(numbers(rng, 3, 5))}
    dark = {"dout": numbers(rng, 3, 5)}
    return [
        Case(f"{named({'x': x})} with exact zeros", {"x": x}, "kinks", extra=extra),
        Case(f"{named(below)}, all negative", below, "no unit on", extra=dark),
    ]


CASES = layer_cases(draw, lambda args: args["x"].shape, more=kinks, large=1000.0, speed=(60, 1000))


def relu_of_the_magnitude(x):
    return np.abs(x), x


def relu_at_one(x):
    return np.maximum(1, x), x


def relu_clipped(x):
    return np.clip(x, 0, 1), x


def relu_upside_down(x):
    return np.minimum(0, x), x


def relu_of_minus_x(x):
    return np.maximum(0, -x), x


def relu_in_place(x):
    x[x < 0] = 0
    return x, x


def relu_one_for_positive(x):
    return (x > 0).astype(x.dtype), x


def passes_everything(dout, cache):
    return dout.copy()


def derivative_only(dout, cache):
    return (cache > 0).astype(dout.dtype)


def relu_of_dout(dout, cache):
    return np.maximum(0, dout)


def mask_with_zero(dout, cache):
    return dout * (cache >= 0)


def times_the_input(dout, cache):
    return dout * np.maximum(0, cache)


def mask_inverted(dout, cache):
    return dout * (cache <= 0)


def dout_masked_in_place(dout, cache):
    dout[cache <= 0] = 0
    return dout


_seen = {}


def _forward_with_global(x):
    _seen["x"] = x
    return np.maximum(0, x), None


def _backward_with_global(dout, cache):
    return dout * (_seen["x"] > 0)


def relu_by_where(x):
    return np.where(x > 0, x, np.zeros_like(x)), (x > 0)


def relu_by_mask(x):
    return x * (x > 0), x


def relu_by_mean(x):
    out = (x + np.abs(x)) / 2
    return out, {"out": out}


def backward_by_where(dout, cache):
    return np.where(cache > 0, dout, 0).astype(dout.dtype)


def backward_by_copy(dout, cache):
    dx = np.array(dout, copy=True)
    dx[np.logical_not(cache > 0)] = 0
    return dx


def backward_by_sign(dout, cache):
    return dout * np.heaviside(cache, np.array(0, dtype=dout.dtype)).astype(dout.dtype)


def both_positive(dout, cache):
    return np.where(cache > 0, np.maximum(dout, 0), 0)


def relu_six(x):
    return np.clip(x, 0, 6), x


EXERCISES = (
    Exercise(
        name="relu_forward",
        kind=Forward(),
        reference=RELU,
        cases=CASES,
        misconceptions=(
            Misconception(
                "absolute-value",
                relu_of_the_magnitude,
                "Negative inputs come out positive. A rectifier shuts them off; it does not fold "
                "them over.",
                "values",
            ),
            Misconception(
                "threshold-at-one",
                relu_at_one,
                "The smallest output should be 0, yours is 1. What is the input compared with?",
                "values",
            ),
            Misconception(
                "clipped-above",
                relu_clipped,
                "Large inputs are cut off at 1. The point of ReLU is that it never saturates on "
                "the positive side.",
                "values",
            ),
            Misconception(
                "the-negative-half",
                relu_upside_down,
                "You kept the negative half of the inputs and shut the positive one off.",
                "values",
            ),
            Misconception(
                "sign-of-the-input",
                relu_of_minus_x,
                "The input's sign is turned before it is rectified: positive inputs are shut off "
                "and negative ones let through.",
                "values",
            ),
            Misconception(
                "input-overwritten",
                relu_in_place,
                "The zeros are written into x itself. The caller still needs its x, and the next "
                "layer may share it: make a new array.",
                "conduct",
            ),
            Misconception(
                "derivative-for-the-function",
                relu_one_for_positive,
                "You return the slope, 1 or 0. Forward passes the value through where it is "
                "positive.",
                "values",
            ),
            Misconception(
                "clipped-at-six",
                relu_six,
                "Nothing larger than 6 comes out: this is the ReLU6 of some mobile networks. A "
                "ReLU has no upper limit.",
                "large numbers",
                0.3,
            ),
        ),
        variants=(relu_by_where, relu_by_mask, relu_by_mean),
    ),
    Exercise(
        name="relu_backward",
        kind=Backward("relu_forward", ("dx",), ("x",)),
        reference=RELU,
        cases=CASES,
        misconceptions=(
            Misconception(
                "gradient-passes-everywhere",
                passes_everything,
                "The gradient comes through unchanged even where the unit was off. An input that "
                "had no influence on the output gets no gradient.",
                "dx",
            ),
            Misconception(
                "upstream-gradient-forgotten",
                derivative_only,
                "This is the local slope alone. The chain rule multiplies it with what comes from "
                "above.",
                "dx",
            ),
            Misconception(
                "relu-of-the-gradient",
                relu_of_dout,
                "You rectify the gradient itself. What decides is the sign of the forward input, "
                "which is in the cache; gradients may well be negative.",
                "dx",
            ),
            Misconception(
                "open-at-zero",
                mask_with_zero,
                "At an input of exactly 0 the gradient should be 0, as the course (and PyTorch) "
                "define it. Look at the comparison: strictly greater, or greater or equal?",
                "kinks",
            ),
            Misconception(
                "multiplied-by-the-value",
                times_the_input,
                "You multiply by the output of the unit; the slope of a straight line through the "
                "origin does not depend on where you are on it.",
                "dx",
            ),
            Misconception(
                "mask-inverted",
                mask_inverted,
                "The gradient flows exactly where the unit was off. Turn the comparison round.",
                "dx",
            ),
            Misconception(
                "upstream-gradient-changed",
                dout_masked_in_place,
                "The zeros are written into dout, which belongs to the caller: a second branch of "
                "the graph would see the damaged gradient. Make a new array.",
                "conduct",
            ),
            Misconception(
                "cache-in-a-global",
                {"relu_forward": _forward_with_global, "relu_backward": _backward_with_global},
                "What backward needs is kept outside the cache; the next ReLU in the network "
                "overwrites it.",
                "conduct",
            ),
            Misconception(
                "both-positive",
                both_positive,
                "Negative gradients are lost where the unit was on. Only the sign of x decides "
                "what passes; a gradient may well be negative.",
                "dx",
            ),
        ),
        variants=(
            {"relu_forward": relu_by_mask, "relu_backward": backward_by_where},
            {"relu_forward": relu_by_mask, "relu_backward": backward_by_copy},
            {"relu_forward": relu_by_mask, "relu_backward": backward_by_sign},
        ),
    ),
)
