"""Every example once an epoch, none forgotten, none twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_nn.data.minibatches import minibatches, sample_batch


@given(n=st.integers(0, 60), batch_size=st.integers(1, 70), seed=st.integers(0, 1000))
def test_an_epoch_takes_every_example_once(n, batch_size, seed):
    batches = list(minibatches(n, batch_size, np.random.default_rng(seed)))
    assert sorted(np.concatenate([np.empty(0, int), *batches])) == list(range(n))
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert all(0 < len(batch) <= batch_size for batch in batches)


def test_the_order_is_shuffled_anew_each_epoch():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(list(minibatches(50, 7, rng))) for _ in range(2))
    assert not np.array_equal(first, np.arange(50))
    assert not np.array_equal(first, second)


def test_changing_a_batch_does_not_change_another():
    batches = list(minibatches(10, 5, np.random.default_rng(0)))
    kept = batches[1].copy()
    batches[0][:] = -1
    np.testing.assert_array_equal(batches[1], kept)
    assert batches[0].base is None


def test_sampling_is_with_replacement_over_all_examples():
    drawn = sample_batch(5, 1000, np.random.default_rng(0))
    assert drawn.shape == (1000,)
    assert set(drawn) == set(range(5))


@pytest.mark.parametrize(("n", "batch_size"), [(-1, 2), (3, 0)])
def test_impossible_sizes_are_refused(n, batch_size):
    with pytest.raises(ValueError, match="give"):
        next(minibatches(n, batch_size, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="give"):
        sample_batch(n, batch_size, np.random.default_rng(0))
