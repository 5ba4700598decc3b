"""Max pooling and average pooling."""

import numpy as np

from autograder.battery.functions import CONDUCT
from autograder.battery.kind import SPEED
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case


def draw(rng, x, window, stride):
    param = {"pool_height": window[0], "pool_width": window[1], "stride": stride}
    # Not rounded: equal pixels only where they are meant.
    return {"x": rng.normal(size=x), "pool_param": param}


def out_shape(args):
    (n, c, h, w), param = args["x"].shape, args["pool_param"]
    stride = param["stride"]
    high = 1 + (h - param["pool_height"]) // stride
    return n, c, high, 1 + (w - param["pool_width"]) // stride


def below_zero(args):
    return {**args, "x": -np.abs(args["x"])}


def with_ties(args):
    """Whole numbers between 0 and 2, so that most windows have several maxima; in the first
    window the first one in row order is not the first one in column order."""
    x = np.clip(np.rint(args["x"]), 0, 2)
    x[:, :, 0, 1] = x[:, :, 1, 0] = 3
    return {**args, "x": x}


def all_alike(args):
    return {**args, "x": np.ones_like(args["x"])}


def cases_for(*, backward=False, ties=False):
    """The suite of images and windows; with ``ties`` also such as have several maxima."""

    def cases(rng):
        def case(x, window, stride, check="", tags=(), change=None, words="", **extra):
            args = draw(rng, x, window, stride)
            if change is not None:
                args = change(args)
            extra["dout"] = numbers(rng, *out_shape(args)).astype(
                np.float32 if args["x"].dtype == np.float32 else np.float64
            )
            facts = {
                "windows that overlap": stride < max(window),
                "windows that are not square": window[0] != window[1],
            }
            tags = {*tags, *(fact for fact, holds in facts.items() if holds)}
            label = f"{words}x of shape {x}, {window[0]}×{window[1]} windows, stride {stride}"
            return Case(label, args, check, frozenset(tags), extra, check != SPEED)

        made = [
            case((4, 3, 5, 7), (2, 3), 2, tags=[CONDUCT]),
            case((2, 3, 6, 5), (3, 2), 1),
            case((2, 1, 6, 9), (2, 3), 3),
            case((3, 2, 4, 6), (2, 2), 2, "2×2 windows, stride 2"),
            case((2, 2, 7, 5), (2, 2), 2, "windows that do not come out even"),
            case((1, 2, 5, 4), (3, 2), 1, "N = 1"),
            case((2, 3, 3, 4), (3, 4), 1, "windows as large as the image"),
            case((2, 2, 3, 4), (1, 1), 1, "windows of one pixel"),
            case((2, 2, 4, 5), (2, 3), 2, "numbers below zero", change=below_zero),
            case((2, 3, 4, 5), (3, 2), 2, "non-contiguous", change=strided, words="strided "),
            case((2, 2, 5, 4), (2, 3), 1, "float32",
                 change=lambda a: as_dtype(a, np.float32), words="float32 "),
        ]  # fmt: skip
        if ties:
            made.append(case((2, 2, 4, 5), (2, 3), 1, "ties", change=with_ties, words="tied "))
            made.append(case((2, 2, 4, 4), (2, 2), 2, "ties", change=all_alike, words="equal "))
        if backward:
            made.append(case((4, 8, 48, 48), (2, 3), 2, SPEED, seconds=1.5))
        return made

    return cases


def pool(x, param, *, reduce, row=None, column=None, window=None, size=None, dtype=None):
    """Windows of an image reduced to one number each: ``reduce(window, axis)``."""
    hh, ww = window or (param["pool_height"], param["pool_width"])
    row = row or param["stride"]
    column = column or row
    n, c, h, w = x.shape
    high, broad = size or (1 + (h - hh) // row, 1 + (w - ww) // column)
    out = np.zeros((n, c, high, broad), dtype or x.dtype)
    for i in range(high):
        for j in range(broad):
            part = x[:, :, i * row : i * row + hh, j * column : j * column + ww]
            out[:, :, i, j] = reduce(part, axis=(2, 3))
    return out


def forward_with(change):
    """A forward pass as a misconception: ``change(x, param) -> out``."""

    def pool_forward(x, pool_param):
        p = pool_param
        return change(x, p), (x, p["pool_height"], p["pool_width"], p["stride"])

    return pool_forward


def backward_with(share, *, step=None, window=None, overlap=True):
    """A backward pass as a misconception.

    share: ``share(part, d)``, what a window (N, C, h, w) gets of its upstream gradient d (N, C).
    """

    def pool_backward(dout, cache):
        x, hh, ww, stride = cache
        if isinstance(x, tuple):
            x = np.zeros(x, dout.dtype)
        hh, ww = window(hh, ww) if window else (hh, ww)
        stride = step(hh, ww) if step else stride
        dx = np.zeros(x.shape, dout.dtype)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                place = (
                    ...,
                    slice(i * stride, i * stride + hh),
                    slice(j * stride, j * stride + ww),
                )
                given = share(x[place], dout[:, :, i, j])
                dx[place] = given + (dx[place] if overlap else 0)
        return dx

    return pool_backward


def sizes_ignored(**fixed):
    """Something hard-coded in the parameters of the forward pass."""
    return lambda param: {**param, **fixed}


def spread(part, d):
    """d repeated over a window."""
    return np.broadcast_to(d[:, :, None, None], part.shape)


def rounded_up(x, p, reduce):
    """Windows that hang over the edge count as well."""
    stride, hh, ww = p["stride"], p["pool_height"], p["pool_width"]
    high = 1 + -(-(x.shape[2] - hh) // stride)
    broad = 1 + -(-(x.shape[3] - ww) // stride)
    return pool(x, p, reduce=reduce, size=(high, broad))


def one_window_too_few(x, p, reduce):
    high = (x.shape[2] - p["pool_height"]) // p["stride"]
    broad = (x.shape[3] - p["pool_width"]) // p["stride"]
    return pool(x, p, reduce=reduce, size=(high, broad))


def windows_side_by_side(x, p, reduce):
    size = out_shape({"x": x, "pool_param": p})[2:]
    return pool(x, p, reduce=reduce, row=1, size=size)


def at_every_multiple(x, p, reduce):
    """A window starts at every multiple of the stride, also where it does not fit any more."""
    high, broad = (-(-n // p["stride"]) for n in x.shape[2:])
    return pool(x, p, reduce=reduce, size=(high, broad))


def swapped(x, p, reduce):
    return pool(x, p, reduce=reduce, window=(p["pool_width"], p["pool_height"]))
