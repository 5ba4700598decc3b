"""A jail's private folder and environment: all that its worker gets from the grader's machine."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from autograder.sandbox.limits import Limits
from autograder.sandbox.observe import process_exists

PREFIX = "csnn-jail-"
HERE = Path(__file__).resolve().parent
RUNTIME_FILES = (
    "values.py",
    "student.py",
    *(
        f"sandbox/{name}.py"
        for name in ("__init__", "channel", "clock", "inner", "session", "shell", "warm")
    ),
    "sandbox/wire.py",
    "sandbox/worker.py",
)


class Base:
    """A private folder of one jail: our modules for the worker, a home, a scratch folder."""

    def __init__(self) -> None:
        sweep_stale_folders()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.path.chmod(0o755)
        self.runtime, self.home = self.path / "runtime", self.path / "home"
        self.scratch, self.log = self.path / "work", self.path / "log"
        for folder in (self.home, self.scratch):
            folder.mkdir()
        self._copy_runtime()

    def _copy_runtime(self) -> None:
        package = self.runtime / "autograder"
        (package / "sandbox").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        for name in RUNTIME_FILES:
            shutil.copyfile(HERE.parent / name, package / name)
        readable(self.runtime)

    def copy_edition(self, edition: Path) -> Path:
        """The edition where the jail's own user may read it, whatever its permissions were."""
        copied = self.path / "edition"
        shutil.copytree(edition, copied, symlinks=True, ignore=shutil.ignore_patterns(".*"))
        readable(copied)
        return copied

    @property
    def worker(self) -> Path:
        return self.runtime / "autograder" / "sandbox" / "worker.py"

    def complaint(self) -> str:
        """What the worker has said of its troubles; "" if it did not even start."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def sweep_stale_folders() -> None:
    """Removes what graders that were killed have left in the temporary folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not process_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def readable(tree: Path) -> None:
    """Readable for everybody, whatever the umask is."""
    for folder, _, files in os.walk(tree):
        os.chmod(folder, 0o755)
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o644)


def environment(home: str) -> dict[str, str]:
    """The worker's whole environment: nothing of the grader's."""
    kept = {}
    if sys.platform == "win32":
        kept = {k: v for k, v in os.environ.items() if k.upper() in ("SYSTEMROOT", "PATH", "TEMP")}
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")}
    return (
        {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": home, "MPLBACKEND": "agg"}
        | {"MPLCONFIGDIR": home, "IPYTHONDIR": f"{home}/ipython", "PYTHONHASHSEED": "0"}
        | one
        | kept
    )


def rlimits(limits: Limits) -> dict[str, int]:
    """The limits that the kernel holds per process (see `inner.set_limits`)."""
    seconds = int(limits.submission_seconds) + 5
    return {
        "AS": limits.memory,
        "CORE": 0,
        "CPU": seconds,
        "FSIZE": limits.file_size,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
        "NOFILE": 256,
    }
