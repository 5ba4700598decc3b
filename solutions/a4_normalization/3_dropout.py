# %% [markdown]
# # Dropout: a network that trains with half of itself missing
#
# A network with more weights than examples can learn its examples by heart, wrong labels included. In
# 2012 Geoffrey Hinton proposed a remedy that sounds like sabotage: at every training step, switch
# off half of the units, chosen by coin toss. He says that he got the idea at his bank. The tellers kept changing,
# and it occurred to him that it must need cooperation between employees to defraud the bank. Units that
# cannot count on their neighbours cannot conspire to remember single examples.
#
# | | |
# |---|---|
# | **You need** | a2 (layers with a cache, `affine`, `relu`) |
# | **It takes** | about two hours; three exercises and two starred pairs, one question |
# | **Afterwards you can** | write inverted dropout and say where the $1/p$ comes from; show that it narrows the gap between training and validation, with error bars; ask a network how sure it is |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits
from cs_nn.gradcheck import check_gradient
from cs_nn.layers.activations import relu_backward, relu_forward
from cs_nn.layers.affine import affine_backward, affine_forward
from cs_nn.layers.losses import softmax_loss
from cs_nn.modules import train_step
from cs_nn.plots_statistics import plot_bands, plot_intervals

# %% [markdown]
# ## 1 · ★ As it was first written
#
# *Optional, but a good way in.* Let $p$ be the probability that a unit is **kept**. (Careful: in PyTorch, `p` is
# the probability that it is dropped. Half of all dropout bugs live here.) In training every entry of $x$ is multiplied with a
# mask $m$ of its own:
#
# $$ \text{train:}\quad \text{out} = m\, x, \qquad m = \begin{cases} 1 & \text{with probability } p\\ 0 & \text{otherwise} \end{cases} $$
#
# At test time nobody wants a random answer, so all units stay. But then the next layer receives more than it
# is used to. How much more? In training a unit sends on average
#
# $$ \mathbb{E}[\text{out}] = p \cdot x + (1 - p)\cdot 0 = p\,x , $$
#
# so at test time everything is multiplied by $p$: the **scaled pass**.
#
# **Exercise.** The randomness may come from `dropout_param["seed"]`; without a seed every call draws afresh. And
# the mask has the shape of `x`: each example loses *other* units. In `backward`: which units had any
# influence on the output, and how much?

# %% exercise="dropout_vanilla_forward"
def dropout_vanilla_forward(x, dropout_param):
    """Dropout as first published: a mask in training, scaling at test time.

    x: any shape;  dropout_param: dict with p (probability of keeping an entry), mode ("train" or
    "test") and optionally seed. Both stay as they are.
    Returns out, of the shape and dtype of x, and the cache for dropout_vanilla_backward.
    """
    ### BEGIN SOLUTION
    p = float(dropout_param["p"])
    if dropout_param["mode"] == "test":
        return x * p, p
    rng = np.random.default_rng(dropout_param.get("seed"))
    kept = rng.random(x.shape) < p
    return x * kept, kept
    ### END SOLUTION


# %% check="dropout_vanilla_forward"
check(dropout_vanilla_forward)


# %% exercise="dropout_vanilla_backward"
def dropout_vanilla_backward(dout, cache):
    """The gradient dx of dropout_vanilla_forward, after training mode and after test mode.

    dout: upstream gradient, of the shape of x;  cache: from the forward pass.
    """
    ### BEGIN SOLUTION
    return dout * cache
    ### END SOLUTION


# %% check="dropout_vanilla_backward"
check(dropout_vanilla_backward)

