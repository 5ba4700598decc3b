# %% [markdown]
# # ★ More ways to bend
#
# The rectifier has one annoyance: a unit whose input is negative for every example gets no gradient, so
# it never changes, so it stays that way. It is dead. Since 2012 many bends have been invented that
# do not die, or learn where to bend, or do without a fixed shape altogether. All of this notebook is
# optional; nothing later needs it.
#
# | | |
# |---|---|
# | **You need** | `1_layers` (affine and ReLU are used again); for the training experiment also `2_losses` |
# | **It takes** | about two hours; five pairs of exercises, each on its own |
# | **Afterwards you can** | write any activation with its gradient, also one with learned parameters; say what each was invented against; find dead units |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.data.datasets import load_digits, spirals
from cs_nn.gradcheck import check_gradient
from cs_nn.plots import plot_slopes
from cs_nn.plots_statistics import plot_bands

# %%
reuse("1_layers", "affine_forward", "affine_backward", "relu_forward", "relu_backward")
reuse("1_layers", "sigmoid_forward", "sigmoid_backward")
reuse("2_losses", "softmax_loss")

# %% [markdown]
# ## ★ tanh
#
# $\tanh x = \frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}$ runs from −1 to 1 and is centred on 0: no zig-zag. It is a
# sigmoid in disguise, $\tanh x = 2\sigma(2x) - 1$, and saturates like one. NumPy has it. For the slope,
# differentiate the fraction, or use the disguise; as with the sigmoid, the result can be said with the
# output alone.

# %% exercise="tanh_forward"
def tanh_forward(x):
    """tanh(x), entry by entry, for x of any shape. Returns out and the cache."""
    ### BEGIN SOLUTION
    out = np.tanh(x)
    return out, out
    ### END SOLUTION


# %% check="tanh_forward"
check(tanh_forward)


# %% exercise="tanh_backward"
def tanh_backward(dout, cache):
    """The gradient dx of tanh, of the shape of x; dout: upstream gradient of that shape."""
    ### BEGIN SOLUTION
    out = cache
    return dout * (1 - out**2)
    ### END SOLUTION


# %% check="tanh_backward"
check(tanh_backward)

# %% [markdown]
# ## ★ Leaky ReLU
#
# The simplest cure for death: let a little through on the left, $f(x) = x$ for $x > 0$ and
# $\text{slope}\cdot x$ otherwise (Maas and others, 2013). At exactly 0 the left side counts.

# %% exercise="leaky_relu_forward"
def leaky_relu_forward(x, slope=0.01):
    """x where x > 0, elsewhere slope·x; x of any shape, slope a number. Returns out and the cache."""
    ### BEGIN SOLUTION
    return np.where(x > 0, x, slope * x), (x, slope)
    ### END SOLUTION


# %% check="leaky_relu_forward"
check(leaky_relu_forward)


# %% exercise="leaky_relu_backward"
def leaky_relu_backward(dout, cache):
    """The gradient dx, of the shape of x; dout: upstream gradient of that shape."""
    ### BEGIN SOLUTION
    x, slope = cache
    return np.where(x > 0, dout, slope * dout)
    ### END SOLUTION


# %% check="leaky_relu_backward"
check(leaky_relu_backward)

# %% [markdown]
# ## ★ ELU
#
# The exponential linear unit goes down smoothly to a floor at $-\alpha$ (Clevert and others, 2015):
#
# $$ f(x) = x \;\text{ for } x > 0, \qquad f(x) = \alpha\,(e^{x} - 1) \;\text{ otherwise} $$
#
# Its outputs are closer to zero mean, and far on the left it is quiet where a leaky ReLU would shout. At
# exactly 0 the left side counts: what is its slope there?
#
# Two traps. `np.where` computes both branches everywhere, and $e^{1000}$ overflows although nobody
# wants it. And for tiny $x$, $e^x - 1$ loses all its digits; NumPy has a function that does not.

