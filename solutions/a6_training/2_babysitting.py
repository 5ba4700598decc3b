# %% [markdown]
# # Babysitting: from the first loss to a trained network
#
# Most networks that do not learn fail for dull reasons: a rate that is ten times too high, labels in the wrong order, a sign. And most of these
# can be found in five minutes, if one looks in the right order. This notebook is that order. Its six steps are those of the
# lecture; you write the small tools for them, and the training loop.
#
# 1. Is the first loss right?
# 2. Can the network learn twenty examples by heart?
# 3. Which learning rate makes the loss go down?
# 4. Search coarsely, training briefly. (in `3_search`)
# 5. Search finely, training longer. (in `3_search`)
# 6. Look at the loss curves.
#
# | | |
# |---|---|
# | **You need** | the two-layer network (a2), optimisers and schedules (a5) |
# | **It takes** | about two hours; seven exercises, one question, and one more exercise for the curious (★) |
# | **Afterwards you can** | check a network before you train it; find a learning rate in a minute; write a training loop with validation, early stopping and the best snapshot; read loss curves |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits
from cs_nn.data.minibatches import minibatches
from cs_nn.modules import TwoLayerNet
from cs_nn.optim.first_order import adam, sgd_momentum
from cs_nn.optim.schedules import cosine_decay
from cs_nn.plots import plot_curves, plot_history, plot_losses

# %% [markdown]
# ## Step 0 · Data and architecture
#
# The digits, centred; one hidden layer of 50 units. (The lecture does the same with CIFAR-10 and 3072 inputs. `4_convnet` comes back to it.)
#
# Three parts of the data have three tasks: the training set is for the weights, the validation set (5 to 30 % of what there is) for every decision that *you* take,
# the test set for one look at the end. When there is too little for that, *cross-validation* helps: cut the data into five parts, train five times with another part for
# validation each time, and average.

# %%
digits = load_digits()
mean_image = digits.x_train.mean(axis=0)
x_train, x_val = digits.x_train - mean_image, digits.x_val - mean_image
y_train, y_val = digits.y_train, digits.y_val


def fresh_net(hidden=50, reg=0.0, weight_scale=1e-2, seed=0):
    return TwoLayerNet(64, hidden, 10, weight_scale, reg, np.random.default_rng(seed))


# %% [markdown]
# ## Step 1 · The first loss
#
# A network with small random weights has no opinion: each of the $C$ classes gets about $1/C$, and the
# softmax loss is $-\log\frac1C = \log C$. For ten classes: 2.30. Anything else is a mistake, in the loss or in the initialisation, and *no
# training will repair it*. Without regularisation, mind: that adds its own.

# %% exercise="check_initial_loss"
def check_initial_loss(loss, classes, tolerance=0.05):
    """Is a first softmax loss, without regularisation, that of a network without opinion?

    loss: a number;  classes: how many;  tolerance: accepted difference, as a fraction of the
    expected loss. Returns True or False.
    """
    ### BEGIN SOLUTION
    return bool(abs(loss - np.log(classes)) <= tolerance * np.log(classes))
    ### END SOLUTION


# %% check="check_initial_loss"
check(check_initial_loss)

# %% [markdown]
# One of these four networks is healthy. What is wrong with the other three, and which of them would you not have noticed
# without this test? The second part of the same test: turn regularisation up, and the loss must *rise*.

# %% tags=["experiment"]
suspects = {
    "healthy": fresh_net(),
    "large weights": fresh_net(weight_scale=1.0),
    "11 outputs for 10 classes": TwoLayerNet(64, 50, 11, 1e-2, 0.0, np.random.default_rng(0)),
    "reg = 1": fresh_net(reg=1.0),
}
for name, net in suspects.items():
    loss, _ = net.loss(x_train, y_train)
    print(f"{name:27} first loss {loss:7.3f}   like log 10 = 2.303? {check_initial_loss(loss, 10)}")

