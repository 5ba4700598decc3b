"""Batch normalisation backward, along the graph and in closed form: one suite of mistakes."""

import dataclasses

import numpy as np

from autograder.battery.functions import Backward
from autograder.course.a4_normalization.batchnorm_variants import (
    cs231n_alt,
    cs231n_backward,
    cs231n_forward,
    staged_backward,
    staged_forward,
)
from autograder.course.drawing import layer_cases, numbers
from autograder.exercise import Exercise, Misconception
from cs_nn.layers.normalization import (
    batchnorm_backward,
    batchnorm_backward_alt,
    batchnorm_forward,
)

GRADIENTS = ("dx", "dgamma", "dbeta")


def draw(rng, shape):
    settings = {} if shape[0] % 2 else {"eps": 0.04, "momentum": 0.8}
    return {
        "x": np.round(numbers(rng, *shape) * 1.7 + 0.6, 3),
        "gamma": numbers(rng, shape[1]),
        "beta": numbers(rng, shape[1]),
        "bn_param": {"mode": "train"} | settings,
    }


CASES = layer_cases(
    draw,
    lambda args: args["x"].shape,
    ordinary=((5, 4), (6, 3), (8, 5)),
    deep=None,
    single=None,
    square=(4, 4),
    speed=(150, 130),
)


def keep_all(x, gamma, beta, bn_param):
    """A forward pass whose cache holds all that any mistake below asks for."""
    param = dict(bn_param)
    out, _ = batchnorm_forward(x, gamma, beta, param)
    eps = param.get("eps", 1e-5)
    std = np.sqrt(x.var(axis=0) + eps).astype(gamma.dtype)
    return out, (x, (x - x.mean(axis=0)) / std, std, gamma, beta, eps)


def input_gradient(dout, cache, mean=1.0, var=1.0):
    """The closed form; ``mean`` and ``var`` weigh the two paths through the statistics."""
    _, h, std, gamma = cache[:4]
    d = dout * gamma
    return (d - mean * d.mean(axis=0) - var * h * (d * h).mean(axis=0)) / std


def parameter_gradients(dout, cache):
    return (dout * cache[1]).sum(axis=0), dout.sum(axis=0)


def with_dx(dx):
    return lambda dout, cache: (
        dx(dout, cache).astype(dout.dtype),
        *parameter_gradients(dout, cache),
    )


def with_dgamma(dgamma):
    return lambda dout, cache: (
        input_gradient(dout, cache),
        dgamma(dout, cache),
        dout.sum(axis=0),
    )


def with_dbeta(dbeta):
    return lambda dout, cache: (
        input_gradient(dout, cache),
        parameter_gradients(dout, cache)[0],
        dbeta(dout),
    )


def without_gamma(dout, cache):
    x, h, std, gamma = cache[:4]
    return input_gradient(dout, (x, h, std, np.ones_like(gamma)))


def gamma_only_on_the_direct_path(dout, cache):
    x, h, std, gamma = cache[:4]
    plain = input_gradient(dout, (x, h, std, np.ones_like(gamma)))
    return plain + (gamma - 1) * dout / std


def sums_for_means(dout, cache):
    _, h, std, gamma = cache[:4]
    d = dout * gamma
    return (d - d.sum(axis=0) - h * (d * h).sum(axis=0)) / std


def root_forgotten(dout, cache):
    return input_gradient(dout, cache) / cache[2]


def deviation_forgotten(dout, cache):
    return input_gradient(dout, cache) * cache[2]


def factor_on_the_first_term(dout, cache):
    """γ/(N·σ)·N·dout − Σdout − x̂·Σ(dout·x̂), where parentheses are missing."""
    _, h, std, gamma = cache[:4]
    return dout * gamma / std - dout.sum(axis=0) - h * (dout * h).sum(axis=0)


