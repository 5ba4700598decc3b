"""Which changes there are: at a node, what may stand there instead, and what that looks like.

A `Change` says in a tutor's words how an answer that comes from it would look ("as if a mean stood
where a sum belongs"), naming quantities but no code.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from autograder.mutation.tree import Place, at, names_in, replace, statement_of, walk


@dataclass(frozen=True)
class Change:
    """place: of the node that is changed.
    apply: changes a copy of the tree at that place.
    words: what it looks like, "as if …"; "" where there is no way to say it.
    proof: whether ``csnn validate --mutants`` tries it; the others are but look-alikes.
    slip:  the words without the place: what may be done at several places in one way."""

    place: Place
    apply: Callable[[ast.AST, Any, Place], None]
    words: str = ""
    proof: bool = True
    slip: str = ""


OPERATORS: dict[type, tuple[type, ...]] = {
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
NAMES = {
    "sum": ("mean",),
    "mean": ("sum",),
    "max": ("min",),
    "min": ("max",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "argmax": ("argmin",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "sqrt": ("abs",),
    "exp": ("expm1",),
    "log": ("log1p",),
    "var": ("std",),
    "std": ("var",),
    "floor": ("ceil",),
    "sign": ("abs",),
}
LOOSE_NAMES = {
    "sum": ("max",),
    "mean": ("max", "median"),
    "max": ("sum", "mean"),
    "exp": ("exp2",),
    "log": ("log2", "log10"),
    "floor": ("round",),
    "tanh": ("arctan",),
}
"""Replacements that only a look-alike tries."""

_WORDS = {
    ast.Add: "added",
    ast.Sub: "subtracted",
    ast.Mult: "multiplied",
    ast.Div: "divided by",
    ast.Pow: "raised to a power",
}
_PLAIN = {
    "sum": "a sum",
    "mean": "a mean",
    "max": "the largest",
    "min": "the smallest",
    "maximum": "the larger",
    "minimum": "the smaller",
    "var": "the variance",
    "std": "the standard deviation",
    "floor": "rounding down",
    "ceil": "rounding up",
    "round": "rounding to the nearest",
    "median": "a median",
    "abs": "the absolute value",
    "sqrt": "the root",
    "log2": "a logarithm to base 2",
    "log10": "a logarithm to base 10",
    "log": "the natural logarithm",
    "log1p": "log(1 + …)",
    "exp2": "a power of 2",
    "exp": "exp",
    "expm1": "exp(…) − 1",
}
_UNWRAPPED = {
    "sqrt": "a root were not taken",
    "exp": "exp were not taken",
    "log": "a logarithm were not taken",
    "abs": "an absolute value were not taken",
    "sum": "a sum were not taken",
    "mean": "a mean were not taken",
    "copy": "the array itself were kept where a copy is needed",
    "maximum": "a maximum were not taken",
    "minimum": "a minimum were not taken",
    "tanh": "tanh were not taken",
    "sign": "a sign were not taken",
    "argsort": "nothing were sorted",
    "sort": "nothing were sorted",
    "cumsum": "nothing were summed up",
    "cumprod": "nothing were multiplied up",
    "clip": "nothing were clipped",
    "floor": "nothing were rounded down",
    "permutation": "nothing were shuffled",
    "log1p": "a logarithm were not taken",
    "dot": "a product were not taken",
}


def changes(tree: ast.AST) -> Iterator[Change]:
    """Every change of a function or class, in the order of its source; then the same slip made
    wherever it can be."""
    same = set(_no_change(tree))
    variables = _in_reach(tree)
    slips: dict[tuple[str, int, str], list[Change]] = {}
    for place, node in walk(tree):
        met: Counter[str] = Counter()
        for change in _at_node(tree, place, node, variables.get(id(node), [])):
            if not (id(node) in same and change.apply in (_swap_sides, _swap_arguments, _add_one)):
                yield change
            right = ast.unparse(node.right) if isinstance(node, ast.BinOp) else ""  # x**t and y**t
            slips.setdefault((change.slip, met[change.slip], right), []).append(change)
            met[change.slip] += 1
    for (slip, _, _), alike in slips.items():
        if slip and 1 < len(alike) <= MOST_PLACES and not _nested([c.place for c in alike]):
            yield Change(alike[0].place, _everywhere(alike), f"as if {slip}, each time", False)


MOST_PLACES = 4


def _nested(places: list[Place]) -> bool:
    return any(a != b and b[: len(a)] == a for a in places for b in places)


def _everywhere(alike: list[Change]) -> Callable[[ast.AST, Any, Place], None]:
    def apply(tree: ast.AST, _node: Any, _place: Place) -> None:
        for change in reversed(alike):  # what stands further on keeps its place
            change.apply(tree, at(tree, change.place), change.place)

    return apply


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


def _in_reach(tree: ast.AST) -> dict[int, list[str]]:
    """For each node the names that its function binds, and those around it."""
    reach: dict[int, list[str]] = {}
    for function in ast.walk(tree):  # from the outside in
        if isinstance(function, (ast.FunctionDef, ast.Lambda)):
            own = _variables(function)
            around = reach.get(id(function), [])
            names = list(dict.fromkeys((*own, *around)))
            reach |= {id(node): names for node in ast.walk(function)}
    return reach


def _variables(tree: ast.AST) -> list[str]:
    """Names that a function binds, its parameters first."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            found[node.arg] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
    return [name for name in found if name != "self"]