# %% [markdown]
# The eleventh class raises the loss only to $\log 11 = 2.398$, inside a tolerance of 5 %. So print the number, too, and look at it.

# %% [markdown]
# ## Step 2 · Twenty examples by heart
#
# A network that cannot learn twenty examples by heart will not learn twenty thousand. No regularisation, plain gradient
# descent on all twenty at once: the loss must go to zero and the accuracy to 1.00. If it does not, there is a bug, or the rate is far off, or the
# net is too small; and you have found out in a second instead of a night.

# %% exercise="overfit_small_batch"
def overfit_small_batch(net, X, y, learning_rate, steps):
    """Full-batch gradient descent on a few examples; changes net.params.

    net: has params and loss(X, y) -> (loss, grads), two dicts with the same keys;
    X: examples (N, ...);  y: labels (N,).
    Returns the list of `steps` losses, each from before its step.
    """
    ### BEGIN SOLUTION
    losses = []
    for _ in range(steps):
        loss, grads = net.loss(X, y)
        losses.append(loss)
        for name in net.params:
            net.params[name] = net.params[name] - learning_rate * grads[name]
    return losses
    ### END SOLUTION


# %% check="overfit_small_batch"
check(overfit_small_batch)

# %% [markdown]
# A healthy network and two with a bug that is hard to see in the code: in one the gradient of `b1` has the wrong sign, in the other the
# labels were shuffled *after* the images. Which curve belongs to whom? One of the bugs cannot be found this way. Why not?

# %% tags=["experiment"]
class WrongSign(TwoLayerNet):
    def loss(self, X, y=None):
        answer = super().loss(X, y)
        return answer if y is None else (answer[0], answer[1] | {"b1": -answer[1]["b1"]})


few = slice(0, 20)
rng = np.random.default_rng(0)
curves = {
    "healthy": overfit_small_batch(fresh_net(weight_scale=0.1), x_train[few], y_train[few], 0.5, 150),
    "sign of db1 wrong": overfit_small_batch(
        WrongSign(64, 50, 10, 0.1, 0.0, np.random.default_rng(0)), x_train[few], y_train[few], 0.5, 150
    ),
    "labels shuffled": overfit_small_batch(
        fresh_net(weight_scale=0.1), x_train[few], rng.permutation(y_train[few]), 0.5, 150
    ),
}
axes = plot_losses(curves)
axes.set(yscale="log", title="twenty examples, by heart?")
plt.show()

# %% [markdown]
# A network big enough learns *any* labels by heart, the shuffled ones, too. So this step finds bugs in the network and in the descent, not in the
# data. (And the wrong sign? The other parameters make up for it, which is just why such bugs live long. That is what
# gradient checks are for.)

# %% [markdown]
# ## Step 3 · A learning rate
#
# Too low: the loss does not move. Too high: it explodes. All else comes later; first find the range. Train for about 100 iterations
# *from the same start* with each of a few rates, powers of ten, and compare. (Without a computer at hand: try 0.1; if it diverges, divide by 3; repeat.)
#
# "Explodes" needs a definition: some loss is infinite or NaN, or **above three times the first one** (the lecture's
# rule; a search should then give up at once).

# %% exercise="exploded"
def exploded(losses):
    """Has a run blown up? losses: a list or array of numbers, in order. Returns True or False."""
    ### BEGIN SOLUTION
    losses = np.asarray(losses, dtype=float)
    if losses.size == 0:
        return False
    return bool(np.any(~np.isfinite(losses)) or np.any(losses > 3 * losses[0]))
    ### END SOLUTION


# %% check="exploded"
check(exploded)

# %% [markdown]
# And now the search. `loss_curve(rate)` does the training, for whatever network and data; you only look at the
# curves. Call it once per rate.

