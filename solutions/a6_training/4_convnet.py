# %% [markdown]
# # The whole thing: a convolutional network, and what to do with several
#
# Everything of this course comes together: layers and losses (a2), initialisation (a3), augmentation (a4), Adam and a schedule
# (a5), your convolution and your training loop. You build a small convolutional network, bring it to 99 % on handwritten digits, look
# into it, let several networks vote, and find out when a network can pass on what it has learnt.
#
# | | |
# |---|---|
# | **You need** | `1_convolution`, `2_babysitting` |
# | **It takes** | about two hours; two exercises, one question, and five more exercises for the curious (★) |
# | **Afterwards you can** | put together a network from layers and train it properly; say what its filters see; explain why ensembles help and what they cost; transfer what a network has learnt to a task with few examples |

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.data.augmentation import random_affine
from cs_nn.data.cifar10 import CLASSES, load_cifar10
from cs_nn.data.datasets import load_digits
from cs_nn.layers.activations import relu_backward, relu_forward
from cs_nn.layers.affine import affine_backward, affine_forward
from cs_nn.layers.losses import softmax_loss
from cs_nn.modules import TwoLayerNet
from cs_nn.optim.first_order import adam, sgd
from cs_nn.optim.schedules import cosine_decay
from cs_nn.plots import plot_curves, plot_history, show_images

reuse("1_convolution", "conv_forward", "conv_backward", "max_pool_forward", "max_pool_backward")
reuse("2_babysitting", "check_initial_loss", "overfit_small_batch", "train")

# %% [markdown]
# ## 1 · A convolutional network
#
# $$ \text{conv} \to \text{ReLU} \to 2{\times}2\ \text{max pool} \to \text{affine} \to \text{ReLU} \to \text{affine} \to \text{softmax} $$
#
# The convolution has stride 1 and pads so that the size stays; the pooling has stride 2 and halves it. (How many numbers arrive at the first affine
# layer? It takes `(N, F, H/2, W/2)` as it comes.) The interface is that of your `TwoLayerNet` from a2: `loss(X)` gives scores, `loss(X, y)` gives
# the loss and a dict of gradients. Regularisation is $\tfrac12\,\text{reg}\,(\lVert W_1 \rVert^2 + \lVert W_2 \rVert^2 + \lVert W_3 \rVert^2)$, biases excluded.
#
# Forwards, keep every cache. Backwards, use them in reverse order. There is nothing else to it; if you get lost, write the shape of each intermediate result beside its line.