# %% exercise="elu_forward"
def elu_forward(x, alpha=1.0):
    """x where x > 0, elsewhere alpha·(e^x − 1); x of any shape and size. Returns out and the cache."""
    ### BEGIN SOLUTION
    left = alpha * np.expm1(np.minimum(x, 0))
    return np.where(x > 0, x, left), (x, alpha)
    ### END SOLUTION


# %% check="elu_forward"
check(elu_forward)


# %% exercise="elu_backward"
def elu_backward(dout, cache):
    """The gradient dx, of the shape of x; dout: upstream gradient of that shape."""
    ### BEGIN SOLUTION
    x, alpha = cache
    left = alpha * np.exp(np.minimum(x, 0))
    return dout * np.where(x > 0, 1, left)
    ### END SOLUTION


# %% check="elu_backward"
check(elu_backward)

# %% [markdown]
# ### An experiment: the family, and what each lets through
#
# For each curve, find the inputs at which it lets no gradient through. Who is left? And what do you think of
# $|x|$ as a bend: its slope is never 0, it is as cheap as ReLU. What does it forget?

# %% tags=["experiment"]
def pair(forward, backward):
    """The function, and its slope: the backward pass of an upstream gradient of ones."""
    return lambda x: forward(x)[0], lambda x: backward(np.ones_like(x), forward(x)[1])


family = {
    "tanh": pair(tanh_forward, tanh_backward),
    "ReLU": pair(relu_forward, relu_backward),
    "leaky, 0.1": pair(lambda x: leaky_relu_forward(x, 0.1), leaky_relu_backward),
    "ELU": pair(elu_forward, elu_backward),
}
axes = plot_slopes(family, reach=4)
axes[1].set_title("on the left they differ")
plt.show()

# %% [markdown]
# ## ★ PReLU: a slope that is learnt
#
# Why choose the slope? Make it a parameter and let the loss choose (He and others, 2015). Then backward
# owes two gradients, one for `x`, and one for `slope`.
#
# One slope is used for *many* entries: a copy gate once more. With `slope` of shape $()$ it serves all
# entries; with shape $(C,)$, each channel (axis 1 of `x`) has its own. Over which axes do the
# contributions add up in each case? As always, the gradient has the shape of what it is the gradient of.

# %% exercise="prelu_forward"
def prelu_forward(x, slope):
    """x where x > 0, elsewhere slope·x, with a slope that is learnt.

    x: any shape, (N, C, ...) if there is a slope for each channel;
    slope: a number or array of shape (), or an array (C,), one for each channel.
    Returns out, of the shape of x, and the cache.
    """
    ### BEGIN SOLUTION
    slope = np.asarray(slope, dtype=np.result_type(x, slope))
    wide = slope.reshape((1, -1) + (1,) * (x.ndim - 2)) if slope.ndim else slope
    return np.where(x > 0, x, wide * x), (x, slope, wide)
    ### END SOLUTION


# %% check="prelu_forward"
check(prelu_forward)


# %% exercise="prelu_backward"
def prelu_backward(dout, cache):
    """Gradients (dx, dslope), in the shapes of x and slope; at x = 0 the slope's side counts."""
    ### BEGIN SOLUTION
    x, slope, wide = cache
    dx = np.where(x > 0, dout, wide * dout)
    each = np.where(x > 0, 0, x * dout)
    axes = tuple(axis for axis in range(x.ndim) if slope.ndim == 0 or axis != 1)
    return dx, np.asarray(each.sum(axis=axes))
    ### END SOLUTION


# %% check="prelu_backward"
check(prelu_backward)

# %% [markdown]
# ## ★ Maxout: no shape at all
#
# The last step: why fix the shape of the bend? A maxout unit computes $k$ affine functions of its inputs and
# takes the largest (Goodfellow and others, 2013):
#
# $$ \text{out}_{im} = \max_{j = 1 \dots k} \bigl( x_i\, w_j + b_j \bigr)_m,
#    \qquad w\colon (k, D, M),\quad b\colon (k, M) $$
#
# With two pieces it can be a ReLU or a leaky ReLU or $|x|$; with more, any bowl made of straight pieces. It
# does not saturate and does not die, and it costs $k$ times the weights.
#
# The gradient you can do in your sleep by now: max routes. Only the winner of each entry hears
# anything (the first one, where several are equal), and its affine piece does the rest.

