# %% [markdown]
# Uses no CPU and never ends.

# %%
import time
def affine_forward(x, w, b):
    time.sleep(10**6)
