"""A vectorised graph: the squared norm of a matrix times a vector."""

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.graph import squared_norm_graph


def cases(rng):
    def case(m, n, check="", tags=(), dtype: type = np.float64, change=None):
        args = {"W": numbers(rng, m, n), "x": numbers(rng, n)}
        if change:
            args = change(args)
        words = f"W of shape ({m}, {n})"
        return Case(words, as_dtype(args, dtype), check, frozenset(tags))

    lecture = {"W": np.array([[0.1, 0.5], [-0.3, 0.8]]), "x": np.array([0.2, 0.4])}
    whole = {"W": np.array([[1, -2, 3], [0, 4, -1]]), "x": np.array([0.3, -1.4, 1.7])}
    return [
        case(4, 3, tags=[CONDUCT]),
        case(2, 5),
        case(6, 4),
        Case("the numbers of the lecture", lecture, tags=frozenset({"square"})),
        case(3, 3, tags=["square"]),
        case(1, 4, "a single row"),
        case(4, 1, "a single column"),
        case(3, 5, "non-contiguous", change=strided),
        case(4, 3, "float32", dtype=np.float32),
        Case("integers W", whole, "integer inputs", frozenset({"any float", "may refuse"})),
    ]


def answer(change):
    """The right answer with something changed; ``change(q, W, x)`` says what."""

    def wrong(W, x):
        q = W @ x
        parts = {"f": q @ q, "dW": np.outer(2 * q, x), "dx": W.T @ (2 * q)}
        parts |= change(q, W, x)
        return parts["f"], parts["dW"], parts["dx"]

    return wrong


def in_the_wrong_order(W, x):
    f, dW, dx = squared_norm_graph(W, x)
    return f, dx, dW


def inputs_changed(W, x):
    result = squared_norm_graph(W.copy(), x.copy())
    x *= 2
    return result


def by_loops(W, x):
    m, n = W.shape
    kind = W.dtype if W.dtype.kind == "f" else float
    q, dW, dx = np.zeros(m, kind), np.zeros((m, n), kind), np.zeros(n, kind)
    for i in range(m):
        for j in range(n):
            q[i] += W[i, j] * x[j]
    for i in range(m):
        for j in range(n):
            dW[i, j] = 2 * q[i] * x[j]
            dx[j] += 2 * q[i] * W[i, j]
    return float((q * q).sum()), dW, dx


def by_columns(W, x):
    q = W.dot(x[:, None])
    dq = 2.0 * q
    return (
        np.linalg.norm(q) ** 2,
        dq.astype(q.dtype if q.dtype.kind == "f" else float).dot(x[None, :]),
        W.T.dot(dq).ravel(),
    )


def by_einsum(W, x):
    q = np.einsum("ij,j->i", W, x)
    return [np.sum(q**2), 2 * q[:, np.newaxis] * x, 2 * q @ W]


EXERCISES = (
    Exercise(
        name="squared_norm_graph",
        kind=Function(("f", "dW", "dx")),
        reference={"squared_norm_graph": squared_norm_graph},
        cases=cases,
        misconceptions=(
            Misconception(
                "two-forgotten",
                answer(lambda q, W, x: {"dW": np.outer(q, x), "dx": W.T @ q}),
                "Both gradients are half of what they should be: what is the derivative of q² ?",
                "dW",
                0.4,
            ),
            Misconception(
                "two-forgotten-in-dw",
                answer(lambda q, W, x: {"dW": np.outer(q, x)}),
                "dW lacks the 2 of the square.",
                "dW",
                0.3,
            ),
            Misconception(
                "two-forgotten-in-dx",
                answer(lambda q, W, x: {"dx": W.T @ q}),
                "dx lacks the 2 of the square.",
                "dx",
                0.3,
            ),
            Misconception(
                "outer-product-transposed",
                answer(lambda q, W, x: {"dW": np.outer(x, 2 * q)}),
                "dW is transposed. It has the shape of W: rows belong to q, columns to x.",
                "dW",
                0.4,
            ),
            Misconception(
                "transpose-forgotten-in-dx",
                answer(
                    lambda q, W, x: {
                        "dx": W @ (2 * q) if W.shape[0] == W.shape[1] else (W @ W.T @ (2 * q))
                    }
                ),
                "In dx the matrix should carry m numbers back to n: the other way round than "
                "forward.",
                "dx",
                0.4,
            ),
            Misconception(
                "matrix-forgotten-in-dx",
                answer(
                    lambda q, W, x: {"dx": 2 * q if len(q) == len(x) else np.resize(2 * q, len(x))}
                ),
                "dx is the gradient of q, not that of x: it still has to go back through W.",
                "dx",
                0.4,
            ),
            Misconception(
                "input-for-q",
                answer(lambda q, W, x: {"dW": np.outer(2 * q, x) * 0 + 2 * W * x * x}),
                "In dW each row knows only its own entry: W∘x². The gradient of q is 2q, which "
                "holds the whole row.",
                "dW",
                0.4,
            ),
            Misconception(
                "norm-not-squared",
                answer(lambda q, W, x: {"f": np.sqrt(q @ q)}),
                "f is the norm; asked for is its square.",
                "f",
                0.3,
            ),
            Misconception(
                "half-in-front",
                answer(lambda q, W, x: {"f": 0.5 * (q @ q), "dW": np.outer(q, x), "dx": W.T @ q}),
                "There is a ½ in front of your square; the exercise has none.",
                "f",
                0.4,
            ),
            Misconception(
                "mean-for-sum",
                answer(lambda q, W, x: {"f": np.mean(q * q)}),
                "f is the mean of the squares; the squared norm is their sum.",
                "f",
                0.3,
            ),
            Misconception(
                "gradients-in-the-wrong-order",
                in_the_wrong_order,
                "Gradients are returned in the order of the arguments: W, then x.",
                "dW",
                0.3,
            ),
            Misconception(
                "inputs-changed",
                inputs_changed,
                "x itself is changed; it belongs to the caller.",
                "conduct",
            ),
            Misconception(
                "sum-before-the-square",
                lambda W, x: (np.sum(W @ x) ** 2, *squared_norm_graph(W, x)[1:]),
                "f is the square of the sum of q. Square first, entry by entry, then add.",
                "f",
                0.4,
            ),
        ),
        variants=(by_loops, by_columns, by_einsum),
    ),
)
