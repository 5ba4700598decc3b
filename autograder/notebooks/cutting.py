"""Cutting a package by its syntax tree: what is graded goes, what is left still imports.

Units that define graded names are cut; so is what cannot work without them, and what only served
them. Whole modules stay, if need be with nothing in them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder.notebooks.package_tree import (
    Definition,
    EditionError,
    Module,
    Package,
    Unit,
    absolute_source,
    annotations_in,
)


@dataclass
class Cut:
    """The package after the cut: file → text, and what became of what.

    cut:     graded names that were taken out, and their variants (``conv_forward_fast``).
    dropped: dotted names that went with them: they need a cut one, or only served cut ones.
    kept:    dotted names that are there.
    """

    files: dict[Path, str]
    cut: tuple[str, ...]
    dropped: tuple[str, ...]
    kept: tuple[str, ...]


def cut_package(
    root: Path, graded: Iterable[str], kept: Iterable[str], needs: Iterable[str] = ()
) -> Cut:
    """The package at ``root`` without ``graded``, and with all of ``kept`` and ``needs`` working.

    ``kept`` are plain names (earlier exercises, provided ones), ``needs`` dotted ones.

    Raises:
        EditionError: when a graded name is made by an assignment or a lambda, when something
            kept or needed cannot work without something cut, or is not there at all.
    """
    package = Package(root)
    graded = set(graded)
    cut = [unit for unit in package.units if _is_graded(unit, graded, set(kept))]
    for unit in cut:
        if not isinstance(unit.node, Definition):
            raise EditionError(
                f"{unit.module}, line {unit.first}: {', '.join(unit.names)} is graded but made by "
                "an assignment, which cannot be cut safely; write it as a def or a class"
            )
    lame = _dependents(package, set(cut))
    gone = set(cut) | lame
    wanted = _wanted(package, set(kept), set(needs))
    for name, unit in wanted:
        if unit in gone:
            culprits = package.reachable([unit]) & set(cut) or {unit}
            names = ", ".join(sorted(n for u in culprits for n in u.names))
            raise EditionError(
                f"{name} must be in this edition but needs {names}, which is graded; provide "
                "that too in the manifest, or do without"
            )
    served = package.reachable(gone)
    roots = {u for u in package.units if u.public and u not in gone and u not in served}
    roots |= {unit for _, unit in wanted}
    alive = package.reachable(roots, closed=gone) | roots
    files = {m.path: _rewritten(package, m, alive) for m in package.modules.values()}
    dropped = {
        f"{unit.module}.{name}"
        for unit in package.units
        for name in unit.names
        if unit not in alive and unit not in cut and name != "__all__"
    }
    return Cut(
        files,
        tuple(sorted({name for unit in cut for name in unit.names})),
        tuple(sorted(dropped)),
        tuple(sorted(f"{unit.module}.{name}" for unit in alive for name in unit.names)),
    )


def _is_graded(unit: Unit, graded: set[str], kept: set[str]) -> bool:
    """Graded itself, or a variant of something graded: ``conv_forward_fast``."""
    if unit.names == ("__all__",):
        return False
    return any(
        name in graded or (name not in kept and any(name.startswith(f"{g}_") for g in graded))
        for name in unit.names
    )


def _dependents(package: Package, cut: set[Unit]) -> set[Unit]:
    """Units that cannot work without a cut one, directly or through others."""
    lame: set[Unit] = set()
    growing = True
    while growing:
        growing = False
        for unit in package.units:
            if unit in cut or unit in lame or unit.names == ("__all__",):
                continue
            if package.targets(unit, hints=False) & (cut | lame):
                lame.add(unit)
                growing = True
    return lame


def _wanted(package: Package, kept: set[str], needs: set[str]) -> list[tuple[str, Unit]]:
    wanted = [
        (name, unit)
        for unit in package.units
        for name in unit.names
        if name in kept and unit.public
    ]
    for dotted in sorted(needs):
        module, _, name = dotted.rpartition(".")
        found = package.resolve(module, name)
        if found is None:
            raise EditionError(f"{dotted} is needed by the notebooks but is nowhere in the package")
        wanted += [(dotted, unit) for unit in package.owners.get(found, [])]
    return wanted


# --- putting it together again ---------------------------------------------------------------


def _rewritten(package: Package, module: Module, alive: set[Unit]) -> str:
    """The module's text; untouched where it lost nothing, comments and all."""
    units = [u for u in module.units if u in alive or u.names == ("__all__",)]
    lost = len(units) < len(module.units)
    texts = {unit: _text_of(package, module, unit, alive) for unit in units}
    imports = _imports(package, module, units, alive, keep_unused=not lost)
    untouched = [_segment(module, n.lineno, n.end_lineno or n.lineno) for n in module.imports]
    originals = {unit: _segment(module, unit.first, unit.last) for unit in units}
    if not lost and imports == untouched and texts == originals:
        return module.source
    parts = [_first_line_of_docstring(module), "\n".join(imports)]
    text = "\n\n".join(part for part in parts if part)
    for unit in units:
        gap = "\n\n\n" if isinstance(unit.node, Definition) else "\n\n"
        text += gap + texts[unit] if texts[unit] else ""
    return text.strip("\n") + "\n" if text.strip() else ""


