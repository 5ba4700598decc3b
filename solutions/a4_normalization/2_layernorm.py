# %% [markdown]
# # Along another axis
#
# Batch normalisation asks the other examples of a batch for their mean. What if there are none? Large
# networks are trained with two images per graphics card; a robot learns from one moment at a time; in a
# sentence, every word has its own step. The way out is an idea so simple that it took a year to be
# found: normalise along another axis.
#
# | | |
# |---|---|
# | **You need** | `1_batchnorm`: two of your functions are used again |
# | **It takes** | about two hours, the starred half included; two exercises and four starred ones, one question |
# | **Afterwards you can** | normalise along any axes and write the backward pass without deriving it anew; choose between batch, layer, group and instance norm |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.data.datasets import load_digits
from cs_nn.gradcheck import check_gradient
from cs_nn.layers.losses import softmax_loss
from cs_nn.modules import Linear, ReLU, Sequential
from cs_nn.plots_statistics import plot_bands

# %%
reuse("1_batchnorm", "batchnorm_forward", "batchnorm_backward")

# %% [markdown]
# ## 1 · Layer normalisation
#
# Batch norm takes a *column*, one feature of all examples. **Layer norm** takes a *row*, all features
# of one example (Ba, Kiros and Hinton, 2016):
#
# $$ \mu_i = \frac1D \sum_j x_{ij}, \qquad
#    \sigma_i^2 = \frac1D \sum_j (x_{ij} - \mu_i)^2, \qquad
#    \text{out}_{ij} = \gamma_j\,\frac{x_{ij} - \mu_i}{\sqrt{\sigma_i^2 + \varepsilon}} + \beta_j $$
#
# No example sees another. So there is nothing to remember for later, no running average, and training and test
# are the same. But look closely at the indices: mean and variance belong to an *example*, while $\gamma$ and $\beta$
# still belong to a *feature*.

# %% exercise="layernorm_forward"
def layernorm_forward(x, gamma, beta, ln_param):
    """Normalise each row of x over its features, scale by gamma, shift by beta.

    x: inputs (N, D);  gamma, beta: (D,);  ln_param: dict with eps (1e-5), to be added to the
    variance inside the root. All stay as they are.
    Returns out (N, D) and the cache for layernorm_backward.
    """
    ### BEGIN SOLUTION
    centred = x - np.mean(x, axis=1, keepdims=True)
    var = np.mean(centred * centred, axis=1, keepdims=True)
    std = np.sqrt(var + ln_param.get("eps", 1e-5))
    normalised = centred / std
    return normalised * gamma + beta, (normalised, std, gamma)
    ### END SOLUTION


# %% check="layernorm_forward"
check(layernorm_forward)

# %% [markdown]
# ### The way back
#
# You need not start from scratch. In `1_batchnorm`, $\hat x$ was made from one column of $N$ numbers, and
# its gradient has three paths. Here it is made from one row of $D$ numbers, in exactly the same way. Three
# questions are left:
#
# 1. Over which axis do the gradients of the mean and of the variance sum up now? Which of the $N$ become $D$?
# 2. Over which axis does the gradient of $\gamma$ sum up? (Who uses $\gamma_j$?)
# 3. Batch norm may multiply by $\gamma$ early or late, since all numbers that meet in one mean share the same
#    $\gamma$. Is this still so?

# %% exercise="layernorm_backward"
def layernorm_backward(dout, cache):
    """Gradients (dx, dgamma, dbeta) of layernorm_forward.

    dout: upstream gradient (N, D);  cache: from layernorm_forward.
    Returns dx (N, D), dgamma (D,), dbeta (D,).
    """
    ### BEGIN SOLUTION
    normalised, std, gamma = cache
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * normalised, axis=0)
    dnormalised = dout * gamma
    along_ones = np.mean(dnormalised, axis=1, keepdims=True)
    along_rows = normalised * np.mean(dnormalised * normalised, axis=1, keepdims=True)
    dx = (dnormalised - along_ones - along_rows) / std
    return dx, dgamma, dbeta
    ### END SOLUTION


# %% check="layernorm_backward"
check(layernorm_backward)

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x, gamma, beta = rng.normal(2, 3, size=(6, 4)), rng.normal(size=4), rng.normal(size=4)
_, cache = layernorm_forward(x, gamma, beta, {})
check_gradient(
    lambda x, gamma, beta: layernorm_forward(x, gamma, beta, {})[0],
    lambda dout: layernorm_backward(dout, cache),
    (x, gamma, beta),
)

# %% [markdown]
# ## 2 · An experiment: how small may a batch be?
#
# The digits again, three hidden layers of 50 units, and batches of 2 to 64 images. Every run sees the
# same *number of images* (4,800), so small batches take more steps. Five seeds for each point, with 95 %
# confidence intervals. Before you run it: which curve should not care about the size of the batch? What
# is special about a batch of *two* for batch norm; what values can $\hat x$ have?
# (About half a minute.)

