# %% [markdown]
# # You want zero mean and unit variance? Make it so
#
# The last assignment was a lot of work for one wish: that the numbers inside a network are neither
# tiny nor huge. Choose the weights with care, and the wish comes true, at the first step. Then the
# weights learn, and nobody watches any more. In 2015 Ioffe and Szegedy asked a cheeky question: if you
# want activations with mean 0 and variance 1, why not just *make* them so, in every layer, at
# every step? The idea works because one can differentiate through it, and the derivative is the heart of
# this notebook.
#
# | | |
# |---|---|
# | **You need** | a2 (layers with a cache, backward passes); a3 helps to see the point |
# | **It takes** | about two and a half hours; two exercises and a starred one, one question |
# | **Afterwards you can** | write batch normalisation, both ways, and derive its gradient on paper; say what differs between training and test; show, with error bars, what it buys |
#
# After each exercise there is a cell with `check(...)`. It tries your function on small inputs and
# says what is wrong and where; run it as often as you like. What counts is checked again after you
# hand in, on other numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits
from cs_nn.gradcheck import check_gradient
from cs_nn.layers.losses import softmax_loss
from cs_nn.modules import Linear, ReLU, Sequential
from cs_nn.plots_statistics import plot_bands

# %% [markdown]
# ## 1 · The forward pass
#
# A batch `x` of $N$ examples with $D$ features comes in. Each feature, that is each *column*, is
# treated for itself:
#
# $$ \mu_j = \frac1N \sum_i x_{ij}, \qquad
#    \sigma_j^2 = \frac1N \sum_i (x_{ij} - \mu_j)^2, \qquad
#    \hat x_{ij} = \frac{x_{ij} - \mu_j}{\sqrt{\sigma_j^2 + \varepsilon}} $$
#
# The $\varepsilon$ inside the root keeps a column in which nothing varies from dividing by zero. The
# variance is the plain one, with $1/N$.
#
# But what if the next layer would be better off with a mean of 3? Normalising must not take
# anything away from what a network can express. So each column gets two numbers to learn, a **scale**
# $\gamma_j$ and a **shift** $\beta_j$:
#
# $$ \text{out}_{ij} = \gamma_j\, \hat x_{ij} + \beta_j $$
#
# With $\gamma_j = \sqrt{\sigma_j^2 + \varepsilon}$ and $\beta_j = \mu_j$ the layer does nothing at all: if
# the identity is best, it can be learnt. The difference is who is in charge. Before, mean and variance
# depended on all the weights below; now on two numbers.
#
# ### At test time
#
# A trained network should answer for one image at a time, and the answer must not depend on who else
# is in the queue. So while training, the layer keeps **running averages** of what it sees,
#
# $$ \text{running} \;\leftarrow\; \text{momentum}\cdot\text{running} + (1 - \text{momentum})\cdot\text{batch} , $$
#
# for the mean and for the variance, and at test time it normalises with these instead. (With a momentum of 0.9 the
# average remembers about ten batches.)
#
# **Exercise.** All that is not `x`, `gamma` or `beta` comes in the dictionary `bn_param`, and it is
# also where the running averages live between calls. Only training mode changes them; missing keys
# take their defaults.

# %% exercise="batchnorm_forward"
def batchnorm_forward(x, gamma, beta, bn_param):
    """Normalise each column of x over the batch, scale by gamma, shift by beta.

    x: inputs (N, D);  gamma, beta: (D,);
    bn_param: dict with mode ("train" or "test"), eps (1e-5), momentum (0.9), running_mean and
    running_var, each (D,) and zeros at first. Training mode writes the new running_mean and
    running_var into it. Everything else stays as it is. A float32 x stays float32, and so do the
    running averages.
    Returns out (N, D) and the cache for batchnorm_backward.
    """
    ### BEGIN SOLUTION
    D = x.shape[1]
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))
    if bn_param["mode"] == "test":
        normalised = (x - running_mean) / np.sqrt(running_var + eps)
        return gamma * normalised + beta, None

    mu = x.mean(axis=0)
    centred = x - mu
    var = np.mean(centred**2, axis=0)
    std = np.sqrt(var + eps)
    x_hat = centred / std
    bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mu
    bn_param["running_var"] = momentum * running_var + (1 - momentum) * var
    return gamma * x_hat + beta, (gamma, centred, std, x_hat)
    ### END SOLUTION


# %% check="batchnorm_forward"
check(batchnorm_forward)

# %% [markdown]
# ### An experiment: who sits beside you
#
# One example, 500 times; the 19 others in the batch are drawn afresh each time. The blue
# histogram is what comes out for our example in training mode. The line is what comes out in test mode.
#
# Before you run it: in training mode, is the output of an example a function of the example?

