"""Rules with two moments, Adam's family: their recipes, inputs and shared misconceptions."""

from autograder.course.a5_optimization.recipes import (
    POSITIVE,
    SIGNED,
    STEPS,
    ZEROS,
    Recipe,
    optimiser_cases,
)
from autograder.course.a5_optimization.shared import shared_by_all
from autograder.exercise import Misconception

STATE = ("m", "v", "t")
GRADIENT = {"v": "dw /", "u": "* dw /"}
ADAM = Recipe(
    {
        "learning_rate": 1e-3,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "m": ZEROS,
        "v": ZEROS,
        "t": 0,
    },
    {
        "t": "t + 1",
        "m": "beta1 * m + (1 - beta1) * dw",
        "v": "beta2 * v + (1 - beta2) * dw**2",
        "m_hat": "m / (1 - beta1**t)",
        "v_hat": "v / (1 - beta2**t)",
        "w": "w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)",
    },
    STATE,
)
ADAMW = Recipe(
    ADAM.defaults | {"weight_decay": 1e-2},
    ADAM.lines
    | {"w": "w - learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * w)"},
    STATE,
)
DECAY_AFTER = Recipe(
    ADAMW.defaults,
    {
        **{name: line for name, line in ADAM.lines.items() if name != "w"},
        "moved": ADAM.lines["w"],
        "w": "moved - learning_rate * weight_decay * moved",
    },
    STATE,
)
SETTINGS = (
    {"learning_rate": 0.08, "beta1": 0.7, "beta2": 0.95},
    {"learning_rate": 0.3, "beta1": 0.8, "beta2": 0.6},
)
ZERO = ("learning_rate", "beta1", "beta2")
MEMORY = {"m": SIGNED, "v": POSITIVE, "t": STEPS}
CASES = optimiser_cases(*SETTINGS, epsilon=0.05, state=MEMORY, zeros=ZERO)
CASES_MAX = optimiser_cases(
    *SETTINGS, epsilon=0.05, state={"m": SIGNED, "u": POSITIVE, "t": STEPS}, zeros=ZERO
)
CASES_W = optimiser_cases(
    SETTINGS[0] | {"weight_decay": 0.2},
    SETTINGS[1] | {"weight_decay": 0.07},
    epsilon=0.05,
    state=MEMORY,
    zeros=(*ZERO, "weight_decay"),
)


UNCORRECTED = (
    "The moments start at zero and are too small at first; without the correction the first steps "
    "are far too long or too short. Where is the division that undoes it?"
)


def shared_by_the_family(rule, uphill):
    """What can go wrong in each rule of the family."""
    stored = tuple(rule.stored)
    second = stored[1]
    products = rule.replacing("beta1**t", "beta1 * t")
    if second == "v":
        products = products.replacing("beta2**t", "beta2 * t")
    return (
        *shared_by_all(rule, uphill, "what the rule remembers (the moments and t)"),
        Misconception(
            "t-not-stored",
            rule.storing(*stored[:2]),
            "Every step believes to be the first: t is counted up but not put into the config "
            "that you return, so the correction never fades.",
            "later steps",
            0.3,
        ),
        Misconception(
            "t-counted-after-use",
            rule.but(t="t").storing(*stored[:2], t="t + 1"),
            "The correction uses t before it is counted up, so at the first step it divides by "
            "1 − β⁰ = 0. At the first step t must be 1.",
            "first step",
            0.4,
        ),
        Misconception(
            "t-counts-the-next-step",
            rule.default(t=1).but(t="t").storing(*stored[:2], t="t + 1"),
            "t in the config is one ahead: it starts at 1, though it counts the steps done. Your "
            "own runs come out right; a config that brings t from elsewhere is corrected as if "
            "it were a step younger.",
            "a given state",
            0.1,
        ),
        Misconception(
            "moments-not-stored",
            rule.storing("t"),
            "The moments start from zero at each step: the new ones never get into the config "
            "that you return.",
            "later steps",
            0.4,
        ),
        *(
            Misconception(
                f"{name}-moment-not-stored",
                rule.storing(*(key for key in stored if key != moment)),
                f"The {name} moment starts from zero at each step: the new {moment} never gets "
                "into the config that you return.",
                "later steps",
                0.3,
            )
            for name, moment in (("first", "m"), ("second", second))
        ),
        Misconception(
            "gradient-for-its-mean",
            rule.replacing("m_hat /" if second == "v" else "* m /", GRADIENT[second]),
            "The step goes along the gradient itself; the running mean m is never used.",
            "first step",
            0.4,
        ),
        Misconception(
            "beta-times-t",
            products,
            "The correction has β·t where it needs β to the power t. At t = 1 the two agree, "
            "later they part.",
            "later steps",
            0.3,
        ),
        Misconception(
            "betas-hard-coded",
            rule.but(beta1="0.9", beta2="0.999"),
            "The betas are 0.9 and 0.999 whatever the config says. These are only the defaults "
            "for a config that does not name them.",
            "later steps",
            0.3,
        ),
        Misconception(
            "epsilon-forgotten",
            rule.but(epsilon="0.0"),
            "Without epsilon a gradient of zero gives 0/0, and tiny gradients make full steps.",
            "tiny gradients",
            0.2,
        ),
        Misconception(
            "epsilon-hard-coded",
            rule.but(epsilon="1e-8"),
            "Epsilon is 1e-8 whatever the config says; that is only the default.",
            "tiny gradients",
            0.1,
        ),
        Misconception(
            "weights-of-the-mean-swapped",
            rule.but(m="(1 - beta1) * m + beta1 * dw"),
            "β₁ is the weight of the past, 1 − β₁ that of the new gradient; yours are swapped, so "
            "the mean forgets at once.",
            "later steps",
            0.4,
        ),
    )


