"""What a teacher does around grading: demo, release, check, validate, exercises, course, doctor."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from autograder.cli.console import out, show_json, table, text
from autograder.cli.options import Json, UsageError

course_app = typer.Typer(no_args_is_help=True, help="Set up a course.")


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command(epilog="csnn exercises a2 · csnn exercises --json")(exercises)


def exercises(
    assignment: Annotated[str, typer.Argument(help="Only this one: a2.")] = "",
    as_json: Json = False,
) -> None:
    """List every exercise of the course, built or planned."""
    from autograder.course import assignments
    from autograder.course import exercises as built_in
    from autograder.course.curriculum import PLAN

    built = {e.name: e for a in assignments() for e in built_in(a)}
    rows: list[dict[str, Any]] = [
        {
            "name": planned.name,
            "assignment": planned.assignment,
            "points": planned.points,
            "core": planned.core,
            "kind": planned.kind,
            "built": planned.name in built,
            "misconceptions": len(built[planned.name].misconceptions)
            if planned.name in built
            else 0,
            "variants": len(built[planned.name].variants) if planned.name in built else 0,
        }
        for planned in PLAN
        if not assignment or planned.assignment.startswith(assignment)
    ]
    if not rows:
        raise UsageError(f"The curriculum has no assignment {assignment!r}; try a1 to a6.")
    if as_json:
        show_json(rows)
        return
    numbers = ("points", "mistakes", "variants")
    made = table("assignment", "exercise", "points", "kind", "built", *numbers[1:], right=numbers)
    last = ""
    for row in rows:
        same, last = row["assignment"] == last, row["assignment"]
        made.add_row(
            text("" if same else last, "dim"),
            text(row["name"], "bold" if row["built"] else ""),
            text(f"{row['points']:g}" if row["core"] else f"+{row['points']:g}"),
            text(row["kind"], "dim"),
            text("✓" if row["built"] else "", "green"),
            text(row["misconceptions"] or ""),
            text(row["variants"] or ""),
        )
    console = out()
    console.print(made)
    ready = sum(row["built"] for row in rows)
    console.print(text(f"{ready} of {len(rows)} built; + marks points of optional exercises."))
