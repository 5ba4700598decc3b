"""Where the weights begin: initialisers, and how to see what they do to the activations.

An initialiser is a function `(fan_in, fan_out, rng)` that returns a float64 weight matrix of shape
(fan_in, fan_out), for layers that compute `x @ w`. All randomness comes from `rng`.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from cs_nn.arrays import Array, Scalar


def constant_init(
    fan_in: int, fan_out: int, rng: np.random.Generator | None = None, value: Scalar = 0.0
) -> Float[Array, "fan_in fan_out"]:
    """Every weight the same number: all units compute the same and are updated alike for ever.

    Args:
        rng: not used; here so that every initialiser is called in the same way.
        value: the weight.
    Returns:
        (fan_in, fan_out), float64, filled with `value`.
    Source:
        CS231n, Training Neural Networks I, "Weight initialization".
    """
    return np.full((fan_in, fan_out), float(value))


def small_random_init(
    fan_in: int, fan_out: int, rng: np.random.Generator, scale: Scalar = 0.01
) -> Float[Array, "fan_in fan_out"]:
    """Gaussian weights of one standard deviation, whatever the shape: signals vanish with depth.

    Args:
        scale: the standard deviation.
    Returns:
        (fan_in, fan_out), float64, drawn from N(0, scale²).
    Source:
        CS231n, Training Neural Networks I, "Weight initialization".
    """
    return scale * rng.standard_normal((fan_in, fan_out))


def xavier_normal(
    fan_in: int, fan_out: int, rng: np.random.Generator
) -> Float[Array, "fan_in fan_out"]:
    """Gaussian weights of variance 2/(fan_in + fan_out).

    A compromise between keeping the variance forwards (1/fan_in) and backwards (1/fan_out).

    Returns:
        (fan_in, fan_out), float64.
    Source:
        Glorot and Bengio 2010, equation 12.
    """
    std = np.sqrt(2.0 / (fan_in + fan_out))
    return std * rng.standard_normal((fan_in, fan_out))


def xavier_uniform(
    fan_in: int, fan_out: int, rng: np.random.Generator
) -> Float[Array, "fan_in fan_out"]:
    """Uniform weights within ±√(6/(fan_in + fan_out)), of the same variance as `xavier_normal`.

    Returns:
        (fan_in, fan_out), float64.
    Source:
        Glorot and Bengio 2010, equation 16.
    """
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def kaiming_normal(
    fan_in: int, fan_out: int, rng: np.random.Generator
) -> Float[Array, "fan_in fan_out"]:
    """Gaussian weights of variance 2/fan_in: the 2 makes up for the half that ReLU cuts away.

    Returns:
        (fan_in, fan_out), float64.
    Source:
        He et al. 2015, "Delving Deep into Rectifiers", equation 10.
    """
    std = np.sqrt(2.0 / fan_in)
    return std * rng.standard_normal((fan_in, fan_out))


def kaiming_uniform(
    fan_in: int, fan_out: int, rng: np.random.Generator
) -> Float[Array, "fan_in fan_out"]:
    """Uniform weights within ±√(6/fan_in), of the same variance as `kaiming_normal`.

    Returns:
        (fan_in, fan_out), float64.
    Source:
        He et al. 2015, "Delving Deep into Rectifiers", equation 10.
    """
    limit = np.sqrt(6.0 / fan_in)
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def lecun_normal(
    fan_in: int, fan_out: int, rng: np.random.Generator
) -> Float[Array, "fan_in fan_out"]:
    """Gaussian weights of variance 1/fan_in (the "Xavier" of older CS231n slides).

    Returns:
        (fan_in, fan_out), float64.
    Source:
        LeCun et al. 1998, "Efficient BackProp", equation 16.
    """
    std = np.sqrt(1.0 / fan_in)
    return std * rng.standard_normal((fan_in, fan_out))


def orthogonal_init(
    fan_in: int, fan_out: int, rng: np.random.Generator
) -> Float[Array, "fan_in fan_out"]:
    """A matrix drawn uniformly from all those with orthonormal columns (or rows).

    Returns:
        (fan_in, fan_out), float64: orthonormal columns where fan_in ≥ fan_out, else rows.
    Source:
        Saxe et al. 2014, section 3; the sign correction is Mezzadri 2007, section 5.
    """
    gaussian = rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(gaussian)
    # QR is unique only up to signs, and the library's choice of signs is not a random one.
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return q if fan_in >= fan_out else q.T


def geometric_init(
    fan_in: int, fan_out: int, rng: np.random.Generator, c: Scalar = 1.0
) -> Float[Array, "fan_in fan_out"]:
    """Gaussian weights of variance c/√(fan_in·fan_out), the geometric mean of both directions.

    Args:
        c: the gain of the nonlinearity; 2 for ReLU.
    Returns:
        (fan_in, fan_out), float64.
    Source:
        Defazio and Bottou 2019, "Scaling Laws for the Principled Design, Initialization and
        Preconditioning of ReLU Networks".
    """
    std = np.sqrt(c / np.sqrt(float(fan_in) * fan_out))
    return std * rng.standard_normal((fan_in, fan_out))


def lsuv_init(
    weights: list[Float[Array, "_ _"]],
    x: Float[Array, "N D"],
    nonlinearity: Callable[[Array], Array],
    tolerance: Scalar = 0.01,
    max_iterations: int = 10,
) -> list[Float[Array, "_ _"]]:
    """Layer-sequential unit variance: rescale each layer on real data, from the first to the last.

    Args:
        weights: one matrix per layer, (D, M_1), (M_1, M_2), …; not changed. The paper starts
            from orthogonal ones.
        x: a batch of inputs, (N, D).
        nonlinearity: elementwise, applied after every layer.
        tolerance: how far from 1 the variance of `h @ w`, over all its entries, may end.
        max_iterations: how often one layer is rescaled at most.
    Returns:
        The rescaled matrices, in a new list; dtypes kept.
    Raises:
        ValueError: the output of a layer does not vary on `x`, so no scale can give it variance 1.
    Source:
        Mishkin and Matas 2015, "All you need is a good init", algorithm 1.
    """
    h = x
    rescaled = []
    for layer, given in enumerate(weights, start=1):
        w = given.copy()
        for _ in range(max_iterations):
            variance = float((h @ w).var(dtype=np.float64))
            if variance == 0:
                raise ValueError(
                    f"lsuv_init: the output of layer {layer} is constant on x; "
                    "start from random weights and inputs that differ."
                )
            if abs(variance - 1) < tolerance:
                break
            w = w / variance**0.5
        rescaled.append(w)
        h = nonlinearity(h @ w)
    return rescaled


def activation_statistics(
    weights: list[Float[Array, "_ _"]],
    x: Float[Array, "N D"],
    nonlinearity: Callable[[Array], Array],
) -> list[dict[str, float]]:
    """Send `x` through a stack of layers and describe what comes out of each.

    Args:
        weights: one matrix per layer, (D, M_1), (M_1, M_2), …
        x: a batch of inputs, (N, D).
        nonlinearity: elementwise, applied after every layer.
    Returns:
        One dictionary per layer, about its activations h = nonlinearity(h_previous @ w):
        `mean` and `std` over all entries, `saturated` (the fraction of entries with |h| > 0.99)
        and `dead` (the fraction of units that are 0 for every input).
    Source:
        CS231n, Training Neural Networks I, "Activation statistics".
    """
    h = x
    statistics = []
    for w in weights:
        h = nonlinearity(h @ w)
        statistics.append(
            {
                "mean": float(h.mean(dtype=np.float64)),
                "std": float(h.std(dtype=np.float64)),
                "saturated": float((np.abs(h) > 0.99).mean()),
                "dead": float((h == 0).all(axis=0).mean()),
            }
        )
    return statistics


def dead_units(activations: Float[Array, "N M"]) -> Bool[Array, "M"]:
    """Which ReLU units never fire on the data, and so never receive a gradient.

    Args:
        activations: the output of a ReLU layer, (N, M).
    Returns:
        Boolean (M,): True where a unit is positive for no example.
    Source:
        CS231n, Training Neural Networks I, "dead ReLU".
    """
    return activations.max(axis=0) <= 0