def _at_node(tree: ast.AST, place: Place, node: Any, variables: list[str]) -> Iterator[Change]:
    target = _target(tree, place)

    def change(
        apply: Callable[[ast.AST, Any, Place], None], words: str = "", proof: bool = True
    ) -> Change:
        return Change(place, apply, f"as if {words}{target}" if words else "", proof, words)

    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)):
        yield from _operators(node, change)
    if isinstance(node, ast.BinOp):
        yield from _operands(node, change)
        yield from _parentheses(node, change)
    elif isinstance(node, ast.Compare):
        words = "a comparison were turned round, or its boundary on the wrong side"
        for new in OPERATORS.get(type(node.ops[0]), ()):
            yield change(lambda _t, n, _p, new=new: n.ops.__setitem__(0, new()), words)
    elif isinstance(node, ast.Constant):
        yield from _constants(tree, place, node, change)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        words = "a sign were missing" if isinstance(node.op, ast.USub) else "a “not” were missing"
        yield change(lambda t, n, p: replace(t, p, n.operand), words)
    elif isinstance(node, ast.Call):
        yield from _calls(node, change)
    elif isinstance(node, ast.Attribute):
        yield from _attributes(node, change)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield change(lambda _t, n, _p: n.value.elts.reverse(), "the results came in another order")
    elif isinstance(node, ast.IfExp):
        yield change(_swap_branches, "the two branches of a condition were exchanged")
    elif isinstance(node, (ast.If, ast.While)):
        yield from _conditions(node, change)
    elif isinstance(node, ast.Subscript):
        yield from _subscripts(node, change)
    elif isinstance(node, ast.Dict):
        yield from _entries(node, change)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in variables:
        for other in variables:
            if other != node.id:
                words = f"{other} stood where {node.id} belongs"
                apply = functools.partial(_rename, other)
                # No slip that is made again elsewhere: one wrong name is one wrong name.
                yield Change(place, apply, f"as if {words}{target}", False)
    if isinstance(node, (ast.AugAssign, ast.Assign, ast.Expr)):
        yield from _statements(node, change)


def _rename(name: str, _tree: ast.AST, node: Any, _place: Place) -> None:
    node.id = name


def _target(tree: ast.AST, place: Place) -> str:
    """ " in dx" for what is inside of an assignment to dx."""
    statement = statement_of(tree, place)
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign):
        targets = [statement.target]
    first = targets[0] if targets else None
    while isinstance(first, ast.Subscript):
        if isinstance(first.slice, ast.Constant) and isinstance(first.slice.value, str):
            return f" in {first.slice.value}"
        first = first.value
    if isinstance(first, ast.Attribute):
        return f" in {first.attr}"
    return f" in {first.id}" if isinstance(first, ast.Name) and len(first.id) > 1 else ""


Make = Callable[..., Change]


