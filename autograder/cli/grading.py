"""``csnn grade``, and what comes of it: explain, report, export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autograder.cli.console import class_table, err, out, show_json, status_text, table, text
from autograder.cli.options import (
    CourseFolder,
    Json,
    Out,
    UsageError,
    among,
    assignment_named,
    course_at,
    optional_names,
    size,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from autograder.batch import Outcome, Progress

Line = Mapping[str, Any]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command(epilog="csnn grade a2 submitted/ --out graded/a2")(grade)
    app.command(epilog="csnn explain ada affine_backward --out graded/a2")(explain)
    app.command(epilog="csnn report graded/a2")(report)
    app.command(epilog="csnn export graded/a2 --to canvas --file a2.csv")(export)


def grade(
    assignment: Annotated[str, typer.Argument(help="a2, or the whole name a2_backprop.")],
    submissions: Annotated[
        Path,
        typer.Argument(
            help="SUBMISSIONS/STUDENT/*.ipynb, nbgrader's submitted/, *.ipynb or an LMS's zip."
        ),
    ],
    to: Annotated[Path, typer.Option("--out", metavar="OUT", help="Where the results go.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default one per core.")
    ] = None,
    cluster: Annotated[
        str, typer.Option(metavar="ADDRESS", help="A dask scheduler: tcp://host:8786.")
    ] = "",
    isolation: Annotated[
        str, typer.Option(help="'full': both walls. 'none': no wall, and the results say so.")
    ] = "full",
    course: CourseFolder = None,
    cell_seconds: Annotated[float | None, typer.Option(help="Limit for a cell.")] = None,
    call_seconds: Annotated[float | None, typer.Option(help="Limit for a call.")] = None,
    submission_seconds: Annotated[float | None, typer.Option(help="Limit for it all.")] = None,
    memory: Annotated[str, typer.Option(help="Limit for a submission: 512M, 2G.")] = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade again what is unchanged.")] = False,
    pages: Annotated[bool, typer.Option("--pages", help="Write the pages too (csnn report).")] = (
        False
    ),
    gradebook: Annotated[
        str, typer.Option(metavar="DB_URL", help="nbgrader's: sqlite:///FILE, postgresql://….")
    ] = "",
    as_json: Json = False,
) -> None:
    """Grade a class; the same command again does only what changed."""
    from autograder.batch import Plan, grade_class

    among(isolation, ("full", "none"), "isolation")
    limits = {
        "cell_seconds": cell_seconds,
        "call_seconds": call_seconds,
        "submission_seconds": submission_seconds,
        "memory": size(memory) if memory else None,
    }
    for name, value in limits.items():
        if value is not None and not value > 0:
            raise UsageError(f"--{name.replace('_', '-')} must be more than zero.")
    plan = Plan(assignment_named(assignment), course_at(course), isolation, limits, fresh)
    with _executor(cluster) as executor, progress_bar(f"Grading {plan.assignment}") as progress:
        outcome = grade_class(
            submissions, to, plan, workers=workers, executor=executor, progress=progress
        )
    if pages:
        write_pages(outcome.lines, to, plan.course.name)
    remarks: list[str] = []
    if gradebook:
        from autograder.records.gradebook import write_grades

        with progress_bar("Writing the gradebook") as progress:
            remarks = write_grades(
                outcome.lines, submissions, plan.assignment, gradebook, plan.course, progress
            )
    if as_json:
        show_json(outcome.lines)
    else:
        show_class(outcome, to, pages)
    for words in remarks:
        err().print(text(f"{words}.", "yellow"), soft_wrap=True)
    if outcome.failed:
        raise typer.Exit(1)


def explain(
    student: Annotated[str, typer.Argument(help="The student's id in the results.")],
    exercise: Annotated[str, typer.Argument(help="The exercise; all of them if left out.")] = "",
    graded: Annotated[
        Path, typer.Option("--out", metavar="OUT", help="The folder of the results.")
    ] = Path(),
    as_json: Json = False,
) -> None:
    """Explain a student's result: each check, and the name of each mistake."""
    from autograder.records.store import read_results

    lines = {line["student"]: line for line in read_results(graded)}
    line = lines[among(student, lines, "student")]
    found = {e["name"]: e for e in line["exercises"]}
    if exercise:
        found = {exercise: found[among(exercise, found, "exercise")]}
    if as_json:
        show_json(found[exercise] if exercise else line)
        return
    _explain(line, list(found.values()), brief=not exercise)


def report(out_folder: Out, course: CourseFolder = None, as_json: Json = False) -> None:
    """Write a page for each student and one for the class."""
    from autograder.records.store import read_results

    lines = read_results(out_folder)
    if not lines:
        raise UsageError(f"The results in {out_folder} are empty; grade a class first.")
    where = write_pages(lines, out_folder, course_at(course).name)
    if as_json:
        show_json({"class": str(where), "pages": len(lines)})
    else:
        out().print(text(f"The class: {where}"))
        out().print(text(f"{len(lines)} students: {out_folder / 'feedback'}"))


