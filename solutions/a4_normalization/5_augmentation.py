# %% [markdown]
# # More data out of thin air
#
# A cat that looks to the left is a cat; mirrored, it looks to the right and is still a cat. You know that, the network does not, and it
# would need thousands of photographs to find out. Or you tell it: mirror half of the training images at random, at
# every step anew. **Augmentation** is knowledge about the world, written as a random function. This notebook also
# shows what happens if that knowledge is wrong.
#
# | | |
# |---|---|
# | **You need** | a2; of this assignment nothing |
# | **It takes** | half an hour for the exercise that counts; two hours with the five starred ones |
# | **Afterwards you can** | write random functions for whole batches, without a loop over images; decide which augmentations are true for your data; measure whether they help |

# %%
import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits
from cs_nn.modules import TwoLayerNet
from cs_nn.plots import show_images
from cs_nn.plots_statistics import plot_intervals

# %% [markdown]
# ## 1 · Left and right
#
# All functions of this notebook take a batch of images $(N, C, H, W)$ and a random generator, and return a new batch, with
# **draws of its own for each image**. Time counts here: augmentation runs at every training step, so a loop over the images is too
# slow. Draw $N$ coins at once, and let NumPy choose: a boolean array of the right shape, or indexing with it, does the rest.

# %% exercise="random_flip"
def random_flip(images, rng, p=0.5):
    """Mirror each image left to right with probability p, each by a coin of its own.

    images: (N, C, H, W), left as they are;  rng: numpy.random.Generator.
    Returns a new array (N, C, H, W) of the same dtype.
    """
    ### BEGIN SOLUTION
    flipped = images.copy()
    heads = rng.random(images.shape[0]) < p
    flipped[heads] = flipped[heads][:, :, :, ::-1]
    return flipped
    ### END SOLUTION


# %% check="random_flip"
check(random_flip)

# %% [markdown]
# A batch of ten small landscapes, before (top) and after (bottom). Which ones were mirrored?

# %%
def landscapes(n, rng, size=32):
    """Colour images (n, 3, size, size) from 0 to 1: a sky, a sun somewhere, a hill, a house."""
    row, column = np.mgrid[0:size, 0:size] / size
    images = np.empty((n, 3, size, size))
    for image in images:
        image[:] = np.array([0.55, 0.75, 0.95])[:, None, None] + 0.3 * (row - 0.5)
        up, across = rng.uniform(0.12, 0.35), rng.uniform(0.1, 0.9)
        image[:, (row - up) ** 2 + (column - across) ** 2 < 0.008] = [[1.0], [0.85], [0.2]]
        hill = 0.7 + 0.1 * np.sin(2 * np.pi * (column * rng.uniform(0.5, 1.5) + rng.uniform()))
        image[:, row > hill] = [[0.3], [0.6], [0.25]]
        left = rng.uniform(0.05, 0.7)
        wall = (row > 0.58) & (row < 0.85) & (column > left) & (column < left + 0.22)
        image[:, wall] = [[0.75], [0.3], [0.25]]
        door = (row > 0.7) & (row < 0.85) & (column > left + 0.13) & (column < left + 0.19)
        image[:, door] = [[0.3], [0.2], [0.15]]
    return np.clip(images, 0, 1)


def before_and_after(before, after):
    """Two rows of images."""
    both = np.concatenate([np.clip(batch, 0, 1).transpose(0, 2, 3, 1) for batch in (before, after)])
    show_images(list(both), columns=len(before))
    plt.show()


batch = landscapes(10, np.random.default_rng(1))

# %% tags=["experiment"]
before_and_after(batch, random_flip(batch, np.random.default_rng(0)))

# %% [markdown]
# ## 2 · An experiment: true for whom?
#
# Two tasks, few training images each. The first: all ten digits, 100 images. The second: only the digits 0, 1 and 8, which look much
# the same in a mirror, 15 images. In both, a two-layer network is trained with and without random flips. Eight seeds (other images,
# other weights), dots for the runs, 95 % confidence intervals.
#
# Before you run it: for each of the two tasks, do flips help, harm, or neither?