def _operators(node: Any, change: Make) -> Iterator[Change]:
    was = _WORDS.get(type(node.op))
    for new in OPERATORS.get(type(node.op), ()):
        now = _WORDS.get(new)
        words = f"something were {now} that should be {was}" if was and now else ""
        yield change(lambda _t, n, _p, new=new: setattr(n, "op", new()), words)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.MatMult, ast.Sub, ast.Div)):
        what = {ast.MatMult: "product", ast.Sub: "difference", ast.Div: "quotient"}[type(node.op)]
        yield change(_swap_sides, f"the two sides of a {what} were exchanged")
    if isinstance(node, ast.AugAssign):
        words = "each contribution replaced the one before instead of adding to it"
        if isinstance(node.op, (ast.Add, ast.Sub)):
            yield change(_assign_instead, words)
        yield change(_drop, "one step were left out")


def _operands(node: ast.BinOp, change: Make) -> Iterator[Change]:
    """A term or a factor left out."""
    kinds = {ast.Add: "term", ast.Sub: "term", ast.Mult: "factor", ast.Div: "factor"}
    kind = kinds.get(type(node.op))
    if isinstance(node.op, ast.Pow):
        yield change(lambda t, n, p: replace(t, p, n.left), "a power were not taken")
    if kind is None:
        return
    for keep, lost in (("left", node.right), ("right", node.left)):
        if isinstance(node.op, ast.Div) and keep == "right":
            continue
        named = names_in(lost)
        which = " with " + " and ".join(named[:2]) if named else ""
        if isinstance(lost, ast.Constant):
            which = f" {lost.value}"
        words = f"the {kind}{which} were left out"
        if isinstance(node.op, ast.Div):
            by = " by" + which.removeprefix(" with") if which else ""
            words = f"a division{by} were left out"
        yield change(lambda t, n, p, keep=keep: replace(t, p, getattr(n, keep)), words)


def _parentheses(node: ast.BinOp, change: Make) -> Iterator[Change]:
    """A pair of parentheses elsewhere: a·(b + c) as a·b + c, 1 + k·t as (1 + k)·t or k + t."""
    words = "a pair of parentheses were missing or stood elsewhere"
    if isinstance(node.op, ast.Div):
        words_down = "a quotient were rounded down"
        yield change(lambda _t, n, _p: setattr(n, "op", ast.FloorDiv()), words_down, False)
    for side in ("left", "right"):
        inner = getattr(node, side)
        if isinstance(inner, ast.BinOp) and type(inner.op) is not type(node.op):
            if side == "left" and isinstance(node.op, ast.Pow):
                yield change(_power_of_the_last, words, False)
                continue
            yield change(lambda t, n, p, s=side: _regroup(t, n, p, s), words, False)
            yield change(lambda _t, n, _p, s=side: _exchange_operators(n, s), words, False)


def _regroup(tree: ast.AST, node: Any, place: Place, side: str) -> None:
    """(a∘b)•c → a∘(b•c) and a•(b∘c) → (a•b)∘c."""
    inner = getattr(node, side)
    if side == "left":
        new = ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right))
    else:
        new = ast.BinOp(ast.BinOp(node.left, node.op, inner.left), inner.op, inner.right)
    replace(tree, place, new)


def _exchange_operators(node: Any, side: str) -> None:
    inner = getattr(node, side)
    node.op, inner.op = inner.op, node.op


def _power_of_the_last(tree: ast.AST, node: Any, place: Place) -> None:
    """(a∘b)² → a∘b²."""
    inner = node.left
    new = ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right))
    replace(tree, place, new)


def _partly(tree: ast.AST, node: Any, place: Place) -> None:
    """f(a∘b) → f(a)∘b."""
    inner: Any = node.args[0]
    node.args[0] = inner.left
    replace(tree, place, ast.BinOp(node, inner.op, inner.right))


def _power_outside(tree: ast.AST, node: Any, place: Place) -> None:
    """sum(a²) → sum(a)², for a function or a method."""
    func: Any = node.func
    method = isinstance(getattr(func, "value", None), ast.BinOp)
    power: Any = func.value if method else node.args[0]
    if method:
        func.value = power.left
    else:
        node.args[0] = power.left
    replace(tree, place, ast.BinOp(node, ast.Pow(), power.right))


def _other_way_round(_tree: ast.AST, node: Any, _place: Place) -> None:
    """mean(abs(a)) → abs(mean(a))."""
    inner: Any = node.args[0]
    node.func, inner.func = inner.func, node.func
    node.keywords, inner.keywords = inner.keywords, node.keywords
    node.args[1:], inner.args[1:] = inner.args[1:], node.args[1:]