def export(
    out_folder: Out,
    to: Annotated[str, typer.Option(help="csv, canvas or gradescope.")] = "csv",
    file: Annotated[
        Path | None, typer.Option(help="Where to; by default into OUT. For gradescope a folder.")
    ] = None,
) -> None:
    """Export the scores for another program."""
    from autograder.records.exports import export as write
    from autograder.records.store import read_results

    lines = read_results(out_folder)
    name = "gradescope" if to == "gradescope" else f"{to}.csv" if to != "csv" else "scores.csv"
    where = write(lines, to, file or (out_folder if out_folder.is_dir() else Path()) / name)
    out().print(text(f"{len(lines)} students: {where}"))


def show_class(outcome: Outcome, to: Path, pages: bool) -> None:
    """The table of scores, the most frequent mistakes, and where everything is."""
    from autograder.records.class_report import mistakes, needs_eye

    console = out()
    console.print(class_table(outcome.lines))
    frequent = [m for m in mistakes(outcome.lines) if len(m.students) > 1][:5]
    if frequent:
        made = table("students", "function", "mistake", right=("students",))
        for mistake in frequent:
            who = text(len(mistake.students), "bold")
            made.add_row(who, text(mistake.function), text(mistake.message))
        console.print(made)
    eye = len(needs_eye(outcome.lines))
    kept = len(outcome.lines) - outcome.fresh - outcome.failed
    facts = [f"{len(outcome.lines)} submissions, {outcome.fresh} graded now, {kept} unchanged"]
    facts += [f"{eye} for a teacher's eye"] if eye else []
    facts += [f"{outcome.failed} on which the grader itself failed"] if outcome.failed else []
    console.print(text("; ".join(facts) + "."))
    console.print(text(f"Results: {to / 'results.jsonl'}"))
    if pages:
        console.print(text(f"Pages: {to / 'class.html'}"))
    else:
        console.print(text(f"Pages: csnn report {to}", "dim"))


def write_pages(lines: Sequence[Line], to: Path, course: str) -> Path:
    """Write all pages of a class; returns the class page.

    Raises:
        StoreError: where they cannot be written.
    """
    from autograder.records.class_report import class_page
    from autograder.records.feedback import feedback_page
    from autograder.records.files import make_folder, safe_names, write_whole
    from autograder.records.store import read_pictures

    folder = to if to.is_dir() else to.parent
    make_folder(folder / "feedback")
    names = safe_names(line["student"] for line in lines)
    pictures = read_pictures(folder)
    optional = optional_names(lines[0]["assignment"])
    for line in lines:
        page = feedback_page(line, pictures.get(line["student"]), optional)
        write_whole(folder / "feedback" / f"{names[line['student']]}.html", page)
    links = {student: f"feedback/{name}.html" for student, name in names.items()}
    page = class_page(lines, course=course, optional=optional, links=links)
    write_whole(folder / "class.html", page)
    return folder / "class.html"


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar with the time left, on standard error."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bar = Bar(*columns, console=err())
    task = bar.add_task(title, total=None)

    def show(done: int, total: int, _: Line | None) -> None:
        bar.start()  # not before there is something to show: an error may come first
        bar.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()


@contextmanager
def _executor(cluster: str) -> Iterator[Executor | None]:
    if not cluster:
        yield None
        return
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise UsageError(
            "--cluster needs dask; install it with 'pip install cs-nn[cluster]'."
        ) from None
    try:
        client = Client(cluster, timeout="10s")
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"No dask scheduler answers at {cluster} ({type(error).__name__}); start one with "
            "'dask scheduler' and name its address."
        ) from None
    with client:
        yield client.get_executor()


def _explain(line: Line, exercises: list[Mapping[str, Any]], brief: bool) -> None:
    from rich.padding import Padding

    console = out()
    score = f"{line['score']:g} of {line['max_score']:g}"
    console.print(text(f"{line['student']}, {line['assignment']}: {score}", "bold"))
    if line["message"]:
        console.print(text(line["message"], "yellow"))
    for exercise in exercises:
        console.print()
        head = text(exercise["name"], "bold").append("  ", "default")
        head.append_text(status_text(exercise["status"]))
        console.print(head.append(f"  {exercise['score']:g} / {exercise['max_score']:g}", "dim"))
        for diagnosis in exercise["diagnoses"]:
            console.print(Padding(text(diagnosis["message"], "yellow"), (0, 2)))
        made = table("", "check", "")
        made.show_header = False
        for check in exercise["checks"]:
            if brief and check["passed"]:
                continue
            mark = text("✓", "green") if check["passed"] else text("✗", "red")
            made.add_row(mark, text(check["name"]), text(check["message"]))
        if made.row_count:
            console.print(Padding(made, (0, 2)))