# %% exercise="ConvNet"
class ConvNet:
    """conv – relu – 2×2 max pool – affine – relu – affine – softmax."""

    def __init__(
        self, input_dim=(1, 8, 8), num_filters=32, filter_size=3, hidden_dim=100, num_classes=10,
        weight_scale=1e-3, reg=0.0, rng=None,
    ):  # fmt: skip
        """Normal weights with standard deviation weight_scale, biases zero.

        input_dim: (C, H, W) of an image;  filter_size: odd, the filters are square;
        reg: strength of the weight penalty;  rng: numpy.random.Generator, None for a fresh one.
        Makes self.params: W1 (F, C, HH, WW), b1 (F,), W2 (D, hidden_dim), b2, W3, b3.
        """
        ### BEGIN SOLUTION
        rng = np.random.default_rng() if rng is None else rng
        C, H, W = input_dim
        pooled = num_filters * (H // 2) * (W // 2)
        self.reg = reg
        self.params = {
            "W1": weight_scale * rng.normal(size=(num_filters, C, filter_size, filter_size)),
            "b1": np.zeros(num_filters),
            "W2": weight_scale * rng.normal(size=(pooled, hidden_dim)),
            "b2": np.zeros(hidden_dim),
            "W3": weight_scale * rng.normal(size=(hidden_dim, num_classes)),
            "b3": np.zeros(num_classes),
        }
        ### END SOLUTION

    def loss(self, X, y=None):
        """Scores (N, classes) of images X (N, C, H, W); or, with labels y (N,), the loss and a
        dict with the gradient of each entry of params."""
        ### BEGIN SOLUTION
        W1, b1, W2, b2, W3, b3 = (self.params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
        conv_param = {"stride": 1, "pad": (W1.shape[2] - 1) // 2}
        pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}
        out, conv = conv_forward(X, W1, b1, conv_param)
        out, relu1 = relu_forward(out)
        out, pool = max_pool_forward(out, pool_param)
        out, affine1 = affine_forward(out, W2, b2)
        out, relu2 = relu_forward(out)
        scores, affine2 = affine_forward(out, W3, b3)
        if y is None:
            return scores

        loss, dout = softmax_loss(scores, y)
        loss += 0.5 * self.reg * sum(np.sum(W**2) for W in (W1, W2, W3))
        dout, dW3, db3 = affine_backward(dout, affine2)
        dout = relu_backward(dout, relu2)
        dout, dW2, db2 = affine_backward(dout, affine1)
        dout = max_pool_backward(dout, pool)
        dout = relu_backward(dout, relu1)
        _, dW1, db1 = conv_backward(dout, conv)
        dW1, dW2, dW3 = dW1 + self.reg * W1, dW2 + self.reg * W2, dW3 + self.reg * W3
        return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "W3": dW3, "b3": db3}
        ### END SOLUTION


# %% check="ConvNet"
check(ConvNet)

# %% [markdown]
# Now the discipline of `2_babysitting`, steps 1 and 2, before anything else:

# %% tags=["experiment"]
digits = load_digits(dtype=np.float32)
net = ConvNet(weight_scale=0.05, rng=np.random.default_rng(0))
loss, _ = net.loss(digits.x_train[:200], digits.y_train[:200])
print(f"first loss {loss:.3f}, like log 10: {check_initial_loss(loss, 10)}")
losses = overfit_small_batch(net, digits.x_train[:20], digits.y_train[:20], 0.3, 150)
right = np.mean(net.loss(digits.x_train[:20]).argmax(axis=1) == digits.y_train[:20])
print(f"twenty examples by heart: loss {losses[-1]:.4f}, accuracy {right:.2f}")

# %% [markdown]
# ## 2 · To 99 %
#
# 1,197 training images are few. But a digit that is turned a little, shifted a little, sheared a little is still the same digit, and
# `random_affine` (a4) makes as many such variants as we like. Twenty variants of each image, three epochs, Adam, a cosine schedule.
#
# The cell measures how long one step takes with *your* convolution, and says what to expect. If it is more than two minutes, lower `COPIES` (5 copies still give
# about 98 %), and think about the loops in `1_convolution`. Before you run it: your two-layer net reached about 97 %. How
# many of the 300 test images will be wrong now?

# %%
COPIES, EPOCHS = 20, 3


def float32(net):
    """The same network with parameters of half the size: faster, and exact enough to train."""
    net.params = {name: w.astype(np.float32) for name, w in net.params.items()}
    return net


def accuracy(net, X, y):
    answers = [net.loss(X[i : i + 100]).argmax(axis=1) for i in range(0, len(X), 100)]
    return np.mean(np.concatenate(answers) == y)


# %% tags=["experiment"]
rng = np.random.default_rng(0)
variants = [random_affine(digits.x_train, rng) for _ in range(COPIES - 1)]
show_images([digits.x_train[4, 0], *(images[4, 0] for images in variants[:9])])
plt.show()
x_big = np.concatenate([digits.x_train, *variants])
y_big = np.tile(digits.y_train, COPIES)

convnet = float32(ConvNet(num_filters=32, hidden_dim=128, weight_scale=0.05, rng=np.random.default_rng(1)))
begin = time.perf_counter()
convnet.loss(x_big[:50], y_big[:50])
seconds = (time.perf_counter() - begin) * EPOCHS * len(x_big) / 50
print(f"{EPOCHS * len(x_big) // 50} steps, about {seconds:.0f} seconds")
begin = time.perf_counter()
history = train(convnet, x_big, y_big, digits.x_val, digits.y_val, adam,
                lambda epoch: cosine_decay(3e-3, epoch, EPOCHS), EPOCHS, 50, rng)  # fmt: skip
test_accuracy = accuracy(convnet, digits.x_test, digits.y_test)
print(f"{time.perf_counter() - begin:.0f} seconds")
plot_history(history, f"test accuracy {test_accuracy:.1%}")
plt.show()

# %% [markdown]
# Here are those that it got wrong, with its answer and the right one. How many would you have got right?

# %% tags=["experiment"]
answers = convnet.loss(digits.x_test).argmax(axis=1)
wrong = np.flatnonzero(answers != digits.y_test)
if len(wrong):
    show_images(digits.x_test[wrong[:10], 0], [f"{answers[i]}, not {digits.y_test[i]}" for i in wrong[:10]])
    plt.show()

# %% [markdown] question="augment" points=2
# **Question 4** (2 points, read by a person). In the history above, training accuracy is *lower* than validation accuracy in the first
# epochs. (a) Give two reasons. (b) Somebody augments the digits with left–right flips, which
# helps a lot on CIFAR-10. What happens, and what is the general rule for choosing augmentations? (c) Somebody else augments *before* splitting into training and validation set. What
# does she see in her curves, and what is wrong with them?
#
# ### BEGIN SOLUTION
# (a) The training images are distorted and harder, the validation images are not. And the training accuracy is measured during the epoch, with the network as it was then, the validation
# accuracy after it. (b) A mirrored 2, 3, 5 or 7 is no digit that occurs; the net spends capacity on it, and classes come closer (mirrored 2 and 5, 6 and a mirrored "d"): accuracy falls a little. Rule: only transformations after which a person would give
# the same label, and which may occur in the test data. (c) Variants of the same image are on both sides: the network has seen nearly the same validation images in training. The validation
# curve follows the training curve, overfitting becomes invisible, and the test accuracy comes as a bad surprise.
#
# *Rubric.* (a) 0.5, half for each reason. (b) 0.75: effect with an example, 0.25; rule, 0.5. (c) 0.75: leak named, and what it does to the curve.
# ### END SOLUTION

# %% [markdown]
# ## 3 · What do they see?
#
# First the filters of a *two-layer* net (the twenty strongest): each hidden unit has one weight per pixel, so its weights are an image. Then the 32 filters
# of the convolution, $3 \times 3$. Which of them do you recognise from `1_convolution`?

# %% tags=["experiment"]
two_layer = TwoLayerNet(64, 50, 10, 0.05, 1e-2, np.random.default_rng(0))
train(two_layer, digits.x_train, digits.y_train, digits.x_val, digits.y_val, adam,
      lambda epoch: cosine_decay(5e-3, epoch, 30), 30, 50, np.random.default_rng(0))  # fmt: skip
strongest = np.argsort(-np.linalg.norm(two_layer.params["W1"], axis=0))[:20]
show_images([two_layer.params["W1"][:, unit].reshape(8, 8) for unit in strongest], signed=True)
show_images(list(convnet.params["W1"][:, 0]), signed=True, columns=16)
plt.show()
print(f"two-layer net: test accuracy {accuracy(two_layer, digits.x_test, digits.y_test):.1%}")

# %% [markdown]
# The units of the two-layer net are strokes and gaps *at fixed places*. (Its strong weight penalty makes the pictures clear, and costs some accuracy.) Among the small filters there are edges in several directions, much like those that people
# make by hand, and others that defy description: nine pixels are few. In the first layer of large networks, with windows of $7 \times 7$ or $11 \times 11$, one finds edges and
# spots of colour, whatever the network was trained for.

# %% [markdown]
# ## 4 · Ask several
#
# Train the same network from different random starts. Each makes mistakes, but not the same ones; where they disagree, the
# majority is mostly right. Average their *probabilities* (not their votes: a net that is sure should count more), then take the best class.

# %% exercise="ensemble_predict"
def ensemble_predict(probabilities):
    """The class on which an ensemble agrees.

    probabilities: list with an array (N, C) from each model. Returns class numbers (N,).
    """
    ### BEGIN SOLUTION
    return np.mean(probabilities, axis=0).argmax(axis=1)
    ### END SOLUTION


# %% check="ensemble_predict"
check(ensemble_predict)

# %% [markdown]
# Ten small networks, each trained on only 300 images so that there is something left to gain, and judged on the 600 images of validation and test
# set. How much better than the average member will the ensemble be? And than the best?

# %% tags=["experiment"]
def softmax(scores):
    return np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))


