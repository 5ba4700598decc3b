"""The training loop: what happens between an untrained network and a trained one."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from cs_nn.arrays import Array, Scalar
from cs_nn.data.minibatches import minibatches
from cs_nn.optim.optimizer import Optimizer, UpdateRule
from cs_nn.regularizers import clip_gradient_norm
from cs_nn.training.early_stopping import EarlyStopping

History = dict[str, list[float]]


def train(
    net: Any,
    X: Shaped[Array, "N *dims"],
    y: Int[Array, "N"],
    X_val: Shaped[Array, "V *dims"],
    y_val: Int[Array, "V"],
    update: UpdateRule,
    schedule: Callable[[int], Scalar],
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    patience: int | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    augment: Callable[[Array, np.random.Generator], Array] | None = None,
    clip_norm: Scalar | None = None,
    progress: bool = False,
) -> History:
    """Train a network by mini-batches and leave it with the best parameters it had.

    Each epoch takes every example once, in a new order; then loss and accuracy are measured on
    the validation set. At the end ``net.params`` holds copies of the parameters from the end of
    the epoch with the lowest validation loss (those it came with, if no epoch had a finite one).

    Args:
        net: a network with ``params`` and ``loss`` as in ``TwoLayerNet`` and ``ConvNet``.
        X: training examples, (N, …).
        y: their labels, (N,).
        X_val: validation examples, (V, …).
        y_val: their labels, (V,).
        update: rule ``(w, dw, config) -> (next_w, config)``, such as ``adam``.
        schedule: ``schedule(epoch)`` gives the learning rate, epochs counted from 0.
        epochs: passes over the training set at most, 0 or more.
        batch_size: examples in each mini-batch.
        rng: source of the shuffles.
        patience: stop after this many epochs in a row without a lower validation loss; None never
            stops early.
        config: further settings of the update rule, such as ``{"momentum": 0.95}``.
        augment: ``augment(X_batch, rng)`` gives the examples to learn from in place of the batch,
            such as randomly shifted images; None learns from the batch itself.
        clip_norm: largest global norm of the gradients; None does not clip.
        progress: show a progress bar (tqdm).

    Returns:
        A dictionary of lists with one entry per epoch: ``train_loss`` and ``train_accuracy``, the
        means over the epoch's mini-batches (each example counts once, as the network was when
        it met it); ``val_loss`` and ``val_accuracy`` after the epoch.

    Raises:
        ValueError: if there are no examples, or not as many labels as examples.

    Source: CS231n, "Neural networks part 3"; Goodfellow et al. 2016, section 7.8 (early stopping).
    """
    _check_examples(X, y, "training")
    _check_examples(X_val, y_val, "validation")
    names = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
    history: History = {name: [] for name in names}
    optimizer = Optimizer(net.params, update, config)
    early_stopping = EarlyStopping(epochs + 1 if patience is None else patience)
    before = _copy(net.params)

    epoch_numbers = _with_progress(range(epochs), progress)
    for epoch in epoch_numbers:
        rate = schedule(epoch)
        losses = accuracies = 0.0
        for batch in minibatches(len(X), batch_size, rng):
            X_batch, y_batch = X[batch], y[batch]
            if augment is not None:
                X_batch = augment(X_batch, rng)
            accuracies += len(batch) * accuracy(net, X_batch, y_batch)
            loss, grads = net.loss(X_batch, y_batch)
            losses += len(batch) * float(loss)
            clipped: Any = grads if clip_norm is None else clip_gradient_norm(grads, clip_norm)
            optimizer.step(clipped, rate)

        val_loss, val_accuracy = evaluate(net, X_val, y_val, batch_size)
        entries = (losses / len(X), val_loss, accuracies / len(X), val_accuracy)
        for name, value in zip(names, entries, strict=True):
            history[name].append(value)
        if progress:
            epoch_numbers.set_postfix(val_loss=val_loss, val_accuracy=val_accuracy)
        if early_stopping.step(val_loss, net.params):
            break

    net.params.update(early_stopping.best_weights or before)
    return history


def accuracy(net: Any, X: Shaped[Array, "N *dims"], y: Int[Array, "N"]) -> float:
    """Return the fraction of examples whose highest score is at their label.

    Args:
        net: a network whose ``loss(X)`` gives scores (N, classes).
        X: examples, (N, …), N at least 1.
        y: labels, (N,).
    """
    return float(np.mean(np.argmax(net.loss(X), axis=1) == y))


def evaluate(
    net: Any, X: Shaped[Array, "N *dims"], y: Int[Array, "N"], batch_size: int = 256
) -> tuple[float, float]:
    """Return loss (weight penalty included) and accuracy, one batch at a time to save memory.

    Args:
        net: a network with ``loss`` as in ``TwoLayerNet`` and ``ConvNet``.
        X: examples, (N, …), N at least 1.
        y: labels, (N,).
        batch_size: examples that pass through the network at once; the result does not depend
            on it beyond rounding.
    """
    loss = correct = 0.0
    for start in range(0, len(X), batch_size):
        X_batch, y_batch = X[start : start + batch_size], y[start : start + batch_size]
        loss += len(X_batch) * float(net.loss(X_batch, y_batch)[0])
        correct += len(X_batch) * accuracy(net, X_batch, y_batch)
    return loss / len(X), correct / len(X)


def _with_progress(epochs: range, progress: bool) -> Any:
    if not progress:
        return epochs
    # Imported here so that importing cs_nn loads nothing but NumPy and jaxtyping.
    from tqdm import tqdm

    return tqdm(epochs, desc="training", unit="epoch")


def _check_examples(X: Array, y: Array, which: str) -> None:
    if len(X) == 0 or len(X) != len(y):
        raise ValueError(
            f"The {which} set has {len(X)} examples and {len(y)} labels: give at least one "
            "example, and one label for each."
        )


def _copy(params: Mapping[str, Array]) -> dict[str, Array]:
    return {name: w.copy() for name, w in params.items()}
