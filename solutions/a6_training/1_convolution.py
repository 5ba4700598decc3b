# %% [markdown]
# # Small windows: convolution and pooling
#
# An affine layer looks at all pixels at once and treats the pixel in the upper left and its
# neighbour as strangers. Shift an image by one pixel, and for this layer it is another image. A convolution looks
# through a small window instead, with *the same* weights wherever the window lies. You write it here,
# forward and back, and the layer that follows it.
#
# | | |
# |---|---|
# | **You need** | forward and backward passes of a layer (a2) |
# | **It takes** | about two and a half hours; four exercises, one question, and two more exercises for the curious (★) |
# | **Afterwards you can** | compute output sizes for any stride and padding; write the backward pass of a layer whose windows overlap; say what a convolution knows about images that an affine layer must learn |

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from cs_nn.data.datasets import load_digits
from cs_nn.gradcheck import check_gradient
from cs_nn.plots import show_images

# %% [markdown]
# ## 1 · One window after another
#
# Images come as `(N, C, H, W)`: N images, C channels, height, width. A layer has F filters, each of
# the shape $(C, HH, WW)$: it sees *all* channels within its window. Put the window somewhere, multiply
# what it sees with the filter, entry by entry, add it all up, add the filter's bias: one number. Move
# the window on, `stride` pixels at a time, and these numbers form a new image, one for each filter:
#
# $$ \text{out}_{n,f,i,j} = b_f + \sum_{c,\,u,\,v} x^{\text{pad}}_{n,\,c,\;i\cdot s+u,\;j\cdot s+v}\;\, w_{f,c,u,v} . $$
#
# Before that, `pad` rows and columns of zeros are put around the image, so that the window can also be centred on
# border pixels. How many places are there? The first window starts at 0, the last one must still fit:
#
# $$ H_{\text{out}} = 1 + \left\lfloor \frac{H + 2\,\text{pad} - HH}{\text{stride}} \right\rfloor . $$
#
# With stride 1 and $\text{pad} = (HH-1)/2$ the size stays what it was: check it. If the numbers do not come out even, a few rows at the
# bottom are never seen; they take no part. (A mathematician would call this a cross-correlation and flip
# the filter first. Nobody does in deep learning. Why does it not matter when filters are learnt?)
#
# **Exercise.** How many loops? Over all images, filters, rows and columns it would take four, and in
# Python your network would train until next week. But everything that happens at *one place of the window* is a single product of
# arrays, for all images and filters at once: `np.tensordot(a, b, axes=(…, …))` or `np.einsum` do it. So two loops are enough. Start with
# as many as you like; then get rid of two.