x_all = np.concatenate([digits.x_val, digits.x_test])
y_all = np.concatenate([digits.y_val, digits.y_test])
members = []
for seed in range(10):
    net = TwoLayerNet(64, 10, 10, 0.5, 1e-4, np.random.default_rng(seed))
    train(net, digits.x_train[:300], digits.y_train[:300], digits.x_val[:50], digits.y_val[:50], adam,
          lambda epoch: 0.01, 20, 25, np.random.default_rng(seed))  # fmt: skip
    members.append(softmax(net.loss(x_all)))
single = [np.mean(p.argmax(axis=1) == y_all) for p in members]
sizes = np.arange(1, 11)
together = [np.mean(ensemble_predict(members[:size]) == y_all) for size in sizes]
axes = plot_curves({"the first k together": (sizes, together)}, "models", "accuracy", marker="o",
                   title=f"members {np.mean(single):.1%} on average, together {together[-1]:.1%}")  # fmt: skip
axes.plot(sizes, single, "x", color="0.5", label="each alone")
axes.legend()
plt.show()

# %% [markdown]
# Better than the best of them. Large networks, each of them good by itself, gain about two percentage points, for ten times the work: the last resort of everyone who takes part in a competition, and the first thing to be dropped afterwards. It helps only as far
# as the members err *differently*. What would ten copies from the same start and the same batches give?

