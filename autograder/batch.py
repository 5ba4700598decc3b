"""A class of submissions, in parallel, and every one of them gets its line.

Reading happens here, one submission at a time and only a few ahead of the workers, so that a
large class needs little memory and workers elsewhere need none of the class's files.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from concurrent.futures.process import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.config import Course, case_seed
from autograder.job import failed_line, grade_one
from autograder.records.store import Entry, Store
from autograder.sandbox.outer import WallsMissing

Job = Mapping[str, Any]
Grade = Callable[[Job], Mapping[str, Any]]
Progress = Callable[[int, int, Mapping[str, Any] | None], None]
"""Called with (done, total, the line that came last)."""

_FORMAT = 1  # of the journal's entries; a new one makes old entries unknown


class BatchError(Exception):
    """The class cannot be graded; the message is one sentence with a remedy."""


class Interrupted(Exception):
    """Somebody pressed ^C. ``kept`` of ``total`` submissions are graded and stay so."""

    def __init__(self, kept: int, total: int) -> None:
        super().__init__(
            f"Stopped. {kept} of {total} submissions are graded and kept; the same command goes on "
            "from there."
        )
        self.kept, self.total = kept, total


@dataclass(frozen=True)
class Outcome:
    """What came of a class: its lines, and how many were graded now or on which we failed."""

    lines: Sequence[Mapping[str, Any]]
    fresh: int
    failed: int


@dataclass(frozen=True)
class Plan:
    """How a class is graded.

    limits:    flags of the command line, over those of the course.
    isolation: "full" (both walls) or "none".
    """

    assignment: str
    course: Course
    isolation: str = "full"
    limits: Mapping[str, float | None] | None = None
    fresh: bool = False


def grade_class(
    submissions: Path,
    out: Path,
    plan: Plan,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    grade: Grade = grade_one,
) -> Outcome:
    """Grade all submissions below a path and write ``out/results.jsonl``.

    Args:
        workers: processes on this machine, by default one per core.
        executor: whoever does the work instead; it is not shut down.
        grade: what is done to one job.

    Raises:
        BatchError: if there is nothing to grade or the executor is gone.
        StoreError: if the results cannot be kept.
        Interrupted: after ^C.
    """
    if executor is None and grade is grade_one:
        _prepare(plan)
    places = _places(submissions, plan.assignment)
    with Store(out, plan.assignment) as store:
        if plan.fresh:
            store.entries.clear()
        count = workers or os.cpu_count() or 1
        crew = _Crew(executor, count)
        run = _Run(store, crew, grade, progress or (lambda *_: None), len(places))
        try:
            return run.all(_jobs(places, plan), ahead=4 * count)
        except KeyboardInterrupt:
            crew.stop()
            kept = sum(key in store.entries for key in run.met)
            raise Interrupted(kept, len(places)) from None
        finally:
            crew.stop()


class _Run:
    """The state of one grading: the keys of all jobs that came, and of those that are done."""

    def __init__(
        self, store: Store, crew: _Crew, grade: Grade, progress: Progress, total: int
    ) -> None:
        self.store, self.crew, self.grade = store, crew, grade
        self.progress, self.total = progress, total
        self.met: list[str] = []
        self.keys: list[str] = []
        self.again: list[Job] = []
        self.fresh = self.failed = 0

    def all(self, jobs: Iterable[Job], ahead: int) -> Outcome:
        self.progress(0, self.total, None)
        running: dict[Future[Any], Job] = {}
        for job in jobs:
            self.met.append(job["key"])
            if job["key"] in self.store.entries:
                self._done(job, self.store.entries[job["key"]].result)
                continue
            running[self._submit(job)] = job
            while len(running) >= ahead:
                self._collect(running)
        while running:
            self._collect(running)
        # A machine with many workers is busy: what met a limit there gets another try alone,
        # and so does what was under way when a worker died.
        for job in sorted(self.again, key=lambda job: job["student"]):
            self._alone(job)
        return Outcome(self.store.finish(self.keys), self.fresh, self.failed)

    def _submit(self, job: Job) -> Future[Any]:
        try:
            return self.crew.submit(self.grade, job)
        except BrokenExecutor:
            self.crew.renew()
            return self.crew.submit(self.grade, job)

    def _collect(self, running: dict[Future[Any], Job]) -> None:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            job = running.pop(future)
            try:
                answer = future.result()
            except BrokenExecutor:
                self.again.append(job)
            except WallsMissing as error:
                raise BatchError(str(error)) from None
            except Exception as error:
                self._failed(job, error)
            else:
                if answer["limited"]:
                    self.again.append(job)
                else:
                    self._keep(job, answer)

    def _alone(self, job: Job) -> None:
        try:
            # Not the same question: an executor that remembers answers, as dask's does, would
            # give back the one that met a limit.
            answer = self._submit({**job, "attempt": 2}).result()
        except BrokenExecutor:
            self.crew.renew()
            self._failed(job, None)
        except Exception as error:
            self._failed(job, error)
        else:
            self._keep(job, answer)

    def _keep(self, job: Job, answer: Mapping[str, Any]) -> None:
        self.fresh += 1
        self.store.add(Entry(job["key"], answer["result"], answer["timings"], answer["pictures"]))
        self._done(job, answer["result"])

    def _failed(self, job: Job, error: Exception | None) -> None:
        self.failed += 1
        reason = f"{type(error).__name__}: {error}"[:500] if error else "its process died"
        answer = failed_line(job, f"({reason})")
        self.store.add(Entry(job["key"], answer["result"]), keep=False)
        self._done(job, answer["result"])

    def _done(self, job: Job, line: Mapping[str, Any]) -> None:
        self.keys.append(job["key"])
        self.progress(len(self.keys), self.total, line)


class _Crew:
    """The executor that works, and another one when it breaks."""

    def __init__(self, given: Executor | None, workers: int) -> None:
        self._given, self._workers = given, workers
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, grade: Grade, job: Job) -> Future[Any]:
        if self._given is not None:
            return self._given.submit(grade, job)
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers,
                # spawn: no worker inherits threads, locks or files of this process.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_prepare_worker,
            )
        return self._pool.submit(grade, job)

    def renew(self) -> None:
        if self._given is not None:
            raise BatchError(
                "The executor's workers are gone; start them again and run the same command: what "
                "is graded is kept."
            )
        self.stop()

    def stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        workers = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join(5)


def _prepare_worker() -> None:
    """^C is the grader's business; and where the grader is killed, its workers go with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _prepare(plan: Plan) -> None:
    """Say at once what would fail for everyone, and make once what every worker needs."""
    from autograder.notebooks.edition import cached_edition
    from autograder.sandbox.doctor import refusal

    reason = refusal() if plan.isolation == "full" else ""
    if reason:
        raise BatchError(reason[:1].upper() + reason[1:] + ".")
    cached_edition(plan.assignment)


