"""Syntax trees by place: a place survives a copy of the tree, a node does not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

Place = tuple[tuple[str, int | None], ...]
"""A path of (field, index) from the root."""

BLOCKS = (ast.FunctionDef, ast.ClassDef, ast.For, ast.If, ast.While, ast.With)


def walk(node: ast.AST, place: Place = ()) -> Iterator[tuple[Place, ast.AST]]:
    """Every node that does some work, with its place: no annotation, no guard."""
    yield place, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        if name == "args" and isinstance(node, ast.FunctionDef):
            for i, default in enumerate(node.args.defaults):
                yield from walk(default, (*place, ("args", None), ("defaults", i)))
        elif isinstance(value, ast.AST):
            yield from walk(value, (*place, (name, None)))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST) and not is_guard(item):
                    yield from walk(item, (*place, (name, i)))


def is_guard(node: ast.AST) -> bool:
    """Whether a statement only refuses bad input: what is refused, and how, is not judged."""
    if isinstance(node, ast.If):
        return len(node.body) == 1 and isinstance(node.body[0], ast.Raise) and not node.orelse
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        name = getattr(node.value.func, "id", "")
        return name.startswith(("_check", "_same", "_require"))
    if isinstance(node, ast.FunctionDef):
        # A helper that does nothing but refuse; a method that also does its work is none.
        _, *work = node.body if ast.get_docstring(node) else (None, *node.body)
        return bool(work) and all(is_guard(statement) for statement in work)
    return isinstance(node, ast.Raise)


def at(tree: ast.AST, place: Place) -> Any:
    """The node at a place."""
    node: Any = tree
    for name, index in place:
        node = getattr(node, name)
        if index is not None:
            node = node[index]
    return node


def replace(tree: ast.AST, place: Place, new: ast.AST) -> None:
    """Put another node at a place."""
    (name, index), parent = place[-1], at(tree, place[:-1])
    if index is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[index] = new


def statement_of(tree: ast.AST, place: Place) -> ast.AST:
    """The smallest statement around a place, or the node itself where there is none."""
    best = at(tree, place)
    node: Any = tree
    for name, index in place:
        node = getattr(node, name)
        if index is not None:
            node = node[index]
        if isinstance(node, ast.stmt) and not isinstance(node, BLOCKS):
            best = node
    return best


def names_in(node: ast.AST) -> list[str]:
    """The variables that an expression reads, in the order of its text."""
    found = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return list(dict.fromkeys(name for name in found if name not in ("np", "math", "self")))
