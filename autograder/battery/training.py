"""Conversations about training: descent on a bowl, snapshots, averages, features, a ConvNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.battery.classes import DISTURBED, recogniser, script
from autograder.battery.compare import as_array, same
from autograder.battery.kind import Observed, Trial, arguments
from autograder.battery.networks import alike_without_rng
from autograder.battery.series import as_series
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Function, Handle, Object, Provided, Raised, Value


def bowl(params: Mapping[str, Value], targets: Mapping[str, Value]) -> Object:
    """A network whose loss is half the squared distance to its targets, and half the squared sum
    of their mean distances, so that each gradient depends on all parameters; larger or smaller
    with the examples it is shown: ``loss(X, y) -> (loss, grads)``, ``loss(X) -> scores``."""

    def loss(now: Mapping[str, Value], X: Value, y: Value = None) -> Value:
        if y is None:
            return np.zeros((len(X), 3))
        away = {key: now["params"][key] - targets[key] for key in targets}
        size = 1 + float(np.mean(X)) / 4 + float(np.sum(X[:, 0] * y)) / 20
        joint = sum(float(np.mean(d)) for d in away.values())
        # From the last layer to the first, as back-propagation finds them.
        grads = {key: size * (d + joint / d.size) for key, d in reversed(away.items())}
        total = sum(float(np.sum(d**2)) for d in away.values()) + joint**2
        return 0.5 * size * total, grads

    return Object({"params": dict(params)}, {"loss": loss})


@script
def descent(name: str, student: Student, case: Case) -> Observed:
    """``overfit_small_batch`` and ``fine_tune``: the losses, and each parameter afterwards."""
    seen = Observed()
    given = arguments(case)
    params = given.pop("params")
    net = student.hold(bowl(params, given.pop("targets")))
    names = ("net", *given)
    kept = [key for key, value in given.items() if isinstance(value, Mapping)]
    after = ("net", *kept)
    reply = seen.note(student.call(name, net, *given.values(), names=names, after=after))
    seen.keeps(reply, given, kept)
    losses = reply.value
    seen.values["losses"] = as_series(losses) if isinstance(losses, (list, tuple)) else losses
    after = student.read(net, "params")
    for key in params:
        fine = isinstance(after, Mapping)
        seen.values[f"{key} at the end"] = reply.raised or (after.get(key) if fine else after)
    return seen


@recogniser("descent")
def _about_descent(
    aspect: str, wrong: Sequence[tuple[Trial, Value]]
) -> tuple[str, str, str] | None:
    """Parameters that move or stay against the rule, losses that go wrong after the first."""
    trial, got = wrong[0]
    args, value = trial.case.args, as_array(got)
    if value is None:
        return None
    if aspect == "losses":
        e = as_array(trial.expected.values[aspect])
        if e is None or value.ndim != 1 or value.dtype.kind != "f":
            return None
        if len(value) != len(e):
            what = f"holds {len(value)} losses, expected {len(e)}"
            return "number-of-losses", what, "how many steps are made, and when does the loop end?"
        if len(e) > 1 and same(value[0], e[0], 1e-6):
            ask = "look at what the steps do to the parameters."
            return "losses-after-a-step", "is right before any step and wrong after one", ask
        return None
    key = aspect.removesuffix(" at the end")
    start, rates = args["params"].get(key), args.get("learning_rates")
    moved = start is not None and not same(value, start, 1e-12)
    if rates is not None and key not in rates and moved:
        what = "has moved, though learning_rates does not name it"
        return "moves-without-a-rate", what, "what is the rate of a parameter that is not named?"
    if not moved:
        what = "is where it was at the start"
        return "never-moves", what, f"does a new {key} ever get into net.params?"
    ask = "look at its first step: at which point is the gradient taken, and with which rate?"
    return "losses-after-a-step", "does not end where the steps should take it", ask


@script
def snapshots(name: str, student: Student, case: Case) -> Observed:
    """``snapshot_ensemble`` on a network that each cycle changes in place, from where it is."""
    seen = Observed()
    given = arguments(case)
    moves: list[Mapping[str, np.ndarray]] = given["moves"]
    run: list[int] = []

    def run_cycle(params: Value) -> Value:
        run.append(len(run))
        move = moves[min(len(run), len(moves)) - 1]
        return {key: np.asarray(params[key]) / 2 + move[key] for key in move}

    net = student.hold(Object({"params": given["params"]}))
    count = int(given["cycles"])
    reply = student.call(name, net, Function(run_cycle, "run_cycle", into="params"), count)
    value = reply.value
    seen.values["cycles run"] = reply.raised or len(run)
    good = isinstance(value, (list, tuple))
    seen.values["number of snapshots"] = len(value) if good else value
    for place, number in (("first", 0), ("second", 1), ("last", -1)):
        inside = good and -len(value) <= number < len(value)
        seen.values[f"{place} snapshot"] = value[number] if inside else reply.raised
    return seen


@script
def running_average(name: str, student: Student, case: Case) -> Observed:
    """``ParameterAverage``: the average at first and after each update, while the arrays that it
    was given go on changing."""
    seen = Observed()
    given = arguments(case)
    updates: Sequence[Mapping[str, np.ndarray]] = given["updates"]
    start = student.hold(given["params"])
    made = student.call(name, start, given["decay"], keep=True, names=("params", "decay"))
    aspects = ["average at first", *(f"average after step {k + 1}" for k in range(len(updates)))]
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(aspects, made.value)
        return seen
    _disturb(student, start, given["params"])
    first = student.read(made.value, "average")
    others = {key: value + 2 for key, value in given["params"].items()}
    student.call(name, others, given["decay"], keep=True)
    if not same(student.read(made.value, "average"), first, 1e-12):
        seen.values = dict.fromkeys(aspects, DISTURBED)
        return seen
    seen.values[aspects[0]] = first
    for aspect, params in zip(aspects[1:], updates, strict=True):
        held = student.hold(params)
        reply = seen.note(student.call(made.value, held, method="update", names=("params",)))
        _disturb(student, held, params)
        seen.values[aspect] = reply.raised or student.read(made.value, "average")
    return seen


def _disturb(student: Student, held: Handle, params: Mapping[str, np.ndarray]) -> None:
    """Change the arrays of a kept dictionary in place, as an optimiser may."""
    for key, value in params.items():
        array = student.call(held, key, method="__getitem__", keep=True).value
        if isinstance(array, Handle):
            student.call(array, value + 1, method="__iadd__", keep=True)


@script
def frozen(name: str, student: Student, case: Case) -> Observed:
    """``freeze``: a new dict, the old one as it was."""
    seen = Observed()
    given = arguments(case)
    grads, names = given["grads"], given["names"]
    reply = student.call(name, grads, names, names=("grads", "names"), after=("grads",))
    for key in grads:
        inside = isinstance(reply.value, Mapping)
        seen.values[f"gradient of {key}"] = reply.value.get(key) if inside else reply.value
    now = reply.after.get("grads")
    for key, value in grads.items():
        mine = as_array(now.get(key)) if isinstance(now, Mapping) else None
        if reply.raised is None and (mine is None or not np.array_equal(mine, value)):
            seen.conduct.append(f"changes grads[{key!r}]")
    return seen


@script
def features(name: str, student: Student, case: Case) -> Observed:
    """``feature_extractor`` on a two-layer net of the course, or on the student's own ConvNet."""
    seen = Observed()
    given = arguments(case)
    params = given["params"]
    net = _convolutional(student, params) if "W3" in params else _two_layers(student, params)
    reply = seen.note(student.call(name, net, given["X"], names=("net", "X")))
    seen.values["features"] = reply.value
    after = student.read(net, "params")
    for key, value in params.items():
        left = after.get(key) if isinstance(after, Mapping) else None
        if reply.raised is None and not same(left, value, 1e-12):
            seen.conduct.append(f"changes net.params[{key!r}]")
    return seen


