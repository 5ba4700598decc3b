"""The copy gate: one value used n times, and the gradients that come back add."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.graph import CopyGate


def cases(rng):
    def case(n, shape, check="", tags=(), dtype: type = np.float64):
        args = {"x": numbers(rng, *shape), "n": n, "dzs": [numbers(rng, *shape) for _ in range(n)]}
        args = as_dtype(args, dtype) | {"dzs": [dz.astype(dtype) for dz in args["dzs"]]}
        words = f"{n} copies of an x of shape {shape}" if n > 1 else "a single copy"
        return Case(words, args, check, frozenset(tags))

    return [
        case(3, (4,), tags=[CONDUCT]),
        case(2, (3, 5)),
        case(4, (2, 3)),
        case(1, (3,), "a single copy"),
        case(2, (2, 3, 2), "more than two dimensions"),
        case(3, (3, 4), "float32", dtype=np.float32),
    ]


class CopyByList:
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        return [x for _ in range(self.n)]

    def backward(self, *dzs):
        return sum(dzs)


class CopyByStack(CopyByList):
    def forward(self, x):
        return np.stack([x] * self.n)

    def backward(self, *dzs):
        return np.sum(dzs, axis=0)


class CopyByLoop(CopyByList):
    def forward(self, x):
        return tuple(x.copy() for _ in range(self.n))

    def backward(self, *dzs):
        dx = np.zeros_like(dzs[0])
        for dz in dzs:
            dx += dz
        return dx


def copies(forward=None, backward=None):
    """A CopyGate with one part replaced."""

    class Gate(CopyByLoop):
        pass

    if forward:
        Gate.forward = forward
    if backward:
        Gate.backward = backward
    return Gate


def accumulates_into_the_first(self, *dzs):
    dx = dzs[0]
    for dz in dzs[1:]:
        dx += dz
    return dx


def first_to_last_but_one(self, *dzs):
    dx = np.zeros_like(dzs[0])
    for i in range(self.n - 1):
        dx += dzs[i]
    return dx


def second_to_last_but_one(self, *dzs):
    dx = dzs[0].copy()
    for i in range(1, self.n - 1):
        dx += dzs[i]
    return dx


class SumsForEver(CopyByLoop):
    total = 0

    def backward(self, *dzs):
        self.total = self.total + sum(dzs)
        return self.total


EXERCISES = (
    Exercise(
        name="CopyGate",
        kind=Scripted("copy_gate"),
        reference={"CopyGate": CopyGate},
        cases=cases,
        misconceptions=(
            Misconception(
                "mean-for-sum",
                copies(backward=lambda self, *dzs: sum(dzs) / dzs[0].dtype.type(len(dzs))),
                "The gradients of the copies are averaged. Each copy had its own effect on the "
                "output, and the effects add.",
                "dx",
            ),
            Misconception(
                "last-gradient-wins",
                copies(backward=lambda self, *dzs: dzs[-1].copy()),
                "Only the gradient of the last copy comes back, as if each assignment overwrote "
                "the one before. What comes back from the copies adds.",
                "dx",
            ),
            Misconception(
                "first-gradient-only",
                copies(backward=lambda self, *dzs: dzs[0].copy()),
                "Only the gradient of the first copy comes back. What comes back from the copies "
                "adds.",
                "dx",
            ),
            Misconception(
                "first-two-only",
                copies(backward=lambda self, *dzs: sum(dzs[:2])),
                "Only two gradients are added, however many copies there are.",
                "dx",
                0.4,
            ),
            *(
                Misconception(
                    code,
                    copies(backward=backward),
                    "The gradient of the last copy never enters the sum. n copies are numbered "
                    "from 0 to n − 1, and range stops one before its end: where does your loop "
                    "stop?",
                    "dx",
                    0.4,
                )
                for code, backward in (
                    ("last-copy-left-out", first_to_last_but_one),
                    ("last-of-several-left-out", second_to_last_but_one),
                )
            ),
            Misconception(
                "product-for-sum",
                copies(backward=lambda self, *dzs: np.prod(dzs, axis=0)),
                "The gradients of the copies are multiplied. Along a path slopes multiply; over "
                "several paths they add.",
                "dx",
            ),
            Misconception(
                "summed-to-a-number",
                copies(backward=lambda self, *dzs: np.sum(dzs)),
                "You add over the entries of the arrays too. dx has the shape of x.",
                "dx",
            ),
            Misconception(
                "one-list-expected",
                copies(backward=lambda self, dzs: sum(dzs)),
                "backward takes the gradients as separate arguments, one for each copy, not as a "
                "list.",
                "dx",
            ),
            Misconception(
                "always-two-copies",
                copies(forward=lambda self, x: (x.copy(), x.copy())),
                "Forward always returns two copies; the gate was made for n.",
                "copies",
                0.4,
            ),
            Misconception(
                "value-shared-out",
                copies(forward=lambda self, x: tuple(x / self.n for _ in range(self.n))),
                "Each copy gets a part of the value. A copy is the value itself.",
                "copies",
            ),
            Misconception(
                "gradient-accumulated-in-place",
                copies(backward=accumulates_into_the_first),
                "The sum is collected in the first gradient you are given, which belongs to the "
                "caller. Start from a new array.",
                "conduct",
            ),
            Misconception(
                "sum-never-starts-afresh",
                SumsForEver,
                "The sum is kept with the gate and goes on at the next backward pass, so that the "
                "gradients of the first are in it. Start each sum at 0.",
                "conduct",
            ),
            Misconception(
                "first-added-to-all",
                copies(backward=lambda self, *dzs: sum(dzs, dzs[0])),
                "The gradient of the first copy is counted twice: the sum starts with it and meets "
                "it again.",
                "dx",
            ),
        ),
        variants=(CopyByList, CopyByStack, CopyByLoop),
    ),
)
