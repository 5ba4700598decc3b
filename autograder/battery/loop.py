"""``train``: the whole loop, watched from all sides.

Network, optimiser and schedule are the grader's, so every call of the student's loop is seen:
which examples a gradient came from, what the optimiser was given, what was measured when. The
network is a stand-in whose loss depends on the examples' numbers and on the epoch alone, so that
what the history should say can be told from the batches that were really used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.battery.classes import script
from autograder.battery.compare import as_array
from autograder.battery.kind import Observed, arguments
from autograder.battery.series import verdict
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Function, Object, Raised, Seed, Value

CLASSES = 3
HISTORY = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
FACTS = (
    "each example once per epoch",
    "labels belong to their examples",
    "batches of batch_size",
    "shuffled anew in each epoch",
    "order drawn from rng",
    "only training examples are learned from",
    "one optimiser step for each batch and parameter",
    "steps reach net.params",
    "each parameter keeps its own config",
    "learning rate of the schedule",
    "number of epochs",
    "best parameters restored",
    *(f"history of {key}" for key in HISTORY),
)


class Watched:
    """The network, the optimiser and the schedule of one run, and what happened in it."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.n, self.size = int(given["n"]), int(given["batch_size"])
        self.val, self.right = given["validation losses"], given["validation right"]
        self.rates = given["rates"]
        self.params = given["params"]
        numbers = np.random.default_rng(int(given["seed"]))
        self.values = numbers.uniform(0.5, 1.5, self.n).round(3)
        self.easy = numbers.random(self.n) < 0.6
        self.easy[:2] = True, False
        self.y = numbers.integers(0, CLASSES, self.n)
        self.y_val = numbers.integers(0, CLASSES, len(self.right[0]))
        self.X = np.stack([np.arange(self.n, dtype=float), self.values], axis=1)
        ids = 1000.0 + np.arange(len(self.y_val))
        self.X_val = np.stack([ids, np.ones(len(ids))], axis=1)
        self.batches: list[tuple[list[int], Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.pending: tuple[list[int], Any] | None = None
        self.expected_params: dict[str, np.ndarray] = dict(self.params)
        self.after_epoch: list[dict[str, np.ndarray]] = []
        self.lost_steps = False
        self.tokens: dict[str, int] = {}
        self.shared = self.strange_step = False
        self.lost_config: set[int] = set()
        self.used_rates: list[tuple[int, float | None]] = []

    # What the student's loop is given ---------------------------------------------------

    @property
    def per_epoch(self) -> int:
        return -(-self.n // self.size)

    def epoch(self) -> int:
        """Epochs that are complete; during the last batch of one it is not yet."""
        return len(self.batches) // self.per_epoch

    def loss(self, now: Mapping[str, Value], X: Value, y: Value = None) -> Value:
        rows = np.asarray(X)[:, 0].astype(int).tolist()
        if self.batches and not self._known(now["params"]):
            self.lost_steps = True
        if y is None:
            return self._scores(rows)
        labels = np.asarray(y)
        if rows and rows[0] >= 1000:
            place = min(max(self.epoch() - 1, 0), len(self.val) - 1)
            return float(self.val[place]), {k: np.zeros_like(w) for k, w in self.params.items()}
        known = [self.values[row] for row in rows if row < self.n]
        mean = float(np.mean(known)) if known else 0.0
        # From the last layer to the first, as back-propagation finds them.
        backwards = reversed(self.params.items())
        grads = {key: (1 + 0.1 * mean) * np.ones_like(w) for key, w in backwards}
        self.pending = (rows, labels)
        return mean + 0.3 * self.epoch(), grads

    def update(self, w: Value, dw: Value, config: Value = None) -> Value:
        given = dict(config) if isinstance(config, Mapping) else {}
        if self.pending is not None:
            self.batches.append(self.pending)
            self.steps.append({})
            self.pending = None
        if not self.steps:
            self.strange_step = True
            return w, given
        name = self._name_of(w)
        self._check_config(name, given)
        rate = float(given.get("learning_rate", 1e-2))
        new = np.asarray(w) - 0.01 * rate * np.asarray(dw)
        if name is None or name in self.steps[-1]:
            self.strange_step = True
        else:
            self.steps[-1][name] = rate
            self.expected_params = {**self.expected_params, name: new}
            if len(self.steps[-1]) == len(self.params) and self._ends_epoch():
                self.after_epoch.append(dict(self.expected_params))
        return new, {**given, "learning_rate": rate, "owner": given.get("owner", len(self.tokens)),
                     "count": int(given.get("count", 0)) + 1, "name": name or ""}  # fmt: skip

    def schedule(self, epoch: Value) -> Value:
        place = int(min(max(float(epoch), 0), len(self.rates) - 1))
        return float(self.rates[place])

    # What is made of it -----------------------------------------------------------------

    def _scores(self, rows: list[int]) -> np.ndarray:
        scores = np.zeros((len(rows), CLASSES))
        place = min(max(self.epoch() - 1, 0), len(self.right) - 1)
        for i, row in enumerate(rows):
            inside = row >= 1000
            label = self.y_val[row - 1000] if inside else self.y[row]
            right = self.right[place][row - 1000] if inside else self.easy[row]
            scores[i, label if right else (label + 1) % CLASSES] = 1.0
        return scores

    def _ends_epoch(self) -> bool:
        return len(self.batches) % self.per_epoch == 0

    def _same(self, a: Mapping[str, Value], b: Mapping[str, Value]) -> bool:
        arrays = [(as_array(a.get(key)), as_array(b[key])) for key in self.params]
        return all(
            x is not None and z is not None and x.shape == z.shape and np.allclose(x, z, atol=1e-12)
            for x, z in arrays
        )

    def _known(self, now: Mapping[str, Value]) -> bool:
        """Whether these are the parameters after the last step, or those of an earlier epoch,
        which a loop may put back before it measures for the last time."""
        return any(self._same(now, then) for then in (self.expected_params, *self.after_epoch))

    def _name_of(self, w: Value) -> str | None:
        """Which parameter is being updated: all have shapes of their own."""
        shape = np.shape(w)
        names = [key for key, value in self.params.items() if value.shape == shape]
        return names[0] if names else None

    def _check_config(self, name: str | None, given: Mapping[str, Value]) -> None:
        count, owner = int(given.get("count", 0)), str(given.get("name", name))
        if name is not None:
            self.shared |= owner != name
            if count != self.tokens.get(name, 0):
                self.lost_config.add((len(self.batches) - 1) % self.per_epoch)
            self.tokens[name] = count + 1
        rate = given.get("learning_rate")
        epoch = (len(self.batches) - 1) // self.per_epoch
        self.used_rates.append((max(epoch, 0), None if rate is None else float(rate)))

    def config_fact(self) -> str:
        if self.shared:
            return "one parameter gets the config of another"
        if self.lost_config == {0} and self.per_epoch > 1:
            return "each epoch starts with a new one"
        return verdict(not self.lost_config, "the one that update returned is not handed back")

    def rate_fact(self) -> str:
        """Whether each step was made with the rate of its epoch; if not, with which."""
        last = len(self.rates) - 1

        def all_from(place: Any) -> bool:
            wanted = [self.rates[min(place(epoch), last)] for epoch, _ in self.used_rates]
            pairs = zip(self.used_rates, wanted, strict=True)
            return all(rate is not None and abs(rate - w) < 1e-12 for (_, rate), w in pairs)

        if all_from(lambda epoch: epoch):
            return "yes"
        if all_from(lambda epoch: epoch + 1):
            return "it is one epoch ahead"
        if all_from(lambda epoch: 0):
            return "it is always that of epoch 0"
        return "no"

    def epochs_due(self, most: int, patience: int | None) -> int:
        """How many epochs the run should have taken."""
        best, waited = np.inf, 0
        for number in range(most):
            waited = 0 if self.val[number] < best else waited + 1
            best = min(best, self.val[number])
            if patience is not None and waited >= patience:
                return number + 1
        return most


@script
def training_loop(name: str, student: Student, case: Case) -> Observed:
    """One run of ``train``, and one more with the same seed."""
    seen = Observed()
    given = arguments(case)
    watched, reply, after = _run(name, student, given)
    seen.note(reply)
    seen.conduct = [text for text in seen.conduct if not text.startswith("changes net")]
    if reply.raised is not None:
        seen.values = dict.fromkeys(FACTS, reply.raised)
        return seen
    epochs = [
        watched.batches[i : i + watched.per_epoch]
        for i in range(0, len(watched.batches), watched.per_epoch)
    ]
    seen.values |= _batch_facts(watched, epochs, given)
    if given.get("again"):
        other, _, _ = _run(name, student, given)
        same = [rows for rows, _ in other.batches] == [rows for rows, _ in watched.batches]
        text = "the same seed gives another order"
        seen.values["order drawn from rng"] = verdict(same, text)
    steps = [set(step) == set(watched.params) for step in watched.steps]
    fine = bool(steps) and all(steps) and not watched.strange_step
    text = "update is never called" if not steps else "no"
    seen.values["one optimiser step for each batch and parameter"] = verdict(fine, text)
    seen.values["steps reach net.params"] = verdict(not watched.lost_steps)
    seen.values["each parameter keeps its own config"] = watched.config_fact()
    seen.values["learning rate of the schedule"] = watched.rate_fact()
    due = watched.epochs_due(int(given["epochs"]), given["patience"])
    seen.values["number of epochs"] = _count(len(epochs), due, int(given["epochs"]))
    seen.values["best parameters restored"] = _restored(watched, after)
    seen.values |= _history(watched, reply.value, epochs)
    return seen


def _run(name: str, student: Student, given: Mapping[str, Any]) -> tuple[Watched, Any, Value]:
    watched = Watched(given)
    net = student.hold(Object({"params": dict(watched.params)}, {"loss": watched.loss}))
    names = ("net", "X", "y", "X_val", "y_val", "update", "schedule", "epochs", "batch_size", "rng")
    patience = () if given["patience"] is None else (given["patience"],)
    reply = student.call(
        name,
        net,
        watched.X,
        watched.y,
        watched.X_val,
        watched.y_val,
        Function(watched.update, "update"),
        Function(watched.schedule, "schedule"),
        int(given["epochs"]),
        watched.size,
        Seed(int(given["seed"])),
        *patience,
        names=names + ("patience",) * len(patience),
    )
    return watched, reply, student.read(net, "params")


def _batch_facts(watched: Watched, epochs: list, given: Mapping[str, Any]) -> dict[str, Value]:
    whole = list(range(watched.n))
    rows = [[row for batch, _ in epoch for row in batch] for epoch in epochs]
    once = bool(rows) and all(sorted(row) == whole for row in rows)
    twice = any(len(set(row)) < len(row) for row in rows)
    sizes = [[len(batch) for batch, _ in epoch] for epoch in epochs]
    last = watched.n % watched.size or watched.size
    right = [watched.size] * (watched.per_epoch - 1) + [last]
    fitting = all(
        len(labels) == len(batch)
        and all(int(a) == watched.y[b] for a, b in zip(labels, batch, strict=True) if b < watched.n)
        for epoch in epochs
        for batch, labels in epoch
    )
    inside = all(row < 1000 for epoch in rows for row in epoch)
    ordered = [tuple(row) for row in rows]
    if not watched.batches:
        shuffled = "yes"  # said by another line
    elif tuple(whole) in ordered and watched.n > 10:
        shuffled = "the examples stay in their order"
    elif len(ordered) > 1 and len(set(ordered)) == 1 and watched.n > 10:
        shuffled = "the same order in every epoch"
    else:
        shuffled = "yes"
    return {
        "each example once per epoch": verdict(once, "some come twice" if twice else "some do not"),
        "labels belong to their examples": verdict(fitting),
        "batches of batch_size": verdict(all(size == right for size in sizes)),
        "shuffled anew in each epoch": shuffled,
        "order drawn from rng": "yes",
        "only training examples are learned from": verdict(inside),
    }


def _count(epochs: int, due: int, most: int) -> str:
    if epochs == due:
        return "yes"
    if due < most and epochs == most:
        return "it never stops early"
    return "one too many" if epochs == due + 1 else "too many" if epochs > due else "too few"


def _restored(watched: Watched, after: Value) -> str:
    done = watched.after_epoch
    if not done or not isinstance(after, Mapping):
        return "no"
    best = done[int(np.argmin(watched.val[: len(done)]))]
    if watched._same(after, best):
        return "yes"
    if watched._same(after, done[-1]):
        return "they are those of the last epoch"
    if watched._same(after, watched.params):
        return "they are those from before the training"
    return "they belong to another moment"


def _history(watched: Watched, value: Value, epochs: list) -> dict[str, Value]:
    missing = [key for key in HISTORY if not isinstance(value, Mapping) or key not in value]
    if missing:
        text = f"the history should be a dict with the keys {', '.join(HISTORY)}"
        return dict.fromkeys((f"history of {key}" for key in HISTORY), Raised("Outputs", text))
    found: dict[str, Value] = {}
    for key in HISTORY:
        series = value[key]
        numbers = None
        if isinstance(series, (list, tuple)):
            arrays = [as_array(entry) for entry in series]
            if all(a is not None and a.ndim == 0 for a in arrays):
                numbers = np.array([float(a) for a in arrays if a is not None])
        elif isinstance(series, np.ndarray) and series.ndim == 1:
            numbers = series.astype(float)
        found[f"history of {key}"] = _entries(watched, key, numbers, epochs)
    return found


def _entries(watched: Watched, key: str, numbers: np.ndarray | None, epochs: list) -> str:
    if numbers is None:
        return "it is no list of numbers"
    if len(numbers) != len(epochs):
        return "it has not one entry for each epoch"
    options = [_options(watched, key, epoch, batches) for epoch, batches in enumerate(epochs)]
    fits = [
        any(abs(number - option) < 1e-9 for option in choice)
        for number, choice in zip(numbers, options, strict=True)
    ]
    if all(fits):
        return "yes"
    if key.endswith("accuracy") and np.all(numbers > 1):
        return "it is in percent"
    if key == "train_loss":
        return _other_loss(watched, numbers, epochs)
    return "it has other numbers"


def _other_loss(watched: Watched, numbers: np.ndarray, epochs: list) -> str:
    """What else stands where the epoch's mean should."""
    losses = [
        [np.mean([watched.values[r] for r in rows if r < watched.n]) + 0.3 * e for rows, _ in part]
        for e, part in enumerate(epochs)
    ]
    for words, entry in (
        ("it is the loss of the last batch", lambda batch: batch[-1]),
        ("it is the loss of the first batch", lambda batch: batch[0]),
        ("it is the sum over the batches", sum),
    ):
        if np.allclose(numbers, [float(entry(batch)) for batch in losses]):
            return words
    return "it has other numbers"


def _options(watched: Watched, key: str, epoch: int, batches: list) -> list[float]:
    """The numbers that a sensible loop may have written down for one epoch."""
    if key == "val_loss":
        return [float(watched.val[min(epoch, len(watched.val) - 1)])]
    if key == "val_accuracy":
        return [float(np.mean(watched.right[min(epoch, len(watched.right) - 1)]))]
    entry = watched.easy.astype(float) if key == "train_accuracy" else watched.values
    known = [[row for row in rows if row < watched.n] for rows, _ in batches]
    means = [float(np.mean(entry[rows])) for rows in known if rows]
    counts = [len(rows) for rows in known if rows]
    if not means:
        return []
    plain, weighted = float(np.mean(means)), float(np.average(means, weights=counts))
    if key == "train_loss":
        return [plain + 0.3 * epoch, weighted + 0.3 * epoch]
    return [plain, weighted, float(np.mean(entry))]
