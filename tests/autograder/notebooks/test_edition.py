"""The student edition: nothing that is graded is in it, and what is in it works."""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course.curriculum import ASSIGNMENTS, graded_from, planned
from autograder.notebooks import edition as edition_module
from autograder.notebooks.cutting import cut_package
from autograder.notebooks.edition import (
    PACKAGES,
    build_edition,
    cached_edition,
    cut_for,
    public_files,
)
from autograder.notebooks.leaks import prove_no_leak
from autograder.notebooks.manifest import Manifest, written_assignments
from autograder.notebooks.package_tree import EditionError

PACKAGE = {
    "__init__.py": '"""A package."""\n',
    "base.py": '''"""Shared.

The formula is f = a + b.
"""
import math
from typing import Any

LIMIT = 3  # everyone's
TABLE = {"x": 1}
"""What the table is for."""


def keep(x: Any) -> float:
    # why it is so
    return _deep(x) + LIMIT


def _deep(x):
    return x + 1


def _only_for_graded(x):
    return math.sqrt(x)


def graded(x, y):
    """Secret formula."""
    return _only_for_graded(x) + _deep(y)


def graded_fast(x, y):
    return graded(x, y)
''',
    "nets.py": '''"""Networks."""
from __future__ import annotations

import pkg.base as b
from pkg.base import graded, keep


class Net:
    def run(self, x):
        return graded(x, 1)


class Plain:
    def run(self, x):
        return keep(x)


def through_module(x):
    return b.graded(x, x)


def draw(net: Net, graded: int = 0, other: dict[str,
        Net] | None = None) -> str:
    return f"{net}{graded}"


UPDATES = {"g": graded}
''',
    "sub/__init__.py": '''"""Faces."""
from pkg.base import graded, keep
from .inner import Inner

__all__ = ["Inner", "graded", "keep"]
''',
    "sub/inner.py": "from ..base import keep as held\n\n\nclass Inner:\n    x = held(1)\n",
}


def package(tmp_path, **changes):
    root = tmp_path / "pkg"
    for name, text in (PACKAGE | changes).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def write(cut, to):
    for path, text in cut.files.items():
        target = to / "pkg" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def test_the_cut_takes_the_graded_its_helpers_and_what_needs_it(tmp_path):
    cut = cut_package(package(tmp_path), ["graded"], [])
    assert cut.cut == ("graded", "graded_fast")
    assert set(cut.dropped) == {
        *("pkg.base._only_for_graded", "pkg.nets.Net"),
        *("pkg.nets.through_module", "pkg.nets.UPDATES"),
    }
    text = "\n".join(cut.files.values())
    for secret in ("sqrt", "Secret", "a + b", "math"):
        assert secret not in text
    assert "# why it is so" in text
    assert "What the table is for" in text


