"""Penalties on the weights: L1, L2 and both."""

import numpy as np

from autograder.battery.functions import CONDUCT, Loss
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.regularizers import elastic_net, l1_penalty, l2_penalty

OUTPUTS = ("value", "gradient")
NARROW = {"tolerance": 2e-4}


def weight_cases(settings, shapes=((4, 6), (5, 3), (3, 7)), deep=True, small=1.0):
    """Cases for a function of ``w`` and the numbers that ``settings(rng)`` draws."""

    def cases(rng):
        def case(shape, check="", tags=(), dtype: type = np.float64, words="", w=None, more=None):
            w = numbers(rng, *shape) * small if w is None else w
            args = as_dtype({"w": w}, dtype) | (more or settings(rng))
            given = ", ".join(f"{k} = {v:g}" for k, v in args.items() if isinstance(v, float))
            extra = NARROW if dtype == np.float32 else {}
            label = f"{words}w of shape {shape} and {given}"
            return Case(label, args, check, frozenset(tags), extra)

        kinks = numbers(rng, 4, 3) * small
        kinks[0, 0] = kinks[2, 1] = kinks[3, 1] = 0.0
        kinks[1, 0], kinks[3, 2] = 2e-4, -3e-5  # small is not 0
        room = strided({"w": numbers(rng, 5, 3) * small})["w"]
        whole = np.rint(4 * numbers(rng, 4, 3)).astype(np.int64)
        made = [case(shape, tags=[CONDUCT] if i == 0 else []) for i, shape in enumerate(shapes)]
        if deep:
            made.append(case((6,), "one axis"))
            made.append(case((2, 3, 2, 2), "more than two dimensions"))
        return [
            *made,
            case((3, 3), tags=["square"]),
            case((4, 3), "exact zeros", w=kinks, words="exact zeros in "),
            case((5, 3), "non-contiguous", w=room, words="strided "),
            case((5, 4), "float32", dtype=np.float32, words="float32 "),
            case((4, 3), "integer inputs", ["any float", "may refuse"], w=whole, words="integer "),
        ]

    return cases


def floating(w):
    return w.dtype if w.dtype.kind == "f" else float


def strength(rng):
    return {"strength": float(np.round(rng.uniform(0.1, 0.9), 2))}


def strengths(rng):
    return {
        "l1": float(np.round(rng.uniform(0.1, 0.45), 2)),
        "l2": float(np.round(rng.uniform(0.55, 0.9), 2)),
    }


def penalty(value, gradient):
    """A penalty from what it is made of: two functions of w and strength."""
    return lambda w, strength: (value(w, strength), gradient(w, strength))


def l1_value(w, s):
    return s * np.abs(w).sum()


def l1_gradient(w, s):
    return s * np.sign(w)


def l2_value(w, s):
    return 0.5 * s * (w**2).sum()


def l2_gradient(w, s):
    return s * w


def one_sided(w, s):
    return np.where(w >= 0, s, -s).astype(floating(w))


def nothing_for_zero(w, s):
    return s * np.where(w > 0, 1.0, -1.0).astype(floating(w))


def weights_changed(w, strength):
    answer = l1_value(w, strength), l1_gradient(w, strength)
    if w.dtype.kind == "f":
        np.abs(w, out=w)
    return answer


def shrunk_in_place(w, strength):
    answer = l2_value(w, strength), l2_gradient(w, strength)
    if w.dtype.kind == "f":
        w *= 1 - strength
    return answer


def l1_by_loop(w, strength):
    gradient = np.zeros_like(w, dtype=np.result_type(w, np.float32))
    value = 0.0
    for index in np.ndindex(w.shape):
        value += strength * abs(float(w[index]))
        gradient[index] = strength if w[index] > 0 else -strength if w[index] < 0 else 0
    return value, gradient


def l1_by_masks(w, strength):
    return strength * np.linalg.norm(w.ravel(), 1), strength * ((w > 0) * 1.0 - (w < 0)).astype(
        floating(w)
    )


def l1_by_sign(w, strength):
    sign = np.sign(w)
    return np.sum(strength * sign * w), sign * strength


def l2_by_dot(w, strength):
    flat = w.ravel()
    return strength / 2 * np.dot(flat, flat), strength * w.copy()


def l2_by_norm(w, strength):
    return [strength * np.linalg.norm(w) ** 2 / 2, w * strength]


def l2_by_einsum(w, strength):
    return float(0.5 * strength * np.einsum("i,i->", w.reshape(-1), w.reshape(-1))), (
        2 * 0.5 * strength * w
    )


