"""Means over seeds carry the interval that they claim; histograms leave nothing out unsaid."""

import matplotlib as mpl
import numpy as np
import pytest
import scipy.stats


@pytest.fixture(autouse=True)
def _no_window():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.mark.parametrize("n", [2, 5, 8, 21])
def test_confidence_interval_is_students(n):
    from cs_nn.plots_statistics import confidence_interval

    runs = np.random.default_rng(n).normal(size=(n, 3))
    mean, half = confidence_interval(runs)
    low, high = scipy.stats.ttest_1samp(runs, 0).confidence_interval(0.95)
    assert np.allclose(mean - half, low, rtol=0.01, atol=0.01)
    assert np.allclose(mean + half, high, rtol=0.01, atol=0.01)


def test_one_run_is_no_evidence():
    from cs_nn.plots_statistics import confidence_interval

    with pytest.raises(ValueError, match="at least 2 runs"):
        confidence_interval([[1.0, 2.0]])


def test_bands_and_intervals_show_mean_and_every_run():
    from cs_nn.plots_statistics import plot_bands, plot_intervals

    axes = plot_bands([1, 2], {"a": [[0.0, 2.0], [2.0, 4.0]]})
    assert axes.lines[0].get_ydata().tolist() == [1.0, 3.0]
    axes = plot_intervals({"a": [1.0, 3.0], "b": [2.0, 2.0]}, "loss")
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]
    assert axes.lines[0].get_xdata().tolist() == [1.0, 3.0]


def test_histograms_say_how_much_they_leave_out():
    from cs_nn.plots_statistics import plot_layer_histograms

    h = np.array([0.0, 0.0, 0.5, 9.0])
    grid = plot_layer_histograms({"relu": [h, h]}, limits=(0, 1), skip=0)
    assert grid.shape == (1, 2)
    assert "50% are 0" in grid[0, 0].get_title()
    assert sum(bar.get_height() for bar in grid[0, 0].patches) == 2


def test_clouds_keep_one_scale():
    from cs_nn.plots_statistics import plot_clouds

    row = plot_clouds({"a": np.ones((3, 2)), "b": 5 * np.ones((3, 2))})
    assert row[0].get_xlim() == row[1].get_xlim()
    assert row[0].get_xlim()[1] > 5
