# %% [markdown]
# Reads the log and the keyrings of the kernel.

# %%
import ctypes
libc = ctypes.CDLL(None)
found = []
buffer = ctypes.create_string_buffer(4096)
if libc.klogctl(3, buffer, 4096) > 0:
    found.append("klogctl")
if libc.syscall(250, 0, -3, 0) >= 0:
    found.append("keyctl")

# %%
def loot(): return found
