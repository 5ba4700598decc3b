"""Reading what students hand in: whatever it is, one line comes out and nothing is raised."""

import bz2
import gzip
import json
import os
import tarfile
import time
import zipfile
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.notebooks import intake
from autograder.notebooks.cells import (
    Unreadable,
    as_python,
    cell_hash,
    names_defined,
    parse_notebook,
)
from autograder.notebooks.submission import (
    Release,
    Submission,
    find_submissions,
    read_submission,
    student_id,
)

A = "a2_backprop"
STUB = "def relu_forward(x):\n    raise NotImplementedError('relu_forward')"
SOLVED = "def relu_forward(x):\n    return np.maximum(x, 0), x"


def code(source, **metadata):
    return {
        "cell_type": "code",
        "source": source,
        "metadata": metadata,
        "outputs": [],
        "execution_count": None,
    }


def notebook(*cells, **top):
    cells = [code(c) if isinstance(c, str) else c for c in cells]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | top


def dump(*cells, **top):
    return json.dumps(notebook(*cells, **top)).encode()


SETUP = "import numpy as np"
CHECK = "check(relu_forward)"
PLOT = "rates = [1, 2]\nplot(rates)"
RELEASED = dump(
    SETUP,
    code(STUB, nbgrader={"solution": True, "grade_id": "relu"}),
    code(CHECK, tags=["check"]),
    code(PLOT, tags=["experiment"]),
    metadata={"cs_nn": {"assignment": A, "exercises": ["relu_forward"]}},
)
RELEASE = Release.of(A, {"a2.ipynb": RELEASED}, {"a1_graphs": ("chain_rule", "relu_vjp")})


def hand_in(tmp_path, files, name="alice"):
    folder = tmp_path / name
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    folder.mkdir(exist_ok=True)
    return folder


def read(tmp_path, files, release=RELEASE):
    return read_submission(hand_in(tmp_path, files), A, release)


def sources(submission, deferred=False):
    return [c.source for c in submission.cells if c.kind == "code" and c.deferred == deferred]


# --- formats and encodings -------------------------------------------------------------------


@pytest.mark.parametrize(
    "encode",
    [
        lambda t: t.encode(),
        lambda t: t.encode("utf-8-sig"),
        lambda t: t.encode("utf-16"),
        lambda t: t.encode("utf-16-le"),
        lambda t: t.encode("utf-16-be"),
        lambda t: t.replace("\n", "\r\n").encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-le", "utf-16-be", "windows"],
)
def test_every_encoding_gives_the_same_cells(tmp_path, encode):
    text = json.dumps(notebook(SETUP, "s = 'é→'\n" + SOLVED), indent=1, ensure_ascii=False)
    assert sources(read(tmp_path, {"a2.ipynb": encode(text)})) == [SETUP, "s = 'é→'\n" + SOLVED]


def test_latin_1_is_read_rather_than_refused(tmp_path):
    text = json.dumps(notebook("s = 'é'"), ensure_ascii=False)
    assert sources(read(tmp_path, {"a2.ipynb": text.encode("latin-1")}, None)) == ["s = 'é'"]


def test_format_3_is_read_like_format_4():
    old = {
        "worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1\n", "y = 2"]}]}],
        "nbformat": 3,
        "metadata": {},
    }
    (cell,) = parse_notebook(json.dumps(old).encode()).cells
    assert (cell.source, cell.defines) == ("x = 1\ny = 2", ("x", "y"))


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", "unreadable", "empty"),
        (dump(SOLVED)[:60], "unreadable", "breaks off"),
        (b"<<<<<<< HEAD\n" + dump(SOLVED), "unreadable", "merge"),
        (b"[1, 2]", "unreadable", "not a notebook"),
        (b'{"a": 1}', "unreadable", "no cells"),
        (b"[" * 200_000, "unreadable", ""),
        (b'{"cells": [' + b"1" * 6000 + b"]}", "unreadable", ""),
        (b"\x89PNG\r\n\x1a\n", "unreadable", "JSON"),
        (dump(), "empty", "no code"),
        (dump({"cell_type": "markdown", "source": "hi", "metadata": {}}), "empty", "no code"),
    ],
)
def test_a_broken_notebook_is_told_to_the_teacher(tmp_path, content, status, words):
    submission = read(tmp_path, {"a2.ipynb": content})
    assert submission.status == status
    assert words in submission.message
    assert submission.message


