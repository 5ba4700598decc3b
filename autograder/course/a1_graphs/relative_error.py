"""The relative error that compares two gradients."""

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.course.drawing import numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.gradcheck.textbook import relative_error


def cases(rng):
    def case(a, b, words, check="", tags=()):
        return Case(words, {"a": a, "b": b}, check, frozenset(tags))

    def pair(*shape, size=0.1):
        a = numbers(rng, *shape)
        return a, a + size * numbers(rng, *shape)

    far = numbers(rng, 3, 2)
    tiny = numbers(rng, 4) * 1e-10
    zero = np.array([0.0, 1.0, 0.0, -2.0])
    other = np.array([0.0, 1.02, 3e-9, -2.0])
    opposite = numbers(rng, 5)
    whole = rng.integers(1, 6, 5)
    return [
        case(*pair(5), "a and b of shape (5,)", tags=[CONDUCT]),
        case(*pair(3, 4), "a and b of shape (3, 4)"),
        case(*pair(2, 3, 2, size=1e-5), "a and b that are nearly equal"),
        case(far, -1.7 * far + 0.1, "a and b of opposite signs"),
        case(float(far[0, 0]), float(far[0, 1]), "two numbers", "plain numbers"),
        case(tiny, tiny * 1.5, "numbers far below 1e-8", "tiny numbers"),
        case(zero, other, "zeros in both", "zeros"),
        case(np.zeros(3), np.zeros(3), "nothing but zeros", "zeros"),
        case(opposite, -opposite, "b = -a", "b = -a"),
        case(opposite, opposite.copy(), "b = a", "b = a"),
        case(whole, whole + 2, "whole numbers", "integer inputs", ["any float", "may refuse"]),
    ]


def error(combine, over=np.max):
    """A relative error with another denominator or another reduction."""

    def wrong(a, b):
        a, b = np.asarray(a), np.asarray(b)
        return over(combine(a, b))

    return wrong


def floor_of(size):
    return np.maximum(1e-8, size)


def by_loop(a, b):
    worst = 0.0
    for p, q in zip(np.ravel(a), np.ravel(b), strict=True):
        worst = max(worst, abs(p - q) / max(1e-8, abs(p) + abs(q)))
    return worst


def by_division(a, b):
    size = np.abs(a) + np.abs(b)
    return np.max(np.abs(a - b) / np.where(size > 1e-8, size, 1e-8))


def by_sorting(a, b):
    ratio = np.abs(np.subtract(a, b)) / np.clip(np.abs(a) + np.abs(b), 1e-8, None)
    return float(np.sort(ratio, axis=None)[-1])


def into_an_array_like_a(a, b):
    out = np.zeros_like(np.asarray(a))
    for i in np.ndindex(out.shape):
        p, q = np.asarray(a)[i], np.asarray(b)[i]
        out[i] = abs(p - q) / max(1e-8, abs(p) + abs(q))
    return out.max()


def difference_written_into_a(a, b):
    a -= b
    return np.max(abs(a) / floor_of(abs(a) + abs(b)))


