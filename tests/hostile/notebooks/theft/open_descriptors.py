# %% [markdown]
# Tries every descriptor that may have been left open.

# %%
import os, stat
found = []
for descriptor in range(256):
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        continue
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISFIFO(mode):
        found.append((descriptor, oct(mode)))
sockets = [d for d in range(256) if os.path.exists(f"/proc/self/fd/{d}") and stat.S_ISSOCK(os.fstat(d).st_mode)]
if len(sockets) > 1:
    found.append(f"sockets {sockets}")
found = [str(thing) for thing in found]

# %%
def loot(): return found
