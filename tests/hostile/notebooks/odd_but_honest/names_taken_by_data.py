# %% [markdown]
# Gives the names of a package and of a helper to data, and returns lists for tuples.

# %%
import numpy as np
def flat(x):
    return x.reshape(len(x), -1)
def affine_forward(x, w, b):
    return [flat(x) @ w + b, [x, w, b]]
def relu_forward(x):
    return [np.maximum(0, x), x]

# %%
flat = flat(np.ones((2, 3)))
np = 5
