"""``docs/instructors.md`` is run as it stands, and prints what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.nbgrader_course.classroom import ROOT

PAGE = ROOT / "docs" / "instructors.md"
MARK = "--- ended with"


def commands() -> list[tuple[str, list[str]]]:
    """(command, the lines shown below it) in the order of the page."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def pattern(shown: list[str]) -> str:
    """What the output must match: `…` alone is any lines, in a line any characters."""
    parts = []
    for line in shown:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            words = [r"\s+".join(map(re.escape, p.split())) for p in line.split("…")]
            parts.append(rf"\s*{'.*'.join(words)}.*\n")
    return "".join(parts)


@pytest.mark.nightly
def test_the_page_runs_as_written(tmp_path):
    from autograder.sandbox.doctor import refusal

    programs = tmp_path / "bin"
    programs.mkdir()
    python = shlex.quote(sys.executable)
    none = "--isolation none" if refusal() else ""
    for name, code in {
        "csnn": f"""case $1 in grade) set -- "$@" {none};; esac
exec {python} -c 'from autograder.cli import main; main()' "$@" """,
        "nbgrader": f"""[ -z "{none}" ] || export JUPYTER_CONFIG_DIR={tmp_path}/jupyter
exec {python} -m nbgrader "$@" """,
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{code}\n")
        (programs / name).chmod(0o755)
    (tmp_path / "jupyter").mkdir()
    (tmp_path / "jupyter" / "nbgrader_config.py").write_text(
        'c = get_config()\nc.GradeInJail.isolation = "none"\n'
    )
    script = "\n".join(f"{command} 2>&1\necho '{MARK}' $?" for command, _ in commands())
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=dict(os.environ)
        | {
            "PATH": os.pathsep.join(
                [str(programs), os.path.dirname(sys.executable), os.environ["PATH"]]
            ),
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path),
            "COLUMNS": "140",
            "NO_COLOR": "1",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    outputs = re.split(rf"^{MARK} (\d+)\n", done.stdout, flags=re.M)
    printed, codes = outputs[:-1:2], outputs[1::2]
    for (command, shown), output, code in zip(commands(), printed, codes, strict=True):
        assert code == "0", f"{command}\n{output[-3000:]}"
        assert re.fullmatch(pattern(shown), output), f"{command}\n{output[-3000:]}\nnot as shown"
