"""One run of ``nbgrader autograde``, from its first student to its closing table.

nbgrader goes through its students one by one, and its sqlite takes one writer. So a class is graded
once, by all cores, into ``graded/<assignment>/`` of the course, where ``csnn explain``, ``report``
and ``export`` find it; nbgrader then writes what is there. What went wrong on the way scrolls by in
its log; the end says once more who needs a teacher's eye, and why.
"""

from __future__ import annotations

import glob
import logging
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.notebooks.submission import student_id

Line = Mapping[str, Any]


class Run:
    """What is known of a run: everyone's results, and what was odd about their files."""

    def __init__(self, converter: Any) -> None:
        self.converter, self.course = converter, converter.coursedir
        self.lines: dict[str, Line] = {}
        self.remarks: dict[str, list[str]] = {}
        self.folders: dict[str, str] = {}  # of submissions, to students as nbgrader has them
        self.begun = 0
        self.start = time.monotonic()

    @classmethod
    def of(cls, converter: Any) -> Run:
        """The run that a converter is in. At the first question we put ourselves around its work.

        nbgrader's hooks are called for each student and not at the end, hence the wrapping.
        """
        if not hasattr(converter, "csnn_run"):
            run = converter.csnn_run = cls(converter)
            converter.convert_notebooks = run._around(converter.convert_notebooks)
            converter.init_assignment = run._before(converter.init_assignment)
        return converter.csnn_run

    @property
    def is_class(self) -> bool:
        """Whether there is more than the one student whom formgrader asks for."""
        return len(self.converter.assignments) > 1

    def remark(self, student: str, words: str) -> None:
        """Something that a teacher should hear of at the end."""
        said = self.remarks.setdefault(student_id(student), [])
        if words not in said:
            said.append(words)

    def grade_class(self, assignment: str, isolation: str) -> None:
        """Grade everyone in ``submitted``; only what changed is done anew."""
        from autograder.batch import Plan, grade_class
        from autograder.config import find_course

        root = Path(self.course.root)
        plan = Plan(assignment, find_course(root), isolation)
        with _bar(assignment) as progress:
            outcome = grade_class(
                root / self.course.submitted_directory,
                root / "graded" / assignment,
                plan,
                progress=progress,
            )
        self.lines |= {line["student"]: line for line in outcome.lines}
        self.start = time.monotonic()

    # --- around nbgrader's own steps ---------------------------------------------------------

    def _around(self, convert: Callable[[], None]) -> Callable[[], None]:
        def convert_notebooks() -> None:
            try:
                convert()
            finally:
                table = self.closing_table()
                if table:
                    self.converter.log.warning(table)

        return convert_notebooks

    def _before(self, init: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def init_assignment(assignment: str, student: str) -> None:
            if self.is_class:
                self.converter.log.info(self._progress(student))
            self.begun += 1
            with self._only_files(assignment, student), _quiet_copies(self.converter.log):
                init(assignment, student)

        return init_assignment

    def _progress(self, student: str) -> str:
        total = len(self.converter.assignments)
        words = f"Student {self.begun + 1} of {total}: {student}"
        if self.begun >= 3:
            seconds = (time.monotonic() - self.start) / self.begun * (total - self.begun)
            words += f" (about {seconds:.0f} s left)"
        return words

    @contextmanager
    def _only_files(self, assignment: str, student: str) -> Iterator[None]:
        """Keep nbgrader from copying links, which may lead anywhere or nowhere, and pipes."""
        folder = self.course.format_path(self.course.submitted_directory, student, assignment)
        odd = sorted(_no_files(folder))
        if odd:
            names = ", ".join(odd)
            self.remark(student, f"not copied, being no ordinary file: {names}")
        before = list(self.course.ignore)
        self.course.ignore = [*before, *map(glob.escape, odd)]
        try:
            yield
        finally:
            self.course.ignore = before

    # --- the end -----------------------------------------------------------------------------

    def closing_table(self) -> str:
        """Who needs a teacher's eye and why, a line each; "" where nobody does."""
        from autograder.records.class_report import needs_eye

        why: dict[str, list[str]] = {}
        for line in needs_eye(list(self.lines.values())):
            words = line["message"] if line["status"] == "graded" else _status_and_message(line)
            why.setdefault(line["student"], []).append(words.rstrip("."))
        for student, remarks in self.remarks.items():
            why.setdefault(student, []).extend(remarks)
        for student in self._unwritten():
            why.setdefault(student, []).append("nbgrader could not write it, see the log above")
        if not why:
            return ""
        width = max(map(len, why))
        rows = [f"  {student:<{width}}  {'; '.join(words)}" for student, words in why.items()]
        many = f"{len(why)} of {len(self.converter.assignments)} students"
        return "\n".join([f"{many} need{'s' * (len(why) == 1)} a teacher's eye:", *rows])

    def _unwritten(self) -> Iterator[str]:
        course = self.course
        for student in self.folders.values():
            written = course.format_path(course.autograded_directory, student, course.assignment_id)
            if not os.path.isdir(written):
                yield student_id(student)


def _status_and_message(line: Line) -> str:
    return f"{line['status']}: {line['message']}" if line["message"] else str(line["status"])


def _no_files(folder: str) -> Iterator[str]:
    """The names, anywhere below a folder, of what is neither a file nor a folder."""
    for where, _, names in os.walk(folder):
        for name in names:
            if not stat.S_ISREG(os.lstat(os.path.join(where, name)).st_mode):
                yield name


@contextmanager
def _quiet_copies(log: Any) -> Iterator[None]:
    """Sixty lines for each student on copying the student edition would bury all the rest."""

    def is_news(record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Copying ")

    logger = getattr(log, "logger", log)  # traitlets gives adapters here and there
    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


@contextmanager
def _bar(assignment: str) -> Any:
    from tqdm import tqdm

    with tqdm(desc=f"Grading {assignment}", unit=" students", file=sys.stderr) as bar:

        def show(done: int, total: int, _: Line | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
