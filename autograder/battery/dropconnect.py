"""DropConnect: the mask lies on the weights, and is read off by asking for one input at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.battery.compare import as_array, shape_text
from autograder.battery.dropout import Masked, cache_of, out_of
from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Observed, arguments, split
from autograder.battery.masks import (
    FIXED,
    INDEPENDENCE,
    OTHER_MASK,
    UNSEEDED,
    at_zeros,
    compare_draws,
    constant,
    fixed_number,
    quotient,
    read_mask,
    without_zeros,
)
from autograder.exercise import Case
from autograder.student import Reply, Student
from autograder.values import Raised, Value

NAMES = ("x", "w", "b")
ONE_MASK = "one mask for the batch"
STRANGE = "not what forward's weights give"


@dataclass(frozen=True)
class DropConnectForward(Masked):
    """``(x, w, b, dropconnect_param) -> (out, cache)``, out = x·(w∘mask/p) + b.

    With the rows of the identity as inputs the output is ``w∘mask/p + b``; each row is asked
    twice in one batch, because all examples share the mask.
    """

    param: str = "dropconnect_param"

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        small = [given[key] for key in NAMES]
        p, (seed, other) = given[self.param]["p"], case.extra["seeds"]
        dtype = given["w"].dtype
        w = without_zeros(case.extra["wide"], dtype, seed)
        b = without_zeros((w.shape[1],), dtype, other)
        eye = np.eye(len(w), dtype=dtype)
        twice = np.concatenate([eye, eye, 0 * eye[:1]])

        def forward(things: Sequence[np.ndarray], **settings: Value) -> Value:
            param = {"p": p, "mode": "train"} | settings
            names = (*NAMES, self.param)
            reply = student.call(name, *things, param, names=names, keep=[1], after=[self.param])
            seen.settings(reply, {self.param: param}, self.param)
            return out_of(seen.note(reply))

        out = forward([twice, w, b], seed=seed)
        mask, seen.values["bias"] = _weights_times(out, b, np.concatenate([w, w]))
        first = mask[: len(w)] if isinstance(mask, np.ndarray) else mask
        seen.values |= read_mask(first, p)
        seen.values[ONE_MASK] = mask
        if isinstance(mask, np.ndarray):
            alike = np.allclose(mask[: len(w)], mask[len(w) :], rtol=1e-4, atol=1e-4)
            seen.values[ONE_MASK] = "yes" if alike else "each example has a mask of its own"
        if not case.check:
            again = [twice, w, b]
            seen.values["same seed"] = compare_draws(out, forward(again, seed=seed))
            seen.values["another seed"] = compare_draws(out, forward(again, seed=other))
            none = [forward(again, seed=0) for _ in range(2)]
            seen.values["seed 0"] = compare_draws(*none)
            seen.values["no seed"] = compare_draws(forward(again), forward(again))
            few = [np.eye(6, 5, dtype=dtype), w[:5, :8], b[:8]]
            masks = [_weights_times(forward(few), few[2], few[1])[0] for _ in range(24)]
            if fixed_number(masks):
                seen.values[INDEPENDENCE] = FIXED
        seen.values["p = 1"] = forward(small, seed=seed, p=1.0)
        seen.values["test mode"] = forward(small, seed=seed, mode="test")
        return seen

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        lines = {"scale": "values", "p = 1": "values", "bias": "values", "test mode": "test mode"}
        return {a: lines.get(a, "seed" if "seed" in a else "mask") for a in aspects}


@dataclass(frozen=True)
class DropConnectBackward(Masked):
    """``(dout, cache) -> (dx, dw, db)``, held against the weights that forward really used.

    They follow from the output: ``out − b`` is linear in x, and there are more examples than
    inputs.
    """

    param: str = "dropconnect_param"
    forward: str = "dropconnect_forward"

    def needs(self) -> tuple[str, ...]:
        return (self.forward,)

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        return {a: "test mode" if "test mode" in a else a[:2] for a in aspects}

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = Observed()
        given = arguments(case)
        things, dout = [given[key] for key in NAMES], case.extra["dout"]
        x, w, b = things
        param = dict(given[self.param]) | {"seed": case.extra["seeds"][0]}
        rows = np.asarray(x, dtype=np.float64).reshape(len(x), -1)

        def run(**settings: Value) -> tuple[Reply, Reply | None]:
            forward = student.call(self.forward, *things, param | settings, keep=[1])
            cache = cache_of(forward)
            if cache is None:
                return forward, None
            back = seen.note(student.call(name, dout, cache, names=("dout", "cache")))
            if CONDUCT in case.tags and settings["mode"] == "train":
                student.call(self.forward, *things, param | {"mode": "test"}, keep=[1])
                late = student.call(name, dout, cache).value
                if not self.same_answer("", back.value, late):
                    seen.conduct.append(
                        "gives another answer when a second forward pass comes between "
                        "(is something kept outside the cache?)"
                    )
            return forward, back

        forward, back = run(mode="train")
        if back is None:
            seen.waits = self.forward
            return seen
        used = _weights_used(out_of(forward), rows, b)
        answer = split(back.value, ("dx", "dw", "db"))
        seen.values["dx"] = _input_gradient(answer["dx"], x, dout, used, w)
        seen.values |= _weight_gradient(answer["dw"], rows.T @ dout, used, w)
        if not case.check:
            seen.values[UNSEEDED] = self._without_seed(name, student, given)
            seen.values["dw where w is 0"] = self._at_zeros(name, student, param)
        seen.values["db"] = answer["db"]
        for when, settings in (
            (" with p = 1", {"mode": "train", "p": 1.0}),
            (" in test mode", {"mode": "test"}),
        ):
            back = run(**settings)[1]
            exact = split(back.value if back else None, ("dx", "dw", "db"))
            seen.values |= {key + when: exact[key] for key in ("dx", "dw")}
        return seen

    def _without_seed(self, name: str, student: Student, given: Mapping[str, Value]) -> Value:
        """Whether dx flows through the weights that forward used, drawn without a seed."""
        rng = np.random.default_rng(3)
        x, b, dout = rng.normal(size=(28, 20)), rng.normal(size=30), rng.normal(size=(28, 30))
        w = rng.uniform(1, 2, (20, 30))
        param = dict(given[self.param]) | {"mode": "train"}
        forward = student.call(self.forward, x, w, b, param, keep=[1])
        cache, used = cache_of(forward), _weights_used(out_of(forward), x, b)
        if cache is None or isinstance(used, str):
            return "wrong as elsewhere"
        dx = split(student.call(name, dout, cache).value, ("dx", "dw", "db"))["dx"]
        if isinstance(dx, Raised):
            return dx
        claimed = _input_gradient(dx, x, dout, used, w)
        return OTHER_MASK if claimed == STRANGE else "the mask of forward"

    def _at_zeros(self, name: str, student: Student, param: dict[str, Value]) -> Value:
        """Whether a weight that is 0 gets its gradient as often as others do."""
        rng = np.random.default_rng(int(param["seed"]))
        x, b, dout = rng.normal(size=(28, 20)), rng.normal(size=30), rng.normal(size=(28, 30))
        w = rng.uniform(1, 2, (20, 30)) * (np.arange(600).reshape(20, 30) % 2)
        forward = student.call(self.forward, x, w, b, param | {"mode": "train"}, keep=[1])
        cache, used = cache_of(forward), _weights_used(out_of(forward), x, b)
        if cache is None or isinstance(used, str):
            return "wrong as elsewhere"
        dw = split(student.call(name, dout, cache).value, ("dx", "dw", "db"))["dw"]
        claimed = quotient(dw, x.T @ dout)
        if isinstance(claimed, np.ndarray):
            claimed = np.where(np.abs(claimed) < 1e-9, 0.0, claimed)
        with np.errstate(all="ignore"):
            return at_zeros(claimed, used / w, w)


def _weights_times(out: Value, b: np.ndarray, w: np.ndarray) -> tuple[Value, Value]:
    """(out − b)/w for inputs that are rows of identities, 0 where only rounding is left; and by
    what factor the bias is there for the input 0, which comes last."""
    array = as_array(out)
    if isinstance(out, Raised):
        return out, out
    if array is None or array.shape != (len(w) + 1, len(b)):
        what = "no array" if array is None else shape_text(array)
        misfit = Raised("Outputs", f"out is {what}, expected shape {(len(w) + 1, len(b))}")
        return misfit, misfit
    array = array.astype(np.float64)
    bias = constant(array[-1] / b, "not b")
    ratio = (array[:-1] - (array[-1] if isinstance(bias, float) else b)) / w
    return np.where(np.abs(ratio) < 1e-5, 0.0, ratio), bias


def _weights_used(out: Value, rows: np.ndarray, b: np.ndarray) -> np.ndarray | str:
    array = as_array(out)
    if array is None or array.shape != (len(rows), len(b)):
        return "out of the forward pass has another shape"
    target = array.astype(np.float64) - b
    used = np.linalg.lstsq(rows, target, rcond=None)[0]
    if not np.allclose(rows @ used, target, rtol=1e-3, atol=1e-3 * np.abs(target).max()):
        return "the forward pass uses no single mask for w"
    return np.where(np.abs(used) < 1e-4 * np.abs(used).max(initial=1e-300), 0.0, used)


def _input_gradient(
    claimed: Value, x: np.ndarray, dout: np.ndarray, used: np.ndarray | str, w: np.ndarray
) -> Value:
    """By what factor dx is what the weights in use give."""
    array = as_array(claimed)
    if isinstance(used, str) or isinstance(claimed, Raised):
        return claimed if isinstance(claimed, Raised) else used
    if array is None or array.shape != x.shape:
        what = "no array" if array is None else shape_text(array)
        return Raised("Outputs", f"dx has shape {what}, expected {shape_text(x)}")
    for weights, word in ((used, ""), (w.astype(float), "as if no weight were dropped")):
        factor = _factor(array, (dout @ weights.T).reshape(x.shape))
        if factor is not None:
            return word or factor
    return STRANGE


def _factor(claimed: np.ndarray, own: np.ndarray) -> float | None:
    """The constant between two arrays, if there is one; sums of float32 may be off by 1e-4."""
    size = np.abs(own).max(initial=0.0)
    if np.abs(claimed).max(initial=0.0) <= 1e-4 * size:
        return 0.0
    factor = float(np.vdot(own, claimed) / max(np.vdot(own, own), 1e-300))
    near = np.allclose(claimed, factor * own, rtol=1e-3, atol=1e-4 * size * abs(factor))
    return float(f"{factor:.4g}") if near else None


def _weight_gradient(
    claimed: Value, dense: np.ndarray, used: np.ndarray | str, w: np.ndarray
) -> dict[str, Value]:
    """dw over xᵀ·dout, where weights were kept (over forward's scale) and where not."""
    names = ("dw where kept", "dw where dropped")
    array = as_array(claimed)
    if isinstance(used, str) or isinstance(claimed, Raised):
        return dict.fromkeys(names, claimed if isinstance(claimed, Raised) else used)
    if array is None or array.shape != w.shape:
        what = "no array" if array is None else shape_text(array)
        misfit = Raised("Outputs", f"dw has shape {what}, expected {shape_text(w)}")
        return dict.fromkeys(names, misfit)
    kept = used != 0
    if kept.all() or not kept.any():
        word = "the forward pass drops " + ("nothing" if kept.any() else "everything")
        return dict.fromkeys(names, word)
    scale = float(np.median((used / w)[kept]))
    odd = "not a multiple of what the affine layer gives"
    inside = _factor(array[kept], scale * dense[kept])
    outside = _factor(array[~kept], dense[~kept])
    return dict(zip(names, (odd if f is None else f for f in (inside, outside)), strict=True))
