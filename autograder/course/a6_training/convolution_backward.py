"""The backward pass of a convolution."""

import numpy as np

from autograder.battery.functions import Backward
from autograder.course.a6_training.images import (
    REFERENCE,
    cases_for,
    columns_backward,
    columns_forward,
    naive_backward,
    naive_forward,
    padded,
    windows_backward,
    windows_forward,
)
from autograder.exercise import Exercise, Misconception
from cs_nn.layers.convolution import conv_backward, conv_forward


def backward_with(
    *,
    step=None,
    crop=None,
    overlap=True,
    weights=True,
    kernel=None,
    scale=(1, 1, 1),
    bias_axes=(0, 2, 3),
    order=(0, 1, 2),
):
    """A backward pass with switches for what may go wrong in it."""

    def conv_backward(dout, cache):
        x, w, stride, pad = cache
        stride = step or stride
        hh, ww = w.shape[2:]
        wide = padded(x, pad)
        dx, dw = np.zeros(wide.shape, dout.dtype), np.zeros(w.shape, dout.dtype)
        back = w if kernel is None else kernel(w)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                window = (
                    ...,
                    slice(i * stride, i * stride + hh),
                    slice(j * stride, j * stride + ww),
                )
                d = dout[:, :, i, j]
                share = np.tensordot(d, back, (1, 0))
                dx[window] = share + (dx[window] if overlap else 0)
                dw = np.tensordot(d, wide[window], (0, 0)) + (dw if weights else 0)
        dx = crop(dx, pad, x) if crop else dx[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]]
        grads = (scale[0] * dx, scale[1] * dw, scale[2] * dout.sum(axis=bias_axes))
        return tuple(grads[k] for k in order)

    return conv_backward


def averaged(which):
    """The gradients of ``which`` divided by the batch size."""

    def conv_backward_averaged(dout, cache):
        grads = list(conv_backward(dout, cache))
        for k in which:
            grads[k] = grads[k] / len(dout)
        return tuple(grads)

    return conv_backward_averaged


def bias_mean(dout, cache):
    dx, dw, _ = conv_backward(dout, cache)
    return dx, dw, dout.mean(axis=(0, 2, 3))


def only_the_last_image(dout, cache):
    dx, _, db = conv_backward(dout, cache)
    x, w, stride, pad = cache
    return dx, conv_backward(dout[-1:], (x[-1:], w, stride, pad))[1], db


def one_filter_for_all(dout, cache):
    _, dw, db = conv_backward(dout, cache)
    x, w, stride, pad = cache
    return conv_backward(dout[:, -1:], (x, w[-1:], stride, pad))[0], dw, db


def weights_from_unpadded(dout, cache):
    dx, _, db = conv_backward(dout, cache)
    x, w, stride, pad = cache
    shifted = np.pad(x, ((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)))
    return dx, conv_backward(dout, (shifted, w, stride, 0))[1], db


def dout_in_place(dout, cache):
    grads = conv_backward(dout, cache)
    dout *= 0
    return grads


_kept = {}


def _forward_with_global(x, w, b, conv_param):
    out, _kept["cache"] = conv_forward(x, w, b, conv_param)
    return out, None


def _backward_with_global(dout, cache):
    return conv_backward(dout, _kept["cache"])


