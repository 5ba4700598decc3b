# %% [markdown]
# # The first weights
#
# Before a network has learnt anything, its weights are random numbers. Random, but of which size? For
# thirty years the answer was "small", and deep networks did not train. The right answer is one line of code, and it
# follows from one line of probability. In this notebook you will see ten layers die in two opposite ways, find out
# why, and bring them to life.
#
# | | |
# |---|---|
# | **You need** | a2; that variances of independent numbers add |
# | **It takes** | about two hours; six short exercises, one question |
# | **Afterwards you can** | look at a deep network layer by layer before training it; derive the variances of LeCun and Xavier; say which symptom belongs to which mistake |
#
# After each exercise there is a cell with `check(...)`. Here your functions draw random numbers, so it is the
# *distribution* that is checked, not the numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits
from cs_nn.modules import TwoLayerNet, train_step
from cs_nn.plots import show_images
from cs_nn.plots_statistics import plot_bands, plot_layer_histograms

# %% [markdown]
# ## 1 · All the same
#
# The simplest start of all: every weight the same number. An initialiser gets the number of inputs of the layer,
# `fan_in`, the number of its units, `fan_out`, and a random generator, which this one does not need.

# %% exercise="constant_init"
def constant_init(fan_in, fan_out, rng=None, value=0.0):
    """A new weight matrix (fan_in, fan_out) of float64 in which every entry is value.

    rng: not used; it is there so that all initialisers can be called alike.
    """
    ### BEGIN SOLUTION
    return value + np.zeros((fan_in, fan_out))
    ### END SOLUTION


# %% check="constant_init"
check(constant_init)

# %% [markdown]
# What does a network learn from there? Below, a two-layer network with 8 hidden units starts with all weights 0.1 and
# trains for 300 steps. Each image shows the incoming weights of one hidden unit afterwards. Before you run the cell:
# how many *different* images will there be?

# %% tags=["experiment"]
digits = load_digits()
net = TwoLayerNet(64, 8, 10)
net.params["W1"] = constant_init(64, 8, value=0.1)
net.params["W2"] = constant_init(8, 10, value=0.1)
rng = np.random.default_rng(0)
for _ in range(300):
    train_step(net, digits.x_train, digits.y_train, 0.2, 50, rng)
show_images(net.params["W1"].T.reshape(8, 8, 8), [f"unit {i}" for i in range(8)], True, columns=8)
accuracy = np.mean(net.loss(digits.x_val).argmax(axis=1) == digits.y_val)
print(f"validation accuracy {accuracy:.2f}")
plt.show()

# %% [markdown]
# Eight units, one opinion. Units with equal weights compute the same, receive the same gradient, and stay equal for ever:
# the network has the power of a single hidden unit. Something must **break the symmetry**, and that is the true
# reason for randomness. (The biases may start at zero. Why?)
#
# ## 2 · Small random numbers
#
# So: normal numbers with mean 0 and a small standard deviation. `rng.standard_normal` draws with standard deviation
# 1; what must be done to it for another one?

# %% exercise="small_random_init"
def small_random_init(fan_in, fan_out, rng, scale=0.01):
    """Normal weights (fan_in, fan_out) with mean 0 and standard deviation scale."""
    ### BEGIN SOLUTION
    return scale * rng.standard_normal((fan_in, fan_out))
    ### END SOLUTION


# %% check="small_random_init"
check(small_random_init)

# %% [markdown]
# For two layers that works. For ten? Do not guess: build an instrument. It sends a batch through a stack of layers,
# $h \leftarrow f(h\,w)$ with a nonlinearity $f$, and for every layer writes down what a doctor would want to
# know:
#
# - `mean` and `std` of all its activations;
# - `saturated`: the fraction of activations with $|h| > 0.99$, where $\tanh$ is flat and passes no gradient;
# - `dead`: the fraction of *units* that are exactly zero for *every* input of the batch.

