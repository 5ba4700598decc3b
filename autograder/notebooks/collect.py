"""Who handed in, and where: a class as folders, as files, as nbgrader keeps it, or an LMS's zip."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace

from autograder.notebooks import intake

LONGEST_ID = 80
"""Bytes of a student's id; it becomes part of file names."""


@dataclass(frozen=True)
class Place:
    """Where one student's files lie.

    student: the canonical id.
    path:    a folder, a file or the class's archive, as the system spells it.
    members: in an archive, the names of this student's files.
    notes:   what the place itself tells (handed in late).
    refusal: why it must not be opened, a sentence for a teacher; "" if it may.
    """

    student: str
    path: str
    members: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""


def student_id(raw: str) -> str:
    """A student's id fit for display and file names, the same for the same name for ever.

    Letters and digits of any script, and ``. _ @ + -`` and blanks inside, stay. Whatever else
    stands in ``raw`` becomes ``_``, and ``~`` with eight digits of a hash of ``raw`` follows, so
    that two names never become one.
    """
    name = unicodedata.normalize("NFC", raw)
    kept = "".join(c if c.isalnum() or _is_mark(c) or c in "._@+- " else "_" for c in name)
    kept = re.sub(r"^[^\w]+|^_+", "", kept).rstrip(" .")
    if kept == name and 0 < len(kept.encode()) <= LONGEST_ID:
        return kept
    digest = hashlib.sha256(raw.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    short = kept.encode()[: LONGEST_ID - 9].decode("utf-8", "ignore")
    return f"{short or 'student'}~{digest}"


def _is_mark(character: str) -> bool:
    # Combining marks belong to the letters of many scripts; nothing else invisible does.
    return unicodedata.category(character) in {"Mn", "Mc"} and bool(unicodedata.name(character, ""))


LMS_NAMES = (
    # Canvas: doejane_LATE_1234_5678_notebook.ipynb
    re.compile(r"(?P<who>[^_]+?)(?P<late>_LATE)?_(?P<id>\d+)_\d+_.+"),
    # Blackboard: A2_jdoe_attempt_2026-01-31-23-59-00_notebook.ipynb
    re.compile(r".+?_(?P<who>[^_]+)_attempt_[\d-]+[_.].+"),
    # Moodle, unpacked without folders: Jane Doe_1234_assignsubmission_file_notebook.ipynb
    re.compile(r"(?P<who>[^_]+)_(?P<id>\d+)_assignsubmission_file_.*"),
)


def lms_student(name: str) -> tuple[str, tuple[str, ...]]:
    """Who handed in a file of this name, and notes; ("", ()) where no LMS's pattern fits."""
    for pattern in LMS_NAMES:
        found = pattern.fullmatch(name)
        if found:
            groups = found.groupdict()
            who = f"{groups['who']}_{groups['id']}" if groups.get("id") else groups["who"]
            return who, ("marked late by the LMS",) if groups.get("late") else ()
    return "", ()


def find_submissions(path: str | os.PathLike[str], assignment: str) -> list[tuple[str, Place]]:
    """One (student id, place) for each student's folder or file at ``path``, sorted by id.

    ``path`` holds a folder per student, a file per student, or nbgrader's
    ``submitted/<student>/<assignment>/``; or it is a zip from Canvas, Gradescope or Moodle.

    Raises:
        FileNotFoundError, NotADirectoryError: a sentence that says what is expected there.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        places = _in_folder(path, assignment)
    elif zipfile.is_zipfile(path):
        places = _in_archive(path, assignment)
    elif os.path.exists(path):
        raise NotADirectoryError(
            f"{path} is neither a folder of submissions nor a zip; give the folder that holds "
            "one folder or notebook per student"
        )
    else:
        raise FileNotFoundError(f"{path} does not exist; give the folder of the submissions")
    return sorted(((p.student, p) for p in _apart(places)), key=lambda item: item[0])


def _apart(places: Iterable[Place]) -> list[Place]:
    """Tell ids apart that only differ in ways a file system may not keep (case, accents)."""
    found = list(places)
    seen: dict[str, int] = {}
    for place in found:
        key = place.student.casefold()
        seen[key] = seen.get(key, 0) + 1
    return [p if seen[p.student.casefold()] == 1 else replace(p, student=_marked(p)) for p in found]


def _marked(place: Place) -> str:
    raw = os.fsencode("\0".join((os.path.basename(place.path), *place.members[:1])))
    return f"{place.student}~{hashlib.sha256(raw).hexdigest()[:8]}"


def _in_folder(path: str, assignment: str) -> list[Place]:
    if os.path.isdir(os.path.join(path, "submitted")):
        path = os.path.join(path, "submitted")
    nbgrader = os.path.basename(os.path.abspath(path)) == "submitted"
    with os.scandir(path) as found:
        items = sorted(found, key=lambda item: item.name)
    items = [i for i in items if not i.name.startswith(".") and i.name not in intake.IGNORED]
    folders = [i for i in items if _is_dir(i)]
    root = os.path.realpath(path)
    places = [_folder(item, root, assignment, nbgrader) for item in folders]
    by_student: dict[str, list[os.DirEntry[str]]] = {}
    for item in items:
        if item not in folders and (not folders or _is_handed_in(item.name)):
            who = lms_student(item.name)[0] or _stem(item.name)
            by_student.setdefault(who, []).append(item)
    for who, files in by_student.items():
        places += _files(who, files)
    return places


def _is_dir(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:
        return False


def _is_handed_in(name: str) -> bool:
    return ".ipynb" in name.lower() or intake.is_archive(name)


def _stem(name: str) -> str:
    for ending in (".ipynb", *sorted(intake.ARCHIVES, key=len, reverse=True)):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _folder(item: os.DirEntry[str], root: str, assignment: str, nbgrader: bool) -> Place:
    raw = re.sub(r"_assignsubmission_[a-z]+_?$", "", item.name)
    student = student_id(raw)
    if item.is_symlink() and os.path.commonpath([root, os.path.realpath(item.path)]) != root:
        return Place(
            student, item.path, refusal="its folder is a link to elsewhere; copy the files here"
        )
    inner = os.path.join(item.path, assignment)
    # What one student's folder looks like says nothing of another's: anyone can name a folder so.
    return Place(student, inner if nbgrader or os.path.isdir(inner) else item.path)


def _files(who: str, files: list[os.DirEntry[str]]) -> list[Place]:
    """One place per student; several files of one student, told by an LMS's names, go together."""
    notes = tuple(dict.fromkeys(n for f in files for n in lms_student(f.name)[1]))
    if len(files) == 1:
        return [Place(student_id(who), files[0].path, (), notes)]
    folder = os.path.dirname(files[0].path)
    names = tuple(item.name for item in files)
    return [Place(student_id(who), folder, names, notes)]


def _in_archive(path: str, assignment: str) -> list[Place]:
    """Group the members by student: by folder, below folders that hold everyone, or by name."""
    names = [
        name
        for name in intake.class_archive(path).namelist()
        if not name.endswith("/") and not set(name.split("/")) & intake.IGNORED
    ]
    depth = _common_depth(names)
    groups: dict[str, list[str]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    people = _gradescope_people(path, names, depth)
    for name in names:
        parts = name.split("/")[depth:]
        if len(parts) > 1:
            who, found = re.sub(r"_assignsubmission_[a-z]+_?$", "", parts[0]), ()
        else:
            who, found = lms_student(parts[0])
            if not who and not _is_handed_in(parts[0]):
                continue  # a list of grades, a read-me: no one's submission
            who = who or _stem(parts[0])
        who = people.get(who, who)
        groups.setdefault(who, []).append(name)
        notes[who] = tuple(dict.fromkeys((*notes.get(who, ()), *found)))
    return [
        Place(student_id(who), path, _of_assignment(group, assignment), notes[who])
        for who, group in groups.items()
    ]


def _of_assignment(members: list[str], assignment: str) -> tuple[str, ...]:
    inside = [name for name in members if f"/{assignment}/" in name]
    return tuple(inside or members)


def _common_depth(names: list[str]) -> int:
    """How many leading folders all members share; the folder of a lone file is its student's."""
    depth = 0
    while names and all(len(name.split("/")) > depth + 1 for name in names):
        if len({name.split("/")[depth] for name in names}) > 1:
            break
        depth += 1
    return depth - 1 if depth and len(names) == 1 else depth


def _gradescope_people(path: str, names: list[str], depth: int) -> dict[str, str]:
    """Folder → student, from the list that Gradescope puts into its exports."""
    # Beside the students' folders: a file of this name that a student handed in names nobody.
    listed = [n for n in names if n.split("/")[depth:] == ["submission_metadata.yml"]]
    found = listed[0] if listed else ""
    if not found:
        return {}
    archive = intake.class_archive(path)
    if archive.getinfo(found).file_size > intake.LARGEST_FILE:
        return {}
    text = archive.read(found).decode("utf-8", "replace")
    people: dict[str, str] = {}
    for block in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        folder = block.partition(":")[0].strip()
        for key in ("sid", "email", "name"):
            known = re.search(rf"^[\s-]*:?{key}:[ \t]*['\"]?([^'\"\n]+)", block, re.MULTILINE)
            if known:
                people[folder] = known[1].strip()
                break
    return people
