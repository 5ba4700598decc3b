# %% [markdown]
# Everything IPython can do.

# %%
%load_ext autoreload
%autoreload 2
%config InlineBackend.figure_format = "retina"
%precision 3

# %%
%%time
import numpy as np

# %%
%%writefile layers.py
import numpy as np
def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)

# %%
%%capture
!pip install numpy
!ls -la
files = !ls
print(files)
from layers import affine_forward

# %%
%%bash
echo hello

# %%
%timeit -n 1 -r 1 np.ones(3)
%who
%env LANG
def relu_forward(x): return np.maximum(x, 0), x
