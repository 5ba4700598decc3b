"""PCA and whitening: centred by whom, rotated onto what, scaled by which root."""

import numpy as np

from autograder.battery.functions import CONDUCT
from autograder.battery.rotations import Rotated
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.data import preprocessing as reference


def cloud(rng, n, d):
    """Correlated data with clearly different variances, away from the origin."""
    scales = 3.0 * 0.55 ** np.arange(d)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return np.round((rng.normal(size=(n, d)) * scales) @ turn + 2 * numbers(rng, d), 4)


def fewer(rng):
    """Fewer examples than features: the axes along which train does not vary are anyone's choice,
    so test lies among the examples of train, and is 0 along them too."""
    train = cloud(rng, 4, 6)
    weights = np.abs(numbers(rng, 3, 4)) + 0.1
    test = weights / weights.sum(axis=1, keepdims=True) @ train
    label = f"train of shape {train.shape}, test of shape {test.shape}"
    check = "fewer examples than features"
    return Case(label, {"train": train, "test": test}, check, extra={"tolerance": 1e-5})


def cases_for(*settings, few=False, eps=False):
    """Cases with the given further arguments, in turn; ``few``: with N < D some axes are kept;
    ``eps``: eigenvalues of the size of eps, and no eps at all."""

    def cases(rng):
        def case(
            n, m, d, more, check="", tags=(), dtype: type = np.float64, words="", spread=False,
            flat=False, size=1.0,
        ):  # fmt: skip
            both = size * cloud(rng, n + m, d)
            train, test = both[:n], both[n:] + 0.4 * size
            if flat:
                train, test = (np.insert(x, 1, 2.5, axis=1) for x in (train, test))
            args = {"train": train, "test": test}
            args = (strided(args) if spread else as_dtype(args, dtype)) | more
            given = "".join(f", {k} = {v:g}" for k, v in more.items())
            label = f"{words}train of shape {train.shape}, test of shape {test.shape}{given}"
            extra = {"tolerance": 1e-2 if dtype == np.float32 else 1e-6}
            return Case(label, args, check, frozenset(tags), extra)

        first = settings[0]
        sizes = ((9, 5, 4), (12, 3, 5), (8, 6, 3), (10, 4, 4))
        made = [
            case(*sizes[i], more, tags=[CONDUCT] if i == 0 else [])
            for i, more in enumerate(settings)
        ]
        if few:
            made.append(case(5, 3, 7, {"components": 3}, "fewer examples than features"))
        made.append(fewer(rng))
        if eps:
            made.append(case(10, 4, 4, {"eps": 0.0}, "eps = 0"))
            made.append(case(9, 5, 4, {}, "small spread", words="narrow ", size=0.01))
        whole = np.rint(8 * cloud(rng, 9, 3)).astype(np.int64)
        pixels = {"train": whole, "test": np.rint(8 * cloud(rng, 4, 3))} | first
        tags = frozenset({"any float", "may refuse"})
        return [
            *made,
            case(9, 1, 3, first, "one test example"),
            case(9, 4, 3, first, "a constant feature", words="one constant feature in ", flat=True),
            case(9, 4, 3, first, "non-contiguous", words="strided ", spread=True),
            case(10, 4, 3, first, "float32", dtype=np.float32, words="float32 "),
            Case("integer train of shape (9, 3)", pixels, "integer inputs", tags,
                 {"tolerance": 1e-6}),
        ]  # fmt: skip

    return cases


def axes(train, ddof=0, centre=True, ascending=False):
    """Mean, eigenvalues and eigenvectors of the covariance of train."""
    mean = train.mean(axis=0)
    centred = train - mean if centre else train
    values, vectors = np.linalg.eigh(centred.T @ centred / (len(train) - ddof))
    if not ascending:
        values, vectors = values[::-1], vectors[:, ::-1]
    return mean, np.maximum(values, 0), vectors


