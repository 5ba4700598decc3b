"""A hundred steps of every optimiser that PyTorch has too, with gradients that change sign."""

import numpy as np

from cs_nn.optim import first_order
from tests.against_torch import Case

STEPS = 100


def walk(rng):
    """Parameters, and a gradient for each step, tiny and huge ones among them."""
    w = rng.standard_normal((4, 3))
    scale = 10.0 ** rng.uniform(-3, 1, size=(4, 3))
    return [w, scale * (rng.standard_normal((STEPS, 4, 3)) + 0.3)]


def case(update, torch_name, config, torch_options, dtype=np.float64, tolerance=1e-9):
    def ours(w, grads):
        state = dict(config)
        for dw in grads:
            w, state = update(w, dw, state)
        return {"w": w}

    def theirs(torch, w, grads):
        parameter = torch.nn.Parameter(w.detach().clone())
        optimizer = getattr(torch.optim, torch_name)([parameter], **torch_options)
        for dw in grads.detach():
            parameter.grad = dw.clone()
            optimizer.step()
        return {"w": parameter}

    settings = ",".join(f"{key}={value}" for key, value in config.items()) or "defaults"
    name = f"{update.__name__}-{settings}-{np.dtype(dtype).name}"
    return Case(name, lambda rng: [a.astype(dtype) for a in walk(rng)], ours, theirs, tolerance)


o = first_order
CASES = [
    case(o.sgd, "SGD", {}, {"lr": 1e-2}),
    case(o.sgd_momentum, "SGD", {}, {"lr": 1e-2, "momentum": 0.9}),
    case(o.nesterov, "SGD", {}, {"lr": 1e-2, "momentum": 0.9, "nesterov": True}),
    case(
        o.nesterov,
        "SGD",
        {"learning_rate": 0.003, "momentum": 0.7},
        {"lr": 0.003, "momentum": 0.7, "nesterov": True},
    ),
    case(o.adagrad, "Adagrad", {}, {"lr": 1e-2, "eps": 1e-8}),
    case(o.rmsprop, "RMSprop", {}, {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8}),
    case(
        o.rmsprop,
        "RMSprop",
        {"decay_rate": 0.8, "epsilon": 1e-3},
        {"lr": 1e-2, "alpha": 0.8, "eps": 1e-3},
    ),
    case(o.adam, "Adam", {}, {"lr": 1e-3}),
    case(o.adam, "Adam", {}, {"lr": 1e-3}, np.float32, 1e-5),
    case(
        o.adam,
        "Adam",
        {"learning_rate": 0.05, "beta1": 0.6, "beta2": 0.9, "epsilon": 1e-2},
        {"lr": 0.05, "betas": (0.6, 0.9), "eps": 1e-2},
    ),
    case(o.adamw, "AdamW", {}, {"lr": 1e-3, "weight_decay": 1e-2}),
    case(
        o.adamw,
        "AdamW",
        {"learning_rate": 0.05, "weight_decay": 0.3},
        {"lr": 0.05, "weight_decay": 0.3},
    ),
    # PyTorch adds epsilon inside the maximum; at 1e-12 the two places cannot be told apart.
    case(o.adamax, "Adamax", {"epsilon": 1e-12}, {"lr": 2e-3, "eps": 1e-12}),
    case(o.rprop, "Rprop", {}, {"lr": 1e-2}),
    case(
        o.rprop,
        "Rprop",
        {"eta_plus": 1.5, "eta_minus": 0.3, "step_min": 0.004, "step_max": 0.02},
        {"lr": 1e-2, "etas": (0.3, 1.5), "step_sizes": (0.004, 0.02)},
    ),
]
