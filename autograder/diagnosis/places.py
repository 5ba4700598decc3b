"""Where an answer is off, and in which arrangement its numbers come."""

from __future__ import annotations

import numpy as np

from autograder.battery.compare import number
from autograder.diagnosis.evidence import Row
from autograder.diagnosis.relation import Relation, near, terms


def last_everywhere(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A list in which one object stands again and again shows its last state everywhere."""
    if e.ndim != 1 or e.shape != g.shape or e.size < 2 or np.ptp(e) == 0 or np.ptp(g) > 0:
        return None
    if not near(g[-1:], e[-1:]) and np.any(g != e[-1]):
        return None
    ask = "is one and the same object stored each time and changed afterwards?"
    return Relation("last-everywhere", "shows the last value at all places", ask)


def transposed(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if e.ndim == 2 and min(e.shape) > 1 and g.shape == e.shape[::-1] and near(g, e.T):
        return Relation("transposed", "is transposed", "which factor of the product comes first?")
    return None


def keepdims(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """The right numbers in another shape."""
    if e.shape == g.shape or e.size != g.size:
        return None
    if near(g.reshape(e.shape), e):
        what = f"holds the right numbers in shape {g.shape}, expected {e.shape}"
        ask = "the shape belongs to the answer, or the next step goes wrong"
        if "dout" in row.trial.case.extra:
            ask = "a gradient has exactly the shape of what it is the gradient of"
        return Relation("right-numbers-wrong-shape", what, f"{ask}: reshape, or drop keepdims.")
    return None


def wrong_axis(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A sum over other axes than the reference's, seen from the upstream gradient."""
    dout = row.trial.case.extra.get("dout")
    if not isinstance(dout, np.ndarray) or dout.ndim < 2 or not e.ndim < dout.ndim:
        return None
    for axis in [None, *range(dout.ndim)]:
        for name, total in (("sum", dout.sum(axis=axis)), ("mean", dout.mean(axis=axis))):
            if near(g, total) and (g.shape != e.shape or not near(e, total)):
                where = "over everything" if axis is None else f"over axis {axis}"
                return Relation(
                    f"wrong-axis:{axis}",
                    f"is the {name} of dout {where}",
                    f"over which axis must it go so that the shape {e.shape} remains?",
                )
    return None


def label_only(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """Wrong just in the label's column, or just outside it."""
    y = row.trial.case.args.get("y")
    if e.shape != g.shape or e.ndim != 2 or not isinstance(y, np.ndarray):
        return None
    if y.ndim != 1 or y.dtype.kind not in "iu" or len(y) != len(e) or e.shape[1] < 2:
        return None
    if y.min() < 0 or y.max() >= e.shape[1]:
        return None  # labels of other classes than these columns
    off = np.abs(g - e) > 1e-6 * np.abs(e).max()
    at_label = np.zeros(e.shape, bool)
    at_label[np.arange(len(y)), y] = True
    if off.any() and not off[~at_label].any():
        return Relation("label-column", "is wrong only in the column of the true class",
                        "what is different about the true class?")  # fmt: skip
    if off.any() and not off[at_label].any() and off[~at_label].all():
        return Relation("other-columns", "is right at the true class and wrong elsewhere",
                        "what does the derivative look like for the wrong classes?")  # fmt: skip
    return None


def by_sign_of_input(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """Wrong only where the input is negative, positive, exactly zero, or large."""
    arrays = ((k, v) for k, v in row.trial.case.args.items() if isinstance(v, np.ndarray))
    name, x = next(arrays, ("", None))
    if x is None or x.shape != e.shape or e.shape != g.shape or x.dtype.kind not in "fi":
        return None
    if name == "w":
        return None  # where parameters move does not depend on their sign
    off = np.abs(g - e) > 1e-6 * max(np.abs(e).max(), 1e-300)
    off |= ~np.isfinite(g)
    if not off.any() or off.all():
        return None
    what = _instead(row, g, off)
    for word, mask in (("exactly 0", x == 0), ("negative", x < 0), ("positive", x > 0)):
        share = 0.6 if np.ptp(g[off]) else 0.99  # a constant from a limit on is a limit
        if mask.any() and (~mask).any() and not off[~mask].any() and off[mask].mean() > share:
            return Relation(f"where-{word.split()[-1]}",
                            f"is wrong only where the input is {word}{what}",
                            f"what should happen when the input is {word}?")  # fmt: skip
    beyond = (("large", x, "{}"), ("very negative", -x, "-{}"), ("far from 0", np.abs(x), "±{}"))
    for word, size, shown in beyond:
        least = size[off].min()
        # Where most is wrong, and begins to be near 0, what is right is the exception.
        few = 1 < off.sum() <= off.size * (0.5 if least < 2 else 1)
        if few and least > max(size[~off].max(), 0):
            limit = shown.format(number(least))
            return Relation(f"where-{word.replace(' ', '-')}",
                            f"is wrong only where the input is {word}, from {limit} on{what}",
                            "is something clipped or cut off there?")  # fmt: skip
    low, high = x[off].min(), x[off].max()
    outside = x[~off]
    if off.sum() >= 3 and not ((low <= outside) & (outside <= high)).any() and low < high:
        return Relation("where-between",
                        f"is wrong only where the input lies from {number(low)} to {number(high)}"
                        f"{what}", "what should happen between these two?")  # fmt: skip
    return None


def _instead(row: Row, g: np.ndarray, off: np.ndarray) -> str:
    """What stands in the wrong places, in words, where it is simple."""
    if np.ptp(g[off]) == 0:
        return f" (it is {number(g[off].flat[0])} there)"
    for name, value in terms(row, g):
        v = value[off]
        factor = float(np.vdot(v, g[off]) / np.vdot(v, v)) if np.any(v) else 0.0
        if abs(factor) > 1e-9 and near(g[off], factor * v):
            times = "" if abs(factor - 1) < 1e-6 else f"{number(factor)}·"
            return f" (it is {times}{name} there)"
    return ""


def cut_to_whole(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if e.shape != g.shape or e.dtype.kind != "f" or near(g, e) or not np.isfinite(e).all():
        return None
    for words, cut in (("cut off to", np.trunc(e)), ("rounded to", np.rint(e))):
        if np.any(e != cut) and np.array_equal(g, cut) and (np.any(g) or e.size > 2):
            return Relation("cut-to-whole-numbers", f"is {words} whole numbers",
                            "are results written into an array that was made like one of "
                            "integers?")  # fmt: skip
    return None


def reordered(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """Read from the end, or summed up along the way."""
    if e.shape != g.shape or not e.ndim or not np.isfinite(g).all():
        return None
    for axis in range(e.ndim):
        where = "" if e.ndim == 1 else f" along axis {axis}"
        if e.shape[axis] > 1 and near(g, np.flip(e, axis)) and not near(g, e):
            return Relation(f"reversed:{axis}", f"comes in reversed order{where}",
                            "in which order are the parts collected?")  # fmt: skip
    summed = np.cumsum(e).reshape(e.shape)
    if e.size > 2 and np.abs(g - summed).max() <= 1e-6 * np.abs(summed).max():
        return Relation("running-total", "holds in each entry the sum of all entries up to it",
                        "is something carried on from one turn of the loop to the next that "
                        "should start afresh?")  # fmt: skip
    return None


def one_for_each(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A list of losses where their mean is wanted."""
    if e.ndim or g.ndim != 1 or len(g) < 2:
        return None
    for word, total in (("mean", g.mean()), ("sum", g.sum())):
        if near(total, e):
            return Relation("one-for-each-example", f"holds one number for each of {len(g)} rows",
                            f"their {word} is wanted.")  # fmt: skip
    return None


def permuted(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if e.shape == g.shape and e.size > 2 and near(np.sort(g, axis=None), np.sort(e, axis=None)):
        return Relation("permuted", "holds the right numbers in the wrong order",
                        "which axis comes first when you reshape or transpose?")  # fmt: skip
    return None


def shifted(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A series that runs a step ahead or behind."""
    if e.ndim != 1 or e.shape != g.shape or e.size < 4 or np.ptp(e) == 0:
        return None
    for word, mine, right in (("early", g[:-1], e[1:]), ("late", g[1:], e[:-1])):
        if np.ptp(right) > 0 and near(mine, right):
            return Relation(f"one-step-{word}", f"comes one step too {word}",
                            "from where is counted, 0 or 1?")  # fmt: skip
    return None


def by_axis(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A factor or an error that is constant along one axis."""
    if e.shape != g.shape or e.ndim != 2 or min(e.shape) < 3:
        return None
    rest = g - e
    quotient = g / np.where(np.abs(e) > 1e-12, e, np.nan)
    for axis, word in ((0, "column"), (1, "row")):
        if (
            np.isfinite(quotient).all()
            and (np.ptp(quotient, axis=axis) <= 1e-6 * np.abs(quotient).max(axis=axis)).all()
        ):
            return Relation(f"factor-per-{word}", f"is off by a factor of its own in each {word}",
                            f"which quantity has one value per {word}?")  # fmt: skip
        if (np.ptp(rest, axis=axis) <= 1e-6 * np.abs(rest).max()).all():
            return Relation(f"offset-per-{word}", f"is off by a constant of its own in each {word}",
                            f"which term is summed or averaged over the {word}?")  # fmt: skip
    return None


def _never_reached(off: np.ndarray, g: np.ndarray, axis: int, index: int) -> bool:
    """Whether all places but one look as if nothing had been written there."""
    rest, wrong = np.delete(g, index, axis), np.delete(off, index, axis)
    return bool(wrong.mean() > 0.8 and (np.ptp(rest) == 0 or np.ptp(rest, axis=axis).max() == 0))


PLACES = {2: ("row", "column"), 4: ("image", "channel", "row", "column")}


def by_position(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """Wrong only at some places along one axis: the first, the last, a few."""
    if e.shape != g.shape or e.ndim < 1 or max(e.shape) < 3:
        return None
    off = np.abs(g - e) > 1e-6 * max(np.abs(e).max(), 1e-300)
    off |= ~np.isfinite(g)
    for axis in range(e.ndim):
        if e.shape[axis] < 3:
            continue
        others = tuple(i for i in range(e.ndim) if i != axis)
        places = np.flatnonzero(off.any(axis=others))
        word = PLACES[e.ndim][axis] if e.ndim in PLACES else f"place along axis {axis}"
        for name, index in (("first", 0), ("last", e.shape[axis] - 1)):
            if places.tolist() == [index] and off.sum() > 1:
                return Relation(f"only-the-{name}-{axis}", f"is wrong only in the {name} {word}",
                                "where does your loop or slice begin and end?")  # fmt: skip
            if (
                places.tolist() == [i for i in range(e.shape[axis]) if i != index]
                and len(places) > 2
                and _never_reached(off, g, axis, index)
            ):
                return Relation(f"all-but-the-{name}-{axis}",
                                f"is right only in the {name} {word}",
                                "is there a return inside the loop, or an index that does not "
                                "move?")  # fmt: skip
    return _some_places(e, off)


def _some_places(e: np.ndarray, off: np.ndarray) -> Relation | None:
    """Right in some slices along one axis and wrong throughout in the others."""
    for axis in range(e.ndim) if e.ndim > 2 else ():
        parts = np.moveaxis(off, axis, 0).reshape(e.shape[axis], -1).mean(axis=1)
        places = np.flatnonzero(parts)
        if 2 < len(parts) <= 12 and 0 < len(places) < len(parts) and parts[places].min() > 0.5:
            listed = ", ".join(map(str, places))
            where = f"at places {listed} along axis {axis}"
            if e.ndim in PLACES:
                where = f"in {PLACES[e.ndim][axis]}{'s' if len(places) > 1 else ''} {listed}"
            return Relation(f"some-places-{axis}",
                            f"is wrong {where} (counted from 0) and right elsewhere",
                            f"there are {len(parts)}: what is different about these?")  # fmt: skip
    return None
