"""The gradient checker finds what is wrong, lets pass what is right, and says what it cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.deep_relu_net import flatten, gradient, loss, make_net, unflatten
from cs_nn.gradcheck import check_gradient, relative_error
from cs_nn.gradcheck.slopes import FAIL


def affine(x, w, b):
    return x @ w + b


def affine_case(dtype=np.float64):
    rng = np.random.default_rng(7)
    x, w, b = (rng.standard_normal(s).astype(dtype) for s in ((4, 5), (5, 3), (3,)))
    return (x, w, b), lambda d: (d @ w.T, x.T @ d, d.sum(axis=0))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class TestRightGradientsPass:
    @given(
        st.lists(st.floats(-3, 3), min_size=1, max_size=6),
        st.lists(st.floats(-2, 2), min_size=1, max_size=5),
    )
    def test_polynomials(self, coefficients, points):
        p, x = np.polynomial.Polynomial(coefficients), np.array(points)
        report = check_gradient(p, lambda d: d * p.deriv()(x), x)
        assert report.verdict != "fail", report
        # Of an entry that is tiny beside the polynomial's terms a difference cannot be sure.
        slopes = np.abs(p.deriv()(x))
        if np.all((slopes > 1e-3) & (np.abs(x) > 1e-3)):
            assert report, report

    @given(st.integers(0, 2**32 - 1), st.sampled_from([np.float64, np.float32]))
    @settings(max_examples=25)
    def test_smooth_functions_of_arrays(self, seed, dtype):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((3, 4)).astype(dtype)
        w = rng.standard_normal((4, 2)).astype(dtype)
        h = np.tanh(x @ w)
        report = check_gradient(
            lambda x: np.tanh(x @ w), lambda d: (d * (1 - h**2)) @ w.T, x, rng=rng
        )
        assert report.verdict != "fail", report

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_a_tuple_is_a_list_of_arguments(self, dtype):
        x, backward = affine_case(dtype)
        report = check_gradient(affine, backward, x)
        assert report
        assert [leaf.name for leaf in report.leaves] == ["x", "w", "b"]

    def test_a_dict_is_one_argument(self):
        net = make_net(0, sizes=(4, 6, 3), batch=5)
        report = check_gradient(lambda p: loss(net, p), gradient(net), net.params)
        assert report
        assert report.leaves[0].name == "W0"

    def test_a_function_that_looks_at_the_dict_instead_of_its_argument(self):
        net = make_net(0, sizes=(4, 6, 3), batch=5)
        assert check_gradient(lambda _: loss(net, net.params), gradient(net), net.params)

    def test_non_contiguous_arrays(self):
        rng = np.random.default_rng(0)
        x = rng.standard_normal((6, 8))[::2, ::-2].T
        assert check_gradient(np.sin, lambda d: d * np.cos(x), x)

    def test_zero_gradients_at_a_stationary_point(self):
        assert check_gradient(lambda x: np.sum(x**2), np.zeros(3), np.zeros(3))
        assert check_gradient(lambda x: np.sum(x**3), np.zeros(3), np.zeros(3))

    def test_a_bias_before_batch_normalisation_is_zero_but_for_round_off(self):
        rng = np.random.default_rng(3)
        X = rng.standard_normal((8, 4))

        def f(b):
            h = X + b
            return np.sum(np.tanh((h - h.mean(axis=0)) / np.sqrt(h.var(axis=0) + 1e-5)))

        report = check_gradient(f, np.full(4, -1.4e-17), rng.standard_normal(4), atol=1e-12)
        assert report, report

    def test_steep_and_flat_functions_choose_their_own_step(self):
        x = np.array([0.3, 0.7])
        for scale in (1e-3, 1.0, 300.0):
            report = check_gradient(
                lambda x, s=scale: np.sin(s * x), lambda d, s=scale: d * s * np.cos(s * x), x
            )
            assert report, report

    @pytest.mark.parametrize("seed", range(4))
    def test_deep_relu_nets_with_hinge_loss(self, seed):
        net = make_net(seed, sizes=(12, 16, 16, 16, 10), batch=8)
        report = check_gradient(lambda p: loss(net, p), gradient(net), net.params)
        assert report.verdict == "pass", report

    @pytest.mark.nightly
    def test_no_false_alarm_in_a_million_entries(self):
        entries = 0
        for seed in range(200):
            net = make_net(seed)
            report = check_gradient(
                lambda p, net=net: loss(net, p), gradient(net), net.params, mode="entries"
            )
            assert report.verdict != "fail", report
            entries += sum(leaf.analytic.size for leaf in report.leaves)
        assert entries >= 1_000_000


class TestWrongGradientsFail:
    def test_the_report_says_which_array_and_how_much(self):
        x, backward = affine_case()

        def mean_for_sum(d):
            dx, dw, db = backward(d)
            return dx, dw, db / 4

        report = check_gradient(affine, mean_for_sum, x)
        assert report.verdict == "fail"
        assert [leaf.count(FAIL) for leaf in report.leaves] == [0, 0, 3]
        assert "1/4 of the true slope" in str(report)

    def test_a_forgotten_regularisation_is_named(self):
        w = np.random.default_rng(0).standard_normal((4, 3))
        report = check_gradient(
            lambda w: np.sum(np.sin(w)) + 0.05 * np.sum(w**2), np.cos(w), w, names=["w"]
        )
        assert "regularisation" in str(report)

    @pytest.mark.parametrize("shape", [(1, 3), (3, 1), ()])
    def test_shapes_are_compared_and_never_broadcast(self, shape):
        x, backward = affine_case()
        report = check_gradient(affine, lambda d: (*backward(d)[:2], np.zeros(shape)), x)
        assert report.verdict == "fail"
        assert str(shape) in report.headline()
        assert "(3,)" in report.headline()

    def test_missing_and_superfluous_gradients(self):
        p = {"W": np.ones((2, 2)), "b": np.ones(2)}
        f = lambda p: np.sum(p["W"]) + np.sum(p["b"])  # noqa: E731
        missing = check_gradient(f, {"W": np.ones((2, 2))}, p)
        extra = check_gradient(f, {**p, "c": np.ones(2)}, p)
        assert missing.verdict == extra.verdict == "fail"
        assert "no gradient for b" in str(missing)
        assert "gradients for c" in str(extra)

    def test_nan_in_the_gradient(self):
        report = check_gradient(lambda x: np.sum(x), np.array([1.0, np.nan]), np.ones(2))
        assert report.verdict == "fail"
        assert "x[1]" in str(report)

    def test_a_factor_in_the_softmax_jacobian_that_a_sum_hides(self):
        x = np.random.default_rng(0).standard_normal((3, 4))
        p = softmax(x)

        def three_times(d):
            return 3 * p * (d - np.sum(d * p, axis=1, keepdims=True))

        assert relative_error(np.zeros(x.shape), three_times(np.ones(x.shape))) < 1e-6
        assert check_gradient(softmax, three_times, x).verdict == "fail"
        assert check_gradient(softmax, lambda d: three_times(d) / 3, x)

    def test_four_times_too_large_in_the_tiniest_entry_of_a_deep_net(self):
        net = make_net(1, sizes=(8, 12, 12, 5), batch=6)
        flat = flatten(gradient(net))
        tiny = np.argmin(np.where(np.abs(flat) > 1e-12, np.abs(flat), np.inf))
        flat[tiny] *= 4
        report = check_gradient(lambda p: loss(net, p), unflatten(net, flat), net.params)
        assert report.verdict == "fail"
        assert sum(leaf.count(FAIL) for leaf in report.leaves) == 1

    def test_the_smaller_of_two_terms_missing_in_float32(self):
        x = np.random.default_rng(0).standard_normal(10).astype(np.float32)
        report = check_gradient(lambda x: np.sin(x) + x / 10, lambda d: d * np.cos(x), x)
        assert report.verdict == "fail"


class TestOneEntryOffByOneInTenThousand:
    """Caught whatever its size beside the rest, as far as float64 permits; never passed."""

    @pytest.mark.parametrize("power", range(0, 25, 2))
    @pytest.mark.parametrize("kinked", [False, True])
    @pytest.mark.parametrize("opaque", [False, True])
    def test_it_is_never_passed(self, power, kinked, opaque):
        x = np.random.default_rng(power).standard_normal(12) * 2
        size = np.ones(12)
        size[5] = 10.0**-power

        def f(x):
            x = np.asarray(x, dtype=float) if opaque else x  # the complex step ends here
            return np.sum(size * (np.abs(x - 0.3) if kinked else np.sin(x)))

        right = size * (np.sign(x - 0.3) if kinked else np.cos(x))
        wrong = right.copy()
        wrong[5] *= 1 + 1e-4
        correct, faulty = check_gradient(f, right, x), check_gradient(f, wrong, x)
        assert correct.verdict != "fail", correct
        assert faulty.verdict != "pass", faulty
        if power <= 8:
            assert (correct.verdict, faulty.verdict) == ("pass", "fail")
