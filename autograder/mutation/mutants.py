"""Mutants: a function or class with one change in its source.

The mutator is our own: maintained ones (mutmut, cosmic-ray) rewrite files and start a test run per
mutant, which takes seconds where a battery takes milliseconds.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from autograder.mutation.operators import Change, changes
from autograder.mutation.tree import at, statement_of


@dataclass(frozen=True)
class Mutant:
    """One change of one place: ``line`` counts within the function's source.

    words: what a wrong answer of this kind looks like, giving no code away.
    """

    exercise: str
    name: str
    source: str
    tree: ast.AST
    change: Change
    module: ModuleType

    @property
    def words(self) -> str:
        return self.change.words

    @property
    def line(self) -> int:
        return getattr(at(self.tree, self.change.place), "lineno", 0)

    @property
    def changed(self) -> ast.AST:
        """A copy of the source with the change made, not kept: there are hundreds of mutants."""
        tree = ast.parse(self.source)  # five times as fast as a copy of the tree
        self.change.apply(tree, at(tree, self.change.place), self.change.place)
        return ast.fix_missing_locations(tree)

    @cached_property
    def key(self) -> str:
        """What the list of equivalent mutants calls it: "before → after"."""
        before = _text(statement_of(self.tree, self.change.place))
        after = statement_of(self.changed, self.change.place)
        return f"{before} → {'(dropped)' if isinstance(after, ast.Pass) else _text(after)}"

    @cached_property
    def make(self) -> Callable[[], Any]:
        """Makes the mutant anew at each call, so that nothing is kept between two gradings."""
        code = compile(self.changed, f"<mutant of {self.exercise}>", "exec")  # type: ignore[arg-type]

        def made() -> Any:
            namespace = dict(vars(self.module))
            exec(code, namespace)
            return namespace[self.name]

        return made


def mutants(exercise: str, function: Any, *, proof: bool = True) -> Iterator[Mutant]:
    """Every mutant of a function or class, in the order of its source.

    Args:
        exercise: the name that it is graded under.
        proof: without the changes that are only for look-alikes.
    """
    function = inspect.unwrap(function)
    module = sys.modules[function.__module__]
    source = "\n".join(_sources(function, module))
    tree = ast.parse(source)
    seen = {ast.unparse(tree)} if proof else set()
    for change in changes(tree):
        if proof and not change.proof:
            continue
        mutant = Mutant(exercise, function.__name__, source, tree, change, module)
        if proof:
            text = ast.unparse(mutant.changed)
            if text in seen:
                continue
            seen.add(text)
        yield mutant


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:160]


def _sources(function: Any, module: ModuleType) -> list[str]:
    """The source of a function or class, after that of the private helpers it reaches."""
    found: dict[str, str] = {}

    def collect(thing: Any) -> None:
        source = inspect.getsource(thing)
        for node in ast.walk(ast.parse(source)):
            name = getattr(node, "id", "")
            helper: Any = vars(module).get(name) if name else None
            helper = inspect.unwrap(helper) if callable(helper) else None
            own = inspect.isfunction(helper) and helper.__module__ == module.__name__
            if own and name.startswith("_") and name not in found:
                found[name] = ""
                collect(helper)
        found[thing.__name__] = source

    collect(function)
    return [source for source in found.values() if source]
