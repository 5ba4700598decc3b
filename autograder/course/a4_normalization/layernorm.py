"""Layer normalisation: what changes when the features of one example are compared."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.a4_normalization.layernorm_variants import (
    cs231n_backward,
    cs231n_forward,
    loop_backward,
    loop_forward,
)
from autograder.course.drawing import layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.normalization import layernorm_backward, layernorm_forward

REFERENCE = {"layernorm_forward": layernorm_forward, "layernorm_backward": layernorm_backward}


def draw(rng, shape):
    return {
        "x": np.round(numbers(rng, *shape) * 1.7 + 0.6, 3),
        "gamma": numbers(rng, shape[1]),
        "beta": numbers(rng, shape[1]),
        "ln_param": {} if shape[0] % 2 else {"eps": 0.04},
    }


def other_settings(rng):
    """An eps of 0, for inputs of a spread at which the default would show; and test mode, which
    is nothing special to a layer norm."""
    given = draw(rng, (4, 6))
    args = given | {"x": 0.003 * given["x"], "ln_param": {"eps": 0.0}}
    words = "x of shape (4, 6) with eps = 0"
    other = draw(rng, (5, 3)) | {"ln_param": {"mode": "test"}}
    return [
        Case(words, args, "settings of 0", extra={"dout": numbers(rng, 4, 6)}),
        Case(
            "x of shape (5, 3) in test mode", other, "test mode", extra={"dout": numbers(rng, 5, 3)}
        ),
    ]


CASES = layer_cases(
    draw,
    lambda args: args["x"].shape,
    more=other_settings,
    ordinary=((5, 7), (6, 4), (3, 8)),
    deep=None,
    square=(4, 4),
    single=(1, 5),
    speed=(130, 150),
)


def statistics(x, eps, axis: int | tuple[int, ...] = 1, ddof=0):
    mean = x.mean(axis=axis, keepdims=True)
    return x - mean, np.sqrt(x.var(axis=axis, ddof=ddof, keepdims=True) + eps)


def forward(how, affine=lambda h, gamma, beta: gamma * h + beta, eps=None):
    """Layer norm forward; ``how(x, eps)`` gives the normalised input."""

    def layernorm(x, gamma, beta, ln_param):
        small = ln_param.get("eps", 1e-5) if eps is None else eps
        return affine(how(x, small), gamma, beta), None

    return layernorm


def normalised(x, eps):
    centred, std = statistics(x, eps)
    return centred / std


def over_the_batch(x, eps):
    centred, std = statistics(x, eps, axis=0)
    return centred / std


def over_everything(x, eps):
    centred, std = statistics(x, eps, axis=(0, 1))
    return centred / std


def one_deviation(x, eps):
    centred, _ = statistics(x, eps)
    return centred / np.sqrt(centred.var() + eps)


def one_deviation_of_x(x, eps):
    return statistics(x, eps)[0] / np.sqrt(x.var() + eps)


def with_n_minus_one(x, eps):
    centred, std = statistics(x, eps, ddof=1)
    return centred / std


def epsilon_outside(x, eps):
    centred, std = statistics(x, 0)
    return centred / (std + eps)


def by_the_variance(x, eps):
    centred, std = statistics(x, eps)
    return centred / std**2


def not_centred(x, eps):
    return x / statistics(x, eps)[1]


def in_place(x, gamma, beta, ln_param):
    out = forward(normalised)(x, gamma, beta, ln_param)
    if x.dtype.kind == "f":
        x -= x.mean(axis=1, keepdims=True)
    return out


def keep_all(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    centred, std = statistics(x, eps)
    return gamma * (centred / std) + beta, (x, centred / std, std, gamma, eps)


def input_gradient(dout, cache, mean=1.0, var=1.0, axis=1):
    _, h, std, gamma = cache[:4]
    d = dout * gamma
    means = d.mean(axis=axis, keepdims=True), (d * h).mean(axis=axis, keepdims=True)
    return (d - mean * means[0] - var * h * means[1]) / std


def right(dout, cache):
    return input_gradient(dout, cache), (dout * cache[1]).sum(axis=0), dout.sum(axis=0)


def dx(wrong):
    return lambda dout, cache: (wrong(dout, cache), *right(dout, cache)[1:])


def dgamma(wrong):
    return lambda dout, cache: (input_gradient(dout, cache), wrong(dout, cache), dout.sum(axis=0))


def dbeta(wrong):
    return lambda dout, cache: (*right(dout, cache)[:2], wrong(dout))


def without_gamma(dout, cache):
    x, h, std, gamma = cache[:4]
    return input_gradient(dout, (x, h, std, np.ones_like(gamma)))


def gamma_last(dout, cache):
    return without_gamma(dout, cache) * cache[3]


def sums_for_means(dout, cache):
    _, h, std, gamma = cache[:4]
    d = dout * gamma
    sums = d.sum(axis=1, keepdims=True), (d * h).sum(axis=1, keepdims=True)
    return (d - sums[0] - h * sums[1]) / std


def divided_by_the_batch_size(dout, cache):
    _, h, std, gamma = cache[:4]
    d, n = dout * gamma, len(dout)
    sums = d.sum(axis=1, keepdims=True), (d * h).sum(axis=1, keepdims=True)
    return (d - sums[0] / n - h * sums[1] / n) / std


def epsilon_forgotten(dout, cache):
    x, gamma = cache[0], cache[3]
    centred, std = statistics(x, 0)
    return input_gradient(dout, (x, centred / std, std, gamma))


def changes_dout(dout, cache):
    answer = right(dout, cache)
    dout *= cache[3]
    return answer


_last = {}


def _forward_with_global(x, gamma, beta, ln_param):
    out, _last["cache"] = keep_all(x, gamma, beta, ln_param)
    return out, None


def _backward_with_global(dout, cache):
    return right(dout, _last["cache"])


def graph_backward(dout, cache):
    x, h, std, gamma, eps = cache
    d = x.shape[1]
    centred = x - x.mean(axis=1)[:, None]
    dh = dout * gamma
    dvar = (dh * centred * -0.5 * std**-3).sum(axis=1, keepdims=True)
    dmean = (-dh / std).sum(axis=1, keepdims=True) + dvar * (-2 * centred).mean(1, keepdims=True)
    dx = dh / std + dvar * 2 * centred / d + dmean / d
    return [dx, (dout * h).sum(0), dout.sum(0)]


def mistake(code, wrong, sentence, aspect, severity=None):
    pair = {"layernorm_forward": keep_all, "layernorm_backward": wrong}
    return Misconception(code, pair, sentence, aspect, severity)


FORWARD = (
    Misconception(
        "normalised-over-the-batch",
        forward(over_the_batch),
        "Each feature is normalised over the batch; that is batch normalisation. Layer norm looks "
        "at one example at a time, so that no example depends on the others.",
        "values",
        0.5,
    ),
    Misconception(
        "normalised-over-everything",
        forward(over_everything),
        "One mean and one variance are taken of the whole array. Each example has its own: keep "
        "the axis of the batch out of the mean.",
        "values",
        0.5,
    ),
    *(
        Misconception(
            code,
            forward(wrong),
            "Each example has its own mean, but all share one variance: it is taken of the whole "
            "array. Over which axis do the features of one example lie?",
            "values",
            0.4,
        )
        for code, wrong in (
            ("one-variance-for-all", one_deviation),
            ("one-variance-of-all-inputs", one_deviation_of_x),
        )
    ),
    Misconception(
        "variance-with-n-minus-one",
        forward(with_n_minus_one),
        "The variance is divided by D−1; normalisation wants the plain mean of the squares.",
        "values",
        0.3,
    ),
    Misconception(
        "epsilon-outside-the-root",
        forward(epsilon_outside),
        "eps is added to the standard deviation. It belongs to the variance, inside the root.",
        "values",
        0.2,
    ),
    Misconception(
        "epsilon-forgotten",
        forward(lambda x, eps: normalised(x, 0)),
        "eps never enters; an example whose features are all equal divides 0 by 0.",
        "values",
        0.2,
    ),
    Misconception(
        "epsilon-hard-coded",
        forward(normalised, eps=1e-5),
        "eps is always 1e-5, whatever ln_param says. Read it from there.",
        "values",
        0.2,
    ),
    Misconception(
        "variance-for-deviation",
        forward(by_the_variance),
        "The input is divided by the variance; its root is what leaves a variance of 1.",
        "values",
        0.4,
    ),
    Misconception(
        "not-centred",
        forward(not_centred),
        "The input is scaled but its mean is still there: subtract it first.",
        "values",
        0.4,
    ),
    Misconception(
        "gamma-and-beta-forgotten",
        forward(normalised, lambda h, gamma, beta: h),
        "The output is the normalised input itself; gamma and beta never enter.",
        "values",
        0.4,
    ),
    Misconception(
        "beta-forgotten",
        forward(normalised, lambda h, gamma, beta: gamma * h),
        "The shift beta is missing.",
        "values",
        0.3,
    ),
    Misconception(
        "gamma-forgotten",
        forward(normalised, lambda h, gamma, beta: h + beta),
        "The scale gamma is missing.",
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

BACKWARD = (
    mistake(
        "no-path-through-the-mean",
        dx(lambda dout, cache: input_gradient(dout, cache, mean=0.0)),
        "The mean of the example is a function of x too, and a part of the gradient comes back "
        "through it.",
        "dx",
        0.3,
    ),
    mistake(
        "no-path-through-the-variance",
        dx(lambda dout, cache: input_gradient(dout, cache, var=0.0)),
        "The variance of the example is a function of x too, and a part of the gradient comes back "
        "through it.",
        "dx",
        0.3,
    ),
    mistake(
        "statistics-taken-for-constants",
        dx(lambda dout, cache: input_gradient(dout, cache, mean=0.0, var=0.0)),
        "Mean and variance are treated as constants; both are computed from x, so there are three "
        "paths back.",
        "dx",
        0.4,
    ),
    mistake(
        "gamma-forgotten-in-dx",
        dx(without_gamma),
        "dx is computed as if gamma were 1: multiply dout with it before anything else.",
        "dx",
        0.3,
    ),
    mistake(
        "gamma-outside-the-means",
        dx(gamma_last),
        "gamma multiplies the finished gradient. In batch norm that is the same; here gamma "
        "differs along the very axis of the means, so it must enter before they are taken.",
        "dx",
        0.3,
    ),
    mistake(
        "sums-for-means",
        dx(sums_for_means),
        "The terms that come back through mean and variance lack their 1/D.",
        "dx",
        0.3,
    ),
    mistake(
        "divided-by-the-batch-size",
        dx(divided_by_the_batch_size),
        "The means in dx are divided by N. The statistics were taken over D features, so D is the "
        "number to divide by; a formula copied from batch norm has the other one.",
        "dx",
        0.3,
    ),
    mistake(
        "means-over-the-batch",
        dx(lambda dout, cache: input_gradient(dout, cache, axis=0)),
        "The means in dx run over the batch. The statistics were taken over the features of each "
        "example, and so are these.",
        "dx",
        0.3,
    ),
    mistake(
        "epsilon-forgotten",
        dx(epsilon_forgotten),
        "eps was inside the root on the way forward; the standard deviation on the way back must "
        "be the very same number.",
        "dx",
        0.2,
    ),
    mistake(
        "dgamma-with-the-raw-input",
        dgamma(lambda dout, cache: (dout * cache[0]).sum(axis=0)),
        "gamma multiplies the normalised input, not x.",
        "dgamma",
        0.25,
    ),
    mistake(
        "dgamma-without-the-input",
        dgamma(lambda dout, cache: dout.sum(axis=0)),
        "dgamma is the sum of dout alone, which is dbeta. What is gamma multiplied with?",
        "dgamma",
        0.25,
    ),
    mistake(
        "dgamma-over-the-features",
        dgamma(lambda dout, cache: (dout * cache[1]).sum(axis=1)),
        "dgamma is summed over the features and holds one number for each example. gamma has one "
        "for each feature: sum over the batch, although the statistics do not.",
        "dgamma",
        0.25,
    ),
    mistake(
        "dgamma-is-a-mean",
        dgamma(lambda dout, cache: (dout * cache[1]).mean(axis=0)),
        "dgamma is a mean over the batch where the sum belongs.",
        "dgamma",
        0.25,
    ),
    mistake(
        "dbeta-over-the-features",
        dbeta(lambda dout: dout.sum(axis=1)),
        "dbeta is summed over the features; beta has one number for each of them, shared by all "
        "examples.",
        "dbeta",
        0.25,
    ),
    mistake(
        "dbeta-is-a-mean",
        dbeta(lambda dout: dout.mean(axis=0)),
        "dbeta is a mean over the batch where the sum belongs.",
        "dbeta",
        0.2,
    ),
    mistake(
        "upstream-gradient-changed",
        changes_dout,
        "dout belongs to the layer above. Operators such as *= write into the caller's array.",
        "conduct",
    ),
    Misconception(
        "cache-in-a-global",
        {"layernorm_forward": _forward_with_global, "layernorm_backward": _backward_with_global},
        "What backward needs is kept outside the cache; the next layer norm overwrites it.",
        "conduct",
    ),
)


def pair(forward, backward):
    return {"layernorm_forward": forward, "layernorm_backward": backward}


EXERCISES = (
    Exercise(
        name="layernorm_forward",
        kind=Forward(),
        reference=REFERENCE,
        cases=CASES,
        misconceptions=FORWARD,
        variants=(cs231n_forward, loop_forward, keep_all),
    ),
    Exercise(
        name="layernorm_backward",
        kind=Backward("layernorm_forward", ("dx", "dgamma", "dbeta"), ("x", "gamma", "beta")),
        reference=REFERENCE,
        cases=CASES,
        misconceptions=BACKWARD,
        variants=(
            pair(cs231n_forward, cs231n_backward),
            pair(loop_forward, loop_backward),
            pair(keep_all, graph_backward),
        ),
    ),
)
