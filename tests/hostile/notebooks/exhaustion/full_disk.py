# %% [markdown]
# One file of a gigabyte, and many small ones.

# %%
with open("large", "wb") as out:
    for _ in range(1024):
        out.write(b"x" * 2**20)

# %%
for k in range(200_000):
    open(f"f{k}", "w").write("x" * 5000)