# %% exercise="find_learning_rate"
def find_learning_rate(loss_curve, rates):
    """The rate whose curve ends lowest, among those that have not exploded.

    loss_curve: loss_curve(rate) trains from a fresh start and returns the losses of its
    iterations;  rates: the rates to try, a list or array.
    Returns one of the rates. Raises ValueError if every curve exploded.
    """
    ### BEGIN SOLUTION
    ends = {}
    for rate in rates:
        losses = loss_curve(rate)
        if not exploded(losses):
            ends[rate] = losses[-1]
    if not ends:
        raise ValueError("every rate exploded: try smaller ones")
    return min(ends, key=ends.get)
    ### END SOLUTION


# %% check="find_learning_rate"
check(find_learning_rate)

# %% [markdown]
# Four rates, a hundred iterations each. This is the most useful picture in the practice of deep learning. Which word belongs to which
# curve: *too high*, *high*, *good*, *too low*? And which would be best after a thousand iterations?

# %% tags=["experiment"]
def loss_curve(rate, iterations=100, batch_size=50):
    """Momentum from the same start; the loss of all training images before each iteration."""
    net, rng, losses, configs = fresh_net(weight_scale=0.1), np.random.default_rng(1), [], {}
    with np.errstate(all="ignore"):
        for _ in range(iterations):
            batch = rng.choice(len(x_train), batch_size, replace=False)
            losses.append(net.loss(x_train, y_train)[0])
            _, grads = net.loss(x_train[batch], y_train[batch])
            for name, grad in grads.items():
                config = configs.get(name, {}) | {"learning_rate": rate}
                net.params[name], configs[name] = sgd_momentum(net.params[name], grad, config)
    return losses


rates = [3.0, 1.0, 0.3, 0.001]
curves = {f"η = {rate}": loss_curve(rate) for rate in rates}
axes = plot_losses(curves, np.log(10), "log 10")
axes.set(ylim=(0, 5), title=f"take {find_learning_rate(loss_curve, rates)}")
plt.show()

# %% [markdown]
# Too low: a straight line that hardly falls. Good: steep, then flat. High: fast, and then restless, at a higher level than it could be. Too high: gone. If the loss
# does not fall and *yet the accuracy rises*, do not worry: the scores have begun to point the right way, they are only still small.

# %% [markdown]
# ### Two instruments
#
# **How much of itself does a weight change in one step?** The ratio of norms, $\lVert\text{update}\rVert / \lVert w \rVert$, wanted near $10^{-3}$. At
# $10^{-1}$ the network forgets what it was; at $10^{-6}$ it will be old before it learns.

# %% exercise="update_ratio"
def update_ratio(w, update):
    """The norm of an update in proportion to the norm of the weights; both any shape, the same."""
    ### BEGIN SOLUTION
    return float(np.linalg.norm(update.ravel()) / np.linalg.norm(w.ravel()))
    ### END SOLUTION


# %% check="update_ratio"
check(update_ratio)

# %% [markdown]
# **What is the trend in a noisy curve?** Plot the mean of the last few values beside the values. At the beginning there are fewer than `window` of them: average those
# that there are. (The same length as the series, then, and no look into the future: it must not know what comes next.)

# %% exercise="moving_average"
def moving_average(series, window):
    """At each place the mean of the last `window` values so far.

    series: numbers (T,), list or array;  window: at least 1. Returns an array (T,).
    """
    ### BEGIN SOLUTION
    series = np.asarray(series)
    return np.array([series[max(0, t + 1 - window) : t + 1].mean() for t in range(len(series))])
    ### END SOLUTION


# %% check="moving_average"
check(moving_average)

# %% tags=["experiment"]
net, rng, losses, ratios = fresh_net(weight_scale=0.1), np.random.default_rng(1), [], []
for _ in range(12):
    for batch in minibatches(len(x_train), 20, rng):
        loss, grads = net.loss(x_train[batch], y_train[batch])
        losses.append(loss)
        ratios.append(update_ratio(net.params["W1"], 0.05 * grads["W1"]))
        for name, grad in grads.items():
            net.params[name] = net.params[name] - 0.05 * grad
