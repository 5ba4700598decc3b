# %% [markdown]
# Packages, magics and files that are not here, a long run and a killed process: above definitions.

# %%
from google.colab import drive
drive.mount("/content/drive")
import numpy as np
%tensorflow_version 2.x
EPSILON = 0.0

# %%
import os
if "affine_forward" not in globals():
    os._exit(1)

# %%
data = np.load("only_here.npz")
def flat(x):
    return np.zeros(1)
def flat(x):
    return x.reshape(len(x), -1) + EPSILON
@np.errstate(all="raise")
def affine_forward(x, w, b):
    return flat(x) @ w + b, (x, w, b)

# %%
while True:
    pass
def relu_forward(x):
    return np.maximum(0, x), x
