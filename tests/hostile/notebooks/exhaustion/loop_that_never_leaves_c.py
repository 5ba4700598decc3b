# %% [markdown]
# A loop within C, where no signal handler of Python runs.

# %%
sum(range(10**13))
