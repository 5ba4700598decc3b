"""ReLU as a layer with state."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.modules import ReLU


def cases(rng):
    def case(shape, check="", tags=(), dtype: type = np.float64, zeros=False):
        args = {"x": numbers(rng, *shape), "dout": numbers(rng, *shape)}
        if zeros:
            args["x"].flat[::3] = 0.0
        words = f"x of shape {shape}" + (" with exact zeros" if zeros else "")
        return Case(words, as_dtype(args, dtype), check, frozenset(tags))

    return [
        case((5, 7), tags=[CONDUCT]),
        case((3, 4)),
        case((6, 2)),
        case((1, 4), "N = 1"),
        case((3, 2, 2, 2), "more than two dimensions"),
        case((3, 4), "float32", dtype=np.float32),
        case((4, 3), "kinks", zeros=True),
    ]


class Rectifier:
    """A correct ReLU; the misconceptions below override one method each."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout):
        return np.where(self.x > 0, dout, 0)

    def update(self, learning_rate):
        return None


class MaskOfDout(Rectifier):
    def backward(self, dout):
        return np.maximum(dout, 0)


class PassesEverything(Rectifier):
    def backward(self, dout):
        return dout.copy()


class LocalSlope(Rectifier):
    def backward(self, dout):
        return (self.x > 0).astype(dout.dtype)


class OpenAtZero(Rectifier):
    def backward(self, dout):
        return np.where(self.x >= 0, dout, 0)


class NothingReturned(Rectifier):
    def backward(self, dout):
        self.dx = super().backward(dout)


class Magnitude(Rectifier):
    def forward(self, x):
        self.x = x
        return np.abs(x)


class InputOverwritten(Rectifier):
    def forward(self, x):
        self.x = x
        x[x < 0] = 0
        return x


class DoutOverwritten(Rectifier):
    def backward(self, dout):
        dout[self.x <= 0] = 0
        return dout


class SharedByAll(Rectifier):
    kept = np.zeros(0)

    def forward(self, x):
        type(self).kept = x
        return np.maximum(x, 0)

    def backward(self, dout):
        return np.where(type(self).kept > 0, dout, 0)


class WithoutUpdate:
    forward, backward = Rectifier.forward, Rectifier.backward


class UpdateWithoutRate(Rectifier):
    def update(self):  # type: ignore[override]
        return None


class ByMask:
    def __init__(self):
        self.mask = np.zeros(0, dtype=bool)

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dout):
        dx = dout.copy()
        dx[~self.mask] = 0
        return dx

    def update(self, learning_rate):
        pass


class ByOutput(Rectifier):
    def forward(self, x):
        self.out = x.clip(min=0)
        return self.out

    def backward(self, dout):
        return dout * np.sign(self.out)


class WithCaches(Rectifier):
    def forward(self, *inputs):
        (x,) = inputs
        self.cache = {"x": x.copy()}
        return (x + abs(x)) / 2

    def backward(self, dout):
        return dout * (self.cache["x"] > 0)

    def update(self, learning_rate=0.01, **ignored):
        return self


EXERCISES = (
    Exercise(
        name="ReLU",
        kind=Scripted("plain_layer"),
        reference={"ReLU": ReLU},
        cases=cases,
        misconceptions=(
            Misconception(
                "relu-of-the-gradient",
                MaskOfDout,
                "You rectify the gradient itself. What decides is the sign of the forward input, "
                "which the layer has to remember.",
                "dx",
            ),
            Misconception(
                "gradient-passes-everywhere",
                PassesEverything,
                "The gradient comes through unchanged even where the unit was off.",
                "dx",
            ),
            Misconception(
                "upstream-gradient-forgotten",
                LocalSlope,
                "This is the local slope alone. The chain rule multiplies it with what comes from "
                "above.",
                "dx",
            ),
            Misconception(
                "open-at-zero",
                OpenAtZero,
                "At an input of exactly 0 the gradient should be 0. Look at the comparison.",
                "kinks",
            ),
            Misconception(
                "backward-returns-nothing",
                NothingReturned,
                "backward computes dx and returns nothing: the layer below waits for it.",
                "dx",
            ),
            Misconception(
                "absolute-value",
                Magnitude,
                "Negative inputs come out positive. A rectifier shuts them off.",
                "out",
            ),
            Misconception(
                "input-overwritten",
                InputOverwritten,
                "The zeros are written into x itself. The caller still needs its x: make a new "
                "array.",
                "conduct",
            ),
            Misconception(
                "upstream-gradient-changed",
                DoutOverwritten,
                "The zeros are written into dout, which belongs to the caller. Make a new array.",
                "conduct",
            ),
            Misconception(
                "shared-by-all-layers",
                SharedByAll,
                "What backward needs is kept with the class, so all ReLUs of a network share it "
                "and the last one to run wins. Keep it with the object, in self.",
                "conduct",
            ),
            Misconception(
                "no-update",
                WithoutUpdate,
                "There is no update. The layer has nothing to learn, but a network calls update on "
                "all its layers alike.",
                "update",
                0.2,
            ),
            Misconception(
                "update-without-a-rate",
                UpdateWithoutRate,
                "update does not take the learning rate. The layer has no use for it, but a "
                "network passes it to all its layers alike.",
                "update",
                0.2,
                equivalent=("no-update",),
            ),
        ),
        variants=(ByMask, ByOutput, WithCaches),
    ),
)
