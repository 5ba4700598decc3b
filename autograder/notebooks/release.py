"""What students get: notebooks, public examples, data, the student edition, a read-me."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from autograder.course.curriculum import ASSIGNMENTS, by_name, planned
from autograder.notebooks.edition import EditionError, build_edition
from autograder.notebooks.leaks import prove_no_leak
from autograder.notebooks.manifest import ROOT, Manifest, read_manifest
from autograder.notebooks.submission import Release
from autograder.notebooks.text import Built, build_notebooks

Examples = Callable[[str, str], Mapping[str, bytes]]
"""(assignment, hints) → file name → content."""


class ReleaseError(ValueError):
    """A release that would be wrong to write; one sentence with the remedy."""


def release(
    assignment: str,
    to: str | Path,
    *,
    hints: str = "full",
    examples: Examples | None = None,
    root: Path = ROOT,
) -> list[Path]:
    """Write the folder that students download.

    It is made beside ``to`` first, proven free of solutions, and only then put in place; an
    earlier release of the same assignment is replaced, anything else is not touched.

    Args:
        hints: "full", "aspect" or "none", how much the notebook's own check says.
        examples: makes the public examples; those of `autograder.examples` by default.

    Returns:
        The files, relative to ``to``.

    Raises:
        ManifestError, TextError, EditionError, ReleaseError: one sentence with the remedy.
    """
    to = Path(to)
    _refuse_to_overwrite(assignment, to)
    manifest = read_manifest(assignment, root)
    built = build_notebooks(assignment, root)
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as scratch:
        fresh = Path(scratch) / "release"
        fresh.mkdir()
        build_edition(assignment, fresh, root)
        for path, content in _files(manifest, built, hints, examples, root).items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_bytes(content)
        problems = prove_no_leak(fresh, assignment, root)
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise EditionError(f"{assignment} is not released: {problems[0]}{more}")
        if to.exists():
            shutil.rmtree(to)
        fresh.rename(to)
    return sorted(path.relative_to(to) for path in to.rglob("*") if path.is_file())


def released(assignment: str, root: Path = ROOT) -> Release:
    """What students were given, to compare their work with."""
    files = sorted((root / "assignments" / assignment).glob("*.ipynb"))
    others = {name: tuple(entry.name for entry in planned(name)) for name in ASSIGNMENTS}
    return Release.of(assignment, {file.name: file.read_bytes() for file in files}, others)


def _refuse_to_overwrite(assignment: str, to: Path) -> None:
    if not to.exists() or (to.is_dir() and not any(to.iterdir())):
        return
    try:
        old = json.loads((to / "release.json").read_text(encoding="utf-8"))["assignment"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ReleaseError(
            f"{to} is not empty and holds no earlier release; name a new folder"
        ) from None
    if old != assignment:
        raise ReleaseError(f"{to} holds the release of {old}; name another folder")


def _files(
    manifest: Manifest, built: list[Built], hints: str, examples: Examples | None, root: Path
) -> dict[str, bytes]:
    if examples is None:
        from autograder.examples import public_examples

        examples = public_examples
    notebooks = {f"{notebook.name}.ipynb": notebook.student for notebook in built}
    files = dict(notebooks)
    files |= examples(manifest.assignment, hints)
    data = root / "solutions" / manifest.assignment / "data"
    for path in sorted(data.rglob("*")) if data.is_dir() else ():
        if path.is_file():
            files[f"data/{path.relative_to(data).as_posix()}"] = path.read_bytes()
    record = Release.of(manifest.assignment, notebooks).to_data()
    files["release.json"] = _json(record)
    files["requirements.txt"] = ("\n".join(manifest.requirements) + "\n").encode()
    files["README.md"] = readme(manifest).encode()
    return files


def _json(data: object) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def readme(manifest: Manifest) -> str:
    """The page that a student reads first."""
    rows = []
    for notebook in manifest.notebooks:
        for name in notebook.exercises:
            entry = by_name()[name]
            worth = f"{entry.points:g}" if entry.core else f"★ {entry.points:g}"
            rows.append(f"| `{name}` | {notebook.name}.ipynb | {worth} |")
    first = f"{manifest.notebooks[0].name}.ipynb" if manifest.notebooks else ""
    listed = "\n".join(f"- `{n.name}.ipynb`: {n.title}" for n in manifest.notebooks)
    starred = any("★" in row for row in rows)
    plural = "s" if len(manifest.notebooks) > 1 else ""
    return f"""# {manifest.title}

{listed}

## Begin

In this folder, with Python 3.11 or newer:

    python -m venv .venv
    .venv/bin/pip install -r requirements.txt       (Windows: .venv\\Scripts\\pip)
    .venv/bin/jupyter lab {first}

Where a cell says `YOUR CODE HERE`, replace that line and the `raise` below it. Run the `check(...)`
cell after it: it tries your function on small inputs and says what is wrong and where. The names
of the functions matter, their place does not; add cells as you like.

## Before you hand in

    .venv/bin/python -m autograder check {first}

says what will be graded and what is missing. Hand in the notebook{plural}, and nothing
else unless you import a file of your own. Your functions are then run on other numbers.

## What counts

| exercise | notebook | points |
|---|---|---|
{chr(10).join(rows)}
{"★ optional, for a bonus where the course gives one." if starred else ""}
`cs_nn` holds what the notebooks build on, `autograder` the checks.
"""
