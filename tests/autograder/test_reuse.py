"""`reuse` takes definitions from an earlier notebook, and nothing else of it."""

import traceback

import nbformat
import pytest

from autograder.reuse import reuse

STUB = "def slope(x):\n    raise NotImplementedError()"


def notebook(folder, *sources, name="1_layers"):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def brought(*names):
    """What `reuse` binds in an empty notebook."""
    space = {"reuse": reuse}
    exec(f"reuse('1_layers', {', '.join(map(repr, names))})", space)
    return space


def test_functions_come_with_their_helpers_and_nothing_else_runs(tmp_path):
    notebook(
        tmp_path,
        "import numpy as np\nSCALE = 2.0\nprint('experiment')",
        "def helper(x):\n    return SCALE * np.asarray(x)",
        "%matplotlib inline\nhelper(undefined)",
        "def double(x):\n    return helper(x)",
        "class Layer:\n    out = double(3)",
    )
    space = brought("double", "Layer")
    assert space["double"](2) == 4
    assert space["Layer"].out == 6
    assert "helper" not in space


def test_the_last_definition_counts_and_a_stub_is_said_to_be_one(tmp_path, capsys):
    notebook(tmp_path, STUB, "def slope(x):\n    return 1")
    assert brought("slope")["slope"](0) == 1
    assert capsys.readouterr().out == ""
    notebook(tmp_path, STUB)
    brought("slope")
    assert "Not written yet in 1_layers.ipynb: slope." in capsys.readouterr().out


def test_a_change_is_seen_when_the_cell_runs_again(tmp_path):
    notebook(tmp_path, "def slope(x):\n    return 1")
    brought("slope")
    notebook(tmp_path, "def slope(x):\n    return 2")
    assert brought("slope")["slope"](0) == 2


def test_what_is_missing_is_said_with_the_remedy(tmp_path):
    with pytest.raises(LookupError, match=r"no 1_layers\.ipynb .* put it beside this notebook"):
        brought("slope")
    notebook(tmp_path, "def other(x):\n    return 1")
    with pytest.raises(LookupError, match="does not define slope: is it saved"):
        brought("slope")
    (tmp_path / "1_layers.ipynb").write_text("{")
    with pytest.raises(LookupError, match="cannot be read"):
        brought("slope")


def test_where_it_is_graded_the_names_are_there_already():
    space = {"reuse": reuse, "slope": abs}
    exec("reuse('1_layers', 'slope')", space)
    assert space["slope"] is abs


def test_a_definition_that_fails_leaves_the_others(tmp_path, capsys):
    notebook(tmp_path, "@undefined\ndef broken(x):\n    pass", "def slope(x):\n    return 1")
    assert brought("slope")["slope"](0) == 1
    assert "1_layers.ipynb, cell 1 could not be reused: NameError" in capsys.readouterr().out


def test_a_traceback_shows_the_line_of_the_earlier_notebook(tmp_path):
    notebook(tmp_path, "def slope(x):\n    return x / 0  # here")
    slope = brought("slope")["slope"]
    with pytest.raises(ZeroDivisionError) as caught:
        slope(1)
    shown = "".join(traceback.format_exception(caught.value))
    assert "1_layers.ipynb, cell 1" in shown
    assert "# here" in shown
