"""Plain descent, and the heavy ball that started momentum."""

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.battery.optimisers import Optimiser
from autograder.course.a5_optimization.recipes import Recipe, optimiser_cases
from autograder.course.a5_optimization.shared import shared_by_all
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.optim.first_order import polyak_heavy_ball, sgd

SGD = Recipe({"learning_rate": 1e-2}, {"w": "w - learning_rate * dw"})


def sgd_with_setdefault(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    next_w = w.copy()
    next_w -= config["learning_rate"] * dw
    return next_w, config


def sgd_by_sum(w, dw, config=None):
    settings = {"learning_rate": 0.01} if config is None else {"learning_rate": 0.01} | config
    return np.add(w, -settings["learning_rate"] * dw), settings


def sgd_by_loop(w, dw, config=None):
    config = config or {}
    rate = config.get("learning_rate", 1e-2)
    result = np.zeros_like(dw)
    for i in np.ndindex(*w.shape):
        result[i] = w[i] - rate * dw[i]
    return [result, config]


def ball_cases(rng):
    def case(shape, alpha, beta, check="", tags=(), words=""):
        args = {name: numbers(rng, *shape) for name in ("x", "x_prev", "grad")}
        args |= {"alpha": alpha, "beta": beta}
        label = f"x of shape {shape}{words}, alpha = {alpha} and beta = {beta}"
        return Case(label, args, check, frozenset(tags))

    start = case((3, 2), 0.2, 0.7, "first step")
    start.args["x_prev"][:] = start.args["x"]
    narrow = case((4, 2), 0.3, 0.8, "float32", words=" in float32")
    tags = ["any float", "may refuse"]
    whole = case((3, 4), 0.3, 0.7, "integer points", tags, " of integers")
    for key in ("x", "x_prev"):
        whole.args[key] = np.rint(5 * whole.args[key]).astype(int)
    spread = case((3, 4), 0.15, 0.6, "non-contiguous", words=" in strided arrays")
    return [
        case((3, 4), 0.11, 0.6, tags=[CONDUCT]),
        case((5,), 0.4, 0.9),
        case((2, 3, 2), 1.3, 0.35),
        start,
        case((4,), 0.25, 0.0, "no momentum"),
        whole,
        Case(spread.label, strided(spread.args), spread.check),
        Case(narrow.label, as_dtype(narrow.args, np.float32), narrow.check),
    ]


def ball_uphill(x, x_prev, grad, alpha, beta):
    return x + alpha * grad + beta * (x - x_prev)


def ball_pushing_back(x, x_prev, grad, alpha, beta):
    return x - alpha * grad + beta * (x_prev - x)


def ball_without_inertia(x, x_prev, grad, alpha, beta):
    return x - alpha * grad


def ball_scaled_twice(x, x_prev, grad, alpha, beta):
    return x - alpha * (grad - beta * (x - x_prev))


def ball_with_names_swapped(x, x_prev, grad, alpha, beta):
    return x - beta * grad + alpha * (x - x_prev)


def ball_from_the_point_before(x, x_prev, grad, alpha, beta):
    return x_prev - alpha * grad + beta * (x - x_prev)


def ball_without_the_point(x, x_prev, grad, alpha, beta):
    return -alpha * grad + beta * (x - x_prev)


def ball_damped(x, x_prev, grad, alpha, beta):
    return x - (1 - beta) * alpha * grad + beta * (x - x_prev)


def ball_in_place(x, x_prev, grad, alpha, beta):
    step = beta * (x - x_prev) - alpha * grad
    x += step
    return x


def ball_wide(x, x_prev, grad, alpha, beta):
    return x - np.float64(alpha) * grad + beta * (x - x_prev)


def ball_cut_off(x, x_prev, grad, alpha, beta):
    return (x - alpha * grad + beta * (x - x_prev)).astype(x.dtype)


def ball_by_velocity(x, x_prev, grad, alpha, beta):
    velocity = x - x_prev
    velocity = beta * velocity - alpha * grad
    return x + velocity


def ball_multiplied_out(x, x_prev, grad, alpha, beta):
    return ((1 + beta) * x - beta * x_prev - alpha * grad).astype(grad.dtype)


def ball_by_loop(x, x_prev, grad, alpha, beta):
    out = np.zeros_like(grad)
    for i in range(len(x)):
        out[i] = x[i] - alpha * grad[i] + beta * (x[i] - x_prev[i])
    return out


EXERCISES = (
    Exercise(
        name="sgd",
        kind=Optimiser(),
        reference={"sgd": sgd},
        cases=optimiser_cases({"learning_rate": 0.17}, {"learning_rate": 0.6}),
        misconceptions=(
            *shared_by_all(SGD, SGD.replacing("- learning", "+ learning")),
            Misconception(
                "learning-rate-forgotten",
                SGD.but(w="w - dw"),
                "The whole gradient is taken as the step; scale it with the learning rate.",
                "first step",
                0.4,
            ),
            Misconception(
                "weights-replaced",
                SGD.but(w="-learning_rate * dw"),
                "The step replaces the parameters; it should move them from where they are.",
                "first step",
                0.5,
            ),
            Misconception(
                "sign-of-the-gradient",
                SGD.but(w="w - learning_rate * np.sign(dw)"),
                "Only the sign of the gradient is used. Plain descent goes further where the "
                "slope is steeper.",
                "first step",
                0.4,
            ),
            Misconception(
                "gradient-averaged",
                SGD.but(w="w - learning_rate * dw / len(w)"),
                "The gradient is divided by the length of w. If the loss is a mean over examples, "
                "the division is in the gradient already.",
                "first step",
                0.4,
            ),
            Misconception(
                "gradient-normalised",
                SGD.but(w="w - learning_rate * dw / max(np.linalg.norm(dw), 1e-300)"),
                "The gradient is scaled to length 1, so all steps are equally long. Plain descent "
                "takes it as it is.",
                "first step",
                0.4,
            ),
        ),
        variants=(sgd_with_setdefault, sgd_by_sum, sgd_by_loop),
    ),
    Exercise(
        name="polyak_heavy_ball",
        kind=Function(),
        reference={"polyak_heavy_ball": polyak_heavy_ball},
        cases=ball_cases,
        misconceptions=(
            Misconception(
                "integers-cut-off",
                ball_cut_off,
                "From a point of integers the next one comes back in integers: the fraction of the "
                "step is cut off. Only a float array can hold the result.",
                "integer points",
                0.1,
            ),
            Misconception(
                "step-uphill",
                ball_uphill,
                "The gradient enters with a plus, so the ball rolls uphill.",
                "values",
            ),
            Misconception(
                "inertia-of-the-wrong-sign",
                ball_pushing_back,
                "The last move is undone instead of carried on. Which of the two points is the "
                "newer one?",
                "values",
            ),
            Misconception(
                "inertia-forgotten",
                ball_without_inertia,
                "This is plain descent: the last move has no influence.",
                "values",
            ),
            Misconception(
                "inertia-scaled-by-alpha",
                ball_scaled_twice,
                "The step size multiplies the inertia as well. α belongs to the gradient alone, β "
                "to the last move alone.",
                "values",
            ),
            Misconception(
                "alpha-and-beta-swapped",
                ball_with_names_swapped,
                "α and β have changed places: α is the step along the gradient, β the weight of "
                "the last move.",
                "values",
            ),
            Misconception(
                "started-from-the-point-before",
                ball_from_the_point_before,
                "The step starts at x_prev. The ball is at x now.",
                "values",
            ),
            Misconception(
                "step-without-the-point",
                ball_without_the_point,
                "You return the step. The next point is x plus the step.",
                "values",
            ),
            Misconception(
                "gradient-damped",
                ball_damped,
                "The gradient carries a factor 1 − β, as in a running mean; the heavy ball takes "
                "it in full.",
                "values",
            ),
            Misconception(
                "point-changed-in-place",
                ball_in_place,
                "x is overwritten, but it is the x_prev of the next step: make a new array.",
                "conduct",
            ),
            Misconception(
                "float32-lost",
                ball_wide,
                "float32 points come back as float64. Which of the factors is a NumPy number?",
                "float32",
                0.1,
            ),
        ),
        variants=(ball_by_velocity, ball_multiplied_out, ball_by_loop),
    ),
)