# %% tags=["experiment"]
rng = np.random.default_rng(0)
mine = np.array([[1.0]])
bn_param = {"mode": "train"}
outputs = []
for _ in range(500):
    batch = np.concatenate([mine, rng.normal(size=(19, 1))])
    out, _ = batchnorm_forward(batch, np.ones(1), np.zeros(1), bn_param)
    outputs.append(out[0, 0])
out, _ = batchnorm_forward(mine, np.ones(1), np.zeros(1), bn_param | {"mode": "test"})

figure, axes = plt.subplots(figsize=(7, 2.8), layout="constrained")
axes.hist(outputs, bins=40, color="C0", label="training mode: the company counts")
axes.axvline(out[0, 0], color="C1", label="test mode")
axes.set(xlabel="output for the input 1.0", ylabel="how often", title="same example, other neighbours")
axes.legend()
plt.show()

# %% [markdown]
# In training, an example is disturbed at random by its neighbours. That sounds like a flaw. It acts as a mild
# regulariser: the network cannot rely on the exact value of any activation. (Where have you seen
# noise used like this? Notebook 3 makes a method of it.) How should the width of the histogram change
# with the size of the batch?
#
# ## 2 · The way back, through the graph
#
# An input $x_{ij}$ influences the loss on **three paths**: directly; through the mean, which is
# subtracted from *every* example; and through the variance, by which every example is divided.
# Whoever forgets one of the paths gets a gradient that looks reasonable and is wrong.
#
# Columns do not meet, so look at one of them and drop $j$. Name every intermediate result:
#
# | node | formula | who uses it |
# |---|---|---|
# | mean | $\mu = \frac1N\sum_i x_i$ | `c` of every example |
# | centred | $c_i = x_i - \mu$ | the variance, and $\hat x_i$ |
# | variance | $v = \frac1N\sum_i c_i^2$ | the standard deviation |
# | std | $s = \sqrt{v + \varepsilon}$ | $\hat x$ of every example |
# | normalised | $\hat x_i = c_i / s$ | the output |
# | output | $y_i = \gamma\,\hat x_i + \beta$ | the loss |
#
# Now walk from the bottom of the table to the top. For a node, ask *who uses it*; each user sends back
# its own gradient times a local slope, and **what comes from several users is added**. Three of the local
# slopes, to begin with:
#
# $$ \frac{\partial \hat x_i}{\partial s} = -\frac{c_i}{s^2}, \qquad
#    \frac{\partial s}{\partial v} = \frac{1}{2s}, \qquad
#    \frac{\partial v}{\partial c_i} = \frac{2 c_i}{N} $$
#
# - $s$, $v$, $\mu$, $\gamma$ and $\beta$ are one number per column, used by $N$ examples: their
#   gradients are sums over the batch.
# - $c_i$ has two users, and so has $x_i$.
#
# **Exercise.** Write the backward pass as the mirror image of your forward pass, one line for each node,
# with the names `dx_hat`, `dstd`, `dvar`, …, each of the shape of what it belongs to. If
# your forward pass did several things in one line, take it apart first.

# %% exercise="batchnorm_backward"
def batchnorm_backward(dout, cache):
    """Gradients (dx, dgamma, dbeta) of a training-mode batchnorm_forward, node by node.

    dout: upstream gradient (N, D);  cache: from batchnorm_forward.
    Returns dx (N, D), dgamma (D,), dbeta (D,).
    """
    ### BEGIN SOLUTION
    gamma, centred, std, x_hat = cache
    N = dout.shape[0]
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * x_hat, axis=0)
    dx_hat = gamma * dout
    dstd = np.sum(dx_hat * -centred / std**2, axis=0)
    dvar = dstd / (2 * std)
    dcentred = dx_hat / std + dvar * 2 * centred / N
    dmu = -np.sum(dcentred, axis=0)
    dx = dcentred + dmu / N
    return dx, dgamma, dbeta
    ### END SOLUTION


# %% check="batchnorm_backward"
check(batchnorm_backward)

# %% [markdown]
# And by measurement, as always:

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x, gamma, beta = rng.normal(2, 3, size=(6, 4)), rng.normal(size=4), rng.normal(size=4)
_, cache = batchnorm_forward(x, gamma, beta, {"mode": "train"})
check_gradient(
    lambda x, gamma, beta: batchnorm_forward(x, gamma, beta, {"mode": "train"})[0],
    lambda dout: batchnorm_backward(dout, cache),
    (x, gamma, beta),
)

