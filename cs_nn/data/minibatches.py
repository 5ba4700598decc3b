"""Mini-batches: which examples the next gradient is estimated from."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from cs_nn.arrays import Array


def minibatches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[Int[Array, "batch"]]:
    """Yield the index arrays of one epoch: all n examples once, shuffled, in consecutive batches.

    Args:
        n: number of examples, 0 or more.
        batch_size: examples in each batch, 1 or more; the last batch holds what is left.
        rng: source of the shuffle.

    Yields:
        Integer arrays of shape (batch_size,), the last one possibly shorter. Each is an array of
        its own, so changing one does not change another.

    Raises:
        ValueError: if ``n`` is negative or ``batch_size`` is below 1, when the first batch is
            asked for.

    Source: CS231n, "Mini-batch gradient descent"; Bengio 2012, section 3.1.
    """
    if n < 0 or batch_size < 1:
        raise ValueError(f"n is {n} and batch_size is {batch_size}: give n ≥ 0, batch_size ≥ 1.")
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size].copy()


def sample_batch(n: int, batch_size: int, rng: np.random.Generator) -> Int[Array, "batch"]:
    """Return the indices of one mini-batch, drawn with replacement.

    Args:
        n: number of examples, 1 or more.
        batch_size: examples in the batch, 1 or more; may exceed ``n``.
        rng: source of the draws.

    Raises:
        ValueError: if ``n`` or ``batch_size`` is below 1.

    Source: Bottou 2010, "Large-scale machine learning with stochastic gradient descent".
    """
    if n < 1 or batch_size < 1:
        raise ValueError(f"n is {n} and batch_size is {batch_size}: give 1 or more for both.")
    return rng.integers(n, size=batch_size)
