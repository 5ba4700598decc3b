"""The plan of the course: complete, worth 100 points a piece, and true to where things live."""

import itertools
from pathlib import Path

import pytest

import cs_nn
from autograder.course import curriculum
from autograder.notebooks.package_tree import Package


@pytest.mark.parametrize("assignment", curriculum.ASSIGNMENTS)
def test_the_core_of_each_assignment_is_worth_100_points(assignment):
    assert sum(e.points for e in curriculum.planned(assignment) if e.core) == 100
    assert all(e.points > 0 for e in curriculum.planned(assignment))


def test_each_function_is_graded_once():
    assert len(curriculum.by_name()) == len(curriculum.PLAN)


def test_what_is_cut_shrinks_from_assignment_to_assignment():
    cuts = [set(curriculum.graded_from(a)) for a in curriculum.ASSIGNMENTS]
    assert all(later < earlier for earlier, later in itertools.pairwise(cuts))
    assert "affine_forward" in cuts[1]
    assert "affine_forward" not in cuts[2]


def test_an_unknown_assignment_is_a_key_error():
    with pytest.raises(KeyError):
        curriculum.planned("a9")


def test_every_reference_lives_where_the_plan_says():
    package = Package(Path(cs_nn.__file__).parent)
    homes = {}
    for module, name in package.owners:
        homes.setdefault(name, set()).add(module)
    wrong = [e.name for e in curriculum.PLAN if e.module not in homes.get(e.name, {e.module})]
    assert wrong == []