# %%
def train_with(augment, classes, n, seed, steps=400):
    """A network trained on n images of these classes; augment(images, rng) at every step."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(np.flatnonzero(np.isin(digits.y_train, classes)))[:n]
    X, y = digits.x_train[chosen], digits.y_train[chosen]
    net = TwoLayerNet(64, 50, 10, weight_scale=0.1, rng=rng)
    for _ in range(steps):
        batch = rng.integers(n, size=30)
        _, grads = net.loss(augment(X[batch], rng), y[batch])
        for name, gradient in grads.items():
            net.params[name] = net.params[name] - 0.2 * gradient
    return net


def accuracy(net, images, labels):
    return np.mean(net.loss(images).argmax(axis=1) == labels)


def as_it_is(images, rng):
    return images


digits = load_digits()

# %% tags=["experiment"]
mirrored = {}
for task, classes, n in (("all ten digits", range(10), 100), ("0, 1 and 8", (0, 1, 8), 15)):
    of_task = np.isin(digits.y_val, list(classes))
    for name, augment in (("as they are", as_it_is), ("flips", random_flip)):
        nets = [train_with(augment, list(classes), n, seed) for seed in range(8)]
        mirrored[f"{task}: {name}"] = [
            accuracy(net, digits.x_val[of_task], digits.y_val[of_task]) for net in nets
        ]
plot_intervals(mirrored, "validation accuracy").set_title("a flip helps where it is true")
plt.show()

# %% [markdown]
# For 0, 1 and 8, the mirror doubles the data. For ten digits it teaches a lie: a mirrored 3 is no 3, and the network
# spends its strength on images that it will never meet. Find an augmentation that is right for photographs of cats and wrong for
# X-rays of the chest. (On which side is the heart?)

# %% [markdown]
# ## 3 · ★ Crops
#
# *Optional from here.* A cat that sits a little further to the left is a cat. **Pad and crop**: surround the image with `padding` rows and columns of zeros on all sides, then cut a
# window of the old size anywhere: $(2\cdot\text{padding} + 1)^2$ places, all equally likely (He and others, 2016).

# %% exercise="random_crop"
def random_crop(images, rng, padding=4):
    """Pad each image with zeros and cut out a window of its old size, at a random place.

    images: (N, C, H, W), left as they are;  rng: numpy.random.Generator;
    padding: rows and columns of zeros on each side.
    Returns a new array (N, C, H, W) of the same dtype.
    """
    ### BEGIN SOLUTION
    N, _, H, W = images.shape
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(images, around).transpose(0, 2, 3, 1)
    top = rng.integers(0, 2 * padding + 1, size=(N, 1, 1))
    left = rng.integers(0, 2 * padding + 1, size=(N, 1, 1))
    rows = top + np.arange(H)[None, :, None]
    columns = left + np.arange(W)[None, None, :]
    cut = padded[np.arange(N)[:, None, None], rows, columns]
    return np.ascontiguousarray(cut.transpose(0, 3, 1, 2))
    ### END SOLUTION


# %% check="random_crop"
check(random_crop)

# %% tags=["experiment"]
before_and_after(batch, random_crop(batch, np.random.default_rng(0), padding=6))

# %% [markdown]
# Nor does a cat stop being one when it comes closer. The **resized crop** cuts out a part of the image, with the same proportions (up to
# whole pixels), whose *area* is a random fraction of the whole, uniform in `scale`; it lies anywhere inside; and it is enlarged to `size` × `size`
# pixels.
#
# Enlarging: the centre of pixel $i$ of the result, $i + \tfrac12$ in units of pixels, lies at the position
#
# $$ r_i = \text{top} + \bigl(i + \tfrac12\bigr)\,\frac{\text{height of the part}}{\text{size}} - \tfrac12 $$
#
# in rows of the image, generally between two of them. **Bilinear interpolation** mixes the neighbours: with $t = r - \lfloor r \rfloor$, take
# $(1 - t)$ of the upper and $t$ of the lower row, and likewise for columns. At the border of the part, where a neighbour would lie outside of
# it, the last pixel counts alone.

# %% exercise="random_resized_crop"
def random_resized_crop(images, rng, size, scale=(0.5, 1.0)):
    """Cut a random part out of each image and resize it to size × size, bilinearly.

    images: (N, C, H, W), left as they are;  rng: numpy.random.Generator;  size: in pixels;
    scale: smallest and largest fraction of the area.
    Returns a new array (N, C, size, size) of the same dtype.
    """
    ### BEGIN SOLUTION
    N, _, H, W = images.shape
    side = np.sqrt(rng.uniform(*scale, size=N))

    def positions(length):
        part = np.clip(np.rint(side * length), 1, length).astype(int)
        start = rng.integers(0, length - part + 1)
        inside = (np.arange(size) + 0.5) * part[:, None] / size - 0.5
        place = start[:, None] + np.clip(inside, 0, part[:, None] - 1)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, (start + part - 1)[:, None])
        return low, high, (place - low).astype(images.dtype)

    top, bottom, down = positions(H)
    left, right, across = positions(W)
    pixels, n = images.transpose(0, 2, 3, 1), np.arange(N)[:, None, None]

    def along_row(row):
        a, b = pixels[n, row[:, :, None], left[:, None]], pixels[n, row[:, :, None], right[:, None]]
        return a + (b - a) * across[:, None, :, None]

    upper, lower = along_row(top), along_row(bottom)
    return (upper + (lower - upper) * down[:, :, None, None]).transpose(0, 3, 1, 2)
    ### END SOLUTION


# %% check="random_resized_crop"
check(random_resized_crop)

# %% tags=["experiment"]
before_and_after(batch, random_resized_crop(batch, np.random.default_rng(0), 32, scale=(0.2, 0.8)))

# %% [markdown]
# ## 4 · ★ Light
#
# Clouds pass. Each image gets a contrast factor $a$, uniform in $1 \pm \text{contrast}$, that stretches it about *its own mean* $\mu$ (over all
# channels and pixels), and a brightness $b$, uniform in $\pm\text{brightness}$, that is added:
#
# $$ \text{out} = \mu + a\,(x - \mu) + b $$
#
# Nothing is clipped: whoever shows the image may do that.

# %% exercise="color_jitter"
def color_jitter(images, rng, brightness=0.2, contrast=0.2):
    """Change contrast and brightness of each image at random.

    images: (N, C, H, W), left as they are;  rng: numpy.random.Generator;
    brightness, contrast: half the widths of the uniform distributions, as above.
    Returns a new array (N, C, H, W) of the same dtype.
    """
    ### BEGIN SOLUTION
    each = (len(images), 1, 1, 1)
    a = rng.uniform(1 - contrast, 1 + contrast, size=each).astype(images.dtype)
    b = rng.uniform(-brightness, brightness, size=each).astype(images.dtype)
    mean = np.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + a * (images - mean) + b
    ### END SOLUTION


# %% check="color_jitter"
check(color_jitter)

# %% tags=["experiment"]
before_and_after(batch, color_jitter(batch, np.random.default_rng(0), 0.25, 0.6))

# %% [markdown]
# ## 5 · ★ Turn, stretch, shear, shift
#
# Handwriting leans, turns and changes its size. An affine map moves a point at (row, column), measured from the centre of the image, by a shear
# (column plus $\tan\psi$ times row), a scaling, a rotation and a shift, in this order. All are drawn uniformly, for each image anew.
#
# The trick of all such functions: do not ask where a pixel *goes*, since the answers leave holes. Ask, for each pixel of the *result*, where
# it **came from**, by undoing the steps, the last one first; and read the image there, bilinearly. Outside of the image everything is 0.

# %% exercise="random_affine"
def random_affine(images, rng, degrees=10, translate=0.1, scale=(0.9, 1.1), shear=5):
    """Shear, scale, rotate and shift each image at random, about its centre, ((H-1)/2, (W-1)/2).

    images: (N, C, H, W), left as they are;  rng: numpy.random.Generator;
    degrees: the angle is uniform in ±degrees;  translate: shifts are uniform in ±translate·H rows
    and ±translate·W columns;  scale: range of the factor;  shear: its angle is uniform in ±shear
    degrees. Bilinear; zeros outside.
    Returns a new array (N, C, H, W) of the same dtype.
    """
    ### BEGIN SOLUTION
    N, _, H, W = images.shape
    each = (N, 1, 1)
    angle = np.deg2rad(rng.uniform(-degrees, degrees, size=each))
    slope = np.tan(np.deg2rad(rng.uniform(-shear, shear, size=each)))
    factor = rng.uniform(scale[0], scale[1], size=each)
    r = np.arange(H).reshape(1, H, 1) - (H - 1) / 2 - H * rng.uniform(-translate, translate, size=each)
    c = np.arange(W).reshape(1, 1, W) - (W - 1) / 2 - W * rng.uniform(-translate, translate, size=each)
    back_r = (np.cos(angle) * r - np.sin(angle) * c) / factor
    back_c = (np.sin(angle) * r + np.cos(angle) * c) / factor
    back_c = back_c - slope * back_r

    # One row and column of zeros around the image stand for everything outside.
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1))).transpose(0, 2, 3, 1)
    rows = np.clip(back_r + (H - 1) / 2 + 1, 0, H + 1)
    columns = np.clip(back_c + (W - 1) / 2 + 1, 0, W + 1)
    top, left = np.minimum(rows.astype(int), H), np.minimum(columns.astype(int), W)
    down = (rows - top)[..., None].astype(images.dtype)
    right = (columns - left)[..., None].astype(images.dtype)
    n = np.arange(N)[:, None, None]
    out = 0
    for i, weight_r in ((0, 1 - down), (1, down)):
        for j, weight_c in ((0, 1 - right), (1, right)):
            out = out + weight_r * weight_c * padded[n, top + i, left + j]
    return np.ascontiguousarray(out.transpose(0, 3, 1, 2))
    ### END SOLUTION


# %% check="random_affine"
check(random_affine)

# %% tags=["experiment"]
before_and_after(batch, random_affine(batch, np.random.default_rng(0), degrees=25, shear=15))

# %% [markdown]
# ### ★ An experiment: you get what you ask for
#
# 100 digits to train on, with and without random affine maps; then the exam, on two kinds of validation images: neatly centred ones, as in the
# data set, and the same ones moved about by `random_affine`, as people write them on an envelope. Eight seeds.

# %% tags=["experiment"]
moved = random_affine(digits.x_val, np.random.default_rng(99))
results = {}
for name, augment in (("as they are", as_it_is), ("affine", random_affine)):
    nets = [train_with(augment, list(range(10)), 100, seed) for seed in range(8)]
    for exam, images in (("neat", digits.x_val), ("moved", moved)):
        results[f"exam {exam}, trained {name}"] = [accuracy(net, images, digits.y_val) for net in nets]
order = sorted(results, reverse=True)
plot_intervals({name: results[name] for name in order}, "validation accuracy").set_title(
    "augmentation prepares for what it shows"
)
plt.show()

# %% [markdown]
# On neat images the augmentation gains nothing and may cost a little; on moved ones it gains a lot. So look at the images that will really
# come. Would the costs on the neat ones vanish with a larger network, or with more steps?
#
# ## 6 · ★ Ten views of one image
#
# At test time nothing should be random, but one may still ask for several views and average the answers. AlexNet's ten: the four corners and the
# centre, and the mirror image of each.

# %% exercise="ten_crop"
def ten_crop(images, size):
    """Ten views of each image: corners and centre, then the same five mirrored.

    images: (N, C, H, W), left as they are;  size: height and width of a view.
    Returns (10, N, C, size, size): top left, top right, bottom left, bottom right, centre (which
    starts at row ⌊(H − size)/2⌋, and likewise for columns), and the left-right flips of these.
    """
    ### BEGIN SOLUTION
    H, W = images.shape[2:]
    low, far = H - size, W - size
    views = []
    for top, left in ((0, 0), (0, far), (low, 0), (low, far), (low // 2, far // 2)):
        views.append(images[:, :, top : top + size, left : left + size])
    views += [view[:, :, :, ::-1] for view in views]
    return np.stack(views)
    ### END SOLUTION


# %% check="ten_crop"
check(ten_crop)

# %% tags=["experiment"]
views = ten_crop(batch[:1], 24)[:, 0].transpose(0, 2, 3, 1)
corners = ["top left", "top right", "bottom left", "bottom right", "centre"]
show_images(list(views), corners + ["flipped"] * 5, columns=5)
plt.show()

# %% [markdown]
# **What you have learnt.** Augmentation says what does *not* matter, by varying it. It works on whole batches, with draws for each image.
# It is a claim about the world, and a wrong claim costs accuracy; so measure, with several seeds.
#
# With this, your networks have a good start, well-behaved layers and good manners. What is left is to walk downhill more cleverly than by
# `learning_rate * gradient`: a5.
