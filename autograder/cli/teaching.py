"""What a teacher does around grading: demo, release, check, validate, exercises, course, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from autograder.cli.console import class_table, out, show_json, table, text
from autograder.cli.grading import progress_bar, write_pages
from autograder.cli.options import CourseFolder, Json, UsageError, assignment_named, course_at
from autograder.cli.proving import validate


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command(epilog="csnn demo --to /tmp/demo")(demo)
    app.command(epilog="csnn release a2 --to ~/public/a2")(release)
    app.command(epilog="csnn check a2/1_layers.ipynb")(check)
    app.command(epilog="csnn validate a2 --mutants · csnn validate --only adam")(validate)
    app.command(epilog="csnn exercises a2 · csnn exercises --json")(exercises)
    app.command(epilog="csnn doctor")(doctor)
    course = typer.Typer(no_args_is_help=True, help="Set up a course.")
    course.command("init", epilog='csnn course init ~/dl --name "Deep learning"')(course_init)
    app.add_typer(course, name="course")


def demo(
    to: Annotated[Path, typer.Option(help="A folder of its own; emptied if it is a demo's.")] = (
        Path("demo-out")
    ),
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.")] = None,
) -> None:
    """Show the main job: release a2, build a small class, grade it, write the pages."""
    from autograder.demo import run_demo

    console = out()

    def say(words: str) -> None:
        console.print(text("✓", "green").append(f" {words}", "default"), soft_wrap=True)

    with progress_bar("Grading the class") as progress:
        shown = run_demo(to, release=_release, workers=workers, progress=progress, say=say)
    page = write_pages(shown.outcome.lines, shown.graded, "A demonstration")
    console.print(class_table(shown.outcome.lines))
    planted = sum(bool(person.code) for person in shown.people)
    console.print(text(f"{shown.named} of {planted} planted mistakes were called by their name."))
    if shown.why_not_walled:
        console.print(text(f"Graded without walls: {shown.why_not_walled}.", "yellow"))
    else:
        console.print(text("Every notebook ran behind both walls (csnn doctor shows them)."))
    example = shown.graded / "feedback" / "student-02.html"
    for what, where in [
        ("Results", shown.graded / "results.jsonl"),
        ("The class", page),
        ("A student", example),
    ]:
        place = text(where.resolve(), "cyan")
        console.print(text(f"{what}:").append(" " * (12 - len(what))) + place, soft_wrap=True)
    if shown.outcome.failed:
        raise typer.Exit(1)


def release(
    assignment: Annotated[str, typer.Argument(help="a2, or the whole name a2_backprop.")],
    to: Annotated[Path, typer.Option(help="The folder to write what students get.")],
    course: CourseFolder = None,
) -> None:
    """Write what a student gets: notebooks, examples, data, the student edition."""
    name = assignment_named(assignment)
    _release(name, to, course_at(course).hints_for(name))
    out().print(text(f"Released {name}: {to}"), soft_wrap=True)


def _release(assignment: str, to: Path, hints: str = "full") -> None:
    from autograder.notebooks.release import release as write

    write(assignment, to, hints=hints)


def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, before you hand it in.")],
    as_json: Json = False,
) -> None:
    """Check a notebook before handing it in: what will be graded and what is missing."""
    from autograder.precheck import main

    raise typer.Exit(main([str(notebook), *(["--json"] if as_json else [])]))


def doctor(as_json: Json = False) -> None:
    """Try every wall that should keep a submission in, and say what is missing."""
    from dataclasses import asdict

    from autograder.sandbox.doctor import refusal, walls

    found = walls()
    if as_json:
        show_json([asdict(wall) for wall in found])
    else:
        made = table("wall", "present", "working", "tested just now", "remedy")
        for wall in found:
            yes, no = text("yes", "green"), text("no", "red")
            made.add_row(
                text(wall.name, "bold"),
                yes if wall.present else no,
                yes if wall.working else no,
                text(wall.detail, "dim"),
                text(wall.remedy, "yellow"),
            )
        out().print(made)
    if refusal() or not all(wall.working for wall in found if wall.name != "Landlock"):
        raise typer.Exit(1)


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
    columns = ("assignment", "exercise", "points", "kind", "built", *numbers[1:])
    made = table(*columns, right=numbers, whole=("exercise",))
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


def course_init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The course's folder.")],
    name: Annotated[str, typer.Option(help="What the course is called.")] = "Deep learning",
    students: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Class list: id, first_name, last_name, email."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this assignment's sources: a2; repeatable.")
    ] = None,
) -> None:
    """Make a course that nbgrader and formgrader accept, or complete one."""
    from autograder.config import COURSE_FILE, SECRET_FILE
    from autograder.records.course import CONFIG_FILE, GRADEBOOK, make_nbgrader_course

    wanted = [assignment_named(one) for one in only or ()]
    done = make_nbgrader_course(folder, name, students, wanted)
    sources = sorted({path.parent.name for path in folder.glob("source/*/*.ipynb")})
    first = sources[0] if sources else "NAME"
    rows = [
        ("Settings", f"{folder / COURSE_FILE}{_was_there(folder / COURSE_FILE, done.kept)}"),
        ("nbgrader", f"{folder / CONFIG_FILE}{_was_there(folder / CONFIG_FILE, done.kept)}"),
        ("Secret", f"{folder / SECRET_FILE} (keep a copy; never publish it)"),
        ("Sources", f"{folder / 'source'}: {', '.join(sources)}"),
        ("Gradebook", f"{folder / GRADEBOOK}: {done.students} students"),
        ("Next", f"cd {folder} && nbgrader generate_assignment {first}"),
    ]
    console = out()
    for what, words in rows:
        padding = " " * (12 - len(what))
        console.print(text(f"{what}:").append(padding).append_text(text(words)), soft_wrap=True)
    for remark in done.remarks:
        console.print(text(remark, "yellow"), soft_wrap=True)


def _was_there(file: Path, kept: list[Path]) -> str:
    return " (was there, left as it was)" if file in kept else ""