# %%
class Normalise:
    """A normalisation as a layer; kind is "batch" or "layer"."""

    def __init__(self, kind, width):
        self.kind, self.param = kind, {"mode": "train"}
        self.gamma, self.beta = np.ones(width), np.zeros(width)

    def forward(self, x):
        forward = batchnorm_forward if self.kind == "batch" else layernorm_forward
        out, self.cache = forward(x, self.gamma, self.beta, self.param)
        return out

    def backward(self, dout):
        backward = batchnorm_backward if self.kind == "batch" else layernorm_backward
        dx, self.dgamma, self.dbeta = backward(dout, self.cache)
        return dx

    def update(self, learning_rate):
        self.gamma = self.gamma - learning_rate * self.dgamma
        self.beta = self.beta - learning_rate * self.dbeta


def run(kind, batch_size, data, rng, images=4800, learning_rate=0.05, width=50):
    """Train on so many images in all; returns the accuracy on the validation images."""
    layers, fan_in = [], 64
    for _ in range(3):
        layers += [Linear(fan_in, width, rng)]
        layers += [ReLU()] if kind == "none" else [Normalise(kind, width), ReLU()]
        fan_in = width
    network = Sequential(layers + [Linear(width, 10, rng)])
    for _ in range(images // batch_size):
        batch = rng.choice(len(data.x_train), size=batch_size, replace=False)
        _, dscores = softmax_loss(network.forward(data.x_train[batch]), data.y_train[batch])
        network.backward(dscores)
        network.update(learning_rate)
    for layer in network.layers:
        if isinstance(layer, Normalise):
            layer.param["mode"] = "test"
    return np.mean(network.forward(data.x_val).argmax(axis=1) == data.y_val)


# %% tags=["experiment"]
digits = load_digits()
sizes = np.array([2, 4, 8, 16, 32, 64])
accuracies = {
    name: [[run(kind, size, digits, np.random.default_rng(seed)) for size in sizes]
           for seed in range(5)]
    for name, kind in (("batch norm", "batch"), ("layer norm", "layer"), ("none", "none"))
}
axes = plot_bands(sizes, accuracies, marker="o")
axes.set_xscale("log", base=2)
axes.set(xlabel="images in a batch", ylabel="validation accuracy after 4,800 images")
axes.set(xticks=sizes, xticklabels=sizes, title="batch norm needs company")
plt.show()

# %% [markdown]
# With two examples, each $\hat x$ is $+1$ or $-1$, whatever the input was: only *which one is larger* survives.
# With four it recovers, and for large batches it does not matter here which
# of the two you take. Why do all three curves sink on the right? (It has nothing to do with normalisation.)

# %% [markdown] question="which-norm" points=2
# **Question 2** (2 points, read by a person). For each case say which normalisation you would take, batch
# or layer norm, and why in one sentence: (a) classifying photographs, 256 per batch;
# (b) a network that reads a sentence word by word, where sentences have different
# lengths; (c) a network whose answer for a patient must not depend on who else was in the training
# batch, for reasons of privacy. (d) A colleague's network with batch norm has 98 % accuracy while training, and
# 11 % when it is asked for one image at a time. Name two possible causes.
#
# ### BEGIN SOLUTION
# (a) Batch norm: large batches give good statistics; a feature means the same in each image; its noise
# regularises. (b) Layer norm: statistics per step would need an average for every position, and few sentences reach the
# late ones. (c) Layer norm (or group norm): no example influences another, not in the forward pass and not
# in the normalisation's gradient. (d) It still runs in training mode (a batch of one gives $\hat x = 0$ for
# everybody, always the same answer: 10 % is guessing); the running averages were never updated, or have not yet settled
# (too few steps for the momentum), or were not saved with the weights; test images are prepared differently.
#
# *Rubric.* Half a point for each of (a), (b), (c) with its reason. Half a point for (d) with two
# causes that really separate training from test mode; "overfitting" is none, as it would not depend on
# asking for one image at a time.
# ### END SOLUTION

# %% [markdown]
# ## 3 · ★ Images: which pixels belong together?
#
# *Optional from here; nothing later needs it.* The activations of a convolutional layer have the shape
# $(N, C, H, W)$: for each of $N$ images $C$ **channels**, maps of $H \times W$ positions. A mean may be taken
# over any of these axes, and four choices have names. The blue entries below share one mean and one
# variance:

# %% tags=["experiment"]
N, C = 6, 6
choices = {
    "batch norm": np.ones((N, 1)) * (np.arange(C) == 0),
    "layer norm": (np.arange(N) == 0)[:, None] * np.ones((1, C)),
    "group norm, G = 2": (np.arange(N) == 0)[:, None] * (np.arange(C) < C // 2),
    "instance norm": (np.arange(N) == 0)[:, None] * (np.arange(C) == 0),
}
figure, row = plt.subplots(1, 4, figsize=(10, 2.9), layout="constrained")
for axes, (name, together) in zip(row, choices.items()):
    axes.pcolormesh(together, cmap="Blues", edgecolors="0.6", vmin=0, vmax=1.4)
    axes.invert_yaxis()
    axes.set(title=name, xlabel="channel", ylabel="image", aspect="equal", xticks=[], yticks=[])
figure.suptitle("each cell is a whole map of H·W positions", fontsize=10)
plt.show()

# %% [markdown]
# ### ★ Spatial batch norm
#
# A convolution treats all positions alike, so a channel is one feature, seen at $H \cdot W$ places of $N$ images:
# $N \cdot H \cdot W$ examples of it. Mean and variance are taken over all of them, $\gamma$ and $\beta$ have one number
# for each channel. You could write this again with three axes in every sum. Or you notice that it *is* the batch
# norm you have, if the array is arranged so that each row is one position and each column one channel. Take
# care: `reshape` alone does not bring the channel to the end.

# %% exercise="spatial_batchnorm_forward"
def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    """Batch norm of images: each channel over all images and positions.

    x: (N, C, H, W);  gamma, beta: (C,);  bn_param: as for batchnorm_forward, the running averages
    have the shape (C,).
    Returns out (N, C, H, W) and the cache for spatial_batchnorm_backward.
    """
    ### BEGIN SOLUTION
    N, C, H, W = x.shape
    rows = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    out, cache = batchnorm_forward(rows, gamma, beta, bn_param)
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2), cache
    ### END SOLUTION


# %% check="spatial_batchnorm_forward"
check(spatial_batchnorm_forward)


# %% exercise="spatial_batchnorm_backward"
def spatial_batchnorm_backward(dout, cache):
    """Gradients (dx, dgamma, dbeta) of a training-mode spatial_batchnorm_forward.

    dout: upstream gradient (N, C, H, W);  cache: from the forward pass.
    Returns dx (N, C, H, W), dgamma (C,), dbeta (C,).
    """
    ### BEGIN SOLUTION
    N, C, H, W = dout.shape
    rows = dout.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    dx, dgamma, dbeta = batchnorm_backward(rows, cache)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta
    ### END SOLUTION


# %% check="spatial_batchnorm_backward"
check(spatial_batchnorm_backward)

# %% [markdown]
# ### ★ Group norm
#
# Layer norm lumps all channels of an image together, although one may look for edges and the other for
# colour. **Group norm** (Wu and He, 2018) is the compromise: the channels are divided into $G$ groups of
# *neighbours*, channels $0, 1, \dots, C/G - 1$ being the first group; each group of each image, with all its
# positions, has a mean and a variance of its own. $\gamma$ and $\beta$ stay one number per channel. It needs no
# batch, and for images it beats layer norm clearly.
#
# Some programs keep $\gamma$ as $(C,)$, others as $(1, C, 1, 1)$. Take both, and give gradients in the shape that came
# in.

# %% exercise="groupnorm_forward"
def groupnorm_forward(x, gamma, beta, G, gn_param):
    """Normalise each group of C/G neighbouring channels of each image; scale and shift per channel.

    x: (N, C, H, W);  gamma, beta: (C,) or (1, C, 1, 1);  G: number of groups, divides C;
    gn_param: dict with eps (1e-5). All stay as they are.
    Returns out (N, C, H, W) and the cache for groupnorm_backward.
    """
    ### BEGIN SOLUTION
    N, C, H, W = x.shape
    groups = x.reshape(N, G, C // G * H * W)
    centred = groups - groups.mean(axis=2, keepdims=True)
    std = np.sqrt(np.mean(centred**2, axis=2, keepdims=True) + gn_param.get("eps", 1e-5))
    normalised = (centred / std).reshape(x.shape)
    out = normalised * gamma.reshape(1, C, 1, 1) + beta.reshape(1, C, 1, 1)
    return out, (normalised, std, gamma, beta.shape)
    ### END SOLUTION


# %% check="groupnorm_forward"
check(groupnorm_forward)


# %% exercise="groupnorm_backward"
def groupnorm_backward(dout, cache):
    """Gradients (dx, dgamma, dbeta) of groupnorm_forward.

    dout: upstream gradient (N, C, H, W);  cache: from groupnorm_forward.
    Returns dx (N, C, H, W), and dgamma and dbeta in the shapes of gamma and beta.
    """
    ### BEGIN SOLUTION
    normalised, std, gamma, beta_shape = cache
    N, C, H, W = dout.shape
    dbeta = dout.sum(axis=(0, 2, 3)).reshape(beta_shape)
    dgamma = np.sum(dout * normalised, axis=(0, 2, 3)).reshape(gamma.shape)
    groups = (N, std.shape[1], -1)
    d = (dout * gamma.reshape(1, C, 1, 1)).reshape(groups)
    n = normalised.reshape(groups)
    along_n = n * np.mean(d * n, axis=2, keepdims=True)
    dx = (d - d.mean(axis=2, keepdims=True) - along_n) / std
    return dx.reshape(dout.shape), dgamma, dbeta
    ### END SOLUTION


# %% check="groupnorm_backward"
check(groupnorm_backward)

# %% [markdown]
# **What you have learnt.** One formula, many axes. Batch norm shares statistics between examples, layer, group and
# instance norm within one. The backward pass is always the same: remove the mean, remove the
# part along $\hat x$, divide by the standard deviation, over the axes of the forward pass.
#
# **Next:** noise in training helped a little here, by accident. Dropout does it on purpose.
