# %% [markdown]
# Recursion without an end, in Python and past its limit.

# %%
import sys
def affine_forward(x, w, b):
    return affine_forward(x, w, b)

# %%
sys.setrecursionlimit(10**9)
class Deep:
    def __repr__(self): return repr(Deep())
