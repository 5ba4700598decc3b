"""The proof: reference passes, stubs fail, every known mistake is caught and named.

`prove` gives one `Proof` per exercise; the command line prints them as a table and turns them
into an exit code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.battery.kind import Brief
from autograder.exercise import Exercise, ExerciseResult, Misconception
from autograder.grading import brief, grade, namespace_with
from autograder.student import LocalStudent

SEEDS = (11, 2_718_281)
"""Two draws of the hidden cases for each proof: a trigger that only sometimes works shows."""


@dataclass
class Proof:
    """What was proven of one exercise, and what went wrong."""

    exercise: str
    misconceptions: int = 0
    rejected: int = 0
    named: int = 0
    variants: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The row as plain data."""
        return {**vars(self), "ok": self.ok}


def prove(exercise: Exercise, seeds: Sequence[int] = SEEDS) -> Proof:
    """Run reference, stub, misconceptions and variants through the hidden checks."""
    proof = Proof(
        exercise.name,
        misconceptions=len(exercise.misconceptions),
        variants=len(exercise.variants),
    )
    rejected, named = set(), set()
    for number, seed in enumerate(seeds):
        task = brief(exercise, np.random.default_rng(seed))
        _prove_reference_and_stub(exercise, task, proof)
        _prove_variants(exercise, task, proof)
        for misconception in exercise.misconceptions:
            problem = judge(exercise, task, misconception)
            if problem:
                proof.problems.append(f"{misconception.code}: {problem}")
            if problem is None and number == 0:
                named.add(misconception.code)
            if problem is None or not problem.startswith("earns full"):
                rejected.add(misconception.code)
    proof.rejected, proof.named = len(rejected), len(named)
    proof.problems = list(dict.fromkeys(proof.problems))
    return proof


def attempt(exercise: Exercise, task: Brief, implementation: Any) -> ExerciseResult:
    """The result of an implementation of our own."""
    return grade(task, LocalStudent(namespace_with(exercise, implementation)))


def judge(exercise: Exercise, task: Brief, misconception: Misconception) -> str | None:
    """What is wrong with how a misconception is treated; ``None`` if it is caught and named."""
    result = attempt(exercise, task, misconception.wrong)
    if result.score >= result.max_score:
        return "earns full marks: no case triggers it"
    codes = [d.code for d in result.diagnoses]
    allowed = {misconception.code, *misconception.equivalent}
    if not set(codes) & allowed:
        return f"is named {', '.join(codes) or 'nothing'}"
    others = [code for code in codes if code not in allowed and _is_code(exercise, code)]
    if others:
        return f"is also named {', '.join(others)}"
    return None


def leave_one_out(exercise: Exercise, seed: int = SEEDS[0]) -> Iterator[tuple[str, list[str], str]]:
    """(misconception, codes given without it, first message): what general patterns can name."""
    for misconception in exercise.misconceptions:
        rest = tuple(m for m in exercise.misconceptions if m.code != misconception.code)
        fewer = _with(exercise, misconceptions=rest)
        result = attempt(fewer, brief(fewer, np.random.default_rng(seed)), misconception.wrong)
        message = result.diagnoses[0].message if result.diagnoses else ""
        yield misconception.code, [d.code for d in result.diagnoses], message


def _with(exercise: Exercise, **changes: Any) -> Exercise:
    import dataclasses

    return dataclasses.replace(exercise, **changes)


def _is_code(exercise: Exercise, code: str) -> bool:
    return any(m.code == code for m in exercise.misconceptions)


def _prove_reference_and_stub(exercise: Exercise, task: Brief, proof: Proof) -> None:
    result = attempt(exercise, task, {})
    _prove_aspects(exercise, task, {line.name for line in result.checks}, proof)
    if result.score != result.max_score:
        wrong = [f"{c.name}: {c.message}" for c in result.checks if not c.passed]
        proof.problems.append(f"the reference earns {result.score:g}: {'; '.join(wrong)}")
    result = attempt(exercise, task, stub_like(exercise))
    if result.score or result.status != "not attempted":
        proof.problems.append(f"the stub earns {result.score:g} and is {result.status}")
    if not exercise.misconceptions:
        proof.problems.append("no misconception is declared")


