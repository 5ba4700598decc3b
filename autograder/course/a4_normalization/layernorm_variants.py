"""Correct layer normalisation as students write it: the style of CS231n, and a loop."""

import numpy as np


def cs231n_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    xT = x.T
    mean = np.mean(xT, axis=0)
    var = np.var(xT, axis=0)
    x_norm = ((xT - mean) / np.sqrt(var + eps)).T
    out = gamma * x_norm + beta
    return out, (x_norm, gamma, var, eps)


def cs231n_backward(dout, cache):
    x_norm, gamma, var, eps = cache
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * x_norm, axis=0)
    dx_norm = (dout * gamma).T
    x_norm = x_norm.T
    D = dx_norm.shape[0]
    dx = (1.0 / D) / np.sqrt(var + eps) * (
        D * dx_norm - np.sum(dx_norm, axis=0) - x_norm * np.sum(dx_norm * x_norm, axis=0)
    )  # fmt: skip
    return dx.T, dgamma, dbeta


def loop_forward(x, gamma, beta, ln_param):
    rows, spreads = [], []
    for row in x:
        mean = row.sum() / len(row)
        spread = ((row - mean) ** 2).sum() / len(row)
        spreads.append((spread + ln_param.get("eps", 1e-5)) ** 0.5)
        rows.append((row - mean) / spreads[-1])
    h = np.array(rows, dtype=gamma.dtype)
    return h * gamma + beta, {"h": h, "std": spreads, "gamma": gamma}


def loop_backward(dout, cache):
    h, gamma = cache["h"], cache["gamma"]
    dx = np.zeros_like(dout)
    for i in range(len(dout)):
        d = dout[i] * gamma
        dx[i] = (d - np.mean(d) - h[i] * np.mean(d * h[i])) / cache["std"][i]
    return dx, np.einsum("nd,nd->d", dout, h), np.einsum("nd->d", dout)
