"""Which walls this machine gives, each tried just now by a notebook that runs against it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from autograder.sandbox import inner
from autograder.sandbox.filter import FilterMissing, program
from autograder.sandbox.jail import Jail
from autograder.sandbox.limits import Limits
from autograder.sandbox.outer import Walled, WallsMissing

OLDEST_BUBBLEWRAP = (0, 8)
USERNS_REMEDY = (
    "allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1; on Ubuntu "
    "sysctl kernel.apparmor_restrict_unprivileged_userns=0; in a container ask for a seccomp "
    "profile that permits them"
)


@dataclass(frozen=True)
class Wall:
    """One line of the table. ``working`` was tested just now; ``remedy`` is "" where it does."""

    name: str
    present: bool
    working: bool
    detail: str = ""
    remedy: str = ""


class Probe(NamedTuple):
    """An attempt that must fail inside: the name of a function in `PROBES`."""

    wall: str
    function: str
    remedy: str


PROBES = (
    Probe("network is closed", "network", "see bubblewrap"),
    Probe("host files are out of sight", "host_files", "see bubblewrap"),
    Probe("nothing is written outside the scratch folder", "writing", "a kernel with Landlock"),
    Probe("the warm process cannot be read or killed", "warm_process", "a kernel with Landlock"),
    Probe("dangerous system calls are refused", "system_calls", "apt install libseccomp2"),
    Probe("no capabilities, no new privileges", "privileges", "see bubblewrap"),
    Probe("nothing of the grader's environment", "environment", "see bubblewrap"),
)

ATTEMPTS = """
import ctypes, os, socket

def refused(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False

def network():
    kinds = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
    return all(refused(lambda k=k: socket.socket(k).bind(("", 0))) for k in kinds)

def host_files():
    return all(refused(lambda p=p: os.stat(p)) for p in LANDMARKS)

def writing():
    places = ("/", "/usr", "/edition", "/runtime", "/dev", "/proc/sys/kernel", "/tmp/elsewhere")
    return all(refused(lambda p=p: open(p + "/csnn-probe", "w")) for p in places)

def warm_process():
    warm = os.getppid()
    return refused(lambda: os.kill(warm, 9)) and refused(lambda: open(f"/proc/{warm}/mem", "rb"))

def system_calls():
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.unshare(0x10000000) != 0 and libc.ptrace(0, 0, 0, 0) != 0

def privileges():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(status["CapEff"], 16) == 0 and status["NoNewPrivs"].strip() == "1"

def environment():
    return not set(os.environ) & set(FOREIGN)
"""


class _Cell(NamedTuple):
    index: int
    source: str
    deferred: bool = False
    defines: tuple[str, ...] = ()


def walls() -> list[Wall]:
    """The table, the tools first, then what a notebook found when it tried."""
    tools = _tools()
    if not all(wall.working for wall in tools if wall.name != "Landlock"):
        return tools + [Wall(p.wall, False, False, "not tried", "see above") for p in PROBES]
    return tools + _tried()


def refusal() -> str:
    """Why submissions cannot be walled in here, in a sentence with the remedy; "" if they can.

    Looks at the tools only, which is quick; a jail that then does not start says so itself.
    """
    for wall in _tools():
        if not wall.working and wall.name != "Landlock":
            return (
                f"{wall.name} does not work here ({wall.detail}); remedy: {wall.remedy}; look at: "
                "csnn doctor; or grade without walls, if you trust every submission: "
                "--isolation none"
            )
    return ""


def _tools() -> list[Wall]:
    tools = [_bubblewrap(), _libseccomp(), _landlock()]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        tools.append(_util_linux())
    return tools


def _bubblewrap() -> Wall:
    path = shutil.which("bwrap")
    if not path:
        remedy = "apt install bubblewrap" if sys.platform == "linux" else "walls need Linux"
        return Wall("bubblewrap", False, False, "not found", remedy)
    told = _run([path, "--version"])
    numbers = tuple(int(part) for part in re.findall(r"\d+", told.stdout)[:2])
    if numbers < OLDEST_BUBBLEWRAP:
        return Wall("bubblewrap", True, False, told.stdout.strip(), "bubblewrap 0.8 or later")
    command = [path, "--unshare-all", "--unshare-user", "--disable-userns"]
    tried = _run([*command, "--ro-bind", "/", "/", "true"])
    if tried.returncode:
        return Wall("bubblewrap", True, False, tried.stderr.strip()[:200], USERNS_REMEDY)
    return Wall("bubblewrap", True, True, told.stdout.strip())


def _libseccomp() -> Wall:
    try:
        size = len(program())
    except FilterMissing as error:
        remedy = "apt install libseccomp2 and pip install pyseccomp"
        return Wall("libseccomp", False, False, str(error)[:200], remedy)
    return Wall("libseccomp", True, True, f"a filter of {size // 8} instructions")


def _landlock() -> Wall:
    version = inner.landlock_version()
    if not version:
        remedy = "a kernel from 5.13 on with Landlock enabled; the other walls hold without it"
        return Wall("Landlock", False, False, "not in this kernel", remedy)
    missing = "" if version >= 6 else "; TCP from version 4, signals from version 6 on"
    return Wall("Landlock", True, True, f"version {version}{missing}")


def _util_linux() -> Wall:
    absent = [tool for tool in ("setpriv", "unshare", "mount") if not shutil.which(tool)]
    if absent:
        remedy = "apt install util-linux mount"
        return Wall("a user of its own", False, False, f"no {', '.join(absent)}", remedy)
    return Wall("a user of its own", True, True, "by setpriv, since the grader is root")


def _tried() -> list[Wall]:
    landmarks = [str(Path.home() / entry) for entry in _entries(Path.home())]
    landmarks += ["/etc/passwd", "/etc/shadow", "/var", str(Path(__file__).parents[1])]
    foreign = sorted(set(os.environ) - {"PATH", "HOME", "LANG", "PWD", "USER", "TMPDIR", "SHLVL"})
    foreign = [name for name in foreign if not name.endswith("_NUM_THREADS")]
    names = f"LANDMARKS = {landmarks!r}\nFOREIGN = {foreign!r}\n"
    with tempfile.TemporaryDirectory(prefix="csnn-doctor-") as edition:
        try:
            with Jail(edition, "full", Limits()) as jail:
                with jail.submission([_Cell(0, names + ATTEMPTS)]) as student:
                    rows = [_row(probe, student.call(probe.function).value) for probe in PROBES]
                return [*rows, _memory(jail)]
        except WallsMissing as error:
            return [Wall("the jail as a whole", True, False, str(error), "see above")]


def _row(probe: Probe, answer: object) -> Wall:
    held = answer is True
    detail = "tried, and refused" if held else f"tried, and it went through: {answer!r}"[:200]
    return Wall(probe.wall, True, held, detail, "" if held else probe.remedy)


def _memory(jail: Jail) -> Wall:
    process = jail.process()
    group = process.group if isinstance(process, Walled) else None
    how = f"control group, version {group.version}" if group else "sampled"
    return Wall("memory of a whole submission is limited", True, True, how)


def _entries(folder: Path) -> list[str]:
    """What stands in a folder, without the path to our own interpreter."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    ours = (sys.base_prefix, sys.prefix)
    return [n for n in names if not any(o.startswith(f"{folder}/{n}") for o in ours)]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
