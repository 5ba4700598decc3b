"""Data to learn from: real handwritten digits, and four toy problems in the plane.

The digits are the test set of "Optical Recognition of Handwritten Digits" of the UCI Machine
Learning Repository (E. Alpaydin and C. Kaynak, 1998, doi:10.24432/C50P49, licence CC BY 4.0):
1,797 scans by 13 writers, reduced to 8×8 pixels of 17 grey levels.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from cs_nn.arrays import Array, Scalar

DIGITS = Path(__file__).with_name("digits.npz")


class Split(NamedTuple):
    """Images (N, C, H, W) and labels (N,) for training, validation and test."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load_digits(
    validation: int = 300,
    test: int = 300,
    dtype: type = np.float64,
    rng: np.random.Generator | None = None,
) -> Split:
    """The 8×8 digits that come with the package, shuffled and split in three.

    Args:
        validation: number of images for validation.
        test: number of images for the test; the rest is for training (1,197 by default).
        dtype: of the images, np.float64 or np.float32.
        rng: draws the order; None for the course's own split, the same at every call.

    Returns:
        Images (N, 1, 8, 8) with values from 0 (paper) to 1 (ink), labels int64 (N,).

    Raises:
        ValueError: if no image would be left for training.
    """
    with np.load(DIGITS) as file:
        images, labels = file["images"], file["labels"]
    if min(validation, test) < 0 or validation + test >= len(images):
        raise ValueError(
            f"{validation} images for validation and {test} for the test leave none of "
            f"{len(images)} for training: ask for fewer"
        )
    rng = np.random.default_rng(231) if rng is None else rng
    order = rng.permutation(len(images))
    x = (images[order, None] / 16).astype(dtype)
    y = labels[order].astype(np.int64)
    train = len(images) - validation - test
    val_end = train + validation
    return Split(x[:train], y[:train], x[train:val_end], y[train:val_end], x[val_end:], y[val_end:])


def spirals(
    n: int, rng: np.random.Generator, classes: int = 3, noise: Scalar = 0.2, turns: Scalar = 0.64
) -> tuple[Float[Array, "n 2"], Int[Array, "n"]]:
    """Interleaved spiral arms, one a class, from the origin out to radius 1.

    Args:
        n: points in all, shared out evenly among the classes.
        rng: draws the points.
        classes: number of arms.
        noise: standard deviation of the angle, in radians.
        turns: of each arm around the origin.

    Returns:
        Points (n, 2) and labels (n,) in 0 … classes − 1.
    """
    y = _even_labels(n, classes)
    radius = rng.uniform(0, 1, n)
    angle = 2 * np.pi * (turns * radius + y / classes) + rng.normal(0, noise, n)
    return radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1), y


def moons(
    n: int, rng: np.random.Generator, noise: Scalar = 0.1
) -> tuple[Float[Array, "n 2"], Int[Array, "n"]]:
    """Two half circles of radius 1 that reach into each other.

    Args:
        n: points in all, half of each class.
        rng: draws the points.
        noise: standard deviation of the normal noise on both coordinates.

    Returns:
        Points (n, 2) and labels (n,), 0 for the upper moon, 1 for the lower.
    """
    y = _even_labels(n, 2)
    angle = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.array([1.0, 0.5]) - upper
    points = np.where(y[:, None] == 0, upper, lower)
    return points + rng.normal(0, noise, (n, 2)), y


def blobs(
    n: int, rng: np.random.Generator, classes: int = 3, spread: Scalar = 0.3
) -> tuple[Float[Array, "n 2"], Int[Array, "n"]]:
    """Round normal clouds, their centres evenly placed on the unit circle.

    Args:
        n: points in all, shared out evenly among the classes.
        rng: draws the points.
        classes: number of clouds.
        spread: standard deviation of each cloud.

    Returns:
        Points (n, 2) and labels (n,) in 0 … classes − 1.
    """
    y = _even_labels(n, classes)
    angle = 2 * np.pi * y / classes
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centres + rng.normal(0, spread, (n, 2)), y


def xor(
    n: int, rng: np.random.Generator, noise: Scalar = 0.0
) -> tuple[Float[Array, "n 2"], Int[Array, "n"]]:
    """Points in the square [−1, 1]², labelled 1 where exactly one coordinate is positive.

    Args:
        n: points in all.
        rng: draws the points.
        noise: standard deviation of normal noise, added after labelling.

    Returns:
        Points (n, 2) and labels (n,), 0 or 1: no straight line separates them.
    """
    points = rng.uniform(-1, 1, (n, 2))
    y = ((points[:, 0] > 0) != (points[:, 1] > 0)).astype(np.int64)
    return points + rng.normal(0, noise, (n, 2)), y


def _even_labels(n: int, classes: int) -> np.ndarray:
    """Labels 0, 1, …, classes − 1, 0, 1, … so that class sizes differ by one at most."""
    return np.arange(n, dtype=np.int64) % classes
