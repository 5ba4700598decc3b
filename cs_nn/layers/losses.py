"""Loss functions: each returns the loss, one number, and its gradient for the first argument.

Scores and logits are (N, C), one row an example; labels are integers (N,) from 0 to C − 1.
"""

import numpy as np
from jaxtyping import Float, Int

from cs_nn.arrays import Array, Scalar, as_float


def softmax_loss(x: Float[Array, "N C"], y: Int[Array, "N"]) -> tuple[Scalar, Float[Array, "N C"]]:
    """Mean cross-entropy of the softmax of the logits x: L = −1/N · Σ log p[i, y_i].

    The largest logit of each row is subtracted first, which leaves the softmax as it is and lets
    no exponential overflow; the logarithm is taken of the sum, never of a p that may be 0.

    Args:
        x: logits (N, C).
        y: labels (N,).

    Returns:
        loss, and dx (N, C): the probabilities, less 1 at the label, over N.

    Raises:
        ValueError: if y is not one label between 0 and C − 1 for each row.

    Source: the lecture on loss functions; the gradient, the lecture on backpropagation.
    """
    x = as_float(x)
    _check_labels(y, *x.shape)
    rows = np.arange(len(x))
    log_p = _log_softmax(x)
    loss = -log_p[rows, y].mean()
    dx = np.exp(log_p)
    dx[rows, y] -= 1
    dx /= len(x)
    return loss, dx


def svm_loss(
    x: Float[Array, "N C"], y: Int[Array, "N"], delta: Scalar = 1.0
) -> tuple[Scalar, Float[Array, "N C"]]:
    """Mean multiclass hinge: L = 1/N · Σ_i Σ_{j ≠ y_i} max(0, x_ij − x_{i,y_i} + delta).

    Args:
        x: scores (N, C).
        y: labels (N,).
        delta: the margin asked for.

    Returns:
        loss, and dx (N, C): 1/N at each violated margin, and at the label minus their number/N.
        A margin of exactly 0 has no gradient.

    Raises:
        ValueError: if y is not one label between 0 and C − 1 for each row.

    Source: the lecture on loss functions (Weston and Watkins 1999).
    """
    x = as_float(x)
    _check_labels(y, *x.shape)
    rows = np.arange(len(x))
    margins = np.maximum(0, x - x[rows, y][:, None] + float(delta))
    margins[rows, y] = 0
    loss = margins.sum() / len(x)
    dx = (margins > 0).astype(x.dtype)
    dx[rows, y] -= dx.sum(axis=1)
    dx /= len(x)
    return loss, dx


def mse_loss(
    x: Float[Array, "*dims"], y: Float[Array, "*dims"]
) -> tuple[Scalar, Float[Array, "*dims"]]:
    """The squared error (x − y)², mean over all elements; returns (loss, dx).

    No factor ½: this is torch.nn.MSELoss. ValueError unless x and y have one shape.
    """
    difference = _difference(x, y)
    loss = np.mean(difference**2)
    dx = 2 * difference / difference.size
    return loss, dx


def l1_loss(
    x: Float[Array, "*dims"], y: Float[Array, "*dims"]
) -> tuple[Scalar, Float[Array, "*dims"]]:
    """The absolute error |x − y|, mean over all elements; returns (loss, dx).

    The slope of |·| at 0 is 0. ValueError unless x and y have one shape.
    """
    difference = _difference(x, y)
    loss = np.mean(np.abs(difference))
    dx = np.sign(difference) / difference.size
    return loss, dx


def bce_with_logits_loss(
    x: Float[Array, "*dims"], y: Float[Array, "*dims"]
) -> tuple[Scalar, Float[Array, "*dims"]]:
    """Binary cross-entropy of logits, mean over all elements; returns (loss, dx).

    An element costs −y·log σ(x) − (1 − y)·log(1 − σ(x)), rearranged to
    max(x, 0) − x·y + log(1 + e^(−|x|)), which no logit makes overflow.

    Args:
        x: logits, any shape.
        y: targets in [0, 1], of the same shape (ValueError otherwise).
    """
    x, y = as_float(x), as_float(y)
    _check_same_shape(x, y)
    z = np.exp(-np.abs(x))
    loss = np.mean(np.maximum(x, 0) - x * y + np.log1p(z))
    sigmoid = np.where(x >= 0, 1, z) / (1 + z)
    dx = (sigmoid - y) / x.size
    return loss, dx


def kl_div_loss(
    x: Float[Array, "N C"], p: Float[Array, "N C"]
) -> tuple[Scalar, Float[Array, "N C"]]:
    """KL(p ‖ softmax(x)), mean over the batch: L = 1/N · Σ p·(log p − log q), q = softmax(x).

    Args:
        x: logits (N, C).
        p: target distributions (N, C), one row an example; terms with p = 0 are 0.

    Returns:
        loss, and dx (N, C), the gradient for the logits.

    Source: Kullback and Leibler 1951; soft targets, Hinton, Vinyals and Dean 2015.
    """
    x, p = as_float(x), as_float(p)
    _check_same_shape(x, p)
    log_q = _log_softmax(x)
    log_p = np.log(np.where(p > 0, p, 1))
    loss = np.sum(p * (log_p - log_q)) / len(x)
    # Rows of p sum to 1 up to rounding; keeping their sum makes dx the gradient for any p.
    dx = (p.sum(axis=1, keepdims=True) * np.exp(log_q) - p) / len(x)
    return loss, dx


def smooth_labels(y: Int[Array, "N"], classes: int, eps: Scalar) -> Float[Array, "N m"]:
    """Softened one-hot targets: with m classes, the label gets 1 − (m − 1)·eps, the others eps.

    Args:
        y: labels (N,).
        classes: m, the number of classes.
        eps: what each wrong class gets.

    Returns:
        float64 (N, m); every row sums to 1.

    Raises:
        ValueError: if a label does not lie between 0 and m − 1.

    Source: the lecture on loss functions (Szegedy et al. 2016, section 7, spreads eps otherwise).

    >>> smooth_labels(np.array([2]), 4, 0.1)
    array([[0.1, 0.1, 0.7, 0.1]])
    """
    y = np.asarray(y)
    _check_labels(y, len(y), classes)
    targets = np.full((len(y), classes), eps, dtype=np.float64)
    targets[np.arange(len(y)), y] = 1 - (classes - 1) * eps
    return targets


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _difference(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = as_float(x), as_float(y)
    _check_same_shape(x, y)
    return x - y


def _check_same_shape(x: np.ndarray, y: np.ndarray) -> None:
    if x.shape != y.shape:
        raise ValueError(f"shapes {x.shape} and {y.shape} differ: reshape one like the other")


def _check_labels(y: np.ndarray, n: int, classes: int) -> None:
    if np.shape(y) != (n,):
        raise ValueError(f"labels have shape {np.shape(y)}: give one label a row, shape ({n},)")
    if n and (np.min(y) < 0 or np.max(y) >= classes):
        raise ValueError(
            f"labels run from {np.min(y)} to {np.max(y)}: with {classes} classes "
            f"they must lie between 0 and {classes - 1}"
        )