# %% [markdown]
# ## 5 · CIFAR-10, if you have it
#
# Small colour photographs, ten classes, and a different league: 53 % with the two-layer net of 50 units is good, as the lecture says. The cell looks for the official archive and, if there is none, says in one line where to put it; the rest of
# the notebook does not need it. (`load_cifar10(download=True)` fetches 163 MB.)

# %% tags=["experiment"]
try:
    cifar = load_cifar10(progress=False)
except FileNotFoundError as missing:
    cifar = None
    print(missing)

if cifar is not None:
    mean = cifar.x_train.mean(axis=0)
    x_train, x_val = cifar.x_train - mean, cifar.x_val - mean
    net = float32(TwoLayerNet(3072, 50, 10, 0.02, 1e-3, np.random.default_rng(0)))
    history = train(net, x_train, cifar.y_train, x_val, cifar.y_val, adam,
                    lambda epoch: cosine_decay(5e-4, epoch, 12), 12, 200, np.random.default_rng(0))  # fmt: skip
    best = max(history["val_accuracy"])
    plot_history(history, f"two-layer net on CIFAR-10: {best:.1%} of the validation images")
    templates = net.params["W1"].T.reshape(50, 3, 32, 32).transpose(0, 2, 3, 1)
    low, high = templates.min(axis=(1, 2, 3), keepdims=True), templates.max(axis=(1, 2, 3), keepdims=True)
    show_images(list((templates - low) / (high - low))[:20])
    plt.show()

# %% [markdown]
# The ConvNet sees the same images, but only the first 2000 of them, because your convolution is written in Python. Is the smaller share of the data made up for by the better
# architecture? (One to two minutes.)

