"""Max pooling: the winner takes all, forward and backward."""

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
from cs_nn.layers.pooling import max_pool_backward, max_pool_forward

REFERENCE = {"max_pool_forward": max_pool_forward, "max_pool_backward": max_pool_backward}


def from_zero(part, axis):
    return np.maximum(part.max(axis=axis), 0)


def of_magnitudes(part, axis):
    return np.abs(part).max(axis=axis)


def largest_in_magnitude(part, axis):
    flat = part.reshape(*part.shape[:2], -1)
    return np.take_along_axis(flat, np.abs(flat).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]


def over_channels(part, axis):
    return np.broadcast_to(part.max(axis=(1, 2, 3))[:, None], part.shape[:2])


def over_the_batch(part, axis):
    return np.broadcast_to(part.max(axis=(0, 2, 3)), part.shape[:2])


def two_by_two(x, p):
    return pool(x, p, reduce=np.max, window=(2, 2))


def stride_is_the_window(x, p):
    return pool(x, p, reduce=np.max, row=p["pool_height"], column=p["pool_width"])


def winners(part):
    """A mask of the first maximum of each window in row order."""
    flat = part.reshape(*part.shape[:2], -1)
    mask = np.zeros_like(flat, dtype=bool)
    np.put_along_axis(mask, flat.argmax(axis=2)[:, :, None], True, axis=2)
    return mask.reshape(part.shape)


def all_winners(part):
    return part == part.max(axis=(2, 3), keepdims=True)


def last_winner(part):
    return winners(part[:, :, ::-1, ::-1])[:, :, ::-1, ::-1]


def first_in_columns(part):
    return winners(part.swapaxes(2, 3)).swapaxes(2, 3)


def take(mask):
    return lambda part, d: mask(part) * d[:, :, None, None]


def by_the_largest_gradient(part, d):
    """The same winner for all channels: the one of the first."""
    return winners(np.broadcast_to(part[:, :1], part.shape)) * d[:, :, None, None]


def shared(part):
    mask = all_winners(part)
    return mask / mask.sum(axis=(2, 3), keepdims=True)


def places_of(dout, x, hh, ww, stride):
    """(index of dout, place of the winner counted through its window)."""
    for n, c, i, j in np.ndindex(*dout.shape):
        window = x[n, c, i * stride : i * stride + hh, j * stride : j * stride + ww]
        yield (n, c, i, j), int(window.argmax())