RESHAPED = "a reshape stood where axes are to be exchanged"


def _reshaped_instead(tree: ast.AST, node: Any, place: Place) -> None:
    """a.T → a.reshape(a.T.shape), which has the same shape and scrambles the numbers."""
    array = node.value if isinstance(node, ast.Attribute) else node.func.value
    shape = ast.Attribute(copy.deepcopy(node), "shape", ast.Load())
    call = ast.Call(ast.Attribute(array, "reshape", ast.Load()), [shape], [])
    replace(tree, place, call)


def _constants(tree: ast.AST, place: Place, node: ast.Constant, change: Make) -> Iterator[Change]:
    value, holder = node.value, at(tree, place[:-1])
    words = f"the constant {value} were another one"
    if isinstance(holder, ast.keyword) and holder.arg == "axis":
        words = "a sum, mean or maximum went over another axis"
        for other in (None, 0, 1, 2, -1):
            if other != value:
                loose = other != 0 and other is not None
                yield change(lambda _t, n, _p, o=other: setattr(n, "value", o), words, not loose)
        return
    if isinstance(holder, ast.keyword) and holder.arg == "keepdims":
        words = "an axis of length 1 were kept or dropped"
    if isinstance(holder, ast.arguments):
        words = "a default value were another one"
    if isinstance(value, bool):
        yield change(lambda _t, n, _p: setattr(n, "value", not n.value), words)
    elif isinstance(value, (int, float)):
        yield change(_add_one, words)
        if isinstance(value, int):
            yield change(lambda _t, n, _p: setattr(n, "value", n.value - 1), words, False)
        if value not in (0, 1):
            yield change(lambda _t, n, _p: setattr(n, "value", n.value * 2), words)
            yield change(lambda _t, n, _p: setattr(n, "value", n.value / 2), words, False)
        if value == 1:
            yield change(lambda _t, n, _p: setattr(n, "value", 0), words)


def _calls(node: ast.Call, change: Make) -> Iterator[Change]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    plain = not any(isinstance(a, ast.Starred) for a in node.args)
    if len(node.args) == 2 and plain:
        yield change(_swap_arguments, "two arguments were exchanged")
    for i, keyword in enumerate(node.keywords):
        words = f"{keyword.arg} were not given where it is needed"
        yield change(lambda _t, n, _p, i=i: n.keywords.pop(i), words)
    first = node.args[0] if node.args else None
    if isinstance(first, ast.BinOp) and not isinstance(first.op, (ast.Pow, ast.MatMult)) and plain:
        words = f"{_PLAIN.get(name, name)} took in only a part of the expression"
        yield change(_partly, words, False)
    inside = node.func.value if isinstance(node.func, ast.Attribute) else None
    for power in (first, inside):
        if isinstance(power, ast.BinOp) and isinstance(power.op, ast.Pow) and name in _PLAIN:
            words = f"the power were taken of {_PLAIN[name]} instead of each entry"
            yield change(_power_outside, words, False)
    inner = getattr(first, "func", None)
    names = name, str(getattr(inner, "attr", getattr(inner, "id", "")))
    if isinstance(first, ast.Call) and names[0] != names[1] and all(n in _PLAIN for n in names):
        words = f"{_PLAIN[names[0]]} and {_PLAIN[names[1]]} were taken in the other order"
        yield change(_other_way_round, words, False)
    if name == "transpose" and isinstance(node.func, ast.Attribute):
        yield change(_reshaped_instead, RESHAPED, False)
    if name == "range" and plain:
        yield change(_shorter_range, "a loop ended one step too early")
        yield change(_later_range, "a loop began one step too late")
    elif name in _UNWRAPPED:
        yield change(_unwrap, _UNWRAPPED[name])
    elif name.startswith("_") and node.args:
        words = f"“{name.strip('_').replace('_', ' ')}” were left out"
        yield change(_unwrap, words, False)


