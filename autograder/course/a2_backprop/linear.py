"""A layer as an object: Linear."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.modules import Linear


def linear_cases(rng):
    def case(n, d, m, check="", tags=(), dtype: type = np.float64):
        args = {
            "x": numbers(rng, n, d),
            "w": numbers(rng, d, m),
            "b": numbers(rng, m),
            "dout": numbers(rng, n, m),
            "learning_rate": 0.3,
            "seed": int(rng.integers(2**31)),
        }
        words = f"a Linear({d}, {m}) and x of shape ({n}, {d})"
        return Case(words, as_dtype(args, dtype), check, frozenset(tags))

    return [
        case(4, 5, 3, tags=[CONDUCT]),
        case(2, 3, 6),
        case(5, 4, 2),
        case(1, 4, 3, "N = 1"),
        case(3, 3, 3, tags=["square"]),
        case(3, 5, 2, "float32", dtype=np.float32),
    ]


class Layer:
    """A correct layer; the misconceptions below override one method each."""

    def __init__(self, fan_in, fan_out, rng):
        self.w = rng.normal(size=(fan_in, fan_out)) * np.sqrt(2 / fan_in)
        self.b = np.zeros(fan_out)
        self.dw, self.db = 0 * self.w, 0 * self.b

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, dout):
        self.dw = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.w.T

    def update(self, learning_rate):
        self.w = self.w - learning_rate * self.dw
        self.b = self.b - learning_rate * self.db


class WeightsTransposed(Layer):
    def __init__(self, fan_in, fan_out, rng):
        super().__init__(fan_out, fan_in, rng)
        self.b = np.zeros(fan_out)


class BiasPerInput(Layer):
    def __init__(self, fan_in, fan_out, rng):
        super().__init__(fan_in, fan_out, rng)
        self.b = np.zeros(fan_in)


class Accumulates(Layer):
    def backward(self, dout):
        dx = Layer.backward(self, dout)
        self.total_w = getattr(self, "total_w", 0) + self.dw
        self.total_b = getattr(self, "total_b", 0) + self.db
        self.dw, self.db = self.total_w, self.total_b
        return dx


class Ascends(Layer):
    def update(self, learning_rate):
        self.w = self.w + learning_rate * self.dw
        self.b = self.b + learning_rate * self.db


class BiasNotUpdated(Layer):
    def update(self, learning_rate):
        self.w = self.w - learning_rate * self.dw


class RateForgotten(Layer):
    def update(self, learning_rate):
        self.w = self.w - self.dw
        self.b = self.b - self.db


class GradientsAveraged(Layer):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dw, self.db = self.dw / len(dout), self.db / len(dout)
        return dx


class BiasAveraged(Layer):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.mean(axis=0)
        return dx


class BackwardUpdates(Layer):
    def backward(self, dout):
        dx = super().backward(dout)
        self.w = self.w - 0.01 * self.dw
        return dx


class NothingReturned(Layer):
    def backward(self, dout):
        super().backward(dout)


class AllAlike(Layer):
    def __init__(self, fan_in, fan_out, rng):
        super().__init__(fan_in, fan_out, rng)
        self.w = np.ones((fan_in, fan_out)) * 0.01


class OneColumnForAll(Layer):
    def __init__(self, fan_in, fan_out, rng):
        super().__init__(fan_in, fan_out, rng)
        self.w = np.repeat(self.w[:, :1], fan_out, axis=1)


def starting(w):
    """A layer that draws its weights in another way."""

    class Starts(Layer):
        def __init__(self, fan_in, fan_out, rng):
            super().__init__(fan_in, fan_out, rng)
            self.w = w(fan_in, fan_out, rng)

    return Starts


class BiasAtRandom(Layer):
    def __init__(self, fan_in, fan_out, rng):
        super().__init__(fan_in, fan_out, rng)
        self.b = 0.01 * rng.normal(size=fan_out)


class RemembersTheFirst(Layer):
    def __init__(self, fan_in, fan_out, rng):
        super().__init__(fan_in, fan_out, rng)
        self.seen = []

    def forward(self, x):
        self.seen.append(x)
        self.x = self.seen[0]
        return x @ self.w + self.b


class InPlace(Layer):
    def update(self, learning_rate):
        self.w -= learning_rate * self.dw
        self.b -= learning_rate * self.db


class WithFunctions:
    def __init__(self, fan_in, fan_out, rng):
        self.w = rng.standard_normal((fan_in, fan_out)) * (2 / fan_in) ** 0.5
        self.b = np.zeros((fan_out,))

    def forward(self, x):
        self.cache = (x.copy(), self.w.copy())
        return np.einsum("nd,dm->nm", x, self.w) + self.b

    def backward(self, dout):
        x, w = self.cache
        self.dw = np.zeros_like(w)
        for i in range(len(x)):
            self.dw += np.outer(x[i], dout[i])
        self.db = np.add.reduce(dout)
        return np.dot(dout, w.T)

    def update(self, learning_rate):
        for name in ("w", "b"):
            setattr(self, name, getattr(self, name) - learning_rate * getattr(self, "d" + name))


class Slotted(Layer):
    def __init__(self, fan_in, fan_out, rng):
        self.w = rng.uniform(-1, 1, (fan_out, fan_in)).T * np.sqrt(6 / fan_in)
        self.b = 0 * self.w[0]
        self.dw, self.db = np.zeros_like(self.w), np.zeros_like(self.b)


class InputKeptWithTheClass(Layer):
    kept = None

    def forward(self, x):
        InputKeptWithTheClass.kept = x
        return super().forward(x)

    def backward(self, dout):
        self.x = InputKeptWithTheClass.kept
        return super().backward(dout)


EXERCISES = (
    Exercise(
        name="Linear",
        kind=Scripted("linear_layer"),
        reference={"Linear": Linear},
        cases=linear_cases,
        misconceptions=(
            Misconception(
                "weights-transposed",
                WeightsTransposed,
                "w should have the shape (fan_in, fan_out), so that x·w runs: one column for each "
                "unit.",
                "parameters",
            ),
            Misconception(
                "bias-per-input",
                BiasPerInput,
                "There is one bias for each output unit, so b has fan_out numbers.",
                "parameters",
            ),
            Misconception(
                "gradients-accumulate",
                Accumulates,
                "A second backward pass adds to the gradients of the first. After backward, dw and "
                "db are those of this batch alone.",
                "dw again",
            ),
            Misconception(
                "step-uphill",
                Ascends,
                "The update goes along the gradient, where the loss grows; descent goes against "
                "it.",
                "w after update",
            ),
            Misconception(
                "bias-not-updated",
                BiasNotUpdated,
                "The update leaves b where it was; it is a parameter like w.",
                "b after update",
            ),
            Misconception(
                "learning-rate-forgotten",
                RateForgotten,
                "The update takes the whole gradient as its step; scale it with the learning rate.",
                "w after update",
            ),
            Misconception(
                "gradients-averaged",
                GradientsAveraged,
                "dw and db are divided by the batch size. The loss owns the 1/N, and it has "
                "reached you inside dout.",
                "dw",
            ),
            Misconception(
                "bias-gradient-is-a-mean",
                BiasAveraged,
                "db is the mean over the batch where the gradient needs the sum: the same b is "
                "added to every row.",
                "db",
            ),
            Misconception(
                "backward-updates",
                BackwardUpdates,
                "backward changes the weights. It should only compute gradients; the step is "
                "taken in update, once all layers have theirs.",
                "w after update",
            ),
            Misconception(
                "backward-returns-nothing",
                NothingReturned,
                "backward keeps dw and db but returns nothing: the layer below waits for dx.",
                "dx",
            ),
            Misconception(
                "all-units-alike",
                AllAlike,
                "All weights start equal. Then all units compute the same, get the same gradient "
                "and stay the same for ever: draw them from rng.",
                "units start different from each other",
                0.2,
            ),
            Misconception(
                "one-column-for-all-units",
                OneColumnForAll,
                "The weights are drawn once and repeated for every unit. Then all units compute "
                "the same and stay the same for ever: each needs weights of its own.",
                "units start different from each other",
                0.2,
                ("all-units-alike",),
            ),
            Misconception(
                "root-forgotten",
                starting(lambda d, m, rng: rng.normal(0, 2 / d, (d, m))),
                "The weights start far too small: 2/fan_in is the variance, and what scales the "
                "numbers is the standard deviation.",
                "w starts with variance 2/fan_in",
                0.15,
            ),
            Misconception(
                "fan-out-for-fan-in",
                starting(lambda d, m, rng: rng.normal(0, np.sqrt(2 / m), (d, m))),
                "The spread depends on fan_out, the number of units. What matters is over how many "
                "inputs each unit sums.",
                "w starts with variance 2/fan_in",
                0.15,
            ),
            Misconception(
                "weights-all-positive",
                starting(lambda d, m, rng: rng.random((d, m)) * np.sqrt(24 / d)),
                "The weights do not start around 0: uniform numbers from 0 to 1 are all positive.",
                "w starts with mean 0",
                0.15,
            ),
            Misconception(
                "generator-ignored",
                starting(
                    lambda d, m, rng: np.random.default_rng(0).normal(0, (2 / d) ** 0.5, (d, m))
                ),
                "The weights do not come from the rng that is handed over, so that two layers may "
                "start alike and no run can be repeated.",
                "w is drawn from rng",
                0.15,
            ),
            Misconception(
                "bias-starts-at-random",
                BiasAtRandom,
                "The biases start at random; they start at 0, the weights see to it that units "
                "differ.",
                "b starts at 0",
                0.15,
            ),
            Misconception(
                "remembers-the-first-input",
                RemembersTheFirst,
                "After a second forward pass backward still uses the x of the first: what is kept "
                "must be replaced each time.",
                "dw again",
                0.3,
            ),
            Misconception(
                "shared-by-all-layers",
                InputKeptWithTheClass,
                "x is kept with the class, so all Linear layers of a network share it and the "
                "last one to run wins. Keep it with the object, in self.",
                "conduct",
            ),
        ),
        variants=(InPlace, WithFunctions, Slotted),
    ),
)
