# %% [markdown]
# # Layers that know their own gradient
#
# A network is a long formula, and its gradient is a longer one. Nobody derives it. Each layer
# carries two small functions instead: one that goes forward and remembers what it saw, and one
# that takes the gradient of the loss for its *output* and hands on the gradient for its *inputs*.
# Put such layers in a row and you can train a network of any depth without another derivation.
#
# | | |
# |---|---|
# | **You need** | a1: upstream gradient and local slope, gates, the trick with the shapes |
# | **It takes** | about two hours; six exercises, one question |
# | **Afterwards you can** | write forward and backward of a layer for whole batches and check them; say why positive inputs make a descent zig-zag, and why a deep network of sigmoids does not learn |
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
from cs_nn.plots import plot_paths, plot_slopes, show_images

# %% [markdown]
# The data of this assignment are 1,797 handwritten digits, scanned and reduced to 8 × 8 pixels. They
# come as an array of shape $(N, 1, 8, 8)$: $N$ images, one channel, height, width. Zero is paper, one
# is ink.

# %% tags=["experiment"]
digits = load_digits()
print("training:", digits.x_train.shape, " labels:", digits.y_train.shape, digits.y_train[:10])
show_images(digits.x_train[:10, 0], [str(label) for label in digits.y_train[:10]])
plt.show()

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
# `check` has its own examples. You have the judge of a1, and it takes yours: hand it the function,
# the backward pass as a function of the upstream gradient, and the place. It draws a random upstream
# gradient itself (a sum of the outputs would hide some errors). Learn this line by heart; it works for
# every layer you will ever write. Break your `affine_backward` on purpose and see what it says.

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x, w, b = rng.normal(size=(4, 2, 3)), rng.normal(size=(6, 5)), rng.normal(size=5)
_, cache = affine_forward(x, w, b)
check_gradient(
    lambda x, w, b: affine_forward(x, w, b)[0],
    lambda dout: affine_backward(dout, cache),
    (x, w, b),
    names=["x", "w", "b"],
)

# %% [markdown]
# ### An experiment: what positive inputs do to the weights
#
# Pixels are never negative. Below, one digit goes through an affine layer with ten units, and we
# look at the gradient for `w`: one column per unit, blue for negative, red for positive.
#
# Before you run it: how many columns will be of one colour only?

