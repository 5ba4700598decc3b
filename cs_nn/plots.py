"""The pictures of the notebooks; only this and `cs_nn.plots_statistics` need matplotlib.

Every function draws into ``axes``, or into new ones, and returns them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from cs_nn.arrays import Scalar


@dataclass(eq=False)
class Node:
    """A node for a drawing made by hand: a value, a gradient, the nodes it was computed from."""

    data: float
    grad: float = float("nan")
    parents: Sequence["Node"] = ()
    operation: str = ""
    label: str = ""


def draw_graph(value: Any, axes: Axes | None = None) -> Axes:
    """The computation graph of ``value``: inputs on the left, values above, gradients below.

    ``value`` is the node that all lead to, or a list of several.

    Call ``value.backward()`` first to see the gradients. Besides ``cs_nn.autodiff.Value`` it draws
    any node that has ``data``, ``grad`` and ``parents``, the nodes it was computed from (or pairs
    of a node and a slope); ``operation`` and ``label``, two strings, name it.
    """
    position = _layout(list(value) if isinstance(value, (list, tuple)) else [value])
    columns = 1 + max(column for column, _ in position.values())
    height = max(row for _, row in position.values())
    axes = axes or plt.subplots(figsize=(1.5 * columns, 1.5 + 2 * height))[1]
    for node, place in position.items():
        for parent in _parents(node):
            # Around the nodes in between, not through them.
            bend = 0.35 if place[0] - position[parent][0] > 1 else 0
            arrow = {"arrowstyle": "->", "color": "0.5", "shrinkA": 16, "shrinkB": 16}
            arrow["connectionstyle"] = f"arc3,rad={bend}"
            axes.annotate("", xy=place, xytext=position[parent], arrowprops=arrow)
        # An input without a name is a constant: its value says all.
        name = getattr(node, "label", "") or getattr(node, "operation", "")
        name = name or f"{node.data:.4g}"
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "0.3"}
        axes.text(*place, name, ha="center", va="center", bbox=box, fontsize=11)
        for text, offset, colour in ((node.data, 13, "C2"), (node.grad, -19, "C3")):
            axes.annotate(
                "?" if np.isnan(text) else f"{text:.4g}",
                xy=place,
                xytext=(0, offset),
                textcoords="offset points",
                ha="center",
                color=colour,
                fontsize=9,
                # An arrow that passes must not strike the number out.
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
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
    axes = axes or plt.subplots()[1]
    for name, error in errors.items():
        error = np.asarray(error, dtype=float)
        axes.loglog(steps, np.where(error > 0, error, np.nan), marker="o", markersize=3, label=name)
    axes.set_xlabel("step h")
    axes.set_ylabel("absolute error of the gradient")
    axes.set_title("round-off on the left, truncation on the right")
    axes.legend()
    return axes


def plot_slopes(
    curves: Mapping[str, tuple[Callable[[np.ndarray], Any], Callable[[np.ndarray], Any]]],
    points: Sequence[float] | np.ndarray = (),
    reach: Scalar = 12.0,
    axes: Sequence[Axes] | None = None,
) -> Sequence[Axes]:
    """Activation functions on the left, their slopes on the right.

    Args:
        curves: for each function, by name, the function and its derivative, of an array.
        points: inputs to mark with dots on both sides.
        reach: how far the inputs go in both directions.
        axes: two, for functions and slopes.
    """
    if axes is None:
        axes = list(plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")[1])
    pair = list(axes)
    x = np.linspace(-reach, reach, 801)
    marked = np.asarray(points, dtype=float)
    for name, functions in curves.items():
        for place, function in zip(pair, functions, strict=True):
            (line,) = place.plot(x, function(x), label=name)
            if marked.size:
                place.plot(marked, function(marked), "o", color=line.get_color())
    for place, what in zip(pair, ("output", "slope: what passes of the gradient"), strict=True):
        place.set(xlabel="input x", ylabel=what)
        place.axhline(0, color="0.85", lw=0.8, zorder=0)
    pair[0].legend()
    return pair


def plot_losses(
    losses: Mapping[str, Any],
    level: Scalar | None = None,
    level_name: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Losses step by step, a line for each sequence; ``level`` is drawn across, with its name."""
    axes = axes or _new_axes(7.0, 3.0)
    for name, values in losses.items():
        axes.plot(values, lw=1, label=name)
    if level is not None:
        axes.axhline(float(level), color="0.5", ls=":", label=level_name)
    axes.set(xlabel="step", ylabel="loss")
    axes.legend()
    return axes


def show_images(
    images: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str] = (),
    signed: bool = False,
    columns: int = 10,
) -> list[Axes]:
    """Small images in rows. ``signed`` ones in blue (negative), white (0) and red (positive)."""
    rows = -(-len(images) // columns)
    size = (0.95 * columns, (1.2 if len(titles) else 0.98) * rows)
    _, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    shown = []
    for index, axes in enumerate(grid.flat):
        axes.set(xticks=[], yticks=[])
        if index >= len(images):
            axes.set_axis_off()
            continue
        limit = np.abs(images[index]).max()
        limits = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} if signed else {"cmap": "Greys"}
        axes.imshow(images[index], **limits)
        if len(titles):
            axes.set_title(titles[index], fontsize=9)
        shown.append(axes)
    return shown


