"""``csnn``: the one command of the course, for students, teachers and CI."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from autograder.cli import grading, teaching
from autograder.cli.console import complain

app = typer.Typer(
    name="csnn",
    help="Deep-learning course software: release notebooks, grade them, name the mistakes.",
    epilog="Begin with: csnn demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (teaching, grading):
    room.register(app)


def main() -> None:
    """Run a command; whatever goes wrong is one sentence and an exit code."""
    try:
        app()
    except KeyboardInterrupt:
        complain("Stopped.")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe left ("csnn exercises | head"); there is no one to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
    except Exception as error:
        if os.environ.get("CSNN_DEBUG"):
            traceback.print_exc()
        complain(_in_a_sentence(error))
        sys.exit(1)


def _in_a_sentence(error: Exception) -> str:
    ours = type(error).__module__.startswith("autograder")
    text = str(error).strip()
    if ours and text:
        return text
    if isinstance(error, ModuleNotFoundError):
        return (
            f"The Python package {error.name} is missing; install the teacher's half with "
            "'pip install cs-nn[grader]'."
        )
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'A file'}: {error.strerror}."
    return (
        f"csnn met an error of its own ({type(error).__name__}: {text}); set CSNN_DEBUG=1 to see "
        "where, and please report it."
    )
