"""A student who loses this loses the sentence that teaches."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograder import NotYet, check
from autograder.examples import public_examples
from cs_nn.layers.affine import affine_backward, affine_forward

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A folder with the public examples of a2, as a student has it."""
    for name, content in public_examples("a2_backprop").items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_right_function_is_green(notebook, capsys):
    check(affine_backward)
    assert "affine_backward: all checks pass." in capsys.readouterr().out


def test_known_mistake_is_named_without_its_code_being_there(notebook, capsys):
    def with_mean(dout, cache):
        dx, dw, _ = affine_backward(dout, cache)
        return dx, dw, dout.mean(axis=0)

    with_mean.__name__ = "affine_backward"
    with pytest.raises(NotYet, match=r"affine_backward: not yet\. To mend: db"):
        check(with_mean)
    shown = capsys.readouterr().out
    assert "db is 5 times too small (a factor 1/N)" in shown
    assert "Did you take the mean" in shown
    assert "mean(axis" not in (notebook / "a2_backprop.examples.json").read_text()


def test_general_pattern_names_what_nobody_foresaw(notebook, capsys):
    def with_constant(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        return dx, 3.5 * dw, db

    with_constant.__name__ = "affine_backward"
    with pytest.raises(NotYet):
        check(with_constant)
    assert "dw is 3.5 times too large" in " ".join(capsys.readouterr().out.split())


def test_untouched_stub_gets_a_friendly_line(notebook, capsys):
    def affine_forward(x, w, b):
        raise NotImplementedError

    with pytest.raises(NotYet, match="still the empty stub"):
        check(affine_forward)
    assert "Traceback" not in capsys.readouterr().out


def test_without_arguments_the_progress_through_the_notebook_is_shown(notebook, capsys):
    globals()["relu_forward"] = lambda x: (np.maximum(0, x), x)
    try:
        check()
    finally:
        del globals()["relu_forward"]
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    # The affine functions are those that this file imports.
    assert lines[0].startswith("3 of 13 exercises pass their public checks (21 of 100 points, ")
    assert "0 of 15 starred ones" in lines[0]
    assert "  ✓ relu_forward" in lines
    assert any(re.fullmatch(r"    1_layers +3 of 6", line) for line in lines)
    assert any(re.fullmatch(r"  ○ relu_backward +not started", line) for line in lines)
    assert any(re.fullmatch(r"  ○ 2_losses +not started \(2 exercises\)", line) for line in lines)
    assert len(lines) == 1 + 1 + 6 + 4, "a notebook that is not begun is one line"


def test_unknown_function_lists_the_exercises(notebook):
    with pytest.raises(LookupError, match=r"these are: affine_forward, affine_backward"):
        check(np.sum)


def test_missing_examples_say_where_they_belong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="where the notebook lies"):
        check(affine_forward)


def test_a_plain_terminal_gets_plain_text(notebook):
    """Python without Jupyter, and IPython without it: lines that fit, no HTML, no traceback."""
    session = (
        "import numpy as np\nfrom autograder import check\n"
        "def relu_forward(x):\n    return np.abs(x), x\n\n"
        "check()\ncheck(relu_forward)\n"
    )
    for program in (["-i", "-q"], ["-m", "IPython", "--simple-prompt", "--no-banner"]):
        done = subprocess.run(
            [sys.executable, *program],
            input=session,
            env=dict(os.environ) | {"PYTHONPATH": str(ROOT), "TERM": "dumb", "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "✗ relu_forward: not yet. To mend: values." in said
        assert "Negative inputs come out positive." in said
        assert "NotYet: relu_forward: not yet. To mend: values." in said
        assert "0 of 13 exercises pass their public checks (0 of 100 points" in said
        for line in said.splitlines():
            assert "<td" not in line
            assert "\x1b[" not in line
            assert len(line) <= 132
