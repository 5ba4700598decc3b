# %% [markdown]
# # ★ More ways to be wrong
#
# Not every answer is one of ten classes. Networks predict temperatures, draw pictures, tick several
# boxes at once, and learn from other networks. Each task has its loss, and each loss its character: what
# it forgives, what it cannot bear. All of this notebook is optional; nothing later needs it.
#
# | | |
# |---|---|
# | **You need** | `2_losses` |
# | **It takes** | about an hour and a half; five exercises, each on its own |
# | **Afterwards you can** | choose the loss that fits the answer; say why one wild data point ruins a fit and what to do; train with soft targets |
#
# Two conventions for all of them: a loss returns `(loss, dx)`, and the mean goes over *all elements* unless
# something else is said.

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.gradcheck import check_gradient

# %% [markdown]
# ## ★ Squared and absolute error
#
# To predict numbers, measure the distance to the right ones:
#
# $$ L_2 = \frac{1}{n} \sum_i (x_i - y_i)^2 \qquad\qquad L_1 = \frac1n \sum_i |x_i - y_i| $$
#
# with $n$ the number of elements, and no ½ (as `torch.nn.MSELoss` and `torch.nn.L1Loss` have it). The absolute
# value has a kink where prediction and truth agree; take the slope 0 there.

# %% exercise="mse_loss"
def mse_loss(x, y):
    """Squared error, mean over all elements.

    x: predictions, of any shape;  y: targets, of the same shape.
    Returns the loss, one number, and its gradient dx, of the shape of x.
    """
    ### BEGIN SOLUTION
    difference = x - y
    return np.mean(difference**2), 2 * difference / difference.size
    ### END SOLUTION


# %% check="mse_loss"
check(mse_loss)


# %% exercise="l1_loss"
def l1_loss(x, y):
    """Absolute error, mean over all elements.

    x: predictions, of any shape;  y: targets, of the same shape.
    Returns the loss, one number, and its gradient dx, of the shape of x.
    """
    ### BEGIN SOLUTION
    difference = x - y
    return np.mean(np.abs(difference)), np.sign(difference) / difference.size
    ### END SOLUTION


# %% check="l1_loss"
check(l1_loss)

# %% [markdown]
# ### An experiment: one wild point
#
# Twenty points on a line, one of them mistyped. A line is fitted to them by gradient descent on each of the two
# losses. Which of the lines will care, and why? Look at the two gradients once more before you run it: how
# hard does a point pull that is ten times as far away?

# %% tags=["experiment"]
rng = np.random.default_rng(4)
t = np.linspace(0, 1, 20)
targets = 1 + 2 * t + rng.normal(0, 0.1, 20)
targets[16] = -6.0
figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
axes.plot(t, targets, "o", color="0.3", label="data")
axes.plot(t, 1 + 2 * t, color="0.7", lw=4, label="the truth")
for name, loss_function in (("squared error", mse_loss), ("absolute error", l1_loss)):
    slope, offset = 0.0, 0.0
    for step in range(6000):
        _, dx = loss_function(slope * t + offset, targets)
        rate = 0.3 / (1 + step / 200)
        slope, offset = slope - rate * (dx @ t), offset - rate * dx.sum()
    axes.plot(t, slope * t + offset, label=name)
axes.set(xlabel="t", ylabel="y", title="one wild point: the square listens to it")
axes.legend()
plt.show()

# %% [markdown]
# The squared error pulls in proportion to the distance, and its best constant is the *mean*; the absolute
# error pulls equally at every point, and its best constant is the *median*. One liar moves the mean at
# will, and the median hardly at all.
#
# ## ★ Yes or no
#
# For a question with two answers one score $x$ is enough, with $\sigma(x)$ the probability of "yes" and
# $y$ the truth, 0 or 1 or something in between:
#
# $$ L = -\frac1n \sum_i \bigl[\, y_i \log \sigma(x_i) + (1 - y_i) \log(1 - \sigma(x_i)) \,\bigr] $$
#
# Written like this it breaks down at $x = 1000$: $\log 0$. As with the softmax, take the logarithm apart before
# you compute it. Show that one term is
#
# $$ \log(1 + e^{-x}) + (1 - y)\,x , $$
#
# and then get rid of $e^{-x}$ for very negative $x$ (the trick of `sigmoid_forward`, or a function of NumPy
# that computes $\log(e^a + e^b)$ safely). The gradient is as beautiful as that of the softmax, and for
# the same reason.

# %% exercise="bce_with_logits_loss"
def bce_with_logits_loss(x, y):
    """Binary cross-entropy of scores, mean over all elements.

    x: scores (before the sigmoid), of any shape and size;  y: targets in [0, 1], of the same shape.
    Returns the loss, one number, and its gradient dx, of the shape of x; finite for any scores.
    """
    ### BEGIN SOLUTION
    z = np.exp(-np.abs(x))
    loss = np.mean(np.maximum(x, 0) - x * y + np.log1p(z))
    sigma = np.where(x >= 0, 1, z) / (1 + z)
    return loss, (sigma - y) / x.size
    ### END SOLUTION


# %% check="bce_with_logits_loss"
check(bce_with_logits_loss)

