"""Adamax: a fading maximum for the second moment."""

import numpy as np

from autograder.battery.optimisers import Optimiser
from autograder.course.a5_optimization.moments import CASES_MAX, UNCORRECTED, shared_by_the_family
from autograder.course.a5_optimization.recipes import ZEROS, Recipe
from autograder.exercise import Exercise, Misconception
from cs_nn.optim.first_order import adamax

ADAMAX = Recipe(
    {
        "learning_rate": 2e-3,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "m": ZEROS,
        "u": ZEROS,
        "t": 0,
    },
    {
        "t": "t + 1",
        "m": "beta1 * m + (1 - beta1) * dw",
        "u": "np.maximum(beta2 * u, np.abs(dw))",
        "w": "w - learning_rate / (1 - beta1**t) * m / (u + epsilon)",
    },
    ("m", "u", "t"),
)


def adamax_with_setdefault(w, dw, config=None):
    if config is None:
        config = {}
    for key, value in (("learning_rate", 2e-3), ("beta1", 0.9), ("beta2", 0.999), ("t", 0)):
        config.setdefault(key, value)
    config.setdefault("m", np.zeros_like(dw))
    config.setdefault("u", np.zeros_like(dw))
    config["t"] += 1
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    config["u"] = np.where(
        config["beta2"] * config["u"] > abs(dw), config["beta2"] * config["u"], abs(dw)
    )
    m_hat = config["m"] / (1 - config["beta1"] ** config["t"])
    eps = config.get("epsilon", 1e-8)
    return w - config["learning_rate"] * m_hat / (config["u"] + eps), config


def adamax_stacked(w, dw, config=None):
    c = dict(config or {})
    t = c["t"] = c.get("t", 0) + 1
    b1, b2 = c.get("beta1", 0.9), c.get("beta2", 0.999)
    c["m"] = b1 * c.get("m", 0) + dw - b1 * dw
    c["u"] = np.max([b2 * c.get("u", np.zeros_like(dw)), np.abs(dw)], axis=0)
    step = c["m"] / (c["u"] + c.get("epsilon", 1e-8))
    return w - (c.get("learning_rate", 2e-3) / (1 - b1**t)) * step, c


def adamax_loops(w, dw, config=None):
    c = {"learning_rate": 0.002, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8} | (config or {})
    m, u = list(c.get("m", [0] * w.size)), list(c.get("u", [0] * w.size))
    c["t"] = c.get("t", 0) + 1
    flat = (w + np.zeros_like(dw)).flatten()
    for i, g in enumerate(dw.flatten()):
        m[i] = c["beta1"] * m[i] + (1 - c["beta1"]) * g
        u[i] = max(c["beta2"] * u[i], abs(g))
        flat[i] -= c["learning_rate"] / (1 - c["beta1"] ** c["t"]) * m[i] / (u[i] + c["epsilon"])
    c["m"], c["u"] = m, u
    return flat.reshape(w.shape), c


EXERCISES = (
    Exercise(
        name="adamax",
        kind=Optimiser(),
        reference={"adamax": adamax},
        cases=CASES_MAX,
        misconceptions=(
            *shared_by_the_family(ADAMAX, ADAMAX.replacing("w - learning", "w + learning")),
            Misconception(
                "no-bias-correction",
                ADAMAX.replacing("learning_rate / (1 - beta1**t)", "learning_rate"),
                UNCORRECTED,
                "first step",
                0.3,
            ),
            Misconception(
                "maximum-corrected-too",
                ADAMAX.replacing("(u + epsilon)", "(u / (1 - beta2**t) + epsilon)"),
                "u is a maximum, not a mean: it is not too small at first and needs no correction.",
                "first step",
                0.3,
            ),
            Misconception(
                "magnitude-forgotten",
                ADAMAX.but(u="np.maximum(beta2 * u, dw)"),
                "u compares with the gradient and its sign. Its size counts, or a negative "
                "gradient leaves no trace.",
                "first step",
                0.4,
            ),
            Misconception(
                "maximum-does-not-fade",
                ADAMAX.but(u="np.maximum(u, np.abs(dw))"),
                "u only ever grows, so one large gradient slows the entry down for ever. The old "
                "maximum fades by β₂ at each step.",
                "later steps",
                0.3,
            ),
            Misconception(
                "mean-instead-of-maximum",
                ADAMAX.but(u="beta2 * u + (1 - beta2) * np.abs(dw)"),
                "u is a running mean of the sizes. Adamax takes the maximum, the limit of ever "
                "higher powers.",
                "first step",
                0.4,
            ),
            Misconception(
                "one-maximum-for-all",
                ADAMAX.but(u="0 * u + np.max([beta2 * u, np.abs(dw)])"),
                "The maximum is taken over all entries of the arrays, so they share one u. Each "
                "entry has its own: compare the two arrays entry by entry.",
                "first step",
                0.4,
            ),
            Misconception(
                "new-gradient-fades-too",
                ADAMAX.but(u="np.maximum(beta2 * u, (1 - beta2) * np.abs(dw))"),
                "The new gradient enters the maximum with a factor 1 − β₂; only the past fades.",
                "first step",
                0.4,
            ),
        ),
        variants=(adamax_with_setdefault, adamax_stacked, adamax_loops),
    ),
)