# %% tags=["experiment"]
if cifar is not None:
    part = slice(0, 2000)
    small = float32(ConvNet((3, 32, 32), 16, 5, 64, 10, 0.03, 1e-3, np.random.default_rng(0)))
    history = train(small, x_train[part], cifar.y_train[part], x_val, cifar.y_val, adam,
                    lambda epoch: cosine_decay(2e-3, epoch, 3), 3, 50, np.random.default_rng(0))  # fmt: skip
    wrong_classes = small.loss(x_val[:10]).argmax(axis=1)
    show_images(cifar.x_val[:10].transpose(0, 2, 3, 1), [CLASSES[k] for k in wrong_classes])
    plt.show()
    print(f"ConvNet on 2000 images: {max(history['val_accuracy']):.1%}")

# %% [markdown]
# ## 6 · ★ Several for the price of one
#
# Ten runs are expensive. *Snapshots* (Huang et al. 2017): let the learning rate go down, take a picture of the
# parameters, raise the rate again so that the network leaves this minimum, let it go down, take a picture … Mind that a picture is a **copy**.

# %% exercise="snapshot_ensemble"
def snapshot_ensemble(net, run_cycle, cycles):
    """The parameters of a network after each of several learning-rate cycles.

    net: has params, a dict of arrays;  run_cycle: run_cycle(net) trains through one cycle;
    cycles: how many. Returns a list of dicts, oldest first.
    """
    ### BEGIN SOLUTION
    snapshots = []
    for _ in range(cycles):
        run_cycle(net)
        snapshots.append({name: w.copy() for name, w in net.params.items()})
    return snapshots
    ### END SOLUTION


# %% check="snapshot_ensemble"
check(snapshot_ensemble)

# %% tags=["experiment"]
net, rng = TwoLayerNet(64, 20, 10, 0.3, 1e-4, np.random.default_rng(0)), np.random.default_rng(0)


def one_cycle(net):
    train(net, digits.x_train[:200], digits.y_train[:200], digits.x_val[:50], digits.y_val[:50], adam,
          lambda epoch: cosine_decay(0.1, epoch, 12), 12, 25, rng)  # fmt: skip


pictures = []
for params in snapshot_ensemble(net, one_cycle, 5):
    net.params = params
    pictures.append(softmax(net.loss(x_all)))
print("snapshots: ", *(f"{np.mean(p.argmax(axis=1) == y_all):.1%}" for p in pictures))
print(f"together:   {np.mean(ensemble_predict(pictures) == y_all):.1%}")

# %% [markdown]
# Cheaper still: *average the parameters themselves* while training goes on. With noisy steps, the last parameters are a random point around the minimum, their average over
# time lies in the middle (Polyak and Juditsky 1992). A fading average needs one more copy of the network and nothing else:
#
# $$ \text{average} \leftarrow \text{decay} \cdot \text{average} + (1 - \text{decay}) \cdot \text{params} . $$

# %% exercise="ParameterAverage"
class ParameterAverage:
    """A fading average of parameters over time; `average` is a dict like the parameters."""

    def __init__(self, params, decay):
        """params: dict of arrays, of which the average starts as a copy;  decay: from 0 to 1."""
        ### BEGIN SOLUTION
        self.decay = decay
        self.average = {name: w.copy() for name, w in params.items()}
        ### END SOLUTION

    def update(self, params):
        """Take the current parameters into account; they stay as they are."""
        ### BEGIN SOLUTION
        self.average = {
            name: self.decay * self.average[name] + (1 - self.decay) * w for name, w in params.items()
        }
        ### END SOLUTION


# %% check="ParameterAverage"
check(ParameterAverage)

# %% [markdown]
# Small batches, a rate that is too high, and weight decay, so that it never comes to rest. Loss of the current parameters and of their average, on the validation set. What would you
# expect in the first few epochs, while the network still moves fast?

