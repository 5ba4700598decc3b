# %% [markdown]
# Opens sockets: TCP, UDP, raw, unix, netlink, vsock, packet.

# %%
import socket
found = []
for family in range(1, 46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(family, kind).close()
            found.append(f"{family} {kind}")
        except OSError:
            pass

# %%
def loot(): return found
