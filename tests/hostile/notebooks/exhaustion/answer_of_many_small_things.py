# %% [markdown]
# Returns millions of little objects.

# %%
def affine_forward(x, w, b):
    return [[] for _ in range(2_000_000)], {str(i): i for i in range(300_000)}
