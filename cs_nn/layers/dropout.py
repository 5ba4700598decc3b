"""Dropout in its four forms: vanilla, inverted, Monte Carlo, and on the weights (DropConnect).

As in CS231n, `p` is the probability of *keeping* a unit. The parameters come in a dictionary:
`p`, `mode` ("train" or "test") and optionally `seed`; without a seed each call draws afresh.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from cs_nn.arrays import Array


def dropout_vanilla_forward(
    x: Float[Array, "*shape"], dropout_param: dict
) -> tuple[Float[Array, "*shape"], tuple]:
    """Drop units in training; at test time scale all of them down to their expectation.

    Args:
        x: input of any shape.
        dropout_param: `p` (probability of keeping, 0 < p ≤ 1), `mode` ("train" or "test"),
            optional `seed`.
    Returns:
        (out, cache): x∘mask in training, x·p in test mode; shape and dtype of `x`.
    Raises:
        ValueError: `p` or `mode` is missing or not one of the above.
    Source:
        Srivastava et al. 2014, "Dropout", section 4.
    """
    p, mode = _read(dropout_param, "dropout_param")
    if mode == "test":
        return x * p, (p, None)
    mask = _keep_mask(x.shape, p, dropout_param)
    return x * mask, (p, mask)


def dropout_vanilla_backward(dout: Float[Array, "*shape"], cache: tuple) -> Float[Array, "*shape"]:
    """Gradient of `dropout_vanilla_forward`: nothing flows through a dropped unit.

    Args:
        dout: upstream gradient, of the shape of the output.
        cache: from the forward pass.
    Returns:
        dx: dout∘mask after training, p·dout after test mode.
    Source:
        Srivastava et al. 2014, "Dropout", section 5.1.
    """
    p, mask = cache
    return dout * p if mask is None else dout * mask


def dropout_forward(
    x: Float[Array, "*shape"], dropout_param: dict
) -> tuple[Float[Array, "*shape"], tuple]:
    """Inverted dropout: drop and scale up in training, so that test time needs no change.

    Args:
        x: input of any shape.
        dropout_param: `p` (probability of keeping, 0 < p ≤ 1), `mode` ("train" or "test"),
            optional `seed`.
    Returns:
        (out, cache): x∘mask/p in training, a copy of x in test mode; shape and dtype of `x`.
    Raises:
        ValueError: `p` or `mode` is missing or not one of the above.
    Source:
        CS231n, Training Neural Networks II, "Inverted dropout".
    """
    p, mode = _read(dropout_param, "dropout_param")
    if mode == "test":
        return x.copy(), (p, None)
    mask = _keep_mask(x.shape, p, dropout_param)
    return x * mask / p, (p, mask)


def dropout_backward(dout: Float[Array, "*shape"], cache: tuple) -> Float[Array, "*shape"]:
    """Gradient of `dropout_forward`.

    Args:
        dout: upstream gradient, of the shape of the output.
        cache: from the forward pass.
    Returns:
        dx: dout∘mask/p after training, a copy of dout after test mode.
    Source:
        CS231n, Training Neural Networks II, "Inverted dropout".
    """
    p, mask = cache
    return dout.copy() if mask is None else dout * mask / p


def mc_dropout_predict(
    predict: Callable[[Array, np.random.Generator], Array],
    x: Float[Array, "*shape"],
    samples: int,
    rng: np.random.Generator,
) -> tuple[Float[Array, "*outputs"], Float[Array, "*outputs"]]:
    """Keep dropout on at test time: the mean of many passes predicts, their spread says how surely.

    Args:
        predict: `predict(x, rng)` is one random pass and returns an array.
        x: inputs, handed to `predict` as they are.
        samples: how many passes, at least 1.
        rng: handed to each pass.
    Returns:
        (mean, standard deviation) over the passes (divided by `samples`), each of the shape and
        dtype that `predict` returns.
    Raises:
        ValueError: `samples` is less than 1.
    Source:
        Gal and Ghahramani 2016, "Dropout as a Bayesian approximation", equations 6 and 7.
    """
    if samples < 1:
        raise ValueError(f"mc_dropout_predict needs at least one sample, not {samples}.")
    passes = np.stack([predict(x, rng) for _ in range(samples)])
    return passes.mean(axis=0), passes.std(axis=0)


def dropconnect_forward(
    x: Float[Array, "N *features"],
    w: Float[Array, "D M"],
    b: Float[Array, "M"],
    dropconnect_param: dict,
) -> tuple[Float[Array, "N M"], tuple]:
    """An affine layer that drops single weights instead of whole units.

    Args:
        x: inputs (N, d_1, …, d_k) with d_1·…·d_k = D.
        w: weights (D, M).
        b: biases (M,).
        dropconnect_param: `p` (probability of keeping, 0 < p ≤ 1), `mode` ("train" or "test"),
            optional `seed`.
    Returns:
        (out, cache): x·(w∘mask/p) + b in training, x·w + b in test mode; out is (N, M).
    Raises:
        ValueError: `p` or `mode` is missing or not one of the above.
    Source:
        Wan et al. 2013, "Regularization of neural networks using DropConnect", section 3; with the
        scale of inverted dropout, and one mask for the whole batch.
    """
    p, mode = _read(dropconnect_param, "dropconnect_param")
    mask = None if mode == "test" else _keep_mask(w.shape, p, dropconnect_param)
    kept = w if mask is None else w * mask / p
    out = x.reshape(len(x), -1) @ kept + b
    return out, (x, kept, p, mask)


def dropconnect_backward(
    dout: Float[Array, "N M"], cache: tuple
) -> tuple[Float[Array, "N *features"], Float[Array, "D M"], Float[Array, "M"]]:
    """Gradients of `dropconnect_forward`: a dropped weight neither passes nor receives any.

    Args:
        dout: upstream gradient (N, M).
        cache: from the forward pass.
    Returns:
        (dx, dw, db), of the shapes of x, w and b.
    Source:
        Wan et al. 2013, "Regularization of neural networks using DropConnect", section 3.
    """
    x, kept, p, mask = cache
    dx = (dout @ kept.T).reshape(x.shape)
    dkept = x.reshape(len(x), -1).T @ dout
    dw = dkept if mask is None else dkept * mask / p
    db = dout.sum(axis=0)
    return dx, dw, db


def _keep_mask(shape: tuple[int, ...], p: float, param: dict) -> Bool[Array, "..."]:
    """True with probability p, independently in every entry."""
    rng = np.random.default_rng(param.get("seed"))
    return rng.random(shape) < p


def _read(param: dict, name: str) -> tuple[float, str]:
    """The keep probability and the mode, checked."""
    p, mode = param.get("p"), param.get("mode")
    if p is None or not 0 < p <= 1:
        raise ValueError(f"{name}['p'] is the probability of keeping: 0 < p ≤ 1, not {p!r}.")
    if mode not in ("train", "test"):
        raise ValueError(f"{name}['mode'] must be 'train' or 'test', not {mode!r}.")
    # A NumPy float64 would turn float32 arrays into float64.
    return float(p), mode
