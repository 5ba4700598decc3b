"""The pictures show what they are said to show."""

import matplotlib as mpl
import numpy as np
import pytest

from cs_nn.autodiff import Value


@pytest.fixture(autouse=True)
def _no_window():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_graph_shows_every_value_and_gradient():
    from cs_nn.plots import draw_graph

    x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
    f = (x + y) * z
    f.backward()
    texts = [text.get_text() for text in draw_graph(f).texts if text.get_text()]
    assert sorted(texts) == sorted(
        ["x", "-2", "-4", "y", "5", "-4", "z", "-4", "3", "+", "3", "-4", "·", "-12", "1"]
    )


def test_graph_of_shared_and_single_nodes():
    from cs_nn.plots import draw_graph

    draw_graph(Value(1.0))
    x = Value(2.0)
    axes = draw_graph(x * x + 1)
    arrows = [text for text in axes.texts if not text.get_text()]
    assert len(arrows) == 4


class OwnValue:
    """A student's own node: no slopes, no label."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, set(parents)


def test_graph_of_a_students_own_class():
    from cs_nn.plots import draw_graph

    x = OwnValue(2.0)
    axes = draw_graph(OwnValue(5.0, {x, OwnValue(3.0)}))
    assert len([text for text in axes.texts if not text.get_text()]) == 2


def test_gradient_error_leaves_exact_zeros_out():
    from cs_nn.plots import plot_gradient_error

    axes = plot_gradient_error([1e-2, 1e-4], {"central": [1e-5, 0.0], "forward": [1e-2, 1e-4]})
    central, forward = axes.get_lines()
    np.testing.assert_array_equal(central.get_ydata(), [1e-5, np.nan])
    np.testing.assert_array_equal(forward.get_ydata(), [1e-2, 1e-4])
