"""From the bytes of a notebook, however damaged, to its cells. Ships to students: stdlib only."""

from __future__ import annotations

import ast
import codecs
import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

LARGEST_PARSED = 500_000
"""Characters that are parsed for names, all cells of a student together: no one typed more, and
the class waits. What comes after is searched by pattern."""

MOST_CELLS = 5000
LARGEST_TREE = 2**30
"""Bytes that a notebook's JSON may take in memory once it is read."""

ASSIGNED = re.compile(r"[\w, ]+")
"""What stands before ``=`` in ``files = !ls`` and ``a, b = %magic``."""

CELL_MAGICS_OF_PYTHON = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})


class Unreadable(Exception):
    """A file is no notebook; the message is a sentence for a teacher."""


@dataclass(frozen=True)
class Cell:
    """One cell of a submission.

    index:    its place in the submission, counted from 0 over all its notebooks.
    kind:     "code" or "markdown" (raw cells count as markdown: nothing runs them).
    cell_id:  the notebook's own id of the cell, "" if it has none.
    deferred: not run unless a call needs a name that it ``defines``.
    defines:  the names that it binds at top level.
    """

    index: int
    source: str
    kind: str
    cell_id: str = ""
    deferred: bool = False
    defines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notebook:
    """What a notebook file holds that matters for grading."""

    cells: tuple[Cell, ...]
    metadata: Mapping[str, Any]
    cell_metadata: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()


def decode(content: bytes) -> tuple[str, str]:
    """The text of a file and its encoding, by byte-order mark, then by what fits."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, "replace"), encoding
    # A notebook begins with "{" and a line end or a quote: a NUL beside it betrays UTF-16.
    if content[1:2] == b"\0":
        return content.decode("utf-16-le", "replace"), "utf-16"
    if content[:1] == b"\0":
        return content.decode("utf-16-be", "replace"), "utf-16"
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def parse_notebook(content: bytes, parsed: int = LARGEST_PARSED) -> Notebook:
    """The cells of a notebook of format 2 to 4, tolerantly.

    Args:
        parsed: how many characters of its source may be parsed for names.

    Raises:
        Unreadable: when there is no list of cells to be found.
    """
    if not content.strip(b" \t\r\n\0"):
        raise Unreadable("the file is empty; ask for it again")
    text, encoding = decode(content)
    if _size_in_memory(text) > LARGEST_TREE:
        raise Unreadable("its JSON is nested or sized beyond all reason")
    data = _load(text)
    notes = [f"the file is written in {encoding}"] if not encoding.startswith("utf-8") else []
    cells, metadata = [], []
    for raw in _raw_cells(data):
        if len(cells) >= MOST_CELLS:
            notes.append(f"only the first {MOST_CELLS} cells were looked at")
            break
        cell = _cell(raw, len(cells), parsed) if isinstance(raw, Mapping) else None
        if cell is None:
            notes.append("something among the cells that is no cell was skipped")
            continue
        cells.append(cell)
        parsed -= len(cell.source)
        found = raw.get("metadata")
        metadata.append(found if isinstance(found, Mapping) else {})
    top = data.get("metadata")
    return Notebook(
        tuple(cells),
        top if isinstance(top, Mapping) else {},
        tuple(metadata),
        tuple(dict.fromkeys(notes)),
    )


def _size_in_memory(text: str) -> int:
    """About how many bytes the objects take that JSON describes, beside its text."""
    containers, others = text.count("[") + text.count("{"), text.count('"') + text.count(",")
    return 64 * containers + 32 * others


def _load(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        at_end = "Unterminated" in error.msg or error.pos >= len(text.rstrip()) - 1
        why = "the file breaks off" if at_end else f"line {error.lineno}: {error.msg}"
        if re.search(r"^(<<<<<<<|>>>>>>>) ", text, re.MULTILINE):
            why = "it holds the marks of an unresolved git merge"
        raise Unreadable(f"it is not valid JSON ({why}); ask for the file again") from None
    except (ValueError, RecursionError, MemoryError):
        raise Unreadable("its JSON is nested or sized beyond all reason") from None
    if not isinstance(data, Mapping):
        raise Unreadable("it is JSON, but not a notebook; ask for the .ipynb file")
    return data


def _raw_cells(data: Mapping[str, Any]) -> list[Any]:
    if isinstance(data.get("cells"), list):
        return data["cells"]
    sheets = data.get("worksheets")
    if isinstance(sheets, list):
        found = [s.get("cells") for s in sheets if isinstance(s, Mapping)]
        return [cell for cells in found if isinstance(cells, list) for cell in cells]
    raise Unreadable("it is JSON, but has no cells; ask for the .ipynb file")


def _cell(raw: Mapping[str, Any], index: int, parsed: int) -> Cell | None:
    source = raw.get("source", raw.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return None
    source = clean_text(source)
    known = raw.get("cell_type")
    is_code = known == "code" or (not isinstance(known, str) and "outputs" in raw)
    cell_id = raw.get("id")
    cell_id = clean_text(cell_id)[:64] if isinstance(cell_id, str) else ""
    if not is_code:
        return Cell(index, source, "markdown", cell_id)
    return Cell(index, source, "code", cell_id, defines=names_defined(source, parsed))


def clean_text(text: str) -> str:
    """``text`` with Unix line ends and without lone surrogates, which no file could hold."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "replace").decode("utf-8")


