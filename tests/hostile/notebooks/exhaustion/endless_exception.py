# %% [markdown]
# Raises an exception whose text takes for ever and a gigabyte.

# %%
class Novel(Exception):
    def __str__(self): return "word " * 10**8
def affine_forward(x, w, b):
    raise Novel()
