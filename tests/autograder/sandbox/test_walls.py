"""Both walls, as real processes: what they stop, how they end, and what a missing one says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox import doctor
from autograder.sandbox.base import Base
from autograder.sandbox.inner import children
from autograder.sandbox.jail import Jail
from autograder.sandbox.limits import MIB, Limits
from autograder.sandbox.observe import descendants, runs
from autograder.sandbox.outer import WallsMissing
from autograder.values import Raised
from tests.autograder.sandbox.cells import code

SMALL = Limits(memory=300 * MIB, processes=20, file_size=4 * MIB, scratch=16 * MIB, call_seconds=3)


@pytest.fixture(scope="module")
def jail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jail]:
    with Jail(tmp_path_factory.mktemp("edition"), "full", SMALL) as made:
        yield made


def test_the_doctor_finds_every_wall_working():
    table = doctor.walls()
    assert [wall.name for wall in table if not wall.working] == []
    assert len(table) >= 11
    assert not doctor.refusal()


def test_memory_counts_for_all_processes_of_a_submission(jail: Jail):
    source = """
    import os
    def hoard():
        pids = []
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                held = bytearray(120 * 2**20)
                for i in range(0, len(held), 4096):
                    held[i] = 1
                import time; time.sleep(1.5)
                os._exit(0)
            pids.append(pid)
        return sum(os.waitpid(pid, 0)[1] != 0 for pid in pids)
    """
    with jail.submission([code(0, textwrap.dedent(source))]) as student:
        value = student.call("hoard").value
    # Counted by the kernel, some of the five die; sampled, the whole submission does.
    assert value in (1, 2, 3, 4, 5) or isinstance(value, Raised)


def test_one_process_meets_its_memory_limit_as_an_exception(jail: Jail):
    source = """
    import numpy as np
    def hoard(): return len([np.ones(2**20) for _ in range(1000)])
    def fine(): return 1
    """
    with jail.submission([code(0, textwrap.dedent(source))]) as student:
        raised = student.call("hoard").raised
        assert raised is not None
        assert "Memory" in raised.kind
        assert student.call("fine").value == 1


def test_a_limit_may_be_a_fraction(tmp_path: Path):
    limits = Limits(memory=300.5 * MIB)  # type: ignore[arg-type]
    with Jail(tmp_path, "full", limits) as jail, jail.submission([code(0, "x = print")]) as student:
        assert student.defines("x")


def test_processes_and_files_are_limited_for_the_whole_submission(jail: Jail):
    source = """
    import os, time
    def fork():
        for count in range(500):
            try:
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(100)
            except OSError:
                return count
    def fill():
        total = 0
        try:
            for k in range(100):
                with open(f"file{k}", "wb") as out:
                    for _ in range(3):
                        out.write(b"x" * 2**20); out.flush(); total += 1
        except OSError:
            return total
    """
    with jail.submission([code(0, textwrap.dedent(source))]) as student:
        count = student.call("fork").value
        assert isinstance(count, int)
        assert count <= SMALL.processes + 8
        written = student.call("fill").value
        assert isinstance(written, int)
        assert written <= SMALL.scratch / MIB
    assert children(jail.process().warm) == []  # type: ignore[attr-defined]


def test_the_folders_themselves_carry_no_message_to_the_next(jail: Jail):
    source = """
    import os
    folders = "/tmp/work", "/dev/shm"
    def look():
        return [[os.listxattr(f), os.stat(f).st_mode, os.stat(f).st_mtime < 99] for f in folders]
    def leave():
        for folder in folders:
            for attempt in (lambda: os.setxattr(folder, "user.note", b"x"),
                            lambda: os.utime(folder, (7, 7)), lambda: os.chmod(folder, 0o711)):
                try:
                    attempt()
                except OSError:
                    pass
    """
    with jail.submission([code(0, textwrap.dedent(source))]) as student:
        before = student.call("look").value
        student.call("leave")
        assert student.call("look").value != before
    with jail.submission([code(0, textwrap.dedent(source))]) as student:
        assert student.call("look").value == before


@pytest.mark.nightly
def test_a_spoilt_jail_is_not_the_next_students_fault(jail: Jail):
    with jail.submission([code(0, "def f(): return 1")]) as student:
        assert student.call("f").value == 1
    warm = jail.process().warm  # type: ignore[attr-defined]
    os.kill(warm, signal.SIGSTOP)
    hasty = SMALL.with_(cell_seconds=0.1)
    with jail.submission([code(0, "def f(): return 1")], limits=hasty) as student:
        assert student.call("f").value == 1
        assert student.status == "graded"


def test_an_interrupted_grader_leaves_a_jail_that_works(jail: Jail):
    cells = [code(0, "import os\nif os.fork() == 0:\n    while True: pass")]
    with pytest.raises(KeyboardInterrupt), jail.submission(cells):
        raise KeyboardInterrupt
    with jail.submission([code(0, "def f(): return 1")]) as student:
        assert student.call("f").value == 1


def test_a_killed_grader_leaves_nothing(tmp_path: Path):
    script = f"""
    import os, sys, time
    from autograder.sandbox.jail import Jail
    from autograder.sandbox.observe import descendants
    from tests.autograder.sandbox.cells import code
    source = "import os, time\\nif os.fork() == 0:\\n    os.setsid()\\n    time.sleep(1000)"
    with Jail({str(tmp_path)!r}, "full") as jail, jail.submission([code(0, source)]):
        print(*descendants(os.getpid()), flush=True)
        time.sleep(1000)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout is not None
        pids = [int(pid) for pid in grader.stdout.readline().split()]
        assert len(pids) >= 4
        os.kill(grader.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(map(runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(runs, pids))
    base = Base()  # a later grader sweeps what is left of the folders
    try:
        assert not list(base.path.parent.glob(f"csnn-jail-{grader.pid}-*"))
    finally:
        base.remove()


def test_a_dead_warm_process_is_replaced_and_a_closed_jail_leaves_nothing(tmp_path: Path):
    with Jail(tmp_path, "full", SMALL) as jail:
        first = jail.process()
        os.kill(first.warm, signal.SIGKILL)  # type: ignore[attr-defined]
        deadline = time.monotonic() + 10
        while first.alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        with jail.submission([code(0, "def f(): return 1")]) as student:
            assert student.call("f").value == 1
        assert jail.starts == 2
        process = jail.process()
        pids = descendants(process.popen.pid)  # type: ignore[attr-defined]
        folder = process.base.path  # type: ignore[attr-defined]
    assert pids
    assert not any(map(runs, pids))
    assert not folder.exists()


def test_without_bubblewrap_the_jail_refuses_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WallsMissing) as refused, Jail(tmp_path, "full") as jail:
        jail.process()
    for word in ("apt install bubblewrap", "csnn doctor", "--isolation none"):
        assert word in str(refused.value)
    assert "bubblewrap does not work here (not found)" in doctor.refusal()


def test_a_bubblewrap_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with tempfile.TemporaryDirectory() as folder:  # where the jail's own user may look
        os.chmod(folder, 0o755)
        broken = Path(folder) / "bwrap"
        broken.write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2; exit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        with pytest.raises(WallsMissing) as refused, Jail(tmp_path, "full") as jail:
            jail.process()
    assert "--isolation none" in str(refused.value)
    assert "setting up uid map: Permission denied" in str(refused.value)
