# %% [markdown]
# Returns an array that is far too large.

# %%
import numpy as np
def affine_forward(x, w, b):
    return np.broadcast_to(np.float64(0), (2**34,)), np.zeros((2**12, 2**12))
