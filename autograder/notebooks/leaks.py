"""The proof that an edition gives nothing away: by text, by tree and by name.

What must not be found are the bodies of the functions that were cut, the solutions of the
instructor's notebooks, and the misconceptions, cases and variants of ``autograder/course``. What
the edition may hold (earlier exercises, say) is compared first and forgiven.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.notebooks.cells import as_python
from autograder.notebooks.cutting import Cut
from autograder.notebooks.edition import PACKAGES, PUBLIC, cut_for
from autograder.notebooks.manifest import ROOT, read_manifest

SHORTEST_LINE = 24
"""Shorter lines (``return dx, dw, db``) are anyone's."""
SMALLEST_TREE = 14
"""Functions with fewer nodes in their body (``return dx``) are anyone's."""

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class Traces:
    """What gives a piece of code away: its significant lines, the shape of its functions."""

    lines: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, str] = field(default_factory=dict)

    def add_code(self, source: str, tree: ast.AST, where: str) -> None:
        text = source.split("\n")
        for function in _functions(tree):
            name = f"{where}: {getattr(function, 'name', 'a lambda')}"
            shape = shape_of(function)
            if shape:
                self.shapes.setdefault(shape, name)
            for line in _body_lines(function, text):
                self.lines.setdefault(line, name)

    def without(self, allowed: Traces) -> Traces:
        return Traces(
            {line: who for line, who in self.lines.items() if line not in allowed.lines},
            {shape: who for shape, who in self.shapes.items() if shape not in allowed.shapes},
        )


def prove_no_leak(edition: Path, assignment: str, root: Path = ROOT) -> list[str]:
    """What the folder of an edition, or of a whole release, gives away: a line each, or []."""
    cut = cut_for(read_manifest(assignment, root))
    forbidden = forbidden_traces(assignment, cut, root)
    problems = list(_strangers(edition))
    for path in sorted(edition.rglob("*")):
        if path.is_file():
            shown = path.relative_to(edition).as_posix()
            # The scripts of the battery are called as the exercises they script.
            names = set() if shown.startswith("autograder/") else set(cut.cut)
            problems += [f"{shown}: {found}" for found in _in_file(path, forbidden, names)]
    return problems


def forbidden_traces(assignment: str, cut: Cut, root: Path = ROOT) -> Traces:
    """Traces of everything secret, less those of what the edition may hold."""
    secret, allowed = Traces(), Traces()
    for path, kept in cut.files.items():
        source = (PACKAGES / "cs_nn" / path).read_text(encoding="utf-8")
        secret.add_code(source, ast.parse(source), f"cs_nn/{path}")
        allowed.add_code(kept, ast.parse(kept), str(path))
    for path in sorted((PACKAGES / "autograder" / "course").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        secret.add_code(source, ast.parse(source), f"autograder/course/{path.name}")
    for entry in PUBLIC:
        base = PACKAGES / "autograder" / entry
        for path in [base] if base.suffix else sorted(base.rglob("*.py")):
            if path.is_file():
                source = path.read_text(encoding="utf-8")
                allowed.add_code(source, ast.parse(source), str(path))
    _add_regions(secret, allowed, assignment, root)
    return secret.without(allowed)


def _add_regions(secret: Traces, allowed: Traces, assignment: str, root: Path) -> None:
    """Solutions in the instructor's text, of this assignment and of later ones."""
    for path in sorted((root / "solutions").glob("*/*.py")):
        if path.parent.name < assignment:
            continue
        inside = False
        for line in path.read_text(encoding="utf-8").split("\n"):
            inside = (inside or "### BEGIN SOLUTION" in line) and "### END SOLUTION" not in line
            bare = line.strip().removeprefix("# ").strip()
            if _is_significant(bare) and "SOLUTION" not in bare:
                (secret if inside else allowed).lines.setdefault(bare, f"solutions/{path.name}")


def shape_of(function: Function) -> str:
    """A function's body with names numbered in order of appearance; "" if too small to tell.

    Documentation, annotations and the function's own name do not count.
    """
    body = function.body if isinstance(function.body, list) else [ast.Return(function.body)]
    body = [node for node in body if not _is_docstring(node)]
    if sum(1 for node in body for _ in ast.walk(node)) < SMALLEST_TREE:
        return ""
    names: dict[str, int] = {}
    text = ";".join(ast.dump(node) for node in body)
    return re.sub(
        r"\b(id|arg|name)='(\w+)'",
        lambda m: f"{m[1]}={names.setdefault(m[2], len(names))}",
        re.sub(r"annotation=\w+\([^()]*\)|type_comment=\w+", "", text),
    )


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _body_lines(function: Function, text: list[str]) -> Iterator[str]:
    body = function.body if isinstance(function.body, list) else [function.body]
    for node in body:
        if not (isinstance(node, ast.stmt) and _is_docstring(node)):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                line = text[number - 1].strip()
                if _is_significant(line):
                    yield line


def _is_significant(line: str) -> bool:
    """Long enough, and a computation rather than a comment, a message or a name."""
    if len(line) < SHORTEST_LINE or line.startswith(
        ("#", '"', "'", 'f"', "raise ", "def ", "class ")
    ):
        return False
    return bool(re.search(r"[-+*/@<>]|\w\(|\w\[", line))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _strangers(edition: Path) -> Iterator[str]:
    """Files of ``autograder`` that do not ship, and anything compiled."""
    public = [Path(entry) for entry in PUBLIC]
    for path in sorted(edition.rglob("*")):
        inner = path.relative_to(edition)
        if path.suffix == ".pyc" or path.is_symlink():
            yield f"{inner.as_posix()}: compiled code or a link has no business here"
        elif path.is_file() and inner.parts[0] == "autograder":
            rest = Path(*inner.parts[1:])
            if not any(rest == entry or entry in rest.parents for entry in public):
                yield f"{inner.as_posix()}: belongs to the secret half"


def _in_file(path: Path, forbidden: Traces, cut: set[str]) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return  # data
    sources = [text]
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        sources = ["".join(c["source"]) for c in cells]
    lines = {line.strip() for source in sources for line in source.split("\n")}
    for line in sorted(lines & set(forbidden.lines)):
        yield f"holds the line {line!r} of {forbidden.lines[line]}"
    if path.suffix == ".json":
        for line, who in forbidden.lines.items():
            if json.dumps(line)[1:-1] in text:
                yield f"holds the line {line!r} of {who}"
    if path.suffix in {".py", ".ipynb"}:
        for source in sources:
            yield from _in_code(source, forbidden, cut, is_notebook=path.suffix == ".ipynb")


def _in_code(source: str, forbidden: Traces, cut: set[str], is_notebook: bool) -> Iterator[str]:
    try:
        tree = ast.parse(as_python(source))
    except SyntaxError:
        return  # a cell of prose
    for function in _functions(tree):
        who = forbidden.shapes.get(shape_of(function))
        if who:
            yield f"{getattr(function, 'name', 'a lambda')} is {who} under another name"
    for name, node in _top_level(tree):
        if name in cut and not (is_notebook and _is_stub(node)):
            yield f"defines {name}, which is graded"


def _top_level(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    yield inner.id, node


def _is_stub(node: ast.stmt) -> bool:
    """Whether every function in it does nothing but refuse."""
    functions: Iterable[Function] = list(_functions(node))
    return bool(functions) and all(
        isinstance(f.body, list)
        and [type(n) for n in f.body if not _is_docstring(n)] == [ast.Raise]
        for f in functions
    )