def correlated(train):
    """Mean, eigenvalues and eigenvectors of the correlations, largest first."""
    mean, std = train.mean(axis=0), train.std(axis=0)
    centred = train - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(train) / np.outer(std, std))
    return mean, np.maximum(values[::-1], 0), vectors[:, ::-1]


def kept(vectors, components):
    return vectors if components is None else vectors[:, :components]


def by_axes(rotate, **how):
    """PCA with one thing changed; ``rotate(x, mean, values, vectors, components)``."""

    def transform(train, test, components=None):
        mean, values, vectors = axes(train, **how)
        return tuple(rotate(x, mean, values, vectors, components) for x in (train, test))

    return transform


def straight(x, mean, values, vectors, components):
    return (x - mean) @ kept(vectors, components)


def second_set_by_its_own_axes(train, test, components=None):
    return tuple(
        straight(x, *axes(x), components) if len(x) > 1 else straight(x, *axes(train), components)
        for x in (train, test)
    )


def second_set_by_its_own_mean(train, test, components=None):
    mean, values, vectors = axes(train)
    first = straight(train, mean, values, vectors, components)
    return first, straight(test, test.mean(axis=0), values, vectors, components)


def second_set_not_centred(train, test, components=None):
    mean, values, vectors = axes(train)
    first = straight(train, mean, values, vectors, components)
    return first, straight(test, mean * 0, values, vectors, components)


def axes_of_all_data(train, test, components=None):
    mean, values, vectors = axes(np.concatenate([train, test]))
    return tuple(straight(x, mean, values, vectors, components) for x in (train, test))


def signs_apart(train, test, components=None):
    first, second = by_axes(straight)(train, test, components)
    return first, -second


def smallest_kept(x, mean, values, vectors, components):
    chosen = vectors if components is None else vectors[:, -components:]
    return (x - mean) @ chosen


def train_changed(train, test, components=None):
    answer = by_axes(straight)(train, test, components)
    if train.dtype.kind == "f":
        train -= train.mean(axis=0)
    return answer


def axes_of_the_correlation(train, test, components=None):
    return tuple(straight(x, *correlated(train), components) for x in (train, test))


def by_svd(train, test, components=None):
    mean = train.mean(axis=0)
    _, _, vt = np.linalg.svd(train - mean)
    k = len(vt) if components is None else components
    return np.dot(train - mean, vt[:k].T), np.dot(test - mean, vt[:k].T)


def few_axes(train, test, components=None):
    mean = train.mean(axis=0)
    _, _, vt = np.linalg.svd(train - mean, full_matrices=False)
    return (train - mean) @ vt[:components].T, (test - mean) @ vt[:components].T


def backwards(train, test, components=None):
    first, second = by_axes(straight)(train, test, components)
    return first[:, ::-1].copy(), second[:, ::-1].copy()


def by_sorting(train, test, components=None):
    mean = np.mean(train, axis=0)
    values, vectors = (np.real(a) for a in np.linalg.eig(np.cov(train.T)))
    order = np.argsort(values)[::-1][:components]
    chosen = vectors[:, order].astype(mean.dtype)
    return [(train - mean).dot(chosen), (test - mean).dot(chosen)]


def by_covariance(train, test, components=None):
    X, T = train - train.mean(0), test - train.mean(0)
    U, S, V = np.linalg.svd(X.T.dot(X) / X.shape[0])
    U = U[:, :components]
    return X.dot(U), T.dot(U)


def white(scale=None, rotate_back=False, **how):
    """Whitening with one thing changed; ``scale(eigenvalues, eps)`` divides."""
    divisor = scale or (lambda v, eps: np.sqrt(v + eps))

    def transform(train, test, eps=1e-5):
        mean, values, vectors = axes(train, **how)
        whitening = vectors / divisor(values, eps)
        if rotate_back:
            whitening = whitening @ vectors.T
        return tuple(((x - mean) @ whitening).astype(vectors.dtype) for x in (train, test))

    return transform


