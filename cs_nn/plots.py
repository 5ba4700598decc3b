"""The pictures of the notebooks; the only module that needs matplotlib.

Every function draws into ``axes``, or into new ones, and returns them.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from cs_nn.autodiff import Value


def draw_graph(value: Value, axes: Axes | None = None) -> Axes:
    """The computation graph of ``value``: inputs on the left, values above, gradients below.

    Call ``value.backward()`` first to see the gradients.
    """
    position = _layout(value)
    columns = 1 + max(column for column, _ in position.values())
    rows = 1 + max(abs(row) for _, row in position.values())
    if axes is None:
        _, axes = plt.subplots(figsize=(1.9 * columns, 0.6 + 1.3 * rows))
    for node, (column, row) in position.items():
        for parent, _ in node.parents:
            axes.annotate(
                "",
                xy=(column - 0.3, row),
                xytext=(position[parent][0] + 0.3, position[parent][1]),
                arrowprops={"arrowstyle": "->", "color": "0.5"},
            )
        name = node.label or node.operation
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "0.3"}
        axes.text(column, row, name or "·", ha="center", va="center", bbox=box, fontsize=12)
        axes.text(column, row + 0.22, f"{node.data:.4g}", ha="center", va="bottom", color="C2")
        axes.text(column, row - 0.22, f"{node.grad:.4g}", ha="center", va="top", color="C3")
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(
        min(row for _, row in position.values()) - 0.7,
        0.7 + max(row for _, row in position.values()),
    )
    axes.set_axis_off()
    axes.set_title("values (green) flow right, gradients (red) flow left", fontsize=10)
    return axes


def plot_gradient_error(
    steps: Sequence[float] | np.ndarray,
    errors: Mapping[str, Sequence[float] | np.ndarray],
    axes: Axes | None = None,
) -> Axes:
    """Error of a numerical gradient against the step h, both on logarithmic axes.

    Args:
        steps: the values of h.
        errors: for each formula, by name, the absolute error at every step. An error of exactly
            0 has no place on a logarithmic axis and is left out.
        axes: where to draw.
    """
    if axes is None:
        _, axes = plt.subplots()
    for name, error in errors.items():
        error = np.asarray(error, dtype=float)
        axes.loglog(steps, np.where(error > 0, error, np.nan), marker="o", markersize=3, label=name)
    axes.set_xlabel("step h")
    axes.set_ylabel("absolute error of the gradient")
    axes.set_title("round-off on the left, truncation on the right")
    axes.legend()
    return axes


def _layout(value: Value) -> dict[Value, tuple[int, float]]:
    """Column and row of every node: one column behind its parents, centred in its column."""
    column: dict[Value, int] = {}
    stack = [value]
    while stack:
        node = stack[-1]
        waiting = [parent for parent, _ in node.parents if parent not in column]
        if waiting:
            stack.extend(waiting)
        else:
            column[stack.pop()] = 1 + max(
                (column[parent] for parent, _ in node.parents), default=-1
            )
    members: dict[int, list[Value]] = {}
    for node, number in column.items():
        members.setdefault(number, []).append(node)
    return {
        node: (number, (len(nodes) - 1) / 2 - index)
        for number, nodes in members.items()
        for index, node in enumerate(nodes)
    }
