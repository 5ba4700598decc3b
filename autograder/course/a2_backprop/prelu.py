"""PReLU: a slope that is learned, one for all or one per channel."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.a2_backprop.mistakes import (
    dout_changed,
    input_changed,
    kept_in_a_global,
)
from autograder.course.drawing import as_dtype, layer_cases, named, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.activations import prelu_backward, prelu_forward

PRELU = {"prelu_forward": prelu_forward, "prelu_backward": prelu_backward}


def slopes(rng, *shape):
    """What may be learnt: slopes of either sign, the last of several above 1."""
    drawn = np.round(rng.uniform(0.1, 0.6, shape), 3)
    drawn = np.where(rng.random(shape) < 0.3, -drawn, drawn)
    if drawn.size > 1:
        drawn[-1] = np.abs(drawn[-1]) + 1.2
    return np.asarray(drawn)


def draw(rng, shape):
    return {"x": numbers(rng, *shape), "slope": slopes(rng, shape[1])}


def more(rng):
    def case(shape, words, check, slope_shape=(), x=None, dtype: type = np.float64):
        x = numbers(rng, *shape) if x is None else x
        args = as_dtype({"x": x, "slope": slopes(rng, *slope_shape)}, dtype)
        extra = {"dout": numbers(rng, *shape).astype(dtype)}
        return Case(f"{named(args)} and {words}", args, check, extra=extra)

    x = numbers(rng, 4, 3)
    x[0, 0] = x[1, 2] = x[3, 1] = 0.0
    return [
        case((4, 3), "one slope for all", "one slope for all"),
        case((3, 2, 4), "one slope for all", "one slope for all"),
        case((2, 3, 4, 5), "a slope per channel", "more than two dimensions", (3,)),
        case((5, 1), "a slope for the only channel", "a single channel", (1,)),
        case((4, 3), "exact zeros", "kinks", (3,), x),
    ]


CASES = layer_cases(draw, lambda args: args["x"].shape, more=more, speed=(60, 1000))


def laid_out(slope, x):
    """The slope where it belongs: along axis 1."""
    return slope.reshape((-1,) + (1,) * (x.ndim - 2)) if slope.ndim else slope


def along_the_last_axis(x, slope):
    return np.where(x > 0, x, slope * x), (x, slope)


def first_slope_for_all(x, slope):
    return np.where(x > 0, x, slope.ravel()[0] * x), (x, slope)


def mean_slope_for_all(x, slope):
    return np.where(x > 0, x, slope.mean() * x), (x, slope)


def slope_on_both_sides(x, slope):
    return laid_out(slope, x) * x, (x, slope)


def sides_swapped(x, slope):
    return np.where(x > 0, laid_out(slope, x) * x, x), (x, slope)


def plain_relu(x, slope):
    return np.maximum(x, 0), (x, slope)


def magnitude_of_the_slope(x, slope):
    return np.where(x > 0, x, laid_out(np.abs(slope), x) * x), (x, slope)


def constant_on_the_left(x, slope):
    return np.where(x > 0, x, laid_out(slope, x) + 0 * x), (x, slope)


def terms(dout, cache):
    """What each entry contributes to its slope, before any sum."""
    return dout * np.minimum(cache[0], 0)


def summed(values, slope):
    axes = tuple(i for i in range(values.ndim) if i != 1 or slope.ndim == 0)
    return np.asarray(values.sum(axis=axes))


def with_dslope(make):
    """Backward with the right dx and another dslope."""

    def backward(dout, cache):
        dx, dslope = prelu_backward(dout, cache)
        return dx, make(terms(dout, cache), dslope, cache[1])

    return backward


def whole_input(dout, cache):
    return prelu_backward(dout, cache)[0], summed(dout * cache[0], cache[1])


def magnitude_of_the_input(dout, cache):
    return prelu_backward(dout, cache)[0], -prelu_backward(dout, cache)[1]


def slope_of_ones(dout, cache):
    x, slope = cache
    return prelu_backward(dout, cache)[0], summed(np.minimum(x, 0), slope)


def count_for_sum(dout, cache):
    x, slope = cache
    return prelu_backward(dout, cache)[0], summed(np.where(x > 0, 0, dout), slope)


def over_the_first_axis_only(values, dslope, slope):
    return values.sum(axis=0) if slope.ndim else dslope


def dx_of_relu(dout, cache):
    return np.where(cache[0] > 0, dout, 0), prelu_backward(dout, cache)[1]


def dx_open_at_zero(dout, cache):
    x, slope = cache
    dx = np.where(x >= 0, dout, laid_out(slope, x) * dout)
    return dx, prelu_backward(dout, cache)[1]


def dx_through_everywhere(dout, cache):
    return dout.copy(), prelu_backward(dout, cache)[1]


def swapped_results(dout, cache):
    return prelu_backward(dout, cache)[::-1]


def by_parts(x, slope):
    at = slope.reshape([1, -1] + [1] * (x.ndim - 2)) if slope.shape else slope
    return np.maximum(0, x) + at * np.minimum(0, x), {"x": x, "slope": slope}


def by_channels(x, slope):
    out = np.array(x, dtype=x.dtype if x.dtype.kind == "f" else float)
    for c in range(x.shape[1]):
        part = out[:, c]
        part[part < 0] *= slope[c] if slope.ndim else slope
    return out, (x, slope)


def by_moving_the_axis(x, slope):
    moved = np.moveaxis(x, 1, -1)
    return np.moveaxis(np.where(moved > 0, moved, slope * moved), -1, 1), [x, slope]


def backward_by_parts(dout, cache):
    x, slope = cache["x"], cache["slope"]
    at = slope.reshape([1, -1] + [1] * (x.ndim - 2)) if slope.shape else slope
    low = x <= 0
    dx = dout * ~low + dout * low * at
    axes = tuple(i for i in range(x.ndim) if i != 1)
    dslope = (dout * x * low).sum(axis=axes)
    return dx, dslope if slope.shape else dslope.sum()


def backward_by_channels(dout, cache):
    x, slope = cache
    dx, dslope = dout.copy(), np.zeros(x.shape[1], dout.dtype)
    for c in range(x.shape[1]):
        low = x[:, c] <= 0
        dx[:, c][low] *= slope[c] if slope.ndim else slope
        dslope[c] = np.sum(dout[:, c][low] * x[:, c][low])
    return [dx, dslope if slope.ndim else dslope.sum()]


def backward_by_einsum(dout, cache):
    x, slope = cache
    low = np.where(x > 0, 0, x).reshape(x.shape[0], x.shape[1], -1)
    each = np.einsum("ncr,ncr->c", dout.reshape(low.shape), low)
    dx = np.where(x > 0, dout, dout * laid_out(slope, x))
    return dx, (each if slope.ndim else float(each.sum()))


def larger_of_both(x, slope):
    return np.maximum(x, laid_out(slope, x) * x), (x, slope)


def along_the_batch(x, slope):
    if not slope.ndim:
        return prelu_forward(x, slope)
    each = slope[np.arange(len(x)) % len(slope)]
    return np.where(x > 0, x, each.reshape((-1,) + (1,) * (x.ndim - 1)) * x), (x, slope)


def batch_not_summed(values, dslope, slope):
    return values.sum(axis=tuple(range(2, values.ndim))) if slope.ndim else dslope


def number_for_a_single_channel(dout, cache):
    dx, dslope = prelu_backward(dout, cache)
    return dx, dslope.reshape(()) if dslope.size == 1 else dslope


def last_example_only(values, dslope, slope):
    return values[-1].reshape(len(slope), -1).sum(axis=1) if slope.ndim else dslope


def times_the_slope(values, dslope, slope):
    return dslope * slope


EXERCISES = (
    Exercise(
        name="prelu_forward",
        kind=Forward(),
        reference=PRELU,
        cases=CASES,
        misconceptions=(
            Misconception(
                "slope-along-the-last-axis",
                along_the_last_axis,
                "The slopes meet the last axis of x, as broadcasting has it. Channels lie along "
                "axis 1; for images the slopes need two more axes.",
                "more than two dimensions",
                0.3,
            ),
            Misconception(
                "one-slope-for-all-channels",
                first_slope_for_all,
                "Every channel gets the slope of the first. With a slope of shape (C,) each "
                "channel has its own.",
                "values",
                0.4,
            ),
            Misconception(
                "mean-of-the-slopes",
                mean_slope_for_all,
                "Every channel gets the mean of the slopes; each has a slope of its own.",
                "values",
                0.4,
            ),
            Misconception(
                "slope-on-both-sides",
                slope_on_both_sides,
                "Positive inputs are scaled too, so each channel is a straight line.",
                "values",
            ),
            Misconception(
                "sides-swapped",
                sides_swapped,
                "The positive side is scaled and the negative one let through. Turn the comparison "
                "round.",
                "values",
            ),
            Misconception(
                "plain-relu",
                plain_relu,
                "Negative inputs come out as 0, the slope is never used: this is ReLU.",
                "values",
            ),
            Misconception(
                "magnitude-of-the-slope",
                magnitude_of_the_slope,
                "A learned slope may become negative; use it as it is.",
                "values",
                0.3,
            ),
            Misconception(
                "constant-on-the-left",
                constant_on_the_left,
                "On the left the output is the slope itself, a constant. A slope multiplies.",
                "values",
            ),
            input_changed(prelu_forward),
            Misconception(
                "larger-of-both",
                larger_of_both,
                "The larger of x and slope·x is a PReLU only while the slope is at most 1; a "
                "learnt slope may grow beyond. What decides is the sign of x.",
                "values",
                0.3,
            ),
            Misconception(
                "slope-along-the-batch",
                along_the_batch,
                "Each example gets a slope of its own. The slopes belong to the channels, axis 1.",
                "values",
                0.5,
            ),
        ),
        variants=(by_parts, by_channels, by_moving_the_axis),
    ),
    Exercise(
        name="prelu_backward",
        kind=Backward("prelu_forward", ("dx", "dslope"), ("x", "slope")),
        reference=PRELU,
        cases=CASES,
        misconceptions=(
            Misconception(
                "slope-gradient-not-summed",
                with_dslope(lambda values, dslope, slope: values),
                "dslope has one number for each entry of x. One slope serves many entries, and "
                "what comes back from all of them adds up: dslope has the shape of slope.",
                "dslope",
                0.4,
            ),
            Misconception(
                "slope-gradient-summed-over-channels",
                with_dslope(lambda values, dslope, slope: np.asarray(values.sum())),
                "You add over the channels too. Each channel has a slope, and a gradient, of its "
                "own.",
                "dslope",
                0.4,
            ),
            Misconception(
                "slope-gradient-is-a-mean",
                with_dslope(
                    lambda values, dslope, slope: np.asarray(dslope / (values.size / dslope.size))
                ),
                "Did you take a mean where the gradient needs the sum? The slope is shared by "
                "many entries, and gradients of a shared number add up.",
                "dslope",
                0.4,
            ),
            Misconception(
                "slope-gradient-over-the-first-axis-only",
                with_dslope(over_the_first_axis_only),
                "For images you add over the batch but not over height and width: dslope must be "
                "left with one number per channel.",
                "more than two dimensions",
                0.3,
            ),
            Misconception(
                "slope-gradient-of-the-positive-side",
                whole_input,
                "Positive inputs enter the gradient of the slope, but there the slope plays no "
                "part. Mask them out.",
                "dslope",
                0.4,
            ),
            Misconception(
                "sign-of-the-slope-gradient",
                magnitude_of_the_input,
                "dslope has the wrong sign. What multiplies the slope is the input itself, which "
                "is negative there.",
                "dslope",
                0.4,
            ),
            Misconception(
                "slope-gradient-without-dout",
                slope_of_ones,
                "The upstream gradient does not enter dslope. The chain rule multiplies each local "
                "slope with the dout of its entry before the sum.",
                "dslope",
                0.4,
            ),
            Misconception(
                "slope-gradient-without-x",
                count_for_sum,
                "dslope adds up dout alone. The derivative of slope·x for the slope is x.",
                "dslope",
                0.4,
            ),
            Misconception(
                "input-gradient-of-relu",
                dx_of_relu,
                "dx is 0 where the input was negative. The slope lets a part of the gradient "
                "through.",
                "dx",
                0.4,
            ),
            Misconception(
                "input-gradient-unchanged",
                dx_through_everywhere,
                "dx is dout everywhere. Where the input was negative it is multiplied by the "
                "slope.",
                "dx",
                0.4,
            ),
            Misconception(
                "open-at-zero",
                dx_open_at_zero,
                "At an input of exactly 0 the slope side counts. Look at the comparison.",
                "kinks",
            ),
            Misconception(
                "results-swapped",
                swapped_results,
                "Gradients are returned in the order of the arguments: x, then slope.",
                "dx",
                0.3,
            ),
            dout_changed(prelu_backward),
            kept_in_a_global(PRELU, "prelu"),
            Misconception(
                "slope-gradient-not-summed-over-the-batch",
                with_dslope(batch_not_summed),
                "dslope still has a row for each example. All examples share the slope, so what "
                "comes back from them adds up.",
                "dslope",
                0.4,
            ),
            Misconception(
                "slope-gradient-of-the-last-example",
                with_dslope(last_example_only),
                "dslope holds what the last example sends back: each one overwrites those before. "
                "All examples share the slope, so their gradients add.",
                "dslope",
                0.4,
            ),
            Misconception(
                "number-for-a-single-channel",
                number_for_a_single_channel,
                "A slope of shape (1,) is the slope of the only channel, and dslope has its shape. "
                "What tells it from a slope for all is its number of axes, not its size.",
                "a single channel",
                0.2,
            ),
            Misconception(
                "slope-gradient-times-the-slope",
                with_dslope(times_the_slope),
                "dslope is multiplied by the slope once more. The derivative of slope·x for the "
                "slope is x alone.",
                "dslope",
                0.4,
            ),
        ),
        variants=(
            {"prelu_forward": by_parts, "prelu_backward": backward_by_parts},
            {"prelu_forward": by_channels, "prelu_backward": backward_by_channels},
            backward_by_einsum,
        ),
    ),
)
