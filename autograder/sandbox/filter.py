"""The seccomp program: which system calls a notebook has no business with.

Compiled on the grader's side with libseccomp, installed by the child (`inner.filter_calls`). The
calls fail with "not permitted" instead of killing, so that an honest ``import requests`` ends as
the exception its author expects.
"""

from __future__ import annotations

import errno
import os
import tempfile
from functools import cache

NETWORK = "socket connect bind listen accept accept4 sendmmsg recvmmsg"
OTHERS_MEMORY = "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd"
NAMESPACES = "unshare setns mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig"
NAMESPACES += " fsmount fspick mount_setattr"
KERNEL = "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register"
KERNEL += " add_key request_key keyctl init_module finit_module delete_module kexec_load"
KERNEL += " kexec_file_load reboot swapon swapoff acct syslog quotactl lookup_dcookie"
KERNEL += " open_by_handle_at name_to_handle_at fanotify_init iopl ioperm modify_ldt vm86"
KERNEL += " settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname vhangup"
# Shared memory and queues of System V and POSIX outlive a process: the next submission in the
# same jail could read there what this one has left.
PERSISTENT = "shmget shmat shmctl semget semop semctl msgget msgsnd msgrcv msgctl"
PERSISTENT += " mq_open mq_unlink"
UNCOUNTED = "memfd_create memfd_secret inotify_init inotify_init1"
"""Memory that is in no process and in no folder with a size; and watches, of which a user has few:
all jails of a grader that is not root are one user."""

ABSENT = "clone3"
"""Answered with "no such call": the C library falls back to clone, whose flags can be seen."""

OTHERS_LIMITS = "prlimit64 sched_setaffinity sched_setscheduler sched_setparam sched_setattr"
"""Calls whose first argument names a process. The warm process has the same user as its child,
so the kernel lets the one lower the other's limits, which every later submission inherits."""

OTHERS_PRIORITY = {"setpriority": (1, 2), "ioprio_set": (2, 3)}
"""Call → what its first argument must not be: a group of processes, or all of the user's."""

NEW_NAMESPACES = 0x7E020080
"""All CLONE_NEW* flags of clone."""

TIOCSTI, TIOCLINUX = 0x5412, 0x541C
"""Terminal requests that type for the user."""


class FilterMissing(Exception):
    """libseccomp or its Python binding is not there."""


@cache
def program() -> bytes:
    """The filter for this machine.

    Raises:
        FilterMissing: without pyseccomp or libseccomp.
    """
    try:
        import pyseccomp as seccomp
    except Exception as error:  # the binding raises several kinds when the library is absent
        raise FilterMissing(str(error)) from error
    filtered = seccomp.SyscallFilter(seccomp.ALLOW)
    refused = seccomp.ERRNO(errno.EPERM)
    for name in " ".join(
        (NETWORK, OTHERS_MEMORY, NAMESPACES, KERNEL, PERSISTENT, UNCOUNTED)
    ).split():
        _add(filtered, refused, name)
    _add(filtered, seccomp.ERRNO(errno.ENOSYS), ABSENT)
    not_itself = [seccomp.Arg(place, seccomp.NE, 0) for place in (0, 1)]
    for name in OTHERS_LIMITS.split():
        _add(filtered, refused, name, not_itself[0])
    for name, groups in OTHERS_PRIORITY.items():
        _add(filtered, refused, name, not_itself[1])
        for group in groups:
            _add(filtered, refused, name, seccomp.Arg(0, seccomp.MASKED_EQ, 0xFFFFFFFF, group))
    for bit in range(32):
        if NEW_NAMESPACES >> bit & 1:
            flag = seccomp.Arg(0, seccomp.MASKED_EQ, 1 << bit, 1 << bit)
            filtered.add_rule(refused, "clone", flag)
    for request in (TIOCSTI, TIOCLINUX):
        filtered.add_rule(refused, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
    with tempfile.TemporaryFile() as out:
        filtered.export_bpf(out)
        out.seek(0, os.SEEK_SET)
        return out.read()


def _add(filtered: object, action: object, name: str, *arguments: object) -> None:
    try:
        filtered.add_rule(action, name, *arguments)  # type: ignore[attr-defined]
    except OSError as error:
        if error.errno not in (errno.EDOM, errno.EINVAL, errno.EFAULT, errno.ENOENT):
            raise  # those four: this architecture or library does not know the call
