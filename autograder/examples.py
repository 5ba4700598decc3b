"""The public examples of a notebook: inputs, expected answers, and fingerprints of mistakes.

A fingerprint is what a misconception *answers* on the public inputs, never its code. With the
hints "aspect" neither fingerprints nor sentences ship; with "none" the report says only which
lines are right.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograder.battery.classes import Scripted
from autograder.battery.fixtures import Fixture
from autograder.battery.functions import Function
from autograder.battery.kind import Brief, Kind, Observed, Suspect, Trial
from autograder.battery.optimisers import Optimiser
from autograder.exercise import Case
from autograder.values import Opaque, Raised, Seed, Value

PUBLIC_SEED = 20_260_901
"""Where the public inputs are drawn from; the hidden ones come from the course secret."""

HINTS = ("full", "aspect", "none")
KINDS = (Scripted, Function, Optimiser)
"""Imported so that their kinds are registered."""


def encode(value: Value) -> Any:
    """A value as JSON; arrays as dtype, shape and the bytes of their numbers."""
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        strided = not (value.flags.c_contiguous or value.flags.f_contiguous)
        return {"array": [value.dtype.str, list(value.shape), data] + [1] * strided}
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {"dict": {key: encode(item) for key, item in value.items()}}
    if isinstance(value, Raised):
        return {"raised": [value.kind, value.message if value.kind == "Outputs" else ""]}
    if isinstance(value, Opaque):
        return {"opaque": value.type_name}
    if isinstance(value, Seed):
        return {"seed": value.seed}
    if isinstance(value, Fixture):
        return {"fixture": [value.name, encode(dict(value.parameters))]}
    if isinstance(value, float) and not np.isfinite(value):
        return {"float": repr(value)}
    return value


def decode(data: Any) -> Value:
    """The value that `encode` wrote."""
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    (kind, body), *_ = data.items()
    if kind == "array":
        array = np.frombuffer(base64.b64decode(body[2]), dtype=np.dtype(body[0]))
        array = array.reshape(body[1]).copy()
        return _strided(array) if len(body) > 3 else array
    makers: dict[str, Callable[[Any], Value]] = {
        "tuple": lambda b: tuple(decode(item) for item in b),
        "dict": lambda b: {key: decode(item) for key, item in b.items()},
        "raised": lambda b: Raised(*b),
        "opaque": Opaque,
        "seed": Seed,
        "fixture": lambda b: Fixture(b[0], decode(b[1])),
        "float": float,
    }
    return makers[kind](body)


def _strided(array: np.ndarray) -> np.ndarray:
    room = np.zeros(tuple(2 * n for n in array.shape), array.dtype)
    view = room[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def _observed_to_json(seen: Observed) -> dict[str, Any]:
    data: dict[str, Any] = {"values": {key: encode(value) for key, value in seen.values.items()}}
    if seen.conduct:
        data["conduct"] = seen.conduct
    if seen.side:
        data["side"] = {key: encode(value) for key, value in seen.side.items()}
    if seen.waits:
        data["waits"] = seen.waits
    return data


def _observed_from_json(data: Mapping[str, Any]) -> Observed:
    return Observed(
        {key: decode(value) for key, value in data["values"].items()},
        list(data.get("conduct", [])),
        {key: decode(value) for key, value in data.get("side", {}).items()},
        data.get("waits", ""),
    )


def brief_to_json(task: Brief, hints: str = "full") -> dict[str, Any]:
    """An exercise's public examples as plain data."""
    trials = [
        {
            "label": t.case.label,
            "args": {key: encode(value) for key, value in t.case.args.items()},
            "check": t.case.check,
            "tags": sorted(t.case.tags),
            "extra": {key: encode(value) for key, value in t.case.extra.items()},
            "expected": _observed_to_json(t.expected),
        }
        for t in task.trials
    ]
    suspects = []
    if hints == "full":
        suspects = [
            {
                "code": s.code,
                "sentence": s.sentence,
                "aspect": s.aspect,
                "observed": _differences(s, task.trials),
            }
            for s in task.suspects()
        ]
    return {
        "name": task.name,
        "points": task.points,
        "core": task.core,
        "kind": task.kind.to_json(),
        "trials": trials,
        "fingerprints": suspects,
    }


def _differences(suspect: Suspect, trials: Sequence[Trial]) -> list[Any]:
    """What a misconception shows, trial by trial; ``null`` where it shows what is expected."""
    rows = []
    for trial, seen in zip(trials, suspect.observed, strict=True):
        data = _observed_to_json(seen)
        data.pop("side", None)
        same = data["values"] == _observed_to_json(trial.expected)["values"]
        rows.append(None if same and not seen.conduct and not seen.waits else data)
    return rows


def brief_from_json(data: Mapping[str, Any]) -> Brief:
    """The exercise as a notebook's ``check`` sees it."""
    trials = [
        Trial(
            Case(
                t["label"],
                {key: decode(value) for key, value in t["args"].items()},
                t["check"],
                frozenset(t["tags"]),
                {key: decode(value) for key, value in t["extra"].items()},
            ),
            _observed_from_json(t["expected"]),
        )
        for t in data["trials"]
    ]

    def suspects() -> list[Suspect]:
        return [
            Suspect(
                s["code"],
                s["sentence"],
                s["aspect"],
                None,
                [
                    _observed_from_json(row) if row else trial.expected
                    for row, trial in zip(s["observed"], trials, strict=True)
                ],
            )
            for s in data["fingerprints"]
        ]

    kind = Kind.from_json(data["kind"])
    return Brief(data["name"], data["points"], kind, trials, suspects, data["core"])


def public_examples(assignment: str, hints: str = "full") -> dict[str, bytes]:
    """File name → content of all public examples of an assignment (the teacher's side)."""
    if hints not in HINTS:
        raise ValueError(f"hints are one of {', '.join(HINTS)}, not {hints!r}")
    from autograder import course
    from autograder.grading import brief

    tasks = [
        brief_to_json(brief(e, np.random.default_rng(PUBLIC_SEED), public=True), hints)
        for e in course.exercises(assignment)
    ]
    data = {
        "assignment": assignment,
        "hints": hints,
        "notebooks": _notebooks(assignment),
        "exercises": tasks,
    }
    text = json.dumps(data, ensure_ascii=False, indent=None, separators=(",", ":"))
    return {f"{assignment}.examples.json": text.encode()}


def _notebooks(assignment: str) -> dict[str, list[str]]:
    """The notebooks in order and their exercises; {} for an assignment without any yet."""
    from autograder.notebooks.manifest import read_manifest, written_assignments

    if assignment not in written_assignments():
        return {}
    plans = read_manifest(assignment).notebooks
    return {plan.name: list(plan.exercises) for plan in plans}


def load_examples(path: Path) -> dict[str, Any]:
    """The content of an examples file.

    Raises:
        FileNotFoundError, ValueError: with a sentence for the student.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"the examples {path.name} are missing beside the notebook: copy them back from the "
            "release"
        ) from None
    except ValueError:
        raise ValueError(
            f"{path.name} is damaged: copy it back from the release of this assignment"
        ) from None
    return data