def test_odd_cells_do_not_hide_the_good_ones(tmp_path):
    content = dump(
        SETUP,
        *[{"cell_type": "code", "source": 5}, {"source": ["x = ", 3, "1"], "outputs": []}, {}],
        {"cell_type": ["code"], "source": "y", "metadata": 7, "id": 8},
    )[:-1]
    content = content.replace(b'"cells": [', b'"cells": [null, "text", ')
    submission = read(tmp_path, {"a2.ipynb": content + b"}"}, None)
    assert sources(submission) == [SETUP, "x = 1"]
    assert "no cell" in submission.notes[0]


def test_lone_surrogates_and_control_characters_can_be_stored(tmp_path):
    content = b'{"cells": [{"cell_type": "code", "source": "s = \'\\ud800\ttab\'"}]}'
    submission = read(tmp_path, {"a2.ipynb": content})
    json.dumps(submission.to_data() | {"files": 0}).encode()
    submission.cells[0].source.encode()


# --- what runs -------------------------------------------------------------------------------


def test_untouched_experiments_and_checks_are_deferred(tmp_path):
    content = dump(SETUP, SOLVED, CHECK + "  \n\n", PLOT.replace("\n", "\r\n"), "mine = 3")
    submission = read(tmp_path, {"a2.ipynb": content})
    assert sources(submission) == [SETUP, SOLVED, "mine = 3"]
    assert submission.cells[3].defines == ("rates",)
    changed = read(tmp_path, {"a2.ipynb": dump(SETUP, SOLVED, PLOT + "\nrates.append(3)")})
    assert PLOT + "\nrates.append(3)" in sources(changed)


def test_a_second_copy_with_the_stub_does_not_hide_the_work(tmp_path):
    folder = hand_in(tmp_path, {"a2.ipynb": RELEASED, "a2 solved.ipynb": dump(SETUP, SOLVED)})
    os.utime(folder / "a2 solved.ipynb", (1000, 1000))
    os.utime(folder / "a2.ipynb", (2000, 2000))
    submission = read_submission(folder, A, RELEASE)
    assert SOLVED in sources(submission)
    assert STUB in sources(submission, deferred=True)
    assert "2 notebooks" in " ".join(submission.notes)


def test_the_stub_alone_still_runs(tmp_path):
    assert STUB in sources(read(tmp_path, {"a2.ipynb": RELEASED}))


def test_the_newest_of_several_notebooks_comes_last(tmp_path):
    old, new = SOLVED + "  # old", SOLVED + "  # new"
    folder = hand_in(tmp_path, {"b.ipynb": dump(new), "c.ipynb": dump(old)})
    os.utime(folder / "c.ipynb", (1000, 1000))
    os.utime(folder / "b.ipynb", (2000, 2000))
    assert sources(read_submission(folder, A))[-2:] == [old, new]


def test_parts_of_an_assignment_run_in_the_released_order(tmp_path):
    release = Release.of(A, {"z.ipynb": dump("z = 1"), "a.ipynb": dump("a = 1")})
    submission = read(tmp_path, {"a.ipynb": dump("a = 2"), "z.ipynb": dump("z = 2")}, release)
    assert sources(submission)[:2] == ["z = 2", "a = 2"]
    assert submission.notes == ()


def test_a_deleted_setup_cell_counts_as_still_there(tmp_path):
    submission = read(tmp_path, {"a2.ipynb": dump(SOLVED)})
    (restored,) = [c for c in submission.cells if c.deferred]
    assert (restored.source, restored.defines) == (SETUP, ("np",))
    assert len({c.index for c in submission.cells}) == len(submission.cells)


def test_a_renamed_notebook_is_found_and_said(tmp_path):
    for name in ("final (2).ipynb", "A2.IPYNB", "a2.ipynb.txt", "deep/er/a2 copy.ipynb"):
        submission = read(tmp_path / str(len(name)), {name: dump(SETUP, SOLVED)})
        assert submission.status == ""
        assert "not named as released" in submission.notes[0]


def test_a_notebook_under_a_name_of_another_kind_is_found(tmp_path):
    submission = read(tmp_path, {"a2.json": dump(SETUP, SOLVED), "other.json": b"{}"})
    assert SOLVED in sources(submission)


