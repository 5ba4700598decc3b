"""Learning rates that come back: cosine, warm restarts, triangles."""

import math

import numpy as np

from autograder.battery.series import Schedule
from autograder.course.a5_optimization.decay import over_time
from autograder.exercise import Exercise, Misconception
from cs_nn.optim.schedules import cosine_decay, cyclic, warm_restarts

PI = math.pi
COSINE_CASES = over_time(
    {"rate": "rate", "t": None, "total": 10, "minimum": 0.02},
    {"rate": "rate", "t": None, "total": 7},
    {"rate": "rate", "t": None, "total": 9, "minimum": 0.01},
    special=[("one step", {"rate": "rate", "t": None, "total": 1, "minimum": 0.004})],
    times=range(16),
)
RESTART_CASES = over_time(
    {"rate": "rate", "t": None, "period": 5},
    {"rate": "rate", "t": None, "period": 4, "multiplier": 2},
    {"rate": "rate", "t": None, "period": 3, "multiplier": 3, "minimum": 0.01},
    {"rate": "rate", "t": None, "period": 6, "multiplier": 1, "minimum": 0.02},
    special=[
        ("periods of one step", {"rate": "rate", "t": None, "period": 1, "multiplier": 2}),
        (
            "late restarts",
            {"rate": "rate", "t": [120, 121, 122, 363, 364], "period": 1, "multiplier": 3},
        ),
        ("late restarts", {"rate": "rate", "t": [110, 111, 112], "period": 1, "multiplier": 10}),
    ],
    times=range(44),
)
CYCLE_CASES = over_time(
    {"low": 0.01, "high": "rate", "t": None, "half_period": 5},
    {"low": 0.03, "high": "rate", "t": None, "half_period": 3},
    {"low": 0.02, "high": "rate", "t": None, "half_period": 4},
    special=[
        ("low = 0", {"low": 0.0, "high": "rate", "t": None, "half_period": 7}),
        ("half_period = 1", {"low": 0.02, "high": "rate", "t": None, "half_period": 1}),
    ],
    times=range(24),
)


def cosine(share):
    return 0.5 * (1 + math.cos(PI * share))


def cosine_by_branch(rate, t, total, minimum=0.0):
    if t >= total:
        return minimum
    return minimum + (rate - minimum) * (1 + np.cos(np.pi * t / total)) / 2


def cosine_by_square(rate, t, total, minimum=0.0):
    share = min(t, total) / total
    return minimum + (rate - minimum) * math.cos(PI * share / 2) ** 2


def cosine_by_mixing(rate, t, total, minimum=0):
    weight = (1 - np.cos(np.pi * np.minimum(t / total, 1))) / 2
    return (1 - weight) * rate + weight * minimum


def restarts_by_loop(rate, t, period, multiplier=1, minimum=0.0):
    start, length = 0, period
    while t >= start + length:
        start += length
        length *= multiplier
    return minimum + 0.5 * (rate - minimum) * (1 + np.cos(np.pi * (t - start) / length))


def restarts_step_by_step(rate, t, period, multiplier=1, minimum=0.0):
    place, length = 0, period
    for _ in range(t):
        place += 1
        if place == length:
            place, length = 0, length * multiplier
    return minimum + (rate - minimum) * cosine(place / length)


def restarts_by_recursion(rate, t, period, multiplier=1, minimum=0.0):
    if t < period:
        return (rate + minimum) / 2 + (rate - minimum) / 2 * math.cos(t * PI / period)
    return restarts_by_recursion(rate, t - period, period * multiplier, multiplier, minimum)


def cyclic_by_smith(low, high, t, half_period):
    cycle = np.floor(1 + t / (2 * half_period))
    x = abs(t / half_period - 2 * cycle + 1)
    return low + (high - low) * max(0, 1 - x)


def cyclic_by_branch(low, high, t, half_period):
    place = t % (2 * half_period)
    if place <= half_period:
        return low + (high - low) * place / half_period
    return high - (high - low) * (place - half_period) / half_period


def cyclic_by_interpolation(low, high, t, half_period):
    return np.interp(t % (2 * half_period), [0, half_period, 2 * half_period], [low, high, low])


def falling_from_the_middle(low, high, t, half_period):
    place = t % (2 * half_period)
    if place <= half_period:
        return low + (high - low) * place / half_period
    return high - (high - low) * place / (2 * half_period)


