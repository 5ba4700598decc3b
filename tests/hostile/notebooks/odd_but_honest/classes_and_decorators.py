# %% [markdown]
# Functions that are objects with a memory.

# %%
import functools
import numpy as np
calls = []
def counted(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        calls.append(f.__name__)
        return f(*args, **kwargs)
    return inner
class Affine:
    def __call__(self, x, w, b):
        return np.einsum("nd,dm->nm", x.reshape(x.shape[0], -1), w) + b, (x, w, b)
affine_forward = Affine()
relu_forward = counted(lambda x: (np.clip(x, 0, None), x))
