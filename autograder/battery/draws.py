"""A matrix of drawn weights: how its entries hang together, and what a tutor says of it.

Every test raises a false alarm less than once in 10⁹ gradings, as those of ``chance`` do.
"""

from __future__ import annotations

import numpy as np

from autograder.battery.chance import LIMIT, chi_square, dependence, distribution
from autograder.battery.kind import Said

FOR_ITSELF = "each entry for itself"
EXACT = 1e-13
"""A mean or variance of 10⁴ honest draws comes so near to a given number once in 10¹¹."""


def togetherness(weights: np.ndarray) -> str:
    """`dependence`, and what it does not see: copies, mirror images, equal lengths."""
    how = dependence(weights)
    if weights.size < 2000 or how in ("all entries alike", *_SHARED):
        return how
    for table, word in ((weights, "units"), (weights.T, "inputs")):
        lengths = np.linalg.norm(table, axis=0)
        if np.ptp(lengths) < 1e-9 * lengths.mean() and np.ptp(np.abs(table)):
            return f"all {word} have weights of the same length"
        centred = table - weights.mean()
        unit = centred / np.maximum(np.linalg.norm(centred, axis=0), 1e-300)
        alike = unit.T @ unit - 2 * np.eye(unit.shape[1])
        if alike.max() > 0.999:
            return f"some {word} are copies of others"
        if np.triu(alike, 1).min(initial=0) < -0.999:
            return f"some {word} are mirror images of others"
    return how


_SHARED = ("the same for all rows", "the same for all columns")


ODD = (
    "whole numbers",
    "heaped at both ends",
    "cut off",
    "of another spread in each row",
    "of another spread in each column",
)
"""Distributions whose variance and mean are but a consequence of what is odd about them."""


def shape_of(weights: np.ndarray, truth: float) -> str:
    """`distribution`, and whether the draws were adjusted afterwards, or spread unevenly."""
    word = distribution(weights)
    if weights.size < 2000 or word not in ("normal", "uniform", "another"):
        return word
    if word == "another":
        for table, each in ((weights.T, "row"), (weights, "column")):
            if _uneven(table):
                return f"of another spread in each {each}"
        return word
    size = np.sqrt(np.mean(weights**2))
    if abs(weights.mean()) < EXACT * size:
        return f"{word}, with a mean of exactly 0"
    for found in (weights.var(), weights.var(ddof=1), np.mean(weights**2)):
        if abs(found / truth - 1) < EXACT:
            return f"{word}, with exactly this variance"
    return word


def _uneven(table: np.ndarray) -> bool:
    """Whether the columns differ in spread, judged by their sums of squares."""
    n = len(table)
    squares = (table**2).sum(axis=0)
    off = (squares / squares.mean() - 1) ** 2 * n / 2
    return chi_square(float(off.sum()), table.shape[1]) > 2 * LIMIT


