"""Softened one-hot targets."""

import numpy as np

from autograder.battery.functions import Function
from autograder.course.drawing import labels
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.losses import smooth_labels


def label_cases(rng):
    def case(n, classes, eps, words="", check=""):
        y = labels(rng, n, classes)
        args = {"y": y, "classes": classes, "eps": eps}
        return Case(words or f"{n} labels, {classes} classes and eps = {eps}", args, check)

    absent = {"y": np.array([1, 0, 2, 1]), "classes": 6, "eps": 0.05}
    return [
        case(5, 4, 0.1),
        case(7, 3, 0.05),
        case(2, 6, 0.02),
        case(4, 4, 0.2),
        case(1, 5, 0.04, check="N = 1"),
        Case("classes that no label names", absent, "absent classes"),
        case(6, 3, 0.0, "eps = 0", "eps = 0"),
        case(8, 2, 0.3, check="two classes"),
    ]


def smoothed(label, others):
    """Labels with the given values, each a function of (m, eps)."""

    def make(y, classes, eps):
        targets = np.full((len(y), classes), others(classes, eps), dtype=float)
        targets[np.arange(len(y)), y] = label(classes, eps)
        return targets

    return make


def into_integers(y, classes, eps):
    return smooth_labels(y, classes, eps).astype(y.dtype)


def transposed(y, classes, eps):
    return smooth_labels(y, classes, eps).T


def classes_from_the_labels(y, classes, eps):
    return smooth_labels(y, int(y.max()) + 1, eps)


def by_identity(y, classes, eps):
    return np.eye(classes)[y] * (1 - classes * eps) + eps


def by_lists(y, classes, eps):
    rows = [[1 - (classes - 1) * eps if c == t else eps for c in range(classes)] for t in y]
    return np.array(rows)


def by_comparison(y, classes, eps):
    hit = y[:, None] == np.arange(classes)[None]
    return np.where(hit, 1.0 - eps * (classes - 1), eps)


def whole_columns(y, classes, eps):
    targets = np.full((len(y), classes), float(eps))
    targets[:, y] = 1 - (classes - 1) * eps
    return targets


EXERCISES = (
    Exercise(
        name="smooth_labels",
        kind=Function(),
        reference={"smooth_labels": smooth_labels},
        cases=label_cases,
        misconceptions=(
            Misconception(
                "eps-spread-over-all-classes",
                smoothed(lambda m, eps: 1 - eps + eps / m, lambda m, eps: eps / m),
                "You mix with the uniform distribution, as some papers do. Here eps is what each "
                "wrong class gets.",
                "values",
            ),
            Misconception(
                "eps-spread-over-the-others",
                smoothed(lambda m, eps: 1 - eps, lambda m, eps: eps / (m - 1)),
                "You divide eps among the wrong classes. Here each of them gets eps.",
                "values",
            ),
            Misconception(
                "rows-do-not-add-up",
                smoothed(lambda m, eps: 1 - eps, lambda m, eps: eps),
                "The rows do not add up to 1: each wrong class takes eps from the label, and there "
                "are several.",
                "values",
            ),
            Misconception(
                "label-counted-among-the-others",
                smoothed(lambda m, eps: 1 - m * eps, lambda m, eps: eps),
                "The rows fall short of 1 by eps: how many classes take something from the label?",
                "values",
            ),
            Misconception(
                "label-keeps-one",
                smoothed(lambda m, eps: 1.0, lambda m, eps: eps),
                "The label keeps its 1, so the rows add up to more than 1.",
                "values",
            ),
            Misconception(
                "not-smoothed",
                smoothed(lambda m, eps: 1.0, lambda m, eps: 0.0),
                "These are plain one-hot rows; eps never enters.",
                "values",
            ),
            Misconception(
                "swapped",
                smoothed(lambda m, eps: eps, lambda m, eps: 1 - (m - 1) * eps),
                "The label gets what the others should get.",
                "values",
            ),
            Misconception(
                "targets-in-integers",
                into_integers,
                "The targets are stored in an array of whole numbers, which cuts probabilities "
                "down to 0.",
                "values",
            ),
            Misconception(
                "transposed",
                transposed,
                "There should be a row for each label and a column for each class.",
                "values",
            ),
            Misconception(
                "classes-from-the-labels",
                classes_from_the_labels,
                "The number of columns is taken from the largest label. A class may be absent from "
                "a batch; that is why classes is passed.",
                "absent classes",
                0.3,
            ),
            Misconception(
                "whole-columns",
                whole_columns,
                "The label's value stands in whole columns: every row has it at the labels of all. "
                "A row has one label, its own.",
                "values",
            ),
        ),
        variants=(by_identity, by_lists, by_comparison),
    ),
)
