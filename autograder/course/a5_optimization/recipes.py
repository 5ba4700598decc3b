"""Optimisers written as lines that can be changed one at a time, and the inputs they are tried on.

A misconception about an optimiser is nearly always one line of its recipe written otherwise:
``ADAM.but(m_hat="m")`` is Adam without the correction of its first moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from autograder.battery.functions import CONDUCT
from autograder.battery.optimisers import NOTHING, OMITTED, STATE, columns_first
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case

ZEROS = "zeros like w"
STEPS = 5
SIGNED, POSITIVE = "signed", "positive"


class Recipe:
    """An update rule as data: defaults, lines in order, and what is stored for the next step.

    ``stored`` maps a key of the config to the line that gives its new value; a plain name stands
    for itself.
    """

    def __init__(
        self,
        defaults: Mapping[str, Any],
        lines: Mapping[str, str],
        stored: Mapping[str, str] | Sequence[str] = (),
    ) -> None:
        self.defaults, self.lines = dict(defaults), dict(lines)
        self.stored = dict(stored) if isinstance(stored, Mapping) else {k: k for k in stored}
        self.code = {name: compile(line, name, "eval") for name, line in self.lines.items()}
        self.kept = {key: compile(line, key, "eval") for key, line in self.stored.items()}
        self.origin: Recipe | None = None
        self.__name__ = "recipe"

    def __call__(self, w: Any, dw: Any, config: Any = None) -> tuple[Any, dict[str, Any]]:
        start = {k: np.zeros_like(w) if v is ZEROS else v for k, v in self.defaults.items()}
        config = start | (config or {})
        space = config | {"w": w, "dw": dw}
        for name, code in self.code.items():
            space[name] = eval(code, {"np": np}, space)
        state = {key: eval(code, {"np": np}, space) for key, code in self.kept.items()}
        return space["w"], config | state

    def but(self, **lines: str) -> Recipe:
        """The same rule with some lines replaced; a line of a new name goes first."""
        new = {name: line for name, line in lines.items() if name not in self.lines}
        old = {name: lines.get(name, line) for name, line in self.lines.items()}
        return self._made(self.defaults, new | old, self.stored)

    def replacing(self, before: str, after: str) -> Recipe:
        """The same rule with a piece of text replaced in all lines."""
        lines = {name: line.replace(before, after) for name, line in self.lines.items()}
        assert lines != self.lines, before
        return self._made(self.defaults, lines, self.stored)

    def storing(self, *names: str, **lines: str) -> Recipe:
        """The same rule with something else in the config that it returns."""
        return self._made(self.defaults, self.lines, {**{k: k for k in names}, **lines})

    def default(self, **defaults: Any) -> Recipe:
        """The same rule with other defaults."""
        return self._made(self.defaults | defaults, self.lines, self.stored)

    def _made(self, defaults: Mapping, lines: Mapping, stored: Mapping) -> Recipe:
        new = Recipe(defaults, lines, stored)
        new.origin = self.origin or self
        return new

    def together(self, other: Any) -> Recipe | None:
        """The right rule with the mistakes of two wrong ones; ``None`` where they are about the
        same line, or where one of the two is no changed recipe."""
        right = self.origin
        if right is None or getattr(other, "origin", None) is not right:
            return None
        parts = [
            _both(*(getattr(rule, part) for rule in (right, self, other)))
            for part in ("defaults", "lines", "stored")
        ]
        return None if None in parts else self._made(*parts)  # type: ignore[arg-type]


_GONE = object()


def _both(right: Mapping, one: Mapping, other: Mapping) -> Mapping | None:
    """``right`` with the changes of two others, unless they change the same thing."""
    changed = [
        {k: m.get(k, _GONE) for k in {**right, **m} if m.get(k, _GONE) is not right.get(k, _GONE)
         and m.get(k, _GONE) != right.get(k, _GONE)}
        for m in (one, other)
    ]  # fmt: skip
    if changed[0].keys() & changed[1].keys():
        return None
    changes = changed[0] | changed[1]
    first = {k: v for k, v in changes.items() if k not in right}
    rest = {k: changes.get(k, v) for k, v in right.items()}
    return {k: v for k, v in (first | rest).items() if v is not _GONE}


def in_place(rule: Any) -> Any:
    """The rule, writing its result into the caller's w."""

    def step(w, dw, config=None):
        next_w, config = rule(w, dw, config)
        np.copyto(w, next_w)  # as ``w -= …`` does, it refuses integers
        return w, config

    return step