steps = np.arange(len(losses))
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
left.plot(steps, losses, ".", ms=2, color="0.6", label="mini-batches")
plot_curves({"moving average, 50": (steps, moving_average(losses, 50))}, "step", "loss",
            title="a trend in the noise", axes=left)  # fmt: skip
left.legend()
plot_curves({"W1": (steps, moving_average(ratios, 50))}, "step", "‖update‖ / ‖w‖", log="y",
            title="near 1e-3", axes=right)  # fmt: skip
right.axhline(1e-3, color="0.6", ls=":")
plt.show()

# %% [markdown]
# ## The training loop
#
# Everything in one function. Per epoch:
#
# 1. the learning rate is `schedule(epoch)`, epochs counted from 0;
# 2. one pass through the examples in shuffled mini-batches (`minibatches` is yours from a5); for each, loss and gradients, and an update of every
#    parameter by the rule `update(w, dw, config) -> (next_w, config)`, *each parameter with a config of its own* that lives through all epochs;
# 3. loss and accuracy on the validation set;
# 4. four entries for the history: the mean training loss and accuracy over the epoch's mini-batches, and the validation loss and
#    accuracy.
#
# Keep a copy of the parameters of the epoch with the **lowest validation loss**, and put it back at the end. With `patience`, stop after that many epochs in
# a row without a new lowest.
#
# The mistakes to avoid: a copy that is not a copy; one config for two parameters; a learning rate that is set only in the first epoch; the best epoch judged by training
# loss. The accuracy of a mini-batch may be measured before or after its update.

