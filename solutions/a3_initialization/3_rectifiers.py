# %% [markdown]
# # Half of everything
#
# ReLU throws away every negative number: half of the signal, in every layer. After ten layers a thousandth is left, unless
# the weights make up for it. That they must be larger by a factor of exactly $\sqrt2$ was noticed in 2015, by the team that
# then trained the first networks of over a hundred layers.
#
# | | |
# |---|---|
# | **You need** | `2_first_weights`: `activation_statistics` and the initialisers are used again |
# | **It takes** | about an hour and a half; three exercises, one question |
# | **Afterwards you can** | derive Kaiming's variance; find dead units, and tell those that were born dead from those that died in training; compare initialisations fairly, over seeds |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.data.datasets import load_digits
from cs_nn.layers.losses import softmax_loss
from cs_nn.modules import Linear, ReLU, Sequential
from cs_nn.plots_statistics import plot_bands, plot_intervals, plot_layer_histograms

# %%
reuse("2_first_weights", "activation_statistics", "small_random_init", "lecun_normal", "xavier_normal")
reuse("2_first_weights", "stack", "layer_by_layer", "print_table")


def relu(z):
    return np.maximum(z, 0)

# %% [markdown]
# ## 1 · The half that is missing
#
# For $\tanh$, we used that its outputs have mean zero. ReLU's have not. Go back one line in the derivation, to
# the form that did not need it: with $n = \text{fan}_{\text{in}}$ inputs $x_j$ and weights of mean zero,
#
# $$ \operatorname{Var}[z] = n\,\operatorname{Var}[w]\;\mathbb{E}[x^2] . $$
#
# It is the **second moment** $\mathbb{E}[x^2]$ of the inputs that counts, not their variance. The inputs are
# the outputs of the ReLU below, $x = \max(0, z')$. The weights below are symmetric around zero, so $z'$ is as well:
# half of its square comes from the positive side, half from the negative, and only the positive half passes:
#
# $$ \mathbb{E}[x^2] = \mathbb{E}\bigl[\max(0, z')^2\bigr] = \tfrac12\,\mathbb{E}[z'^2] = \tfrac12 \operatorname{Var}[z'] . $$
#
# Together: from one layer to the next,
#
# $$ \operatorname{Var}[z] = \tfrac12\; n\, \operatorname{Var}[w]\;\operatorname{Var}[z'] , $$
#
# and the variance is kept if
#
# $$ \operatorname{Var}[w] = \frac{2}{\text{fan}_{\text{in}}} \qquad\text{(He, Zhang, Ren and Sun 2015; "Kaiming" is the first name)} $$
#
# The same argument backwards gives $2/\text{fan}_{\text{out}}$. One of the two is enough, say the authors: over a whole
# network, with fan-out of one layer equal to fan-in of the next, the factors cancel, up to the first and the last.
#
# **Exercise.** The normal and the uniform version. For the uniform one, recall which variance a uniform
# distribution between $-a$ and $a$ has.

# %% exercise="kaiming_normal"
def kaiming_normal(fan_in, fan_out, rng):
    """Normal weights (fan_in, fan_out) with mean 0 and Kaiming's variance."""
    ### BEGIN SOLUTION
    return rng.normal(0, np.sqrt(2 / fan_in), size=(fan_in, fan_out))
    ### END SOLUTION


# %% check="kaiming_normal"
check(kaiming_normal)


# %% exercise="kaiming_uniform"
def kaiming_uniform(fan_in, fan_out, rng):
    """Weights (fan_in, fan_out), uniform around 0, with Kaiming's variance."""
    ### BEGIN SOLUTION
    a = np.sqrt(3 * 2 / fan_in)
    return rng.uniform(-a, a, size=(fan_in, fan_out))
    ### END SOLUTION


# %% check="kaiming_uniform"
check(kaiming_uniform)

# %% [markdown]
# ### An experiment: ten rectified layers
#
# Ten layers of 500 units with ReLU. The second moment after each layer: what do you expect for $1/\text{fan}_{\text{in}}$, and for
# $2/\text{fan}_{\text{in}}$? Five draws, 95 % confidence bands, and the prediction as dotted lines.

# %% tags=["experiment"]
moments = {"1/fan_in": [], "Kaiming, 2/fan_in": []}
for name, initialise in zip(moments, (lecun_normal, kaiming_normal)):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, weights = rng.standard_normal((500, 500)), stack(initialise, rng)
        moments[name].append([np.mean(h**2) for h in layer_by_layer(weights, x, relu)])