EXERCISES = (
    Exercise(
        name="relative_error",
        kind=Function(),
        reference={"relative_error": relative_error},
        cases=cases,
        misconceptions=(
            Misconception(
                "mean-for-maximum",
                error(lambda a, b: abs(a - b) / floor_of(abs(a) + abs(b)), np.mean),
                "You average over the entries, so one wrong entry hides among many right ones. "
                "Look at the worst.",
                "values",
            ),
            Misconception(
                "one-for-each-entry",
                error(lambda a, b: abs(a - b) / floor_of(abs(a) + abs(b)), lambda r: r),
                "You return an error for each entry. One number is asked for: the worst.",
                "values",
            ),
            Misconception(
                "larger-for-sum",
                error(lambda a, b: abs(a - b) / floor_of(np.maximum(abs(a), abs(b)))),
                "You divide by the larger of the two. That is a relative error too; here it is "
                "the sum of the magnitudes.",
                "values",
                0.4,
            ),
            Misconception(
                "relative-to-the-second",
                error(lambda a, b: abs(a - b) / floor_of(abs(b))),
                "You divide by b alone, so swapping a and b changes the error. Both magnitudes "
                "stand in the denominator.",
                "values",
                0.4,
            ),
            Misconception(
                "relative-to-the-first",
                error(lambda a, b: abs(a - b) / floor_of(abs(a))),
                "You divide by a alone, so swapping a and b changes the error. Both magnitudes "
                "stand in the denominator.",
                "values",
                0.4,
            ),
            Misconception(
                "magnitude-of-the-sum",
                error(lambda a, b: abs(a - b) / floor_of(abs(a + b))),
                "You take the magnitude of a + b, which vanishes for opposite signs. Take the "
                "magnitudes first, then add.",
                "values",
                0.4,
            ),
            Misconception(
                "difference-without-magnitude",
                error(lambda a, b: (a - b) / floor_of(abs(a) + abs(b))),
                "The difference keeps its sign, so an error on the other side is not seen.",
                "values",
                0.4,
            ),
            Misconception(
                "no-floor",
                error(lambda a, b: abs(a - b) / (abs(a) + abs(b))),
                "Where both numbers are 0 you divide 0 by 0. The floor of 1e-8 is there for that.",
                "zeros",
                0.3,
            ),
            Misconception(
                "floor-added",
                error(lambda a, b: abs(a - b) / (1e-8 + abs(a) + abs(b))),
                "1e-8 is added to the denominator. It is a floor: it counts only where the sum is "
                "smaller.",
                "tiny numbers",
                0.2,
            ),
            Misconception(
                "floor-too-low",
                error(lambda a, b: abs(a - b) / np.maximum(1e-15, abs(a) + abs(b))),
                "Differences between numbers far below 1e-8 count in full. Such differences are "
                "round-off; the floor is 1e-8.",
                "tiny numbers",
                0.2,
            ),
            Misconception(
                "norms",
                error(
                    lambda a, b: (
                        np.linalg.norm(np.ravel(a - b))
                        / floor_of(np.linalg.norm(np.ravel(a)) + np.linalg.norm(np.ravel(b)))
                    )
                ),
                "You compare norms, in which a wrong small entry is lost. Divide entry by entry, "
                "then take the worst.",
                "values",
                0.5,
            ),
            Misconception(
                "absolute-error",
                error(lambda a, b: abs(a - b)),
                "This is the absolute error: it is not divided by the size of the numbers.",
                "values",
            ),
            Misconception(
                "maximum-before-the-division",
                error(lambda a, b: np.max(abs(a - b)) / floor_of(np.max(abs(a) + abs(b)))),
                "You divide the largest difference by the largest size, which need not belong to "
                "the same entry. Divide entry by entry, then take the worst.",
                "values",
                0.5,
            ),
            Misconception(
                "smaller-for-larger-in-the-floor",
                error(lambda a, b: abs(a - b) / np.minimum(1e-8, abs(a) + abs(b))),
                "The denominator is never more than 1e-8, so the errors are huge. A floor keeps it "
                "from being less.",
                "values",
                0.5,
            ),
            Misconception(
                "root-of-squares",
                error(lambda a, b: abs(a - b) / floor_of(np.sqrt(a * a + b * b))),
                "The denominator is √(a² + b²); here the two magnitudes are added.",
                "values",
                0.4,
            ),
            Misconception(
                "errors-cut-to-whole-numbers",
                into_an_array_like_a,
                "For whole numbers the errors are written into an array of whole numbers, which "
                "cuts off their fractions; and a relative error is never more than 1.",
                "integer inputs",
                0.2,
            ),
            Misconception(
                "difference-written-into-a",
                difference_written_into_a,
                "The difference is written into a itself: the caller's a is lost, and the size in "
                "the denominator is that of the difference. Make a new array.",
                "values",
                0.4,
            ),
        ),
        variants=(by_loop, by_division, by_sorting),
    ),
)
