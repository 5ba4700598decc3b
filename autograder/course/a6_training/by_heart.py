"""Full-batch descent on a few examples."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.a6_training.babysitting import tell
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise
from cs_nn.training.babysitting import overfit_small_batch


def bowl_cases(rng, rates=None):
    def case(n, shapes, steps, check="", dtype=np.float64):
        params = {key: numbers(rng, *shape) for key, shape in shapes.items()}
        args = {
            "X": numbers(rng, n, 3),
            "y": rng.integers(0, 4, n),
            "params": params,
            "targets": {key: numbers(rng, *shape) for key, shape in shapes.items()},
        }
        rate = float(np.round(rng.uniform(0.05, 0.3), 3))
        if rates is None:
            args |= {"learning_rate": rate, "steps": steps}
        else:
            chosen = rates(rng, list(shapes))
            args |= {"learning_rates": chosen, "steps": steps}
        label = f"{n} examples and {steps} step{'s' * (steps != 1)}"
        return Case(label, as_dtype(args, dtype), check)

    net = {"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}
    return [
        case(5, net, 4),
        case(7, net, 6),
        case(4, {"W1": (2, 3), "b1": (3,), "W2": (3, 4), "b2": (4,)}, 3),
        case(1, net, 3, "a single example"),
        case(6, net, 1, "one step"),
        case(5, net, 3, "float32", np.float32),
        case(4, {**net, "W3": (2, 3), "b3": (3,)}, 3, "three layers"),
        case(1, {"W1": (2, 2), "b1": (2,), "W2": (2, 1), "b2": (1,)}, 60, "many steps"),
    ]


def descend(*, before=True, update=None, batch=None, once=False, losses=None, total=0, names=None):
    """Full-batch descent with switches for what may go wrong in it."""

    def overfit_small_batch(net, X, y, learning_rate, steps):
        seen, grads = [], None
        for _ in range(steps + total):
            rows = slice(None) if batch is None else slice(0, batch)
            if grads is None or not once:
                loss, grads = net.loss(X[rows], y[rows])
            seen.append(loss)
            for key, gradient in grads.items():
                if names is None or key.startswith(names):
                    step = update or (lambda w, g, rate: w - rate * g)
                    net.params[key] = step(net.params[key], gradient, learning_rate)
            if not before:
                seen[-1] = net.loss(X, y)[0]
        return seen if losses is None else losses(seen)

    return overfit_small_batch


def until_it_has_learnt(net, X, y, learning_rate, steps):
    seen = []
    for _ in range(steps):
        seen += descend()(net, X, y, learning_rate, 1)
        if seen[-1] < 0.01:
            break
    return seen


def one_more_at_the_end(net, X, y, learning_rate, steps):
    seen = descend()(net, X, y, learning_rate, steps)
    return [*seen, net.loss(X, y)[0]]


def nothing_stored(net, X, y, learning_rate, steps):
    seen = []
    for _ in range(steps):
        loss, grads = net.loss(X, y)
        seen.append(loss)
        for key, w in net.params.items():
            w = w - learning_rate * grads[key]
    return seen


def averaged_gradient(net, X, y, learning_rate, steps):
    return descend()(net, X, y, learning_rate / len(X), steps)


def heart_in_place(net, X, y, learning_rate, steps):
    losses = np.zeros(steps)
    for step in range(steps):
        losses[step], grads = net.loss(X, y)
        for key in net.params:
            net.params[key] -= learning_rate * grads[key]
    return losses


def heart_with_new_dict(net, X, y, learning_rate, steps):
    losses = []
    while len(losses) < steps:
        loss, grads = net.loss(X, y)
        losses.append(float(loss))
        net.params = {k: net.params[k] - learning_rate * grads[k] for k in net.params}
    return losses


def heart_by_recursion(net, X, y, learning_rate, steps):
    if not steps:
        return []
    loss, grads = net.loss(X, y)
    net.params.update({k: w - learning_rate * grads[k] for k, w in net.params.items()})
    return [loss, *heart_by_recursion(net, X, y, learning_rate, steps - 1)]


def paired_by_position(net, X, y, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss, grads = net.loss(X, y)
        losses.append(loss)
        for key, gradient in zip(list(net.params), grads.values(), strict=True):
            net.params[key] = net.params[key] - learning_rate * gradient
    return losses


BY_POSITION = (
    "Parameters and gradients are paired by their places in the two dictionaries. The gradients "
    "may come in another order, from the last layer to the first for instance: look each up by "
    "its name."
)

HEART = Exercise(
    name="overfit_small_batch",
    kind=Scripted("descent"),
    reference={"overfit_small_batch": overfit_small_batch},
    cases=bowl_cases,
    misconceptions=(
        tell(
            "losses-after-the-steps",
            descend(before=False),
            "Each loss is measured after its step; the list should start with the loss before any.",
            "losses",
            0.2,
        ),
        tell(
            "one-loss-too-many",
            one_more_at_the_end,
            "There is one loss more than there were steps: each belongs to the step after it.",
            "losses",
            0.2,
        ),
        tell("paired-by-position", paired_by_position, BY_POSITION, "W1 at the end", 0.3),
        tell(
            "step-uphill",
            descend(update=lambda w, g, rate: w + rate * g),
            "The steps go along the gradient, where the loss grows.",
            "W1 at the end",
            0.5,
        ),
        tell(
            "gradient-computed-once",
            descend(once=True),
            "The gradient is computed once and used for all steps. It changes with the parameters.",
            "losses",
            0.4,
        ),
        tell(
            "first-example-only",
            descend(batch=1),
            "Only the first example is used. Full-batch descent shows the network all of them.",
            "losses",
            0.4,
        ),
        tell(
            "parameters-not-stored",
            nothing_stored,
            "net.params stays as it was: the new arrays get a name of their own but never go back.",
            "W1 at the end",
            0.5,
        ),
        tell(
            "averaged-again",
            averaged_gradient,
            "The step is divided by the number of examples, but the loss is a mean already.",
            "W1 at the end",
            0.4,
        ),
        tell(
            "biases-not-trained",
            descend(names="W"),
            "The biases stay as they are; they are parameters like the weights.",
            "b1 at the end",
        ),
        tell(
            "only-two-layers-trained",
            descend(names=("W1", "b1", "W2", "b2")),
            "Only W1, b1, W2 and b2 are trained. A network may have more parameters: all those in "
            "net.params have a gradient.",
            "W3 at the end",
            0.2,
        ),
        tell(
            "stops-when-it-has-learnt",
            until_it_has_learnt,
            "It stops before the last step, once the loss is low. All `steps` steps were asked "
            "for, and a loss of each.",
            "losses",
            0.2,
        ),
        tell(
            "learning-rate-forgotten",
            descend(update=lambda w, g, rate: w - g),
            "The whole gradient is taken as the step; scale it with the learning rate.",
            "W1 at the end",
            0.4,
        ),
        tell(
            "only-the-last-loss",
            descend(losses=lambda seen: seen[-1]),
            "Only the last loss comes back; a list of all of them was asked for.",
            "losses",
            0.2,
        ),
        tell(
            "nothing-returned",
            descend(losses=lambda seen: None),
            "The losses are not returned.",
            "losses",
            0.3,
        ),
        tell(
            "one-step-too-many",
            descend(total=1),
            "One step too many is made.",
            "losses",
            0.3,
        ),
    ),
    variants=(heart_in_place, heart_with_new_dict, heart_by_recursion),
)


EXERCISES = (HEART,)
