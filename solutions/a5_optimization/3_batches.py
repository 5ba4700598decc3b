# %% [markdown]
# # Noise and schedules: stochastic gradient descent
#
# Until now somebody handed us exact gradients. The gradient of a loss over a million examples costs a million
# backward passes, and then we take one small step with it. This notebook makes gradients cheap and
# noisy, finds out what that costs and why it is worth it, and turns the noise down when the time has come.
#
# | | |
# |---|---|
# | **You need** | `1_descent`, `2_adaptive`; the two-layer network of a2 |
# | **It takes** | about two hours; five exercises, one question, and five more exercises for the curious (★) |
# | **Afterwards you can** | write an epoch of mini-batches; compare methods by what they cost and not by iterations; choose a schedule, and read off a loss curve that a rate was too high; say what a low loss does *not* promise |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.data.datasets import load_digits
from cs_nn.modules import TwoLayerNet
from cs_nn.optim.optimizer import Optimizer
from cs_nn.plots import plot_curves, plot_regions
from cs_nn.plots_statistics import confidence_interval, plot_bands

reuse("1_descent", "sgd", "sgd_momentum")
reuse("2_adaptive", "adam")

# %% [markdown]
# ## 1 · An epoch of mini-batches
#
# The loss is a mean over $N$ examples, so its gradient is one, too. The mean over a *random
# handful* of $B$ examples has the same expectation. Its noise has a standard deviation of
# $\sigma/\sqrt{B}$: to halve it you pay four times as much. A bad bargain, and the whole reason for small batches.
#
# In theory, batches are drawn anew each time, with replacement. In practice one shuffles all examples and takes
# them in consecutive batches, so that in one **epoch** each is seen exactly once; then one shuffles again. The last batch is
# short if the numbers do not come out even: it is not dropped and not filled up.
#
# **Exercise.** Write a generator (`yield`) of index arrays. All randomness comes from `rng`. Each array
# must be one of its own: a caller who sorts a batch in place must not spoil another one.

# %% exercise="minibatches"
def minibatches(n, batch_size, rng):
    """The mini-batches of one epoch: all of 0 … n - 1 once, in random order.

    n: number of examples;  batch_size: examples in each batch;  rng: numpy.random.Generator.
    Yields integer arrays (batch_size,); the last one may be shorter.
    """
    ### BEGIN SOLUTION
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size].copy()
    ### END SOLUTION


# %% check="minibatches"
check(minibatches)

# %% [markdown]
# ★ And the theorist's version, in which examples may come twice, even within a batch:

# %% exercise="sample_batch"
def sample_batch(n, batch_size, rng):
    """The indices of one mini-batch, drawn from 0 … n - 1 with replacement: an array (batch_size,)."""
    ### BEGIN SOLUTION
    return rng.integers(n, size=batch_size)
    ### END SOLUTION


# %% check="sample_batch"
check(sample_batch)

# %% [markdown]
# ## 2 · Which clock?
#
# Least squares, $\frac1N \lVert Xw - y\rVert^2$, with $X$ of shape $10\,000 \times 500$: large enough to
# feel. Gradient descent takes the best constant rate of `1_descent`; SGD takes batches of 100. The curves show
# how far the loss is above the best possible one. On the left the clock counts updates, on the right
# it counts *work*: one update of gradient descent reads all 10 000 rows, just as one epoch of SGD.
#
# Who wins on the left, who on the right? And who wins if you wait long enough?

# %% tags=["experiment"]
rng = np.random.default_rng(0)
X = rng.normal(size=(10_000, 500)) * np.geomspace(1, 0.1, 500)
y = X @ rng.normal(size=500) + rng.normal(size=10_000)
hessian = 2 / len(X) * X.T @ X
curvatures = np.linalg.eigvalsh(hessian)
best = np.linalg.solve(hessian, 2 / len(X) * X.T @ y)


def excess(w):
    return 0.5 * (w - best) @ hessian @ (w - best)


def slope(w, rows=slice(None)):
    part = X[rows]
    return 2 / len(part) * part.T @ (part @ w - y[rows])


w, full = np.zeros(500), [excess(np.zeros(500))]
for _ in range(60):
    w, _ = sgd(w, slope(w), {"learning_rate": 2 / (curvatures[0] + curvatures[-1])})
    full.append(excess(w))