def direct_path_overwritten(dout, cache):
    """What comes back through mean and variance alone."""
    _, _, std, gamma = cache[:4]
    return input_gradient(dout, cache) - dout * gamma / std


def centred_overwritten(dout, cache):
    """The gradient of x − μ that comes through the variance replaces the direct one."""
    _, h, std, gamma = cache[:4]
    along = -h * (dout * gamma * h).mean(axis=0) / std
    return along - along.mean(axis=0)


def variance_path_with_n_minus_one(dout, cache):
    n = max(len(dout), 2)
    return input_gradient(dout, cache, var=n / (n - 1))


def over_the_features(dout, cache):
    _, h, std, gamma = cache[:4]
    d = dout * gamma
    mean, along = d.mean(axis=1, keepdims=True), (d * h).mean(axis=1, keepdims=True)
    return (d - mean - h * along) / std


def x_for_x_hat(dout, cache):
    x, _, std, gamma = cache[:4]
    d = dout * gamma
    return (d - d.mean(axis=0) - x * (d * x).mean(axis=0)) / std


def epsilon_forgotten(dout, cache):
    x, gamma = cache[0], cache[3]
    std = x.std(axis=0)
    return input_gradient(dout, (x, (x - x.mean(axis=0)) / std, std, gamma))


def right(dout, cache):
    return input_gradient(dout, cache), *parameter_gradients(dout, cache)


def beta_first(dout, cache):
    dgamma, dbeta = parameter_gradients(dout, cache)
    return input_gradient(dout, cache), dbeta, dgamma


def dout_scaled_in_place(dout, cache):
    answer = input_gradient(dout, cache), *parameter_gradients(dout, cache)
    dout *= cache[3]
    return answer


def cache_changed(dout, cache):
    answer = input_gradient(dout, cache), *parameter_gradients(dout, cache)
    h = cache[1]
    h *= dout
    return answer


_last = {}


def _forward_with_global(x, gamma, beta, bn_param):
    out, _last["cache"] = keep_all(x, gamma, beta, bn_param)
    return out, None


def _backward_with_global(dout, cache):
    cache = _last["cache"]
    return input_gradient(dout, cache), *parameter_gradients(dout, cache)


def jacobian_backward(dout, cache):
    """Column by column with the whole Jacobian, in a loop."""
    x, h, std, gamma = cache[:4]
    n = len(dout)
    if n > 50:
        return input_gradient(dout, cache), *parameter_gradients(dout, cache)
    dx = np.zeros(dout.shape, dout.dtype)
    for j in range(dout.shape[1]):
        J = (np.eye(n, dtype=dout.dtype) - 1 / n - np.outer(h[:, j], h[:, j]) / n) / std[j]
        dx[:, j] = J.T @ (dout[:, j] * gamma[j])
    return [dx, np.einsum("nd,nd->d", dout, h), np.ones(n, dout.dtype) @ dout]


