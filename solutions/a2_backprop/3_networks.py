# %% [markdown]
# # From layers to a network that reads
#
# You have layers and losses, as functions. Now they become parts that can be plugged together, and the
# parts become a network that reads handwritten digits better than 96 times out of 100. On the way you learn the
# three sanity checks that every practitioner makes before the first real training run, because each takes
# a minute and saves days.
#
# | | |
# |---|---|
# | **You need** | `1_layers` and `2_losses`: your functions from there are used again |
# | **It takes** | about three hours; five exercises, one question |
# | **Afterwards you can** | build networks of any depth from layers; write a two-layer network and train it by mini-batch gradient descent; check a new network by its first loss, by regularisation, and by overfitting twenty examples |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.data.datasets import load_digits, spirals
from cs_nn.gradcheck import check_gradient
from cs_nn.plots import plot_losses, plot_regions, show_images

# %%
reuse("1_layers", "affine_forward", "affine_backward", "relu_forward", "relu_backward")
reuse("2_losses", "softmax_loss")

# %% [markdown]
# ## 1 · A layer as an object
#
# A layer with weights keeps them to itself, together with their gradients, and knows how to improve
# itself. Three operations are enough:
#
# - **forward**: outputs from inputs; the layer remembers what it saw;
# - **backward**: from the gradient for the outputs to the gradient for the inputs; on the way, the
#   gradients for its own weights;
# - **update**: one step of the weights against their gradients.
#
# Then a network need not know what its layers compute. This *layer abstraction* is how every library
# is built, from Caffe to PyTorch.
#
# Draw the weights from a normal distribution with variance $2/\text{fan}_{\text{in}}$ (a3 says why) and
# start the biases at zero.

# %% exercise="Linear"
class Linear:
    """A fully connected layer with weights w (fan_in, fan_out) and biases b (fan_out,).

    After backward it holds the gradients dw and db, in the same shapes.
    """

    def __init__(self, fan_in, fan_out, rng):
        """rng: a numpy.random.Generator, from which the weights are drawn."""
        ### BEGIN SOLUTION
        self.w = rng.normal(0, np.sqrt(2 / fan_in), size=(fan_in, fan_out))
        self.b = np.zeros(fan_out)
        ### END SOLUTION

    def forward(self, x):
        """x (N, ...) → out (N, fan_out)."""
        ### BEGIN SOLUTION
        out, self.cache = affine_forward(x, self.w, self.b)
        return out
        ### END SOLUTION

    def backward(self, dout):
        """dout (N, fan_out) → dx, in the shape of x; keeps dw and db."""
        ### BEGIN SOLUTION
        dx, self.dw, self.db = affine_backward(dout, self.cache)
        return dx
        ### END SOLUTION

    def update(self, learning_rate):
        """One step of gradient descent."""
        ### BEGIN SOLUTION
        self.w = self.w - learning_rate * self.dw
        self.b = self.b - learning_rate * self.db
        ### END SOLUTION


# %% check="Linear"
check(Linear)

# %% [markdown]
# The rectifier has nothing to learn, but it must look like every other layer, or a network would have to
# ask each one what it is.

# %% exercise="ReLU"
class ReLU:
    """The rectifier as a layer."""

    def forward(self, x):
        """x of any shape → out, of the same shape."""
        ### BEGIN SOLUTION
        out, self.cache = relu_forward(x)
        return out
        ### END SOLUTION

    def backward(self, dout):
        """dout, of the shape of x → dx."""
        ### BEGIN SOLUTION
        return relu_backward(dout, self.cache)
        ### END SOLUTION

    def update(self, learning_rate):
        """There is nothing to update."""
        ### BEGIN SOLUTION
        return None
        ### END SOLUTION


# %% check="ReLU"
check(ReLU)

# %% [markdown]
# And layers in a row are again a layer: the same three methods, each a loop. Which of the loops runs
# backwards?

# %% exercise="Sequential"
class Sequential:
    """Layers in a row. It has the methods of a layer itself."""

    def __init__(self, layers):
        """layers: a list of objects with forward, backward and update, from input to output."""
        ### BEGIN SOLUTION
        self.layers = list(layers)
        ### END SOLUTION

    def forward(self, x):
        """x → the output of the last layer."""
        ### BEGIN SOLUTION
        for layer in self.layers:
            x = layer.forward(x)
        return x
        ### END SOLUTION

    def backward(self, dout):
        """dout, the gradient for the output → dx, the gradient for the input."""
        ### BEGIN SOLUTION
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout
        ### END SOLUTION

    def update(self, learning_rate):
        """One step of gradient descent in every layer."""
        ### BEGIN SOLUTION
        for layer in self.layers:
            layer.update(learning_rate)
        ### END SOLUTION


