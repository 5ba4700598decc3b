"""Layer-sequential unit variance: measured where, and on whose signals."""

from dataclasses import replace

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.a3_initialization.signals import stack, wrong
from autograder.exercise import Case, Exercise
from cs_nn import initializers as reference


def lsuv_cases(rng):
    def case(
        n, sizes, kind, check="", dtype: type = np.float64, words="", centre=0.4, size=1.0, **more
    ):
        args = {
            "weights": [(size * w).astype(dtype) for w in stack(rng, sizes)],
            "x": np.round(rng.normal(centre, 1.3, (n, sizes[0])), 3).astype(dtype),
            "nonlinearity": kind,
        } | more
        given = "".join(f", {k} = {v:g}" for k, v in more.items())
        label = f"{words}{len(sizes) - 1} layers of sizes {list(sizes)} with {kind}{given}"
        return Case(label, args, check, extra={"tolerance": 1e-4})

    def just_outside():
        """A first layer whose variance is a little more than the tolerance away from 1."""
        made = case(30, (6, 8, 5), "relu")
        weights, x = made.args["weights"], made.args["x"]
        weights[0] *= np.sqrt(1.015 / (x @ weights[0]).var())
        return replace(made, label=f"{made.label} and a variance of 1.015 in the first")

    return [
        case(30, (6, 8, 5, 7), "relu"),
        case(25, (4, 9, 6), "tanh", size=0.2),
        case(40, (5, 7, 3, 6, 4), "relu", tolerance=1e-3),
        case(20, (7, 5, 6), "identity", max_iterations=1),
        just_outside(),
        case(30, (5, 6), "relu", "one layer"),
        case(30, (4, 6, 5), "relu", "float32", np.float32, "float32: "),
    ]


