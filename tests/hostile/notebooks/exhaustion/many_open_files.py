# %% [markdown]
# Opens files until it may not, and then the channel is all that is left.

# %%
kept = []
while True:
    kept.append(open("/dev/null"))
