# %% [markdown]
# Reads address zero.

# %%
import ctypes
def affine_forward(x, w, b):
    ctypes.string_at(0)
