"""Pictures of many numbers at once: distributions layer by layer, means over seeds.

Every function draws into ``axes``, or into new ones, and returns them.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from cs_nn.arrays import Scalar

STUDENT_T = (
    *(12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23),
    *(2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09, 2.09),
)
"""97.5 % quantiles of Student's t with 1, 2, … 20 degrees of freedom."""


def confidence_interval(runs: np.ndarray | Sequence) -> tuple[np.ndarray, np.ndarray]:
    """The mean over seeds, and how far the true mean may lie from it (95 %, Student's t).

    Args:
        runs: numbers (seeds, ...), at least two seeds.

    Returns:
        Mean and half the width of the interval, each of shape (...).

    Raises:
        ValueError: for fewer than two seeds, which say nothing about their spread.
    """
    runs = np.asarray(runs, dtype=float)
    n = len(runs)
    if n < 2:
        raise ValueError(f"an interval needs at least 2 runs, not {n}: repeat with other seeds")
    t = STUDENT_T[n - 2] if n - 2 < len(STUDENT_T) else 1.96
    half = t * runs.std(axis=0, ddof=1) / np.sqrt(n)
    return np.asarray(runs.mean(axis=0)), np.asarray(half)


def plot_bands(
    x: Sequence | np.ndarray,
    runs: Mapping[str, np.ndarray | Sequence],
    axes: Axes | None = None,
    marker: str = "",
) -> Axes:
    """Curves repeated over seeds: a line for the mean, a band for its 95 % confidence interval.

    Args:
        x: where the points lie, (points,).
        runs: for each curve, by name, its values (seeds, points).
        axes: where to draw.
        marker: of the points, as matplotlib names them.
    """
    if axes is None:
        _, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    for name, values in runs.items():
        mean, half = confidence_interval(values)
        (line,) = axes.plot(x, mean, label=name, marker=marker, markersize=4)
        axes.fill_between(x, mean - half, mean + half, color=line.get_color(), alpha=0.2, lw=0)
    axes.legend()
    return axes


def plot_intervals(
    groups: Mapping[str, np.ndarray | Sequence], unit: str, axes: Axes | None = None
) -> Axes:
    """One row for each group: its runs as dots, their mean and its 95 % confidence interval.

    Args:
        groups: for each row, by name, one number for each seed.
        unit: what the numbers are.
        axes: where to draw.
    """
    if axes is None:
        size = (7, 0.9 + 0.45 * len(groups))
        _, axes = plt.subplots(figsize=size, layout="constrained")
    for row, (_, values) in enumerate(groups.items()):
        mean, half = confidence_interval(values)
        # Labels that begin with an underscore stay out of the legend: one entry is enough.
        label = "one run" if row == 0 else "_again"
        axes.plot(values, np.full(len(values), row), "o", color="0.75", markersize=4, label=label)
        label = "mean, 95 % interval" if row == 0 else "_again"
        axes.errorbar(mean, row, xerr=half, fmt="s", color=f"C{row}", capsize=4, label=label)
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel(unit)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return axes


def plot_layer_histograms(
    schemes: Mapping[str, Sequence[np.ndarray]],
    limits: tuple[Scalar, Scalar] = (-1, 1),
    bins: int = 40,
    skip: Scalar | None = None,
) -> np.ndarray:
    """Histograms of activations: a row for each scheme, a column for each layer.

    Args:
        schemes: for each row, by name, one array of activations for each layer.
        limits: of the horizontal axes.
        bins: of each histogram.
        skip: a value to leave out (the zeros of ReLU would hide the rest); the title of each
            histogram then says how much was left out.

    Returns:
        The axes, (rows, columns).
    """
    rows, columns = len(schemes), max(len(layers) for layers in schemes.values())
    size = (1.35 * columns + 0.6, 1.35 * rows + 0.5)
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for row, (name, layers) in zip(grid, schemes.items(), strict=True):
        for number, (axes, h) in enumerate(zip(row, layers, strict=False), start=1):
            h = np.ravel(h)
            title = f"layer {number}\nstd {h.std():.2g}"
            if skip is not None:
                title = f"layer {number}\n{np.mean(h == skip):.0%} are {skip:g}"
                h = h[h != skip]
            axes.hist(np.clip(h, *limits), bins=bins, range=limits, color="C0")
            axes.set(yticks=[], xlim=limits, xticks=limits)
            axes.set_title(title, fontsize=8)
            axes.tick_params(labelsize=7)
        row[0].set_ylabel(name, fontsize=8)
    figure.supxlabel("activation", fontsize=9)
    return grid


def plot_clouds(
    clouds: Mapping[str, np.ndarray], colours: np.ndarray | None = None
) -> Sequence[Axes]:
    """Clouds of points (N, 2) side by side, on equal axes, with the origin marked.

    Args:
        clouds: the points by name.
        colours: a number for each point, the same in all clouds, to follow it from one to the next.
    """
    size = (2.7 * len(clouds), 2.9)
    _, row = plt.subplots(1, len(clouds), figsize=size, squeeze=False, layout="constrained")
    reach = 1.05 * max(np.abs(points).max() for points in clouds.values())
    for axes, (name, points) in zip(row[0], clouds.items(), strict=True):
        axes.axhline(0, color="0.8", lw=0.8)
        axes.axvline(0, color="0.8", lw=0.8)
        colour = {} if colours is None else {"c": colours, "cmap": "viridis"}
        axes.scatter(*points.T, s=6, alpha=0.7, **colour)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=name)
        axes.set(xlabel="$x_0$", ylabel="$x_1$")
    return list(row[0])
