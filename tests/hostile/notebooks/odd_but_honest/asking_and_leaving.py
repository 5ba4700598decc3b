# %% [markdown]
# Asks for input and leaves with exit().

# %%
import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x

# %%
name = input("your name: ")

# %%
exit()

# %%
import sys
sys.exit("done")