# %% [markdown]
# ### An experiment: why not simply the squared error of the probability?
#
# The truth is "yes" ($y = 1$), and the score runs from very wrong to very right. How strongly is the score pulled,
# by cross-entropy, and by $(\sigma(x) - 1)^2$? Look at the left end.

# %% tags=["experiment"]
score = np.linspace(-10, 6, 200)
sigma = 1 / (1 + np.exp(-score))
cross_entropy = [-bce_with_logits_loss(np.array([s]), np.ones(1))[1][0] for s in score]
figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
axes.plot(score, cross_entropy, label="cross-entropy")
axes.plot(score, 2 * (1 - sigma) * sigma * (1 - sigma), label="squared error of σ(x)")
axes.set(xlabel="score x, where the truth is yes", ylabel="pull on the score",
         title="sure and wrong: only cross-entropy still corrects it")
axes.legend()
plt.show()

# %% [markdown]
# The squared error has the factor $\sigma'$, and where the sigmoid is saturated, nothing gets through: sure and
# wrong for ever. The logarithm in the cross-entropy cancels that factor exactly. Loss and last
# activation belong together.
#
# ## ★ A distribution as the target
#
# Sometimes the truth is not one class but a distribution $p$: ten people labelled the image, or another,
# larger network did. How far is the network's $q = \text{softmax}(x)$ from it?
#
# $$ \mathrm{KL}(p \,\|\, q) = \sum_j p_j \log\frac{p_j}{q_j}, \qquad
#    L = \frac1N \sum_i \mathrm{KL}(p_i \,\|\, q_i) $$
#
# (mean over the $N$ rows, not over all elements). Terms with $p_j = 0$ are 0. With $p$ all on one class this is the
# softmax loss; so what must the gradient for the scores be?

# %% exercise="kl_div_loss"
def kl_div_loss(x, p):
    """Kullback–Leibler divergence of softmax(x) from the target distributions, mean over the batch.

    x: scores (N, C), of any size;  p: target distributions (N, C), each row sums to 1, zeros allowed.
    Returns the loss, one number, and its gradient dx (N, C), for the scores.
    """
    ### BEGIN SOLUTION
    shifted = x - x.max(axis=1, keepdims=True)
    log_q = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    log_p = np.log(np.where(p > 0, p, 1))
    loss = np.sum(p * (log_p - log_q)) / x.shape[0]
    return loss, (np.exp(log_q) - p) / x.shape[0]
    ### END SOLUTION


# %% check="kl_div_loss"
check(kl_div_loss)

# %% [markdown]
# ## ★ Soft labels
#
# "This is a 3, certainly": with such targets the softmax loss is never content, and pushes the scores apart
# for ever (question 2 of `2_losses`). A friendlier teacher says "probably". With $m$ classes, every wrong
# one gets $\varepsilon$ and the label what is left,
#
# $$ 1 - (m - 1)\,\varepsilon \;\text{ for the label}, \qquad \varepsilon \;\text{ for the others.} $$
#
# For $y = 2$, $m = 4$, $\varepsilon = 0.1$: $(0.1,\, 0.1,\, 0.7,\, 0.1)$.

# %% exercise="smooth_labels"
def smooth_labels(y, classes, eps):
    """Softened targets for integer labels.

    y: labels (N,), integers from 0 to classes - 1;  eps: what each wrong class gets.
    Returns floats (N, classes); each row sums to 1.
    """
    ### BEGIN SOLUTION
    targets = np.full((len(y), classes), eps, dtype=np.float64)
    targets[np.arange(len(y)), y] = 1 - (classes - 1) * eps
    return targets
    ### END SOLUTION


# %% check="smooth_labels"
check(smooth_labels)

# %% [markdown]
# ### An experiment: content at last
#
# The scores of a single example with ten classes, trained directly (no network at all), once with a hard label, once
# with a soft one. How far will the right score run ahead of the others? Can you say in advance where the soft
# one stops?

# %% tags=["experiment"]
leads = {"hard label": [], "soft label, ε = 0.01": []}
for name, eps in zip(leads, (0.0, 0.01)):
    target, x = smooth_labels(np.array([3]), 10, eps), np.zeros((1, 10))
    for _ in range(3000):
        x = x - 1.0 * kl_div_loss(x, target)[1]
        leads[name].append(x[0, 3] - x[0, 0])
figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for name, lead in leads.items():
    axes.plot(lead, label=name)
axes.axhline(np.log(0.91 / 0.01), color="0.5", ls=":", label="log(0.91 / 0.01)")
axes.set(xlabel="step", ylabel="lead of the right score", title="a soft label knows when to stop")
axes.legend()
plt.show()
scores, soft = np.random.default_rng(0).normal(size=(4, 10)), smooth_labels(np.arange(4), 10, 0.01)
check_gradient(lambda x: kl_div_loss(x, soft)[0], kl_div_loss(scores, soft)[1], scores)

# %% [markdown]
# **What to remember.** Start from the answer: what kind of thing is it, and which mistakes hurt? The
# loss follows, the last activation follows from the loss, and if the two belong together, the gradient for
# the scores is simply "what you said minus what is true".
