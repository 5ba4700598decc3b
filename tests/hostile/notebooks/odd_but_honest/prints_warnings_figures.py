# %% [markdown]
# Leaves prints, warnings and open figures everywhere.

# %%
%matplotlib inline
import warnings
import numpy as np
import matplotlib.pyplot as plt
def affine_forward(x, w, b):
    print("x =", x)
    warnings.warn("not sure about this")
    plt.figure()
    return x.reshape(len(x), -1).dot(w) + b, (x, w, b)
def relu_forward(x):
    print("relu" * 10_000)
    return x * (x > 0), x

# %%
for _ in range(30):
    plt.figure(); plt.plot([1, 2])
plt.show()
np.log(np.zeros(3))
