# %% [markdown]
# Top-level await, threads and a pool of processes.

# %%
import asyncio, concurrent.futures, multiprocessing, threading
import numpy as np
async def product(a, b):
    await asyncio.sleep(0)
    return a @ b
answer = await product(np.ones((2, 2)), np.ones((2, 2)))

# %%
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    scale = sum(pool.map(float, [0.5, 0.5]))

# %%
def one(_): return 1
with multiprocessing.get_context("fork").Pool(2) as workers:
    ones = workers.map(one, range(4))

# %%
def affine_forward(x, w, b):
    return scale * (x.reshape(len(x), -1) @ w) + ones[0] * b, (x, w, b)
def relu_forward(x):
    return np.maximum(0, x) * float(answer[0, 0] / 2), x