# %% tags=["experiment"]
rng = np.random.default_rng(0)
net = TwoLayerNet(64, 30, 10, 0.1, 3e-3, rng)
average = ParameterAverage(net.params, 0.99)
now, smooth = [], []
for _ in range(25):
    for batch in np.array_split(rng.permutation(len(digits.x_train)), 120):
        _, grads = net.loss(digits.x_train[batch], digits.y_train[batch])
        net.params = {name: sgd(w, grads[name], {"learning_rate": 0.4})[0] for name, w in net.params.items()}
        average.update(net.params)
    now.append(net.loss(digits.x_val, digits.y_val)[0])
    kept, net.params = net.params, average.average
    smooth.append(net.loss(digits.x_val, digits.y_val)[0])
    net.params = kept
epochs = np.arange(1, 26)
plot_curves({"current parameters": (epochs, now), "their average": (epochs, smooth)},
            "epoch", "validation loss", log="y", marker="o",
            title="the average is quieter, and better")  # fmt: skip
plt.show()

# %% [markdown]
# ## 7 · ★ Transfer: learning from few examples
#
# A new task with five images per class. From scratch, a network will learn them by heart and perhaps little else. A network that has seen thousands of *other* images
# has edges and strokes in its first layers already. So take it over, exchange the last layer, and
#
# - with very few data train *only* the last layer: everything before is a **feature extractor**;
# - with some more, train the earlier layers, too, at a lower rate: **fine-tuning**.
#
# Three small tools. `freeze` sets gradients to zero, in a *new* dict; `feature_extractor` runs the network up to the last affine layer; `fine_tune` is full-batch
# gradient descent with a rate for each parameter.

# %% exercise="freeze"
def freeze(grads, names):
    """A new dict of gradients, with zeros for the given names; grads stays as it is."""
    ### BEGIN SOLUTION
    return {name: np.zeros_like(g) if name in names else g for name, g in grads.items()}
    ### END SOLUTION


# %% check="freeze"
check(freeze)

