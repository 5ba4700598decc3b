"""By how much an answer is off: a factor, a sign, a term too many or too few."""

from __future__ import annotations

import numpy as np

from autograder.battery.compare import number
from autograder.diagnosis.evidence import Row
from autograder.diagnosis.relation import (
    Relation,
    factor_names,
    multiple,
    near,
    ratio_names,
    terms,
    things,
)


def zero(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if g.shape == e.shape and not g.any() and np.any(e):
        return Relation("all-zero", "is 0 everywhere", "is it ever computed, or overwritten?")
    return None


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
        "ratio:constant", multiple(factor, ""), "where does this constant factor come from?"
    )


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
    for symbol, value, question in ratio_names(row):
        if abs(factor - value) <= 1e-6 * abs(value):
            times = multiple(factor, symbol)
            return Relation(f"step-ratio:{symbol}", f"took a step that {times}", question)
    return Relation("step-ratio:constant", f"took a step that {multiple(factor, '')}",
                    "where does this constant factor come from?")  # fmt: skip


def given_back(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """The answer is one of the arguments, unchanged."""
    given = {**row.trial.case.args, "dout": row.trial.case.extra.get("dout")}
    for name, value in given.items():
        if isinstance(value, np.ndarray) and value.size > 1 and near(g, value) and np.any(value):
            return Relation("given-back", f"is just {name}, unchanged", "which factor is missing?")
    return None


def signs(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    if e.shape == g.shape and e.size > 1 and near(np.abs(g), np.abs(e)):
        wrong = np.count_nonzero(np.sign(g) != np.sign(e))
        if wrong:
            return Relation("some-signs", f"has the wrong sign in {wrong} of {e.size} entries",
                            "where does the sign depend on the input?")  # fmt: skip
    return None


def complement(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """What is left of an argument when the right answer is taken away: a condition turned round."""
    if e.shape != g.shape or e.size < 2:
        return None
    for name, value in terms(row, e):
        if near(g, value - e) and not near(g, value):
            return Relation(f"complement:{name}", f"is just the part of {name} that should be left "
                            "out", "is the condition turned round?")  # fmt: skip
    return None


def wrong_mask(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """Each entry is an argument's or 0, but not where it should be."""
    if e.shape != g.shape or e.size < 4:
        return None
    for name, value in terms(row, e):
        chosen = (g == 0) | np.isclose(g, value, rtol=1e-6, atol=0)
        right = (e == 0) | np.isclose(e, value, rtol=1e-6, atol=0)
        if chosen.all() and right.all() and np.any(g != 0) and np.any(e == 0):
            what = f"lets the wrong entries of {name} through"
            ask = "by which array, and with which comparison, is it decided?"
            return Relation(f"wrong-mask:{name}", what, ask)
    return None


def argument_factor(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """An argument that is a factor once too often, or not at all."""
    if e.shape != g.shape or e.size < 3 or not np.any(g):
        return None
    for name, value in terms(row, e):
        if np.ptp(np.abs(value)) <= 1e-6 * np.abs(value).max():
            continue  # a constant is a matter of `ratio`
        if near(g, e * value):
            return Relation(f"factor-too-many:{name}", f"is multiplied by {name} once too often",
                            f"has {name} been multiplied in before?")  # fmt: skip
        if near(g * value, e) and np.all(value):
            return Relation(f"factor-missing:{name}", f"lacks the factor {name}",
                            f"where does {name} enter?")  # fmt: skip
    return None


def extra_term(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A multiple of one argument too much or too little."""
    if e.shape != g.shape or e.size < 2:
        return None
    rest = g - e
    for name, value in terms(row, e):
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


def off_by_a_sum(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | None:
    """A number that is off by the mean or the sum of an argument."""
    if e.size != 1 or g.size != 1:
        return None
    rest = np.array(float(g.ravel()[0]) - float(e.ravel()[0]))
    for name, value in things(row):
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


def other_factor(row: Row, e: np.ndarray, g: np.ndarray) -> Relation | list[Relation] | None:
    """A term of the answer has a wrong factor, while another one, an argument, is right.

    This is how a wrong step looks, seen from the parameters (``w − 2η·dw``), or a wrong product
    to which the right bias was added.
    """
    if e.shape != g.shape or e.size < 2:
        return None
    for name, start in terms(row, e):
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
            f"has, beside {name}, a part that {multiple(factor, '')}",
            "which factor is missing there?",
        )
    return None
