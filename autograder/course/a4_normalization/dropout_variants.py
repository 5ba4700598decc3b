"""Correct dropout as students write it: the style of CS231n, coins, `where`, a loop."""

import numpy as np


def cs231n_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])  # noqa: NPY002
    mask = None
    out = x
    if mode == "train":
        mask = (np.random.rand(*x.shape) < p) / p  # noqa: NPY002
        out = x * mask
    cache = (dropout_param, mask)
    out = out.astype(x.dtype, copy=False) if x.dtype.kind == "f" else out
    return out, cache


def cs231n_backward(dout, cache):
    dropout_param, mask = cache
    mode = dropout_param["mode"]
    dx = dout
    if mode == "train":
        dx = dout * mask
    return dx.astype(dout.dtype)


def binomial_forward(x, dropout_param):
    if dropout_param["mode"] != "train":
        return np.array(x, copy=True), None
    p = dropout_param["p"]
    rng = np.random.default_rng(dropout_param.get("seed", None))
    mask = rng.binomial(1, p, size=x.shape).astype(x.dtype)
    return np.multiply(x, mask) / p, (mask, p)


def binomial_backward(dout, cache):
    if cache is None:
        return dout
    mask, p = cache
    return (dout * mask / p).astype(dout.dtype)


def where_forward(x, dropout_param):
    if dropout_param["mode"] == "test":
        return x + 0, {"mode": "test"}
    rng = np.random.RandomState(dropout_param.get("seed"))  # noqa: NPY002
    dropped = rng.uniform(size=x.shape) >= dropout_param["p"]
    out = np.where(dropped, 0, x / dropout_param["p"]).astype(np.result_type(x, np.float32))
    return out, {"mode": "train", "dropped": dropped, "p": dropout_param["p"]}


def where_backward(dout, cache):
    if cache["mode"] == "test":
        return dout.copy()
    return np.where(cache["dropped"], 0, dout / cache["p"]).astype(dout.dtype)


def vanilla_mask(x, dropout_param):
    p = dropout_param["p"]
    if dropout_param["mode"] == "test":
        return p * x, p
    mask = np.random.default_rng(dropout_param.get("seed")).random(x.shape) < p
    return x * mask, mask


def vanilla_mask_backward(dout, cache):
    return cache * dout


def vanilla_choice(x, dropout_param):
    p, seed = dropout_param["p"], dropout_param.get("seed")
    if dropout_param["mode"] == "test":
        return x * float(p), {"factor": float(p)}
    if seed is not None:
        np.random.seed(seed)  # noqa: NPY002
    mask = np.random.choice([0, 1], size=x.shape, p=[1 - p, p])  # noqa: NPY002
    out = x.copy()
    out[mask == 0] = 0
    return out, {"mask": mask}


def vanilla_choice_backward(dout, cache):
    if "factor" in cache:
        return dout * cache["factor"]
    dx = np.zeros_like(dout)
    dx[cache["mask"] == 1] = dout[cache["mask"] == 1]
    return dx


def vanilla_loop(x, dropout_param):
    p = dropout_param["p"]
    if dropout_param["mode"] == "test":
        return np.array([row * p for row in x]), (p, None)
    rng = np.random.default_rng(dropout_param.get("seed"))
    mask = np.stack([rng.random(row.shape) < p for row in x])
    return np.where(mask, x, 0), (p, mask)


def vanilla_loop_backward(dout, cache):
    p, mask = cache
    return dout * p if mask is None else np.stack([d * m for d, m in zip(dout, mask)])
