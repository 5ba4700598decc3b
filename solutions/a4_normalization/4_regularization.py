# %% [markdown]
# # Keeping a network modest
#
# A network that can learn everything by heart will. Against this there are older remedies than dropout, and simpler ones: put a price
# on large weights; forbid them; do not take steps that are too long; stop in time. Each is a few lines, and each is found in
# the training script of every large model of today.
#
# | | |
# |---|---|
# | **You need** | a2 (`train_step` and the two-layer network); notebooks 1 to 3 are not needed |
# | **It takes** | about two hours; five exercises and a starred one |
# | **Afterwards you can** | say what L1 and L2 do to weights, and show it; clip gradients without turning them; stop training at the right moment and keep the right weights |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits, moons
from cs_nn.modules import TwoLayerNet, train_step
from cs_nn.plots import plot_regions
from cs_nn.plots_statistics import confidence_interval, plot_bands, plot_intervals

# %% [markdown]
# ## 1 · A price on weights
#
# Add a **penalty** to the loss, so that a weight has to earn its size:
#
# $$ \text{L2:}\quad \tfrac12\,\lambda \sum w^2 \qquad\qquad \text{L1:}\quad \lambda \sum |w| $$
#
# For training only the gradients matter, and they differ in character. Take a weight that the data do not care about, and let plain
# descent with rate $\eta$ work on the penalty alone:
#
# - L2: $w \leftarrow (1 - \eta\lambda)\,w$. The weight loses a fixed *fraction* per step ("weight decay"): large weights much, small ones
#   hardly anything. It never arrives at 0.
# - L1: a fixed *amount* per step, whatever the size, in the direction of 0. It arrives.
#
# At $w = 0$, $|w|$ has a kink; take 0 for its slope there.

# %% exercise="l1_penalty"
def l1_penalty(w, strength):
    """The L1 penalty of an array and its gradient.

    w: weights of any shape, left as they are;  strength: the factor λ.
    Returns (value, gradient): a number, and an array of the shape and dtype of w.
    """
    ### BEGIN SOLUTION
    strength = float(strength)
    return strength * float(np.sum(np.abs(w))), strength * np.sign(w)
    ### END SOLUTION


# %% check="l1_penalty"
check(l1_penalty)


# %% exercise="l2_penalty"
def l2_penalty(w, strength):
    """The L2 penalty of an array, with the factor ½, and its gradient.

    w: weights of any shape, left as they are;  strength: the factor λ.
    Returns (value, gradient): a number, and an array of the shape and dtype of w.
    """
    ### BEGIN SOLUTION
    strength = float(strength)
    return strength / 2 * float(np.sum(w**2)), strength * w
    ### END SOLUTION


# %% check="l2_penalty"
check(l2_penalty)

# %% [markdown]
# ★ *Optional.* Both at once is called the **elastic net** (Zou and Hastie, 2005).

# %% exercise="elastic_net"
def elastic_net(w, l1, l2):
    """Both penalties, with the strengths l1 and l2: the sum of their values and of their gradients.

    w: weights of any shape. Returns (value, gradient), as above.
    """
    ### BEGIN SOLUTION
    first, second = l1_penalty(w, l1), l2_penalty(w, l2)
    return first[0] + second[0], first[1] + second[1]
    ### END SOLUTION


# %% check="elastic_net"
check(elastic_net)

# %% [markdown]
# ### An experiment: what is left of the weights
#
# A two-layer network is trained on the digits without a penalty, with L2 and with L1. Histograms of all weights of the first layer, with a logarithmic count, for one seed; the numbers above
# them are means over five, with 95 % confidence intervals. Before you run it: which of them has a spike at 0, and how wide is it? (The spike is not infinitely thin: near 0 the steps of L1 jump back and forth.)

# %%
class Penalised:
    """A network with a penalty on its weights; for train_step."""

    def __init__(self, net, penalty, strength):
        self.net, self.params = net, net.params
        self.penalty, self.strength = penalty, strength

    def loss(self, X, y=None):
        if y is None:
            return self.net.loss(X)
        loss, grads = self.net.loss(X, y)
        for name in ("W1", "W2") if self.penalty else ():
            value, gradient = self.penalty(self.params[name], self.strength)
            loss, grads[name] = loss + value, grads[name] + gradient
        return loss, grads


