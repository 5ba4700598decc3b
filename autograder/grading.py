"""One student, one exercise → a result.

`brief` turns a declaration into trials; `grade` runs a student through them. Both know nothing
of where the student's code runs.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograder.battery.kind import SPEED, Brief, Finding, Observed, Suspect, Trial
from autograder.diagnosis import Evidence, diagnose
from autograder.exercise import Case, Check, Diagnosis, Exercise, ExerciseResult, Misconception
from autograder.student import STUB_ERROR, LocalStudent, Student
from autograder.values import Raised

MAIN, EXTRA, CONDUCT = 0.60, 0.30, 0.10
"""How the points divide: the main outputs, the special inputs, the conduct."""


def namespace_with(exercise: Exercise, implementation: Any) -> dict[str, Any]:
    """The reference's names with one implementation (or a dict of several) put in their place."""
    mine = (
        implementation if isinstance(implementation, Mapping) else {exercise.name: implementation}
    )
    for thing in mine.values():
        if isinstance(thing, type):
            _as_new(thing)
    return {**exercise.reference, **mine}


_at_first: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()


def _as_new(cls: type) -> None:
    """Forget what a class that keeps state in itself has kept: a misconception must answer the
    same for every student."""

    def state() -> dict[str, Any]:
        plain = (int, float, list, dict, set, np.ndarray, type(None))
        named = {k: v for k, v in vars(cls).items() if not k.startswith("__")}
        return {k: v for k, v in named.items() if isinstance(v, plain)}

    first = _at_first.setdefault(cls, copy.deepcopy(state()))
    for key in state().keys() - first.keys():
        delattr(cls, key)
    for key, value in first.items():
        setattr(cls, key, copy.deepcopy(value))


def observe(exercise: Exercise, implementation: Any, cases: Sequence[Case]) -> list[Observed]:
    """What an implementation of our own shows on each case."""
    student = LocalStudent(namespace_with(exercise, implementation))
    seen = []
    for case in cases:
        student.reset(0)
        with np.errstate(all="ignore"):
            seen.append(exercise.kind.script(exercise.name, student, case))
    return seen


def brief(
    exercise: Exercise,
    rng: np.random.Generator,
    *,
    public: bool = False,
    mistakes: Mapping[str, Misconception] | None = None,
) -> Brief:
    """Draw the cases of an exercise and ask the reference; misconceptions are asked when needed.

    Args:
        public: for a notebook: only such cases as a student may see, and no look-alikes.
        mistakes: exercise → the misconception that was found there, in the same submission.
    """
    cases = [case for case in exercise.cases(rng) if case.public or not public]
    for companion in exercise.kind.needs():
        if companion not in exercise.reference:
            raise ValueError(f"{exercise.name}: its reference has no {companion}")
    for case in cases:
        if lack := exercise.kind.lack(case):
            raise ValueError(f"{exercise.name}: the case {case.label!r} {lack}")
    expected = observe(exercise, {}, [_in_floating_point(case) for case in cases])
    trials = [Trial(case, seen) for case, seen in zip(cases, expected, strict=True)]

    @cache
    def suspects() -> list[Suspect]:
        return [
            Suspect(m.code, m.sentence, m.aspect, m.severity, _answers(exercise, m.wrong, cases))
            for m in exercise.misconceptions
        ]

    def lookalikes() -> Iterable[Suspect]:
        from autograder.mutation.lookalikes import lookalikes

        return lookalikes(exercise, cases)

    def idle(got: Sequence[Observed]) -> bool:
        from autograder.idle import is_idle

        return is_idle(exercise, cases, got)

    def inherited() -> Iterator[Suspect]:
        from autograder.consequences import in_place_of_the_reference

        known = mistakes or {}
        for names in ([list(known)] if len(known) > 1 else []) + [[name] for name in known]:
            with in_place_of_the_reference({name: known[name].wrong for name in names}) as used:
                if used:
                    sentence = " ".join(known[name].sentence for name in names)
                    answers = _answers(exercise, {}, cases)
                    yield Suspect(" and ".join(names), sentence, "", None, answers)

    return Brief(
        exercise.name,
        exercise.points,
        exercise.kind,
        trials,
        suspects,
        exercise.core,
        tuple if public else lookalikes,
        (lambda got: False) if public else idle,
        inherited,
    )


def _answers(exercise: Exercise, wrong: Any, cases: Sequence[Case]) -> list[Observed]:
    """`observe` without the large cases that only tell how long a function takes."""
    asked = iter(observe(exercise, wrong, [case for case in cases if case.check != SPEED]))
    return [Observed() if case.check == SPEED else next(asked) for case in cases]