def white_own_statistics(train, test, eps=1e-5):
    first = white()(train, test, eps)[0]
    return first, white()(test, test, eps)[0] if len(test) > 1 else white()(train, test, eps)[1]


def white_own_deviations(train, test, eps=1e-5):
    mean, values, vectors = axes(train)
    answers = []
    for x in (train, test):
        turned = (x - mean) @ vectors
        spread = turned.var(axis=0) if len(x) > 1 else values
        answers.append(turned / np.sqrt(spread + eps))
    return tuple(answers)


def white_not_centred(train, test, eps=1e-5):
    mean, values, vectors = axes(train)
    return tuple(x @ (vectors / np.sqrt(values + eps)) for x in (train, test))


def white_always_small(train, test, eps=1e-5):
    return white()(train, test, 1e-5)


def white_by_correlation(train, test, eps=1e-5):
    mean, values, vectors = correlated(train)
    return tuple((x - mean) @ (vectors / np.sqrt(values + eps)) for x in (train, test))


def white_upside_down(train, test, eps=1e-5):
    mean, values, vectors = axes(train, ascending=True)
    whitening = vectors[::-1] / np.sqrt(values[::-1] + eps)
    return tuple(((x - mean) @ whitening).astype(vectors.dtype) for x in (train, test))


def white_by_svd(train, test, eps=1e-5):
    mean = train.mean(axis=0)
    _, s, vt = np.linalg.svd(train - mean)
    s = np.concatenate([s, np.zeros(len(vt) - len(s), s.dtype)])
    deviation = np.sqrt(s**2 / len(train) + eps)
    return ((train - mean) @ vt.T) / deviation, ((test - mean) @ vt.T) / deviation


def white_few_axes(train, test, eps=1e-5):
    mean = train.mean(axis=0)
    _, s, vt = np.linalg.svd(train - mean, full_matrices=False)
    whitening = vt.T / np.sqrt(s**2 / len(train) + eps)
    return ((train - mean) @ whitening), ((test - mean) @ whitening)


def white_by_singular_values(train, test, eps=1e-5):
    mean = train.mean(axis=0)
    _, s, vt = np.linalg.svd(train - mean)
    s = np.concatenate([s, np.zeros(len(vt) - len(s), s.dtype)])
    return tuple((x - mean) @ vt.T / np.sqrt(s + eps) for x in (train, test))


def white_in_cs231n_style(train, test, eps=1e-5):
    mean = np.mean(train, axis=0)
    X, T = train - mean, test - mean
    cov = np.dot(X.T, X) / X.shape[0]
    U, S, V = np.linalg.svd(cov)
    return np.dot(X, U) / np.sqrt(S + eps), np.dot(T, U) / np.sqrt(S + eps)


def white_by_loop(train, test, eps=1e-5):
    mean, values, vectors = axes(train)
    columns = [[], []]
    for k in range(len(values)):
        for place, x in zip(columns, (train, test)):
            place.append((x - mean) @ vectors[:, k] * (values[k] + eps) ** -0.5)
    return [np.column_stack(place).astype(vectors.dtype) for place in columns]


