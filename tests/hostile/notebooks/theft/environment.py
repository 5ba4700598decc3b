# %% [markdown]
# Looks for secrets in environments and command lines.

# %%
import glob, os
found = [k for k in os.environ if any(w in k.upper() for w in ("SECRET", "TOKEN", "KEY", "PASS", "SSH"))]
for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
    try:
        text = open(path, "rb").read().decode(errors="replace")
    except OSError:
        continue
    found += [f"{path}: {word}" for word in ("secret", "SECRET", "csnn-jail", "submitted") if word in text]

# %%
def loot(): return found
