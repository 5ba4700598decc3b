"""``csnn validate``: the proofs as tables for people and data for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograder.cli.console import out, show_json, table, text
from autograder.cli.grading import progress_bar
from autograder.exercise import Exercise


def chosen(names: Sequence[str] | None, only: str = "") -> list[Exercise]:
    """The exercises of these assignments (all by default), or one of them."""
    from autograder.course import assignments, exercises

    found = [e for name in names or assignments() for e in exercises(name)]
    return [e for e in found if only in ("", e.name)]


def prove_all(
    exercises: Sequence[Exercise], names: Sequence[str] | None, as_json: bool, *, notebooks: bool
) -> bool:
    """Prove every exercise, then every assignment as a whole; whether all holds."""
    from autograder.course import assignments
    from autograder.validate import prove, prove_assignment

    proofs = _each(exercises, prove, "Proving exercises")
    steps: dict[str, list[Any]] = {}
    for name in (names or assignments()) if notebooks else ():
        steps[name] = list(prove_assignment(name))
    good = all(p.ok for p in proofs) and all(s.ok for found in steps.values() for s in found)
    if as_json:
        whole = {name: [step.to_json() for step in found] for name, found in steps.items()}
        rows = [proof.to_json() for proof in proofs]
        show_json({"ok": good, "exercises": rows, "assignments": whole})
        return good
    numbers = ("mistakes", "rejected", "named", "variants")
    made = table("exercise", *numbers, "problems", right=numbers, whole=("exercise",))
    for proof in proofs:
        most = proof.misconceptions
        made.add_row(
            text(proof.exercise, "bold"),
            text(most),
            text(proof.rejected, "green" if proof.rejected == most else "red"),
            text(proof.named, "green" if proof.named == most else "red"),
            text(proof.variants),
            _problems(proof.problems),
        )
    out().print(made)
    if steps:
        made = table("assignment", "proof", "problems")
        for name, found in steps.items():
            for step in found:
                made.add_row(text(name, "dim"), text(step.name), _problems(step.problems))
        out().print(made)
    out().print(text(f"{sum(p.ok for p in proofs)} of {len(proofs)} exercises are proven."))
    return good


def leave_one_out(exercises: Sequence[Exercise], as_json: bool) -> bool:
    """How many misconceptions the general patterns name when they are not declared."""
    from autograder.validate import leave_one_out as left_out

    found = dict(
        zip(
            [e.name for e in exercises],
            _each(exercises, lambda e: list(left_out(e)), "Leaving one out"),
            strict=True,
        )
    )
    rows = [
        {"exercise": name, "misconception": code, "named": codes, "message": message}
        for name, cases in found.items()
        for code, codes, message in cases
    ]
    if as_json:
        show_json(rows)
        return True
    made = table("exercise", "left out", "what the patterns say", whole=("left out",))
    last = ""
    for row in rows:
        same, last = row["exercise"] == last, row["exercise"]
        said = ", ".join(row["named"]) or "nothing"
        style = "" if row["named"] else "red"
        made.add_row(
            text("" if same else last, "bold"), text(row["misconception"]), text(said, style)
        )
    out().print(made)
    spoken = sum(bool(row["named"]) for row in rows)
    out().print(text(f"{spoken} of {len(rows)} get a name from the general patterns alone."))
    return True


def mutants(exercises: Sequence[Exercise], as_json: bool) -> bool:
    """Mechanical changes of the references that no hidden check notices; whether there are none."""
    from autograder.mutants import survivors

    found = _each(exercises, survivors, "Trying mutants")
    alive = [mutant for survived, _ in found for mutant in survived]
    tried = sum(number for _, number in found)
    if as_json:
        rows = [{"exercise": m.exercise, "line": m.line, "mutant": m.key} for m in alive]
        show_json({"ok": not alive, "tried": tried, "survivors": rows})
        return not alive
    if alive:
        made = table("exercise", "line", "survivor", right=("line",))
        for mutant in alive:
            made.add_row(text(mutant.exercise, "bold"), text(mutant.line), text(mutant.key))
        out().print(made)
    out().print(text(f"{len(alive)} of {tried} mutants survive the hidden checks."))
    return not alive


def _each(exercises: Sequence[Exercise], work: Callable[[Exercise], Any], title: str) -> list[Any]:
    done = []
    with progress_bar(title) as progress:
        for number, exercise in enumerate(exercises):
            progress(number, len(exercises), None)
            done.append(work(exercise))
        progress(len(exercises), len(exercises), None)
    return done


def _problems(problems: Iterable[str]) -> Any:
    words = "; ".join(problems)
    return text(words or "✓", "red" if words else "green")
