"""Rprop: a step for each entry, and only signs count."""

import dataclasses

import numpy as np

from autograder.battery.optimisers import NOTHING, Optimiser
from autograder.course.a5_optimization.recipes import (
    POSITIVE,
    SIGNED,
    STEPS,
    ZEROS,
    Recipe,
    optimiser_cases,
)
from autograder.course.a5_optimization.shared import shared_by_all
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.optim.first_order import rprop

CHANGED = "np.where(same < 0, old * eta_minus, np.where(same > 0, old * eta_plus, old))"
RPROP = Recipe(
    {
        "learning_rate": 1e-2,
        "eta_plus": 1.2,
        "eta_minus": 0.5,
        "step_min": 1e-6,
        "step_max": 50.0,
        "step": None,
        "prev_grad": ZEROS,
    },
    {
        "old": "np.full_like(dw, learning_rate) if step is None else step",
        "same": "np.sign(dw) * np.sign(prev_grad)",
        "step": f"np.clip({CHANGED}, step_min, step_max)",
        "grad": "np.where(same < 0, 0 * dw, dw)",
        "w": "w - np.sign(grad) * step",
    },
    {"step": "step", "prev_grad": "grad"},
)
_CASES = optimiser_cases(
    {"learning_rate": 0.1, "eta_plus": 1.5, "eta_minus": 0.3},
    {"learning_rate": 0.2, "eta_plus": 1.3, "eta_minus": 0.6, "step_min": 0.15, "step_max": 0.22},
    state={"step": POSITIVE, "prev_grad": SIGNED},
    zeros=(),
)


def cases(rng):
    """The signs of a long run: some entries keep theirs, others change it."""
    made = [*_CASES(rng), *at_the_bounds(rng)]
    for case in made:
        slopes = case.extra["gradients"]
        # The first entry grows all the way, the second alternates; both always occur.
        for number, gradient in enumerate(slopes):
            if gradient.any():
                gradient.flat[0] = abs(gradient.flat[0]) + 0.1
                gradient.flat[1] = (-1) ** number * (abs(gradient.flat[1]) + 0.1)
    return [dataclasses.replace(case, tags=case.tags - {"default parameters"}) for case in made]


def at_the_bounds(rng):
    """Steps that reach the default bounds, 50 and 1e-6, or find no lower one."""

    def case(config, scale, words, check="default bounds"):
        slopes = [numbers(rng, 2, 3) for _ in range(STEPS)]
        args = {"w": scale * numbers(rng, 2, 3), "config": config}
        label = f"w of shape (2, 3) {words}"
        return Case(label, args, check, extra={"gradients": slopes})

    return [
        case({"learning_rate": 20.0, "eta_plus": 2.0}, 1.0, "and steps that reach 50"),
        case({"learning_rate": 3e-6, "eta_minus": 0.2}, 1e-6, "and steps that reach 1e-6"),
        case(
            {"learning_rate": 3e-6, "eta_minus": 0.2, "step_min": 0.0},
            1e-6,
            "and steps that may become as small as they like",
            NOTHING,
        ),
    ]


