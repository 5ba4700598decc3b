"""Plain descent and its inertia: SGD, momentum, Nesterov, the heavy ball."""

import numpy as np

from autograder.battery.optimisers import Optimiser
from autograder.course.a5_optimization.recipes import SIGNED, ZEROS, Recipe, optimiser_cases
from autograder.course.a5_optimization.shared import shared_by_all
from autograder.exercise import Exercise, Misconception
from cs_nn.optim.first_order import sgd_momentum

MOMENTUM = Recipe(
    {"learning_rate": 1e-2, "momentum": 0.9, "velocity": ZEROS},
    {"velocity": "momentum * velocity - learning_rate * dw", "w": "w + velocity"},
    ("velocity",),
)
UPHILL = MOMENTUM.replacing("- learning", "+ learning")
CASES = optimiser_cases(
    {"learning_rate": 0.17, "momentum": 0.6},
    {"learning_rate": 0.05, "momentum": 0.8},
    state={"velocity": SIGNED},
    zeros=("learning_rate", "momentum"),
)
AGAINST_THE_MOTION = (
    "Your own runs come out right, but the velocity in your config points against the motion: in "
    "v ← μv − η·dw it is what w moves by. A velocity that the caller hands over pushes the wrong "
    "way, and so does yours in other hands."
)


# Correct, as students write them ------------------------------------------------------


def with_setdefault(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", np.zeros_like(w))

    v = config["momentum"] * v - config["learning_rate"] * dw
    next_w = w + v

    config["velocity"] = v
    return next_w, config


def with_a_memory_of_its_own(w, dw, config=None):
    config = dict(config or {})
    rate, mu = config.get("learning_rate", 0.01), config.get("momentum", 0.9)
    config["downhill"] = v = mu * config.get("downhill", 0) + rate * dw
    return w - v, config


def with_velocity_in_place(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9} | (config or {})
    if config.get("velocity") is None:
        config["velocity"] = np.zeros(w.shape, dw.dtype)
    config["velocity"] *= config["momentum"]
    config["velocity"] -= config["learning_rate"] * dw
    return w + config["velocity"], config


def entry_by_entry(w, dw, config=None):
    settings = {"learning_rate": 1e-2, "momentum": 0.9, **(config or {})}
    v = settings.get("velocity", [0.0] * w.size)
    v = [
        settings["momentum"] * a - settings["learning_rate"] * g
        for a, g in zip(v, dw.ravel(), strict=True)
    ]
    moved = [a + b for a, b in zip(w.ravel(), v, strict=True)]
    return [np.array(moved, dtype=dw.dtype).reshape(w.shape), settings | {"velocity": v}]


EXERCISES = (
    Exercise(
        name="sgd_momentum",
        kind=Optimiser(),
        reference={"sgd_momentum": sgd_momentum},
        cases=CASES,
        misconceptions=(
            *shared_by_all(
                MOMENTUM, MOMENTUM.replacing("- learning", "+ learning"), "the velocity"
            ),
            Misconception(
                "momentum-of-the-wrong-sign",
                MOMENTUM.but(velocity="-momentum * velocity - learning_rate * dw"),
                "The old velocity pushes back instead of carrying on: inertia keeps the direction "
                "of the past. Look at the sign of the momentum term.",
                "later steps",
                0.4,
            ),
            Misconception(
                "velocity-against-the-motion",
                MOMENTUM.but(velocity="momentum * velocity + learning_rate * dw", w="w - velocity"),
                AGAINST_THE_MOTION,
                "a given state",
                0.15,
            ),
            Misconception(
                "old-velocity-used",
                MOMENTUM.but(old="velocity", w="w + old"),
                "w is moved by the velocity of the step before. First the velocity takes up the "
                "new gradient, then w moves by it.",
                "first step",
                0.4,
            ),
            Misconception(
                "momentum-hard-coded",
                MOMENTUM.but(momentum="0.9"),
                "The momentum is 0.9 whatever the config says. 0.9 is only the default for a "
                "config that does not name it.",
                "later steps",
                0.3,
            ),
            Misconception(
                "default-momentum-is-zero",
                MOMENTUM.default(momentum=0.0),
                "Without a config there is no momentum. A key that is missing takes its default, "
                "and that of momentum is 0.9.",
                "later steps",
                0.2,
            ),
            Misconception(
                "rate-outside-the-velocity",
                MOMENTUM.but(velocity="momentum * velocity - dw", w="w + learning_rate * velocity"),
                "The learning rate multiplies the whole velocity, so a new rate rescales the past "
                "as well. In the form of this course each gradient enters the velocity with the "
                "rate of its own step; the two differ once the rate changes.",
                "changing learning rate",
                0.15,
            ),
            Misconception(
                "rate-times-the-old-velocity",
                MOMENTUM.but(velocity="learning_rate * (momentum * velocity - dw)"),
                "The learning rate multiplies the old velocity as well, so hardly anything of it "
                "is left. It belongs to the gradient alone.",
                "later steps",
                0.4,
            ),
            Misconception(
                "gradient-averaged",
                MOMENTUM.but(velocity="momentum * velocity - (1 - momentum) * learning_rate * dw"),
                "The gradient enters with a factor 1 − μ, as in a running mean. Momentum here is "
                "a sum: a ball picks up speed, up to 1/(1 − μ) times that of plain descent.",
                "first step",
                0.4,
            ),
            Misconception(
                "nesterov-instead",
                MOMENTUM.but(
                    velocity="momentum * velocity - learning_rate * dw",
                    w="w + momentum * velocity - learning_rate * dw",
                ),
                "This looks ahead along the new velocity, which is Nesterov's method and an "
                "exercise of its own. Plain momentum moves w by the velocity, nothing more.",
                "first step",
                0.4,
            ),
            Misconception(
                "momentum-twice",
                MOMENTUM.but(w="w + momentum * velocity"),
                "The momentum factor is in the velocity already; w moves by the velocity itself.",
                "first step",
                0.4,
            ),
            Misconception(
                "velocity-added-to-plain-step",
                MOMENTUM.but(w="w + velocity - learning_rate * dw"),
                "The gradient moves w twice: once through the velocity, once more by itself.",
                "first step",
                0.4,
            ),
        ),
        variants=(
            with_setdefault,
            with_a_memory_of_its_own,
            with_velocity_in_place,
            entry_by_entry,
        ),
    ),
)
