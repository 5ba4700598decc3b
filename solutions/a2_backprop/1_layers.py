# %% [markdown]
# # Layers that know their own gradient
#
# A network is a long formula, and its gradient is a longer one. Nobody derives it. Each layer
# carries two small functions instead: one that goes forward and remembers what it saw, and one
# that takes the gradient of the loss for its *output* and hands on the gradient for its *inputs*.
# Put such layers in a row and you can train a network of any depth without another derivation.
#
# In this notebook you write three layers, make an object of one, and train with them. It ends with
# a picture of what a network of one layer believes a "3" looks like.
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

# %% [markdown]
# ## 1 · The affine layer
#
# An example is a row of $D$ numbers. An image of shape $(1, 8, 8)$ becomes one too: write its pixels
# one after the other, here $D = 64$. The layer multiplies the row with a matrix and adds a bias:
#
# $$ \text{out} = x\,w + b, \qquad x\colon (N, D),\quad w\colon (D, M),\quad b\colon (M,) $$
#
# The $N$ examples of a batch do not meet: row $i$ of `out` depends on row $i$ of `x` only.
#
# The function returns the output and a `cache`: whatever *you* will need on the way back. Nobody
# else looks into it.

# %% exercise="affine_forward"
def affine_forward(x, w, b):
    """out = x·w + b, each example read as one row of D numbers.

    x: inputs (N, d_1, ..., d_k) with d_1·...·d_k = D;  w: weights (D, M);  b: biases (M,).
    Returns out (N, M) and the cache for affine_backward. x, w and b stay as they are.
    """
    ### BEGIN SOLUTION
    rows = x.reshape(x.shape[0], -1)
    return rows @ w + b, (x, w, b)
    ### END SOLUTION


# %% check="affine_forward"
check(affine_forward)

# %% [markdown]
# ### The way back
#
# Somebody further up tells us how the loss $L$ changes with our output: the *upstream gradient*
# $\text{dout} = \partial L / \partial\,\text{out}$, of the shape $(N, M)$ of `out`. We owe three
# gradients.
#
# Take one number of the weights. $w_{dm}$ touches column $m$ of the output, in every row $i$, with
# the factor $x_{id}$. Every path counts, so we add:
#
# $$ \frac{\partial L}{\partial w_{dm}} = \sum_i x_{id}\; \text{dout}_{im} $$
#
# Read the sum as a product of matrices. Which of the two must be transposed, so that a $(D, M)$
# matrix comes out? The same question settles the gradient for $x$.
#
# The bias looks harmless and is where most people slip. $b_m$ is added to *every* row: one number,
# $N$ paths. What does the chain rule do where paths meet again?
#
# A rule that catches half of all mistakes: **a gradient has exactly the shape of what it is the
# gradient of.** If `x` was a batch of images, so is `dx`.

# %% exercise="affine_backward"
def affine_backward(dout, cache):
    """Gradients (dx, dw, db) of an affine layer, in the shapes of x, w and b.

    dout: upstream gradient (N, M);  cache: from affine_forward.
    """
    ### BEGIN SOLUTION
    x, w, _ = cache
    rows = x.reshape(x.shape[0], -1)
    dx = (dout @ w.T).reshape(x.shape)
    dw = rows.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db
    ### END SOLUTION


# %% check="affine_backward"
check(affine_backward)

# %% [markdown]
# ### How would you know, without us?
#
# By measuring. Move one entry of `x` a little, see how much the output moves, and compare with the
# gradient: that is the whole idea of a gradient check, and `check_gradient` is a careful one. It
# needs a function, its gradient for a given upstream gradient, and a place to look. Try it with a
# `w` of another shape, or break your `affine_backward` on purpose and see what it says.

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x, w, b = rng.normal(size=(4, 2, 3)), rng.normal(size=(6, 5)), rng.normal(size=5)
_, cache = affine_forward(x, w, b)
check_gradient(
    lambda x, w, b: affine_forward(x, w, b)[0],
    lambda dout: affine_backward(dout, cache),
    (x, w, b),
)

