"""A deep ReLU network with hinge loss and L2, and its gradient: where gradient checkers stumble."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

SIZES = (20, 40, 40, 40, 30, 10)


@dataclass
class Net:
    """Parameters W0, b0, W1, …, a batch, and how strongly the weights are penalised."""

    params: dict[str, np.ndarray]
    X: np.ndarray
    y: np.ndarray
    reg: float

    @property
    def depth(self) -> int:
        return len(self.params) // 2


def make_net(seed: int, sizes: tuple[int, ...] = SIZES, batch: int = 12, reg: float = 1e-2) -> Net:
    """Kaiming weights, small biases, standard-normal data; 5,660 parameters by default."""
    rng = np.random.default_rng(seed)
    params = {}
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        params[f"W{i}"] = rng.standard_normal((fan_in, fan_out)) * np.sqrt(2 / fan_in)
        params[f"b{i}"] = 0.1 * rng.standard_normal(fan_out)
    X = rng.standard_normal((batch, sizes[0]))
    return Net(params, X, rng.integers(0, sizes[-1], batch), reg)


def loss(net: Net, params: dict[str, np.ndarray]) -> float:
    """Mean multiclass hinge loss plus ½·reg·‖W‖² over the weights."""
    h = net.X
    for i in range(net.depth):
        h = h @ params[f"W{i}"] + params[f"b{i}"]
        if i < net.depth - 1:
            h = np.maximum(0, h)
    rows = np.arange(len(net.y))
    margins = np.maximum(0, h - h[rows, net.y][:, None] + 1)
    margins[rows, net.y] = 0
    data = margins.sum() / len(net.y)
    return data + sum(0.5 * net.reg * (params[f"W{i}"] ** 2).sum() for i in range(net.depth))


def gradient(net: Net) -> dict[str, np.ndarray]:
    """Of ``loss`` for every parameter, by back-propagation."""
    activations = [net.X]
    for i in range(net.depth):
        h = activations[-1] @ net.params[f"W{i}"] + net.params[f"b{i}"]
        activations.append(np.maximum(0, h) if i < net.depth - 1 else h)
    rows = np.arange(len(net.y))
    scores = activations[-1]
    d = (scores - scores[rows, net.y][:, None] + 1 > 0).astype(np.float64)
    d[rows, net.y] = 0
    d[rows, net.y] = -d.sum(axis=1)
    d /= len(net.y)
    grads = {}
    for i in reversed(range(net.depth)):
        grads[f"W{i}"] = activations[i].T @ d + net.reg * net.params[f"W{i}"]
        grads[f"b{i}"] = d.sum(axis=0)
        d = (d @ net.params[f"W{i}"].T) * (activations[i] > 0)
    return {name: grads[name] for name in net.params}


def flatten(params: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([value.ravel() for value in params.values()])


def unflatten(net: Net, flat: np.ndarray) -> dict[str, np.ndarray]:
    parts, start = {}, 0
    for name, value in net.params.items():
        parts[name] = flat[start : start + value.size].reshape(value.shape)
        start += value.size
    return parts
