"""Second-order methods: what curvature knows that the slope does not.

Newton's method uses the Hessian, BFGS learns its inverse from successive gradients, and L-BFGS
keeps only the last few pairs of steps. A backtracking line search makes each of them safe. All of
them want exact gradients of one fixed function: full batches, not mini-batches.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from cs_nn.arrays import Array, Scalar


def newton_step(gradient: Float[Array, "n"], hessian: Float[Array, "n n"]) -> Float[Array, "n"]:
    """Return the Newton step −H⁻¹g, to be added to x; the system is solved, never inverted.

    Args:
        gradient: g, shape (n,).
        hessian: H, shape (n, n). Where it is not positive definite the step may lead uphill or
            to a saddle point.

    Raises:
        numpy.linalg.LinAlgError: if the Hessian is singular.

    Source: Nocedal and Wright 2006, eq. (2.15).
    """
    try:
        return -np.linalg.solve(hessian, gradient)
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(
            "The Hessian is singular, so there is no Newton step: add a small multiple of the "
            "identity to it (damping)."
        ) from error


def bfgs_update(
    h_inv: Float[Array, "n n"], s: Float[Array, "n"], y: Float[Array, "n"]
) -> Float[Array, "n n"]:
    """Return the BFGS update of an inverse Hessian, (I − ρsyᵀ)·H⁻¹·(I − ρysᵀ) + ρssᵀ.

    ρ = 1/(sᵀy). Where sᵀy ≤ 1e-10 the pair shows no positive curvature and the result is an
    unchanged copy, so the matrix stays positive definite.

    Args:
        h_inv: current estimate of the inverse Hessian, (n, n), symmetric positive definite.
        s: the step taken, x_new − x, (n,).
        y: the change of the gradient, g_new − g, (n,).

    Source: Nocedal and Wright 2006, eq. (6.17).
    """
    curvature = s @ y
    if curvature <= 1e-10:
        return h_inv.copy()
    rho = 1 / curvature
    left = np.eye(len(s), dtype=h_inv.dtype) - rho * np.outer(s, y)
    return left @ h_inv @ left.T + rho * np.outer(s, s)


def lbfgs_direction(
    gradient: Float[Array, "n"],
    s_list: Sequence[Float[Array, "n"]],
    y_list: Sequence[Float[Array, "n"]],
) -> Float[Array, "n"]:
    """Return the L-BFGS direction −H⁻¹g by the two-loop recursion; −g where there are no pairs.

    The recursion starts from the identity scaled by sᵀy/yᵀy of the newest pair, and never forms a
    matrix.

    Args:
        gradient: g at the current point, (n,).
        s_list: the last steps x_new − x, oldest first, each (n,).
        y_list: the changes of the gradient that belong to them, each (n,), with sᵀy > 0.

    Raises:
        ValueError: if the lists differ in length or a pair has sᵀy = 0.

    Source: Nocedal and Wright 2006, Algorithm 7.4 and eq. (7.20).
    """
    if len(s_list) != len(y_list):
        raise ValueError(
            f"There are {len(s_list)} steps but {len(y_list)} gradient changes: each step needs "
            "the change of the gradient that belongs to it."
        )
    pairs = list(zip(s_list, y_list, strict=True))
    if any(s @ y == 0 for s, y in pairs):
        raise ValueError("A pair has sᵀy = 0 and says nothing of the curvature: leave it out.")

    q = gradient.copy()
    alphas = []
    for s, y in reversed(pairs):
        alpha = (s @ q) / (s @ y)
        q = q - alpha * y
        alphas.append(alpha)

    if pairs:
        s, y = pairs[-1]
        q = q * ((s @ y) / (y @ y))

    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        beta = (y @ q) / (s @ y)
        q = q + (alpha - beta) * s
    return -q


def backtracking_line_search(
    f: Callable[[Array], float],
    x: Float[Array, "*shape"],
    direction: Float[Array, "*shape"],
    gradient: Float[Array, "*shape"],
    t: Scalar = 1.0,
    c: Scalar = 1e-4,
    shrink: Scalar = 0.5,
) -> float:
    """Return the first step length t·shrinkᵏ, k = 0, 1, …, that satisfies Armijo's condition.

    f(x + t·d) ≤ f(x) + c·t·gᵀd. A step where ``f`` is NaN or infinite is shortened like any other
    bad step.

    Args:
        f: the objective, array in, number out.
        x: the current point, any shape.
        direction: d, a descent direction, shape of ``x``.
        gradient: g, the gradient of ``f`` at ``x``, shape of ``x``.
        t: first step length that is tried, more than 0.
        c: share of the decrease predicted by the slope that is asked for, in (0, 1).
        shrink: factor between two trials, in (0, 1).

    Raises:
        ValueError: if ``direction`` leads uphill, if ``t``, ``c`` or ``shrink`` is out of range,
            or if no step that still changes ``x`` satisfies the condition.

    Source: Armijo 1966; Nocedal and Wright 2006, Algorithm 3.1.
    """
    if not (t > 0 and 0 < c < 1 and 0 < shrink < 1):
        raise ValueError("The line search needs t > 0, and c and shrink between 0 and 1.")
    slope = float(np.sum(gradient * direction))
    if slope > 0:
        raise ValueError(
            f"The direction leads uphill (its slope is {slope:.3g}): step along a descent "
            "direction, such as minus the gradient."
        )
    f_x = float(f(x))
    while not f(x + t * direction) <= f_x + c * t * slope:
        t = t * shrink
        if np.array_equal(x + t * direction, x):
            raise ValueError(
                "No step along the direction lowers f enough: check the gradient, and that f is "
                "finite at x."
            )
    return float(t)


def optimal_step_quadratic(A: Float[Array, "n n"]) -> float:
    """Return the best constant step 2/(λ_min + λ_max) of gradient descent on ½xᵀAx − bᵀx.

    Args:
        A: symmetric positive definite matrix, (n, n).

    Raises:
        ValueError: if ``A`` is not symmetric positive definite.

    Source: Nesterov 2004, Theorem 2.1.15.
    """
    smallest, largest = _extreme_eigenvalues(A)
    return 2 / (smallest + largest)


def condition_number(A: Float[Array, "n n"]) -> float:
    """Return λ_max/λ_min, 1 for a round bowl and large for a narrow valley.

    Args:
        A: symmetric positive definite matrix, (n, n).

    Raises:
        ValueError: if ``A`` is not symmetric positive definite.

    Source: Nocedal and Wright 2006, section 3.3.
    """
    smallest, largest = _extreme_eigenvalues(A)
    return largest / smallest


def _extreme_eigenvalues(A: Array) -> tuple[float, float]:
    # Rounding makes A.T slightly different from A where A was computed, say as X.T @ X.
    tolerance = 1e3 * np.finfo(np.result_type(A, np.float32)).eps * np.max(np.abs(A))
    if A.ndim != 2 or A.shape[0] != A.shape[1] or np.max(np.abs(A - A.T)) > tolerance:
        raise ValueError("A must be a symmetric matrix; for a general one use ½(A + Aᵀ).")
    eigenvalues = np.linalg.eigvalsh(A)
    smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
    if smallest <= 0:
        raise ValueError(
            f"A must be positive definite, but its smallest eigenvalue is {smallest:.3g}: "
            "the quadratic has no minimum to descend to."
        )
    return smallest, largest
