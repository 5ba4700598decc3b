"""One small notebook per attack. None earns more than its honest part, finds anything, disturbs
the student who is graded next, leaves a process or a file, or takes longer than its limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.sandbox.jail import Jail
from autograder.values import Raised
from tests.hostile.harness import (
    MOST_SECONDS,
    RIGHT_RELU,
    WRONG_AFFINE,
    Graded,
    cells,
    files_outside,
    grade,
    left_behind,
    neighbour,
    notebooks,
)

ATTACKS = notebooks("forging", "theft", "escape", "exhaustion", "network")
ODD = notebooks("odd_but_honest")
SAMPLE = [
    "forging/array_that_equals_everything",
    "forging/patched_worker",
    "forging/frames_ahead_of_time",
    "theft/memory_of_the_warm_process",
    "theft/hidden_course",
    "escape/daemon",
    "escape/files_left_behind",
    "escape/kernel_doors",
    "exhaustion/gigantic_answer",
    "exhaustion/crash_in_c",
    "network/sockets_of_every_family",
]
ODD_SAMPLE = ["odd_but_honest/deleted_names", "odd_but_honest/star_imports"]


def fail_if_it_won(name: str, jail: Jail, honest: Graded, clean: Graded) -> None:
    attacker = grade(jail, RIGHT_RELU, WRONG_AFFINE, *cells(name))
    for exercise, score in attacker.scores.items():
        assert score <= honest.scores[exercise], f"{exercise} was forged: {attacker.results}"
    assert attacker.loot in (None, []) or isinstance(attacker.loot, Raised), attacker.loot
    assert attacker.seconds < MOST_SECONDS
    assert left_behind(jail) == []
    assert neighbour(jail).results == clean.results
    assert files_outside() == []


@pytest.mark.parametrize("name", SAMPLE)
def test_an_attack_wins_nothing(name: str, jail: Jail, honest: Graded, clean: Graded):
    fail_if_it_won(name, jail, honest, clean)


@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in SAMPLE])
def test_every_attack_wins_nothing(name: str, jail: Jail, honest: Graded, clean: Graded):
    fail_if_it_won(name, jail, honest, clean)


def fail_if_it_cost(name: str, jail: Jail, clean: Graded) -> None:
    student = grade(jail, *cells(name))
    assert student.results == clean.results
    assert student.student.status == "graded"


@pytest.mark.parametrize("name", ODD_SAMPLE)
def test_an_odd_notebook_loses_nothing(name: str, jail: Jail, clean: Graded):
    fail_if_it_cost(name, jail, clean)


@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name in ODD if name not in ODD_SAMPLE])
def test_every_odd_notebook_loses_nothing(name: str, jail: Jail, clean: Graded):
    fail_if_it_cost(name, jail, clean)


def test_the_yardstick_is_right(honest: Graded, clean: Graded):
    assert honest.scores["relu_forward"] == clean.scores["relu_forward"] > 0
    assert honest.scores["affine_forward"] < clean.scores["affine_forward"]
    assert '"failed"' not in clean.results


def test_every_notebook_says_what_it_attacks():
    for name in ATTACKS + ODD:
        text = (Path(__file__).parent / "notebooks" / f"{name}.py").read_text()
        assert text.startswith("# %% [markdown]\n# "), name
        assert cells(name), name