def _in_floating_point(case: Case) -> Case:
    """What the reference is asked where the student may get integers: the same in floats."""
    if "any float" not in case.tags:
        return case
    numbers = {k: v for k, v in case.args.items() if isinstance(v, (np.ndarray, int, float))}
    first, shape = next((k, np.shape(v)) for k, v in numbers.items())
    # What is shaped like the first is of its kind; labels are not, nor settings beside a number.
    kind = {k: v for k, v in numbers.items() if k == first or (shape and np.shape(v) == shape)}
    floats = {k: np.asarray(v, dtype=np.float64) for k, v in kind.items()}
    return dataclasses.replace(case, args={**case.args, **floats})


def grade(
    task: Brief, student: Student, seed: int = 0, *, diagnosis: bool = True
) -> ExerciseResult:
    """Run one student through all trials of one exercise, and say what is wrong.

    Args:
        diagnosis: without it only the checks are made, where nobody asks for the name.
    """
    if not student.defines(task.name):
        return _unanswered(task, "missing", f"{task.name} is not defined in the notebook")
    got: list[Observed] = []
    for trial in task.trials:
        student.reset(seed)
        with np.errstate(all="ignore"):  # what students return may be any numbers
            seen = task.kind.script(task.name, student, trial.case)
        if _is_stub(seen):
            return _unanswered(task, "not attempted", f"{task.name} is still the empty stub")
        got.append(seen)
        if _hopeless(got):
            break
    trials = task.trials[: len(got)]
    waits = [seen.waits for seen in got if seen.waits]
    if len(waits) == len(got):
        text = f"{task.name} waits for {waits[0]}: it must run and return (out, cache) first"
        return _unanswered(task, "failed", text, code="waits-for-forward")
    findings = [
        [] if seen.waits else task.kind.judge(trial, seen)
        for trial, seen in zip(trials, got, strict=True)
    ]
    carried, note = _carry_forward(task, student, trials, findings)
    evidence = Evidence(task, trials, got, findings, carried)
    checks, share = _checks(evidence, note)
    diagnoses = _diagnoses(evidence) if share < 1 and diagnosis else ()
    share = _with_severity(share, diagnoses)
    if 0 < share < 1 and task.idle(got):
        share = 0.0
        text = "it hands back what it is given, or the same whatever that is: nothing is done yet"
        checks.append(Check("anything done", False, text))
    return ExerciseResult(
        task.name,
        round(task.points * share, 4),
        task.points,
        _status(share, findings),
        tuple(checks),
        diagnoses,
        evidence.picture() if share < 1 else None,
    )