def norm_of_a_matrix(w, s):
    return s * (np.abs(w).sum(axis=0).max() if w.ndim == 2 else np.abs(w).sum())


def by_division(w, s):
    with np.errstate(all="ignore"):
        return (s * (w / np.abs(w))).astype(floating(w))


L1 = (
    Misconception(
        "size-of-the-sum",
        penalty(lambda w, s: s * np.abs(w.sum()), l1_gradient),
        "The absolute value is taken of the sum, so positive and negative weights cancel first. "
        "The 1-norm adds up the sizes of the entries.",
        "value",
        0.4,
    ),
    Misconception(
        "norm-of-a-matrix",
        penalty(norm_of_a_matrix, l1_gradient),
        "The value is the largest sum over a column: that is what the 1-norm of a matrix is in "
        "linear algebra, and in np.linalg.norm. The penalty adds up all entries, as if w were one "
        "long vector.",
        "value",
        0.3,
    ),
    Misconception(
        "sign-by-division",
        penalty(l1_value, by_division),
        "The sign is made by a division that is 0/0 for a weight of exactly 0. There the course "
        "takes 0.",
        "exact zeros",
    ),
    Misconception(
        "absolute-value-forgotten",
        penalty(lambda w, s: s * w.sum(), l1_gradient),
        "The weights are added with their signs, so positive and negative ones cancel. The 1-norm "
        "adds up sizes.",
        "value",
        0.4,
    ),
    Misconception(
        "squares-for-sizes",
        penalty(lambda w, s: s * (w**2).sum(), l1_gradient),
        "The value adds up squares; that is the 2-norm. L1 adds up absolute values.",
        "value",
        0.4,
    ),
    Misconception(
        "mean-for-sum",
        penalty(lambda w, s: s * np.abs(w).mean(), l1_gradient),
        "The value is a mean over the weights. The penalty is a sum: more weights cost more.",
        "value",
        0.3,
    ),
    Misconception(
        "half-too-many",
        penalty(lambda w, s: 0.5 * l1_value(w, s), l1_gradient),
        "The value holds a factor ½. That belongs to L2, where a derivative brings a 2.",
        "value",
        0.3,
    ),
    Misconception(
        "strength-forgotten-in-the-value",
        penalty(lambda w, s: np.abs(w).sum(), l1_gradient),
        "The value lacks the strength.",
        "value",
        0.3,
    ),
    Misconception(
        "strength-forgotten-in-the-gradient",
        penalty(l1_value, lambda w, s: l1_gradient(w, 1.0).astype(w.dtype)),
        "The gradient lacks the strength: it is a constant factor and stays one.",
        "gradient",
        0.3,
    ),
    Misconception(
        "sign-forgotten",
        penalty(l1_value, lambda w, s: s * np.ones_like(w)),
        "The gradient is the same for all weights. The slope of |w| is −1 on the left of 0.",
        "gradient",
        0.4,
    ),
    Misconception(
        "size-for-sign",
        penalty(l1_value, lambda w, s: s * np.abs(w)),
        "The gradient is made of absolute values; their slope is wanted.",
        "gradient",
        0.4,
    ),
    Misconception(
        "gradient-of-l2",
        penalty(l1_value, l2_gradient),
        "The gradient is proportional to w; that is L2's. L1 pulls at all weights alike.",
        "gradient",
        0.4,
    ),
    Misconception(
        "positive-at-zero",
        penalty(l1_value, one_sided),
        "At a weight of exactly 0 the gradient is taken from the right. The course takes it as 0, "
        "so that a weight that has reached 0 stays there.",
        "exact zeros",
    ),
    Misconception(
        "negative-at-zero",
        penalty(l1_value, nothing_for_zero),
        "At a weight of exactly 0 the gradient is taken from the left. The course takes it as 0.",
        "exact zeros",
    ),
    Misconception(
        "weights-changed",
        weights_changed,
        "The absolute values are written into w itself; the network would lose its signs.",
        "conduct",
    ),
)

