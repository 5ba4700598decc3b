# %% [markdown]
# Starts threads until it may not.

# %%
import threading, time
for _ in range(10_000):
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