# %% [markdown]
# ## 3 · ★ The way back, on paper
#
# *Optional; nothing later needs it.* The graph took seven lines. Now derive the whole Jacobian of the
# normalisation of one column, $\hat x = c / s$, at once. Two small results first, with
# $\delta_{ik} = 1$ if $i = k$, else 0:
#
# $$ \frac{\partial c_i}{\partial x_k} = \delta_{ik} - \frac1N, \qquad
#    \frac{\partial v}{\partial x_k} = \frac2N \sum_i c_i\Bigl(\delta_{ik} - \frac1N\Bigr)
#    = \frac2N\, c_k , $$
#
# where the $\frac1N$ dropped out because $\sum_i c_i = 0$. Hence
# $\partial s/\partial x_k = \frac{1}{2s}\cdot\frac{2 c_k}{N} = \frac{c_k}{N s} = \frac{\hat x_k}{N}$. And by the
# quotient rule
#
# $$ \frac{\partial \hat x_i}{\partial x_k}
#    = \frac1s\,\frac{\partial c_i}{\partial x_k} - \frac{c_i}{s^2}\,\frac{\partial s}{\partial x_k}
#    = \frac1s\Bigl(\delta_{ik} - \frac1N - \frac{\hat x_i\,\hat x_k}{N}\Bigr) . $$
#
# A beautiful matrix, and it is symmetric. It says: take a vector, remove its mean (that is $-\frac1N$),
# remove its part along $\hat x$ (the last term), divide by $s$. No wonder: if $x$ is shifted by a constant, or stretched,
# $\hat x$ does not change, so a gradient in these two directions has nothing to say.
#
# **Exercise.** What remains is the product with the upstream gradient,
# $\mathrm{d}x_k = \sum_i \gamma\,\mathrm{d}y_i\; \partial\hat x_i/\partial x_k$. Multiply out on paper, recognise two
# sums that you need anyway, and write it without ever forming an $N \times N$ matrix. The
# gradient for $x$ fits in one line.

# %% exercise="batchnorm_backward_alt"
def batchnorm_backward_alt(dout, cache):
    """The same gradients as batchnorm_backward, by the simplified formula.

    dout: upstream gradient (N, D);  cache: from batchnorm_forward.
    Returns dx (N, D), dgamma (D,), dbeta (D,).
    """
    ### BEGIN SOLUTION
    gamma, _, std, x_hat = cache
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * x_hat, axis=0)
    dx = gamma / std * (dout - (dbeta + x_hat * dgamma) / len(dout))
    return dx, dgamma, dbeta
    ### END SOLUTION


# %% check="batchnorm_backward_alt"
check(batchnorm_backward_alt)

# %% [markdown]
# ## 4 · What is it good for?
#
# The claims of the paper, and of every lecture since: batch normalisation *allows higher learning rates*, and it
# *forgives bad initialisation*. Claims about training need care. Two runs with different random
# numbers differ, so one run against one run shows nothing. Below, **each point is five runs** with
# different weights and mini-batches. The line is the mean; the band is its 95 % confidence interval: if
# two bands do not overlap, luck is a poor explanation.
#
# The network: five hidden layers of 50 units, on the digits, 150 small steps. Here it is, with your functions in a
# layer of its own, put between the affine layer and ReLU.

# %%
class BatchNorm:
    """Batch normalisation as a layer, with scale and shift to learn."""

    def __init__(self, width):
        self.gamma, self.beta = np.ones(width), np.zeros(width)
        self.bn_param = {"mode": "train"}

    def forward(self, x):
        out, self.cache = batchnorm_forward(x, self.gamma, self.beta, self.bn_param)
        return out

    def backward(self, dout):
        dx, self.dgamma, self.dbeta = batchnorm_backward(dout, self.cache)
        return dx

    def update(self, learning_rate):
        self.gamma = self.gamma - learning_rate * self.dgamma
        self.beta = self.beta - learning_rate * self.dbeta


def deep_network(normalised, weight_scale, rng, width=50, depth=5):
    """weight_scale: standard deviation of all weights; None for a3's 2/fan_in."""
    layers, fan_in = [], 64
    for _ in range(depth):
        layers += [Linear(fan_in, width, rng)]
        layers += [BatchNorm(width), ReLU()] if normalised else [ReLU()]
        fan_in = width
    layers += [Linear(width, 10, rng)]
    for layer in layers:
        if weight_scale is not None and isinstance(layer, Linear):
            layer.w = weight_scale * rng.standard_normal(layer.w.shape)
    return Sequential(layers)