SAID: Said = {
    ("distribution", "normal"): (
        "is normal where uniform draws are asked for",
        "between ±limit all values should be equally likely, and none lie beyond.",
    ),
    ("distribution", "uniform"): (
        "is uniform where normal draws are asked for",
        "which method of rng did you call?",
    ),
    ("distribution", "constant"): (
        "is no distribution: all weights are the same number",
        "is anything drawn, and does the draw reach the result?",
    ),
    ("distribution", "two values"): (
        "consists of two values only",
        "are whole numbers drawn, or only signs? The draws should fill an interval.",
    ),
    ("distribution", "whole numbers"): (
        "consists of whole numbers",
        "is a method of rng used that draws integers, or are the weights rounded?",
    ),
    ("distribution", "heaped at both ends"): (
        "has heaps at both ends",
        "many weights have exactly the largest or smallest value: were the draws clipped?",
    ),
    ("distribution", "cut off"): (
        "is normal in the middle, but large values are missing",
        "were draws beyond some limit thrown away or made smaller?",
    ),
    ("distribution", "triangular"): (
        "is triangular, as a sum or difference of two uniform draws is",
        "one draw for each weight is enough.",
    ),
    ("distribution", "an even grid"): (
        "is too even to be drawn",
        "the numbers lie on an even grid that was only shuffled. Each weight should be a draw of "
        "its own, whatever the others are.",
    ),
    ("distribution", "of another spread in each row"): (
        "is another one in each row",
        "the spread changes from one input to the next: is it worked out anew for each row?",
    ),
    ("distribution", "of another spread in each column"): (
        "is another one in each column",
        "the spread changes from one unit to the next: is it worked out anew for each column?",
    ),
    ("distribution", "another"): (
        "has neither the shape of a normal nor that of a uniform one",
        "which method of rng did you call, and what happens to the draws afterwards?",
    ),
    ("units", "every weight is the same number"): (
        "are all alike: every weight of the matrix is one and the same number",
        "print the numbers on the way. Does an integer division or a rounding give 0, or is one "
        "single number drawn?",
    ),
    ("units", "all units alike"): (
        "are all alike",
        "they compute the same, get the same gradient and stay the same for ever: draw a whole "
        "matrix.",
    ),
    ("units", "all inputs weighed alike"): (
        "weigh all their inputs alike",
        "one draw stands for a whole column: draw a whole matrix.",
    ),
    ("units", "some units are copies of others"): (
        "repeat each other",
        "some columns are copies of others. Draw as many numbers as there are weights.",
    ),
    ("units", "some units are mirror images of others"): (
        "are mirror images of each other in pairs",
        "some columns are others with the sign turned. Draw as many numbers as there are weights.",
    ),
    ("units", "some inputs are copies of others"): (
        "weigh some inputs just like others",
        "some rows are copies of others. Draw as many numbers as there are weights.",
    ),
    ("units", "some inputs are mirror images of others"): (
        "weigh some inputs just opposite to others",
        "some rows are others with the sign turned. Draw as many numbers as there are weights.",
    ),
    ("units", "all units have weights of the same length"): (
        "all have weights of exactly the same length",
        "the columns were scaled after the draw, each by its own norm. Then its entries depend on "
        "each other; scale the draws by a number that is known beforehand.",
    ),
    ("units", "all inputs have weights of the same length"): (
        "weigh all inputs with exactly the same length",
        "the rows were scaled after the draw, each by its own norm. Scale the draws by a number "
        "that is known beforehand.",
    ),
    ("rng", "another answer for the same state of rng"): (
        "gives other weights each time it is in the same state",
        "some of the draws come from elsewhere (np.random, a generator of your own).",
    ),
    ("rng", "the same draws whatever rng says"): (
        "is not used: its state changes nothing",
        "where do the draws come from?",
    ),
    ("rng", "the same draws at every call"): (
        "does not move on: two calls with the same generator give the same weights",
        "is it copied, or its state set back?",
    ),
    **{
        ("units", f"{axis} {word}"): (f"are not drawn one by one: {fact.format(axis, one)}", ask)
        for axis, one in (("rows", "row"), ("columns", "column"))
        for word, fact, ask in (
            ("depend on each other", "neighbouring {0} resemble each other",
             "is something sorted, added up or repeated along them?"),
            ("are drawn as a whole", "the weights of a {1} have something in common",
             "is one draw shared by all of them?"),
            ("balance out", "the weights of each {1} cancel better than by chance",
             "is a mean subtracted after the draw?"),
        )
    },
    **{
        ("distribution", f"{word}, {found}"): (fact, ask)
        for word in ("normal", "uniform")
        for found, fact, ask in (
            ("with a mean of exactly 0", "has a mean of exactly 0",
             "was the mean of the draws subtracted? Honest draws have mean 0 on average only."),
            ("with exactly this variance", "has exactly this variance, to the last digit",
             "were the draws divided by their own standard deviation? Honest draws have it on "
             "average only."),
        )
    },
}  # fmt: skip
