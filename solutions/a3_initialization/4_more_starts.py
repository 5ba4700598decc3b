# %% [markdown]
# # ★ Better than random numbers of the right size
#
# Xavier and Kaiming get the variance right, on average. Three later ideas go further: choose matrices that keep not the average
# length but *every* length; settle the quarrel between forwards and backwards for rectangular matrices; or do not calculate at all, but
# measure. All of this notebook is optional; nothing later needs it.
#
# | | |
# |---|---|
# | **You need** | `2_first_weights` (`activation_statistics` and the stacks are used again) |
# | **It takes** | about an hour and a half; three exercises, each on its own |
# | **Afterwards you can** | draw a uniformly distributed orthogonal matrix; say what very deep linear networks have to do with singular values; start any network, of any shape and nonlinearity, at unit variance |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.plots_statistics import plot_bands

# %%
reuse("2_first_weights", "activation_statistics", "lecun_normal", "xavier_normal", "stack")

# %% [markdown]
# ## ★ Orthogonal matrices
#
# Random normal weights keep the length of a vector *on average*. Some directions are stretched, others shrunk, and in a product of many
# matrices the stretched ones win. A matrix with orthonormal columns, $W^\top W = I$, stretches nothing:
#
# $$ \lVert W u \rVert^2 = u^\top W^\top W u = \lVert u \rVert^2 , $$
#
# and products of square orthogonal matrices are orthogonal again, however many (Saxe, McClelland and Ganguli, 2014).
#
# How to draw one at random, so that no orientation is preferred? Take a matrix $A$ of normal numbers, whose distribution does not
# change when space is rotated, and orthonormalise its columns: $A = QR$. One trap: $QR = (QS)(SR)$ for any diagonal matrix $S$ of
# signs $\pm1$, so $Q$ is unique only if signs are fixed, and the habit of the numerical library is no fair coin. Fix them so that
# the **diagonal of $R$ is positive**; then $Q$ is uniformly distributed (Mezzadri, 2007).
#
# A rectangular matrix cannot have both orthonormal columns and rows: the shorter side gets them. `np.linalg.qr` orthonormalises
# columns; what will you do if `fan_in < fan_out`?

# %% exercise="orthogonal_init"
def orthogonal_init(fan_in, fan_out, rng):
    """A random matrix (fan_in, fan_out), uniformly distributed among the orthogonal ones.

    Orthonormal columns if fan_in >= fan_out, otherwise orthonormal rows.
    """
    ### BEGIN SOLUTION
    tall, thin = max(fan_in, fan_out), min(fan_in, fan_out)
    Q, R = np.linalg.qr(rng.normal(size=(tall, thin)))
    Q = Q * np.sign(np.diagonal(R))
    return Q if fan_in >= fan_out else Q.T
    ### END SOLUTION


# %% check="orthogonal_init"
check(orthogonal_init)

# %% [markdown]
# A *linear* network of 1, 5 and 25 layers, 100 units each: the singular values of the product of all its matrices, sorted. They say by how much
# each direction is stretched. Before you run it: both starts have the right variance. How many of the 100 directions will
# survive 25 layers?

# %% tags=["experiment"]
figure, row = plt.subplots(1, 3, figsize=(10, 3), layout="constrained", sharey=True)
for axes, depth in zip(row, (1, 5, 25)):
    values = {"1/fan_in, normal": [], "orthogonal": []}
    for name, initialise in zip(values, (lecun_normal, orthogonal_init)):
        for seed in range(5):
            product = np.eye(100)
            for w in stack(initialise, np.random.default_rng(seed), depth, 100):
                product = product @ w
            values[name].append(np.maximum(np.linalg.svd(product, compute_uv=False), 1e-12))
    plot_bands(np.arange(1, 101), values, axes)
    axes.set(yscale="log", ylim=(1e-6, 1e2), xlabel="direction", title=f"depth {depth}")
row[0].set_ylabel("singular value")
plt.show()

# %% [markdown]
# The variance is right in all of these. But after 25 normal layers a handful of directions has everything and the rest nothing: inputs that
# differ in one of the others look the same to the network. What would a $\tanh$ after each layer change?
#
# ## ★ The geometric mean
#
# $1/\text{fan}_{\text{in}}$ is right forwards, $1/\text{fan}_{\text{out}}$ backwards, and Xavier takes the *harmonic* mean of the two. Defazio and Bottou (2019)
# ask that each *weight matrix* should learn at the same speed in proportion to its size, and come to the **geometric** mean:
#
# $$ \operatorname{Var}[w] = \frac{c}{\sqrt{\text{fan}_{\text{in}}\cdot\text{fan}_{\text{out}}}} , $$
#
# with $c$ for the nonlinearity: 1 if there is none, 2 for ReLU.

# %% exercise="geometric_init"
def geometric_init(fan_in, fan_out, rng, c=1.0):
    """Normal weights (fan_in, fan_out) with mean 0 and variance c/√(fan_in·fan_out)."""
    ### BEGIN SOLUTION
    return rng.normal(size=(fan_in, fan_out)) * np.sqrt(c) / (fan_in * fan_out) ** 0.25
    ### END SOLUTION


