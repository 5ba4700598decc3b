"""Training loops: one with switches for what may go wrong, and correct ones of other makes."""

import copy
import math

import numpy as np


def accuracy(net, X, y):
    return float(np.mean(net.loss(X).argmax(axis=1) == y))


def looping(
    *,
    order=lambda rng, n, epoch: rng.permutation(n),
    batches=None,
    labels=lambda y, rows: y[rows],
    rate=lambda schedule, epoch, step: schedule(epoch),
    shared=False,
    fresh=False,
    keep_config=True,
    anew=False,
    store=True,
    skip=(),
    patience_slack=0,
    best=min,
    copies=True,
    restore=True,
    validate=None,
    loss_entry=None,
    percent=False,
    train_accuracy=None,
    waits_in_total=False,
    history=lambda h: h,
):
    """A training loop with switches for what may go wrong in it."""

    def cut(index, size):
        return [index[i : i + size] for i in range(0, len(index), size)]

    def train(net, X, y, X_val, y_val, update, schedule, epochs, batch_size, rng, patience=None):
        record = {k: [] for k in ("train_loss", "val_loss", "train_accuracy", "val_accuracy")}
        configs = {key: {} for key in net.params}
        one = {}
        best_loss, best_params, waited, step = None, copy.deepcopy(net.params), 0, 0
        for epoch in range(epochs):
            configs = {key: {} for key in net.params} if anew else configs
            index = order(rng, len(X), epoch)
            losses, accuracies, counts = [], [], []
            for rows in (batches or cut)(index, batch_size):
                X_batch, y_batch = X[rows], labels(y, rows)
                accuracies.append(accuracy(net, X_batch, y[rows]))
                loss, grads = net.loss(X_batch, y_batch)
                losses.append(loss)
                counts.append(len(rows))
                for key in net.params:
                    if key.startswith(skip or "no such name"):
                        continue
                    config = one if shared else ({} if fresh else configs[key])
                    config = {**config, "learning_rate": rate(schedule, epoch, step)}
                    new, config = update(net.params[key], grads[key], config)
                    if store:
                        net.params[key] = new
                    if shared:
                        one = config
                    elif keep_config:
                        configs[key] = config
                step += 1
            val_loss = (validate or _val_loss)(net, X, y, X_val, y_val)
            mean = float(np.average(losses, weights=counts))
            record["train_loss"].append(mean if loss_entry is None else loss_entry(losses))
            record["val_loss"].append(val_loss)
            shown = float(np.average(accuracies, weights=counts))
            record["train_accuracy"].append(
                shown if train_accuracy is None else train_accuracy(net, X, y)
            )
            record["val_accuracy"].append(accuracy(net, X_val, y_val))
            if best_loss is None or best(val_loss, best_loss) == val_loss:
                best_loss = val_loss
                best_params = copy.deepcopy(net.params) if copies else net.params
                waited = waited if waits_in_total else 0
            else:
                waited += 1
            if patience is not None and waited >= patience + patience_slack:
                break
        if restore:
            net.params = best_params
        if percent:
            for key in ("train_accuracy", "val_accuracy"):
                record[key] = [100 * entry for entry in record[key]]
        return history(record)

    return train


def _val_loss(net, X, y, X_val, y_val):
    return float(net.loss(X_val, y_val)[0])


def _never_stopping(net, X, y, X_val, y_val, update, schedule, epochs, batch_size, rng,
                    patience=None):  # fmt: skip
    return looping()(net, X, y, X_val, y_val, update, schedule, epochs, batch_size, rng)


def _only_full_batches(index, size):
    whole = len(index) // size * size
    return [index[i : i + size] for i in range(0, whole, size)] or [index]


def _in_place_order(net, X, y, *rest):
    rng = rest[6]
    order = rng.permutation(len(X))
    X[...] = X[order]
    y[...] = y[order]
    return looping()(net, X, y, *rest)


_first_orders = {}


def _same_order(rng, n, epoch):
    if epoch == 0:
        _first_orders["now"] = rng.permutation(n)
    return _first_orders["now"]


def _validation_too(net, X, y, X_val, y_val, *rest):
    return looping()(
        net, np.concatenate([X, X_val]), np.concatenate([y, y_val]), X_val, y_val, *rest
    )


def _nothing_returned(*args, **options):
    looping()(*args, **options)


# Correct, as students write them ------------------------------------------------------


def with_generator(net, X, y, X_val, y_val, update, schedule, epochs, batch_size, rng,
                   patience=None):  # fmt: skip
    history = {"train_loss": [], "val_loss": [], "train_accuracy": [], "val_accuracy": []}
    configs, best, best_params, bad = {}, math.inf, None, 0

    def minibatches():
        index = np.arange(len(X))
        rng.shuffle(index)
        while index.size:
            yield index[:batch_size]
            index = index[batch_size:]

    for epoch in range(epochs):
        total = 0.0
        for rows in minibatches():
            loss, grads = net.loss(X[rows], y[rows])
            total += loss * len(rows)
            for name in grads:
                config = configs.setdefault(name, {})
                config["learning_rate"] = schedule(epoch)
                net.params[name], configs[name] = update(net.params[name], grads[name], config)
        loss, _ = net.loss(X_val, y_val)
        history["train_loss"] += [total / len(X)]
        history["train_accuracy"] += [np.mean(np.argmax(net.loss(X), axis=1) == y)]
        history["val_loss"] += [loss]
        history["val_accuracy"] += [np.mean(np.argmax(net.loss(X_val), axis=1) == y_val)]
        if loss < best:
            best, bad = loss, 0
            best_params = {name: w.copy() for name, w in net.params.items()}
        else:
            bad += 1
            if bad == patience:
                break
    for name, w in best_params.items():
        net.params[name] = w
    return history


def in_small_pieces(net, X, y, X_val, y_val, update, schedule, epochs, batch_size, rng,
                    patience=None):  # fmt: skip
    """Plain means over batches, validation in batches, a list of rates, snapshots of all epochs."""
    rates = [schedule(epoch) for epoch in range(epochs)]
    states = {name: None for name in net.params}
    snapshots, rows_of_history = [], []
    for rate in rates:
        losses, hits = [], []
        for rows in [rng.permutation(len(X))]:
            for start in range(0, len(rows), batch_size):
                part = rows[start : start + batch_size]
                hits.append((net.loss(X[part]).argmax(1) == y[part]).mean())
                loss, grads = net.loss(X[part], y[part])
                losses.append(loss)
                new = {}
                for name, w in net.params.items():
                    config = {**(states[name] or {}), "learning_rate": rate}
                    new[name], states[name] = update(w, grads[name], config)
                net.params = new
        val_loss, val_hits = 0.0, 0
        for start in range(0, len(X_val), 3):
            part = slice(start, start + 3)
            val_loss += net.loss(X_val[part], y_val[part])[0] * len(X_val[part])
            val_hits += int((net.loss(X_val[part]).argmax(1) == y_val[part]).sum())
        row = (np.mean(losses), val_loss / len(X_val), np.mean(hits), val_hits / len(X_val))
        rows_of_history.append(row)
        snapshots.append(copy.deepcopy(net.params))
        best = int(np.argmin([row[1] for row in rows_of_history]))
        if patience is not None and len(rows_of_history) - 1 - best >= patience:
            break
    net.params = snapshots[best]
    names = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
    return {k: np.array(c) for k, c in zip(names, zip(*rows_of_history, strict=True), strict=True)}
