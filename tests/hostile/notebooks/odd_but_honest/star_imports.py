# %% [markdown]
# Imports everything, so that sum, abs and max are other functions now.

# %%
from numpy import *
import numpy as np
def affine_forward(x, w, b):
    return matmul(x.reshape(x.shape[0], -1), w) + b, (x, w, b)
def relu_forward(x):
    return where(x > 0, x, zeros_like(x)), x
