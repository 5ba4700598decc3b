"""Is this gradient right? A checker that says where it is wrong, by how much, and how sure it is.

``check_gradient`` compares a gradient with differences of the function itself and gives every
entry an error bar. What the bar does not allow to decide is called inconclusive, never right.
``numeric_gradient`` and ``relative_error`` are the textbook recipe that it replaces, kept because
every course starts from them. The parts, in reading order:

    textbook     the recipe: central differences with one step for all
    structure    one array, a tuple or a dict of arrays, seen as a list of named leaves
    sampling     calling f near x, putting x back, measuring how noisy f is
    slopes       from differences to a slope with an error bar; kinks
    complexstep  slopes without cancellation, where f allows
    directions   large arrays: random directions, and what they can miss
    checker      check_gradient
    report       the verdict, as text;  picture: the same for a notebook
"""

from cs_nn.gradcheck.checker import check_gradient
from cs_nn.gradcheck.report import GradientReport
from cs_nn.gradcheck.textbook import error_against_step, numeric_gradient, relative_error

__all__ = [
    "GradientReport",
    "check_gradient",
    "error_against_step",
    "numeric_gradient",
    "relative_error",
]
