"""What the checker does with kinks, odd functions, large arrays, the input, and how it reports."""

import subprocess
import sys

import numpy as np
import pytest

from cs_nn.gradcheck import (
    GradientReport,
    check_gradient,
    error_against_step,
    numeric_gradient,
    relative_error,
)
from cs_nn.gradcheck.slopes import KINK


def relu(x):
    return np.maximum(0, x)


class TestKinks:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
    def test_an_entry_at_a_kink_is_left_out_whatever_the_gradient_says_there(self, dtype, at_zero):
        x = np.array([[-1.0, 0.0, 2.0]], dtype=dtype)
        report = check_gradient(relu, lambda d: d * np.where(x == 0, at_zero, x > 0), x)
        assert report
        assert report.leaves[0].verdicts.tolist() == [["pass", "kink", "pass"]]
        assert "kink" in str(report)

    @pytest.mark.parametrize("distance", [1e-3, 1e-4, 3e-5, 1e-5, 1e-6, 1e-7, 1e-9])
    @pytest.mark.parametrize("side", [-1, 1])
    def test_a_kink_beside_x_makes_no_false_alarm_and_hides_no_error(self, distance, side):
        x = np.array([1.0, 1.0 + side * distance])
        right = (x > 1).astype(float)
        for opaque in (False, True):
            f = lambda x, o=opaque: relu(np.asarray(x, float) - 1 if o else x - 1)  # noqa: E731
            assert check_gradient(f, lambda d: d * right, x).leaves[0].verdicts[1] != "fail"
            wrong = check_gradient(f, lambda d: d * (right + 0.3), x).leaves[0].verdicts[1]
            assert wrong == "fail" if distance >= 1e-7 else wrong != "pass"

    def test_kinks_that_cancel_at_zero_are_seen_by_the_complex_step(self):
        # 3·relu(x) − relu(−x) has slopes 3 and 1; with relu'(0) = 0 the gradient says 0.
        report = check_gradient(lambda x: np.sum(relu(x) - relu(-x)), np.zeros(1), np.zeros(1))
        assert report.count(KINK) == 1

    def test_nothing_but_kinks_is_no_pass(self):
        report = check_gradient(np.abs, lambda d: d * 0, np.zeros(3))
        assert report.verdict == "inconclusive"
        assert "kink at every entry" in str(report)


class TestFunctionsThatCannotBeChecked:
    def test_a_random_function(self):
        rng = np.random.default_rng(0)
        report = check_gradient(lambda x: x * (rng.random(3) < 0.5), lambda d: d, np.ones(3))
        assert report.verdict == "inconclusive"
        assert "twice gives two values" in report.problem

    def test_a_function_that_carries_state(self):
        calls = []

        def f(x):
            calls.append(1)
            return np.sum(x) * (1 + 0.1 * (len(calls) > 5))

        report = check_gradient(f, np.ones(3), np.ones(3))
        assert not report

    def test_a_function_that_changes_its_input(self):
        def in_place(x):
            x[x < 0] = 0
            return x

        x = np.array([1.0, -2.0])
        report = check_gradient(in_place, lambda d: d, x)
        assert "f changes x" in report.problem
        assert x.tolist() == [1.0, -2.0]

    def test_a_backward_pass_that_changes_x(self):
        x = np.ones(2)

        def grad(d):
            x[...] = 5
            return d

        assert "grad changes x" in check_gradient(lambda x: 2 * x, grad, x).problem
        assert x.tolist() == [1.0, 1.0]

    def test_nan_in_the_forward_pass(self):
        with np.errstate(all="ignore"):
            report = check_gradient(np.log, lambda d: d, np.array([-1.0]))
        assert "not finite" in report.problem

    def test_the_edge_of_the_domain_is_left_open(self):
        report = check_gradient(lambda x: np.sum(np.sqrt(x)), np.zeros(1), np.zeros(1))
        assert report.verdict == "inconclusive"

    def test_a_jump_is_no_false_alarm(self):
        report = check_gradient(lambda x: np.sum(np.floor(x)), np.zeros(1), np.array([2.0]))
        assert report.verdict == "inconclusive"

    def test_hidden_float32_does_not_make_a_wrong_gradient_of_a_right_one(self):
        rng = np.random.default_rng(1)
        x, W = rng.standard_normal(20), rng.standard_normal((20, 5)).astype(np.float32)
        f = lambda x: float(np.tanh(x.astype(np.float32) @ W).sum())  # noqa: E731
        right = (1 - np.tanh(x @ W) ** 2) @ W.T
        assert check_gradient(f, right, x, rtol=1e-2).verdict != "fail"
        assert check_gradient(f, 2 * right, x, rtol=1e-2).verdict == "fail"

    def test_no_entries(self):
        report = check_gradient(np.sum, np.zeros((0, 3)), np.zeros((0, 3)))
        assert report.verdict == "inconclusive"