layers = np.arange(1, 11)
axes = plot_bands(layers, moments, marker="o")
axes.plot(layers, 0.5**layers, "C0:", label="half, each time")
axes.plot(layers, np.ones(10), "C1:", label="kept")
axes.set(xlabel="layer", ylabel="mean of h²", yscale="log", title="one half per layer, or none")
axes.legend()
plt.show()

# %% [markdown]
# The prediction lies inside both bands. (They widen with depth: why must they?) And the histograms, of the activations that
# are not zero; above each, the fraction that is:

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x = rng.standard_normal((500, 500))
schemes = {
    "0.01 · normal": stack(small_random_init, rng),
    "Xavier": stack(xavier_normal, rng),
    "Kaiming": stack(kaiming_normal, rng),
}
print("standard deviation of the activations, layer by layer")
print_table(schemes, x, relu)
activations = {name: layer_by_layer(weights, x, relu) for name, weights in schemes.items()}
plot_layer_histograms(activations, limits=(0, 4), skip=0)
plt.show()

# %% [markdown]
# ## 2 · The dead
#
# A ReLU unit whose input is negative is silent, and its slope is 0: for this example it receives no gradient. No harm, there
# are other examples. But a unit that is silent for **every** example never receives any gradient, so its weights never
# change, and it stays silent unless the layers below happen to change its inputs. It is dead. Before one can count them
# one must find them.

# %% exercise="dead_units"
def dead_units(activations):
    """Which units of a ReLU layer never fire.

    activations: outputs of the layer (N, M), one row for each example.
    Returns a boolean array (M,), True for units that are positive for no example.
    """
    ### BEGIN SOLUTION
    fires = activations > 0
    return ~fires.any(axis=0)
    ### END SOLUTION


# %% check="dead_units"
check(dead_units)

# %% [markdown]
# ### How do units die?
#
# Not in the cradle, if weights are symmetric and inputs centred: then half of the inputs of a unit are positive. They die from
# a step that is too large. One bad step sends the bias far below zero, and there is no way back. Below, a
# network of three hidden layers, 50 units each, is trained on the digits for 100 steps with different
# learning rates. We count the dead among its 150 units, at the beginning and at the end: each dot is one run, five seeds.
#
# Before you run it: at which rate will the first units die; at one where training fails, or earlier?

# %%
def rectified(initialise, depth, width, rng):
    """A network for the digits: depth hidden layers, then ten scores."""
    layers, fan_in = [], 64
    for _ in range(depth):
        layers += [Linear(fan_in, width, rng), ReLU()]
        layers[-2].w = initialise(fan_in, width, rng)
        fan_in = width
    layers += [Linear(fan_in, 10, rng)]
    layers[-1].w = initialise(fan_in, 10, rng)
    return Sequential(layers)


def count_dead(network, X):
    """Dead units among all hidden ones."""
    dead, h = 0, X
    for layer in network.layers:
        h = layer.forward(h)
        if isinstance(layer, ReLU):
            dead += dead_units(h).sum()
    return dead


def train_digits(network, learning_rate, steps, rng):
    """Plain mini-batch descent; returns the losses on the way."""
    losses = []
    for _ in range(steps):
        batch = rng.choice(len(digits.x_train), size=50, replace=False)
        scores = network.forward(digits.x_train[batch])
        loss, dscores = softmax_loss(scores, digits.y_train[batch])
        losses.append(loss)
        network.backward(dscores)
        network.update(learning_rate)
    return losses


def accuracy(network):
    return np.mean(network.forward(digits.x_val).argmax(axis=1) == digits.y_val)


digits = load_digits()

# %% tags=["experiment"]
deaths = {"before training": []}
for rate in (0.03, 0.1, 0.3, 0.5, 0.7):
    row = f"rate {rate}"
    deaths[row], scores = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        network = rectified(kaiming_normal, 3, 50, rng)
        if rate == 0.03:
            deaths["before training"].append(count_dead(network, digits.x_train))
        train_digits(network, rate, 100, rng)
        deaths[row].append(count_dead(network, digits.x_train))
        scores.append(accuracy(network))
    print(f"{row}: validation accuracy {np.mean(scores):.2f}")
axes = plot_intervals(deaths, "dead units, of 150")
axes.set_title("large steps kill")
plt.show()

# %% [markdown]
# Compare with the accuracies. Up to which rate does the network not seem to mind? A few units may be dead while
# it still learns: nobody notices, except that a part of the network is paid for and does not work. Why are a few units silent
# even before training? (Digits are never negative. What does the first notebook say about this?) And how can a *middle* rate
# raise some of these from the dead?
#
# Some people start the biases of ReLU units not at zero but slightly above, at 0.01 say, so that more units fire at first. Try it:
# `layers[-2].b += 0.01` in `rectified`. Does it change what a large step does?
#
# ### The saturated
#
# $\tanh$ has no dead units, but a similar disease: units that say $\pm1$ whatever they see. `activation_statistics` finds them.
# For ten layers of $\tanh$: the fraction of saturated activations in the last layer, as the weights grow.

