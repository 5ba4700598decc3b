"""Advice that is wrong sends a student off to tune what is not broken."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_nn.modules import TwoLayerNet
from cs_nn.training import babysitting as b


def test_the_initial_loss_is_that_of_guessing():
    assert b.check_initial_loss(math.log(10), 10)
    assert b.check_initial_loss(np.float32(2.2), 10)
    assert not b.check_initial_loss(2.5, 10)
    assert b.check_initial_loss(2.5, 10, tolerance=0.1)
    assert not b.check_initial_loss(math.nan, 10)
    with pytest.raises(ValueError, match="at least 2"):
        b.check_initial_loss(0.0, 1)


def test_a_few_examples_are_learned_by_heart():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 8)), rng.integers(0, 3, size=20)
    net = TwoLayerNet(8, 50, 3, weight_scale=0.1, rng=rng)
    before = net.loss(X, y)[0]
    losses = b.overfit_small_batch(net, X, y, learning_rate=0.5, steps=400)
    assert len(losses) == 400
    assert losses[0] == before
    assert losses[-1] < 0.05
    assert np.array_equal(np.argmax(net.loss(X), axis=1), y)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([1.0, 2.9, 3.0], False),
        ([1.0, 3.1, 0.5], True),
        ([1.0, math.nan], True),
        ([math.inf, 1.0], True),
        ([], False),
        (np.array([2.0, 1.0], np.float32), False),
    ],
)
def test_exploded(losses, expected):
    assert b.exploded(losses) is expected


def test_the_learning_rate_is_that_of_the_lowest_end_without_explosion():
    def loss_curve(rate):
        x, losses = np.float64(1.0), []
        for _ in range(100):
            losses.append(x**2)
            x = x - rate * 2 * x * np.float64(10)
        return losses

    assert b.find_learning_rate(loss_curve, [1e-1, 5e-2, 1e-2, 1e-3, 1e2]) == 5e-2
    with pytest.raises(ValueError, match="try smaller"):
        b.find_learning_rate(loss_curve, [1e1, 1e2])


def test_a_curve_that_dips_after_an_explosion_is_not_chosen():
    curves = {0.1: [1.0, 0.9, 0.8], 1.0: [1.0, 50.0, 0.1]}
    assert b.find_learning_rate(curves.__getitem__, list(curves)) == 0.1


def test_update_ratio():
    assert b.update_ratio(np.full((2, 2), 3.0), np.full((2, 2), 0.003)) == pytest.approx(1e-3)
    assert b.update_ratio(np.zeros(3), np.ones(3)) == math.inf
    assert b.update_ratio(np.zeros(3), np.zeros(3)) == 0


@given(
    series=st.lists(st.floats(-1e6, 1e6), max_size=30),
    window=st.integers(1, 40),
)
def test_the_moving_average_is_the_mean_of_what_is_there_so_far(series, window):
    averages = b.moving_average(series, window)
    expected = [np.mean(series[max(0, t - window + 1) : t + 1]) for t in range(len(series))]
    np.testing.assert_allclose(averages, expected, atol=1e-9)


def test_the_moving_average_forgets_a_nan_after_the_window():
    averages = b.moving_average([1.0, math.nan, 2.0, 4.0], 2)
    np.testing.assert_array_equal(averages, [1.0, math.nan, math.nan, 3.0])
    with pytest.raises(ValueError, match="1 or more"):
        b.moving_average([1.0], 0)


# Curves as functions of time from 0 to 1, start at about log 10, and how each may vary.


def fall(t, start, end, speed):
    return end + (start - end) * np.exp(-speed * t)


def diverging(rng, t):
    rise = rng.uniform(1.0, 4.0)
    dip = fall(t, 2.3, rng.uniform(1.6, 2.3), 10)
    train = dip + np.expm1(rise * t) * rng.uniform(0.5, 1.0)
    if rng.random() < 0.3:
        train[-2:] = math.nan
    return train, train + 0.1


def too_slow(rng, t):
    drop = rng.uniform(0.0, 0.4)
    train = 2.3 - drop * t
    return train, train + rng.uniform(0.0, 0.03)


def overfitting(rng, t):
    train = fall(t, 2.3, rng.uniform(0.01, 0.2), rng.uniform(4, 8))
    gap = rng.uniform(0.7, 1.5)
    shape = t if rng.random() < 0.5 else 1 - np.exp(-6 * t)
    return train, train + gap * shape


def bad_initialization(rng, t):
    flat = rng.uniform(0.25, 0.5)
    train = fall(np.maximum(t - flat, 0), 2.3, rng.uniform(0.1, 0.8), rng.uniform(5, 12))
    return train, train + 0.05


def decayed_too_early(rng, t):
    k, decay = rng.uniform(0.25, 0.5), 0.1
    time = np.where(t < k, t, k + decay * (t - k))
    train = fall(time, 2.3, rng.uniform(0.1, 0.4), rng.uniform(1.5, 2.5))
    return train, train + rng.uniform(0.02, 0.1)


def still_improving(rng, t):
    train = fall(t, 2.3, rng.uniform(0.0, 0.3), rng.uniform(1.0, 1.7))
    return train, train + rng.uniform(0.02, 0.15) * t


def underfitting(rng, t):
    train = fall(t, 2.3, rng.uniform(1.2, 1.8), rng.uniform(7, 20))
    return train, train + rng.uniform(0.01, 0.1)


def good(rng, t):
    train = fall(t, 2.3, rng.uniform(0.05, 0.5), rng.uniform(6, 15))
    return train, train + rng.uniform(0.02, 0.2) * (1 - np.exp(-8 * t))


FAMILIES = {
    "diverging": diverging,
    "too slow": too_slow,
    "overfitting": overfitting,
    "bad initialization": bad_initialization,
    "decayed too early": decayed_too_early,
    "still improving": still_improving,
    "underfitting": underfitting,
    "good": good,
}


@pytest.mark.parametrize("epochs", [20, 50, 100])
@pytest.mark.parametrize("name", FAMILIES)
def test_clear_curves_are_named_under_noise(name, epochs):
    rng = np.random.default_rng(0)
    wrong = []
    for _ in range(40):
        t = np.arange(epochs) / (epochs - 1)
        train, val = FAMILIES[name](rng, t)
        noise = rng.uniform(0.0, 0.015)
        train = train + noise * rng.standard_normal(epochs)
        val = val + noise * rng.standard_normal(epochs)
        if (said := b.diagnose_curves(list(train), list(val))) != name:
            wrong.append(said)
    assert wrong == []


@given(scale=st.floats(0.01, 100), name=st.sampled_from(sorted(FAMILIES)))
def test_the_unit_of_the_loss_does_not_matter(scale, name):
    train, val = FAMILIES[name](np.random.default_rng(1), np.arange(40) / 39)
    assert b.diagnose_curves(scale * train, scale * val) == b.diagnose_curves(train, val)


def test_curves_that_cannot_be_judged_are_refused():
    with pytest.raises(ValueError, match="same number"):
        b.diagnose_curves([1.0] * 6, [1.0] * 5)
    with pytest.raises(ValueError, match="at least 5"):
        b.diagnose_curves([1.0] * 4, [1.0] * 4)
