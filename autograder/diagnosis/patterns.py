"""General patterns: what a mistake looks like when nobody has foreseen it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np

from autograder.battery.compare import as_array, number
from autograder.battery.kind import REFUSALS, SPEED
from autograder.diagnosis.evidence import Evidence, Row
from autograder.diagnosis.relation import Relation, near
from autograder.diagnosis.relations import relations
from autograder.exercise import Diagnosis
from autograder.values import Raised

TELLING = ("ratio:", "all-zero", "transposed", "given-back", "extra-term", "where-", "part-ratio")
AMBIGUOUS = {"permuted", "by-axis", "some-signs"}


_STEP = re.compile(r"(.*) step (\d+)")


def same_run(aspect: str, other: str) -> bool:
    """Whether two aspects are steps of one run: "w after step 3" and "w after step 1"."""
    this, that = _STEP.fullmatch(aspect), _STEP.fullmatch(other)
    return bool(this and that and this[1] == that[1])


def earlier_step(aspect: str, aspects: Sequence[str]) -> str | None:
    """The first of ``aspects`` that is an earlier step of the same run."""
    for other in aspects:
        if same_run(aspect, other) and _number(other) < _number(aspect):
            return other
    return None


def _number(step: str) -> int:
    return int(step.rpartition(" ")[2])


def fact(evidence: Evidence, aspect: str) -> str:
    """The concrete case in one clause: "For x of shape (3, 4), db is 3 times too small."."""
    if aspect == "conduct":
        for trial, seen in zip(evidence.trials, evidence.got, strict=True):
            if seen.conduct:
                return f"For {trial.case.label}, {evidence.task.name} {seen.conduct[0]}."
        return ""
    row = next((r for r in evidence.rows(aspect) if r.fault), None)
    if row is None or row.fault is None:
        return ""
    found = relations(row) if row.fault.kind in ("value", "shape") else []
    strong = [r for r in found if r.code.startswith(TELLING)]
    text = f"{aspect} {strong[0].fact}" if strong else row.fault.about(aspect)
    return f"For {row.trial.case.label}, {text}."


def recognise(evidence: Evidence, aspect: str) -> Diagnosis:
    """The pattern that explains the wrong answers of one aspect, and when they are wrong."""
    rows = evidence.rows(aspect)
    wrong = [row for row in rows if row.fault]
    when_code, when = occasion(rows)
    slow = [r for r in wrong if isinstance(r.got, Raised) and r.got.kind == "TimeLimit"]
    first = slow[0] if slow else wrong[0]
    assert first.fault is not None
    name = evidence.task.name
    if slow:
        return _too_slow(first, name, aspect)
    if first.fault.kind == "raised":
        return _raised(evidence, aspect, wrong, when_code, when)
    own = evidence.task.kind.recognise(aspect, [(row.trial, row.got) for row in wrong])
    if own is not None and isinstance(first.got, str):
        return _own(own, first, when_code, when, name, aspect)
    if first.fault.kind == "fact":
        text = f"For {first.trial.case.label}: {first.fault.about(aspect)}."
        return Diagnosis(f"not:{aspect.replace(' ', '-')}", text, name, aspect)
    if first.fault.kind in ("type", "structure") and not isinstance(first.got, list):
        code = "returns-nothing" if first.got is None else "wrong-type"
        text = f"For {first.trial.case.label}: {first.fault.about(aspect)}."
        return Diagnosis(code, text, name, aspect)
    if own is not None:
        return _own(own, first, when_code, when, name, aspect)
    if first.fault.kind in ("type", "structure"):
        text = f"For {first.trial.case.label}: {first.fault.about(aspect)}."
        return Diagnosis("wrong-type", text, name, aspect)
    relation = _swapped(evidence, aspect, wrong)
    if relation and _STEP.fullmatch(aspect):
        relation = None  # one step late or early is no exchange of results
    relation = relation or _common(wrong) or _over_cases(wrong) or _nearly(wrong)
    if relation is None and first.fault.kind == "dtype":
        text = f"{aspect} {first.fault.text}"
        if "cut off" in text:
            text += ". Is there an array of integers into which the results are written?"
        elif "expected bool" in text:
            text += ": numbers are no marks; as an index, 0 and 1 pick the first two entries."
        else:
            text += (
                ": look for np.zeros, np.ones or np.eye without a dtype, for casts, and for "
                "float64 arrays that join in."
            )
        return Diagnosis("dtype-lost", f"For {first.trial.case.label}: {text}", name, aspect)
    if relation is None and first.fault.kind == "nan":
        return _not_finite(first, when, name, aspect)
    if relation is not None:
        text = f"{aspect} {relation.fact}: {relation.question}".rstrip(": ")
        lead = f"Only {when}: " if when else f"For {first.trial.case.label}: "
        code = relation.code + (f"@{when_code}" if when_code else "")
        return Diagnosis(code, lead + text, name, aspect)
    if earlier_step(aspect, list(evidence.trials[0].expected.values)):
        return _from_then_on(first, when_code, when, name, aspect)
    if isinstance(first.got, str) and isinstance(first.expected, str):
        lead = f"Only {when}: " if when else f"For {first.trial.case.label}: "
        code = f"{aspect}:{first.got}".replace(" ", "-")
        return Diagnosis(code, f"{lead}{first.fault.about(aspect)}.", name, aspect)
    arrays = (as_array(first.got), as_array(first.expected))
    if first.fault.kind == "shape" and all(array is not None for array in arrays):
        return _misshapen(first, when_code, when, name, aspect)
    if when:
        but = when.removeprefix("for inputs other than ")
        shown = _shown(wrong, aspect)
        text = f"{aspect} is right except {when}: {shown}"
        if but != when:
            text = f"{aspect} is right only for {but}: {shown}"
        return Diagnosis(f"only@{when_code}", text, name, aspect)
    return _smallest(wrong, name, aspect)


def _own(
    own: tuple[str, str, str], row: Row, when_code: str, when: str, name: str, aspect: str
) -> Diagnosis:
    """What the kind itself has recognised."""
    code, what, ask = own
    lead = f"Only {when}: " if when else f"For {row.trial.case.label}: "
    code += f"@{when_code}" if when_code else ""
    return Diagnosis(code, f"{lead}{aspect} {what}: {ask}".rstrip(": "), name, aspect)


def occasion(rows: list[Row]) -> tuple[str, str]:
    """When it fails: (code, words), both empty when it fails in general.

    The wrong cases must be exactly the cases of one check or tag; a single ordinary case that
    fails among others that pass is no occasion.
    """
    # How long a large case takes is its own matter; that its values are wrong too says nothing.
    rows = [row for row in rows if row.trial.case.check != SPEED] or rows
    wrong = {i for i, row in enumerate(rows) if row.fault}
    right = {i for i, row in enumerate(rows) if not row.fault}
    if not right:
        return "", ""
    named: dict[str, set[int]] = {}
    for i, row in enumerate(rows):
        if row.trial.case.check:
            named.setdefault(row.trial.case.check, set()).add(i)
        for tag in row.trial.case.tags - {"conduct", "any float", *REFUSALS}:
            named.setdefault(tag, set()).add(i)
    exact = [word for word, cases in named.items() if cases == wrong]
    inside = [word for word, cases in named.items() if wrong < cases]
    for word in exact or (inside if all(rows[i].trial.case.check for i in wrong) else []):
        return word.replace(" ", "-"), f"for {word}"
    pairs = [
        (one, other) for one, other in combinations(named, 2) if named[one] | named[other] == wrong
    ]
    for one, other in pairs:
        return f"{one}-and-{other}".replace(" ", "-"), f"for {one} and for {other}"
    without = [word for word, cases in named.items() if cases == right and len(right) > 1]
    for word in without:
        return f"except-{word.replace(' ', '-')}", f"for inputs other than {word}"
    return "", ""


def another_order(evidence: Evidence) -> Diagnosis | None:
    """All answers are right, but in the places of others."""
    names = list(evidence.trials[0].expected.values)
    if not 1 < len(names) < 5:
        return None
    pairs = [
        (trial.expected.values, seen.values)
        for trial, seen in zip(evidence.trials, evidence.got, strict=True)
        if not any(isinstance(value, Raised) for value in seen.values.values())
    ]
    if not pairs or any(names != list(expected) for expected, _ in pairs):
        return None
    same = evidence.task.kind.same_answer
    for places in list(permutations(names))[1:]:
        if all(
            same(name, expected[other], got.get(name))
            for expected, got in pairs
            for name, other in zip(names, places, strict=True)
        ) and any(not same(name, expected[name], got.get(name))
                  for expected, got in pairs for name in names):  # fmt: skip
            text = f"The answers are right, but come in the order {_and(places)}; asked for is "
            name = evidence.task.name
            return Diagnosis("another-order", f"{text}{_and(names)}.", name, names[0])
    return None


def _and(words: Sequence[str]) -> str:
    return ", ".join(words)


def _common(wrong: list[Row]) -> Relation | None:
    """The relation that holds on the wrong ordinary cases, all of them if possible."""
    rows = [r for r in wrong if not r.trial.case.check] or wrong
    rows = [r for r in rows if r.fault and r.fault.kind in ("value", "shape", "dtype")]
    seen = [relations(row) for row in rows]
    counts = Counter(code for found in seen for code in {relation.code for relation in found})
    best: Relation | None = None
    for relation in (relation for found in seen for relation in found):
        count = counts[relation.code]
        enough = count >= max(1, round(0.6 * len(rows)))
        lonely = relation.code in AMBIGUOUS and count < len(rows)
        if enough and not lonely and (best is None or count > counts[best.code]):
            best = relation
    return best


def _over_cases(wrong: list[Row]) -> Relation | None:
    """For single numbers: the same factor, or the same difference, in at least three cases."""
    pairs = [(as_array(row.expected), as_array(row.got)) for row in wrong]
    numbers = [
        (float(e), float(g)) for e, g in pairs if e is not None and g is not None and e.shape == ()
        and g.shape == () and np.isfinite(float(g))
    ]  # fmt: skip
    if len(numbers) < 3 or len(numbers) < len(wrong) - 1:
        return None
    e, g = np.array(numbers).T
    if np.all(e != 0) and np.ptp(g / e) <= 1e-6 * abs(g / e).max() and np.any(e != e[0]):
        factor = float((g / e)[0])
        return Relation(
            "ratio:constant",
            f"is always {number(factor)} times what it should be",
            "where does this constant factor come from?",
        )
    if np.ptp(g - e) <= 1e-6 * abs(g - e).max():
        return Relation(
            "constant-offset",
            f"is always {number(abs(g - e)[0])} too {'large' if g[0] > e[0] else 'small'}",
            "which constant is added or forgotten?",
        )
    return None


def _nearly(wrong: list[Row]) -> Relation | None:
    """Off by less than a thousandth wherever inputs are ordinary: somebody meant well."""
    rows = [row for row in wrong if not row.trial.case.check]
    pairs = [(as_array(row.expected), as_array(row.got)) for row in rows]
    if len(pairs) < 2:
        return None
    most = 0.0
    for e, g in pairs:
        if e is None or g is None or e.shape != g.shape or e.dtype.kind != "f" or not np.any(e):
            return None
        most = max(most, float(np.abs(g - e).max() / np.abs(e).max()))
    if not most < 1e-3:
        return None
    return Relation(
        "nearly-right",
        f"is nearly right, off by {most:.1g} of its size",
        "is a small constant added, or something clipped, where the formula has none? Does a loop "
        "end before it has settled, or a difference quotient stand for a derivative?",
    )


def _swapped(evidence: Evidence, aspect: str, wrong: list[Row]) -> Relation | None:
    """The answer belongs to another output, which is wrong as well."""
    for other in evidence.failing_aspects():
        theirs = as_array(wrong[0].trial.expected.values.get(other))
        mine = as_array(wrong[0].got)
        if other == aspect or theirs is None or mine is None or theirs.size < 2:
            continue
        own = as_array(wrong[0].expected)
        if near(mine, theirs) and (own is None or not near(mine, own)):
            return Relation("swapped", f"is what {other} should be",
                            "are the results returned in the right order?")  # fmt: skip
    return None


def _from_then_on(row: Row, when_code: str, when: str, name: str, aspect: str) -> Diagnosis:
    """Right at first, wrong from a later step on."""
    assert row.fault is not None
    lead = f"Only {when}: " if when else f"For {row.trial.case.label}: "
    text = (
        f"{aspect} {row.fault.text}, while the steps before are right. Look at what is carried "
        "from one step to the next: is all of it stored, under the key where it is looked for?"
    )
    code = "only@later-steps" + (f"@{when_code}" if when_code else "")
    return Diagnosis(code, lead + text, name, aspect)


def _too_slow(row: Row, name: str, aspect: str) -> Diagnosis:
    text = (
        f"{name} did not come back in time for {row.trial.case.label}: is there a loop that "
        "never ends, or a gradient computed by finite differences, two forward passes for each "
        "number?"
    )
    return Diagnosis("too-slow", text, name, aspect)


def _raised(
    evidence: Evidence, aspect: str, wrong: list[Row], when_code: str, when: str
) -> Diagnosis:
    first = wrong[0]
    assert isinstance(first.got, Raised)
    assert first.fault is not None
    name = evidence.task.name
    kind = first.got.kind
    lead = f"Only {when}: " if when else f"For {first.trial.case.label}: "
    hint = _hint(kind, first.got.message)
    code = f"raised:{kind}" + (f"@{when_code}" if when_code else "")
    return Diagnosis(code, f"{lead}{name} {first.fault.text}.{hint}", name, aspect)


HINTS = {
    "IndexError": "which axis is that index for, and how long is it?",
    "NameError": "is it defined in a cell that runs, and spelled the same?",
    "KeyError": "is that key there each time, at the first call too? Who puts it in?",
    "TypeError": "count the arguments and look at their types.",
    "AttributeError": "is the object what you think it is?",
}


def _hint(kind: str, message: str) -> str:
    """What to look at, if the error says no more than that."""
    hint = HINTS.get(kind, "")
    if kind == "ValueError" and re.search(r"shape|broadcast|dimension|align|axis|axes", message):
        hint = "print the shapes of both operands on that line."
    if kind == "IndexError" and "list" in message:
        hint = "how long is that list here? It may be empty."
    return f" Hint: {hint}" if hint else ""


def _not_finite(row: Row, when: str, name: str, aspect: str) -> Diagnosis:
    assert row.fault is not None
    lead = f"Only {when}: " if when else f"For {row.trial.case.label}: "
    text = (
        f"{aspect} {row.fault.text}. Some number on the way is infinite, or 0 is divided by 0: is "
        "there an exp or a product that grows too large, a log or a division that meets 0?"
    )
    return Diagnosis("not-finite", lead + text, name, aspect)


def _misshapen(row: Row, when_code: str, when: str, name: str, aspect: str) -> Diagnosis:
    """A wrong shape, and what usually makes one like it."""
    expected, got = as_array(row.expected), as_array(row.got)
    assert row.fault is not None
    assert expected is not None
    assert got is not None
    e, g = expected.shape, got.shape
    code, ask = "other-shape", "print the shapes on the way: which is the first to differ?"
    if not g:
        code = "one-number"
        ask = "a sum, mean, maximum or product went over everything: which axes must remain?"
    elif len(g) == len(e) and sorted(g) == sorted(e):
        code, ask = "axes-exchanged", "which axis comes first?"
    elif (len(g) == len(e) + 1 and e and g[-len(e) :] == e) or g[: len(e)] == e:
        code, ask = "an-axis-too-many", "is a sum over one axis missing?"
    elif len(g) < len(e) and (g == e[len(e) - len(g) :] or g == e[: len(g)]):
        code, ask = "an-axis-too-few", "was summed or averaged over an axis that should remain?"
    elif len(g) == len(e) and all(a == b or a == 1 for a, b in zip(g, e, strict=True)):
        code, ask = "an-axis-summed", "an axis of length 1 stands where all entries should be."
    elif len(g) == 2 and len(e) <= 2 and g[0] == g[1] and g[0] in e:
        code, ask = (
            "broadcast",
            "a column and a row were broadcast against each other: look for (N, 1) beside (N,).",
        )
    elif len(g) == len(e) and sum(a != b for a, b in zip(g, e, strict=True)) == 1:
        axis = next(i for i, (a, b) in enumerate(zip(g, e, strict=True)) if a != b)
        more = g[axis] - e[axis]
        code = f"length-of-axis-{axis}"
        ask = (
            f"axis {axis} is {abs(more)} too {'long' if more > 0 else 'short'}: where is its "
            "length decided?"
        )
    lead = f"Only {when}: " if when else f"For {row.trial.case.label}: "
    code += f"@{when_code}" if when_code else ""
    return Diagnosis(f"shape:{code}", f"{lead}{aspect} {row.fault.text}: {ask}", name, aspect)


def _smallest(wrong: list[Row], name: str, aspect: str) -> Diagnosis:
    """Where nothing else is known, an example."""
    shown = _shown(wrong, aspect)
    return Diagnosis("wrong-values", shown[0].upper() + shown[1:], name, aspect)


def _shown(wrong: list[Row], aspect: str) -> str:
    """The smallest failing case, an ordinary one if there is one, with numbers."""
    row = min(wrong, key=lambda r: (bool(r.trial.case.check), r.size))
    assert row.fault is not None
    text = f"for {row.trial.case.label}, {row.fault.about(aspect)}."
    e, g = as_array(row.expected), as_array(row.got)
    if e is not None and g is not None and 1 < e.size <= 6 and e.shape == g.shape:
        text += f" Yours: {_list(g)}; expected: {_list(e)}."
    return text


def _list(array: np.ndarray) -> str:
    return "[" + ", ".join(number(x) for x in array.ravel()) + "]"
