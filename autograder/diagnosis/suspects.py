"""Misconceptions: whose answers are these?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np

from autograder.battery.compare import as_array
from autograder.battery.kind import SPEED, Suspect, may_refuse
from autograder.diagnosis.evidence import Evidence
from autograder.diagnosis.patterns import fact, same_run
from autograder.diagnosis.together import two_at_once
from autograder.exercise import Diagnosis
from autograder.values import Raised, Value


def match(evidence: Evidence) -> tuple[dict[str, set[int]], list[Diagnosis]]:
    """The aspects that known misconceptions explain, each with the wrong trials that are left
    unexplained, and these misconceptions.

    A suspect explains an aspect when it gives the student's answer wherever that is wrong, and
    the right answer wherever the student's is right. Two suspects may share the wrong answers
    of one aspect between them, if neither is contradicted by a right one. Where nothing explains
    all, a suspect may explain all ordinary cases; special ones are then another story, be they
    wrong in another way or right.
    """
    suspects = evidence.task.suspects()
    explained: dict[str, set[int]] = {}
    found: dict[str, Diagnosis] = {}
    options = {
        aspect: _explanations(evidence, aspect, suspects) for aspect in evidence.failing_aspects()
    }
    # A run is one story: who explains one step of it but not the others explains nothing.
    for aspect, sets in list(options.items()):
        if not sets:
            options |= {other: [] for other in options if same_run(aspect, other)}
    options = _words_of_one_story(evidence, _without_contradiction(evidence, options))
    votes = Counter(
        suspect.code for sets in options.values() for code_set in sets for suspect in code_set
    )
    for aspect, sets in options.items():
        if not sets:
            continue
        # One mistake that explains several outputs is likelier than several mistakes.
        chosen = max(
            sets,
            key=lambda group: (
                -len(group),
                -(len(sets) > 1 and sum(len(_contradicted(evidence, s)) for s in group)),
                sum(votes[s.code] for s in group),
                len(sets) > 1 and sum(_to_the_digit(evidence, s) for s in group),
            ),
        )
        explained[aspect] = _left_over(evidence, aspect, chosen)
        for suspect in chosen:
            found.setdefault(suspect.code, _name(evidence, aspect, suspect))
    _stopped_by_the_same_error(evidence, explained)
    if found and _conduct_is_theirs(evidence, suspects, set(found)):
        explained["conduct"] = set()
    conduct = None if "conduct" in explained else _conduct(evidence, suspects)
    if conduct is not None:
        explained["conduct"] = set()
        found.setdefault(conduct.code, _name(evidence, "conduct", conduct))
    return explained, list(found.values())


def inherited(evidence: Evidence) -> Diagnosis | None:
    """All that is wrong here comes of a mistake in a helper, which has its own name already."""
    for suspect in evidence.task.inherited():
        if _too_many_mistakes(evidence, suspect):
            continue
        if all(
            _agrees(evidence, aspect, suspect, i)
            for aspect in evidence.failing_aspects()
            for i in _split(evidence, aspect)[0]
        ):
            helper, name = suspect.code, evidence.task.name
            message = (
                f"All that is wrong here comes of what is wrong in {helper}: {suspect.sentence} "
                f"If {name} calls your {helper}, mend that first and check this again."
            )
            return Diagnosis(f"follows-from:{helper.replace(' ', '-')}", message, name, "", True)
    return None


Options = dict[str, list[tuple[Suspect, ...]]]


def _words_of_one_story(evidence: Evidence, options: Options) -> Options:
    """What is but said of an answer ("the same for all rows") many mistakes have in common: a
    suspect that explains one such word must explain all that are wrong."""
    words = [aspect for aspect in options if _in_words(evidence, aspect)]
    if len(words) < 2:
        return options
    codes = [{g[0].code for g in options[aspect] if len(g) == 1} for aspect in words]
    of_all = set.intersection(*codes)
    return options | {
        aspect: [group for group in options[aspect] if len(group) == 1 and group[0].code in of_all]
        for aspect in words
    }


def likeness(evidence: Evidence, aspects: Sequence[str]) -> dict[str, tuple[str, str]]:
    """aspect → (code, words) from suspects of last resort: "as if a mean stood where …".

    Of several, one that accounts for most aspects is taken, and of these the first.
    """
    places = {
        aspect: _places(evidence, aspect)
        for aspect in aspects
        if not _in_words(evidence, aspect)
        and not _split(evidence, aspect)[0] <= _raising(evidence, aspect)
    }
    if not places:
        return {}
    likely: list[tuple[Suspect, set[str]]] = []

    def telling(name: str, i: int) -> bool:
        """Errors are alike in many ways; an answer must be, too."""
        return not isinstance(evidence.got[i].values.get(name), Raised)

    pairs = (
        pair
        for pair in two_at_once(evidence.trials, evidence.task.suspects())
        if not _spoils_what_is_right(evidence, pair)
    )
    for suspect in chain(pairs, evidence.task.lookalikes()):
        alike = {
            aspect
            for aspect, rows in places.items()
            if all(_agrees(evidence, name, suspect, i) for name, i in rows)
            and any(_is_wrong(evidence, name, suspect, i) and telling(name, i) for name, i in rows)
        }
        if alike:
            likely.append((suspect, alike))
        if len(alike) == len(places):
            break
    found: dict[str, tuple[str, str]] = {}
    for suspect, alike in sorted(likely, key=lambda pair: -len(pair[1])):
        for aspect in alike:
            found.setdefault(aspect, (suspect.code, suspect.sentence))
    return found


def _spoils_what_is_right(evidence: Evidence, pair: Suspect) -> bool:
    """Whether a pair answers for an output that the student gets right, and is wrong there."""
    failing = set(evidence.failing_aspects())
    return any(
        aspect not in failing and not _agrees(evidence, aspect, pair, i)
        for i, trial in enumerate(evidence.trials)
        if trial.case.check != SPEED
        for aspect in pair.observed[i].values
    )


def _places(evidence: Evidence, aspect: str) -> list[tuple[str, int]]:
    """(aspect, trial) of all that a look-alike must answer as the student did: wrong answers
    first, small cases before large ones, since most look-alikes are out after one of them; the
    other steps of a run belong to it."""
    names = [a for a in evidence.trials[0].expected.values if a == aspect or same_run(a, aspect)]
    wrong, right = [], []
    for name in names:
        bad, good = _split(evidence, name)
        wrong += [(name, i) for i in bad]
        right += [(name, i) for i in good]

    def size(place: tuple[str, int]) -> tuple[int, int]:
        return evidence.size(place[1]), place[1]

    return sorted(wrong, key=size) + sorted(right, key=size)


def _in_words(evidence: Evidence, aspect: str) -> bool:
    """Whether an answer is but a word about it ("the same for all rows"), which many share."""
    return any(isinstance(row.got, str) for row in evidence.rows(aspect) if row.fault)


def _explanations(
    evidence: Evidence, aspect: str, suspects: Sequence[Suspect]
) -> list[tuple[Suspect, ...]]:
    """Suspects, or pairs of suspects, that account for all wrong answers of one aspect."""
    wrong, right = _split(evidence, aspect)
    fits = []
    for suspect in suspects:
        agrees = {i for i in wrong | right if _agrees(evidence, aspect, suspect, i)}
        explains = {i for i in agrees & wrong if _is_wrong(evidence, aspect, suspect, i)}
        if explains and right <= agrees and not _too_many_mistakes(evidence, suspect):
            fits.append((suspect, explains))
    alone = [(suspect,) for suspect, share in fits if share == wrong]
    if alone or _in_words(evidence, aspect):
        return alone
    shared = [
        (one, other)
        for (one, mine), (other, theirs) in combinations(fits, 2)
        if mine | theirs == wrong
    ]
    if shared:
        return shared
    ordinary = {i for i in wrong - _raising(evidence, aspect) if not evidence.trials[i].case.check}
    if len(ordinary) < 2:
        return []
    partly = [(suspect,) for suspect, share in fits if ordinary <= share]
    if partly or len(ordinary) < 3:
        return partly
    return [
        (suspect,)
        for suspect in suspects
        if all(
            _agrees(evidence, aspect, suspect, i)
            for i in ordinary | {i for i in right if not evidence.trials[i].case.check}
        )
        and all(_is_wrong(evidence, aspect, suspect, i) for i in ordinary)
        and not _too_many_mistakes(evidence, suspect, ordinary_only=True)
    ]


def _raising(evidence: Evidence, aspect: str) -> set[int]:
    """The trials where there is an error instead of an answer."""
    values = (seen.values.get(aspect) for seen in evidence.got)
    return {i for i, value in enumerate(values) if isinstance(value, Raised)}


def _left_over(evidence: Evidence, aspect: str, chosen: Sequence[Suspect]) -> set[int]:
    """Wrong trials of a kind of their own that the chosen suspects do not explain."""
    wrong, _ = _split(evidence, aspect)
    raising = _raising(evidence, aspect)
    ordinary = {i for i in wrong & raising if not evidence.trials[i].case.check}
    return {
        i
        for i in wrong - (raising if ordinary else set())
        if evidence.trials[i].case.check
        and not any(
            _agrees(evidence, aspect, s, i) and _is_wrong(evidence, aspect, s, i) for s in chosen
        )
    }


def _stopped_by_the_same_error(evidence: Evidence, explained: dict[str, set[int]]) -> None:
    """Outputs that only lack because an explained mistake raised on the way to them."""
    raising = {aspect: _raising(evidence, aspect) for aspect in explained}
    for aspect in evidence.failing_aspects():
        wrong, _ = _split(evidence, aspect)
        if aspect in explained or not wrong <= _raising(evidence, aspect):
            continue
        if any(wrong <= raising[other] - left for other, left in explained.items()):
            explained[aspect] = set()


def _split(evidence: Evidence, aspect: str) -> tuple[set[int], set[int]]:
    wrong, right = set(), set()
    for i, findings in enumerate(evidence.findings):
        for finding in findings:
            if finding.aspect == aspect and finding.case.check != SPEED:
                (right if finding.passed else wrong).add(i)
    return wrong, right


def _agrees(evidence: Evidence, aspect: str, suspect: Suspect, i: int) -> bool:
    """Whether a suspect answers as the student did; remembered, as it is asked many times."""
    place = (aspect, id(suspect), i)
    known = evidence.agreed.get(place)
    if known is None or known[0] is not suspect:  # an id may belong to another one by now
        known = evidence.agreed[place] = (suspect, _is_one(evidence, aspect, suspect, i))
    return known[1]


def _is_one(evidence: Evidence, aspect: str, suspect: Suspect, i: int) -> bool:
    mine = evidence.got[i].values.get(aspect)
    theirs = suspect.observed[i].values.get(aspect)
    if mine is None and theirs is None and aspect not in suspect.observed[i].values:
        return False
    trial = evidence.trials[i]
    if any(may_refuse(trial.case, value) for value in (mine, theirs)):
        return True  # whoever refuses whole numbers, as one may, contradicts nobody
    if evidence.task.kind.same_answer(aspect, theirs, mine):
        return True
    return not evidence.task.kind.random and _beside(
        trial.expected.values.get(aspect), theirs, mine
    )


def _beside(expected: Value, theirs: Value, mine: Value) -> bool:
    """Whether two answers are one beside the size of the right one: 0 and 1e-180 where −0.05
    belongs, or the roundings of float32."""
    e, t, m = (as_array(value) for value in (expected, theirs, mine))
    if e is None or t is None or m is None or t.shape != m.shape or "f" not in t.dtype.kind:
        return False
    if m.dtype.kind != "f" or not (np.isfinite(t).all() and np.isfinite(m).all()):
        return False
    size = max((float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in (e, t)), default=0.0)
    narrow = np.float32 in (e.dtype, m.dtype)
    return bool(np.abs(t.astype(float) - m.astype(float)).max(initial=0.0) <= size * (
        1e-5 if narrow else 1e-9))  # fmt: skip


def _is_wrong(evidence: Evidence, aspect: str, suspect: Suspect, i: int) -> bool:
    """Whether the suspect's own answer would be marked wrong there."""
    findings = evidence.task.kind.judge(evidence.trials[i], suspect.observed[i])
    return any(f.aspect == aspect and not f.passed for f in findings)