def accuracy(net, X, y):
    return np.mean(net.loss(X).argmax(axis=1) == y)


def train_penalised(penalty, strength, seed, steps=1000):
    rng = np.random.default_rng(seed)
    net = Penalised(TwoLayerNet(64, 100, 10, weight_scale=0.1, rng=rng), penalty, strength)
    for _ in range(steps):
        train_step(net, digits.x_train, digits.y_train, 0.1, 50, rng)
    return net


digits = load_digits()

# %% tags=["experiment"]
figure, row = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained", sharey=True)
for axes, (name, penalty, strength) in zip(row, (
    ("no penalty", None, 0.0), ("L2, λ = 0.01", l2_penalty, 0.01), ("L1, λ = 0.002", l1_penalty, 0.002)
)):
    nets = [train_penalised(penalty, strength, seed) for seed in range(5)]
    w = nets[0].params["W1"]
    axes.hist(w.ravel(), bins=80, range=(-0.6, 0.6), log=True)
    small = np.mean([np.abs(net.params["W1"]) < 1e-3 for net in nets])
    right, half = confidence_interval([accuracy(net, digits.x_val, digits.y_val) for net in nets])
    axes.set_title(f"{name}\n{small:.0%} below 0.001\naccuracy {right:.3f} ± {half:.3f}", fontsize=10)
    axes.set_xlabel("weight")
row[0].set_ylabel("how many")
plt.show()

# %% [markdown]
# L2 makes all weights smaller; L1 makes most of them nearly zero and leaves the rest. Both read the digits about as well as
# before. If you had to send the network over a slow line, which one would you send? And if you had to explain it to a doctor?
#
# ### An experiment: fewer units, or a price on weights?
#
# Too many hidden units can learn anything by heart; too few cannot learn what they should. So is a small network the best regularisation? Sixty
# points of two noisy moons. Above, networks of 3, 20 and 200 hidden units without a penalty; below, always 200 units, with a growing L2 penalty (the
# `reg` of `TwoLayerNet`). Before you run it: which two of the six will look alike?

# %% tags=["experiment"]
X, y = moons(60, np.random.default_rng(0), noise=0.35)
figure, places = plt.subplots(2, 3, figsize=(11, 7), layout="constrained")
for place, (units, reg) in zip(
    places.flat, ((3, 0.0), (20, 0.0), (200, 0.0), (200, 0.003), (200, 0.02), (200, 0.1))
):
    net = TwoLayerNet(2, units, 2, weight_scale=1.0, reg=reg, rng=np.random.default_rng(0))
    for _ in range(1500):
        _, grads = net.loss(X, y)
        for name, gradient in grads.items():
            net.params[name] = net.params[name] - 0.5 * gradient
    plot_regions(lambda points: net.loss(points).argmax(axis=1), X, y, 120, place)
    place.set_title(f"{units} units, λ = {reg}: {np.mean(net.loss(X).argmax(axis=1) == y):.0%} right")
plt.show()

# %% [markdown]
# Both rows tame the border. The lower one is the better knob: it turns smoothly, and a large network with a penalty still has many ways to a good
# minimum, where a small one is easily stuck in a bad one. So the advice of the lecture: do not use the size of a network as
# a regulariser; take one that is large enough, and turn up the penalty. How would you choose λ, or the number of units, if you had to? (Not by looking at
# these pictures, and not by the percentages above them.)
#
# ## 2 · A limit on weights
#
# Instead of a price, a law: the incoming weights of a unit, a *column* of $w$, may not be longer than $c$. After each step, columns that are too long are
# shortened to $c$; the others are left exactly as they are (Srivastava and others, 2014).

# %% exercise="max_norm"
def max_norm(w, c):
    """Shorten the columns of w that are longer than c.

    w: weights (D, M), left as they are;  c: the longest norm allowed, positive.
    Returns a new array (D, M) of the dtype of w.
    """
    ### BEGIN SOLUTION
    norms = np.sqrt(np.sum(w**2, axis=0))
    return w * (float(c) / np.maximum(norms, float(c)))
    ### END SOLUTION


