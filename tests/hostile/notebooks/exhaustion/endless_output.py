# %% [markdown]
# Prints a gigabyte, through Python and past it.

# %%
import os
for _ in range(1000):
    print("x" * 2**20)
for _ in range(1000):
    os.write(1, b"x" * 2**20)

# %%
!yes | head -c 300000000