w, noisy = np.zeros(500), [full[0]]
for _ in range(20):
    for batch in minibatches(len(X), 100, rng):
        w, _ = sgd(w, slope(w, batch), {"learning_rate": 0.1})
        noisy.append(excess(w))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True, layout="constrained")
plot_curves({"gradient descent": (np.arange(61), full), "SGD, B = 100": (np.arange(61), noisy[:61])},
            "update", "loss above the minimum", log="y", title="one clock …", axes=left)  # fmt: skip
plot_curves({"gradient descent": (np.arange(61), full),
             "SGD, B = 100": (np.arange(len(noisy)) / 100, noisy)},
            "pass over the data (epoch)", "", log="y", title="… and the other", axes=right)  # fmt: skip
plt.show()

# %% [markdown]
# Per update, exact gradients win, of course. Per unit of work SGD is far ahead after a single pass: in the
# time in which gradient descent has taken one step, it has taken a hundred that were nearly as good. But then it
# stalls, at the level where noise pushes $w$ away as fast as the slope pulls it back, and the slow, exact
# method would overtake it in the end. Do we care? The test loss has errors of its own that are larger than that (Bottou and
# Bousquet 2008). And there is something one can do about the floor. What does its height depend on?

# %% tags=["experiment"]
curves = {}
for rate in (0.1, 0.03):
    w, losses = np.zeros(500), []
    for _ in range(25):
        for batch in minibatches(len(X), 100, rng):
            w, _ = sgd(w, slope(w, batch), {"learning_rate": rate})
            losses.append(excess(w))
    curves[f"η = {rate}"] = (np.arange(1, 2501) / 100, losses)
plot_curves(curves, "epoch", "loss above the minimum", log="y", title="fast, or exact?")
plt.show()

# %% [markdown]
# A high rate is fast and ends high; a low rate ends low, some day. *Which one is best? All of them*: a
# high one first, then lower ones. That is a **schedule**.

# %% [markdown]
# ## 3 · Schedules
#
# A schedule is a function of the time $t$, counted from 0, in epochs or in steps, as you like. It
# returns the rate, a plain number.
#
# | schedule | rate at time $t$ |
# |---|---|
# | step decay | $\text{rate}\cdot\text{factor}^{\lfloor t/\text{every}\rfloor}$ |
# | exponential | $\text{rate}\cdot e^{-kt}$ |
# | $1/t$ | $\text{rate}/(1 + kt)$ |
# | cosine | $\text{min} + \tfrac12(\text{rate} - \text{min})\,(1 + \cos(\pi t/\text{total}))$, and then constant |
# | warm-up | $\text{rate}\cdot\min(1,\; (t+1)/\text{steps})$ |
#
# The lines are short, and off by one is the only mistake to make. Is $t = \text{every}$ still before the
# first drop? What becomes of the cosine for $t > \text{total}$?

