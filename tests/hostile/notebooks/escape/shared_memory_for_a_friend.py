# %% [markdown]
# Leaves a message in shared memory and message queues that outlive a process.

# %%
import ctypes
libc = ctypes.CDLL(None)
found = []
if libc.shmget(7, 4096, 0o1666) >= 0:
    found.append("shmget")
if libc.msgget(7, 0o1666) >= 0:
    found.append("msgget")
if libc.semget(7, 1, 0o1666) >= 0:
    found.append("semget")
if libc.syscall(240, b"friend", 0o102, 0o666, None) >= 0:
    found.append("mq_open")

# %%
def loot(): return found