# %% tags=["experiment"]
rng = np.random.default_rng(0)
w, b = rng.normal(0, 0.1, size=(64, 10)), np.zeros(10)
dout = rng.normal(size=(1, 10))
_, cache = affine_forward(digits.x_train[:1], w, b)
_, dw, _ = affine_backward(dout, cache)
centred = digits.x_train - digits.x_train.mean(axis=0)
_, cache = affine_forward(centred[:1], w, b)
_, dw_centred, _ = affine_backward(dout, cache)

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4), sharey=True, layout="constrained")
for axes, gradient, title in ((left, dw, "pixels as they are"), (right, dw_centred, "centred")):
    limit = np.abs(gradient).max()
    picture = axes.imshow(gradient, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    axes.set(title=title, xlabel="unit", xticks=range(10))
    figure.colorbar(picture, ax=axes, label="gradient")
left.set_ylabel("pixel")
plt.show()

# %% [markdown]
# All of them. With one example, column $m$ of `dw` is $x$ times the single number
# $\text{dout}_m$: where $x \ge 0$, all weights of a unit must go up together or down together. If the best
# direction is "this weight up, that one down", gradient descent can only **zig-zag** towards it.
#
# The next picture shows such a case with two weights. A unit $w_0 x_0 + w_1 x_1$ is to give each
# example its target; the way to go is down and to the right, a direction that is not allowed where
# both inputs are positive. Each dot is a step of gradient descent on a single example. Guess: how will
# the path look once the mean is subtracted from the inputs?

# %% tags=["experiment"]
rng = np.random.default_rng(2)
best = np.array([1.5, -1.0])
positive = rng.uniform(0.5, 1.5, size=(200, 2))


def descend(inputs, rate=0.3, steps=40):
    """Steps of gradient descent on ½(out − target)², one example at a time."""
    w, path = np.array([[-1.0], [1.0]]), []
    for x in inputs[:steps, None, :]:
        path.append(w[:, 0])
        out, cache = affine_forward(x, w, np.zeros(1))
        _, dw, _ = affine_backward(out - x @ best[:, None], cache)
        w = w - rate * dw
    return np.array(path)


figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
for place, inputs, title in (
    (axes[0], positive, "inputs all positive: zig-zag"),
    (axes[1], (positive - positive.mean(axis=0)) * 3, "centred and scaled: straight ahead"),
):
    covariance = inputs.T @ inputs / len(inputs)
    height = lambda u, v: sum(
        covariance[i, j] * (a - best[i]) * (c - best[j])
        for i, a in enumerate((u, v)) for j, c in enumerate((u, v))
    )
    plot_paths(height, {"descent": descend(inputs)}, ((-1.6, 2.2), (-1.6, 2.2)), place)
    place.plot(*best, "*", color="C3", markersize=12)
    place.set_title(title)
plt.show()

# %% [markdown]
# On the left every step goes to the upper right or to the lower left. The path finds the valley at once, and
# then has to tack along it like a ship against the wind. On the right, any direction is allowed. (The
# centred inputs are also scaled, so that they are as large on average as before and the learning rate
# means the same.) A
# batch of examples softens the effect, and subtracting the mean image lifts it: that is why everybody
# centres their data (a3). The same happens *inside* a network behind a sigmoid, whose outputs are all
# positive.

# %% [markdown] question="why-not-positive" points=2
# **Question 1** (2 points, read by a person). ReLU outputs are never negative either. (a) Why do
# networks of ReLUs train well all the same? Give two reasons. (b) Mini-batches help against the
# zig-zag. Why, and can the gradient on the weights of one unit, over a batch, still be all of one sign?
#
# ### BEGIN SOLUTION
# (a) A ReLU gives exact zeros, different ones for each example: those weights sit out the
# update, so the sign pattern changes from example to example. It does not saturate on its positive side,
# which matters more than being off centre. Over a batch the effect is softened anyway, and batch
# normalisation (a4) removes what is left.
# (b) Over a batch, a unit's gradient is $\sum_i x_i\,\text{dout}_i$: positive vectors with coefficients
# of both signs, so its entries can differ in sign. If all $\text{dout}_i$ of that unit have the same sign
# (say, the bias is far off), the sum is still all of one sign.
#
# *Rubric.* 1 point for (a): two different reasons out of: zeros switch weights off, no saturation,
# batches mix signs, normalisation. 1 point for (b): coefficients of both signs, and yes, when the
# upstream gradients agree in sign.
# ### END SOLUTION

# %% [markdown]
# ## 2 · The sigmoid
#
# Two affine layers in a row are one affine layer: $(x w_1) w_2 = x (w_1 w_2)$. What makes depth worth
# anything is a bend between them. The oldest one was a step: the perceptron of 1958 says 1 or 0, nothing in
# between. But a step is flat wherever it has a slope, and a gradient of 0 tells the weights below it nothing; so
# perceptrons could never be stacked and trained. A bend must have slopes, nearly everywhere, and be cheap.
# For decades it was the sigmoid, a step with its edges rounded off, which looks like the
# firing rate of a nerve cell, from "never" to "always":
#
# $$ \sigma(x) = \frac{1}{1 + e^{-x}}, \qquad \sigma' = \sigma\,(1 - \sigma) $$
#
# You know it from a1. What is new here is that it has to survive *any* input: $e^{-x}$ overflows at
# $x = -1000$, and NumPy complains. Note that
#
# $$ \frac{1}{1 + e^{-x}} = \frac{e^{x}}{1 + e^{x}} , $$
#
# and that one of the two forms is always harmless. (`np.where` computes both of its branches
# everywhere, the harmful one included. Is there a power that never overflows, which both forms can
# share?)

# %% exercise="sigmoid_forward"
def sigmoid_forward(x):
    """σ(x), entry by entry, for x of any shape and size.

    Returns out, of the shape of x, and the cache for sigmoid_backward. No input overflows.
    """
    ### BEGIN SOLUTION
    z = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1, z) / (1 + z)
    return out, out
    ### END SOLUTION