EXERCISES = (
    Exercise(
        name="conv_backward",
        kind=Backward("conv_forward", ("dx", "dw", "db"), ("x", "w", "b")),
        reference=REFERENCE,
        cases=cases_for(backward=True),
        misconceptions=(
            Misconception(
                "stride-ignored",
                backward_with(step=1),
                "The windows move by one pixel on the way back, whatever the stride was on the "
                "way forward. Each output pixel sends its gradient to the window it saw.",
                "dx",
                0.4,
            ),
            Misconception(
                "crop-fails-without-padding",
                backward_with(crop=lambda dx, p, x: dx[:, :, p:-p, p:-p]),
                "With pad = 0 the slice [p:-p] is [0:-0], which is empty. Say where the image "
                "ends by its size.",
                "no padding",
                0.2,
            ),
            Misconception(
                "padding-not-cropped",
                backward_with(crop=lambda dx, p, x: dx),
                "dx still has its padding. It must have the shape of x.",
                "dx",
                0.3,
            ),
            Misconception(
                "cropped-at-the-wrong-place",
                backward_with(crop=lambda dx, p, x: dx[:, :, : x.shape[2], : x.shape[3]]),
                "dx is cut out of the padded array at the wrong place: the image begins `pad` "
                "pixels in.",
                "dx",
                0.3,
            ),
            Misconception(
                "height-and-width-swapped",
                backward_with(
                    crop=lambda dx, p, x: dx[:, :, p : p + x.shape[3], p : p + x.shape[2]]
                ),
                "Height and width have changed places where dx is cut out. Square images hide "
                "this.",
                "dx",
                0.3,
            ),
            Misconception(
                "overlap-overwritten",
                backward_with(overlap=False),
                "Where windows overlap, the gradient of the last one replaces those before. A "
                "pixel that was seen several times collects from all of them.",
                "dx",
                0.3,
            ),
            Misconception(
                "only-the-last-window",
                backward_with(weights=False),
                "dw holds the contribution of the last window only. The same filter was used at "
                "every place, and its gradients add up.",
                "dw",
                0.3,
            ),
            Misconception(
                "kernel-flipped",
                backward_with(kernel=lambda w: w[:, :, ::-1, ::-1]),
                "The filters are turned round on the way back. Flipping is right when you write "
                "dx as one convolution of dout; here each window gets back the filter as it is.",
                "dx",
                0.3,
            ),
            Misconception(
                "weight-gradient-is-a-mean",
                averaged([1]),
                "dw is divided by the batch size. The loss owns the 1/N, and it has reached you "
                "inside dout.",
                "dw",
                0.3,
            ),
            Misconception(
                "bias-gradient-is-a-mean",
                bias_mean,
                "db is a mean where the gradient needs the sum: the same bias was added at every "
                "pixel of every image.",
                "db",
                0.3,
            ),
            Misconception(
                "bias-gradient-averaged-over-the-batch",
                averaged([2]),
                "db is divided by the batch size. The loss owns the 1/N.",
                "db",
                0.3,
            ),
            Misconception(
                "parameter-gradients-are-means",
                averaged([1, 2]),
                "dw and db are divided by the batch size. The loss owns the 1/N, and it has "
                "reached you inside dout; a layer only adds up.",
                "dw",
                0.4,
            ),
            Misconception(
                "bias-gradient-not-summed-over-the-image",
                backward_with(bias_axes=0),
                "db keeps the axes of the image. The bias was added to every pixel, so its "
                "gradient collects from all of them.",
                "db",
                0.3,
            ),
            Misconception(
                "bias-gradient-not-summed-over-the-batch",
                backward_with(bias_axes=(2, 3)),
                "db keeps the axis of the examples. There is one bias per filter, (F,).",
                "db",
                0.3,
            ),
            Misconception(
                "only-the-last-image",
                only_the_last_image,
                "dw comes from one image of the batch only; the contributions of all of them add "
                "up.",
                "dw",
                0.3,
            ),
            Misconception(
                "only-the-last-filter",
                one_filter_for_all,
                "dx comes from one filter only. A pixel was seen by all filters and collects from "
                "each.",
                "dx",
                0.3,
            ),
            Misconception(
                "weights-meet-the-unpadded-image",
                weights_from_unpadded,
                "For dw the windows are cut from an image that is padded in another way than on "
                "the way forward, so they show other pixels.",
                "dw",
                0.3,
            ),
            Misconception(
                "gradients-in-the-wrong-order",
                backward_with(order=(1, 0, 2)),
                "Gradients are returned in the order of the arguments of the forward pass: x, "
                "then w, then b.",
                "dx",
                0.3,
            ),
            Misconception(
                "upstream-gradient-changed",
                dout_in_place,
                "dout belongs to the layer above, which may still need it.",
                "conduct",
            ),
            Misconception(
                "cache-in-a-global",
                {"conv_forward": _forward_with_global, "conv_backward": _backward_with_global},
                "What backward needs is kept outside the cache; the next convolution of the "
                "network overwrites it.",
                "conduct",
            ),
        ),
        variants=(
            {"conv_forward": naive_forward, "conv_backward": naive_backward},
            {"conv_forward": windows_forward, "conv_backward": windows_backward},
            {"conv_forward": columns_forward, "conv_backward": columns_backward},
        ),
    ),
)
