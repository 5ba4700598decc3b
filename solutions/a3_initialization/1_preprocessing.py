# %% [markdown]
# # Before the first weight: the data
#
# A network never sees an image. It sees a cloud of points in a space of 64 or 3,072 dimensions, and how that cloud
# lies there, far from the origin or around it, round or stretched like a cigar, decides how fast it can learn.
# Moving and stretching the cloud costs a few lines. There is one way to cheat without noticing, and this
# notebook makes sure that you notice.
#
# | | |
# |---|---|
# | **You need** | a2 to have trained a network; mean, variance, eigenvectors of a symmetric matrix |
# | **It takes** | about two hours; five exercises, one question |
# | **Afterwards you can** | centre, standardise, decorrelate and whiten data; say which of them images need; keep the test set out of it |
#
# After each exercise there is a cell with `check(...)`. It tries your function on small inputs and
# says what is wrong and where; run it as often as you like. What counts is checked again after you
# hand in, on other numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits
from cs_nn.layers.affine import affine_backward, affine_forward
from cs_nn.layers.losses import mse_loss
from cs_nn.plots import show_images
from cs_nn.plots_statistics import confidence_interval, plot_bands, plot_clouds

# %% [markdown]
# ## 1 · Around the origin
#
# Remember a2: if all inputs of a unit are positive, all gradients for its weights have the same sign, and the descent
# zig-zags. Pixels are never negative. The remedy is to subtract the mean. *Which* mean? Two habits:
#
# - AlexNet subtracts the **mean image**, one number for every pixel of every channel;
# - VGGNet subtracts the **mean of each channel**, three numbers for colour images.
#
# Here is the rule that matters more than the choice: **all statistics come from the training set.** The test set stands for
# data that nobody has seen; it is transformed with the numbers of the training set, never with its own. So every function
# below takes both sets and returns both.

# %% exercise="subtract_mean_image"
def subtract_mean_image(train, test):
    """Subtract the mean training example from all examples.

    train: (N, d_1, ..., d_k);  test: (M, d_1, ..., d_k); float. Both stay as they are.
    Returns both, centred by train, in their shapes and dtype.
    """
    ### BEGIN SOLUTION
    mean = train.mean(axis=0)
    return train - mean, test - mean
    ### END SOLUTION


# %% check="subtract_mean_image"
check(subtract_mean_image)


# %% exercise="subtract_channel_mean"
def subtract_channel_mean(train, test):
    """Subtract from each channel its mean over all training images and positions.

    train: images (N, C, H, W);  test: (M, C, H, W); float. Both stay as they are.
    Returns both, centred by train, in their shapes and dtype.
    """
    ### BEGIN SOLUTION
    mean = train.mean(axis=(0, 2, 3)).reshape(1, -1, 1, 1)
    return train - mean, test - mean
    ### END SOLUTION


# %% check="subtract_channel_mean"
check(subtract_channel_mean)

# %% [markdown]
# Digits, before and after: the first row as they are, the second without the mean image (blue is negative), and at the end of
# each row, what the mean of 300 *test* images looks like. Should the last picture of the second row be exactly zero?

# %% tags=["experiment"]
digits = load_digits()
centred, centred_test = subtract_mean_image(digits.x_train, digits.x_test)
before = [*digits.x_train[:7, 0], digits.x_test.mean(axis=0)[0]]
after = [*centred[:7, 0], centred_test.mean(axis=0)[0]]
titles = [str(y) for y in digits.y_train[:7]] + ["mean, test"]
show_images(before, titles, columns=8)
show_images(after, titles, signed=True, columns=8)
plt.show()
for name, images in (("training", centred), ("test", centred_test)):
    print(f"largest entry of the mean {name} image, after: {np.abs(images.mean(axis=0)).max():.1e}")

