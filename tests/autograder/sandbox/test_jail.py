"""Notebooks run and answer behind the wall as they would in front of their author."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from autograder.battery.results import fresh, lasts
from autograder.sandbox.jail import Jail, JailStudent
from autograder.sandbox.limits import Limits
from autograder.values import Function, Handle, Named, Object, Opaque, Raised, Seed
from tests.autograder.sandbox.cells import code, deferred

AFFINE = """
import numpy as np
def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)
def affine_backward(dout, cache):
    x, w, b = cache
    return dout @ w.T, x.T @ dout, dout.sum(0)
"""


@pytest.fixture(scope="module")
def jail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jail]:
    with Jail(tmp_path_factory.mktemp("edition"), "none", Limits()) as made:
        yield made


def statuses(student: JailStudent) -> list[str]:
    return [outcome.status for outcome in student.outcomes]


def test_a_function_is_called_by_name_and_its_cache_stays_a_handle(jail: Jail):
    x, w, b = np.ones((2, 3)), np.arange(12.0).reshape(3, 4), np.zeros(4)
    with jail.submission([code(0, AFFINE)]) as student:
        assert student.defines("affine_forward")
        assert not student.defines("relu_forward")
        out, cache = student.call("affine_forward", x, w, b, keep=(1,)).value
        assert np.array_equal(out, x @ w)
        assert isinstance(cache, Handle)
        dx, dw, db = student.call("affine_backward", np.ones((2, 4)), cache).value
        assert np.array_equal(dw, x.T @ np.ones((2, 4)))
        assert (dx.shape, db.shape) == ((2, 3), (4,))
        assert np.array_equal(student.read(cache, "1"), w)


def test_whose_an_array_is_is_seen_through_the_wall(jail: Jail):
    source = """
import numpy as np
kept = np.zeros(3)
def fair(x): return 2 * x
def same_again(x): return kept
def one_array(x): return np.multiply(x, 2, out=kept)
"""
    x = np.ones(3)
    with jail.submission([code(0, source)]) as student:

        def asked(name: str) -> tuple[bool, bool]:
            call = partial(student.call, name, x)
            return lasts(student, call, partial(student.call, name, 3 * x)), fresh(student, call)

        assert asked("fair") == (True, True)
        assert asked("same_again") == (True, False)
        assert asked("one_array")[0] is False


def test_a_list_is_a_tuple_where_a_part_of_it_is_kept(jail: Jail):
    with jail.submission([code(0, "def f(x): return [x, {'x': x}]")]) as student:
        value, cache = student.call("f", 2.0, keep=[1]).value
        assert value == 2.0
        assert isinstance(cache, Handle)


def test_what_a_call_changes_and_raises_is_told(jail: Jail):
    source = """
def spoil(x, config):
    x += 1
    config['t'] += 1
def fail(x):
    raise ValueError('bad \\x1b[31m news')
def odd(): return lambda: 1
"""
    with jail.submission([code(0, source)]) as student:
        reply = student.call(
            "spoil", np.zeros(2), {"t": 1}, names=("x", "config"), after=("config",)
        )
        assert reply.changed == ("x",)
        assert reply.after == {"config": {"t": 2}}
        raised = student.call("fail", 1).raised
        assert raised == Raised("ValueError", r"bad \x1b[31m news", raised.line, raised.lineno)
        assert "raise ValueError" in raised.line
        assert student.call("odd").value == Opaque("function")
        assert student.call("nowhere").raised.kind == "NameError"


def test_the_students_code_may_call_the_graders_functions(jail: Jail):
    source = """
def slope(f, x):
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5
def train(model):
    return model.loss(2.0) + model.w
def guarded(f):
    try:
        f(1, 2, 3)
    except TypeError as error:
        return str(error)
def twice(g, x, rng): return g(g(x)), rng.random()
def g(x): return 3 * x
"""
    seen: list[np.ndarray] = []

    def square(x: np.ndarray) -> np.ndarray:
        seen.append(x)
        return x**2

    with jail.submission([code(0, source)]) as student:
        value = student.call("slope", Function(square), np.array(3.0)).value
        assert value == pytest.approx(6.0)
        assert [float(x) for x in seen] == pytest.approx([3.00001, 2.99999])
        model = Object({"w": 5.0}, {"loss": lambda now, scale: now["w"] * scale})
        assert student.call("train", model).value == 15.0
        words = student.call("guarded", Function(square)).value
        assert "square" not in words
        value, number = student.call("twice", Named("g"), 2, Seed(4)).value
        assert (value, number) == (18, np.random.default_rng(4).random())


def test_all_that_comes_back_is_limited_together(jail: Jail):
    source = """
