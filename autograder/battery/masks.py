"""Masks as they are read off: the output over the input, entry by entry.

The inputs contain no zeros, so that ``out / x`` *is* the mask times its scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.battery.chance import LIMIT, SHARED, SHARED_BY_ROWS, dependence, fraction
from autograder.battery.compare import as_array, same, shape_text
from autograder.battery.kind import Said
from autograder.values import Raised, Value

FRACTION = "keep fraction"
INDEPENDENCE = "independence"
FIXED = "a fixed number is kept"
BY_SHARE = "1 over the part that was kept"
ODD = "not a multiple of dout"
ALL_OR_NOTHING = "all or nothing"
UNSEEDED = "dx without a seed"
OTHER_MASK = "another mask than forward's"


def without_zeros(shape: Sequence[int], dtype: np.dtype, seed: int) -> np.ndarray:
    """A large input that needs no room in the case: magnitudes from 1 to 2, both signs."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(1, 2, tuple(shape)) * np.where(rng.random(tuple(shape)) < 0.5, -1, 1)
    return x.astype(dtype)


def quotient(value: Value, by: np.ndarray, when: str = "") -> Value:
    """``value / by`` entry by entry in float64, or what is wrong with the value's shape."""
    array = as_array(value)
    if isinstance(value, Raised):
        return value
    if array is None or array.shape != by.shape:
        what = "nothing" if value is None else "no array" if array is None else shape_text(array)
        return Raised("Outputs", f"{when}returns {what} where shape {shape_text(by)} is expected")
    with np.errstate(all="ignore"):
        return array.astype(np.float64) / by


def read_mask(ratio: Value, p: float) -> dict[str, Value]:
    """Scale, keep fraction and independence of a mask times its scale."""
    if not isinstance(ratio, np.ndarray):
        return dict.fromkeys(("scale", FRACTION, INDEPENDENCE), ratio)
    kept = ratio != 0
    if len(kept) == 1 and (kept.all() or not kept.any()) and p < 1:
        return dict.fromkeys(("scale", FRACTION, INDEPENDENCE), ALL_OR_NOTHING)
    some = kept.any() and not kept.all()
    how = dependence(kept) if some else "wrong as elsewhere"
    # Shared draws count once, or a mask for all rows would seem to keep a wrong part as well.
    draws = kept[:1] if how == SHARED_BY_ROWS else kept[(..., *[0] * (kept.ndim - 1))]
    scale = constant(ratio[kept], "not one constant") if kept.any() else "nothing is kept"
    if isinstance(scale, float) and some and abs(kept.mean() - p) > 1e-4:
        scale = BY_SHARE if abs(scale * kept.mean() - 1) < 6e-5 else scale
    return {
        "scale": scale,
        FRACTION: fraction(draws if how in SHARED else kept, p, 1 - p),
        INDEPENDENCE: how,
    }


def constant(values: Value, otherwise: str) -> Value:
    """The one number that all values are, up to the rounding of float32."""
    if not isinstance(values, np.ndarray) or not values.size:
        return otherwise if isinstance(values, np.ndarray) else values
    middle = float(np.median(values))
    if not np.isfinite(values).all():
        return "not finite"
    if np.abs(values - middle).max() > 1e-5 * max(abs(middle), 1e-3):
        return otherwise
    return float(f"{middle:.7g}")


def fixed_number(ratios: Sequence[Value]) -> bool:
    """Whether masks of one shape differ, but all keep equally many entries; of 24 honest ones
    with 20 entries or more that happens less often than once in 10¹⁶."""
    masks = [ratio != 0 for ratio in ratios if isinstance(ratio, np.ndarray)]
    if len(masks) < 24 or any(mask.size < 20 for mask in masks):
        return False
    counts = {int(mask.sum()) for mask in masks}
    return len(counts) == 1 and any(np.any(mask != masks[0]) for mask in masks)


def compare_draws(first: Value, second: Value) -> Value:
    """Whether two outputs for one input show the same mask."""
    for value in (first, second):
        if isinstance(value, Raised) or as_array(value) is None:
            return value
    return "the same mask" if same(first, second, 1e-6) else "another mask"


def against_mask(claimed: Value, mask: Value) -> dict[str, Value]:
    """A gradient over dout, held against the mask of the forward pass."""
    names = ("where kept", "where dropped")
    if not isinstance(claimed, np.ndarray) or not isinstance(mask, np.ndarray):
        return dict.fromkeys(names, claimed if isinstance(mask, np.ndarray) else mask)
    kept = mask != 0
    if not kept.any() or kept.all():
        word = "the forward pass drops " + ("nothing" if kept.any() else "everything")
        return dict.fromkeys(names, word)
    return {
        "where kept": constant(claimed[kept] / mask[kept], ODD),
        "where dropped": constant(claimed[~kept], ODD),
    }


