# %% [markdown]
# # Turning the knobs: hyperparameter search
#
# Learning rate, regularisation, hidden units, batch size, schedule: none of these has a gradient. One tries. But *how* one tries decides
# whether forty runs tell you something or nothing. These are steps 4 and 5 of babysitting.
#
# | | |
# |---|---|
# | **You need** | `2_babysitting` |
# | **It takes** | about an hour; two exercises, one question, and two more exercises for the curious (★) |
# | **Afterwards you can** | say over which scale to draw a hyperparameter; explain why random points beat a grid; read a search plot and notice when the best lies on the border; say why the validation score of the winner flatters |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits
from cs_nn.modules import TwoLayerNet
from cs_nn.plots import plot_search

# %% [markdown]
# ## 1 · On which scale?
#
# Between a learning rate of 0.0001 and 0.0002 there is as much of a difference as between 0.1 and 0.2: a factor of two. Draw uniformly between
# $10^{-4}$ and 1, and nine out of ten draws lie above 0.1, the interesting small rates next to never come up. So draw the *logarithm* uniformly: then each power
# of ten gets its fair share.
#
# **Exercise.** The bounds are the values themselves (`1e-4`, not `-4`). One draw from `rng`, then back from the logarithm.

# %% exercise="sample_log_uniform"
def sample_log_uniform(low, high, rng):
    """A number between low and high, both positive, whose logarithm is uniformly distributed."""
    ### BEGIN SOLUTION
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    ### END SOLUTION


# %% check="sample_log_uniform"
check(sample_log_uniform)

# %% tags=["experiment"]
rng = np.random.default_rng(0)
drawn = {
    "uniform": rng.uniform(1e-4, 1, 2000),
    "log-uniform": [sample_log_uniform(1e-4, 1, rng) for _ in range(2000)],
}
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for name, values in drawn.items():
    axes.hist(values, bins=np.geomspace(1e-4, 1, 33), alpha=0.6, label=name)
axes.set(xscale="log", xlabel="learning rate", ylabel="draws", title="where 2000 trials go")
axes.legend()
plt.show()

# %% [markdown]
# Which of these would you draw log-uniformly: the number of hidden units between 16 and 1024, the keep probability of dropout between 0.5 and 1, the
# momentum between 0.9 and 0.999? (Hint for the last: what matters is $1 - \mu$.)

# %% [markdown]
# ## 2 · Random search
#
# Draw all parameters, train, take down the score, repeat. `evaluate(**parameters)` is somebody's function that trains and returns a score, the higher the
# better. Write down *every* trial, not only the best: half of what a search teaches is where it is bad.

# %% exercise="random_search"
def random_search(evaluate, ranges, trials, rng):
    """Try random points, every parameter log-uniformly within its range.

    evaluate: evaluate(**parameters) -> score, higher is better;
    ranges: dict, name -> (low, high);  trials: how many points;  rng: source of the points.
    Returns (best parameters, list of (parameters, score) of all trials), parameters as dicts.
    """
    ### BEGIN SOLUTION
    results = []
    for _ in range(trials):
        point = {name: sample_log_uniform(low, high, rng) for name, (low, high) in ranges.items()}
        results.append((point, evaluate(**point)))
    best, _ = max(results, key=lambda result: result[1])
    return best, results
    ### END SOLUTION


# %% check="random_search"
check(random_search)

# %% [markdown]
# ### Why not a grid?
#
# Suppose two parameters, and only one of them matters, but you do not know which. Nine runs. A $3 \times 3$ grid tries *three* values of the one that matters, each of them
# three times. Nine random points try nine (Bergstra and Bengio 2012). Below, the score is a narrow hill over the first
# parameter. Which layout will come closer to the top? Always?

# %% tags=["experiment"]
def hill(important, unimportant):
    return np.exp(-((np.log10(important) + 1.45) ** 2) / 0.05) + 0.03 * np.log10(unimportant)


