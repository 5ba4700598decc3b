"""Initialisers with a constant or a setting of their own."""

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.battery.initializers import Initializer
from autograder.course.a3_initialization.initializers import (
    cases_for,
    mistakes,
    normal,
    uniform,
)
from autograder.exercise import Case, Exercise, Misconception
from autograder.values import Seed
from cs_nn import initializers as reference


def constant_cases(rng):
    def case(shape, check="", seed=True, **more):
        args = {"fan_in": shape[0], "fan_out": shape[1]}
        if seed:
            args["rng"] = Seed(int(rng.integers(1, 2**31)))
        given = "".join(f", {k} = {v:g}" for k, v in more.items())
        label = f"fan_in = {shape[0]}, fan_out = {shape[1]}{given}"
        tags = frozenset({CONDUCT} if not check else ())
        return Case(label, args | more, check, tags)

    return [
        case((4, 3), value=0.7),
        case((2, 5), value=-1.3),
        case((6, 2)),
        case((3, 4), "without a generator", seed=False),
        case((1, 4), "one input", value=0.25),
        case((3, 2), "a whole number", value=2),
    ]


def constant_by(make):
    """A constant initialiser; ``make(fan_in, fan_out, rng, value)``."""
    return lambda fan_in, fan_out, rng=None, value=0.0: make(fan_in, fan_out, rng, value)


def by_ones(fan_in, fan_out, rng=None, value=0.0):
    return np.ones((fan_in, fan_out)) * value


def by_lists(fan_in, fan_out, rng=None, value=0.0):
    return np.array([[float(value)] * fan_out for _ in range(fan_in)])


def by_filling(fan_in, fan_out, rng=None, value=0.0):
    w = np.empty((fan_in, fan_out))
    w[...] = value
    return w


class TheSameAgain:
    made = {}  # noqa: RUF012 - the mistake

    def __new__(cls, fan_in, fan_out, rng=None, value=0.0):
        key = f"{fan_in} {fan_out} {value}"
        return cls.made.setdefault(key, np.full((fan_in, fan_out), float(value)))


def with_setting(std):
    """A normal initialiser with one setting, by the name it has in the signature."""

    def scaled(fan_in, fan_out, rng, scale=0.01):
        return std(fan_in, fan_out, scale) * rng.standard_normal((fan_in, fan_out))

    return scaled


def with_c(std, draw=normal):
    def scaled(fan_in, fan_out, rng, c=1.0):
        return draw(lambda i, o: std(i, o, c))(fan_in, fan_out, rng)

    return scaled


def small_uniform(fan_in, fan_out, rng, scale=0.01):
    return uniform(lambda i, o: 3**0.5 * scale)(fan_in, fan_out, rng)


def small_within(fan_in, fan_out, rng, scale=0.01):
    return uniform(lambda i, o: scale)(fan_in, fan_out, rng)


def small_positive(fan_in, fan_out, rng, scale=0.01):
    return scale * rng.random((fan_in, fan_out))


def small_alike(fan_in, fan_out, rng, scale=0.01):
    return np.tile(scale * rng.standard_normal((fan_in, 1)), (1, fan_out))


def small_transposed(fan_in, fan_out, rng, scale=0.01):
    return scale * rng.standard_normal((fan_out, fan_in))


def small_unseeded(fan_in, fan_out, rng, scale=0.01):
    return scale * np.random.default_rng().standard_normal((fan_in, fan_out))


def small_seeded(fan_in, fan_out, rng, scale=0.01):
    return scale * np.random.default_rng(0).standard_normal((fan_in, fan_out))


def small_by_normal(fan_in, fan_out, rng, scale=0.01):
    return rng.normal(0, scale, (fan_in, fan_out))


def small_by_rows(fan_in, fan_out, rng, scale=0.01):
    return np.array([rng.normal(size=fan_out) * scale for _ in range(fan_in)])


def small_turned(fan_in, fan_out, rng, scale=0.01):
    return np.multiply(scale, rng.standard_normal((fan_out, fan_in)).T)


