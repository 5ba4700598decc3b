"""Every operation that PyTorch has too gives PyTorch's values and gradients."""

import pytest

from tests.against_torch import areas, assert_same, cases, read

TABLE = [(area, case) for area in areas() for case in cases(area)]


@pytest.mark.parametrize(
    ("area", "case"), TABLE, ids=[f"{area}-{case.name}" for area, case in TABLE]
)
def test_same_as_torch(area, case):
    inputs, answers = read(area)[case.name]
    assert_same(case.our_answers(inputs), answers, case.tolerance)


@pytest.mark.parametrize("area", areas())
def test_stored_answers_belong_to_the_table(area):
    """A renamed case must not leave an answer behind that nobody compares any more."""
    stored = read(area)
    assert sorted(stored) == sorted(case.name for case in cases(area))
    for case in cases(area):
        for drawn, kept in zip(case.inputs(), stored[case.name][0], strict=True):
            assert drawn.shape == kept.shape
            assert drawn.dtype == kept.dtype
