"""The fast convolution is the readable one, and the readable one is a convolution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_nn.layers.convolution import (
    conv_backward,
    conv_backward_fast,
    conv_forward,
    conv_forward_fast,
)

FORMS = {
    "readable": (conv_forward, conv_backward),
    "fast": (conv_forward_fast, conv_backward_fast),
}
each_form = pytest.mark.parametrize("form", FORMS)


@st.composite
def convolutions(draw):
    """Any legal convolution of a small batch: x, w, b, dout, conv_param."""
    small = st.integers(1, 3)
    N, C, F = draw(small), draw(small), draw(small)
    pad, stride = draw(st.integers(0, 2)), draw(small)
    HH, WW = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    H = draw(st.integers(max(1, HH - 2 * pad), 7))
    W = draw(st.integers(max(1, WW - 2 * pad), 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    H_out, W_out = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    shapes = [(N, C, H, W), (F, C, HH, WW), (F,), (N, F, H_out, W_out)]
    return [rng.standard_normal(shape) for shape in shapes], {"stride": stride, "pad": pad}


@given(convolutions())
@settings(max_examples=60)
def test_fast_and_readable_agree(case):
    (x, w, b, dout), conv_param = case
    slow, slow_cache = conv_forward(x, w, b, conv_param)
    fast, fast_cache = conv_forward_fast(x, w, b, conv_param)
    np.testing.assert_allclose(fast, slow, atol=1e-12)
    of_fast_form, of_slow_form = (
        conv_backward_fast(dout, fast_cache),
        conv_backward(dout, slow_cache),
    )
    for of_fast, of_slow in zip(of_fast_form, of_slow_form, strict=True):
        assert of_fast.shape == of_slow.shape
        np.testing.assert_allclose(of_fast, of_slow, atol=1e-12)


@each_form
@given(case=convolutions())
@settings(max_examples=30)
def test_backward_is_the_adjoint_of_forward(form, case):
    """⟨dout, A·dx⟩ = ⟨Aᵀ·dout, dx⟩ for x, w and b: exact, where differences only approximate."""
    forward, backward = FORMS[form]
    (x, w, b, dout), conv_param = case
    _, cache = forward(x, w, b, conv_param)
    dx, dw, db = backward(dout, cache)
    no_bias = np.zeros_like(b)
    through_x, _ = forward(x, w, no_bias, conv_param)
    np.testing.assert_allclose(np.sum(dx * x), np.sum(dout * through_x), atol=1e-9)
    np.testing.assert_allclose(np.sum(dw * w), np.sum(dout * through_x), atol=1e-9)
    np.testing.assert_allclose(np.sum(db * b), np.sum(dout * b[:, None, None]), atol=1e-9)


@each_form
def test_filters_are_not_flipped_and_what_windows_miss_gets_no_gradient(form):
    forward, backward = FORMS[form]
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    w = np.array([[[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 10.0]]]])
    out, cache = forward(x, w, np.array([0.5]), {"stride": 2, "pad": 0})
    np.testing.assert_array_equal(out, [[[[0 + 10 * 10 + 0.5]]]])
    dx, _, db = backward(np.ones((1, 1, 1, 1)), cache)
    assert dx[0, 0, 0, 0] == 1
    assert dx[0, 0, 2, 2] == 10
    assert dx.sum() == 11
    np.testing.assert_array_equal(db, [1.0])


@each_form
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_nothing_changes(form, dtype):
    forward, backward = FORMS[form]
    rng = np.random.default_rng(0)
    x, w, b, dout = (
        rng.standard_normal(shape).astype(dtype)
        for shape in [(2, 3, 5, 5), (4, 3, 3, 3), (4,), (2, 4, 5, 5)]
    )
    before = [a.copy() for a in (x, w, b, dout)]
    out, cache = forward(x, w, b, {"stride": 1, "pad": 1})
    gradients = backward(dout, cache)
    assert {a.dtype for a in (out, *gradients)} == {np.dtype(dtype)}
    for first, second in zip(gradients, backward(dout, cache), strict=True):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_equal([x, w, b, dout], before)


@each_form
def test_strided_views_are_images_too(form):
    forward, backward = FORMS[form]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 7, 2, 3)).transpose(3, 2, 1, 0)[:, :, ::2]
    w, b = rng.standard_normal((2, 2, 3, 2)), rng.standard_normal(2)
    out, cache = forward(x, w, b, {"stride": 1, "pad": 0})
    same, same_cache = forward(x.copy(), w, b, {"stride": 1, "pad": 0})
    np.testing.assert_array_equal(out, same)
    dout = rng.standard_normal(out.shape)
    for ours, theirs in zip(backward(dout, cache), backward(dout, same_cache), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@each_form
@pytest.mark.parametrize(
    ("x", "w", "conv_param", "message"),
    [
        ((1, 1, 3, 3), (1, 1, 5, 3), {"stride": 1, "pad": 0}, "5×3 window is larger"),
        ((1, 1, 3, 3), (1, 1, 2, 2), {"stride": 0, "pad": 0}, "stride ≥ 1"),
        ((1, 1, 3, 3), (1, 1, 2, 2), {"stride": 1, "pad": -1}, "pad ≥ 0"),
    ],
)
def test_what_cannot_be_convolved_is_explained(form, x, w, conv_param, message):
    with pytest.raises(ValueError, match=message):
        FORMS[form][0](np.zeros(x), np.zeros(w), np.zeros(1), conv_param)
