"""Computation graphs by hand: values flow forward, gradients flow back.

The examples are those of the lecture on backpropagation. Each computes its graph node by node and
then walks the same nodes in reverse; ``df``, ``dq``, … stand for the gradient of the output f with
respect to f, q, ….
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array, Scalar, as_float


def product_graph(x: Scalar, y: Scalar, z: Scalar) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """f = (x + y)·z and its gradient: returns (f, df/dx, df/dy, df/dz), four numbers.

    Source: the first example of the lecture on backpropagation.

    >>> [float(number) for number in product_graph(-2.0, 5.0, -4.0)]
    [-12.0, -4.0, -4.0, 3.0]
    """
    x, y, z = as_float(x), as_float(y), as_float(z)
    q = x + y
    f = q * z

    df = np.ones_like(f)
    dq = z * df
    dz = q * df
    dx = 1 * dq
    dy = 1 * dq
    return f, dx, dy, dz


def sigmoid_neuron(
    w: Float[Array, "3"], x: Float[Array, "2"]
) -> tuple[Scalar, Float[Array, "3"], Float[Array, "2"]]:
    """f = σ(w0·x0 + w1·x1 + w2), a neuron with two inputs: returns (f, dw, dx).

    Source: the second example of the lecture on backpropagation.

    >>> f, dw, dx = sigmoid_neuron(np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0]))
    >>> round(float(f), 2), dw.round(2), dx.round(2)
    (0.73, array([-0.2 , -0.39,  0.2 ]), array([ 0.39, -0.59]))
    """
    w, x = as_float(w), as_float(x)
    dot = w[0] * x[0] + w[1] * x[1] + w[2]
    f = _sigmoid(dot)

    ddot = f * (1 - f)
    dw = np.array([x[0] * ddot, x[1] * ddot, ddot])
    dx = np.array([w[0] * ddot, w[1] * ddot])
    return f, dw, dx


class AddGate:
    """z = x + y: distributes the gradient. Arrays of equal shape."""

    def forward(self, x: Float[Array, "*dims"], y: Float[Array, "*dims"]) -> Float[Array, "*dims"]:
        return as_float(x) + as_float(y)

    def backward(
        self, dz: Float[Array, "*dims"]
    ) -> tuple[Float[Array, "*dims"], Float[Array, "*dims"]]:
        # Copies: whoever adds to dx in place must not change dy.
        return as_float(dz).copy(), as_float(dz).copy()


class MultiplyGate:
    """z = x·y, elementwise: the gradient of each input is scaled by the other input."""

    def forward(self, x: Float[Array, "*dims"], y: Float[Array, "*dims"]) -> Float[Array, "*dims"]:
        self.x, self.y = as_float(x), as_float(y)
        return self.x * self.y

    def backward(
        self, dz: Float[Array, "*dims"]
    ) -> tuple[Float[Array, "*dims"], Float[Array, "*dims"]]:
        dx = self.y * dz
        dy = self.x * dz
        return dx, dy


class MaxGate:
    """z = max(x, y), elementwise: routes the gradient to the larger input, to x on a tie."""

    def forward(self, x: Float[Array, "*dims"], y: Float[Array, "*dims"]) -> Float[Array, "*dims"]:
        x, y = as_float(x), as_float(y)
        self.x_wins = x >= y
        return np.maximum(x, y)

    def backward(
        self, dz: Float[Array, "*dims"]
    ) -> tuple[Float[Array, "*dims"], Float[Array, "*dims"]]:
        dz = as_float(dz)
        dx = np.where(self.x_wins, dz, 0)
        dy = np.where(self.x_wins, 0, dz)
        return dx, dy


class CopyGate:
    """One value used n times: the gradients that come back add."""

    def __init__(self, n: int = 2):
        """n: the number of copies, 1 or more (ValueError otherwise)."""
        if n < 1:
            raise ValueError(f"CopyGate needs at least one copy, not n = {n}")
        self.n = n

    def forward(self, x: Float[Array, "*dims"]) -> tuple[Float[Array, "*dims"], ...]:
        return tuple(as_float(x).copy() for _ in range(self.n))

    def backward(self, *dzs: Float[Array, "*dims"]) -> Float[Array, "*dims"]:
        """dx from one upstream gradient per copy (ValueError for fewer or more)."""
        if len(dzs) != self.n:
            raise ValueError(f"{self.n} copies need {self.n} upstream gradients, not {len(dzs)}")
        dx = as_float(dzs[0]).copy()
        for dz in dzs[1:]:
            dx = dx + dz
        return dx


def flat_backprop(x: Scalar, y: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """f = (x + σ(y)) / (σ(x) + (x + y)²) in straight-line code: returns (f, df/dx, df/dy).

    x and y are used several times each; the gradients that come back to them add.

    Source: the staged-computation example of the lecture notes on backpropagation.

    >>> [round(float(number), 3) for number in flat_backprop(3.0, -4.0)]
    [1.546, 2.06, 1.592]
    """
    x, y = as_float(x), as_float(y)
    sig_y = _sigmoid(y)
    numerator = x + sig_y
    sig_x = _sigmoid(x)
    x_plus_y = x + y
    square = x_plus_y**2
    denominator = sig_x + square
    inverse = 1 / denominator
    f = numerator * inverse

    dnumerator = inverse
    dinverse = numerator
    ddenominator = -(inverse**2) * dinverse
    dsig_x = ddenominator
    dsquare = ddenominator
    dx_plus_y = 2 * x_plus_y * dsquare
    dx = 1 * dx_plus_y
    dy = 1 * dx_plus_y
    dx = dx + (1 - sig_x) * sig_x * dsig_x
    dx = dx + dnumerator
    dsig_y = dnumerator
    dy = dy + (1 - sig_y) * sig_y * dsig_y
    return f, dx, dy


def elementwise_jacobian(
    f_prime: Callable[[np.ndarray], np.ndarray], x: Float[Array, "n"]
) -> Float[Array, "n n"]:
    """The Jacobian of a function that acts on each entry of x (n,) for itself, in full.

    Entry (i, j) is ∂f_i/∂x_j; ``f_prime`` is the derivative of the scalar function.

    >>> elementwise_jacobian(np.cos, np.zeros(2))
    array([[1., 0.],
           [0., 1.]])
    """
    x = as_float(x)
    slopes = np.asarray(f_prime(x), dtype=x.dtype)
    # A constant derivative may be written as one number.
    return np.diag(np.broadcast_to(slopes, x.shape))


def relu_vjp(x: Float[Array, "*dims"], dout: Float[Array, "*dims"]) -> Float[Array, "*dims"]:
    """dout times the Jacobian of ReLU at x, without forming the Jacobian; relu'(0) = 0.

    >>> relu_vjp(np.array([1.0, -2.0, 3.0, -1.0]), np.array([4.0, -1.0, 5.0, 9.0]))
    array([4., 0., 5., 0.])
    """
    return np.where(np.asarray(x) > 0, as_float(dout), 0)


def squared_norm_graph(
    W: Float[Array, "m n"], x: Float[Array, "n"]
) -> tuple[Scalar, Float[Array, "m n"], Float[Array, "n"]]:
    """f = ‖W·x‖² and its gradient: returns (f, dW, dx), dW (m, n) and dx (n,).

    Source: the vectorised example of the lecture on backpropagation.

    >>> W = np.array([[0.1, 0.5], [-0.3, 0.8]])
    >>> f, dW, dx = squared_norm_graph(W, np.array([0.2, 0.4]))
    >>> round(float(f), 3), dW.round(3).tolist(), dx.round(3).tolist()
    (0.116, [[0.088, 0.176], [0.104, 0.208]], [-0.112, 0.636])
    """
    W, x = as_float(W), as_float(x)
    q = W @ x
    f = q @ q

    dq = 2 * q
    dW = np.outer(dq, x)
    dx = W.T @ dq
    return f, dW, dx


def chain_rule(jacobians: Sequence[Float[Array, "_ _"]]) -> Float[Array, "_ _"]:
    """The Jacobian of a chain of functions, from the Jacobians of its links.

    The product is taken from the output's side, as reverse mode does: while the output is small,
    no large matrix ever meets a large matrix.

    Args:
        jacobians: from input to output, the i-th of shape (n_{i+1}, n_i), at least one.

    Returns:
        dx_k/dx_0, of shape (n_k, n_0).

    Raises:
        ValueError: for an empty list, or for neighbours that do not fit.
    """
    if not len(jacobians):
        raise ValueError("chain_rule needs at least one Jacobian")
    product = as_float(jacobians[-1]).copy()
    for jacobian in reversed(jacobians[:-1]):
        product = product @ jacobian
    return product


def _sigmoid(t):
    z = np.exp(-np.abs(t))  # of −|t|, which cannot overflow
    return np.where(t >= 0, 1, z) / (1 + z)