# %% check="max_norm"
check(max_norm)

# %% [markdown]
# ## 3 · A limit on steps
#
# Loss surfaces have cliffs. A gradient taken on a cliff is enormous, and one step with it throws away all that was learnt. So the
# gradient may not be longer than a limit $c$ (`max_norm` in the code); and the length is that of **all gradients together**, as one long vector:
#
# $$ g = \sqrt{\sum_k \lVert dw_k \rVert^2}, \qquad
#    dw_k \leftarrow dw_k \cdot \min\Bigl(1, \frac{c}{g}\Bigr) $$
#
# One factor for all, so that the *direction* stays what it was. If each array were clipped for itself, the long ones would be shortened, the
# short ones not, and the step would point elsewhere.

# %% exercise="clip_gradient_norm"
def clip_gradient_norm(grads, max_norm):
    """Scale gradients together, so that their common norm is at most max_norm.

    grads: list or dict of arrays of any shapes, left as they are;  max_norm: the limit.
    Returns a new list or dict (the same kind, the same keys) of arrays; dtypes stay.
    """
    ### BEGIN SOLUTION
    names = list(grads) if isinstance(grads, dict) else range(len(grads))
    # In float64: the squares of large float32 numbers overflow.
    squares = [float(np.sum(np.square(grads[name], dtype=np.float64))) for name in names]
    norm = float(np.sqrt(sum(squares)))
    factor = float(max_norm) / norm if norm > max_norm else 1.0
    clipped = {name: np.asarray(grads[name] * factor) for name in names}
    return clipped if isinstance(grads, dict) else list(clipped.values())
    ### END SOLUTION


# %% check="clip_gradient_norm"
check(clip_gradient_norm)

# %% [markdown]
# ### An experiment: a cliff
#
# The digits once more, at a learning rate of 0.2, but one image in fifty has been scanned with a broken device and is 60 times too bright. Whenever one
# of them is in the batch, the gradient is huge. With and without clipping at a norm of 1; five seeds, 95 % confidence bands. When will
# the first broken image turn up, in batches of 20?

# %%
class Clipped(Penalised):
    """A network whose gradients are clipped; limit None for as they are."""

    def __init__(self, net, limit):
        super().__init__(net, None, 0.0)
        self.limit = limit

    def loss(self, X, y=None):
        if y is None:
            return self.net.loss(X)
        loss, grads = self.net.loss(X, y)
        return loss, grads if self.limit is None else clip_gradient_norm(grads, self.limit)


# %% tags=["experiment"]
curves = {"as they are": [], "clipped at 1": []}
for name, limit in zip(curves, (None, 1.0)):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = digits.x_train.copy()
        X[rng.random(len(X)) < 0.02] *= 60
        net, curve = Clipped(TwoLayerNet(64, 50, 10, weight_scale=0.1, rng=rng), limit), []
        for _ in range(30):
            for _ in range(10):
                train_step(net, X, digits.y_train, 0.2, 20, rng)
            curve.append(accuracy(net, digits.x_val, digits.y_val))
        curves[name].append(curve)
axes = plot_bands(10 * np.arange(1, 31), curves)
axes.set(xlabel="step", ylabel="validation accuracy", title="clipping survives the cliffs")
plt.show()

# %% [markdown]
# The broken images are still there, and they still pull in a wrong direction, but no longer with all their might. What do you expect from a limit
# of 0.01; and which other number would you then change?
#
# ## 4 · Stop in time
#
# When is training finished? For smooth functions the textbook says: when the norm of the gradient is small. Here that is no good answer. The exact
# gradient is never computed, that of a mini-batch is large even at a minimum, and, above all, the minimum of the training loss is not what we are after.
#
# While a network trains, the training loss falls and falls. The validation loss falls, reaches a lowest point, and rises: from there on, the
# network learns things that are true only of the training set. The cheapest regularisation of all is to stop there. But a validation loss is
# noisy: one bad step means nothing. So be patient, and **keep a copy of the best weights**.
#
# **Exercise.** A class that is told the validation loss once in a while. `step` returns `True` after `patience` steps in a row without a new
# best loss. Why must it be a *copy*? (Think of a network that changes its arrays in place.)