# %% [markdown]
# ### An experiment: what positive inputs do to the weights
#
# Pixels are never negative. Below, one digit goes through an affine layer with ten units, and we
# look at the gradient for `w`: one column per unit, blue for negative, red for positive.
#
# Before you run it: how many columns will be of one colour only?

# %% tags=["experiment"]
digits = load_digits()
rng = np.random.default_rng(0)
w, b = rng.normal(0, 0.1, size=(64, 10)), np.zeros(10)
dout = rng.normal(size=(1, 10))
_, cache = affine_forward(digits.x_train[:1], w, b)
_, dw, _ = affine_backward(dout, cache)
centred = digits.x_train - digits.x_train.mean(axis=0)
_, cache = affine_forward(centred[:1], w, b)
_, dw_centred, _ = affine_backward(dout, cache)

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 5), sharey=True)
for axes, gradient, title in ((left, dw, "pixels as they are"), (right, dw_centred, "centred")):
    limit = np.abs(gradient).max()
    axes.imshow(gradient, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    axes.set(title=title, xlabel="unit")
left.set_ylabel("pixel")
plt.show()

# %% [markdown]
# All of them. With one example, column $m$ of `dw` is $x$ times the single number
# $\text{dout}_m$: where $x \ge 0$, all weights of a unit must go up together or down together. If the best
# direction is "this weight up, that one down", gradient descent can only zig-zag towards it. A batch
# softens this, and subtracting the mean image (right) lifts it. The same happens *inside* a network
# behind a sigmoid, whose outputs are all positive.

# %% [markdown] question="why-not-positive" points=0
# **To think about** (read by a person, no points): ReLU outputs are never negative either. Why do
# networks of ReLUs train well all the same?
#
# ### BEGIN SOLUTION
# The zig-zag is exact only for a single example: over a batch, each unit's gradient is a sum of
# positive vectors with coefficients of both signs, and since different units are active on different examples these
# sums differ. A ReLU also gives exact zeros, which take a weight out of an update altogether, and
# it does not saturate, which weighs more than being off centre. Batch normalisation (a4) removes
# what is left.
# ### END SOLUTION

# %% [markdown]
# ## 2 · The rectifier
#
# Two affine layers in a row are one affine layer. What makes depth worth anything is a bend between
# them, and the simplest bend is $\max(0, x)$, entry by entry.

# %% exercise="relu_forward"
def relu_forward(x):
    """max(0, x), for x of any shape. Returns out, of the shape of x, and the cache."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0), x
    ### END SOLUTION


# %% check="relu_forward"
check(relu_forward)

# %% [markdown]
# On the way back the gradient passes where the input was positive, and is stopped where it was
# negative. At exactly 0 there is no slope; this course takes 0 there. (Exact zeros are not rare:
# think of the dark border of an image, or of a ReLU behind a ReLU.)

# %% exercise="relu_backward"
def relu_backward(dout, cache):
    """The gradient dx of a ReLU, of the shape of x; dout: upstream gradient of that shape."""
    ### BEGIN SOLUTION
    x = cache
    return np.where(x > 0, dout, 0)
    ### END SOLUTION


# %% check="relu_backward"
check(relu_backward)

# %% [markdown]
# ## 3 · The softmax loss
#
# The last layer gives every example $C$ numbers, its *logits*. The softmax makes probabilities of
# them, and the loss is the mean of the surprise at the right answer:
#
# $$ p_{ij} = \frac{e^{x_{ij}}}{\sum_k e^{x_{ik}}}, \qquad
#    L = -\frac1N \sum_i \log p_{i, y_i} $$
#
# **Large logits.** $e^{1000}$ is infinite, and $\infty/\infty$ is no number. But adding one constant
# to all logits of a row leaves $p$ as it is, so subtract the row's largest: then no exponent is
# above 0. And do not take the logarithm of a $p$ that has become 0: write
# $\log p_{ij} = x_{ij} - \log \sum_k e^{x_{ik}}$ and it never appears.
#
# **The gradient.** Put the second form into $L$ and differentiate for $x_{ij}$. The first term gives
# $-1$ at the label and nothing elsewhere; the logarithm of the sum gives $e^{x_{ij}} / \sum_k
# e^{x_{ik}}$, and you have seen that fraction before. So each row of `dx` says: push every class
# down by the probability you gave it, and the right one up by what is missing to 1. What do the
# entries of a row add up to?

# %% exercise="softmax_loss"
def softmax_loss(x, y):
    """Mean cross-entropy of the softmax of the logits x.

    x: logits (N, C);  y: labels (N,), integers from 0 to C - 1.
    Returns the loss, one number, and its gradient dx (N, C). Finite for logits of any size.
    """
    ### BEGIN SOLUTION
    rows = np.arange(x.shape[0])
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[rows, y].mean()
    dx = np.exp(log_p)
    dx[rows, y] -= 1
    return loss, dx / x.shape[0]
    ### END SOLUTION


# %% check="softmax_loss"
check(softmax_loss)

# %% [markdown]
# ## 4 · A layer as an object
#
# A layer with weights keeps them to itself, together with their gradients, and knows how to improve
# itself. Then a network need not know what its layers compute.
#
# Draw the weights from a normal distribution with variance $2/\text{fan\_in}$ (a3 says why) and
# start the biases at zero. `update` takes one step against the gradient.

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
# ## 5 · One step of learning
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
# ## 6 · What does one layer see?
#
# The smallest network there is: one affine layer and the softmax loss. Before training it knows
# nothing, gives each of the ten digits one tenth, and its loss is $-\log \frac{1}{10} = \log 10 \approx
# 2.30$. **Always look at the first loss**: if it is not $\log C$, something is wrong before anything
# has been learnt.
#
# Each column of `w` has as many entries as an image has pixels. So after training, look at them
# *as* images: what the layer adds up for a 0, for a 1, …

# %% tags=["experiment"]
class OneLayer:
    """Scores from a single affine layer."""

    def __init__(self, inputs, classes):
        self.params = {"w": np.zeros((inputs, classes)), "b": np.zeros(classes)}

    def loss(self, X, y):
        scores, cache = affine_forward(X, self.params["w"], self.params["b"])
        loss, dscores = softmax_loss(scores, y)
        _, dw, db = affine_backward(dscores, cache)
        return loss, {"w": dw, "b": db}


digits = load_digits()
net = OneLayer(64, 10)
rng = np.random.default_rng(1)
losses = [train_step(net, digits.x_train, digits.y_train, 0.5, 50, rng) for _ in range(600)]
scores, _ = affine_forward(digits.x_val, net.params["w"], net.params["b"])
accuracy = np.mean(scores.argmax(axis=1) == digits.y_val)

figure, axes = plt.subplots(figsize=(8, 3))
axes.plot(losses, lw=0.8)
axes.axhline(np.log(10), color="grey", ls=":", label="log 10: knows nothing")
axes.set(xlabel="step", ylabel="loss of the mini-batch", title=f"validation accuracy {accuracy:.3f}")
axes.legend()
figure, grid = plt.subplots(2, 5, figsize=(8, 3.6))
for digit, axes in enumerate(grid.flat):
    image = net.params["w"][:, digit].reshape(8, 8)
    axes.imshow(image, cmap="RdBu_r", vmin=-np.abs(image).max(), vmax=np.abs(image).max())
    axes.set(title=str(digit), xticks=[], yticks=[])
plt.show()

# %% [markdown]
# One template for each digit, red where ink speaks for it and blue where ink speaks against it. The
# strongest opinions are often blue: a 0 is known by the hole in its middle. And one template is all
# a layer has: it cannot say "a 7 with or without a bar". That takes a second layer, and you now have
# every part it is made of.
