"""Orthogonal matrices: orthonormal, of either shape, and with no favoured signs."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.exercise import Case, Exercise, Misconception
from cs_nn import initializers as reference


def orthogonal_cases(rng):
    def case(shape, check=""):
        args = {"fan_in": shape[0], "fan_out": shape[1], "seed": int(rng.integers(1, 2**31))}
        return Case(f"fan_in = {shape[0]}, fan_out = {shape[1]}", args, check)

    return [
        case((7, 4)),
        case((5, 9)),
        case((12, 5)),
        case((6, 6), "square"),
        case((8, 1), "one unit"),
        case((1, 6), "one input"),
    ]


def corrected(q, r):
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)


def tall(fan_in, fan_out, rng):
    return rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))


def upright(q, fan_in, fan_out):
    return q if fan_in >= fan_out else q.T


def signs_uncorrected(fan_in, fan_out, rng):
    return upright(np.linalg.qr(tall(fan_in, fan_out, rng))[0], fan_in, fan_out)


def only_tall(fan_in, fan_out, rng):
    """QR of the matrix as it stands: for wide ones the shape comes out wrong."""
    q, r = np.linalg.qr(rng.standard_normal((fan_in, fan_out)))
    return corrected(q, r[: q.shape[1], : q.shape[1]])


def square_cut(fan_in, fan_out, rng):
    """Columns of a square orthogonal matrix for tall, but also where rows should be."""
    q, r = np.linalg.qr(rng.standard_normal((fan_in, fan_in)))
    q = corrected(q, r)
    return q[:, np.arange(fan_out) % fan_in]


def normalised_columns(fan_in, fan_out, rng):
    w = rng.standard_normal((fan_in, fan_out))
    return w / np.linalg.norm(w, axis=0 if fan_in >= fan_out else 1, keepdims=True)


def gaussian(fan_in, fan_out, rng):
    return rng.standard_normal((fan_in, fan_out)) / np.sqrt(max(fan_in, fan_out))


def scaled_orthogonal(fan_in, fan_out, rng):
    return np.sqrt(2) * reference.orthogonal_init(fan_in, fan_out, rng)


def turned_orthogonal(fan_in, fan_out, rng):
    return reference.orthogonal_init(fan_out, fan_in, rng)


def the_triangle(fan_in, fan_out, rng):
    q, r = np.linalg.qr(tall(fan_in, fan_out, rng))
    wide = np.zeros((max(fan_in, fan_out), min(fan_in, fan_out)))
    wide[: len(r)] = r
    return upright(wide, fan_in, fan_out)


def always_the_same(fan_in, fan_out, rng):
    return reference.orthogonal_init(fan_in, fan_out, np.random.default_rng(0))


def an_identity(fan_in, fan_out, rng):
    return np.eye(fan_in, fan_out)


def by_polar(fan_in, fan_out, rng):
    """U·Vᵀ of a Gaussian matrix is uniformly distributed as well, without any correction."""
    u, _, vt = np.linalg.svd(rng.standard_normal((fan_in, fan_out)), full_matrices=False)
    return u @ vt


def by_gram_schmidt(fan_in, fan_out, rng):
    vectors = []
    for _ in range(min(fan_in, fan_out)):
        v = rng.standard_normal(max(fan_in, fan_out))
        for _ in range(2):
            for u in vectors:
                v = v - (u @ v) * u
        vectors.append(v / np.linalg.norm(v))
    return np.array(vectors) if fan_in < fan_out else np.array(vectors).T


def by_sign_of_diagonal(fan_in, fan_out, rng):
    flat = rng.normal(0.0, 1.0, (fan_in, fan_out))
    if fan_in < fan_out:
        flat = flat.T
    q, r = np.linalg.qr(flat)
    q *= np.sign(np.diag(r))
    return q.T if fan_in < fan_out else q


ORTHOGONAL = (
    Misconception(
        "signs-not-corrected",
        signs_uncorrected,
        "The columns are orthonormal, but some entries always have the same sign: QR is unique "
        "only up to signs, and the library chooses them by a rule. Multiply each column with the "
        "sign of its diagonal entry of R.",
        "signs",
        0.2,
    ),
    Misconception(
        "only-tall-matrices",
        only_tall,
        "Where fan_out is larger than fan_in the matrix has the wrong shape: there cannot be more "
        "orthonormal columns than rows. Make the rows orthonormal then.",
        "shape",
        0.35,
    ),
    Misconception(
        "columns-repeated",
        square_cut,
        "Where fan_out is larger than fan_in, columns come twice. Make the rows orthonormal then.",
        "orthonormal",
        0.35,
    ),
    Misconception(
        "only-normalised",
        normalised_columns,
        "The vectors have length 1 but are not orthogonal to each other.",
        "orthonormal",
        0.5,
    ),
    Misconception(
        "plain-gaussian",
        gaussian,
        "The matrix is Gaussian. In high dimensions its columns are nearly orthogonal, but only "
        "nearly: decompose it.",
        "orthonormal",
        0.6,
    ),
    Misconception(
        "scaled",
        scaled_orthogonal,
        "The vectors are orthogonal but not of length 1: no gain is asked for here.",
        "orthonormal",
        0.3,
    ),
    Misconception(
        "transposed",
        turned_orthogonal,
        "The matrix is (fan_out, fan_in); rows are inputs and columns are units.",
        "shape",
        0.3,
    ),
    Misconception(
        "the-triangular-factor",
        the_triangle,
        "This is the triangular factor R of the decomposition; Q is the orthogonal one.",
        "orthonormal",
        0.5,
    ),
    Misconception(
        "generator-ignored",
        always_the_same,
        "The draws start from a seed of their own, so every layer of a shape gets the same matrix. "
        "Use the generator that you are given.",
        "rng",
        0.3,
    ),
    Misconception(
        "nothing-is-drawn",
        an_identity,
        "The matrix is an identity: orthonormal, but not random. Units should differ from layer to "
        "layer.",
        "signs",
        0.5,
    ),
)


EXERCISES = (
    Exercise(
        name="orthogonal_init",
        kind=Scripted("orthogonal"),
        reference={"orthogonal_init": reference.orthogonal_init},
        cases=orthogonal_cases,
        misconceptions=ORTHOGONAL,
        variants=(by_polar, by_gram_schmidt, by_sign_of_diagonal),
    ),
)
