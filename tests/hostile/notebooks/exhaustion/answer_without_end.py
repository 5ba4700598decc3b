# %% [markdown]
# Returns things that contain themselves, or never end.

# %%
def affine_forward(x, w, b):
    circle = []
    circle.append(circle)
    return circle, {"self": circle}
def relu_forward(x):
    while True:
        yield x
