"""Adam and AdamW."""

import numpy as np

from autograder.battery.optimisers import Optimiser
from autograder.course.a5_optimization.moments import (
    ADAM,
    ADAMW,
    CASES,
    CASES_W,
    DECAY_AFTER,
    shared_by_adam,
    shared_by_the_family,
)
from autograder.exercise import Exercise, Misconception
from cs_nn.optim.first_order import adam, adamw

# Correct, as students write them ------------------------------------------------------


def with_setdefault(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", np.zeros_like(dw))
    config.setdefault("v", np.zeros_like(dw))
    config.setdefault("t", 0)

    config["t"] += 1
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * (dw * dw)
    mt = config["m"] / (1 - config["beta1"] ** config["t"])
    vt = config["v"] / (1 - config["beta2"] ** config["t"])
    next_w = w - config["learning_rate"] * mt / (np.sqrt(vt) + config["epsilon"])
    return next_w, config


def with_powers_kept(w, dw, config=None):
    """Keeps β^t instead of t, and the moments in place."""
    c = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, **(config or {})}
    if "moments" not in c:
        c["moments"] = np.zeros((2, *w.shape), dw.dtype)
        c["power1"] = c["power2"] = 1.0
    first, second = c["moments"]
    first += (1 - c["beta1"]) * (dw - first)
    second += (1 - c["beta2"]) * (np.square(dw) - second)
    c["power1"] *= c["beta1"]
    c["power2"] *= c["beta2"]
    root = np.sqrt(second / (1 - c["power2"]))
    step = c["learning_rate"] / (1 - c["power1"]) * first
    return w - step / (root + c["epsilon"]), c


def with_one_fraction(w, dw, config=None):
    """Moves the correction into the rate, and epsilon with it, as Kingma and Ba suggest."""
    config = {} if config is None else config
    rate, eps = config.get("learning_rate", 0.001), config.get("epsilon", 1e-8)
    b1, b2 = config.get("beta1", 0.9), config.get("beta2", 0.999)
    t = config.get("t", 0) + 1
    m = b1 * config.get("m", 0) + (1 - b1) * dw
    v = b2 * config.get("v", 0) + (1 - b2) * dw**2
    root = (1 - b2**t) ** 0.5
    next_w = w - (rate * root / (1 - b1**t)) * m / (v**0.5 + eps * root)
    return next_w, {**config, "m": m, "v": v, "t": t}


def entry_by_entry(w, dw, config=None):
    config = dict(config) if config else {}
    rate, eps = config.get("learning_rate", 1e-3), config.get("epsilon", 1e-8)
    b1, b2 = config.get("beta1", 0.9), config.get("beta2", 0.999)
    t = config["t"] = config.get("t", 0) + 1
    m, v = config.get("m", np.zeros(w.shape)), config.get("v", np.zeros(w.shape))
    m, v, result = m.copy(), v.copy(), np.empty_like(dw)
    for i in np.ndindex(*w.shape):
        m[i] = b1 * m[i] + (1 - b1) * dw[i]
        v[i] = b2 * v[i] + (1 - b2) * dw[i] ** 2
        corrected = v[i] / (1 - b2**t)
        result[i] = w[i] - rate * m[i] / (1 - b1**t) / (corrected**0.5 + eps)
    config["m"], config["v"] = m, v
    return result, config


def adamw_with_setdefault(w, dw, config=None):
    decay = (config or {}).get("weight_decay", 1e-2)
    rate = (config or {}).get("learning_rate", 1e-3)
    next_w, config = with_setdefault(w, dw, config)
    return next_w - rate * decay * w, config


def adamw_shrinking_first(w, dw, config=None):
    config = {"learning_rate": 1e-3, "weight_decay": 0.01} | (config or {})
    shrunk = w * (1 - config["learning_rate"] * config["weight_decay"])
    return with_powers_kept(shrunk, dw, config)


def adamw_loops(w, dw, config=None):
    moved, after = entry_by_entry(w, dw, config)
    after.setdefault("weight_decay", 0.01)
    return moved - after.get("learning_rate", 1e-3) * after["weight_decay"] * w, after


EXERCISES = (
    Exercise(
        name="adam",
        kind=Optimiser(),
        reference={"adam": adam},
        cases=CASES,
        misconceptions=(
            *shared_by_the_family(ADAM, ADAM.replacing("w - learning", "w + learning")),
            *shared_by_adam(ADAM),
        ),
        variants=(with_setdefault, with_powers_kept, with_one_fraction, entry_by_entry),
    ),
    Exercise(
        name="adamw",
        kind=Optimiser(),
        reference={"adamw": adamw},
        cases=CASES_W,
        misconceptions=(
            *shared_by_the_family(ADAMW, ADAMW.replacing("(m_hat", "(-m_hat")),
            *shared_by_adam(ADAMW),
            Misconception(
                "decay-through-the-gradient",
                ADAMW.but(
                    dw="dw + weight_decay * w",
                    w=ADAM.lines["w"],
                ),
                "The decay is added to the gradient, so it goes through the moments and is "
                "divided by √v̂: that is Adam with L2, which AdamW was made to replace. The decay "
                "acts on w directly, beside Adam's step.",
                "first step",
                0.4,
            ),
            Misconception(
                "decay-under-the-root",
                ADAMW.but(
                    w="w - learning_rate * (m_hat + weight_decay * w) / (np.sqrt(v_hat) + epsilon)"
                ),
                "The decay stands beside m̂ and is divided by √v̂ with it, so weights with large "
                "gradients hardly decay. Where does the bracket close? The decay is divided by "
                "nothing.",
                "first step",
                0.3,
            ),
            Misconception(
                "only-matrices-decayed",
                ADAMW.but(weight_decay="weight_decay * (np.ndim(w) > 1)"),
                "Parameters with one axis are taken for biases and not decayed. Which parameters "
                "are to decay is the caller's choice: every w that comes here decays.",
                "first step",
                0.2,
            ),
            Misconception(
                "decay-without-the-learning-rate",
                ADAMW.replacing("+ weight_decay * w", "+ weight_decay * w / learning_rate"),
                "The decay does not feel the learning rate. In this form η multiplies both Adam's "
                "direction and λw.",
                "first step",
                0.3,
            ),
            Misconception(
                "decay-forgotten",
                ADAMW.but(w=ADAM.lines["w"]),
                "The weights do not decay: this is plain Adam. Where does λw enter?",
                "first step",
                0.4,
            ),
            Misconception(
                "decay-of-the-wrong-sign",
                ADAMW.replacing("+ weight_decay * w", "- weight_decay * w"),
                "The decay makes the weights grow. It should pull them towards zero.",
                "first step",
                0.3,
            ),
            Misconception(
                "decay-of-the-moved-weights",
                DECAY_AFTER,
                "The decay sees the weights after Adam's step. Both act on the weights as they "
                "were before it.",
                "first step",
                0.2,
            ),
            Misconception(
                "decay-hard-coded",
                ADAMW.but(weight_decay="1e-2"),
                "The weight decay is 0.01 whatever the config says; that is only the default.",
                "first step",
                0.3,
            ),
            Misconception(
                "decay-halved",
                ADAMW.replacing("+ weight_decay * w", "+ 0.5 * weight_decay * w"),
                "The decay carries a factor ½. It belongs to the penalty ½λ‖w‖², whose gradient "
                "is λw.",
                "first step",
                0.3,
            ),
        ),
        variants=(adamw_with_setdefault, adamw_shrinking_first, adamw_loops),
    ),
)
