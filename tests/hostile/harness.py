"""Grades hostile notebooks for real: the reference's own exercises, the jail with both walls.

Each notebook stands behind an honest start: a right ``relu_forward`` and a wrong
``affine_forward``. Whatever the attack does, it may not earn more than that.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from autograder import course
from autograder.grading import grade_submission
from autograder.sandbox.inner import children
from autograder.sandbox.jail import Jail, JailStudent
from autograder.sandbox.limits import MIB, Limits
from autograder.sandbox.observe import descendants
from autograder.sandbox.outer import FIRST_UID, SCRATCH, interpreter
from tests.autograder.sandbox.cells import Cell, code

NOTEBOOKS = Path(__file__).parent / "notebooks"
EXERCISES = ("affine_forward", "relu_forward")

LIMITS = Limits(
    cell_seconds=0.5,
    call_seconds=0.5,
    submission_seconds=6,
    patience=3,
    memory=400 * MIB,
    processes=24,
    file_size=8 * MIB,
    scratch=24 * MIB,
    output=MIB // 16,
)
OUTSIDE = (tempfile.gettempdir(), "/dev/shm", "/var/tmp")
TRACES = ("left", "pickled", "evil", "results.jsonl", "fill0")
MOST_SECONDS = LIMITS.submission_seconds * LIMITS.patience + 5

RIGHT_RELU = "import numpy as np\ndef relu_forward(x): return np.maximum(0, x), x"
WRONG_AFFINE = """
def affine_forward(x, w, b):
    return np.zeros((len(x), w.shape[1])), (x, w, b)
"""
RIGHT_AFFINE = """
def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)
"""
SHOWN = {SCRATCH} | {"/".join(Path(place).parts[:3])[1:] for _, place in interpreter()}
"""What belongs in the jail's /tmp: an interpreter may lie there."""

LEFT_OVERS = f"""
import os
def left():
    found = {{folder + "/" + name for folder in ("/tmp", "/dev/shm", {SCRATCH!r})
             for name in os.listdir(folder)}}
    return sorted(found - {SHOWN!r})
"""


@dataclass(frozen=True)
class Graded:
    """One submission's results as they would stand in ``results.jsonl``, and more."""

    results: str
    scores: dict[str, float]
    loot: object
    seconds: float
    student: JailStudent


def notebooks(*families: str) -> list[str]:
    """Names of all notebooks, ``family/name``."""
    found = sorted(NOTEBOOKS.glob("*/*.py"))
    names = [f"{path.parent.name}/{path.stem}" for path in found]
    return [name for name in names if not families or name.split("/")[0] in families]


def cells(name: str) -> list[str]:
    """The code cells of a notebook kept as percent text."""
    text = (NOTEBOOKS / f"{name}.py").read_text()
    pieces = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)[1:]
    pairs = zip(pieces[::2], pieces[1::2], strict=True)
    return [source.strip("\n") for kind, source in pairs if "markdown" not in kind]


def numbered(*sources: str) -> list[Cell]:
    return [code(index, source) for index, source in enumerate(sources)]


def grade(jail: Jail, *sources: str) -> Graded:
    """Grades a notebook of these cells."""
    begun = time.monotonic()
    chosen = [e for e in course.exercises("a2_backprop") if e.name in EXERCISES]
    with jail.submission(numbered(*sources), limits=LIMITS) as student:
        results = grade_submission(student, "a2_backprop", _seed, exercises=chosen)
        loot = student.call("loot").value if any("def loot" in s for s in sources) else None
    lines = json.dumps([result.to_json() for result in results], sort_keys=True)
    scores = {result.name: result.score for result in results}
    return Graded(lines, scores, loot, time.monotonic() - begun, student)


def _seed(exercise: str) -> int:
    return 1234 + len(exercise)


def neighbour(jail: Jail) -> Graded:
    """An honest student who is graded next, in the same jail."""
    return grade(jail, RIGHT_RELU, RIGHT_AFFINE)


def left_behind(jail: Jail) -> list[str]:
    """Files and processes that a submission has left in the jail and on the machine."""
    with jail.submission(numbered(LEFT_OVERS), limits=LIMITS) as student:
        found = student.call("left").value
    process = jail.process()
    below = [pid for pid in descendants(process.popen.pid) if children(pid) == []]  # type: ignore[attr-defined]
    found = list(found) if isinstance(found, list) else [repr(found)]
    return found + [f"process {pid}" for pid in below if pid != process.warm]  # type: ignore[attr-defined]


def files_outside() -> list[str]:
    """What has reached the machine's own folders: by its name, or owned by a jail's user."""
    here = [path for folder in OUTSIDE for path in Path(folder).iterdir()]
    return [str(p) for p in here if p.name in TRACES or p.lstat().st_uid >= FIRST_UID]