SMALL = (
    Misconception(
        "scale-ignored",
        with_setting(lambda i, o, scale: 0.01),
        "The standard deviation is always 0.01, whatever scale says.",
        "variance",
        0.3,
    ),
    Misconception(
        "scale-taken-for-the-variance",
        with_setting(lambda i, o, scale: scale**0.5),
        "scale is taken for the variance; it is the standard deviation, so multiply without a "
        "root.",
        "variance",
        0.35,
    ),
    Misconception(
        "scale-squared",
        with_setting(lambda i, o, scale: scale**2),
        "scale is squared. The variance is scale², so the draws are multiplied by scale itself.",
        "variance",
        0.35,
    ),
    Misconception(
        "scaled-by-the-fan-in",
        with_setting(lambda i, o, scale: scale / i**0.5),
        "The spread shrinks with the number of inputs. This initialiser has one spread for all "
        "layers; that is just what is wrong with it.",
        "variance",
        0.35,
    ),
    Misconception(
        "uniform-within-scale",
        small_within,
        "The draws are uniform within ±scale; normal ones with standard deviation scale are asked "
        "for.",
        "distribution",
        0.35,
    ),
    Misconception(
        "draws-between-zero-and-one",
        small_positive,
        "The draws are uniform between 0 and 1 (rng.random), so all weights are positive. Normal "
        "ones are asked for.",
        "mean",
        0.4,
    ),
    *mistakes(
        uniform_for_normal=small_uniform,
        all_units_alike=small_alike,
        transposed=small_transposed,
        generator_ignored=small_seeded,
        draws_from_elsewhere=small_unseeded,
    ),
)


def geometric(i, o, c=1.0):
    return (c / (i * o) ** 0.5) ** 0.5


def geometric_by_power(fan_in, fan_out, rng, c=1.0):
    return rng.normal(scale=c**0.5 * (fan_in * fan_out) ** -0.25, size=(fan_in, fan_out))


def geometric_by_logs(fan_in, fan_out, rng, c=1.0):
    log_variance = np.log(c) - 0.5 * (np.log(fan_in) + np.log(fan_out))
    return np.exp(log_variance / 2) * rng.standard_normal((fan_in, fan_out))


def geometric_by_mean(fan_in, fan_out, rng, c=1.0):
    between = np.sqrt(fan_in) * np.sqrt(fan_out)
    return np.array([rng.normal(0, np.sqrt(c / between), fan_out) for _ in range(fan_in)])


GEOMETRIC = (
    Misconception(
        "root-forgotten",
        with_c(lambda i, o, c: c / (i * o) ** 0.5),
        "The draws are multiplied by the variance; take the root of it for the standard deviation.",
        "variance",
        0.4,
    ),
    Misconception(
        "fourth-root-without-brackets",
        with_c(lambda i, o, c: c**0.5 * 4 / (i * o)),
        "** comes before /, so ** 1 / 4 is a quarter and not a fourth root: put the exponent in "
        "brackets.",
        "variance",
        0.4,
    ),
    Misconception(
        "root-without-brackets",
        with_c(lambda i, o, c: (2 * c / (i * o)) ** 0.5),
        "** comes before /, so ** 1 / 2 is a half and not a root: put the exponent in brackets.",
        "variance",
        0.4,
    ),
    Misconception(
        "product-without-root",
        with_c(lambda i, o, c: (c / (i * o)) ** 0.5),
        "The variance is divided by the product of the fans. The geometric mean is the root of the "
        "product.",
        "variance",
        0.4,
    ),
    Misconception(
        "arithmetic-mean",
        with_c(lambda i, o, c: (2 * c / (i + o)) ** 0.5),
        "The variance follows the arithmetic mean of the fans, which is Xavier's; the geometric "
        "mean is asked for.",
        "variance",
        0.35,
    ),
    Misconception(
        "fan-in-alone",
        with_c(lambda i, o, c: (c / i) ** 0.5),
        "The variance follows fan_in alone; the geometric mean holds both fans.",
        "variance",
        0.35,
    ),
    Misconception(
        "c-ignored",
        with_c(lambda i, o, c: geometric(i, o)),
        "c is not used.",
        "variance",
        0.3,
    ),
    Misconception(
        "c-squared",
        with_c(lambda i, o, c: c * geometric(i, o)),
        "c multiplies the standard deviation; it belongs to the variance.",
        "variance",
        0.3,
    ),
    Misconception(
        "uniform-for-normal",
        with_c(lambda i, o, c: 3**0.5 * geometric(i, o, c), uniform),
        "The draws are uniform: none lies beyond a limit. Normal ones are asked for.",
        "distribution",
        0.3,
    ),
)