def _segment(module: Module, first: int, last: int) -> str:
    return "\n".join(module.source.split("\n")[first - 1 : last])


def _first_line_of_docstring(module: Module) -> str:
    docstring = ast.get_docstring(module.tree)
    return f'"""{docstring.splitlines()[0]}"""' if docstring else ""


def _imports(
    package: Package, module: Module, units: list[Unit], alive: set[Unit], keep_unused: bool
) -> list[str]:
    """The import statements without names that are gone or that nothing uses any more."""
    used = {n.id for u in units for n in ast.walk(u.node) if isinstance(n, ast.Name)}
    lines = []
    for node in module.imports:
        kept = []
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            stays = keep_unused or bound in used
            if isinstance(node, ast.ImportFrom):
                stays |= module.is_package or node.module == "__future__"
                source = absolute_source(module, node)
                stays &= not _is_gone(package, source, alias.name, alive)
            if stays:
                kept.append(alias)
        if len(kept) == len(node.names):
            lines.append(_segment(module, node.lineno, node.end_lineno or node.lineno))
        elif kept and isinstance(node, ast.Import):
            lines.append(ast.unparse(ast.Import(kept)))
        elif kept and isinstance(node, ast.ImportFrom):
            lines.append(ast.unparse(ast.ImportFrom(node.module, kept, node.level)))
    return lines


def _is_gone(package: Package, source: str, name: str, alive: set[Unit]) -> bool:
    found = package.resolve(source, name) if source in package.modules else None
    if found is None or not found[1]:
        return False
    return not any(unit in alive for unit in package.owners[found])


def _text_of(package: Package, module: Module, unit: Unit, alive: set[Unit]) -> str:
    if unit.names == ("__all__",) and isinstance(unit.node, ast.Assign):
        listed = ast.literal_eval(unit.node.value)
        kept = [n for n in listed if not _is_gone(package, module.name, n, alive)]
        if len(kept) < len(listed):
            return f"__all__ = {kept!r}".replace("'", '"')
    return _without_dead_hints(package, module, unit, alive)


def _without_dead_hints(package: Package, module: Module, unit: Unit, alive: set[Unit]) -> str:
    """The unit's text, with ``object`` for annotations that name something cut."""
    lines = module.source.split("\n")
    dead = []
    for hint in annotations_in(unit.node):
        names = [n for n in ast.walk(hint) if isinstance(n, ast.Name)]
        if any(_is_gone(package, module.name, n.id, alive) for n in names):
            dead.append(hint)
    for hint in sorted(dead, key=lambda h: (h.lineno, h.col_offset), reverse=True):
        first, last = hint.lineno - 1, (hint.end_lineno or hint.lineno) - 1
        head = lines[first].encode()[: hint.col_offset].decode()
        tail = lines[last].encode()[hint.end_col_offset :].decode()
        # The hint may have spanned lines; keep their number, so that ``last`` stays true.
        lines[first : last + 1] = [f"{head}object{tail}", *[""] * (last - first)]
    return "\n".join(lines[unit.first - 1 : unit.last])