def plot_regions(
    classify: Callable[[np.ndarray], Any],
    X: np.ndarray,
    y: np.ndarray,
    points: int = 60,
    axes: Axes | None = None,
) -> Axes:
    """What a classifier of the plane decides where, with the examples.

    Args:
        classify: from points (n, 2) to a label each, or to a score that is positive for class 1.
        X: examples (N, 2).
        y: their labels (N,).
        points: to ask along each side.
        axes: where to draw.
    """
    axes = axes or _new_axes(4.6, 4.0)
    low, high = X.min(axis=0) - 0.3, X.max(axis=0) + 0.3
    across, up = (np.linspace(low[i], high[i], points) for i in (0, 1))
    grid = np.stack([a.ravel() for a in np.meshgrid(across, up)], axis=1)
    decided = np.asarray(classify(grid)).reshape(points, points)
    if np.issubdtype(decided.dtype, np.floating):
        decided = (decided > 0).astype(int)
    levels = np.arange(-0.5, y.max() + 1)
    colours = [f"C{label}" for label in range(int(y.max()) + 1)]
    axes.contourf(across, up, decided, levels=levels, colors=colours, alpha=0.2)
    for label, colour in enumerate(colours):
        chosen = X[y == label]
        axes.scatter(*chosen.T, s=18, color=colour, edgecolor="white", label=f"class {label}")
    axes.set(xlabel="$x_0$", ylabel="$x_1$")
    axes.legend()
    return axes


def plot_paths(
    f: Callable[[np.ndarray, np.ndarray], np.ndarray],
    paths: Mapping[str, np.ndarray],
    reach: tuple[tuple[Scalar, Scalar], tuple[Scalar, Scalar]],
    axes: Axes | None = None,
    levels: int | Sequence[float] = 18,
) -> Axes:
    """The ways of a descent over the contour lines of ``f(u, v)``.

    Args:
        f: of two arrays of equal shape.
        paths: for each way, by name, its points (steps, 2).
        reach: the limits of both axes.
        axes: where to draw.
        levels: of the contour lines, or how many.
    """
    axes = axes or _new_axes(5.0, 4.4)
    u, v = np.meshgrid(*(np.linspace(*limits, 200) for limits in reach))
    height = f(u, v)
    axes.contour(u, v, height, levels=levels, colors="0.8", linewidths=0.8)
    for name, path in paths.items():
        marker = "o" if len(path) <= 50 else ""
        axes.plot(*np.asarray(path).T, marker=marker, markersize=3, lw=1.2, label=name)
    axes.set(xlim=reach[0], ylim=reach[1], xlabel="$w_0$", ylabel="$w_1$")
    axes.legend()
    return axes


