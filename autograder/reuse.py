"""``reuse("1_layers", "affine_forward")``: functions from an earlier notebook of the student's own.

The parts of an assignment build on one another, and copying cells from notebook to notebook makes
two versions of everything. Only definitions are taken: imports, functions, classes, constants;
nothing else of the earlier notebook runs.
"""

from __future__ import annotations

import ast
import linecache
import sys
import types
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from autograder.notebooks.cells import Unreadable, as_python, names_defined, parse_notebook


def reuse(notebook: str, *names: str) -> None:
    """Bring your functions or classes from an earlier notebook into this one.

    Args:
        notebook: the earlier notebook, ``"1_layers"``, in this folder. Save it first.
        names: what to bring.

    Raises:
        LookupError: where the notebook or a definition is missing, with the remedy.
    """
    namespace = _namespace(sys._getframe(1).f_globals)
    path = Path(notebook if notebook.endswith(".ipynb") else f"{notebook}.ipynb")
    if not path.is_file():
        # Graded, all notebooks of an assignment are one: the names are there already.
        if all(name in namespace for name in names):
            return
        raise LookupError(
            f"there is no {path.name} in {Path.cwd()}: put it beside this notebook, with your "
            f"{', '.join(names)} in it"
        )
    module = definitions(path)
    missing = [name for name in names if name not in vars(module)]
    if missing:
        raise LookupError(f"{path.name} does not define {', '.join(missing)}: is it saved?")
    for name in names:
        namespace[name] = vars(module)[name]
    stubs = [name for name in names if name in module.__stubs__]
    if stubs:
        print(
            f"Not written yet in {path.name}: {', '.join(stubs)}. Write it there, save, and run "
            "this cell again."
        )


def definitions(path: Path) -> types.ModuleType:
    """A module that holds what a notebook defines; ``__stubs__`` names what is still a stub.

    Raises:
        LookupError: where the file is no notebook.
    """
    try:
        cells = parse_notebook(path.read_bytes()).cells
    except Unreadable as error:
        raise LookupError(f"{path.name} cannot be read: {error}") from None
    module: Any = types.ModuleType(path.stem)
    module.__stubs__ = set()
    for cell in cells:
        if cell.kind == "code":
            place = f"{path.name}, cell {cell.index + 1}"
            _define(cell.source, place, module)
    return module


def _define(source: str, place: str, module: Any) -> None:
    """Run the definitions of one cell; one that fails is left out, others may not need it."""
    python = as_python(source)
    try:
        tree = ast.parse(python)
    except SyntaxError:
        return
    # So that a traceback shows the line in the earlier notebook.
    linecache.cache[place] = (len(python), None, python.splitlines(True), place)
    for node in _definitions(tree):
        names = names_defined(ast.unparse(node))
        try:
            exec(compile(ast.Module([node], []), place, "exec"), vars(module))
        except Exception as error:
            # A constant may be made from what an experiment computed; that is not taken.
            if not isinstance(node, ast.Assign):
                print(f"{place} could not be reused: {type(error).__name__}: {error}")
            continue
        stub = any(isinstance(n, ast.Raise) and _refuses(n) for n in ast.walk(node))
        module.__stubs__ -= set(names)
        module.__stubs__ |= set(names) if stub else set()


def _definitions(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)) or (
            isinstance(node, ast.Assign)
            and not any(isinstance(part, (ast.Call, ast.Await)) for part in ast.walk(node.value))
        ):
            yield node


def _refuses(node: ast.Raise) -> bool:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _namespace(fallback: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The notebook's variables; outside of a notebook those of the caller."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell.user_ns if shell is not None else fallback
