"""A rate for each entry: Adagrad and RMSprop."""

import numpy as np

from autograder.battery.optimisers import Optimiser
from autograder.course.a5_optimization.recipes import POSITIVE, ZEROS, Recipe, optimiser_cases
from autograder.course.a5_optimization.shared import epsilon_mistakes, shared_by_all
from autograder.exercise import Exercise, Misconception
from cs_nn.optim.first_order import adagrad, rmsprop

STEP = "w - learning_rate * dw / (np.sqrt(cache) + epsilon)"
ADAGRAD = Recipe(
    {"learning_rate": 1e-2, "epsilon": 1e-8, "cache": ZEROS},
    {"cache": "cache + dw**2", "w": STEP},
    ("cache",),
)
CACHE_OF_THE_SUM = ADAGRAD.but(cache="cache + dw").replacing("np.sqrt(cache)", "np.abs(cache)")
RMSPROP = Recipe(
    ADAGRAD.defaults | {"decay_rate": 0.99},
    {"cache": "decay_rate * cache + (1 - decay_rate) * dw**2", "w": STEP},
    ("cache",),
)


# Correct, as students write them ------------------------------------------------------


def adagrad_with_setdefault(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", np.zeros_like(dw))
    config["cache"] += dw * dw
    return w - config["learning_rate"] * dw / (config["cache"] ** 0.5 + config["epsilon"]), config


def adagrad_with_root_kept(w, dw, config=None):
    c = {"learning_rate": 0.01, "epsilon": 1e-8, "norm": 0.0, **(config or {})}
    c["norm"] = np.hypot(c["norm"], dw).astype(dw.dtype)
    return np.subtract(w, c["learning_rate"] * dw / (c["epsilon"] + c["norm"])), c


def adagrad_with_history(w, dw, config=None):
    """Keeps all gradients, and adds up their squares afresh each time."""
    config = dict(config or {})
    config["seen"] = [*config.get("seen", []), dw.copy()]
    total = np.sqrt(sum(g**2 for g in config["seen"]))
    return w - config.get("learning_rate", 0.01) / (
        total + config.get("epsilon", 1e-8)
    ) * dw, config


def rmsprop_with_setdefault(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", np.zeros_like(w))

    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    next_w = w - config["learning_rate"] * dw / (np.sqrt(config["cache"]) + config["epsilon"])
    return next_w, config


def rmsprop_with_step_in_place(w, dw, config=None):
    c = {"learning_rate": 0.01, "decay_rate": 0.99, "epsilon": 1e-8} | (config or {})
    cache = c.setdefault("cache", np.zeros(w.shape, dtype=dw.dtype))
    cache += (1 - c["decay_rate"]) * (dw * dw - cache)
    step = np.array(dw)
    step /= np.sqrt(cache) + c["epsilon"]
    return w - c["learning_rate"] * step, c


def rmsprop_by_loop(w, dw, config=None):
    get = (config or {}).get
    rho, eps, rate = get("decay_rate", 0.99), get("epsilon", 1e-8), get("learning_rate", 0.01)
    cache = [
        rho * c + (1 - rho) * g * g
        for c, g in zip(get("cache", [0] * w.size), dw.flat, strict=True)
    ]
    moved = [a - rate * g / (c**0.5 + eps) for a, g, c in zip(w.flat, dw.flat, cache, strict=True)]
    return np.array(moved, dw.dtype).reshape(w.shape), {**(config or {}), "cache": cache}


def shared(rule, root):
    """What can go wrong in both rules."""
    return (
        *shared_by_all(rule, rule.replacing("w - learning", "w + learning"), "the cache"),
        *epsilon_mistakes(rule, root),
        Misconception(
            "root-forgotten",
            rule.replacing(root, "cache"),
            "You divide by the squares themselves. Their root has the unit of a gradient, so that "
            "the step no longer depends on the gradient's scale.",
            "first step",
            0.4,
        ),
        Misconception(
            "root-stored",
            rule.storing(cache=root),
            "The first step is right, but what you store is the root. The next step adds a square "
            "to it: the cache keeps the squares, and the root belongs to this step alone.",
            "later steps",
            0.3,
        ),
        Misconception(
            "square-forgotten",
            rule.replacing("dw**2", "np.abs(dw)"),
            "The cache collects the size of the gradients, not their squares.",
            "first step",
            0.4,
        ),
        Misconception(
            "one-cache-for-all-entries",
            rule.replacing("dw**2", "np.sum(dw**2)"),
            "All entries share one cache: you add up over the array. The point is a rate of its "
            "own for each entry.",
            "first step",
            0.4,
        ),
        Misconception(
            "mean-over-the-entries",
            rule.replacing("dw**2", "np.mean(dw**2)"),
            "The squares are averaged over the array, so all entries share one rate. Each entry "
            "keeps its own; the mean goes over the steps.",
            "first step",
            0.4,
        ),
        Misconception(
            "cache-updated-too-late",
            rule.but(before="cache").replacing(root, "np.sqrt(before)"),
            "The step divides by the cache of the step before, which is zero at first. The cache "
            "takes up the new gradient before the step is made.",
            "first step",
            0.4,
        ),
        Misconception(
            "gradient-forgotten",
            rule.replacing("learning_rate * dw", "learning_rate"),
            "The step is a rate without a direction: where does the gradient enter?",
            "first step",
            0.5,
        ),
    )


EXERCISES = (
    Exercise(
        name="adagrad",
        kind=Optimiser(),
        reference={"adagrad": adagrad},
        cases=optimiser_cases(
            {"learning_rate": 0.17},
            {"learning_rate": 0.6},
            epsilon=0.05,
            state={"cache": POSITIVE},
        ),
        misconceptions=(
            *shared(ADAGRAD, "np.sqrt(cache)"),
            Misconception(
                "a-memory-that-fades",
                ADAGRAD.but(cache="0.99 * cache + 0.01 * dw**2"),
                "The cache fades: that is RMSprop, an exercise of its own. Adagrad remembers "
                "every square in full.",
                "first step",
                0.4,
            ),
            Misconception(
                "cache-of-the-sum",
                CACHE_OF_THE_SUM,
                "The gradients are added up before they are squared, so opposite signs cancel. "
                "Each gradient is squared by itself.",
                "later steps",
                0.4,
            ),
        ),
        variants=(adagrad_with_setdefault, adagrad_with_root_kept, adagrad_with_history),
    ),
    Exercise(
        name="rmsprop",
        kind=Optimiser(),
        reference={"rmsprop": rmsprop},
        cases=optimiser_cases(
            {"learning_rate": 0.17, "decay_rate": 0.9},
            {"learning_rate": 0.05, "decay_rate": 0.6},
            epsilon=0.05,
            state={"cache": POSITIVE},
            zeros=("learning_rate", "decay_rate"),
        ),
        misconceptions=(
            *shared(RMSPROP, "np.sqrt(cache)"),
            Misconception(
                "accumulates-for-ever",
                RMSPROP.but(cache="cache + dw**2"),
                "The cache only grows: that is Adagrad, whose steps die out. RMSprop lets the "
                "past fade with decay_rate.",
                "first step",
                0.4,
            ),
            Misconception(
                "weight-squared-too",
                RMSPROP.but(cache="decay_rate * cache + ((1 - decay_rate) * dw)**2"),
                "The weight 1 − decay_rate is squared together with the gradient. Only the "
                "gradient is squared; its weight stands outside.",
                "first step",
                0.4,
            ),
            Misconception(
                "started-with-the-first-square",
                RMSPROP.default(cache=None).but(
                    cache="dw**2 if cache is None else " + RMSPROP.lines["cache"]
                ),
                "The cache starts at the first square. It starts at zero, so that at the first "
                "step it holds only the share 1 − decay_rate of that square.",
                "first step",
                0.3,
            ),
            Misconception(
                "new-square-in-full",
                RMSPROP.but(cache="decay_rate * cache + dw**2"),
                "The new square enters in full, so the cache is no average: where is the weight "
                "1 − decay_rate?",
                "first step",
                0.4,
            ),
            Misconception(
                "past-does-not-fade",
                RMSPROP.but(cache="cache + (1 - decay_rate) * dw**2"),
                "The past enters in full, so the cache only grows. Where is its factor decay_rate?",
                "later steps",
                0.4,
            ),
            Misconception(
                "weights-swapped",
                RMSPROP.but(cache="(1 - decay_rate) * cache + decay_rate * dw**2"),
                "decay_rate is the weight of the past and 1 − decay_rate that of the new square; "
                "yours are swapped, so the memory is lost at once.",
                "first step",
                0.4,
            ),
            Misconception(
                "decay-rate-hard-coded",
                RMSPROP.but(decay_rate="0.99"),
                "The decay rate is 0.99 whatever the config says; that is only the default.",
                "first step",
                0.3,
            ),
            Misconception(
                "default-decay-rate",
                RMSPROP.default(decay_rate=0.9),
                "Without a config the decay rate is 0.9; in this course it is 0.99.",
                "first step",
                0.1,
            ),
            Misconception(
                "bias-corrected",
                Recipe(
                    RMSPROP.defaults | {"t": 0},
                    {
                        "t": "t + 1",
                        "cache": RMSPROP.lines["cache"],
                        "w": STEP.replace("cache", "cache / (1 - decay_rate**t)"),
                    },
                    ("cache", "t"),
                ),
                "The cache is corrected for its start at zero. Adam does that; RMSprop takes it as "
                "it is.",
                "first step",
                0.3,
            ),
            Misconception(
                "average-of-the-gradients",
                RMSPROP.but(cache="decay_rate * cache + (1 - decay_rate) * dw").replacing(
                    "np.sqrt(cache)", "np.abs(cache)"
                ),
                "The cache averages the gradients; it should average their squares, and the root "
                "comes last.",
                "first step",
                0.4,
            ),
        ),
        variants=(rmsprop_with_setdefault, rmsprop_with_step_in_place, rmsprop_by_loop),
    ),
)
