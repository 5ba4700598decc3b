"""Misconceptions: whose answers are these?"""

from __future__ import annotations

from dataclasses import dataclass

from autograder.battery.kind import Suspect
from autograder.diagnosis.evidence import Evidence
from autograder.diagnosis.patterns import fact
from autograder.exercise import Diagnosis


@dataclass
class Fit:
    """How well one suspect explains one aspect."""

    suspect: Suspect
    explained: set[int]
    contradicted: set[int]


def match(evidence: Evidence) -> tuple[set[str], list[Diagnosis]]:
    """The aspects that known misconceptions explain, and these misconceptions.

    A suspect explains an aspect when it gives the student's answer wherever that is wrong, and
    the right answer wherever the student's is right. Two suspects may share the wrong answers
    of one aspect between them, if neither is contradicted by a right one.
    """
    suspects = evidence.task.suspects()
    explained: set[str] = set()
    found: dict[str, Diagnosis] = {}
    for aspect in evidence.failing_aspects():
        chosen = _explain(evidence, aspect, suspects)
        if chosen:
            explained.add(aspect)
        for suspect in chosen:
            found.setdefault(suspect.code, _name(evidence, aspect, suspect))
    conduct = _conduct(evidence, suspects, set(found))
    if conduct is not None:
        explained.add("conduct")
        found.setdefault(conduct.code, _name(evidence, "conduct", conduct))
    elif found and _conduct_is_theirs(evidence, suspects, set(found)):
        explained.add("conduct")
    return explained, list(found.values())


def _explain(evidence: Evidence, aspect: str, suspects: list[Suspect]) -> list[Suspect]:
    wrong, right = _split(evidence, aspect)
    fits = []
    for suspect in suspects:
        agrees = {i for i in wrong | right if _agrees(evidence, aspect, suspect, i)}
        fit = Fit(suspect, agrees & wrong, (right - agrees))
        if fit.explained and not fit.contradicted:
            fits.append(fit)
    if not fits:
        return []
    # The most specific one: it explains most, and differs from the reference nowhere else.
    best = max(fits, key=lambda fit: (len(fit.explained), _footprint(evidence, fit.suspect)))
    if best.explained == wrong:
        return [best.suspect]
    rest = wrong - best.explained
    for other in sorted(fits, key=lambda fit: -len(fit.explained & rest)):
        if other.explained >= rest:
            return [best.suspect, other.suspect]
    return []


def _split(evidence: Evidence, aspect: str) -> tuple[set[int], set[int]]:
    wrong, right = set(), set()
    for i, findings in enumerate(evidence.findings):
        for finding in findings:
            if finding.aspect == aspect:
                (right if finding.passed else wrong).add(i)
    return wrong, right


def _agrees(evidence: Evidence, aspect: str, suspect: Suspect, i: int) -> bool:
    mine = evidence.got[i].values.get(aspect)
    theirs = suspect.observed[i].values.get(aspect)
    if mine is None and theirs is None and aspect not in suspect.observed[i].values:
        return False
    return evidence.task.kind.same_answer(aspect, theirs, mine)


def _footprint(evidence: Evidence, suspect: Suspect) -> int:
    """Minus the aspects that the suspect gets wrong where the student is right."""
    excess = 0
    for i, findings in enumerate(evidence.findings):
        for finding in findings:
            if finding.passed and not _agrees(evidence, finding.aspect, suspect, i):
                excess += 1
    return -excess


def _conduct(evidence: Evidence, suspects: list[Suspect], found: set[str]) -> Suspect | None:
    """A suspect of conduct: the same reproaches on the same trials."""
    mine = [set(seen.conduct) for seen in evidence.got]
    if not any(mine):
        return None
    for suspect in suspects:
        theirs = [set(seen.conduct) for seen in suspect.observed[: len(mine)]]
        if suspect.aspect == "conduct" and theirs == mine:
            return suspect
    return None


def _conduct_is_theirs(evidence: Evidence, suspects: list[Suspect], found: set[str]) -> bool:
    """Whether the misconceptions that were found misbehave in just this way."""
    mine = {text for seen in evidence.got for text in seen.conduct}
    theirs = {
        text for s in suspects if s.code in found for seen in s.observed for text in seen.conduct
    }
    return mine <= theirs


def _name(evidence: Evidence, aspect: str, suspect: Suspect) -> Diagnosis:
    text = fact(evidence, aspect)
    message = f"{text} {suspect.sentence}" if text else suspect.sentence
    name = evidence.task.name
    return Diagnosis(suspect.code, message, name, aspect, True, suspect.severity)
