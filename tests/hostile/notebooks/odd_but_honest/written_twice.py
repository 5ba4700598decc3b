# %% [markdown]
# The first version is wrong, the second right; then comes an unrelated loop that is too
# slow.

# %%
def affine_forward(x, w, b): return None
def relu_forward(x): return None

# %%
import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x

# %%
while True:
    pass
