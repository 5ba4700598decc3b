# %% [markdown]
# Forks in the middle of a call, so that two processes answer.

# %%
import os
import numpy as np
def affine_forward(x, w, b):
    os.fork()
    return np.zeros((len(x), w.shape[1])), (x, w, b)