# %% [markdown]
# It should not. The mean of the test images is *nearly* that of the training images, and the rest is honest: the test
# set is another sample. If yours is exactly zero, you have cheated. (The picture shows it in full colour since every
# image is drawn on its own scale.)
#
# ## 2 · On one scale
#
# If one feature is measured in metres and another in millimetres, one axis of the cloud is a thousand times longer than the other. Divide every feature
# by its standard deviation:
#
# $$ x'_{ij} = \frac{x_{ij} - \mu_j}{\sigma_j}, \qquad \sigma_j^2 = \frac1N \sum_i (x_{ij} - \mu_j)^2 . $$
#
# One trap: the corner pixels of our digits are white in *all* training images. Their $\sigma$ is 0, and $0/0$ is `nan`. A
# feature that never varies carries no information; let it become 0 in the training set, and only be centred in the test set.
# (And is the standard deviation of 1,000 equal numbers always *exactly* 0 on a computer?)

# %% exercise="standardize"
def standardize(train, test):
    """Give each feature of train the mean 0 and the standard deviation 1.

    train: (N, d_1, ..., d_k);  test: (M, d_1, ..., d_k); float. Both stay as they are.
    Returns both, transformed with the statistics of train, in their shapes and dtype. A feature
    that is constant in train becomes 0 there.
    """
    ### BEGIN SOLUTION
    mean, std = train.mean(axis=0), train.std(axis=0)
    constant = np.all(train == train[0], axis=0)
    # The mean of equal numbers need not be exactly that number.
    mean = np.where(constant, train[0], mean)
    std = np.where(constant | (std == 0), 1, std)
    return (train - mean) / std, (test - mean) / std
    ### END SOLUTION


# %% check="standardize"
check(standardize)

# %% [markdown]
# ## 3 · Rotated and round
#
# Neighbouring pixels say nearly the same thing. In the cloud this is a direction that is not along any axis, and
# standardising cannot see it. The **covariance matrix** of the centred data can:
#
# $$ \Sigma = \frac1N \sum_i (x_i - \mu)(x_i - \mu)^\top , $$
#
# with variances on the diagonal and covariances beside it. It is symmetric, so it has orthonormal eigenvectors, $\Sigma = V \Lambda V^\top$. They are the
# *principal axes* of the cloud, and the eigenvalues $\lambda_k$ are the variances along them. (Why? The variance along a
# unit vector $v$ is $v^\top \Sigma\, v$.) Express the data in these axes,
#
# $$ z_i = V^\top (x_i - \mu), \qquad\text{with covariance}\qquad V^\top \Sigma\, V = \Lambda , $$
#
# and nothing is correlated any more. That is **PCA**. Keeping only the first $K$ columns of $V$ keeps the directions with the
# most variance. Divide by the standard deviations too, and the cloud is round in all directions; its covariance is the
# identity. That is **whitening**:
#
# $$ z'_{ik} = \frac{z_{ik}}{\sqrt{\lambda_k + \varepsilon}} $$
#
# Here $\varepsilon$ keeps directions without variance from being blown up into noise.
#
# **Exercise.** `np.linalg.eigh` is made for symmetric matrices; in which order does it return the eigenvalues? The sign
# of each axis is yours to choose.

# %% exercise="pca"
def pca(train, test, components=None):
    """Rotate the data onto the principal axes of train.

    train: (N, D);  test: (M, D); float. Both stay as they are.
    components: how many axes to keep, those with the largest variance; None for all D.
    Returns both, centred by train and in these axes, largest variance first: (N, K) and (M, K).
    """
    ### BEGIN SOLUTION
    mean = train.mean(axis=0)
    centred = train - mean
    _, vectors = np.linalg.eigh(centred.T @ centred / len(train))
    axes = vectors[:, ::-1][:, :components]
    return centred @ axes, (test - mean) @ axes
    ### END SOLUTION


# %% check="pca"
check(pca)


# %% exercise="whiten"
def whiten(train, test, eps=1e-5):
    """Rotate onto the principal axes of train and scale every axis to variance 1.

    train: (N, D);  test: (M, D); float. Both stay as they are.
    eps: added to each eigenvalue, inside the root.
    Returns both, (N, D) and (M, D); the covariance (1/N) of the first is the identity, up to eps.
    """
    ### BEGIN SOLUTION
    rotated, rotated_test = pca(train, test)
    std = np.sqrt(np.mean(rotated**2, axis=0) + eps)
    return rotated / std, rotated_test / std
    ### END SOLUTION