def fixed_restarts(rate, t, period, multiplier=1, minimum=0.0):
    return minimum + (rate - minimum) * cosine((t % period) / period)


def restarts_growing_by_addition(rate, t, period, multiplier=1, minimum=0.0):
    length = period
    while t >= length:
        t, length = t - length, length + (multiplier - 1) * period
    return minimum + (rate - minimum) * cosine(t / length)


def restarts_adding_the_multiplier(rate, t, period, multiplier=1, minimum=0.0):
    while t >= period:
        t, period = t - period, period + multiplier
    return minimum + (rate - minimum) * cosine(t / period)


def restarts_growing_first(rate, t, period, multiplier=1, minimum=0.0):
    while t >= period:
        period = period * multiplier
        t = t - period
    return minimum + (rate - minimum) * cosine(t / period)


def restarts_by_logarithm(rate, t, period, multiplier=1, minimum=0.0):
    if multiplier == 1:
        return fixed_restarts(rate, t, period, 1, minimum)
    n = int(math.log(t / period * (multiplier - 1) + 1, multiplier))
    t = t - period * (multiplier**n - 1) / (multiplier - 1)
    return minimum + (rate - minimum) * cosine(t / (period * multiplier**n))


def restarts_one_step_late(rate, t, period, multiplier=1, minimum=0.0):
    while t > period:
        t, period = t - period, period * multiplier
    return minimum + (rate - minimum) * cosine(t / period)


def restarts_from_zero(rate, t, period, multiplier=1, minimum=0.0):
    return restarts_by_loop(rate, t, period, multiplier, 0.0)


def restarts_lower_each_time(rate, t, period, multiplier=1, minimum=0.0):
    while t >= period:
        t, period, rate = t - period, period * multiplier, minimum + 0.5 * (rate - minimum)
    return minimum + (rate - minimum) * cosine(t / period)


def restarts_never(rate, t, period, multiplier=1, minimum=0.0):
    return minimum + (rate - minimum) * cosine(min(t / period, 1))


def restarts_once(rate, t, period, multiplier=1, minimum=0.0):
    if t >= period:
        t, period = t - period, period * multiplier
    return minimum + (rate - minimum) * cosine(t / period)


def restarts_swinging(rate, t, period, multiplier=1, minimum=0.0):
    return minimum + (rate - minimum) * cosine(t / period)


def restarts_early(rate, t, period, multiplier=1, minimum=0.0):
    return restarts_by_loop(rate, t + 1, period, multiplier, minimum)


def restarts_growing_too_late(rate, t, period, multiplier=1, minimum=0.0):
    length = period
    while t >= length:
        t -= length
        length = length * multiplier
    return minimum + (rate - minimum) * cosine(t / period)


EARLY = "Your series runs one step ahead of the clock: t counts from 0."

