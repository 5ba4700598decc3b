"""``check_gradient``: from a function and a gradient to a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cs_nn.arrays import Array
from cs_nn.gradcheck.complexstep import ComplexSlope, ComplexStep, NotAnalytic, agrees
from cs_nn.gradcheck.directions import Directional, check_directions
from cs_nn.gradcheck.report import GradientReport, LeafReport
from cs_nn.gradcheck.sampling import EntryLine, Sampler, Unusable, typical_size
from cs_nn.gradcheck.slopes import (
    FAIL,
    INCONCLUSIVE,
    KINK,
    PASS,
    UNCHECKED,
    Finding,
    Tolerance,
    first_step,
    measure,
    settle,
)
from cs_nn.gradcheck.structure import match_gradient, read_inputs

MODES = ("auto", "entries", "directional", "complex")


def check_gradient(
    f: Callable[..., Any],
    grad: Any,
    x: Any,
    upstream: Any = None,
    *,
    rng: np.random.Generator | None = None,
    names: Sequence[str] | None = None,
    mode: str = "auto",
    rtol: float | None = None,
    atol: float = 0.0,
    max_entries: int = 10_000,
    directions: int = 8,
) -> GradientReport:
    """Compare ``grad`` with the slopes of ``f`` at ``x``, entry by entry, each with its error bar.

    ``x``: a float64 or float32 array of any shape; or a dict of arrays, handed to ``f`` as one
        argument (``net.params``); or a tuple of arrays, handed over as f(*x). Steps are taken in
        the arrays themselves, and afterwards they are bit for bit what they were, also when ``f``
        raises.
    ``f``: returns one number or one array. Its array is weighted with ``upstream`` and summed.
    ``grad``: the gradient in the structure and shapes of ``x``; or a function of the upstream
        gradient that returns it (``lambda dout: affine_backward(dout, cache)``).
    ``upstream``: of f's output shape; by default standard normal numbers from ``rng`` (always the
        same ones without ``rng``) where ``grad`` is a function, since a sum of the outputs, an
        upstream of ones, hides errors (of softmax, of batch normalisation).
    ``mode``: "entries" measures every entry by central differences and, for the few they cannot
        decide, by complex step where f allows; "complex" measures all by complex step where
        central differences confirm it; "directional" takes ``directions`` random directions
        through each array and a sample of its entries; "auto" is "entries" up to
        ``max_entries`` entries, "directional" above.
    ``rtol``: the relative error of an entry that must not pass, 1e-4 by default, 1e-2 where
        float32 is involved. An entry fails when it is certainly off by more than half of it.
    ``atol``: an absolute error that may pass; needed where a gradient is zero but for round-off
        (a bias before batch normalisation).

    The verdict is "fail" when an entry certainly is wrong, else "inconclusive" when one could not
    be decided, else "pass". Entries at kinks of ``f`` are left out, with a note. What makes ``f``
    uncheckable (other values at a second call, nan, a changed input) is said in ``.problem``.

    Raises TypeError or ValueError for arguments that make no sense, with the remedy; and what
    ``f`` or ``grad`` raise.
    Source: Richardson 1911 and Ridders 1982 (extrapolation), Moré and Wild 2011 (noise), Squire
    and Trapp 1998 (complex step).
    """
    if mode not in MODES:
        raise ValueError(f'mode {mode!r}: choose "auto", "entries", "directional" or "complex".')
    rng = rng or np.random.default_rng(0)
    inputs = read_inputs(f, x, names)
    size = sum(leaf.array.size for leaf in inputs.leaves)
    if mode == "auto":
        mode = "entries" if size <= max_entries else "directional"
    sampler = None
    try:
        sampler = Sampler(f, inputs)
        weights = _upstream(sampler, grad, upstream, rng)
        gradients, mismatch = _gradients(sampler, grad, weights)
        if mismatch:
            return GradientReport("fail", [], problem=mismatch, mode=mode, calls=sampler.calls)
        # Steps may leave the domain or overflow; what comes back is looked at, warnings are not.
        with np.errstate(all="ignore"):
            sampler.prepare(weights)
            tolerances = _tolerances(sampler, gradients, rtol, atol)
            report = Check(sampler, gradients, tolerances, rng).run(mode, directions)
            _same_as_before(sampler)
        return report
    except Unusable as problem:
        calls = sampler.calls if sampler else 1
        return GradientReport("inconclusive", [], problem=str(problem), mode=mode, calls=calls)
    finally:
        if sampler:
            sampler.restore()


@dataclass
class Check:
    """One check in progress: the verdicts so far, and the ways to reach more of them."""

    sampler: Sampler
    gradients: list[Array]
    tolerances: list[Tolerance]
    rng: np.random.Generator
    findings: dict[tuple[int, int], Finding] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def run(self, mode: str, directions: int) -> GradientReport:
        directional: list[Directional] = []
        for leaf, gradient in enumerate(self.gradients):
            chosen: Any = range(gradient.size)
            if mode == "directional" and gradient.size > 64:
                directional.append(
                    check_directions(
                        self.sampler, leaf, gradient, self.tolerances[leaf], self.rng, directions
                    )
                )
                chosen = self._spots(gradient)
            self._measure(leaf, chosen)
        self._refine_by_complex_step(everywhere=mode == "complex")
        leaves = [self._leaf_report(leaf) for leaf in range(len(self.gradients))]
        rtol = 2 * self.tolerances[0].relative
        return GradientReport.of(leaves, directional, self.notes, mode, self.sampler.calls, rtol)

    def _spots(self, gradient: Array) -> Array:
        """The 16 largest, the 16 smallest that are not zero, and 32 more by chance."""
        flat = np.abs(gradient).ravel()
        order = np.argsort(flat)
        order = order[flat[order] > 0]
        chance = self.rng.choice(flat.size, size=32, replace=False)
        return np.unique(np.concatenate([order[:16], order[-16:], chance]))

    def _measure(self, leaf: int, entries: Any) -> None:
        sampler, tolerance = self.sampler, self.tolerances[leaf]
        array = sampler.inputs.leaves[leaf]
        typical = typical_size(sampler.saved[leaf])
        gradient = self.gradients[leaf].ravel()
        eps = sampler.eps
        for index in entries:
            analytic = float(gradient[index])
            line = EntryLine(array, int(index), typical)
            slope = measure(sampler, line, first_step(line, eps), 2, analytic)
            if tolerance.judge(analytic, slope) == PASS:
                finding = Finding(PASS, slope)
            else:
                finding = settle(sampler, line, analytic, tolerance, slope)
            self.findings[leaf, int(index)] = finding

    def _refine_by_complex_step(self, everywhere: bool) -> None:
        """Where central differences leave a doubt, or a fail could be a kink that cancels."""
        wanted = [
            key
            for key, found in self.findings.items()
            if (everywhere and found.verdict != KINK) or found.verdict == INCONCLUSIVE
        ]
        failed = [key for key, found in self.findings.items() if found.verdict == FAIL]
        if len(failed) <= 256:  # more than that is no accident of kinks
            wanted += [key for key in failed if not everywhere]
        if not wanted:
            return
        largest = sorted(
            (key for key, found in self.findings.items() if found.verdict == PASS),
            key=lambda key: -abs(self.findings[key].slope.value),
        )
        stepper = ComplexStep(self.sampler.f, self.sampler.inputs, self.sampler.weights)
        slopes: dict[tuple[int, int], ComplexSlope] = {}
        try:
            for key in {*wanted, *largest[:8]}:
                slopes[key] = stepper.slope(*key)
                if not slopes[key].kink and not agrees(slopes[key].slope, self.findings[key].slope):
                    raise NotAnalytic("central differences contradict it")
        except NotAnalytic as refusal:
            if everywhere:
                self.notes.append(
                    f"The complex step does not hold here: {refusal}. Central differences were "
                    "used instead."
                )
            return
        finally:
            self.sampler.calls += stepper.calls
        for key in wanted:
            self._accept(key, slopes[key])
        if everywhere:
            self.notes.append("Slopes by complex step, confirmed by central differences.")

    def _accept(self, key: tuple[int, int], found: ComplexSlope) -> None:
        analytic = float(self.gradients[key[0]].flat[key[1]])
        if found.kink or (found.tie and self.findings[key].verdict != PASS):
            self.findings[key] = Finding(KINK, found.slope)
            return
        tolerance = self.tolerances[key[0]]
        verdict = tolerance.judge(analytic, found.slope)
        if verdict == INCONCLUSIVE and tolerance.is_zero(analytic, found.slope):
            verdict = PASS
        if self.findings[key].verdict == FAIL and verdict != FAIL:
            verdict = INCONCLUSIVE
        reason = (
            "off by no more than round-off in the gradient can explain"
            if verdict == INCONCLUSIVE
            else ""
        )
        self.findings[key] = Finding(verdict, found.slope, reason)

    def _leaf_report(self, leaf: int) -> LeafReport:
        gradient = self.gradients[leaf]
        report = LeafReport.empty(
            self.sampler.inputs.leaves[leaf].name, gradient, self.sampler.saved[leaf]
        )
        for (owner, index), found in self.findings.items():
            if owner != leaf:
                continue
            report.numeric.flat[index] = found.slope.value
            report.error_bars.flat[index] = found.slope.bar
            report.codes.flat[index] = found.verdict
            report.left.flat[index], report.right.flat[index] = found.slope.left, found.slope.right
            if found.reason:
                report.reasons[index] = found.reason
        if np.any(report.codes == UNCHECKED):
            checked = int(np.sum(report.codes != UNCHECKED))
            self.notes.append(
                f"{report.name}: {checked} of {gradient.size} entries checked singly."
            )
        return report


def _upstream(sampler: Sampler, grad: Any, upstream: Any, rng: np.random.Generator) -> Array:
    """The upstream gradient, of f's own shape: nothing is broadcast."""
    dtype = sampler.dtype if sampler.dtype.kind == "f" else np.dtype(np.float64)
    if upstream is not None:
        weights = np.asarray(upstream)
        if weights.shape != sampler.shape:
            raise ValueError(
                f"upstream has shape {weights.shape}, f returns shape {sampler.shape}: they must "
                "be the same."
            )
        if weights.dtype.kind not in "fiub" or not np.all(np.isfinite(weights)):
            raise ValueError("upstream must hold finite real numbers.")
        return weights.astype(dtype)
    if int(np.prod(sampler.shape)) == 1:
        return np.ones(sampler.shape, dtype)
    if not callable(grad):
        raise ValueError(
            f"f returns shape {sampler.shape}, so its gradient depends on an upstream gradient: "
            "pass the one that grad was computed with as upstream=, or pass grad as a function "
            "of it (lambda dout: backward(dout, cache))."
        )
    return rng.standard_normal(sampler.shape).astype(dtype)