# %% exercise="feature_extractor"
def feature_extractor(net, X):
    """The activations before the last affine layer, (N, hidden).

    net: a TwoLayerNet (params W1 b1 W2 b2) or a ConvNet (W1 b1 W2 b2 W3 b3);  X: examples.
    """
    ### BEGIN SOLUTION
    p, h = net.params, X
    if "W3" in p:
        h, _ = conv_forward(X, p["W1"], p["b1"], {"stride": 1, "pad": (p["W1"].shape[2] - 1) // 2})
        h, _ = max_pool_forward(np.maximum(h, 0), {"pool_height": 2, "pool_width": 2, "stride": 2})
        w, b = p["W2"], p["b2"]
    else:
        w, b = p["W1"], p["b1"]
    return np.maximum(affine_forward(h, w, b)[0], 0)
    ### END SOLUTION


# %% check="feature_extractor"
check(feature_extractor)

# %% exercise="fine_tune"
def fine_tune(net, X, y, learning_rates, steps):
    """Full-batch gradient descent with a rate for each parameter; changes net.params.

    net: has params and loss(X, y) -> (loss, grads), two dicts with the same keys;
    X, y: all examples of the new task;
    learning_rates: dict, name -> rate; parameters that are not in it stay as they are.
    Returns the list of `steps` losses, each from before its step.
    """
    ### BEGIN SOLUTION
    losses = []
    for _ in range(steps):
        loss, grads = net.loss(X, y)
        losses.append(loss)
        for name, rate in learning_rates.items():
            net.params[name] = net.params[name] - rate * grads[name]
    return losses
    ### END SOLUTION


# %% check="fine_tune"
check(fine_tune)

# %% [markdown]
# Two transfers, with two-layer nets because they take no time. *Left:* pre-train on the digits 0 to 4, then learn 5 to 9 from 1, 2, 5, 10 or 20
# images of each. *Right:* pre-train on clean images of all ten digits, then learn to read them from a bad camera, again from a few images. Each time three ways: from scratch; only a new last
# layer; a new last layer and everything else at a third of its rate. All points are means over five draws of the examples. Which of the two transfers will pay off, and
# where do you expect the curves to meet?

# %% tags=["experiment"]
def pre_trained(X, y, classes):
    net = TwoLayerNet(64, 100, classes, 0.1, 1e-4, np.random.default_rng(0))
    train(net, X, y, X[:100], y[:100], adam, lambda epoch: 2e-3, 15, 50, np.random.default_rng(0))
    return net


def learn_from_few(source, X, y, X_judge, y_judge, shots=(1, 2, 5, 10, 20)):
    """Accuracy on the new task by number of images per class, for the three ways."""
    classes = source.params["b2"].size
    rates = {
        "from scratch": dict.fromkeys(source.params, 0.3),
        "new last layer only": {"W2": 0.3, "b2": 0.3},
        "fine-tuning": {"W1": 0.1, "b1": 0.1, "W2": 0.3, "b2": 0.3},
    }
    curves = {}
    for name, learning_rates in rates.items():
        scores = np.zeros((len(shots), 5))
        for (row, k), draw in [(pair, draw) for pair in enumerate(shots) for draw in range(5)]:
            rng = np.random.default_rng(draw)
            chosen = [rng.choice(np.flatnonzero(y == c), k, replace=False) for c in range(classes)]
            chosen = np.concatenate(chosen)
            net = TwoLayerNet(64, 100, classes, 0.1, 1e-4, rng)
            if name != "from scratch":
                net.params |= {layer: source.params[layer].copy() for layer in ("W1", "b1")}
            fine_tune(net, X[chosen], y[chosen], learning_rates, 100)
            scores[row, draw] = accuracy(net, X_judge, y_judge)
        curves[name] = (shots, scores.mean(axis=1))
    return curves


x_train, y_train = digits.x_train, digits.y_train
low, high, judged = y_train < 5, y_train >= 5, y_all >= 5
narrow = pre_trained(x_train[low], y_train[low], 5)
to_others = learn_from_few(narrow, x_train[high], y_train[high] - 5, x_all[judged], y_all[judged] - 5)

rng = np.random.default_rng(0)
x_noisy, x_noisy_all = (x + rng.normal(0, 0.5, x.shape) for x in (x_train, x_all))
clean = pre_trained(x_train, y_train, 10)
to_noisy = learn_from_few(clean, x_noisy, y_train, x_noisy_all, y_all)

figure, places = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
for place, curves, title in zip(places, (to_others, to_noisy), ("0–4 → 5–9", "clean → noisy")):
    plot_curves(curves, "images per class", "accuracy", log="x", marker="o", title=title, axes=place)
    place.set_xticks((1, 2, 5, 10, 20), (1, 2, 5, 10, 20))
    place.minorticks_off()
plt.show()

# %% [markdown]
# Right, borrowing pays, and most of all where examples are fewest. Left, it *hurts*: the old network has kept of an image just
# what it needs to tell five digits apart, and thrown away what the other five need. A random first layer throws away less. So the question is never "transfer or not?" but
# **how rich was the source task, and how close is it to mine?** A network trained on a thousand kinds of things in a million photographs is a rich source for almost
# every task with photographs. Five digits are a poor one, even for five other digits.
#
# And a check of what "frozen" means: with the last layer alone in training, the features of an image are the same before and after.

# %% tags=["experiment"]
few = slice(0, 50)
before = feature_extractor(clean, x_train[few])
fine_tune(clean, x_train[few], y_train[few], {"W2": 0.1, "b2": 0.1}, 5)
print("features unchanged:", np.array_equal(before, feature_extractor(clean, x_train[few])))
_, grads = clean.loss(x_train[few], y_train[few])
print({name: float(np.abs(g).max().round(3)) for name, g in freeze(grads, ["W1", "b1"]).items()})

# %% [markdown]
# **What you have learnt.** You have built it all: gradients, layers, losses, initialisation, normalisation, optimisers, and now a convolutional network at 99 %. Large networks have more of everything, and a graphics card to compute it on. They
# contain nothing that you have not written yourself.
