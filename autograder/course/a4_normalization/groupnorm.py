"""Group normalisation: which channels belong together, and what is shared."""

import numpy as np

from autograder.battery.functions import CONDUCT, Backward, Forward
from autograder.course.a4_normalization.groupnorm_variants import (
    cs231n_backward,
    cs231n_forward,
    loop_backward,
    loop_forward,
)
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.image_normalization import groupnorm_backward, groupnorm_forward

FORWARD, BACKWARD = "groupnorm_forward", "groupnorm_backward"
REFERENCE = {FORWARD: groupnorm_forward, BACKWARD: groupnorm_backward}


def cases(rng):
    def case(
        shape, groups, check="", *, flat=False, eps=None, x=None, dtype: type = np.float64, tags=(),
        words="", extra=None, public=True,
    ):  # fmt: skip
        c = shape[1]
        per_channel = (c,) if flat else (1, c, 1, 1)
        args = {
            "x": np.round(numbers(rng, *shape) * 1.7 + 0.6, 3) if x is None else x,
            "gamma": numbers(rng, *per_channel),
            "beta": numbers(rng, *per_channel),
            "G": groups,
            "gn_param": {} if eps is None else {"eps": eps},
        }
        extra = {"dout": numbers(rng, *shape).astype(dtype)} | (extra or {})
        label = f"{words}x of shape {shape} and G = {groups}"
        return Case(label, as_dtype(args, dtype), check, frozenset(tags), extra, public)

    room = strided({"x": np.round(numbers(rng, 2, 6, 2, 3) + 0.6, 3)})["x"]
    whole = np.rint(4 * numbers(rng, 2, 6, 2, 3)).astype(np.int64)
    narrow = 0.003 * numbers(rng, 3, 6, 2, 2)
    return [
        case((5, 6, 3, 4), 3, tags=[CONDUCT]),
        case((3, 6, 2, 3), 2, eps=0.04),
        case((2, 8, 3, 2), 4, eps=0.3),
        case((2, 4, 3, 3), 2, tags=["square"]),
        case((3, 6, 2, 2), 2, "settings of 0", eps=0.0, x=narrow, words="narrow "),
        # CS231n's own code knows (1, C, 1, 1) alone, and fails to broadcast here.
        case((2, 6, 3, 2), 3, "gamma and beta of shape (C,)", flat=True, tags=["may raise"]),
        case((1, 6, 2, 3), 2, "N = 1"),
        case((2, 5, 2, 3), 1, "one group"),
        case((2, 5, 3, 2), 5, "a group for each channel"),
        case((2, 6, 2, 3), 2, "non-contiguous", x=room, words="strided "),
        case((2, 6, 3, 4), 3, "float32", dtype=np.float32, words="float32 "),
        case((2, 6, 2, 3), 2, "integer inputs", x=whole, tags=["any float", "may refuse"],
             words="integer "),
        case((12, 6, 16, 17), 3, "speed", extra={"seconds": 4.0}, public=False),
    ]  # fmt: skip


def apart(x, groups):
    """The groups of neighbouring channels."""
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w)


