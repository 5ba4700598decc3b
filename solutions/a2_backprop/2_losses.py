# %% [markdown]
# # How wrong, in one number
#
# A network gives every image ten scores. To learn, it needs *one* number that says how bad they are,
# and the gradient of this number for the scores: the first upstream gradient, from which all others
# come. This number, the loss, is a choice, and the choice decides what the network will care about.
#
# | | |
# |---|---|
# | **You need** | `1_layers` (your affine layer is used again); logarithms |
# | **It takes** | about two hours; two exercises, one question |
# | **Afterwards you can** | derive the gradient of the softmax loss and write it so that no number overflows; say what softmax and hinge loss ask of a network and when each is content; train a linear classifier and read its weights |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check, reuse
from cs_nn.data.datasets import load_digits
from cs_nn.gradcheck import check_gradient
from cs_nn.plots import plot_losses, show_images

# %% [markdown]
# This cell takes your functions from `1_layers`, as they were last saved. If you change them there, save
# and run it again.

# %%
reuse("1_layers", "affine_forward", "affine_backward")

# %% [markdown]
# ## 1 · The softmax loss
#
# The last layer gives every example $C$ numbers, its *logits*. The softmax makes probabilities of
# them, and the loss is the mean of the surprise at the right answer:
#
# $$ p_{ij} = \frac{e^{x_{ij}}}{\sum_k e^{x_{ik}}}, \qquad
#    L = -\frac1N \sum_i \log p_{i, y_i} $$
#
# Why a logarithm? Probabilities of independent examples multiply, and $-\log$ turns the product into
# a sum: to make $L$ small is to make the *whole training set* as probable as possible. And surprise
# has the right scale: certain and right costs 0; a guess among ten costs $\log 10 \approx 2.3$;
# certain and wrong costs without limit.
#
# **Large logits.** $e^{1000}$ is infinite, and $\infty/\infty$ is no number. But adding one constant
# to all logits of a row leaves $p$ as it is, so subtract the row's largest: then no exponent is
# above 0. And do not take the logarithm of a $p$ that has become 0: write
# $\log p_{ij} = x_{ij} - \log \sum_k e^{x_{ik}}$ and it never appears.
#
# **The gradient.** Put the second form into $L$,
#
# $$ L = \frac1N \sum_i \Bigl( -x_{i, y_i} + \log \sum_k e^{x_{ik}} \Bigr), $$
#
# and differentiate for $x_{ij}$. The first term gives $-1$ at the label and nothing elsewhere; the
# logarithm of the sum gives $e^{x_{ij}} / \sum_k e^{x_{ik}}$, and you have seen that fraction before.
# So each row of `dx` says: push every class down by the probability you gave it, and the right one up
# by what is missing to 1. (The truth written as a row of probabilities, 1 at the label and 0 elsewhere, is
# called **one-hot**; a row of `dx` is $p$ minus that, divided by $N$.) What do the entries of a row add up to?

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
# One image of a 3, before and after the network has learnt something about it. Blue is what the network
# is told by the gradient: a bar to the left means "lower this score", one to the right "raise it" (the
# *negative* gradient, the direction of descent).
#
# Before you run it: in the third picture the network is nearly sure of the right class. How long will
# the blue bars be?

# %% tags=["experiment"]
stages = {
    "knows nothing": np.zeros(10),
    "takes it for an 8": np.array([0, 0, 1, 2, 0, 1, 0, 0, 4, 1.0]),
    "nearly sure": np.array([0, 0, 1, 7, 0, 1, 0, 0, 3, 1.0]),
}
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharex=True, sharey=True, layout="constrained")
for place, (title, logits) in zip(axes, stages.items()):
    loss, dx = softmax_loss(logits[None], np.array([3]))
    p = dx[0] + (np.arange(10) == 3)
    place.barh(np.arange(10) - 0.2, p, 0.4, color="0.75", label="probability")
    place.barh(np.arange(10) + 0.2, -dx[0], 0.4, color="C0", label="push on the score")
    place.set(title=f"{title}: loss {loss:.2f}", xlabel="probability, push", yticks=range(10))
    place.axvline(0, color="0.3", lw=0.8)