# %% exercise="activation_statistics"
def activation_statistics(weights, x, nonlinearity):
    """Describe the activations of every layer of a stack.

    weights: list of matrices (D, M_1), (M_1, M_2), ...;  x: inputs (N, D);
    nonlinearity: function of an array, applied after each product.
    Returns a list with one dict per layer: "mean" and "std" over all activations of the layer,
    "saturated" (fraction of activations with |h| > 0.99), "dead" (fraction of units that are 0
    on all of x); plain numbers.
    """
    ### BEGIN SOLUTION
    found, h = [], x
    for w in weights:
        h = nonlinearity(h @ w)
        dead = np.all(h == 0, axis=0)
        found.append({
            "mean": float(np.mean(h)),
            "std": float(np.std(h)),
            "saturated": float(np.mean(np.abs(h) > 0.99)),
            "dead": float(np.mean(dead)),
        })
    return found
    ### END SOLUTION


# %% check="activation_statistics"
check(activation_statistics)

# %% [markdown]
# ### The experiment of this assignment
#
# Ten layers of 500 units, 1,000 inputs with standard normal entries, $\tanh$. Weights: 0.01 times normal; then 1 times
# normal. Before you run the cell: what will the standard deviation do from layer to layer, and what will the last
# histograms look like?

# %%
def stack(initialise, rng, depth=10, width=500):
    """Weights of a deep network, each layer from initialise(fan_in, fan_out, rng)."""
    return [initialise(width, width, rng) for _ in range(depth)]


def layer_by_layer(weights, x, nonlinearity):
    """The activations themselves, layer by layer."""
    activations = []
    for w in weights:
        x = nonlinearity(x @ w)
        activations.append(x)
    return activations


def print_table(schemes, x, nonlinearity, what="std"):
    """One row for each list of weights, one column for each layer."""
    print(" " * 18 + "".join(f"{layer:>9}" for layer in range(1, 11)))
    for name, weights in schemes.items():
        row = [layer[what] for layer in activation_statistics(weights, x, nonlinearity)]
        print(f"{name:<18}" + "".join(f"{value:9.3g}" for value in row))


# %% tags=["experiment"]
rng = np.random.default_rng(0)
x = rng.standard_normal((1000, 500))
schemes = {
    "0.01 · normal": stack(small_random_init, rng),
    "1 · normal": stack(lambda i, o, rng: small_random_init(i, o, rng, scale=1.0), rng),
}
print("standard deviation of the activations, layer by layer")
print_table(schemes, x, np.tanh)
print("\nfraction of saturated activations")
print_table(schemes, x, np.tanh, "saturated")
plot_layer_histograms({name: layer_by_layer(w, x, np.tanh) for name, w in schemes.items()})
plt.show()

# %% [markdown]
# Two ways to die. With 0.01 the signal **vanishes**: every layer makes it about 4.5 times smaller, and after ten layers
# all inputs look the same. With 1 it **saturates**: all activations sit at $\pm 1$.
#
# Now think of the way back. The gradient for $w$ is (activations)ᵀ · dout. With vanishing activations it is nearly zero; and
# dout itself is multiplied by the small $w$ in each layer. In the saturated network the activations are large,
# but for nine of ten the slope $\tanh'(z) = 1 - h^2$ is nearly zero: these pass nothing. *Both* networks are ill, for opposite
# reasons. (What becomes of the tenth that does pass something? The last experiment has a surprise.)
#
# ## 3 · How large is right?
#
# Take one unit before its nonlinearity, $z = \sum_{j=1}^{n} x_j w_j$ with $n = \text{fan}_{\text{in}}$. Let all $w_j$ be
# independent with mean 0 and variance $\operatorname{Var}[w]$, independent of the $x_j$. A product of independent
# numbers has
#
# $$ \operatorname{Var}[x_j w_j] = \mathbb{E}[x_j^2]\,\mathbb{E}[w_j^2] - \bigl(\mathbb{E}[x_j]\,\mathbb{E}[w_j]\bigr)^2
#    = \mathbb{E}[x_j^2]\,\operatorname{Var}[w] , $$
#
# since $\mathbb{E}[w_j] = 0$. The terms of the sum are uncorrelated, so their variances add:
#
# $$ \operatorname{Var}[z] = n \,\operatorname{Var}[w]\; \mathbb{E}[x^2] . $$
#
# If the inputs have mean 0, then $\mathbb{E}[x^2] = \operatorname{Var}[x]$, and **a layer multiplies the variance by
# $n\operatorname{Var}[w]$**. For the first table: $500 \cdot 0.01^2 = 0.05$, a factor $\sqrt{0.05} = 0.22$ in the
# standard deviation. Look at the table again!
#
# The variance is kept if $n \operatorname{Var}[w] = 1$:
#
# $$ \operatorname{Var}[w] = \frac{1}{\text{fan}_{\text{in}}} \qquad\text{(LeCun 1998)} $$
#
# Old lecture slides call this one "Xavier". What is the standard deviation, if that is the variance?

