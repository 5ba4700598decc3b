"""Augmentation: new training images from old ones, a whole batch (N, C, H, W) at once.

Each image of the batch gets draws of its own. The random functions take a Generator and return a
new batch of the same dtype; pixel values may lie in any range, since nothing is clipped.
"""

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

from cs_nn.arrays import Array, Scalar, as_float


def random_flip(
    images: Float[Array, "N C H W"], rng: np.random.Generator, p: Scalar = 0.5
) -> Float[Array, "N C H W"]:
    """Mirror each image left to right with probability `p`.

    Args:
        images: (N, C, H, W).
        rng: source of the draws.
        p: the probability of a flip.
    Returns:
        (N, C, H, W), dtype kept.
    Source:
        CS231n, Training Neural Networks II, "Data augmentation"; Krizhevsky et al. 2012,
        section 4.1.
    """
    flipped = rng.random(len(images)) < p
    return np.where(_per_image(flipped), images[..., ::-1], images)


def random_crop(
    images: Float[Array, "N C H W"], rng: np.random.Generator, padding: int = 4
) -> Float[Array, "N C H W"]:
    """Pad each image with zeros on all sides and cut a window of the old size at random.

    Args:
        images: (N, C, H, W).
        rng: source of the draws.
        padding: how many rows and columns of zeros on each side, ≥ 0.
    Returns:
        (N, C, H, W), dtype kept; every one of the (2·padding + 1)² windows is equally likely.
    Raises:
        ValueError: `padding` is negative.
    Source:
        He et al. 2016, "Deep residual learning", section 4.2.
    """
    if padding < 0:
        raise ValueError(f"random_crop needs padding ≥ 0, not {padding}.")
    N, _, H, W = images.shape
    top = rng.integers(2 * padding + 1, size=N)
    left = rng.integers(2 * padding + 1, size=N)
    padded = np.pad(images, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(padded, (H, W), axis=(2, 3))
    return windows[np.arange(N), :, top, left]


def random_resized_crop(
    images: Float[Array, "N C H W"],
    rng: np.random.Generator,
    size: int,
    scale: tuple[Scalar, Scalar] = (0.5, 1.0),
) -> Float[Array, "N C size size"]:
    """Cut out a random part of each image and resize it to size × size.

    Args:
        images: (N, C, H, W).
        rng: source of the draws.
        size: height and width of the result, in pixels.
        scale: smallest and largest fraction of the area; the fraction is drawn uniformly, the part
            has the proportions of the image (up to whole pixels) and lies anywhere inside it.
    Returns:
        (N, C, size, size), dtype kept; bilinear, pixel centres at half-integers.
    Raises:
        ValueError: `size` is less than 1, or `scale` is not 0 < low ≤ high ≤ 1.
    Source:
        Szegedy et al. 2015, "Going deeper with convolutions", section 6.
    """
    low, high = scale
    if size < 1 or not 0 < low <= high <= 1:
        raise ValueError(
            "random_resized_crop needs size ≥ 1 and a scale with 0 < low ≤ high ≤ 1, "
            f"not size {size} and scale {scale}."
        )
    images = as_float(images)
    N, _, H, W = images.shape
    side = np.sqrt(rng.uniform(low, high, size=N))
    rows = _crop_coordinates(H, side, size, rng)
    columns = _crop_coordinates(W, side, size, rng)
    return _bilinear(images, rows[:, :, None], columns[:, None, :])


def color_jitter(
    images: Float[Array, "N C H W"],
    rng: np.random.Generator,
    brightness: Scalar = 0.2,
    contrast: Scalar = 0.2,
) -> Float[Array, "N C H W"]:
    """Change the contrast of each image about its own mean, and its brightness.

    Args:
        images: (N, C, H, W).
        rng: source of the draws.
        brightness: what is added is uniform in ±brightness, in the units of the pixels.
        contrast: the factor is uniform in 1 ± contrast.
    Returns:
        (N, C, H, W), dtype kept; not clipped.
    Source:
        CS231n, Training Neural Networks II, "Data augmentation: color jitter".
    """
    images = as_float(images)
    N = len(images)
    factor = _per_image(rng.uniform(1 - contrast, 1 + contrast, size=N).astype(images.dtype))
    shift = _per_image(rng.uniform(-brightness, brightness, size=N).astype(images.dtype))
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    return mean + factor * (images - mean) + shift


def random_affine(
    images: Float[Array, "N C H W"],
    rng: np.random.Generator,
    degrees: Scalar = 10,
    translate: Scalar = 0.1,
    scale: tuple[Scalar, Scalar] = (0.9, 1.1),
    shear: Scalar = 5,
) -> Float[Array, "N C H W"]:
    """Shear, scale and rotate each image about its centre, and shift it.

    Args:
        images: (N, C, H, W).
        rng: source of the draws.
        degrees: the angle is uniform in ±degrees.
        translate: the shift is uniform in ±translate·H rows and ±translate·W columns.
        scale: the factor is uniform between these two positive numbers.
        shear: the angle of the horizontal shear is uniform in ±shear degrees.
    Returns:
        (N, C, H, W), dtype kept; bilinear, zeros where the result looks outside the image.
    Raises:
        ValueError: a scale is not positive.
    Source:
        Simard et al. 2003, "Best practices for convolutional neural networks", section 2.
    """
    if min(scale) <= 0:
        raise ValueError(f"random_affine needs positive scales, not {scale}.")
    images = as_float(images)
    N, _, H, W = images.shape
    angle = np.radians(rng.uniform(-degrees, degrees, size=N))
    slant = np.tan(np.radians(rng.uniform(-shear, shear, size=N)))
    factor = rng.uniform(*scale, size=N)
    down = rng.uniform(-translate, translate, size=N) * H
    right = rng.uniform(-translate, translate, size=N) * W

    # Each pixel of the result asks where it came from, so every step is undone, the last one first.
    row = np.arange(H)[None, :, None] - (H - 1) / 2 - down[:, None, None]
    column = np.arange(W)[None, None, :] - (W - 1) / 2 - right[:, None, None]
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    row, column = cos * row - sin * column, sin * row + cos * column
    row, column = row / factor[:, None, None], column / factor[:, None, None]
    column = column - slant[:, None, None] * row
    return _bilinear(images, row + (H - 1) / 2, column + (W - 1) / 2)


def ten_crop(images: Float[Array, "N C H W"], size: int) -> Float[Array, "10 N C size size"]:
    """Four corners and the centre of each image, and their mirror images, for averaging at test.

    Args:
        images: (N, C, H, W).
        size: height and width of each crop, at most H and W.
    Returns:
        (10, N, C, size, size), dtype kept: top left, top right, bottom left, bottom right, centre
        (from row ⌊(H − size)/2⌋, and likewise for columns), then the left–right flips of these.
    Raises:
        ValueError: `size` is not between 1 and the smaller side.
    Source:
        Krizhevsky et al. 2012, "ImageNet classification", section 4.1.
    """
    H, W = images.shape[2:]
    if not 1 <= size <= min(H, W):
        raise ValueError(
            f"ten_crop cannot cut {size}×{size} from images of {H}×{W}; "
            f"choose a size from 1 to {min(H, W)}."
        )
    bottom, right = H - size, W - size
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    crops = np.stack([images[:, :, r : r + size, c : c + size] for r, c in corners])
    return np.concatenate([crops, crops[..., ::-1]])


def _per_image(draws: Array) -> Array:
    """One number per image, shaped to broadcast over the batch."""
    return draws[:, None, None, None]


def _crop_coordinates(
    length: int, side: Float[Array, "N"], size: int, rng: np.random.Generator
) -> Float[Array, "N size"]:
    """Where, along one axis, the pixels of a resized crop lie in the image.

    The crop takes the fraction `side` of the axis, in whole pixels; the first and last half pixel
    have only one neighbour inside the crop and take its value.
    """
    extent = np.clip(np.rint(side * length), 1, length)[:, None]
    start = rng.integers(length - extent.astype(int) + 1)
    centres = (np.arange(size) + 0.5) * extent / size - 0.5
    return start + np.clip(centres, 0, extent - 1)


def _bilinear(
    images: Float[Array, "N C H W"], rows: Float[Array, "N h #w"], columns: Float[Array, "N #h w"]
) -> Float[Array, "N C h w"]:
    """Images read at fractional positions, with zeros all around them."""
    N, _, H, W = images.shape
    pixels = np.pad(images.transpose(0, 2, 3, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows = np.clip(rows + 1, 0, H + 1)
    columns = np.clip(columns + 1, 0, W + 1)
    top = np.minimum(rows.astype(int), H)
    left = np.minimum(columns.astype(int), W)
    down = (rows - top).astype(images.dtype)[..., None]
    right = (columns - left).astype(images.dtype)[..., None]
    n = np.arange(N)[:, None, None]
    # a + (b − a)·t rather than (1 − t)·a + t·b: equal pixels then stay exactly equal.
    upper = pixels[n, top, left]
    upper = upper + (pixels[n, top, left + 1] - upper) * right
    lower = pixels[n, top + 1, left]
    lower = lower + (pixels[n, top + 1, left + 1] - lower) * right
    return (upper + (lower - upper) * down).transpose(0, 3, 1, 2)
