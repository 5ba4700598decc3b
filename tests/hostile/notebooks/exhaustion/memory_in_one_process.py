# %% [markdown]
# Takes memory until none is left.

# %%
import numpy as np
hoard = []
while True:
    hoard.append(np.ones(2**22))