def _diagnoses(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """The names of the mistakes; an answer so odd that naming it fails keeps its points."""
    try:
        return tuple(diagnose(evidence))
    except Exception:
        text = "this mistake could not be named; the lines of the report say what is wrong"
        return (Diagnosis("not-named", text, evidence.task.name),)


def grade_submission(
    student: Student,
    assignment: str,
    seed: Callable[[str], int],
    *,
    exercises: Sequence[Exercise] | None = None,
) -> list[ExerciseResult]:
    """Grade all exercises of an assignment, in the notebook's order.

    Args:
        seed: exercise name → integer, from the course secret and the student's canonical id.
    """
    from autograder import course

    results = []
    mistakes: dict[str, Misconception] = {}
    for exercise in course.exercises(assignment) if exercises is None else exercises:
        number = seed(exercise.name)
        task = brief(exercise, np.random.default_rng(number), mistakes=mistakes)
        try:
            results.append(grade(task, student, _for_students(number)))
        except Exception as error:  # one exercise must not cost the others their grade
            text = f"the grader itself failed on this answer ({type(error).__name__}: {error})"
            results.append(_unanswered(task, "error", text, code="grader-failed"))
        codes = {d.code for d in results[-1].diagnoses if d.exact}
        known = [m for m in exercise.misconceptions if m.code in codes]
        if len(known) == 1:  # of several, who knows which one a later exercise shows
            mistakes[exercise.name] = known[0]
    return results


def _for_students(seed: int) -> int:
    """The seed that the student's process may see. That of the hidden inputs cannot be told from
    it, or whoever knows this source would draw them all before the first call."""
    return int.from_bytes(hashlib.sha256(b"%d" % seed).digest()[:8], "big") >> 1


def _unanswered(task: Brief, status: str, text: str, code: str = "") -> ExerciseResult:
    code = code or status.replace(" ", "-")
    diagnosis = Diagnosis(code, text, task.name)
    return ExerciseResult(
        task.name, 0.0, task.points, status, (Check("attempt", False, text),), (diagnosis,)
    )


def _is_stub(seen: Observed) -> bool:
    first = next(iter(seen.values.values()), None)
    return isinstance(first, Raised) and first.kind == STUB_ERROR


def _hopeless(got: Sequence[Observed]) -> bool:
    """Once a call ran out of time or killed its process, further trials would only cost."""
    return any(
        isinstance(value, Raised) and value.kind in ("TimeLimit", "Died")
        for value in got[-1].values.values()
    )


def _carry_forward(
    task: Brief, student: Student, trials: Sequence[Trial], findings: Sequence[Sequence[Finding]]
) -> tuple[set[str], str]:
    failing = {f.aspect for row in findings for f in row if f.fault and f.fault.kind == "value"}
    impossible = {f.aspect for row in findings for f in row if f.fault and f.fault.kind != "value"}
    if not failing:
        return set(), ""
    forgiven, note = task.kind.reconsider(task.name, student, trials, sorted(failing))
    return forgiven - impossible, note if forgiven - impossible else ""


def _checks(evidence: Evidence, note: str) -> tuple[list[Check], float]:
    """The lines of the report, and the share of the points that they earn."""
    aspects = list(evidence.trials[0].expected.values)
    main = evidence.task.kind.main_checks(aspects)
    groups: dict[str, list[Finding]] = {"shape": []}
    groups |= {line: [] for line in dict.fromkeys(main.values())}
    for row in evidence.findings:
        for finding in row:
            line = finding.case.check or main[finding.aspect]
            excused = finding.aspect in evidence.carried and not finding.passed
            if excused:
                continue
            formal = finding.fault and finding.fault.kind in ("shape", "type", "structure")
            if not finding.case.check:
                groups["shape"].append(_only_if(finding, bool(formal)))
            groups.setdefault(line, []).append(finding)
    conduct = list(dict.fromkeys(text for seen in evidence.got for text in seen.conduct))
    ordinary = {
        f.aspect for row in evidence.findings for f in row if not f.case.check and not f.passed
    }
    checks = [Check(line, *_summary(findings, ordinary)) for line, findings in groups.items()]
    checks.append(Check("conduct", not conduct, "; ".join(f"it {text}" for text in conduct)))
    if note:
        checks.append(Check("error carried forward", True, note))
    passed = {check.name: check.passed for check in checks}
    mains = [passed[line] for line in dict.fromkeys(main.values())]
    extras = {
        line: passed[line] for line in groups if line != "shape" and line not in main.values()
    }
    if any(
        isinstance(f.got, Raised) and f.got.kind == "TimeLimit" for f in groups.get("speed", ())
    ):
        return checks, 0.0  # finite differences are no backpropagation, however exact
    return checks, _share(mains, extras, not conduct)


def _share(mains: Sequence[bool], extras: Mapping[str, bool], conduct: bool) -> float:
    if not any(mains):
        return 0.0
    total = MAIN * sum(mains) / len(mains) + CONDUCT * conduct
    total += EXTRA * (sum(extras.values()) / len(extras) if extras else 1.0)
    return 1.0 if all(mains) and all(extras.values()) and conduct else min(total, 0.95)


def _only_if(finding: Finding, formal: bool) -> Finding:
    if formal:
        return finding
    return Finding(finding.aspect, finding.case, None)


AS_ORDINARY = "wrong as on ordinary inputs"


def _summary(findings: Sequence[Finding], ordinary: set[str]) -> tuple[bool, str]:
    """Whether a line is green, and the first thing that is wrong; special inputs that go wrong
    just where ordinary ones do have nothing of their own to say."""
    wrong = [f for f in findings if not f.passed]
    if not wrong:
        return True, ""
    if wrong[0].case.check and all(f.aspect in ordinary for f in wrong):
        return False, AS_ORDINARY
    first = wrong[0]
    assert first.fault is not None
    label = f"for {first.case.label}: " if first.case.label else ""
    return False, f"{label}{first.fault.about(first.aspect)}"


def _with_severity(share: float, diagnoses: Sequence[Diagnosis]) -> float:
    """An exactly known mistake costs what its declaration says."""
    known = [d.severity for d in diagnoses if d.exact]
    if share < 1 and len(known) == len(diagnoses) and known and None not in known:
        return max(0.0, 1.0 - sum(s for s in known if s is not None))
    return share


def _status(share: float, findings: Sequence[Sequence[Finding]]) -> str:
    if share >= 1:
        return "passed"
    if share > 0:
        return "partial"
    faults = [f.fault for row in findings for f in row if f.fault]
    raised = [f.got.kind for row in findings for f in row if isinstance(f.got, Raised)]
    if raised and raised[-1] == "TimeLimit":
        return "timeout"
    if faults and all(fault.kind == "raised" for fault in faults):
        return "error"
    return "failed"