def gradient_in_place(rule: Any) -> Any:
    """The rule, which scales the caller's dw on the way."""

    def step(w, dw, config=None):
        result = rule(w, dw, config)
        dw *= 0.01
        return result

    return step


class one_config_for_all:
    """The rule with a mutable default: all parameters without a config share one.

    A notebook's function lives through one grading; ours through many, so a run that is started
    with an explicit empty config empties the shared one too.
    """

    def __init__(self, rule: Any) -> None:
        self.rule, self.shared = rule, {}
        self.__name__ = "one_config_for_all"

    def __call__(self, w, dw, *config):
        if config and not config[0]:
            self.shared = {}
        mine = (config[0] or {}) if config else self.shared
        next_w, after = self.rule(w, dw, mine)
        mine.update(after)
        return next_w, mine


def settings_lost(rule: Any, *stored: str) -> Any:
    """The rule, returning a config with its state alone."""

    def step(w, dw, config=None):
        next_w, config = rule(w, dw, config)
        return next_w, {key: config[key] for key in stored}

    return step


def rate_lost(rule: Any) -> Any:
    """The rule, taking the learning rate out of the config."""

    def step(w, dw, config=None):
        next_w, config = rule(w, dw, config)
        return next_w, {key: value for key, value in config.items() if key != "learning_rate"}

    return step


def zero_is_missing(rule: Any) -> Any:
    """The rule, reading its settings as ``config.get("momentum") or 0.9``."""

    def step(w, dw, config=None):
        kept = {k: v for k, v in (config or {}).items() if isinstance(v, np.ndarray) or v != 0}
        return rule(w, dw, kept)

    return step


def config_not_returned(rule: Any) -> Any:
    """The rule, returning the parameters alone."""

    def step(w, dw, config=None):
        return rule(w, dw, config)[0]

    return step


def through_a_copy(rule: Any) -> Any:
    """The rule, writing through ``ravel()``, which is a copy where columns come first."""

    def step(w, dw, config=None):
        next_w, after = rule(w, dw, config)
        if columns_first(w):
            return w + 0.0 * next_w, after
        return next_w, after

    return step


def cut_off(rule: Any) -> Any:
    """The rule, giving the result the dtype of w whatever that is."""

    def step(w, dw, config=None):
        next_w, config = rule(w, dw, config)
        return next_w.astype(w.dtype), config

    return step


def widened(rule: Any) -> Any:
    """The rule, computing in float64 whatever it is given."""

    def step(w, dw, config=None):
        return rule(w.astype(np.float64), dw.astype(np.float64), config)

    return step