def _attributes(node: ast.Attribute, change: Make) -> Iterator[Change]:
    if node.attr == "T":
        words = "a transposition were missing"
        yield change(lambda t, n, p: replace(t, p, n.value), words)
        yield change(_reshaped_instead, RESHAPED, False)
    if isinstance(node.ctx, ast.Store):
        return
    if node.attr == "pi":
        words = "π were doubled or halved"
        for times in (2, 0.5):
            yield change(
                lambda t, n, p, k=times: replace(t, p, ast.BinOp(n, ast.Mult(), ast.Constant(k))),
                words, False,
            )  # fmt: skip
    for table, proof in ((NAMES, True), (LOOSE_NAMES, False)):
        for new in table.get(node.attr, ()):
            words = ""
            if node.attr in _PLAIN and new in _PLAIN:
                words = f"{_PLAIN[new]} stood where {_PLAIN[node.attr]} belongs"
            elif (node.attr, new) == ("sqrt", "abs"):
                words = "a root were not taken"
            yield change(lambda _t, n, _p, new=new: setattr(n, "attr", new), words, proof)


def _conditions(node: Any, change: Make) -> Iterator[Change]:
    named = names_in(node.test)
    about = f" on {' and '.join(named[:2])}" if named else ""
    if isinstance(node, ast.If):
        for truth in (True, False):
            yield change(
                lambda _t, n, _p, v=truth: setattr(n, "test", ast.Constant(v)),
                f"a condition{about} were {'always' if truth else 'never'} met",
            )


def _subscripts(node: ast.Subscript, change: Make) -> Iterator[Change]:
    if not isinstance(node.ctx, ast.Load):
        return
    if isinstance(node.slice, ast.Slice):
        yield change(lambda t, n, p: replace(t, p, n.value), "a slice were not taken", False)
    elif isinstance(node.slice, ast.Name):
        for step in (1, -1):
            words = f"an index were {'one too high' if step > 0 else 'one too low'}"
            yield change(lambda _t, n, _p, s=step: _shift_index(n, s), words, False)


def _entries(node: ast.Dict, change: Make) -> Iterator[Change]:
    for i, key in enumerate(node.keys):
        if isinstance(key, ast.Constant):
            words = f"“{key.value}” were not stored"
            yield change(lambda _t, n, _p, i=i: (n.keys.pop(i), n.values.pop(i)), words, False)


def _statements(node: Any, change: Make) -> Iterator[Change]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    targets = node.targets if isinstance(node, ast.Assign) else []
    if (
        isinstance(node, ast.Expr)
        or any(isinstance(t, (ast.Subscript, ast.Attribute)) for t in targets)
        or (targets and isinstance(targets[0], ast.Name) and targets[0].id in names_in(node.value))
    ):
        yield change(_drop, "one step were left out")


def _swap_sides(_tree: ast.AST, node: Any, _place: Place) -> None:
    node.left, node.right = node.right, node.left


def _swap_arguments(_tree: ast.AST, node: Any, _place: Place) -> None:
    node.args.reverse()


def _add_one(_tree: ast.AST, node: Any, _place: Place) -> None:
    node.value += 1


def _swap_branches(_tree: ast.AST, node: Any, _place: Place) -> None:
    node.body, node.orelse = node.orelse, node.body


def _drop(tree: ast.AST, _node: Any, place: Place) -> None:
    replace(tree, place, ast.Pass())


def _assign_instead(tree: ast.AST, node: Any, place: Place) -> None:
    value = node.value
    if isinstance(node.op, ast.Sub):
        value = ast.UnaryOp(ast.USub(), value)
    replace(tree, place, ast.Assign([node.target], value, lineno=node.lineno))


def _unwrap(tree: ast.AST, node: Any, place: Place) -> None:
    """f(a, …) → a, and a.f(…) → a."""
    func = node.func
    method = isinstance(func, ast.Attribute) and getattr(func.value, "id", "") not in ("np", "math")
    if method and getattr(func.value, "id", "") == "rng":
        method = False
    if not method and not node.args:
        return
    replace(tree, place, func.value if method else node.args[0])


def _shorter_range(_tree: ast.AST, node: Any, _place: Place) -> None:
    end = 0 if len(node.args) == 1 else 1
    node.args[end] = ast.BinOp(node.args[end], ast.Sub(), ast.Constant(1))


def _later_range(_tree: ast.AST, node: Any, _place: Place) -> None:
    if len(node.args) == 1:
        node.args.insert(0, ast.Constant(1))
    else:
        node.args[0] = ast.BinOp(node.args[0], ast.Add(), ast.Constant(1))


def _shift_index(node: Any, step: int) -> None:
    node.slice = ast.BinOp(copy.deepcopy(node.slice), ast.Add(), ast.Constant(step))
