"""Batch normalisation of images: every position counts as an example, every channel for itself."""

from functools import partial

import numpy as np

from autograder.battery.functions import Backward
from autograder.battery.normalization import BatchNorm
from autograder.course.a4_normalization import batchnorm, batchnorm_gradients
from autograder.course.drawing import layer_cases, numbers
from autograder.exercise import Exercise, Misconception
from cs_nn.layers.image_normalization import spatial_batchnorm_backward, spatial_batchnorm_forward

FORWARD, BACKWARD = "spatial_batchnorm_forward", "spatial_batchnorm_backward"
REFERENCE = {FORWARD: spatial_batchnorm_forward, BACKWARD: spatial_batchnorm_backward}


def draw(rng, shape):
    return {
        "x": np.round(numbers(rng, *shape) * 1.7 + 0.6, 3),
        "gamma": numbers(rng, shape[1]),
        "beta": numbers(rng, shape[1]),
        "bn_param": {"mode": "train"} | ({} if shape[0] % 2 else {"eps": 0.04, "momentum": 0.8}),
    }


CASES = layer_cases(
    draw,
    lambda args: args["x"].shape,
    ordinary=((3, 2, 4, 3), (2, 3, 2, 5), (4, 5, 3, 2)),
    deep=None,
    square=(2, 3, 3, 3),
    single=(1, 3, 2, 4),
    speed=(12, 6, 16, 17),
)


def to_rows(x):
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


def to_images(rows, shape):
    n, c, h, w = shape
    return rows.reshape(n, h, w, c).transpose(0, 3, 1, 2)


def lifted(function):
    """A batch norm of rows, right or wrong, made one of images."""

    def forward(x, gamma, beta, bn_param):
        out, cache = function(to_rows(x), gamma, beta, bn_param)
        return to_images(out, x.shape), cache

    return forward


def lifted_backward(function):
    def backward(dout, cache):
        dx, dgamma, dbeta = function(to_rows(dout), cache)
        return to_images(dx, dout.shape), dgamma, dbeta

    return backward


def not_transposed(x, gamma, beta, bn_param):
    rows = x.reshape(-1, x.shape[1])
    out, cache = batchnorm.normalise(rows, gamma, beta, bn_param)
    return np.reshape(out, x.shape), cache


def each_image_for_itself(x, gamma, beta, bn_param):
    """Instance normalisation in training, with right running statistics."""
    out, cache = lifted(batchnorm.normalise)(x, gamma, beta, bn_param)
    if bn_param["mode"] == "test":
        return out, cache
    eps = bn_param.get("eps", 1e-5)
    mean, var = x.mean(axis=(2, 3), keepdims=True), x.var(axis=(2, 3), keepdims=True)
    h = (x - mean) / np.sqrt(var + eps)
    return gamma[:, None, None] * h + beta[:, None, None], cache


def mean_of_the_variances(x, gamma, beta, bn_param):
    """Within each image only: how far the images' own means lie apart is left out."""
    if bn_param["mode"] == "test":
        return lifted(batchnorm.normalise)(x, gamma, beta, bn_param)
    eps, m = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(2, 3)).mean(axis=0)
    for key, new in (("running_mean", mean), ("running_var", var)):
        bn_param[key] = m * bn_param.get(key, np.zeros_like(new)) + (1 - m) * new
    h = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]
    return gamma[:, None, None] * h + beta[:, None, None], None


def running_variance_within_images(x, gamma, beta, bn_param):
    """The output is right; only what is kept for test mode comes from single images."""
    old = dict(bn_param)
    answer = lifted(batchnorm.normalise)(x, gamma, beta, bn_param)
    if bn_param["mode"] == "train":
        m, var = old.get("momentum", 0.9), x.var(axis=(2, 3)).mean(axis=0)
        bn_param["running_var"] = m * old.get("running_var", np.zeros_like(var)) + (1 - m) * var
    return answer


def each_position_for_itself(x, gamma, beta, bn_param):
    out, cache = lifted(batchnorm.normalise)(x, gamma, beta, bn_param)
    if bn_param["mode"] == "test":
        return out, cache
    h = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + bn_param.get("eps", 1e-5))
    return gamma[:, None, None] * h + beta[:, None, None], cache


