"""The fast pooling is the readable one, ties and uncovered edges included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_nn.layers import pooling as p

FORMS = {
    "max": (p.max_pool_forward, p.max_pool_backward),
    "max-fast": (p.max_pool_forward_fast, p.max_pool_backward_fast),
    "avg": (p.avg_pool_forward, p.avg_pool_backward),
    "avg-fast": (p.avg_pool_forward_fast, p.avg_pool_backward_fast),
}
each_form = pytest.mark.parametrize("form", FORMS)
TWO_BY_TWO = {"pool_height": 2, "pool_width": 2, "stride": 2}


@st.composite
def pools(draw):
    """Images of few different values, so that ties abound, and any legal window."""
    height, width, stride = (draw(st.integers(1, 3)) for _ in range(3))
    H, W = draw(st.integers(height, 7)), draw(st.integers(width, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = rng.integers(-2, 2, size=(2, 2, H, W)).astype(float)
    dout = rng.standard_normal((2, 2, 1 + (H - height) // stride, 1 + (W - width) // stride))
    return x, dout, {"pool_height": height, "pool_width": width, "stride": stride}


@pytest.mark.parametrize("kind", ["max", "avg"])
@given(case=pools())
@settings(max_examples=60)
def test_fast_and_readable_agree(kind, case):
    x, dout, pool_param = case
    forward, backward = FORMS[kind]
    forward_fast, backward_fast = FORMS[f"{kind}-fast"]
    slow, slow_cache = forward(x, pool_param)
    fast, fast_cache = forward_fast(x, pool_param)
    np.testing.assert_allclose(fast, slow, atol=1e-12)
    np.testing.assert_allclose(
        backward_fast(dout, fast_cache), backward(dout, slow_cache), atol=1e-12
    )


@each_form
@given(case=pools())
@settings(max_examples=20)
def test_every_gradient_arrives_once(form, case):
    x, dout, pool_param = case
    forward, backward = FORMS[form]
    dx = backward(dout, forward(x, pool_param)[1])
    assert dx.shape == x.shape
    np.testing.assert_allclose(dx.sum(axis=(2, 3)), dout.sum(axis=(2, 3)), atol=1e-12)


@pytest.mark.parametrize("form", ["max", "max-fast"])
def test_a_tie_goes_to_the_first_in_row_order_and_negative_maxima_count(form):
    forward, backward = FORMS[form]
    x = np.array([[-5.0, -1.0, 3.0], [-1.0, -1.0, 3.0], [9.0, 9.0, 9.0]])[None, None]
    out, cache = forward(x, TWO_BY_TWO)
    np.testing.assert_array_equal(out, [[[[-1.0]]]])
    dx = backward(np.array([[[[7.0]]]]), cache)
    np.testing.assert_array_equal(dx[0, 0], [[0, 7, 0], [0, 0, 0], [0, 0, 0]])


@each_form
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_nothing_changes(form, dtype):
    forward, backward = FORMS[form]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 4, 6)).astype(dtype)
    dout = rng.standard_normal((2, 3, 2, 3)).astype(dtype)
    before = (x.copy(), dout.copy())
    out, cache = forward(x, TWO_BY_TWO)
    dx = backward(dout, cache)
    assert out.dtype == dx.dtype == dtype
    out[:] = 0
    np.testing.assert_array_equal(backward(dout, cache), dx)
    np.testing.assert_equal((x, dout), before)


@each_form
def test_what_cannot_be_pooled_is_explained(form):
    forward, _ = FORMS[form]
    with pytest.raises(ValueError, match="3×1 window is larger than the 2×2 image"):
        forward(np.zeros((1, 1, 2, 2)), {"pool_height": 3, "pool_width": 1, "stride": 1})
    with pytest.raises(ValueError, match="give each 1 or more"):
        forward(np.zeros((1, 1, 2, 2)), {"pool_height": 1, "pool_width": 1, "stride": 0})
