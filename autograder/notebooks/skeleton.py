"""The released notebook rebuilt around what a student wrote, for nbgrader and human graders.

nbgrader trusts the metadata of cells; students copy, delete, split and strip them. So the released
cells come back in their order with their metadata, each with the student's text where there is
one, and what the student added stands where it stood. Scores do not depend on any of this: they
come from functions found by name. Answers in words have no name: where a student broke the cell of
one, what stands in its place is taken for it, and the notebook says so.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.notebooks.cells import Cell, Notebook, cell_hash

_BY_ORDER = (
    "*The cell of this question was lost; the text that stood in its place was taken for the "
    "answer.*"
)


@dataclass
class _Slot:
    """A released cell, what the student made of it, and what the student put after it."""

    cell: NotebookNode
    grade_id: str
    defines: tuple[str, ...]
    filled: Cell | None = None
    extras: list[Cell] = field(default_factory=list)
    earlier: list[Cell] = field(default_factory=list)
    met: bool = False
    by_order: bool = False

    @property
    def is_question(self) -> bool:
        own = self.cell.metadata.get("nbgrader", {})
        return bool(own.get("solution") and own.get("grade"))

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
    _match_by_order(slots, top)
    cells = [_extra(cell, i) for i, cell in enumerate(top)]
    if why_none:
        words = f"**This submission could not be read:** {why_none}"
        cells.insert(0, nbformat.v4.new_markdown_cell(words, id="could-not-be-read"))
    count = len(top)
    for slot in slots:
        if slot.filled is not None and not slot.is_locked:
            slot.cell.source = slot.filled.source
        if slot.by_order:
            slot.cell.metadata["cs_nn"] = NotebookNode(matched="by order")
            cells.append(nbformat.v4.new_markdown_cell(_BY_ORDER, id=f"place-of-{slot.grade_id}"))
        cells.append(slot.cell)
        for cell in slot.extras:
            cells.append(_extra(cell, count))
            count += 1
    notebook.cells = cells
    return notebook


def matched_by_order(notebook: NotebookNode) -> list[str]:
    """What to tell a teacher of the answers that only their place gives a question."""
    return [
        f"the answer to '{cell.metadata.nbgrader.grade_id}' was found by its place alone"
        for cell in notebook.cells
        if cell.metadata.get("cs_nn", {}).get("matched") == "by order"
    ]


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
            slot.met = True
            if _says_nothing_new(slot, cell):
                continue
            if slot.filled is not None:
                slot.extras.append(slot.filled)  # an earlier version stays visible
                slot.earlier.append(slot.filled)
            slot.filled = cell
        elif cell.source.strip():
            (slots[here].extras if here >= 0 else top).append(cell)


def _match_by_order(slots: list[_Slot], top: list[Cell]) -> None:
    """Give questions that no cell claims the student's text between their neighbours' cells.

    Of a question copied over the next one, two versions of one and none of the other, the later
    version goes where it stood.
    """
    previous: _Slot | None = None
    for i, slot in enumerate(slots):
        if slot.is_question and not slot.met:
            if previous is not None and previous.earlier:
                slot.filled, previous.filled = previous.filled, previous.earlier.pop()
                previous.extras.remove(previous.filled)
                previous.by_order = True
            else:
                before = next((j for j in range(i - 1, -1, -1) if slots[j].met), None)
                pool = top if before is None else slots[before].extras
                slot.filled = _taken(pool, _unclaimed_up_to_the_next_met(slots, i))
            slot.by_order = slot.filled is not None
        if slot.is_question:
            previous = slot


def _taken(pool: list[Cell], waiting: int) -> Cell | None:
    """The text in a gap between cells: all of it for one question, one cell for each of several."""
    words = [cell for cell in pool if cell.kind != "code"]
    mine = words if waiting == 1 else words[:1]
    for cell in mine:
        pool.remove(cell)
    text = "\n\n".join(cell.source for cell in mine)
    return replace(mine[0], source=text) if mine else None


def _unclaimed_up_to_the_next_met(slots: list[_Slot], first: int) -> int:
    """How many questions wait for the same text, the one at ``first`` among them."""
    count = 0
    for slot in slots[first:]:
        if slot.met:
            break
        count += slot.is_question
    return count


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
