"""The forward pass of a convolution."""

import numpy as np

from autograder.battery.functions import Forward
from autograder.course.a6_training.images import (
    REFERENCE,
    cases_for,
    columns_forward,
    naive_forward,
    padded,
    windows_forward,
)
from autograder.exercise import Exercise, Misconception


def convolve(x, w, b, *, row=1, column=1, size=None, bias=True, dtype=None, total=None):
    """Windows of an image that is padded already, row and column apart."""
    n, _, h, wide = x.shape
    f, _, hh, ww = w.shape
    high, broad = size or (1 + (h - hh) // row, 1 + (wide - ww) // column)
    out = np.zeros((n, f, high, broad), dtype or np.result_type(x, w))
    for i in range(high):
        for j in range(broad):
            window = x[:, :, i * row : i * row + hh, j * column : j * column + ww]
            if total is None:
                out[:, :, i, j] = np.tensordot(window, w, ((1, 2, 3), (1, 2, 3)))
            else:
                out[:, :, i, j] = total(window, w)
            if bias:
                out[:, :, i, j] += b
    return out


def forward_with(change):
    """A forward pass as a misconception: ``change(x, w, b, stride, pad) -> out``."""

    def conv_forward(x, w, b, conv_param):
        out = change(x, w, b, conv_param["stride"], conv_param["pad"])
        return out, (x, w, conv_param["stride"], conv_param["pad"])

    return conv_forward


def every(row):
    return {"row": row, "column": row}


def flipped(x, w, b, stride, pad):
    return convolve(padded(x, pad), w[:, :, ::-1, ::-1], b, **every(stride))


def bias_for_each_channel(x, w, b, stride, pad):
    more = (x.shape[1] - 1) * b[:, None, None]
    return convolve(padded(x, pad), w, b, **every(stride)) + more


def windows_side_by_side(x, w, b, stride, pad):
    x = padded(x, pad)
    size = tuple(1 + (n - k) // stride for n, k in zip(x.shape[2:], w.shape[2:], strict=True))
    return convolve(x, w, b, size=size)


def stride_for_rows_only(x, w, b, stride, pad):
    return convolve(padded(x, pad), w, b, row=stride)


def padded_at_the_end(x, w, b, stride, pad):
    x = np.pad(x, ((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)))
    return convolve(x, w, b, **every(stride))


def padded_once(x, w, b, stride, pad):
    x = np.pad(x, ((0, 0), (0, 0), (pad, 0), (pad, 0)))
    return convolve(x, w, b, **every(stride))


def padded_everywhere(x, w, b, stride, pad):
    x = np.pad(x, pad)[pad : pad + len(x)] if pad else x
    w = np.pad(w, ((0, 0), (pad, pad), (0, 0), (0, 0)))
    return convolve(x, w, b, **every(stride))


def transposed(x, w, b, stride, pad):
    return convolve(padded(x, pad), w, b, **every(stride)).swapaxes(2, 3)


def channels_last(x, w, b, stride, pad):
    return convolve(padded(x, pad), w, b, **every(stride)).transpose(0, 2, 3, 1)


def one_window_too_few(x, w, b, stride, pad):
    x = padded(x, pad)
    size = tuple(max((n - k) // stride, 0) for n, k in zip(x.shape[2:], w.shape[2:], strict=True))
    return convolve(x, w, b, size=size, **every(stride))


def rounded_up(x, w, b, stride, pad):
    x = padded(x, pad)
    missing = [-(n - k) % stride for n, k in zip(x.shape[2:], w.shape[2:], strict=True)]
    x = np.pad(x, ((0, 0), (0, 0), (0, missing[0]), (0, missing[1])))
    return convolve(x, w, b, **every(stride))


def filters_reshaped(x, w, b, stride, pad):
    mixed = w.reshape(-1, len(w)).T.reshape(w.shape)
    return convolve(padded(x, pad), mixed, b, **every(stride))


EXERCISES = (
    Exercise(
        name="conv_forward",
        kind=Forward(),
        reference=REFERENCE,
        cases=cases_for(backward=False),
        misconceptions=(
            Misconception(
                "kernel-flipped",
                forward_with(flipped),
                "The filters are turned round before they are applied. That is the convolution "
                "of mathematics; in networks the filter meets the window as it is.",
                "values",
                0.4,
            ),
            Misconception(
                "windows-ignore-the-stride",
                forward_with(windows_side_by_side),
                "The output has the right size, but the windows move by one pixel. Where in the "
                "image does output pixel (i, j) look?",
                "values",
                0.4,
            ),
            Misconception(
                "stride-ignored",
                forward_with(lambda x, w, b, s, p: convolve(padded(x, p), w, b)),
                "The stride has no influence: the windows move by one pixel and the output is as "
                "large as for stride 1.",
                "values",
                0.4,
            ),
            Misconception(
                "stride-for-rows-only",
                forward_with(stride_for_rows_only),
                "The stride acts in one direction only. It counts for rows and for columns.",
                "values",
                0.4,
            ),
            Misconception(
                "padding-ignored",
                forward_with(lambda x, w, b, s, p: convolve(x, w, b, **every(s))),
                "The image is not padded, so the output comes out too small and the border is "
                "seen less often.",
                "values",
                0.4,
            ),
            Misconception(
                "padded-at-the-end",
                forward_with(padded_at_the_end),
                "All zeros are put behind the image. `pad` zeros belong on each side.",
                "values",
                0.3,
            ),
            Misconception(
                "padded-on-one-side",
                forward_with(padded_once),
                "The image is padded on one side of each axis only. `pad` zeros belong on each "
                "side.",
                "values",
                0.3,
            ),
            Misconception(
                "padded-with-copies",
                forward_with(
                    lambda x, w, b, s, p: convolve(padded(x, p, "edge"), w, b, **every(s))
                ),
                "The border is padded with copies of the outermost pixels; it should be zeros.",
                "values",
                0.3,
            ),
            Misconception(
                "bias-forgotten",
                forward_with(
                    lambda x, w, b, s, p: convolve(padded(x, p), w, b, bias=False, **every(s))
                ),
                "The bias never enters: each filter adds its own number to its whole map.",
                "values",
                0.3,
            ),
            Misconception(
                "bias-once-per-channel",
                forward_with(bias_for_each_channel),
                "The bias enters once for each channel of an image. A filter sums over all of them "
                "and has one bias: in which loop is it added?",
                "values",
                0.3,
            ),
            Misconception(
                "height-and-width-swapped",
                forward_with(transposed),
                "Height and width have changed places in the output. Rows come first, (N, F, "
                "H_out, W_out); square images hide this.",
                "values",
                0.4,
            ),
            Misconception(
                "channels-last",
                forward_with(channels_last),
                "The filters come last. The maps of the output stand where the channels of the "
                "input stand, (N, F, H_out, W_out).",
                "values",
                0.3,
            ),
            Misconception(
                "one-window-too-few",
                forward_with(one_window_too_few),
                "The last window is missing in each direction: n steps of the stride make n + 1 "
                "windows.",
                "values",
                0.4,
            ),
            Misconception(
                "size-rounded-up",
                forward_with(rounded_up),
                "Where the windows do not come out even you add one that hangs over the edge. The "
                "size is rounded down; what is left over takes no part.",
                "windows that do not come out even",
                0.2,
            ),
            Misconception(
                "only-the-first-channel",
                forward_with(
                    lambda x, w, b, s, p: convolve(padded(x, p)[:, :1], w[:, :1], b, **every(s))
                ),
                "Only the first channel is looked at. A filter reaches through all of them.",
                "values",
                0.4,
            ),
            Misconception(
                "averaged-over-channels",
                forward_with(
                    lambda x, w, b, s, p: convolve(padded(x, p), w / x.shape[1], b, **every(s))
                ),
                "The channels are averaged where they should be added up.",
                "values",
                0.3,
            ),
            Misconception(
                "averaged-over-the-window",
                forward_with(
                    lambda x, w, b, s, p: convolve(padded(x, p), w / w[0].size, b, **every(s))
                ),
                "The products are averaged. A unit adds up its weighted inputs.",
                "values",
                0.3,
            ),
            Misconception(
                "filters-reshaped-for-transposed",
                forward_with(filters_reshaped),
                "The filters get mixed up: a reshape to (…, F) does not put each filter into a "
                "column. Reshape to (F, …) and transpose.",
                "values",
                0.4,
            ),
            Misconception(
                "float32-lost",
                forward_with(
                    lambda x, w, b, s, p: convolve(padded(x, p), w, b, dtype=float, **every(s))
                ),
                "float32 images come out as float64: np.zeros without a dtype does that.",
                "float32",
                0.1,
            ),
        ),
        variants=(naive_forward, windows_forward, columns_forward),
    ),
)