# %% check="Sequential"
check(Sequential)

# %% [markdown]
# ### An experiment: what does depth buy?
#
# Three arms of a spiral, and networks with no hidden layer, one, and two, all trained the same way by
# three lines: `forward`, `backward`, `update`. Where do you expect the first one to fail?

# %% tags=["experiment"]
X, y = spirals(300, np.random.default_rng(0))
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
for place, sizes in zip(axes, ([2, 3], [2, 40, 3], [2, 40, 40, 3])):
    rng = np.random.default_rng(1)
    layers = [Linear(sizes[0], sizes[1], rng)]
    for fan_in, fan_out in zip(sizes[1:], sizes[2:]):
        layers += [ReLU(), Linear(fan_in, fan_out, rng)]
    network = Sequential(layers)
    for _ in range(1500):
        loss, dscores = softmax_loss(network.forward(X), y)
        network.backward(dscores)
        network.update(0.5)
    plot_regions(lambda points: network.forward(points).argmax(axis=1), X, y, 100, place)
    accuracy = np.mean(network.forward(X).argmax(axis=1) == y)
    place.set_title(f"{len(sizes) - 2} hidden layers: {accuracy:.0%} right")
plt.show()

# %% [markdown]
# Without a hidden layer all borders are straight lines. With ReLUs they are made of straight pieces, and
# there can be as many as there are units. You changed the depth by changing a list.
#
# ## 2 · A two-layer network, in one piece
#
# The other way to write a network: as one object with a dictionary of parameters, `W1`, `b1`, `W2`, `b2`,
# and a method `loss` that goes forward and back. It is less modular, but all parameters are in
# one place, where an optimiser can get at them (a5 builds on this).
#
# $$ \text{scores} = \max(0,\; X W_1 + b_1)\, W_2 + b_2, \qquad
#    L = \text{softmax loss} + \tfrac12\,\text{reg}\,\bigl(\lVert W_1\rVert^2 + \lVert W_2\rVert^2\bigr) $$
#
# The second term is **regularisation**: it asks for small weights. (The ½ is there so that the gradient looks
# nice. What is it?) The biases are not asked: they shift, and shifting is not a sign of overfitting.
#
# Go forward through four stations and keep the caches; go back through the same stations in reverse
# order. You have written every piece.

# %% exercise="TwoLayerNet"
class TwoLayerNet:
    """affine – ReLU – affine – softmax, with regularised weights.

    params: dict with W1 (input_dim, hidden_dim), b1 (hidden_dim,), W2 (hidden_dim, num_classes),
    b2 (num_classes,). Whoever trains the network changes the arrays in this dict.
    """

    def __init__(
        self, input_dim, hidden_dim, num_classes, weight_scale=1e-3, reg=0.0, rng=None
    ):
        """Weights normal with standard deviation weight_scale, biases zero.

        reg: strength of the regularisation;  rng: a numpy.random.Generator, a fresh one if None.
        """
        ### BEGIN SOLUTION
        rng = np.random.default_rng() if rng is None else rng
        self.reg = reg
        self.params = {
            "W1": rng.normal(0, weight_scale, size=(input_dim, hidden_dim)),
            "b1": np.zeros(hidden_dim),
            "W2": rng.normal(0, weight_scale, size=(hidden_dim, num_classes)),
            "b2": np.zeros(num_classes),
        }
        ### END SOLUTION

    def loss(self, X, y=None):
        """The scores, or the loss and its gradients.

        X: examples (N, d_1, ..., d_k) with d_1·...·d_k = input_dim;  y: labels (N,) or None.
        Without y: returns the scores (N, num_classes).
        With y: returns (loss, grads); grads has the keys of params and their shapes.
        """
        ### BEGIN SOLUTION
        W1, W2 = self.params["W1"], self.params["W2"]
        hidden, affine1 = affine_forward(X, W1, self.params["b1"])
        active, relu = relu_forward(hidden)
        scores, affine2 = affine_forward(active, W2, self.params["b2"])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        loss = loss + 0.5 * self.reg * (np.sum(W1**2) + np.sum(W2**2))
        dactive, dW2, db2 = affine_backward(dscores, affine2)
        _, dW1, db1 = affine_backward(relu_backward(dactive, relu), affine1)
        return loss, {"W1": dW1 + self.reg * W1, "b1": db1, "W2": dW2 + self.reg * W2, "b2": db2}
        ### END SOLUTION


