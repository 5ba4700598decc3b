"""Mutation proof: the reference changed in one place at a time must fail the hidden checks.

A mutant that earns full marks is a hole in the battery, unless it computes the same; those are
listed with the reason in ``course/equivalent_mutants.toml``. The mutator is our own: maintained
ones (mutmut, cosmic-ray) rewrite files and start a test run per mutant, which takes seconds where
a battery takes milliseconds.
"""

from __future__ import annotations

import ast
import copy
import inspect
import re
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from autograder.battery.kind import Observed, Suspect
from autograder.exercise import Case, Exercise
from autograder.grading import brief, grade, namespace_with, observe
from autograder.student import LocalStudent

SECONDS = 5
"""A mutant that needs longer than this counts as caught."""

EQUIVALENT = Path(__file__).parent / "course" / "equivalent_mutants.toml"

_OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_NAMES = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "argmax": "argmin",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "sqrt": "abs",
    "exp": "expm1",
    "log": "log1p",
    "var": "std",
    "std": "var",
    "floor": "ceil",
    "sign": "abs",
}


class TooSlow(BaseException):
    """Raised by the alarm; no ``except Exception`` of a function under test can catch it."""


@dataclass(frozen=True)
class Mutant:
    """One change of one line: ``line`` counts within the function's source.

    likeness: what a wrong answer of this kind looks like, in words that give no code away.
    """

    exercise: str
    line: int
    before: str
    after: str
    make: Callable[[], Any]
    likeness: str = ""

    @property
    def key(self) -> str:
        """What the list of equivalent mutants calls it."""
        return f"{self.before} → {self.after}"


def mutants(exercise: Exercise) -> Iterator[Mutant]:
    """Every mutant of the graded function or class, in the order of its source."""
    reference = inspect.unwrap(exercise.reference[exercise.name])
    module = sys.modules[reference.__module__]
    tree = ast.parse("\n".join(_sources(reference, module)))
    seen = set()
    for place, change in _changes(tree):
        changed = copy.deepcopy(tree)
        node = _at(changed, place)
        before = _line(changed, node)
        change(changed, node, place)
        after = _line(changed, _at(changed, place)) if _exists(changed, place) else "(dropped)"
        text = ast.unparse(ast.fix_missing_locations(changed))
        if text in seen or text == ast.unparse(tree):
            continue
        seen.add(text)

        def make(text: str = text) -> Any:
            namespace = dict(vars(module))
            exec(compile(text, f"<mutant of {exercise.name}>", "exec"), namespace)
            return namespace[exercise.name]

        line = getattr(node, "lineno", 0)
        yield Mutant(exercise.name, line, before, after, make, _likeness(tree, place, changed))


def survivors(exercise: Exercise, seed: int = 11) -> tuple[list[Mutant], int]:
    """Mutants with full marks that are not listed as equivalent, and how many were tried."""
    task = brief(exercise, np.random.default_rng(seed))
    alive, tried = [], 0
    for mutant in mutants(exercise):
        tried += 1
        # Listed ones are tried too: the list must not hide a mutant that could be caught.
        if not _caught(exercise, task, mutant) and not is_equivalent(mutant):
            alive.append(mutant)
    return alive, tried


@cache
def _patterns() -> tuple[tuple[frozenset[str], re.Pattern[str]], ...]:
    data = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")) if EQUIVALENT.exists() else {}
    rows = data.get("pattern", [])
    return tuple((frozenset(row["exercises"]), re.compile(row["match"])) for row in rows)


def is_equivalent(mutant: Mutant) -> bool:
    """Whether the list says, with its reason, that the mutant computes the same."""
    return any(
        ("*" in names or mutant.exercise in names) and pattern.search(mutant.key)
        for names, pattern in _patterns()
    )


MOST_LOOKALIKES = 120
"""Tried in the order of the source; a number, not a time, so that results never depend on it."""


class _Answers(Sequence[Observed]):
    """What a mutant shows, trial by trial, found out only when it is asked for."""

    def __init__(self, exercise: Exercise, mutant: Mutant, cases: Sequence[Case]) -> None:
        self.exercise, self.mutant, self.cases = exercise, mutant, cases
        self._known: dict[int, Observed] = {}

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, i: Any) -> Any:
        if i not in self._known:
            try:
                wrong = self.mutant.make()
                self._known[i] = observe(self.exercise, wrong, [self.cases[i]])[0]
            except Exception:  # a mutant that breaks the conversation itself is nobody's answer
                self._known[i] = Observed()
        return self._known[i]


def lookalikes(exercise: Exercise, cases: Sequence[Case]) -> Iterator[Suspect]:
    """Mutants as suspects of last resort: a mistake that nobody foresaw may be one of them.

    None for code that loops until something holds, for which a mutant may never end, and none
    for an exercise that takes long to try.
    """
    if getattr(exercise.kind, "heavy", False):
        return
    if "while " in inspect.getsource(inspect.unwrap(exercise.reference[exercise.name])):
        return
    for mutant in islice(_mutants_of(exercise), MOST_LOOKALIKES):
        if mutant.likeness and not is_equivalent(mutant):
            answers = _Answers(exercise, mutant, cases)
            yield Suspect(mutant.key, mutant.likeness, "", None, answers)


