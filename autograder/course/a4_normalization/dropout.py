"""Dropout, inverted and vanilla: masks that are too often, too seldom, or never drawn."""

import numpy as np

from autograder.battery.dropout import DropoutForward
from autograder.battery.functions import CONDUCT
from autograder.course.a4_normalization.dropout_variants import (
    binomial_forward,
    cs231n_forward,
    vanilla_choice,
    vanilla_loop,
    vanilla_mask,
    where_forward,
)
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.dropout import (
    dropout_backward,
    dropout_forward,
    dropout_vanilla_backward,
    dropout_vanilla_forward,
)

TOLERANCE = 2e-4
"""For scales that are read off float32 numbers; the mistakes are far larger."""


def cases(rng):
    def case(
        shape, p, check="", *, wide=(40, 50), x=None, dtype: type = np.float64, tags=(), words=""
    ):
        args = {
            "x": numbers(rng, *shape) if x is None else x,
            "dropout_param": {"p": p},
        }
        extra = {
            "wide": list(wide),
            "seeds": [int(s) for s in rng.integers(1, 2**31, size=2)],
            "dout": numbers(rng, *shape).astype(dtype),
            "tolerance": TOLERANCE,
        }
        label = f"{words}x of shape {shape} and p = {p}"
        return Case(label, as_dtype(args, dtype), check, frozenset(tags), extra)

    # No whole numbers: the frame that CS231n hands to its students casts the result to x's type.
    room = strided({"x": numbers(rng, 9, 14)})["x"]
    return [
        case((5, 8), 0.7, wide=(80, 70), tags=[CONDUCT]),
        case((7, 4), 0.3, wide=(60, 90)),
        case((3, 9), 0.85, wide=(80, 75)),
        case((1, 90), 0.6, "N = 1", wide=(1, 2000)),
        case((5, 3, 4, 2), 0.4, "more than two dimensions", wide=(30, 3, 6, 5)),
        case((9, 14), 0.7, "non-contiguous", x=room, words="strided "),
        case((9, 14), 0.7, "float32", dtype=np.float32, words="float32 "),
    ]  # fmt: skip


def generator(param):
    return np.random.default_rng(param.get("seed"))


def draw(shape, param):
    return generator(param).random(shape) < param["p"]


def inverted(mask=draw, scale=lambda p: 1 / p, test=lambda x, p: x.copy()):
    """Inverted dropout forward with one thing changed."""

    def forward(x, dropout_param):
        p = dropout_param["p"]
        if dropout_param["mode"] == "test":
            return test(x, p), (None, p, x)
        kept = mask(x.shape, dropout_param)
        return x * kept * scale(p), (kept, p, x)

    return forward


def vanilla(mask=draw, scale=lambda p: 1, test=lambda x, p: x * p):
    return inverted(mask, scale, test)


def one_mask_for_all_rows(shape, param):
    kept = generator(param).random(shape[1:]) < param["p"]
    return np.broadcast_to(kept, shape) if len(shape) > 1 else kept


def one_draw_per_row(shape, param):
    kept = generator(param).random((shape[0],) + (1,) * (len(shape) - 1)) < param["p"]
    return np.broadcast_to(kept, shape)


def normal_draws(shape, param):
    return generator(param).standard_normal(shape) < param["p"]


def dropped_with_p(shape, param):
    return generator(param).random(shape) > param["p"]


def always_the_same(shape, param):
    return np.random.default_rng(param.get("seed", 0)).random(shape) < param["p"]


def seed_ignored(shape, param):
    return np.random.default_rng().random(shape) < param["p"]


def zero_is_no_seed(shape, param):
    return np.random.default_rng(param.get("seed") or None).random(shape) < param["p"]


def seed_taken_out(shape, param):
    return np.random.default_rng(param.pop("seed", None)).random(shape) < param["p"]


def one_seed_for_all(shape, param):
    seed = 0 if "seed" in param else None
    return np.random.default_rng(seed).random(shape) < param["p"]


def a_fixed_number(shape, param):
    table = generator(param).random(shape).reshape(shape[0], -1)
    keep = max(1, round(param["p"] * table.shape[1]))
    return (table.argsort(axis=1).argsort(axis=1) < keep).reshape(shape)


def with_replacement(shape, param):
    size = int(np.prod(shape))
    kept = np.zeros(size, bool)
    kept[generator(param).choice(size, size=round(param["p"] * size))] = True
    return kept.reshape(shape)


