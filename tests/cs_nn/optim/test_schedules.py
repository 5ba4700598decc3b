"""A schedule that is off by one trains with the wrong rate, and nothing else tells."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_nn.optim import schedules as s
from cs_nn.optim.schedules import ReduceOnPlateau

RATE = st.floats(1e-5, 10)
TIME = st.integers(0, 500)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (s.step_decay(1.0, 9, 0.1, 10), 1.0),
        (s.step_decay(1.0, 10, 0.1, 10), 0.1),
        (s.step_decay(1.0, 29, 0.1, 10), 0.01),
        (s.exponential_decay(2.0, 3, 0.5), 2 * math.exp(-1.5)),
        (s.inverse_time_decay(2.0, 3, 0.5), 0.8),
        (s.cosine_decay(1.0, 0, 100), 1.0),
        (s.cosine_decay(1.0, 50, 100, 0.2), 0.6),
        (s.cosine_decay(1.0, 100, 100, 0.2), 0.2),
        (s.cosine_decay(1.0, 150, 100, 0.2), 0.2),
        (s.warm_restarts(1.0, 9, 10), 0.5 * (1 + math.cos(0.9 * math.pi))),
        (s.warm_restarts(1.0, 10, 10), 1.0),
        (s.warm_restarts(1.0, 20, 10, 2), 0.5),
        (s.warm_restarts(1.0, 30, 10, 2, 0.1), 1.0),
        (s.warm_restarts(1.0, 50, 10, 2, 0.1), 0.55),
        (s.cyclic(0.1, 1.1, 0, 5), 0.1),
        (s.cyclic(0.1, 1.1, 5, 5), 1.1),
        (s.cyclic(0.1, 1.1, 7, 5), 0.7),
        (s.cyclic(0.1, 1.1, 10, 5), 0.1),
        (s.linear_warmup(1.0, 0, 4), 0.25),
        (s.linear_warmup(1.0, 3, 4), 1.0),
        (s.linear_warmup(1.0, 9, 4), 1.0),
        (s.linear_warmup(1.0, 0, 0), 1.0),
    ],
)
def test_values(rate, expected):
    assert rate == pytest.approx(expected, abs=1e-12)


@given(rate=RATE, t=TIME)
def test_every_rate_is_a_python_float_between_its_bounds(rate, t):
    """A NumPy float64 would turn float32 parameters into float64."""
    minimum = 0.1 * rate
    for value in [
        s.step_decay(rate, t, 0.5, 50),
        s.exponential_decay(rate, t, 0.01),
        s.inverse_time_decay(rate, t, 0.01),
        s.cosine_decay(rate, t, 300, minimum),
        s.warm_restarts(rate, t, 10, 2, minimum),
        s.cyclic(minimum, rate, t, 7),
        s.linear_warmup(rate, t, 20),
    ]:
        assert type(value) is float
        assert 0 < value <= rate * (1 + 1e-12)


@given(t=TIME)
def test_decays_never_rise(t):
    for decay in [
        lambda t: s.step_decay(1.0, t, 0.5, 50),
        lambda t: s.exponential_decay(1.0, t, 0.01),
        lambda t: s.inverse_time_decay(1.0, t, 0.01),
        lambda t: s.cosine_decay(1.0, t, 300, 0.1),
    ]:
        assert decay(t + 1) <= decay(t) <= decay(0) == 1.0


@given(t=TIME, period=st.integers(1, 40))
def test_equal_periods_repeat(t, period):
    assert s.warm_restarts(1.0, t + period, period) == s.warm_restarts(1.0, t, period)


@pytest.mark.parametrize(
    "call",
    [
        lambda: s.step_decay(1.0, 1, 0.5, 0),
        lambda: s.cosine_decay(1.0, 1, 0),
        lambda: s.warm_restarts(1.0, 1, -1),
        lambda: s.cyclic(0.1, 1.0, 1, 0),
        lambda: s.warm_restarts(1.0, 1, 5, 0.5),
        lambda: s.linear_warmup(1.0, 1, -1),
        lambda: ReduceOnPlateau(1.0, factor=1.5),
        lambda: ReduceOnPlateau(1.0, patience=0),
    ],
)
def test_impossible_settings_are_refused(call):
    with pytest.raises(ValueError, match=r"give|cannot"):
        call()


def test_plateau_lowers_after_patience_steps_and_counts_anew():
    plateau = ReduceOnPlateau(1.0, factor=0.5, patience=3)
    rates = [plateau.step(1.0) for _ in range(8)]
    assert rates == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_plateau_wants_more_than_the_threshold():
    plateau = ReduceOnPlateau(1.0, factor=0.5, patience=2, threshold=0.1)
    assert [plateau.step(loss) for loss in (1.0, 0.95, 0.91)] == [1, 1, 0.5]
    assert plateau.best == 1.0
    assert plateau.step(0.89) == 0.5
    assert plateau.best == 0.89


def test_plateau_stops_at_the_minimum_and_counts_nan_as_no_improvement():
    plateau = ReduceOnPlateau(1.0, factor=0.1, patience=1, minimum=0.05)
    assert [plateau.step(loss) for loss in (1.0, np.nan, np.nan, 2.0)] == [1, 0.1, 0.05, 0.05]