# %% [markdown]
# ## 2 · Inverted dropout
#
# Plain dropout keeps an entry of $x$ with probability $p$ and sets it to zero otherwise. On average a unit
# then sends only $p\,x$, so at test time, when all units are kept, every layer would have to be scaled down by $p$. A
# network is trained once and used a million times: why should every user have to know about $p$? Move the
# correction into training. Divide what is kept by $p$, and the average is right at once:
#
# $$ \text{train:}\quad \text{out} = \frac{m\,x}{p}, \qquad
#    \mathbb{E}[\text{out}] = p\cdot\frac{x}{p} = x, \qquad\qquad \text{test:}\quad \text{out} = x $$
#
# Test time is the identity. This *inverted* dropout is what everybody uses today. The mean stays what it was; how
# about the variance? For a single entry with the value $x$,
#
# $$ \operatorname{Var}[\text{out}] = \mathbb{E}[\text{out}^2] - x^2 = \frac{x^2}{p} - x^2 = \frac{1 - p}{p}\,x^2 . $$
#
# At $p = \frac12$ the noise is as large as the signal.
#
# **Exercise.** As above: $p$ is the probability of *keeping*; each entry has its own coin; a `seed` makes the
# mask repeatable, no seed means a fresh one for each call. The way back multiplies the same paths with the same
# factors: decide what the cache must remember.

# %% exercise="dropout_forward"
def dropout_forward(x, dropout_param):
    """Inverted dropout: mask and scale in training, the identity at test time.

    x: any shape;  dropout_param: dict with p (probability of keeping an entry), mode ("train" or
    "test") and optionally seed. Both stay as they are.
    Returns out, of the shape and dtype of x, and the cache for dropout_backward.
    """
    ### BEGIN SOLUTION
    if dropout_param["mode"] == "test":
        return x.copy(), None
    p = float(dropout_param["p"])
    rng = np.random.default_rng(dropout_param.get("seed"))
    factors = (rng.random(x.shape) < p).astype(x.dtype) / p
    return x * factors, factors
    ### END SOLUTION


# %% check="dropout_forward"
check(dropout_forward)


# %% exercise="dropout_backward"
def dropout_backward(dout, cache):
    """The gradient dx of dropout_forward, after training mode and after test mode.

    dout: upstream gradient, of the shape of x;  cache: from the forward pass.
    """
    ### BEGIN SOLUTION
    return dout.copy() if cache is None else dout * cache
    ### END SOLUTION


# %% check="dropout_backward"
check(dropout_backward)

# %% [markdown]
# With a seed, the function draws the same mask again and again, so that it can be differentiated by
# measurement:

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x, dropout_param = rng.normal(size=(5, 6)), {"p": 0.6, "mode": "train", "seed": 3}
_, cache = dropout_forward(x, dropout_param)
check_gradient(
    lambda x: dropout_forward(x, dropout_param)[0], lambda dout: dropout_backward(dout, cache), (x,)
)

# %% [markdown]
# ## 3 · An experiment: the gap
#
# 300 digits to train on, and a fifth of the labels has been replaced by random ones, as if the assistant had been
# tired. Two hidden layers of 100 units have 17,000 weights, more than enough to learn every wrong label by
# heart. On the validation images all labels are right.
#
# The same network, with and without dropout on the hidden units. Solid lines: training, without
# the masks; dashed: validation. Five seeds each, bands are 95 % confidence intervals. Before you run it: which of
# the two has the higher *training* accuracy? (About half a minute.)

# %%
class DropoutNet:
    """affine – ReLU – dropout, twice, then affine and softmax; keep = 1 is no dropout."""

    def __init__(self, keep, rng, sizes=(64, 100, 100, 10)):
        self.keep, self.rng, self.depth, self.params = keep, rng, len(sizes) - 1, {}
        for i, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:]), start=1):
            self.params[f"W{i}"] = rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out))
            self.params[f"b{i}"] = np.zeros(fan_out)

    def scores(self, X, mode="test", rng=None):
        """Scores and all caches; mode "train" drops units, drawn from rng."""
        h, caches = X, []
        for i in range(1, self.depth + 1):
            h, affine = affine_forward(h, self.params[f"W{i}"], self.params[f"b{i}"])
            caches.append([affine])
            if i < self.depth:
                h, relu = relu_forward(h)
                param = {"p": self.keep, "mode": mode}
                if mode == "train":
                    param["seed"] = int(rng.integers(2**32))
                h, dropout = dropout_forward(h, param)
                caches[-1] += [relu, dropout]
        return h, caches

    def loss(self, X, y):
        scores, caches = self.scores(X, "train", self.rng)
        loss, d = softmax_loss(scores, y)
        grads = {}
        for i in range(self.depth, 0, -1):
            affine, *others = caches[i - 1]
            if others:
                d = relu_backward(dropout_backward(d, others[1]), others[0])
            d, grads[f"W{i}"], grads[f"b{i}"] = affine_backward(d, affine)
        return loss, grads

    def accuracy(self, X, y):
        return np.mean(self.scores(X)[0].argmax(axis=1) == y)