# %% tags=["experiment"]
factors = np.array([0.5, 1, 1.5, 2, 3, 5, 10, 20])
saturated = []
for seed in range(5):
    rng = np.random.default_rng(seed)
    x, weights = rng.standard_normal((300, 200)), stack(lecun_normal, rng, width=200)
    saturated.append([
        activation_statistics([factor * w for w in weights], x, np.tanh)[-1]["saturated"]
        for factor in factors
    ])
axes = plot_bands(factors, {"layer 10": saturated}, marker="o")
axes.set(xscale="log", xlabel="weights, as a multiple of 1/√fan_in", ylabel="fraction with |h| > 0.99")
axes.set(xticks=factors, xticklabels=factors, title="a factor of three is enough to be sick")
plt.show()

# %% [markdown]
# ## 3 · Does it matter for learning?
#
# All this was about networks that have learnt nothing. The final test: twelve hidden layers of 50 units with ReLU, on
# the digits, 200 steps at rate 0.03, from each start, with five seeds. One lucky run shows nothing; five with a confidence interval
# do. Which starts will not learn at all?

# %% tags=["experiment"]
starts = {
    "0.01 · normal": small_random_init,
    "1/fan_in": lecun_normal,
    "Xavier": xavier_normal,
    "Kaiming, normal": kaiming_normal,
    "Kaiming, uniform": kaiming_uniform,
}
curves, results = {}, {}
for name, initialise in starts.items():
    curves[name], results[name] = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        network = rectified(initialise, 12, 50, rng)
        losses = train_digits(network, 0.03, 200, rng)
        curves[name].append(np.reshape(losses, (20, 10)).mean(axis=1))
        results[name].append(accuracy(network))
axes = plot_bands(10 * np.arange(20) + 5, curves)
axes.axhline(np.log(10), color="0.5", ls=":", label="log 10: knows nothing")
axes.set(xlabel="step", ylabel="loss", title="same network, same steps, other first weights")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plot_intervals(results, "validation accuracy after 200 steps").set_title("where they end")
plt.show()

# %% [markdown]
# A factor of $\sqrt2$ in the first weights decides whether a network of twelve layers learns or sits still. Would more steps
# help the others? Would a larger learning rate? (Try it. Then think about the gradient in the first layer, which
# was multiplied by twelve small matrices.)

# %% [markdown] question="leaky" points=2
# **Question 3** (2 points, read by a person). (a) Derive the variance that weights need before a *leaky* ReLU,
# $f(z) = z$ for $z > 0$ and $\alpha z$ otherwise, and check your formula at $\alpha = 0$ and $\alpha = 1$.
# (b) Someone adds a residual connection, $h_{l+1} = h_l + f(h_l\,w)$, with Kaiming weights. What happens to the
# second moment of $h$ from layer to layer, roughly, and what would you do about it in a network of $L$ layers?
#
# ### BEGIN SOLUTION
# (a) $\mathbb{E}[f(z)^2] = \frac12\operatorname{Var}[z] + \frac12\alpha^2\operatorname{Var}[z]$, so
# $\operatorname{Var}[w] = \frac{2}{(1 + \alpha^2)\,\text{fan}_{\text{in}}}$. At $\alpha = 0$ it is Kaiming's, at $\alpha = 1$ (linear) LeCun's $1/\text{fan}_{\text{in}}$.
# (b) With Kaiming weights $f(h_l w)$ has the second moment of $h_l$ itself, so the sum has about twice of it (plus
# a cross term, since ReLU's output is not of mean zero; it is small on average, as the weights have random signs): it
# doubles in each layer, $2^L$ in all. Remedies: scale the branch by $1/\sqrt{L}$ (then $(1 + 1/L)^L \to e$), start the last
# matrix of the branch at zero, or normalise (a4).
#
# *Rubric.* 1 point for (a) with both checks; half a point for the right formula without derivation. 1 point for (b): doubling, and one
# remedy that works.
# ### END SOLUTION

# %% [markdown]
# **What you have learnt.** ReLU keeps half of the second moment, so weights need twice the variance: $2/\text{fan}_{\text{in}}$. Dead
# units are found by looking at whole columns; they die of large steps. And a claim about training is shown with several seeds.
#
# **Next, if you like (★):** starts that are better than random numbers of the right size. Otherwise a4 makes
# networks that mind their variances themselves.
