"""Initialisers: the right spread, drawn for each weight."""

import numpy as np

from autograder.battery.initializers import Initializer
from autograder.exercise import Case, Exercise, Misconception
from cs_nn import initializers as reference

SHAPES = ((300, 40), (40, 320), (120, 90))
"""Tall, wide and nearly square: fan_in, fan_out, their sum and mean all differ."""


def cases_for(true_variance, *settings):
    """Cases of an initialiser whose variance is ``true_variance(fan_in, fan_out, **settings)``."""

    def cases(rng):
        def case(shape, chosen, check=""):
            args = {
                "fan_in": shape[0],
                "fan_out": shape[1],
                "seed": int(rng.integers(1, 2**31)),
                "settings": chosen,
            }
            given = "".join(f", {k} = {v:g}" for k, v in chosen.items())
            label = f"fan_in = {shape[0]}, fan_out = {shape[1]}{given}"
            extra = {"variance": float(true_variance(*shape, **chosen))}
            return Case(label, args, check, extra=extra)

        chosen = settings or ({},)
        made = [case(s, chosen[i % len(chosen)]) for i, s in enumerate(SHAPES)]
        return [*made, case((7, 1), chosen[0], "one unit"), case((1, 5), chosen[0], "one input")]

    return cases


def normal(std):
    return lambda fan_in, fan_out, rng: (
        std(fan_in, fan_out) * rng.standard_normal((fan_in, fan_out))
    )


def uniform(limit):
    return lambda fan_in, fan_out, rng: rng.uniform(
        -limit(fan_in, fan_out), limit(fan_in, fan_out), (fan_in, fan_out)
    )


def alike(std):
    """One column for all units."""
    return lambda fan_in, fan_out, rng: np.tile(
        std(fan_in, fan_out) * rng.standard_normal((fan_in, 1)), (1, fan_out)
    )


def transposed(draw):
    return lambda fan_in, fan_out, rng: draw(fan_in, fan_out, rng).T


def ignoring(draw):
    return lambda fan_in, fan_out, rng: draw(fan_in, fan_out, np.random.default_rng(0))


def unseeded(draw):
    return lambda fan_in, fan_out, rng: draw(fan_in, fan_out, np.random.default_rng())


def positive(draw):
    return lambda fan_in, fan_out, rng: np.abs(draw(fan_in, fan_out, rng))


def by_signs(std):
    return lambda fan_in, fan_out, rng: (
        std(fan_in, fan_out) * rng.choice([-1.0, 1.0], (fan_in, fan_out))
    )


