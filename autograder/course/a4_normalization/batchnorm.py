"""Batch normalisation forward: statistics of the batch, running statistics, test mode."""

from functools import partial

import numpy as np

from autograder.battery.functions import CONDUCT
from autograder.battery.normalization import BatchNorm
from autograder.course.a4_normalization.batchnorm_variants import (
    cs231n_forward,
    folded_forward,
    loop_forward,
)
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.normalization import batchnorm_forward


def running(rng, d):
    return {"running_mean": numbers(rng, d), "running_var": np.abs(numbers(rng, d)) + 0.5}


def forward_case(
    rng,
    shape,
    bn_param=None,
    check="",
    *,
    x=None,
    tags=(),
    dtype: type = np.float64,
    words="",
    spread=False,
):
    """Three training batches of different sizes and one for test mode, of inputs like ``x``."""
    n, d = shape[0], shape[1]

    def batch(size):
        return np.round(numbers(rng, size, *shape[1:]) * 1.6 + 0.7, 3)

    args = {
        "x": batch(n) if x is None else x,
        "gamma": numbers(rng, d),
        "beta": numbers(rng, d),
        "bn_param": bn_param or {},
    }
    extra = {
        "batches": [batch(n + 1).astype(dtype), batch(n + 2).astype(dtype)],
        "test": batch(max(2, n - 1)).astype(dtype),
        "statistics": as_dtype(running(rng, d), dtype),
    }
    args = as_dtype(strided(args) if spread else args, dtype)
    more = ", ".join(f"{key} {value}" for key, value in (bn_param or {}).items() if key in DEFAULTS)
    label = f"{words}x of shape {shape}" + (f" with {more}" if more else "")
    return Case(label, args, check, frozenset(tags), extra)


DEFAULTS = ("eps", "momentum")


def forward_cases(rng, inner=()):
    """The suite; ``inner`` are the axes of an image."""

    def case(n, d, *args, **options):
        return forward_case(rng, (n, d, *inner), *args, **options)

    constant = np.round(numbers(rng, 6, 3, *inner), 3)
    constant[:, 1] = 2.5
    whole = np.rint(4 * numbers(rng, 5, 3, *inner)).astype(np.int64)
    narrow = 0.003 * numbers(rng, 6, 3, *inner)
    return [
        case(7, 4, tags=[CONDUCT, "default parameters"]),
        case(5, 3, {"eps": 0.05, "momentum": 0.8} | running(rng, 3)),
        case(6, 5, {"eps": 0.3, "momentum": 0.35}),
        case(4, 4, {"momentum": 0.6} | running(rng, 4), tags=["square"]),
        case(6, 3, {"eps": 0.0, "momentum": 0.0} | running(rng, 3), "settings of 0", x=narrow),
        case(1, 3, None, "N = 1"),
        case(6, 3, None, "constant features", x=constant, words="one constant feature in "),
        case(5, 3, None, "non-contiguous", words="strided ", spread=True),
        case(5, 3, None, "float32", dtype=np.float32, words="float32 "),
        case(5, 3, None, "integer inputs", x=whole, tags=["any float", "may refuse"],
             words="integer "),
    ]  # fmt: skip


def normalise(
    x, gamma, beta, bn_param, *, mean=np.mean, var=np.var, keep_var=None, scale=None, update=None,
    test=None, affine=None, test_affine=None, zeros=None, eps=None, momentum=None, axis=0,
    inside=None,
):  # fmt: skip
    """Batch normalisation with one thing changed."""
    eps = bn_param.get("eps", 1e-5) if eps is None else eps
    momentum = bn_param.get("momentum", 0.9) if momentum is None else momentum
    zeros = zeros or (lambda: np.zeros(x.shape[1], x.dtype if x.dtype.kind == "f" else float))
    old_mean = bn_param.get("running_mean", zeros())
    old_var = bn_param.get("running_var", zeros())
    scale = scale or (lambda v, e: 1 / np.sqrt(v + e))
    affine = affine or (lambda h: gamma * h + beta)
    update = update or (lambda old, new, m: m * old + (1 - m) * new)
    if bn_param["mode"] == "test":
        test = test or (lambda: (x - old_mean) * scale(old_var, eps))
        return (test_affine or affine)(test()), None
    mu, v = mean(x, axis=axis), var(x, axis=axis)
    if axis:
        mu, v = mu[:, None], v[:, None]
    bn_param["running_mean"] = update(old_mean, mu, momentum)
    bn_param["running_var"] = update(old_var, keep_var(x) if keep_var else v, momentum)
    if inside:
        mu, v = inside(bn_param)
    return affine((x - mu) * scale(v, eps)), None


