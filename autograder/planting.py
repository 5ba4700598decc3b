"""A small class with known mistakes: the reference, the stub, and misconceptions put into it.

A misconception's source is written into the solution notebook in place of the right function,
as a student would have it; so the demonstration and the end-to-end tests grade real notebooks.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import re
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from autograder.exercise import Exercise, Misconception

LOOPS = "def {name}(*args, **kwargs):\n    while True:\n        pass\n"
CRASHES = "import os\n\ndef {name}(*args, **kwargs):\n    os._exit(1)\n"


@dataclass(frozen=True)
class Planted:
    """One submission of the class.

    files: the notebooks by name.
    about: in a few words, what is wrong with it.
    """

    student: str
    files: Mapping[str, bytes]
    about: str
    exercise: str = ""
    code: str = ""


def small_class(
    exercises: Sequence[Exercise],
    solution: Mapping[str, bytes],
    stub: Mapping[str, bytes],
    mistakes: int = 12,
) -> list[Planted]:
    """The reference, the untouched stub, so many planted mistakes, and three disasters."""
    people = [
        Planted("reference", solution, "the reference solution"),
        Planted("untouched", stub, "the notebook as released"),
        *planted_mistakes(exercises, solution, mistakes),
    ]
    last = exercises[-1].name
    disasters = [("crashes", CRASHES, f"{last} ends its process"), ("loops", LOOPS, "")]
    for student, code, about in disasters:
        text = code.format(name=last)
        about = about or f"{last} never returns"
        people.append(Planted(student, replaced(solution, {last: text}), about, last))
    torn = {name: content[: len(content) // 2] for name, content in solution.items()}
    people.append(Planted("torn-file", torn, "a notebook that is no JSON"))
    return people


def planted_mistakes(
    exercises: Sequence[Exercise], solution: Mapping[str, bytes], count: int
) -> list[Planted]:
    """Submissions with one misconception each, taken from all exercises in turn."""
    columns = [[(e, m) for m in e.misconceptions] for e in exercises]
    turns = [pair for row in zip_longest(*columns) for pair in row if pair is not None]
    people: list[Planted] = []
    for exercise, misconception in turns:
        sources = sources_of(exercise, misconception)
        if sources and len(people) < count:
            about = f"{exercise.name}: {misconception.code}"
            files = replaced(solution, sources)
            student = f"student-{len(people) + 1:02}"
            people.append(Planted(student, files, about, exercise.name, misconception.code))
    return people


def hand_in(people: Sequence[Planted], folder: Path) -> None:
    """Lay the submissions out as ``folder/<student>/<notebook>``."""
    for person in people:
        (folder / person.student).mkdir(parents=True, exist_ok=True)
        for name, content in person.files.items():
            (folder / person.student / name).write_bytes(content)


def replaced(notebooks: Mapping[str, bytes], sources: Mapping[str, str]) -> dict[str, bytes]:
    """Notebooks with the cells that define these names holding other sources.

    Raises:
        LookupError: if no cell defines one of the names.
    """
    left = dict(sources)
    changed = {file: _with_cells(content, left) for file, content in notebooks.items()}
    if left:
        raise LookupError(f"no cell defines {', '.join(left)}")
    return changed


def _with_cells(notebook: bytes, left: dict[str, str]) -> bytes:
    """A notebook with cells replaced; what was found is taken out of ``left``."""
    data = json.loads(notebook)
    for cell in data["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            for name in [n for n in left if re.search(rf"^(def|class) {n}\b", text, re.M)]:
                cell["source"] = left.pop(name)
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def sources_of(exercise: Exercise, misconception: Misconception) -> dict[str, str] | None:
    """The source of a misconception by graded name; ``None`` where it cannot stand alone."""
    wrong = misconception.wrong
    things = wrong if isinstance(wrong, Mapping) else {exercise.name: wrong}
    sources = {name: _standalone(thing, name, exercise) for name, thing in things.items()}
    whole = {name: source for name, source in sources.items() if source is not None}
    return whole if len(whole) == len(sources) else None


def _standalone(thing: Any, name: str, exercise: Exercise) -> str | None:
    module = sys.modules.get(getattr(thing, "__module__", ""))
    own = getattr(thing, "__qualname__", "<locals>")
    if (
        module is None
        or not own.isidentifier()
        or not isinstance(thing, (types.FunctionType, type))
    ):
        return None
    text = inspect.getsource(module)
    definitions = {n: node for node in ast.parse(text).body for n in _binds(node)}
    wanted = _closure(own, definitions, {*exercise.reference, *_known(module)})
    if wanted is None:
        return None
    nodes = sorted({definitions[n] for n in wanted}, key=lambda node: node.lineno)
    parts = [ast.get_source_segment(text, node) or "" for node in nodes]
    return re.sub(rf"\b{own}\b", name, "\n\n\n".join(parts)) + "\n"


def _binds(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        # A decorator or a function of the course's own at module level is not a student's code.
        return [] if node.decorator_list else [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _known(module: types.ModuleType) -> set[str]:
    """What a notebook has as well under the same name: NumPy, and what is taught before."""
    return {
        name
        for name, thing in vars(module).items()
        if thing is sys.modules.get("numpy")
        or str(getattr(thing, "__module__", "")).startswith("cs_nn.")
    }


def _closure(own: str, definitions: Mapping[str, ast.stmt], known: set[str]) -> set[str] | None:
    """The names whose definitions are needed; ``None`` if one is out of reach."""
    wanted, todo = set(), [own]
    while todo:
        name = todo.pop()
        if name in wanted or (name in known and name != own) or hasattr(builtins, name):
            continue
        if name not in definitions:
            return None
        wanted.add(name)
        todo += _free_names(definitions[name])
    return wanted


def _free_names(node: ast.stmt) -> set[str]:
    loads, stores = set(), set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            (loads if isinstance(part.ctx, ast.Load) else stores).add(part.id)
        elif isinstance(part, ast.arg):
            stores.add(part.arg)
        elif isinstance(part, (ast.FunctionDef, ast.ClassDef)) and part is not node:
            stores.add(part.name)
    return loads - stores