PCA = (
    Misconception(
        "not-centred",
        by_axes(lambda x, mean, v, axes, k: x @ kept(axes, k), centre=False),
        "The data are not centred, so the first axis points at the mean instead of along the "
        "largest spread.",
        "train",
        0.4,
    ),
    Misconception(
        "centred-for-the-axes-only",
        by_axes(lambda x, mean, v, axes, k: x @ kept(axes, k)),
        "The axes come from centred data, but what is rotated still has its mean.",
        "train",
        0.3,
    ),
    Misconception(
        "smallest-first",
        by_axes(straight, ascending=True),
        "The axes come in the order of growing variance, and the first few keep the least of the "
        "data. numpy's eigh sorts upwards: largest first is wanted.",
        "train",
        0.35,
    ),
    Misconception(
        "kept-axes-backwards",
        backwards,
        "The right axes are kept, but the one of the largest variance comes last: largest first is "
        "wanted.",
        "train",
        0.3,
        ("smallest-first",),
    ),
    Misconception(
        "fewer-axes-than-features",
        few_axes,
        "With fewer examples than features the result has too few columns. The economy form of "
        "the SVD gives only as many axes as there are examples; the covariance has one for each "
        "feature.",
        "train",
        0.15,
    ),
    Misconception(
        "smallest-kept",
        by_axes(smallest_kept),
        "The axes that are kept are those of the smallest variance.",
        "train",
        0.3,
    ),
    Misconception(
        "components-ignored",
        by_axes(lambda x, mean, v, axes, k: (x - mean) @ axes),
        "All axes are kept, whatever components says.",
        "train",
        0.25,
    ),
    Misconception(
        "rows-for-columns",
        by_axes(lambda x, mean, v, axes, k: (x - mean) @ kept(axes.T, k)),
        "The rows of the matrix of eigenvectors are used; eigh puts them in its columns.",
        "train",
        0.35,
    ),
    Misconception(
        "eigenvectors-upside-down",
        by_axes(lambda x, mean, v, axes, k: (x - mean) @ kept(axes[::-1], k), ascending=True),
        "To turn the order of the axes round you reverse the rows of the matrix of eigenvectors, "
        "which are their entries. eigh puts the eigenvectors in its columns.",
        "train",
        0.35,
    ),
    Misconception(
        "correlation-for-covariance",
        axes_of_the_correlation,
        "The axes are those of the correlation matrix, which forgets how much each feature varies. "
        "PCA looks for the directions of largest variance: take the covariance.",
        "train",
        0.35,
    ),
    Misconception(
        "whitened-as-well",
        by_axes(lambda x, mean, v, axes, k: (x - mean) @ kept(axes / np.sqrt(v + 1e-5), k)),
        "The axes are scaled to variance 1 as well. PCA only rotates.",
        "train",
        0.3,
    ),
    Misconception(
        "rotated-back",
        by_axes(lambda x, mean, v, axes, k: (x - mean) @ kept(axes, k) @ kept(axes, k).T),
        "The data are rotated onto the axes and back again. Stop after the first rotation.",
        "train",
        0.35,
    ),
    Misconception(
        "test-by-its-own-axes",
        second_set_by_its_own_axes,
        "The test set is rotated onto axes of its own, so its columns mean something else than "
        "those of the training set.",
        "test",
        0.4,
    ),
    Misconception(
        "test-by-its-own-mean",
        second_set_by_its_own_mean,
        "The test set is centred by its own mean; use that of the training set.",
        "test",
        0.35,
    ),
    Misconception(
        "test-not-centred",
        second_set_not_centred,
        "The test set is rotated without being centred by the training set's mean.",
        "test",
        0.35,
    ),
    Misconception(
        "axes-of-all-data",
        axes_of_all_data,
        "Mean and axes are taken of both sets together; the test set has leaked into training.",
        "train",
        0.4,
    ),
    Misconception(
        "signs-differ-between-the-sets",
        signs_apart,
        "The sign of an axis is free, but it must be the same for both sets.",
        "test",
        0.3,
    ),
    Misconception(
        "training-set-changed",
        train_changed,
        "The training set that you are given is changed; make a new array.",
        "conduct",
    ),
)

