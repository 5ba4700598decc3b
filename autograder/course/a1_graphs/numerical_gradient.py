"""The numerical gradient, by central differences."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.fixtures import Fixture
from autograder.course.drawing import numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.gradcheck.textbook import numeric_gradient

ACCURACY = {"tolerance": 1e-5}
"""With h = 1e-5 right formulas agree to about nine digits of the largest entry."""


def cases(rng):
    def cubes(shape):
        return Fixture(
            "weighted_cubes", {"weights": numbers(rng, *shape), "mix": numbers(rng, *shape)}
        )

    def case(shape, h=None, check="", tags=(), f=None):
        args = {"f": f or cubes(shape), "x": numbers(rng, *shape)}
        words = f"x of shape {shape}"
        if h is not None:
            args["h"] = h
            words += f" and h = {h}"
        return Case(words, args, check, frozenset(tags), ACCURACY)

    def smooth(shape):
        return Fixture("smooth_sum", {"weights": numbers(rng, *shape)})

    view = strided({"x": numbers(rng, 3, 4)})["x"]
    awkward = rng.normal(size=(3, 3)) * np.array([[1e3, 1.0, 1e-3]])

    def failing(kind):
        fails = Fixture("failing_after", {"weights": numbers(rng, 2, 3), "calls": 3, "kind": kind})
        args = {"f": fails, "x": rng.normal(size=(2, 3))}
        words = f"an f that raises {kind} at its fourth call"
        return Case(words, args, "f raises", frozenset({"raises"}))

    return [
        case((4,), 0.1),
        case((2, 3)),
        case((3, 2), 0.03),
        case((5,), f=smooth((5,)), tags=["default parameters"]),
        case((2, 3, 2), 0.05, "more than two dimensions"),
        case((1,), 0.2, "a single number"),
        Case("x = 0, where a cube has no slope but its central difference has",
             {"f": Fixture("weighted_cubes", {"weights": numbers(rng, 3), "mix": np.zeros(3)}),
              "x": np.zeros(3)}, "default h", extra=ACCURACY),
        Case("a strided x of shape (3, 4)", {"f": cubes((3, 4)), "x": view, "h": 0.1},
             "non-contiguous", extra=ACCURACY),
        Case("numbers with many digits", {"f": cubes((3, 3)), "x": awkward},
             "numbers with many digits", extra=ACCURACY),
        failing("ValueError"),
        failing("ZeroDivisionError"),
    ]  # fmt: skip


def entry_by_entry(formula, step=None, restore=True):
    """A numerical gradient on copies of x, with another formula for each entry."""

    def gradient(f, x, h=1e-5):
        h = step or h
        result = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            plus, minus = x.copy(), x.copy()
            plus[index] += h
            minus[index] -= h
            result[index] = formula(f, x, plus, minus, h)
        return result

    return gradient


def central(f, x, plus, minus, h):
    return (f(plus) - f(minus)) / (2 * h)


def forward(f, x, plus, minus, h):
    return (f(plus) - f(x)) / h


def backward(f, x, plus, minus, h):
    return (f(x) - f(minus)) / h


def by_h_alone(f, x, plus, minus, h):
    return (f(plus) - f(minus)) / h


def without_division(f, x, plus, minus, h):
    return f(plus) - f(minus)


def precedence(f, x, plus, minus, h):
    return (f(plus) - f(minus)) / 2 * h


def denominator_fixed(f, x, plus, minus, h):
    return (f(plus) - f(minus)) / 2e-5


def turned_round(f, x, plus, minus, h):
    return (f(minus) - f(plus)) / (2 * h)


def only_restored(back):
    """Moves x itself, entry by entry, and then puts it ``back``."""

    def gradient(f, x, h=1e-5):
        result = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            before = x[index]
            x[index] = before + h
            above = f(x)
            x[index] = before - h
            below = f(x)
            back(x, index, before, h)
            result[index] = (above - below) / (2 * h)
        return result

    return gradient


def not_put_back(x, index, before, h):
    """x keeps the step that was taken last."""


def put_back_by_adding(x, index, before, h):
    x[index] += h


def put_back(x, index, before, h):
    x[index] = before


def moved_by_arithmetic(f, x, h=1e-5):
    result = np.zeros_like(x)
    kept = x.copy()
    try:
        for index in np.ndindex(x.shape):
            x[index] += h
            above = f(x)
            x[index] -= 2 * h
            result[index] = (above - f(x)) / (2 * h)
            x[index] += h
    except ValueError:
        x[...] = kept
        raise
    return result


def all_entries_at_once(f, x, h=1e-5):
    slope = (f(x + h) - f(x - h)) / (2 * h)
    return np.full_like(x, slope)


def row_by_row(f, x, h=1e-5):
    result = np.zeros_like(x)
    for i in range(len(x)):
        plus, minus = x.copy(), x.copy()
        plus[i] += h
        minus[i] -= h
        result[i] = (f(plus) - f(minus)) / (2 * h)
    return result


def left_flat(f, x, h=1e-5):
    return entry_by_entry(central)(f, x, h).ravel()


def relative_step(f, x, h=1e-5):
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        step = h * abs(x[index])
        plus, minus = x.copy(), x.copy()
        plus[index] += step
        minus[index] -= step
        result[index] = (f(plus) - f(minus)) / (2 * step)
    return result


def exception_swallowed(f, x, h=1e-5):
    try:
        return entry_by_entry(central)(f, x, h)
    except ValueError:
        return np.zeros_like(x)


def with_nditer(f, x, h=1e-5):
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"])
    while not it.finished:
        i = it.multi_index
        old = float(x[i])
        try:
            x[i] = old + h
            plus = f(x)
            x[i] = old - h
            minus = f(x)
        finally:
            x[i] = old
        grad[i] = (plus - minus) / (2 * h)
        it.iternext()
    return grad


def with_identity(f, x, h=1e-5):
    steps = np.eye(x.size).reshape(x.size, *x.shape) * h
    slopes = [(f(x + s) - f(x - s)) / (2.0 * h) for s in steps]
    return np.array(slopes).reshape(x.shape)


def steps_pile_up(f, x, h=1e-5):
    result = np.zeros_like(x)
    plus, minus = x.copy(), x.copy()
    for index in np.ndindex(x.shape):
        plus[index] += h
        minus[index] -= h
        result[index] = (f(plus) - f(minus)) / (2 * h)
    return result


def half_steps(f, x, plus, minus, h):
    return (f((x + plus) / 2) - f((x + minus) / 2)) / h


def moved_and_left(f, x, h=1e-5):
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += h
        above = f(x)
        x[index] -= 2 * h
        result[index] = (above - f(x)) / (2 * h)
        x[index] += h
    return result


EXERCISES = (
    Exercise(
        name="numeric_gradient",
        kind=Scripted("numeric_gradient"),
        reference={"numeric_gradient": numeric_gradient},
        cases=cases,
        misconceptions=(
            Misconception(
                "forward-differences",
                entry_by_entry(forward),
                "You compare f(x + h) with f(x). Central differences, f(x + h) against f(x − h), "
                "cost the same and their error falls with h², not with h.",
                "gradient",
                0.5,
            ),
            Misconception(
                "backward-differences",
                entry_by_entry(backward),
                "You compare f(x) with f(x − h). Central differences step to both sides, and "
                "their error falls with h², not with h.",
                "gradient",
                0.5,
            ),
            Misconception(
                "divided-by-h",
                entry_by_entry(by_h_alone),
                "The gradient is twice too large: how far apart are the two points?",
                "gradient",
                0.5,
            ),
            Misconception(
                "precedence-of-the-division",
                entry_by_entry(precedence),
                "You divide by 2 and then multiply by h. Division and multiplication go from left "
                "to right: mind the brackets.",
                "gradient",
                0.5,
            ),
            Misconception(
                "not-divided",
                entry_by_entry(without_division),
                "This is the difference of the two values. A slope is a difference over a "
                "distance.",
                "gradient",
                0.5,
            ),
            Misconception(
                "sign",
                entry_by_entry(turned_round),
                "The sign is the wrong way round: which of the two values is subtracted?",
                "gradient",
                0.5,
            ),
            Misconception(
                "h-hard-coded",
                entry_by_entry(central, step=1e-5),
                "The step is always 1e-5, whatever h is passed. The default is only for callers "
                "who say nothing.",
                "gradient",
                0.3,
            ),
            Misconception(
                "denominator-hard-coded",
                entry_by_entry(denominator_fixed),
                "The two points are h away on either side, but the difference is always divided by "
                "2e-5, which is their distance for the default h only.",
                "gradient",
                0.3,
            ),
            Misconception(
                "step-relative-to-x",
                relative_step,
                "The step depends on the size of the entry. Good in general; this exercise asks "
                "for the step h in each entry.",
                "gradient",
                0.3,
            ),
            Misconception(
                "all-entries-at-once",
                all_entries_at_once,
                "You move all entries together, so you get one slope, in the direction (1, …, 1). "
                "Move one entry at a time.",
                "gradient",
            ),
            Misconception(
                "rows-moved-together",
                row_by_row,
                "You move a whole row at a time: the loop runs over the first axis only. Every "
                "entry has a slope of its own.",
                "gradient",
                0.6,
            ),
            Misconception(
                "not-put-back",
                only_restored(not_put_back),
                "An entry stays where the last step left it, so the next ones are measured at "
                "another point, and the caller's x is changed. Put each entry back.",
                "gradient",
                0.6,
            ),
            Misconception(
                "put-back-by-adding",
                moved_by_arithmetic,
                "You move x by adding h, subtracting 2h and adding h again. In floating point "
                "this does not lead back to where you started: remember the old value.",
                "conduct",
                0.1,
            ),
            Misconception(
                "not-put-back-when-f-raises",
                only_restored(put_back),
                "When f raises, x stays moved. Whatever happens in between, the entry must be put "
                "back: Python has a statement for that.",
                "conduct",
                0.1,
            ),
            Misconception(
                "exception-swallowed",
                exception_swallowed,
                "When f raises you return something as if all were well. Let the caller see the "
                "exception.",
                "f raises",
                0.1,
            ),
            Misconception(
                "left-flat",
                left_flat,
                "The gradient is a row of numbers; it should have the shape of x.",
                "gradient",
                0.4,
            ),
            Misconception(
                "steps-pile-up",
                steps_pile_up,
                "From the second entry on all earlier entries are still moved, so each difference "
                "contains those before it. Only one entry may be away from its place at a time.",
                "gradient",
                0.6,
            ),
            Misconception(
                "half-a-step",
                entry_by_entry(half_steps),
                "You step h/2 to each side. Here the two points lie at x + h and at x − h.",
                "gradient",
                0.3,
            ),
            Misconception(
                "put-back-by-adding-if-at-all",
                moved_and_left,
                "You move x by adding h, subtracting 2h and adding h again. In floating point "
                "this does not lead back to where you started, and when f raises, x stays moved: "
                "remember the old value, and put it back whatever happens.",
                "conduct",
                0.1,
            ),
        ),
        variants=(with_nditer, with_identity, entry_by_entry(central)),
    ),
)