# %% exercise="step_decay"
def step_decay(rate, t, factor, every):
    """The rate, multiplied by factor once after every `every` steps; t counts from 0."""
    ### BEGIN SOLUTION
    return rate * factor ** (t // every)
    ### END SOLUTION


# %% check="step_decay"
check(step_decay)

# %% exercise="exponential_decay"
def exponential_decay(rate, t, k):
    """The rate, decaying exponentially with time constant 1/k."""
    ### BEGIN SOLUTION
    return rate * np.exp(-k * t)
    ### END SOLUTION


# %% check="exponential_decay"
check(exponential_decay)

# %% [markdown]
# The cosine (Loshchilov and Hutter 2017) is the favourite of the last years: flat at the start, flat at the end, and
# the only thing to choose is when to stop.

# %% exercise="cosine_decay"
def cosine_decay(rate, t, total, minimum=0.0):
    """Half a cosine from rate at t = 0 down to minimum at t = total, and minimum from there on."""
    ### BEGIN SOLUTION
    progress = min(t / total, 1)
    return minimum + 0.5 * (rate - minimum) * (1 + np.cos(np.pi * progress))
    ### END SOLUTION


# %% check="cosine_decay"
check(cosine_decay)

# %% [markdown]
# Fresh networks have steep and crooked landscapes, and Adam's averages are still cold. So one begins
# with small steps (Goyal et al. 2017). The first step is already larger than zero:

# %% exercise="linear_warmup"
def linear_warmup(rate, t, steps):
    """The rate, reached in equal increments after `steps` steps; the step at t = 0 gets the first."""
    ### BEGIN SOLUTION
    return rate * min(1, (t + 1) / steps)
    ### END SOLUTION


# %% check="linear_warmup"
check(linear_warmup)

# %% [markdown]
# All of them on one page. Which one would you take if you did not know how long you will train?

# %% tags=["experiment"]
times = np.arange(100)
schedules = {
    "step decay": lambda t: step_decay(0.1, t, 0.5, 20),
    "exponential": lambda t: exponential_decay(0.1, t, 0.03),
    "cosine": lambda t: cosine_decay(0.1, t, 80),
    "warm-up, then cosine": lambda t: min(linear_warmup(0.1, t, 10), cosine_decay(0.1, t, 80)),
}
plot_curves({name: (times, [f(t) for t in times]) for name, f in schedules.items()},
            "time t", "learning rate", title="four ways to slow down")  # fmt: skip
plt.show()

# %% [markdown]
# ## 4 · Does it help a network?
#
# Two things to put together. A network has several parameters, and each needs *its own* `config`: two
# weights that share a velocity is a mistake that one makes once. `Optimizer` does the bookkeeping: it
# applies your update rule to every array in `net.params`, each with a config of its own, at the rate it is told.
#
# On the digits, with the noise of small batches and a hidden layer of only six units, so that the net cannot learn
# everything by heart: a high rate, a low rate, and a schedule that goes from one to the other. Five seeds each; the lines are
# means, the bands 95 % confidence intervals. Which of the three will be lowest after five epochs, and which after twenty?

# %% tags=["experiment"]
digits = load_digits()


def fit(update, schedule, epochs=20, batch_size=10, seed=0, **config):
    """Train a two-layer net on the digits; the loss of the whole set by epoch, the accuracy."""
    rng = np.random.default_rng(seed)
    net = TwoLayerNet(64, 6, 10, weight_scale=0.15, rng=rng)
    optimizer = Optimizer(net.params, update, config)
    losses = []
    for epoch in range(epochs):
        for batch in minibatches(len(digits.x_train), batch_size, rng):
            _, grads = net.loss(digits.x_train[batch], digits.y_train[batch])
            optimizer.step(grads, schedule(epoch))
        losses.append(net.loss(digits.x_train, digits.y_train)[0])
    accuracy = np.mean(net.loss(digits.x_val).argmax(axis=1) == digits.y_val)
    return losses, accuracy


curves = {}
for name, schedule in (
    ("high", lambda epoch: 0.5),
    ("low", lambda epoch: 0.03),
    ("high to low, cosine", lambda epoch: cosine_decay(0.5, epoch, 20)),
):
    runs = [fit(sgd, schedule, seed=seed) for seed in range(5)]
    curves[name] = np.log10([losses for losses, _ in runs])
    mean, half = confidence_interval([accuracy for _, accuracy in runs])
    print(f"{name:20} validation accuracy {mean:.3f} ± {half:.3f}")
axes = plot_bands(np.arange(1, 21), curves, marker="o")
axes.set(xlabel="epoch", ylabel="log₁₀ of the training loss", xticks=range(0, 21, 5))
axes.set_title("digits: start fast, end quietly")
plt.show()

# %% [markdown]
# The high rate jumps about, the low one crawls, and the cosine is as fast as the first and gets lower than
# both. The optimiser, too, is only an argument now. Try `fit(adam, lambda epoch: 3e-3)` and
# `fit(sgd_momentum, …)`. With momentum 0.9, which rate corresponds to 0.5 without? And give the net 40 units
# instead of six: why does the high rate come to rest by itself then?

# %% [markdown] question="batch" points=2
# **Question 3** (2 points, read by a person). A run with batches of 50 and rate 0.1 works well. A new machine
# makes batches of 400 possible at the same time per step. (a) By what factor does the noise of the gradient
# shrink? (b) With rate 0.1 unchanged, the loss *per epoch* now falls about eight times more slowly. Why? (c) Which rate
# would you try, and what could go wrong with it in the first steps? Name a cure from this notebook.
#
# ### BEGIN SOLUTION
# (a) By $\sqrt{8} \approx 2.8$. (b) An epoch has only an eighth of the updates, and each is as long as before,
# since the rate is the same and the expected gradient too. (c) Eight times the rate, 0.8 (the "linear scaling rule": eight small steps
# with nearly the same gradient are one step eight times as long; $\sqrt8$ times is a defensible cautious choice). It may lie beyond $2/\lambda_{\max}$, above all at the
# start, where the curvature is large and the gradients of eight successive steps are *not* nearly the same:
# the loss explodes. Cure: warm-up over the first epochs.
#
# *Rubric.* 1 point: (a) and (b). 1 point: a larger rate with a reason, the danger, and warm-up. Without the reason half a point.
# ### END SOLUTION

# %% [markdown]
# ## 5 · What a low loss does not promise
#
# Does descent on the loss find a separating line where there is one? Three points in the plane, two positive,
# one negative, and a unit $\tanh(w \cdot x + b)$ with squared error, $\lVert w \rVert \le 3$ (weights are never
# unbounded in practice: regularisation and patience see to that). It works. Then a fourth point comes in: $(0, -t)$,
# positive, far below. The four *are* separable, and the perceptron (if a point is on the wrong side, add it to the weights) finds a
# line. And descent?

# %% tags=["experiment"]
def descend(X, y, w, b, steps=3000, rate=0.3, bound=3.0):
    """Gradient descent on the mean of (tanh(w·x + b) - y)², with the norm of w at most `bound`."""
    for _ in range(steps):
        out = np.tanh(X @ w + b)
        dscore = 2 * (out - y) * (1 - out**2) / len(y)
        w, b = w - rate * X.T @ dscore, b - rate * dscore.sum()
        w = w * min(1, bound / np.linalg.norm(w))
    return w, b


def perceptron(X, y):
    w, b = np.zeros(2), 0.0
    while True:
        wrong = [i for i in range(len(y)) if y[i] * (X[i] @ w + b) <= 0]
        if not wrong:
            return w, b
        w, b = w + y[wrong[0]] * X[wrong[0]], b + y[wrong[0]]


X4 = np.array([[0.0, 1], [-1, 0], [1, 0], [0, -6]])
y4 = np.array([1.0, -1, 1, 1])
three = descend(X4[:3], y4[:3], np.array([0.1, 0.1]), 0.0)
answers = {
    "three points: descent": (3, three),
    "a fourth: descent goes on": (4, descend(X4, y4, *three)),
    "a fourth: the perceptron": (4, perceptron(X4, y4)),
}
figure, places = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
for place, (title, (n, (w, b))) in zip(places, answers.items()):
    plot_regions(lambda points: points @ w + b, X4, (y4 > 0).astype(int), points=300, axes=place)
    place.scatter(*X4[:n].T, s=90, c=[f"C{int(label > 0)}" for label in y4[:n]], edgecolor="k")
    place.get_legend().remove()
    right = np.sum(np.sign(X4[:n] @ w + b) == y4[:n])
    place.set_title(f"{title}\n{right} of {n} right, ‖w‖ = {np.linalg.norm(w):.1f}", fontsize=10)
plt.show()

# %% [markdown]
# In the first two pictures the line is the same to four digits. The new point is so far on the wrong side that $\tanh$ is
# saturated there (orange in the blue part), its slope is zero, and descent does not feel it at all: it sits in a local minimum with
# one of four points wrong. The perceptron only counts what is wrong, and cannot rest. (Move the
# point to $t = 2$. Why does descent find the line now?)
#
# That sounds like a defect, and often it is a virtue. One strange example, mislabelled perhaps, turned the
# perceptron's line by ninety degrees; it hardly moves a network. Descent on a smooth loss prefers to be consistent
# rather than perfect. And the loss is not what you are after: it is a stand-in with slopes for
# the error rate, which has none.

# %% [markdown]
# ## 6 · ★ More schedules
#
# Robbins and Monro proved in 1951 that SGD converges if $\sum_t \eta_t = \infty$ and $\sum_t \eta_t^2 < \infty$: the
# steps must be able to get anywhere, and their noise must die out. Which of the schedules above qualify? This one does:

# %% exercise="inverse_time_decay"
def inverse_time_decay(rate, t, k):
    """The rate divided by 1 + k·t."""
    ### BEGIN SOLUTION
    return rate / (1 + k * t)
    ### END SOLUTION


# %% check="inverse_time_decay"
check(inverse_time_decay)

# %% [markdown]
# *Warm restarts* (SGDR): when the cosine has reached its end, start again from the full rate, to leave the valley and look
# for another one. Each period is `multiplier` times as long as the one before. The network at the end of each
# period is a good one; a6 makes an ensemble of them.

# %% exercise="warm_restarts"
def warm_restarts(rate, t, period, multiplier=1, minimum=0.0):
    """Cosine decay that starts again from rate after each period.

    period: length of the first;  multiplier: each is this many times as long as the one before;
    minimum: what each period decays to. At the beginning of a period the rate is `rate`.
    """
    ### BEGIN SOLUTION
    while t >= period:
        t, period = t - period, period * multiplier
    return cosine_decay(rate, t, period, minimum)
    ### END SOLUTION


# %% check="warm_restarts"
check(warm_restarts)

# %% [markdown]
# *Cyclic* rates (Smith 2017): a triangle, up in `half_period` steps and down in as many.

# %% exercise="cyclic"
def cyclic(low, high, t, half_period):
    """A triangle wave: low at t = 0, high at t = half_period, low again at 2·half_period, …"""
    ### BEGIN SOLUTION
    place = (t / half_period) % 2
    return low + (high - low) * (1 - abs(place - 1))
    ### END SOLUTION


# %% check="cyclic"
check(cyclic)

# %% tags=["experiment"]
times = np.arange(140)
starred = {
    "1/t": lambda t: inverse_time_decay(0.1, t, 0.05),
    "warm restarts": lambda t: warm_restarts(0.1, t, 20, 2),
    "cyclic": lambda t: cyclic(0.01, 0.06, t, 25),
}
plot_curves({name: (times, [f(t) for t in times]) for name, f in starred.items()},
            "time t", "learning rate", title="some never come to rest")  # fmt: skip
plt.show()

# %% [markdown]
# And the schedule of a person who watches: *lower the rate when the loss no longer falls*. A loss is an improvement if it is below
# $(1 - \text{threshold})$ times the best so far. After `patience` steps in a row without one, the rate is
# multiplied by `factor`, never below `minimum`, and the counting starts again.

# %% exercise="ReduceOnPlateau"
class ReduceOnPlateau:
    """A learning rate that is lowered when the loss stops improving."""

    def __init__(self, rate, factor=0.1, patience=10, threshold=1e-4, minimum=0.0):
        """rate: to begin with. The other arguments are described above."""
        ### BEGIN SOLUTION
        self.rate = rate
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.minimum = minimum
        self.best = np.inf
        self.waited = 0
        ### END SOLUTION

    def step(self, loss):
        """Take note of a loss, a positive number, and return the rate for the next step."""
        ### BEGIN SOLUTION
        if loss < self.best * (1 - self.threshold):
            self.best = loss
            self.waited = 0
        else:
            self.waited += 1
            if self.waited == self.patience:
                self.rate = max(self.rate * self.factor, self.minimum)
                self.waited = 0
        return self.rate
        ### END SOLUTION


# %% check="ReduceOnPlateau"
check(ReduceOnPlateau)

# %% [markdown]
# Back to the least squares of section 2. The plateau schedule finds out by itself when each rate has done its work:

# %% tags=["experiment"]
plateau = ReduceOnPlateau(0.1, factor=0.3, patience=2, threshold=0.05)
w, rate, levels, rates = np.zeros(500), 0.1, [], []
for _ in range(30):
    for batch in minibatches(len(X), 100, rng):
        w, _ = sgd(w, slope(w, batch), {"learning_rate": rate})
    levels.append(excess(w))
    rates.append(rate)
    rate = plateau.step(levels[-1])
epochs = np.arange(1, 31)
plot_curves({"loss above the minimum": (epochs, levels), "learning rate": (epochs, rates)},
            "epoch", "loss, rate", log="y", marker="o",
            title="each drop of the rate is paid back by the loss")  # fmt: skip
plt.show()

# %% [markdown]
# (In earnest one gives it the *validation* loss; here we peek at the true excess.)
#
# **What you have learnt.** Cheap noisy gradients beat exact ones per unit of work, until the noise
# floor; its height goes with the rate, so rates must fall. Always ask which clock is on the axis. And the loss is a
# stand-in for what you want.
