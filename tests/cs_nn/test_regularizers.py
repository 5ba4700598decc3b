"""Penalties, max-norm and clipping of the global norm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_nn.regularizers import clip_gradient_norm, elastic_net, l1_penalty, l2_penalty, max_norm
from tests.numerical import Unchanged, numerical_gradient

seeds = st.integers(0, 2**32 - 1)
PENALTIES = [
    (l1_penalty, (0.3,)),
    (l2_penalty, (0.3,)),
    (elastic_net, (0.3, 0.7)),
]
each_penalty = pytest.mark.parametrize(("penalty", "strengths"), PENALTIES)


def test_penalties_by_hand():
    w = np.array([[3.0, 0.0], [-4.0, 0.0]])
    value, gradient = l2_penalty(w, 0.1)
    assert value == pytest.approx(0.5 * 0.1 * 25)
    np.testing.assert_allclose(gradient, [[0.3, 0.0], [-0.4, 0.0]])
    value, gradient = l1_penalty(w, 0.1)
    assert value == pytest.approx(0.7)
    np.testing.assert_allclose(gradient, [[0.1, 0.0], [-0.1, 0.0]])
    value, gradient = elastic_net(w, 0.1, 0.2)
    assert value == pytest.approx(0.7 + 2.5)
    np.testing.assert_allclose(gradient, [[0.7, 0.0], [-0.9, 0.0]])


@each_penalty
@pytest.mark.parametrize("shape", [(3, 4), (5,), (2, 3, 2, 2)])
def test_gradient_is_the_numerical_one(penalty, strengths, shape):
    w = np.random.default_rng(0).standard_normal(shape)
    with Unchanged(w):
        _, gradient = penalty(w, *strengths)
    numerical = numerical_gradient(lambda w: penalty(w, *strengths)[0], w, 1.0)
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-8)


@each_penalty
def test_float32_is_kept_even_for_numpy_strengths(penalty, strengths):
    w = np.ones((3, 4), np.float32)
    value, gradient = penalty(w, *map(np.float64, strengths))
    assert type(value) is float
    assert gradient.dtype == np.float32


@given(seed=seeds, c=st.floats(0.01, 10.0))
def test_max_norm_shortens_long_columns_and_leaves_the_others(seed, c):
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((5, 4)) * np.array([0.0, 0.01, 1.0, 50.0])
    with Unchanged(w):
        shortened = max_norm(w, c)
    before, after = np.linalg.norm(w, axis=0), np.linalg.norm(shortened, axis=0)
    np.testing.assert_allclose(after, np.minimum(before, c))
    np.testing.assert_array_equal(shortened[:, before <= c], w[:, before <= c])
    np.testing.assert_allclose(shortened * before, w * after, atol=1e-12)
    assert not np.shares_memory(shortened, w)
    assert max_norm(w.astype(np.float32), np.float64(c)).dtype == np.float32


@pytest.mark.parametrize("c", [0.0, -1.0, np.nan])
def test_max_norm_refuses_a_limit_that_is_none(c):
    with pytest.raises(ValueError, match="positive norm"):
        max_norm(np.ones((2, 2)), c)


@given(seed=seeds, limit=st.floats(0.0, 20.0))
def test_clipping_scales_all_gradients_by_one_factor(seed, limit):
    rng = np.random.default_rng(seed)
    grads = {"W": rng.standard_normal((3, 4)), "b": 10 * rng.standard_normal(4)}
    with Unchanged(*grads.values()):
        clipped = clip_gradient_norm(grads, limit)
    assert list(clipped) == ["W", "b"]
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    factor = min(1.0, limit / norm)
    for name, gradient in grads.items():
        np.testing.assert_allclose(clipped[name], factor * gradient, atol=1e-14)
        assert not np.shares_memory(clipped[name], gradient)
    as_list = clip_gradient_norm(list(grads.values()), limit)
    assert type(as_list) is list
    for a, b in zip(as_list, clipped.values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_clipping_tames_a_float32_explosion():
    """The square of 1e25 is infinite in float32."""
    grads = [np.full((2, 2), 1e25, np.float32), np.zeros(3, np.float32)]
    clipped = clip_gradient_norm(grads, 1.0)
    np.testing.assert_allclose(clipped[0], 0.5, rtol=1e-6)
    assert [g.dtype for g in clipped] == [np.float32, np.float32]


def test_clipping_takes_scalars_nothing_and_zeros():
    (slope,) = clip_gradient_norm([np.array(-3.0, np.float32)], 1)
    assert slope == -1
    assert slope.shape == ()
    assert slope.dtype == np.float32
    (halved,) = clip_gradient_norm([np.array([3, 4])], 2.5)
    np.testing.assert_allclose(halved, [1.5, 2.0])
    assert clip_gradient_norm([], 1.0) == []
    (zero,) = clip_gradient_norm([np.zeros(3)], 1.0)
    assert not zero.any()
    with pytest.raises(ValueError, match="max_norm ≥ 0"):
        clip_gradient_norm([np.ones(3)], -1.0)