SENTENCES = {
    "root-forgotten": (
        "The draws are multiplied by the variance. A standard normal number has to be multiplied "
        "by the standard deviation: take the root.",
        "variance",
        0.4,
    ),
    "root-without-brackets": (
        "** comes before /, so ** 1 / 2 is a half and not a root: put the exponent in brackets.",
        "variance",
        0.4,
    ),
    "fan-out-for-fan-in": (
        "The spread follows fan_out. What a unit adds up are its fan_in inputs, so the forward "
        "signal is kept by their number.",
        "variance",
        0.4,
    ),
    "fan-in-alone": (
        "The spread follows fan_in alone. Xavier's compromise keeps forward and backward signals, "
        "so both fans count.",
        "variance",
        0.35,
    ),
    "fan-out-alone": (
        "The spread follows fan_out alone. Xavier's compromise keeps forward and backward signals, "
        "so both fans count.",
        "variance",
        0.35,
    ),
    "product-of-the-fans": (
        "The fans are multiplied; the formula adds them.",
        "variance",
        0.35,
    ),
    "two-forgotten": (
        "A factor 2 is missing in the variance: look at the formula again, and at where the 2 "
        "comes from.",
        "variance",
        0.3,
    ),
    "two-too-many": (
        "The variance is twice what it should be. The 2 of ReLU does not belong here.",
        "variance",
        0.3,
    ),
    "not-scaled": (
        "The draws have variance 1 (or a limit of 1), whatever the size of the layer. With many "
        "inputs the sums grow and saturate the next layer.",
        "variance",
        0.5,
    ),
    "divided-by-fan-in-twice": (
        "The standard deviation is used where the formula has been scaled already: the weights are "
        "far too small.",
        "variance",
        0.4,
    ),
    "uniform-for-normal": (
        "The draws are uniform: none lies beyond a limit. Normal ones are asked for.",
        "distribution",
        0.3,
    ),
    "normal-for-uniform": (
        "The draws are normal; uniform ones are asked for, which all lie within a limit.",
        "distribution",
        0.3,
    ),
    "limit-taken-for-the-deviation": (
        "The limit of the uniform distribution is used as a standard deviation of normal draws. "
        "Between ±limit all values are equally likely, and none lies beyond.",
        "distribution",
        0.4,
    ),
    "deviation-taken-for-the-limit": (
        "The standard deviation is used as the limit. Uniform numbers within ±limit have the "
        "variance limit²/3, so the limit is √3 times the deviation.",
        "variance",
        0.35,
    ),
    "draws-not-centred": (
        "All weights are positive (or lie on one side), so a unit can only push one way. The "
        "distribution is symmetric about 0.",
        "mean",
        0.4,
    ),
    "only-signs-drawn": (
        "All weights have the same size and only the sign is drawn. A normal distribution is "
        "asked for.",
        "distribution",
        0.35,
    ),
    "all-units-alike": (
        "All units get the same weights. They then compute the same, get the same gradient and "
        "stay the same for ever: draw a whole matrix.",
        "units",
        0.5,
    ),
    "transposed": (
        "The matrix is (fan_out, fan_in). In this course a layer computes x @ w, so rows are "
        "inputs and columns are units.",
        "shape",
        0.3,
    ),
    "generator-ignored": (
        "The draws start from a seed of their own, so every layer of a shape gets the same "
        "weights. Use the generator that you are given.",
        "rng",
        0.3,
    ),
    "draws-from-elsewhere": (
        "The draws do not come from rng: the same generator gives other weights each time, and no "
        "experiment can be repeated.",
        "rng",
        0.3,
    ),
}


def mistakes(**wrong):
    """Misconceptions by the codes of `SENTENCES`, dashes written as underscores."""
    made = []
    for key, implementation in wrong.items():
        code = key.replace("_", "-")
        sentence, aspect, severity = SENTENCES[code]
        made.append(Misconception(code, implementation, sentence, aspect, severity))
    return tuple(made)


def common(draw, std):
    """What can go wrong with every initialiser."""
    return mistakes(
        all_units_alike=alike(std),
        transposed=transposed(draw),
        generator_ignored=ignoring(draw),
        draws_from_elsewhere=unseeded(draw),
        draws_not_centred=positive(draw),
    )


def variants(name, std, uniform=False):
    """Correct draws in four styles."""

    def by_method(fan_in, fan_out, rng):
        if uniform:
            return (2 * rng.random((fan_in, fan_out)) - 1) * (std(fan_in, fan_out) * 3**0.5)
        return rng.normal(0.0, std(fan_in, fan_out), size=(fan_in, fan_out))

    def by_columns(fan_in, fan_out, rng):
        s = std(fan_in, fan_out)
        draw = (
            (lambda: rng.uniform(-(3**0.5) * s, 3**0.5 * s, fan_in))
            if uniform
            else (lambda: rng.standard_normal(fan_in) * s)
        )
        return np.column_stack([draw() for _ in range(fan_out)])

    def turned(fan_in, fan_out, rng):
        s = std(fan_in, fan_out)
        if uniform:
            return rng.uniform(-np.sqrt(3 * s**2), np.sqrt(3 * s**2), (fan_out, fan_in)).T
        return rng.normal(scale=s, size=(fan_out, fan_in)).T

    made = (by_method, by_columns, turned)
    for function in made:
        function.__name__ = f"{name} {function.__name__}"
    return made


def exercise(name, std, wrong, *settings, uniform_draws=False):
    function = getattr(reference, name)
    return Exercise(
        name=name,
        kind=Initializer(),
        reference={name: function},
        cases=cases_for(lambda i, o, **s: std(i, o) ** 2, *settings),
        misconceptions=(
            *wrong,
            *common(
                uniform(lambda i, o: 3**0.5 * std(i, o)) if uniform_draws else normal(std), std
            ),
        ),
        variants=variants(name, std, uniform_draws),
    )


