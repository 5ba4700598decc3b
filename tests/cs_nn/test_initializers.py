"""Initialisers, judged by distribution; LSUV; and the statistics that show what they do."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cs_nn.initializers import (
    activation_statistics,
    constant_init,
    dead_units,
    geometric_init,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lsuv_init,
    orthogonal_init,
    small_random_init,
    xavier_normal,
    xavier_uniform,
)
from tests.numerical import Unchanged

# Strongly rectangular, so that one fan cannot pass for the other.
SHAPES = [(400, 30), (30, 400)]
NORMAL = {
    small_random_init: lambda m, n: 0.01,
    xavier_normal: lambda m, n: np.sqrt(2 / (m + n)),
    kaiming_normal: lambda m, n: np.sqrt(2 / m),
    lecun_normal: lambda m, n: np.sqrt(1 / m),
    geometric_init: lambda m, n: (m * n) ** -0.25,
}
UNIFORM = {
    xavier_uniform: lambda m, n: np.sqrt(6 / (m + n)),
    kaiming_uniform: lambda m, n: np.sqrt(6 / m),
}
ALL = [constant_init, orthogonal_init, *NORMAL, *UNIFORM]


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize("init", ALL)
def test_shape_dtype_and_reproducibility(init):
    w = init(5, 3, np.random.default_rng(1))
    assert w.shape == (5, 3)
    assert w.dtype == np.float64
    np.testing.assert_array_equal(w, init(5, 3, np.random.default_rng(1)))
    assert init(1, 1, np.random.default_rng(1)).shape == (1, 1)


@pytest.mark.parametrize("init", [orthogonal_init, *NORMAL, *UNIFORM])
def test_draws_go_on_from_the_generator(init):
    rng = np.random.default_rng(1)
    assert (init(5, 3, rng) != init(5, 3, rng)).any()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("init", NORMAL)
def test_normal_with_the_right_standard_deviation(init, shape):
    w = init(*shape, np.random.default_rng(7))
    assert stats.kstest(w.ravel() / NORMAL[init](*shape), stats.norm.cdf).pvalue > 1e-4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("init", UNIFORM)
def test_uniform_within_the_right_limit(init, shape):
    w = init(*shape, np.random.default_rng(7))
    limit = UNIFORM[init](*shape)
    assert abs(w).max() <= limit
    assert stats.kstest(w.ravel(), stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-4


def test_parameters_that_are_not_the_default():
    assert (constant_init(2, 3) == 0).all()
    assert (constant_init(2, 3, value=0.5) == 0.5).all()
    rng = np.random.default_rng
    np.testing.assert_allclose(
        small_random_init(5, 3, rng(0), scale=1), 100 * small_random_init(5, 3, rng(0))
    )
    np.testing.assert_allclose(geometric_init(5, 3, rng(0), c=4), 2 * geometric_init(5, 3, rng(0)))


@given(m=st.integers(1, 12), n=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_orthogonal_columns_or_rows(m, n, seed):
    w = orthogonal_init(m, n, np.random.default_rng(seed))
    gram = w.T @ w if m >= n else w @ w.T
    np.testing.assert_allclose(gram, np.eye(min(m, n)), atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_orthogonal_is_uniformly_distributed(shape):
    """One entry of a uniformly distributed unit vector in d dimensions: (1 + entry)/2 is Beta.

    Every entry must have that law, and so must the matrix turned by any fixed rotation.
    """
    rng = np.random.default_rng(3)
    d = max(shape)
    draws = np.stack([orthogonal_init(*shape, rng) for _ in range(2000)])
    if shape[0] < shape[1]:
        draws = draws.transpose(0, 2, 1)
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0]
    law = stats.beta((d - 1) / 2, (d - 1) / 2).cdf
    for sample in (draws, rotation @ draws):
        for i, j in np.ndindex(sample.shape[1:]):
            assert stats.kstest((1 + sample[:, i, j]) / 2, law).pvalue > 1e-5
    if shape[0] == shape[1]:
        positive = int((np.linalg.det(draws) > 0).sum())
        assert stats.binomtest(positive, 2000).pvalue > 1e-5
        angles = np.angle(np.linalg.eigvals(draws))
        # Eigenvalues of a Haar matrix repel each other; the naive QR puts too many near 1.
        assert abs(np.mean(np.exp(1j * angles).sum(axis=1))) < 0.1


def layers(scheme, depth, width, seed=0):
    rng = np.random.default_rng(seed)
    return [scheme(width, width, rng) for _ in range(depth)]


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-4, 0.05, 30.0]),
    nonlinearity=st.sampled_from([np.tanh, relu]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_lsuv_reaches_its_tolerance_in_every_layer(seed, scale, nonlinearity, dtype):
    rng = np.random.default_rng(seed)
    sizes = [20, 30, 10, 25]
    weights = [(scale * rng.standard_normal(shape)).astype(dtype) for shape in pairwise(sizes)]
    x = (3 * rng.standard_normal((50, 20))).astype(dtype)
    with Unchanged(x, *weights):
        rescaled = lsuv_init(weights, x, nonlinearity)
    h = x
    for w, given_w in zip(rescaled, weights, strict=True):
        assert w.dtype == dtype
        assert abs((h @ w).var() - 1) < 0.01
        np.testing.assert_allclose(w / w[0, 0], given_w / given_w[0, 0], rtol=1e-4)
        h = nonlinearity(h @ w)


def test_lsuv_leaves_good_layers_as_they_are_and_stops_when_told():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((100, 8)), rng.standard_normal((8, 8))
    (once,) = lsuv_init([w], x, relu)
    (twice,) = lsuv_init([once], x, relu)
    np.testing.assert_array_equal(once, twice)
    assert twice is not once
    (untouched,) = lsuv_init([w], x, relu, max_iterations=0)
    np.testing.assert_array_equal(untouched, w)


def test_lsuv_says_when_no_scale_can_help():
    x = np.random.default_rng(0).standard_normal((10, 4))
    with pytest.raises(ValueError, match="layer 2 is constant"):
        lsuv_init([np.eye(4), np.zeros((4, 3))], x, relu)


def table(scheme, nonlinearity):
    x = np.random.default_rng(11).standard_normal((1000, 500))
    return activation_statistics(layers(scheme, 10, 500, seed=12), x, nonlinearity)


def test_the_table_small_weights_vanish():
    std = [layer["std"] for layer in table(small_random_init, np.tanh)]
    np.testing.assert_allclose(std[:4], [0.213, 0.0476, 0.0106, 0.0024], rtol=0.03)
    assert std[-1] < 1e-6


def test_the_table_large_weights_saturate():
    rows = table(lambda m, n, rng: small_random_init(m, n, rng, scale=1.0), np.tanh)
    np.testing.assert_allclose([row["std"] for row in rows], 0.982, atol=0.005)
    assert all(row["saturated"] > 0.85 for row in rows)


def test_the_table_lecun_keeps_the_signal():
    rows = table(lecun_normal, np.tanh)
    expected = [0.628, 0.486, 0.408, 0.357, 0.321, 0.292, 0.273, 0.254, 0.239, 0.228]
    np.testing.assert_allclose([row["std"] for row in rows], expected, atol=0.012)
    assert all(abs(row["mean"]) < 0.02 for row in rows)


def test_relu_halves_the_second_moment_unless_the_variance_is_doubled():
    def second_moments(scheme):
        return np.array([row["std"] ** 2 + row["mean"] ** 2 for row in table(scheme, relu)])

    halved = second_moments(lecun_normal)
    np.testing.assert_allclose(halved[1:] / halved[:-1], 0.5, rtol=0.2)
    kept = second_moments(kaiming_normal)
    np.testing.assert_allclose(kept, 1.0, rtol=0.4)


def test_activation_statistics_by_hand():
    x = np.array([[1.0, -2.0], [-3.0, -4.0]])
    with Unchanged(x):
        (row,) = activation_statistics([np.eye(2)], x, relu)
    assert row == {"mean": 0.25, "std": np.sqrt(3) / 4, "saturated": 0.25, "dead": 0.5}
    assert all(type(value) is float for value in row.values())
    (row,) = activation_statistics([np.zeros((2, 3))], x, np.tanh)
    assert row == {"mean": 0.0, "std": 0.0, "saturated": 0.0, "dead": 1.0}


def test_dead_units():
    activations = np.array([[0.0, 0.0, 1.0], [0.0, 2.0, 1.0]])
    np.testing.assert_array_equal(dead_units(activations), [True, False, False])
    assert dead_units(activations.astype(np.float32)).dtype == bool
