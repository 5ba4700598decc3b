"""How far to go: the Newton step, and the backtracking line search."""

import numpy as np

from autograder.battery.fixtures import Fixture
from autograder.battery.functions import CONDUCT, Function
from autograder.course.a5_optimization.curvature import definite, in_other_memory
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.optim.second_order import backtracking_line_search, newton_step


def newton_cases(rng):
    def case(n, check="", tags=(), hessian=None, words=""):
        hessian = definite(rng, n) if hessian is None else hessian
        args = {"gradient": numbers(rng, n), "hessian": hessian}
        return Case(f"gradient of shape ({n},){words}", args, check, frozenset(tags))

    made = [case(3, tags=[CONDUCT]), case(5), case(4)]
    saddle = definite(rng, 3) - 3.0 * np.eye(3)
    flat = np.array([[0.0, 1.3], [1.3, 0.0]]) + np.diag([0.0, rng.uniform(-2, 2)])
    steep = definite(rng, 3, 1e-3, 1e3)
    return [
        *made,
        case(1, "one dimension"),
        case(3, "saddle points", hessian=saddle, words=" and an indefinite Hessian"),
        case(2, "saddle points", hessian=flat, words=" and a Hessian that begins with 0"),
        case(3, "narrow valleys", hessian=steep, words=" and an ill-conditioned Hessian"),
        *in_other_memory(made),
    ]


def search_cases(rng):
    def case(f, x, slope, check="", tags=(), downhill=None, **settings):
        gradient = slope(x)
        direction = -gradient if downhill is None else downhill(gradient)
        args = {"f": f, "x": x, "direction": direction, "gradient": gradient, **settings}
        words = ", ".join(f"{key} = {value}" for key, value in settings.items())
        label = f"x of shape {x.shape}" + (f", {words}" if words else "")
        return Case(label, args, check, frozenset(tags))

    def bowl(n, high):
        A, b = definite(rng, n, 0.5, high), numbers(rng, n)
        return Fixture("quadratic", {"A": A, "b": b}), lambda x: A @ x - b

    def askew(gradient):
        return -gradient * np.array([0.3, 4.0, 1.0, 0.5])[: len(gradient)]

    def shorter(gradient):
        return -0.2 * gradient

    # On ½x² from 1 along −1, Armijo accepts t up to 2(1 − c).
    line = Fixture("quadratic", {"A": np.eye(1), "b": np.zeros(1)})
    scale = np.array([3.0, 0.5, 8.0])
    steep = Fixture("quartic", {"scale": scale})

    def rise(x):
        return 4 * scale * x**3 + 2 * x

    far = 3.0 + np.abs(numbers(rng, 3))
    wide, flat, narrow = bowl(3, 40.0), bowl(4, 1.2), bowl(5, 200.0)
    wall = Fixture("barrier", {"b": np.array([2.0, -1.0]), "wall": 2.5})
    hole = {"b": np.array([2.0, -1.0]), "wall": 2.5, "outside": float("nan")}
    hole = Fixture("barrier", hole)
    near = {"t": 8.0, "shrink": 0.6}
    return [
        case(wide[0], 3 * numbers(rng, 3), wide[1], tags=[CONDUCT]),
        case(narrow[0], numbers(rng, 5), narrow[1], t=3.0, c=0.1, shrink=0.7),
        case(wide[0], 2 * numbers(rng, 3), wide[1], downhill=askew, t=2.0, c=0.4, shrink=0.8),
        case(steep, far, rise, t=1.0, c=0.3, shrink=0.3),
        case(flat[0], numbers(rng, 4), flat[1], downhill=shorter, t=9.0, c=0.4, shrink=0.75),
        case(flat[0], numbers(rng, 4), flat[1], "the first step is good"),
        case(flat[0], numbers(rng, 4), flat[1], "the first step is good", shrink=0.6),
        case(line, np.array([1.0]), lambda x: x, "hardly any decrease", t=1.9999),
        case(line, np.array([1.0]), lambda x: x, "hardly any decrease", t=1.9997),
        case(flat[0], numbers(rng, 4), flat[1], "a demanding c", t=4.0, c=0.9, shrink=0.9),
        case(flat[0], numbers(rng, 4), flat[1], "a demanding c", downhill=askew, t=5.0, c=0.6),
        case(wall, np.array([0.5, 0.3]), lambda x: x - np.array([2.0, -1.0]), "infinite f", **near),
        case(hole, np.array([0.5, 0.3]), lambda x: x - np.array([2.0, -1.0]), "NaN from f", **near),
    ]


def newton_by_inverse(gradient, hessian):
    return -np.linalg.inv(hessian) @ gradient


def newton_by_column(gradient, hessian):
    return np.linalg.solve(hessian, -gradient[:, None])[:, 0]


def newton_by_eigenvectors(gradient, hessian):
    values, vectors = np.linalg.eigh(hessian)
    return -(vectors @ ((vectors.T @ gradient) / values))


def _with_absolute_values(hessian):
    values, vectors = np.linalg.eigh(hessian)
    return (vectors * np.abs(values)) @ vectors.T


