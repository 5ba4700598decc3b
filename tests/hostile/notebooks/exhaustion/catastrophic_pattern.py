# %% [markdown]
# A regular expression that takes centuries.

# %%
import re
re.match(r"(a+)+$", "a" * 60 + "b")
