# %% [markdown]
# Displays an object that never finishes to describe itself.

# %%
class Slow:
    def __repr__(self):
        while True:
            pass
Slow()
