"""``csnn validate``: the proof as a table for people and an exit code for CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated, Any

import typer

from autograder.cli.console import out, show_json, table, text
from autograder.cli.grading import progress_bar
from autograder.cli.options import Json, UsageError, assignment_named


def validate(
    assignment: Annotated[str, typer.Argument(help="Only this one: a2.")] = "",
    only: Annotated[str, typer.Option(help="Only this exercise.")] = "",
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Also mutate the reference and list what survives.")
    ] = False,
    leave_one_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-out", help="Also show what each mistake is called when it is not known."
        ),
    ] = False,
    sample: Annotated[
        int, typer.Option(min=0, help="Only every n-th exercise, and no notebooks (0: all).")
    ] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.")] = None,
    as_json: Json = False,
) -> None:
    """Prove it: references pass, stubs fail, every known mistake is caught and named."""
    from autograder.course import assignments
    from autograder.course import exercises as built_in

    names = (assignment_named(assignment),) if assignment else assignments()
    chosen = [(name, e.name) for name in names for e in built_in(name) if only in ("", e.name)]
    if not chosen:
        raise UsageError(f"There is no exercise {only!r} here; see 'csnn exercises'.")
    if sample:
        chosen = chosen[::sample]
    findings: dict[str, Any] = {}
    with ProcessPoolExecutor(workers or os.cpu_count(), initializer=_silent) as pool:
        findings["exercises"] = _all(pool, "Proving", _prove, chosen)
        if mutants:
            findings["mutants"] = _all(pool, "Mutating", _mutate, chosen)
        if leave_one_out:
            findings["leave_one_out"] = _all(pool, "Leaving one out", _leave_out, chosen)
    whole = not only and not sample
    findings["assignments"] = [row for name in names for row in _steps(name)] if whole else []
    ok = _is_proven(findings)
    if as_json:
        show_json({**findings, "ok": ok})
    else:
        _show(findings)
    if not ok:
        raise typer.Exit(1)


def _silent() -> None:
    """LAPACK prints what it thinks of a mutant's matrix, and a training loop draws its bars: that
    would stand among the data."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _prove(place: tuple[str, str]) -> dict[str, Any]:
    from autograder.validate import prove

    return {"assignment": place[0], **prove(_exercise(place)).to_json()}


def _mutate(place: tuple[str, str]) -> dict[str, Any]:
    from autograder.mutation.survivors import survivors

    toll = survivors(_exercise(place))
    return {
        "exercise": place[1],
        "tried": toll.tried,
        "equivalent": toll.equivalent,
        "passed_by_one_case": toll.one_case,
        "survivors": [{"line": m.line, "change": m.key} for m in toll.alive],
    }


def _leave_out(place: tuple[str, str]) -> dict[str, Any]:
    from autograder.validate import leave_one_out

    exercise = _exercise(place)
    known = {m.code: {m.code, *m.equivalent} for m in exercise.misconceptions}
    rows = []
    for code, given, message in leave_one_out(exercise):
        named = [c for c in given if not c.startswith(("wrong-values", "only@"))]
        wrongly = [c for c in given if c in known and c not in known[code]]
        rows.append(
            {
                "mistake": code,
                "given": given,
                "named": bool(named) and not wrongly,
                "another_mistakes_name": bool(wrongly),
                "message": message,
            }
        )
    return {"exercise": place[1], "mistakes": rows}


def _exercise(place: tuple[str, str]) -> Any:
    from autograder.course import exercises

    return next(e for e in exercises(place[0]) if e.name == place[1])


def _all(
    pool: ProcessPoolExecutor, title: str, work: Callable[..., Any], places: Sequence[Any]
) -> list[dict[str, Any]]:
    rows = []
    with progress_bar(title) as progress:
        for number, row in enumerate(pool.map(work, places)):
            rows.append(row)
            progress(number + 1, len(places), None)
    return rows


def _steps(assignment: str) -> Iterable[dict[str, Any]]:
    from autograder.notebooks.manifest import written_assignments
    from autograder.validate import prove_assignment

    if assignment not in written_assignments():
        problem = "its notebooks are not written yet"
        return [{"assignment": assignment, "name": "notebooks", "ok": False, "problems": [problem]}]
    steps = []
    with progress_bar(f"Notebooks of {assignment}") as progress:
        for number, step in enumerate(prove_assignment(assignment)):
            steps.append({"assignment": assignment, **step.to_json()})
            progress(number + 1, 4, None)
    return steps


def _is_proven(findings: dict[str, Any]) -> bool:
    rows = findings["exercises"] + findings["assignments"]
    return all(row["ok"] for row in rows) and not any(
        row["survivors"] for row in findings.get("mutants", [])
    )


def _show(findings: dict[str, Any]) -> None:
    console = out()
    numbers = ("mistakes", "rejected", "named", "variants")
    made = table("exercise", *numbers, "problems", right=numbers, whole=("exercise",))
    for row in findings["exercises"]:
        whole = row["misconceptions"]
        made.add_row(
            text(row["exercise"], "bold"),
            text(whole),
            text(row["rejected"], "green" if row["rejected"] == whole else "red"),
            text(row["named"], "green" if row["named"] == whole else "red"),
            text(row["variants"]),
            text("; ".join(row["problems"]) or "✓", "red" if row["problems"] else "green"),
        )
    console.print(made)
    good = sum(row["ok"] for row in findings["exercises"])
    known = sum(row["misconceptions"] for row in findings["exercises"])
    console.print(
        text(f"{good} of {len(findings['exercises'])} exercises are proven, {known} mistakes.")
    )
    for row in findings["assignments"]:
        mark = text("✓" if row["ok"] else "✗", "green" if row["ok"] else "red")
        console.print(mark.append(f" {row['assignment']}: {row['name']}", "default"))
        for problem in row["problems"]:
            console.print(text(f"    {problem}", "red"))
    if "mutants" in findings:
        _show_mutants(findings["mutants"])
    if "leave_one_out" in findings:
        _show_left_out(findings["leave_one_out"])


def _show_mutants(rows: Sequence[dict[str, Any]]) -> None:
    console = out()
    alive = sum(len(row["survivors"]) for row in rows)
    tried, equivalent, one_case = (
        sum(row[key] for row in rows) for key in ("tried", "equivalent", "passed_by_one_case")
    )
    console.print(
        text(
            f"{tried} mutants tried, {alive} survive, {equivalent} are listed as equivalent. A "
            f"check on one seeded case would have let {one_case} of the others pass."
        )
    )
    for row in rows:
        for mutant in row["survivors"]:
            place = f"  {row['exercise']}, line {mutant['line']}:"
            console.print(text(place, "red").append(f" {mutant['change']}", "default"))


def _show_left_out(rows: Sequence[dict[str, Any]]) -> None:
    console = out()
    every = [(row["exercise"], mistake) for row in rows for mistake in row["mistakes"]]
    named = sum(mistake["named"] for _, mistake in every)
    wrongly = sum(mistake["another_mistakes_name"] for _, mistake in every)
    count = max(1, len(every))
    console.print(
        text(
            f"Left out one at a time, general patterns name {named} of {count} mistakes "
            f"({named / count:.0%}); {wrongly} ({wrongly / count:.0%}) get another mistake's name."
        )
    )
    for exercise, mistake in every:
        if not mistake["named"]:
            given = ", ".join(mistake["given"]) or "nothing"
            console.print(text(f"  {exercise}: {mistake['mistake']} is called {given}", "yellow"))