# %% exercise="lecun_normal"
def lecun_normal(fan_in, fan_out, rng):
    """Normal weights (fan_in, fan_out) with mean 0 and variance 1/fan_in."""
    ### BEGIN SOLUTION
    return rng.standard_normal((fan_in, fan_out)) / np.sqrt(fan_in)
    ### END SOLUTION


# %% check="lecun_normal"
check(lecun_normal)

# %% [markdown]
# ### And the way back?
#
# A gradient goes through the same matrix in the other direction, $\text{d}x_j = \sum_{m=1}^{\text{fan}_{\text{out}}} w_{jm}\,\text{d}z_m$.
# The same computation, with the other number of terms:
#
# $$ \operatorname{Var}[\text{d}x] = \text{fan}_{\text{out}}\cdot\operatorname{Var}[w]\cdot\operatorname{Var}[\text{d}z] . $$
#
# To keep the gradient we need $1/\text{fan}_{\text{out}}$; to keep the signal, $1/\text{fan}_{\text{in}}$. Both together is impossible unless the matrix is
# square. Glorot and Bengio (2010) took the compromise, and it carries the first author's first name, **Xavier**:
#
# $$ \operatorname{Var}[w] = \frac{2}{\text{fan}_{\text{in}} + \text{fan}_{\text{out}}} $$
#
# The normal distribution is not essential; only the variance appeared in the derivation. A uniform distribution between $-a$ and
# $a$ has
#
# $$ \operatorname{Var} = \frac{1}{2a}\int_{-a}^{a} t^2\,\mathrm{d}t = \frac{a^2}{3} . $$
#
# Set this equal to the variance above, solve for $a$, and write both.

# %% exercise="xavier_normal"
def xavier_normal(fan_in, fan_out, rng):
    """Normal weights (fan_in, fan_out) with mean 0 and Xavier's variance."""
    ### BEGIN SOLUTION
    variance = 2 / (fan_in + fan_out)
    return rng.normal(0, np.sqrt(variance), size=(fan_in, fan_out))
    ### END SOLUTION


# %% check="xavier_normal"
check(xavier_normal)


# %% exercise="xavier_uniform"
def xavier_uniform(fan_in, fan_out, rng):
    """Weights (fan_in, fan_out), uniform around 0, with Xavier's variance."""
    ### BEGIN SOLUTION
    a = np.sqrt(3 * 2 / (fan_in + fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))
    ### END SOLUTION


# %% check="xavier_uniform"
check(xavier_uniform)

# %% [markdown]
# ### The patient lives
#
# The same ten layers. All three have the same variance here, since the matrices are square.

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x = rng.standard_normal((1000, 500))
schemes = {
    "1/fan_in": stack(lecun_normal, rng),
    "Xavier, normal": stack(xavier_normal, rng),
    "Xavier, uniform": stack(xavier_uniform, rng),
}
print("standard deviation of the activations, layer by layer")
print_table(schemes, x, np.tanh)
plot_layer_histograms({name: layer_by_layer(w, x, np.tanh) for name, w in schemes.items()})
plt.show()

# %% [markdown]
# Every layer is alive, and no layer is saturated. The standard deviation still sinks slowly, 0.63, 0.49, … 0.23: the derivation
# looked at $z$ and forgot $\tanh$, which always pulls towards zero. Is the decline faster or slower in later layers, and
# why? (Where is $\tanh$ nearly a straight line?)
#
# How much of all this is luck? Repeat with other draws, and look at the **gradient** too: the size of the gradient that
# arrives at each layer, if a random one of size 1 is put in at the top. Five draws each; the bands are 95 %
# confidence intervals, so narrow that you will hardly see them.

