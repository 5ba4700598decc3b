"""The inner wall: what the forked child does to itself before any student code runs.

Only system calls through ctypes: the child has no package for this, and none is needed. On
systems without these calls (macOS) the functions do nothing; `csnn doctor` says so.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from collections.abc import Mapping
from typing import Any

LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP = 1, 4, 22
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
FILTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "filter.bpf")

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
ALL_RIGHTS = (1 << 16) - 1
BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
DEVICE_FOLDERS = ("/dev/pts",)


class WallError(Exception):
    """A wall could not be built; the student's code must not run."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, *args: int) -> None:
    """Raises `WallError` when the kernel refuses."""
    values = [ctypes.c_ulong(arg) for arg in (*args, 0, 0, 0, 0)[:4]]
    if _libc().prctl(option, *values) != 0:
        raise WallError(f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def become_warm_parent() -> None:
    """Unreadable to its children, heir of their orphans, and dead with the grader."""
    if LINUX:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        prctl(PR_SET_DUMPABLE, 0)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def children(pid: int | None = None) -> list[int]:
    """The direct children of a process (of this one by default), whichever thread made them."""
    pid = pid or os.getpid()
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{thread}/children") as listed:
                    found += map(int, listed.read().split())
            except OSError:
                if os.path.exists(f"/proc/{pid}/task/{thread}"):
                    raise  # not a thread that has just ended
        return found
    except OSError:  # no such process, or a system without this file
        return [] if LINUX and not os.path.exists(f"/proc/{pid}") else _children_by_psutil(pid)


def _children_by_psutil(pid: int) -> list[int]:
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def close_doors(order: Mapping[str, Any]) -> None:
    """All of the inner wall that ``order`` asks for; raises `WallError` rather than leave a gap."""
    set_limits(order["rlimits"])
    if not LINUX:
        return
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # when memory is short it is this process that goes
    if order["walls"]:
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        restrict_files([order["scratch"], "/dev/shm"])
        with open(FILTER, "rb") as program:
            filter_calls(program.read())
    prctl(PR_SET_DUMPABLE, 1)


def set_limits(wanted: Mapping[str, int]) -> None:
    """Resource limits by name (``"AS"``); what the process has already taken counts as free."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, value in wanted.items():
        limit = getattr(resource, f"RLIMIT_{name}", None)
        if limit is None:
            continue
        if name == "AS":
            value += _address_space()
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(limit, (value, value))


def _address_space() -> int:
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 2**40  # unknown: no limit worth the name rather than one that is wrong


# ------------------------------------------------------------------------------- Landlock


def landlock_version() -> int:
    """The kernel's Landlock ABI; 0 without Landlock."""
    if not LINUX:
        return 0
    return max(0, _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def restrict_files(writable: list[str]) -> int:
    """Reading everywhere, writing only beneath ``writable``; no TCP, no signals to outside.

    What the kernel's Landlock does not know is left to the other walls. Returns its version.
    """
    version = landlock_version()
    if version == 0:
        return 0
    handled = RIGHTS_BY_ABI.get(version, ALL_RIGHTS)
    network = BIND_TCP | CONNECT_TCP if version >= 4 else 0
    scoped = ABSTRACT_SOCKETS | SIGNALS if version >= 6 else 0
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = struct.pack("=QQQ", handled, network, scoped)[:size]
    ruleset = _syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        _allow(ruleset, "/", EXECUTE | READ_FILE | READ_DIR)
        for folder in writable:
            _allow(ruleset, folder, handled & ~(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV))
        device = (READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV) & handled
        for path in (*DEVICES, *DEVICE_FOLDERS):
            _allow(ruleset, path, device)
        _syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rule = struct.pack("=Qi", rights, parent)
        _syscall(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0))
    finally:
        os.close(parent)


def _syscall(number: int, *args: Any) -> int:
    result = _libc().syscall(ctypes.c_long(number), *args)
    if result < 0:
        raise WallError(f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return result


# -------------------------------------------------------------------------------- seccomp


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def filter_calls(program: bytes) -> None:
    """Installs a seccomp program that the grader's side has compiled."""
    instructions = ctypes.create_string_buffer(program, len(program))
    whole = _Program(len(program) // 8, ctypes.addressof(instructions))
    if _libc().prctl(PR_SET_SECCOMP, 2, ctypes.byref(whole), 0, 0) != 0:
        raise WallError(f"seccomp: {os.strerror(ctypes.get_errno())}")