MISTAKES = (
    Misconception(
        "no-path-through-the-mean",
        with_dx(lambda dout, cache: input_gradient(dout, cache, mean=0.0)),
        "The mean of the batch is a function of x too, and a part of the gradient comes back "
        "through it. Without it dx does not sum to 0 over the batch, though moving all "
        "examples together changes nothing.",
        "dx",
        0.3,
    ),
    Misconception(
        "no-path-through-the-variance",
        with_dx(lambda dout, cache: input_gradient(dout, cache, var=0.0)),
        "The variance of the batch is a function of x too, and a part of the gradient comes "
        "back through it. Without it dx is not orthogonal to the normalised input, though "
        "stretching a feature changes nothing.",
        "dx",
        0.3,
    ),
    Misconception(
        "statistics-taken-for-constants",
        with_dx(lambda dout, cache: input_gradient(dout, cache, mean=0.0, var=0.0)),
        "Mean and variance are treated as constants. They are computed from x: draw the graph "
        "and count the arrows that leave x; there are three paths back.",
        "dx",
        0.4,
    ),
    Misconception(
        "factor-on-the-first-term-only",
        with_dx(factor_on_the_first_term),
        "The factor in front is multiplied to the first term alone; the two corrections are left "
        "without it. It belongs to all three: look at the parentheses.",
        "dx",
        0.3,
    ),
    Misconception(
        "direct-path-overwritten",
        with_dx(direct_path_overwritten),
        "dx lacks the direct path: what comes back through mean and variance has replaced it. "
        "Where something is used several times, its gradients add up.",
        "dx",
        0.35,
    ),
    Misconception(
        "centred-input-overwritten",
        with_dx(centred_overwritten),
        "x − μ is used twice, by the variance and by the quotient, and the gradient of the second "
        "use replaces that of the first. Gradients of one thing add up.",
        "dx",
        0.35,
    ),
    Misconception(
        "gamma-forgotten-in-dx",
        with_dx(without_gamma),
        "dx is computed as if gamma were 1. On its way back dout meets gamma first, before "
        "anything else happens to it.",
        "dx",
        0.3,
    ),
    Misconception(
        "gamma-only-on-the-direct-path",
        with_dx(gamma_only_on_the_direct_path),
        "gamma scales the direct path only. The paths through mean and variance start behind "
        "gamma as well: multiply dout with it once, then split.",
        "dx",
        0.3,
    ),
    Misconception(
        "sums-for-means",
        with_dx(sums_for_means),
        "The terms that come back through the statistics lack their 1/N: mean and variance "
        "are averages, so each example has only an N-th of the say in them.",
        "dx",
        0.3,
    ),
    Misconception(
        "divided-by-the-variance",
        with_dx(root_forgotten),
        "dx is divided by the standard deviation once too often. The forward pass divided by "
        "the root of the variance, not by the variance.",
        "dx",
        0.3,
    ),
    Misconception(
        "deviation-forgotten",
        with_dx(deviation_forgotten),
        "The forward pass divides by the standard deviation, so the gradient must too.",
        "dx",
        0.3,
    ),
    Misconception(
        "variance-path-with-n-minus-one",
        with_dx(variance_path_with_n_minus_one),
        "The path through the variance is weighed with 1/(N−1). The variance of this layer is "
        "divided by N.",
        "dx",
        0.2,
    ),
    Misconception(
        "means-over-the-features",
        with_dx(over_the_features),
        "The means in dx run over the features of an example. The statistics were taken over "
        "the batch, and so are these.",
        "dx",
        0.3,
    ),
    Misconception(
        "x-for-the-normalised-input-in-dx",
        with_dx(x_for_x_hat),
        "Where the formula for dx has the normalised input, x itself stands here.",
        "dx",
        0.3,
    ),
    Misconception(
        "epsilon-forgotten",
        with_dx(epsilon_forgotten),
        "eps was inside the root on the way forward; the standard deviation on the way back "
        "must be the very same number. Keep it in the cache.",
        "dx",
        0.2,
    ),
    Misconception(
        "dgamma-with-the-raw-input",
        with_dgamma(lambda dout, cache: (dout * cache[0]).sum(axis=0)),
        "gamma multiplies the normalised input, not x: that is what dgamma must be built with.",
        "dgamma",
        0.25,
    ),
    Misconception(
        "dgamma-with-the-centred-input",
        with_dgamma(lambda dout, cache: (dout * cache[1] * cache[2]).sum(axis=0)),
        "dgamma is built with the centred input; gamma multiplies what has been divided by the "
        "standard deviation as well.",
        "dgamma",
        0.25,
    ),
    Misconception(
        "dgamma-without-the-input",
        with_dgamma(lambda dout, cache: dout.sum(axis=0)),
        "dgamma is the sum of dout alone, which is dbeta. What is gamma multiplied with on the "
        "way forward?",
        "dgamma",
        0.25,
    ),
    Misconception(
        "dgamma-is-a-mean",
        with_dgamma(lambda dout, cache: (dout * cache[1]).mean(axis=0)),
        "dgamma is a mean over the batch where the sum belongs: the same gamma serves every "
        "example, and gradients of a shared number add up.",
        "dgamma",
        0.25,
    ),
    Misconception(
        "dgamma-not-summed",
        with_dgamma(lambda dout, cache: dout * cache[1]),
        "dgamma has the shape of the output. gamma is (D,), used for every example: add up "
        "over the batch.",
        "dgamma",
        0.25,
    ),
    Misconception(
        "dgamma-times-gamma",
        with_dgamma(lambda dout, cache: (dout * cache[3] * cache[1]).sum(axis=0)),
        "dgamma holds a factor gamma: the derivative of gamma·h with respect to gamma is h. "
        "Use dout here, not what comes behind gamma.",
        "dgamma",
        0.25,
    ),
    Misconception(
        "dbeta-is-a-mean",
        with_dbeta(lambda dout: dout.mean(axis=0)),
        "dbeta is a mean over the batch where the sum belongs: the same beta is added to every "
        "example.",
        "dbeta",
        0.2,
    ),
    Misconception(
        "dbeta-keeps-an-axis",
        with_dbeta(lambda dout: dout.sum(axis=0, keepdims=True)),
        "A gradient has exactly the shape of what it is the gradient of: beta is (D,), and an "
        "axis of length 1 is left over.",
        "dbeta",
        0.15,
    ),
    Misconception(
        "dbeta-summed-over-the-features",
        with_dbeta(lambda dout: dout.sum(axis=1)),
        "dbeta must hold one number for each feature; yours holds one for each example. Sum "
        "over the batch.",
        "dbeta",
        0.2,
    ),
    Misconception(
        "dgamma-and-dbeta-swapped",
        beta_first,
        "Gradients are returned in the order of the arguments: x, then gamma, then beta.",
        "dgamma",
        0.2,
    ),
    Misconception(
        "upstream-gradient-changed",
        dout_scaled_in_place,
        "dout belongs to the layer above. Operators such as *= write into the caller's array; "
        "give the product with gamma a name of its own.",
        "conduct",
    ),
    Misconception(
        "cache-changed",
        cache_changed,
        "Backward writes into an array of the cache, so a second call with the same cache "
        "finds other numbers. Make new arrays.",
        "conduct",
    ),
    Misconception(
        "cache-in-a-global",
        _backward_with_global,
        "What backward needs is kept outside the cache: the next batch-norm layer of the network "
        "overwrites it.",
        "conduct",
    ),
)
"""The backward pass of each mistake; `_misconceptions` puts a forward pass beside it."""


def _misconceptions(name):
    """The mistakes, for ``name``; each with a forward pass that keeps all it needs."""
    special = {"cache-in-a-global": _forward_with_global}
    return tuple(
        dataclasses.replace(m, wrong=_pair(name, special.get(m.code, keep_all), m.wrong))
        for m in MISTAKES
    )


def _pair(name, forward, backward):
    return {"batchnorm_forward": forward, name: backward}


def _exercise(name, function, *variants):
    return Exercise(
        name=name,
        kind=Backward("batchnorm_forward", GRADIENTS, ("x", "gamma", "beta")),
        reference={"batchnorm_forward": batchnorm_forward, name: function},
        cases=CASES,
        misconceptions=_misconceptions(name),
        variants=(
            *variants,
            _pair(name, cs231n_forward, cs231n_backward),
            _pair(name, staged_forward, staged_backward),
            _pair(name, keep_all, jacobian_backward),
        ),
    )


EXERCISES = (
    _exercise("batchnorm_backward", batchnorm_backward, batchnorm_backward_alt),
    _exercise(
        "batchnorm_backward_alt",
        batchnorm_backward_alt,
        _pair("batchnorm_backward_alt", cs231n_forward, cs231n_alt),
    ),
)
