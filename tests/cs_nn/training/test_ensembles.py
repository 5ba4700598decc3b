"""Several models together: the vote, the snapshots, the average."""

from types import SimpleNamespace

import numpy as np
import pytest

from cs_nn.training.ensembles import ParameterAverage, ensemble_predict, snapshot_ensemble


def test_probabilities_are_averaged_before_the_choice():
    sure = np.array([[0.9, 0.1, 0.0], [0.0, 0.0, 1.0]])
    unsure = np.array([[0.4, 0.6, 0.0], [0.5, 0.3, 0.2]])
    np.testing.assert_array_equal(ensemble_predict([sure, unsure, unsure]), [0, 2])
    np.testing.assert_array_equal(ensemble_predict([unsure]), [1, 0])


@pytest.mark.parametrize("models", [[], [np.ones((2, 3)), np.ones((2, 2))]])
def test_models_that_cannot_vote_together_are_refused(models):
    with pytest.raises(ValueError, match=r"at least one model|same shape"):
        ensemble_predict(models)


def test_snapshots_do_not_follow_the_network():
    net = SimpleNamespace(params={"W": np.zeros(2)})

    def run_cycle(net):
        net.params["W"] += 1  # in place, as a student's training loop may do

    snapshots = snapshot_ensemble(net, run_cycle, 3)
    assert [list(snapshot["W"]) for snapshot in snapshots] == [[1, 1], [2, 2], [3, 3]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_parameter_average_is_a_decaying_mean(dtype):
    params = {"W": np.array([1.0, 2.0], dtype), "b": np.zeros(1, dtype)}
    average = ParameterAverage(params, 0.75)
    params["W"][:] = 5
    average.update(params)
    params["W"][:] = 9
    average.update(params)
    expected = 0.75 * (0.75 * np.array([1.0, 2.0]) + 0.25 * 5) + 0.25 * 9
    np.testing.assert_allclose(average.average["W"], expected)
    assert average.average["W"].dtype == dtype
    np.testing.assert_array_equal(params["W"], 9)


def test_an_average_of_something_else_is_refused():
    average = ParameterAverage({"W": np.zeros(2)}, 0.9)
    with pytest.raises(ValueError, match="other names"):
        average.update({"V": np.zeros(2)})
    with pytest.raises(ValueError, match="between 0 and 1"):
        ParameterAverage({}, 1.1)