def rescaled(divide=None, before=True, sequential=True, pass_on=None, layers=slice(None)):
    """LSUV with one thing changed; ``divide(variance-bearing array)`` gives the divisor."""
    divide = divide or (lambda h: h.std())

    def lsuv(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
        h, out = x, []
        for k, w in enumerate(weights):
            signal = h @ w if before else nonlinearity(h @ w)
            chosen = k in range(len(weights))[layers]
            new = (w / divide(signal)).astype(w.dtype) if chosen else w.copy()
            out.append(new)
            used = new if sequential else w
            h = pass_on(h @ used) if pass_on else nonlinearity(h @ used)
        return out

    return lsuv


def in_rounds(variance, divisor=np.sqrt, again=True):
    """LSUV in rounds, as the paper has it, with one thing changed: what is measured
    (``variance(z, nonlinearity)``), what divides, and whether it is measured again."""

    def lsuv(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
        h, out = x, []
        for w in weights:
            seen = variance(h @ w, nonlinearity)
            for _ in range(max_iterations):
                if abs(seen - 1) < tolerance:
                    break
                w = (w / divisor(seen)).astype(w.dtype)
                seen = variance(h @ w, nonlinearity) if again else seen
            out.append(w.copy())
            h = nonlinearity(h @ w)
        return out

    return lsuv


def by_spread_of_weights(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    return [(w / w.std()).astype(w.dtype) for w in weights]


def unit_by_unit(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    h, out = x, []
    for w in weights:
        out.append((w / (h @ w).std(axis=0)).astype(w.dtype))
        h = nonlinearity(h @ out[-1])
    return out


def only_large_ones(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    h, out = x, []
    for w in weights:
        deviation = (h @ w).std()
        out.append((w / deviation).astype(w.dtype) if deviation**2 - 1 >= tolerance else w.copy())
        h = nonlinearity(h @ out[-1])
    return out


def by_spread_and_fan_in(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    return [(w / (w.std() * np.sqrt(len(w)))).astype(w.dtype) for w in weights]


def weights_overwritten(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    h = x
    for w in weights:
        w /= (h @ w).std()
        h = nonlinearity(h @ w)
    return weights


def activations_returned(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    h, out = x, []
    for w in rescaled()(weights, x, nonlinearity):
        h = nonlinearity(h @ w)
        out.append(h)
    return out


def multiplied(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    h, out = x, []
    for w in weights:
        out.append((w * (h @ w).std()).astype(w.dtype))
        h = nonlinearity(h @ out[-1])
    return out


def made_orthogonal(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    fresh = []
    for w in weights:
        q = np.linalg.qr(w if len(w) >= len(w.T) else w.T)[0]
        fresh.append((q if len(w) >= len(w.T) else q.T).astype(w.dtype))
    return rescaled()(fresh, x, nonlinearity)


def lsuv_in_a_loop(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    out = [w.copy() for w in weights]
    for k in range(len(out)):
        for _ in range(max_iterations):
            h = x
            for w in out[:k]:
                h = nonlinearity(np.dot(h, w))
            variance = np.var(np.dot(h, out[k]))
            if abs(variance - 1.0) < tolerance:
                break
            out[k] = out[k] / np.sqrt(variance)
    return out


def lsuv_by_moments(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    h, result = np.array(x), ()
    for w in weights:
        z = np.einsum("nd,dm->nm", h, w)
        scale = float(np.mean(z * z) - np.mean(z) ** 2) ** -0.5
        result += (w * scale,)
        h = nonlinearity(z * scale)
    return list(result)


VARIANCE = "variance before the nonlinearity"

LSUV = (
    wrong(
        "divided-by-the-variance",
        rescaled(lambda h: h.var()),
        "The weights are divided by the variance. Scaling weights by s scales the variance by s²: "
        "divide by the root.",
        VARIANCE,
        0.4,
    ),
    wrong(
        "divided-by-the-variance-in-rounds",
        in_rounds(lambda z, f: z.var(), lambda v: v),
        "The weights are divided by the variance, round after round, and jump to and fro between "
        "it and its inverse. Scaling weights by s scales the variance by s²: divide by the root.",
        VARIANCE,
        0.4,
    ),
    wrong(
        "never-measured-again",
        in_rounds(lambda z, f: z.var(), again=False),
        "The variance is measured once, before the loop, so the weights are divided by the same "
        "number in every round. Measure again after each rescaling.",
        VARIANCE,
        0.4,
    ),
    wrong(
        "second-moment-for-variance",
        rescaled(lambda h: np.sqrt(np.mean(h**2))),
        "The mean of the squares is brought to 1. Behind a ReLU the signals are not centred, so "
        "the variance is less: subtract the square of the mean.",
        VARIANCE,
        0.35,
    ),
    wrong(
        "after-the-nonlinearity",
        rescaled(before=False),
        "The variance behind the nonlinearity is looked at; the one before it should be 1.",
        VARIANCE,
        0.35,
    ),
    wrong(
        "after-the-nonlinearity-in-rounds",
        in_rounds(lambda z, f: f(z).var()),
        "Round after round the variance behind the nonlinearity is looked at (that of a tanh is "
        "always below 1, so the weights grow and grow); the one before it should be 1.",
        VARIANCE,
        0.35,
    ),
    wrong(
        "signals-of-the-old-weights",
        rescaled(sequential=False),
        "The signal is sent on through the old weights, so every later layer is measured on inputs "
        "that it will never see. Send it through the rescaled ones.",
        VARIANCE,
        0.4,
    ),
    wrong(
        "nonlinearity-forgotten",
        rescaled(pass_on=lambda h: h),
        "The signal goes from layer to layer without the nonlinearity.",
        VARIANCE,
        0.4,
    ),
    wrong(
        "first-layer-only",
        rescaled(layers=slice(0, 1)),
        "Only the first layer is rescaled; go on, layer by layer.",
        VARIANCE,
        0.5,
    ),
    wrong(
        "last-layer-left-out",
        rescaled(layers=slice(0, -1)),
        "The last layer stays as it was.",
        VARIANCE,
        0.3,
    ),
    wrong(
        "spread-of-the-weights",
        by_spread_of_weights,
        "The weights themselves are brought to variance 1. What counts is the variance of what "
        "they make of the data.",
        VARIANCE,
        0.5,
    ),
    wrong(
        "spread-of-the-weights-by-fan-in",
        by_spread_and_fan_in,
        "The weights themselves are brought to variance 1/fan_in, without a look at the data. What "
        "counts is the variance of what they make of the data.",
        VARIANCE,
        0.5,
    ),
    wrong(
        "small-variances-left",
        only_large_ones,
        "Layers whose variance is too small are left as they are. It should be neither larger nor "
        "smaller than 1: how far away is it, on either side?",
        VARIANCE,
        0.3,
    ),
    wrong(
        "unit-by-unit",
        unit_by_unit,
        "Each unit is rescaled for itself. LSUV has one factor for a whole layer.",
        "direction",
        0.35,
    ),
    wrong(
        "multiplied-by-the-deviation",
        multiplied,
        "The weights are multiplied by the deviation, which drives it away from 1.",
        VARIANCE,
        0.4,
    ),
    wrong(
        "made-orthogonal-first",
        made_orthogonal,
        "The weights are replaced by orthogonal ones. The paper begins so, but here the given "
        "matrices are only rescaled.",
        "direction",
        0.3,
    ),
    wrong(
        "activations-returned",
        activations_returned,
        "The activations come back; the rescaled weights are wanted.",
        "shapes",
        0.4,
    ),
    wrong(
        "weights-overwritten",
        weights_overwritten,
        "The matrices that you are given are changed. Make new ones, in a new list.",
        "conduct",
    ),
)

EXERCISES = (
    Exercise(
        name="lsuv_init",
        kind=Scripted("lsuv"),
        reference={"lsuv_init": reference.lsuv_init},
        cases=lsuv_cases,
        misconceptions=LSUV,
        variants=(lsuv_in_a_loop, lsuv_by_moments, rescaled()),
    ),
)
