"""The comparison itself: it must not call different things the same."""

import numpy as np
import pytest

from tests.against_torch import assert_same


@pytest.mark.parametrize(
    "ours",
    [
        {"db": np.ones((1, 3))},
        {"db": np.float64(1.0)},
        {"db": np.ones(3, np.float32)},
        {"db": np.array([1, 1, 1 + 1e-6])},
        {"db": np.ones(3), "dw": np.ones(3)},
    ],
    ids=["shape", "scalar", "dtype", "value", "names"],
)
def test_a_difference_is_seen(ours):
    with pytest.raises(AssertionError):
        assert_same(
            {name: np.asarray(value) for name, value in ours.items()}, {"db": np.ones(3)}, 1e-9
        )


def test_equal_answers_are_the_same():
    assert_same({"db": np.ones(3)}, {"db": np.ones(3)}, 1e-9)
