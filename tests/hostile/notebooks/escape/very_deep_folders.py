# %% [markdown]
# A chain of folders deeper than any recursion.

# %%
import os
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