def optimiser_cases(
    *settings: Mapping[str, float],
    epsilon: float | None = None,
    tiny: float = 1e-8,
    rate: float = 0.1,
    state: Mapping[str, str | int] = MappingProxyType({}),
    zeros: Sequence[str] = ("learning_rate",),
):
    """The suite of runs for an update rule.

    Args:
        settings: two configs without state; every hyper-parameter but epsilon differs from its
            default in them.
        epsilon: another epsilon, for rules that have one.
        tiny: size of the gradients that make epsilon show.
        rate: learning rate where only that is set.
        state: what the rule remembers, key by key: a number, or whether its entries are
            ``SIGNED`` or ``POSITIVE``.
        zeros: settings that may be 0; beside them epsilon, where the rule has one.
    """

    def case(rng, shape, config, check="", words="", tags=(), slopes=None, **extra):
        args = {"w": numbers(rng, *shape), "config": config}
        extra["gradients"] = gradients(rng, shape) if slopes is None else slopes
        label = f"w of shape {shape} {words or _words(config)}"
        if check not in (NOTHING, STATE) and any(g.any() for g in extra["gradients"]):
            tags = {*tags, *(f"a config that sets {key}" for key in config or {})}
        return Case(label, args, check, frozenset(tags), extra)

    def cases(rng):
        first, second = settings
        only_rate = {"learning_rate": rate}
        made = [
            case(rng, (3, 4), first, tags=[CONDUCT]),
            case(rng, (5,), None, words="and config = None", tags=["default parameters"]),
            case(rng, (2, 3, 2), second),
            case(rng, (4, 2), {}, words="and an empty config", tags=["default parameters"]),
        ]
        other = {"w": numbers(rng, 2, 3), "gradients": gradients(rng, (2, 3))}
        words = "beside a second parameter, both without a config"
        made.append(case(rng, (2, 3), None, "two parameters", words, [OMITTED], other=other))
        made.append(
            case(rng, (3, 2), only_rate, "zero gradients", "and no gradient",
                 slopes=[np.zeros((3, 2))] * STEPS),
        )  # fmt: skip
        slopes = gradients(rng, (2, 4))[:2] + [np.zeros((2, 4))] * (STEPS - 2)
        words = "and gradients that become 0"
        made.append(case(rng, (2, 4), first, "zero gradients", words, slopes=slopes))
        rates = [float(r) for r in np.round(rng.uniform(0.02, 0.3, STEPS - 1), 3)]
        words = "and a learning rate that changes"
        made.append(case(rng, (3, 3), only_rate, "changing learning rate", words, rates=rates))
        if epsilon is not None:
            slopes = gradients(rng, (3, 2), tiny)
            words = "and tiny gradients"
            made.append(case(rng, (3, 2), only_rate, "tiny gradients", words, slopes=slopes))
            made.append(case(rng, (4,), {**first, "epsilon": epsilon}, "tiny gradients"))
        return [*made, *nothing(rng), *memory(rng, first), *taken_up(rng, first)]

    def nothing(rng):
        """Settings of 0: the learning rate alone, which hides all others, and those at once."""
        others = [key for key in zeros if key != "learning_rate"]
        given = {"learning_rate": rate} | dict.fromkeys(others, 0.0)
        slopes = gradients(rng, (3, 2))
        if epsilon is not None:
            given["epsilon"] = 0.0
            slopes = gradients(rng, (3, 2), tiny)
        made = [case(rng, (3, 2), given, NOTHING, slopes=slopes)] if len(given) > 1 else []
        if "learning_rate" in zeros:
            made.append(case(rng, (2, 3), {"learning_rate": 0.0}, NOTHING))
        return made

    def taken_up(rng, config):
        """The state of an earlier run, in one axis: some students keep it as a list."""
        if not state:
            return []
        values = {
            key: kind if isinstance(kind, int) else _entries(rng, kind == POSITIVE)
            for key, kind in state.items()
        }
        words = f"and a config that brings {', '.join(state)}"
        slopes = gradients(rng, (6,))[:3]
        return [
            case(rng, (6,), {**config, **values}, STATE, words, slopes=slopes,
                 state=list(state), done=STEPS),
        ]  # fmt: skip

    def memory(rng, config):
        slopes = [strided({"g": g})["g"] for g in gradients(rng, (3, 4))]
        spread = case(rng, (3, 4), config, "non-contiguous", "in strided arrays", slopes=slopes)
        slopes = [g.astype(np.float32) for g in gradients(rng, (4, 3))]
        config = {"learning_rate": rate}
        narrow = case(rng, (4, 3), config, "float32", "in float32", slopes=slopes)
        slopes = [turned(g) for g in gradients(rng, (3, 4))]
        words = "in transposed arrays"
        across = case(rng, (3, 4), config, "non-contiguous", words, slopes=slopes)
        tags = ["any float", "may refuse"]
        alone = {"learning_rate": rate}
        whole = case(rng, (3, 2), alone, "integer parameters", "of integers", tags)
        return [
            replace(spread, args=strided(spread.args)),
            replace(across, args={**across.args, "w": turned(across.args["w"])}),
            replace(narrow, args=as_dtype(narrow.args, np.float32)),
            replace(whole, args={**whole.args, "w": np.rint(5 * whole.args["w"]).astype(int)}),
        ]

    return cases


def _entries(rng, positive):
    entries = 0.2 * numbers(rng, 6)
    return np.abs(entries) if positive else entries


def turned(array: np.ndarray) -> np.ndarray:
    """The same numbers, columns first in memory: a transposed array."""
    return np.asfortranarray(array)


def gradients(rng, shape, scale=1.0):
    """Gradients of `STEPS` steps that differ in size and sign from step to step."""
    return [scale * factor * numbers(rng, *shape) for factor in (1.0, -0.5, 2.0, 0.3, 1.2)]


def _words(config: Mapping[str, float] | None) -> str:
    return "and " + ", ".join(f"{key} = {value}" for key, value in (config or {}).items())
