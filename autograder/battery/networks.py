"""Conversations with layers and small networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.battery.classes import LINES, script, second_use
from autograder.battery.compare import NO, YES, same
from autograder.battery.functions import CONDUCT
from autograder.battery.kind import Observed, arguments
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Handle, Object, Raised, Seed, Value


@script
def plain_layer(name: str, student: Student, case: Case) -> Observed:
    """A layer without parameters: forward, backward, update."""
    seen = Observed()
    given = arguments(case)
    x, dout = given["x"], given["dout"]
    aspects = ("out", "dx", "update")
    made = student.call(name, keep=True)
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(aspects, made.value)
        return seen
    layer = made.value
    seen.values["out"] = seen.note(student.call(layer, x, method="forward", names=("x",))).value
    back = seen.note(student.call(layer, dout, method="backward", names=("dout",)))
    seen.values["dx"] = back.value
    seen.values["update"] = student.call(layer, 0.1, method="update").raised or 1
    if CONDUCT in case.tags and isinstance(back.value, np.ndarray):
        other = student.call(name, keep=True).value
        student.call(layer, x, method="forward")
        student.call(other, 0.1 - 0.7 * x, method="forward")
        late = student.call(layer, dout, method="backward").value
        if not _same(back.value, late):
            seen.conduct.append(
                "gives another answer when a second layer runs forward in between "
                "(is something kept outside the object?)"
            )
        second_use(seen, student, layer, other, ((x[::-1] - 0.2,), (dout,)))
    return seen


def _same(a: Value, b: Value) -> bool:
    return (
        isinstance(a, np.ndarray)
        and isinstance(b, np.ndarray)
        and a.shape == b.shape
        and bool(np.array_equal(a, b, equal_nan=True))
    )


@script
def sequential(name: str, student: Student, case: Case) -> Observed:
    """``Sequential`` of layers that the grader plays: out, dx, who was updated, and once more
    on another x, when nothing must be updated that was not asked for.

    With ``nested`` in the case's extra, the first layers form a network of their own.
    """
    seen = Observed()
    given = arguments(case)
    x, dout, rate = given["x"], given["dout"], given["learning_rate"]
    updates: list[list[float]] = []
    layers: list[Any] = [
        student.hold(_tanh_layer(number, w, updates)) for number, w in enumerate(given["weights"])
    ]
    made = student.call(name, layers, keep=True)
    if case.extra.get("nested"):
        inner = student.call(name, layers[:2], keep=True)
        made = student.call(name, [inner.value, *layers[2:]], keep=True) if made.value else made
    aspects = ("out", "dx", "updates", "second pass")
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(aspects, made.value)
        return seen
    net = made.value
    seen.values["out"] = seen.note(student.call(net, x, method="forward", names=("x",))).value
    back = seen.note(student.call(net, dout, method="backward", names=("dout",)))
    seen.values["dx"] = back.value
    early = len(updates)
    raised = student.call(net, rate, method="update").raised
    asked = sorted(updates)
    out = student.call(net, x[::-1] - 0.2, method="forward").value
    dx = student.call(net, dout, method="backward").value
    late = len(updates) - len(asked)
    seen.values["updates"] = raised or {"early": early, "layers": asked, "late": late}
    raised = next((value for value in (out, dx) if isinstance(value, Raised)), None)
    seen.values["second pass"] = raised or [out, dx]
    if CONDUCT in case.tags and raised is None:
        student.call(name, layers[:1], keep=True)
        late = student.call(net, x[::-1] - 0.2, method="forward").value
        if not same(out, late, relative=1e-6):
            seen.conduct.append(
                "gives another answer when a second network is made in between "
                "(is something kept with the class?)"
            )
    return seen


def _tanh_layer(number: int, w: np.ndarray, updates: list[list[float]]) -> Object:
    """tanh(x·w) as an object with forward, backward and update."""
    kept: dict[str, np.ndarray] = {}

    def forward(now: dict[str, Value], x: Value) -> Value:
        kept["out"] = np.tanh(x @ w)
        return kept["out"].copy()

    def backward(now: dict[str, Value], dout: Value) -> Value:
        if "out" not in kept:
            raise ValueError("backward was called before forward")
        return (dout * (1 - kept["out"] ** 2)) @ w.T

    def update(now: dict[str, Value], learning_rate: Value) -> Value:
        updates.append([float(number), float(learning_rate)])

    return Object({}, {"forward": forward, "backward": backward, "update": update})


PARAMETERS = ("W1", "b1", "W2", "b2")


@script
def two_layer_net(name: str, student: Student, case: Case) -> Observed:
    """``TwoLayerNet``: how it starts, its scores, its loss and gradients at given weights."""
    seen = Observed()
    given = arguments(case)
    X, y, params = given["X"], given["y"], given["params"]
    gradients = [f"d{key}" for key in PARAMETERS]
    first = CONDUCT in case.tags
    aspects = ("parameters", *(STARTS if first else ()), "scores", "loss", *gradients)
    sizes = (*params["W1"].shape, params["W2"].shape[1])
    defaults = case.extra.get("defaults")
    options = {} if defaults else {"reg": given["reg"], "rng": Seed(int(given["seed"]))}
    made = student.call(name, *sizes, keep=True, **options)
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(aspects, made.value)
        return seen
    net = made.value
    if first:  # the parameters of a second network are its own
        student.call(name, *(size + 1 for size in sizes), keep=True, **options)
    start = student.read(net, "params")
    seen.values["parameters"] = _shapes(start)
    if first:
        seen.values |= _initial(name, student, given["weight_scale"], int(given["seed"]))
        seen.conduct += alike_without_rng(student, name, *sizes)
    unlike = student.call(net, X, method="loss").value
    _give(student, net, params)
    names = ("X", "y")
    seen.values["scores"] = seen.note(student.call(net, X, method="loss", names=names)).value
    if deaf(unlike, seen.values["scores"]):
        seen.values |= dict.fromkeys(("scores", "loss", *gradients), DEAF)
        return seen
    reply = seen.note(student.call(net, X, y, method="loss", names=names))
    seen.values |= _loss_and_gradients(reply.value)
    after = student.read(net, "params")
    if isinstance(after, dict) and reply.raised is None:
        changed = [k for k in PARAMETERS if not _same(after.get(k), params[k])]
        seen.conduct += [f"changes params[{k!r}] while it computes the loss" for k in changed]
    if first and reply.raised is None:
        again = _loss_and_gradients(student.call(net, X, y, method="loss").value)
        if not same(_loss_and_gradients(reply.value), again, relative=1e-6):
            seen.conduct.append("gives another answer when called again with the same input")
    return seen


DEAF = Raised(
    "Outputs", "the scores stay as before when the arrays in params are replaced by others"
)


def deaf(before: Value, after: Value) -> bool:
    """Whether scores are the same to the last bit before and after other weights were given."""
    return (
        isinstance(before, np.ndarray)
        and before.dtype.kind == "f"
        and bool(np.any(before))
        and _same(before, after)
    )


def alike_without_rng(student: Student, name: str, *sizes: int) -> list[str]:
    """The sentence about networks that are made without a generator and start alike."""
    starts = []
    for _ in range(2):
        made = student.call(name, *sizes, keep=True).value
        params = student.read(made, "params") if isinstance(made, Handle) else None
        starts.append(params.get("W1") if isinstance(params, dict) else None)
    one, other = starts
    if isinstance(one, np.ndarray) and np.any(one) and _same(one, other):
        return ["starts two networks alike though it is given no rng (has it a seed of its own?)"]
    return []


def _give(student: Student, net: Handle, params: dict[str, np.ndarray]) -> None:
    """Put weights into ``net.params`` key by key, as a teacher's check and an optimiser do."""
    held = student.call(net, "params", method="__getattribute__", keep=True).value
    for key, value in params.items():
        if isinstance(held, Handle):
            student.call(held, key, value, method="__setitem__")