import numpy as np
big = np.zeros(2**18, np.uint8)
def endless(f):
    while True: f(big)
def answer(): return big
"""
    limits = Limits(reply=2**19)
    with jail.submission([code(0, source)], limits=limits) as student:
        heard: list[np.ndarray] = []
        reply = student.call("endless", Function(heard.append))
        assert reply.raised
        assert "together" in reply.raised.message
        assert len(heard) <= 16
        assert student.defines("answer")
        answers = [student.call("answer").raised for _ in range(20)]
        assert answers[0] is None
        assert answers[-1] is not None


def test_a_training_run_of_the_grader_changes_the_networks_arrays_in_place(jail: Jail):
    source = """
def snapshots(net, run_cycle):
    kept = [net.params, dict(net.params), {k: v.copy() for k, v in net.params.items()}]
    assert run_cycle(net) is None
    return [entry["w"] for entry in kept]
"""
    run = Function(lambda net: {"w": np.array([7.0, 8.0])}, into="params")
    with jail.submission([code(0, source)]) as student:
        net = student.hold(Object({"params": {"w": np.zeros(2)}}))
        own, shallow, deep = student.call("snapshots", net, run).value
    assert own.tolist() == shallow.tolist() == [7.0, 8.0]
    assert deep.tolist() == [0.0, 0.0]


def test_cells_run_as_ipython_runs_them(jail: Jail):
    cells = [
        code(0, "%matplotlib inline\n%load_ext autoreload\nimport matplotlib.pyplot as plt"),
        code(1, "%%time\ndef timed(): return 1"),
        code(2, "%%writefile helper.py\ndef helped(): return 2"),
        code(3, "from helper import helped\n!touch made\nimport os; made = os.listdir('.')"),
        code(4, "import asyncio\nawait asyncio.sleep(0)\nasync_done = lambda: True"),
        code(5, "answer = input('name? ')"),
        code(6, "1 / 0"),
        code(7, "def early(): return 3\nexit()\nraise RuntimeError('not reached')"),
        code(8, "def broken(:"),
        code(9, "plt.plot([1, 2]); plt.show(); print('x' * 10**7)"),
        code(10, "!pip install torch\n%pip install jax\ndef listed(): return sorted(made)"),
        code(11, "import sys; sys.exit(3)"),
    ]
    with jail.submission(cells, {"data.txt": b"1 2", "../escape": b""}) as student:
        expected = ["ok"] * 5 + ["error", "error", "ok", "error", "ok", "ok", "ok"]
        assert statuses(student) == expected
        assert "EOFError" in student.outcomes[5].message
        for name, value in [("timed", 1), ("helped", 2), ("async_done", True), ("early", 3)]:
            assert student.call(name).value == value
        assert student.call("listed").value == ["data.txt", "helper.py", "made"]
    assert student.status == "graded"


def test_deferred_cells_run_only_when_a_name_needs_them(jail: Jail):
    cells = [
        deferred(0, "def rel_error(a, b): return abs(a - b)\nran = 'first'", "rel_error"),
        deferred(1, "raise RuntimeError('an experiment')", "figure"),
        code(2, "start = rel_error(3, 1)"),
        deferred(3, "def helper(): return late\nscale = 10", "helper", "scale"),
        deferred(4, "late = 4", "late"),
        code(5, "def f(x): return x * scale + start\ndef g(): return helper()"),
    ]
    with jail.submission(cells) as student:
        assert statuses(student) == ["deferred", "deferred", "ok", "deferred", "deferred", "ok"]
        assert student.call("f", 2).value == 22
        assert student.call("g").value == 4
        assert student.call("unknown").raised.kind == "NameError"
        assert student.status == "graded"


def test_the_last_function_of_a_name_counts_even_when_it_is_gone(jail: Jail):
    cells = [
        code(0, "import numpy as np\ndef f(x): return np.sum(x)\ndef g(x): return 1"),
        code(1, "def g(x): return f(x) + 1"),
        code(2, "g = g(np.ones(2))\ndel f, np"),
    ]
    with jail.submission(cells) as student:
        assert student.defines("f")
        assert student.call("f", np.ones(3)).value == 3
        assert student.call("g", np.ones(3)).value == 4


def test_settings_are_as_new_for_each_exercise(jail: Jail):
    source = """