def nothing_dropped(shape, param):
    return np.ones(shape, bool)


def one_minus_p(x, dropout_param):
    return inverted(dropped_with_p, lambda p: 1 / (1 - p) if p < 1 else 1.0)(x, dropout_param)


def dropped_at_test_time(x, dropout_param):
    return inverted()(x, dropout_param | {"mode": "train"})


def vanilla_dropped_at_test_time(x, dropout_param):
    return vanilla()(x, dropout_param | {"mode": "train"})


def modes_swapped(layer):
    other = {"train": "test", "test": "train"}
    return lambda x, dropout_param: layer()(
        x, dropout_param | {"mode": other[dropout_param["mode"]]}
    )


def in_place(layer):
    def forward(x, dropout_param):
        out, cache = layer()(x, dropout_param)
        if dropout_param["mode"] == "train" and x.dtype.kind == "f":
            x[...] = out
        return out, cache

    return forward


def seed_mistakes(layer, param):
    """Seeds that are there and not seen, or seen once and gone."""
    return (
        Misconception(
            "seed-zero-ignored",
            layer(zero_is_no_seed),
            "With seed 0 every call draws another mask. 0 counts as false, so `if seed` and `or` "
            "pass it by; ask whether there is a seed, not whether it is true.",
            "seed 0",
            0.1,
        ),
        Misconception(
            "seed-taken-out",
            layer(seed_taken_out),
            f"The seed is gone from {param} once you have used it, so the caller's next call with "
            "the same dictionary draws another mask. pop takes a key out; look it up instead.",
            "conduct",
        ),
    )


def forward_misconceptions(layer, other_scale):
    """The mistakes that both forms share; ``layer`` makes a forward pass with a change."""
    return (
        Misconception(
            "mask-inverted",
            layer(dropped_with_p),
            "p is the probability of keeping a unit; here units are dropped with probability p. "
            "Turn the comparison with the random numbers round.",
            "keep fraction",
            0.4,
        ),
        Misconception(
            "one-mask-for-all-rows",
            layer(one_mask_for_all_rows),
            "One mask is drawn and used for every example. Each example needs a mask of its own, "
            "or the whole batch trains the same thinned network: draw in the shape of x.",
            "independence",
            0.35,
        ),
        Misconception(
            "one-draw-for-each-row",
            layer(one_draw_per_row),
            "Whole examples are dropped: all units of a row share one draw. Each entry of x is "
            "dropped for itself.",
            "independence",
            0.35,
        ),
        Misconception(
            "normal-draws",
            layer(normal_draws),
            "The draws that are compared with p are normal, so the fraction kept is not p. The "
            "comparison u < p is true with probability p only if u is uniform in [0, 1).",
            "keep fraction",
            0.35,
        ),
        Misconception(
            "the-same-mask-every-time",
            layer(always_the_same),
            "Without a seed every call draws the same mask, so the same units are switched off for "
            "the whole training. No seed means a fresh mask at every call.",
            "no seed",
            0.25,
        ),
        Misconception(
            "seed-ignored",
            layer(seed_ignored),
            "dropout_param['seed'] is not used. With a seed the mask must be the same at every "
            "call; gradient checks depend on that.",
            "same seed",
            0.15,
        ),
        *seed_mistakes(layer, "dropout_param"),
        Misconception(
            "every-seed-the-same",
            layer(one_seed_for_all),
            "Every seed gives the same mask: it matters that there is a seed, not which one. Hand "
            "the number itself to the generator.",
            "another seed",
            0.15,
        ),
        Misconception(
            "a-fixed-number-kept",
            layer(a_fixed_number),
            "In each row exactly the same number of units is kept. Dropout tosses a coin for each "
            "unit on its own, so that the number kept varies.",
            "independence",
            0.2,
        ),
        Misconception(
            "drawn-with-replacement",
            layer(with_replacement),
            "The entries to keep are drawn with replacement, so that some come twice and fewer "
            "than a fraction p are kept. Toss a coin for each entry instead: then the number kept "
            "varies as well.",
            "keep fraction",
            0.3,
        ),
        Misconception(
            "nothing-dropped",
            layer(nothing_dropped),
            "Training mode drops nothing: where is the comparison of random numbers with p?",
            "keep fraction",
            0.6,
        ),
        Misconception(
            "modes-swapped",
            modes_swapped(layer),
            "Training mode does what test mode should do, and the other way round.",
            "test mode",
            0.4,
        ),
        Misconception(
            "input-changed",
            in_place(layer),
            "The mask is multiplied into x itself. The caller still needs its x; write the product "
            "into a new array.",
            "conduct",
        ),
        *other_scale,
    )