def own_mask(claimed: Value, mask: Value) -> Value:
    """Whether a gradient passes where its own forward pass, drawn without a seed, kept."""
    seen = against_mask(claimed, mask)
    if any(isinstance(value, Raised) for value in seen.values()):
        return next(value for value in seen.values() if isinstance(value, Raised))
    return OTHER_MASK if seen["where dropped"] == ODD else "the mask of forward"


def at_zeros(claimed: Value, mask: Value, x: np.ndarray) -> Value:
    """Whether a gradient passes as often where x is 0 as elsewhere, and with the same scale."""
    if not isinstance(claimed, np.ndarray) or not isinstance(mask, np.ndarray):
        return claimed if isinstance(mask, np.ndarray) else mask
    hidden, shown = claimed[x == 0], mask[x != 0]
    share, passing = float(np.mean(shown != 0)), hidden[hidden != 0]
    if isinstance(constant(claimed[(x != 0) & (mask != 0)], "varies"), str):
        return "wrong as elsewhere"
    if np.any(claimed[(x != 0) & (mask == 0)]):
        return "wrong as elsewhere"
    if not passing.size:
        return "nothing passes"
    spread = np.sqrt(2 * share * (1 - share) / min(hidden.size, shown.size))
    if abs(float(np.mean(hidden != 0)) - share) > LIMIT * spread:
        return "another part passes"
    scale = constant(passing, ODD)
    wanted = constant(claimed[(x != 0) & (mask != 0)], ODD)
    return "as elsewhere" if same(scale, wanted, 1e-4) else "passes with another scale"


SAID: Said = {
    ("scale", "not one constant"): (
        "is not one number for all entries that are kept",
        "what is kept should be x times a constant. Is something added, or drawn, beside the mask?",
    ),
    ("scale", "nothing is kept"): ("cannot be seen", "in training mode everything comes out as 0."),
    ("scale", "not finite"): ("is infinite", "is there a division by 0?"),
    ("scale", BY_SHARE): (
        "makes up for the part that happened to be kept in this draw",
        "the scale is a number known beforehand, made of p, the same at every call.",
    ),
    ("scale", ALL_OR_NOTHING): (
        "cannot be seen: a whole example is kept or dropped at once",
        "how many random numbers are drawn for it?",
    ),
    (INDEPENDENCE, FIXED): (
        "is missing: the number of entries that are kept is the same at every call",
        "each entry should be kept or dropped by a coin of its own, so that the number varies.",
    ),
    (INDEPENDENCE, SHARED_BY_ROWS): (
        "is missing: all rows have the same mask",
        "draw as many numbers as there are entries.",
    ),
    (INDEPENDENCE, SHARED[1]): (
        "is missing: all entries of a row share one draw",
        "draw as many numbers as there are entries.",
    ),
    ("same seed", "another mask"): (
        "gives another mask at each call",
        "with a seed the mask must be the same each time. Where does the seed reach the generator?",
    ),
    ("seed 0", "another mask"): (
        "gives another mask at each call",
        "0 is a seed like any other, but it counts as false: how do you ask whether there is one?",
    ),
    (UNSEEDED, OTHER_MASK): (
        "passes where forward dropped",
        "only a seed makes two draws alike; without one the mask must be remembered, not redrawn.",
    ),
    ("another seed", "the same mask"): (
        "changes nothing",
        "does the number itself reach the generator?",
    ),
    ("no seed", "the same mask"): (
        "gives the same mask at every call",
        "without a seed every call needs fresh draws.",
    ),
    ("where kept", ODD): (
        "is not dout times one number",
        "the derivative of x·m with respect to x is m: which other factor varies from entry to "
        "entry, and is it the mask that forward used?",
    ),
    ("where dropped", ODD): (
        "is not 0",
        "where forward multiplied by 0, backward does too: is it the mask that forward used?",
    ),
    **{
        (aspect, word): (fact, f"{why}: use the mask, not its traces.")
        for aspect, what in (("where x is 0", "an entry of x"), ("dw where w is 0", "a weight"))
        for word, fact, why in (
            ("nothing passes", "is 0", f"{what} that is 0 was not necessarily dropped"),
            ("another part passes", "is not masked as elsewhere",
             f"{what} that is 0 is kept or dropped like any other"),
            ("passes with another scale", "has another scale than elsewhere",
             f"the derivative does not depend on whether {what} is 0"),
        )
    },
    ("bias", "not b"): ("is not b", "for the input 0 the output should be just b."),
    ("test mode", ODD): (
        "is not dout times one number",
        "nothing is random there, and what forward multiplied with is a number.",
    ),
}  # fmt: skip
