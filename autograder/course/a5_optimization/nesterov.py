"""Nesterov momentum, in the variables of the point that is looked ahead to."""

import numpy as np

from autograder.battery.optimisers import Optimiser
from autograder.course.a5_optimization.momentum import AGAINST_THE_MOTION, CASES, MOMENTUM
from autograder.course.a5_optimization.recipes import Recipe
from autograder.course.a5_optimization.shared import shared_by_all
from autograder.exercise import Exercise, Misconception
from cs_nn.optim.first_order import nesterov

NESTEROV = Recipe(
    MOMENTUM.defaults,
    {
        "v_prev": "velocity",
        "velocity": "momentum * velocity - learning_rate * dw",
        "w": "w - momentum * v_prev + (1 + momentum) * velocity",
    },
    ("velocity",),
)
UPHILL = NESTEROV.replacing("- learning_rate", "+ learning_rate")


def with_setdefault(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", np.zeros_like(w))
    v_prev = v
    v = config["momentum"] * v - config["learning_rate"] * dw
    next_w = w + -config["momentum"] * v_prev + (1 + config["momentum"]) * v
    config["velocity"] = v
    return next_w, config


def with_one_lookahead(w, dw, config=None):
    """w + μv − η·dw with the new v: the same, because v − μ·v_prev is −η·dw."""
    config = {"learning_rate": 0.01, "momentum": 0.9} | (config or {})
    plain = config["learning_rate"] * dw
    config["velocity"] = config["momentum"] * config.get("velocity", 0.0) - plain
    return w + config["momentum"] * config["velocity"] - plain, config


def by_the_point_behind(w, dw, config=None):
    """Goes back to the point that has not looked ahead, moves it, and looks ahead again."""
    config = dict(config or {})
    mu = config.get("momentum", 0.9)
    v = config.get("velocity")
    behind = w if v is None else w - mu * v
    v = -config.get("learning_rate", 0.01) * dw + (0 if v is None else mu * v)
    config["velocity"] = v
    return behind + v + mu * v, config


EXERCISES = (
    Exercise(
        name="nesterov",
        kind=Optimiser(),
        reference={"nesterov": nesterov},
        cases=CASES,
        misconceptions=(
            *shared_by_all(NESTEROV, UPHILL, "the velocity"),
            Misconception(
                "look-ahead-stored",
                NESTEROV.storing(velocity="momentum * velocity - learning_rate * dw"),
                "The first step is right, but what you store as velocity is the whole way that w "
                "went, with the look ahead in it. The velocity of the next step comes from that of "
                "this one: keep the two apart.",
                "later steps",
                0.3,
            ),
            Misconception(
                "momentum-hard-coded-in-the-step",
                NESTEROV.but(w="w - 0.9 * v_prev + 1.9 * velocity"),
                "The velocity uses the momentum of the config, but the step of w has 0.9 and 1.9 "
                "written out.",
                "first step",
                0.3,
            ),
            Misconception(
                "velocity-against-the-motion",
                NESTEROV.but(
                    velocity="momentum * velocity + learning_rate * dw",
                    w="w + momentum * v_prev - (1 + momentum) * velocity",
                ),
                AGAINST_THE_MOTION,
                "a given state",
                0.15,
            ),
            Misconception(
                "plain-momentum",
                NESTEROV.but(w="w + velocity"),
                "This is plain momentum: nothing looks ahead. w has to end where the new velocity "
                "is about to carry it, not where it is now.",
                "first step",
                0.5,
            ),
            Misconception(
                "old-velocity-overwritten",
                NESTEROV.but(v_prev="momentum * velocity - learning_rate * dw"),
                "The old velocity is taken after the new one has replaced it, so the last line "
                "collapses to plain momentum. Keep it before you update.",
                "first step",
                0.5,
                equivalent=("plain-momentum",),
            ),
            Misconception(
                "old-velocity-forgotten",
                NESTEROV.but(w="w + (1 + momentum) * velocity"),
                "The term with the old velocity is missing: w already stands ahead by μ·v_prev, "
                "and that look ahead must be taken back first.",
                "later steps",
                0.4,
            ),
            Misconception(
                "old-velocity-added",
                NESTEROV.but(w="w + momentum * v_prev + (1 + momentum) * velocity"),
                "The old velocity enters with the wrong sign: the last look ahead must be taken "
                "back before the new one is made.",
                "later steps",
                0.4,
            ),
            Misconception(
                "look-ahead-without-the-step",
                NESTEROV.but(w="w - momentum * v_prev + momentum * velocity"),
                "The new velocity enters with μ alone. It counts once for the step and μ times "
                "for the look ahead.",
                "first step",
                0.4,
            ),
            Misconception(
                "look-ahead-from-the-old-point",
                NESTEROV.but(w="w + momentum * velocity"),
                "w moves by μ times the velocity alone. Where is the step itself, and the look "
                "ahead that is taken back?",
                "first step",
                0.4,
            ),
            Misconception(
                "momentum-of-the-wrong-sign",
                NESTEROV.but(velocity="-momentum * velocity - learning_rate * dw"),
                "The old velocity pushes back instead of carrying on. Look at the sign of the "
                "momentum term in the velocity.",
                "later steps",
                0.4,
            ),
            Misconception(
                "momentum-hard-coded",
                NESTEROV.but(momentum="0.9"),
                "The momentum is 0.9 whatever the config says; that is only the default.",
                "first step",
                0.3,
            ),
            Misconception(
                "rate-outside-the-velocity",
                NESTEROV.but(
                    velocity="momentum * velocity - dw",
                    w="w + learning_rate * (momentum * velocity - dw)",
                ),
                "The learning rate multiplies the whole velocity, so a new rate rescales the past "
                "as well. Here each gradient enters with the rate of its own step; the two differ "
                "once the rate changes.",
                "changing learning rate",
                0.15,
            ),
            Misconception(
                "gradient-averaged",
                NESTEROV.but(velocity="momentum * velocity - (1 - momentum) * learning_rate * dw"),
                "The gradient enters with a factor 1 − μ, as in a running mean. The velocity is a "
                "sum here.",
                "first step",
                0.4,
            ),
        ),
        variants=(with_setdefault, with_one_lookahead, by_the_point_behind),
    ),
)