# %% exercise="maxout_forward"
def maxout_forward(x, w, b):
    """The largest of k affine pieces, entry by entry.

    x: inputs (N, d_1, ..., d_j) with d_1·...·d_j = D;  w: weights (k, D, M);  b: biases (k, M).
    Returns out (N, M) and the cache.
    """
    ### BEGIN SOLUTION
    rows = x.reshape(x.shape[0], -1)
    pieces = rows @ w + b[:, None, :]
    winner = pieces.argmax(axis=0)
    return pieces.max(axis=0), (x, w, winner)
    ### END SOLUTION


# %% check="maxout_forward"
check(maxout_forward)


# %% exercise="maxout_backward"
def maxout_backward(dout, cache):
    """Gradients (dx, dw, db), in the shapes of x, w and b; dout: upstream gradient (N, M)."""
    ### BEGIN SOLUTION
    x, w, winner = cache
    rows = x.reshape(x.shape[0], -1)
    dx = np.zeros(rows.shape, dout.dtype)
    dw = np.zeros(w.shape, dout.dtype)
    db = np.zeros((w.shape[0], w.shape[2]), dout.dtype)
    for j in range(w.shape[0]):
        dpiece = np.where(winner == j, dout, 0)
        dx += dpiece @ w[j].T
        dw[j] = rows.T @ dpiece
        db[j] = dpiece.sum(axis=0)
    return dx.reshape(x.shape), dw, db
    ### END SOLUTION


# %% check="maxout_backward"
check(maxout_backward)

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x, w, b = rng.normal(size=(5, 4)), rng.normal(size=(3, 4, 2)), rng.normal(size=(3, 2))
_, cache = maxout_forward(x, w, b)
check_gradient(lambda x, w, b: maxout_forward(x, w, b)[0],
               lambda dout: maxout_backward(dout, cache), (x, w, b), names=["x", "w", "b"])

# %% [markdown]
# ### An experiment: one unit draws a bowl
#
# A single maxout unit is fitted to $x^2$ by gradient descent, with two, four and eight pieces. Could it be
# fitted to $-x^2$ as well?

# %% tags=["experiment"]
x = np.linspace(-1, 1, 101)[:, None]
figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
axes.plot(x, x**2, color="0.6", lw=4, label="$x^2$")
for k in (2, 4, 8):
    rng = np.random.default_rng(1)
    w, b = rng.normal(size=(k, 1, 1)), np.zeros((k, 1))
    for _ in range(3000):
        out, cache = maxout_forward(x, w, b)
        _, dw, db = maxout_backward(2 * (out - x**2) / len(x), cache)
        w, b = w - 0.1 * dw, b - 0.1 * db
    axes.plot(x, maxout_forward(x, w, b)[0], label=f"{k} pieces")
axes.set(xlabel="x", ylabel="output", title="maxout learns the shape of its bend")
axes.legend()
plt.show()

# %% [markdown]
# ### An experiment: death by learning rate
#
# A network with one hidden layer of 100 units learns the spirals, with ReLUs and with leaky ReLUs, at
# several learning rates. One too large step can throw a ReLU to where no example activates it. How
# many units are dead at the end, that is, negative on *all* examples? The lecture's advice is "use ReLU, but be
# careful with your learning rates".

