"""Babysitting a training run: checks before it, and what its curves say afterwards."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from cs_nn.arrays import Array, Scalar

Series = Sequence[Scalar] | Shaped[Array, "T"]


def check_initial_loss(loss: Scalar, classes: int, tolerance: Scalar = 0.05) -> bool:
    """Say whether the first loss is that of guessing, log C, within a relative tolerance.

    A network with small random weights and no regularisation gives every class about the same
    probability; any other first loss hints at a mistake in the loss or in the initialisation.

    Args:
        loss: softmax loss before training, without regularisation.
        classes: number of classes C, 2 or more.
        tolerance: accepted |loss − log C| as a fraction of log C.

    Raises:
        ValueError: if ``classes`` is below 2.

    Source: CS231n, "Neural networks part 3", sanity checks.
    """
    if classes < 2:
        raise ValueError(f"classes is {classes}, but a choice needs at least 2.")
    expected = np.log(classes)
    return bool(abs(loss - expected) <= tolerance * expected)


def overfit_small_batch(
    net: Any,
    X: Shaped[Array, "N *dims"],
    y: Int[Array, "N"],
    learning_rate: Scalar,
    steps: int,
) -> list[float]:
    """Train on a few examples by full-batch gradient descent; a sound network learns them by heart.

    Args:
        net: a network with ``params`` and ``loss``; its ``params`` are changed.
        X: a few examples, about 20, (N, …).
        y: their labels, (N,).
        learning_rate: rate of every step.
        steps: number of steps.

    Returns:
        ``steps`` losses, each before its step.

    Source: CS231n, "Neural networks part 3", sanity checks.
    """
    losses = []
    for _ in range(steps):
        loss, grads = net.loss(X, y)
        losses.append(float(loss))
        for name, dw in grads.items():
            net.params[name] = net.params[name] - float(learning_rate) * dw
    return losses


def exploded(losses: Series) -> bool:
    """Say whether a run has blown up: a loss that is not finite, or over 3 times the first.

    Args:
        losses: losses in order, possibly none.

    Source: CS231n, lecture 7, "loss exploding: learning rate too high".
    """
    losses = np.asarray(losses, dtype=np.float64)
    if losses.size == 0:
        return False
    return bool(not np.all(np.isfinite(losses)) or np.any(losses > 3 * losses[0]))


def find_learning_rate(
    loss_curve: Callable[[Any], Series], rates: Sequence[Scalar] | Shaped[Array, "K"]
) -> float:
    """Return the learning rate whose loss curve ends lowest and has not exploded.

    Args:
        loss_curve: ``loss_curve(rate)`` trains from the same start for about 100 iterations and
            gives the losses.
        rates: the learning rates to try, such as 1e-1, 1e-2, 1e-3, 1e-4.

    Raises:
        ValueError: if every curve exploded (or there is none).

    Source: CS231n 2019, lecture 8, step 3: "find a learning rate that makes the loss go down".
    """
    last_losses = {}
    for rate in rates:
        # Runs that blow up on purpose need not fill the screen with overflow warnings.
        with np.errstate(all="ignore"):
            losses = loss_curve(rate)
        if len(losses) > 0 and not exploded(losses):
            last_losses[rate] = losses[-1]
    if not last_losses:
        raise ValueError("The loss exploded at every rate: try smaller ones.")
    return min(last_losses, key=last_losses.__getitem__)


def update_ratio(w: Float[Array, "*shape"], update: Float[Array, "*shape"]) -> float:
    """Return ‖update‖/‖w‖, how much of itself a parameter changes in a step; wanted near 1e-3.

    Args:
        w: a parameter before the step, any shape.
        update: what the step adds to it, same shape.

    Returns:
        The ratio; infinite where ``w`` is all zeros and the update is not, 0 where both are.

    Source: CS231n, "Neural networks part 3", ratio of updates to weights.
    """
    size_of_update = float(np.linalg.norm(np.ravel(update)))
    size_of_w = float(np.linalg.norm(np.ravel(w)))
    if size_of_w == 0:
        return 0.0 if size_of_update == 0 else float("inf")
    return size_of_update / size_of_w


def moving_average(series: Series, window: int) -> Float[Array, "T"]:
    """Return, at each place, the mean of the last ``window`` values so far.

    Args:
        series: numbers in order, (T,).
        window: how many values are averaged, 1 or more; at the start there are fewer.

    Raises:
        ValueError: if ``window`` is below 1.

    Source: CS231n, "Neural networks part 3", loss function (smoothing its curve).
    """
    if window < 1:
        raise ValueError(f"window is {window}: give 1 or more.")
    series = np.asarray(series)
    means = [series[max(0, t + 1 - window) : t + 1].mean() for t in range(len(series))]
    return np.array(means, dtype=np.result_type(series, np.float32))


def diagnose_curves(train_loss: Series, val_loss: Series) -> str:
    """Name what a pair of loss curves shows, in one of eight words.

    Args:
        train_loss: training loss of each epoch, at least 5.
        val_loss: validation loss of each epoch, as many.

    Returns:
        - "diverging": the loss is not finite, or rises far above where it was;
        - "too slow": it falls little and steadily, or not at all: raise the learning rate;
        - "overfitting": the validation loss rises again, or stays far above the training loss;
        - "bad initialization": it is flat for long and then falls;
        - "decayed too early": it falls fast and is suddenly flat, at a high loss;
        - "still improving": it falls well and has not finished: train longer;
        - "underfitting": it levels off at a high loss, in validation and training alike;
        - "good": it levels off at a low loss, with a small gap.

        Made for clear cases; a curve between two of them gets either name.

    Raises:
        ValueError: if the curves differ in length or have fewer than 5 epochs.

    Source: CS231n, lecture 8, "look at loss curves".
    """
    train, val = np.asarray(train_loss, dtype=float), np.asarray(val_loss, dtype=float)
    if len(train) != len(val) or len(train) < 5:
        raise ValueError(
            f"There are {len(train)} training and {len(val)} validation losses: give the same "
            "number of both, at least 5."
        )
    if _diverges(train) or not np.all(np.isfinite(val)):
        return "diverging"

    train, val = _smooth(train), _smooth(val)
    start, end = train[0], train[-1]
    fall = start - end
    if val[-1] - val.min() > 0.08 * start or val[-1] - end > 0.25 * start:
        return "overfitting"
    if fall < 0.05 * start:
        return "too slow"
    if fall > 0.2 * start and _starts_flat(train):
        return "bad initialization"
    if fall > 0.2 * start and end > 0.25 * start and _stops_abruptly(train):
        return "decayed too early"
    two_thirds = train[round(2 * (len(train) - 1) / 3)]
    late_share = (two_thirds - end) / fall
    if late_share > 0.12 and end > 0.1 * start:
        steady = late_share > 0.2
        return "too slow" if fall < (0.35 if steady else 0.15) * start else "still improving"
    return "underfitting" if end > 0.4 * start else "good"


def _diverges(train: Array) -> bool:
    if exploded(train):
        return True
    end = float(np.mean(_tail(train)))
    start, lowest = float(train[0]), float(_smooth(train).min())
    return end > 1.15 * start or end - lowest > 0.3 * start


def _tail(series: Array) -> Array:
    return series[-max(2, len(series) // 10) :]


def _smooth(series: Array) -> Array:
    """Average each place with its neighbours, by straight lines so that slopes are kept."""
    reach = _reach(series)
    times = np.arange(len(series))
    smooth = np.empty(len(series))
    for t in times:
        near = slice(max(0, t - reach), t + reach + 1)
        _, level = np.polyfit(times[near] - t, series[near], 1)
        smooth[t] = level
    return smooth


def _reach(series: Array) -> int:
    """How many neighbours on each side smoothing averages over."""
    return max(1, len(series) // 15)


def _starts_flat(train: Array) -> bool:
    """Say whether the first tenth of the fall takes long, also measured by the first half of it."""
    fallen = (train[0] - train) / (train[0] - train[-1])
    tenth, half = np.argmax(fallen >= 0.1), np.argmax(fallen >= 0.5)
    return bool(tenth >= 0.12 * (len(train) - 1) and tenth >= 0.35 * half)


def _stops_abruptly(train: Array) -> bool:
    """Say whether there is a time k at which a steady fall turns into a plateau.

    Where learning slows down by itself, it loses most of its speed early: between two equal
    stretches the speed drops by a smaller factor the later they are. A decayed rate does the
    opposite, so the speeds before k, and from before k to after it, are compared.
    """
    last = len(train) - 1
    fall = train[0] - train[-1]
    shortest = 2 * _reach(train)
    for k in range(2 * shortest, last - shortest):
        half = k // 2
        length = min(half, last - k - 1)
        first = (train[0] - train[half]) / half
        second = (train[half] - train[k]) / (k - half)
        # One epoch of grace, because smoothing rounds the corner off.
        third = (train[k + 1] - train[k + 1 + length]) / length
        steady = second > 0.35 * first > 0
        stopped = third < 0.2 * second and third * first < 0.3 * second**2
        if steady and stopped and train[0] - train[k] > 0.7 * fall:
            return True
    return False
