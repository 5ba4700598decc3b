# %% [markdown]
# Turns warnings into errors and sets numpy to raise.

# %%
import warnings
import numpy as np
warnings.simplefilter("error")
np.seterr(all="raise")
np.set_printoptions(precision=1, threshold=3)
np.random.seed(0)

import numpy as np
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x), x
