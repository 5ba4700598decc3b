"""Second-order methods find the minima that SciPy finds, and refuse what has none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from cs_nn.optim.second_order import (
    backtracking_line_search,
    bfgs_update,
    condition_number,
    lbfgs_direction,
    newton_step,
    optimal_step_quadratic,
)

A = np.array([[30.0, 4.0, 0.0], [4.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
B = np.array([1.0, -2.0, 3.0])


def quadratic(x):
    return 0.5 * x @ A @ x - B @ x


def beale(x):
    u, v = x
    return (1.5 - u + u * v) ** 2 + (2.25 - u + u * v**2) ** 2 + (2.625 - u + u * v**3) ** 2


def beale_gradient(x):
    u, v = x
    terms = [1.5 - u + u * v, 2.25 - u + u * v**2, 2.625 - u + u * v**3]
    du = sum(2 * term * (v**k - 1) for k, term in enumerate(terms, start=1))
    dv = sum(2 * term * u * k * v ** (k - 1) for k, term in enumerate(terms, start=1))
    return np.array([du, dv])


PROBLEMS = {
    "rosenbrock": (optimize.rosen, optimize.rosen_der, np.array([-1.2, 1.0]), np.ones(2)),
    "rosenbrock-5": (optimize.rosen, optimize.rosen_der, np.full(5, 0.3), np.ones(5)),
    "beale": (beale, beale_gradient, np.array([1.0, 1.0]), np.array([3.0, 0.5])),
    "quadratic": (quadratic, lambda x: A @ x - B, np.zeros(3), np.linalg.solve(A, B)),
}
each_problem = pytest.mark.parametrize("problem", PROBLEMS)


def minimize(f, gradient, x, direction_of, after_step, iterations=200):
    """Descend with a line search until the gradient is tiny; return the point and the count."""
    g = gradient(x)
    for iteration in range(iterations):
        if np.linalg.norm(g) < 1e-8:
            return x, iteration
        direction = direction_of(x, g)
        step = backtracking_line_search(f, x, direction, g) * direction
        g_new = gradient(x + step)
        after_step(step, g_new - g)
        x, g = x + step, g_new
    raise AssertionError(f"no minimum after {iterations} iterations")


@each_problem
def test_bfgs_agrees_with_scipy(problem):
    f, gradient, start, minimum = PROBLEMS[problem]
    h_inv = np.eye(len(start))

    def learn(s, y):
        nonlocal h_inv
        h_inv = bfgs_update(h_inv, s, y)

    x, iterations = minimize(f, gradient, start, lambda x, g: -h_inv @ g, learn)
    scipys = optimize.minimize(f, start, jac=gradient, method="BFGS")
    np.testing.assert_allclose(x, scipys.x, atol=1e-4)
    np.testing.assert_allclose(x, minimum, atol=1e-6)
    assert iterations <= 1.5 * scipys.nit


@each_problem
def test_lbfgs_agrees_with_scipy(problem):
    f, gradient, start, minimum = PROBLEMS[problem]
    s_list, y_list = [], []

    def learn(s, y):
        # Relative, because close to the minimum every pair is tiny.
        if s @ y > 1e-10 * (y @ y):
            s_list.append(s)
            y_list.append(y)
            del s_list[:-6], y_list[:-6]
        else:
            # Armijo alone lets negative curvature through, and old pairs then creep for ever.
            s_list.clear()
            y_list.clear()

    def direction(x, g):
        return lbfgs_direction(g, s_list, y_list)

    x, iterations = minimize(f, gradient, start, direction, learn)
    scipys = optimize.minimize(f, start, jac=gradient, method="L-BFGS-B", options={"maxcor": 6})
    np.testing.assert_allclose(x, scipys.x, atol=1e-2)
    np.testing.assert_allclose(x, minimum, atol=1e-6)
    assert iterations <= 1.5 * scipys.nit


def test_newton_with_line_search_agrees_with_scipy():
    x, iterations = minimize(
        optimize.rosen,
        optimize.rosen_der,
        np.array([-1.2, 1.0]),
        lambda x, g: newton_step(g, optimize.rosen_hess(x)),
        lambda s, y: None,
    )
    scipys = optimize.minimize(
        optimize.rosen,
        [-1.2, 1.0],
        jac=optimize.rosen_der,
        hess=optimize.rosen_hess,
        method="Newton-CG",
    )
    np.testing.assert_allclose(x, scipys.x, atol=1e-3)
    np.testing.assert_allclose(x, 1.0, atol=1e-8)
    assert iterations < scipys.nit


def test_newton_solves_a_quadratic_in_one_step():
    start = np.array([5.0, -3.0, 2.0])
    np.testing.assert_allclose(start + newton_step(A @ start - B, A), np.linalg.solve(A, B))


def test_a_singular_hessian_is_explained():
    with pytest.raises(np.linalg.LinAlgError, match="damping"):
        newton_step(np.ones(2), np.ones((2, 2)))


@given(seed=st.integers(0, 10_000), n=st.integers(1, 6))
def test_bfgs_keeps_the_secant_equation_symmetry_and_definiteness(seed, n):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n, n))
    h_inv = root @ root.T + 0.1 * np.eye(n)
    s = rng.standard_normal(n)
    y = s + 0.3 * rng.standard_normal(n)
    updated = bfgs_update(h_inv, s, y)
    if s @ y <= 1e-10:
        np.testing.assert_array_equal(updated, h_inv)
        return
    scale = np.abs(updated).max()
    np.testing.assert_allclose(updated @ y, s, atol=1e-9 * scale * max(1, np.abs(y).sum()))
    np.testing.assert_allclose(updated, updated.T, atol=1e-12 * scale)
    assert np.linalg.eigvalsh(updated)[0] > -1e-9 * scale


def test_bfgs_without_curvature_returns_an_unchanged_copy():
    h_inv = np.diag([2.0, 3.0])
    updated = bfgs_update(h_inv, np.array([1.0, 0.0]), np.array([-1.0, 0.0]))
    np.testing.assert_array_equal(updated, h_inv)
    assert not np.shares_memory(updated, h_inv)


@given(seed=st.integers(0, 10_000), pairs=st.integers(0, 5))
def test_lbfgs_is_bfgs_from_the_scaled_identity(seed, pairs):
    rng = np.random.default_rng(seed)
    gradient = rng.standard_normal(4)
    s_list = [rng.standard_normal(4) for _ in range(pairs)]
    y_list = [s @ np.diag([1.0, 2.0, 3.0, 4.0]) for s in s_list]
    h_inv = np.eye(4)
    if pairs:
        s, y = s_list[-1], y_list[-1]
        h_inv *= (s @ y) / (y @ y)
    for s, y in zip(s_list, y_list, strict=True):
        h_inv = bfgs_update(h_inv, s, y)
    direction = lbfgs_direction(gradient, s_list, y_list)
    np.testing.assert_allclose(direction, -h_inv @ gradient, rtol=1e-6, atol=1e-8)


def test_lbfgs_refuses_lists_that_do_not_belong_together():
    with pytest.raises(ValueError, match="1 steps but 0 gradient changes"):
        lbfgs_direction(np.ones(2), [np.ones(2)], [])
    with pytest.raises(ValueError, match="leave it out"):
        lbfgs_direction(np.ones(2), [np.array([1.0, 0.0])], [np.array([0.0, 1.0])])


def test_line_search_gives_the_first_step_that_satisfies_armijo():
    x, gradient = np.array([3.0]), np.array([6.0])
    tried = []

    def f(x):
        tried.append(float(x[0]))
        return float(x @ x)

    t = backtracking_line_search(f, x, -gradient, gradient, t=2.0, c=0.1, shrink=0.25)
    assert t == 0.5
    assert tried == [3.0, -9.0, 0.0]
    np.testing.assert_array_equal(x, [3.0])


def test_line_search_backs_away_from_nan():
    def f(x):
        return float(np.log(x[0])) ** 2 if x[0] > 0 else np.nan

    x, gradient = np.array([3.0]), np.array([2 * np.log(3) / 3])
    t = backtracking_line_search(f, x, -10 * gradient, gradient)
    assert f(x - 10 * t * gradient) < f(x)


def test_line_search_ends_when_nothing_helps():
    with pytest.raises(ValueError, match="uphill"):
        backtracking_line_search(lambda x: float(x @ x), np.ones(2), np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="check the gradient"):
        backtracking_line_search(lambda x: np.nan, np.ones(2), -np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="between 0 and 1"):
        backtracking_line_search(np.sum, np.ones(2), -np.ones(2), np.ones(2), shrink=1.0)


def test_the_optimal_step_shrinks_both_ends_of_the_spectrum_alike():
    step = optimal_step_quadratic(A)
    eigenvalues = np.linalg.eigvalsh(A)
    factors = np.abs(1 - step * eigenvalues)
    kappa = condition_number(A)
    np.testing.assert_allclose(factors[[0, -1]], (kappa - 1) / (kappa + 1))
    np.testing.assert_allclose(kappa, np.linalg.cond(A))


@pytest.mark.parametrize("function", [optimal_step_quadratic, condition_number])
def test_matrices_without_a_minimum_are_refused(function):
    with pytest.raises(ValueError, match="positive definite"):
        function(np.diag([1.0, -1.0]))
    with pytest.raises(ValueError, match="symmetric"):
        function(np.array([[1.0, 2.0], [0.0, 1.0]]))


def test_float32_stays_float32():
    one = np.ones(2, np.float32)
    assert newton_step(one, np.eye(2, dtype=np.float32)).dtype == np.float32
    assert bfgs_update(np.eye(2, dtype=np.float32), one, one).dtype == np.float32
    assert lbfgs_direction(one, [one], [one]).dtype == np.float32
