"""The array type that every signature of the package speaks of."""

from typing import Any

import numpy as np
from jaxtyping import Float

Array = np.ndarray

Scalar = int | float | np.floating | Float[Array, ""]
"""One number: Python's, NumPy's, or an array without axes."""


def as_float(x: Any) -> np.ndarray:
    """``x`` itself if it is an array of floating-point numbers; numbers and integers as float64."""
    x = np.asarray(x)
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float64)