def _two_layers(student: Student, params: Mapping[str, np.ndarray]) -> Handle:
    sizes = (*params["W1"].shape, params["W2"].shape[1])
    attributes = {"params": dict(params)}
    return student.hold(Provided("cs_nn.modules.TwoLayerNet", sizes, {}, attributes))


def _convolutional(student: Student, params: Mapping[str, np.ndarray]) -> Handle:
    """The student's own class where it can be built; else an object with the same parameters."""
    filters, channels, size, _ = params["W1"].shape
    side = 2 * int(np.sqrt(params["W2"].shape[0] // filters))
    made: Any = Raised("NameError", "")
    if student.defines("ConvNet"):
        made = student.call(
            "ConvNet",
            keep=True,
            input_dim=(channels, side, side),
            num_filters=filters,
            filter_size=size,
            hidden_dim=params["W2"].shape[1],
            num_classes=params["W3"].shape[1],
        ).value
    if isinstance(made, Handle):
        give(student, made, params)
        return made
    return student.hold(Object({"params": dict(params)}))


def give(student: Student, net: Handle, params: Mapping[str, np.ndarray]) -> None:
    """Put weights into ``net.params`` key by key, as a teacher's check and an optimiser do."""
    held = student.call(net, "params", method="__getattribute__", keep=True).value
    for key, value in params.items():
        if isinstance(held, Handle):
            student.call(held, key, value, method="__setitem__")


CONV_NET = ("W1", "b1", "W2", "b2", "W3", "b3")


@script
def conv_net(name: str, student: Student, case: Case) -> Observed:
    """``ConvNet``: how it starts, its scores, its loss and gradients at given weights."""
    seen = Observed()
    given = arguments(case)
    X, y, params = given["X"], given["y"], given["params"]
    options = {key: given[key] for key in ("input_dim", "num_filters", "filter_size")}
    options |= {key: given[key] for key in ("hidden_dim", "num_classes", "weight_scale", "reg")}
    gradients = [f"d{key}" for key in CONV_NET]
    made = student.call(name, keep=True, rng=_seed(given), **options)
    if not isinstance(made.value, Handle):
        seen.values = dict.fromkeys(("parameters", "scores", "loss", *gradients), made.value)
        return seen
    net = made.value
    start = student.read(net, "params")
    seen.values["parameters"] = _shapes_of(start)
    if case.extra.get("start"):
        again = student.call(name, keep=True, rng=_seed(given), **options).value
        seen.conduct += _first_weights(start, student.read(again, "params"), given["weight_scale"])
        seen.conduct += _defaults(student, name)
        seen.conduct += alike_without_rng(student, name)
    give(student, net, params)
    seen.values["scores"] = seen.note(student.call(net, X, method="loss", names=("X",))).value
    reply = seen.note(student.call(net, X, y, method="loss", names=("X", "y")))
    seen.values |= _loss_and_gradients(reply.value, gradients)
    after = student.read(net, "params")
    if isinstance(after, Mapping) and reply.raised is None:
        moved = [k for k in CONV_NET if not np.array_equal(np.asarray(after.get(k)), params[k])]
        seen.conduct += [f"changes params[{key!r}] while it computes the loss" for key in moved]
    return seen


def _seed(given: Mapping[str, Value]) -> Value:
    from autograder.values import Seed

    return Seed(int(given["seed"]))


def _shapes_of(params: Value) -> Value:
    if not isinstance(params, Mapping):
        return params
    return {k: list(v.shape) if isinstance(v, np.ndarray) else [-1] for k, v in params.items()}


def _first_weights(start: Value, again: Value, scale: float) -> list[str]:
    """What is wrong with the first weights; each sentence is unjust once in 10^10 draws."""
    if not isinstance(start, Mapping) or any(k not in start for k in CONV_NET):
        return []
    arrays = {key: as_array(start[key]) for key in CONV_NET}
    if any(a is None for a in arrays.values()):
        return []
    found = []
    if any(np.any(arrays[key]) for key in ("b1", "b2", "b3")):
        found.append("starts with biases that are not zero")
    for key in ("W1", "W2", "W3"):
        w = np.asarray(arrays[key])
        spread = float(w.std())
        if w.size > 1 and np.ptp(w) == 0:
            found.append(f"starts with all of {key} equal, so all units stay alike")
        elif abs(spread / scale - 1) > 5 / np.sqrt(w.size) + 0.01:
            found.append(f"starts with {key} of another standard deviation than weight_scale")
        elif abs(float(w.mean())) > 7 * scale / np.sqrt(w.size):
            found.append(f"starts with a {key} whose mean is not 0")
        twin = again.get(key) if isinstance(again, Mapping) else None
        if not isinstance(twin, np.ndarray) or not np.array_equal(twin, w):
            found.append(f"starts with another {key} for the same seed: is it drawn from rng?")
    return found


def _defaults(student: Student, name: str) -> list[str]:
    """The network that comes without any argument."""
    made = student.call(name, keep=True).value
    params = student.read(made, "params") if isinstance(made, Handle) else made
    shapes = _shapes_of(params)
    wanted = {"W1": [32, 1, 3, 3], "W2": [512, 100], "W3": [100, 10]}
    if not isinstance(shapes, Mapping) or any(shapes.get(k) != v for k, v in wanted.items()):
        return ["has other sizes than the default ones when it is made without arguments"]
    spread = float(np.std(params["W2"]))  # type: ignore[index]
    found = [] if abs(spread - 1e-3) < 5e-5 else ["has another weight_scale than 1e-3 by default"]
    X, y = np.zeros((1, 1, 8, 8)), np.zeros(1, dtype=int)
    scores = as_array(student.call(made, X, method="loss").value)
    answer = student.call(made, X, y, method="loss").value
    loss = as_array(answer[0]) if isinstance(answer, tuple) and answer else None
    if scores is None or loss is None or scores.shape != (1, 10) or loss.shape:
        return found
    data = float(np.log(np.exp(scores - scores[0, 0]).sum()))
    return found if abs(float(loss) - data) < 1e-3 else [*found, "has a penalty by default"]


def _loss_and_gradients(value: Value, gradients: Sequence[str]) -> dict[str, Value]:
    if isinstance(value, Raised):
        return dict.fromkeys(("loss", *gradients), value)
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        text = "loss(X, y) should return two things, the loss and the gradients"
        return dict.fromkeys(("loss", *gradients), Raised("Outputs", text))
    loss, grads = value
    found: dict[str, Value] = {"loss": loss}
    for key in gradients:
        found[key] = grads.get(key[1:]) if isinstance(grads, Mapping) else None
    return found