def search(*, accept=None, shorten=None, answer=None, trials=200):
    """The search with switches for what may go wrong in it.

    accept(f0, f1, t, c, gradient, direction): whether the step is good enough.
    trials: how many are made before the step is returned as it is.
    """

    def good(f0, f1, t, c, gradient, direction):
        return f1 <= f0 + c * t * (gradient @ direction)

    def line_search(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
        f0 = f(x)
        for _ in range(trials):
            f1 = f(x + t * direction)
            if (accept or good)(f0, f1, t, c, gradient, direction):
                break
            t = t * shrink if shorten is None else shorten(t, shrink)
        return t if answer is None else answer(t, x, direction, shrink)

    return line_search


def with_fixed_first_step(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    return search()(f, x, direction, gradient, 1.0, c, shrink)


def with_fixed_c(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    return search()(f, x, direction, gradient, t, 1e-4, shrink)


def with_fixed_shrink(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    return search()(f, x, direction, gradient, t, c, 0.5)


def shrinking_first(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    return search()(f, x, direction, gradient, t * shrink, c, shrink)


def shrinking_once_more(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    good = search()(f, x, direction, gradient, t, c, shrink)
    return good if good == t else good * shrink


def moving_on(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    start, slope = f(x), gradient @ direction
    x = x + t * direction
    for _ in range(200):
        if f(x) <= start + c * t * slope:
            break
        t *= shrink
        x = x + t * direction
    return t


def bound_of_the_first_step(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    bound, k = f(x) + c * t * (gradient @ direction), 0
    while not f(x + t * shrink**k * direction) <= bound and k < 60:
        k += 1
    return t * shrink**k


def along_the_gradient(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    return search()(f, x, -gradient, gradient, t, c, shrink)


def changing_x(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    t = search()(f, x, direction, gradient, t, c, shrink)
    x += t * direction
    return t


def by_while(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    while not f(x + t * direction) <= f(x) + c * t * np.sum(gradient * direction):
        t *= shrink
    return t


def by_powers(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    start, slope, k = f(x), float(np.dot(gradient, direction)), 0
    while True:
        step = t * shrink**k
        if f(x + step * direction) - start <= c * step * slope:
            return np.float64(step)
        k += 1


def by_recursion(f, x, direction, gradient, t=1.0, c=1e-4, shrink=0.5):
    fall = f(x) - f(np.add(x, np.multiply(t, direction)))
    if fall >= -c * t * gradient.dot(direction):
        return t
    return by_recursion(f, x, direction, gradient, t * shrink, c, shrink)


EXERCISES = (
    Exercise(
        name="newton_step",
        kind=Function(),
        reference={"newton_step": newton_step},
        cases=newton_cases,
        misconceptions=(
            Misconception(
                "step-uphill",
                lambda gradient, hessian: np.linalg.solve(hessian, gradient),
                "The step has the wrong sign: added to x it climbs. What is returned is to be "
                "added, not subtracted.",
                "values",
                0.4,
            ),
            Misconception(
                "multiplied-by-the-hessian",
                lambda gradient, hessian: -hessian @ gradient,
                "You multiply by the Hessian; the step solves a linear system with it.",
                "values",
                0.5,
            ),
            Misconception(
                "only-the-diagonal",
                lambda gradient, hessian: -gradient / np.diag(hessian),
                "Only the diagonal of the Hessian is used. What bends in one direction may tilt "
                "in another: solve the whole system.",
                "values",
                0.4,
            ),
            Misconception(
                "entry-by-entry",
                lambda gradient, hessian: -np.linalg.inv(hessian) * gradient,
                "The inverse is multiplied entry by entry, which gives a matrix. The step is a "
                "vector, a matrix times the gradient.",
                "values",
                0.4,
            ),
            Misconception(
                "divided-by-the-norm",
                lambda gradient, hessian: -gradient / np.linalg.norm(hessian, 2),
                "The gradient is divided by one number. Newton scales each direction by its own "
                "curvature.",
                "values",
                0.4,
            ),
            Misconception(
                "made-definite",
                lambda gradient, hessian: newton_by_eigenvectors(
                    gradient, _with_absolute_values(hessian)
                ),
                "Negative curvature is turned positive. That is a sensible safeguard, but the "
                "plain Newton step was asked for, which may lead to a saddle point.",
                "saddle points",
                0.15,
            ),
            Misconception(
                "damped",
                lambda gradient, hessian: (
                    -np.linalg.solve(
                        hessian + 1e-3 * np.eye(len(gradient), dtype=hessian.dtype), gradient
                    )
                ),
                "Something is added to the diagonal of the Hessian. The plain Newton step was "
                "asked for.",
                "values",
                0.3,
            ),
            Misconception(
                "applied-to-the-gradient-twice",
                lambda gradient, hessian: -0.5 * np.linalg.solve(hessian, gradient),
                "The step is half as long as it should be. The ½ of the Taylor expansion is gone "
                "once you differentiate.",
                "values",
                0.3,
            ),
        ),
        variants=(newton_by_inverse, newton_by_column, newton_by_eigenvectors),
    ),
    Exercise(
        name="backtracking_line_search",
        kind=Function(),
        reference={"backtracking_line_search": backtracking_line_search},
        cases=search_cases,
        misconceptions=(
            Misconception(
                "shortened-once-more",
                shrinking_once_more,
                "The step is shortened once more after a good one was found. Try the condition "
                "with the very t that you return.",
                "values",
                0.3,
            ),
            Misconception(
                "any-decrease-will-do",
                search(accept=lambda f0, f1, t, c, g, d: f1 < f0),
                "Any decrease is accepted. Armijo asks for a share c of the decrease that the "
                "slope promises, or the steps may bounce from wall to wall.",
                "values",
                0.3,
            ),
            Misconception(
                "nan-accepted",
                search(accept=lambda f0, f1, t, c, g, d: not f1 > f0 + c * t * (g @ d)),
                "A step at which f is not a number is accepted. Every comparison with NaN is "
                "false, `>` as well as `<=`: go on until the condition holds, not while its "
                "opposite does.",
                "NaN from f",
                0.15,
            ),
            Misconception(
                "share-does-not-shrink",
                search(accept=lambda f0, f1, t, c, g, d: f1 <= f0 + c * (g @ d)),
                "The decrease asked for does not depend on t. A shorter step promises less: t "
                "stands on both sides of the condition.",
                "values",
                0.4,
            ),
            Misconception(
                "bound-of-the-first-step",
                bound_of_the_first_step,
                "The bound is computed once, with the first t, and shorter steps are held to it, "
                "which they may never reach. A shorter step promises less: compute it with the t "
                "that is being tried.",
                "values",
                0.3,
            ),
            Misconception(
                "gives-up-after-ten",
                search(trials=10),
                "After ten trials the search gives up and returns a step that does not satisfy the "
                "condition. Where shrink is near 1, or the first t far too long, it takes more: go "
                "on until a step is good.",
                "values",
                0.3,
            ),
            Misconception(
                "c-forgotten",
                search(accept=lambda f0, f1, t, c, g, d: f1 <= f0 + t * (g @ d)),
                "The whole decrease of the tangent is asked for, which a convex function never "
                "gives. Where does c enter?",
                "values",
                0.4,
            ),
            Misconception(
                "slope-of-the-wrong-sign",
                search(accept=lambda f0, f1, t, c, g, d: f1 <= f0 - c * t * (g @ d)),
                "The slope along a descent direction is negative already; with another minus the "
                "function may even grow.",
                "values",
                0.4,
            ),
            Misconception(
                "squared-gradient-for-the-slope",
                search(accept=lambda f0, f1, t, c, g, d: f1 <= f0 - c * t * (g @ g)),
                "‖g‖² is the slope only along −g. Along another direction it is gᵀd.",
                "values",
                0.3,
            ),
            Misconception(
                "squared-direction-for-the-slope",
                search(accept=lambda f0, f1, t, c, g, d: f1 <= f0 - c * t * (d @ d)),
                "‖d‖² is the slope only if d is −g. Along another direction it is gᵀd.",
                "values",
                0.3,
            ),
            Misconception(
                "condition-upside-down",
                search(accept=lambda f0, f1, t, c, g, d: f1 > f0 + c * t * (g @ d)),
                "The search goes on while the step is good, and stops at a bad one.",
                "values",
                0.5,
            ),
            Misconception(
                "one-shrink-too-many",
                search(answer=lambda t, x, d, shrink: t * shrink),
                "The step that you return is one shrink shorter than the one that was accepted.",
                "values",
                0.3,
            ),
            Misconception(
                "shrinks-before-the-first-trial",
                shrinking_first,
                "The step is shortened before it is tried at all; the first t may be good.",
                "values",
                0.3,
            ),
            Misconception(
                "returns-the-point",
                search(answer=lambda t, x, d, shrink: x + t * d),
                "You return the new point. The length of the step was asked for.",
                "values",
                0.3,
            ),
            Misconception(
                "first-step-hard-coded",
                with_fixed_first_step,
                "The search always starts at 1, whatever t says.",
                "values",
                0.3,
            ),
            Misconception(
                "c-hard-coded",
                with_fixed_c,
                "c is 1e-4 whatever the caller says; that is only the default.",
                "values",
                0.3,
            ),
            Misconception(
                "shrink-hard-coded",
                with_fixed_shrink,
                "The step is halved whatever shrink says.",
                "values",
                0.3,
            ),
            Misconception(
                "shrink-subtracted",
                search(shorten=lambda t, shrink: t * (1 - shrink)),
                "The step loses the share `shrink`; it should keep that share.",
                "values",
                0.3,
            ),
            Misconception(
                "moves-on-at-each-trial",
                moving_on,
                "Each trial starts where the last one ended. All of them start at x.",
                "values",
                0.4,
            ),
            Misconception(
                "direction-ignored",
                along_the_gradient,
                "The search goes along −g whatever the direction is.",
                "values",
                0.4,
            ),
            Misconception(
                "point-changed-in-place",
                changing_x,
                "x is moved. The search only measures; the caller makes the step.",
                "conduct",
            ),
        ),
        variants=(by_while, by_powers, by_recursion),
    ),
)
