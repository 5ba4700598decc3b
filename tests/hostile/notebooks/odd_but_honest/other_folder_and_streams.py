# %% [markdown]
# Changes the folder, the streams and the recursion limit.

# %%
import os, sys, tempfile, logging
os.makedirs("work", exist_ok=True)
os.chdir("work")
sys.setrecursionlimit(5000)
sys.stdout = open("log.txt", "w")
logging.basicConfig(level=logging.DEBUG)
with tempfile.NamedTemporaryFile() as scratch:
    scratch.write(b"x")

import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x
