"""A package as a graph: its top-level statements and who refers to whom, by syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class EditionError(ValueError):
    """An edition that cannot be made; one sentence that names the culprit and the remedy."""


@dataclass(eq=False)
class Unit:
    """A top-level statement, from its decorators to the string that documents it."""

    module: str
    node: ast.stmt
    names: tuple[str, ...]
    first: int
    last: int
    refs: set[tuple[str, str]] = field(default_factory=set)
    annotated: set[tuple[str, str]] = field(default_factory=set)

    @property
    def public(self) -> bool:
        return not self.names or any(not name.startswith("_") for name in self.names)


@dataclass
class Module:
    """A module of the package, taken apart."""

    name: str
    path: Path
    source: str
    tree: ast.Module
    units: list[Unit] = field(default_factory=list)
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    aliases: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


class Package:
    """All modules of a package and who refers to whom."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules: dict[str, Module] = {}
        for path in sorted(root.rglob("*.py")):
            module = _parse(root, path)
            self.modules[module.name] = module
        self.owners: dict[tuple[str, str], list[Unit]] = {}
        for module in self.modules.values():
            for unit in module.units:
                for name in unit.names:
                    self.owners.setdefault((module.name, name), []).append(unit)
        for module in self.modules.values():
            for unit in module.units:
                self._find_references(module, unit)

    @property
    def units(self) -> list[Unit]:
        return [unit for module in self.modules.values() for unit in module.units]

    def targets(self, unit: Unit, hints: bool = True) -> set[Unit]:
        """The units that this one refers to; with ``hints``, in annotations too."""
        refs = unit.refs | unit.annotated if hints else unit.refs
        return {target for ref in refs for target in self.owners.get(ref, [])}

    def reachable(self, start: Iterable[Unit], closed: Iterable[Unit] = ()) -> set[Unit]:
        """All that ``start`` refers to, directly or through others, but never into ``closed``."""
        closed = set(closed)
        found: set[Unit] = set()
        todo = list(start)
        while todo:
            fresh = self.targets(todo.pop()) - found - closed
            found |= fresh
            todo += fresh
        return found

    def resolve(self, module: str, name: str) -> tuple[str, str] | None:
        """Where a name used in a module is defined: (module, name), (module, "") or None."""
        for _ in range(20):  # re-exports form short chains; a circle must not hang us
            if (module, name) in self.owners:
                return module, name
            if module not in self.modules:
                return None
            target = self.modules[module].aliases.get(name)
            if target is None:
                inner = f"{module}.{name}"
                return (inner, "") if inner in self.modules else None
            module, name = target
            if not name:
                return (module, "") if module in self.modules else None
        return None

    def _find_references(self, module: Module, unit: Unit) -> None:
        hints = {id(n) for hint in annotations_in(unit.node) for n in ast.walk(hint)}
        local = _local_names(unit.node)
        for node in ast.walk(unit.node):
            for found in self._targets(module, node, local):
                (unit.annotated if id(node) in hints else unit.refs).add(found)

    def _targets(self, module: Module, node: ast.AST, local: set[str]) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in local:
            found = self.resolve(module.name, node.id)
            if found and found[1]:
                yield found
        elif isinstance(node, ast.Attribute):
            dotted = _dotted(node)
            if dotted and dotted[0] not in local:
                yield from self._through_modules(module, dotted)
        elif isinstance(node, ast.ImportFrom):
            source = absolute_source(module, node)
            for alias in node.names:
                found = self.resolve(source, alias.name) if source in self.modules else None
                if found and found[1]:
                    yield found

    def _through_modules(self, module: Module, dotted: list[str]) -> Iterator[tuple[str, str]]:
        found = self.resolve(module.name, dotted[0])
        if found is None and dotted[0] in self.modules:
            found = (dotted[0], "")
        for part in dotted[1:]:
            if found is None or found[1]:
                return
            found = self.resolve(found[0], part)
        if found and found[1]:
            yield found


def _parse(root: Path, path: Path) -> Module:
    parts = [root.name, *path.relative_to(root).with_suffix("").parts]
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    source = path.read_text(encoding="utf-8")
    module = Module(name, path.relative_to(root), source, ast.parse(source))
    for i, node in enumerate(module.tree.body):
        if _is_string(node):
            if i and module.units and not isinstance(module.tree.body[i - 1], ast.ImportFrom):
                module.units[-1].last = node.end_lineno or node.lineno
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            module.imports.append(node)
            _note_aliases(module, node)
        else:
            decorators = [d.lineno for d in getattr(node, "decorator_list", [])]
            first = min([node.lineno, *decorators])
            names = tuple(_bound_names(node))
            module.units.append(Unit(name, node, names, first, node.end_lineno or first))
            for inner in ast.walk(node) if isinstance(node, (ast.If, ast.Try)) else ():
                if isinstance(inner, (ast.Import, ast.ImportFrom)):
                    _note_aliases(module, inner)
    return module


def _note_aliases(module: Module, node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            if alias.name == "*":
                raise EditionError(
                    f"{module.name}, line {node.lineno}: import the names instead of *; "
                    "what a star brings in cannot be cut"
                )
            module.aliases[alias.asname or alias.name] = (absolute_source(module, node), alias.name)
        elif alias.asname:
            module.aliases[alias.asname] = (alias.name, "")


def absolute_source(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    base = module.name.split(".")
    base = base[: len(base) - node.level + (1 if module.is_package else 0)]
    return ".".join([*base, *([node.module] if node.module else [])])


def _bound_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, Definition):
        yield node.name
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, Definition):
            yield inner.name


def _local_names(node: ast.stmt) -> set[str]:
    """Parameters and variables of a definition: they hide the module's names."""
    if not isinstance(node, Definition):
        return set()
    inside = (n for child in ast.iter_child_nodes(node) for n in ast.walk(child))
    local = set()
    for inner in inside:
        if isinstance(inner, ast.arg):
            local.add(inner.arg)
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            local.add(inner.id)
    return local


def annotations_in(node: ast.AST) -> Iterator[ast.expr]:
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and inner.returns:
            yield inner.returns
        elif isinstance(inner, (ast.arg, ast.AnnAssign)) and inner.annotation:
            yield inner.annotation


def _dotted(node: ast.Attribute) -> list[str]:
    parts: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return [inner.id, *reversed(parts)] if isinstance(inner, ast.Name) else []


def _is_string(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