# %% check="TwoLayerNet"
check(TwoLayerNet)

# %% [markdown]
# `check_gradient` takes a dictionary as well. It finds kinks of the ReLUs by itself, if there are any.

# %% tags=["experiment"]
rng = np.random.default_rng(0)
small = TwoLayerNet(6, 5, 4, weight_scale=0.5, reg=0.1, rng=rng)
X, y = rng.normal(size=(7, 6)), rng.integers(4, size=7)
check_gradient(lambda params: small.loss(X, y)[0], small.loss(X, y)[1], small.params)

# %% [markdown]
# ## 3 · Two checks before anything is trained
#
# **The first loss.** A network that knows nothing gives each of $C$ classes $1/C$, so its first loss is
# $\log C$: for ten digits 2.303. If it is not, the loss is wrong, or the labels, or the weights
# are much too large.
#
# **Crank up the regularisation.** The loss has to rise, and in a way that you can predict: by exactly
# $\tfrac12\,\text{reg}\,\lVert W\rVert^2$, a straight line in reg.

# %% tags=["experiment"]
digits = load_digits()
strengths = np.array([0.0, 10.0, 20.0, 40.0, 80.0])
firsts = []
for reg in strengths:
    net = TwoLayerNet(64, 50, 10, weight_scale=1e-2, reg=reg, rng=np.random.default_rng(0))
    firsts.append(net.loss(digits.x_train, digits.y_train)[0])
print(f"first loss without regularisation {firsts[0]:.4f}, log 10 = {np.log(10):.4f}")

figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(strengths, firsts, "o-", label="first loss")
axes.axhline(np.log(10), color="0.5", ls=":", label="log 10")
axes.set(xlabel="reg", ylabel="loss", title="more regularisation, more loss: good")
axes.legend()
plt.show()

# %% [markdown]
# ## 4 · One step of learning
#
# The gradient of the whole training set is exact and expensive. The gradient of a few examples drawn
# at random points the same way on average and costs a fraction, so we take many small steps
# instead of a few good ones: *mini-batch gradient descent*.
#
# `train_step` works for any `net` with a dict `net.params` and a method `net.loss(X, y)` that returns
# the loss and a dict of gradients with the same keys. Draw `batch_size` *different* examples from
# `rng`, and mind that an image and its label stay together.

# %% exercise="train_step"
def train_step(net, X, y, learning_rate, batch_size, rng):
    """One iteration of mini-batch gradient descent; changes net.params.

    net: has params and loss(X, y) -> (loss, grads);  X: examples (N, ...);  y: labels (N,);
    batch_size: examples drawn for this step, without replacement;  rng: numpy.random.Generator.
    Returns the loss of the mini-batch before the update.
    """
    ### BEGIN SOLUTION
    batch = rng.choice(len(X), size=batch_size, replace=False)
    loss, grads = net.loss(X[batch], y[batch])
    for name, gradient in grads.items():
        net.params[name] = net.params[name] - learning_rate * gradient
    return loss
    ### END SOLUTION


# %% check="train_step"
check(train_step)

# %% [markdown]
# ## 5 · The third check: learn twenty examples by heart
#
# Before you train on everything, train on twenty images, without regularisation. A network with 50
# hidden units has over 3,000 weights; it *must* be able to memorise twenty images: accuracy 1.0
# and a loss near zero. If it cannot, do not look at the data, look for the bug.
#
# Look at the beginning of the curve as well, on the left.

# %% tags=["experiment"]
X20, y20 = digits.x_train[:20], digits.y_train[:20]
net = TwoLayerNet(64, 50, 10, weight_scale=1e-3, rng=np.random.default_rng(0))
rng = np.random.default_rng(0)
twenty = [train_step(net, X20, y20, 0.5, 20, rng) for _ in range(800)]
accuracy = np.mean(net.loss(X20).argmax(axis=1) == y20)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
plot_losses({"the first 80 steps": twenty[:80]}, np.log(10), "log 10: knows nothing", left)
plot_losses({"all 800 steps": twenty}, 0.01, "what we ask for", right)
right.set(yscale="log", title=f"accuracy {accuracy:.2f}, last loss {twenty[-1]:.4f}")
left.set_title("a slow start")
plt.show()