_made: dict[str, list[Mutant]] = {}


def _mutants_of(exercise: Exercise) -> list[Mutant]:
    """The mutants of an exercise, made once in a process."""
    if exercise.name not in _made:
        _made[exercise.name] = list(mutants(exercise))
    return _made[exercise.name]


def _caught(exercise: Exercise, task: Any, mutant: Mutant) -> bool:
    def ring(*_: Any) -> None:
        raise TooSlow

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        student = LocalStudent(namespace_with(exercise, mutant.make()))
        result = grade(task, student)
        return result.score < result.max_score
    except TooSlow:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


# A place is a path of (field, index) from the root, so that it survives a deep copy.
Place = tuple[tuple[str, int | None], ...]
Change = Callable[[ast.AST, Any, Place], None]


def _changes(tree: ast.AST) -> Iterator[tuple[Place, Change]]:
    same = set(_no_change(tree))
    for place, node in _walk(tree, ()):
        for change in _changes_of(node):
            if not (id(node) in same and change in (_swap_sides, _swap_arguments, _add_one)):
                yield place, change


def _no_change(tree: ast.AST) -> Iterator[int]:
    """Nodes in which an exchange of the two sides, or another negative length, changes nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            if isinstance(node.right, ast.Constant) and node.right.value == 2:
                yield id(node.left)
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("maximum", "minimum", "add", "multiply", "logaddexp", "result_type"):
                yield id(node)
            if name in ("abs", "reshape"):
                yield from (id(child) for child in ast.walk(node))


def _is_guard(node: ast.AST) -> bool:
    """Whether a statement only refuses bad input: what is refused, and how, is not judged."""
    if isinstance(node, ast.If):
        return len(node.body) == 1 and isinstance(node.body[0], ast.Raise) and not node.orelse
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        name = getattr(node.value.func, "id", "")
        return name.startswith(("_check", "_same", "_require"))
    if isinstance(node, ast.FunctionDef):
        # A helper that does nothing but refuse; a method that also does its work is none.
        _, *work = node.body if ast.get_docstring(node) else (None, *node.body)
        return bool(work) and all(_is_guard(statement) for statement in work)
    return isinstance(node, ast.Raise)


def _walk(node: ast.AST, place: Place) -> Iterator[tuple[Place, ast.AST]]:
    yield place, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "args") and isinstance(
            node, (ast.FunctionDef, ast.arg, ast.AnnAssign)
        ):
            if name != "args":
                continue
            value = node.args  # type: ignore[union-attr]
            for i, default in enumerate(value.defaults):
                yield from _walk(default, (*place, ("args", None), ("defaults", i)))
            continue
        if isinstance(value, ast.AST):
            yield from _walk(value, (*place, (name, None)))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST) and not _is_guard(item):
                    yield from _walk(item, (*place, (name, i)))


def _changes_of(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)):
        for new in _OPERATORS.get(type(node.op), ()):
            yield lambda _t, n, _p, new=new: setattr(n, "op", new())
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.MatMult, ast.Sub, ast.Div)):
            yield _swap_sides
    elif isinstance(node, ast.Compare):
        for new in _OPERATORS.get(type(node.ops[0]), ()):
            yield lambda _t, n, _p, new=new: n.ops.__setitem__(0, new())
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield lambda t, n, p: _replace(t, p, n.operand)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Attribute):
        if node.attr == "T":
            yield lambda t, n, p: _replace(t, p, n.value)
        if node.attr in _NAMES and not isinstance(node.ctx, ast.Store):
            yield lambda _t, n, _p: setattr(n, "attr", _NAMES[n.attr])
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield lambda _t, n, _p: n.value.elts.reverse()
    elif isinstance(node, (ast.AugAssign, ast.Assign, ast.Expr)):
        yield from _statements(node)
    elif isinstance(node, ast.IfExp):
        yield _swap_branches
    if isinstance(node, ast.AugAssign):
        yield _drop


def _constants(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield lambda _t, n, _p: setattr(n, "value", not n.value)
    elif isinstance(value, (int, float)):
        yield _add_one
        if value not in (0, 1):
            yield lambda _t, n, _p: setattr(n, "value", n.value * 2)
        if value == 1:
            yield lambda _t, n, _p: setattr(n, "value", 0)


def _calls(node: ast.Call) -> Iterator[Change]:
    if len(node.args) == 2 and not any(isinstance(a, ast.Starred) for a in node.args):
        yield _swap_arguments
    for i in range(len(node.keywords)):
        yield lambda _t, n, _p, i=i: n.keywords.pop(i)


def _statements(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.Expr) or any(
        isinstance(t, (ast.Subscript, ast.Attribute)) for t in targets
    ):
        yield _drop


def _swap_sides(_tree: ast.AST, node: Any, _place: Place) -> None:
    node.left, node.right = node.right, node.left


def _swap_arguments(_tree: ast.AST, node: Any, _place: Place) -> None:
    node.args.reverse()


def _add_one(_tree: ast.AST, node: Any, _place: Place) -> None:
    node.value += 1


def _swap_branches(_tree: ast.AST, node: Any, _place: Place) -> None:
    node.body, node.orelse = node.orelse, node.body


def _drop(tree: ast.AST, _node: Any, place: Place) -> None:
    _replace(tree, place, ast.Pass())


def _at(tree: ast.AST, place: Place) -> Any:
    node: Any = tree
    for name, index in place:
        node = getattr(node, name)
        if index is not None:
            node = node[index]
    return node


def _exists(tree: ast.AST, place: Place) -> bool:
    return not isinstance(_at(tree, place), ast.Pass)


def _replace(tree: ast.AST, place: Place, new: ast.AST) -> None:
    (name, index), parent = place[-1], _at(tree, place[:-1])
    if index is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[index] = new


_WORDS = {
    ast.Add: "added",
    ast.Sub: "subtracted",
    ast.Mult: "multiplied",
    ast.Div: "divided by",
    ast.Pow: "raised to a power",
}


def _likeness(tree: ast.AST, place: Place, changed: ast.AST) -> str:
    """A change in a tutor's words: "as if a mean stood where a sum belongs"."""
    old = _at(tree, place)
    new: Any = _at(changed, place)
    if isinstance(new, ast.Pass):
        return "as if one step were left out"
    if isinstance(old, (ast.BinOp, ast.AugAssign)) and type(old.op) is not type(new.op):
        was, now = _WORDS.get(type(old.op)), _WORDS.get(type(new.op))
        return f"as if something were {now} that should be {was}" if was and now else ""
    if isinstance(old, ast.BinOp):
        return "as if the two sides of a product, difference or quotient were exchanged"
    if isinstance(old, ast.Compare):
        return "as if a comparison were turned round, or its boundary on the wrong side"
    if isinstance(old, ast.UnaryOp):
        return "as if a sign, or a negation, were missing"
    if isinstance(old, ast.Attribute) and old.attr == "T":
        return "as if a transposition were missing"
    if isinstance(old, ast.Attribute) and isinstance(new, ast.Attribute):
        plain = {"sum", "mean", "max", "min", "maximum", "minimum", "var", "std", "floor", "ceil"}
        if {old.attr, new.attr} <= plain:
            return f"as if {new.attr} stood where {old.attr} belongs"
        return "as if a root were not taken" if old.attr == "sqrt" else ""
    if isinstance(old, ast.Return):
        return "as if the results came in another order"
    if isinstance(old, ast.Call) and len(old.keywords) > len(new.keywords):
        missing = {k.arg for k in old.keywords} - {k.arg for k in new.keywords}
        return f"as if {missing.pop()} were not given where it is needed"
    if isinstance(old, ast.Call):
        return "as if two arguments were exchanged"
    if isinstance(old, ast.Constant):
        return _constant_likeness(tree, place, old)
    return ""


