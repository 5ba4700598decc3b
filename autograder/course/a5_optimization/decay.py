"""Learning rates that fall with time: steps, exponential, 1/t, and the warm-up that rises."""

import math

import numpy as np

from autograder.battery.series import Schedule
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.optim.schedules import exponential_decay, inverse_time_decay, linear_warmup, step_decay


def over_time(*settings, times=range(13), special=()):
    """Cases of a schedule: numbers of its signature in order, None where t goes.

    ``special`` holds (check, settings) pairs.
    """

    def cases(rng):
        made = []
        for check, given in [*(("", s) for s in settings), *special]:
            rate = float(np.round(rng.uniform(0.05, 0.9), 3))
            args = {key: rate if value == "rate" else value for key, value in given.items()}
            if args.get("t", 0) is None:
                args["t"] = list(times)
            words = ", ".join(f"{key} = {value}" for key, value in args.items() if key != "t")
            made.append(Case(f"{words} and t = {args['t'][0]} … {args['t'][-1]}", args, check))
        return made

    return cases


STEP_CASES = over_time(
    {"rate": "rate", "t": None, "factor": 0.5, "every": 4},
    {"rate": "rate", "t": None, "factor": 0.1, "every": 5},
    {"rate": "rate", "t": None, "factor": 0.8, "every": 3},
    special=[("a drop at every step", {"rate": "rate", "t": None, "factor": 0.7, "every": 1})],
)
RATE_CASES = over_time(
    {"rate": "rate", "t": None, "k": 0.3},
    {"rate": "rate", "t": None, "k": 0.05},
    {"rate": "rate", "t": None, "k": 1.7},
    special=[
        ("no decay", {"rate": "rate", "t": None, "k": 0.0}),
        ("whole numbers", {"rate": 2, "t": None, "k": 1}),
    ],
)
WARMUP_CASES = over_time(
    {"rate": "rate", "t": None, "steps": 5},
    {"rate": "rate", "t": None, "steps": 8},
    {"rate": "rate", "t": None, "steps": 3},
    special=[
        ("one step", {"rate": "rate", "t": None, "steps": 1}),
        ("a long warm-up", {"rate": "rate", "t": None, "steps": 40}),
        ("a rate above 1", {"rate": 3.5, "t": None, "steps": 4}),
    ],
)