def test_what_is_left_imports_and_runs(tmp_path):
    write(cut_package(package(tmp_path / "1"), ["graded"], []), tmp_path / "2")
    code = (
        "import pkg.sub as s, pkg.nets as n, pkg.base\n"
        "assert s.__all__ == ['Inner', 'keep'] and s.keep(1) == 5 and s.Inner.x == 5\n"
        "assert n.Plain().run(1) == 5 and n.draw(2, 3) == '23'\n"
        "assert not hasattr(n, 'graded')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "2", check=True)


def test_a_module_that_loses_nothing_stays_as_it_is(tmp_path):
    root = package(tmp_path)
    cut = cut_package(root, [], [])
    assert {str(p): t for p, t in cut.files.items()} == PACKAGE


@pytest.mark.parametrize(
    "line",
    [
        "graded = lambda x, y: x",
        "graded = keep",
        "if True:\n    def graded(x): pass",
        "for graded in (1, 2): print()",
    ],
)
def test_a_graded_function_made_otherwise_is_refused(tmp_path, line):
    root = package(tmp_path, **{"other.py": f"from pkg.base import keep\n\n{line}\n"})
    with pytest.raises(EditionError, match=r"pkg\.other, line 3: graded is graded but made by"):
        cut_package(root, ["graded"], [])


def test_a_star_import_is_refused(tmp_path):
    with pytest.raises(EditionError, match="instead of"):
        cut_package(package(tmp_path, **{"o.py": "from pkg.base import *\n"}), ["graded"], [])


def test_what_must_be_there_cannot_lean_on_what_is_cut(tmp_path):
    with pytest.raises(EditionError, match="Net must be in this edition but needs graded"):
        cut_package(package(tmp_path), ["graded"], ["Net"])
    with pytest.raises(EditionError, match="needs graded"):
        cut_package(package(tmp_path), ["graded"], [], ["pkg.sub.graded"])
    with pytest.raises(EditionError, match="nowhere in the package"):
        cut_package(package(tmp_path), ["graded"], [], ["pkg.base.nothing"])


# --- the real package ------------------------------------------------------------------------


def manifest(assignment, **kwargs):
    return Manifest(assignment, assignment, (), **kwargs)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_edition_can_be_made_and_holds_what_it_builds_on(assignment):
    cut = cut_for(manifest(assignment))
    names = {name.rpartition(".")[2] for name in cut.kept}
    assert not names & set(graded_from(assignment))
    whole = cut_package(PACKAGES / "cs_nn", [], [])
    built = {name.rpartition(".")[2] for name in whole.kept}
    earlier = list(ASSIGNMENTS)[: list(ASSIGNMENTS).index(assignment)]
    before = {e.name for a in earlier for e in planned(a)}
    assert names >= before & built


def test_providing_something_not_graded_is_refused():
    with pytest.raises(EditionError, match="not graded in it or later"):
        cut_for(manifest("a3_initialization", provides={"relu_forward": "why"}))


def test_what_is_provided_is_there():
    cut = cut_for(manifest("a2_backprop", provides={"affine_forward": "for the story"}))
    assert "cs_nn.layers.affine.affine_forward" in cut.kept
    assert "affine_forward" not in cut.cut


IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path[:0] = [sys.argv[1]]
import autograder, cs_nn
for package in (cs_nn, autograder):
    assert package.__file__.startswith(sys.argv[1]), package.__file__
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
secret = [n for n in sys.modules if n.startswith("autograder.course")]
assert not secret, secret
heavy = {"nbformat", "nbgrader", "scipy", "jupytext", "msgpack"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize("assignment", written_assignments())
def test_the_edition_imports_alone_and_leaks_nothing(tmp_path, assignment):
    build_edition(assignment, tmp_path)
    command = [sys.executable, "-I", "-B", "-W", "error", "-c", IMPORT_ALL, str(tmp_path)]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert prove_no_leak(tmp_path, assignment) == []


def test_two_builds_are_the_same(tmp_path):
    for name in ("1", "2"):
        build_edition("a2_backprop", tmp_path / name)
    digests = [
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("1", "2")
    ]
    assert digests[0] == digests[1]


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edition")
    build_edition("a2_backprop", folder)
    return folder


@pytest.fixture
def planted(tmp_path, edition):
    """Puts a text into a copy of the edition and says what is found there."""

    def plant(name, text):
        shutil.copytree(edition, tmp_path, dirs_exist_ok=True)
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
        return [line for line in prove_no_leak(tmp_path, "a2_backprop") if line.startswith(name)]

    return plant


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "    dx = (dout @ w.T).reshape(x.shape)\n"),
        ("cs_nn/extra.py", "def affine_forward(x): pass\n"),
        ("cs_nn/extra.py", "relu_forward = max\n"),
        ("autograder/course/a2.py", "x = 1\n"),
        ("autograder/sandbox/wall.py", "x = 1\n"),
        ("cs_nn/__pycache__/a.pyc", "x"),
        (
            "a2.ipynb",
            '{"cells": [{"cell_type": "code", "source": ["def relu_forward(x):\\n",'
            ' "    return 1"]}]}',
        ),
        ("a.examples.json", '{"code": "dx = (dout @ w.T).reshape(x.shape)"}'),
    ],
)
def test_a_planted_leak_is_found(planted, name, text):
    assert planted(name, text)


def test_a_copy_under_other_names_is_found(planted):
    source = (PACKAGES / "cs_nn" / "layers" / "affine.py").read_text()
    (function,) = [n for n in ast.parse(source).body if getattr(n, "name", "") == "affine_backward"]
    function.name, function.body = "helper", function.body[1:]
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            node.id = f"my_{node.id}"
    assert planted("autograder/check.py", ast.unparse(function))


def test_every_function_of_the_reference_that_is_cut_would_be_noticed(planted):
    source = (PACKAGES / "cs_nn" / "layers" / "losses.py").read_text()
    found = " ".join(planted("cs_nn/layers/losses.py", source))
    for name in ("softmax_loss", "svm_loss", "mse_loss", "smooth_labels", "_log_softmax"):
        assert name in found


def test_a_misconception_would_be_noticed(planted):
    sources = sorted((PACKAGES / "autograder" / "course" / "a2_backprop").glob("affine*.py"))
    found = planted("cs_nn/wrong.py", sources[0].read_text())
    assert any("autograder/course" in line for line in found)


def test_public_files_import_only_what_ships(monkeypatch):
    assert Path("notebooks/submission.py") in public_files()
    assert not [p for p in public_files() if p.parts[0] in ("course", "sandbox", "records")]
    monkeypatch.setattr(edition_module, "PUBLIC", ("grading.py", "values.py"))
    with pytest.raises(EditionError, match="inside the function that needs it"):
        public_files()


def test_the_cache_is_reused_and_mended(tmp_path, monkeypatch):
    monkeypatch.setattr(edition_module.tempfile, "gettempdir", lambda: str(tmp_path))
    cached_edition.cache_clear()
    place = cached_edition("a2_backprop")
    assert place.is_relative_to(tmp_path)
    assert (place.stat().st_mode & 0o777) == 0o755
    file = place / "cs_nn" / "modules.py"
    good = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_text("import os")
    cached_edition.cache_clear()
    assert cached_edition("a2_backprop") == place
    assert hashlib.sha256(file.read_bytes()).hexdigest() == good
    assert len(list(place.parent.iterdir())) == 1
    cached_edition.cache_clear()


def test_a_cache_that_others_may_write_is_not_trusted(tmp_path, monkeypatch):
    monkeypatch.setattr(edition_module.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(edition_module.tempfile, "tempdir", str(tmp_path))
    trap = tmp_path / f"cs-nn-editions-{os.getuid()}"
    trap.mkdir()
    trap.chmod(0o777)
    cached_edition.cache_clear()
    assert not cached_edition("a2_backprop").is_relative_to(trap)
    cached_edition.cache_clear()
