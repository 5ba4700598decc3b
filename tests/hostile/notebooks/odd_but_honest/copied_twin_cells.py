# %% [markdown]
# The same cell three times, each with its own experiments.

# %%
import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x

# %%
import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x

# %%
import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x

# %%
x = np.random.randn(4, 5)
x, w, b = x, np.ones((5, 2)), 0
out, cache = affine_forward(x, w, b)
assert out.shape == (4, 2)
