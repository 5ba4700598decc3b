"""What all kinds of exercise share: a script that observes, and a judge.

A *kind* knows how to try a function on a `Case` through the calls of a `Student` and what to
call what it saw. The same script runs on the student, on the reference (what is expected) and on
every misconception (what it would have answered), so nothing is described twice.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autograder.battery.compare import TOLERANCE, Fault, fault, same
from autograder.battery.fixtures import resolve
from autograder.exercise import Case
from autograder.student import Reply, Student
from autograder.values import Raised, Value, arrays_in

SPEED = "speed"
"""The check of cases that only tell how long a function takes: no misconception is asked there."""


ELSEWHERE = ("wrong as elsewhere", "see units")
"""Answers that say nothing of their own: what is wrong shows in another aspect."""


@dataclass
class Observed:
    """What a script saw on one case.

    values:  aspect → value, in the order of the report: "out", "dx", "w after step 3" …
    conduct: sentence fragments on what was done beside: "changes x in place".
    side:    what is remembered but not judged (the forward's output of a backward pass).
    waits:   name of a companion function without which nothing could be tried.
    """

    values: dict[str, Value] = field(default_factory=dict)
    conduct: list[str] = field(default_factory=list)
    side: dict[str, Value] = field(default_factory=dict)
    waits: str = ""
    seconds: float = 0.0

    def note(self, reply: Reply) -> Reply:
        """Record what a reply says of conduct."""
        self.seconds += reply.seconds
        for path in reply.changed:
            text = f"changes {path} in place"
            if text not in self.conduct:
                self.conduct.append(text)
        return reply

    def keeps(self, reply: Reply, given: Mapping[str, Value], names: Sequence[str]) -> None:
        """Record which lists and dictionaries of the caller are no longer what they were; the
        call was asked for them with ``after=names``."""
        for name in names:
            if reply.raised is None and not same(reply.after.get(name), given[name], 1e-12):
                self.conduct.append(f"changes {name}")

    def settings(
        self, reply: Reply, given: Mapping[str, Value], name: str, state: Sequence[str] = ()
    ) -> None:
        """Record which settings are no longer in the caller's dictionary, or no longer the same;
        what was added to it is free. The call was asked for it with ``after=(name,)``.

        Args:
            state: keys that the function is to write.
        """
        left, before = reply.after.get(name), given[name]
        if not isinstance(left, Mapping) or not isinstance(before, Mapping):
            return
        for key, value in before.items():
            if key in state or (key in left and same(left[key], value, 1e-12)):
                continue
            text = f"changes {key} in {name}" if key in left else f"takes {key} out of {name}"
            if text not in self.conduct:
                self.conduct.append(text)


@dataclass(frozen=True)
class Finding:
    """One comparison: an aspect on a case, right or wrong.

    check: the line of the report; "" for the main line of the aspect.
    """

    aspect: str
    case: Case
    fault: Fault | None
    expected: Value = None
    got: Value = None

    @property
    def passed(self) -> bool:
        return self.fault is None


@dataclass(frozen=True)
class Trial:
    """A case and what the reference showed on it."""

    case: Case
    expected: Observed


@dataclass(frozen=True)
class Suspect:
    """A misconception as the diagnosis sees it: its sentence and its answers, trial by trial."""

    code: str
    sentence: str
    aspect: str
    severity: float | None
    observed: Sequence[Observed]


@dataclass(frozen=True)
class Brief:
    """All that is needed to grade one exercise once: made from the declaration, or from the
    public examples of a notebook.

    lookalikes: suspects of last resort, asked only when nothing else has a name; none in a
                notebook, where there is no reference to change.
    inherited:  suspects that are right but for a helper in which the student has a known mistake.
    idle:       whether answers are those of an implementation that does nothing (see
                `autograder.idle`); not asked in a notebook, where there are no points.
    """

    name: str
    points: float
    kind: Kind
    trials: Sequence[Trial]
    suspects: Callable[[], Sequence[Suspect]]
    core: bool = True
    lookalikes: Callable[[], Iterable[Suspect]] = tuple
    idle: Callable[[Sequence[Observed]], bool] = lambda got: False
    inherited: Callable[[], Iterable[Suspect]] = tuple


REFUSALS = {"may refuse": ("TypeError",), "may raise": ("TypeError", "ValueError")}
"""Tags of cases that need not be answered: what says so politely enough."""


def may_refuse(case: Case, answer: Value) -> bool:
    """Whether an answer is an error that the case allows."""
    return isinstance(answer, Raised) and any(
        tag in case.tags and answer.kind in kinds for tag, kinds in REFUSALS.items()
    )


@dataclass(frozen=True)
class Kind:
    """Base of all kinds. Fields of subclasses are plain data, so that a kind can be written
    into the public examples and read back by its name."""

    registry: ClassVar[dict[str, type[Kind]]] = {}
    random: ClassVar[bool] = False
    """Whether answers differ from call to call, so that only distributions are judged."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Kind.registry[cls.__name__] = cls

    def to_json(self) -> dict[str, Any]:
        """The kind as plain data."""
        return {"kind": type(self).__name__} | dataclasses.asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Kind:
        """The kind that `to_json` wrote."""
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "kind"}
        return Kind.registry[data["kind"]](**fields)

    # What a subclass says -------------------------------------------------------------

    def script(self, name: str, student: Student, case: Case) -> Observed:
        """Try the exercise ``name`` on one case."""
        raise NotImplementedError

    def lack(self, case: Case) -> str:
        """What whoever declared a case has forgotten in it ("has no upstream gradient …")."""
        return ""

    def needs(self) -> tuple[str, ...]:
        """Companions that must be defined in the notebook too."""
        return ()

    def main_checks(self, aspects: Sequence[str]) -> dict[str, str]:
        """aspect → main line of the report; one output is simply called "values"."""
        if len(aspects) == 1:
            return {aspects[0]: "values"}
        return {aspect: aspect for aspect in aspects}

    def judge(self, trial: Trial, got: Observed) -> list[Finding]:
        """Compare all aspects of one trial, shape and dtype first."""
        found = []
        relative = trial.case.extra.get("tolerance") or _tolerance(trial.case)
        for aspect, expected in trial.expected.values.items():
            value = got.values.get(aspect)
            wrong = fault(
                expected, value, relative=relative, any_float="any float" in trial.case.tags
            )
            if may_refuse(trial.case, value):
                wrong = None
            found.append(Finding(aspect, trial.case, wrong, expected, value))
        return found

    def reconsider(
        self, name: str, student: Student, trials: Sequence[Trial], aspects: Sequence[str]
    ) -> tuple[set[str], str]:
        """Aspects that are forgiven after all, and the sentence that says why."""
        return set(), ""

    def recognise(
        self, aspect: str, wrong: Sequence[tuple[Trial, Value]]
    ) -> tuple[str, str, str] | None:
        """A mistake that this kind can tell from the wrong answers of one aspect.

        Returns:
            (code, what completes "<aspect> …", what a tutor would ask), or ``None``.
        """
        return None

    def same_answer(self, aspect: str, a: Value, b: Value) -> bool:
        """Whether two answers are one, for the match of a misconception."""
        return same(a, b, relative=1e-6)


