"""A small convolutional network, put together from layers."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from cs_nn.arrays import Array, Scalar
from cs_nn.layers.activations import relu_backward, relu_forward
from cs_nn.layers.affine import affine_backward, affine_forward
from cs_nn.layers.convolution import conv_backward_fast, conv_forward_fast
from cs_nn.layers.losses import softmax_loss
from cs_nn.layers.pooling import max_pool_backward_fast, max_pool_forward_fast


class ConvNet:
    """conv – relu – 2×2 max pool – affine – relu – affine – softmax.

    Weights start as small Gaussian numbers and biases at zero. The convolution pads so that it
    keeps the size of the image.

    Args:
        input_dim: (C, H, W) of one image, H and W at least 2.
        num_filters: filters of the convolution.
        filter_size: height and width of the filters, an odd number of pixels.
        hidden_dim: units of the hidden affine layer.
        num_classes: number of classes.
        weight_scale: standard deviation of the initial weights.
        reg: strength of the weight penalty ½·reg·‖W‖² (W1, W2, W3; not the biases).
        rng: source of the initial weights; a fresh one where it is None.

    Attributes:
        params: W1 (F, C, HH, WW), b1 (F,), W2 (F·⌊H/2⌋·⌊W/2⌋, hidden), b2, W3 (hidden, classes),
            b3; float64. Cast them all to float32 to train in float32.

    Raises:
        ValueError: if ``filter_size`` is even.

    Source: LeCun et al. 1998, reduced to one convolution; CS231n, assignment 2.
    """

    def __init__(
        self,
        input_dim: tuple[int, int, int] = (1, 8, 8),
        num_filters: int = 32,
        filter_size: int = 3,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: Scalar = 1e-3,
        reg: Scalar = 0.0,
        rng: np.random.Generator | None = None,
    ) -> None:
        if filter_size % 2 == 0:
            raise ValueError(
                f"filter_size is {filter_size}, but only an odd one can keep the size of the image."
            )
        rng = np.random.default_rng() if rng is None else rng
        C, H, W = input_dim
        pooled = num_filters * (H // 2) * (W // 2)
        self.reg = reg
        self.params = {
            "W1": weight_scale * rng.standard_normal((num_filters, C, filter_size, filter_size)),
            "b1": np.zeros(num_filters),
            "W2": weight_scale * rng.standard_normal((pooled, hidden_dim)),
            "b2": np.zeros(hidden_dim),
            "W3": weight_scale * rng.standard_normal((hidden_dim, num_classes)),
            "b3": np.zeros(num_classes),
        }

    def loss(self, X: Float[Array, "N C H W"], y: Int[Array, "N"] | None = None) -> Any:
        """Return the scores of the images, or with labels the loss and its gradients.

        Args:
            X: images, (N, C, H, W).
            y: labels 0 … classes − 1, (N,), or None.

        Returns:
            Scores (N, classes) where ``y`` is None; else the mean cross-entropy plus the weight
            penalty, and a dictionary with the gradient of each parameter.
        """
        W1, W2, W3 = self.params["W1"], self.params["W2"], self.params["W3"]
        conv_param = {"stride": 1, "pad": (W1.shape[2] - 1) // 2}
        pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}

        out, conv_cache = conv_forward_fast(X, W1, self.params["b1"], conv_param)
        out, relu1_cache = relu_forward(out)
        out, pool_cache = max_pool_forward_fast(out, pool_param)
        out, affine1_cache = affine_forward(out, W2, self.params["b2"])
        out, relu2_cache = relu_forward(out)
        scores, affine2_cache = affine_forward(out, W3, self.params["b3"])
        if y is None:
            return scores

        data_loss, dscores = softmax_loss(scores, y)
        penalty = 0.5 * self.reg * sum(float(np.sum(W**2)) for W in (W1, W2, W3))

        dout, dW3, db3 = affine_backward(dscores, affine2_cache)
        dout = relu_backward(dout, relu2_cache)
        dout, dW2, db2 = affine_backward(dout, affine1_cache)
        dout = max_pool_backward_fast(dout, pool_cache)
        dout = relu_backward(dout, relu1_cache)
        _, dW1, db1 = conv_backward_fast(dout, conv_cache)
        grads = {
            "W1": dW1 + self.reg * W1,
            "b1": db1,
            "W2": dW2 + self.reg * W2,
            "b2": db2,
            "W3": dW3 + self.reg * W3,
            "b3": db3,
        }
        return float(data_loss) + penalty, grads
