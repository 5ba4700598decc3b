"""Layers as objects, and one step of training."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.drawing import as_dtype, labels, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.modules import Linear, train_step


def linear_cases(rng):
    def case(n, d, m, check="", tags=(), dtype=np.float64):
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
        case(4, 5, 3),
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
        self.dw = self.db = None

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


class InPlace(Layer):
    def update(self, learning_rate):
        self.w -= learning_rate * self.dw
        self.b -= learning_rate * self.db


class WithFunctions:
    def __init__(self, fan_in, fan_out, rng):
        self.w = 0.01 * rng.standard_normal((fan_in, fan_out))
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
        self.w = rng.uniform(-1, 1, (fan_in, fan_out))
        self.b = rng.normal(size=fan_out) * 0.01
        self.dw, self.db = np.zeros_like(self.w), np.zeros_like(self.b)


def step_cases(rng):
    def case(n, batch, check="", repeats=4, tags=()):
        params = {"W1": numbers(rng, 3, 4), "b1": numbers(rng, 4)}
        args = {
            "X": numbers(rng, n, 5),
            "y": labels(rng, n, 3),
            "params": params,
            "grads": {key: numbers(rng, *value.shape) for key, value in params.items()},
            "loss": float(np.round(rng.uniform(1, 3), 3)),
            "learning_rate": float(np.round(rng.uniform(0.05, 0.5), 3)),
            "batch_size": batch,
            "seed": int(rng.integers(2**31)),
            "repeats": repeats,
        }
        words = f"{n} examples and batch_size = {batch}"
        return Case(words, args, check, frozenset(tags))

    return [
        case(40, 8),
        case(60, 7),
        case(50, 45),
        case(12, 12, "the whole set as one batch"),
        case(9, 1, "batches of one"),
    ]


def _batch(X, batch_size, rng):
    return rng.choice(len(X), batch_size, replace=False)


def _descend(net, grads, rate):
    for key, gradient in grads.items():
        net.params[key] = net.params[key] - rate * gradient


def with_replacement(net, X, y, learning_rate, batch_size, rng):
    rows = rng.choice(len(X), batch_size)
    loss, grads = net.loss(X[rows], y[rows])
    _descend(net, grads, learning_rate)
    return loss


def always_the_first_rows(net, X, y, learning_rate, batch_size, rng):
    loss, grads = net.loss(X[:batch_size], y[:batch_size])
    _descend(net, grads, learning_rate)
    return loss


def the_whole_set(net, X, y, learning_rate, batch_size, rng):
    loss, grads = net.loss(X, y)
    _descend(net, grads, learning_rate)
    return loss


def labels_not_drawn_along(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[:batch_size])
    _descend(net, grads, learning_rate)
    return loss


def uphill(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[rows])
    _descend(net, grads, -learning_rate)
    return loss


def averaged_again(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[rows])
    _descend(net, grads, learning_rate / batch_size)
    return loss


def nothing_updated(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[rows])
    for key, weights in net.params.items():
        weights = weights - learning_rate * grads[key]
    return loss


def rate_forgotten(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[rows])
    _descend(net, grads, 1.0)
    return loss


def gradient_for_weights(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[rows])
    for key in net.params:
        net.params[key] = -learning_rate * grads[key]
    return loss


def biases_not_updated(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[rows])
    _descend(net, {k: g for k, g in grads.items() if k.startswith("W")}, learning_rate)
    return loss


def nothing_returned(net, X, y, learning_rate, batch_size, rng):
    with_permutation(net, X, y, learning_rate, batch_size, rng)


def seeded_afresh(net, X, y, learning_rate, batch_size, rng):
    rows = np.random.default_rng(0).choice(len(X), batch_size, replace=False)
    loss, grads = net.loss(X[rows], y[rows])
    _descend(net, grads, learning_rate)
    return loss


def with_permutation(net, X, y, learning_rate, batch_size, rng):
    rows = rng.permutation(X.shape[0])[:batch_size]
    loss, grads = net.loss(X[rows], y[rows])
    for key in grads:
        net.params[key] -= learning_rate * grads[key]
    return loss


def new_params_dict(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[rows])
    net.params = {k: v - learning_rate * grads[k] for k, v in net.params.items()}
    return float(loss)


def shuffled_copy(net, X, y, learning_rate, batch_size, rng):
    rows = np.arange(len(X))
    rng.shuffle(rows)
    rows = np.sort(rows[-batch_size:])
    loss, grads = net.loss(np.take(X, rows, axis=0), np.take(y, rows))
    _descend(net, grads, learning_rate)
    return loss


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
                "conduct",
            ),
        ),
        variants=(InPlace, WithFunctions, Slotted),
    ),
    Exercise(
        name="train_step",
        kind=Scripted("train_step"),
        reference={"train_step": train_step},
        cases=step_cases,
        misconceptions=(
            Misconception(
                "drawn-with-replacement",
                with_replacement,
                "Some examples come twice in one batch. This exercise draws without replacement: "
                "look at the options of the method that draws.",
                "no row comes twice in a batch",
                0.25,
            ),
            Misconception(
                "always-the-same-batch",
                always_the_first_rows,
                "Every step sees the same first rows. A mini-batch is drawn at random, anew at "
                "each step.",
                "each step draws anew",
                0.4,
            ),
            Misconception(
                "the-whole-set",
                the_whole_set,
                "The step uses all examples and ignores batch_size. A mini-batch gives a noisier "
                "gradient for a fraction of the work.",
                "batch size",
                0.4,
            ),
            Misconception(
                "labels-do-not-belong",
                labels_not_drawn_along,
                "Rows and labels are drawn apart, so most examples get the label of another. Use "
                "the same indices for both.",
                "labels belong to their rows",
                0.4,
            ),
            Misconception(
                "step-uphill",
                uphill,
                "The step goes along the gradient, where the loss grows.",
                "W1 after the step",
                0.4,
            ),
            Misconception(
                "averaged-again",
                averaged_again,
                "The step is divided by the batch size, but the loss is a mean already: the 1/N "
                "is in the gradient.",
                "W1 after the step",
                0.4,
            ),
            Misconception(
                "parameters-not-stored",
                nothing_updated,
                "net.params is what it was before. The new arrays are computed and given a name of "
                "their own, but never put back into net.params.",
                "W1 after the step",
                0.5,
            ),
            Misconception(
                "learning-rate-forgotten",
                rate_forgotten,
                "The whole gradient is taken as the step; scale it with the learning rate.",
                "W1 after the step",
                0.4,
            ),
            Misconception(
                "weights-replaced",
                gradient_for_weights,
                "The step replaces the parameters. It should move them from where they are.",
                "W1 after the step",
                0.5,
            ),
            Misconception(
                "biases-not-updated",
                biases_not_updated,
                "Only the weights move. Every entry of net.params has a gradient and takes part.",
                "b1 after the step",
                0.3,
            ),
            Misconception(
                "nothing-returned",
                nothing_returned,
                "The step should return the loss, for the curve that you will want to look at.",
                "loss",
                0.2,
            ),
            Misconception(
                "generator-ignored",
                seeded_afresh,
                "The draw ignores rng and starts from a seed of its own, so every step sees the "
                "same batch. Use the generator that you are given.",
                "each step draws anew",
                0.4,
            ),
        ),
        variants=(with_permutation, new_params_dict, shuffled_copy),
    ),
)
