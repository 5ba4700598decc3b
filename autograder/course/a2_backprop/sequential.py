"""Layers in a row."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.modules import Sequential


def cases(rng):
    def case(n, sizes, check="", tags=(), extra=None):
        weights = [numbers(rng, a, b, scale=0.6) for a, b in zip(sizes, sizes[1:], strict=False)]
        args = {
            "x": numbers(rng, n, sizes[0]),
            "dout": numbers(rng, n, sizes[-1]),
            "weights": weights,
            "learning_rate": float(np.round(rng.uniform(0.05, 0.5), 3)),
        }
        words = f"{len(weights)} layers of sizes {' → '.join(map(str, sizes))}"
        if len(weights) == 1:
            words = "a single layer"
        if extra:
            words = "a network inside a network"
        return Case(words, args, check, frozenset(tags), extra or {})

    return [
        case(4, (5, 3, 6, 2), tags=[CONDUCT]),
        case(3, (4, 6, 5)),
        case(5, (3, 3, 3, 3), tags=["square"]),
        case(2, (4, 3, 5, 2, 3)),
        case(3, (4, 2), "a single layer"),
        case(4, (3, 5, 4, 2), "networks in networks", extra={"nested": True}),
        case(1, (3, 4, 2), "N = 1"),
    ]


class Row:
    """A correct Sequential; the misconceptions below override one method each."""

    def __init__(self, layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in self.layers[::-1]:
            dout = layer.backward(dout)
        return dout

    def update(self, learning_rate):
        for layer in self.layers:
            layer.update(learning_rate)


class BackwardInOrder(Row):
    def backward(self, dout):
        for layer in self.layers:
            dout = layer.backward(dout)
        return dout


class SameDoutForAll(Row):
    def backward(self, dout):
        dx = dout
        for layer in reversed(self.layers):
            dx = layer.backward(dout)
        return dx


class SameInputForAll(Row):
    def forward(self, x):
        out = x
        for layer in self.layers:
            out = layer.forward(x)
        return out


class LastLayerSkipped(Row):
    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer.forward(x)
        if len(self.layers) > 1:
            self.layers[-1].forward(x)
        return x


class FirstLayerSkippedBackward(Row):
    def backward(self, dout):
        for layer in self.layers[:0:-1]:
            dout = layer.backward(dout)
        return dout


class ReversesForGood(Row):
    def backward(self, dout):
        self.layers.reverse()
        for layer in self.layers:
            dout = layer.backward(dout)
        return dout


class UsesUp(Row):
    def backward(self, dout):
        left = self.layers
        self.done = list(left)
        while left:
            dout = left.pop().backward(dout)
        return dout

    def update(self, learning_rate):
        for layer in self.done:
            layer.update(learning_rate)


class ReversedOnce(Row):
    def __init__(self, layers):
        super().__init__(layers)
        self.backwards = reversed(self.layers)

    def backward(self, dout):
        for layer in self.backwards:
            dout = layer.backward(dout)
        return dout


class BackwardReturnsNothing(Row):
    def backward(self, dout):
        super().backward(dout)


class UpdatesOnlyTheLast(Row):
    def update(self, learning_rate):
        self.layers[-1].update(learning_rate)


class UpdatesInBackward(Row):
    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
            layer.update(0.01)
        return dout


class OwnRate(Row):
    def update(self, learning_rate):
        for layer in self.layers:
            layer.update(0.01)


class NoUpdate(Row):
    def update(self, learning_rate):
        return None


class ByIndex:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        out = x.copy()
        for i in range(len(self.layers)):
            out = self.layers[i].forward(out)
        return out

    def backward(self, dout):
        i = len(self.layers) - 1
        while i >= 0:
            dout = self.layers[i].backward(dout)
            i -= 1
        return dout

    def update(self, learning_rate):
        for layer in reversed(self.layers):
            layer.update(learning_rate)


class ByRecursion(Row):
    def forward(self, x, start=0):
        if start == len(self.layers):
            return x
        return self.forward(self.layers[start].forward(x), start + 1)

    def backward(self, dout, end=None):
        end = len(self.layers) if end is None else end
        return dout if end == 0 else self.backward(self.layers[end - 1].backward(dout), end - 1)


class KeepsActivations(Row):
    def forward(self, x):
        self.values = [x]
        for layer in self.layers:
            self.values.append(layer.forward(self.values[-1]))
        return self.values[-1]

    def update(self, learning_rate):
        return [layer.update(learning_rate=learning_rate) for layer in self.layers]


class RepeatsTheStep(Row):
    rate = None

    def backward(self, dout):
        for layer in self.layers[::-1]:
            dout = layer.backward(dout)
            if self.rate is not None:
                layer.update(self.rate)
        return dout

    def update(self, learning_rate):
        self.rate = learning_rate
        super().update(learning_rate)


EXERCISES = (
    Exercise(
        name="Sequential",
        kind=Scripted("sequential"),
        reference={"Sequential": Sequential},
        cases=cases,
        misconceptions=(
            Misconception(
                "backward-in-forward-order",
                BackwardInOrder,
                "Backward visits the layers in the order of forward. The gradient arrives at the "
                "output, so the last layer is the first to go back.",
                "dx",
                0.5,
            ),
            Misconception(
                "same-dout-for-every-layer",
                SameDoutForAll,
                "Every layer is handed the gradient of the output. What a layer needs is what the "
                "layer above it gives back.",
                "dx",
                0.5,
            ),
            Misconception(
                "same-input-for-every-layer",
                SameInputForAll,
                "Every layer is handed the network's input. What a layer needs is the output of "
                "the layer below it.",
                "out",
            ),
            Misconception(
                "last-layer-skipped",
                LastLayerSkipped,
                "The output is that of the last but one layer.",
                "out",
            ),
            Misconception(
                "first-layer-skipped-backward",
                FirstLayerSkippedBackward,
                "Backward stops before the first layer: dx has the shape of a hidden layer, and "
                "that layer never learns. Look at where your slice or range ends.",
                "dx",
                0.5,
            ),
            Misconception(
                "list-reversed-for-good",
                ReversesForGood,
                "The first pass is right and the second is not: the list of layers itself is "
                "turned round. Go through it backwards without changing it.",
                "second pass",
                0.4,
            ),
            Misconception(
                "layers-used-up",
                UsesUp,
                "Backward takes the layers out of the list, so the second pass finds none. Go "
                "through the list without changing it.",
                "second pass",
                0.4,
            ),
            Misconception(
                "iterator-used-up",
                ReversedOnce,
                "The second backward pass visits no layer and returns dout as it is. What reversed "
                "gives can be gone through once only, and yours was made once for all passes: ask "
                "for a new one in each.",
                "second pass",
                0.4,
            ),
            Misconception(
                "backward-returns-nothing",
                BackwardReturnsNothing,
                "backward returns nothing, so this network cannot be part of another.",
                "dx",
                0.4,
            ),
            Misconception(
                "only-the-last-layer-learns",
                UpdatesOnlyTheLast,
                "Only the last layer is updated. Every layer has to improve itself.",
                "updates",
                0.3,
            ),
            Misconception(
                "updated-in-backward",
                UpdatesInBackward,
                "Layers are updated during backward. First all gradients, then the step, when "
                "update is called.",
                "updates",
                0.3,
            ),
            Misconception(
                "learning-rate-not-passed-on",
                OwnRate,
                "The layers get a learning rate of your own; pass on the one you are given.",
                "updates",
                0.3,
            ),
            Misconception(
                "nothing-is-updated",
                NoUpdate,
                "update does nothing, so the network never learns. It passes the call on to each "
                "of its layers.",
                "updates",
                0.3,
            ),
            Misconception(
                "step-repeated-in-backward",
                RepeatsTheStep,
                "After the first update every backward pass updates too, with the rate that was "
                "kept, so each step is made twice. Backward only computes gradients.",
                "updates",
                0.3,
            ),
        ),
        variants=(ByIndex, ByRecursion, KeepsActivations),
    ),
)