L2 = (
    Misconception(
        "square-of-the-sum",
        penalty(lambda w, s: 0.5 * s * w.sum() ** 2, l2_gradient),
        "The weights are added up before they are squared, so positive and negative ones cancel. "
        "Square each weight first, then take the sum.",
        "value",
        0.4,
    ),
    Misconception(
        "half-forgotten-throughout",
        penalty(lambda w, s: 2 * l2_value(w, s), lambda w, s: 2 * s * w),
        "The ½ is missing in value and gradient alike, so that the two agree and a gradient check "
        "finds nothing. The penalty of this course has it.",
        "value",
        0.3,
    ),
    Misconception(
        "half-rounded-down",
        penalty(lambda w, s: (s // 2) * (w**2).sum(), l2_gradient),
        "The value is 0, for the half of the strength is rounded down: // divides whole numbers.",
        "value",
        0.3,
    ),
    Misconception(
        "half-forgotten-in-the-value",
        penalty(lambda w, s: 2 * l2_value(w, s), l2_gradient),
        "The value lacks its ½. It is there so that the derivative of the square has no 2.",
        "value",
        0.3,
    ),
    Misconception(
        "half-forgotten-in-the-gradient",
        penalty(l2_value, lambda w, s: 2 * s * w),
        "The gradient holds a factor 2 that the ½ of the value takes away.",
        "gradient",
        0.3,
    ),
    Misconception(
        "half-left-in-the-gradient",
        penalty(l2_value, lambda w, s: 0.5 * s * w),
        "The ½ stands in the gradient too. Differentiate the square: its 2 cancels the ½.",
        "gradient",
        0.3,
    ),
    Misconception(
        "square-forgotten",
        penalty(lambda w, s: 0.5 * s * np.sqrt((w**2).sum()), l2_gradient),
        "The value is made of the norm; the penalty wants its square, so leave the root out.",
        "value",
        0.4,
    ),
    Misconception(
        "sizes-for-squares",
        penalty(lambda w, s: 0.5 * s * np.abs(w).sum(), l2_gradient),
        "The value adds up absolute values; that is L1.",
        "value",
        0.4,
    ),
    Misconception(
        "mean-for-sum",
        penalty(lambda w, s: 0.5 * s * (w**2).mean(), l2_gradient),
        "The value is a mean over the weights. The penalty is a sum: more weights cost more.",
        "value",
        0.3,
    ),
    Misconception(
        "strength-forgotten-in-the-value",
        penalty(lambda w, s: 0.5 * (w**2).sum(), l2_gradient),
        "The value lacks the strength.",
        "value",
        0.3,
    ),
    Misconception(
        "strength-forgotten-in-the-gradient",
        penalty(l2_value, lambda w, s: 1.0 * w),
        "The gradient lacks the strength: it is a constant factor and stays one.",
        "gradient",
        0.3,
    ),
    Misconception(
        "strength-squared",
        penalty(lambda w, s: 0.5 * ((s * w) ** 2).sum(), l2_gradient),
        "The strength is squared along with the weights. It stands outside the square.",
        "value",
        0.3,
    ),
    Misconception(
        "gradient-of-l1",
        penalty(l2_value, l1_gradient),
        "The gradient has the same size for all weights; that is L1's. L2 pulls in proportion.",
        "gradient",
        0.4,
    ),
    Misconception(
        "sign-of-the-step",
        penalty(l2_value, lambda w, s: -s * w),
        "The gradient points downhill. A gradient points to where the value grows; the minus sign "
        "belongs to the step.",
        "gradient",
        0.3,
    ),
    Misconception(
        "weights-changed",
        shrunk_in_place,
        "The weights are shrunk here and now. This function only says value and gradient; the step "
        "is taken elsewhere.",
        "conduct",
    ),
)


def elastic(value, gradient):
    return lambda w, l1, l2: (value(w, l1, l2), gradient(w, l1, l2))


def both_values(w, l1, l2):
    return l1_value(w, l1) + l2_value(w, l2)


def both_gradients(w, l1, l2):
    return l1_gradient(w, l1) + l2_gradient(w, l2)


def elastic_by_loop(w, l1, l2):
    value, gradient = 0.0, np.zeros(w.shape, floating(w))
    for index, entry in np.ndenumerate(w):
        value += l1 * abs(float(entry)) + l2 * float(entry) ** 2 / 2
        gradient[index] = l1 * np.sign(entry) + l2 * entry
    return value, gradient


def elastic_by_size(w, l1, l2):
    size = np.abs(w)
    return np.sum(size * (l1 + l2 * size / 2)), np.sign(w) * (l1 + l2 * size)


def elastic_of_parts(w, l1, l2):
    first, second = l1_by_sign(w, l1), l2_by_norm(w, l2)
    return [first[0] + second[0], first[1] + second[1]]


def mixed(w, strength, ratio):
    """The parameters of scikit-learn: one strength, and how it is divided."""
    return both_values(w, strength * ratio, strength * (1 - ratio)), both_gradients(
        w, strength * ratio, strength * (1 - ratio)
    )


ELASTIC = (
    Misconception(
        "size-of-the-sum",
        elastic(lambda w, l1, l2: l1 * np.abs(w.sum()) + l2_value(w, l2), both_gradients),
        "In the L1 part the absolute value is taken of the sum, so positive and negative weights "
        "cancel first. The 1-norm adds up the sizes of the entries.",
        "value",
        0.4,
    ),
    Misconception(
        "square-of-the-sum",
        elastic(lambda w, l1, l2: l1_value(w, l1) + 0.5 * l2 * w.sum() ** 2, both_gradients),
        "In the L2 part the weights are added up before they are squared, so positive and "
        "negative ones cancel. Square each weight first, then take the sum.",
        "value",
        0.4,
    ),
    Misconception(
        "half-forgotten-throughout",
        elastic(
            lambda w, l1, l2: both_values(w, l1, 2 * l2),
            lambda w, l1, l2: both_gradients(w, l1, 2 * l2),
        ),
        "The ½ of the squares is missing in value and gradient alike, so that the two agree and a "
        "gradient check finds nothing.",
        "value",
        0.3,
    ),
    Misconception(
        "one-strength-and-a-ratio",
        mixed,
        "The first number is taken for a strength and the second for the ratio in which it is "
        "divided, as in scikit-learn. Here the two parts have a strength each.",
        "value",
        0.3,
    ),
    Misconception(
        "strengths-swapped",
        lambda w, l1, l2: (both_values(w, l2, l1), both_gradients(w, l2, l1)),
        "l1 and l2 change places: l1 is the strength of the absolute values.",
        "value",
        0.4,
    ),
    Misconception(
        "half-forgotten",
        elastic(lambda w, l1, l2: l1_value(w, l1) + 2 * l2_value(w, l2), both_gradients),
        "The quadratic part of the value lacks its ½.",
        "value",
        0.3,
    ),
    Misconception(
        "half-around-everything",
        elastic(lambda w, l1, l2: both_values(w, l1 / 2, l2), both_gradients),
        "The ½ is spread over both parts; it belongs to the squares alone.",
        "value",
        0.3,
    ),
    Misconception(
        "gradient-with-two",
        elastic(both_values, lambda w, l1, l2: l1_gradient(w, l1) + 2 * l2_gradient(w, l2)),
        "The quadratic part of the gradient holds a factor 2 that the ½ takes away.",
        "gradient",
        0.3,
    ),
    Misconception(
        "gradient-of-l2-alone",
        elastic(both_values, lambda w, l1, l2: l2_gradient(w, l2)),
        "The gradient lacks the part of L1.",
        "gradient",
        0.4,
    ),
    Misconception(
        "gradient-of-l1-alone",
        elastic(both_values, lambda w, l1, l2: l1_gradient(w, l1)),
        "The gradient lacks the part of L2.",
        "gradient",
        0.4,
    ),
    Misconception(
        "a-mixture",
        elastic(lambda w, l1, l2: both_values(w, l1, 1 - l1), both_gradients),
        "The two parts are weighed with l1 and 1 − l1. Here each has a strength of its own.",
        "value",
        0.3,
    ),
    Misconception(
        "positive-at-zero",
        elastic(both_values, lambda w, l1, l2: one_sided(w, l1) + l2_gradient(w, l2)),
        "At a weight of exactly 0 the gradient of |w| is taken from the right; here it is 0.",
        "exact zeros",
    ),
)


EXERCISES = (
    Exercise(
        name="l1_penalty",
        kind=Loss(OUTPUTS),
        reference={"l1_penalty": l1_penalty},
        cases=weight_cases(strength),
        misconceptions=L1,
        variants=(l1_by_loop, l1_by_masks, l1_by_sign),
    ),
    Exercise(
        name="l2_penalty",
        kind=Loss(OUTPUTS),
        reference={"l2_penalty": l2_penalty},
        cases=weight_cases(strength),
        misconceptions=L2,
        variants=(l2_by_dot, l2_by_norm, l2_by_einsum),
    ),
    Exercise(
        name="elastic_net",
        kind=Loss(OUTPUTS),
        reference={"elastic_net": elastic_net},
        cases=weight_cases(strengths),
        misconceptions=ELASTIC,
        variants=(elastic_by_loop, elastic_by_size, elastic_of_parts),
    ),
)
