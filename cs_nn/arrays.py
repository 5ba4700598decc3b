"""The array type that every signature of the package speaks of."""

import numpy as np

Array = np.ndarray
