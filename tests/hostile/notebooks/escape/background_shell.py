# %% [markdown]
# Leaves shell jobs behind.

# %%
!nohup sleep 1000 >/dev/null 2>&1 &
!(setsid sleep 1000 &) ; true
import subprocess
subprocess.Popen(["sleep", "1000"], start_new_session=True)