@pytest.mark.parametrize(
    "content",
    [
        dump("def chain_rule(j): pass\ndef relu_vjp(x, dout): pass"),
        dump("x = 1", metadata={"cs_nn": {"assignment": "a1_graphs"}}),
    ],
)
def test_the_wrong_assignment_is_recognised(tmp_path, content):
    submission = read(tmp_path, {"a2.ipynb": content})
    assert submission.status == "wrong assignment"
    assert "a1_graphs" in submission.message


def test_files_beside_the_notebook_come_along_but_not_the_release(tmp_path):
    files = {
        "w/a2.ipynb": dump(SETUP, SOLVED),
        "w/mine.py": b"x = 1",
        "w/sub/data.csv": b"1,2",
        "w/cs_nn/__init__.py": b"",
        "w/autograder/check.py": b"",
        "w/.hidden": b"",
        "w/.ipynb_checkpoints/a2-checkpoint.ipynb": dump("old = 1"),
        "w/big.bin": bytes(5 * 2**20),
    }
    submission = read(tmp_path, files)
    assert dict(submission.files) == {"mine.py": b"x = 1", "sub/data.csv": b"1,2"}
    assert "big.bin" in " ".join(submission.notes)


# --- nothing handed in, and worse ------------------------------------------------------------


def test_an_empty_folder_and_a_folder_without_notebook(tmp_path):
    assert read(tmp_path, {}).status == "empty"
    submission = read(tmp_path, {"essay.pdf": b"%PDF"})
    assert (submission.status, "essay.pdf" in submission.message) == ("missing", True)


def test_pipes_links_and_broken_links_are_not_opened(tmp_path):
    folder = hand_in(tmp_path, {"a2.ipynb": dump(SETUP, SOLVED)})
    secret = tmp_path / "secret.py"
    secret.write_text("password = 1")
    os.mkfifo(folder / "pipe.ipynb")
    os.symlink(secret, folder / "leak.py")
    os.symlink("/dev/zero", folder / "zero.ipynb")
    os.symlink("nowhere", folder / "dangling.ipynb")
    os.symlink("a2.ipynb", folder / "alias.ipynb")
    submission = read_submission(folder, A, RELEASE)
    assert submission.status == ""
    assert submission.files == {}
    notes = " ".join(submission.notes)
    for name in ("pipe.ipynb", "leak.py", "zero.ipynb", "dangling.ipynb"):
        assert name in notes
    assert sources(submission).count(SOLVED) == 1


def test_a_pipe_instead_of_a_notebook_is_unreadable(tmp_path):
    os.mkfifo(tmp_path / "bob.ipynb")
    ((student, place),) = find_submissions(tmp_path, A)
    submission = read_submission(place, A)
    assert (student, submission.status) == ("bob", "unreadable")


def test_a_huge_notebook_is_not_read(tmp_path):
    folder = hand_in(tmp_path, {"a2.ipynb": b"{"})
    os.truncate(folder / "a2.ipynb", 2**40)
    submission = read_submission(folder, A)
    assert submission.status == "unreadable"
    assert "larger than" in submission.message


def zipped(files, **kwargs):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **kwargs) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files):
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, BytesIO(content))
    return buffer.getvalue()


def test_a_zip_or_tar_is_unpacked_within_its_own_walls(tmp_path):
    files = {"a2.ipynb": dump(SETUP, SOLVED), "/abs.py": b"1", "../up.py": b"2", "ok.py": b"3"}
    for name, content in (("w.zip", zipped(files)), ("w.tar.gz", tarred(files | {"link": None}))):
        submission = read(tmp_path / name, {name: content})
        assert SOLVED in sources(submission)
        assert dict(submission.files) == {"ok.py": b"3"}
        assert "leads out of it" in " ".join(submission.notes)


