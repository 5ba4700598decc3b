"""Layers as objects, and a network built from them.

A layer knows how to go forward, how to go back, and how to improve itself; a network need not know
what its layers compute.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from cs_nn.arrays import Array, Scalar
from cs_nn.layers.activations import relu_backward, relu_forward
from cs_nn.layers.affine import affine_backward, affine_forward
from cs_nn.layers.losses import softmax_loss


class Linear:
    """A fully connected layer with weights w (fan_in, fan_out) and biases b (fan_out,).

    After ``backward`` it holds the gradients dw and db, in the same shapes.
    """

    def __init__(self, fan_in: int, fan_out: int, rng: np.random.Generator):
        """Weights are normal with variance 2/fan_in, which suits a ReLU behind; biases zero."""
        self.w = rng.normal(0, np.sqrt(2 / fan_in), size=(fan_in, fan_out))
        self.b = np.zeros(fan_out)
        self.dw = np.zeros_like(self.w)
        self.db = np.zeros_like(self.b)

    def forward(self, x: Float[Array, "N *dims"]) -> Float[Array, "N M"]:
        out, self.cache = affine_forward(x, self.w, self.b)
        return out

    def backward(self, dout: Float[Array, "N M"]) -> Float[Array, "N *dims"]:
        dx, self.dw, self.db = affine_backward(dout, self.cache)
        return dx

    def update(self, learning_rate: Scalar) -> None:
        # New arrays: whoever kept the old weights, to compare or to go back, keeps them unchanged.
        self.w = self.w - float(learning_rate) * self.dw
        self.b = self.b - float(learning_rate) * self.db


class ReLU:
    """The rectifier as a layer; it has nothing to learn."""

    def forward(self, x: Float[Array, "*dims"]) -> Float[Array, "*dims"]:
        out, self.cache = relu_forward(x)
        return out

    def backward(self, dout: Float[Array, "*dims"]) -> Float[Array, "*dims"]:
        return relu_backward(dout, self.cache)

    def update(self, learning_rate: Scalar) -> None:
        """Does nothing, so that a network can treat all its layers alike."""


class Sequential:
    """Layers in a row; itself a layer, so that a network can be part of another.

    ``layers`` are objects with ``forward``, ``backward`` and ``update``, from input to output.
    """

    def __init__(self, layers: Sequence[Any]):
        self.layers = list(layers)

    def forward(self, x: Float[Array, "N *dims"]) -> Float[Array, "N *out"]:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout: Float[Array, "N *out"]) -> Float[Array, "N *dims"]:
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout

    def update(self, learning_rate: Scalar) -> None:
        for layer in self.layers:
            layer.update(learning_rate)


class TwoLayerNet:
    """affine – ReLU – affine – softmax, with L2 regularisation of the weights.

    ``params`` holds W1 (input_dim, hidden_dim), b1 (hidden_dim,), W2 (hidden_dim, num_classes) and
    b2 (num_classes,); change them there.
    """

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int,
        num_classes: int,
        weight_scale: Scalar = 1e-3,
        reg: Scalar = 0.0,
        rng: np.random.Generator | None = None,
    ):
        """
        Args:
            input_dim: numbers in an example.
            hidden_dim: units of the hidden layer.
            num_classes: scores to give.
            weight_scale: standard deviation of the normal weights; biases start at zero.
            reg: strength of the penalty ½·reg·‖W‖².
            rng: where the weights are drawn from; None for fresh weights at every call.
        """
        rng = np.random.default_rng() if rng is None else rng
        self.reg = float(reg)
        self.params = {
            "W1": rng.normal(0, weight_scale, size=(input_dim, hidden_dim)),
            "b1": np.zeros(hidden_dim),
            "W2": rng.normal(0, weight_scale, size=(hidden_dim, num_classes)),
            "b2": np.zeros(num_classes),
        }

    def loss(self, X: Float[Array, "N *dims"], y: Int[Array, "N"] | None = None) -> Any:
        """Scores (N, C) without labels; with labels (N,), the loss and its gradients.

        Returns:
            The scores, or (loss, grads): the mean softmax loss plus ½·reg·‖W‖² over W1 and W2, and
            a dict with one gradient for each key of ``params``, in its shape.
        """
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        hidden, affine1 = affine_forward(X, W1, b1)
        active, relu = relu_forward(hidden)
        scores, affine2 = affine_forward(active, W2, b2)
        if y is None:
            return scores

        data_loss, dscores = softmax_loss(scores, y)
        loss = data_loss + 0.5 * self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))

        dactive, dW2, db2 = affine_backward(dscores, affine2)
        dhidden = relu_backward(dactive, relu)
        _, dW1, db1 = affine_backward(dhidden, affine1)
        return loss, {"W1": dW1 + self.reg * W1, "b1": db1, "W2": dW2 + self.reg * W2, "b2": db2}


def train_step(
    net: Any,
    X: Float[Array, "N *dims"],
    y: Int[Array, "N"],
    learning_rate: Scalar,
    batch_size: int,
    rng: np.random.Generator,
) -> Any:
    """One iteration of mini-batch gradient descent; changes ``net.params``.

    Args:
        net: has ``params`` and ``loss(X, y) -> (loss, grads)``, as ``TwoLayerNet``.
        X: all training examples (N, …); y: their labels (N,).
        learning_rate: step along the negative gradient.
        batch_size: examples drawn for this step, without replacement.
        rng: where they are drawn from.

    Returns:
        The loss of the mini-batch before the update.

    Raises:
        ValueError: if ``batch_size`` is larger than the number of examples.
    """
    if not 1 <= batch_size <= len(X):
        raise ValueError(f"batch_size {batch_size} must lie between 1 and {len(X)}, the examples")
    batch = rng.choice(len(X), size=batch_size, replace=False)
    loss, grads = net.loss(X[batch], y[batch])
    for name, gradient in grads.items():
        net.params[name] = net.params[name] - float(learning_rate) * gradient
    return loss
