"""From failed checks to the name of the mistake.

First the misconceptions: a wrong answer that equals a misconception's answer *is* that
misconception. Then general patterns (a constant ratio, a sign, a transposition, one term too
many …) together with *when* it fails. When nothing fits, the smallest failing case, with numbers.
A wrong name is worse than none.
"""

from __future__ import annotations

import dataclasses

from autograder.diagnosis import invariants
from autograder.diagnosis.compounds import compound
from autograder.diagnosis.evidence import Evidence
from autograder.diagnosis.patterns import another_order, earlier_step, recognise
from autograder.diagnosis.suspects import inherited, likeness, match
from autograder.exercise import Diagnosis

__all__ = ["Evidence", "diagnose", "invariants"]

CONDUCT_ADVICE = {
    "is not zero for dout = 0": (
        "dout-not-a-factor",
        "By the chain rule dout is a factor of every term of a gradient: which term is without it?",
    ),
    "changes": (
        "changes-its-input",
        "What is passed in belongs to the caller, who still needs it: work on a copy, or write "
        "into something new.",
    ),
    "overwrites": (
        "result-overwritten",
        "What is returned belongs to the caller, who may keep it: make a new array at each call.",
    ),
    "gives another answer once": (
        "result-handed-out-again",
        "What is returned belongs to the caller, who may write into it: make a new array at each "
        "call.",
    ),
    "gives another answer at its second": (
        "state-from-the-first-use",
        "Each forward pass starts afresh: what it keeps must take the place of what was kept "
        "before, and what is summed up must start at 0.",
    ),
    "gives another answer when a second layer": (
        "state-between-objects",
        "What backward needs belongs to the object, in self: a network has many of its kind.",
    ),
    "gives another answer when a second network": (
        "state-between-objects",
        "What is made in the body of a class belongs to all its objects: make it in __init__, in "
        "self.",
    ),
    "gives another answer when a second gate": (
        "state-between-objects",
        "What backward needs belongs to the object, in self: a graph has many of its kind.",
    ),
    "gives another answer when a second": (
        "state-between-calls",
        "All that backward needs must travel in the cache, because a network runs many layers "
        "forward before the first runs backward.",
    ),
    "starts two networks alike": (
        "the-same-start-without-rng",
        "No rng means a fresh one each time; a seed that is written down gives every network the "
        "same weights, and ensembles nothing to average.",
    ),
    "gives another answer": (
        "not-repeatable",
        "The same question must get the same answer: look for something that is kept or changed "
        "between calls.",
    ),
    "": ("conduct", ""),
}


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """All mistakes that can be named, the most telling first; never empty for a failed battery."""
    found: list[Diagnosis] = []
    explained, by_name = match(evidence)
    of_a_helper = inherited(evidence) if evidence.failing_aspects() else None
    if of_a_helper is not None:
        if len(by_name) == 1:  # the same mistake is known here: it costs what it costs here
            of_a_helper = dataclasses.replace(of_a_helper, severity=by_name[0].severity)
        return [of_a_helper, *_conduct(evidence)]
    if len(by_name) != 1 or not set(evidence.failing_aspects()) <= explained.keys():
        order = another_order(evidence)
        if order is not None:
            return [order, *_conduct(evidence)]
    found += by_name
    unexplained = [
        aspect
        for aspect in evidence.failing_aspects()
        if aspect not in explained and not evidence.says_nothing(aspect)
    ]
    for aspect in unexplained:
        # A wrong step carries over into all later ones; only the first has something to say.
        if earlier_step(aspect, unexplained) is None:
            found.append(recognise(evidence, aspect))
    found = _with_likeness(evidence, _without_consequences(evidence, found))
    found = [_with_compound(evidence, diagnosis) for diagnosis in found]
    for aspect, left in explained.items():
        if left:
            found.append(recognise(evidence.but(aspect, left), aspect))
    found = _merge(found)
    if "conduct" not in explained:
        conduct = _conduct(evidence)
        causes = ["state-between-objects"]
        if not any(d.exact for d in found) and any(d.code.startswith(VAGUE) for d in found):
            # What is overwritten is missing afterwards; what lacks dout has wrong numbers.
            causes += ["changes-its-input", "dout-not-a-factor"]
        first = [d for d in conduct if d.code in causes]
        found = first + found + [d for d in conduct if d not in first]
    return found


