"""What stands around the jail: control groups, the pool, the seccomp program."""

from __future__ import annotations

import os
from pathlib import Path

from autograder.sandbox import pool
from autograder.sandbox.cgroups import Group
from autograder.sandbox.outer import enter_groups, hidden_packages, interpreter
from autograder.sandbox.process import WarmProcess
from tests.autograder.sandbox.cells import code


def a_system(root: Path, mounts: str, cgroups: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mounts").write_text(mounts)
    (root / "proc/self/cgroup").write_text(cgroups)
    return root


def test_a_group_is_made_below_our_own_in_version_1(tmp_path: Path):
    mounts = "cgroup /cg/memory cgroup rw,memory 0 0\ncgroup /cg/pids cgroup rw,pids 0 0\n"
    root = a_system(tmp_path, mounts, "4:memory:/ours\n3:pids:/\n0::/\n")
    (root / "cg/memory/ours").mkdir(parents=True)
    (root / "cg/pids").mkdir()
    dead = root / "cg/memory/ours/csnn-999999999-0"
    dead.mkdir()
    group = Group.make(root)
    assert group is not None
    assert group.version == 1
    assert group.memory.parent == root / "cg/memory/ours"
    assert group.pids is not None
    assert group.pids.parent == root / "cg/pids"
    assert not dead.exists()
    group.limit(1000, 5)
    assert (group.memory / "memory.limit_in_bytes").read_text() == "1000"
    assert (group.pids / "pids.max").read_text() == "5"
    assert len(enter_groups(group).splitlines()) == 2
    (group.memory / "memory.oom_control").write_text("oom_kill_disable 0\noom_kill 3\n")
    assert group.kills() == 3


def test_a_group_is_made_where_version_2_allows_it(tmp_path: Path):
    root = a_system(tmp_path, "cgroup2 /cg cgroup2 rw 0 0\n", "0::/user/app/grader\n")
    (root / "cg/user/app/grader").mkdir(parents=True)
    (root / "cg/user/app/grader/cgroup.subtree_control").write_text("")
    (root / "cg/user/app/cgroup.subtree_control").write_text("cpu memory pids\n")
    group = Group.make(root)
    assert group is not None
    assert group.version == 2
    assert group.memory.parent == root / "cg/user/app"
    group.limit(1000, 5)
    assert (group.memory / "memory.max").read_text() == "1000"
    for name in ("memory.max", "pids.max"):
        (group.memory / name).unlink()
    group.remove()
    assert not group.memory.exists()


def test_without_control_groups_there_is_no_group(tmp_path: Path):
    assert Group.make(a_system(tmp_path, "proc /proc proc rw 0 0\n", "0::/\n")) is None


def test_the_pool_keeps_one_jail_per_edition_and_closes_it(tmp_path: Path):
    jail = pool.jail_here(tmp_path, "none")
    assert pool.jail_here(tmp_path, "none") is jail
    assert pool.jail_here(tmp_path / ".", "none") is jail
    with jail.submission([code(0, "def f(): return 1")]) as student:
        assert student.call("f").value == 1
    process = jail.process()
    assert isinstance(process, WarmProcess)
    pool.close_jails()
    assert not process.alive()
    assert not process.base.path.exists()
    assert pool.jail_here(tmp_path, "none") is not jail
    pool.close_jails()


def test_the_interpreter_is_shown_and_our_own_packages_are_not():
    shown = [target for _, target in interpreter()]
    assert all(os.path.isdir(target) for target in shown)
    assert not any(Path(__file__).is_relative_to(target) for target in shown)
    assert all(path.name in ("autograder", "cs_nn") for path in hidden_packages())