def step_by_power(rate, t, factor, every):
    return rate * np.power(factor, t // every)


def step_by_loop(rate, t, factor, every):
    for epoch in range(1, t + 1):
        if epoch % every == 0:
            rate = rate * factor
    return rate


def step_by_floor(rate, t, factor, every):
    return rate * factor ** np.floor(t / every)


def exponential_by_power(rate, t, k):
    return rate * math.e ** (-k * t)


def exponential_by_quotient(rate, t, k):
    return rate / np.exp(k * t)


def exponential_by_loop(rate, t, k):
    for _ in range(t):
        rate *= math.exp(-k)
    return np.array(rate)


def inverse_by_power(rate, t, k):
    return rate * (1 + k * t) ** -1


def inverse_by_sum(rate, t, k):
    return 1 / (1 / rate + k * t / rate)


def inverse_by_array(rate, t, k):
    return np.divide(rate, np.float64(1) + k * t)


def warmup_by_branch(rate, t, steps):
    if t + 1 < steps:
        return rate * (t + 1) / steps
    return rate


def warmup_by_clip(rate, t, steps):
    return rate * np.clip((t + 1) / steps, 0, 1)


def warmup_by_table(rate, t, steps):
    table = np.linspace(0, rate, steps + 1)[1:]
    return table[t] if t < steps else rate


def compounded(rate, t, k):
    for i in range(1, t + 1):
        rate = rate / (1 + k * i)
    return rate


LATE = (
    "Your series runs one step ahead of the clock. t counts from 0: at t = 0 nothing has happened "
    "yet."
)

EXERCISES = (
    Exercise(
        name="step_decay",
        kind=Schedule(),
        reference={"step_decay": step_decay},
        cases=STEP_CASES,
        misconceptions=(
            Misconception(
                "one-step-early",
                lambda rate, t, factor, every: rate * factor ** ((t + 1) // every),
                "The drops come one step early. " + LATE,
                "rates",
                0.4,
            ),
            Misconception(
                "one-step-late",
                lambda rate, t, factor, every: rate * factor ** (max(t - 1, 0) // every),
                "The drops come one step late: the first belongs to t = every, not to the step "
                "after it.",
                "rates",
                0.4,
            ),
            Misconception(
                "decays-all-the-time",
                lambda rate, t, factor, every: rate * factor ** (t / every),
                "The rate glides down. It should stay for a while and then drop: count whole "
                "periods.",
                "rates",
                0.4,
            ),
            Misconception(
                "drops-only-once",
                lambda rate, t, factor, every: rate * factor if t >= every else rate,
                "The rate drops once and never again. It drops after every period.",
                "rates",
                0.4,
            ),
            Misconception(
                "only-at-the-drop",
                lambda rate, t, factor, every: rate * factor if t and t % every == 0 else rate,
                "The rate is low only at the moment of the drop and comes back after it. Earlier "
                "drops stay in force, and they multiply.",
                "rates",
                0.4,
            ),
            Misconception(
                "only-at-multiples",
                lambda rate, t, factor, every: (
                    rate * factor ** (t // every) if t % every == 0 else rate
                ),
                "The drops are right at the multiples of `every`, but in between the full rate is "
                "back. What was dropped stays dropped: count the periods that are over at any t.",
                "rates",
                0.4,
            ),
            Misconception(
                "drops-add-up",
                lambda rate, t, factor, every: rate * factor * max(t // every, 1 / factor),
                "The number of drops multiplies the factor. Each drop multiplies what the one "
                "before has left: think of powers.",
                "rates",
                0.4,
            ),
            Misconception(
                "divided-by-the-count",
                lambda rate, t, factor, every: rate * factor / (t // every) if t >= every else rate,
                "From the second drop on the rate is divided by the number of drops. Each drop "
                "multiplies what the one before has left: think of powers.",
                "rates",
                0.4,
            ),
            Misconception(
                "first-drop-at-once",
                lambda rate, t, factor, every: rate * factor ** (t // every + 1),
                "There is one drop too many: at t = 0 the rate is lowered already.",
                "rates",
                0.4,
            ),
            Misconception(
                "drops-at-every-step",
                lambda rate, t, factor, every: rate * factor**t,
                "The rate drops at every step, whatever `every` says.",
                "rates",
                0.4,
            ),
            Misconception(
                "rounded-up",
                lambda rate, t, factor, every: rate * factor ** math.ceil(t / every),
                "Periods that have just begun are counted as over, so the first drop comes at "
                "t = 1. Count only whole ones.",
                "rates",
                0.4,
            ),
            Misconception(
                "rounded-to-the-nearest",
                lambda rate, t, factor, every: rate * factor ** round(t / every),
                "The count of periods is rounded to the nearest, so the drops come half a period "
                "early.",
                "rates",
                0.4,
            ),
            Misconception(
                "divided-by-the-factor",
                lambda rate, t, factor, every: rate / factor ** (t // every),
                "The rate grows: it is divided by the factor, which is below 1.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-minus-the-factor",
                lambda rate, t, factor, every: rate * (1 - factor) ** (t // every),
                "Each drop takes the share `factor` away; it should leave that share.",
                "rates",
                0.4,
            ),
        ),
        variants=(step_by_power, step_by_loop, step_by_floor),
    ),
    Exercise(
        name="exponential_decay",
        kind=Schedule(),
        reference={"exponential_decay": exponential_decay},
        cases=RATE_CASES,
        misconceptions=(
            Misconception(
                "grows",
                lambda rate, t, k: rate * math.exp(k * t),
                "The rate grows with time: look at the sign in the exponent.",
                "rates",
                0.4,
            ),
            Misconception(
                "share-per-step",
                lambda rate, t, k: rate * (1 - k) ** t,
                "The rate loses the share k at each step, which is only nearly the same for small "
                "k, and nonsense for k above 1. Use the exponential.",
                "rates",
                0.4,
            ),
            Misconception(
                "whole-decays-only",
                lambda rate, t, k: rate * math.exp(-math.floor(k * t)),
                "k·t is cut to a whole number, so the rate falls in stairs, and with a small k not "
                "at all at first. It should fall a little at every step.",
                "rates",
                0.4,
            ),
            Misconception(
                "power-of-k",
                lambda rate, t, k: rate * k**t,
                "The rate is multiplied by k at each step. k stands in the exponent.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-step-early",
                lambda rate, t, k: rate * math.exp(-k * (t + 1)),
                LATE,
                "rates",
                0.4,
            ),
            Misconception(
                "time-forgotten",
                lambda rate, t, k: rate * math.exp(-k),
                "The rate does not change with t.",
                "rates",
                0.4,
            ),
            Misconception(
                "divided-by-k",
                lambda rate, t, k: rate * math.exp(-t / k) if k else rate,
                "t is divided by k, as if k were a time. A larger k should make the rate fall "
                "faster.",
                "rates",
                0.4,
            ),
            Misconception(
                "base-two",
                lambda rate, t, k: rate * 2 ** (-k * t),
                "The base is 2; here it is e.",
                "rates",
                0.3,
            ),
            Misconception(
                "inverse-time",
                lambda rate, t, k: rate / (1 + k * t),
                "This is the 1/t schedule, an exercise of its own; the exponential falls faster.",
                "rates",
                0.4,
            ),
        ),
        variants=(exponential_by_power, exponential_by_quotient, exponential_by_loop),
    ),
    Exercise(
        name="inverse_time_decay",
        kind=Schedule(),
        reference={"inverse_time_decay": inverse_time_decay},
        cases=RATE_CASES,
        misconceptions=(
            Misconception(
                "whole-decays-only",
                lambda rate, t, k: rate / (1 + math.floor(k * t)),
                "k·t is cut to a whole number, so the rate falls in stairs, and with a small k not "
                "at all at first. It should fall a little at every step.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-plus-k-to-the-t",
                lambda rate, t, k: rate / (1 + k) ** t,
                "1 + k is raised to the power t: that falls exponentially. Here t stands beside k.",
                "rates",
                0.4,
            ),
            Misconception(
                "divided-again-at-each-step",
                compounded,
                "At each step the rate of the step before is divided again, so the divisors pile "
                "up. rate is the rate at the start: only the divisor of this t counts.",
                "rates",
                0.4,
            ),
            Misconception(
                "k-beside-t",
                lambda rate, t, k: rate / (k + t) if k + t else rate,
                "The divisor is k + t. It should start at 1 and grow by k at each step.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-forgotten",
                lambda rate, t, k: rate / (k * t) if k * t else rate,
                "Without the 1 the rate would be infinite at the start.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-step-early",
                lambda rate, t, k: rate / (1 + k * (t + 1)),
                LATE,
                "rates",
                0.4,
            ),
            Misconception(
                "root-of-time",
                lambda rate, t, k: rate / math.sqrt(1 + k * t),
                "There is a root around 1 + kt that does not belong there.",
                "rates",
                0.4,
            ),
            Misconception(
                "grows",
                lambda rate, t, k: rate * (1 + k * t),
                "The rate grows with time. Which side of the fraction is 1 + kt on?",
                "rates",
                0.4,
            ),
            Misconception(
                "whole-numbers-only",
                lambda rate, t, k: (
                    rate // (1 + k * t) if isinstance(rate * k, int) else rate / (1 + k * t)
                ),
                "With whole numbers the result is rounded down: // divides integers.",
                "whole numbers",
                0.2,
            ),
            Misconception(
                "brackets-forgotten",
                lambda rate, t, k: rate / 1 + k * t,
                "Division comes before addition: put brackets around 1 + kt.",
                "rates",
                0.4,
            ),
            Misconception(
                "exponential",
                lambda rate, t, k: rate * math.exp(-k * t),
                "This is the exponential schedule, an exercise of its own.",
                "rates",
                0.4,
            ),
        ),
        variants=(inverse_by_power, inverse_by_sum, inverse_by_array),
    ),
    Exercise(
        name="linear_warmup",
        kind=Schedule(),
        reference={"linear_warmup": linear_warmup},
        cases=WARMUP_CASES,
        misconceptions=(
            Misconception(
                "starts-at-zero",
                lambda rate, t, steps: rate * min(1, t / steps),
                "At t = 0 the rate is 0, so the first step is lost, and the warm-up takes a step "
                "longer. The first of `steps` steps should take its share already.",
                "rates",
                0.4,
            ),
            Misconception(
                "goes-on-growing",
                lambda rate, t, steps: rate * (t + 1) / steps,
                "The rate goes on growing after the warm-up. From then on it stays.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-step-too-many",
                lambda rate, t, steps: rate * min(1, (t + 1) / (steps + 1)),
                "The warm-up takes one step too many: at the last of `steps` steps the full rate "
                "is reached.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-step-too-few",
                lambda rate, t, steps: rate * min(1, t / max(steps - 1, 1)),
                "The ramp runs from 0 at t = 0 to the full rate at t = steps − 1; it should take "
                "equal shares of 1/steps, and none of them is 0.",
                "rates",
                0.4,
            ),
            Misconception(
                "one-step-early",
                lambda rate, t, steps: rate * min(1, (t + 2) / steps),
                LATE,
                "rates",
                0.4,
            ),
            Misconception(
                "cold-until-warm",
                lambda rate, t, steps: rate if t >= steps else 0.0,
                "The rate jumps from 0 to its full value. It should rise step by step.",
                "rates",
                0.4,
            ),
            Misconception(
                "capped-at-one",
                lambda rate, t, steps: min(1, rate * (t + 1) / steps),
                "The minimum is taken of the rate, not of the share: rates grow up to 1. Which "
                "quantity must not exceed 1?",
                "rates",
                0.4,
            ),
            Misconception(
                "stops-after-the-warm-up",
                lambda rate, t, steps: rate * (t + 1) / steps if t < steps else 0.0,
                "After the warm-up the rate is 0; it should stay where the warm-up has led.",
                "rates",
                0.4,
            ),
            Misconception(
                "a-share-of-the-steps",
                lambda rate, t, steps: rate * max(1, (t + 1) / steps),
                "The larger of the two is taken, so the rate starts full and grows. The share "
                "rises towards 1 and stays there.",
                "rates",
                0.4,
            ),
        ),
        variants=(warmup_by_branch, warmup_by_clip, warmup_by_table),
    ),
)