class TestArguments:
    @pytest.mark.parametrize(
        ("f", "grad", "x", "options", "error", "words"),
        [
            (np.sum, np.ones(2), np.array([1, 2]), {}, TypeError, "bind it in f"),
            (lambda x: (x, None), np.ones(2), np.ones(2), {}, TypeError, r"forward\(x\)\[0\]"),
            (np.sin, np.ones(2), np.ones(2), {}, ValueError, "upstream"),
            (np.sin, np.ones(2), np.ones(2), {"upstream": np.ones((2, 1))}, ValueError, "shape"),
            (np.sum, np.ones(2), np.ones(2), {"mode": "fast"}, ValueError, "choose"),
            (np.sum, np.ones(2), np.ones(2), {"names": ["a", "b"]}, ValueError, "one name"),
            (lambda x: None, np.ones(2), np.ones(2), {}, TypeError, "nothing"),
        ],
    )
    def test_senseless_ones_raise_a_sentence(self, f, grad, x, options, error, words):
        with pytest.raises(error, match=words):
            check_gradient(f, grad, x, **options)

    def test_arrays_that_share_memory(self):
        x = np.ones(4)
        with pytest.raises(ValueError, match="share memory"):
            check_gradient(lambda a, b: np.sum(a * b), (x[:3], x[1:]), (x[:3], x[1:]))
        assert check_gradient(lambda a, b: np.sum(a + b), (x[::2], x[1::2]), (x[::2], x[1::2]))

    def test_x_is_bit_for_bit_what_it_was_when_f_raises(self):
        x = np.array([0.1, -0.0, 1e300])
        before = x.tobytes()
        for fatal in range(1, 20, 3):
            calls = []

            def f(x, fatal=fatal, calls=calls):
                calls.append(1)
                if len(calls) == fatal:
                    x += 1
                    raise RuntimeError("stop")
                return np.sum(x[:2])

            with pytest.raises(RuntimeError, match="stop"):
                check_gradient(f, np.array([1.0, 1.0, 0.0]), x)
            assert x.tobytes() == before

    def test_read_only_arrays_and_plain_numbers(self):
        x = np.ones(3)
        x.flags.writeable = False
        assert check_gradient(np.sum, np.ones(3), x)
        assert check_gradient(lambda x: x**2, 3.0, 1.5)

    def test_the_upstream_gradient_given_is_the_one_used(self):
        x, u = np.array([0.5, 1.0]), np.array([2.0, -3.0])
        assert check_gradient(np.sin, u * np.cos(x), x, u)
        assert check_gradient(np.sin, np.cos(x), x, u).verdict == "fail"


class TestComplexStep:
    def test_it_resolves_what_differences_cannot(self):
        x = np.array([0.4, 0.9])
        f = lambda x: 1e3 + np.sum(1e-12 * np.sin(x))  # noqa: E731
        assert check_gradient(f, 1e-12 * np.cos(x), x, mode="complex")
        assert check_gradient(f, 2e-12 * np.cos(x), x, mode="complex").verdict == "fail"

    @pytest.mark.parametrize(
        "f",
        [
            lambda x: np.sum(x.real**2),
            lambda x: np.sum(x * np.conj(x)),
            lambda x: np.sum(np.asarray(x).real ** 2),
            lambda x: np.linalg.norm(x) ** 2,
            lambda x: np.vdot(x, x),
            lambda x: np.sum(x.astype(float) ** 2),
            lambda x: sum(float(v) ** 2 for v in x),
            lambda x: np.sum(np.abs(np.array(x)) ** 2),
        ],
    )
    def test_where_it_does_not_hold_it_is_refused_and_said(self, f):
        x = np.array([0.4, -0.9, 1.3])
        report = check_gradient(f, 2 * x, x, mode="complex")
        assert report
        assert "does not hold" in str(report)
        assert check_gradient(f, 2.001 * x, x, mode="complex").verdict == "fail"

    def test_absolute_values_branches_and_variance_of_real_functions(self):
        x = np.random.default_rng(0).standard_normal((4, 3))
        for f in (
            lambda x: np.sum(np.abs(x) ** 3),
            lambda x: np.sum(np.where(x > 0, x**2, np.exp(x))),
            lambda x: np.sum(np.log(x.var(axis=0) + x.std())),
            lambda x: float(np.sum(np.max(x, axis=1) ** 2)),
        ):
            right = numeric_gradient(f, x)
            report = check_gradient(f, right, x, mode="complex", rtol=1e-3, atol=1e-6)
            assert report, report
            assert "confirmed by central differences" in str(report)

    def test_a_dict_gets_its_own_arrays_back(self):
        p = {"w": np.ones(3)}
        before = p["w"]
        check_gradient(lambda p: np.sum(p["w"] ** 2), {"w": 2 * before}, p, mode="complex")
        assert p["w"] is before
        assert before.dtype == np.float64


