"""The mutator: without it nobody knows whether the hidden checks would notice a slip."""

import time

import numpy as np
import pytest

from autograder.bounds import Exceeded, bounded
from autograder.course import exercises
from autograder.mutation.mutants import mutants
from autograder.mutation.survivors import survivors


def area(width, height=2.0):
    """A function with a guard, a loop, a sum and a quotient."""
    if width < 0:
        raise ValueError("negative")
    total = np.zeros(3)
    for i in range(3):
        total[i] += width * (height + i) / 4.0
    return total, total.sum(axis=0)


def changed(proof=True):
    return {m.key: m for m in mutants("area", area, proof=proof)}


def test_each_mutant_differs_from_the_original_in_one_place():
    found = changed()
    assert "total[i] += width * (height + i) / 4.0 → total[i] = width * (height + i) / 4.0" in found
    assert any("height - i" in key for key in found)
    assert "return (total, total.sum(axis=0)) → return (total, total.mean(axis=0))" in found
    assert any(
        "range(3 - 1)" in str(m.change.words) or "too early" in m.words for m in found.values()
    )


def test_what_only_refuses_bad_input_is_left_alone():
    assert not any("ValueError" in key or "width <" in key for key in changed(proof=False))


def test_a_mutant_computes_what_its_change_says():
    (mutant,) = [
        m for key, m in changed().items() if key.endswith("total[i] = width * (height + i) / 4.0")
    ]
    assert (
        mutant.words
        == "as if each contribution replaced the one before instead of adding to it in total"
    )
    assert np.array_equal(mutant.make()(1.0)[0], area(1.0)[0])  # added to zero: the same
    shorter = next(m for m in changed().values() if m.words.startswith("as if a loop ended"))
    assert np.array_equal(shorter.make()(1.0)[0], [0.5, 0.75, 0.0])


def test_parentheses_move_in_look_alikes():
    moved = [m for m in changed(proof=False).values() if "parentheses" in m.words]
    values = {round(float(m.make()(2.0)[0][1]), 6) for m in moved}
    assert (2.0 * 2.0 + 1) / 4.0 in values  # (width·height + i) / 4


def test_a_mutant_that_never_ends_or_eats_the_memory_is_stopped():
    started = time.process_time()
    with pytest.raises(Exceeded), bounded(seconds=0.2):
        sum(1 for _ in iter(int, 1))
    assert time.process_time() - started < 5
    with pytest.raises(MemoryError), bounded(memory=1 << 26):
        np.ones(1 << 28)
    assert np.ones(1 << 10).sum() == 1024  # and the bounds are gone again


def test_the_toll_counts_every_mutant_once_and_what_a_lesser_check_would_miss():
    softmax = next(e for e in exercises("a2_backprop") if e.name == "softmax_loss")
    toll = survivors(softmax)
    assert toll.tried > 30
    assert toll.tried >= len(toll.alive) + toll.equivalent + toll.one_case
    assert toll.one_case > 0
