# %% [markdown]
# Tidies up more than is good.

# %%
import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x

# %%
del np
del affine_forward, relu_forward
