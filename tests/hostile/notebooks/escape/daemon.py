# %% [markdown]
# Detaches a process twice over; it waits for the next student.

# %%
import os, time
def daemon():
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 256)
    while True:
        time.sleep(1)
daemon()
