"""Scalar reverse-mode automatic differentiation."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT
from autograder.battery.graphs import written
from autograder.course.a1_graphs import differentiators as right
from autograder.course.a1_graphs import wrong_differentiators as wrong
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.autodiff import Value


def graph(inputs, *steps, check="", tags=(), label="", show=None):
    """A case from its inputs and its steps, ``"c __add__ a b"`` or ``"c __mul__ a 2.5"``."""
    made = []
    for step in steps:
        node, method, *operands = step.split()
        made.append([node, method, *(w if w[0].isalpha() else _number(w) for w in operands)])
    args = {"inputs": inputs, "steps": made} | ({"show": show} if show else {})
    given = ", ".join(f"{key} = {value}" for key, value in inputs.items())
    words = label or f"{written(made)} at {given}"
    return Case(words, args, check, frozenset(tags))


def _number(text):
    return int(text) if text.lstrip("-").isdigit() else float(text)


def chain(length):
    """A chain in which each node is used once."""
    steps = []
    before = "a"
    for i in range(length):
        steps.append(f"n{i} __mul__ {before} 1.01" if i % 2 else f"n{i} tanh {before}")
        before = f"n{i}"
    return steps


def cases(rng):
    def some(names):
        """Moderate numbers: where tanh is flat, honest slopes differ in their last digits."""
        drawn = np.clip(numbers(rng, len(names)), -1.8, 1.8)
        return {name: float(v) for name, v in zip(names, drawn, strict=True)}

    def positive(names):
        return {k: abs(v) + 0.2 for k, v in some(names).items()}

    def rounded(inputs):
        return {key: round(value, 3) for key, value in inputs.items()}

    # One operation each: the smallest case in which a slope can be seen to be wrong.
    pairs = [graph(rounded(positive("ab")), f"c __{name}__ a b")
             for name in ("add", "sub", "mul", "truediv")]  # fmt: skip
    single = [graph(rounded(positive("a")), f"b {name} a")
              for name in ("__neg__", "exp", "log", "tanh")]  # fmt: skip
    tie = rounded(positive("a"))["a"]
    return [
        graph({"x": -2.0, "y": 5.0, "z": -4.0}, "q __add__ x y", "f __mul__ q z", tags=[CONDUCT]),
        graph(some("abc"), "d __mul__ a b", "e __sub__ d c", "g __neg__ e", "f __mul__ g a"),
        graph(rounded(positive("ab")), "c __truediv__ a b", "d __mul__ c c", "f __add__ d b"),
        graph(some("ab"), "c __mul__ a b", "d __add__ c a", "e __sub__ d b", "f __truediv__ e c"),
        graph(rounded(positive("ab")), "c log a", "d exp b", "e __truediv__ c d", "f tanh e"),
        graph({"a": 0.6, "b": -0.7}, "c relu a", "d relu b", "e __mul__ c 2.0", "f __add__ e d"),
        graph(some("ab"), "c max a b", "d max b a", "e __mul__ d 3.0", "f __add__ c e"),
        graph(rounded(positive("a")), "b __pow__ a 3", "c __pow__ a -1", "d __pow__ a 0.5",
              "e __add__ b c", "f __add__ e d", check="powers"),
        graph(rounded(positive("a")), "b __pow__ a 3", check="powers"),
        graph({"a": -1.5}, "b __pow__ a 3", "c __pow__ a 0", "f __add__ b c", check="powers"),
        graph({"a": 0.0}, "b __pow__ a 2", "c __pow__ a 1", "f __add__ b c", check="powers"),
        graph(some("a"), "b __add__ a 3", "c __mul__ b -2.5", "d __sub__ c 0.5",
              "f __truediv__ d 4", check="plain numbers"),
        graph(some("a"), "f max a 0.5", check="plain numbers"),
        graph(rounded(positive("a")), "b __radd__ a 3", "c __rmul__ b -2.5", "d __rsub__ c 0.5",
              "f __rtruediv__ d 4", check="numbers on the left"),
        graph({"a": 2, "b": 3}, "c __mul__ a b", "d __truediv__ c 4", "f __add__ d 1",
              check="whole numbers"),
        graph(rounded(positive("a")), "b __mul__ a a", check="a node used twice"),
        graph(some("a"), "b __add__ a a", "f __mul__ b b", check="a node used twice"),
        graph(some("ab"), "c __mul__ a b", "d tanh c", "e __mul__ d d", "g __add__ e 1.5",
              "h __mul__ g d", "f __add__ c h", check="long and short paths"),
        graph(some("ab"), "c __mul__ a b", "d tanh c", "e __mul__ d d", "g __add__ e 1.5",
              "h __mul__ g d", "f __add__ h c", check="long and short paths"),
        graph({"a": tie, "b": tie}, "c max a b", "f __mul__ c 2.5", check="ties"),
        graph({"a": tie}, f"c max a {tie}", "f __mul__ c -1.5", check="ties"),
        graph({"a": 0.0}, "b relu a", "f __mul__ b 3.0", check="kinks"),
        graph(some("a"), *chain(60), check="deep chain", label="a chain of 60 nodes",
              show=["a", "n0", "n30", "n59"]),
        graph({"a": 1e-200}, "m __mul__ a 1e200", "u __mul__ m 1e200", "v __mul__ m 1e200",
              "f __sub__ u v", check="gradients that cancel", label="huge gradients that cancel"),
        *pairs,
        *single,
    ]  # fmt: skip


EXERCISES = (
    Exercise(
        name="Value",
        kind=Scripted("value_graph"),
        reference={"Value": Value},
        cases=cases,
        misconceptions=(
            Misconception(
                "gradient-assigned",
                wrong.Assigns,
                "A node that is used twice keeps only the gradient of one use. What comes back "
                "from several uses adds: = overwrites, += adds.",
                "grad",
                0.3,
            ),
            Misconception(
                "output-gradient-not-one",
                wrong.OutputNotOne,
                "All gradients are 0: the derivative of the output with respect to itself, from "
                "which everything starts, is 1.",
                "grad",
                0.5,
            ),
            Misconception(
                "depth-first",
                wrong.DepthFirst,
                "A node hands its gradient on before all its users have reported, because you "
                "follow one path to its end first. Put the nodes into topological order, then go "
                "through them.",
                "grad",
                0.3,
            ),
            Misconception(
                "breadth-first",
                wrong.BreadthFirst,
                "A node hands its gradient on before all its users have reported: level by level "
                "is not enough when a long and a short path meet. Put the nodes into topological "
                "order.",
                "grad",
                0.3,
            ),
            Misconception(
                "totals-pushed-again",
                wrong.PushesTotals,
                "A node that is reached over several paths hands on its whole gradient each time, "
                "so parts are counted again. Each node hands on once, when it is complete.",
                "grad",
                0.3,
            ),
            Misconception(
                "along-every-path",
                wrong.EveryPath,
                "You hand every contribution on by itself, along every path of the graph, whose "
                "number doubles with each shared node (and here two huge ones no longer cancel). "
                "Add first, in topological order, then hand on once.",
                "gradients that cancel",
                0.15,
            ),
            Misconception(
                "only-one-step",
                wrong.OnlyOneStep,
                "Only the inputs of the last operation get a gradient. backward goes through the "
                "whole graph.",
                "grad",
                0.5,
            ),
            Misconception(
                "intermediate-gradients-lost",
                wrong.LeavesOnly,
                "The gradients of the nodes in between are 0 afterwards. Every node keeps its own.",
                "grad",
                0.2,
            ),
            Misconception(
                "parents-collapse",
                wrong.ParentsInADict,
                "In x + x the node is listed once among the inputs, so half of its gradient is "
                "lost. Mind dictionaries and sets.",
                "a node used twice",
                0.2,
            ),
            Misconception(
                "equal-numbers-are-one-node",
                wrong.EqualNumbersAreOne,
                "Two nodes that happen to hold the same number are taken for one, and the second "
                "hands nothing on. Were nodes compared (==, in, a set) by their data? A node is "
                "itself, whatever number it holds.",
                "grad",
                0.3,
            ),
            Misconception(
                "upstream-gradient-forgotten",
                wrong.UpstreamForgotten,
                "Each node gets the local slopes alone. The chain rule multiplies them with the "
                "gradient of the node above.",
                "grad",
                0.4,
            ),
            Misconception(
                "difference-adds",
                wrong.SubtractAdds,
                "In a − b the gradient of b has the sign of a sum.",
                "grad",
                0.3,
            ),
            Misconception(
                "negation-keeps-the-sign",
                wrong.NegationKeepsTheSign,
                "The slope of −x is −1; yours is 1.",
                "grad",
                0.3,
            ),
            Misconception(
                "product-not-swapped",
                wrong.ProductNotSwapped,
                "In a·b each factor gets its own value as slope; it is the other one's.",
                "grad",
                0.4,
            ),
            Misconception(
                "quotient-sign",
                wrong.QuotientSign,
                "In a / b the gradient of b has the wrong sign: the quotient falls as b grows.",
                "grad",
                0.3,
            ),
            Misconception(
                "quotient-not-squared",
                wrong.QuotientNotSquared,
                "In a / b the slope for b has b squared in the denominator; yours has not.",
                "grad",
                0.3,
            ),
            Misconception(
                "quotient-of-one",
                wrong.QuotientOfOne,
                "In a / b the slope for b is that of 1/b: the numerator is missing.",
                "grad",
                0.3,
            ),
            Misconception(
                "difference-turned-round",
                wrong.DifferenceTurned,
                "3 − x comes out as x − 3. With a number on the left the operands arrive in the "
                "other order.",
                "numbers on the left",
                0.15,
            ),
            Misconception(
                "quotient-turned-round",
                wrong.QuotientTurned,
                "4 / x comes out as x / 4. With a number on the left the operands arrive in the "
                "other order.",
                "numbers on the left",
                0.15,
            ),
            Misconception(
                "power-keeps-the-exponent",
                wrong.PowerKeepsTheExponent,
                "The derivative of x^k has one power less.",
                "powers",
                0.2,
            ),
            Misconception(
                "power-without-the-factor",
                wrong.PowerWithoutTheFactor,
                "The derivative of x^k lacks the factor k.",
                "powers",
                0.2,
            ),
            Misconception(
                "one-subtracted-from-the-power",
                wrong.PowerLessOne,
                "In the slope of x^k the 1 is subtracted from the power instead of from the "
                "exponent: ** comes before −. Mind the brackets.",
                "powers",
                0.2,
            ),
            Misconception(
                "exponent-made-whole",
                wrong.WholeExponents,
                "The exponent is cut to a whole number, so a root becomes x to the power of 0. "
                "An exponent may be any number.",
                "powers",
                0.2,
            ),
            Misconception(
                "slope-of-exp",
                wrong.ExpOfNothing,
                "The slope of exp at x is exp(x), not x.",
                "grad",
                0.3,
            ),
            Misconception(
                "slope-of-log",
                wrong.LogSlope,
                "The slope of log at x is 1/x, not 1/log(x).",
                "grad",
                0.3,
            ),
            Misconception(
                "slope-of-tanh-not-squared",
                wrong.TanhNotSquared,
                "The slope of tanh is the same at x and at −x; yours is not. What has to be "
                "squared?",
                "grad",
                0.3,
            ),
            Misconception(
                "slope-of-tanh-from-the-input",
                wrong.TanhOfTheInput,
                "The slope of tanh is written with its output, and you used the input.",
                "grad",
                0.3,
            ),
            Misconception(
                "relu-passes-everything",
                wrong.ReluPassesAll,
                "relu lets the gradient through where the input was negative.",
                "grad",
                0.3,
            ),
            Misconception(
                "relu-open-at-zero",
                wrong.ReluOpenAtZero,
                "At exactly 0 the slope of relu is 0 in this course. Look at the comparison.",
                "kinks",
                0.1,
            ),
            Misconception(
                "tie-to-the-other",
                wrong.TieToTheOther,
                "In max a tie goes to self in this course; yours goes to the other.",
                "ties",
                0.1,
            ),
            Misconception(
                "tie-to-both",
                wrong.TieToBoth,
                "In max a tie gives both the full gradient; in this course self gets it, alone.",
                "ties",
                0.1,
            ),
            Misconception(
                "tie-to-nobody",
                wrong.TieToNobody,
                "In max a tie loses the gradient: both comparisons are strict. In this course self "
                "gets it.",
                "ties",
                0.1,
            ),
            Misconception(
                "max-to-both",
                wrong.MaxToBoth,
                "max gives both the gradient; the smaller one had no influence.",
                "grad",
                0.3,
            ),
            Misconception(
                "no-number-on-the-left",
                wrong.NoReflections,
                "2 + x and its like do not work: Python then asks the right operand, by methods "
                "whose names begin with r.",
                "numbers on the left",
                0.2,
            ),
            Misconception(
                "plain-numbers-refused",
                wrong.NumbersRefused,
                "x + 2 and its like do not work: an operand that is a plain number has no data. "
                "Make a Value of it first.",
                "plain numbers",
                0.3,
            ),
        ),
        variants=(right.ByClosures, right.ByTape, right.ByCounting, right.Node),
    ),
)