def careless_digits(rng, n=300, wrong=0.2):
    """n training images, a part of them with random labels."""
    chosen = rng.permutation(len(digits.x_train))[:n]
    y = digits.y_train[chosen]
    tired = rng.random(n) < wrong
    y[tired] = rng.integers(10, size=tired.sum())
    return digits.x_train[chosen], y


def train_with(keep, seed, rounds=16, steps=50):
    """A trained network, and its accuracies (rounds, 2) on the way: training and validation."""
    rng = np.random.default_rng(seed)
    X, y = careless_digits(rng)
    net, curve = DropoutNet(keep, rng), []
    for _ in range(rounds):
        for _ in range(steps):
            train_step(net, X, y, 0.2, 50, rng)
        curve.append((net.accuracy(X, y), net.accuracy(digits.x_val, digits.y_val)))
    return net, np.array(curve)


digits = load_digits()

# %% tags=["experiment"]
curves = {keep: np.array([train_with(keep, seed)[1] for seed in range(5)]) for keep in (1.0, 0.5)}
steps = 50 * np.arange(1, 17)
axes = plot_bands(
    steps,
    {
        "training, no dropout": curves[1.0][:, :, 0],
        "training, dropout": curves[0.5][:, :, 0],
        "validation, no dropout": curves[1.0][:, :, 1],
        "validation, dropout": curves[0.5][:, :, 1],
    },
)
for line, colour, band in zip(axes.lines, ("C0", "C1") * 2, axes.collections):
    line.set(color=colour, linestyle="-" if line.get_label().startswith("t") else "--")
    band.set_color(colour)
axes.set(xlabel="step", ylabel="accuracy", title="dropout narrows the gap between solid and dashed")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# Without dropout the network learns all 300 labels, right or wrong, and pays with the validation
# images. With dropout it is *worse* at its homework and better in the exam. Note where the blue
# dashed line has its top: what else could you have done to keep it there? (Notebook 4 does.)
#
# How far does it go? The gap itself, for several probabilities of keeping:

# %% tags=["experiment"]
gaps = {}
for keep in (1.0, 0.9, 0.7, 0.5, 0.3):
    ends = [train_with(keep, seed)[1][-1] for seed in range(5)]
    gaps[f"keep {keep}"] = [train - val for train, val in ends]
axes = plot_intervals(gaps, "training accuracy − validation accuracy")
axes.axvline(0, color="0.5", ls=":")
axes.set_title("the more is dropped, the smaller the gap")
plt.show()

# %% [markdown]
# A gap of zero, or even below it, is not a victory in itself: a network that guesses has none at all. (Below
# zero is possible here since the wrong labels count as mistakes only in training.) Which number would you look at
# to choose $p$?
#
# ## 4 · How sure are you?
#
# Dropout trains not one network but a whole crowd: with $M$ units there are $2^M$ ways to switch some of them off, and
# all of these thinned networks share their weights. The test pass without masks is a cheap stand-in
# for the average over the crowd. One can also take the average seriously: leave dropout **on** at
# test time, ask many times, and look at the answers (Gal and Ghahramani, 2016). The mean is the prediction, and
# the spread of the answers says how sure the crowd is:
#
# $$ \text{mean} = \frac1T \sum_{t=1}^{T} f_t(x), \qquad
#    \text{std} = \sqrt{\frac1T \sum_{t=1}^{T} \bigl(f_t(x) - \text{mean}\bigr)^2} $$
#
# **Exercise.** `predict(x, rng)` makes one random pass and returns an array. It must be called anew for every
# sample: one call, repeated in a list, is not a crowd.