# %% tags=["experiment"]
def negative_on_all(forward, backward, rate, steps=300):
    """The fraction of hidden units that no example activates, after training."""
    X, y = spirals(300, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    params = [rng.normal(size=(2, 100)), np.zeros(100), rng.normal(0, 0.14, (100, 3)), np.zeros(3)]
    for _ in range(steps):
        hidden, first = affine_forward(X, *params[:2])
        active, bend = forward(hidden)
        scores, second = affine_forward(active, *params[2:])
        dactive, dw2, db2 = affine_backward(softmax_loss(scores, y)[1], second)
        _, dw1, db1 = affine_backward(backward(dactive, bend), first)
        params = [p - rate * d for p, d in zip(params, (dw1, db1, dw2, db2))]
    return np.mean(np.all(affine_forward(X, *params[:2])[0] <= 0, axis=0))


rates = np.arange(1.0, 9.0)
figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
for name, forward, backward in (
    ("ReLU", relu_forward, relu_backward),
    ("leaky ReLU, 0.1", lambda x: leaky_relu_forward(x, 0.1), leaky_relu_backward),
):
    negative = [negative_on_all(forward, backward, rate) for rate in rates]
    axes.plot(rates, negative, "o-", label=name)
axes.set(xlabel="learning rate", ylabel="units negative on all examples",
         title="steps that are too long kill ReLUs")
axes.legend()
plt.show()

# %% [markdown]
# A leaky ReLU that is negative everywhere still learns, and can come back; a dead ReLU cannot. In practice:
# start with ReLU; if many units die, lower the learning rate before you change the bend.

# %% [markdown]
# ### An experiment: which bend learns fastest?
#
# The digits, three hidden layers of 50 units, 120 small steps; weights drawn so that the signal keeps its size with
# each bend (a3). For a fair race every bend runs at the best of three learning rates, found with other
# random numbers. The lines are means of five runs, the bands their 95 % confidence intervals. "Use ReLU. Try leaky ReLU, maxout, ELU. Try tanh, but don't expect much.
# Don't use sigmoid", says the lecture. Which of these sentences will you see confirmed?

# %% tags=["experiment"]
digits = load_digits()
mean_image = digits.x_train.mean(axis=0)


def learn(forward, backward, gain, rate, seed, steps=120, depth=3, units=50):
    """The losses of a deep network on the digits; gain: variance of the weights times fan-in."""
    rng, losses = np.random.default_rng(seed), []
    sizes = [64] + [units] * depth + [10]
    params = [[rng.normal(0, np.sqrt(gain / i), (i, o)), np.zeros(o)] for i, o in zip(sizes, sizes[1:])]
    for _ in range(steps):
        batch = rng.choice(len(digits.x_train), 50, replace=False)
        h, caches = digits.x_train[batch] - mean_image, []
        for layer, (w, b) in enumerate(params):
            h, affine = affine_forward(h, w, b)
            h, bend = forward(h) if layer < depth else (h, None)
            caches.append((affine, bend))
        loss, d = softmax_loss(h, digits.y_train[batch])
        losses.append(loss)
        for layer in range(depth, -1, -1):
            affine, bend = caches[layer]
            d, dw, db = affine_backward(backward(d, bend) if layer < depth else d, affine)
            w, b = params[layer]
            params[layer] = [w - rate * dw, b - rate * db]
    return losses


curves = {}
for name, forward, backward, gain in (
    ("ReLU", relu_forward, relu_backward, 2.0),
    ("leaky ReLU, 0.1", lambda x: leaky_relu_forward(x, 0.1), leaky_relu_backward, 2.0),
    ("ELU", elu_forward, elu_backward, 1.5),
    ("tanh", tanh_forward, tanh_backward, 1.0),
    ("sigmoid", sigmoid_forward, sigmoid_backward, 1.0),
):
    best = min((0.1, 0.5, 1.0), key=lambda rate: sum(learn(forward, backward, gain, rate, seed=99)))
    runs = np.array([learn(forward, backward, gain, best, seed) for seed in range(5)])
    curves[f"{name}, rate {best}"] = runs.reshape(5, 12, 10).mean(axis=2)
axes = plot_bands(10 * np.arange(12) + 5, curves)
axes.axhline(np.log(10), color="0.5", ls=":", label="log 10: knows nothing")
axes.set(xlabel="step", ylabel="training loss", title="all learn, except the sigmoid")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# The last sentence is confirmed beyond doubt: when the others have finished, three layers of sigmoids have not begun. Among the rest there is
# little to choose here, and $\tanh$ holds its own. (The much quoted factor of six between ReLU and tanh was measured on a
# large convolutional network, by Krizhevsky and others, 2012.) What would have to change for the sigmoid to take part in the race?