# %% check="sigmoid_forward"
check(sigmoid_forward)


# %% exercise="sigmoid_backward"
def sigmoid_backward(dout, cache):
    """The gradient dx of a sigmoid, of the shape of x; dout: upstream gradient of that shape."""
    ### BEGIN SOLUTION
    out = cache
    return dout * out * (1 - out)
    ### END SOLUTION


# %% check="sigmoid_backward"
check(sigmoid_backward)

# %% [markdown]
# ### An experiment: what happens at −10, at 0 and at 10?
#
# The dots mark the three inputs. The right-hand picture is what a gradient is multiplied with on its way
# back. Which of the three neurons can still learn?

# %% tags=["experiment"]
def slope(x):
    return sigmoid_backward(np.ones_like(x), sigmoid_forward(x)[1])


places = np.array([-10.0, 0.0, 10.0])
axes = plot_slopes({"sigmoid": (lambda x: sigmoid_forward(x)[0], slope)}, places)
axes[1].set_title("saturated: nothing comes back")
plt.show()
for place in places:
    print(f"x = {place:5.0f}: output {sigmoid_forward(place)[0]:.5f}, "
          f"of a gradient of 1 there remains {slope(place):.5f}")

# %% [markdown]
# At $\pm 10$ one part in 22,000 of the gradient survives. The neuron is **saturated**: it is sure, it may be
# wrong, and it cannot be told so. And look at the *best* case: even at 0 only a quarter passes. Keep
# that in mind for the end of this notebook.
#
# ## 3 · The rectifier
#
# The simplest bend of all is $\max(0, x)$, entry by entry.

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
# think of the empty border of an image, or of a ReLU behind a ReLU.)

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
# ## 4 · Twenty layers deep
#
# Now put them together: affine, bend, affine, bend, … twenty times, with 64 units each, and send a
# gradient of random numbers back from the end. How large is it when it arrives at each layer? The
# weights are drawn so that the *forward* signal keeps its size (a3 explains how), once for each kind
# of bend.
#
# Before you run it: the sigmoid lets a quarter pass at best. What is left after twenty layers?

# %% tags=["experiment"]
def gradient_sizes(forward, backward, gain, depth=20, units=64):
    """The size of the gradient at the input of every layer, from the first to the last."""
    rng = np.random.default_rng(5)
    h, caches = rng.normal(size=(100, units)), []
    for _ in range(depth):
        w = rng.normal(0, gain / np.sqrt(units), size=(units, units))
        h, affine = affine_forward(h, w, np.zeros(units))
        h, bend = forward(h)
        caches.append((affine, bend))
    dh, sizes = rng.normal(size=h.shape), []
    for affine, bend in reversed(caches):
        dh, _, _ = affine_backward(backward(dh, bend), affine)
        sizes.append(np.sqrt(np.mean(dh**2)))
    return sizes[::-1]


figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
for name, forward, backward, gain in (
    ("ReLU", relu_forward, relu_backward, np.sqrt(2)),
    ("sigmoid", sigmoid_forward, sigmoid_backward, 1.0),
):
    axes.semilogy(range(1, 21), gradient_sizes(forward, backward, gain), "o-", label=name)
axes.set(xlabel="layer", ylabel="size of the gradient", xticks=range(1, 21, 2),
         title="a gradient goes back through twenty layers (right to left)")
axes.legend()
plt.show()

# %% [markdown]
# The ReLU hands on what it gets. Behind twenty sigmoids, $10^{-13}$ of it arrives at the first layer,
# which will not move in your lifetime. This one picture is a good part of the reason why deep networks
# were thought to be impossible to train until about 2010. "In practice: use ReLU. Don't use sigmoid",
# says the lecture. Where does a sigmoid make sense all the same? At the very end, where a number between 0 and
# 1 is wanted.
#
# **Next:** `2_losses`, where the upstream gradient comes from. The starred notebook
# `4_more_activations` has the rest of the family: tanh, leaky ReLU, ELU, PReLU, maxout.
