"""Mistakes that every update rule can suffer, made from its recipe."""

from autograder.course.a5_optimization.recipes import (
    Recipe,
    config_not_returned,
    cut_off,
    gradient_in_place,
    in_place,
    one_config_for_all,
    rate_lost,
    settings_lost,
    through_a_copy,
    widened,
    zero_is_missing,
)
from autograder.exercise import Misconception


def shared_by_all(rule: Recipe, uphill: Recipe, memory: str = "") -> tuple[Misconception, ...]:
    """What can go wrong in each rule.

    Args:
        uphill: the rule with the sign of its step wrong.
        memory: what the rule remembers, in words; "" for none.
    """
    rate = rule.defaults["learning_rate"]
    return (
        Misconception(
            "step-uphill",
            uphill,
            "The step goes along the gradient, where the loss grows. Follow the sign of dw "
            "through your lines to where it meets w.",
            "first step",
            0.5,
        ),
        Misconception(
            "learning-rate-hard-coded",
            rule.but(learning_rate=repr(rate)),
            f"The learning rate is {rate} whatever the config says; that is only the default.",
            "first step",
            0.3,
        ),
        Misconception(
            "default-learning-rate",
            rule.default(learning_rate=rate / 2),
            f"Without a config the learning rate is half of what it should be; its default is "
            f"{rate} here.",
            "first step",
            0.1,
        ),
        Misconception(
            "zero-taken-for-missing",
            zero_is_missing(rule),
            "A setting of 0 is replaced by its default. `or` takes 0 for nothing, as it takes "
            "None; only a key that is not there is missing.",
            "settings of 0",
            0.15,
        ),
        Misconception(
            "config-not-returned",
            config_not_returned(rule),
            "The caller hands the config on to the next step: return both, next_w first.",
            "first step",
            0.5,
        ),
        Misconception(
            "parameters-changed-in-place",
            in_place(rule),
            "w is overwritten. The caller may still need the old parameters, to compare or to go "
            "back: make a new array.",
            "conduct",
        ),
        Misconception(
            "gradient-changed-in-place",
            gradient_in_place(rule),
            "dw is overwritten. It belongs to the caller, who may want to look at it or clip it: "
            "compute into a new array.",
            "conduct",
        ),
        Misconception(
            "float32-lost",
            widened(rule),
            "float32 parameters come back as float64: they take twice the memory from the first "
            "update on. Look for arrays that are made without a dtype.",
            "float32",
            0.1,
        ),
        Misconception(
            "integers-cut-off",
            cut_off(rule),
            "Integer parameters come back as integers: the fraction of each step is cut off. Only "
            "a float array can hold the result.",
            "integer parameters",
            0.1,
        ),
        Misconception(
            "written-into-a-copy",
            through_a_copy(rule),
            "Transposed parameters stay where they are. Of such an array ravel() and reshape() "
            "make a copy, and what is written into the copy is lost.",
            "non-contiguous",
            0.1,
        ),
        Misconception(
            "rate-lost",
            rate_lost(rule),
            "The first step is right, the later ones are made with the default rate: the learning "
            "rate is not in the config that you return.",
            "later steps",
            0.3,
        ),
        *(_of_memory(rule, memory) if memory else ()),
    )


def _of_memory(rule: Recipe, memory: str) -> tuple[Misconception, ...]:
    return (
        Misconception(
            "state-not-stored",
            rule.storing(),
            f"The first step is right, the second starts afresh: {memory} never gets into the "
            "config that you return.",
            "later steps",
            0.4,
        ),
        Misconception(
            "config-shared-between-parameters",
            one_config_for_all(rule),
            f"Two parameters share {memory}. Each needs a config of its own; look at the default "
            "in your signature, which Python makes only once.",
            "two parameters",
            0.2,
        ),
        Misconception(
            "settings-lost",
            settings_lost(rule, *rule.stored),
            f"The config that you return holds {memory} but not the settings, so from the second "
            "step on the defaults are used.",
            "later steps",
            0.3,
        ),
    )


def epsilon_mistakes(rule: Recipe, root: str, forgotten: Recipe | None = None):
    """Epsilon left out, hard-coded, or inside the root; ``root`` is the text of the root."""
    inside = root.replace("(", "(epsilon + ", 1)
    return (
        Misconception(
            "epsilon-forgotten",
            forgotten or rule.but(epsilon="0.0"),
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
            "epsilon-inside-the-root",
            rule.replacing(f"{root} + epsilon", inside),
            "Epsilon is added before the root is taken. There it stops the steps already at "
            "gradients of 1e-4; it belongs to the root's result.",
            "tiny gradients",
            0.15,
        ),
    )