# %% exercise="mc_dropout_predict"
def mc_dropout_predict(predict, x, samples, rng):
    """Mean and standard deviation over many random passes (Monte Carlo dropout).

    predict: predict(x, rng) is one random pass and returns an array of any shape;
    x: handed to predict;  samples: number of passes;  rng: numpy.random.Generator.
    Returns (mean, std), each of the shape that predict returns; std divides by samples.
    """
    ### BEGIN SOLUTION
    answers = np.array([predict(x, rng) for _ in range(samples)])
    return answers.mean(axis=0), answers.std(axis=0)
    ### END SOLUTION


# %% check="mc_dropout_predict"
check(mc_dropout_predict)

# %% [markdown]
# ### An experiment: the crowd against the single pass
#
# Accuracy on the validation images, for 1 to 100 samples, against the single pass without masks. Five networks. How
# many members does the crowd need before it is worth the trouble?

# %%
def one_pass(net):
    """The probabilities of a network from a random pass: a function of images and rng."""

    def predict(X, rng):
        scores = net.scores(X, "train", rng)[0]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    return predict


# %% tags=["experiment"]
crowd_sizes = np.array([1, 2, 4, 8, 16, 32, 100])
nets = [train_with(0.5, seed)[0] for seed in range(5)]
crowd, single = [], []
for net in nets:
    rng = np.random.default_rng(0)
    means = [mc_dropout_predict(one_pass(net), digits.x_val, n, rng)[0] for n in crowd_sizes]
    crowd.append([np.mean(mean.argmax(axis=1) == digits.y_val) for mean in means])
    single.append([net.accuracy(digits.x_val, digits.y_val)] * len(crowd_sizes))
axes = plot_bands(crowd_sizes, {"mean of random passes": crowd, "one pass, no masks": single}, marker="o")
axes.set(xscale="log", xlabel="random passes", ylabel="validation accuracy")
axes.set(xticks=crowd_sizes, xticklabels=crowd_sizes, title="a large crowd is as good as the single pass")
plt.show()

# %% [markdown]
# So the single pass is an excellent bargain: the accuracy of a hundred passes for the price of one. Then what
# are the hundred good for? Look at the spread. For each validation image, take the standard deviation of the
# probability of the winning class; separately for images that the crowd reads rightly and wrongly.

# %% tags=["experiment"]
rng = np.random.default_rng(0)
spread = {"read rightly": [], "read wrongly": []}
for net in [train_with(0.5, seed)[0] for seed in range(5)]:
    mean, std = mc_dropout_predict(one_pass(net), digits.x_val, 50, rng)
    winner = mean.argmax(axis=1)
    doubt = std[np.arange(len(winner)), winner]
    for name, chosen in zip(spread, (winner == digits.y_val, winner != digits.y_val)):
        spread[name].append(doubt[chosen])

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for name, values in spread.items():
    axes.hist(np.concatenate(values), bins=30, range=(0, 0.45), density=True, alpha=0.6, label=name)
axes.set(xlabel="standard deviation of the winner's probability", ylabel="density")
axes.set_title("where it is wrong, it hesitates")
axes.legend()
plt.show()

# %% [markdown]
# Not a proof of guilt, but a good reason for a second look. If a person could check one image in ten,
# which ones should they be? And is there anything in this spread that the probabilities of the single pass do not say as
# well? (Try it: the same histogram for one minus the winner's probability.)