# %% check="geometric_init"
check(geometric_init)

# %% [markdown]
# A linear network that gets narrow and wide in turn: 400, 20, 400, 20, … For three starts, the standard deviation of the signal in each
# layer, and of a gradient on its way back. Which of them comes back to where it was, after each pair?

# %% tags=["experiment"]
widths = [400, 20] * 6 + [400]
starts = {"1/fan_in": lecun_normal, "Xavier": xavier_normal, "geometric": geometric_init}
signals, gradients = {}, {}
for name, initialise in starts.items():
    signals[name], gradients[name] = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        weights = [initialise(i, o, rng) for i, o in zip(widths, widths[1:])]
        h, dout = rng.normal(size=(200, 400)), rng.normal(size=(200, 400))
        forwards, backwards = [h.std()], [dout.std()]
        for w, from_the_top in zip(weights, weights[::-1]):
            h, dout = h @ w, dout @ from_the_top.T
            forwards.append(h.std())
            backwards.append(dout.std())
        signals[name].append(forwards)
        gradients[name].append(backwards[::-1])
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
plot_bands(np.arange(13), signals, left, marker="o")
plot_bands(np.arange(13), gradients, right, marker="o")
left.set(yscale="log", xlabel="layer", ylabel="std of the signal", title="forwards →")
right.set(yscale="log", xlabel="layer", ylabel="std of the gradient", title="← backwards")
plt.show()

# %% [markdown]
# Xavier, the compromise for a single matrix, loses a factor in every pair, both ways. The geometric mean goes up and down evenly in both
# directions. And $1/\text{fan}_{\text{in}}$ is flat forwards: what is its price?
#
# ## ★ Do not calculate, measure
#
# All formulas so far assume something about the nonlinearity and the inputs. Mishkin and Matas (2015) assume nothing. Take any start; send a
# batch of real data through the first layer; measure the variance of $z = h\,w$ over all its entries; divide the weights by its root; repeat until it is
# 1 within a tolerance. Then go on to the next layer, with the *output of the layer just repaired*. **Layer-sequential
# unit variance**, LSUV. It is batch norm done once, before training.
#
# **Exercise.** A list of weights comes in, and a *new* list goes out; the given matrices stay as they are. Why does one division
# nearly always suffice, here?

# %% exercise="lsuv_init"
def lsuv_init(weights, x, nonlinearity, tolerance=0.01, max_iterations=10):
    """Rescale each layer on data until the variance before its nonlinearity is 1.

    weights: list of matrices (D, M_1), (M_1, M_2), ...;  x: inputs (N, D);
    nonlinearity: function of an array, applied after each product;
    tolerance: how far from 1 the variance may be;  max_iterations: rescalings of one layer at most.
    Returns a new list of matrices; the given ones stay as they are.
    """
    ### BEGIN SOLUTION
    result, h = [], x
    for w in weights:
        for _ in range(max_iterations):
            variance = np.var(h @ w)
            if abs(variance - 1) < tolerance:
                break
            w = w / np.sqrt(variance)
        result.append(np.array(w))
        h = nonlinearity(h @ w)
    return result
    ### END SOLUTION


# %% check="lsuv_init"
check(lsuv_init)

# %% [markdown]
# A nasty stack: ten layers of changing widths, weights of random sizes, and a nonlinearity for which nobody has a formula. Variance before
# the nonlinearity, in each layer, as it came and after LSUV; the second line is measured on *other* inputs than those used for the repair.
# How well does it carry over?

# %% tags=["experiment"]
def wobble(z):
    """Nobody has derived an initialisation for this."""
    return np.sin(2 * z) * np.exp(-0.1 * z**2) + 0.3 * np.abs(z)


def variances(weights, x):
    found = []
    for w in weights:
        found.append(np.var(x @ w))
        x = wobble(x @ w)
    return found


given, repaired = [], []
for seed in range(5):
    rng = np.random.default_rng(seed)
    widths = [100, *rng.integers(30, 300, size=10)]
    weights = [rng.normal(size=(i, o)) * 10 ** rng.uniform(-2, 0) for i, o in zip(widths, widths[1:])]
    x, fresh = rng.normal(size=(500, 100)), rng.normal(size=(500, 100))
    given.append(variances(weights, fresh))
    repaired.append(variances(lsuv_init(weights, x, wobble), fresh))
curves = {"as it came": np.log10(given), "after LSUV": np.log10(repaired)}
axes = plot_bands(np.arange(1, 11), curves, marker="o")
axes.axhline(0, color="0.5", ls=":", label="variance 1")
axes.set(xlabel="layer", ylabel="log₁₀ of the variance before f", title="measured once, right everywhere")
axes.legend()
plt.show()

# %% [markdown]
# **What you have learnt.** The right variance is an average; orthogonal matrices keep every direction. Rectangular matrices force a
# choice between forwards and backwards. And when no formula fits, measure.
#
# The next idea is obvious: if one may measure before training, why not at every step? That is a4.
