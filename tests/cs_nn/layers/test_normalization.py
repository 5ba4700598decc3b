"""Batch, layer, spatial and group normalisation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_nn.layers.image_normalization import (
    groupnorm_backward,
    groupnorm_forward,
    spatial_batchnorm_backward,
    spatial_batchnorm_forward,
)
from cs_nn.layers.normalization import (
    batchnorm_backward,
    batchnorm_backward_alt,
    batchnorm_forward,
    layernorm_backward,
    layernorm_forward,
)
from tests.numerical import Unchanged, numerical_gradient

seeds = st.integers(0, 2**32 - 1)


def batchnorm(x, gamma, beta):
    return batchnorm_forward(x, gamma, beta, {"mode": "train"})


def layernorm(x, gamma, beta):
    return layernorm_forward(x, gamma, beta, {})


def spatial(x, gamma, beta):
    return spatial_batchnorm_forward(x, gamma, beta, {"mode": "train"})


def group(x, gamma, beta):
    return groupnorm_forward(x, gamma, beta, 2, {})


LAYERS = {
    "batchnorm": (batchnorm, batchnorm_backward, (5, 4), (4,)),
    "batchnorm_alt": (batchnorm, batchnorm_backward_alt, (5, 4), (4,)),
    "layernorm": (layernorm, layernorm_backward, (3, 6), (6,)),
    "spatial": (spatial, spatial_batchnorm_backward, (2, 3, 4, 5), (3,)),
    "group": (group, groupnorm_backward, (2, 4, 3, 2), (4,)),
    "group_1C11": (group, groupnorm_backward, (2, 4, 3, 2), (1, 4, 1, 1)),
}
each_layer = pytest.mark.parametrize(
    ("forward", "backward", "shape", "parameters"), LAYERS.values(), ids=LAYERS
)


def draw(shape, parameters, seed=0, dtype=np.float64):
    """x, gamma, beta and an upstream gradient."""
    rng = np.random.default_rng(seed)
    shapes = (shape, parameters, parameters, shape)
    x, gamma, beta, dout = (rng.standard_normal(s).astype(dtype) for s in shapes)
    return 2 * x + 3, gamma, beta, dout


@each_layer
def test_gradients_are_the_numerical_ones(forward, backward, shape, parameters):
    x, gamma, beta, dout = draw(shape, parameters)
    _, cache = forward(x, gamma, beta)
    expected = (
        numerical_gradient(lambda x: forward(x, gamma, beta)[0], x, dout),
        numerical_gradient(lambda gamma: forward(x, gamma, beta)[0], gamma, dout),
        numerical_gradient(lambda beta: forward(x, gamma, beta)[0], beta, dout),
    )
    for gradient, numerical in zip(backward(dout, cache), expected, strict=True):
        assert gradient.shape == numerical.shape
        np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-8)


@each_layer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_nothing_is_changed(forward, backward, shape, parameters, dtype):
    x, gamma, beta, dout = draw(shape, parameters, dtype=dtype)
    with Unchanged(x, gamma, beta, dout):
        out, cache = forward(x, gamma, beta)
        first = backward(dout, cache)
        second = backward(dout, cache)
    assert {array.dtype for array in (out, *first)} == {np.dtype(dtype)}
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@each_layer
def test_one_example_and_constant_input_are_finite(forward, backward, shape, parameters):
    x, gamma, beta, dout = draw((1, *shape[1:]), parameters)
    x = np.full_like(x, 0.1)
    out, cache = forward(x, gamma, beta)
    expected = beta if len(shape) == 2 else beta.reshape(1, -1, 1, 1)
    np.testing.assert_allclose(out, np.broadcast_to(expected, x.shape), atol=1e-10)
    assert all(np.isfinite(gradient).all() for gradient in backward(dout, cache))


@given(seed=seeds, n=st.integers(1, 8), d=st.integers(1, 5), eps=st.sampled_from([1e-5, 0.3]))
def test_batchnorm_dx_sums_to_zero_and_is_orthogonal_to_x_hat(seed, n, d, eps):
    """A shift or a stretch of the batch changes nothing, so no gradient points that way.

    For the stretch this holds up to eps: Σ dx·x_hat = gamma/std · Σ dout·x_hat · eps/(var + eps).
    """
    x, gamma, beta, dout = draw((n, d), (d,), seed)
    _, cache = batchnorm_forward(x, gamma, beta, {"mode": "train", "eps": eps})
    std = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / std
    expected = gamma / std**3 * (dout * x_hat).sum(axis=0) * eps
    for backward in (batchnorm_backward, batchnorm_backward_alt):
        dx, _, _ = backward(dout, cache)
        np.testing.assert_allclose(dx.sum(axis=0), 0, atol=1e-9 * n * abs(gamma / std).max())
        np.testing.assert_allclose((dx * x_hat).sum(axis=0), expected, rtol=1e-6, atol=1e-8)


@given(seed=seeds, n=st.integers(1, 8), d=st.integers(1, 5))
def test_both_backward_passes_of_batchnorm_agree(seed, n, d):
    x, gamma, beta, dout = draw((n, d), (d,), seed)
    _, cache = batchnorm_forward(x, gamma, beta, {"mode": "train"})
    pairs = zip(batchnorm_backward(dout, cache), batchnorm_backward_alt(dout, cache), strict=True)
    for through_graph, closed_form in pairs:
        np.testing.assert_allclose(through_graph, closed_form, rtol=1e-7, atol=1e-9)


def test_batchnorm_output_has_mean_beta_and_std_gamma():
    x, _, _, _ = draw((200, 3), (3,))
    gamma, beta = np.array([1.0, 2.0, 0.5]), np.array([11.0, -12.0, 0.0])
    out, _ = batchnorm_forward(x, gamma, beta, {"mode": "train"})
    np.testing.assert_allclose(out.mean(axis=0), beta, atol=1e-10)
    np.testing.assert_allclose(out.std(axis=0), gamma, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_running_statistics_are_averages_of_biased_batch_statistics(dtype):
    bn_param = {"mode": "train", "momentum": 0.8}
    mean = var = np.zeros(3)
    gamma, beta = np.ones(3, dtype), np.zeros(3, dtype)
    for seed in range(4):
        x, _, _, _ = draw((6, 3), (3,), seed, dtype)
        given_arrays = [bn_param[key] for key in ("running_mean", "running_var") if key in bn_param]
        with Unchanged(*given_arrays):
            batchnorm_forward(x, gamma, beta, bn_param)
        mean = 0.8 * mean + 0.2 * x.mean(axis=0)
        var = 0.8 * var + 0.2 * x.var(axis=0)
        np.testing.assert_allclose(bn_param["running_mean"], mean, rtol=1e-5)
        np.testing.assert_allclose(bn_param["running_var"], var, rtol=1e-5)
        assert bn_param["running_mean"].dtype == bn_param["running_var"].dtype == dtype
    assert set(bn_param) == {"mode", "momentum", "running_mean", "running_var"}


def test_numpy_hyper_parameters_do_not_promote_float32():
    bn_param = {"mode": "train", "eps": np.float64(1e-3), "momentum": np.float64(0.5)}
    x, gamma, beta, _ = draw((6, 3), (3,), dtype=np.float32)
    out, _ = batchnorm_forward(x, gamma, beta, bn_param)
    assert out.dtype == bn_param["running_var"].dtype == np.float32


@pytest.mark.parametrize("layer", [batchnorm_forward, spatial_batchnorm_forward])
def test_test_mode_uses_running_statistics_only(layer):
    """In test mode the answer for one example must not depend on its batch-mates."""
    shape = (5, 3) if layer is batchnorm_forward else (5, 3, 2, 2)
    x, gamma, beta, _ = draw(shape, (3,))
    mean, var = np.array([1.0, 2.0, 3.0]), np.array([4.0, 1.0, 9.0])
    bn_param = {"mode": "test", "running_mean": mean, "running_var": var, "eps": 0.1}
    before = dict(bn_param)
    with Unchanged(mean, var):
        out, _ = layer(x, gamma, beta, bn_param)
        alone, _ = layer(x[:1], gamma, beta, bn_param)
    assert bn_param == before
    np.testing.assert_array_equal(out[:1], alone)
    column = (slice(None), 1)
    np.testing.assert_allclose(
        out[column], gamma[1] * (x[column] - 2) / np.sqrt(1.1) + beta[1], rtol=1e-12
    )


def test_batchnorm_says_what_is_wrong():
    x, gamma, beta, dout = draw((5, 3), (3,))
    for bn_param in ({}, {"mode": "training"}):
        with pytest.raises(ValueError, match="must be 'train' or 'test'"):
            batchnorm_forward(x, gamma, beta, bn_param)
    _, cache = batchnorm_forward(x, gamma, beta, {"mode": "test"})
    for backward in (batchnorm_backward, batchnorm_backward_alt):
        with pytest.raises(ValueError, match="training-mode forward"):
            backward(dout, cache)


def test_layernorm_normalises_each_example():
    x, gamma, beta, _ = draw((4, 50), (50,))
    out, _ = layernorm_forward(x, np.ones(50), np.zeros(50), {"eps": 1e-12})
    np.testing.assert_allclose(out.mean(axis=1), 0, atol=1e-10)
    np.testing.assert_allclose(out.std(axis=1), 1, rtol=1e-8)
    whole, _ = layernorm_forward(x, gamma, beta, {})
    alone, _ = layernorm_forward(x[:1], gamma, beta, {})
    np.testing.assert_array_equal(whole[:1], alone)


def test_spatial_batchnorm_normalises_each_channel_and_remembers_it():
    x, _, _, _ = draw((3, 4, 5, 6), (4,))
    bn_param = {"mode": "train"}
    out, _ = spatial_batchnorm_forward(x, np.ones(4), np.zeros(4), bn_param)
    np.testing.assert_allclose(out.mean(axis=(0, 2, 3)), 0, atol=1e-10)
    np.testing.assert_allclose(out.std(axis=(0, 2, 3)), 1, rtol=1e-4)
    np.testing.assert_allclose(bn_param["running_mean"], 0.1 * x.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(bn_param["running_var"], 0.1 * x.var(axis=(0, 2, 3)))


def test_groups_are_neighbouring_channels():
    x, _, _, _ = draw((2, 6, 3, 4), (6,))
    out, _ = groupnorm_forward(x, np.ones(6), np.zeros(6), 2, {"eps": 1e-12})
    for first in (0, 3):
        part = out[:, first : first + 3]
        np.testing.assert_allclose(part.mean(axis=(1, 2, 3)), 0, atol=1e-10)
        np.testing.assert_allclose(part.std(axis=(1, 2, 3)), 1, rtol=1e-8)


@pytest.mark.parametrize("groups", [0, 4, 7, -2])
def test_groups_must_divide_the_channels(groups):
    x, gamma, beta, _ = draw((2, 6, 3, 4), (6,))
    with pytest.raises(ValueError, match="G must divide C"):
        groupnorm_forward(x, gamma, beta, groups, {})
