"""Straight-line backpropagation through a formula whose parts are shared."""

import math

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.graph import flat_backprop


def cases(rng):
    def case(x, y, *, check="", tags=()):
        return Case(f"x = {x}, y = {y}", {"x": x, "y": y}, check, frozenset(tags))

    def draw(scale=1.0):
        return [float(v) for v in scale * numbers(rng, 2)]

    return [
        case(3.0, -4.0, tags=[CONDUCT]),
        case(*draw()),
        case(*draw()),
        case(*draw(2.0)),
        case(1.25, -1.25, check="x + y = 0"),
        case(0.0, 0.0, check="zeros"),
        case(3, -4, check="integer inputs", tags=["any float", "may refuse"]),
    ]


def sigma(t):
    return 1 / (1 + math.exp(-t))


def flat(
    numerator_x=1, square_x=1, sigmoid_x=1, numerator_y=1, square_y=1, slope=None, two=2, minus=-1,
    inverse_power=2,
):  # fmt: skip
    """Backpropagation with weights on its paths: 0 for a path that is forgotten."""
    slope = slope or (lambda s: s * (1 - s))

    def wrong(x, y):
        num, total = x + sigma(y), x + y
        den = sigma(x) + total**2
        f = num / den
        dnum, dden = 1 / den, minus * num / den**inverse_power
        dtotal = two * total * dden
        dx = numerator_x * dnum + square_x * dtotal + sigmoid_x * slope(sigma(x)) * dden
        dy = numerator_y * slope(sigma(y)) * dnum + square_y * dtotal
        return f, dx, dy

    return wrong


def but_f(compute):
    """The right gradients with another value."""
    right = flat()
    return lambda x, y: (compute(x, y), *right(x, y)[1:])


def by_hand(x, y):
    x, y = float(x), float(y)
    n, d = x + sigma(y), sigma(x) + (x + y) ** 2
    sx, sy = sigma(x), sigma(y)
    dx = (d - n * (sx * (1 - sx) + 2 * (x + y))) / d**2
    dy = (sy * (1 - sy) * d - n * 2 * (x + y)) / d**2
    return n / d, dx, dy


def in_arrays(x, y):
    x, y = np.float64(x), np.float64(y)
    s = 1 / (1 + np.exp(-np.array([x, y])))
    den = s[0] + np.square(x + y)
    inv = 1.0 / den
    num = x + s[1]
    dinv = num
    dden = -1.0 / den**2 * dinv
    shared = dden * 2 * (x + y)
    grads = np.array([inv, s[1] * (1 - s[1]) * inv])
    grads += shared
    grads[0] += (1 - s[0]) * s[0] * dden
    return [num * inv, grads[0], grads[1]]


def accumulating(x, y):
    sigy = 1.0 / (1 + math.exp(-y))
    num = x + sigy
    sigx = 1.0 / (1 + math.exp(-x))
    xpy = x + y
    xpysqr = xpy**2
    den = sigx + xpysqr
    invden = 1.0 / den
    f = num * invden
    dnum = invden
    dinvden = num
    dden = (-1.0 / (den**2)) * dinvden
    dsigx = 1 * dden
    dxpysqr = 1 * dden
    dxpy = (2 * xpy) * dxpysqr
    dx = 1 * dxpy
    dy = 1 * dxpy
    dx += ((1 - sigx) * sigx) * dsigx
    dx += 1 * dnum
    dsigy = 1 * dnum
    dy += ((1 - sigy) * sigy) * dsigy
    return f, dx, dy


def of_another_formula(compute):
    """Value and gradients of another formula, by complex steps: a graph that was misread."""

    def wrong(x, y):
        f, h = compute(complex(x), complex(y)), 1e-30
        return f.real, compute(x + h * 1j, y).imag / h, compute(x, y + h * 1j).imag / h

    return wrong


def with_other_parts(numerator, denominator):
    """Wrong numbers on the way forward, and the right formulas on the way back."""

    def wrong(x, y):
        num, den = numerator(x, y).real, denominator(x, y).real
        dden, dtotal = -num / den**2, -2 * (x + y) * num / den**2
        sx, sy = sigma(x), sigma(y)
        return num / den, 1 / den + dtotal + sx * (1 - sx) * dden, sy * (1 - sy) / den + dtotal

    return wrong


def c_sigma(t):
    return 1 / (1 + np.exp(-t))


def right_numerator(x, y):
    return x + c_sigma(y)


def right_denominator(x, y):
    return c_sigma(x) + (x + y) ** 2