# %% [markdown] question="dropout-and-linear" points=2
# **Question 3** (2 points, read by a person). A single affine layer with one output and no bias is trained with the
# squared loss $(y - \sum_j m_j x_j w_j / p)^2$ on one example, with inverted dropout on its inputs. (a) Compute the
# expectation of this loss over the masks. (The expectation of a square is the square of the expectation plus the
# variance.) (b) The result is the loss without dropout plus a second term. Which well-known
# regulariser does it look like, and in what way is it cleverer? What does the term do at $p \to 1$ and $p \to 0$?
#
# ### BEGIN SOLUTION
# (a) The prediction $\hat y = \sum_j m_j x_j w_j / p$ has expectation $\sum_j x_j w_j$, and, as the coins are independent,
# variance $\sum_j \frac{1-p}{p}\, x_j^2 w_j^2$ (section 2). So
# $\mathbb{E}[(y - \hat y)^2] = (y - \sum_j x_j w_j)^2 + \frac{1-p}{p} \sum_j x_j^2 w_j^2$.
# (b) An L2 penalty (weight decay) with a strength of its own for each weight: weights on inputs that
# are large (summed over examples: frequent and strong) are penalised more, so it does not depend on the
# units in which an input is measured: if $x_j$ is doubled and $w_j$ halved, nothing changes. At $p = 1$ it vanishes, at
# $p \to 0$ it becomes infinitely strong.
#
# *Rubric.* 1 point for the expectation with its variance term (half a point if only the factor
# $(1-p)/p$ is wrong). 1 point for "L2, weighted by $x_j^2$" and the two limits; "it regularises"
# alone is not enough.
# ### END SOLUTION

# %% [markdown]
# ## 5 · ★ DropConnect
#
# *Optional.* Why switch off units, when one could switch off single *weights*? A mask of the shape of `w`, one for the
# whole batch (Wan and others, 2013), with inverted scaling as above:
#
# $$ \text{out} = x\,\Bigl(w \circ \frac{m}{p}\Bigr) + b $$
#
# Call the matrix in parentheses $\tilde w$, and the backward pass is that of an affine layer with the weights
# $\tilde w$, plus one more step, from $\tilde w$ to $w$. The biases are never dropped.

# %% exercise="dropconnect_forward"
def dropconnect_forward(x, w, b, dropconnect_param):
    """An affine layer that drops single weights in training.

    x: (N, d_1, ..., d_k) with d_1·...·d_k = D;  w: (D, M);  b: (M,);
    dropconnect_param: dict with p (probability of keeping a weight), mode ("train" or "test") and
    optionally seed; stays as it is. Test mode is the plain affine layer.
    Returns out (N, M) and the cache for dropconnect_backward.
    """
    ### BEGIN SOLUTION
    factors = 1.0
    if dropconnect_param["mode"] == "train":
        p = float(dropconnect_param["p"])
        rng = np.random.default_rng(dropconnect_param.get("seed"))
        factors = (rng.random(w.shape) < p).astype(w.dtype) / p
    thinned = w * factors
    return x.reshape(x.shape[0], -1) @ thinned + b, (x, thinned, factors)
    ### END SOLUTION


# %% check="dropconnect_forward"
check(dropconnect_forward)


# %% exercise="dropconnect_backward"
def dropconnect_backward(dout, cache):
    """Gradients (dx, dw, db) of dropconnect_forward, in the shapes of x, w and b.

    dout: upstream gradient (N, M);  cache: from the forward pass.
    """
    ### BEGIN SOLUTION
    x, thinned, factors = cache
    dx = (dout @ thinned.T).reshape(x.shape)
    dw = (x.reshape(x.shape[0], -1).T @ dout) * factors
    return dx, dw, dout.sum(axis=0)
    ### END SOLUTION


# %% check="dropconnect_backward"
check(dropconnect_backward)

# %% [markdown]
# **What you have learnt.** Dropout multiplies units with coins and divides by the probability of keeping, so that the mean
# stays. It closes the gap between training and validation from above: by making it hard to learn by heart. One pass without
# masks predicts; many passes with masks also tell how sure the network is.
#
# **Next:** older and simpler ways to keep a network modest.