def _prove_aspects(exercise: Exercise, task: Brief, lines: set[str], proof: Proof) -> None:
    """Every misconception shows on a line that a report can have."""
    lines = lines | {"conduct"}
    for trial in task.trials:
        lines |= {trial.case.check, *trial.expected.values}
    for misconception in exercise.misconceptions:
        if misconception.aspect not in lines:
            known = ", ".join(sorted(lines - {""}))
            problem = f"its aspect {misconception.aspect!r} is no line of the report ({known})"
            proof.problems.append(f"{misconception.code}: {problem}")


def _prove_variants(exercise: Exercise, task: Brief, proof: Proof) -> None:
    for variant in exercise.variants:
        result = attempt(exercise, task, variant)
        if result.score != result.max_score:
            wrong = [f"{c.name}: {c.message}" for c in result.checks if not c.passed]
            proof.problems.append(f"the correct {_name(variant)} loses points: {'; '.join(wrong)}")


def stub_like(exercise: Exercise) -> Any:
    """What the released notebook binds: something that raises NotImplementedError."""

    def stub(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    return stub


def _name(variant: Any) -> str:
    if isinstance(variant, Mapping):
        return " + ".join(getattr(v, "__name__", str(v)) for v in variant.values())
    return getattr(variant, "__name__", str(variant))


@dataclass(frozen=True)
class Step:
    """One proof about a whole assignment."""

    name: str
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The step as plain data."""
        return {"name": self.name, "ok": self.ok, "problems": list(self.problems)}


def prove_assignment(assignment: str, isolation: str = "none") -> Iterator[Step]:
    """Prove what needs notebooks: the solution in its own student edition earns everything,
    the released stub nothing, the edition gives nothing away, ``assignments/`` is in step.

    The instructor's own notebooks are run; they need no wall.
    """
    from autograder.notebooks.edition import cached_edition
    from autograder.notebooks.leaks import prove_no_leak
    from autograder.notebooks.text import build_notebooks, out_of_step

    stray = [line for line in out_of_step() if assignment in line]
    yield Step("assignments/ is what solutions/ makes", tuple(stray))
    built = build_notebooks(assignment)
    for which, wanted in (("solution", 1.0), ("student", 0.0)):
        name = f"the {'solution earns 100 %' if wanted else 'released stub earns 0'}"
        files = {f"{notebook.name}.ipynb": getattr(notebook, which) for notebook in built}
        yield Step(name, tuple(_grade_notebooks(assignment, files, wanted, isolation)))
    leaks = prove_no_leak(cached_edition(assignment), assignment)
    yield Step("the student edition gives nothing away", tuple(leaks))


def _grade_notebooks(
    assignment: str, files: Mapping[str, bytes], wanted: float, isolation: str
) -> Iterator[str]:
    """What is wrong with the result of a folder of notebooks that should earn ``wanted``."""
    import tempfile
    from pathlib import Path

    from autograder import course
    from autograder.job import grade_one
    from autograder.notebooks.submission import read_submission

    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        submission = read_submission(folder, assignment)
    job = {
        "student": "validate",
        "assignment": assignment,
        "submission": submission.to_data(),
        "seeds": {e.name: SEEDS[0] for e in course.exercises(assignment)},
        "limits": {},
        "exercise_limits": {},
        "isolation": isolation,
        "bonus": True,
    }
    result = grade_one(job)["result"]
    if result["status"] != "graded":
        yield f"status {result['status']}: {result['message']}"
    for exercise in result["exercises"]:
        if abs(exercise["score"] - wanted * exercise["max_score"]) > 1e-9:
            said = "; ".join(d["message"] for d in exercise["diagnoses"])
            yield f"{exercise['name']} earns {exercise['score']:g}: {said}"


def assignments_to_prove(names: Sequence[str] = ()) -> tuple[str, ...]:
    """The built assignments that were asked for, all by default."""
    from autograder import course

    built = course.assignments()
    return tuple(name for name in built if not names or name in names)
