"""Early stopping: when it stops, and what it remembers."""

import numpy as np
import pytest

from cs_nn.training.early_stopping import EarlyStopping


def run(patience, losses):
    """The answers of `step`, one per loss, and the object."""
    stopping = EarlyStopping(patience)
    return [stopping.step(loss, {"w": np.array([loss])}) for loss in losses], stopping


@pytest.mark.parametrize(
    ("patience", "losses", "answers"),
    [
        (1, [3.0, 2.0, 2.5], [False, False, True]),
        (2, [3.0, 4.0, 5.0], [False, False, True]),
        (2, [3.0, 4.0, 2.0, 3.0, 3.0], [False, False, False, False, True]),
        (2, [3.0, 3.0, 3.0], [False, False, True]),
        (2, [float("nan"), 1.0, float("nan"), float("nan")], [False, False, False, True]),
        (1, [1.0, 2.0, 3.0], [False, True, True]),
    ],
)
def test_stops_after_patience_steps_without_improvement(patience, losses, answers):
    given, _ = run(patience, losses)
    assert given == answers


def test_remembers_the_best_not_the_last():
    _, stopping = run(5, [3.0, 1.0, 2.0, 4.0])
    assert stopping.best_loss == 1.0
    np.testing.assert_array_equal(stopping.best_weights["w"], [1.0])


def test_keeps_a_copy():
    """Training goes on changing the arrays in place; the best weights must not change with them."""
    stopping = EarlyStopping(patience=3)
    weights = {"w": np.zeros(2)}
    stopping.step(np.float32(1.0), weights)
    weights["w"] += 1
    weights["b"] = np.ones(1)
    np.testing.assert_array_equal(stopping.best_weights["w"], [0.0, 0.0])
    assert list(stopping.best_weights) == ["w"]


def test_before_the_first_step():
    stopping = EarlyStopping(patience=1)
    assert stopping.best_loss == float("inf")
    assert stopping.best_weights is None


def test_refuses_no_patience():
    with pytest.raises(ValueError, match="at least 1"):
        EarlyStopping(patience=0)