def wrong(**change):
    return partial(normalise, **change)


def test_mode_by_batch(x, gamma, beta, bn_param):
    h = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + bn_param.get("eps", 1e-5))
    return normalise(x, gamma, beta, bn_param, test=lambda: h)


def mean_overwritten(x, gamma, beta, bn_param):
    """The running mean stands in the variable of the batch mean before the variance is taken."""
    if bn_param["mode"] == "test":
        return normalise(x, gamma, beta, bn_param)
    old = dict(bn_param)
    normalise(x, gamma, beta, bn_param)
    mu, m = bn_param["running_mean"], bn_param.get("momentum", 0.9)
    v = ((x - mu) ** 2).mean(axis=0)
    bn_param["running_var"] = m * old.get("running_var", np.zeros_like(v)) + (1 - m) * v
    return gamma * (x - mu) / np.sqrt(v + bn_param.get("eps", 1e-5)) + beta, None


def affine_forgotten(x, gamma, beta, bn_param):
    return normalise(x, gamma, beta, bn_param, affine=lambda h: h)


def beta_forgotten(x, gamma, beta, bn_param):
    return normalise(x, gamma, beta, bn_param, affine=lambda h: gamma * h)


def gamma_forgotten(x, gamma, beta, bn_param):
    return normalise(x, gamma, beta, bn_param, affine=lambda h: h + beta)


def affine_swapped(x, gamma, beta, bn_param):
    return normalise(x, gamma, beta, bn_param, affine=lambda h: beta * h + gamma)


def affine_forgotten_in_test(x, gamma, beta, bn_param):
    return normalise(x, gamma, beta, bn_param, test_affine=lambda h: h)


def not_stored(x, gamma, beta, bn_param):
    return normalise(x, gamma, beta, dict(bn_param))


def zero_is_missing(x, gamma, beta, bn_param):
    mine = {k: v for k, v in bn_param.items() if isinstance(v, np.ndarray) or v != 0}
    out = normalise(x, gamma, beta, mine)
    bn_param.update({key: mine[key] for key in mine if key.startswith("running")})
    return out


def first_batch_starts(x, gamma, beta, bn_param):
    if bn_param["mode"] == "train" and "running_mean" not in bn_param:
        return normalise(x, gamma, beta, bn_param, update=lambda old, new, m: new)
    return normalise(x, gamma, beta, bn_param)


def test_mode_without_defaults(x, gamma, beta, bn_param):
    if bn_param["mode"] == "test":
        bn_param = {"running_mean": bn_param["running_mean"], **bn_param}
    return normalise(x, gamma, beta, bn_param)


def settings_taken_out(x, gamma, beta, bn_param):
    eps = bn_param.pop("eps", 1e-5)
    return normalise(x, gamma, beta, bn_param, eps=eps)


def only_the_mean_stored(x, gamma, beta, bn_param):
    mine = dict(bn_param)
    out = normalise(x, gamma, beta, mine)
    bn_param["running_mean"] = mine.get("running_mean")
    bn_param.setdefault("running_var", np.zeros(x.shape[1], gamma.dtype))
    return out


def updated_in_test(x, gamma, beta, bn_param):
    out = normalise(x, gamma, beta, bn_param)
    if bn_param["mode"] == "test":
        normalise(x, gamma, beta, other := bn_param | {"mode": "train"})
        bn_param.update(other, mode="test")
    return out


def always_wide(x, gamma, beta, bn_param):
    return normalise(x, gamma, beta, bn_param, zeros=lambda: np.zeros(x.shape[1]))


def test_scale(scale):
    def test_mode(x, gamma, beta, bn_param):
        eps = bn_param.get("eps", 1e-5)
        mean, var = (bn_param.get(key, gamma * 0) for key in ("running_mean", "running_var"))
        return normalise(
            x, gamma, beta, bn_param, test=lambda: (x - mean) * scale(var, eps).astype(gamma.dtype)
        )

    return test_mode


def input_centred_in_place(x, gamma, beta, bn_param):
    out = normalise(x, gamma, beta, bn_param)
    if bn_param["mode"] == "train" and x.dtype.kind == "f":
        x -= x.mean(axis=0)
    return out