def _shapes(params: Value) -> Value:
    if not isinstance(params, dict):
        return params
    return {
        key: list(value.shape) if isinstance(value, np.ndarray) else [-1]
        for key, value in params.items()
    }


def _loss_and_gradients(value: Value) -> dict[str, Value]:
    gradients = [f"d{key}" for key in PARAMETERS]
    if isinstance(value, Raised):
        return dict.fromkeys(("loss", *gradients), value)
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        text = "loss(X, y) should return two things, the loss and the gradients"
        return dict.fromkeys(("loss", *gradients), Raised("Outputs", text))
    loss, grads = value
    found: dict[str, Value] = {"loss": loss}
    for key in PARAMETERS:
        found[f"d{key}"] = grads.get(key) if isinstance(grads, dict) else None
    return found


STARTS = tuple(
    f"{key} {fact}"
    for key in ("W1", "W2")
    for fact in (
        "gives each unit weights of its own",
        "starts with standard deviation 0.001 by default",
        "starts with standard deviation weight_scale",
        "starts with mean 0",
        "is drawn from rng",
    )
) + ("biases start at 0",)
LINES |= dict.fromkeys(STARTS, "start")


def _initial(name: str, student: Student, scale: float, seed: int) -> dict[str, Value]:
    """What is true of the first weights.

    4,800 and 3,600 weights: their standard deviation is within 8 % of the true one but for one
    draw in 10^11, and so is their mean within a ninth of it.
    """

    def start(number: int, **options: Value) -> dict[str, np.ndarray] | Raised:
        net = student.call(name, 80, 60, 60, keep=True, rng=Seed(number), **options).value
        params = student.read(net, "params") if isinstance(net, Handle) else net
        if isinstance(params, Raised):
            return params
        good = isinstance(params, dict) and all(
            isinstance(params.get(key), np.ndarray) for key in PARAMETERS
        )
        return params if good else Raised("Outputs", "params should hold arrays W1, b1, W2 and b2")

    started = [start(seed)]
    started += [start(number, weight_scale=scale) for number in (seed, seed, seed + 1)]
    good = [params for params in started if not isinstance(params, Raised)]
    if len(good) < len(started):
        return dict.fromkeys(STARTS, next(p for p in started if isinstance(p, Raised)))
    plain, scaled, again, other = good
    facts = []
    for key in ("W1", "W2"):
        spread = float(scaled[key].std())
        alike = not np.ptp(scaled[key], axis=-1).any()
        facts += [
            not (alike and scaled[key].any()),
            abs(float(plain[key].std()) - 1e-3) <= 0.08e-3,
            abs(spread - scale) <= 0.08 * scale,
            abs(float(scaled[key].mean())) <= spread / 9,
            _same(scaled[key], again[key]) and not _same(scaled[key], other[key]),
        ]
    facts.append(not scaled["b1"].any() and not scaled["b2"].any())
    return {fact: YES if true else NO for fact, true in zip(STARTS, facts, strict=True)}
