"""Leaky ReLU; its cases serve every activation with one parameter."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.a2_backprop.mistakes import (
    derivative_for_the_function,
    dout_changed,
    input_changed,
    kept_in_a_global,
    upstream_forgotten,
)
from autograder.course.drawing import layer_cases, named, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.activations import leaky_relu_backward, leaky_relu_forward

LEAKY = {"leaky_relu_forward": leaky_relu_forward, "leaky_relu_backward": leaky_relu_backward}


def cases_with(parameter, low, high):
    """The suite for an activation with one parameter, given and left at its default."""

    def drawn(rng):
        return float(np.round(rng.uniform(low, high), 3))

    def draw(rng, shape):
        return {"x": numbers(rng, *shape), parameter: drawn(rng)}

    def more(rng):
        x, plain = numbers(rng, 4, 3), numbers(rng, 3, 5)
        x[0, 0] = x[1, 2] = x[3, 1] = 0.0
        plain[0, 1], plain[2, 3] = 0.007, -0.007  # inside what a default of 0.01 might bound
        return [
            Case(
                f"{named({'x': plain})} and the default {parameter}",
                {"x": plain},
                tags=frozenset({"default parameters"}),
                extra={"dout": numbers(rng, 3, 5)},
            ),
            Case(
                f"{named({'x': plain})} and {parameter} = 0",
                {"x": plain, parameter: 0.0},
                f"{parameter} = 0",
                extra={"dout": numbers(rng, 3, 5)},
            ),
            Case(
                f"{named({'x': x})} with exact zeros",
                {"x": x, parameter: drawn(rng)},
                "kinks",
                extra={"dout": numbers(rng, 4, 3)},
            ),
        ]

    return layer_cases(
        draw, lambda args: args["x"].shape, large=1000.0, more=more, speed=(60, 1000)
    )


LEAKY_CASES = cases_with("slope", 0.05, 0.4)


def slope_fixed(x, slope=0.01):
    return np.where(x > 0, x, 0.01 * x), (x, 0.01)


def plain_relu(x, slope=0.01):
    return np.where(x > 0, x, 0.0).astype(x.dtype), (x, 0.0)


def slope_on_both_sides(x, slope=0.01):
    return slope * x, (x, slope)


def sides_swapped(x, slope=0.01):
    return np.where(x > 0, slope * x, x), (x, slope)


def constant_on_the_left(x, slope=0.01):
    return np.where(x > 0, x, slope).astype(x.dtype), (x, slope)


def minus_the_slope(x, slope=0.01):
    return np.where(x > 0, x, -slope * x), (x, slope)


def default_of_a_tenth(x, slope=0.1):
    return np.where(x > 0, x, slope * x), (x, slope)


def leaky_into_integers(x, slope=0.01):
    out = x.copy()
    out[x < 0] = (slope * x[x < 0]).astype(x.dtype)
    return out, (x, slope)


def leaky_gradient(on_the_left):
    """Backward with something else on the left side."""

    def backward(dout, cache):
        x, slope = cache
        return np.where(x > 0, dout, on_the_left(dout, x, slope)).astype(dout.dtype)

    return backward


def left_open_at_zero(dout, cache):
    x, slope = cache
    return np.where(x >= 0, dout, slope * dout)


def mask_of_dout(dout, cache):
    return np.where(dout > 0, dout, cache[1] * dout)


def leaky_by_maximum(x, slope=0.01):
    return np.maximum(x, slope * x), (x, slope)


def leaky_by_parts(x, slope=0.01):
    return np.maximum(0, x) + slope * np.minimum(0, x), {"x": x, "slope": slope}


def leaky_by_mask(x, slope=0.01):
    out = np.array(x, dtype=x.dtype if x.dtype.kind == "f" else np.float64)
    out[out < 0] *= slope
    return out, (x > 0, slope)


def leaky_backward_by_parts(dout, cache):
    mask = cache["x"] > 0
    return dout * mask + cache["slope"] * dout * ~mask


def leaky_backward_by_mask(dout, cache):
    mask, slope = cache
    dx = dout.copy()
    dx[~mask] *= slope
    return dx


def leaky_backward_by_slopes(dout, cache):
    x, slope = cache
    slopes = np.ones_like(dout)
    slopes[x <= 0] = slope
    return dout * slopes


def maximum_with_the_slope(x, slope=0.01):
    return np.maximum(x, np.asarray(slope, x.dtype if x.dtype.kind == "f" else float)), (x, slope)


def bent_at_the_slope(x, slope=0.01):
    return np.where(x > slope, x, slope * x), (x, slope)


def gradient_bent_at_the_slope(dout, cache):
    x, slope = cache
    return np.where(x > slope, dout, slope * dout)


def slope_everywhere(dout, cache):
    return dout * dout.dtype.type(cache[1])


FORWARD_OF_LEAKY = Exercise(
    name="leaky_relu_forward",
    kind=Forward(),
    reference=LEAKY,
    cases=LEAKY_CASES,
    misconceptions=(
        Misconception(
            "slope-hard-coded",
            slope_fixed,
            "The left side always gets 0.01, whatever slope is passed. The default is only for "
            "callers who say nothing.",
            "values",
            0.3,
        ),
        Misconception(
            "plain-relu",
            plain_relu,
            "Negative inputs come out as 0: this is ReLU. The leak is what keeps a unit alive.",
            "values",
        ),
        Misconception(
            "slope-on-both-sides",
            slope_on_both_sides,
            "Positive inputs are scaled too, so the function is a straight line. Only the left "
            "side leaks.",
            "values",
        ),
        Misconception(
            "sides-swapped",
            sides_swapped,
            "The positive side is damped and the negative one let through. Turn the comparison "
            "round.",
            "values",
        ),
        Misconception(
            "constant-on-the-left",
            constant_on_the_left,
            "On the left the output is the slope itself, a constant. A slope multiplies.",
            "values",
        ),
        Misconception(
            "sign-of-the-slope",
            minus_the_slope,
            "Negative inputs come out positive. With a positive slope the left side stays below 0.",
            "values",
        ),
        Misconception(
            "another-default",
            default_of_a_tenth,
            "Without an argument the slope should be 0.01; look at the signature.",
            "values",
            0.2,
        ),
        Misconception(
            "result-in-integers",
            leaky_into_integers,
            "The left side is written into an array of whole numbers, where a slope below 1 leaves "
            "nothing but 0.",
            "integer inputs",
        ),
        derivative_for_the_function(
            lambda x, slope=0.01: np.where(x > 0, 1.0, slope).astype(x.dtype)
        ),
        input_changed(leaky_relu_forward),
        Misconception(
            "maximum-with-the-slope",
            maximum_with_the_slope,
            "You take the larger of x and the slope itself. On the left the slope multiplies x.",
            "values",
        ),
        Misconception(
            "bent-at-the-slope",
            bent_at_the_slope,
            "Small positive inputs are damped too: you compare x with the slope. The function "
            "bends at 0, whatever its slope on the left.",
            "values",
            0.4,
        ),
    ),
    variants=(leaky_by_maximum, leaky_by_parts, leaky_by_mask),
)

BACKWARD_OF_LEAKY = Exercise(
    name="leaky_relu_backward",
    kind=Backward("leaky_relu_forward", ("dx",), ("x",)),
    reference=LEAKY,
    cases=LEAKY_CASES,
    misconceptions=(
        Misconception(
            "gradient-of-relu",
            leaky_gradient(lambda dout, x, slope: 0 * dout),
            "Nothing comes back where the input was negative. The point of the leak is that "
            "something does.",
            "dx",
        ),
        Misconception(
            "slope-without-dout",
            leaky_gradient(lambda dout, x, slope: slope + 0 * dout),
            "On the left you return the slope alone; the chain rule multiplies it with dout there "
            "as well.",
            "dx",
        ),
        Misconception(
            "left-side-passed-through",
            leaky_gradient(lambda dout, x, slope: dout),
            "The gradient comes through in full everywhere. Where the input was negative it is "
            "multiplied by the slope, as the value was.",
            "dx",
        ),
        Misconception(
            "slope-hard-coded",
            leaky_gradient(lambda dout, x, slope: 0.01 * dout),
            "Backward always uses 0.01. It has to use the slope of the forward pass, which must "
            "travel in the cache.",
            "dx",
            0.3,
        ),
        Misconception(
            "multiplied-by-the-value",
            leaky_gradient(lambda dout, x, slope: slope * x * dout),
            "On the left the output is slope·x. Its derivative for x no longer has an x in it.",
            "dx",
        ),
        Misconception(
            "sign-of-the-slope",
            leaky_gradient(lambda dout, x, slope: -slope * dout),
            "On the left the sign of the gradient is turned. The function rises there too, only "
            "slowly.",
            "dx",
        ),
        Misconception(
            "mask-from-the-gradient",
            mask_of_dout,
            "What decides is the sign of the forward input, which is in the cache, not the sign "
            "of the gradient.",
            "dx",
        ),
        Misconception(
            "open-at-zero",
            left_open_at_zero,
            "At an input of exactly 0 the left side counts in this course. Look at the comparison: "
            "strictly greater, or greater or equal?",
            "kinks",
        ),
        upstream_forgotten(leaky_relu_backward),
        dout_changed(leaky_relu_backward),
        kept_in_a_global(LEAKY, "leaky_relu"),
        Misconception(
            "slope-on-both-sides",
            slope_everywhere,
            "The gradient is multiplied by the slope everywhere. Where the input was positive the "
            "unit has slope 1.",
            "dx",
        ),
        Misconception(
            "bent-at-the-slope",
            gradient_bent_at_the_slope,
            "Small positive inputs get the slope of the left side: you compare x with the slope. "
            "The function bends at 0, whatever its slope on the left.",
            "dx",
            0.4,
        ),
    ),
    variants=(
        {"leaky_relu_forward": leaky_by_parts, "leaky_relu_backward": leaky_backward_by_parts},
        {"leaky_relu_forward": leaky_by_mask, "leaky_relu_backward": leaky_backward_by_mask},
        leaky_backward_by_slopes,
    ),
)


EXERCISES = (FORWARD_OF_LEAKY, BACKWARD_OF_LEAKY)