def by_masks(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("eta_plus", 1.2)
    config.setdefault("eta_minus", 0.5)
    config.setdefault("step_min", 1e-6)
    config.setdefault("step_max", 50)
    config.setdefault("step", np.ones_like(w) * config["learning_rate"])
    config.setdefault("prev_grad", np.zeros_like(w))

    grad = dw.copy()
    product = grad * config["prev_grad"]
    step = config["step"]
    step[product > 0] = np.minimum(step[product > 0] * config["eta_plus"], config["step_max"])
    step[product < 0] = np.maximum(step[product < 0] * config["eta_minus"], config["step_min"])
    grad[product < 0] = 0
    config["prev_grad"] = grad
    return w - np.sign(grad) * step, config


def by_loop(w, dw, config=None):
    c = {"learning_rate": 0.01, "eta_plus": 1.2, "eta_minus": 0.5, "step_min": 1e-6}
    c |= {"step_max": 50.0, **(config or {})}
    step = c.get("step", np.full(w.shape, c["learning_rate"], dw.dtype)).copy()
    previous, result = c.get("prev_grad", np.zeros(w.shape)).copy(), w + np.zeros_like(dw)
    for i in np.ndindex(*w.shape):
        g = dw[i]
        if g * previous[i] > 0:
            step[i] = min(step[i] * c["eta_plus"], c["step_max"])
        elif g * previous[i] < 0:
            step[i] = max(step[i] * c["eta_minus"], c["step_min"])
            g = 0.0
        if g > 0:
            result[i] -= step[i]
        elif g < 0:
            result[i] += step[i]
        previous[i] = g
    return result, {**c, "step": step, "prev_grad": previous}


def with_signs_only(w, dw, config=None):
    """Remembers signs instead of gradients."""
    c = dict(config or {})
    sign = np.sign(dw)
    agree = sign * c.get("signs", 0)
    factor = np.choose(
        agree.astype(int) + 1, [c.get("eta_minus", 0.5), 1.0, c.get("eta_plus", 1.2)]
    )
    step = c.get("step", c.get("learning_rate", 0.01)) * factor.astype(dw.dtype)
    c["step"] = np.minimum(np.maximum(step, c.get("step_min", 1e-6)), c.get("step_max", 50.0))
    c["signs"] = sign * (agree >= 0)
    return w - c["signs"] * c["step"], c


EXERCISES = (
    Exercise(
        name="rprop",
        kind=Optimiser(),
        reference={"rprop": rprop},
        cases=cases,
        misconceptions=(
            # The learning rate is only the first step; later ones need not know it.
            *(
                m
                for m in shared_by_all(
                    RPROP, RPROP.replacing("w - np", "w + np"), "the step of each entry"
                )
                if m.code != "rate-lost"
            ),
            Misconception(
                "size-of-the-gradient-used",
                RPROP.but(w="w - grad * step"),
                "The step is multiplied by the gradient. In Rprop only its sign counts, the "
                "length is the entry's own step.",
                "first step",
                0.4,
            ),
            Misconception(
                "moves-on-after-a-change-of-sign",
                RPROP.but(w="w - np.sign(dw) * step"),
                "An entry whose gradient has just changed sign still moves. In this variant it "
                "rests for one step, because its gradient counts as 0.",
                "later steps",
                0.3,
            ),
            Misconception(
                "change-of-sign-remembered",
                RPROP.storing("step", prev_grad="dw"),
                "The gradient that changed sign is remembered as it is, so the next step grows or "
                "shrinks at once. It should count as 0 for the next comparison as well.",
                "later steps",
                0.3,
            ),
            Misconception(
                "step-taken-back",
                RPROP.but(
                    w="w - np.where(same < 0, -np.sign(prev_grad) * old, np.sign(dw) * step)"
                ),
                "At a change of sign the last step is taken back. That is Rprop with weight "
                "backtracking; here the entry just rests.",
                "later steps",
                0.3,
            ),
            Misconception(
                "previous-gradient-not-stored",
                RPROP.storing("step"),
                "Nothing is remembered of the last gradient, so no sign ever agrees or changes "
                "and the steps stay as they are.",
                "later steps",
                0.4,
            ),
            Misconception(
                "step-not-stored",
                RPROP.storing(prev_grad="grad"),
                "The steps start from learning_rate each time: the adapted ones never get into the "
                "config that you return.",
                "later steps",
                0.4,
            ),
            Misconception(
                "growth-and-shrinking-swapped",
                RPROP.replacing("same < 0, old", "same > 0, old").replacing(
                    "np.where(same > 0, old * eta_plus", "np.where(same < 0, old * eta_plus"
                ),
                "The step shrinks where the signs agree and grows where they change. As long as "
                "the sign stays, the minimum is still ahead: go faster.",
                "later steps",
                0.4,
            ),
            Misconception(
                "grows-at-zero",
                RPROP.replacing("same > 0, old * eta_plus", "same >= 0, old * eta_plus"),
                "The step also grows where one of the two gradients is 0, even at the very first "
                "step. Then there is no sign to agree with: the step stays.",
                "first step",
                0.3,
            ),
            Misconception(
                "not-clipped",
                RPROP.but(step=CHANGED),
                "The steps are not kept between step_min and step_max.",
                "later steps",
                0.2,
            ),
            Misconception(
                "bounds-hard-coded",
                RPROP.but(step_min="1e-6", step_max="50.0"),
                "The bounds of the steps are those of the defaults whatever the config says.",
                "later steps",
                0.2,
            ),
            Misconception(
                "factors-hard-coded",
                RPROP.but(eta_plus="1.2", eta_minus="0.5"),
                "The factors are 1.2 and 0.5 whatever the config says; that is only the default.",
                "later steps",
                0.3,
            ),
            Misconception(
                "one-step-for-all-entries",
                RPROP.but(same="np.sign(np.sum(dw * prev_grad)) * np.ones_like(w)"),
                "All entries grow or shrink together. Each has a step of its own, and compares its "
                "own two signs.",
                "later steps",
                0.4,
            ),
        ),
        variants=(by_masks, by_loop, with_signs_only),
    ),
)
