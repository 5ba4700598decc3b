"""Dropout backward: the mask of the forward pass, and its scale."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.battery.dropout import DropoutBackward
from autograder.course.a4_normalization.dropout import (
    INVERTED,
    VANILLA,
    cases,
    draw,
    inverted,
    pair,
    vanilla,
)
from autograder.course.a4_normalization.dropout_variants import (
    binomial_backward,
    binomial_forward,
    cs231n_backward,
    cs231n_forward,
    vanilla_choice,
    vanilla_choice_backward,
    vanilla_loop,
    vanilla_loop_backward,
    vanilla_mask,
    vanilla_mask_backward,
    where_backward,
    where_forward,
)
from autograder.exercise import Exercise, Misconception


@dataclass(frozen=True)
class Form:
    """One of the two forms of dropout: its name, forward pass, scale and test mode."""

    name: str
    forward: Callable
    scale: Callable
    test: Callable

    def mistake(self, code, train, sentence, severity, aspect="where kept", test=None):
        """A misconception; ``train(dout, mask, p, x, scale)`` is its training mode."""
        test = test or self.test

        def backward(dout, cache):
            mask, p, x = cache
            return test(dout, p) if mask is None else train(dout, mask, p, x, self.scale(p))

        return Misconception(
            code, self.functions(self.forward, backward), sentence, aspect, severity
        )

    def functions(self, forward, backward):
        return pair(self.name, forward, backward)

    def redrawing(self):
        def forward(x, dropout_param):
            out, cache = self.forward(x, dropout_param)
            return out, (cache, dict(dropout_param))

        def backward(dout, cache):
            (mask, p, _), param = cache
            if mask is None:
                return self.test(dout, p)
            return dout * draw(dout.shape, param) * self.scale(p)

        return self.functions(forward, backward)

    def with_global(self):
        state = {}

        def forward(x, dropout_param):
            out, state["cache"] = self.forward(x, dropout_param)
            return out, None

        def backward(dout, cache):
            mask, p, _ = state["cache"]
            if mask is None or mask.shape != dout.shape:
                return self.test(dout, p)
            return dout * mask * self.scale(p)

        return self.functions(forward, backward)


INVERSE = Form("dropout", inverted(), lambda p: 1 / p, lambda dout, p: dout.copy())
PLAIN = Form("dropout_vanilla", vanilla(), lambda p: 1, lambda dout, p: dout * p)


def right(dout, mask, p, x, scale):
    return dout * mask * scale


def fresh(dout, mask, p, x, scale):
    return dout * (np.random.default_rng(5).random(mask.shape) < p) * scale


def changed(dout, mask, p, x, scale):
    answer = dout * mask * scale
    dout *= mask
    return answer


def shared(form):
    """The mistakes that both forms know."""
    return (
        form.mistake(
            "mask-not-applied",
            lambda dout, mask, p, x, scale: dout * scale,
            "The gradient flows through units that were switched off. What was multiplied by 0 on "
            "the way forward must be multiplied by 0 on the way back: keep the mask in the cache.",
            0.5,
            "where dropped",
        ),
        form.mistake(
            "mask-rebuilt-from-the-output",
            lambda dout, mask, p, x, scale: dout * ((x * mask) != 0) * scale,
            "The mask is guessed from the zeros of the output. An input that was 0 by itself (and "
            "behind a ReLU half of them are) looks dropped then: keep the mask itself.",
            0.25,
            "where x is 0",
        ),
        form.mistake(
            "a-fresh-mask",
            fresh,
            "Backward draws a mask of its own. Forward and backward must use one and the same: "
            "keep it in the cache.",
            0.5,
        ),
        Misconception(
            "mask-redrawn",
            form.redrawing(),
            "Backward draws the mask once more. With a seed that happens to give the same one; "
            "without one forward and backward have two masks. Keep the mask itself in the cache.",
            "dx without a seed",
            0.3,
        ),
        form.mistake(
            "gradient-of-relu",
            lambda dout, mask, p, x, scale: dout * (x > 0) * scale,
            "The gradient passes where x was positive. That is ReLU; here it passes where the mask "
            "kept the unit.",
            0.5,
        ),
        form.mistake(
            "mask-inverted",
            lambda dout, mask, p, x, scale: dout * ~mask * scale,
            "The gradient flows exactly through the units that were dropped.",
            0.5,
        ),
        form.mistake(
            "multiplied-by-the-input",
            lambda dout, mask, p, x, scale: dout * mask * scale * x,
            "The gradient holds a factor x. The derivative of x·m with respect to x is m alone.",
            0.5,
        ),
        form.mistake(
            "upstream-gradient-changed",
            changed,
            "dout belongs to the layer above. Operators such as *= write into the caller's array.",
            None,
            "conduct",
        ),
        Misconception(
            "cache-in-a-global",
            form.with_global(),
            "The mask is kept outside the cache; the next dropout layer of the network overwrites "
            "it.",
            "conduct",
        ),
    )


INVERTED_BACKWARD = (
    *shared(INVERSE),
    INVERSE.mistake(
        "scale-forgotten",
        lambda dout, mask, p, x, scale: dout * mask,
        "The mask is there but the 1/p is not. Forward scaled what it kept, so the derivative "
        "holds the same factor.",
        0.35,
    ),
    INVERSE.mistake(
        "scaled-twice",
        lambda dout, mask, p, x, scale: dout * mask / p**2,
        "The scale enters twice: the mask in the cache may hold 1/p already.",
        0.35,
    ),
    INVERSE.mistake(
        "scaled-down",
        lambda dout, mask, p, x, scale: dout * mask * p,
        "What is kept is multiplied by p on the way back; forward divided by it.",
        0.35,
    ),
    INVERSE.mistake(
        "upstream-unchanged",
        lambda dout, mask, p, x, scale: dout.copy(),
        "dout comes back unchanged, as if nothing had been dropped.",
        0.6,
    ),
    INVERSE.mistake(
        "scaled-in-test-mode",
        right,
        "In test mode forward is the identity, and so is its gradient; yours is divided by p.",
        0.2,
        "test mode",
        lambda dout, p: dout / p,
    ),
    INVERSE.mistake(
        "scaled-down-in-test-mode",
        right,
        "In test mode forward is the identity, and so is its gradient; yours is multiplied by p.",
        0.2,
        "test mode",
        lambda dout, p: dout * p,
    ),
    INVERSE.mistake(
        "nothing-in-test-mode",
        right,
        "After a test-mode forward pass nothing flows back. Test mode hands x on as it is, so dout "
        "passes unchanged.",
        0.2,
        "test mode",
        lambda dout, p: dout * 0,
    ),
)

VANILLA_BACKWARD = (
    *shared(PLAIN),
    PLAIN.mistake(
        "scaled-in-training",
        lambda dout, mask, p, x, scale: dout * mask / p,
        "The gradient holds a factor 1/p that vanilla dropout does not have in training.",
        0.35,
    ),
    PLAIN.mistake(
        "scaled-down",
        lambda dout, mask, p, x, scale: dout * mask * p,
        "The gradient holds a factor p, which belongs to test mode alone.",
        0.35,
    ),
    PLAIN.mistake(
        "not-scaled-in-test-mode",
        right,
        "In test mode forward multiplies by p, so the gradient does too.",
        0.3,
        "test mode",
        lambda dout, p: dout.copy(),
    ),
)

EXERCISES = (
    Exercise(
        name="dropout_backward",
        kind=DropoutBackward(),
        reference=INVERTED,
        cases=cases,
        misconceptions=INVERTED_BACKWARD,
        variants=(
            pair("dropout", cs231n_forward, cs231n_backward),
            pair("dropout", binomial_forward, binomial_backward),
            pair("dropout", where_forward, where_backward),
        ),
    ),
    Exercise(
        name="dropout_vanilla_backward",
        kind=DropoutBackward(forward="dropout_vanilla_forward"),
        reference=VANILLA,
        cases=cases,
        misconceptions=VANILLA_BACKWARD,
        variants=(
            pair("dropout_vanilla", vanilla_mask, vanilla_mask_backward),
            pair("dropout_vanilla", vanilla_choice, vanilla_choice_backward),
            pair("dropout_vanilla", vanilla_loop, vanilla_loop_backward),
        ),
    ),
)