def _without_consequences(evidence: Evidence, found: list[Diagnosis]) -> list[Diagnosis]:
    """An output that is wrong only where another is infinite or not a number says nothing of
    its own."""

    def wrong(aspect: str) -> set[int]:
        return {i for i, row in enumerate(evidence.rows(aspect)) if row.fault}

    broken = [d for d in found if d.code == "not-finite"]
    return [
        d
        for d in found
        if d in broken
        or d.exact
        or not any(wrong(d.aspect) <= wrong(other.aspect) for other in broken)
    ]


VAGUE = (
    "wrong-values",
    "only@",
    "ratio:constant",
    "part-ratio:constant",
    "step-ratio:constant",
    "constant-offset",
    "over-time:",
)
"""Codes that give a symptom and nothing more."""

SYMPTOMS = (
    *VAGUE,
    "raised:",
    "where-",
    "label-column",
    "other-columns",
    "factor-per",
    "offset-per",
    "sum-not-zero",
    "not-orthogonal",
    "some-signs",
    "extra-term",
    "wrong-mask",
    "permuted",
    "nearly-right",
    "shape:",
)
"""Codes of facts that a cause may be added to."""


def _with_likeness(evidence: Evidence, found: list[Diagnosis]) -> list[Diagnosis]:
    """Where only the symptom is known, say what such an answer looks like, if anything."""
    vague = [d for d in found if not d.exact and d.code.startswith(SYMPTOMS)]
    if not vague:
        return found
    alike = likeness(evidence, [d.aspect for d in vague])
    return [_liken(d, *alike[d.aspect]) if d in vague and d.aspect in alike else d for d in found]


def _with_compound(evidence: Evidence, diagnosis: Diagnosis) -> Diagnosis:
    """Where still only the symptom is known: two mistakes in one answer, if it is that."""
    if diagnosis.exact or not diagnosis.code.startswith(VAGUE):
        return diagnosis
    both = compound(evidence, diagnosis.aspect)
    if both is None:
        return diagnosis
    suspect, relation = both
    text = (
        f"{diagnosis.aspect} shows two mistakes at once. {suspect.sentence} Beside that, it "
        f"{relation.fact}: {relation.question}"
    )
    code = f"{suspect.code}+{relation.code}"
    return dataclasses.replace(diagnosis, code=code, message=text)


def _liken(diagnosis: Diagnosis, code: str, words: str) -> Diagnosis:
    """The words join the message; a code that says nothing gives way to what they say."""
    if code == "like":
        code = "like:" + words.removeprefix("as if ").replace(" ", "-")
    code = code if diagnosis.code.startswith(VAGUE) else diagnosis.code
    message = f"{diagnosis.message} It comes out just {words}."
    return dataclasses.replace(diagnosis, code=code, message=message)


def _merge(found: list[Diagnosis]) -> list[Diagnosis]:
    """One sentence per mistake, however many outputs show it."""
    merged: dict[str, Diagnosis] = {}
    for diagnosis in found:
        code = diagnosis.code
        if code.startswith("raised:"):  # one line may raise for several outputs, now and then
            code = code.partition("@")[0]
        merged.setdefault(code, diagnosis)
    return list(merged.values())


def _conduct(evidence: Evidence) -> list[Diagnosis]:
    found: dict[str, Diagnosis] = {}
    for trial, seen in zip(evidence.trials, evidence.got, strict=True):
        for text in seen.conduct:
            code, advice = next(CONDUCT_ADVICE[key] for key in CONDUCT_ADVICE if key in text)
            name = evidence.task.name
            message = f"{name} {text} (seen for {trial.case.label}). {advice}".strip()
            found.setdefault(code, Diagnosis(code, message, name, "conduct"))
    if "state-from-the-first-use" in found:  # then no other object is needed to see a difference
        found.pop("state-between-objects", None)
    return list(found.values())
