# %% [markdown]
# Asks for a name and a page, in every way a notebook would.

# %%
import socket, urllib.request
found = []
try:
    socket.getaddrinfo("example.org", 80)
    found.append("dns")
except OSError:
    pass
try:
    urllib.request.urlopen("http://127.0.0.1:80", timeout=1)
    found.append("http")
except OSError:
    pass

# %%
!curl -s -m 1 http://127.0.0.1/ > page; true
!python3 -c "import socket; socket.socket()" 2> /dev/null && touch opened; true

# %%
import os
def loot(): return found + [f for f in ("opened",) if os.path.exists(f)]