def _too_many_mistakes(
    evidence: Evidence, suspect: Suspect, *, ordinary_only: bool = False
) -> bool:
    """Whether the suspect gets something wrong that the student gets right (or wrong in another
    way where the student's answer is forgiven)."""
    return any(
        (finding.passed or finding.aspect in evidence.carried)
        and not _agrees(evidence, finding.aspect, suspect, i)
        for i, findings in enumerate(evidence.findings)
        for finding in findings
        if finding.case.check != SPEED and not (ordinary_only and finding.case.check)
    )


def _without_contradiction(evidence: Evidence, options: Options) -> Options:
    """A suspect that is wrong in another way than the student on as many outputs as it explains
    is not whom we look for, unless it explains the first of them on ordinary inputs; nor is one
    that changes what the student leaves alone."""
    explains: dict[str, set[str]] = {}
    for aspect, sets in options.items():
        for group in sets:
            for suspect in group:
                explains.setdefault(suspect.code, set()).add(aspect)
    known: dict[str, bool] = {}

    def cleared(suspect: Suspect) -> bool:
        if suspect.code not in known:
            mine = explains[suspect.code]
            first = next(iter(options))
            at_root = first in mine and any(
                not evidence.trials[i].case.check for i in _split(evidence, first)[0]
            )
            other = _contradicted(evidence, suspect) - mine
            known[suspect.code] = (len(other) >= len(mine) and not at_root) or any(
                text not in seen.conduct
                for seen, theirs in zip(evidence.got, suspect.observed, strict=False)
                for text in theirs.conduct
            )
        return known[suspect.code]

    return {
        aspect: [group for group in sets if not any(cleared(s) for s in group)]
        for aspect, sets in options.items()
    }


