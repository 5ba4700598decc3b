"""How one wrong array relates to the right one: ratio, sign, transposition, one term too many …

Each relation looks at a single case and answers with a `Relation` or ``None``. Relations are
symbolic where they can be ("N times", not "3 times"), so that several cases can agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from autograder.battery.compare import as_array, number
from autograder.diagnosis.evidence import Row
from autograder.values import Value


@dataclass(frozen=True)
class Relation:
    """code: a stable name, the same for all cases of one mistake ("ratio:1/N").
    fact: completes "<aspect> …" ("is 3 times too small").
    question: what a tutor would ask."""

    code: str
    fact: str
    question: str = ""


Rule = Callable[[Row, np.ndarray, np.ndarray], "Relation | list[Relation] | None"]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Register a rule; the order in this file is the order of trust."""
    RULES.append(function)
    return function


def relations(row: Row) -> list[Relation]:
    """All relations that hold on one case, the most telling first."""
    e, g = as_array(row.expected), as_array(row.got)
    if e is None or g is None or e.size == 0 or e.dtype.kind == "b":
        return []
    e, g = (a.astype(np.float64) if a.dtype.kind == "b" else a for a in (e, g))
    if e.shape == g.shape and near(g, e):
        return []  # right but for the dtype or the last digits
    with np.errstate(all="ignore"):
        found = (rule(row, e, g) for rule in RULES)
        lists = (f if isinstance(f, list) else [f] for f in found if f is not None)
        return [relation for several in lists for relation in several]


def near(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-6) -> bool:
    """Whether two arrays of one shape are equal up to rounding."""
    if np.shape(a) != np.shape(b):
        return False
    a, b = np.asarray(a, float), np.asarray(b, float)
    scale = np.abs(b).max(initial=0.0)
    return bool(np.isfinite(a).all() and np.abs(a - b).max(initial=0.0) <= tolerance * scale)


def dimensions(args: Mapping[str, Value]) -> dict[str, int]:
    """Sizes that a formula may divide by, by the names that the course gives them."""
    named: dict[str, int] = {}
    arrays = {k: v for k, v in args.items() if isinstance(v, np.ndarray) and v.ndim}
    if not arrays:
        return named
    first, x = next(iter(arrays.items()))
    if first in ("x", "X", "images", "train", "predictions"):
        named["N"] = x.shape[0]
        labels = arrays.get("y")
        if x.ndim == 2:
            classes = labels is not None and labels.ndim == 1
            named["C" if classes else "D"] = x.shape[1]
        if x.ndim == 4:
            named |= {"C": x.shape[1], "H": x.shape[2], "W": x.shape[3]}
            named["N·H·W"] = x.size // x.shape[1]
        named["the number of elements"] = x.size
    w = arrays.get("w")
    if w is not None and w.ndim == 2:
        named["M"] = w.shape[1]
    return {key: size for key, size in named.items() if size > 1}


