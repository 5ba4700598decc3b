"""Preprocessing: whose statistics, over which axes, and where they are applied."""

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.data import preprocessing as reference

OUTPUTS = ("train", "test")


def cases_for(shapes, deep=None, tolerance=None, constant=False, integers=True):
    """Cases of a function of train and test whose examples have these shapes (N, M, …)."""

    def cases(rng):
        def pair(n, m, shape):
            # Each feature and channel with a mean and a spread of its own; test lies elsewhere.
            centre, spread = 3 * numbers(rng, *shape), np.abs(numbers(rng, *shape)) + 0.3
            train = np.round(centre + spread * numbers(rng, n, *shape), 3)
            return train, np.round(centre + 0.5 + spread * numbers(rng, m, *shape), 3)

        def case(n, m, shape, check="", tags=(), dtype=None, words="", spread=False, change=None,
                 loose=None):  # fmt: skip
            train, test = pair(n, m, shape)
            if change:
                change(train, test)
            args = {"train": train, "test": test}
            args = strided(args) if spread else as_dtype(args, dtype or np.float64)
            extra = {"tolerance": loose or tolerance} if loose or tolerance else {}
            if dtype is not None:
                extra = {"tolerance": 5e-4}
            label = f"{words}train of shape {train.shape} and test of shape {test.shape}"
            return Case(label, args, check, frozenset(tags), extra)

        def flat(train, test):
            train[:, 1] = test[:, 1] = 2.5

        def narrow(train, test):
            for x in (train, test):
                x[:, 1], x[:, 2] = 2.5 + 0.02 * x[:, 1], 2e-3 * x[:, 2]

        first = shapes[0]
        made = [case(*s, tags=[CONDUCT] if i == 0 else []) for i, s in enumerate(shapes)]
        made.append(case(5, 1, first[2], "one test example"))
        if deep:
            made.append(case(5, 3, deep, "more than two dimensions"))
        made += [
            case(5, 3, first[2], "non-contiguous", words="strided ", spread=True),
            case(6, 4, first[2], "float32", dtype=np.float32, words="float32 "),
        ]
        if constant:
            words = "one constant feature in "
            made.append(case(6, 4, (4,), "a constant feature", words=words, change=flat))
            words, loose = "two features of small spread in ", 1e-4  # for an eps of 1e-8
            made.append(case(7, 4, (4,), "small spread", words=words, change=narrow, loose=loose))
        if integers:
            train = rng.integers(0, 256, (6, *first[2]))
            test = rng.integers(0, 256, (4, *first[2])).astype(np.float64)
            label = f"pixels from 0 to 255, train of shape {train.shape}"
            tags = frozenset({"any float", "may refuse"})
            made.append(Case(label, {"train": train, "test": test}, "integer inputs", tags,
                             {"tolerance": 1e-5}))  # fmt: skip
        return made

    return cases


def by(statistics, apply=lambda x, s: x - s):
    """Both sets transformed with ``statistics(train)``."""
    return lambda train, test: (apply(train, statistics(train)), apply(test, statistics(train)))


def apart(statistics, apply=lambda x, s: x - s):
    """Each set transformed with its own."""
    return lambda train, test: (apply(train, statistics(train)), apply(test, statistics(test)))


def together(statistics, apply=lambda x, s: x - s):
    """Both transformed with the statistics of all data."""

    def transform(train, test):
        s = statistics(np.concatenate([train, test]))
        return apply(train, s), apply(test, s)

    return transform


def only_train(statistics, apply=lambda x, s: x - s):
    return lambda train, test: (apply(train, statistics(train)), test.copy())


def in_place(statistics):
    def transform(train, test):
        s = statistics(train)
        if train.dtype.kind == "f":
            train -= s
            return train, test - s
        return train - s, test - s

    return transform


def image(x):
    return x.mean(axis=0)


def channel(x):
    return x.mean(axis=(0, 2, 3), keepdims=True)


def moments(x, axis: int | None | tuple[int, ...] = 0, ddof=0):
    mean, std = x.mean(axis=axis, keepdims=True), x.std(axis=axis, ddof=ddof, keepdims=True)
    return mean, np.where(std < 1e-9, 1, std).astype(std.dtype)


def scale(x, s):
    return (x - s[0]) / s[1]


def shared(name, statistics, apply=lambda x, s: x - s):
    """What goes wrong with every transform."""
    return (
        Misconception(
            "test-by-its-own-statistics",
            apart(statistics, apply),
            "The test set is transformed with statistics of its own. It stands for data nobody has "
            "seen: use those of the training set, or the two no longer speak of the same thing.",
            "test",
            0.4,
        ),
        Misconception(
            "statistics-of-all-data",
            together(statistics, apply),
            "The statistics are taken of training and test set together, so that the test set has "
            "leaked into training. Use the training set alone.",
            "train",
            0.4,
        ),
        Misconception(
            "test-left-as-it-is",
            only_train(statistics, apply),
            "The test set comes back as it was. What the network has learned to expect must be "
            "done to it as well.",
            "test",
            0.4,
        ),
        Misconception(
            "sets-swapped",
            lambda train, test: (
                apply(test, statistics(train)),
                apply(train, statistics(train)),
            ),
            "Training set first, test set second.",
            "train",
            0.3,
        ),
    )


