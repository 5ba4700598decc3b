"""The whole training loop."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.a6_training.babysitting import tell
from autograder.course.a6_training.loops import (
    _in_place_order,
    _never_stopping,
    _nothing_returned,
    _only_full_batches,
    _same_order,
    _validation_too,
    in_small_pieces,
    looping,
    with_generator,
)
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise
from cs_nn.training.loop import train


def cases(rng):
    def case(n, size, val, patience=None, check="", epochs=None, again=False):
        epochs = epochs or len(val)
        v = 7
        right = [[bool(b) for b in rng.random(v) < 0.4 + 0.5 * k / epochs] for k in range(epochs)]
        shapes = {"W1": (2, 3), "b1": (3,), "W2": (3, 2), "b2": (2,)}
        rates = np.round(rng.uniform(0.05, 0.9, epochs), 3) + np.arange(epochs)[::-1]
        args = {
            "n": n,
            "batch_size": size,
            "epochs": epochs,
            "patience": patience,
            "validation losses": [float(x) for x in val],
            "validation right": right,
            "rates": [float(r) for r in rates],
            "params": {key: numbers(rng, *shape) for key, shape in shapes.items()},
            "seed": int(rng.integers(2**31)),
            "again": again,
        }
        label = f"{n} examples, batches of {size}, {epochs} epochs"
        label += "" if patience is None else f" and patience = {patience}"
        return Case(label, args, check)

    return [
        case(17, 5, [0.9, 0.6, 0.8, 0.7], again=True),
        case(24, 6, [1.2, 0.9, 0.7, 0.8, 0.75]),
        case(13, 4, [0.9, 0.8, 0.85, 0.7, 0.75, 0.72, 0.5, 0.4], 2, "early stopping"),
        case(12, 5, [0.5, 0.9, 0.8, 0.3, 0.2], 1, "early stopping"),
        case(14, 5, [0.9, 0.8, 0.7, 0.75, 0.6], 2, "patience that is not exhausted"),
        case(11, 20, [0.9, 0.7, 0.8], None, "fewer examples than a batch"),
        case(15, 4, [0.8], None, "one epoch"),
    ]


EXERCISES = (
    Exercise(
        name="train",
        kind=Scripted("training_loop", heavy=True),
        reference={"train": train},
        cases=cases,
        misconceptions=(
            tell(
                "never-shuffled",
                looping(order=lambda rng, n, epoch: np.arange(n)),
                "The examples come in the order in which they are stored, epoch after epoch.",
                "shuffled anew in each epoch",
                0.2,
            ),
            tell(
                "shuffled-only-once",
                looping(order=_same_order),
                "The examples are shuffled once, before the first epoch. A new order in each epoch "
                "lets every batch be a new sample.",
                "shuffled anew in each epoch",
                0.15,
            ),
            tell(
                "drawn-with-replacement",
                looping(order=lambda rng, n, epoch: rng.integers(n, size=n)),
                "The batches are drawn with replacement, so within an epoch some examples come "
                "twice and others never.",
                "each example once per epoch",
                0.2,
            ),
            tell(
                "last-batch-dropped",
                looping(batches=_only_full_batches),
                "The examples that do not fill a batch are left out.",
                "each example once per epoch",
                0.2,
            ),
            tell(
                "labels-not-shuffled-along",
                looping(labels=lambda y, rows: y[: len(rows)]),
                "The labels are not picked with the same indices as the examples, so most examples "
                "get the label of another.",
                "labels belong to their examples",
                0.4,
            ),
            tell(
                "own-generator",
                looping(order=lambda rng, n, epoch: np.random.default_rng().permutation(n)),
                "The order does not come from rng, so a run cannot be repeated.",
                "order drawn from rng",
                0.1,
            ),
            tell(
                "trained-on-the-validation-set",
                _validation_too,
                "The validation examples are trained on. Then they say nothing of new data.",
                "only training examples are learned from",
                0.4,
            ),
            tell(
                "steps-not-stored",
                looping(store=False),
                "The optimiser's new parameters never get into net.params: the network does not "
                "learn.",
                "steps reach net.params",
                0.5,
            ),
            tell(
                "biases-not-trained",
                looping(skip=("b",)),
                "Not every parameter gets its step: the biases are left out.",
                "one optimiser step for each batch and parameter",
                0.3,
            ),
            tell(
                "one-config-for-all",
                looping(shared=True),
                "All parameters share one config, so one's momentum moves the next. Keep a config "
                "for each.",
                "each parameter keeps its own config",
                0.3,
            ),
            tell(
                "config-not-kept",
                looping(keep_config=False),
                "The config that the optimiser returns is thrown away, so momentum and moments "
                "start from zero at every step.",
                "each parameter keeps its own config",
                0.3,
                ("new-config-each-step",),
            ),
            tell(
                "new-configs-each-epoch",
                looping(anew=True),
                "The configs are made anew in each epoch, so momentum, moments and Adam's t start "
                "again from zero. Make them once, before the loop.",
                "each parameter keeps its own config",
                0.2,
            ),
            tell(
                "new-config-each-step",
                looping(fresh=True),
                "Every step starts with an empty config, so momentum and moments never build up.",
                "each parameter keeps its own config",
                0.3,
                ("config-not-kept",),
            ),
            tell(
                "schedule-of-the-first-epoch",
                looping(rate=lambda schedule, epoch, step: schedule(0)),
                "The learning rate is that of epoch 0 all the way. Ask the schedule in each epoch.",
                "learning rate of the schedule",
                0.2,
            ),
            tell(
                "schedule-by-steps",
                looping(rate=lambda schedule, epoch, step: schedule(step)),
                "The schedule is asked with the number of the step; it counts epochs.",
                "learning rate of the schedule",
                0.2,
            ),
            tell(
                "schedule-one-epoch-ahead",
                looping(rate=lambda schedule, epoch, step: schedule(epoch + 1)),
                "The schedule is one epoch ahead: epochs count from 0.",
                "learning rate of the schedule",
                0.2,
            ),
            tell(
                "never-stops-early",
                _never_stopping,
                "The run goes on to the end although the validation loss has not fallen for "
                "`patience` epochs.",
                "number of epochs",
                0.2,
            ),
            tell(
                "stops-one-epoch-late",
                looping(patience_slack=1),
                "The run stops one epoch too late: patience is the number of epochs without a "
                "lower loss that are put up with.",
                "number of epochs",
                0.1,
            ),
            tell(
                "waits-in-total",
                looping(waits_in_total=True),
                "Bad epochs are counted over the whole run. A lower loss should start the count "
                "again.",
                "number of epochs",
                0.15,
            ),
            tell(
                "last-parameters-left",
                looping(restore=False),
                "The network is left as the last epoch left it. The best parameters were asked "
                "for: keep a copy when the validation loss is lowest, and put it back.",
                "best parameters restored",
                0.2,
            ),
            tell(
                "best-parameters-not-copied",
                looping(copies=False),
                "What is kept as the best is the network's own dictionary, which training goes on "
                "changing. Keep a copy.",
                "best parameters restored",
                0.2,
                ("last-parameters-left",),
            ),
            tell(
                "highest-loss-is-best",
                looping(best=max),
                "The parameters with the highest validation loss are taken for the best.",
                "best parameters restored",
                0.3,
            ),
            tell(
                "accuracy-in-percent",
                looping(percent=True),
                "The accuracies are in percent; fractions between 0 and 1 were asked for.",
                "history of val_accuracy",
                0.1,
            ),
            tell(
                "last-batch-for-the-epoch",
                looping(loss_entry=lambda losses: losses[-1]),
                "train_loss holds the loss of the last batch; the mean over the epoch's batches "
                "was asked for.",
                "history of train_loss",
                0.1,
            ),
            tell(
                "sum-for-the-mean",
                looping(loss_entry=sum),
                "train_loss adds up the losses of the batches; it should be their mean.",
                "history of train_loss",
                0.1,
            ),
            tell(
                "validation-on-the-training-set",
                looping(validate=lambda net, X, y, X_val, y_val: net.loss(X, y)[0]),
                "val_loss is measured on the training set, so overfitting goes unnoticed.",
                "history of val_loss",
                0.3,
            ),
            tell(
                "history-not-returned",
                _nothing_returned,
                "The history is not returned.",
                "history of train_loss",
                0.2,
            ),
            tell(
                "only-the-last-entries",
                looping(history=lambda h: {k: v[-1:] for k, v in h.items()}),
                "The history holds the last epoch only; one entry for each epoch was asked for.",
                "history of train_loss",
                0.2,
            ),
            tell(
                "training-set-shuffled-in-place",
                _in_place_order,
                "The caller's arrays are shuffled. Shuffle indices, not the data.",
                "conduct",
                0.1,
            ),
        ),
        variants=(looping(), with_generator, in_small_pieces),
    ),
)