FORWARD_MISCONCEPTIONS = (
    Misconception(
        "unbiased-running-variance",
        wrong(keep_var=lambda x: x.var(axis=0, ddof=1)),
        "The variance kept for test time is divided by N−1, the one in the formula by N. This "
        "course averages the very variance that the batch was normalised with.",
        "running_var",
        0.2,
    ),
    Misconception(
        "variance-with-n-minus-one",
        wrong(var=lambda x, axis: x.var(axis=axis, ddof=1)),
        "The variance is divided by N−1. Batch normalisation wants the mean of the squared "
        "deviations, divided by N: it describes this batch, it does not estimate another one.",
        "out",
        0.4,
    ),
    Misconception(
        "epsilon-outside-the-root",
        wrong(scale=lambda v, e: 1 / (np.sqrt(v) + e)),
        "eps is added to the standard deviation. It belongs to the variance, inside the root; "
        "for features that hardly vary the two differ a great deal.",
        "out",
        0.2,
    ),
    Misconception(
        "epsilon-forgotten",
        wrong(scale=lambda v, e: 1 / np.sqrt(v)),
        "eps never enters. A feature that is constant over the batch then divides 0 by 0.",
        "out",
        0.2,
    ),
    Misconception(
        "epsilon-hard-coded",
        wrong(eps=1e-5),
        "eps is always 1e-5, whatever bn_param says. Read it from there, and fall back on the "
        "default only where it is missing.",
        "out",
        0.2,
    ),
    Misconception(
        "momentum-hard-coded",
        wrong(momentum=0.9),
        "The averages always move with momentum 0.9, whatever bn_param says. Read it from there.",
        "running_mean",
        0.15,
    ),
    Misconception(
        "zero-taken-for-missing",
        zero_is_missing,
        "A setting of 0 is replaced by its default. `or` takes 0 for nothing, as it takes None; "
        "only a key that is not there is missing.",
        "settings of 0",
        0.1,
    ),
    Misconception(
        "no-defaults-in-test-mode",
        test_mode_without_defaults,
        "Test mode relies on training having been there before. A key that is missing takes its "
        "default in both modes, and that of the running statistics is zeros.",
        "out in test mode before any training",
        0.1,
    ),
    Misconception(
        "settings-taken-out",
        settings_taken_out,
        "A setting is gone from bn_param after the call, so that the next one finds only the "
        "default. pop takes a key out; look it up instead.",
        "conduct",
    ),
    Misconception(
        "momentum-swapped",
        wrong(update=lambda old, new, m: (1 - m) * old + m * new),
        "momentum is the part of the old average that stays, here it is the part of the new batch. "
        "With 0.9 the averages would forget almost everything at each step.",
        "running_mean",
        0.2,
    ),
    Misconception(
        "running-statistics-of-the-last-batch",
        wrong(update=lambda old, new, m: new),
        "The running statistics are replaced by those of the last batch. Test mode would depend on "
        "which batch happened to come last; they should be averaged over many.",
        "running_mean",
        0.25,
    ),
    Misconception(
        "first-batch-starts-the-average",
        first_batch_starts,
        "Where there are no running statistics yet, those of the first batch are taken whole. Here "
        "the averages start from zeros, and the first batch enters with the share 1 − momentum "
        "like any other.",
        "running_mean",
        0.15,
    ),
    Misconception(
        "running-statistics-summed",
        wrong(update=lambda old, new, m: m * old + new),
        "The old average is scaled down but the new batch enters in full, so the sum grows towards "
        "1/(1 − momentum) times what it should be. The two weights must add up to 1.",
        "running_mean",
        0.25,
    ),
    Misconception(
        "running-statistics-not-stored",
        not_stored,
        "The running statistics are computed and then lost: nothing in bn_param changes. The next "
        "call, and test mode, can only find what is written back into the dictionary.",
        "running_mean",
        0.3,
    ),
    Misconception(
        "running-variance-not-stored",
        only_the_mean_stored,
        "The running mean is kept but the running variance never moves. Test mode needs both.",
        "running_var",
        0.2,
    ),
    Misconception(
        "running-standard-deviation",
        wrong(keep_var=lambda x: x.std(axis=0)),
        "running_var collects standard deviations. Test mode will take the root of it once more.",
        "running_var",
        0.2,
    ),
    Misconception(
        "running-statistics-in-float64",
        always_wide,
        "For float32 inputs the running statistics come back in float64, and with them every "
        "output of test mode. Give the zeros that you start from the dtype of the inputs.",
        "float32",
        0.1,
    ),
    Misconception(
        "batch-statistics-in-test-mode",
        test_mode_by_batch,
        "Test mode normalises with the batch it is given. An example's answer then depends on its "
        "batch-mates, and a single example becomes beta: use what training has collected.",
        "out in test mode",
        0.35,
    ),
    Misconception(
        "gamma-and-beta-forgotten-in-test-mode",
        affine_forgotten_in_test,
        "Test mode normalises and stops there. gamma and beta are part of the layer at all times; "
        "the layers above were trained on what comes after them.",
        "out in test mode",
        0.3,
    ),
    Misconception(
        "gamma-and-beta-forgotten",
        affine_forgotten,
        "The output is the normalised input itself. gamma and beta give the layer back the freedom "
        "to choose scale and shift, and never enter here.",
        "out",
        0.4,
    ),
    Misconception(
        "beta-forgotten",
        beta_forgotten,
        "The shift beta is missing: every feature comes out with mean 0.",
        "out",
        0.3,
    ),
    Misconception(
        "gamma-forgotten",
        gamma_forgotten,
        "The scale gamma is missing: every feature comes out with variance 1.",
        "out",
        0.3,
    ),
    Misconception(
        "gamma-and-beta-swapped",
        affine_swapped,
        "gamma and beta change places: gamma multiplies, beta is added.",
        "out",
        0.3,
    ),
    Misconception(
        "statistics-updated-in-test-mode",
        updated_in_test,
        "A forward pass in test mode moves the running statistics. Testing must leave no trace in "
        "the network: the same data twice would give two answers.",
        "statistics after testing",
        0.25,
    ),
    Misconception(
        "epsilon-forgotten-in-test-mode",
        test_scale(lambda v, e: 1 / np.sqrt(v)),
        "Test mode leaves eps out; it should do the same as training but for the source of mean "
        "and variance.",
        "out in test mode",
        0.2,
    ),
    Misconception(
        "variance-for-deviation-in-test-mode",
        test_scale(lambda v, e: 1 / (v + e)),
        "Test mode divides by the variance. What has units of x is its root.",
        "out in test mode",
        0.3,
    ),
    Misconception(
        "variance-for-deviation",
        wrong(scale=lambda v, e: 1 / (v + e)),
        "The input is divided by the variance. Dividing by its root, the standard deviation, is "
        "what leaves a variance of 1.",
        "out",
        0.4,
    ),
    Misconception(
        "batch-mean-overwritten",
        mean_overwritten,
        "The running mean takes the place of the batch mean before the variance is taken, so that "
        "both are wrong: keep the two apart, under names of their own.",
        "out",
        0.35,
    ),
    Misconception(
        "normalised-by-the-running-statistics",
        wrong(inside=lambda bn_param: (bn_param["running_mean"], bn_param["running_var"])),
        "Training normalises with the running statistics. They lag behind; in training each batch "
        "is normalised by its own mean and variance, and gradients flow through these.",
        "out",
        0.4,
    ),
    Misconception(
        "one-mean-for-all-features",
        wrong(
            mean=lambda x, axis: np.full(x.shape[1], x.mean()).astype(x.mean(axis=0).dtype),
            var=lambda x, axis: np.full(x.shape[1], x.var()).astype(x.mean(axis=0).dtype),
        ),
        "One mean and one variance are taken over the whole array. Each feature is normalised on "
        "its own: over which axis do the examples lie?",
        "out",
        0.5,
    ),
    Misconception(
        "normalised-over-the-features",
        wrong(axis=1),
        "Each example is normalised over its features; that is layer normalisation. Batch "
        "normalisation compares the examples, feature by feature.",
        "out",
        0.5,
    ),
    Misconception(
        "input-centred-in-place",
        input_centred_in_place,
        "The mean is subtracted from x itself. The caller still needs its x: a network keeps it "
        "for the backward pass of the layer below.",
        "conduct",
    ),
)

EXERCISES = (
    Exercise(
        name="batchnorm_forward",
        kind=BatchNorm(),
        reference={"batchnorm_forward": batchnorm_forward},
        cases=forward_cases,
        misconceptions=FORWARD_MISCONCEPTIONS,
        variants=(cs231n_forward, loop_forward, folded_forward),
    ),
)
