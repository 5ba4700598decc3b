# %% [markdown]
# A function that never returns.

# %%
def affine_forward(x, w, b):
    while True:
        pass