# %% check="whiten"
check(whiten)

# %% [markdown]
# ### The five clouds
#
# A cloud in the plane, and what each function makes of it. The colour follows every point through the pictures, so that
# you can see what was moved, stretched and turned. Which of the steps can be undone by the first layer of
# a network, if that is better?

# %% tags=["experiment"]
rng = np.random.default_rng(0)
cloud = rng.normal(size=(400, 2)) @ np.array([[1.6, 0.9], [0.0, 0.35]]) + np.array([2.0, 2.5])
colours = cloud @ np.array([1.6, 0.9])
plot_clouds(
    {
        "original": cloud,
        "centred": subtract_mean_image(cloud, cloud)[0],
        "standardised": standardize(cloud, cloud)[0],
        "PCA: decorrelated": pca(cloud, cloud)[0],
        "whitened": whiten(cloud, cloud)[0],
    },
    colours,
)
plt.show()

# %% [markdown]
# The covariance matrices of the digits tell the same story in 64 dimensions: blue is negative, red positive. In the first one you can
# see that neighbours are alike, and rows of the image repeat every eight pixels. Where are the white stripes from?

# %% tags=["experiment"]
flat, flat_test = digits.x_train.reshape(-1, 64), digits.x_test.reshape(-1, 64)
figure, row = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
for axes, (name, data) in zip(row, {
    "original": flat,
    "standardised": standardize(flat, flat_test)[0],
    "PCA": pca(flat, flat_test)[0],
    "whitened": whiten(flat, flat_test)[0],
}.items()):
    covariance = np.cov(data.T, bias=True)
    limit = np.abs(covariance).max()
    axes.imshow(covariance, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set(title=name, xlabel="feature", ylabel="feature", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# What do the principal axes of digits look like? Your `pca` tells: a "test image" that differs from the mean in one single pixel
# is mapped to the entries of the axes at that pixel. Give it all 64 of them.

# %% tags=["experiment"]
single_pixels = flat.mean(axis=0) + np.eye(64)
_, axes_of_digits = pca(flat, single_pixels)
rotated, _ = pca(flat, flat_test)
share = rotated.var(axis=0) / rotated.var(axis=0).sum()
show_images(axes_of_digits.T[:20].reshape(20, 8, 8), [f"{s:.1%}" for s in share[:20]], signed=True)
figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
axes.plot(np.arange(1, 65), np.cumsum(share), marker=".", label="share of the variance")
axes.axhline(0.9, color="0.5", ls=":", label="90 %")
axes.set(xlabel="components kept", ylabel="variance kept", title="a third of the axes does most of the work")
axes.legend()
plt.show()

# %% [markdown]
# ## 4 · Does it help?
#
# The smallest network, one affine layer, asked for a 1 in the column of its digit and 0 in the others, with the squared loss. This is a
# problem for which the best possible loss can be computed, and for all versions of the data it is the *same*, since an affine layer can
# undo any affine transformation. What differs is the way there. For a fair comparison every version gets its own best learning rate. To
# make it interesting, the pixels come in different units, as if every column of the image had been scanned by another device, the brightest
# with a contrast 20 times that of the faintest, and all have a brightness of 0.5 added.
#
# Five seeds, each with another random half of the training images; 95 % confidence bands. In which order do you expect the curves, and by
# how much do they differ after 100 steps?

# %%
def descend(X, targets, learning_rate, steps):
    """Full-batch descent of one affine layer from zero; the losses and the weights."""
    w, b, losses = np.zeros((X.shape[1], 10)), np.zeros(10), []
    with np.errstate(all="ignore"):  # some of the rates are meant to be too large
        for _ in range(steps):
            scores, cache = affine_forward(X, w, b)
            loss, dscores = mse_loss(scores, targets)
            losses.append(loss if np.isfinite(loss) else np.inf)
            _, dw, db = affine_backward(dscores, cache)
            w, b = w - learning_rate * dw, b - learning_rate * db
    return losses, (w, b)


# %% tags=["experiment"]
devices = np.tile(np.geomspace(0.15, 3, 8), 8)
raw, raw_val = flat * devices + 0.5, digits.x_val.reshape(-1, 64) * devices + 0.5
versions = {
    "original": (raw, raw_val),
    "centred": subtract_mean_image(raw, raw_val),
    "standardised": standardize(raw, raw_val),
    "whitened": whiten(raw, raw_val),
}
targets, steps, excess = np.eye(10)[digits.y_train], 150, {}
for name, (X, X_val) in versions.items():
    half = np.random.default_rng(99).permutation(len(X))[:600]
    rates = np.geomspace(0.01, 13, 15)
    best = min(rates, key=lambda rate: descend(X[half], targets[half], rate, steps)[0][-1])
    excess[name], right = [], []
    for seed in range(5):
        half = np.random.default_rng(seed).permutation(len(X))[:600]
        losses, (w, b) = descend(X[half], targets[half], best, steps)
        with_bias = np.column_stack([X[half], np.ones(600)])
        solution = np.linalg.lstsq(with_bias, targets[half], rcond=None)[0]
        excess[name].append(losses - np.mean((with_bias @ solution - targets[half]) ** 2))
        right.append(np.mean((X_val @ w + b).argmax(axis=1) == digits.y_val))
    mean, half = confidence_interval(right)
    print(f"{name:<14} best rate {best:6.3f}, validation accuracy {mean:.3f} ± {half:.3f}")
axes = plot_bands(np.arange(1, steps + 1), {name: np.log10(runs) for name, runs in excess.items()})
axes.set(xlabel="step", ylabel="log₁₀ of (loss − the best possible)")
axes.set_title("the rounder the cloud, the faster the descent")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# The speed depends on the ratio of the largest to the smallest eigenvalue of $\Sigma$ (a5 derives it). Whitening makes it 1, except for
# directions that hardly vary.
#
# Then why is it not common for images? Look at the *validation* accuracies that were printed: the enormous lead in training loss is
# worth little there. The directions that whitening blows up are those with hardly any variance, where noise is as loud as signal. Practice
# is modest: subtract the mean, and let a4 do the rest *inside* the network. For a table with metres and millimetres: standardise always.

# %% [markdown] question="leak" points=2
# **Question 1** (2 points, read by a person). (a) A colleague standardises the *whole* data set and then splits it into training and
# test. Another one standardises the test set with the mean and standard deviation of the test set. Explain for each what
# is wrong, and construct a case in which the second one goes badly wrong. (b) With 50 training examples
# of 64 features, how many eigenvalues of the covariance matrix are exactly zero at least, and what would `whiten` do to
# test examples in those directions if `eps` were 0?
#
# ### BEGIN SOLUTION
# (a) First: statistics of the test set enter the training, so the test is no longer an honest estimate for unseen data (a leak; mild for
# means, serious for whitening or feature selection). Second: the network was trained for another transformation, so the same
# image is mapped to different inputs in training and test; and the answer for one example depends on which others are
# tested with it. Badly wrong: a test set with a single example becomes all zeros; or a test set with only images of "1", whose
# mean image is the digit itself and is subtracted; or test images that are all brighter because of a new scanner, where the
# difference, which should be noticed, is hidden.
# (b) The centred data span at most 49 dimensions (50 vectors with sum zero), so at least 64 − 49 = 15 eigenvalues are zero. A test
# example has a component there in general; it would be divided by zero (in floating-point numbers, by something like $10^{-9}$): infinite or
# huge, meaningless inputs.
#
# *Rubric.* 1 point for (a): half for the leak, half for the second with a valid case. 1 point for (b): half for 15 (14, with the centring
# forgotten, gives a quarter), half for "blown up".
# ### END SOLUTION

# %% [markdown]
# **What you have learnt.** Centre always; one scale if the units differ; decorrelate and whiten when the cloud is a cigar and noise is not a
# concern. Statistics come from the training set, and travel with the network like its weights.
#
# **Next:** the data are round; now the weights.