def _to_the_digit(evidence: Evidence, suspect: Suspect) -> int:
    """How many answers agree without allowance for rounding beside the size of the right one."""
    return sum(
        evidence.task.kind.same_answer(aspect, suspect.observed[i].values.get(aspect), value)
        for i, seen in enumerate(evidence.got)
        for aspect, value in seen.values.items()
    )


def _contradicted(evidence: Evidence, suspect: Suspect) -> set[str]:
    """Outputs that the suspect gets wrong where the student is wrong in another way."""
    if evidence.task.kind.random:
        return set()  # the suspect itself would answer otherwise the next time
    return {
        aspect
        for aspect in evidence.failing_aspects()
        for i in sorted(_split(evidence, aspect)[0] - _raising(evidence, aspect))[:2]
        if not _agrees(evidence, aspect, suspect, i) and _is_wrong(evidence, aspect, suspect, i)
    }


def _conduct(evidence: Evidence, suspects: Sequence[Suspect]) -> Suspect | None:
    """A suspect of conduct: the same reproaches on the same trials."""
    asked = [i for i in range(len(evidence.got)) if evidence.trials[i].case.check != SPEED]
    mine = [set(evidence.got[i].conduct) for i in asked]
    if not any(mine):
        return None
    for suspect in suspects:
        theirs = [set(suspect.observed[i].conduct) for i in asked]
        if suspect.aspect == "conduct" and theirs == mine:
            return suspect
    return None


def _conduct_is_theirs(evidence: Evidence, suspects: Sequence[Suspect], found: set[str]) -> bool:
    """Whether the misconceptions that were found misbehave in just this way."""
    mine = {text for seen in evidence.got for text in seen.conduct}
    theirs = {
        text for s in suspects if s.code in found for seen in s.observed for text in seen.conduct
    }
    return bool(mine) and mine <= theirs


def _name(evidence: Evidence, aspect: str, suspect: Suspect) -> Diagnosis:
    text = fact(evidence, aspect)
    message = f"{text} {suspect.sentence}" if text else suspect.sentence
    name = evidence.task.name
    return Diagnosis(suspect.code, message, name, aspect, True, suspect.severity)
