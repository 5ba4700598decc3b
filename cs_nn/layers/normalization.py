"""Normalisation layers: over the batch, over the features, per channel, per group of channels.

Each forward pass stands beside its backward pass. Batch normalisation has two backward passes:
one follows the computation graph node by node, the other is what remains when the algebra is done.
"""

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array


def batchnorm_forward(
    x: Float[Array, "N D"], gamma: Float[Array, "D"], beta: Float[Array, "D"], bn_param: dict
) -> tuple[Float[Array, "N D"], tuple | None]:
    """Normalise every feature over the batch, then scale by gamma and shift by beta.

    Args:
        x: inputs (N, D).
        gamma: scale (D,).
        beta: shift (D,).
        bn_param: `mode` ("train" or "test"); `eps` (1e-5), added to the variance inside the root;
            `momentum` (0.9); `running_mean` and `running_var`, (D,), zeros at first.
            In training mode both are replaced in the dictionary by new arrays,
            momentum·running + (1 − momentum)·batch, with the biased (1/N) batch variance.
    Returns:
        (out, cache): out is (N, D). In training mode it is normalised by the batch, in test mode
        by the running statistics; the cache of test mode is None.
    Raises:
        ValueError: `mode` is neither "train" nor "test".
    Source:
        Ioffe and Szegedy 2015, "Batch normalization", algorithm 1; running averages as in CS231n.
    """
    mode = bn_param.get("mode")
    eps = float(bn_param.get("eps", 1e-5))
    momentum = float(bn_param.get("momentum", 0.9))
    running_mean = bn_param.get("running_mean", np.zeros(x.shape[1], dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(x.shape[1], dtype=x.dtype))

    if mode == "test":
        x_hat = (x - running_mean) / np.sqrt(running_var + eps)
        return gamma * x_hat + beta, None
    if mode != "train":
        raise ValueError(f"bn_param['mode'] must be 'train' or 'test', not {mode!r}.")

    mu = x.mean(axis=0)
    x_mu = x - mu
    var = (x_mu**2).mean(axis=0)
    std = np.sqrt(var + eps)
    x_hat = x_mu / std
    out = gamma * x_hat + beta

    bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mu
    bn_param["running_var"] = momentum * running_var + (1 - momentum) * var
    return out, (x_hat, x_mu, std, gamma)


def batchnorm_backward(
    dout: Float[Array, "N D"], cache: tuple | None
) -> tuple[Float[Array, "N D"], Float[Array, "D"], Float[Array, "D"]]:
    """Gradients of a training-mode `batchnorm_forward`, node by node through its graph.

    x reaches the output by three paths: directly, through the mean and through the variance.

    Args:
        dout: upstream gradient (N, D).
        cache: from the forward pass.
    Returns:
        (dx, dgamma, dbeta): (N, D), (D,), (D,).
    Raises:
        ValueError: the forward pass ran in test mode.
    Source:
        Ioffe and Szegedy 2015, "Batch normalization", section 3 (the chain rule).
    """
    x_hat, x_mu, std, gamma = _training_cache(cache)
    N = len(dout)
    # out = gamma * x_hat + beta
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    dx_hat = dout * gamma
    # x_hat = x_mu / std
    dx_mu = dx_hat / std
    dstd = -(dx_hat * x_mu).sum(axis=0) / std**2
    # std = sqrt(var + eps), var = mean(x_mu**2)
    dvar = dstd / (2 * std)
    dx_mu = dx_mu + dvar * 2 * x_mu / N
    # x_mu = x - mu, mu = mean(x)
    dmu = -dx_mu.sum(axis=0)
    dx = dx_mu + dmu / N
    return dx, dgamma, dbeta


def batchnorm_backward_alt(
    dout: Float[Array, "N D"], cache: tuple | None
) -> tuple[Float[Array, "N D"], Float[Array, "D"], Float[Array, "D"]]:
    """The same gradients in closed form: the graph's three paths, simplified on paper.

    dx = gamma/std · (dout − mean(dout) − x_hat·mean(dout·x_hat)): what remains of dout when its
    parts along (1, …, 1) and along x_hat are taken out.

    Args:
        dout: upstream gradient (N, D).
        cache: from the forward pass.
    Returns:
        (dx, dgamma, dbeta): (N, D), (D,), (D,).
    Raises:
        ValueError: the forward pass ran in test mode.
    Source:
        Ioffe and Szegedy 2015, "Batch normalization", section 3, simplified as CS231n asks.
    """
    x_hat, _, std, gamma = _training_cache(cache)
    N = len(dout)
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    dx = gamma / std * (dout - dbeta / N - x_hat * dgamma / N)
    return dx, dgamma, dbeta


def layernorm_forward(
    x: Float[Array, "N D"],
    gamma: Float[Array, "D"],
    beta: Float[Array, "D"],
    ln_param: dict,
) -> tuple[Float[Array, "N D"], tuple]:
    """Normalise every example over its features, then scale by gamma and shift by beta.

    No example sees another, so training and test are the same and nothing is remembered.

    Args:
        x: inputs (N, D).
        gamma: scale (D,).
        beta: shift (D,).
        ln_param: `eps` (1e-5), added to the variance inside the root.
    Returns:
        (out, cache): out is (N, D).
    Source:
        Ba et al. 2016, "Layer normalization", equations 3 and 4.
    """
    eps = float(ln_param.get("eps", 1e-5))
    mu = x.mean(axis=1, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=1, keepdims=True)
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    return gamma * x_hat + beta, (x_hat, std, gamma)


def layernorm_backward(
    dout: Float[Array, "N D"], cache: tuple
) -> tuple[Float[Array, "N D"], Float[Array, "D"], Float[Array, "D"]]:
    """Gradients of `layernorm_forward`.

    gamma differs from feature to feature, so here it stands inside the means over the features.

    Args:
        dout: upstream gradient (N, D).
        cache: from the forward pass.
    Returns:
        (dx, dgamma, dbeta): (N, D), (D,), (D,).
    Source:
        Ba et al. 2016, "Layer normalization", equations 3 and 4, by the chain rule.
    """
    x_hat, std, gamma = cache
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    dx_hat = dout * gamma
    mean_dx_hat = dx_hat.mean(axis=1, keepdims=True)
    mean_along_x_hat = (dx_hat * x_hat).mean(axis=1, keepdims=True)
    dx = (dx_hat - mean_dx_hat - x_hat * mean_along_x_hat) / std
    return dx, dgamma, dbeta


def _training_cache(cache: tuple | None) -> tuple:
    """The cache, or a clear word where there is none."""
    if cache is None:
        raise ValueError("Batch norm's backward pass needs the cache of a training-mode forward.")
    return cache