axes[0].set_ylabel("class")
axes[2].legend(loc="upper right")
plt.show()

# %% [markdown]
# The pushes of a row add up to zero: what one class gains, the others lose. The error itself,
# $p - \text{truth}$, is the gradient. No other factor, no saturation: the more wrong, the stronger. That
# is no accident, and the reason why softmax and cross-entropy are always used together.
#
# ## 2 · The hinge loss
#
# A second opinion, from the support vector machine. It does not speak of probabilities. It asks that
# the score of the right class be larger than every other by a margin $\Delta$, and it is content when
# that is so:
#
# $$ L = \frac1N \sum_i \sum_{j \ne y_i} \max\bigl(0,\; x_{ij} - x_{i, y_i} + \Delta\bigr) $$
#
# **By hand first.** Scores $(3.2,\; 5.1,\; -1.7)$, the right class is the first, $\Delta = 1$. The second
# class is in the way: $\max(0, 5.1 - 3.2 + 1) = 2.9$. The third is not: $\max(0, -1.7 - 3.2 + 1) = 0$. Loss
# 2.9.
#
# **The gradient.** You know max: it routes. A term that is 0 sends nothing back. A term above 0 sends
# 1 to $x_{ij}$; and what to $x_{i, y_i}$, which occurs in *all* terms of the row? (A margin of exactly 0
# counts as satisfied.)
#
# Watch the sum: $j \ne y_i$. What would each row cost if you forgot that?

# %% exercise="svm_loss"
def svm_loss(x, y, delta=1.0):
    """Mean multiclass hinge loss.

    x: scores (N, C);  y: labels (N,), integers from 0 to C - 1;  delta: the margin asked for.
    Returns the loss, one number, and its gradient dx (N, C). A margin of exactly 0 sends no gradient.
    """
    ### BEGIN SOLUTION
    rows = np.arange(x.shape[0])
    margins = np.maximum(0, x - x[rows, y][:, None] + delta)
    margins[rows, y] = 0
    loss = margins.sum() / x.shape[0]
    dx = (margins > 0).astype(x.dtype)
    dx[rows, y] = -dx.sum(axis=1)
    return loss, dx / x.shape[0]
    ### END SOLUTION


# %% check="svm_loss"
check(svm_loss)

# %% tags=["experiment"]
loss, dx = svm_loss(np.array([[3.2, 5.1, -1.7]]), np.array([0]))
print(f"the example above: loss {loss:.1f}, gradient {dx[0]}")
rng = np.random.default_rng(0)
scores, labels = rng.normal(size=(5, 10)), rng.integers(10, size=5)
check_gradient(lambda x: svm_loss(x, labels)[0], svm_loss(scores, labels)[1], scores)

# %% [markdown]
# ## 3 · When is enough enough?
#
# Two classes; the wrong one has score 0, the right one moves from $-4$ to $4$. What does each loss
# say, and which third curve would we *really* like to make small?

# %% tags=["experiment"]
lead = np.linspace(-4, 4, 201)
label = np.array([0])
scores = [np.array([[s, 0.0]]) for s in lead]
figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
axes.plot(lead, [softmax_loss(s, label)[0] for s in scores], label="softmax loss")
axes.plot(lead, [svm_loss(s, label)[0] for s in scores], label="hinge loss")
axes.step(lead, lead < 0, color="0.4", ls="--", label="error: wrong or right")
axes.set(xlabel="lead of the right class", ylabel="loss", ylim=(-0.1, 5),
         title="hinge is content behind the margin, softmax never is")
axes.legend()
plt.show()

# %% [markdown]
# What we want is few errors, the dashed line. Its slope is zero wherever it has one: it tells a network
# nothing about where to go. Both losses are stand-ins with a useful slope. A stand-in can be wrong: the
# loss may fall while the errors rise. (a5 has an example in which the loss is as small as it can be and
# yet a point on the wrong side stays there.)

