"""Two numbers that say how hard a quadratic is to descend."""

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.course.a5_optimization.curvature import definite, in_other_memory
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.optim.second_order import condition_number, optimal_step_quadratic


def matrix_cases(rng):
    def case(n, low, high, check="", words="", tags=()):
        args = {"A": definite(rng, n, low, high)}
        return Case(f"{words}A of shape ({n}, {n})", args, check, frozenset(tags))

    made = [case(3, 0.5, 7.0, tags=[CONDUCT]), case(5, 0.2, 1.1), case(4, 2.0, 30.0)]
    whole = np.array([[4, 1, 0], [1, 3, 1], [0, 1, 5]])
    return [
        *made,
        case(1, 3.0, 3.0, "one dimension"),
        case(2, 0.3, 0.9, "two dimensions"),
        case(3, 2.0, 2.0, "round bowls", "a multiple of the identity: "),
        Case("integer A", {"A": whole}, "integer inputs", frozenset({"any float", "may refuse"})),
        *in_other_memory(made),
    ]


def _values(A):
    return np.linalg.eigvalsh(A)


def step_by_general_solver(A):
    values = np.linalg.eigvals(A)
    return 2 / (values.max() + values.min())


def step_by_singular_values(A):
    values = np.linalg.svd(A, compute_uv=False)
    return float(2 / (values[0] + values[-1]))


def step_sorted(A):
    first, *_, last = sorted(np.linalg.eigh(np.vstack([A]))[0].tolist() * 2)
    return 2.0 / (first + last)


def condition_by_library(A):
    return np.linalg.cond(A)


def condition_by_norms(A):
    return np.linalg.norm(A, 2) * np.linalg.norm(np.linalg.inv(A), 2)


def condition_sorted(A):
    values = sorted(np.linalg.eigvals(A))
    return values[-1] / values[0]


EXERCISES = (
    Exercise(
        name="optimal_step_quadratic",
        kind=Function(),
        reference={"optimal_step_quadratic": optimal_step_quadratic},
        cases=matrix_cases,
        misconceptions=(
            Misconception(
                "only-the-largest",
                lambda A: 2 / _values(A)[-1],
                "2/λ_max is the limit beyond which descent diverges, not the best step: there the "
                "steepest direction just swings.",
                "values",
                0.4,
            ),
            Misconception(
                "one-over-the-largest",
                lambda A: 1 / _values(A)[-1],
                "1/λ_max is the safe step, not the best one. The flattest direction has a say too.",
                "values",
                0.4,
            ),
            Misconception(
                "mean-of-the-rates",
                lambda A: 0.5 * (1 / _values(A)[0] + 1 / _values(A)[-1]),
                "You average the best steps of the flattest and the steepest direction. That is "
                "far too long for the steep one. At the best step both shrink by the same factor: "
                "set |1 − ηλ| equal for the two.",
                "values",
                0.4,
            ),
            Misconception(
                "rate-of-the-heavy-ball",
                lambda A: 4 / (np.sqrt(_values(A)[0]) + np.sqrt(_values(A)[-1])) ** 2,
                "This is the best rate of the heavy ball, with roots of the eigenvalues, which "
                "goes with a momentum term. Here descent is plain.",
                "values",
                0.3,
            ),
            Misconception(
                "order-taken-for-granted",
                lambda A: 2 / (np.linalg.eigvals(A)[0] + np.linalg.eigvals(A)[-1]),
                "You rely on the order of the eigenvalues, and eig and eigvals give them in none: "
                "the first and the last need not be the smallest and the largest.",
                "values",
                0.4,
            ),
            Misconception(
                "one-over-the-sum",
                lambda A: 1 / (_values(A)[0] + _values(A)[-1]),
                "The step is half of the best one: at the best one, the steepest and the flattest "
                "direction shrink equally fast.",
                "values",
                0.4,
            ),
            Misconception(
                "two-over-the-trace",
                lambda A: 2 / np.trace(A),
                "The trace adds up all eigenvalues. Only the smallest and the largest count.",
                "values",
                0.4,
            ),
            Misconception(
                "diagonal-for-eigenvalues",
                lambda A: 2 / (np.diag(A).min() + np.diag(A).max()),
                "The diagonal is taken for the eigenvalues. That is right only for a diagonal "
                "matrix.",
                "values",
                0.4,
            ),
            Misconception(
                "over-the-difference",
                lambda A: 2 / max(_values(A)[-1] - _values(A)[0], 1e-12),
                "You divide by the difference of the eigenvalues instead of their sum.",
                "values",
                0.4,
            ),
            Misconception(
                "over-the-product",
                lambda A: 2 / (_values(A)[-1] * _values(A)[0]),
                "You divide by the product of the eigenvalues instead of their sum.",
                "values",
                0.4,
            ),
            Misconception(
                "over-the-mean",
                lambda A: 1 / np.mean(_values(A)),
                "You take the mean over all eigenvalues. Only the smallest and the largest count.",
                "values",
                0.4,
            ),
        ),
        variants=(step_by_general_solver, step_by_singular_values, step_sorted),
    ),
    Exercise(
        name="condition_number",
        kind=Function(),
        reference={"condition_number": condition_number},
        cases=matrix_cases,
        misconceptions=(
            Misconception(
                "upside-down",
                lambda A: _values(A)[0] / _values(A)[-1],
                "The fraction is upside down: a condition number is at least 1.",
                "values",
                0.4,
            ),
            Misconception(
                "frobenius-norm",
                lambda A: np.linalg.cond(A, "fro"),
                "This is the condition number in the Frobenius norm, which mixes in all "
                "eigenvalues. The ratio of the extreme ones was asked for.",
                "values",
                0.3,
            ),
            Misconception(
                "root-taken",
                lambda A: np.sqrt(_values(A)[-1] / _values(A)[0]),
                "There is a root too many: for A itself the ratio of its eigenvalues is taken as "
                "it is.",
                "values",
                0.3,
            ),
            Misconception(
                "squared",
                lambda A: np.linalg.cond(A.T @ A),
                "This is the condition number of AᵀA, the square of the right one.",
                "values",
                0.3,
            ),
            Misconception(
                "diagonal-for-eigenvalues",
                lambda A: np.diag(A).max() / np.diag(A).min(),
                "The diagonal is taken for the eigenvalues. That is right only for a diagonal "
                "matrix.",
                "values",
                0.4,
            ),
            Misconception(
                "order-taken-for-granted",
                lambda A: np.linalg.eigvals(A)[0] / np.linalg.eigvals(A)[-1],
                "You rely on the order of the eigenvalues, and eigvals gives them in none.",
                "values",
                0.4,
            ),
            Misconception(
                "rising-order-taken-for-granted",
                lambda A: np.linalg.eigvals(A)[-1] / np.linalg.eigvals(A)[0],
                "You take the last eigenvalue for the largest and the first for the smallest, but "
                "eig and eigvals give them in no order.",
                "values",
                0.4,
            ),
            Misconception(
                "largest-entries",
                lambda A: np.abs(A).max() / np.abs(A).min(),
                "You compare entries of the matrix. Its curvatures are its eigenvalues.",
                "values",
                0.4,
            ),
            Misconception(
                "difference",
                lambda A: _values(A)[-1] - _values(A)[0],
                "You take the difference of the eigenvalues instead of their ratio.",
                "values",
                0.4,
            ),
            Misconception(
                "determinant",
                lambda A: np.linalg.det(A),
                "The determinant is the product of all eigenvalues and says how large the matrix "
                "is, not how round.",
                "values",
                0.4,
            ),
        ),
        variants=(condition_by_library, condition_by_norms, condition_sorted),
    ),
)