# %% tags=["experiment"]
def gradient_sizes(weights, x, rng):
    """Standard deviation of the gradient that arrives at every layer of a tanh network."""
    activations = layer_by_layer(weights, x, np.tanh)
    dout, sizes = rng.standard_normal(activations[-1].shape), []
    for w, h in zip(weights[::-1], activations[::-1]):
        dout = (dout * (1 - h**2)) @ w.T
        sizes.append(dout.std())
    return sizes[::-1]


schemes = {
    "0.01 · normal": small_random_init,
    "1 · normal": lambda i, o, rng: small_random_init(i, o, rng, scale=1.0),
    "Xavier": xavier_normal,
}
signals, gradients = {}, {}
for name, initialise in schemes.items():
    signals[name], gradients[name] = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, weights = rng.standard_normal((300, 500)), stack(initialise, rng)
        signals[name].append([s["std"] for s in activation_statistics(weights, x, np.tanh)])
        gradients[name].append(gradient_sizes(weights, x, rng))
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
layers = np.arange(1, 11)
plot_bands(layers, signals, left, marker="o")
plot_bands(layers, gradients, right, marker="o")
left.set(xlabel="layer", ylabel="std of the activations", yscale="log", title="forwards →")
right.set(xlabel="layer", ylabel="std of the gradient", yscale="log", title="← backwards")
plt.show()

# %% [markdown]
# Good health is a nearly horizontal line on both sides. Read the right picture from right to left, and here is the surprise: the
# gradient of the saturated network does not vanish, it **explodes**. Nine units of ten pass nothing, as the theory says. But the
# tenth multiplies with weights of size 1, and 500 of them add up. How large is the factor per layer in the picture; can you get it from
# $500 \cdot 1 \cdot \mathbb{E}[\tanh'^2]$? So most units learn nothing and a few are thrown about: no learning rate suits both.

# %% [markdown] question="rectangular" points=2
# **Question 2** (2 points, read by a person). An autoencoder has layers 1000 → 10 → 1000, without nonlinearities;
# inputs have variance 1. (a) What is the variance after each of the two layers with $\operatorname{Var}[w] = 1/\text{fan}_{\text{in}}$, and
# with Xavier's? (b) A gradient of variance 1 arrives at the output. What is its variance at the input, for both? (c) Which
# of the two would you take if the network had twenty such pairs in a row, and why?
#
# ### BEGIN SOLUTION
# (a) 1/fan_in: factors $1000\cdot\frac1{1000} = 1$ and $10\cdot\frac1{10} = 1$, so 1 and 1. Xavier: $\operatorname{Var}[w] = 2/1010$ in both
# layers; factors $1000\cdot\frac{2}{1010} \approx 1.98$ and $10\cdot\frac{2}{1010} \approx 0.0198$, so 1.98 and 0.039.
# (b) Backwards the number of terms is fan_out. 1/fan_in: second layer $1000\cdot\frac1{10} = 100$, first $10\cdot\frac1{1000} = 0.01$:
# variance 1 in the end (100 between). Xavier: $1.98\cdot 0.0198 = 0.039$.
# (c) 1/fan_in: signal and gradient both come back to their size after each pair. Xavier loses a factor 0.039 of variance
# per pair in both directions, $10^{-28}$ after twenty: it is a compromise for each single matrix and not for a sequence of
# strongly rectangular ones.
#
# *Rubric.* Half a point for (a), half for (b), with right factors (fan_in forwards, fan_out backwards). 1 point for
# (c): 1/fan_in, with the argument that the factors of a pair multiply to 1.
# ### END SOLUTION

# %% [markdown]
# **What you have learnt.** Equal weights stay equal; small ones let the signal vanish, large ones saturate. A layer multiplies the
# variance by $\text{fan}_{\text{in}}\cdot\operatorname{Var}[w]$ on the way forward and by $\text{fan}_{\text{out}}\cdot\operatorname{Var}[w]$ on the way back, so both should
# be near 1.
#
# **Next:** a nonlinearity that throws half of everything away.