def train_and_validate(network, data, learning_rate, rng, steps=150, batch_size=60):
    """Plain mini-batch descent; returns the accuracy on the validation images."""
    with np.errstate(all="ignore"):  # some of these runs are meant to explode
        for _ in range(steps):
            batch = rng.choice(len(data.x_train), size=batch_size, replace=False)
            loss, dscores = softmax_loss(network.forward(data.x_train[batch]), data.y_train[batch])
            if not np.isfinite(loss):
                return 0.1  # no better than guessing
            network.backward(dscores)
            network.update(learning_rate)
        for layer in network.layers:
            if isinstance(layer, BatchNorm):
                layer.bn_param["mode"] = "test"
        return np.mean(network.forward(data.x_val).argmax(axis=1) == data.y_val)


def compare(settings, make_and_train, seeds=5):
    """Accuracies (seeds, settings), with and without batch normalisation."""
    return {
        name: [[make_and_train(normalised, s, np.random.default_rng(seed)) for s in settings]
               for seed in range(seeds)]
        for name, normalised in (("with batch norm", True), ("without", False))
    }

# %% [markdown]
# ### Learning rates
#
# The weights start as a3 recommends. Rates from 0.001 to 10, on a logarithmic axis. Where do you expect each
# curve to break off on the right? (About half a minute.)

# %% tags=["experiment"]
digits = load_digits()
rates = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10])
by_rate = compare(
    rates,
    lambda normalised, rate, rng: train_and_validate(
        deep_network(normalised, None, rng), digits, rate, rng
    ),
)
axes = plot_bands(rates, by_rate, marker="o")
axes.axhline(0.1, color="0.5", ls=":", label="guessing")
axes.set(xscale="log", xlabel="learning rate", ylabel="validation accuracy after 150 steps")
axes.set_title("batch norm: higher rates, and more rates that work")
axes.legend()
plt.show()

# %% [markdown]
# Without normalisation there is a hill: too slow on the left, a cliff on the right. With it, the hill becomes a
# plateau. Over how many factors of ten is each of the two within 5 % of its own best? And what does that
# save you, when you do not know the right rate?
#
# ### Weight scales
#
# Now the rate stays at 0.1 and the weights start with a standard deviation from 0.001 to 3, the same in
# all layers: all those mistakes of a3 on purpose.

# %% tags=["experiment"]
scales = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3])
by_scale = compare(
    scales,
    lambda normalised, scale, rng: train_and_validate(
        deep_network(normalised, scale, rng), digits, 0.1, rng
    ),
)
axes = plot_bands(scales, by_scale, marker="o")
axes.axhline(0.1, color="0.5", ls=":", label="guessing")
axes.axvline(np.sqrt(2 / 50), color="C2", ls="--", label=r"$\sqrt{2/\mathrm{fan\_in}}$")
axes.set(xscale="log", xlabel="standard deviation of the first weights")
axes.set(ylabel="validation accuracy after 150 steps", title="batch norm forgives a bad start")
axes.legend(loc=(0.02, 0.13))
plt.show()

# %% [markdown]
# Three factors of ten instead of one narrow peak. On the right the normalised network loses a little,
# although its activations are as well-behaved as ever. Something must be slower there: the question below leads
# to it.

# %% [markdown] question="scale-invariance" points=2
# **Question 1** (2 points, read by a person). A batch normalisation follows an affine layer
# $x\,w + b$; take $\varepsilon = 0$. (a) What happens to the output if you add 5 to the bias $b$, and what is
# therefore the gradient for $b$? (b) What happens to the output if all weights are
# multiplied by $a > 0$, and what happens to the gradient for $w$? Use it to explain why the
# curve falls off slowly on the right of the last plot.
#
# ### BEGIN SOLUTION
# (a) Nothing: the mean rises by 5 and is subtracted. So the gradient for $b$ is exactly 0, and the bias can
# be left out; $\beta$ does its work.
# (b) Nothing either: mean and standard deviation are both multiplied by $a$, which cancels. With
# $L(aw) = L(w)$, differentiating gives $a\,L'(aw) = L'(w)$: the gradient at $aw$ is $a$ times *smaller*.
# At the same time the weights are $a$ times larger, so a step changes them relatively by
# $1/a^2$ of what it did. Large first weights mean a small effective learning rate: 150 steps at 0.1 are not
# enough. (Small weights: the opposite, large steps, after which the weights are larger and the
# steps smaller: the layer regulates itself.)
#
# *Rubric.* 1 point for (a): no change, gradient zero, because the mean takes it away. 1 point for (b): no
# change in the output *and* gradient divided by $a$, with the conclusion "learns more slowly"; half a point
# for the invariance alone.
# ### END SOLUTION

# %% [markdown]
# **What you have learnt.** Batch normalisation makes the statistics of each layer its own affair: two
# learned numbers per unit. The price is that examples of a batch depend on one another, that
# training and test differ, and that the gradient has three paths. It tolerates learning rates and weights
# that kill the same network without it.
#
# **Next:** what to do when the batch is too small to take statistics from.
