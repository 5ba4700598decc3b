"""The gates with two inputs: add distributes, multiply swaps, max routes."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.graph import AddGate, MaxGate, MultiplyGate


def cases(ties=False, zeros=False):
    """The suite for a gate with two inputs; ``zeros``: also where a division would not do."""

    def draw(rng):
        def case(shape, check="", tags=(), dtype: type = np.float64, tied=False):
            args = {key: numbers(rng, *shape) for key in ("x", "y", "dz")}
            words = f"x and y of shape {shape}"
            if tied:
                args["y"].flat[::2] = args["x"].flat[::2]
                args["y"].flat[1] = args["x"].flat[1] + 1e-7  # no tie, if only just
                words += ", some entries equal"
            return Case(words, as_dtype(args, dtype), check, frozenset(tags))

        made = [
            case((4,), tags=[CONDUCT]),
            case((3, 5)),
            case((6, 2)),
            case((2, 3, 2), "more than two dimensions"),
            case((3, 4), "float32", dtype=np.float32),
        ]
        whole = {"x": np.array([3, -2, 5]), "y": np.array([1.5, 4.0, -6.5]), "dz": numbers(rng, 3)}
        tags = frozenset({"any float", "may refuse"})
        made.append(Case("integers x", whole, "integer inputs", tags))
        if zeros:
            made.append(case((3, 4), "zeros"))
            made[-1].args["x"].flat[::3] = made[-1].args["y"].flat[1::4] = 0.0
        return made + ([case((3, 4), "ties", tied=True), case((5,), "ties", tied=True)] * ties)

    return draw


def gate(forward, backward):
    """A gate from two functions: forward(x, y) and backward(dz, x, y)."""

    class Gate:
        def forward(self, x, y):
            self.x, self.y = x, y
            return forward(x, y)

        def backward(self, dz):
            return backward(dz, self.x, self.y)

    return Gate


def add(x, y):
    return x + y


def multiply(x, y):
    return x * y


def distribute(dz, x, y):
    return dz.copy(), dz.copy()


def swap(dz, x, y):
    return y * dz, x * dz


def route(dz, x, y):
    return dz * (x >= y), dz * (x < y)


def adds_into_x(x, y):
    x += y
    return x


def multiplies_into_x(x, y):
    x *= y
    return x


def in_place(answer, factor=0.5):
    """A backward that scribbles into dz."""

    def backward(dz, x, y):
        result = answer(dz.copy(), x, y)
        dz *= factor
        return result

    return backward


def shared(forward, backward):
    """A gate that keeps its inputs with the class."""

    class Gate:
        kept = ()

        def forward(self, x, y):
            Gate.kept = (x, y)
            return forward(x, y)

        def backward(self, dz):
            return backward(dz, *Gate.kept)

    return Gate


class AddWithNothing:
    def forward(self, x, y):
        return np.add(x, y)

    def backward(self, dz):
        return dz, dz


class AddLists:
    def forward(self, *inputs):
        return sum(inputs)

    def backward(self, dz):
        return [1.0 * dz, np.ones_like(dz) * dz]


class MultiplyCache:
    def __init__(self):
        self.cache = {}

    def forward(self, x, y):
        self.cache = {"x": x.copy(), "y": y.copy()}
        return np.multiply(x, y)

    def backward(self, dz):
        return [np.multiply(dz, self.cache["y"]), np.multiply(dz, self.cache["x"])]


class MultiplyByZip:
    def forward(self, x, y):
        self.pair = (x, y)
        products = [a * b for a, b in zip(x.ravel(), y.ravel(), strict=True)]
        return np.array(products).reshape(x.shape)

    def backward(self, dz):
        return tuple(other * dz for other in self.pair[::-1])


class MaxByMask:
    def forward(self, x, y):
        self.mask = y > x
        out = np.array(x)
        out[self.mask] = y[self.mask]
        return out

    def backward(self, dz):
        dx, dy = dz.copy(), dz.copy()
        dx[self.mask] = 0
        dy[~self.mask] = 0
        return dx, dy


class MaxByStack:
    def forward(self, x, y):
        both = np.stack([x, y])
        self.winner = both.argmax(axis=0)
        return both.max(axis=0)

    def backward(self, dz):
        return [dz * (self.winner == i) for i in range(2)]


MINE = (
    Misconception(
        "input-changed",
        gate(adds_into_x, distribute),
        "The sum is written into x, which belongs to the caller. += changes an array in place: "
        "make a new one.",
        "conduct",
    ),
    Misconception(
        "upstream-gradient-changed",
        gate(add, in_place(distribute)),
        "dz is changed in place; it belongs to the caller, and other branches may still need it.",
        "conduct",
    ),
)


class OverwritesX:
    def forward(self, x, y):
        self.x, self.y = x, y
        self.x *= y
        return self.x

    def backward(self, dz):
        return self.y * dz, self.x * dz


def overwrites_dz(dz, x, y):
    dx = dz
    dx *= y
    return dx, x * dz


def remembering_the_first(forward, backward):
    """A gate that keeps the inputs of its first forward pass for good."""

    class Gate:
        def forward(self, x, y):
            if not hasattr(self, "kept"):
                self.kept = (x, y)
            return forward(x, y)

        def backward(self, dz):
            return backward(dz, *self.kept)

    return Gate


def divided_out(dz, x, y):
    z = x * y
    return dz * (z / x), dz * (z / y)


def largest_of_all(x, y):
    return np.max([x, y])


EXERCISES = (
    Exercise(
        name="AddGate",
        kind=Scripted("gate"),
        reference={"AddGate": AddGate},
        cases=cases(),
        misconceptions=(
            Misconception(
                "gradient-split",
                gate(add, lambda dz, x, y: (dz / 2, dz / 2)),
                "Each input gets half of the gradient. Changing x by a little changes the sum by "
                "just as much: an add gate distributes, it does not share out.",
                "dx",
            ),
            Misconception(
                "swapped-as-for-a-product",
                gate(add, swap),
                "You scale the gradient with the other input; that is what a multiply gate does. "
                "What is the derivative of x + y for x?",
                "dx",
            ),
            Misconception(
                "scaled-by-its-own-input",
                gate(add, lambda dz, x, y: (x * dz, y * dz)),
                "You scale the gradient with the input itself. What is the derivative of x + y "
                "for x?",
                "dx",
            ),
            Misconception(
                "upstream-gradient-forgotten",
                gate(add, lambda dz, x, y: (np.ones_like(dz), np.ones_like(dz))),
                "These are the local derivatives alone. The chain rule multiplies them with what "
                "comes from above.",
                "dx",
            ),
            Misconception(
                "only-one-gradient",
                gate(add, lambda dz, x, y: dz.copy()),
                "backward returns one gradient; the gate has two inputs, so two gradients go back.",
                "dx",
            ),
            Misconception(
                "second-gradient-negative",
                gate(add, lambda dz, x, y: (dz.copy(), -dz)),
                "The second gradient has the sign of a difference; this gate adds.",
                "dy",
                0.4,
            ),
            Misconception(
                "product-for-sum",
                gate(multiply, distribute),
                "Forward multiplies; this gate adds.",
                "z",
            ),
            *MINE,
        ),
        variants=(AddWithNothing, AddLists, gate(lambda x, y: y + x, lambda dz, x, y: [dz, dz])),
    ),
    Exercise(
        name="MultiplyGate",
        kind=Scripted("gate"),
        reference={"MultiplyGate": MultiplyGate},
        cases=cases(zeros=True),
        misconceptions=(
            Misconception(
                "not-swapped",
                gate(multiply, lambda dz, x, y: (x * dz, y * dz)),
                "Each input is multiplied by itself. The derivative of x·y for x is y: a multiply "
                "gate swaps.",
                "dx",
            ),
            Misconception(
                "gradient-distributed",
                gate(multiply, distribute),
                "Both inputs get the gradient as it came; that is what an add gate does.",
                "dx",
            ),
            Misconception(
                "product-in-the-gradient",
                gate(multiply, lambda dz, x, y: (x * y * dz, x * y * dz)),
                "The gradient is scaled with the product. Differentiate x·y for x: which factor is "
                "left?",
                "dx",
            ),
            Misconception(
                "upstream-gradient-forgotten",
                gate(multiply, lambda dz, x, y: (y.astype(dz.dtype), x.astype(dz.dtype))),
                "These are the local derivatives alone. The chain rule multiplies them with what "
                "comes from above.",
                "dx",
            ),
            Misconception(
                "product-rule-added",
                gate(multiply, lambda dz, x, y: ((x + y) * dz, (x + y) * dz)),
                "Both inputs get the sum of the two partial derivatives. Each input has its own.",
                "dx",
            ),
            Misconception(
                "sum-for-product",
                gate(add, swap),
                "Forward adds; this gate multiplies.",
                "z",
            ),
            Misconception(
                "input-changed",
                type(
                    "InputChanged",
                    (),
                    {
                        "forward": lambda self, x, y: (
                            setattr(self, "kept", (x.copy(), y.copy())),
                            multiplies_into_x(x, y),
                        )[1],
                        "backward": lambda self, dz: swap(dz, *self.kept),
                    },
                ),
                "The product is written into x, which belongs to the caller. *= changes an array "
                "in place: make a new one.",
                "conduct",
            ),
            Misconception(
                "upstream-gradient-changed",
                gate(multiply, in_place(swap)),
                "dz is changed in place; it belongs to the caller, and other branches may still "
                "need it.",
                "conduct",
            ),
            Misconception(
                "shared-by-all-gates",
                shared(multiply, swap),
                "The inputs are kept with the class, so all multiply gates of a graph share them "
                "and the last one to run wins. Keep them with the object, in self.",
                "conduct",
            ),
            Misconception(
                "product-written-into-x",
                OverwritesX,
                "The product is written into x itself, so the caller's x is lost, and what "
                "backward takes for x is the product. *= changes an array in place: make a new "
                "one.",
                "dy",
                0.5,
            ),
            Misconception(
                "gradient-of-x-written-into-dz",
                gate(multiply, overwrites_dz),
                "dx is computed in dz itself, so dy is made of a dz that has been multiplied "
                "already, and the caller's dz is changed. Make a new array.",
                "dy",
                0.5,
            ),
            Misconception(
                "factor-recovered-by-division",
                gate(multiply, divided_out),
                "You get the other factor back by dividing the product, which is 0/0 where the "
                "first is 0, and loses digits elsewhere. Keep both inputs in forward.",
                "zeros",
                0.2,
            ),
            Misconception(
                "product-of-matrices",
                gate(np.dot, swap),
                "z is the product of two matrices, or the sum of the products of two vectors. The "
                "gate multiplies entry by entry.",
                "z",
                0.5,
            ),
            Misconception(
                "remembers-the-first-inputs",
                remembering_the_first(multiply, swap),
                "After a second forward pass backward still uses the inputs of the first: what is "
                "kept must be replaced each time.",
                "conduct",
            ),
        ),
        variants=(MultiplyCache, MultiplyByZip, gate(multiply, lambda dz, x, y: [dz * y, dz * x])),
    ),
    Exercise(
        name="MaxGate",
        kind=Scripted("gate"),
        reference={"MaxGate": MaxGate},
        cases=cases(ties=True),
        misconceptions=(
            Misconception(
                "gradient-to-both",
                gate(np.maximum, distribute),
                "Both inputs get the gradient. The smaller one had no influence on the output.",
                "dx",
            ),
            Misconception(
                "gradient-to-the-smaller",
                gate(np.maximum, lambda dz, x, y: (dz * (x < y), dz * (x >= y))),
                "The gradient goes to the smaller input. Turn the comparison round.",
                "dx",
            ),
            Misconception(
                "tie-to-the-second",
                gate(np.maximum, lambda dz, x, y: (dz * (x > y), dz * (x <= y))),
                "Where the inputs are equal the gradient goes to y; in this course it goes to x.",
                "ties",
            ),
            Misconception(
                "tie-to-nobody",
                gate(np.maximum, lambda dz, x, y: (dz * (x > y), dz * (x < y))),
                "Where the inputs are equal the gradient is lost: both comparisons are strict. In "
                "this course x gets it.",
                "ties",
            ),
            Misconception(
                "tie-to-both",
                gate(np.maximum, lambda dz, x, y: (dz * (x >= y), dz * (x <= y))),
                "Where the inputs are equal both get the full gradient, so it doubles. In this "
                "course x gets it.",
                "ties",
            ),
            Misconception(
                "tie-shared",
                gate(
                    np.maximum,
                    lambda dz, x, y: (
                        dz * ((x > y) + np.float32(0.5) * (x == y)).astype(dz.dtype),
                        dz * ((x < y) + np.float32(0.5) * (x == y)).astype(dz.dtype),
                    ),
                ),
                "Where the inputs are equal they share the gradient; in this course x gets it all.",
                "ties",
            ),
            Misconception(
                "upstream-gradient-forgotten",
                gate(
                    np.maximum,
                    lambda dz, x, y: ((x >= y).astype(dz.dtype), (x < y).astype(dz.dtype)),
                ),
                "You return who won, 1 or 0. The chain rule multiplies that with what comes from "
                "above.",
                "dx",
            ),
            Misconception(
                "scaled-by-the-input",
                gate(np.maximum, lambda dz, x, y: (dz * x * (x >= y), dz * y * (x < y))),
                "The gradient is scaled with the winning input. Max routes: it passes the gradient "
                "on as it came.",
                "dx",
            ),
            Misconception(
                "one-winner-for-the-whole-array",
                gate(
                    np.maximum,
                    lambda dz, x, y: (
                        dz * dz.dtype.type(x.sum() >= y.sum()),
                        dz * dz.dtype.type(x.sum() < y.sum()),
                    ),
                ),
                "One input gets all of the gradient. The maximum is taken entry by entry, so each "
                "entry has a winner of its own.",
                "dx",
            ),
            Misconception(
                "minimum-for-maximum",
                gate(np.minimum, route),
                "Forward returns the smaller input.",
                "z",
            ),
            Misconception(
                "upstream-gradient-changed",
                gate(np.maximum, in_place(route)),
                "dz is changed in place; it belongs to the caller, and other branches may still "
                "need it.",
                "conduct",
            ),
            Misconception(
                "shared-by-all-gates",
                shared(np.maximum, route),
                "The inputs are kept with the class, so all max gates of a graph share them and "
                "the last one to run wins. Keep them with the object, in self.",
                "conduct",
            ),
            Misconception(
                "largest-of-all-entries",
                gate(largest_of_all, route),
                "z is one number, the largest of all entries of both arrays. The maximum is taken "
                "entry by entry.",
                "z",
                0.5,
            ),
            Misconception(
                "remembers-the-first-inputs",
                remembering_the_first(np.maximum, route),
                "After a second forward pass backward still routes by the inputs of the first: "
                "what is kept must be replaced each time.",
                "conduct",
            ),
        ),
        variants=(MaxByMask, MaxByStack, gate(lambda x, y: np.where(x >= y, x, y), route)),
    ),
)