def _gradients(sampler: Sampler, grad: Any, weights: Array) -> tuple[list[Array], str | None]:
    """The gradient of each leaf, or a sentence that says why it does not fit x."""
    analytic = grad
    if callable(grad):
        analytic = grad(weights.copy() if weights.ndim else weights[()])
    if changed := sampler.restore():
        raise Unusable(f"grad changes {' and '.join(changed)} while it computes: copy it first.")
    gradients, mismatch = match_gradient(sampler.inputs.leaves, analytic)
    if not mismatch and not any(gradient.size for gradient in gradients):
        raise Unusable("x has no entries: there is nothing to check.")
    return gradients, mismatch


def _tolerances(
    sampler: Sampler, gradients: list[Array], rtol: float | None, atol: float
) -> list[Tolerance]:
    eps = max(sampler.eps, *(leaf.eps for leaf in sampler.inputs.leaves))
    relative = rtol if rtol is not None else (1e-2 if eps > 1e-10 else 1e-4)
    sizes = [float(np.max(np.abs(gradient), initial=0.0)) for gradient in gradients]
    return [Tolerance(relative / 2, atol, max(sizes), size, eps) for size in sizes]


def _same_as_before(sampler: Sampler) -> None:
    """A function that is a little different after thousands of calls was never checked at all."""
    if changed := sampler.restore():
        raise Unusable(f"f changed {' and '.join(changed)} while it was being checked.")
    apart = float(np.max(np.abs(sampler() - sampler.base), initial=0.0))
    if apart > 64 * sampler.eps * float(np.max(np.abs(sampler.base), initial=0.0)):
        raise Unusable(
            f"f(x) is not what it was before the check, by {apart:.2g}: it carries a state from "
            "call to call (running statistics, a counter, a global). Give it a fresh one inside f."
        )
