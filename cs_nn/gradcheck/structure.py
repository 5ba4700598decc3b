"""One array, a tuple, a list or a dict of arrays, seen as a list of named leaves."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_nn.arrays import Array

Path = tuple[Any, ...]


@dataclass
class Leaf:
    """An array that f depends on. ``array`` is what f sees: the caller's own, where it can be."""

    path: Path
    name: str
    array: Array

    @property
    def eps(self) -> float:
        return float(np.finfo(self.array.dtype).eps)


@dataclass
class Inputs:
    """``x`` as the checker holds it: its leaves, and how ``f`` wants to be called with it."""

    structure: Any
    leaves: list[Leaf]

    def call(self, f: Callable[..., Any]) -> Any:
        """A tuple is a list of arguments, anything else is the one argument."""
        return f(*self.structure) if isinstance(self.structure, tuple) else f(self.structure)


def read_inputs(f: Callable[..., Any], x: Any, names: Sequence[str] | None) -> Inputs:
    """Find the leaves of ``x``; raise TypeError or ValueError, with a remedy, where that fails.

    The caller's arrays themselves are handed to ``f``, so that functions which look at
    ``net.params`` instead of their argument are checked too. Only read-only arrays and plain
    numbers are copied.
    """
    structure = replace_leaves(x, lambda _, value: _as_float_array(value))
    found = list(_walk(structure))
    if names is None:
        labels = _default_names(f, [path for path, _ in found], structure)
    elif len(names) == len(found):
        labels = list(names)
    else:
        raise ValueError(
            f"{len(names)} names for the {len(found)} arrays of x: give one name to each."
        )
    leaves = [Leaf(path, name, a) for (path, a), name in zip(found, labels, strict=True)]
    for i, first in enumerate(leaves):
        for second in leaves[i + 1 :]:
            if np.may_share_memory(first.array, second.array) and np.shares_memory(
                first.array, second.array
            ):
                raise ValueError(
                    f"{first.name} and {second.name} share memory, so a step in one moves the "
                    "other: pass a copy of one of them."
                )
    return Inputs(structure, leaves)


def match_gradient(leaves: list[Leaf], grad: Any) -> tuple[list[Array], str | None]:
    """The gradient of each leaf as float64, or a sentence that says why it does not fit ``x``."""
    found = dict(_walk(grad))
    if len(leaves) == 1 and len(found) == 1:  # a tuple of one, or its bare content
        found = {leaves[0].path: next(iter(found.values()))}
    matched = []
    for leaf in leaves:
        if leaf.path not in found or found[leaf.path] is None:
            return [], f"There is no gradient for {leaf.name}."
        gradient = np.asarray(found.pop(leaf.path))
        if gradient.dtype.kind not in "fiu":
            return [], f"The gradient of {leaf.name} is of type {gradient.dtype}, not real numbers."
        if gradient.shape != leaf.array.shape:
            return [], (
                f"The gradient of {leaf.name} has shape {gradient.shape}, but {leaf.name} has "
                f"shape {leaf.array.shape}: a gradient has exactly the shape of what it is the "
                "gradient of."
            )
        gradient = gradient.astype(np.float64)
        if not np.all(np.isfinite(gradient)):
            where = _index_text(np.argwhere(~np.isfinite(gradient))[0])
            return [], f"The gradient of {leaf.name} is not finite at {leaf.name}{where}."
        matched.append(gradient)
    if found:
        extra = ", ".join(_path_text(path) for path in found)
        return [], f"There are gradients for {extra}, which is not in x."
    return matched, None


def replace_leaves(x: Any, make: Callable[[Path, Any], Any], path: Path = ()) -> Any:
    """The same structure with ``make(path, leaf)`` for each leaf; ``x`` itself if none differ."""
    if isinstance(x, dict):
        items = {key: replace_leaves(value, make, (*path, key)) for key, value in x.items()}
        return x if all(items[key] is x[key] for key in x) else items
    if isinstance(x, list | tuple):
        parts = [replace_leaves(value, make, (*path, i)) for i, value in enumerate(x)]
        same = all(new is old for new, old in zip(parts, x, strict=True))
        return x if same else (parts if isinstance(x, list) else tuple(parts))
    return make(path, x)


def _walk(x: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(x, dict):
        for key, value in x.items():
            yield from _walk(value, (*path, key))
    elif isinstance(x, list | tuple):
        for i, value in enumerate(x):
            yield from _walk(value, (*path, i))
    else:
        yield path, x


def _as_float_array(value: Any) -> Array:
    array = value if isinstance(value, np.ndarray) else np.asarray(value)
    if array.dtype not in (np.float64, np.float32):
        raise TypeError(
            f"x holds an array of type {array.dtype}: only float64 and float32 can take a small "
            "step. Convert it, or, if it is not what you differentiate by (labels, say), bind it "
            "in f: lambda x: loss(x, y)."
        )
    return array if array.flags.writeable and array is value else array.copy()


def _default_names(f: Callable[..., Any], paths: list[Path], structure: Any) -> list[str]:
    """Dict keys and the names of f's own arguments say more than positions."""
    arguments: list[str] = []
    if isinstance(structure, tuple):
        try:
            arguments = list(inspect.signature(f).parameters)
        except (TypeError, ValueError):  # built-in functions have no signature to read
            arguments = []
    names = []
    for path in paths:
        if path and isinstance(structure, tuple) and len(arguments) >= len(structure):
            names.append(arguments[path[0]] + "".join(f"[{part!r}]" for part in path[1:]))
        else:
            names.append(_path_text(path))
    return names


def _path_text(path: Path) -> str:
    if path and isinstance(path[0], str):
        return path[0] + "".join(f"[{part!r}]" for part in path[1:])
    return "x" + "".join(f"[{part!r}]" for part in path)


def _index_text(index: Any) -> str:
    return "[" + ", ".join(str(int(i)) for i in index) + "]" if len(index) else ""