Said = Mapping[tuple[str, str], tuple[str, str]]
"""(aspect, the word that was seen) → what completes "<aspect> …", and what a tutor would add."""


def said(
    table: Said, aspect: str, wrong: Sequence[tuple[Trial, Value]]
) -> tuple[str, str, str] | None:
    """What `Kind.recognise` answers where wrong answers are words that have a sentence."""
    known = [got for _, got in wrong if isinstance(got, str) and (aspect, got) in table]
    if not known:
        return None
    word = max(dict.fromkeys(known), key=known.count)
    code = ":".join("-".join(re.findall(r"\w+", text)) for text in (aspect, word))
    return (code, *table[aspect, word])


def _tolerance(case: Case) -> float | None:
    """What float32 inputs are worth, also where the answer is a number in double precision."""
    narrow = any(array.dtype == np.float32 for _, array in arrays_in(dict(case.args)))
    return TOLERANCE[np.dtype(np.float32)] if narrow else None


def arguments(case: Case) -> dict[str, Value]:
    """The arguments of a case with its fixtures made real."""
    return {key: resolve(value) for key, value in case.args.items()}


def call_with(
    student: Student, target: Any, case_args: Mapping[str, Value], **options: Any
) -> Reply:
    """Call by position, with the arguments' names known for what is said of them."""
    return student.call(target, *case_args.values(), names=tuple(case_args), **options)


def split(value: Value, names: Sequence[str]) -> dict[str, Value]:
    """A returned tuple as aspects; every aspect gets the error or the misfit where there is one.

    A single output must not come in a tuple.
    """
    if isinstance(value, Raised):
        return dict.fromkeys(names, value)
    if len(names) == 1:
        return {names[0]: value}
    if isinstance(value, (tuple, list)) and len(value) == len(names):
        return dict(zip(names, value, strict=True))
    return {name: Misfit(value, len(names)) for name in names}


@dataclass(frozen=True)
class Outputs(Raised):
    """What stands for an answer of a wrong form, and that answer: a form alone is not a mistake."""

    value: Value = field(default=None, compare=False)


def Misfit(value: Value, wanted: int) -> Raised:
    """What stands for every output when a function returns the wrong number of things."""
    if isinstance(value, (tuple, list)):
        got = f"{len(value)} things"
    elif value is None:
        got = "None: is there a `return`?"
    elif isinstance(value, np.ndarray):
        got = f"one array of shape {value.shape}"
    else:
        got = "one thing"
    text = f"the function should return {wanted} things, it returned {got}"
    return Outputs("Outputs", text, value=value)