# %% exercise="EarlyStopping"
class EarlyStopping:
    """Watches a loss and keeps the best weights.

    .best_loss: the lowest loss so far;  .best_weights: a copy of the weights that had it.
    """

    def __init__(self, patience):
        """patience: how many steps in a row may pass without a loss below the best."""
        ### BEGIN SOLUTION
        self.patience, self.waited = patience, 0
        self.best_loss, self.best_weights = np.inf, None
        ### END SOLUTION

    def step(self, loss, weights):
        """loss: the newest; weights: dict of arrays. Returns True when it is time to stop."""
        ### BEGIN SOLUTION
        if loss < self.best_loss:
            self.best_loss, self.waited = loss, 0
            self.best_weights = {name: np.copy(array) for name, array in weights.items()}
        else:
            self.waited += 1
        return self.waited >= self.patience
        ### END SOLUTION


# %% check="EarlyStopping"
check(EarlyStopping)

# %% [markdown]
# ### An experiment: the lowest point
#
# 150 digits, a fifth of them with wrong labels. One run in full, with the moment at which a patience of 10 would have stopped, and the
# point to which it goes back.

# %%
def careless(seed, n=150, wrong=0.2):
    """A network and n training images, a part of them with random labels."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(digits.x_train))[:n]
    X, y = digits.x_train[chosen], digits.y_train[chosen]
    tired = rng.random(n) < wrong
    y[tired] = rng.integers(10, size=tired.sum())
    return TwoLayerNet(64, 100, 10, weight_scale=0.1, rng=rng), X, y, rng


def watch(net, X, y, rng, patience=10, rounds=80):
    """Train in rounds of 10 steps; the losses, where it would have stopped, and the watcher."""
    watcher, stopped, losses, best = EarlyStopping(patience), None, [], None
    for number in range(rounds):
        for _ in range(10):
            train_step(net, X, y, 0.2, 30, rng)
        val_loss = net.loss(digits.x_val, digits.y_val)[0]
        losses.append((net.loss(X, y)[0], val_loss))
        if stopped is None and watcher.step(val_loss, net.params):
            stopped, best = number, watcher.best_weights
    return np.array(losses), stopped, best or watcher.best_weights


# %% tags=["experiment"]
losses, stopped, _ = watch(*careless(seed=0))
steps = 10 * np.arange(1, len(losses) + 1)
lowest = losses[: None if stopped is None else stopped + 1, 1].argmin()
figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
axes.plot(steps, losses[:, 0], label="training")
axes.plot(steps, losses[:, 1], label="validation")
axes.plot(steps[lowest], losses[lowest, 1], "C3o", label="best weights")
if stopped is not None:
    axes.axvline(steps[stopped], color="0.5", ls="--", label="patience ends")
axes.set(xlabel="step", ylabel="loss", title="what happens after the lowest point is learning by heart")
axes.legend()
plt.show()

# %% [markdown]
# Is that typical, or a lucky run? Test accuracy of the last and of the best weights, for eight seeds:

# %% tags=["experiment"]
results = {"trained to the end": [], "stopped in time": []}
for seed in range(8):
    net, X, y, rng = careless(seed)
    _, _, best = watch(net, X, y, rng)
    results["trained to the end"].append(accuracy(net, digits.x_test, digits.y_test))
    net.params.update(best)
    results["stopped in time"].append(accuracy(net, digits.x_test, digits.y_test))
plot_intervals(results, "test accuracy").set_title("stopping in time pays")
plt.show()

# %% [markdown]
# Why was the *test* set used here, and not the validation set? (Which images decided when to stop?)
#
# **What you have learnt.** L2 shrinks in proportion, L1 by a fixed amount and so to zero; max-norm is a law instead of a price; clipping shortens a
# step without turning it; early stopping keeps the best weights and costs nothing.
#
# **Next:** the best regulariser is more data. If you have no more, make some.
