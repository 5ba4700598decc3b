# %% [markdown]
# A loop that swallows the exception that would end it.

# %%
def affine_forward(x, w, b):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
