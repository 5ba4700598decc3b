"""Preparing the data: centring, scaling, decorrelating, whitening.

Every function takes a training set and a test set and returns both, transformed with the
statistics of the training set alone: the test set stands for data nobody has seen yet.
Statistics are summed in float64; the results keep the dtype of the data.
"""

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array, Scalar, as_float


def subtract_mean_image(
    train: Float[Array, "N *features"], test: Float[Array, "M *features"]
) -> tuple[Float[Array, "N *features"], Float[Array, "M *features"]]:
    """Subtract from every example the mean example of the training set (as AlexNet does).

    Args:
        train: (N, d_1, …, d_k), floating point.
        test: (M, d_1, …, d_k), of the same dtype.
    Returns:
        Both sets, centred by the mean of `train` over the examples; shapes and dtype kept.
    Source:
        CS231n, Training Neural Networks I, "Data preprocessing".
    """
    train, test = as_float(train), as_float(test)
    mean_image = train.mean(axis=0, dtype=np.float64).astype(train.dtype)
    return train - mean_image, test - mean_image


def subtract_channel_mean(
    train: Float[Array, "N C H W"], test: Float[Array, "M C H W"]
) -> tuple[Float[Array, "N C H W"], Float[Array, "M C H W"]]:
    """Subtract from every pixel the training set's mean of its channel (as VGGNet does).

    Args:
        train: images (N, C, H, W), floating point.
        test: images (M, C, H, W), of the same dtype.
    Returns:
        Both sets, centred by C numbers: the means of `train` over examples, rows and columns.
    Source:
        CS231n, Training Neural Networks I, "Data preprocessing".
    """
    train, test = as_float(train), as_float(test)
    mean = train.mean(axis=(0, 2, 3), keepdims=True, dtype=np.float64).astype(train.dtype)
    return train - mean, test - mean


def standardize(
    train: Float[Array, "N *features"], test: Float[Array, "M *features"]
) -> tuple[Float[Array, "N *features"], Float[Array, "M *features"]]:
    """Give every feature of the training set mean 0 and standard deviation 1.

    A feature that is constant over `train` becomes 0 there; in `test` it is centred only.

    Args:
        train: (N, d_1, …, d_k), floating point.
        test: (M, d_1, …, d_k), of the same dtype.
    Returns:
        Both sets, (x − mean)/std with mean and (biased, 1/N) std of `train`, feature by feature.
    Source:
        CS231n, Training Neural Networks I, "Data preprocessing".
    """
    train, test = as_float(train), as_float(test)
    mean = train.mean(axis=0, dtype=np.float64)
    std = train.std(axis=0, dtype=np.float64)
    # The mean of equal numbers may differ from them in the last digit; that rounding error,
    # divided by itself, would come out as ±1. So constancy is asked of the data, not of std.
    constant = (train.max(axis=0) == train.min(axis=0)) | (std == 0)
    mean = np.where(constant, train[0], mean)
    std = np.where(constant, 1.0, std)
    return ((train - mean) / std).astype(train.dtype), ((test - mean) / std).astype(test.dtype)


def pca(
    train: Float[Array, "N D"], test: Float[Array, "M D"], components: int | None = None
) -> tuple[Float[Array, "N K"], Float[Array, "M K"]]:
    """Rotate the data onto the principal axes of the training set.

    Args:
        train: (N, D), floating point.
        test: (M, D), of the same dtype.
        components: how many axes to keep, K; all D of them by default.
    Returns:
        Both sets, centred by `train` and expressed in the eigenvectors of its covariance (1/N),
        largest eigenvalue first: (N, K) and (M, K). The sign of each column is arbitrary.
    Raises:
        ValueError: `components` is not between 1 and D.
    Source:
        CS231n, Training Neural Networks I, "PCA and whitening".
    """
    train, test = as_float(train), as_float(test)
    D = train.shape[1]
    K = D if components is None else components
    if not 1 <= K <= D:
        raise ValueError(
            f"pca cannot keep {components} components of {D} features; choose from 1 to {D}."
        )
    mean, _, axes = _principal_axes(train)
    axes = axes[:, :K]
    return (
        ((train - mean) @ axes).astype(train.dtype),
        ((test - mean) @ axes).astype(test.dtype),
    )


def whiten(
    train: Float[Array, "N D"], test: Float[Array, "M D"], eps: Scalar = 1e-5
) -> tuple[Float[Array, "N D"], Float[Array, "M D"]]:
    """Rotate onto the principal axes and scale each to variance 1 (PCA whitening, not ZCA).

    Args:
        train: (N, D), floating point.
        test: (M, D), of the same dtype.
        eps: added to each eigenvalue before the root, so that directions without variance
            are not blown up.
    Returns:
        Both sets; the covariance (1/N) of the whitened `train` is the identity, up to `eps`.
    Raises:
        ValueError: `eps` is negative.
    Source:
        CS231n, Training Neural Networks I, "PCA and whitening".
    """
    if eps < 0:
        raise ValueError(f"whiten needs eps ≥ 0, not {eps}; the default is 1e-5.")
    train, test = as_float(train), as_float(test)
    mean, eigenvalues, axes = _principal_axes(train)
    whitening = axes / np.sqrt(eigenvalues + eps)
    return (
        ((train - mean) @ whitening).astype(train.dtype),
        ((test - mean) @ whitening).astype(test.dtype),
    )


def _principal_axes(
    train: Float[Array, "N D"],
) -> tuple[Float[Array, "D"], Float[Array, "D"], Float[Array, "D D"]]:
    """Mean, eigenvalues (largest first) and eigenvectors (columns) of the covariance, float64."""
    mean = train.mean(axis=0, dtype=np.float64)
    centred = train - mean
    covariance = centred.T @ centred / len(train)
    eigenvalues, axes = np.linalg.eigh(covariance)
    # A variance is never negative; rounding can make that of a flat direction −1e-17.
    return mean, np.maximum(eigenvalues[::-1], 0.0), axes[:, ::-1]
