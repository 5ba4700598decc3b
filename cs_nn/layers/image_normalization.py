"""Normalisation of images (N, C, H, W): batch norm per channel, and group norm."""

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array
from cs_nn.layers.normalization import batchnorm_backward_alt, batchnorm_forward


def spatial_batchnorm_forward(
    x: Float[Array, "N C H W"], gamma: Float[Array, "C"], beta: Float[Array, "C"], bn_param: dict
) -> tuple[Float[Array, "N C H W"], tuple | None]:
    """Batch normalisation of feature maps: each channel over all images, rows and columns.

    A convolution treats every position alike, so every position counts as one more example.

    Args:
        x: images (N, C, H, W).
        gamma: scale (C,).
        beta: shift (C,).
        bn_param: as in `batchnorm_forward`; running_mean and running_var are (C,).
    Returns:
        (out, cache): out is (N, C, H, W); the cache of test mode is None.
    Raises:
        ValueError: `mode` is neither "train" nor "test".
    Source:
        Ioffe and Szegedy 2015, "Batch normalization", section 3.2.
    """
    out, cache = batchnorm_forward(_positions_as_rows(x), gamma, beta, bn_param)
    return _rows_as_positions(out, x.shape), cache


def spatial_batchnorm_backward(
    dout: Float[Array, "N C H W"], cache: tuple | None
) -> tuple[Float[Array, "N C H W"], Float[Array, "C"], Float[Array, "C"]]:
    """Gradients of a training-mode `spatial_batchnorm_forward`.

    Args:
        dout: upstream gradient (N, C, H, W).
        cache: from the forward pass.
    Returns:
        (dx, dgamma, dbeta): (N, C, H, W), (C,), (C,).
    Raises:
        ValueError: the forward pass ran in test mode.
    Source:
        Ioffe and Szegedy 2015, "Batch normalization", section 3.2.
    """
    dx, dgamma, dbeta = batchnorm_backward_alt(_positions_as_rows(dout), cache)
    return _rows_as_positions(dx, dout.shape), dgamma, dbeta


def groupnorm_forward(
    x: Float[Array, "N C H W"],
    gamma: Float[Array, "C"] | Float[Array, "1 C 1 1"],
    beta: Float[Array, "C"] | Float[Array, "1 C 1 1"],
    G: int,
    gn_param: dict,
) -> tuple[Float[Array, "N C H W"], tuple]:
    """Normalise, in every image, each group of neighbouring channels with all its positions.

    Args:
        x: images (N, C, H, W).
        gamma: scale per channel, (C,) or (1, C, 1, 1).
        beta: shift per channel, (C,) or (1, C, 1, 1).
        G: number of groups; divides C. With G = 1 it is layer norm over the whole image, with
            G = C instance norm.
        gn_param: `eps` (1e-5), added to the variance inside the root.
    Returns:
        (out, cache): out is (N, C, H, W).
    Raises:
        ValueError: C channels cannot be split into G equal groups.
    Source:
        Wu and He 2018, "Group normalization", equations 1, 2, 6 and 7.
    """
    N, C, H, W = x.shape
    if G < 1 or C % G:
        raise ValueError(f"{C} channels cannot be split into {G} equal groups; G must divide C.")
    eps = float(gn_param.get("eps", 1e-5))
    groups = x.reshape(N, G, -1)
    mu = groups.mean(axis=2, keepdims=True)
    var = ((groups - mu) ** 2).mean(axis=2, keepdims=True)
    std = np.sqrt(var + eps)
    x_hat = ((groups - mu) / std).reshape(N, C, H, W)
    out = gamma.reshape(1, C, 1, 1) * x_hat + beta.reshape(1, C, 1, 1)
    return out, (x_hat, std, gamma, beta.shape)


def groupnorm_backward(
    dout: Float[Array, "N C H W"], cache: tuple
) -> tuple[
    Float[Array, "N C H W"],
    Float[Array, "C"] | Float[Array, "1 C 1 1"],
    Float[Array, "C"] | Float[Array, "1 C 1 1"],
]:
    """Gradients of `groupnorm_forward`.

    Args:
        dout: upstream gradient (N, C, H, W).
        cache: from the forward pass.
    Returns:
        (dx, dgamma, dbeta): (N, C, H, W), and the shapes in which gamma and beta were given.
    Source:
        Wu and He 2018, "Group normalization", equations 1, 2, 6 and 7, by the chain rule.
    """
    x_hat, std, gamma, beta_shape = cache
    N, C, _, _ = dout.shape
    G = std.shape[1]
    dbeta = dout.sum(axis=(0, 2, 3)).reshape(beta_shape)
    dgamma = (dout * x_hat).sum(axis=(0, 2, 3)).reshape(gamma.shape)
    dx_hat = (dout * gamma.reshape(1, C, 1, 1)).reshape(N, G, -1)
    x_hat = x_hat.reshape(N, G, -1)
    mean_dx_hat = dx_hat.mean(axis=2, keepdims=True)
    mean_along_x_hat = (dx_hat * x_hat).mean(axis=2, keepdims=True)
    dx = (dx_hat - mean_dx_hat - x_hat * mean_along_x_hat) / std
    return dx.reshape(dout.shape), dgamma, dbeta


def _positions_as_rows(x: Float[Array, "N C H W"]) -> Float[Array, "rows C"]:
    """One row per image and position, one column per channel."""
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


def _rows_as_positions(
    rows: Float[Array, "rows C"], shape: tuple[int, ...]
) -> Float[Array, "N C H W"]:
    """Undo `_positions_as_rows`."""
    N, C, H, W = shape
    return rows.reshape(N, H, W, C).transpose(0, 3, 1, 2)