def by_axes(x, gamma, beta, bn_param):
    """The direct way: reductions over three axes."""
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    g, b = gamma.reshape(1, -1, 1, 1), beta.reshape(1, -1, 1, 1)
    if bn_param["mode"] == "train":
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
        for key, new in (("running_mean", mean), ("running_var", var)):
            old = bn_param.get(key, np.zeros_like(gamma))
            bn_param[key] = momentum * old + (1 - momentum) * new
    else:
        mean, var = (bn_param.get(key, 0 * gamma) for key in ("running_mean", "running_var"))
    std = np.sqrt(var + eps).reshape(1, -1, 1, 1)
    h = (x - mean.reshape(1, -1, 1, 1)) / std
    return g * h + b, (h, std, g)


def by_axes_backward(dout, cache):
    h, std, g = cache
    axes = (0, 2, 3)
    d = dout * g
    mean = d.mean(axis=axes, keepdims=True)
    along = (d * h).mean(axis=axes, keepdims=True)
    return (d - mean - h * along) / std, (dout * h).sum(axis=axes), dout.sum(axis=axes)


def moved_forward(x, gamma, beta, bn_param):
    moved = np.moveaxis(x, 1, 3)
    flat = np.reshape(moved, (moved.size // x.shape[1], x.shape[1]))
    out, cache = batchnorm.loop_forward(flat, gamma, beta, bn_param)
    return np.moveaxis(out.reshape(moved.shape), 3, 1), cache


def cs231n_forward(x, gamma, beta, bn_param):
    N, C, H, W = x.shape
    x = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    out, cache = batchnorm.cs231n_forward(x, gamma, beta, bn_param)
    out = out.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return out, cache


def cs231n_backward(dout, cache):
    N, C, H, W = dout.shape
    dout = dout.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    dx, dgamma, dbeta = batchnorm_gradients.cs231n_alt(dout, cache)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


def channels_first_forward(x, gamma, beta, bn_param):
    rows = np.swapaxes(x, 0, 1).reshape(x.shape[1], -1).T
    out, cache = batchnorm.folded_forward(rows, gamma, beta, bn_param)
    shape = (x.shape[1], x.shape[0], *x.shape[2:])
    return np.swapaxes(out.T.reshape(shape), 0, 1), cache


def kept(x, gamma, beta, bn_param):
    out, cache = batchnorm_gradients.keep_all(to_rows(x), gamma, beta, bn_param)
    return to_images(out, x.shape), cache


def dout_not_transposed(dout, cache):
    rows = dout.reshape(-1, dout.shape[1])
    dx, dgamma, dbeta = batchnorm_gradients.right(rows, cache)
    return dx.reshape(dout.shape), dgamma, dbeta


def dx_not_transposed_back(dout, cache):
    dx, dgamma, dbeta = batchnorm_gradients.right(to_rows(dout), cache)
    return dx.reshape(dout.shape), dgamma, dbeta


def divided_by_the_batch_size(dout, cache):
    _, h, std, gamma = cache[:4]
    rows = to_rows(dout)
    d, n = rows * gamma, len(dout)
    dx = (d - d.sum(axis=0) / n - h * (d * h).sum(axis=0) / n) / std
    return to_images(dx, dout.shape), (rows * h).sum(axis=0), rows.sum(axis=0)


def means_in_each_image(dout, cache):
    h, std, gamma = to_images(cache[1], dout.shape), *(v[:, None, None] for v in cache[2:4])
    d = dout * gamma
    mean, along = (a.mean(axis=(2, 3), keepdims=True) for a in (d, d * h))
    rows = to_rows(dout)
    return (d - mean - h * along) / std, (rows * cache[1]).sum(axis=0), rows.sum(axis=0)


def parameters_over_the_batch_only(dout, cache):
    dx, _, _ = batchnorm_gradients.right(to_rows(dout), cache)
    h = to_images(cache[1], dout.shape)
    return to_images(dx, dout.shape), (dout * h).sum(axis=0), dout.sum(axis=0)


OF_ROWS = (
    "unbiased-running-variance", "variance-with-n-minus-one", "epsilon-outside-the-root",
    "epsilon-forgotten", "momentum-swapped", "running-statistics-of-the-last-batch",
    "running-statistics-not-stored", "batch-statistics-in-test-mode",
    "gamma-and-beta-forgotten-in-test-mode", "gamma-and-beta-forgotten", "epsilon-hard-coded",
    "running-standard-deviation", "variance-for-deviation", "beta-forgotten", "gamma-forgotten",
    "variance-for-deviation-in-test-mode", "statistics-updated-in-test-mode",
    "batch-mean-overwritten", "first-batch-starts-the-average",
)  # fmt: skip
"""Mistakes of batch norm that are made here just the same."""

GRADIENTS_OF_ROWS = (
    "no-path-through-the-mean", "no-path-through-the-variance", "statistics-taken-for-constants",
    "gamma-forgotten-in-dx", "sums-for-means", "epsilon-forgotten", "dgamma-with-the-raw-input",
    "dgamma-without-the-input", "dgamma-is-a-mean", "dbeta-is-a-mean", "dgamma-and-dbeta-swapped",
    "divided-by-the-variance", "dgamma-with-the-centred-input", "factor-on-the-first-term-only",
    "direct-path-overwritten", "centred-input-overwritten", "dbeta-keeps-an-axis",
)  # fmt: skip


def borrowed(mistakes, codes, wrap):
    return tuple(
        Misconception(m.code, wrap(m.wrong), m.sentence, m.aspect, m.severity)
        for m in mistakes
        if m.code in codes
    )


def functions(forward, backward):
    return {FORWARD: forward, BACKWARD: backward}


def mistake(code, backward, sentence, aspect, severity):
    return Misconception(code, functions(kept, backward), sentence, aspect, severity)


EXERCISES = (
    Exercise(
        name=FORWARD,
        kind=BatchNorm(),
        reference=REFERENCE,
        cases=partial(batchnorm.forward_cases, inner=(3, 2)),
        misconceptions=(
            Misconception(
                "mean-of-the-variances",
                mean_of_the_variances,
                "The variance is the average of the images' own variances. That leaves out how far "
                "the means of the images lie apart: take it of all values of a channel at once.",
                "out",
                0.3,
            ),
            Misconception(
                "running-variance-within-images",
                running_variance_within_images,
                "running_var collects the average of the images' own variances, which leaves out "
                "how far the means of the images lie apart. Test mode looks at all images: keep "
                "the variance of all values of a channel at once.",
                "running_var",
                0.2,
            ),
            Misconception(
                "reshaped-without-transposing",
                not_transposed,
                "reshape to C columns does not put the channels there: it keeps the order in "
                "memory, in which the columns of an image come last. Bring the channel axis to the "
                "end first.",
                "out",
                0.5,
            ),
            Misconception(
                "each-image-for-itself",
                each_image_for_itself,
                "Mean and variance are taken in each image apart; that is instance normalisation. "
                "A channel's statistics run over the images of the batch as well.",
                "out",
                0.4,
            ),
            Misconception(
                "each-position-for-itself",
                each_position_for_itself,
                "Each position of the image has its own mean and variance. A convolution treats "
                "all positions alike, and so must this: rows and columns join in the mean.",
                "out",
                0.4,
            ),
            *borrowed(batchnorm.FORWARD_MISCONCEPTIONS, OF_ROWS, lifted),
        ),
        variants=(cs231n_forward, by_axes, moved_forward, channels_first_forward),
    ),
    Exercise(
        name=BACKWARD,
        kind=Backward(FORWARD, ("dx", "dgamma", "dbeta"), ("x", "gamma", "beta")),
        reference=REFERENCE,
        cases=CASES,
        misconceptions=(
            mistake(
                "upstream-reshaped-without-transposing",
                dout_not_transposed,
                "dout is cut into rows of C numbers in memory order. Bring its channel axis to the "
                "end first, just as forward did with x.",
                "dx",
                0.4,
            ),
            mistake(
                "not-transposed-back",
                dx_not_transposed_back,
                "dx has the right numbers in the wrong places: the channel axis must go back from "
                "the end to where it was.",
                "dx",
                0.3,
            ),
            mistake(
                "divided-by-the-batch-size",
                divided_by_the_batch_size,
                "The means in dx are divided by N, but N·H·W numbers went into each statistic.",
                "dx",
                0.3,
            ),
            mistake(
                "means-in-each-image",
                means_in_each_image,
                "The means in dx run over the positions of each image apart. The statistics of "
                "forward were taken over the whole batch, so what comes back through them is "
                "shared by all its images.",
                "dx",
                0.3,
            ),
            mistake(
                "parameters-summed-over-the-batch-only",
                parameters_over_the_batch_only,
                "dgamma and dbeta hold one number for each position. One gamma serves a whole "
                "channel: sum over rows and columns too.",
                "dgamma",
                0.4,
            ),
            *borrowed(
                batchnorm_gradients.MISTAKES,
                GRADIENTS_OF_ROWS,
                lambda wrong: functions(kept, lifted_backward(wrong)),
            ),
        ),
        variants=(
            functions(cs231n_forward, cs231n_backward),
            functions(by_axes, by_axes_backward),
            functions(kept, lifted_backward(batchnorm_gradients.jacobian_backward)),
        ),
    ),
)