def wrong(code, implementation, sentence, aspect="train", severity=0.4):
    return Misconception(code, implementation, sentence, aspect, severity)


def image_by_loop(train, test):
    total = np.zeros(train.shape[1:])
    for example in train:
        total += example
    mean = total / len(train)
    as_given = train.dtype if train.dtype.kind == "f" else np.float64
    return (train - mean).astype(as_given), (test - mean).astype(test.dtype)


def image_by_einsum(train, test):
    mean = np.einsum("n...->...", train) / train.shape[0]
    return [train - mean[None], test - mean[None]]


def image_by_rows(train, test):
    rows = train.reshape(len(train), -1)
    mean = np.sum(rows, axis=0) / len(rows)
    return train - mean.reshape(train.shape[1:]), test - mean.reshape(test.shape[1:])


def channel_by_loop(train, test):
    as_given = train.dtype if train.dtype.kind == "f" else np.float64
    a, b = np.array(train, dtype=as_given), test.copy()
    for c in range(train.shape[1]):
        m = train[:, c].mean()
        a[:, c] -= m
        b[:, c] -= m
    return a, b


def channel_by_moving(train, test):
    rows = np.moveaxis(train, 1, -1).reshape(-1, train.shape[1])
    mean = rows.mean(axis=0).reshape(1, -1, 1, 1)
    return train - mean, test - mean


def channel_in_steps(train, test):
    mean = train.mean(axis=0).mean(axis=1).mean(axis=1)
    return train - mean[:, None, None], test - mean[:, None, None]


def standard_by_loop(train, test):
    as_given = train.dtype if train.dtype.kind == "f" else np.float64
    a, b = np.array(train, as_given), np.array(test)
    rows, more = a.reshape(len(a), -1), b.reshape(len(b), -1)
    for j in range(rows.shape[1]):
        m, s = np.mean(rows[:, j]), np.std(rows[:, j])
        rows[:, j] = (rows[:, j] - m) / (s if s > 1e-12 else 1)
        more[:, j] = (more[:, j] - m) / (s if s > 1e-12 else 1)
    return rows.reshape(a.shape), more.reshape(b.shape)


def standard_with_epsilon(train, test):
    mean, std = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / (std + 1e-8), (test - mean) / (std + 1e-8)


def standard_by_moments(train, test):
    mean = np.sum(train, axis=0) / len(train)
    centred = train - mean
    var = (centred * centred).sum(axis=0) / len(train)
    std = np.sqrt(np.maximum(var, 1e-20)).astype(centred.dtype)
    return centred / std, (test - mean) / std


IMAGES = ((5, 3, (2, 3, 4)), (7, 4, (3, 2, 2)), (4, 6, (2, 4, 3)))

