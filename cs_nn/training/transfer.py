"""Transfer learning: what a network learned on one task, used for another."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from cs_nn.arrays import Array, Scalar
from cs_nn.layers.activations import relu_forward
from cs_nn.layers.affine import affine_forward
from cs_nn.layers.convolution import conv_forward_fast
from cs_nn.layers.pooling import max_pool_forward_fast


def freeze(grads: Mapping[str, Array], names: Iterable[str]) -> dict[str, Array]:
    """Return the gradients with those of some parameters set to zero, so that these stay put.

    Args:
        grads: gradients by parameter name.
        names: the parameters to freeze.

    Returns:
        A new dictionary; ``grads`` and its arrays stay as they are.

    Raises:
        ValueError: if a name has no gradient.

    Source: Yosinski et al. 2014, section 2; CS231n, "Transfer learning".
    """
    names = set(names)
    _check_names(names, grads)
    return {name: np.zeros_like(g) if name in names else g for name, g in grads.items()}


def feature_extractor(net: Any, X: Shaped[Array, "N *dims"]) -> Shaped[Array, "N hidden"]:
    """Return the activations before the last affine layer: the network's view of the examples.

    Args:
        net: a ``TwoLayerNet`` (``params`` W1 b1 W2 b2) or a ``ConvNet`` (W1 b1 W2 b2 W3 b3).
        X: examples, (N, …).

    Returns:
        Hidden activations, (N, hidden), at least 0.

    Source: Razavian et al. 2014, "CNN features off-the-shelf"; CS231n, "Transfer learning".
    """
    params = net.params
    if "W3" in params:
        return _hidden_layer(_pooled_maps(X, params), params["W2"], params["b2"])
    return _hidden_layer(X, params["W1"], params["b1"])


def fine_tune(
    net: Any,
    X: Shaped[Array, "N *dims"],
    y: Int[Array, "N"],
    learning_rates: Mapping[str, Scalar],
    steps: int,
) -> list[float]:
    """Train a network further by full-batch gradient descent, with a rate for each parameter.

    Args:
        net: a network with ``params`` and ``loss``; its ``params`` are changed.
        X: examples of the new task, (N, …).
        y: their labels, (N,).
        learning_rates: learning rate by parameter name; a parameter that is not named stays as
            it is.
        steps: number of steps.

    Returns:
        The losses, each before its step.

    Raises:
        ValueError: if a name belongs to no parameter.

    Source: Yosinski et al. 2014, section 2; CS231n, "Transfer learning".
    """
    _check_names(learning_rates, net.params)
    losses = []
    for _ in range(steps):
        loss, grads = net.loss(X, y)
        losses.append(float(loss))
        for name, rate in learning_rates.items():
            net.params[name] = net.params[name] - float(rate) * grads[name]
    return losses


def _hidden_layer(x: Array, w: Array, b: Array) -> Array:
    scores, _ = affine_forward(x, w, b)
    return relu_forward(scores)[0]


def _pooled_maps(X: Array, params: Mapping[str, Array]) -> Array:
    pad = (params["W1"].shape[2] - 1) // 2
    maps, _ = conv_forward_fast(X, params["W1"], params["b1"], {"stride": 1, "pad": pad})
    maps, _ = relu_forward(maps)
    return max_pool_forward_fast(maps, {"pool_height": 2, "pool_width": 2, "stride": 2})[0]


def _check_names(names: Iterable[str], known: Mapping[str, Array]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(
            f"There is no parameter {unknown[0]!r}; the parameters are {', '.join(sorted(known))}."
        )