def test_bombs_and_damaged_archives_do_not_go_off(tmp_path):
    bomb = zipped({"a2.ipynb": bytes(70 * 2**20)})
    liar = bytearray(zipped({"a2.ipynb": bytes(2**20)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = liar.index(signature) + offset
        liar[at : at + 4] = (100).to_bytes(4, "little")
    whole = zipped({"a2.ipynb": dump(SOLVED)})
    for i, content in enumerate((bomb, bytes(liar), whole[: len(whole) // 2], b"PK\x03\x04")):
        submission = read(tmp_path / str(i), {"work.zip": content})
        assert submission.status in {"unreadable", "missing"}, i
        assert submission.message
    submission = read(tmp_path / "tar", {"work.tar.gz": tarred({"x.py": b""})[:30]})
    assert submission.status == "unreadable"


# --- a class ---------------------------------------------------------------------------------


def test_folders_files_and_nbgraders_tree_are_found(tmp_path):
    hand_in(tmp_path / "folders", {"a2.ipynb": RELEASED}, "bob")
    hand_in(tmp_path / "folders", {}, "alice")
    assert [s for s, _ in find_submissions(tmp_path / "folders", A)] == ["alice", "bob"]
    hand_in(tmp_path, {"carol.ipynb": RELEASED, "dave.zip": b"", "list.csv": b""}, "files")
    assert [s for s, _ in find_submissions(tmp_path / "files", A)] == ["carol", "dave", "list.csv"]
    hand_in(tmp_path / "course" / "submitted", {f"{A}/a2.ipynb": RELEASED}, "erin")
    hand_in(tmp_path / "course" / "submitted", {"a1_graphs/a1.ipynb": RELEASED}, "frank")
    found = dict(find_submissions(tmp_path / "course", A))
    assert read_submission(found["erin"], A, RELEASE).status == ""
    assert read_submission(found["frank"], A, RELEASE).status == "missing"


def test_no_student_decides_how_the_others_are_read(tmp_path):
    hand_in(tmp_path / "class", {"a2.ipynb": RELEASED}, "alice")
    hand_in(tmp_path / "class", {f"{A}/a2.ipynb": RELEASED}, "mallory")
    found = dict(find_submissions(tmp_path / "class", A))
    assert read_submission(found["alice"], A, RELEASE).status == ""
    assert read_submission(found["mallory"], A, RELEASE).status == ""
    list_of_theirs = b"alice_1_assignsubmission_file_:\n  - :sid: mallory\n"
    moodle = {
        "mallory_2_assignsubmission_file_/submission_metadata.yml": list_of_theirs,
        "mallory_2_assignsubmission_file_/a2.ipynb": RELEASED,
        "alice_1_assignsubmission_file_/a2.ipynb": RELEASED,
    }
    (tmp_path / "moodle.zip").write_bytes(zipped(moodle))
    assert sorted(dict(find_submissions(tmp_path / "moodle.zip", A))) == ["alice_1", "mallory_2"]


def test_reading_takes_no_longer_than_the_files_are_long(tmp_path):
    begun = time.process_time()
    names_defined("a" + " " * 300_000)
    many = dump(*[code("a=1\n" * 200_000)] * 12)
    assert len(parse_notebook(many).cells) == 12
    assert len(parse_notebook(dump(*["x = 1"] * 20_000)).cells) == 5000
    for tree in (b"[]," * 12_000_000 + b"[]", b'"ab",' * 12_000_000 + b'""'):
        with pytest.raises(Unreadable):
            parse_notebook(b'{"cells": [' + tree + b"]}")
    bomb = bz2.compress(bytes(intake.LARGEST_HANDOUT // 4))
    bombs = {f"{i}.tar.bz2": bomb for i in range(40)}
    read_submission(hand_in(tmp_path, bombs), A)
    one = {"a2.ipynb": RELEASED, "b.tar.bz2": bomb, "c.tar.gz": gzip.compress(b"x" * 999)[:-9]}
    assert read(tmp_path / "one", one).status == ""
    assert time.process_time() - begun < 12


def test_an_lms_zip_gives_one_line_per_student(tmp_path):
    canvas = {
        "doejane_11_901_a2.ipynb": RELEASED,
        "doejane_11_902_util.py": b"x = 1",
        "roebob_LATE_12_903_a2-1.ipynb": RELEASED,
    }
    (tmp_path / "canvas.zip").write_bytes(zipped(canvas))
    found = dict(find_submissions(tmp_path / "canvas.zip", A))
    assert sorted(found) == ["doejane_11", "roebob_12"]
    assert "late" in read_submission(found["roebob_12"], A).notes[0]
    assert read_submission(found["doejane_11"], A).files
    gradescope = {
        "assignment_5_export/submission_7/a2.ipynb": RELEASED,
        "assignment_5_export/submission_8/a2.ipynb": RELEASED,
        "assignment_5_export/submission_metadata.yml": "submission_7:\n  :submitters:\n"
        "  - :name: Jane Doe\n    :sid: '4711'\n",
    }
    (tmp_path / "gradescope.zip").write_bytes(zipped(gradescope))
    found = dict(find_submissions(tmp_path / "gradescope.zip", A))
    assert sorted(found) == ["4711", "submission_8"]
    moodle = {"Jane Doe_12_assignsubmission_file_/a2.ipynb": RELEASED, "Bo_9_x_/b.ipynb": b""}
    (tmp_path / "moodle.zip").write_bytes(zipped(moodle))
    assert "Jane Doe_12" in dict(find_submissions(tmp_path / "moodle.zip", A))


def test_names_of_any_bytes_get_their_line(tmp_path):
    names = [
        "new\nline",
        "com,ma",
        'quo"te',
        "rtl\u202egpj",
        "=cmd|x",
        "-rf",
        "~x",
        "Łukasz Ó",
        "é",
    ]
    raw = [os.fsencode(n) for n in names] + [b"bad\xff\xfe"]
    for name in raw:
        (tmp_path / "class" / os.fsdecode(name)).mkdir(parents=True)
    found = find_submissions(tmp_path / "class", A)
    ids = [student for student, _ in found]
    assert len(set(ids)) == len(raw)
    assert "Łukasz Ó" in ids
    for student in ids:
        assert student.isprintable()
        assert not set('\n,"/\\=|') & set(student)
        assert student[0].isalnum()
        student.encode()
        (tmp_path / student).mkdir()
    assert all(read_submission(place, A).status == "empty" for _, place in found)


def test_ids_that_a_file_system_may_confuse_are_told_apart(tmp_path):
    for name in ("Bob", "bob", "alice"):
        (tmp_path / name).mkdir()
    ids = [s for s, _ in find_submissions(tmp_path, A)]
    assert len({s.casefold() for s in ids}) == 3
    assert "alice" in ids


def test_a_students_folder_that_is_a_link_to_elsewhere_is_refused(tmp_path):
    hand_in(tmp_path / "class", {"a2.ipynb": RELEASED}, "alice")
    hand_in(tmp_path, {"a2.ipynb": RELEASED}, "outside")
    os.symlink(tmp_path / "outside", tmp_path / "class" / "mallory")
    found = dict(find_submissions(tmp_path / "class", A))
    assert read_submission(found["mallory"], A).status == "unreadable"


@pytest.mark.parametrize("name", ["nothing", "file.txt"])
def test_a_wrong_path_is_one_sentence_with_a_remedy(tmp_path, name):
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises((FileNotFoundError, NotADirectoryError), match="give the folder"):
        find_submissions(tmp_path / name, A)


# --- laws ------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_ids_never_collide_and_are_stable(a, b):
    assert student_id(a) == student_id(a)
    if student_id(a) == student_id(b):
        import unicodedata

        assert unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "worksheets", "source", "input", "cell_type", "metadata", "id", "outputs"]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | json_values.map(lambda v: json.dumps(v).encode()))
def test_no_content_whatever_raises(tmp_path, content):
    (tmp_path / "a2.ipynb").write_bytes(content)
    submission = read_submission(tmp_path / "a2.ipynb", A, RELEASE)
    assert submission.status or submission.cells
    assert bool(submission.status) == bool(submission.message)
    assert Submission.from_data(submission.to_data()) == submission


@given(st.text())
def test_no_source_whatever_raises(source):
    names_defined(source)
    assert cell_hash(source) == cell_hash(source.replace("\n", "\r\n") + "\n\n")


def test_ipython_lines_do_not_hide_definitions():
    source = "%%time\n%matplotlib inline\n!ls\nx = !ls\nf?\ndef g():\n    %time h()\n\nawait z\n"
    assert names_defined(source) == ("x", "g")
    assert names_defined("%%bash\nx=1") == ()
    assert names_defined("def f(:\n  pass\ny = 1\n") == ("f", "y")
    assert as_python("%%writefile m.py\nx = 1") == ""
    assert names_defined("from a import *\nimport b.c, d as e\nfor i in x:\n  j = (k := 1)") == (
        "b", "e", "i", "j", "k",
    )  # fmt: skip


def test_the_digest_follows_the_content_and_not_the_student(tmp_path):
    a = read(tmp_path / "1", {"a2.ipynb": dump(SETUP, SOLVED)})
    b = read_submission(hand_in(tmp_path, {"a2.ipynb": dump(SETUP, SOLVED)}, "bob"), A, RELEASE)
    c = read(tmp_path / "3", {"a2.ipynb": dump(SETUP, SOLVED + " ")})
    assert a.digest == b.digest != c.digest


def test_a_release_survives_json():
    assert Release.from_data(json.loads(json.dumps(RELEASE.to_data()))) == RELEASE
