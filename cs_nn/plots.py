"""The pictures of the notebooks; the only module that needs matplotlib.

Every function draws into ``axes``, or into new ones, and returns them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes


def draw_graph(value: Any, axes: Axes | None = None) -> Axes:
    """The computation graph of ``value``: inputs on the left, values above, gradients below.

    Call ``value.backward()`` first to see the gradients. Besides ``cs_nn.autodiff.Value`` it draws
    any node that has ``data``, ``grad`` and ``parents``, the nodes it was computed from (or pairs
    of a node and a slope); ``operation`` and ``label``, two strings, name it.
    """
    position = _layout(value)
    columns = 1 + max(column for column, _ in position.values())
    height = max(row for _, row in position.values())
    if axes is None:
        _, axes = plt.subplots(figsize=(1.5 * columns, 1.5 + 2 * height))
    for node, place in position.items():
        for parent in _parents(node):
            arrow = {"arrowstyle": "->", "color": "0.5", "shrinkA": 16, "shrinkB": 16}
            axes.annotate("", xy=place, xytext=position[parent], arrowprops=arrow)
        # An input without a name is a constant: its value says all.
        name = getattr(node, "label", "") or getattr(node, "operation", "")
        name = name or f"{node.data:.4g}"
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "0.3"}
        axes.text(*place, name, ha="center", va="center", bbox=box, fontsize=11)
        for text, offset, colour in ((node.data, 13, "C2"), (node.grad, -19, "C3")):
            axes.annotate(
                f"{text:.4g}",
                xy=place,
                xytext=(0, offset),
                textcoords="offset points",
                ha="center",
                color=colour,
                fontsize=9,
            )
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(-height - 0.6, height + 0.6)
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


def _parents(node: Any) -> list[Any]:
    return [parent[0] if isinstance(parent, tuple) else parent for parent in node.parents]


def _layout(value: Any) -> dict[Any, tuple[int, float]]:
    """Column and row of every node: behind its parents, and centred in its column."""
    column: dict[Any, int] = {}
    first_use: dict[Any, int] = {}
    stack = [value]
    while stack:
        node = stack[-1]
        parents = _parents(node)
        waiting = [parent for parent in parents if parent not in column]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        column[node] = 1 + max((column[parent] for parent in parents), default=-1)
        for parent in parents:
            first_use[parent] = min(column[node], first_use.get(parent, column[node]))
    members: dict[int, list[Any]] = {}
    for node, number in column.items():
        # Inputs stand right before their first use, for short arrows.
        number = number if _parents(node) or node is value else first_use[node] - 1
        members.setdefault(number, []).append(node)
    return {
        node: (number, (len(nodes) - 1) / 2 - index)
        for number, nodes in members.items()
        for index, node in enumerate(nodes)
    }
