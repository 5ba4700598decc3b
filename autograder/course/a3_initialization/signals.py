"""What weights do to signals: activation statistics, dead units."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.functions import CONDUCT, Function
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn import initializers as reference


def stack(rng, sizes, spread=1.0):
    """Weight matrices of a stack, each far from unit variance in its own way."""
    return [
        np.round(spread * (0.4 + 0.5 * k) * rng.normal(size=(i, o)), 3)
        for k, (i, o) in enumerate(zip(sizes, sizes[1:]))
    ]


def statistics_cases(rng):
    def case(n, sizes, kind, check="", dtype: type = np.float64, words="", spread=1.0, dead=False,
             odd=False):  # fmt: skip
        weights = stack(rng, sizes, spread)
        x = np.round(rng.normal(0.2, 1.0, (n, sizes[0])), 3)
        if dead:
            # Positive inputs and a column of negative weights: dead for relu, negative for tanh.
            x = np.abs(x) + 0.1
            weights[0][:, 1] = -np.abs(weights[0][:, 1]) - 0.1
            weights[0][:, 4] = -np.abs(weights[0][:, 4]) - 0.1
            weights[0][:, 2] = 1e-10 * (np.abs(weights[0][:, 2]) + 0.1)  # weak, but alive
        if odd:  # a unit that sees an input only once with either sign
            x[1::2, 0] = -x[::2, 0]
            weights[0][:, 1] = 0.5 * (np.arange(sizes[0]) == 0)
        args = as_dtype({"x": x}, dtype)
        given = {
            "weights": [w.astype(dtype) for w in weights],
            "x": args["x"],
            "nonlinearity": kind,
        }
        label = f"{words}{n} inputs, layers of sizes {list(sizes)}, {kind}"
        return Case(label, given, check, extra={"tolerance": 1e-3 if dtype == np.float32 else 1e-6})

    return [
        case(12, (4, 7, 5), "relu", dead=True),
        case(9, (5, 6, 4, 7), "tanh", spread=1.5, dead=True),
        case(15, (3, 8, 6), "relu", dead=True),
        case(10, (4, 5, 6), "identity"),
        case(1, (4, 5, 6), "relu", "N = 1"),
        case(8, (5, 6), "tanh", "one layer", dead=True),
        case(10, (3, 5), "tanh", "sums that cancel", odd=True),
        case(14, (4, 6, 5), "tanh", "float32", np.float32, "float32: "),
    ]


def describe(h):
    return {
        "mean": float(h.mean()),
        "std": float(h.std()),
        "saturated": float((np.abs(h) > 0.99).mean()),
        "dead": float((h == 0).all(axis=0).mean()),
    }


def statistics(follow=None, look=None, first=False, **changed):
    """Activation statistics with one thing changed; ``changed`` gives other numbers."""

    def activation_statistics(weights, x, nonlinearity):
        h, rows = x, [describe(x)] if first else []
        for w in weights:
            before = h @ w
            after = nonlinearity(before)
            shown = look(before, after) if look else after
            row = describe(shown)
            row |= {key: float(number(shown)) for key, number in changed.items()}
            rows.append(row)
            h = follow(before, after, x) if follow else after
        return rows

    return activation_statistics


def std_of_each_unit(h):
    return h.std(axis=0).mean()


def one_short(weights, x, nonlinearity):
    return statistics()(weights, x, nonlinearity)[:-1]


def one_dict(weights, x, nonlinearity):
    rows = statistics()(weights, x, nonlinearity)
    return {key: [row[key] for row in rows] for key in rows[0]}


def statistics_by_loop(weights, x, nonlinearity):
    out = []
    activations = x
    for layer in range(len(weights)):
        activations = nonlinearity(np.dot(activations, weights[layer]))
        n, m = activations.shape
        never = sum(bool(np.all(activations[:, j] == 0)) for j in range(m))
        over = np.count_nonzero((activations > 0.99) | (activations < -0.99))
        out.append({
            "mean": np.mean(activations),
            "std": np.std(activations),
            "saturated": over / (n * m),
            "dead": never / m,
        })  # fmt: skip
    return out


def statistics_by_sums(weights, x, nonlinearity):
    out, h = [], x.copy()
    for w in weights:
        h = nonlinearity(np.einsum("nd,dm->nm", h, w))
        flat = h.ravel().astype(np.float64)
        mean = flat.sum() / flat.size
        out.append(
            dict(
                mean=mean,
                std=(((flat - mean) ** 2).sum() / flat.size) ** 0.5,
                saturated=np.mean(flat**2 > 0.99**2),
                dead=np.mean(~h.any(axis=0)),
            )
        )
    return tuple(out)  # fmt: skip


def statistics_in_two_passes(weights, x, nonlinearity):
    layers = [x]
    for w in weights:
        layers.append(nonlinearity(layers[-1] @ w))
    return [
        {
            "dead": np.float64(np.sum(np.abs(h).max(axis=0) == 0)) / h.shape[1],
            "saturated": (abs(h) > 0.99).sum() / h.size,
            "mean": h.mean(),
            "std": np.sqrt(h.var()),
            "layer": k,
        }
        for k, h in enumerate(layers[1:])
    ]


def unit_cases(rng):
    def case(n, m, dead, check="", tags=(), dtype: type = np.float64, words="", weak=(), once=()):
        h = np.maximum(numbers(rng, n, m), 0)
        h[rng.integers(n), :] += 0.3
        h[n // 2, 0] = h[0, m - 1] = 0.0
        h[:, dead] = 0.0
        alive = [j for j in range(m) if j not in dead]
        for j in alive:
            h[j % n, j] = 0.7
        for j in weak:
            h[:, j] = 0.0
            h[j, j] = 2e-10
        for j, i in once:
            h[:, j] = 0.0
            h[i, j] = 0.7
        label = f"{words}activations of shape {(n, m)} with {len(dead)} dead units"
        return Case(label, {"activations": h.astype(dtype)}, check, frozenset(tags))

    return [
        case(6, 8, [1, 4], tags=[CONDUCT]),
        case(9, 5, [0, 3, 4]),
        case(4, 7, [6]),
        case(5, 5, [2], tags=["square"]),
        case(5, 4, [], "no dead units"),
        case(5, 3, [0, 1, 2], "all units dead"),
        case(1, 6, [2, 3], "N = 1"),
        case(7, 5, [3], "units that fire once", once=[(0, 0), (1, -1), (4, -1)]),
        case(9, 6, [2], "units that fire once and weakly", weak=[0, 4]),
        case(6, 4, [1], "float32", dtype=np.float32, words="float32 "),
    ]


def dead_by_loop(activations):
    out = []
    for unit in activations.T:
        out.append(all(value == 0 for value in unit))
    return np.array(out, dtype=bool)


def dead_by_any(activations):
    return ~np.any(activations > 0, axis=0)


def dead_by_sum(activations):
    return np.sum(activations, axis=0) == 0


def wrong(code, implementation, sentence, aspect="values", severity=None):
    return Misconception(code, implementation, sentence, aspect, severity)


STATISTICS = (
    wrong(
        "before-the-nonlinearity",
        statistics(look=lambda before, after: before),
        "The numbers describe what comes in front of the nonlinearity; the activations are what "
        "comes out of it.",
        "mean",
        0.4,
    ),
    wrong(
        "nonlinearity-left-out-on-the-way",
        statistics(follow=lambda before, after, x: before),
        "The signal goes on without the nonlinearity.",
        "mean",
        0.4,
    ),
    wrong(
        "input-counted-as-a-layer",
        statistics(first=True),
        "The input has a dictionary too, so there is one too many; there is one for each layer.",
        "number of layers",
        0.3,
    ),
    wrong(
        "last-layer-missing",
        one_short,
        "The last layer is missing.",
        "number of layers",
        0.3,
    ),
    wrong(
        "one-dict-of-lists",
        one_dict,
        "A dict of lists comes back; a list with one dict for each layer is wanted.",
        "mean",
        0.3,
    ),
    wrong(
        "variance-for-deviation",
        statistics(std=np.var),
        "'std' holds the variance; the standard deviation is its root.",
        "std",
        0.2,
    ),
    wrong(
        "deviation-of-each-unit",
        statistics(std=std_of_each_unit),
        "'std' is the average of each unit's own deviation. Take it over all entries at once.",
        "std",
        0.2,
    ),
    wrong(
        "deviation-with-n-minus-one",
        statistics(std=lambda h: h.std(ddof=1)),
        "'std' is divided by one less than the number of entries; divide by the number.",
        "std",
        0.2,
    ),
    wrong(
        "mean-of-sizes",
        statistics(mean=lambda h: np.abs(h).mean()),
        "'mean' is the mean of absolute values; keep the signs.",
        "mean",
        0.2,
    ),
    wrong(
        "only-positive-saturation",
        statistics(saturated=lambda h: (h > 0.99).mean()),
        "Only values above 0.99 count as saturated. tanh saturates at −1 as well.",
        "saturated",
        0.2,
    ),
    wrong(
        "saturation-counted",
        statistics(saturated=lambda h: (np.abs(h) > 0.99).sum()),
        "'saturated' is a count; the fraction of all entries is wanted.",
        "saturated",
        0.2,
    ),
    wrong(
        "saturation-from-0.9",
        statistics(saturated=lambda h: (np.abs(h) > 0.9).mean()),
        "Entries count as saturated from 0.9 on; the limit is 0.99.",
        "saturated",
        0.2,
    ),
    wrong(
        "zeros-counted-for-dead-units",
        statistics(dead=lambda h: (h == 0).mean()),
        "'dead' is the fraction of zeros. A unit is dead only if it is zero for every input: look "
        "at whole columns.",
        "dead",
        0.25,
    ),
    wrong(
        "dead-if-zero-once",
        statistics(dead=lambda h: (h == 0).any(axis=0).mean()),
        "A unit counts as dead as soon as it is zero for one input; it must be so for all.",
        "dead",
        0.25,
    ),
    wrong(
        "dead-inputs",
        statistics(dead=lambda h: (h == 0).all(axis=1).mean()),
        "'dead' looks at the rows, which are inputs; units are columns.",
        "dead",
        0.25,
    ),
    wrong(
        "dead-units-counted",
        statistics(dead=lambda h: (h == 0).all(axis=0).sum()),
        "'dead' is a count; the fraction of all units is wanted.",
        "dead",
        0.2,
    ),
    wrong(
        "weak-units-counted-as-dead",
        statistics(dead=lambda h: (np.abs(h).max(axis=0) < 1e-3).mean()),
        "Units that fire weakly count as dead. Dead means 0 for every input, without a threshold: "
        "a weak unit still gets a gradient.",
        "dead",
        0.2,
    ),
    wrong(
        "dead-by-the-sum",
        statistics(dead=lambda h: (np.abs(h.sum(axis=0)) < 1e-12).mean()),
        "A unit counts as dead when its activations add up to 0. Where they may be negative, "
        "living ones can cancel: look at each of them.",
        "dead",
        0.2,
    ),
    wrong(
        "negative-counts-as-dead",
        statistics(dead=lambda h: (h <= 0).all(axis=0).mean()),
        "Units that are always negative count as dead. With tanh these are alive; dead means "
        "exactly zero.",
        "dead",
        0.2,
    ),
)

DEAD = (
    wrong(
        "inputs-for-units",
        lambda activations: (activations == 0).all(axis=1),
        "You look along the rows, which are examples. A unit is a column: go over the examples.",
        severity=0.5,
    ),
    wrong(
        "zero-once-is-enough",
        lambda activations: (activations == 0).any(axis=0),
        "A unit counts as dead as soon as it is silent for one example; it must be so for all.",
        severity=0.5,
    ),
    wrong(
        "living-units",
        lambda activations: (activations > 0).any(axis=0),
        "The units that fire are marked; the others are wanted.",
        severity=0.4,
    ),
    wrong(
        "indices-for-marks",
        lambda activations: np.flatnonzero((activations == 0).all(axis=0)),
        "The numbers of the dead units come back; one boolean for each unit is wanted.",
        severity=0.3,
    ),
    wrong(
        "a-count",
        lambda activations: np.sum((activations == 0).all(axis=0)),
        "How many units are dead comes back; one boolean for each unit is wanted.",
        severity=0.4,
    ),
    wrong(
        "an-axis-left-over",
        lambda activations: (activations == 0).all(axis=0, keepdims=True),
        "The result has an axis of length 1 too many; it should be (M,).",
        severity=0.25,
    ),
    wrong(
        "numbers-for-booleans",
        lambda activations: (activations == 0).all(axis=0).astype(int),
        "The result holds 0 and 1 as integers. As an index these pick units 0 and 1; booleans "
        "pick the dead ones.",
        severity=0.25,
    ),
    wrong(
        "weak-units-counted-as-dead",
        lambda activations: activations.max(axis=0) < 1e-3,
        "A unit that fires rarely or weakly counts as dead. Dead means 0 for every example, "
        "without a threshold: a weak unit still gets a gradient.",
        "units that fire once and weakly",
        0.2,
    ),
    wrong(
        "mostly-silent",
        lambda activations: (activations == 0).mean(axis=0) >= 0.5,
        "A unit that is silent for most examples counts as dead; it must be silent for all.",
        severity=0.4,
    ),
)

EXERCISES = (
    Exercise(
        name="activation_statistics",
        kind=Scripted("layer_statistics"),
        reference={"activation_statistics": reference.activation_statistics},
        cases=statistics_cases,
        misconceptions=STATISTICS,
        variants=(statistics_by_loop, statistics_by_sums, statistics_in_two_passes),
    ),
    Exercise(
        name="dead_units",
        kind=Function(),
        reference={"dead_units": reference.dead_units},
        cases=unit_cases,
        misconceptions=DEAD,
        variants=(dead_by_loop, dead_by_any, dead_by_sum),
    ),
)