import numpy as np, warnings
np.seterr(all='raise'); warnings.simplefilter('error'); np.set_printoptions(precision=1)
def log(x): return np.log(x)
def state(): return np.geterr()['divide'], np.get_printoptions()['precision'], np.random.rand()
"""
    with jail.submission([code(0, source)]) as student:
        states = []
        for _ in range(2):
            student.reset(3)
            states.append(student.call("state").value)
        assert states[0] == states[1]
        assert states[0][1] == 8


def test_a_loop_costs_its_cell_or_its_call_and_no_more(jail: Jail):
    cells = [
        code(0, "while True: pass"),
        code(1, "def loops():\n    while True: pass\ndef fine(): return 1"),
    ]
    limits = Limits(cell_seconds=0.2, call_seconds=0.2)
    with jail.submission(cells, limits=limits) as student:
        assert statuses(student) == ["timeout", "ok"]
        assert student.call("loops").raised.kind == "TimeLimit"
        assert student.call("fine").value == 1


def test_a_function_that_kills_its_process_costs_its_exercise_and_no_more(jail: Jail):
    cells = [code(0, "import os\ndef dies(): os._exit(0)\ndef fine(): return 1")]
    with jail.submission(cells) as student:
        student.reset(1)
        assert student.call("dies").raised.kind == "Died"
        assert student.call("fine").raised.kind == "Died"
        assert student.status == "crashed"
        student.reset(2)
        assert student.call("fine").value == 1
        assert student.status == "graded"


def test_a_cell_that_kills_its_process_is_skipped(jail: Jail):
    cells = [code(0, "def f(): return 1"), code(1, "import os; os._exit(1)"), code(2, "a = 1")]
    with jail.submission(cells) as student:
        assert statuses(student) == ["ok", "killed", "ok"]
        assert student.call("f").value == 1


def test_submissions_do_not_meet_and_the_process_stays_warm(jail: Jail):
    with jail.submission([code(0, "open('left', 'w').write('x')\ndef f(): return 1")]) as first:
        assert first.call("f").value == 1
    starts = jail.starts
    with jail.submission([code(0, "import os\ndef names(): return os.listdir('.')")]) as second:
        assert second.call("names").value == []
        assert not second.defines("f")
    assert jail.starts == starts


def test_without_fork_a_process_is_started_for_each_submission(tmp_path: Path):
    with Jail(tmp_path, "none", Limits(), fork=False) as jail:
        with jail.submission([code(0, AFFINE)], {"a.txt": b"x"}) as student:
            out, _ = student.call("affine_forward", np.ones((1, 2)), np.ones((2, 2)), 0.0).value
            assert np.array_equal(out, [[2.0, 2.0]])
        limits = Limits(call_seconds=0.3, patience=1)
        source = "def f():\n    while True:\n        try:\n            while True: pass\n"
        source += "        except BaseException: pass"
        with jail.submission([code(0, source)], limits=limits) as student:
            assert student.call("f").raised.kind == "TimeLimit"


def test_the_edition_is_what_a_notebook_imports(tmp_path: Path):
    package = tmp_path / "cs_nn"
    package.mkdir()
    (package / "__init__.py").write_text("term = 'autumn'")
    with Jail(tmp_path, "none", Limits()) as jail:
        source = "import cs_nn\ndef f(): return cs_nn.term"
        secret = "import autograder.course"
        with jail.submission([code(0, source), code(1, secret)]) as student:
            assert student.call("f").value == "autumn"
            assert "No module named" in student.outcomes[1].message


def test_limits_name_what_is_wrong():
    with pytest.raises(ValueError, match="greater than zero"):
        Limits(memory=0)
    with pytest.raises(ValueError, match="there is no limit 'ram'"):
        Limits.from_data({"ram": 5})
    assert Limits.from_data({"memory": 5}).memory == 5


def test_a_sleeping_function_meets_the_backstop(jail: Jail):
    begun = time.monotonic()
    source = "import time\ndef nap(): time.sleep(600)"
    limits = Limits(call_seconds=0.2, patience=2)
    with jail.submission([code(0, source)], limits=limits) as student:
        assert student.call("nap").raised.kind == "TimeLimit"
    assert time.monotonic() - begun < 30