def _constant_likeness(tree: ast.AST, place: Place, old: ast.Constant) -> str:
    holder = _at(tree, place[:-1])
    if isinstance(holder, ast.keyword) and holder.arg == "axis":
        return "as if a sum, mean or maximum went over another axis"
    if isinstance(holder, ast.keyword) and holder.arg == "keepdims":
        return "as if an axis of length 1 were kept or dropped"
    if isinstance(holder, ast.arguments):
        return "as if a default value were another one"
    return f"as if the constant {old.value} were another one"


def _line(tree: ast.AST, node: ast.AST) -> str:
    """The statement that holds a node, as source."""
    holder = node
    for candidate in ast.walk(tree):
        if (
            isinstance(candidate, ast.stmt)
            and not isinstance(
                candidate, (ast.FunctionDef, ast.ClassDef, ast.For, ast.If, ast.While, ast.With)
            )
            and any(child is node for child in ast.walk(candidate))
        ):
            holder = candidate
    return " ".join(ast.unparse(holder).split())[:160]


def _sources(reference: Any, module: Any) -> list[str]:
    """The source of a function or class, after that of the private helpers it reaches."""
    found: dict[str, str] = {}

    def collect(thing: Any) -> None:
        source = inspect.getsource(thing)
        for node in ast.walk(ast.parse(source)):
            name = getattr(node, "id", "")
            helper = inspect.unwrap(vars(module).get(name, None)) if name else None
            own = inspect.isfunction(helper) and helper.__module__ == module.__name__
            if own and name.startswith("_") and name not in found:
                found[name] = ""
                collect(helper)
        found[thing.__name__] = source

    collect(reference)
    return [source for source in found.values() if source]
