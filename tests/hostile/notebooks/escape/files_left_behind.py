# %% [markdown]
# Leaves files wherever it may write, some of them hard to remove.

# %%
import os
for folder in ("/tmp", "/dev/shm", "/var/tmp", "/dev", "/", "."):
    try:
        os.makedirs(f"{folder}/left/deep", exist_ok=True)
        open(f"{folder}/left/deep/file", "w").write("for my friend")
        os.chmod(f"{folder}/left/deep", 0)
        os.chmod(f"{folder}/left", 0)
    except OSError:
        pass
os.symlink("/", "root")
os.symlink("/runtime", "runtime")
os.mkfifo("pipe")
os.link("pipe", "second")
open("name with\nnewline \u202e", "w").close()
