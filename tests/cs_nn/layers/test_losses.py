"""Losses: known values, logits of any size, ties, and refusals in words."""

import numpy as np
import pytest
from hypothesis import given

from cs_nn.layers import losses
from tests.strategies import arrays, labelled


def test_softmax_of_equal_scores_is_log_c():
    loss, dx = losses.softmax_loss(np.zeros((2, 10)), np.array([3, 7]))
    assert loss == pytest.approx(np.log(10))
    assert dx[0, 3] == pytest.approx(-0.45)
    assert dx[0, 4] == pytest.approx(0.05)


@pytest.mark.parametrize("size", [1e4, 1e30, 1e300])
def test_softmax_is_finite_for_logits_of_any_size(size):
    loss, dx = losses.softmax_loss(np.array([[size, -size], [-size, size]]), np.array([0, 0]))
    assert loss == pytest.approx(size)
    np.testing.assert_allclose(dx, [[0, 0], [-0.5, 0.5]])


def test_softmax_of_a_row_does_not_depend_on_a_larger_row():
    """The largest logit of the whole batch, taken off, would leave log 0 in the small row."""
    loss, dx = losses.softmax_loss(np.array([[5000.0, 5001.0], [0.0, 1.0]]), np.array([0, 0]))
    assert loss == pytest.approx(np.log1p(np.e))
    np.testing.assert_allclose(dx[0], dx[1])


@given(labelled())
def test_softmax_ignores_a_shift_and_its_gradient_sums_to_zero(batch):
    x, y = batch
    loss, dx = losses.softmax_loss(x, y)
    shifted_loss, shifted_dx = losses.softmax_loss(x + 50, y)
    np.testing.assert_allclose(shifted_loss, loss, atol=1e-10)
    np.testing.assert_allclose(shifted_dx, dx, atol=1e-10)
    np.testing.assert_allclose(dx.sum(axis=1), 0, atol=1e-12)


@given(labelled())
def test_softmax_is_kl_of_the_one_hot_target(batch):
    x, y = batch
    loss, dx = losses.softmax_loss(x, y)
    kl, kl_dx = losses.kl_div_loss(x, losses.smooth_labels(y, x.shape[1], 0.0))
    np.testing.assert_allclose(kl, loss, atol=1e-10)
    np.testing.assert_allclose(kl_dx, dx, atol=1e-10)


def test_svm_counts_violated_margins_only():
    """The lecture's cat, 3.2, 5.1, −1.7, costs 2.9; a margin of exactly 0 moves nothing."""
    x = np.array([[3.2, 5.1, -1.7], [2.0, 1.0, 0.0]])
    loss, dx = losses.svm_loss(x, np.array([0, 0]))
    assert loss == pytest.approx(2.9 / 2)
    np.testing.assert_allclose(dx, [[-0.5, 0.5, 0], [0, 0, 0]])


@given(labelled())
def test_svm_gradient_of_a_row_sums_to_zero(batch):
    _, dx = losses.svm_loss(*batch, delta=2)
    np.testing.assert_allclose(dx.sum(axis=1), 0, atol=1e-12)


def test_mse_and_l1_are_means_over_all_elements():
    x, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 0.0]])
    loss, dx = losses.mse_loss(x, y)
    assert loss == pytest.approx(29 / 4)
    np.testing.assert_allclose(dx, [[0, 1], [1.5, 2]])
    loss, dx = losses.l1_loss(x, y)
    assert loss == pytest.approx(9 / 4)
    np.testing.assert_allclose(dx, [[0, 0.25], [0.25, 0.25]])


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "bce_with_logits_loss", "kl_div_loss"])
def test_targets_are_never_broadcast(name):
    """(N, 1) against (N,) would silently compare everything with everything."""
    with pytest.raises((ValueError, TypeError)):
        getattr(losses, name)(np.ones((3, 1)), np.ones(3))


def test_bce_is_stable_and_costs_nothing_when_right():
    x, y = np.array([-1e30, -800.0, 0.0, 800.0]), np.array([0.0, 1.0, 0.5, 1.0])
    loss, dx = losses.bce_with_logits_loss(x, y)
    assert loss == pytest.approx((800 + np.log(2)) / 4)
    np.testing.assert_allclose(dx, [0, -0.25, 0, 0])


@given(arrays((3, 4)))
def test_bce_is_softmax_of_two_classes(x):
    y = np.arange(12.0).reshape(3, 4) % 2
    loss, dx = losses.bce_with_logits_loss(x, y)
    pairs = np.stack([np.zeros(12), x.ravel()], axis=1)
    softmax, dpairs = losses.softmax_loss(pairs, y.ravel().astype(np.int64))
    np.testing.assert_allclose(loss, softmax, atol=1e-10)
    np.testing.assert_allclose(dx.ravel(), dpairs[:, 1], atol=1e-12)


def test_kl_is_zero_at_the_target_and_accepts_zero_probabilities():
    p = np.array([[0.2, 0.3, 0.5]])
    loss, dx = losses.kl_div_loss(np.log(p), p)
    np.testing.assert_allclose(loss, 0, atol=1e-15)
    np.testing.assert_allclose(dx, 0, atol=1e-15)
    loss, dx = losses.kl_div_loss(np.array([[0.0, 1000.0]]), np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(loss, 0)
    np.testing.assert_allclose(dx, 0)


def test_smooth_labels_as_in_the_lecture():
    targets = losses.smooth_labels(np.array([2, 0]), 4, 0.1)
    np.testing.assert_allclose(targets, [[0.1, 0.1, 0.7, 0.1], [0.7, 0.1, 0.1, 0.1]])


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3]])
@pytest.mark.parametrize("loss", [losses.softmax_loss, losses.svm_loss])
def test_labels_outside_the_classes_are_refused(loss, labels):
    """NumPy would read −1 as the last class."""
    with pytest.raises(ValueError, match="must lie between 0 and 2"):
        loss(np.zeros((2, 3)), np.array(labels))
