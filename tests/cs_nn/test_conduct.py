"""What every layer and loss keeps to, whatever it computes: dtypes, shapes, and no side effects."""

import inspect

import numpy as np
import pytest

from cs_nn.layers import activations as act
from cs_nn.layers import losses
from cs_nn.layers.affine import affine_backward, affine_forward

# name: forward, backward, the shapes of the float arguments
LAYERS = {
    "affine": (affine_forward, affine_backward, [(3, 2, 2), (4, 5), (5,)]),
    "maxout": (act.maxout_forward, act.maxout_backward, [(3, 2, 2), (2, 4, 5), (2, 5)]),
    "prelu": (act.prelu_forward, act.prelu_backward, [(3, 2, 2), (2,)]),
    "prelu-one": (act.prelu_forward, act.prelu_backward, [(3, 2, 2), ()]),
} | {
    name: (getattr(act, f"{name}_forward"), getattr(act, f"{name}_backward"), [(3, 2, 2)])
    for name in ["sigmoid", "tanh", "relu", "leaky_relu", "elu"]
}
LABELS = np.array([2, 0, 1])
# name: loss, and what it is asked for besides x (3, 4)
LOSSES = {
    "softmax": (losses.softmax_loss, LABELS),
    "svm": (losses.svm_loss, LABELS),
    "mse": (losses.mse_loss, np.full((3, 4), 0.25)),
    "l1": (losses.l1_loss, np.full((3, 4), 0.25)),
    "bce_with_logits": (losses.bce_with_logits_loss, np.full((3, 4), 0.25)),
    "kl_div": (losses.kl_div_loss, np.full((3, 4), 0.25)),
}
layers = pytest.mark.parametrize(("forward", "backward", "shapes"), LAYERS.values(), ids=LAYERS)
all_losses = pytest.mark.parametrize(("loss", "target"), LOSSES.values(), ids=LOSSES)


def draw(shapes, dtype=np.float64):
    rng = np.random.default_rng(7)
    return [np.asarray(rng.standard_normal(shape), dtype=dtype) for shape in shapes]


def as_tuple(gradients):
    return gradients if isinstance(gradients, tuple) else (gradients,)


@layers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_have_shape_and_dtype_of_their_argument(forward, backward, shapes, dtype):
    inputs = draw(shapes, dtype)
    out, cache = forward(*inputs)
    assert out.dtype == dtype
    gradients = as_tuple(backward(np.ones_like(out), cache))
    assert [gradient.shape for gradient in gradients] == shapes
    assert {gradient.dtype for gradient in gradients} == {np.dtype(dtype)}


@layers
def test_nothing_given_is_changed_and_a_second_call_gives_the_same(forward, backward, shapes):
    inputs = draw(shapes)
    copies = [array.copy() for array in inputs]
    out, cache = forward(*inputs)
    dout = np.random.default_rng(8).standard_normal(out.shape)
    dout_copy = dout.copy()
    first = as_tuple(backward(dout, cache))
    kept = [gradient.copy() for gradient in first]
    for gradient in first:
        gradient += 1  # a gradient is the caller's own: no array of ours may hang on it
    again = as_tuple(backward(dout, cache))
    for before, after in zip([*copies, dout_copy, *kept], [*inputs, dout, *again], strict=True):
        np.testing.assert_array_equal(before, after)


@layers
def test_caches_of_two_passes_stay_apart(forward, backward, shapes):
    inputs = draw(shapes)
    others = [2 * array for array in inputs]
    out, cache = forward(*inputs)
    alone = as_tuple(backward(out, cache))
    forward(*others)
    for before, after in zip(alone, as_tuple(backward(out, cache)), strict=True):
        np.testing.assert_array_equal(before, after)


@layers
def test_backward_is_linear(forward, backward, shapes):
    out, cache = forward(*draw(shapes))
    a, b = np.random.default_rng(9).standard_normal((2, *out.shape))
    together = as_tuple(backward(2 * a - 3 * b, cache))
    parts = zip(as_tuple(backward(a, cache)), as_tuple(backward(b, cache)), strict=True)
    for whole, (of_a, of_b) in zip(together, parts, strict=True):
        np.testing.assert_allclose(whole, 2 * of_a - 3 * of_b, atol=1e-12)


@layers
def test_integers_are_computed_in_floating_point(forward, backward, shapes):
    """Outside our tests nobody checks annotations: integers arrive, and must not be truncated."""
    forward, backward = inspect.unwrap(forward), inspect.unwrap(backward)
    integers = [np.asarray(np.round(3 * array), dtype=np.int64) for array in draw(shapes)]
    out, cache = forward(*integers)
    expected, expected_cache = forward(*[array.astype(np.float64) for array in integers])
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, expected)
    dout = np.arange(out.size).reshape(out.shape)
    wanted = as_tuple(backward(dout.astype(np.float64), expected_cache))
    for gradient, want in zip(as_tuple(backward(dout, cache)), wanted, strict=True):
        assert gradient.dtype == np.float64
        np.testing.assert_array_equal(gradient, want)


@layers
def test_memory_layout_does_not_matter(forward, backward, shapes):
    inputs = draw(shapes)
    strided = [np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array for array in inputs]
    out, cache = forward(*inputs)
    other, other_cache = forward(*strided)
    np.testing.assert_allclose(out, other, rtol=1e-14)
    gradients = zip(
        as_tuple(backward(out, cache)),
        as_tuple(backward(np.asfortranarray(out), other_cache)),
        strict=True,
    )
    for gradient, other_gradient in gradients:
        np.testing.assert_allclose(gradient, other_gradient, rtol=1e-12)


@all_losses
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_keep_the_dtype_and_their_arguments(loss, target, dtype):
    x = draw([(3, 4)], dtype)[0]
    target = target if target.dtype == np.int64 else target.astype(dtype)
    copies = x.copy(), target.copy()
    value, dx = loss(x, target)
    assert np.shape(value) == ()
    assert np.asarray(value).dtype == dx.dtype == dtype
    assert dx.shape == x.shape
    np.testing.assert_array_equal(x, copies[0])
    np.testing.assert_array_equal(target, copies[1])


@all_losses
def test_losses_compute_integers_in_floating_point(loss, target):
    loss = inspect.unwrap(loss)
    x = np.arange(12).reshape(3, 4) % 5
    value, dx = loss(x, target)
    expected, expected_dx = loss(x.astype(np.float64), target)
    assert dx.dtype == np.float64
    assert value == expected
    np.testing.assert_array_equal(dx, expected_dx)


@all_losses
def test_a_batch_of_copies_costs_what_one_costs(loss, target):
    """The mean over the batch is a mean: N equal examples share the gradient of one."""
    x = draw([(1, 4)])[0]
    one, dx = loss(x, target[:1])
    many, dx_many = loss(np.repeat(x, 6, axis=0), np.repeat(target[:1], 6, axis=0))
    np.testing.assert_allclose(many, one)
    np.testing.assert_allclose(dx_many, np.repeat(dx, 6, axis=0) / 6)