def constant(code, make, sentence, aspect="values", severity=None):
    return Misconception(code, constant_by(make), sentence, aspect, severity)


EXERCISES = (
    Exercise(
        name="constant_init",
        kind=Function(),
        reference={"constant_init": reference.constant_init},
        cases=constant_cases,
        misconceptions=(
            constant(
                "value-ignored",
                lambda i, o, rng, value: np.zeros((i, o)),
                "All weights are 0, whatever value says.",
            ),
            constant(
                "another-default",
                lambda i, o, rng, value: np.full((i, o), value if value else 1.0),
                "Without a value the weights should be 0.",
            ),
            constant(
                "zero-taken-for-none",
                lambda i, o, rng, value: np.full((i, o), value or 0.01),
                "A value of 0 is taken for no value, and 0.01 is used. 0 is false in Python, and "
                "yet it is the number that is asked for.",
            ),
            constant(
                "transposed",
                lambda i, o, rng, value: np.full((o, i), float(value)),
                "The matrix is (fan_out, fan_in); rows are inputs and columns are units.",
            ),
            constant(
                "noise-added",
                lambda i, o, rng, value: (
                    value + 0.01 * (rng or np.random.default_rng(0)).standard_normal((i, o))
                ),
                "Noise is added to the constant. This initialiser shows what happens without any.",
            ),
            constant(
                "only-the-diagonal",
                lambda i, o, rng, value: value * np.eye(i, o),
                "Only the diagonal holds the constant; every weight should.",
            ),
            constant(
                "a-vector",
                lambda i, o, rng, value: np.full(o, float(value)),
                "One number for each unit is a bias; weights are a matrix (fan_in, fan_out).",
            ),
            constant(
                "a-number",
                lambda i, o, rng, value: float(value),
                "The constant itself comes back instead of a matrix filled with it.",
            ),
            constant(
                "whole-numbers-kept",
                lambda i, o, rng, value: np.full((i, o), value),
                "np.full takes the dtype of the value: for a whole number the weights are "
                "integers, and no small step of gradient descent can be added to them.",
                "a whole number",
                0.2,
            ),
            Misconception(
                "one-matrix-for-all",
                TheSameAgain,
                "The matrix that was made before is handed out again, so that two layers share "
                "one array and whoever trains the first changes the second. Make a new one.",
                "conduct",
            ),
        ),
        variants=(by_ones, by_lists, by_filling),
    ),
    Exercise(
        name="small_random_init",
        kind=Initializer(),
        reference={"small_random_init": reference.small_random_init},
        cases=cases_for(lambda i, o, scale=0.01: scale**2, {"scale": 0.2}, {}, {"scale": 3.0}),
        misconceptions=SMALL,
        variants=(small_by_normal, small_by_rows, small_turned),
    ),
    Exercise(
        name="geometric_init",
        kind=Initializer(),
        reference={"geometric_init": reference.geometric_init},
        cases=cases_for(lambda i, o, c=1.0: geometric(i, o, c) ** 2, {}, {"c": 2.0}, {"c": 0.3}),
        misconceptions=GEOMETRIC,
        variants=(geometric_by_power, geometric_by_logs, geometric_by_mean),
    ),
)