MISREAD = {
    "bracket-of-the-square-forgotten": (
        right_numerator,
        lambda x, y: c_sigma(x) + x + y**2,
        "only y is squared in the denominator: the square belongs to the sum x + y.",
    ),
    "squares-added": (
        right_numerator,
        lambda x, y: c_sigma(x) + x**2 + y**2,
        "x and y are squared one by one; it is their sum that is squared.",
    ),
    "difference-squared": (
        right_numerator,
        lambda x, y: c_sigma(x) + (x - y) ** 2,
        "the square is that of x − y; x and y are added.",
    ),
    "sum-not-squared": (
        right_numerator,
        lambda x, y: c_sigma(x) + (x + y),
        "the sum x + y in the denominator is not squared.",
    ),
    "sigmoids-exchanged": (
        lambda x, y: x + c_sigma(x),
        lambda x, y: c_sigma(y) + (x + y) ** 2,
        "the two sigmoids have each other's argument.",
    ),
    "sigmoid-of-the-numerator-forgotten": (
        lambda x, y: x + y,
        right_denominator,
        "in the numerator y should go through a sigmoid.",
    ),
    "sigmoid-of-the-denominator-forgotten": (
        right_numerator,
        lambda x, y: x + (x + y) ** 2,
        "in the denominator x should go through a sigmoid.",
    ),
    "sign-in-the-exponent": (
        lambda x, y: x + c_sigma(-y),
        lambda x, y: c_sigma(-x) + (x + y) ** 2,
        "your sigmoids fall where they should rise: look at the sign in the exponent.",
    ),
}


def quotient(numerator, denominator):
    return lambda x, y: numerator(x, y) / denominator(x, y)


MISREAD_FORMULAS = tuple(
    Misconception(code + suffix, make(numerator, denominator), f"In f {sentence}", "f", severity)
    for code, (numerator, denominator, sentence) in MISREAD.items()
    for suffix, severity, make in (
        ("", 0.5, lambda n, d: of_another_formula(quotient(n, d))),
        ("-in-f", 0.3, lambda n, d: but_f(lambda x, y: (n(x, y) / d(x, y)).real)),
        ("-on-the-way", 0.5, with_other_parts),
    )
)


EXERCISES = (
    Exercise(
        name="flat_backprop",
        kind=Function(("f", "dx", "dy")),
        reference={"flat_backprop": flat_backprop},
        cases=cases,
        misconceptions=(
            Misconception(
                "last-path-overwrites-x",
                flat(square_x=0, sigmoid_x=0),
                "Only what comes to x through the numerator is left. x is used three times, and "
                "the gradients of a shared part add: = overwrites, += adds.",
                "dx",
                0.4,
            ),
            Misconception(
                "only-the-square-reaches-x",
                flat(numerator_x=0, sigmoid_x=0),
                "Only what comes to x through the square is left. x is used three times, and the "
                "gradients of a shared part add.",
                "dx",
                0.4,
            ),
            Misconception(
                "only-the-sigmoid-reaches-x",
                flat(numerator_x=0, square_x=0),
                "Only what comes to x through its sigmoid is left. x is used three times, and the "
                "gradients of a shared part add.",
                "dx",
                0.4,
            ),
            Misconception(
                "numerator-path-of-x-missing",
                flat(numerator_x=0),
                "x stands in the numerator as well; that path is missing from dx.",
                "dx",
                0.3,
            ),
            Misconception(
                "square-path-of-x-missing",
                flat(square_x=0),
                "x stands in the square of x + y as well; that path is missing from dx.",
                "dx",
                0.3,
            ),
            Misconception(
                "sigmoid-path-of-x-missing",
                flat(sigmoid_x=0),
                "x stands in the sigmoid of the denominator as well; that path is missing from dx.",
                "dx",
                0.3,
            ),
            Misconception(
                "square-path-of-y-missing",
                flat(square_y=0),
                "y stands in the square of x + y as well; that path is missing from dy, or was "
                "overwritten.",
                "dy",
                0.3,
            ),
            Misconception(
                "sigmoid-path-of-y-missing",
                flat(numerator_y=0),
                "y stands in the sigmoid of the numerator as well; that path is missing from dy, "
                "or was overwritten.",
                "dy",
                0.3,
            ),
            Misconception(
                "slope-of-the-sigmoid",
                flat(slope=lambda s: s),
                "Where the gradient passes a sigmoid you multiply with its value. Its slope has "
                "one more factor.",
                "dx",
                0.4,
            ),
            Misconception(
                "slope-of-the-sigmoid-forgotten",
                flat(slope=lambda s: 1.0),
                "The gradient passes the sigmoids as if they were not there. Each has a local "
                "slope.",
                "dx",
                0.4,
            ),
            Misconception(
                "two-of-the-square-forgotten",
                flat(two=1),
                "The derivative of a square lacks its 2.",
                "dx",
                0.3,
            ),
            Misconception(
                "sign-of-the-inverse",
                flat(minus=1),
                "The gradient of the denominator has the wrong sign: 1/t falls as t grows.",
                "dx",
                0.4,
            ),
            Misconception(
                "inverse-not-squared",
                flat(inverse_power=1),
                "The derivative of 1/t has t squared in the denominator; yours has not.",
                "dx",
                0.4,
            ),
            Misconception(
                "brackets-of-the-inverse",
                flat(inverse_power=0),
                "The denominator cancels out of its own gradient: a / b * b is read from left to "
                "right, and is a. Put the square of the denominator in brackets.",
                "dx",
                0.4,
            ),
            *MISREAD_FORMULAS,
        ),
        variants=(by_hand, in_arrays, accumulating),
    ),
)