grid = [(a, b) for a in (1e-3, 10**-1.5 / 10**0.5, 1e-1) for b in (1e-3, 1e-2, 1e-1)]
rng = np.random.default_rng(1)
_, random_points = random_search(
    hill, {"important": (1e-3, 1e-1), "unimportant": (1e-3, 1e-1)}, 9, rng
)
layouts = {
    "grid: 3 different values": [({"important": a, "unimportant": b}, hill(a, b)) for a, b in grid],
    "random: 9 different values": random_points,
}
figure, places = plt.subplots(2, 2, figsize=(9, 5), sharex=True, height_ratios=(1, 2.4), layout="constrained")
fine = np.geomspace(1e-3, 1e-1, 300)
for (above, below), (name, trials) in zip(places.T, layouts.items()):
    above.plot(fine, hill(fine, 1e-2), color="0.6")
    for parameters, _ in trials:
        above.axvline(parameters["important"], color="C0", alpha=0.5)
        below.plot(*parameters.values(), "o", color="C0", ms=8)
    below.set_ylim(7e-4, 1.4e-1)
    above.set(title=f"{name}, best {max(score for _, score in trials):.2f}", ylabel="score", xscale="log")
    below.set(xscale="log", yscale="log", xlabel="parameter that matters", ylabel="parameter that does not")
plt.show()

# %% [markdown]
# One picture proves nothing: random points can be unlucky. How often do they win? A thousand hills with their tops in random places:

# %% tags=["experiment"]
rng = np.random.default_rng(0)
wins = {"random": 0, "grid": 0}
gaps = {"random": [], "grid": []}
for _ in range(1000):
    top = rng.uniform(-3, -1)
    tried = {"grid": np.array([-2.67, -2.0, -1.33]), "random": rng.uniform(-3, -1, 9)}
    best = {name: np.abs(points - top).min() for name, points in tried.items()}
    wins[min(best, key=best.get)] += 1
    for name in best:
        gaps[name].append(best[name])
print("closer to the top:", wins)
print("typical distance from the top, in powers of ten:",
      {name: round(float(np.median(values)), 3) for name, values in gaps.items()})  # fmt: skip

# %% [markdown]
# ## 3 · Coarse, then fine
#
# On a real network. Score: validation accuracy on the digits after *three* epochs, so that 25 trials take seconds. The two parameters:
# learning rate (SGD with momentum, so mind the factor of ten) and strength of the weight penalty. First over a wide range, five powers of ten for the one and six for the other.

# %%
digits = load_digits()
mean_image = digits.x_train.mean(axis=0)
x_train, x_val = digits.x_train - mean_image, digits.x_val - mean_image


