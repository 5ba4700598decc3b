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


def test_a_graph_by_hand_with_two_outputs_and_an_unknown_gradient():
    from cs_nn.plots import Node, draw_graph

    x = Node(7.0, label="x")
    axes = draw_graph([Node(7.0, 4.0, [x], "copy"), Node(7.0, 2.0, [x], "copy")])
    texts = [text.get_text() for text in axes.texts if text.get_text()]
    assert sorted(texts) == ["2", "4", "7", "7", "7", "?", "copy", "copy", "x"]


def test_an_arrow_past_a_node_goes_around_it():
    from cs_nn.plots import Node, draw_graph

    x = Node(1.0, label="x")
    a = Node(3.0, parents=[x])
    b = Node(4.0, parents=[a])
    axes = draw_graph(Node(12.0, 1.0, [a, b]))
    bends = sorted(t.arrow_patch.get_connectionstyle().rad for t in axes.texts if not t.get_text())
    assert bends == [0, 0, 0, 0.35]


def test_slopes_are_marked_where_asked():
    from cs_nn.plots import plot_slopes

    left, right = plot_slopes({"square": (np.square, lambda x: 2 * x)}, [-1.0, 3.0], reach=5)
    np.testing.assert_array_equal(left.lines[1].get_ydata(), [1.0, 9.0])
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [-2.0, 6.0])


def test_regions_take_labels_and_scores():
    from cs_nn.plots import plot_regions

    X, y = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), np.array([0, 1, 1])
    for classify in (lambda p: p[:, 0] - 0.5, lambda p: (p[:, 0] > 0.5).astype(int)):
        axes = plot_regions(classify, X, y, points=5)
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["class 0", "class 1"]


def test_losses_paths_and_images_show_what_they_are_given():
    from cs_nn.plots import plot_losses, plot_paths, show_images

    axes = plot_losses({"a": [3, 2, 1]}, 2.3, "log 10")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "log 10"]
    path = np.array([[0.0, 0.0], [1.0, 2.0]])
    axes = plot_paths(lambda u, v: u**2 + v**2, {"descent": path}, ((-1, 3), (-1, 3)))
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), path)
    shown = show_images(np.ones((3, 4, 4)), ["a", "b", "c"], signed=True, columns=2)
    assert [place.get_title() for place in shown] == ["a", "b", "c"]
    assert shown[0].images[0].get_clim() == (-1.0, 1.0)


def test_a_film_plays_without_the_net():
    from cs_nn.plots import animate_paths

    path = np.linspace(0, 1, 6)[:, None] * np.ones(2)
    page = animate_paths(lambda u, v: u**2 + v**2, {"a": path}, ((-1, 1), (-1, 1)), frames=3).data
    assert "https://" not in page
    assert "<i class" not in page
    assert page.count("<button") == 9
