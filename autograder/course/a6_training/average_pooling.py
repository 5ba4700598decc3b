"""Average pooling, forward and backward."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.a6_training.pooling import (
    at_every_multiple,
    backward_with,
    cases_for,
    forward_with,
    one_window_too_few,
    pool,
    rounded_up,
    spread,
    swapped,
    windows_side_by_side,
)
from autograder.exercise import Exercise, Misconception
from cs_nn.layers.pooling import avg_pool_backward, avg_pool_forward

REFERENCE = {"avg_pool_forward": avg_pool_forward, "avg_pool_backward": avg_pool_backward}


def share(part, d):
    return spread(part, d) / part[0, 0].size


def by_four(part, axis):
    return part.sum(axis=axis) / 4


def by_height_squared(part, axis):
    return part.sum(axis=axis) / part.shape[2] ** 2


def by_the_stride_squared(x, p):
    size = p["pool_height"] * p["pool_width"] / p["stride"] ** 2
    return pool(x, p, reduce=lambda part, axis: part.mean(axis=axis) * size)


def first_row_and_column_lost(part, axis):
    """What a table of sums without a border of zeros gives."""
    return part[:, :, 1:, 1:].sum(axis=axis) / part[0, 0].size


def over_channels(part, axis):
    return np.broadcast_to(part.mean(axis=(1, 2, 3))[:, None], part.shape[:2])


def by_the_height_squared(part, d):
    return spread(part, d) / part.shape[2] ** 2


def divided_by_the_windows(dout, cache):
    windows = dout.shape[2] * dout.shape[3]
    return backward_with(lambda part, d: spread(part, d) / windows)(dout, cache)


def shares_of_the_stride(dout, cache):
    stride = cache[3]
    return backward_with(lambda part, d: spread(part, d) / stride**2)(dout, cache)


def side_by_side(dout, cache):
    shape, hh, ww, _ = cache
    tiles = dout.repeat(hh, axis=2).repeat(ww, axis=3) / (hh * ww)
    dx = np.zeros(shape, dout.dtype)
    tiles = tiles[:, :, : shape[2], : shape[3]]
    dx[:, :, : tiles.shape[2], : tiles.shape[3]] = tiles
    return dx


def stride_is_the_window(x, p):
    return pool(x, p, reduce=np.mean, row=p["pool_height"], column=p["pool_width"])


def to_the_corner(part, d):
    out = np.zeros_like(part)
    out[:, :, 0, 0] = d
    return out


def dout_in_place(dout, cache):
    dx = avg_pool_backward(dout, cache)
    dout[...] = 0
    return dx


def naive_forward(x, pool_param):
    N, C, H, W = x.shape
    HH, WW, S = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    H_out, W_out = int(1 + (H - HH) / S), int(1 + (W - WW) / S)
    out = np.zeros((N, C, H_out, W_out), dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(H_out):
                for j in range(W_out):
                    out[n, c, i, j] = np.mean(x[n, c, i * S : i * S + HH, j * S : j * S + WW])
    return out, (x, pool_param)


def naive_backward(dout, cache):
    x, pool_param = cache
    HH, WW, S = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dout.shape):
        dx[n, c, i * S : i * S + HH, j * S : j * S + WW] += dout[n, c, i, j] / (HH * WW)
    return dx


def views_forward(x, pool_param):
    S = pool_param["stride"]
    shape = (pool_param["pool_height"], pool_param["pool_width"])
    view = np.lib.stride_tricks.sliding_window_view(x, shape, axis=(2, 3))[:, :, ::S, ::S]
    return np.einsum("ncijhw->ncij", view) / np.prod(shape).astype(x.dtype), [x.shape, shape, S]


def places_backward(dout, cache):
    shape, (hh, ww), S = cache
    dx = np.zeros(shape, dtype=dout.dtype)
    part = dout / (hh * ww)
    for h in range(hh):
        for w in range(ww):
            rows, columns = h + S * np.arange(dout.shape[2]), w + S * np.arange(dout.shape[3])
            dx[:, :, rows[:, None], columns] += part
    return dx


def sums_forward(x, pool_param):
    """By running totals over the image."""
    hh, ww, s = (pool_param[key] for key in ("pool_height", "pool_width", "stride"))
    total = np.zeros((*x.shape[:2], x.shape[2] + 1, x.shape[3] + 1))
    total[:, :, 1:, 1:] = x.astype(np.float64).cumsum(axis=2).cumsum(axis=3)
    box = total[:, :, hh:, ww:] - total[:, :, :-hh, ww:] - total[:, :, hh:, :-ww]
    box = (box + total[:, :, :-hh, :-ww])[:, :, ::s, ::s]
    return (box / (hh * ww)).astype(x.dtype), {"x": x, "param": pool_param}


def sums_backward(dout, cache):
    return naive_backward(dout, (cache["x"], cache["param"]))


EXERCISES = (
    Exercise(
        name="avg_pool_forward",
        kind=Forward(),
        reference=REFERENCE,
        cases=cases_for(),
        misconceptions=(
            Misconception(
                "sum-instead",
                forward_with(lambda x, p: pool(x, p, reduce=np.sum)),
                "You add up the window; divide by the number of its pixels.",
                "values",
                0.4,
            ),
            Misconception(
                "maximum-instead",
                forward_with(lambda x, p: pool(x, p, reduce=np.max)),
                "This is max pooling; the mean of each window was asked for.",
                "values",
                0.5,
            ),
            Misconception(
                "divided-by-four",
                forward_with(lambda x, p: pool(x, p, reduce=by_four)),
                "The sum is divided by 4 whatever the size of the window.",
                "values",
                0.3,
            ),
            Misconception(
                "divided-by-the-height-squared",
                forward_with(lambda x, p: pool(x, p, reduce=by_height_squared)),
                "The number of pixels is taken to be the height squared. Windows need not be "
                "square.",
                "values",
                0.3,
            ),
            Misconception(
                "divided-by-the-stride-squared",
                forward_with(by_the_stride_squared),
                "The sum is divided by the stride squared. How many pixels a window has does not "
                "depend on how far it moves.",
                "values",
                0.3,
            ),
            Misconception(
                "first-row-and-column-lost",
                forward_with(lambda x, p: pool(x, p, reduce=first_row_and_column_lost)),
                "Every sum lacks the first row and the first column of its window. In a table of "
                "running sums, what must be taken away ends just before the window: what stands "
                "there for a window at the edge of the image?",
                "values",
                0.3,
            ),
            Misconception(
                "window-hard-coded",
                forward_with(lambda x, p: pool(x, p, reduce=np.mean, window=(2, 2))),
                "The windows are 2×2 whatever pool_height and pool_width say.",
                "values",
                0.4,
            ),
            Misconception(
                "stride-is-the-window",
                forward_with(stride_is_the_window),
                "The windows lie side by side whatever the stride says.",
                "values",
                0.4,
            ),
            Misconception(
                "stride-ignored",
                forward_with(lambda x, p: pool(x, p, reduce=np.mean, row=1)),
                "The windows move by one pixel whatever the stride says.",
                "values",
                0.4,
            ),
            Misconception(
                "windows-ignore-the-stride",
                forward_with(lambda x, p: windows_side_by_side(x, p, np.mean)),
                "The output has the right size, but the windows move by one pixel.",
                "values",
                0.4,
            ),
            Misconception(
                "height-and-width-swapped",
                forward_with(lambda x, p: swapped(x, p, np.mean)),
                "pool_height and pool_width have changed places; square windows hide this.",
                "values",
                0.3,
            ),
            Misconception(
                "window-at-every-multiple",
                forward_with(lambda x, p: at_every_multiple(x, p, np.mean)),
                "A window begins at every multiple of the stride, also where it hangs over the "
                "edge. The last one is the last that fits.",
                "out",
                0.3,
            ),
            Misconception(
                "size-rounded-up",
                forward_with(lambda x, p: rounded_up(x, p, np.mean)),
                "Windows that hang over the edge count as well. The size is rounded down; what is "
                "left over takes no part.",
                "windows that do not come out even",
                0.2,
            ),
            Misconception(
                "one-window-too-few",
                forward_with(lambda x, p: one_window_too_few(x, p, np.mean)),
                "The last window is missing in each direction: n steps of the stride make n + 1 "
                "windows.",
                "values",
                0.4,
            ),
            Misconception(
                "averaged-over-channels",
                forward_with(lambda x, p: pool(x, p, reduce=over_channels)),
                "The mean runs over the channels as well. Each channel is pooled by itself.",
                "values",
                0.4,
            ),
            Misconception(
                "float32-lost",
                forward_with(lambda x, p: pool(x, p, reduce=np.mean, dtype=float)),
                "float32 images come out as float64: np.zeros without a dtype does that.",
                "float32",
                0.1,
            ),
        ),
        variants=(naive_forward, views_forward, sums_forward),
    ),
    Exercise(
        name="avg_pool_backward",
        kind=Backward("avg_pool_forward", ("dx",), ("x",)),
        reference=REFERENCE,
        cases=cases_for(backward=True),
        misconceptions=(
            Misconception(
                "divided-by-the-number-of-windows",
                divided_by_the_windows,
                "The gradient is divided by the number of windows. Each of them shares out its "
                "own gradient among its own pixels.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-for-the-whole-window",
                backward_with(spread),
                "Every pixel gets the whole gradient of its window. The mean divides by the number "
                "of pixels, and so does its gradient.",
                "dx",
                0.4,
            ),
            Misconception(
                "overlap-overwritten",
                backward_with(share, overlap=False),
                "Where windows overlap, the gradient of the last one replaces those before; it "
                "should add up.",
                "dx",
                0.3,
            ),
            Misconception(
                "stride-ignored",
                backward_with(share, step=lambda hh, ww: 1),
                "The windows move by one pixel on the way back, whatever the stride was on the "
                "way forward.",
                "dx",
                0.4,
            ),
            Misconception(
                "window-hard-coded",
                backward_with(share, window=lambda hh, ww: (2, 2)),
                "The windows are 2×2 on the way back, whatever they were on the way forward.",
                "dx",
                0.4,
            ),
            Misconception(
                "height-and-width-swapped",
                backward_with(share, window=lambda hh, ww: (ww, hh)),
                "pool_height and pool_width have changed places; square windows hide this.",
                "dx",
                0.3,
            ),
            Misconception(
                "divided-by-four",
                backward_with(lambda part, d: spread(part, d) / 4),
                "The gradient is divided by 4 whatever the size of the window.",
                "dx",
                0.3,
            ),
            Misconception(
                "divided-by-the-height-squared",
                backward_with(by_the_height_squared),
                "The number of pixels is taken to be the height squared. Windows need not be "
                "square.",
                "dx",
                0.3,
            ),
            Misconception(
                "divided-by-the-stride-squared",
                shares_of_the_stride,
                "The gradient is divided by the stride squared. How many pixels a window has does "
                "not depend on how far it moves.",
                "dx",
                0.3,
            ),
            Misconception(
                "windows-side-by-side",
                side_by_side,
                "On the way back the windows lie side by side, whatever the stride was on the way "
                "forward.",
                "dx",
                0.4,
            ),
            Misconception(
                "gradient-for-the-corner",
                backward_with(to_the_corner),
                "The whole gradient goes to the first pixel of each window. All of them had the "
                "same influence.",
                "dx",
                0.5,
            ),
            Misconception(
                "upstream-gradient-changed",
                dout_in_place,
                "dout belongs to the layer above, which may still need it.",
                "conduct",
            ),
        ),
        variants=(
            {"avg_pool_forward": naive_forward, "avg_pool_backward": naive_backward},
            {"avg_pool_forward": views_forward, "avg_pool_backward": places_backward},
            {"avg_pool_forward": sums_forward, "avg_pool_backward": sums_backward},
        ),
    ),
)