def hyperparameters(args: Mapping[str, Value], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Numbers among the arguments, those in dictionaries included: ("p", 0.8)."""
    for key, value in args.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool) and key != "seed":
            yield key, float(value)
        elif isinstance(value, dict):
            yield from hyperparameters(value, key)


def _ratio_names(row: Row) -> Iterator[tuple[str, float, str]]:
    """(symbol, value, question) of the ratios that have a meaning."""
    yield "-1", -1.0, "the sign is the wrong way round: which term is subtracted from which?"
    yield "2", 2.0, "is something counted twice, or a factor ½ missing?"
    yield "1/2", 0.5, "is the 2 of a derivative of a square missing, or a factor ½ too many?"
    yield "-2", -2.0, "look at the sign and at the factor 2."
    yield "-1/2", -0.5, "look at the sign and at the factor ½."
    yield "4", 4.0, "is a factor of ½ missing twice?"
    named = dimensions(row.trial.case.args)
    for name, size in named.items():
        over = "the batch" if name == "N" else name
        yield (
            f"1/{name}",
            1 / size,
            (
                f"did you take the mean over {over} where the sum is needed, "
                f"or divide by {name} once too often?"
            ),
        )
        yield (
            name,
            float(size),
            (f"is a division by {name} missing, a sum taken where the mean is needed?"),
        )
        yield f"-1/{name}", -1 / size, "look at the sign, and at the mean that should be a sum."
        yield f"-{name}", -float(size), "look at the sign, and at the sum that should be a mean."
        for other, length in named.items():
            if other != name and length != size and "number" not in name + other:
                yield (
                    f"{name}/{other}",
                    size / length,
                    (f"does {other} divide where {name} should?"),
                )
        less = f"does {name} − 1 stand where {name} belongs, or the other way round?"
        yield f"{name}/({name}-1)", size / (size - 1), less
        yield f"({name}-1)/{name}", (size - 1) / size, less
        yield f"√{name}", size**0.5, f"is a square root of {name} misplaced?"
        yield f"1/√{name}", size**-0.5, f"is a square root of {name} misplaced?"
    for name, value in hyperparameters(row.trial.case.args):
        for symbol, size in (
            (name, value),
            (f"1/{name}", 1 / value if value else np.nan),
            (f"(1-{name})", 1 - value),
            (f"1/(1-{name})", 1 / (1 - value) if value != 1 else np.nan),
            (f"-{name}", -value),
            (f"{name}/(1-{name})", value / (1 - value) if value != 1 else np.nan),
            (f"(1-{name})/{name}", (1 - value) / value if value else np.nan),
            (f"√{name}", np.sqrt(value) if value > 0 else np.nan),
            (f"1/√{name}", 1 / np.sqrt(value) if value > 0 else np.nan),
            (f"√(1-{name})", np.sqrt(1 - value) if value < 1 else np.nan),
            (f"1/√(1-{name})", 1 / np.sqrt(1 - value) if value < 1 else np.nan),
            (f"{name}²", value * value),
        ):
            if np.isfinite(size) and abs(size - 1) > 1e-6 and size:
                yield symbol, size, f"look at how {name} enters."


def factor_names(row: Row, factor: float) -> Iterator[Relation]:
    """Every meaning that a factor may have on one case."""
    for symbol, value, question in _ratio_names(row):
        if abs(factor - value) <= 1e-6 * abs(value):
            yield Relation(f"ratio:{symbol}", _times(factor, symbol), question)


@rule
def last_everywhere(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A list in which one object stands again and again shows its last state everywhere."""
    if e.ndim != 1 or e.shape != g.shape or e.size < 2 or np.ptp(e) == 0 or np.ptp(g) > 0:
        return None
    if not near(g[-1:], e[-1:]) and np.any(g != e[-1]):
        return None
    ask = "is one and the same object stored each time and changed afterwards?"
    return Relation("last-everywhere", "shows the last value at all places", ask)


@rule
def zero(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if g.shape == e.shape and not g.any() and np.any(e):
        return Relation("all-zero", "is 0 everywhere", "is it ever computed, or overwritten?")
    return None


@rule
def ratio(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | list[Relation] | None:
    """A constant factor between the given and the right answer: all that it may mean here, since
    other cases tell which of them it is."""
    if e.shape != g.shape or not np.any(e):
        return None
    factor = float(np.vdot(e, g) / np.vdot(e, e))
    if not np.isfinite(factor) or abs(factor) < 1e-9 or not near(g, factor * e):
        return None
    if abs(factor - 1) < 1e-4:
        return None  # a matter of rounding or of the dtype, not of a factor
    if named := list(factor_names(row, factor)):
        return named
    if e.size < 2:
        return None  # any two numbers have a ratio
    return Relation(
        "ratio:constant", _times(factor, ""), "where does this constant factor come from?"
    )


def _times(factor: float, symbol: str) -> str:
    if factor == -1 or symbol == "-1":
        return "has the wrong sign"
    name = symbol.lstrip("-")
    size = f"{number(abs(factor))} times too large"
    if abs(factor) < 1:
        size = f"{number(1 / abs(factor))} times too small"
    named = name and not name.replace("/", "").replace(".", "").isdigit()
    sign = " and has the wrong sign" if factor < 0 else ""
    return f"is {size}" + (f" (a factor {name})" if named else "") + sign


@rule
def step_ratio(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A constant factor between the given and the right step of a parameter w."""
    w = row.trial.case.args.get("w")
    if not isinstance(w, np.ndarray) or not w.shape == e.shape == g.shape or e.size < 2:
        return None
    right, mine = e.astype(float) - w, g.astype(float) - w
    if np.abs(right).max() < 1e-9 * np.abs(w).max():
        return None
    factor = float(np.vdot(right, mine) / np.vdot(right, right))
    if abs(factor) < 1e-6:
        return Relation("no-step", "is where it was before", "does the gradient ever reach w?")
    if not near(mine, factor * right):
        return None
    for symbol, value, question in _ratio_names(row):
        if abs(factor - value) <= 1e-6 * abs(value):
            times = _times(factor, symbol)
            return Relation(f"step-ratio:{symbol}", f"took a step that {times}", question)
    return Relation("step-ratio:constant", f"took a step that {_times(factor, '')}",
                    "where does this constant factor come from?")  # fmt: skip


@rule
def given_back(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """The answer is one of the arguments, unchanged."""
    things = {**row.trial.case.args, "dout": row.trial.case.extra.get("dout")}
    for name, value in things.items():
        if isinstance(value, np.ndarray) and value.size > 1 and near(g, value) and np.any(value):
            return Relation("given-back", f"is just {name}, unchanged", "which factor is missing?")
    return None


@rule
def transposed(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if e.ndim == 2 and min(e.shape) > 1 and g.shape == e.shape[::-1] and near(g, e.T):
        return Relation("transposed", "is transposed", "which factor of the product comes first?")
    return None


@rule
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


@rule
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


@rule
def signs(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if e.shape == g.shape and e.size > 1 and near(np.abs(g), np.abs(e)):
        wrong = np.count_nonzero(np.sign(g) != np.sign(e))
        if wrong:
            return Relation("some-signs", f"has the wrong sign in {wrong} of {e.size} entries",
                            "where does the sign depend on the input?")  # fmt: skip
    return None


@rule
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


@rule
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
    for word, size in (("large", x), ("very negative", -x), ("far from 0", np.abs(x))):
        least = size[off].min()
        # Where most is wrong, and begins to be near 0, what is right is the exception.
        few = 1 < off.sum() <= off.size * (0.5 if least < 2 else 1)
        if few and least > max(size[~off].max(), 0):
            limit = f"|{name}| = {number(least)}" if size is not x else number(least)
            limit = number(-least) if word == "very negative" else limit
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
    for name, value in _terms(row, g):
        v = value[off]
        factor = float(np.vdot(v, g[off]) / np.vdot(v, v)) if np.any(v) else 0.0
        if abs(factor) > 1e-9 and near(g[off], factor * v):
            times = "" if abs(factor - 1) < 1e-6 else f"{number(factor)}·"
            return f" (it is {times}{name} there)"
    return ""


@rule
def cut_to_whole(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if e.shape != g.shape or e.dtype.kind != "f" or near(g, e) or not np.isfinite(e).all():
        return None
    for words, cut in (("cut off to", np.trunc(e)), ("rounded to", np.rint(e))):
        if np.any(e != cut) and np.array_equal(g, cut) and (np.any(g) or e.size > 2):
            return Relation("cut-to-whole-numbers", f"is {words} whole numbers",
                            "are results written into an array that was made like one of "
                            "integers?")  # fmt: skip
    return None


@rule
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


@rule
def one_for_each(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A list of losses where their mean is wanted."""
    if e.ndim or g.ndim != 1 or len(g) < 2:
        return None
    for word, total in (("mean", g.mean()), ("sum", g.sum())):
        if near(total, e):
            return Relation("one-for-each-example", f"holds one number for each of {len(g)} rows",
                            f"their {word} is wanted.")  # fmt: skip
    return None


@rule
def complement(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """What is left of an argument when the right answer is taken away: a condition turned round."""
    if e.shape != g.shape or e.size < 2:
        return None
    for name, value in _terms(row, e):
        if near(g, value - e) and not near(g, value):
            return Relation(f"complement:{name}", f"is just the part of {name} that should be left "
                            "out", "is the condition turned round?")  # fmt: skip
    return None


@rule
def wrong_mask(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """Each entry is an argument's or 0, but not where it should be."""
    if e.shape != g.shape or e.size < 4:
        return None
    for name, value in _terms(row, e):
        chosen = (g == 0) | np.isclose(g, value, rtol=1e-6, atol=0)
        right = (e == 0) | np.isclose(e, value, rtol=1e-6, atol=0)
        if chosen.all() and right.all() and np.any(g != 0) and np.any(e == 0):
            what = f"lets the wrong entries of {name} through"
            ask = "by which array, and with which comparison, is it decided?"
            return Relation(f"wrong-mask:{name}", what, ask)
    return None


@rule
def argument_factor(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """An argument that is a factor once too often, or not at all."""
    if e.shape != g.shape or e.size < 3 or not np.any(g):
        return None
    for name, value in _terms(row, e):
        if np.ptp(np.abs(value)) <= 1e-6 * np.abs(value).max():
            continue  # a constant is a matter of `ratio`
        if near(g, e * value):
            return Relation(f"factor-too-many:{name}", f"is multiplied by {name} once too often",
                            f"has {name} been multiplied in before?")  # fmt: skip
        if near(g * value, e) and np.all(value):
            return Relation(f"factor-missing:{name}", f"lacks the factor {name}",
                            f"where does {name} enter?")  # fmt: skip
    return None


@rule
def extra_term(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A multiple of one argument too much or too little."""
    if e.shape != g.shape or e.size < 2:
        return None
    rest = g - e
    for name, value in _terms(row, e):
        factor = float(np.vdot(value, rest) / np.vdot(value, value))
        if abs(factor) > 1e-9 and near(rest, factor * value):
            if near(np.array(factor), np.array(-1.0)):
                what = f"lacks the term {name}"
            else:
                times = "" if near(np.array(factor), np.array(1.0)) else f"{number(abs(factor))}·"
                what = f"holds {times}{name} too {'much' if factor > 0 else 'little'}"
            ask = f"which term with {name} is missing or counted twice?"
            return Relation(f"extra-term:{name}", what, ask)
    if np.ptp(rest) <= 1e-6 * np.abs(rest).max() and np.abs(rest).max() > 0:
        return Relation("constant-offset", f"is off by {number(rest.flat[0])} in every entry",
                        "which constant is added or forgotten?")  # fmt: skip
    return None


@rule
def off_by_a_sum(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A number that is off by the mean or the sum of an argument."""
    if e.size != 1 or g.size != 1:
        return None
    rest = np.array(float(g.ravel()[0]) - float(e.ravel()[0]))
    for name, value in _things(row):
        if value.size < 2:
            continue
        squares = float(np.vdot(value, value))
        for words, amount in (
            (f"the mean of {name}", float(value.mean())),
            (f"the sum of {name}", float(value.sum())),
            (f"half the sum of the squares of {name}", squares / 2),
            (f"the sum of the squares of {name}", squares),
        ):
            for factor, word in ((1, "large"), (-1, "small")):
                if abs(amount) > 1e-6 and near(rest, np.array(factor * amount)):
                    return Relation(
                        f"extra-term:{words.replace(' ', '-')}",
                        f"is too {word} by {words}",
                        f"which term with {name} is missing, or has the wrong sign?",
                    )
    return None


@rule
def other_factor(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | list[Relation] | None:
    """A term of the answer has a wrong factor, while another one, an argument, is right.

    This is how a wrong step looks, seen from the parameters (``w − 2η·dw``), or a wrong product
    to which the right bias was added.
    """
    if e.shape != g.shape or e.size < 2:
        return None
    for name, start in _terms(row, e):
        moved, meant = g - start, e - start
        if not np.any(meant):
            continue
        if not np.any(moved):
            return Relation(f"given-back:{name}", f"is just {name}, unchanged",
                            "is the result computed but never stored?")  # fmt: skip
        factor = float(np.vdot(meant, moved) / np.vdot(meant, meant))
        if abs(factor) < 1e-9 or abs(factor - 1) < 1e-4 or not near(moved, factor * meant):
            continue
        named = []
        for meaning in factor_names(row, factor):
            symbol = meaning.code.removeprefix("ratio:")
            what = f"has, beside {name}, a part that {meaning.fact}"
            what = f"goes from {name} the wrong way" if symbol == "-1" else what
            named.append(Relation(f"part-ratio:{symbol}", what, meaning.question))
        return named or Relation(
            "part-ratio:constant",
            f"has, beside {name}, a part that {_times(factor, '')}",
            "which factor is missing there?",
        )
    return None


def _things(row: Row) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays among the arguments, and in dictionaries among them."""
    things: dict[str, Value] = {}
    for name, value in {**row.trial.case.args, **row.trial.case.extra}.items():
        things |= value if isinstance(value, dict) else {name: value}
    for name, value in things.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.any(value):
            yield name, value


def _terms(row: Row, e: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The arguments that may stand as a term in an array like ``e``, broadcast to its shape."""
    for name, value in _things(row):
        if value.ndim and value.ndim <= e.ndim and value.shape == e.shape[e.ndim - value.ndim :]:
            yield name, np.broadcast_to(value, e.shape).astype(float)


@rule
def permuted(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if e.shape == g.shape and e.size > 2 and near(np.sort(g, axis=None), np.sort(e, axis=None)):
        return Relation("permuted", "holds the right numbers in the wrong order",
                        "which axis comes first when you reshape or transpose?")  # fmt: skip
    return None


@rule
def shifted(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A series that runs a step ahead or behind."""
    if e.ndim != 1 or e.shape != g.shape or e.size < 4 or np.ptp(e) == 0:
        return None
    for word, mine, right in (("early", g[:-1], e[1:]), ("late", g[1:], e[:-1])):
        if np.ptp(right) > 0 and near(mine, right):
            return Relation(f"one-step-{word}", f"comes one step too {word}",
                            "from where is counted, 0 or 1?")  # fmt: skip
    return None


@rule
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


@rule
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