# %% [markdown] question="slow-start" points=2
# **Question 3** (2 points, read by a person). For the first steps the loss hardly moves, although the
# learning rate is the same all the time. (a) Why? Look at the gradients of `W1` and `W2` when both hold
# numbers of the order of $10^{-3}$, and compare with the gradient of `b2`. (b) What would happen if all
# weights were exactly 0, and would it help to train longer?
#
# ### BEGIN SOLUTION
# (a) The gradient of W2 is (hidden activations)ᵀ·dscores, and the activations are of order $10^{-3}$ since W1
# is; the gradient of W1 contains dscores·W2ᵀ, also of order $10^{-3}$. Each waits for the other to grow:
# the growth is exponential, hence slow at first. The bias b2 gets the full gradient at once, but it
# can learn only how frequent the classes are.
# (b) With zero weights the activations are 0 and W2ᵀ is 0: both gradients are exactly 0, and stay 0 for
# ever. Only b2 learns. (Any equal, constant weights leave all hidden units alike.) Training longer does not help; the
# weights must be drawn at random, with a sensible size (a3).
#
# *Rubric.* 1 point for (a): each weight gradient has the other, small matrix (or the small
# activations) as a factor. 1 point for (b): gradients exactly zero, no escape; "slower" alone is not
# enough.
# ### END SOLUTION

# %% [markdown]
# ## 6 · Now in earnest
#
# All 1,197 training images, 100 hidden units, a little regularisation, 60 epochs (an epoch: as many
# steps as it takes to see every image once, on average). The weights start larger than before: your
# answer to question 3 says why. Validation images were never seen in training.

# %% tags=["experiment"]
rng = np.random.default_rng(0)
net = TwoLayerNet(64, 100, 10, weight_scale=0.1, reg=1e-3, rng=rng)
batch_size = 50
steps_per_epoch = len(digits.x_train) // batch_size


def accuracy_on(X, y):
    return np.mean(net.loss(X).argmax(axis=1) == y)


losses, train_accuracy, val_accuracy = [], [], []
for step in range(60 * steps_per_epoch):
    losses.append(train_step(net, digits.x_train, digits.y_train, 0.2, batch_size, rng))
    if (step + 1) % steps_per_epoch == 0:
        train_accuracy.append(accuracy_on(digits.x_train, digits.y_train))
        val_accuracy.append(accuracy_on(digits.x_val, digits.y_val))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
plot_losses({"mini-batch": losses}, np.log(10), "log 10: knows nothing", left)
epochs = np.arange(1, 61)
right.plot(epochs, train_accuracy, label="training")
right.plot(epochs, val_accuracy, label="validation")
right.set(xlabel="epoch", ylabel="accuracy", ylim=(0.85, 1.005), title="the gap: what was learnt by heart")
right.legend()

show_images(net.params["W1"].T[:20].reshape(20, 8, 8), signed=True)
guesses = net.loss(digits.x_test).argmax(axis=1)
wrong = np.flatnonzero(guesses != digits.y_test)[:10]
titles = [f"{digits.y_test[i]}, read\nas {guesses[i]}" for i in wrong]
show_images(digits.x_test[wrong, 0], titles)
plt.show()
print(f"test accuracy {accuracy_on(digits.x_test, digits.y_test):.3f} "
      f"({len(digits.y_test)} images that were never looked at before)")

# %% [markdown]
# Better than 96 out of 100, with code of which every line is yours. What does the gap between the two
# lines mean, and what would you try against it? Of the small pictures, the red and blue ones show
# what some of the hidden units look for (red: ink speaks for it), and the last row what the network
# still gets wrong. Which of these mistakes would you have made, too?

# %% [markdown]
# **What you have learnt.** A network is layers in a row, its gradient the same row backwards. Before
# training, three checks: the first loss is $\log C$, regularisation raises it, twenty examples can be learnt
# by heart. Then mini-batches, and patience.
#
# **What is missing** is what the rest of the course is about: how large should the first weights be (a3)?
# How does one keep deep networks well-behaved and keep them from learning by heart (a4)? Are there better
# steps than `learning_rate * gradient` (a5)? And how does one find the settings that were simply given to you here (a6)?
