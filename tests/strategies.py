"""Hypothesis strategies: what the inputs of a layer or a loss look like."""

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

dtypes = st.sampled_from([np.float32, np.float64])
shapes = hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)


def numbers(limit=100.0):
    """Finite numbers whose magnitude is at most ``limit``, exact in float32 as well."""
    return st.floats(-limit, limit, width=32, allow_subnormal=False)


def arrays(shape=shapes, dtype=np.float64, limit=100.0):
    """Arrays of ``shape`` (a tuple, or a strategy for one) with entries up to ``limit``."""
    return hnp.arrays(dtype, shape, elements=numbers(limit))


@st.composite
def labelled(draw, limit=100.0, dtype=np.float64):
    """Scores (N, C) and labels (N,), N from 1, C from 2."""
    n, classes = draw(st.integers(1, 5)), draw(st.integers(2, 5))
    x = draw(arrays((n, classes), dtype, limit))
    y = draw(hnp.arrays(np.int64, (n,), elements=st.integers(0, classes - 1)))
    return x, y