# %% exercise="train"
def train(net, X, y, X_val, y_val, update, schedule, epochs, batch_size, rng, patience=None):
    """Train a network; at the end net.params holds the parameters of the best epoch.

    net: has params, loss(X) -> scores and loss(X, y) -> (loss, grads);
    X, y: training examples (N, ...) and labels (N,);  X_val, y_val: the same for validation;
    update: rule as in a5;  schedule: schedule(epoch) -> learning rate;
    epochs: at most that many;  batch_size;  rng: source of the shuffles;
    patience: stop after this many epochs in a row without a lower validation loss, None: never.
    Returns a dict of lists with one entry per epoch: train_loss, val_loss, train_accuracy,
    val_accuracy.
    """
    ### BEGIN SOLUTION
    def accuracy(X, y):
        return np.mean(net.loss(X).argmax(axis=1) == y)

    history = {name: [] for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy")}
    configs = {name: {} for name in net.params}
    lowest, best, waited = np.inf, {name: w.copy() for name, w in net.params.items()}, 0
    for epoch in range(epochs):
        losses, rights, sizes = [], [], []
        for batch in minibatches(len(X), batch_size, rng):
            rights.append(accuracy(X[batch], y[batch]))
            loss, grads = net.loss(X[batch], y[batch])
            losses.append(loss)
            sizes.append(len(batch))
            for name, grad in grads.items():
                config = {**configs[name], "learning_rate": schedule(epoch)}
                net.params[name], configs[name] = update(net.params[name], grad, config)
        val_loss, _ = net.loss(X_val, y_val)
        history["train_loss"].append(np.average(losses, weights=sizes))
        history["train_accuracy"].append(np.average(rights, weights=sizes))
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append(accuracy(X_val, y_val))
        if val_loss < lowest:
            lowest, best, waited = val_loss, {k: w.copy() for k, w in net.params.items()}, 0
        else:
            waited += 1
            if patience is not None and waited >= patience:
                break
    net.params.update(best)
    return history
    ### END SOLUTION


# %% check="train"
check(train)

# %% tags=["experiment"]
net = fresh_net(weight_scale=0.1)
history = train(net, x_train, y_train, x_val, y_val, adam, lambda epoch: cosine_decay(5e-3, epoch, 25),
                25, 50, np.random.default_rng(0))  # fmt: skip
plot_history(history, f"best validation loss {min(history['val_loss']):.3f} "
                      f"after epoch {np.argmin(history['val_loss']) + 1}")  # fmt: skip
plt.show()

# %% [markdown]
# ## Step 6 · Look at the curves
#
# Four runs, each with one thing wrong. Before you read on: what would you change in each?

# %% tags=["experiment"]
def step_too_early(epoch):
    return 0.006 if epoch < 10 else 0.00006


runs = {
    "A": (fresh_net(weight_scale=0.2), slice(0, 30), lambda epoch: 0.2, sgd_momentum, 30),
    "B": (fresh_net(weight_scale=0.2), slice(None), lambda epoch: 0.0003, sgd_momentum, 30),
    "C": (fresh_net(weight_scale=0.2), slice(None), step_too_early, sgd_momentum, 30),
    "D": (fresh_net(hidden=1, weight_scale=0.2), slice(None), lambda epoch: 0.1, sgd_momentum, 30),
}
figure, places = plt.subplots(1, 4, figsize=(12, 3), layout="constrained")
histories = {}
for place, (name, (net, part, schedule, update, epochs)) in zip(places, runs.items()):
    histories[name] = train(net, x_train[part], y_train[part], x_val, y_val, update, schedule, epochs,
                            100, np.random.default_rng(0))  # fmt: skip
    numbers = np.arange(1, epochs + 1)
    plot_curves({"training": (numbers, histories[name]["train_loss"]),
                 "validation": (numbers, histories[name]["val_loss"])},
                "epoch", "loss", title=name, axes=place)  # fmt: skip
    place.set_ylim(0, 2.5)
plt.show()

# %% [markdown]
# A *overfits*: only 30 examples, training loss at zero, validation loss far above and rising again. More data, augmentation, regularisation (a4). B is *too slow*: raise
# the rate. C *decayed too early*: the loss was still falling when the rate dropped, and then it stands still. D *underfits*: both curves level off together at a high loss; one hidden unit is not enough.

# %% [markdown] question="curves" points=2
# **Question 2** (2 points, read by a person). Three more curves, in words. For each: the most likely cause, and what you would try first.
# (a) The training loss stays at 2.303 for ten epochs and then suddenly falls. (b) Training and validation loss both fall as in the best of worlds, but validation
# loss lies *below* training loss all the time. (c) The validation accuracy is 99 %, on the test set it is 71 %; 40 runs were made and the best one chosen.
#
# ### BEGIN SOLUTION
# (a) Bad initialisation: weights so small (or so symmetric, or saturated) that hardly any gradient gets through; then Xavier or Kaiming initialisation (a3), or batch norm. (A
# learning rate that is far too low would show no sudden fall.) (b) Usually harmless: the training loss is measured during the epoch, with older weights, and with dropout, augmentation or
# penalty on, the validation loss after it and without. To be sure, measure the training loss again after the epoch in test mode; if the gap remains, look for leaks
# (validation images that are also in the training set) or a validation set that is too easy or small. (c) Something is wrong with the split: choosing the best of 40 gains a percent
# or two, not 28. So: duplicates between training and validation set, or test data from somewhere else (other scanner, other preprocessing, such as a mean image computed on the test set).
# Look at test images; check the preprocessing; make a new split.
#
# *Rubric.* (a) 0.5. (b) 0.75, half of it for a plausible harmless cause, half for how to make sure. (c) 0.75: that selection alone does not explain it, and where to look.
# ### END SOLUTION

# %% [markdown]
# To keep beside the keyboard:
#
# | what you see | what to try, in this order |
# |---|---|
# | the loss grows, or is NaN | a lower rate; centred and scaled inputs; the first weights (a3); a gradient check (a1); clipping (a4) |
# | it falls slowly, or not at all | a higher rate; the same checks; ReLU; another batch size |
# | flat for long, then it falls | the first weights; batch normalisation |
# | it levels off early | a lower rate from there on: a schedule (a5) |
# | training goes on down, validation turns up | more data; augmentation; dropout, L2; stop early |
# | both level off together, high | a larger network, or one that fits the data better; less regularisation; more epochs |

# %% [markdown]
# ## ★ A doctor for curves
#
# Write down what you have just done by eye. The words:
#
# | answer | what one sees |
# |---|---|
# | `"diverging"` | the loss is not finite, or rises far above where it was |
# | `"too slow"` | it falls a little, steadily, or not at all |
# | `"bad initialization"` | flat for long, then it falls |
# | `"decayed too early"` | it falls fast and is suddenly flat, at a high loss |
# | `"still improving"` | it falls well and is not done |
# | `"overfitting"` | validation loss rises again, or stays far above training loss |
# | `"underfitting"` | both level off together at a high loss |
# | `"good"` | both level off together at a low loss |
#
# Only clear cases are judged, but with noise, and on any scale: think in fractions of the first loss, and smooth before
# you look at slopes. In which order should one ask?

# %% exercise="diagnose_curves"
def diagnose_curves(train_loss, val_loss):
    """Name what two loss curves show: one of the eight words of the table.

    train_loss, val_loss: lists of the same length, one loss per epoch.
    """
    ### BEGIN SOLUTION
    train, val = np.asarray(train_loss, dtype=float), np.asarray(val_loss, dtype=float)
    if not (np.all(np.isfinite(train)) and np.all(np.isfinite(val))):
        return "diverging"
    n = len(train)
    reach = max(1, n // 15)

    def smoothed(series):
        """Straight lines through neighbours, so that slopes are kept."""
        fits = []
        for t in range(n):
            near = np.arange(max(0, t - reach), min(n, t + reach + 1))
            fits.append(np.polyfit(near - t, series[near], 1)[1])
        return np.array(fits)

    if np.any(train > 3 * train[0]):
        return "diverging"
    train, val = smoothed(train), smoothed(val)
    start, end = train[0], train[-1]
    fall = start - end
    if end > 1.15 * start or end - train.min() > 0.3 * start:
        return "diverging"
    if val[-1] - val.min() > 0.08 * start or val[-1] - end > 0.25 * start:
        return "overfitting"
    if fall < 0.05 * start:
        return "too slow"
    share = (start - train) / fall
    tenth, half = np.argmax(share >= 0.1), np.argmax(share >= 0.5)
    if fall > 0.2 * start and tenth >= 0.12 * (n - 1) and tenth >= 0.35 * half:
        return "bad initialization"
    if fall > 0.2 * start and end > 0.25 * start:
        for k in range(4 * reach, n - 1 - 2 * reach):
            middle, length = k // 2, min(k // 2, n - 2 - k)
            first = (train[0] - train[middle]) / middle
            second = (train[middle] - train[k]) / (k - middle)
            third = (train[k + 1] - train[k + 1 + length]) / length
            abrupt = third < 0.2 * second and third * first < 0.3 * second**2
            if second > 0.35 * first > 0 and abrupt and start - train[k] > 0.7 * fall:
                return "decayed too early"
    late = (train[round(2 * (n - 1) / 3)] - end) / fall
    if late > 0.12 and end > 0.1 * start:
        return "too slow" if fall < (0.35 if late > 0.2 else 0.15) * start else "still improving"
    return "underfitting" if end > 0.4 * start else "good"
    ### END SOLUTION


# %% check="diagnose_curves"
check(diagnose_curves)

# %% tags=["experiment"]
for name, run in histories.items():
    print(name, diagnose_curves(run["train_loss"], run["val_loss"]))

# %% [markdown]
# **What you have learnt.** Look at the first loss; learn twenty examples by heart; try four rates; then train, and look at the curves every time. Now steps 4 and 5: let the
# computer turn the knobs.