EXERCISES = (
    Exercise(
        name="cosine_decay",
        kind=Schedule(),
        reference={"cosine_decay": cosine_decay},
        cases=COSINE_CASES,
        misconceptions=(
            Misconception(
                "comes-up-again",
                lambda rate, t, total, minimum=0.0: minimum + (rate - minimum) * cosine(t / total),
                "After t = total the rate rises again, because the cosine does. It should stay at "
                "the minimum.",
                "rates",
                0.3,
            ),
            Misconception(
                "minimum-ignored",
                lambda rate, t, total, minimum=0.0: rate * cosine(min(t / total, 1)),
                "The rate falls to 0 whatever the minimum says.",
                "rates",
                0.3,
            ),
            Misconception(
                "zero-after-the-end",
                lambda rate, t, total, minimum=0.0: (
                    0.0 if t > total else cosine_by_branch(rate, t, total, minimum)
                ),
                "After t = total the rate is 0. It should stay at the minimum.",
                "rates",
                0.3,
            ),
            Misconception(
                "minimum-added",
                lambda rate, t, total, minimum=0.0: minimum + rate * cosine(min(t / total, 1)),
                "The minimum is added on top, so the curve starts above rate. The swing is only "
                "what lies between rate and minimum.",
                "rates",
                0.3,
            ),
            Misconception(
                "minimum-as-a-floor",
                lambda rate, t, total, minimum=0.0: max(minimum, rate * cosine(min(t / total, 1))),
                "The curve is cut off at the minimum; it should glide into it.",
                "rates",
                0.3,
            ),
            Misconception(
                "half-forgotten",
                lambda rate, t, total, minimum=0.0: (
                    minimum + (rate - minimum) * 2 * cosine(min(t / total, 1))
                ),
                "The swing is twice as large as it should be: 1 + cos runs from 2 to 0.",
                "rates",
                0.3,
            ),
            Misconception(
                "one-forgotten",
                lambda rate, t, total, minimum=0.0: (
                    minimum + 0.5 * (rate - minimum) * math.cos(PI * min(t / total, 1))
                ),
                "The cosine alone swings below zero. Where is the 1 that lifts it?",
                "rates",
                0.4,
            ),
            Misconception(
                "a-whole-turn",
                lambda rate, t, total, minimum=0.0: (
                    minimum + (rate - minimum) * cosine(min(2 * t / total, 2))
                ),
                "The cosine makes a whole turn and the rate is back where it started. Half a turn "
                "leads from 1 to −1.",
                "rates",
                0.4,
            ),
            Misconception(
                "a-quarter-turn",
                lambda rate, t, total, minimum=0.0: (
                    minimum + (rate - minimum) * math.cos(PI / 2 * min(t / total, 1))
                ),
                "The curve is a quarter of a cosine, which falls steepest at the end. It should "
                "flatten out there: half a turn, lifted and halved.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-step-early",
                lambda rate, t, total, minimum=0.0: (
                    minimum + (rate - minimum) * cosine(min((t + 1) / total, 1))
                ),
                EARLY,
                "rates",
                0.3,
            ),
            Misconception(
                "one-step-too-few",
                lambda rate, t, total, minimum=0.0: (
                    minimum + (rate - minimum) * cosine(min(t / max(total - 1, 1), 1))
                ),
                "The minimum is reached at t = total − 1, a step too early.",
                "rates",
                0.3,
            ),
            Misconception(
                "pi-forgotten",
                lambda rate, t, total, minimum=0.0: (
                    minimum + 0.5 * (rate - minimum) * (1 + math.cos(min(t / total, 1)))
                ),
                "The cosine takes its angle in radians: half a turn is π.",
                "rates",
                0.4,
            ),
            Misconception(
                "linear",
                lambda rate, t, total, minimum=0.0: rate + (minimum - rate) * min(t / total, 1),
                "The rate falls along a straight line.",
                "rates",
                0.4,
            ),
            Misconception(
                "rises",
                lambda rate, t, total, minimum=0.0: (
                    minimum + (rate - minimum) * (1 - cosine(min(t / total, 1)))
                ),
                "The rate rises from the minimum: look at the sign of the cosine.",
                "rates",
                0.4,
            ),
        ),
        variants=(cosine_by_branch, cosine_by_square, cosine_by_mixing),
    ),
    Exercise(
        name="warm_restarts",
        kind=Schedule(),
        reference={"warm_restarts": warm_restarts},
        cases=RESTART_CASES,
        misconceptions=(
            Misconception(
                "multiplier-ignored",
                fixed_restarts,
                "All periods are equally long. Each should be multiplier times the one before.",
                "rates",
                0.4,
            ),
            Misconception(
                "periods-grow-by-addition",
                restarts_growing_by_addition,
                "The periods grow by the same amount each time. They grow by a factor.",
                "rates",
                0.3,
            ),
            Misconception(
                "one-step-late",
                restarts_one_step_late,
                "At t = period the rate is at its minimum, and the restart comes a step later. "
                "The first step of a period has the full rate.",
                "rates",
                0.3,
            ),
            Misconception(
                "minimum-ignored",
                restarts_from_zero,
                "The rate falls to 0 whatever the minimum says.",
                "rates",
                0.3,
            ),
            Misconception(
                "multiplier-added",
                restarts_adding_the_multiplier,
                "Each period is longer than the one before by `multiplier` steps. It should be "
                "`multiplier` times as long.",
                "rates",
                0.3,
            ),
            Misconception(
                "period-grows-before-it-is-over",
                restarts_growing_first,
                "The period is multiplied before its length is taken off t: what has gone by is "
                "the old period, not the new one.",
                "rates",
                0.3,
            ),
            Misconception(
                "swing-of-the-whole-rate",
                lambda rate, t, period, multiplier=1, minimum=0.0: restarts_by_loop(
                    rate + minimum, t, period, multiplier, minimum
                ),
                "The cosine swings over the whole rate on top of the minimum, so a restart begins "
                "above the full rate. It swings between minimum and rate.",
                "rates",
                0.3,
            ),
            Misconception(
                "restarts-counted-by-logarithm",
                restarts_by_logarithm,
                "At some restarts the period is still the old one: the logarithm of a power, "
                "such as that of 243 to the base 3, may come out as 4.9999…, and int() then "
                "makes 4 of it. Count the periods with whole numbers.",
                "late restarts",
                0.1,
            ),
            Misconception(
                "restarts-lower",
                restarts_lower_each_time,
                "Each restart begins at a lower rate. In SGDR each one is back at the full rate.",
                "rates",
                0.3,
            ),
            Misconception(
                "restarts-once",
                restarts_once,
                "There is one restart and no other: after the second period the cosine just swings "
                "back up. An `if` looks once whether a period is over; how many may be over by t?",
                "rates",
                0.4,
            ),
            Misconception(
                "never-restarts",
                restarts_never,
                "The rate stays at the minimum after the first period: where does it start again?",
                "rates",
                0.5,
            ),
            Misconception(
                "swings-back",
                restarts_swinging,
                "The rate climbs back slowly after each period. A restart jumps to the full rate.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-step-early",
                restarts_early,
                EARLY,
                "rates",
                0.3,
            ),
            Misconception(
                "decay-over-the-first-period",
                restarts_growing_too_late,
                "Within a longer period the cosine still runs over the length of the first one.",
                "rates",
                0.4,
            ),
        ),
        variants=(restarts_by_loop, restarts_step_by_step, restarts_by_recursion),
    ),
    Exercise(
        name="cyclic",
        kind=Schedule(),
        reference={"cyclic": cyclic},
        cases=CYCLE_CASES,
        misconceptions=(
            Misconception(
                "starts-at-the-top",
                lambda low, high, t, half_period: cyclic_by_branch(high, low, t, half_period),
                "The triangle starts at high. At t = 0 the rate is low.",
                "rates",
                0.4,
            ),
            Misconception(
                "half-period-for-the-whole",
                lambda low, high, t, half_period: cyclic_by_branch(low, high, t, half_period / 2),
                "Up and down together take one half_period; each should take one.",
                "rates",
                0.4,
            ),
            Misconception(
                "falls-at-once",
                lambda low, high, t, half_period: (
                    low + (high - low) * (t % half_period) / half_period
                ),
                "The rate jumps back to low when it has reached high: a saw, not a triangle.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-cycle-only",
                lambda low, high, t, half_period: (
                    low + (high - low) * max(0, 1 - abs(t / half_period - 1))
                ),
                "After the first triangle the rate stays at low. It should go up again.",
                "rates",
                0.4,
            ),
            Misconception(
                "falls-from-the-middle",
                falling_from_the_middle,
                "The falling half begins in the middle, not at high: there what counts are the "
                "steps since the top.",
                "rates",
                0.4,
            ),
            Misconception(
                "stays-at-the-top",
                lambda low, high, t, half_period: low + (high - low) * min(t / half_period, 1),
                "The rate reaches high and stays there.",
                "rates",
                0.4,
            ),
            Misconception(
                "low-forgotten",
                lambda low, high, t, half_period: (high - low) * (1 - abs(t / half_period % 2 - 1)),
                "The triangle stands on 0. It should stand on low.",
                "rates",
                0.3,
            ),
            Misconception(
                "high-added",
                lambda low, high, t, half_period: low + high * (1 - abs(t / half_period % 2 - 1)),
                "The top is low + high. The swing is only what lies between them.",
                "rates",
                0.3,
            ),
            Misconception(
                "one-step-early",
                lambda low, high, t, half_period: cyclic_by_branch(low, high, t + 1, half_period),
                EARLY,
                "rates",
                0.3,
            ),
            Misconception(
                "a-wave",
                lambda low, high, t, half_period: (
                    low + (high - low) * (1 - cosine(t / half_period))
                ),
                "The curve is a cosine. The triangle goes up and down in straight lines.",
                "rates",
                0.4,
            ),
        ),
        variants=(cyclic_by_smith, cyclic_by_branch, cyclic_by_interpolation),
    ),
)