def interleaved(x, groups):
    n, c, h, w = x.shape
    return x.reshape(n, c // groups, groups, h, w)


def channels(p):
    return p.reshape(1, -1, 1, 1)


def affine(h, gamma, beta):
    return channels(gamma) * h + channels(beta)


def forward(split=apart, axes=(2, 3, 4), ddof=0, root=None, after=affine):
    """Group norm forward with one thing changed."""
    root = root or (lambda v, eps: np.sqrt(v + eps))

    def groupnorm(x, gamma, beta, G, gn_param):
        eps = gn_param.get("eps", 1e-5)
        g = split(x, G)
        centred = g - g.mean(axis=axes, keepdims=True)
        h = centred / root(g.var(axis=axes, ddof=ddof, keepdims=True), eps)
        return after(h.reshape(x.shape), gamma, beta), None

    return groupnorm


def slices_of_g_channels(x, gamma, beta, G, gn_param):
    """As many slices as there are groups, but each G channels wide; the rest stays 0."""
    eps = gn_param.get("eps", 1e-5)
    h = np.zeros(x.shape, gamma.dtype)
    for k in range(0, min(G * G, x.shape[1]), G):
        part = x[:, k : k + G]
        std = np.sqrt(part.var(axis=(1, 2, 3), keepdims=True) + eps)
        h[:, k : k + G] = (part - part.mean(axis=(1, 2, 3), keepdims=True)) / std
    return affine(h, gamma, beta), None


def last_group_left_out(x, gamma, beta, G, gn_param):
    eps = gn_param.get("eps", 1e-5)
    h = np.zeros(x.shape, gamma.dtype)
    groups, g = apart(h, G), apart(x, G)
    for k in range(G - 1):
        centred = g[:, k] - g[:, k].mean(axis=(1, 2, 3), keepdims=True)
        groups[:, k] = centred / np.sqrt(g[:, k].var(axis=(1, 2, 3), keepdims=True) + eps)
    return affine(h, gamma, beta), None


def in_place(x, gamma, beta, G, gn_param):
    out = forward()(x, gamma, beta, G, gn_param)
    if x.dtype.kind == "f":
        x -= x.mean()
    return out


def kept(x, gamma, beta, G, gn_param):
    g, eps = apart(x, G), gn_param.get("eps", 1e-5)
    axes = (2, 3, 4)
    std = np.sqrt(g.var(axis=axes, keepdims=True) + eps)
    h = (g - g.mean(axis=axes, keepdims=True)) / std
    return affine(h.reshape(x.shape), gamma, beta), (x, h, std, gamma, beta, G)


def input_gradient(dout, cache, mean=1.0, var=1.0, axes=(2, 3, 4), split=apart, gamma=None):
    x, h, std, own, _, G = cache
    gamma = channels(own) if gamma is None else gamma
    d, h = split(dout * gamma, G), split(h.reshape(x.shape), G)
    means = d.mean(axis=axes, keepdims=True), (d * h).mean(axis=axes, keepdims=True)
    inner = (d - mean * means[0] - var * h * means[1]).reshape(x.shape)
    return (apart(inner, G) / std).reshape(x.shape)


def parameter_gradients(dout, cache):
    x, h, _, gamma, beta, _ = cache
    dgamma = (dout * h.reshape(x.shape)).sum(axis=(0, 2, 3)).reshape(gamma.shape)
    return dgamma, dout.sum(axis=(0, 2, 3)).reshape(beta.shape)


def right(dout, cache):
    return input_gradient(dout, cache), *parameter_gradients(dout, cache)


def dx(**change):
    return lambda dout, cache: (
        input_gradient(dout, cache, **change),
        *parameter_gradients(dout, cache),
    )


def without_gamma(dout, cache):
    one = np.ones_like(channels(cache[3]))
    return input_gradient(dout, cache, gamma=one), *parameter_gradients(dout, cache)


def interleaved_backward(dout, cache):
    """Groups that gather every so many-th channel, though forward's were neighbours."""
    x, h, std, gamma, _, G = cache
    d, h = (interleaved(a.reshape(x.shape), G) for a in (dout * channels(gamma), h))
    mean, along = (a.mean(axis=(1, 3, 4), keepdims=True) for a in (d, d * h))
    dx = (d - mean - h * along) / np.swapaxes(std, 1, 2)
    return dx.reshape(x.shape), *parameter_gradients(dout, cache)


def gamma_at_the_end(dout, cache):
    one = np.ones_like(channels(cache[3]))
    plain = input_gradient(dout, cache, gamma=one)
    return plain * channels(cache[3]), *parameter_gradients(dout, cache)


def sums_for_means(dout, cache):
    size = cache[1][0, 0].size
    return input_gradient(dout, cache, size, size), *parameter_gradients(dout, cache)


def always_flat(dout, cache):
    answer = right(dout, cache)
    return answer[0], answer[1].ravel(), answer[2].ravel()


def always_four_axes(dout, cache):
    answer = right(dout, cache)
    return answer[0], channels(answer[1]), channels(answer[2])


def per_group(dout, cache):
    answer = right(dout, cache)
    x, h, _, gamma, beta, G = cache

    def shared(values):
        total = values.reshape(G, -1).sum(axis=1)
        return np.repeat(total, gamma.size // G)

    return answer[0], shared(answer[1]).reshape(gamma.shape), shared(answer[2]).reshape(beta.shape)


def raw_input(dout, cache):
    dx, _, dbeta = right(dout, cache)
    return dx, (dout * cache[0]).sum(axis=(0, 2, 3)).reshape(cache[3].shape), dbeta


def parameter_means(dout, cache):
    answer, n = right(dout, cache), len(dout)
    return answer[0], answer[1] / n, answer[2] / n


def changes_dout(dout, cache):
    answer = right(dout, cache)
    dout *= channels(cache[3])
    return answer


def functions(forward, backward):
    return {FORWARD: forward, BACKWARD: backward}


def mistake(code, backward, sentence, aspect, severity=None):
    return Misconception(code, functions(kept, backward), sentence, aspect, severity)


FORWARD_MISTAKES = (
    Misconception(
        "channels-interleaved",
        forward(interleaved, axes=(1, 3, 4)),
        "A group gathers every G-th channel. Groups are neighbours: split the channel axis into G "
        "groups first, then into the channels of a group.",
        "values",
        0.4,
    ),
    Misconception(
        "groups-of-g-channels",
        forward(interleaved),
        "A group has G channels. G is the number of groups, and each of them has C/G channels; "
        "the two agree only where C = G².",
        "values",
        0.4,
    ),
    Misconception(
        "slices-of-g-channels",
        slices_of_g_channels,
        "The slice of each group is G channels wide, so the slices overrun the channels or leave "
        "some of them out. There are G groups of C/G channels: where does the next one begin?",
        "values",
        0.4,
    ),
    Misconception(
        "each-channel-for-itself",
        forward(axes=(3, 4)),
        "Each channel has its own mean and variance; that is instance normalisation. The channels "
        "of a group share theirs.",
        "values",
        0.4,
    ),
    Misconception(
        "all-channels-in-one-group",
        forward(lambda x, groups: apart(x, 1)),
        "All channels share one mean and variance; that is layer normalisation, G = 1.",
        "values",
        0.4,
    ),
    Misconception(
        "each-position-for-itself",
        forward(axes=2),
        "Mean and variance are taken at each position apart. They run over the channels of the "
        "group and over all rows and columns.",
        "values",
        0.4,
    ),
    Misconception(
        "over-the-batch-as-well",
        forward(axes=(0, 2, 3, 4)),
        "The mean runs over the batch too. Group norm looks at one image at a time; that is why it "
        "works with small batches.",
        "values",
        0.4,
    ),
    Misconception(
        "variance-with-n-minus-one",
        forward(ddof=1),
        "The variance is divided by one less than the number of values; take the plain mean.",
        "values",
        0.3,
    ),
    Misconception(
        "epsilon-outside-the-root",
        forward(root=lambda v, eps: np.sqrt(v) + eps),
        "eps is added to the standard deviation. It belongs to the variance, inside the root.",
        "values",
        0.2,
    ),
    Misconception(
        "epsilon-forgotten",
        forward(root=lambda v, eps: np.sqrt(v)),
        "eps never enters; a group of equal values divides 0 by 0.",
        "values",
        0.2,
    ),
    Misconception(
        "epsilon-hard-coded",
        forward(root=lambda v, eps: np.sqrt(v + 1e-5)),
        "eps is always 1e-5, whatever gn_param says. Read it from there, and fall back on the "
        "default only where it is missing.",
        "values",
        0.2,
    ),
    Misconception(
        "last-group-left-out",
        last_group_left_out,
        "The last group is not normalised: where does the loop over the groups end?",
        "values",
        0.3,
    ),
    Misconception(
        "gamma-and-beta-forgotten",
        forward(after=lambda h, gamma, beta: h),
        "The output is the normalised input itself; gamma and beta never enter.",
        "values",
        0.4,
    ),
    Misconception(
        "gamma-forgotten",
        forward(after=lambda h, gamma, beta: h + channels(beta)),
        "The scale gamma is missing.",
        "values",
        0.3,
    ),
    Misconception(
        "beta-forgotten",
        forward(after=lambda h, gamma, beta: h * channels(gamma)),
        "The shift beta is missing.",
        "values",
        0.3,
    ),
    Misconception(
        "input-centred-in-place",
        in_place,
        "The mean is subtracted from x itself. The caller still needs its x; work on a new array.",
        "conduct",
    ),
)

BACKWARD_MISTAKES = (
    mistake(
        "no-path-through-the-mean",
        dx(mean=0.0),
        "The mean of the group is a function of x too; a part of the gradient comes back through "
        "it.",
        "dx",
        0.3,
    ),
    mistake(
        "no-path-through-the-variance",
        dx(var=0.0),
        "The variance of the group is a function of x too; a part of the gradient comes back "
        "through it.",
        "dx",
        0.3,
    ),
    mistake(
        "statistics-taken-for-constants",
        dx(mean=0.0, var=0.0),
        "Mean and variance are treated as constants; both are computed from x.",
        "dx",
        0.4,
    ),
    mistake(
        "gamma-forgotten-in-dx",
        without_gamma,
        "dx is computed as if gamma were 1: multiply dout with it before anything else.",
        "dx",
        0.3,
    ),
    mistake(
        "gamma-after-the-means",
        gamma_at_the_end,
        "gamma is multiplied last, after the means over the group have been taken. The channels of "
        "a group have different gammas, so it cannot be drawn out of these means: it meets dout "
        "first.",
        "dx",
        0.3,
    ),
    mistake(
        "groups-interleaved",
        interleaved_backward,
        "dx takes its means over other channels than forward did: there a group is made of "
        "neighbouring channels.",
        "dx",
        0.3,
    ),
    mistake(
        "sums-for-means",
        sums_for_means,
        "The terms that come back through mean and variance are not divided by the size of the "
        "group, (C/G)·H·W.",
        "dx",
        0.3,
    ),
    mistake(
        "means-over-each-channel",
        dx(axes=(3, 4)),
        "The means in dx are taken in each channel. The statistics were shared by the channels of "
        "a group, and so are these.",
        "dx",
        0.3,
    ),
    mistake(
        "means-over-all-channels",
        dx(split=lambda x, groups: apart(x, 1)),
        "The means in dx run over all channels, as if there were one group.",
        "dx",
        0.3,
    ),
    mistake(
        "channels-interleaved",
        dx(split=interleaved),
        "On the way back the channels are put into other groups than on the way forward.",
        "dx",
        0.3,
    ),
    mistake(
        "dgamma-with-the-raw-input",
        raw_input,
        "gamma multiplies the normalised input, not x.",
        "dgamma",
        0.25,
    ),
    mistake(
        "parameters-shared-by-the-group",
        per_group,
        "The channels of a group get one gradient for gamma and beta. They share their statistics, "
        "but each has a gamma and a beta of its own.",
        "dgamma",
        0.3,
    ),
    mistake(
        "parameter-gradients-are-means",
        parameter_means,
        "dgamma and dbeta are divided by the batch size; gradients of shared numbers add up.",
        "dgamma",
        0.3,
    ),
    mistake(
        "parameter-gradients-always-flat",
        always_flat,
        "dgamma and dbeta come back as (C,), but gamma and beta may come as (1, C, 1, 1); a "
        "gradient has the shape of what it is the gradient of.",
        "dgamma",
        0.2,
    ),
    mistake(
        "parameter-gradients-always-with-four-axes",
        always_four_axes,
        "dgamma and dbeta come back as (1, C, 1, 1) where gamma and beta were (C,); a gradient has "
        "the shape of what it is the gradient of.",
        "gamma and beta of shape (C,)",
    ),
    mistake(
        "upstream-gradient-changed",
        changes_dout,
        "dout belongs to the layer above. Operators such as *= write into the caller's array.",
        "conduct",
    ),
)

EXERCISES = (
    Exercise(
        name=FORWARD,
        kind=Forward(),
        reference=REFERENCE,
        cases=cases,
        misconceptions=FORWARD_MISTAKES,
        variants=(cs231n_forward, loop_forward, kept),
    ),
    Exercise(
        name=BACKWARD,
        kind=Backward(FORWARD, ("dx", "dgamma", "dbeta"), ("x", "gamma", "beta")),
        reference=REFERENCE,
        cases=cases,
        misconceptions=BACKWARD_MISTAKES,
        variants=(
            functions(cs231n_forward, cs231n_backward),
            functions(loop_forward, loop_backward),
            functions(kept, right),
        ),
    ),
)
