# %% [markdown]
# Listens and connects in the abstract namespace, which no file system guards.

# %%
import socket
found = []
try:
    server = socket.socket(socket.AF_UNIX)
    server.bind("\0csnn-friend")
    found.append("bound")
except OSError:
    pass
one, two = socket.socketpair()
try:
    one.connect("\0csnn-friend")
    found.append("connected")
except OSError:
    pass
try:
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"x", "\0csnn-friend")
    found.append("sent")
except OSError:
    pass

# %%
def loot(): return found
