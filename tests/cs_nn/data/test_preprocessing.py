"""Preprocessing: statistics of the training set, applied to both sets."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cs_nn.data.preprocessing import (
    pca,
    standardize,
    subtract_channel_mean,
    subtract_mean_image,
    whiten,
)
from tests.numerical import Unchanged

ALL = [subtract_mean_image, subtract_channel_mean, standardize, pca, whiten]
seeds = st.integers(0, 2**32 - 1)


def draw(function, seed=0, n=20, m=7, dtype=np.float64):
    """A training and a test set of the rank that `function` takes, correlated and off centre."""
    rng = np.random.default_rng(seed)
    shape = (3, 4, 5) if function is not pca and function is not whiten else (6,)
    mixing = rng.standard_normal((shape[-1], shape[-1]))
    train = rng.standard_normal((n, *shape)) @ mixing + 3 * rng.standard_normal(shape)
    test = rng.standard_normal((m, *shape)) @ mixing - 1
    return train.astype(dtype), test.astype(dtype)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_shape_are_kept_and_inputs_unchanged(function, dtype):
    train, test = draw(function, dtype=dtype)
    with Unchanged(train, test):
        new_train, new_test = function(train, test)
    assert (new_train.shape, new_test.shape) == (train.shape, test.shape)
    assert new_train.dtype == new_test.dtype == dtype


@pytest.mark.parametrize("function", ALL)
def test_the_test_set_has_no_influence(function):
    """Else the test error would be too good: the model would have seen the test set."""
    train, test = draw(function)
    both, _ = function(train, test)
    one, _ = function(train, test[:1] * 100)
    np.testing.assert_array_equal(both, one)


@pytest.mark.parametrize("function", ALL)
def test_train_and_test_meet_the_same_transformation(function):
    train, test = draw(function)
    as_train, as_test = function(train, train)
    np.testing.assert_allclose(as_train, as_test, atol=1e-12)
    _, new_test = function(train, test)
    _, halves = function(train, (train[:7] + test) / 2)
    np.testing.assert_allclose(halves, (as_train[:7] + new_test) / 2, atol=1e-10)


def test_mean_image_against_one_mean_per_channel():
    train, test = draw(subtract_mean_image)
    new_train, new_test = subtract_mean_image(train, test)
    np.testing.assert_allclose(new_train.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(test - new_test, np.broadcast_to(train.mean(axis=0), test.shape))
    new_train, new_test = subtract_channel_mean(train, test)
    np.testing.assert_allclose(new_train.mean(axis=(0, 2, 3)), 0, atol=1e-14)
    assert abs(new_train.mean(axis=0)).max() > 0.1
    for channel in range(3):
        np.testing.assert_allclose((test - new_test)[:, channel], train[:, channel].mean())


@given(seed=seeds, n=st.integers(2, 30), scale=st.sampled_from([1e-6, 1.0, 1e6]))
def test_standardize_gives_mean_0_and_std_1(seed, n, scale):
    train = scale * np.random.default_rng(seed).standard_normal((n, 5))
    new_train, _ = standardize(train, train)
    np.testing.assert_allclose(new_train.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(new_train.std(axis=0), 1, rtol=1e-10)


@example(value=0.1, n=3, dtype=np.float64)
@given(
    value=st.floats(-1e6, 1e6),
    n=st.integers(1, 50),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_a_constant_feature_becomes_exactly_0(value, n, dtype):
    """0.1 + 0.1 + 0.1 is not 3 · 0.1: the rounding error must not be scaled up to ±1."""
    train = np.full((n, 2), value, dtype=dtype)
    train[:, 1] = np.arange(n)
    new_train, new_test = standardize(train, train[:1] + 1)
    assert not new_train[:, 0].any()
    assert np.isfinite(new_test).all()
    whitened, _ = whiten(train, train)
    assert np.isfinite(whitened).all()


def test_a_feature_whose_variance_underflows_is_not_divided_by_it():
    new_train, _ = standardize(np.array([[0.0], [1e-200]]), np.zeros((1, 1)))
    assert np.isfinite(new_train).all()


def test_integer_pixels_are_not_truncated():
    """CIFAR-10 comes as uint8. (The annotations promise floats, so the test goes around them.)"""
    train = np.array([[0], [1]], dtype=np.uint8)
    new_train, _ = subtract_mean_image.__wrapped__(train, train)
    np.testing.assert_array_equal(new_train, [[-0.5], [0.5]])


@given(seed=seeds, n=st.integers(2, 30), d=st.integers(1, 6))
def test_pca_gives_a_diagonal_covariance_largest_first_and_keeps_distances(seed, n, d):
    rng = np.random.default_rng(seed)
    train = rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 5
    rotated, _ = pca(train, train)
    covariance = rotated.T @ rotated / n
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-9)
    assert (np.diff(np.diag(covariance)) <= 1e-9).all()
    np.testing.assert_allclose(
        np.linalg.norm(rotated[0] - rotated[-1]), np.linalg.norm(train[0] - train[-1])
    )


def test_pca_keeps_the_leading_components():
    train, test = draw(pca)
    for full, kept in zip(pca(train, test), pca(train, test, components=2), strict=True):
        np.testing.assert_array_equal(full[:, :2], kept)


@pytest.mark.parametrize("components", [0, 7, -1])
def test_pca_refuses_components_that_there_are_not(components):
    train, test = draw(pca)
    with pytest.raises(ValueError, match="choose from 1 to 6"):
        pca(train, test, components)


@given(seed=seeds, d=st.integers(1, 6), dtype=st.sampled_from([np.float32, np.float64]))
def test_whitening_gives_the_identity(seed, d, dtype):
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((d, d)))
    train = (rng.standard_normal((40, d)) * np.geomspace(1, 10, d) @ rotation + 2).astype(dtype)
    whitened, _ = whiten(train, train, eps=0)
    tolerance = 1e-3 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(whitened.T @ whitened / 40, np.eye(d), atol=tolerance)


def test_whitening_does_not_blow_up_directions_without_variance():
    train, test = draw(whiten)
    train[:, 5] = train[:, 0]
    whitened, _ = whiten(train, test)
    assert abs(whitened[:, 5]).max() < 1e-6


def test_whitening_survives_large_pixels_of_low_rank():
    """Rounding then makes eigenvalues negative by more than eps."""
    train = 1e7 * np.random.default_rng(0).standard_normal((5, 40))
    whitened, _ = whiten(train, train)
    assert np.isfinite(whitened).all()


def test_whitening_is_pca_and_a_scale_not_zca():
    train, test = draw(whiten)
    (rotated, rotated_test), (whitened, whitened_test) = pca(train, test), whiten(train, test, 0.5)
    scale = np.sqrt((rotated**2).mean(axis=0) + 0.5)
    np.testing.assert_allclose(whitened, rotated / scale)
    np.testing.assert_allclose(whitened_test, rotated_test / scale)


def test_whitening_refuses_a_negative_eps():
    train, test = draw(whiten)
    with pytest.raises(ValueError, match="eps ≥ 0"):
        whiten(train, test, eps=-1.0)
