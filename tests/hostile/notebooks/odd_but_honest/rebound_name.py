# %% [markdown]
# Uses the name of the function for its result.

# %%
import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x

# %%
affine_forward = affine_forward(np.ones((2, 3)), np.ones((3, 2)), np.zeros(2))
relu_forward, cache = relu_forward(np.ones(3))
