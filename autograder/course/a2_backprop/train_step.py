"""One step of training."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.drawing import labels, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.modules import train_step


def step_cases(rng):
    def case(n, batch, check="", repeats=4, tags=(), layer="1"):
        params = {f"W{layer}": numbers(rng, 3, 4), f"b{layer}": numbers(rng, 4)}
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
        case(30, 6, "parameters of other names", layer="_out"),
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


def loss_of_the_new_parameters(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    _descend(net, net.loss(X[rows], y[rows])[1], learning_rate)
    return net.loss(X[rows], y[rows])[0]


def names_of_one_network(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    loss, grads = net.loss(X[rows], y[rows])
    _descend(net, {k: grads[k] for k in ("W1", "b1", "W2", "b2") if k in grads}, learning_rate)
    return loss


def with_permutation(net, X, y, learning_rate, batch_size, rng):
    rows = rng.permutation(X.shape[0])[:batch_size]
    loss, grads = net.loss(X[rows], y[rows])
    for key in grads:
        net.params[key] -= learning_rate * grads[key]
    return loss


def in_two_calls(net, X, y, learning_rate, batch_size, rng):
    rows = _batch(X, batch_size, rng)
    grads = net.loss(X[rows], y[rows])[1]
    loss = net.loss(X[rows], y[rows])[0]
    for name, value in net.params.items():
        np.subtract(value, learning_rate * grads[name], out=value)
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
            Misconception(
                "loss-after-the-step",
                loss_of_the_new_parameters,
                "The loss that you return is asked for once more after the step. Return the one "
                "that came with the gradients: it is there already, and what the curve shows is "
                "the network before it has seen this batch.",
                "loss",
                0.25,
            ),
            Misconception(
                "names-of-one-network",
                names_of_one_network,
                "The names of the parameters are written down, so that those of another network "
                "stay as they are. Go through the gradients, whatever they are called.",
                "parameters of other names",
                0.25,
            ),
        ),
        variants=(with_permutation, new_params_dict, shuffled_copy, in_two_calls),
    ),
)