def cell_hash(source: str) -> str:
    """A hash of a cell that line ends, trailing blanks and empty lines do not change."""
    lines = (line.rstrip() for line in clean_text(source).split("\n"))
    return hashlib.sha256("\n".join(filter(None, lines)).encode()).hexdigest()[:24]


def as_python(source: str) -> str:
    """``source`` with IPython's own lines made harmless, so that Python can parse it.

    A cell whose magic takes something other than Python (``%%bash``, ``%%writefile``) is empty.
    """
    lines = clean_text(source).split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        words = lines[first][2:].split()
        if not words or words[0] not in CELL_MAGICS_OF_PYTHON:
            return ""
        lines[first] = ""
    return "\n".join(map(_plain_line, lines))


def _plain_line(line: str) -> str:
    bare = line.lstrip()
    indent = line[: len(line) - len(bare)]
    if bare[:1] in {"%", "!", "?"} or (re.fullmatch(r"[\w.]+\?{1,2}\s*", bare)):
        return f"{indent}pass"
    names, equals, value = bare.partition("=")
    if equals and value.lstrip()[:1] in {"!", "%"} and ASSIGNED.fullmatch(names.rstrip()):
        return f"{indent}{names.rstrip()} = None"
    return line


def names_defined(source: str, most: int = LARGEST_PARSED) -> tuple[str, ...]:
    """The names that a code cell binds at top level, in order; by pattern where it has errors or
    more than ``most`` characters, and none where it is far too long."""
    if len(source) > most:
        return _names_by_pattern(source) if len(source) < most + 4 * LARGEST_PARSED else ()
    python = as_python(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(python)
        return tuple(dict.fromkeys(_bound(tree.body)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _names_by_pattern(python)


def _names_by_pattern(python: str) -> tuple[str, ...]:
    pattern = r"^(?:(?:async )?def|class)[ \t]+(\w+)|^(\w+)[ \t]*=(?!=)"
    found = re.finditer(pattern, python, re.MULTILINE)
    return tuple(dict.fromkeys(m[1] or m[2] for m in found))


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name != "*":
                    yield alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncWith)):
            yield from _stored(node)
            for part in ("body", "orelse", "finalbody"):
                yield from _bound(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from _bound(handler.body)
        else:
            yield from _stored(node)


def _stored(node: ast.AST) -> Iterator[str]:
    """Names stored to by a statement, but not inside its nested blocks."""
    for part in ("targets", "target", "items", "value", "test"):
        found = getattr(node, part, None)
        for child in found if isinstance(found, list) else [found]:
            if isinstance(child, ast.AST):
                for name in ast.walk(child):
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                        yield name.id


def deferred(cell: Cell) -> Cell:
    """The same cell, not to be run unless a name that it defines is needed."""
    return replace(cell, deferred=True)