def validation_accuracy(learning_rate, reg, epochs=3, seed=0):
    """Train a two-layer net with 50 units by momentum; runs that explode score 0."""
    rng = np.random.default_rng(seed)
    net = TwoLayerNet(64, 50, 10, 0.1, reg, rng)
    velocity = {name: 0.0 for name in net.params}
    with np.errstate(all="ignore"):
        for _ in range(epochs * len(x_train) // 50):
            batch = rng.choice(len(x_train), 50, replace=False)
            loss, grads = net.loss(x_train[batch], digits.y_train[batch])
            if not loss < 1e3:
                return 0.0
            for name, grad in grads.items():
                velocity[name] = 0.9 * velocity[name] - learning_rate * grad
                net.params[name] = net.params[name] + velocity[name]
        return float(np.mean(net.loss(x_val).argmax(axis=1) == digits.y_val))


# %% tags=["experiment"]
wide = {"learning_rate": (1e-5, 1.0), "reg": (1e-6, 1.0)}
best, results = random_search(validation_accuracy, wide, 25, np.random.default_rng(0))
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
plot_search(results, "learning_rate", "reg", "validation accuracy", "coarse", left)
narrow = {name: (value / 5, value * 5) for name, value in best.items()}
best, results = random_search(
    lambda **parameters: validation_accuracy(**parameters, epochs=6), narrow, 25, np.random.default_rng(1)
)
plot_search(results, "learning_rate", "reg", "validation accuracy", "fine, and twice as long", right)
plt.show()
print("best:", {name: f"{value:.2g}" for name, value in best.items()})

# %% [markdown]
# In the coarse picture one can see more than the best point: below $10^{-3}$ nothing is learnt in three epochs; a penalty above $0.1$ stifles everything; and where the
# penalty is smaller than that, it hardly matters how small. Which of the two axes would you stop searching? And is the best of the fine search
# in the middle of its box or at its edge? **If it is at the edge, the true best may well be outside**: move the box and go on.

# %% [markdown] question="winner" points=2
# **Question 3** (2 points, read by a person). A search of 200 trials over learning rates from $10^{-4}$ to $10^{-1}$ ends with a best validation accuracy of
# 96.8 % at the rate 0.094. The validation set has 300 images. On the test set this network gets 95.1 %. (a) What is suspicious about the best
# parameters, and what do you do? (b) Is the difference between 96.8 % and 95.1 % a sign of a bug? Estimate how uncertain an accuracy from 300 images is, and say why the winner of many is too good.
# (c) Your colleague proposes to search on the test set directly, "then the number is honest". Answer her.
#
# ### BEGIN SOLUTION
# (a) 0.094 is within 1 % (in log space) of the upper border: the range should be moved up, say to $(10^{-2}, 1)$, and the search repeated. (b) No. With $p \approx 0.96$ and $n = 300$, the standard deviation
# is $\sqrt{p(1-p)/n} \approx 1.1$ percentage points. The maximum of 200 noisy scores is the one that was both good and lucky; the luck (one to three
# standard deviations for this many trials) does not repeat on new images. A drop of 1.7 is to be expected. (c) Then the test set becomes a validation set, the number just as flattering, and there is nothing left to notice it with. The test set
# is used once, at the end.
#
# *Rubric.* (a) 0.5: border and wider range. (b) 1: 0.5 for an estimate of about one percentage point (any sensible way), 0.5 for the selection effect. (c) 0.5.
# ### END SOLUTION

# %% [markdown]
# ## 4 · ★ A grid, for comparison
#
# All combinations of the values in a dict of lists; the last name varies fastest (`itertools.product` likes to help).

# %% exercise="grid_search"
def grid_search(evaluate, grid):
    """Try every combination of the values in a grid.

    evaluate: evaluate(**parameters) -> score, higher is better;
    grid: dict, name -> list of values.
    Returns (best parameters, list of (parameters, score) of all trials), parameters as dicts.
    """
    ### BEGIN SOLUTION
    points = [{}]
    for name, values in grid.items():
        points = [{**point, name: value} for point in points for value in values]
    results = [(point, evaluate(**point)) for point in points]
    best, _ = max(results, key=lambda result: result[1])
    return best, results
    ### END SOLUTION


# %% check="grid_search"
check(grid_search)

# %% tags=["experiment"]
values = {"learning_rate": np.geomspace(1e-5, 1, 5).tolist(), "reg": np.geomspace(1e-6, 1, 5).tolist()}
best, results = grid_search(validation_accuracy, values)
plot_search(results, "learning_rate", "reg", "validation accuracy", "25 runs, 5 different learning rates")
plt.show()

# %% [markdown]
# How many runs would a grid need that is as fine in the learning rate as your 25 random points? And with four parameters?

# %% [markdown]
# ## 5 · ★ Coarse to fine, by itself
#
# Several rounds. The first draws `trials` points in the full ranges; every further round draws as many around the *best so far*, in ranges that are narrower
# *in log space* (half as wide each time, say) and never leave the first ones. At the end, warn: return the names of all parameters whose best value
# lies within 5 % of an end of its *first* range, measured in log space.

# %% exercise="coarse_to_fine"
def coarse_to_fine(evaluate, ranges, trials, rounds, rng):
    """Random search in boxes that narrow around the best.

    evaluate, ranges, rng: as for random_search;  trials: points in each round;  rounds: how many.
    Returns (best parameters, all (parameters, score), names whose best lies on the border of
    the first range).
    """
    ### BEGIN SOLUTION
    results, box = [], dict(ranges)
    for finished in range(1, rounds + 1):
        results += random_search(evaluate, box, trials, rng)[1]
        best, _ = max(results, key=lambda result: result[1])
        for name, (low, high) in ranges.items():
            reach = (high / low) ** (0.5**finished / 2)
            box[name] = (max(low, best[name] / reach), min(high, best[name] * reach))
    border = []
    for name, (low, high) in ranges.items():
        place = np.log(best[name] / low) / np.log(high / low)
        if place < 0.05 or place > 0.95:
            border.append(name)
    return best, results, border
    ### END SOLUTION


# %% check="coarse_to_fine"
check(coarse_to_fine)

# %% tags=["experiment"]
best, results, border = coarse_to_fine(validation_accuracy, wide, 8, 4, np.random.default_rng(0))
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
plot_search(results, "learning_rate", "reg", "validation accuracy", "closing in", axes)
plt.show()
print("on the border:", border or "nothing")

# %% [markdown]
# **What you have learnt.** Draw on the scale on which things differ; prefer random points; narrow in stages; distrust borders and
# winners. (In earnest one runs the trials in parallel and keeps a journal, so that a power cut costs one run and not a night: `cs_nn.training.search` can do both, and is
# yours to read after this assignment.)
