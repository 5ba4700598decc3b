"""First-order optimisers: how to walk downhill when all you know is the slope.

Every optimiser is a pure function ``(w, dw, config) -> (next_w, config)``. ``config`` is a
dictionary with the hyper-parameters and what the method remembers from step to step; keys that are
missing take the defaults, and the returned dictionary is a new one, to be handed to the next step
of the same parameter. ``w``, ``dw`` and the given dictionary stay as they are, and every array has
the dtype of ``w``.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array, Scalar

Config = dict[str, Any]


def sgd(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step of (stochastic) gradient descent, w ← w − η·dw.

    Args:
        w: parameters of any shape, float32 or float64.
        dw: gradient of the loss with respect to ``w``, same shape.
        config: ``learning_rate`` η, 1e-2.

    Returns:
        The new parameters, and the config for the next step.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Robbins and Monro 1951, eq. (5).
    """
    config = _complete(config, w, dw, learning_rate=1e-2)
    return _done(w - config["learning_rate"] * dw, config)


def sgd_momentum(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step of gradient descent with momentum, v ← μv − η·dw, w ← w + v.

    Args:
        w: parameters of any shape, float32 or float64.
        dw: gradient of the loss with respect to ``w``, same shape.
        config: ``learning_rate`` η, 1e-2; ``momentum`` μ, 0.9; ``velocity`` v, zeros like ``w``.

    Returns:
        The new parameters, and the config with the new velocity.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Polyak 1964; in this form Sutskever et al. 2013, eq. (1)-(2).
    """
    config = _complete(config, w, dw, learning_rate=1e-2, momentum=0.9, velocity=np.zeros_like(w))
    v = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return _done(w + v, config, velocity=v)


def nesterov(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step with Nesterov momentum, in the variables of the looked-ahead point.

    v_prev ← v, v ← μv − η·dw, w ← w − μ·v_prev + (1+μ)·v. Here ``w`` is the point that the
    momentum is about to reach, so ``dw`` is the gradient where the caller already stands.

    Args:
        w: parameters of any shape, float32 or float64.
        dw: gradient of the loss with respect to ``w``, same shape.
        config: ``learning_rate`` η, 1e-2; ``momentum`` μ, 0.9; ``velocity`` v, zeros like ``w``.

    Returns:
        The new parameters, and the config with the new velocity.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Nesterov 1983; the change of variables is Bengio et al. 2013, eq. (7).
    """
    config = _complete(config, w, dw, learning_rate=1e-2, momentum=0.9, velocity=np.zeros_like(w))
    mu = config["momentum"]
    v_prev = config["velocity"]
    v = mu * v_prev - config["learning_rate"] * dw
    return _done(w - mu * v_prev + (1 + mu) * v, config, velocity=v)


def adagrad(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step of Adagrad: each entry's rate shrinks with the squares it has seen.

    cache ← cache + dw², w ← w − η·dw / (√cache + ε).

    Args:
        w: parameters of any shape, float32 or float64.
        dw: gradient of the loss with respect to ``w``, same shape.
        config: ``learning_rate`` η, 1e-2; ``epsilon`` ε, 1e-8; ``cache``, zeros like ``w``.

    Returns:
        The new parameters, and the config with the new cache.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Duchi, Hazan and Singer 2011, Figure 1 (diagonal matrices).
    """
    config = _complete(config, w, dw, learning_rate=1e-2, epsilon=1e-8, cache=np.zeros_like(w))
    cache = config["cache"] + dw**2
    next_w = w - config["learning_rate"] * dw / (np.sqrt(cache) + config["epsilon"])
    return _done(next_w, config, cache=cache)


def rmsprop(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step of RMSprop: Adagrad with a memory that fades.

    cache ← ρ·cache + (1−ρ)·dw², w ← w − η·dw / (√cache + ε).

    Args:
        w: parameters of any shape, float32 or float64.
        dw: gradient of the loss with respect to ``w``, same shape.
        config: ``learning_rate`` η, 1e-2; ``decay_rate`` ρ, 0.99; ``epsilon`` ε, 1e-8; ``cache``,
            zeros like ``w``.

    Returns:
        The new parameters, and the config with the new cache.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Tieleman and Hinton 2012, Coursera lecture 6e.
    """
    config = _complete(
        config,
        w,
        dw,
        learning_rate=1e-2,
        decay_rate=0.99,
        epsilon=1e-8,
        cache=np.zeros_like(w),
    )
    rho = config["decay_rate"]
    cache = rho * config["cache"] + (1 - rho) * dw**2
    next_w = w - config["learning_rate"] * dw / (np.sqrt(cache) + config["epsilon"])
    return _done(next_w, config, cache=cache)


def adam(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step of Adam: momentum and RMSprop, both corrected for their start at zero.

    t ← t + 1, m ← β₁m + (1−β₁)dw, v ← β₂v + (1−β₂)dw², m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ),
    w ← w − η·m̂ / (√v̂ + ε). The stored moments are the uncorrected ones.

    Args:
        w: parameters of any shape, float32 or float64.
        dw: gradient of the loss with respect to ``w``, same shape.
        config: ``learning_rate`` η, 1e-3; ``beta1``, 0.9; ``beta2``, 0.999; ``epsilon`` ε, 1e-8;
            ``m`` and ``v``, zeros like ``w``; ``t``, the number of steps done, 0.

    Returns:
        The new parameters, and the config with the new ``m``, ``v`` and ``t``.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Kingma and Ba 2015, Algorithm 1.
    """
    config = _complete(config, w, dw, learning_rate=1e-3, **_adam_defaults(w))
    m, v, m_hat, v_hat, t = _adam_moments(dw, config)
    next_w = w - config["learning_rate"] * m_hat / (np.sqrt(v_hat) + config["epsilon"])
    return _done(next_w, config, m=m, v=v, t=t)


def adamw(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step of AdamW: the weights decay beside Adam's step, not through its moments.

    As :func:`adam`, with w ← w − η·(m̂/(√v̂+ε) + λw).

    Args:
        w: parameters of any shape, float32 or float64.
        dw: gradient of the loss without its weight penalty, same shape.
        config: as for :func:`adam`, and ``weight_decay`` λ, 1e-2.

    Returns:
        The new parameters, and the config with the new ``m``, ``v`` and ``t``.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Loshchilov and Hutter 2019, Algorithm 2.
    """
    config = _complete(config, w, dw, learning_rate=1e-3, weight_decay=1e-2, **_adam_defaults(w))
    m, v, m_hat, v_hat, t = _adam_moments(dw, config)
    adam_direction = m_hat / (np.sqrt(v_hat) + config["epsilon"])
    next_w = w - config["learning_rate"] * (adam_direction + config["weight_decay"] * w)
    return _done(next_w, config, m=m, v=v, t=t)


def adamax(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step of Adamax: Adam with a decaying maximum for the second moment.

    t ← t + 1, m ← β₁m + (1−β₁)dw, u ← max(β₂u, |dw|), w ← w − η/(1−β₁ᵗ) · m/(u+ε).

    Args:
        w: parameters of any shape, float32 or float64.
        dw: gradient of the loss with respect to ``w``, same shape.
        config: ``learning_rate`` η, 2e-3; ``beta1``, 0.9; ``beta2``, 0.999; ``epsilon`` ε, 1e-8;
            ``m`` and ``u``, zeros like ``w``; ``t``, the number of steps done, 0.

    Returns:
        The new parameters, and the config with the new ``m``, ``u`` and ``t``.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Kingma and Ba 2015, Algorithm 2.
    """
    config = _complete(
        config,
        w,
        dw,
        learning_rate=2e-3,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        m=np.zeros_like(w),
        u=np.zeros_like(w),
        t=0,
    )
    beta1, beta2 = config["beta1"], config["beta2"]
    t = config["t"] + 1
    m = beta1 * config["m"] + (1 - beta1) * dw
    u = np.maximum(beta2 * config["u"], np.abs(dw))
    rate = config["learning_rate"] / (1 - beta1**t)
    return _done(w - rate * m / (u + config["epsilon"]), config, m=m, u=u, t=t)


def rprop(
    w: Float[Array, "*shape"], dw: Float[Array, "*shape"], config: Config | None = None
) -> tuple[Float[Array, "*shape"], Config]:
    """Take one step of Rprop: each entry has a step of its own, and only signs count.

    Where the gradient keeps its sign the step grows by ``eta_plus``; where the sign changes it
    shrinks by ``eta_minus`` and the gradient counts as 0, so that the entry rests and its next
    step neither grows nor shrinks. Then w ← w − sign(dw)·step.

    Args:
        w: parameters of any shape, float32 or float64.
        dw: full-batch gradient of the loss with respect to ``w``, same shape.
        config: ``learning_rate``, the first step, 1e-2; ``eta_plus``, 1.2; ``eta_minus``, 0.5;
            ``step_min``, 1e-6; ``step_max``, 50; ``step``, all ``learning_rate``; ``prev_grad``,
            zeros like ``w``.

    Returns:
        The new parameters, and the config with the new ``step`` and ``prev_grad``.

    Raises:
        ValueError: if ``w`` and ``dw`` differ in shape.

    Source: Riedmiller and Braun 1993, eq. (3)-(4); the variant without weight backtracking, as in
    ``torch.optim.Rprop`` (iRprop−, Igel and Hüsken 2000).
    """
    config = _complete(
        config,
        w,
        dw,
        learning_rate=1e-2,
        eta_plus=1.2,
        eta_minus=0.5,
        step_min=1e-6,
        step_max=50.0,
        prev_grad=np.zeros_like(w),
    )
    first_step = np.full(w.shape, config["learning_rate"], dtype=np.result_type(w, np.float32))
    step = config.get("step", first_step)
    # Signs are multiplied, not gradients: the product of two tiny gradients can underflow to 0.
    agreement = np.sign(dw) * np.sign(config["prev_grad"])
    shrunk = np.where(agreement < 0, step * config["eta_minus"], step)
    step = np.where(agreement > 0, step * config["eta_plus"], shrunk)
    step = np.clip(step, config["step_min"], config["step_max"])
    grad = np.where(agreement < 0, np.zeros_like(dw), dw)
    return _done(w - np.sign(grad) * step, config, step=step, prev_grad=grad)


def polyak_heavy_ball(
    x: Float[Array, "*shape"],
    x_prev: Float[Array, "*shape"],
    grad: Float[Array, "*shape"],
    alpha: Scalar,
    beta: Scalar,
) -> Float[Array, "*shape"]:
    """Return the next point of the heavy-ball method, x − α·grad + β·(x − x_prev).

    Args:
        x: the current point, any shape, float32 or float64.
        x_prev: the point before it (equal to ``x`` at the first step).
        grad: gradient of the objective at ``x``.
        alpha: step size α.
        beta: momentum β, usually in [0, 1).

    Raises:
        ValueError: if the three arrays differ in shape.

    Source: Polyak 1964, eq. (9).
    """
    _same_shape(x, x_prev, "x and x_prev")
    _same_shape(x, grad, "x and grad")
    return np.asarray(x - float(alpha) * grad + float(beta) * (x - x_prev))


def _adam_defaults(w: Array) -> Config:
    return {
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "m": np.zeros_like(w),
        "v": np.zeros_like(w),
        "t": 0,
    }


def _adam_moments(dw: Array, config: Config) -> tuple[Array, Array, Array, Array, int]:
    """Return m, v, m̂, v̂ and t after seeing ``dw``."""
    beta1, beta2 = config["beta1"], config["beta2"]
    t = config["t"] + 1
    m = beta1 * config["m"] + (1 - beta1) * dw
    v = beta2 * config["v"] + (1 - beta2) * dw**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return m, v, m_hat, v_hat, t


def _complete(config: Config | None, w: Array, dw: Array, **defaults: Any) -> Config:
    """Return a new config with every missing key at its default."""
    _same_shape(w, dw, "w and dw")
    completed = defaults | (config or {})
    return {
        # A NumPy float64, say from a schedule, would promote float32 parameters to float64.
        key: np.asarray(value).item()
        if isinstance(defaults.get(key), int | float) and np.ndim(value) == 0
        else value
        for key, value in completed.items()
    }


def _done(next_w: Array, config: Config, **state: Any) -> tuple[Array, Config]:
    """Return the new parameters and the config with the new state.

    NumPy turns arrays without axes into scalars as it computes; here they become arrays again.
    """
    arrays = {key: np.asarray(value) if key != "t" else value for key, value in state.items()}
    return np.asarray(next_w), config | arrays


def _same_shape(a: Array, b: Array, names: str) -> None:
    if np.shape(a) != np.shape(b):
        raise ValueError(
            f"{names} must have the same shape, but they are {np.shape(a)} and {np.shape(b)}: "
            "a gradient has exactly the shape of what it is the gradient of."
        )