class TestDirections:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_large_arrays_cost_few_calls(self, dtype):
        x = np.random.default_rng(0).standard_normal((150, 100)).astype(dtype)
        report = check_gradient(np.sin, lambda d: d * np.cos(x), x)
        assert report, report
        assert report.mode == "directional"
        assert report.calls < 1500

    def test_what_could_be_missed_is_said_and_holds(self):
        rng = np.random.default_rng(0)
        x = rng.standard_normal(12_000)
        bound = check_gradient(lambda x: np.sum(np.sin(x)), np.cos(x), x).directional[0].bound
        for seed in range(3):
            wrong = np.cos(x)
            wrong[seed] += 10 * bound
            report = check_gradient(
                lambda x: np.sum(np.sin(x)), wrong, x, rng=np.random.default_rng(seed)
            )
            found = report.directional[0]
            assert report.verdict == "fail" or found.bound >= 10 * bound

    def test_a_deep_error_in_one_entry_of_many(self):
        x = np.random.default_rng(0).standard_normal(12_000)
        wrong = np.cos(x)
        wrong[777] *= 1.01
        report = check_gradient(lambda x: np.sum(np.sin(x)), wrong, x)
        assert report.verdict == "fail"
        assert "random direction" in str(report)


class TestReport:
    def report(self, names=None) -> GradientReport:
        x = np.random.default_rng(0).standard_normal((3, 4))
        wrong = np.cos(x)
        wrong[1, 2] *= 2
        return check_gradient(lambda x: np.sum(np.sin(x)), wrong, x, names=names)

    def test_it_is_true_only_for_a_pass(self):
        assert not self.report()
        assert bool(check_gradient(np.sum, np.ones(2), np.ones(2))) is True

    def test_it_names_the_entry_and_both_numbers(self):
        report = self.report()
        worst = report.worst(1)[0]
        assert (worst.name, worst.index, worst.verdict) == ("x", (1, 2), "fail")
        assert worst.analytic == pytest.approx(2 * worst.numeric)
        assert worst.error_bar < 1e-8
        assert "wrong in 1 of 12 entries" in str(report)
        assert "x[1, 2]" in str(report)

    def test_html_is_escaped_and_has_no_scripts(self):
        page = self.report(names=["<script>alert(1)</script>"])._repr_html_()
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert page.count("<rect") == 12

    def test_html_of_every_verdict(self):
        for report in (
            check_gradient(np.sum, np.ones(2), np.ones(2)),
            check_gradient(np.sum, np.ones((2, 1)), np.ones(2)),
            check_gradient(np.abs, lambda d: d, np.zeros(2)),
        ):
            assert report.headline().split(":")[0] in report._repr_html_()

    def test_error_bars_hold(self):
        """The true slope of a known function lies within the bar that is stated."""
        x = np.random.default_rng(2).uniform(-2, 2, 300)
        for f, df in ((np.sin, np.cos), (np.exp, np.exp), (np.tanh, lambda v: 1 - np.tanh(v) ** 2)):
            leaf = check_gradient(f, lambda d, df=df: df(x) * d, x, np.ones(300)).leaves[0]
            assert np.all(np.abs(leaf.numeric - df(x)) <= leaf.error_bars + 1e-15)

    def test_importing_it_loads_no_matplotlib(self):
        code = "import sys, cs_nn.gradcheck; print('matplotlib' in sys.modules)"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert run.stdout.strip() == "False", run.stderr


class TestTextbook:
    def test_numeric_gradient_of_a_known_function(self):
        x = np.random.default_rng(0).standard_normal((3, 4))[:, ::2]
        assert relative_error(numeric_gradient(lambda x: np.sum(x**3), x), 3 * x**2) < 1e-8

    def test_numeric_gradient_puts_x_back_when_f_raises(self):
        x = np.array([0.1, 0.2, -0.0])
        before = x.tobytes()
        calls = []

        def f(x):
            calls.append(1)
            return 1 / (4 - len(calls))

        with pytest.raises(ZeroDivisionError):
            numeric_gradient(f, x)
        assert x.tobytes() == before

    def test_numeric_gradient_refuses_integers(self):
        with pytest.raises(TypeError):
            numeric_gradient(np.sum, np.array([1, 2]))

    def test_relative_error_is_the_largest(self):
        assert relative_error(np.array([1.0, 2.0]), np.array([1.0, 1.0])) == pytest.approx(1 / 3)
        assert relative_error(np.zeros(2), np.zeros(2)) == 0
        assert relative_error(np.array([1e-9]), np.array([0.0])) == pytest.approx(0.1)

    def test_relative_error_does_not_broadcast(self):
        with pytest.raises((ValueError, TypeError)):
            relative_error(np.ones(3), np.ones((3, 1)))

    def test_error_against_step_shows_both_valleys(self):
        steps = 10.0 ** np.arange(-14, 0)
        forward, central = error_against_step(np.exp, np.exp, 1.0, steps)
        assert 1e-9 <= steps[np.argmin(forward)] <= 1e-7
        assert 1e-7 <= steps[np.argmin(central)] <= 1e-4
        assert central.min() < forward.min() / 10
        with pytest.raises(ValueError, match="choose another x"):
            error_against_step(np.cos, lambda x: 0.0, 0.0, steps)
