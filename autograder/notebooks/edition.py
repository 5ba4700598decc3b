"""The student edition: ``cs_nn`` less what is graded now or later, and half of ``autograder``."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from autograder.course.curriculum import ASSIGNMENTS, graded_from, planned
from autograder.notebooks.cutting import Cut, cut_package
from autograder.notebooks.manifest import ROOT, Manifest, read_manifest
from autograder.notebooks.package_tree import EditionError

__all__ = ["EditionError", "build_edition", "cached_edition", "cut_for", "public_files"]

PACKAGES = Path(__file__).resolve().parents[2]
"""Where ``cs_nn`` and ``autograder`` lie, in a checkout or installed."""

PUBLIC = (
    *("__init__.py", "__main__.py", "values.py", "student.py", "exercise.py", "grading.py"),
    *("check.py", "precheck.py", "reuse.py", "examples.py", "report.py", "progress.py"),
    "bounds.py",
    *("battery", "diagnosis"),
    *(f"notebooks/{name}.py" for name in ("__init__", "cells", "intake", "collect", "submission")),
)
"""The half of ``autograder`` that ships to students; all else is secret."""


def build_edition(assignment: str, to: Path, root: Path = ROOT) -> Cut:
    """Write the student edition of ``cs_nn`` and the public half of ``autograder`` into ``to``.

    Returns:
        What was cut, dropped and kept.

    Raises:
        ManifestError, EditionError: with the culprit and the remedy.
    """
    manifest = read_manifest(assignment, root)
    cut = cut_for(manifest)
    for path, text in cut.files.items():
        _write(to / "cs_nn" / path, text.encode())
    for path in _data_files(PACKAGES / "cs_nn"):
        _write(to / "cs_nn" / path, (PACKAGES / "cs_nn" / path).read_bytes())
    for path in public_files():
        _write(to / "autograder" / path, (PACKAGES / "autograder" / path).read_bytes())
    return cut


def cut_for(manifest: Manifest, package: Path = PACKAGES / "cs_nn") -> Cut:
    """``cs_nn`` as this assignment's students get it."""
    order = list(ASSIGNMENTS)
    earlier = order[: order.index(manifest.assignment)]
    revealed = {entry.name for name in earlier for entry in planned(name)}
    unknown = set(manifest.provides) - set(graded_from(manifest.assignment))
    if unknown:
        raise EditionError(
            f"the manifest of {manifest.assignment} provides {', '.join(sorted(unknown))}, which "
            "is not graded in it or later; remove that line"
        )
    graded = set(graded_from(manifest.assignment)) - set(manifest.provides)
    return cut_package(package, graded, revealed | set(manifest.provides), manifest.needs)


def public_files() -> list[Path]:
    """The files of ``autograder`` that ship, relative to it.

    Raises:
        EditionError: when one of them imports, at top level, a module that does not.
    """
    base = PACKAGES / "autograder"
    found = []
    for entry in PUBLIC:
        path = base / entry
        if path.is_dir():
            found += [p for p in sorted(path.rglob("*")) if p.is_file()]
        elif path.is_file():
            found.append(path)
    files = [p.relative_to(base) for p in found if "__pycache__" not in p.parts]
    for path in files:
        for module in _imported(base, path):
            if not {Path(f"{module}.py"), Path(module) / "__init__.py"} & set(files):
                dotted = module.replace("/", ".")
                raise EditionError(
                    f"autograder/{path} ships to students but imports autograder.{dotted}, which "
                    "does not; import it inside the function that needs it"
                )
    return files


def _imported(base: Path, path: Path) -> Iterator[str]:
    """Modules of ``autograder`` that a file imports when it is itself imported."""
    if path.suffix != ".py":
        return
    for node in ast.parse((base / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autograder"):
            inner = (node.module or "").split(".")[1:]
            for alias in node.names:
                deeper = [*inner, alias.name]
                is_module = (base.joinpath(*deeper)).is_dir() or base.joinpath(
                    *deeper[:-1], f"{deeper[-1]}.py"
                ).is_file()
                yield "/".join(deeper if is_module else inner) or "__init__"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("autograder."):
                    yield alias.name.removeprefix("autograder.").replace(".", "/")


def _data_files(package: Path) -> Iterator[Path]:
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix not in {".py", ".pyc", ".pyi"}:
            yield path.relative_to(package)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# --- the cache -------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def cached_edition(assignment: str) -> Path:
    """A folder with the edition, made once for this state of the sources and kept on disk.

    It lies in the system's temporary folder, readable for everyone (the jail runs as someone
    else) and writable for its owner only; what is there is compared with its list before use.
    """
    home = Path(tempfile.gettempdir()) / f"cs-nn-editions-{_user()}"
    home.mkdir(mode=0o755, exist_ok=True)
    if not _is_ours(home):
        home = Path(tempfile.mkdtemp(prefix="cs-nn-editions-"))
        home.chmod(0o755)
    place = home / f"{assignment}-{_sources_digest(assignment)[:20]}"
    if _is_whole(place):
        return place
    fresh = Path(tempfile.mkdtemp(prefix=f"{assignment}-", dir=home))
    build_edition(assignment, fresh)
    (fresh / "files.json").write_text(json.dumps(_listing(fresh)), encoding="utf-8")
    for folder, _, names in os.walk(fresh):
        os.chmod(folder, 0o755)
        for name in names:
            os.chmod(os.path.join(folder, name), 0o644)
    try:
        fresh.rename(place)
    except OSError:  # another process was faster, or what lies there is damaged
        if _is_whole(place):
            shutil.rmtree(fresh)
            return place
        place.rename(f"{fresh}-damaged")
        fresh.rename(place)
        shutil.rmtree(f"{fresh}-damaged")
    return place


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "me")


def _is_ours(folder: Path) -> bool:
    info = folder.lstat()
    mine = not hasattr(os, "getuid") or info.st_uid == os.getuid()
    return mine and stat.S_ISDIR(info.st_mode) and not info.st_mode & 0o022


def _listing(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "files.json" and "__pycache__" not in path.parts
    }


def _is_whole(place: Path) -> bool:
    try:
        return json.loads((place / "files.json").read_text("utf-8")) == _listing(place)
    except (OSError, ValueError):
        return False


def _sources_digest(assignment: str) -> str:
    files = [p for p in sorted((PACKAGES / "cs_nn").rglob("*")) if p.is_file()]
    files += [PACKAGES / "autograder" / path for path in public_files()]
    files += [ROOT / "solutions" / assignment / "manifest.toml"]
    files += [Path(__file__).with_name(n) for n in ("edition.py", "cutting.py", "package_tree.py")]
    files += [PACKAGES / "autograder" / "course" / "curriculum.py"]
    digest = hashlib.sha256()
    for path in files:
        if path.suffix != ".pyc":
            digest.update(str(path.relative_to(PACKAGES)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