EXERCISES = (
    Exercise(
        name="subtract_mean_image",
        kind=Function(OUTPUTS),
        reference={"subtract_mean_image": reference.subtract_mean_image},
        cases=cases_for(((5, 3, (2, 3, 4)), (7, 4, (6,)), (4, 6, (3, 5))), deep=(2, 2, 3, 2)),
        misconceptions=(
            *shared("subtract_mean_image", image),
            wrong(
                "one-mean-for-all",
                by(lambda x: x.mean()),
                "One number is subtracted everywhere. The mean image has a mean for each pixel: "
                "average over the examples only.",
            ),
            wrong(
                "mean-of-each-example",
                lambda train, test: tuple(
                    x - x.mean(axis=tuple(range(1, x.ndim)), keepdims=True) for x in (train, test)
                ),
                "Each example loses its own mean. The mean image is an average over the examples, "
                "the same for all of them.",
            ),
            wrong(
                "mean-over-the-last-axis",
                by(lambda x: x.mean(axis=0).mean(axis=-1, keepdims=True)),
                "The mean runs over a further axis. The mean image has the shape of an image.",
            ),
            wrong(
                "median-for-mean",
                by(lambda x: np.median(x, axis=0).astype(x.dtype)),
                "The median is subtracted; the mean is asked for.",
            ),
            wrong(
                "scaled-as-well",
                by(moments, scale),
                "The data are divided by their standard deviation as well; here they are only "
                "centred.",
            ),
            Misconception(
                "training-set-changed",
                in_place(image),
                "The training set that you are given is changed; make a new array.",
                "conduct",
            ),
        ),
        variants=(image_by_loop, image_by_einsum, image_by_rows),
    ),
    Exercise(
        name="subtract_channel_mean",
        kind=Function(OUTPUTS),
        reference={"subtract_channel_mean": reference.subtract_channel_mean},
        cases=cases_for(IMAGES),
        misconceptions=(
            *shared("subtract_channel_mean", channel),
            wrong(
                "mean-image-for-channel-mean",
                by(image),
                "Each pixel loses a mean of its own. A channel has one mean, over all examples, "
                "rows and columns.",
            ),
            wrong(
                "one-mean-for-all",
                by(lambda x: x.mean()),
                "All channels lose the same number; each has a mean of its own.",
            ),
            wrong(
                "mean-of-each-image",
                lambda train, test: tuple(
                    x - x.mean(axis=(2, 3), keepdims=True) for x in (train, test)
                ),
                "The channels of each image lose their own mean, so that brightness is lost. "
                "Average over the examples too.",
            ),
            wrong(
                "reshaped-without-moving-the-channels",
                by(lambda x: x.reshape(x.shape[1], -1).mean(axis=1)[:, None, None]),
                "A reshape to C rows does not gather the channels: the images come first, so each "
                "row is a mixture of several. Bring the axis of the channels to the front before "
                "you reshape, or average over the other axes.",
            ),
            wrong(
                "last-axis-for-channels",
                by(lambda x: x.mean(axis=(0, 1, 2), keepdims=True)),
                "The columns are taken for channels. Images are (N, C, H, W): the channels are "
                "axis 1.",
            ),
            Misconception(
                "training-set-changed",
                in_place(channel),
                "The training set that you are given is changed; make a new array.",
                "conduct",
            ),
        ),
        variants=(channel_by_loop, channel_by_moving, channel_in_steps),
    ),
    Exercise(
        name="standardize",
        kind=Function(OUTPUTS),
        reference={"standardize": reference.standardize},
        cases=cases_for(
            ((6, 4, (5,)), (8, 3, (3,)), (5, 7, (4,))),
            deep=(2, 3, 2),
            tolerance=1e-6,
            constant=True,
        ),
        misconceptions=(
            *shared("standardize", moments, scale),
            wrong(
                "deviation-with-n-minus-one",
                by(lambda x: moments(x, ddof=1), scale),
                "The standard deviation is divided by N−1; here it describes the training set and "
                "is divided by N.",
                severity=0.25,
            ),
            wrong(
                "one-scale-for-all",
                by(lambda x: moments(x, None), scale),
                "One mean and one deviation serve all features. Each feature has its own units: "
                "take them over the examples only.",
            ),
            wrong(
                "each-example-for-itself",
                lambda train, test: tuple(
                    scale(x, moments(x, tuple(range(1, x.ndim)))) for x in (train, test)
                ),
                "Each example is standardised over its features. Compare the examples, feature by "
                "feature.",
            ),
            wrong(
                "variance-for-deviation",
                by(lambda x: (moments(x)[0], moments(x)[1] ** 2), scale),
                "The features are divided by their variance; the standard deviation is its root.",
            ),
            wrong(
                "not-centred",
                by(moments, lambda x, s: x / s[1]),
                "The features are scaled but keep their mean: subtract it first.",
            ),
            wrong(
                "only-centred",
                by(moments, lambda x, s: x - s[0]),
                "The features are centred but keep their spread.",
            ),
            wrong(
                "scaled-to-the-range",
                by(
                    lambda x: (x.mean(axis=0), np.maximum(np.ptp(x, axis=0), 1e-9)),
                    lambda x, s: ((x - s[0]) / s[1]).astype(
                        x.dtype if x.dtype.kind == "f" else float
                    ),
                ),
                "The features are divided by their range; the standard deviation is asked for.",
            ),
            wrong(
                "constant-feature-becomes-nan",
                by(lambda x: (x.mean(axis=0), x.std(axis=0)), scale),
                "A feature that is the same for all examples has the deviation 0, and 0 divided by "
                "0 is NaN. It should become 0.",
                "a constant feature",
                0.15,
            ),
            wrong(
                "small-spread-taken-for-none",
                by(
                    lambda x: (x.mean(axis=0), np.where(x.std(axis=0) < 0.1, 1, x.std(axis=0))),
                    lambda x, s: scale(x, s).astype(x.dtype if x.dtype.kind == "f" else float),
                ),
                "A feature of small spread is left as if it were constant. How large a spread is "
                "depends on the unit (metres or kilometres): only one of 0 cannot be scaled.",
                "small spread",
                0.2,
            ),
            wrong(
                "one-deviation-for-all",
                by(
                    lambda x: (x.mean(axis=0), (x - x.mean(axis=0)).std()),
                    lambda x, s: ((x - s[0]) / s[1]).astype(
                        x.dtype if x.dtype.kind == "f" else float
                    ),
                ),
                "The mean is taken feature by feature, but one deviation serves all features, so "
                "that they keep their different spreads.",
            ),
        ),
        variants=(standard_by_loop, standard_with_epsilon, standard_by_moments),
    ),
)