# %% exercise="conv_forward"
def conv_forward(x, w, b, conv_param):
    """A convolution without flipping.

    x: images (N, C, H, W);  w: filters (F, C, HH, WW);  b: biases (F,);
    conv_param: {"stride": pixels between windows, "pad": zeros on each side}; stays as it is.
    Returns out (N, F, H_out, W_out) and the cache for conv_backward.
    """
    ### BEGIN SOLUTION
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, _, H, W = x.shape
    F, _, HH, WW = w.shape
    H_out, W_out = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((N, F, H_out, W_out), dtype=np.result_type(x, w, np.float32))
    for i in range(H_out):
        for j in range(W_out):
            seen = padded[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            out[:, :, i, j] = np.tensordot(seen, w, axes=((1, 2, 3), (1, 2, 3))) + b
    return out, (x, w, stride, pad)
    ### END SOLUTION


# %% check="conv_forward"
check(conv_forward)

# %% [markdown]
# ### Filters made by hand
#
# Before anything is learnt: three filters that people have used for fifty years. Which is which? Predict where on the
# digit each will be blue (negative), white or red (positive), *before* you run the cell.
#
# $$ \begin{pmatrix} -1 & 0 & 1 \\ -1 & 0 & 1 \\ -1 & 0 & 1 \end{pmatrix} \qquad
#    \begin{pmatrix} -1 & -1 & -1 \\ 0 & 0 & 0 \\ 1 & 1 & 1 \end{pmatrix} \qquad
#    \begin{pmatrix} -1 & -1 & -1 \\ -1 & 8 & -1 \\ -1 & -1 & -1 \end{pmatrix} $$

# %% tags=["experiment"]
digits = load_digits()
vertical = np.array([[-1.0, 0, 1]] * 3)
filters = np.stack([vertical, vertical.T, np.where(np.eye(3)[1][:, None] * np.eye(3)[1], 8.0, -1.0)])
chosen = digits.x_train[[0, 1, 2]]
maps, _ = conv_forward(chosen, filters[:, None], np.zeros(3), {"stride": 1, "pad": 1})
images = [picture for i in range(3) for picture in (chosen[i, 0], *maps[i])]
show_images(images, ["image", "left–right", "up–down", "spots"] * 3, signed=True, columns=4)
plt.show()

# %% [markdown]
# An edge detector says "dark on this side, light on that side", anywhere in the image, with nine weights. An affine layer
# from 64 pixels to these 64 numbers has 4096 weights. What would its matrix look like if it computed the same?

# %% [markdown] question="counting" points=2
# **Question 1** (2 points, read by a person). A layer gets images of $32 \times 32$ pixels with 3 channels and shall have 16
# output channels of the same size. (a) How many weights and biases has a convolution with $5 \times 5$ filters, and which `pad` does it need at stride 1? How many
# has an affine layer with as many inputs and outputs? (b) Which two assumptions about images are built into the
# convolution that make up for the difference? For which kind of data with the same shape would each of them be wrong?
#
# ### BEGIN SOLUTION
# (a) $16 \cdot (3 \cdot 5 \cdot 5) + 16 = 1216$; pad 2. Affine: $(3 \cdot 1024) \cdot (16 \cdot 1024) + 16\,384 \approx 50.3$ million.
# (b) *Locality*: what belongs together lies close together (an output depends on a small window). *The same everywhere*: a pattern means the same wherever it lies (shared weights,
# translation equivariance). Locality is wrong for a table whose columns have no order or neighbourhood, or for pixels in a shuffled order; sameness is wrong where
# position carries the meaning: aligned passport photos, a form with fixed fields, a spectrogram along its frequency axis, a chess board's edges.
#
# *Rubric.* 1 point: the three numbers (0.5 if one is wrong). 1 point: both assumptions, each with an example that fits.
# ### END SOLUTION

# %% [markdown]
# ## 2 · The way back
#
# The formula has three inputs, so three gradients are due. Take them one at a time, at one place $(i, j)$ of the
# window:
#
# - `out[:, f, i, j]` gets `b[f]` with factor 1. A single bias goes to every image and every place. What happens where a value was copied?
# - It gets `w[f]` with the factor "what the window saw". All places and images use the same $w$: again copies.
# - It gets the pixels in the window with the factor `w[f]`. And here is the point of this exercise: **windows overlap.** One pixel is seen
#   by up to $HH \cdot WW$ of them, and by all filters. Each reports a gradient. What do you do with them?
#
# So go through the places of the window once more, in the same two loops, and let each add its part to `dw` and to the gradient
# of the *padded* image. At the end cut the padding off. (`a[pad:-pad]` is a trap: what does it give for `pad = 0`?) Rows that no window has
# seen get a gradient of 0 all by themselves, if you start from zeros of the right size.

# %% exercise="conv_backward"
def conv_backward(dout, cache):
    """The gradients (dx, dw, db) of a convolution, in the shapes of x, w and b.

    dout: upstream gradient (N, F, H_out, W_out);  cache: from conv_forward.
    """
    ### BEGIN SOLUTION
    x, w, stride, pad = cache
    H, W = x.shape[2:]
    HH, WW = w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows = slice(i * stride, i * stride + HH)
            columns = slice(j * stride, j * stride + WW)
            d = dout[:, :, i, j]
            dw += np.tensordot(d, padded[:, :, rows, columns], axes=(0, 0))
            dpadded[:, :, rows, columns] += np.tensordot(d, w, axes=(1, 0))
    return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %% check="conv_backward"
check(conv_backward)

# %% [markdown]
# And, as always, the independent judge, with a stride that leaves rows over:

# %% tags=["experiment"]
rng = np.random.default_rng(0)
x, w, b = rng.normal(size=(2, 3, 6, 7)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
param = {"stride": 2, "pad": 1}
_, cache = conv_forward(x, w, b, param)
check_gradient(
    lambda x, w, b: conv_forward(x, w, b, param)[0],
    lambda dout: conv_backward(dout, cache),
    (x, w, b),
)

# %% [markdown]
# ### How fast is it?
#
# In `4_convnet` you will train with these two functions. Measure them now: 50 digits, 32 filters. With two loops it is a few
# milliseconds; then the big training run takes about a minute. With four loops it takes an hour.

# %% tags=["experiment"]
x, w, b = digits.x_train[:50], rng.normal(size=(32, 1, 3, 3)), np.zeros(32)
begin = time.perf_counter()
for _ in range(10):
    out, cache = conv_forward(x, w, b, {"stride": 1, "pad": 1})
    conv_backward(out, cache)
print(f"{100 * (time.perf_counter() - begin):.1f} ms for a forward and a backward pass")

# %% [markdown]
# Professional libraries copy every window into a column of one huge matrix ("im2col"), so that the whole convolution is *one*
# product of matrices. That takes $HH \cdot WW$ times the memory, and is still faster. If you like: where would two loops over
# the *window* ($3 \times 3$ places) instead of the image ($8 \times 8$ places) help?

# %% [markdown]
# ## 3 · Max pooling
#
# "There is an edge somewhere here" is often all that the next layer needs to know. Pooling slides a window over *each channel for
# itself* and keeps the largest value. The image shrinks, small shifts make no difference, and there is nothing to learn.
#
# Same geometry as before, without padding; window sizes are called `pool_height` and `pool_width` and need be neither equal nor the same as the stride. (A
# maximum that starts at 0 is a maximum only of positive numbers.)

# %% exercise="max_pool_forward"
def max_pool_forward(x, pool_param):
    """The largest value in each window.

    x: images (N, C, H, W);
    pool_param: {"pool_height": …, "pool_width": …, "stride": …}, in pixels; stays as it is.
    Returns out (N, C, H_out, W_out), sizes as for a convolution without padding, and the cache.
    """
    ### BEGIN SOLUTION
    height, width, stride = (pool_param[k] for k in ("pool_height", "pool_width", "stride"))
    N, C, H, W = x.shape
    H_out, W_out = 1 + (H - height) // stride, 1 + (W - width) // stride
    out = np.zeros((N, C, H_out, W_out), dtype=x.dtype)
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            out[:, :, i, j] = x[:, :, top : top + height, left : left + width].max(axis=(2, 3))
    return out, (x, height, width, stride)
    ### END SOLUTION


# %% check="max_pool_forward"
check(max_pool_forward)

# %% [markdown]
# On the way back it is the max gate of a1: the winner gets everything, the others nothing. Two things to think about. A tie: on
# the white margin of an image *all* pixels of a window are 0; the gradient goes to the first one in row order,
# and only there. And windows may overlap, if the stride is smaller than they are; then one pixel can win
# several times.

# %% exercise="max_pool_backward"
def max_pool_backward(dout, cache):
    """The gradient dx of max pooling, in the shape of x; a tie goes to the first in row order.

    dout: upstream gradient (N, C, H_out, W_out);  cache: from max_pool_forward.
    """
    ### BEGIN SOLUTION
    x, height, width, stride = cache
    N, C = x.shape[:2]
    dx = np.zeros(x.shape, dtype=dout.dtype)
    n, c = np.indices((N, C))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            seen = x[:, :, top : top + height, left : left + width]
            winner = seen.reshape(N, C, -1).argmax(axis=2)
            dx[n, c, top + winner // width, left + winner % width] += dout[:, :, i, j]
    return dx
    ### END SOLUTION


# %% check="max_pool_backward"
check(max_pool_backward)

# %% [markdown]
# ### Who shrugs off a shift?
#
# Move a digit by one pixel and look how much the representation changes: the pixels themselves, the feature maps
# after a convolution and ReLU, and the same after $2 \times 2$ and $4 \times 4$ pooling. Which order do you expect?

# %% tags=["experiment"]
images = digits.x_train[:200]
shifted = np.zeros_like(images)
shifted[..., 1:] = images[..., :-1]


def maps_of(images):
    maps, _ = conv_forward(images, filters[:, None], np.zeros(3), {"stride": 1, "pad": 1})
    return np.maximum(maps, 0)


def pooled(images, size):
    return max_pool_forward(maps_of(images), {"pool_height": size, "pool_width": size, "stride": size})[0]


views = {
    "pixels": lambda images: images,
    "feature maps": maps_of,
    "2×2 pooling": lambda images: pooled(images, 2),
    "4×4 pooling": lambda images: pooled(images, 4),
}
change = [
    np.linalg.norm(view(shifted) - view(images)) / np.linalg.norm(view(images)) for view in views.values()
]
_, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.bar(list(views), change)
axes.set(ylabel="relative change", title="what a shift by one pixel changes")
plt.show()

# %% [markdown]
# The feature maps change as much as the pixels, or more: they *move* with the image (they are *equivariant*). Pooling makes them more and more
# *invariant*, at the price of no longer knowing where things are. How would you recognise a face with $8 \times 8$ pooling right after the first layer?

# %% [markdown]
# ## 4 · ★ Average pooling
#
# The older and gentler relative: keep the mean of each window (LeCun et al. 1998). What is the local slope of a mean?

# %% exercise="avg_pool_forward"
def avg_pool_forward(x, pool_param):
    """The mean of each window; arguments and result as for max_pool_forward."""
    ### BEGIN SOLUTION
    height, width, stride = (pool_param[k] for k in ("pool_height", "pool_width", "stride"))
    N, C, H, W = x.shape
    H_out, W_out = 1 + (H - height) // stride, 1 + (W - width) // stride
    out = np.zeros((N, C, H_out, W_out), dtype=np.result_type(x, np.float32))
    for i in range(H_out):
        for j in range(W_out):
            top, left = i * stride, j * stride
            out[:, :, i, j] = x[:, :, top : top + height, left : left + width].mean(axis=(2, 3))
    return out, (x.shape, height, width, stride)
    ### END SOLUTION


# %% check="avg_pool_forward"
check(avg_pool_forward)

# %% exercise="avg_pool_backward"
def avg_pool_backward(dout, cache):
    """The gradient dx of average pooling, in the shape of x; arguments as for max_pool_backward."""
    ### BEGIN SOLUTION
    shape, height, width, stride = cache
    dx = np.zeros(shape, dtype=dout.dtype)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            share = dout[:, :, i : i + 1, j : j + 1] / (height * width)
            dx[:, :, top : top + height, left : left + width] += share
    return dx
    ### END SOLUTION


# %% check="avg_pool_backward"
check(avg_pool_backward)

# %% [markdown]
# **What you have learnt.** A convolution is a small affine layer that is used everywhere: few weights, and a gradient that is collected from
# everywhere. Pooling forgets where. Next: how to train a network without wasting a week.