def shared_by_adam(rule):
    """What can go wrong in Adam and AdamW alike."""
    return (
        Misconception(
            "no-bias-correction",
            rule.but(m_hat="m", v_hat="v"),
            UNCORRECTED,
            "first step",
            0.3,
        ),
        Misconception(
            "second-moment-not-corrected",
            rule.but(v_hat="v"),
            "The mean of the squares starts at zero as well and needs its own correction; without "
            "it the first steps are far too long.",
            "first step",
            0.3,
        ),
        Misconception(
            "first-moment-not-corrected",
            rule.but(m_hat="m"),
            "The mean of the gradients starts at zero as well and needs its own correction; "
            "without it the first steps are too short.",
            "first step",
            0.3,
        ),
        Misconception(
            "corrected-moments-stored",
            rule.storing("t", m="m_hat", v="v_hat"),
            "The corrected moments are stored, and corrected once more at the next step. The "
            "correction is only for this step's update; the config keeps the plain running means.",
            "later steps",
            0.3,
        ),
        Misconception(
            "epsilon-inside-the-root",
            rule.replacing("np.sqrt(v_hat) + epsilon", "np.sqrt(v_hat + epsilon)"),
            "Epsilon is added to v̂ before the root. There it stops the steps already at gradients "
            "of 1e-4; it belongs to the root's result.",
            "tiny gradients",
            0.15,
        ),
        Misconception(
            "epsilon-before-the-correction",
            rule.replacing("v_hat) + epsilon", "v_hat) + epsilon / np.sqrt(1 - beta2**t)"),
            "Epsilon is added to √v before the correction, so at the first steps it weighs 30 "
            "times as much. It belongs beside √v̂.",
            "tiny gradients",
            0.1,
        ),
        Misconception(
            "root-forgotten",
            rule.replacing("np.sqrt(v_hat)", "v_hat"),
            "You divide by the mean of the squares. Only its root has the unit of a gradient, so "
            "that the step no longer depends on the gradient's scale.",
            "first step",
            0.4,
        ),
        Misconception(
            "square-forgotten",
            rule.but(v="beta2 * v + (1 - beta2) * np.abs(dw)"),
            "The second moment averages the gradients' size, not their squares.",
            "first step",
            0.4,
        ),
        Misconception(
            "weights-of-the-squares-swapped",
            rule.but(v="(1 - beta2) * v + beta2 * dw**2"),
            "β₂ is the weight of the past, 1 − β₂ that of the new square; yours are swapped, so "
            "the second moment forgets at once.",
            "first step",
            0.4,
        ),
        Misconception(
            "second-moment-of-the-mean",
            rule.but(v="beta2 * v + (1 - beta2) * m**2"),
            "The second moment averages the squares of the running mean; it should see the "
            "squares of the gradient itself.",
            "first step",
            0.4,
        ),
        Misconception(
            "one-second-moment-for-all",
            rule.but(v="beta2 * v + (1 - beta2) * np.mean(dw**2)"),
            "All entries share one second moment. The point of Adam is that each entry has a "
            "scale of its own: nothing is summed over the array.",
            "first step",
            0.4,
        ),
        Misconception(
            "betas-swapped",
            rule.but(
                m="beta2 * m + (1 - beta2) * dw",
                v="beta1 * v + (1 - beta1) * dw**2",
                m_hat="m / (1 - beta2**t)",
                v_hat="v / (1 - beta1**t)",
            ),
            "β₁ and β₂ are swapped: β₁ belongs to the gradients, β₂ to their squares.",
            "later steps",
            0.4,
        ),
        Misconception(
            "one-beta-for-both",
            rule.but(v="beta1 * v + (1 - beta1) * dw**2", v_hat="v / (1 - beta1**t)"),
            "The squares are averaged with β₁; they have a β₂ of their own, with a longer memory.",
            "later steps",
            0.3,
        ),
        Misconception(
            "moments-are-sums",
            rule.but(m="beta1 * m + dw", v="beta2 * v + dw**2"),
            "The moments add up instead of averaging: where is the weight 1 − β of the new term?",
            "first step",
            0.4,
        ),
        Misconception(
            "old-gradient-term-without-weight",
            rule.but(m="beta1 * m + dw"),
            "The first moment adds up instead of averaging: where is the weight 1 − β₁ of the "
            "new gradient?",
            "first step",
            0.4,
        ),
    )