def xavier(i, o):
    return (2 / (i + o)) ** 0.5


def kaiming(i, o):
    return (2 / i) ** 0.5


def lecun(i, o):
    return (1 / i) ** 0.5


def xavier_limit(i, o):
    return (6 / (i + o)) ** 0.5


def kaiming_limit(i, o):
    return (6 / i) ** 0.5


XAVIER_NORMAL = mistakes(
    root_forgotten=normal(lambda i, o: 2 / (i + o)),
    root_without_brackets=normal(lambda i, o: 2 / (i + o) / 2),
    fan_in_alone=normal(lecun),
    fan_out_alone=normal(lambda i, o: (1 / o) ** 0.5),
    product_of_the_fans=normal(lambda i, o: (2 / (i * o)) ** 0.5),
    two_forgotten=normal(lambda i, o: (1 / (i + o)) ** 0.5),
    two_too_many=normal(lambda i, o: (4 / (i + o)) ** 0.5),
    not_scaled=normal(lambda i, o: 1.0),
    uniform_for_normal=uniform(xavier_limit),
    limit_taken_for_the_deviation=normal(xavier_limit),
    only_signs_drawn=by_signs(xavier),
)

XAVIER_UNIFORM = mistakes(
    root_forgotten=uniform(lambda i, o: 6 / (i + o)),
    root_without_brackets=uniform(lambda i, o: 6 / (i + o) / 2),
    fan_in_alone=uniform(lambda i, o: (3 / i) ** 0.5),
    fan_out_alone=uniform(lambda i, o: (3 / o) ** 0.5),
    deviation_taken_for_the_limit=uniform(xavier),
    limit_taken_for_the_deviation=normal(xavier_limit),
    normal_for_uniform=normal(xavier),
    two_forgotten=uniform(lambda i, o: (3 / (i + o)) ** 0.5),
    not_scaled=uniform(lambda i, o: 1.0),
)

KAIMING_NORMAL = mistakes(
    root_forgotten=normal(lambda i, o: 2 / i),
    root_without_brackets=normal(lambda i, o: 2 / i / 2),
    fan_out_for_fan_in=normal(lambda i, o: (2 / o) ** 0.5),
    two_forgotten=normal(lecun),
    not_scaled=normal(lambda i, o: 1.0),
    uniform_for_normal=uniform(kaiming_limit),
    limit_taken_for_the_deviation=normal(kaiming_limit),
    only_signs_drawn=by_signs(kaiming),
)

KAIMING_UNIFORM = mistakes(
    root_forgotten=uniform(lambda i, o: 6 / i),
    root_without_brackets=uniform(lambda i, o: 6 / i / 2),
    fan_out_for_fan_in=uniform(lambda i, o: (6 / o) ** 0.5),
    two_forgotten=uniform(lambda i, o: (3 / i) ** 0.5),
    deviation_taken_for_the_limit=uniform(kaiming),
    limit_taken_for_the_deviation=normal(kaiming_limit),
    normal_for_uniform=normal(kaiming),
    not_scaled=uniform(lambda i, o: 1.0),
)

LECUN = mistakes(
    root_forgotten=normal(lambda i, o: 1 / i),
    root_without_brackets=normal(lambda i, o: 1 / i / 2),
    fan_out_for_fan_in=normal(lambda i, o: (1 / o) ** 0.5),
    two_too_many=normal(kaiming),
    not_scaled=normal(lambda i, o: 1.0),
    uniform_for_normal=uniform(lambda i, o: (3 / i) ** 0.5),
    limit_taken_for_the_deviation=normal(lambda i, o: (3 / i) ** 0.5),
    only_signs_drawn=by_signs(lecun),
)

EXERCISES = (
    exercise("xavier_normal", xavier, XAVIER_NORMAL),
    exercise("xavier_uniform", xavier, XAVIER_UNIFORM, uniform_draws=True),
    exercise("kaiming_normal", kaiming, KAIMING_NORMAL),
    exercise("kaiming_uniform", kaiming, KAIMING_UNIFORM, uniform_draws=True),
    exercise("lecun_normal", lecun, LECUN),
)