WHITEN = (
    Misconception(
        "fewer-axes-than-features",
        white_few_axes,
        "With fewer examples than features the result has too few columns. The economy form of "
        "the SVD gives only as many axes as there are examples; the covariance has one for each "
        "feature.",
        "train",
        0.15,
    ),
    Misconception(
        "eigenvectors-upside-down",
        white_upside_down,
        "To turn the order of the axes round you reverse the rows of the matrix of eigenvectors, "
        "which are their entries. eigh puts the eigenvectors in its columns.",
        "train",
        0.35,
    ),
    Misconception(
        "correlation-for-covariance",
        white_by_correlation,
        "Axes and eigenvalues are those of the correlation matrix, so the data are not "
        "decorrelated by them. Take the covariance.",
        "train",
        0.35,
    ),
    Misconception(
        "singular-values-for-eigenvalues",
        white_by_singular_values,
        "The singular values of the data are taken for the eigenvalues of the covariance. How do "
        "the two depend on each other, and on N?",
        "train",
        0.35,
    ),
    Misconception(
        "divided-by-the-eigenvalue",
        white(lambda v, eps: v + eps),
        "The axes are divided by their variance; the root of it gives variance 1.",
        "train",
        0.4,
    ),
    Misconception(
        "multiplied-by-the-deviation",
        white(lambda v, eps: 1 / np.sqrt(v + eps)),
        "The axes are stretched by their deviation; whitening divides by it.",
        "train",
        0.4,
    ),
    Misconception(
        "epsilon-outside-the-root",
        white(lambda v, eps: np.sqrt(v) + eps),
        "eps is added to the root; it belongs to the eigenvalue, inside.",
        "train",
        0.25,
    ),
    Misconception(
        "epsilon-forgotten",
        white(lambda v, eps: np.sqrt(v)),
        "eps never enters; an axis without variance divides 0 by 0.",
        "train",
        0.25,
    ),
    Misconception(
        "epsilon-hard-coded",
        white_always_small,
        "eps is always 1e-5, whatever it is asked to be.",
        "train",
        0.2,
    ),
    Misconception(
        "zero-epsilon-taken-for-none",
        white(lambda v, eps: np.sqrt(v + (eps or 1e-5))),
        "An eps of 0 is taken for no eps at all, and the default is used. 0 is false in Python, "
        "and yet it is a number that a caller may ask for.",
        "eps = 0",
        0.15,
    ),
    Misconception(
        "covariance-with-n-minus-one",
        white(ddof=1),
        "The covariance is divided by N−1; here it is divided by N, so that the covariance of the "
        "result is the identity.",
        "train",
        0.25,
    ),
    Misconception(
        "rotated-back",
        white(rotate_back=True),
        "The data are rotated back after scaling (ZCA). PCA whitening stays on the principal axes.",
        "train",
        0.3,
    ),
    Misconception(
        "not-scaled",
        white(lambda v, eps: np.ones_like(v)),
        "The data are rotated but not scaled; that is PCA alone.",
        "train",
        0.4,
    ),
    Misconception(
        "smallest-first",
        white(ascending=True),
        "The axes come in the order of growing variance; largest first is wanted.",
        "train",
        0.25,
    ),
    Misconception(
        "not-centred",
        white_not_centred,
        "What is rotated and scaled still has its mean.",
        "train",
        0.35,
    ),
    Misconception(
        "test-by-its-own-statistics",
        white_own_statistics,
        "The test set is whitened with statistics of its own; use those of the training set.",
        "test",
        0.4,
    ),
    Misconception(
        "test-by-its-own-deviations",
        white_own_deviations,
        "The test set is scaled by its own deviations; use the eigenvalues of the training set.",
        "test",
        0.35,
    ),
)

EXERCISES = (
    Exercise(
        name="pca",
        kind=Rotated(),
        reference={"pca": reference.pca},
        cases=cases_for({}, {"components": 3}, {"components": 2}, {"components": 1}, few=True),
        misconceptions=PCA,
        variants=(by_svd, by_sorting, by_covariance),
    ),
    Exercise(
        name="whiten",
        kind=Rotated(),
        reference={"whiten": reference.whiten},
        cases=cases_for({}, {"eps": 0.3}, {"eps": 0.05}, eps=True),
        misconceptions=WHITEN,
        variants=(white_by_svd, white_in_cs231n_style, white_by_loop),
    ),
)
