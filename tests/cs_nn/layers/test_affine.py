"""The affine layer: the shapes that students get wrong, and its laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_nn.layers.affine import affine_backward, affine_forward
from tests.strategies import arrays


def test_images_are_read_as_rows():
    x = np.arange(12.0).reshape(1, 3, 2, 2)
    out, _ = affine_forward(x, np.eye(12), np.ones(12))
    np.testing.assert_array_equal(out, np.arange(1.0, 13)[None])


def test_bias_gradient_sums_over_the_batch():
    _, cache = affine_forward(np.ones((4, 3)), np.ones((3, 2)), np.zeros(2))
    db = affine_backward(np.tile([1.0, 2.0], (4, 1)), cache)[2]
    np.testing.assert_array_equal(db, [4.0, 8.0])


def test_an_example_of_the_wrong_size_is_refused_in_words():
    with pytest.raises(ValueError, match=r"\(2, 3\) holds 6 numbers, but w has 5 rows"):
        affine_forward(np.ones((4, 2, 3)), np.ones((5, 2)), np.ones(2))


def test_an_empty_batch_stays_empty():
    out, cache = affine_forward(np.ones((0, 2, 3)), np.ones((6, 2)), np.ones(2))
    dx, dw, db = affine_backward(out, cache)
    assert (out.shape, dx.shape) == ((0, 2), (0, 2, 3))
    assert not dw.any()
    assert not db.any()


@given(
    st.integers(1, 3).flatmap(
        lambda n: st.tuples(
            arrays((n, 2, 2), limit=10),
            arrays((4, 3), limit=10),
            arrays((3,), limit=10),
            arrays((n, 3), limit=10),
            arrays((n, 2, 2), limit=10),
        )
    )
)
def test_backward_is_the_transpose_of_forward(inputs):
    """⟨dout, forward(x + v) − forward(x)⟩ = ⟨dx, v⟩ for every direction v."""
    x, w, b, dout, v = inputs
    out, cache = affine_forward(x, w, b)
    moved, _ = affine_forward(x + v, w, b)
    dx = affine_backward(dout, cache)[0]
    np.testing.assert_allclose(np.sum(dout * (moved - out)), np.sum(dx * v), atol=1e-8)