def assigned_to_the_winner(dout, cache):
    x, hh, ww, s = cache
    dx = np.zeros_like(x)
    for (n, c, i, j), k in places_of(dout, x, hh, ww, s):
        dx[n, c, i * s + k // ww, j * s + k % ww] = dout[n, c, i, j]
    return dx


def split_by_the_height(dout, cache):
    x, hh, ww, s = cache
    dx = np.zeros_like(x)
    for (n, c, i, j), k in places_of(dout, x, hh, ww, s):
        row, column = min(i * s + k // hh, x.shape[2] - 1), min(j * s + k % hh, x.shape[3] - 1)
        dx[n, c, row, column] += dout[n, c, i, j]
    return dx


def side_by_side(dout, cache):
    x, hh, ww, s = cache
    dx = np.zeros_like(x)
    for (n, c, i, j), k in places_of(dout, x, hh, ww, s):
        row, column = i * hh + k // ww, j * ww + k % ww
        if row < x.shape[2] and column < x.shape[3]:
            dx[n, c, row, column] += dout[n, c, i, j]
    return dx


def window_of_the_batch(part, d):
    return (part == part.max()) * d[:, :, None, None]


def stride_is_one(hh, ww):
    return 1


def dout_in_place(dout, cache):
    dx = max_pool_backward(dout, cache)
    dout[...] = 0
    return dx


_kept = {}


def _forward_with_global(x, pool_param):
    out, _kept["cache"] = max_pool_forward(x, pool_param)
    return out, None


def _backward_with_global(dout, cache):
    return max_pool_backward(dout, _kept["cache"])


# Correct, as students write them ------------------------------------------------------


def naive_forward(x, pool_param):
    N, C, H, W = x.shape
    HH, WW, S = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    H_out, W_out = 1 + (H - HH) // S, 1 + (W - WW) // S
    out = np.zeros((N, C, H_out, W_out), dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(H_out):
                for j in range(W_out):
                    out[n, c, i, j] = np.max(x[n, c, i * S : i * S + HH, j * S : j * S + WW])
    cache = (x, pool_param)
    return out, cache


def naive_backward(dout, cache):
    x, pool_param = cache
    HH, WW, S = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    N, C, H_out, W_out = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(H_out):
                for j in range(W_out):
                    window = x[n, c, i * S : i * S + HH, j * S : j * S + WW]
                    r, k = np.unravel_index(np.argmax(window), window.shape)
                    dx[n, c, i * S + r, j * S + k] += dout[n, c, i, j]
    return dx


def views_forward(x, pool_param):
    S = pool_param["stride"]
    shape = (pool_param["pool_height"], pool_param["pool_width"])
    view = np.lib.stride_tricks.sliding_window_view(x, shape, axis=(2, 3))[:, :, ::S, ::S]
    flat = view.reshape(*view.shape[:4], -1)
    return flat.max(axis=-1), [x.shape, flat.argmax(axis=-1), shape, S]


def views_backward(dout, cache):
    shape, winner, (_, width), S = cache
    dx = np.zeros(shape, dout.dtype)
    n, c, i, j = np.indices(dout.shape)
    np.add.at(dx, (n, c, i * S + winner // width, j * S + winner % width), dout)
    return dx


def running_forward(x, pool_param):
    out = np.full((*x.shape[:2], 0, 0), 0.0)
    height, width, stride = (pool_param[k] for k in ("pool_height", "pool_width", "stride"))
    high, broad = (x.shape[2] - height) // stride + 1, (x.shape[3] - width) // stride + 1
    out = np.full((*x.shape[:2], high, broad), -np.inf, dtype=x.dtype)
    place = np.zeros(out.shape, dtype=int)
    for k in range(height * width):
        r, c = divmod(k, width)
        part = x[:, :, r : r + stride * high : stride, c : c + stride * broad : stride]
        part = part[:, :, :high, :broad]
        place = np.where(part > out, k, place)
        out = np.maximum(part, out)
    return out, {"place": place, "param": pool_param, "shape": x.shape}


def running_backward(dout, cache):
    width, stride = cache["param"]["pool_width"], cache["param"]["stride"]
    dx = np.zeros(cache["shape"]).astype(dout.dtype)
    for index, k in np.ndenumerate(cache["place"]):
        n, c, i, j = index
        dx[n, c, i * stride + k // width, j * stride + k % width] += dout[index]
    return dx


TIES = (
    "A tie should send the gradient to one pixel only, the first in row order; otherwise it is "
    "counted several times. Equal pixels are common: think of black borders, or of zeros behind a "
    "ReLU."
)

EXERCISES = (
    Exercise(
        name="max_pool_forward",
        kind=Forward(),
        reference=REFERENCE,
        cases=cases_for(),
        misconceptions=(
            Misconception(
                "maximum-started-at-zero",
                forward_with(lambda x, p: pool(x, p, reduce=from_zero)),
                "A window of negative numbers gives 0. The maximum must start at the first number "
                "of the window, or below all numbers.",
                "numbers below zero",
                0.3,
            ),
            Misconception(
                "window-hard-coded",
                forward_with(two_by_two),
                "The windows are 2×2 whatever pool_height and pool_width say.",
                "values",
                0.4,
            ),
            Misconception(
                "stride-is-the-window",
                forward_with(stride_is_the_window),
                "The windows lie side by side whatever the stride says; they may overlap or leave "
                "gaps.",
                "values",
                0.4,
            ),
            Misconception(
                "stride-ignored",
                forward_with(lambda x, p: pool(x, p, reduce=np.max, row=1)),
                "The windows move by one pixel whatever the stride says.",
                "values",
                0.4,
            ),
            Misconception(
                "windows-ignore-the-stride",
                forward_with(lambda x, p: windows_side_by_side(x, p, np.max)),
                "The output has the right size, but the windows move by one pixel. Where in the "
                "image does output pixel (i, j) look?",
                "values",
                0.4,
            ),
            Misconception(
                "height-and-width-swapped",
                forward_with(lambda x, p: swapped(x, p, np.max)),
                "pool_height and pool_width have changed places; square windows hide this.",
                "values",
                0.3,
            ),
            Misconception(
                "window-at-every-multiple",
                forward_with(lambda x, p: at_every_multiple(x, p, np.max)),
                "A window begins at every multiple of the stride, also where it hangs over the "
                "edge. The last one is the last that fits.",
                "out",
                0.3,
            ),
            Misconception(
                "size-rounded-up",
                forward_with(lambda x, p: rounded_up(x, p, np.max)),
                "Windows that hang over the edge count as well. The size is rounded down; what is "
                "left over takes no part.",
                "windows that do not come out even",
                0.2,
            ),
            Misconception(
                "one-window-too-few",
                forward_with(lambda x, p: one_window_too_few(x, p, np.max)),
                "The last window is missing in each direction: n steps of the stride make n + 1 "
                "windows.",
                "values",
                0.4,
            ),
            Misconception(
                "mean-instead",
                forward_with(lambda x, p: pool(x, p, reduce=np.mean)),
                "This is average pooling; the largest number of each window was asked for.",
                "values",
                0.5,
            ),
            Misconception(
                "minimum-instead",
                forward_with(lambda x, p: pool(x, p, reduce=np.min)),
                "You take the smallest number of each window.",
                "values",
                0.5,
            ),
            Misconception(
                "magnitudes",
                forward_with(lambda x, p: pool(x, p, reduce=of_magnitudes)),
                "You compare magnitudes. A large negative number is small.",
                "values",
                0.4,
            ),
            Misconception(
                "largest-in-magnitude",
                forward_with(lambda x, p: pool(x, p, reduce=largest_in_magnitude)),
                "The number of the largest size is taken, with its sign. A large negative number "
                "is small.",
                "values",
                0.4,
            ),
            Misconception(
                "maximum-over-channels",
                forward_with(lambda x, p: pool(x, p, reduce=over_channels)),
                "The maximum runs over the channels as well, so all of them become equal. Each "
                "channel is pooled by itself.",
                "values",
                0.4,
            ),
            Misconception(
                "maximum-over-the-batch",
                forward_with(lambda x, p: pool(x, p, reduce=over_the_batch)),
                "The maximum runs over the images as well. Look at the axes.",
                "values",
                0.4,
            ),
            Misconception(
                "float32-lost",
                forward_with(lambda x, p: pool(x, p, reduce=np.max, dtype=float)),
                "float32 images come out as float64: np.zeros without a dtype does that.",
                "float32",
                0.1,
            ),
        ),
        variants=(naive_forward, views_forward, running_forward),
    ),
    Exercise(
        name="max_pool_backward",
        kind=Backward("max_pool_forward", ("dx",), ("x",)),
        reference=REFERENCE,
        cases=cases_for(backward=True, ties=True),
        misconceptions=(
            Misconception(
                "ties-duplicated",
                backward_with(take(all_winners)),
                "Several pixels share the maximum and each gets the whole gradient. " + TIES,
                "ties",
                0.15,
            ),
            Misconception(
                "last-winner-takes-all",
                backward_with(take(last_winner)),
                "The last of several equal maxima gets the gradient. " + TIES,
                "ties",
                0.1,
            ),
            Misconception(
                "winner-searched-by-columns",
                backward_with(take(first_in_columns)),
                "Among equal maxima you take the first in column order. Rows come first: from "
                "left to right, then down.",
                "ties",
                0.1,
            ),
            Misconception(
                "gradient-shared-by-the-window",
                backward_with(lambda part, d: spread(part, d) / part[0, 0].size),
                "All pixels of a window get an equal share: that is average pooling. Only the "
                "largest had an influence.",
                "dx",
                0.5,
            ),
            Misconception(
                "gradient-for-the-whole-window",
                backward_with(spread),
                "Every pixel of a window gets its gradient. Only the largest had an influence.",
                "dx",
                0.5,
            ),
            Misconception(
                "overlap-overwritten",
                backward_with(take(winners), overlap=False),
                "Where windows overlap, the gradient of the last one replaces those before. A "
                "pixel that won several times collects from all of them.",
                "dx",
                0.3,
            ),
            Misconception(
                "winner-overwritten",
                assigned_to_the_winner,
                "A pixel that wins in several windows keeps only the gradient of the last. It "
                "collects from all of them; with index arrays, += counts a repeated place only "
                "once.",
                "dx",
                0.3,
            ),
            Misconception(
                "ties-shared",
                backward_with(lambda part, d: shared(part) * d[:, :, None, None]),
                "Equal maxima share the gradient. " + TIES,
                "ties",
                0.1,
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
                "winner-split-by-the-height",
                split_by_the_height,
                "The place of the winner within its window is divided by the height. A row is as "
                "long as the window is wide; square windows hide this.",
                "dx",
                0.3,
            ),
            Misconception(
                "stride-ignored",
                backward_with(take(winners), step=stride_is_one),
                "The windows move by one pixel on the way back, whatever the stride was on the "
                "way forward.",
                "dx",
                0.4,
            ),
            Misconception(
                "window-hard-coded",
                backward_with(take(winners), window=lambda hh, ww: (2, 2)),
                "The windows are 2×2 on the way back, whatever they were on the way forward.",
                "dx",
                0.4,
            ),
            Misconception(
                "height-and-width-swapped",
                backward_with(take(winners), window=lambda hh, ww: (ww, hh)),
                "pool_height and pool_width have changed places; square windows hide this.",
                "dx",
                0.3,
            ),
            Misconception(
                "mask-only",
                backward_with(lambda part, d: winners(part) + 0.0),
                "The winners get 1 instead of their gradient: the chain rule multiplies with what "
                "comes from above.",
                "dx",
                0.4,
            ),
            Misconception(
                "winner-of-the-first-channel",
                backward_with(by_the_largest_gradient),
                "The winner is searched in one channel and used for all. Each channel is pooled "
                "by itself.",
                "dx",
                0.4,
            ),
            Misconception(
                "winner-of-the-batch",
                backward_with(window_of_the_batch),
                "There is one winner for the whole batch: the maximum runs over too many axes. "
                "Each channel of each image has its own.",
                "dx",
                0.4,
            ),
            Misconception(
                "sum-of-winners",
                backward_with(lambda part, d: part * winners(part) * d[:, :, None, None]),
                "The gradient is multiplied by the winning value. The slope of a maximum with "
                "respect to its winner is 1.",
                "dx",
                0.4,
            ),
            Misconception(
                "upstream-gradient-changed",
                dout_in_place,
                "dout belongs to the layer above, which may still need it.",
                "conduct",
            ),
            Misconception(
                "cache-in-a-global",
                {
                    "max_pool_forward": _forward_with_global,
                    "max_pool_backward": _backward_with_global,
                },
                "What backward needs is kept outside the cache; the next pooling layer of the "
                "network overwrites it.",
                "conduct",
            ),
        ),
        variants=(
            {"max_pool_forward": naive_forward, "max_pool_backward": naive_backward},
            {"max_pool_forward": views_forward, "max_pool_backward": views_backward},
            {"max_pool_forward": running_forward, "max_pool_backward": running_backward},
        ),
    ),
)
