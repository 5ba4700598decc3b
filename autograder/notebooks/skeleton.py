"""The released notebook rebuilt around what a student wrote, for nbgrader and human graders.

nbgrader trusts the metadata of cells; students copy, delete, split and strip them. So the released
cells come back in their order with their metadata, each with the student's text where there is
one, and what the student added stands where it stood. Scores do not depend on any of this: they
come from functions found by name.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.notebooks.cells import Cell, Notebook, cell_hash


@dataclass
class _Slot:
    """A released cell, what the student made of it, and what the student put after it."""

    cell: NotebookNode
    grade_id: str
    defines: tuple[str, ...]
    filled: Cell | None = None
    extras: list[Cell] = field(default_factory=list)

    @property
    def is_locked(self) -> bool:
        own = self.cell.metadata.get("nbgrader", {})
        return bool(own.get("locked") or (own.get("grade") and not own.get("solution")))

    @property
    def is_exercise(self) -> bool:
        return bool(self.cell.metadata.get("nbgrader", {}).get("solution"))


def rebuild(
    released: NotebookNode, parsed: Notebook, written: Sequence[Notebook], why_none: str = ""
) -> NotebookNode:
    """``released`` with the cells of ``written``, the student's notebooks in order.

    Args:
        released: the notebook as students got it; it is not changed.
        parsed: the same, as `parse_notebook` reads it.
        why_none: said in a cell at the top where there is nothing to put in.
    """
    notebook = copy.deepcopy(released)
    slots = _slots(notebook, parsed)
    top: list[Cell] = []
    for student in written:
        _fill(slots, top, student)
    cells = [_extra(cell, i) for i, cell in enumerate(top)]
    if why_none:
        words = f"**This submission could not be read:** {why_none}"
        cells.insert(0, nbformat.v4.new_markdown_cell(words, id="could-not-be-read"))
    count = len(top)
    for slot in slots:
        if slot.filled is not None and not slot.is_locked:
            slot.cell.source = slot.filled.source
        cells.append(slot.cell)
        for cell in slot.extras:
            cells.append(_extra(cell, count))
            count += 1
    notebook.cells = cells
    return notebook


def belongs_to(name: str, notebook: Notebook, released: Mapping[str, Notebook]) -> str:
    """Which released notebook a student's is a version of: by name, its own word, its contents."""
    stem = name.rpartition("/")[2].removesuffix(".ipynb")
    if stem in released:
        return stem
    own = notebook.metadata.get("cs_nn")
    told = own.get("notebook") if isinstance(own, Mapping) else None
    if isinstance(told, str) and told in released:
        return told
    defined = {n for cell in notebook.cells for n in cell.defines}
    shared = {
        key: len(defined & {n for cell in other.cells for n in cell.defines})
        for key, other in released.items()
    }
    return max(shared, key=lambda key: shared[key])


def _slots(notebook: NotebookNode, parsed: Notebook) -> list[_Slot]:
    return [
        _Slot(cell, str(cell.metadata.get("nbgrader", {}).get("grade_id", "")), read.defines)
        for cell, read in zip(notebook.cells, parsed.cells, strict=True)
    ]


def _fill(slots: list[_Slot], top: list[Cell], student: Notebook) -> None:
    """Put each cell of one notebook into its slot, or after the slot that came before it."""
    here = -1
    for cell, metadata in zip(student.cells, student.cell_metadata, strict=True):
        found = _slot_of(slots, cell, metadata)
        if found is not None:
            here = max(here, found)
            slot = slots[found]
            if _says_nothing_new(slot, cell):
                continue
            if slot.filled is not None:
                slot.extras.append(slot.filled)  # an earlier version stays visible
            slot.filled = cell
        elif cell.source.strip():
            (slots[here].extras if here >= 0 else top).append(cell)


def _says_nothing_new(slot: _Slot, cell: Cell) -> bool:
    return slot.is_locked or cell_hash(cell.source) == cell_hash(slot.cell.source)


def _slot_of(slots: list[_Slot], cell: Cell, metadata: Mapping[str, Any]) -> int | None:
    """The released cell that a student's cell is a version of, or None for a cell of their own."""
    for i, slot in enumerate(slots):
        if slot.is_exercise and slot.defines and set(slot.defines) & set(cell.defines):
            return i
    own = metadata.get("nbgrader")
    grade_id = own.get("grade_id") if isinstance(own, Mapping) else None
    tests = (
        lambda slot: bool(grade_id) and slot.grade_id == grade_id,
        lambda slot: cell_hash(slot.cell.source) == cell_hash(cell.source),
        lambda slot: bool(cell.cell_id) and slot.cell.id == cell.cell_id,
        lambda slot: slot.is_exercise and not slot.defines and _same_beginning(slot, cell),
    )
    for test in tests:
        for i, slot in enumerate(slots):
            if test(slot) and (cell.kind == slot.cell.cell_type or slot.is_exercise):
                return i
    return None


def _same_beginning(slot: _Slot, cell: Cell) -> bool:
    """Whether an answer in words begins with its question, whose metadata got lost."""
    first = slot.cell.source.strip().partition("\n")[0].strip()
    return len(first) > 20 and cell.source.strip().startswith(first)


def _extra(cell: Cell, number: int) -> NotebookNode:
    """A cell of the student's own; its metadata stays behind, whatever it pretended to be."""
    kind = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
    return kind(cell.source, id=f"own-{number + 1}")