# %% [markdown] question="content" points=2
# **Question 2** (2 points, read by a person). A linear classifier has put all training examples on the
# right side, each with a lead of at least 1. You go on training, once with the hinge loss and
# once with the softmax loss, without regularisation. (a) What happens to the weights and to the loss
# in both cases? (b) Now the data hold a few wrong labels, far on the wrong side. How hard does one of
# them pull on the weights under each loss, compared with the many easy examples? Argue with the
# slopes in the picture.
#
# ### BEGIN SOLUTION
# (a) Hinge: all margins are satisfied, loss 0, gradient 0, nothing moves any more. Softmax: the gradient is never 0;
# multiplying all weights by a constant above 1 lowers the loss, so the weights grow without limit (as
# $\log t$) while the loss creeps to 0; the decisions hardly change.
# (b) For an example far on the wrong side both slopes tend to the same constant (−1 here), so one wrong
# label pulls about equally hard in both. Easy examples pull on the softmax a little, all together; on the
# hinge not at all, which looks only at the examples near or beyond the margin. So, relative to the rest, wrong labels
# have more weight with the hinge, where nothing pulls against them.
#
# *Rubric.* 1 point for (a): hinge stops exactly; softmax goes on, weights grow. 1 point for (b): slopes
# compared on both sides, with a conclusion that follows from them (also "equal for one example").
# ### END SOLUTION

# %% [markdown]
# ## 4 · What does one layer see?
#
# The smallest network there is: your affine layer and a loss. Before training it knows nothing, gives each of
# the ten digits one tenth, and its softmax loss is $-\log \frac{1}{10} = \log 10 \approx 2.30$. **Always
# look at the first loss**: if it is not $\log C$, something is wrong before anything has been learnt.
# (What should the hinge loss be at the start, with ten scores of 0?)
#
# Each column of `w` has as many entries as an image has pixels. So after training, look at them *as*
# images: what the layer adds up for a 0, for a 1, …

# %% tags=["experiment"]
digits = load_digits()


def train_one_layer(loss_function, rate, steps=400, batch=100):
    """Mini-batch gradient descent on one affine layer; the next notebook does it properly."""
    rng = np.random.default_rng(1)
    w, b, losses = np.zeros((64, 10)), np.zeros(10), []
    for _ in range(steps):
        chosen = rng.choice(len(digits.x_train), batch, replace=False)
        scores, cache = affine_forward(digits.x_train[chosen], w, b)
        loss, dscores = loss_function(scores, digits.y_train[chosen])
        _, dw, db = affine_backward(dscores, cache)
        w, b = w - rate * dw, b - rate * db
        losses.append(loss)
    scores, _ = affine_forward(digits.x_val, w, b)
    return w, losses, np.mean(scores.argmax(axis=1) == digits.y_val)


w_softmax, softmax_losses, softmax_accuracy = train_one_layer(softmax_loss, 0.5)
w_hinge, hinge_losses, hinge_accuracy = train_one_layer(svm_loss, 0.05)
axes = plot_losses({"softmax loss": softmax_losses}, np.log(10), "log 10: knows nothing")
axes.set_title("the softmax loss of one layer")
show_images(w_softmax.T.reshape(10, 8, 8), [f"a {d}" for d in range(10)], signed=True)
plt.show()
print(f"validation accuracy: softmax {softmax_accuracy:.3f}, hinge {hinge_accuracy:.3f}; "
      f"hinge loss at the start {hinge_losses[0]:.2f}")

# %% [markdown]
# One template for each digit, red where ink speaks for it and blue where ink speaks against it. The
# strongest opinions are often blue: a 0 is known by the hole in its middle. And one template is all
# a layer has: it cannot say "a 7 with or without a bar". That takes a second layer.
#
# ## 5 · Which loss for what?
#
# | the answer is | last layer gives | last activation | loss |
# |---|---|---|---|
# | one of $C$ classes | $C$ scores | softmax | softmax loss; hinge loss (of the scores) |
# | yes or no, for each of several questions | a score each | sigmoid | binary cross-entropy ★ |
# | a number, or many | the numbers | none | mean squared error ★; absolute error, where some data are wild ★ |
# | a distribution over classes | $C$ scores | softmax | Kullback–Leibler divergence ★ |
#
# The last activation is part of the loss here, as in your `softmax_loss`: that is what makes it safe for large scores.
#
# Those with a star are exercises in `5_more_losses`, for the curious.
#
# **Next:** `3_networks`, where layers and losses become things that one can plug together.