def plot_curves(
    curves: Mapping[str, tuple[Any, Any]],
    xlabel: str,
    ylabel: str,
    log: str = "",
    title: str = "",
    marker: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Lines through points, one for each name.

    Args:
        curves: for each name, the places and the values, of equal length.
        xlabel: what the places are.
        ylabel: what the values are.
        log: the axes that are logarithmic, "x", "y" or "xy".
        title: what there is to see.
        marker: of every point; none by default.
        axes: where to draw.
    """
    if axes is None:
        _, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    for name, (x, y) in curves.items():
        axes.plot(x, y, lw=1.3, marker=marker, markersize=4, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if "x" in log:
        axes.set_xscale("log")
    if "y" in log:
        axes.set_yscale("log")
    if len(curves) > 1:
        axes.legend(fontsize=9)
    return axes


def plot_history(history: Mapping[str, Sequence[float]], title: str = "") -> Sequence[Axes]:
    """A training run, epoch by epoch: losses on the left, accuracies on the right.

    Args:
        history: lists with one entry per epoch: ``train_loss``, ``val_loss``, ``train_accuracy``
            and ``val_accuracy``.
        title: of the whole picture.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    epochs = np.arange(1, len(history["train_loss"]) + 1)
    for place, what in zip(axes, ("loss", "accuracy"), strict=True):
        for part, name in (("train", "training"), ("val", "validation")):
            place.plot(epochs, history[f"{part}_{what}"], marker="o", markersize=3, label=name)
        place.set(xlabel="epoch", ylabel=what)
        place.xaxis.set_major_locator(MaxNLocator(integer=True))
        place.legend()
    if title:
        figure.suptitle(title, fontsize=11)
    return axes


def plot_search(
    results: Sequence[tuple[Mapping[str, float], float]],
    x: str,
    y: str,
    score: str = "score",
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """The trials of a search over two parameters, coloured by score, the best one ringed.

    Args:
        results: (parameters, score) of every trial.
        x: name of the parameter along the horizontal axis, logarithmic.
        y: name of the parameter along the vertical axis, logarithmic.
        score: what the score is.
        title: what there is to see.
        axes: where to draw.
    """
    if axes is None:
        _, axes = plt.subplots(figsize=(5.4, 3.8), layout="constrained")
    across, up, scores = (
        np.array(values)
        for values in ([p[x] for p, _ in results], [p[y] for p, _ in results],
                       [s for _, s in results])
    )  # fmt: skip
    dots = axes.scatter(across, up, c=scores, s=60, cmap="viridis", edgecolor="white", zorder=2)
    best = np.nanargmax(scores)
    axes.scatter(across[best], up[best], s=170, facecolor="none", edgecolor="C3", label="best")
    axes.set(xlabel=x, ylabel=y, xscale="log", yscale="log", title=title)
    for axis in (axes.xaxis, axes.yaxis):
        # In a narrow box the labels of all nine minor ticks would run into each other.
        axis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.legend(loc="upper left")
    axes.figure.colorbar(dots, ax=axes, label=score)
    return axes


def animate_paths(
    f: Callable[[np.ndarray, np.ndarray], np.ndarray],
    paths: Mapping[str, np.ndarray],
    reach: tuple[tuple[Scalar, Scalar], tuple[Scalar, Scalar]],
    frames: int = 30,
    levels: int | Sequence[float] = 18,
    title: str = "",
) -> Any:
    """The picture of :func:`plot_paths` as a film with a slider, for a notebook to display.

    Args:
        f: of two arrays of equal shape.
        paths: for each way, by name, its points (steps, 2); all start together.
        reach: the limits of both axes.
        frames: pictures in the film, spread evenly over the longest way.
        levels: of the contour lines, or how many.
        title: what there is to see; the step is added to it.
    """
    from IPython.display import HTML
    from matplotlib.animation import FuncAnimation

    figure, axes = plt.subplots(figsize=(5.4, 4.2), dpi=72)
    plot_paths(f, dict.fromkeys(paths, np.full((1, 2), np.nan)), reach, axes, levels)
    lines = dict(zip(paths, axes.lines, strict=True))
    steps = max(len(path) for path in paths.values())

    def show(frame: int) -> list[Any]:
        now = 1 + round(frame * (steps - 1) / (frames - 1))
        for name, line in lines.items():
            line.set_data(*np.asarray(paths[name])[:now].T)
        axes.set_title(f"{title}, step {now - 1}" if title else f"step {now - 1}")
        return list(lines.values())

    film = FuncAnimation(figure, show, frames=frames, interval=120)
    page = HTML(_without_icons_from_the_net(film.to_jshtml(default_mode="once")))
    plt.close(figure)
    return page


PLAYER_ICONS = {
    "fa-minus": "−",
    "fa-fast-backward": "|«",
    "fa-step-backward": "‹",
    "fa-play fa-flip-horizontal": "◀",
    "fa-pause": "||",
    "fa-play": "▶",
    "fa-step-forward": "›",
    "fa-fast-forward": "»|",
    "fa-plus": "+",
}


def _without_icons_from_the_net(page: str) -> str:
    """Matplotlib's player, its buttons labelled with characters: offline they would be blank."""
    page = re.sub(r'<link rel="stylesheet"\s+href="https://[^>]*font-awesome[^>]*>', "", page)
    for icon, character in PLAYER_ICONS.items():
        page = page.replace(f'<i class="fa {icon}"></i>', character)
    return page


def _new_axes(width: float, height: float) -> Axes:
    """New axes, in a figure of this size in inches."""
    return plt.figure(figsize=(width, height), layout="constrained").subplots()


def _parents(node: Any) -> list[Any]:
    return [parent[0] if isinstance(parent, tuple) else parent for parent in node.parents]


def _layout(outputs: list[Any]) -> dict[Any, tuple[int, float]]:
    """Column and row of every node: behind its parents, and centred in its column."""
    column: dict[Any, int] = {}
    first_use: dict[Any, int] = {}
    stack = outputs[::-1]
    while stack:
        node = stack[-1]
        if node in column:
            stack.pop()
            continue
        parents = _parents(node)
        waiting = [parent for parent in parents if parent not in column]
        if waiting:
            stack.extend(reversed(waiting))  # the first input on top
            continue
        stack.pop()
        column[node] = 1 + max((column[parent] for parent in parents), default=-1)
        for parent in parents:
            first_use[parent] = min(column[node], first_use.get(parent, column[node]))
    members: dict[int, list[Any]] = {}
    for node, number in column.items():
        # Inputs stand right before their first use, for short arrows.
        number = number if _parents(node) or node not in first_use else first_use[node] - 1
        members.setdefault(number, []).append(node)
    return {
        node: (number, (len(nodes) - 1) / 2 - index)
        for number, nodes in members.items()
        for index, node in enumerate(nodes)
    }