INVERTED_ONLY = (
    Misconception(
        "p-taken-for-the-drop-probability",
        one_minus_p,
        "p is taken for the probability of dropping, in the mask and in the scale. In this course "
        "(and in CS231n) p is the probability of keeping; PyTorch has it the other way round.",
        "keep fraction",
        0.3,
    ),
    Misconception(
        "not-scaled-up",
        inverted(scale=lambda p: 1),
        "What is kept is not scaled up, so the layer above sees only a fraction p of the signal in "
        "training and all of it at test time. Inverted dropout makes up for that in training.",
        "scale",
        0.35,
    ),
    Misconception(
        "scaled-down",
        inverted(scale=lambda p: p),
        "What is kept is multiplied by p where it must make up for what is lost: the expected "
        "output should equal the input.",
        "scale",
        0.35,
    ),
    Misconception(
        "scaled-by-the-drop-probability",
        inverted(scale=lambda p: 1 / (1 - p) if p < 1 else 1.0),
        "The scale is made of 1 − p, but a fraction p is kept. Ask by how much the sum of many "
        "units shrinks.",
        "scale",
        0.35,
    ),
    Misconception(
        "scaled-at-test-time-as-well",
        inverted(test=lambda x, p: x * p),
        "Test mode multiplies by p as well. Inverted dropout has settled that in training; test "
        "mode hands x on as it is.",
        "test mode",
        0.3,
    ),
    Misconception(
        "scaled-up-at-test-time",
        inverted(test=lambda x, p: x / p),
        "Test mode divides by p. Nothing is dropped there, so nothing has to be made up for.",
        "test mode",
        0.3,
    ),
    Misconception(
        "dropped-at-test-time",
        dropped_at_test_time,
        "Test mode drops units too, so that the network's answer is a matter of luck. Look at "
        "dropout_param['mode'].",
        "test mode",
        0.35,
    ),
)

VANILLA_ONLY = (
    Misconception(
        "not-scaled-at-test-time",
        vanilla(test=lambda x, p: x.copy()),
        "Test mode hands x on as it is. All units are on then, so the layer above sees 1/p times "
        "the signal of training: scale it down to what it expects.",
        "test mode",
        0.4,
    ),
    Misconception(
        "scaled-in-training",
        vanilla(scale=lambda p: 1 / p),
        "Training scales by 1/p as well. That is inverted dropout; the vanilla form leaves "
        "training alone and scales at test time.",
        "scale",
        0.35,
    ),
    Misconception(
        "scaled-by-the-drop-probability",
        vanilla(test=lambda x, p: x * (1 - p)),
        "Test mode scales by 1 − p, but a fraction p was kept in training.",
        "test mode",
        0.35,
    ),
    Misconception(
        "scaled-up-at-test-time",
        vanilla(test=lambda x, p: x / p),
        "Test mode divides by p. More units are on than in training, so the signal must shrink.",
        "test mode",
        0.35,
    ),
    Misconception(
        "dropped-at-test-time",
        vanilla_dropped_at_test_time,
        "Test mode drops units too, so that the network's answer is a matter of luck. Look at "
        "dropout_param['mode'].",
        "test mode",
        0.35,
    ),
)


def pair(name, *functions):
    return {f"{name}_forward": functions[0], f"{name}_backward": functions[1]}


INVERTED = pair("dropout", dropout_forward, dropout_backward)
VANILLA = pair("dropout_vanilla", dropout_vanilla_forward, dropout_vanilla_backward)

EXERCISES = (
    Exercise(
        name="dropout_forward",
        kind=DropoutForward(),
        reference=INVERTED,
        cases=cases,
        misconceptions=forward_misconceptions(inverted, INVERTED_ONLY),
        variants=(cs231n_forward, binomial_forward, where_forward, inverted()),
    ),
    Exercise(
        name="dropout_vanilla_forward",
        kind=DropoutForward(),
        reference=VANILLA,
        cases=cases,
        misconceptions=forward_misconceptions(vanilla, VANILLA_ONLY),
        variants=(vanilla_mask, vanilla_choice, vanilla_loop, vanilla()),
    ),
)