def _places(submissions: Path, assignment: str) -> list[tuple[str, Any]]:
    from autograder.notebooks.submission import find_submissions

    if not submissions.exists():
        raise BatchError(f"There is no {submissions}; name the folder or zip with submissions.")
    places = sorted(find_submissions(submissions, assignment), key=lambda place: place[0])
    if not places:
        raise BatchError(
            f"No submissions in {submissions}; expected {submissions}/STUDENT/*.ipynb, "
            f"{submissions}/STUDENT/{assignment}/*.ipynb, {submissions}/*.ipynb or an LMS's zip."
        )
    return places


def _jobs(places: Iterable[tuple[str, Any]], plan: Plan) -> Iterator[Job]:
    from autograder.course import exercises
    from autograder.notebooks.release import released
    from autograder.notebooks.submission import read_submission, unread_submission
    from autograder.version import grader_version

    secret = plan.course.secret()
    common = {
        "assignment": plan.assignment,
        "limits": plan.course.limits(plan.assignment, **(plan.limits or {})),
        "exercise_limits": plan.course.exercise_limits(),
        "isolation": plan.isolation,
        "bonus": plan.course.has_bonus(plan.assignment),
        "private_cases": private_cases(plan.assignment, plan.course),
    }
    version = [_FORMAT, grader_version(), secret.version, _digest_of_folder(plan.course.overlay)]
    names = [exercise.name for exercise in exercises(plan.assignment)]
    release = released(plan.assignment)
    for student, where in places:
        try:
            submission = read_submission(where, plan.assignment, release)
        except Exception as error:  # whatever it is, it must not stop the class
            submission = unread_submission(where, plan.assignment, error)
        told = [submission.digest, submission.status, submission.message, list(submission.notes)]
        parts = json.dumps([version, student, common, told], sort_keys=True)
        yield {
            **common,
            "key": hashlib.sha256(parts.encode()).hexdigest(),
            "student": student,
            "seeds": {name: case_seed(secret, student, name) for name in names},
            "submission": submission.to_data(),
        }


def private_cases(assignment: str, course: Course) -> str:
    """The source of the teacher's own cases, carried by each job to wherever it runs.

    Raises:
        BatchError: where they name what is no exercise, or do not run; better now than per student.
    """
    from autograder.course import with_private_cases

    file = course.overlay / f"{assignment}.py" if course.overlay else None
    if file is None or not file.is_file():
        return ""
    source = file.read_text(encoding="utf-8")
    try:
        with_private_cases(assignment, source)
    except Exception as error:
        raise BatchError(f"{file}: {error}") from None
    return source


def _digest_of_folder(folder: Path | None) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")) if folder else ():
        if file.is_file():
            digest.update(f"{file.relative_to(folder or file)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
