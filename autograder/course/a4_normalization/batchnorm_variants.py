"""Correct batch normalisation as students write it: the style of CS231n, a loop, a folded map,
and the graph of a well-known blog post."""

import numpy as np


def cs231n_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))
    out, cache = x, None
    if mode == "train":
        sample_mean = np.mean(x, axis=0)
        sample_var = np.var(x, axis=0)
        x_norm = (x - sample_mean) / np.sqrt(sample_var + eps)
        out = gamma * x_norm + beta
        running_mean = momentum * running_mean + (1 - momentum) * sample_mean
        running_var = momentum * running_var + (1 - momentum) * sample_var
        cache = (x, x_norm, sample_mean, sample_var, gamma, beta, eps)
    elif mode == "test":
        x_norm = (x - running_mean) / np.sqrt(running_var + eps)
        out = gamma * x_norm + beta
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


def loop_forward(x, gamma, beta, bn_param):
    x = x.astype(gamma.dtype)
    n, d = len(x), len(gamma)
    out = np.empty((n, d), gamma.dtype)
    eps, m = bn_param.setdefault("eps", 1e-5), bn_param.setdefault("momentum", 0.9)
    for key in ("running_mean", "running_var"):
        bn_param.setdefault(key, np.zeros(d, gamma.dtype))
    for j in range(d):
        mean, var = bn_param["running_mean"][j], bn_param["running_var"][j]
        if bn_param["mode"] == "train":
            mean = sum(x[:, j]) / n
            var = sum((x[:, j] - mean) ** 2) / n
            bn_param["running_mean"][j] = m * bn_param["running_mean"][j] + (1 - m) * mean
            bn_param["running_var"][j] = m * bn_param["running_var"][j] + (1 - m) * var
        for i in range(n):
            out[i, j] = (x[i, j] - mean) * (var + eps) ** -0.5 * gamma[j] + beta[j]
    return out, {"x": x, "param": bn_param}


def folded_forward(x, gamma, beta, bn_param):
    """Scale and shift folded into one affine map, averages by a correction."""
    if bn_param["mode"] == "train":
        mean = np.einsum("nd->d", x) / len(x)
        var = np.einsum("nd,nd->d", x - mean, x - mean) / len(x)
        rate = 1 - bn_param.get("momentum", 0.9)
        for key, value in (("running_mean", mean), ("running_var", var)):
            old = bn_param.get(key)
            bn_param[key] = rate * value if old is None else old + rate * (value - old)
    else:
        mean, var = bn_param.get("running_mean", 0 * gamma), bn_param.get("running_var", 0 * gamma)
    slope = gamma / (var + bn_param.get("eps", 1e-5)) ** 0.5
    return (x - mean) * slope + beta, None


def cs231n_backward(dout, cache):
    x, x_norm, sample_mean, sample_var, gamma, beta, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * x_norm, axis=0)
    dx_norm = dout * gamma
    dsample_var = np.sum(dx_norm * (x - sample_mean) * -0.5 * (sample_var + eps) ** (-1.5), axis=0)
    dsample_mean = np.sum(-dx_norm / np.sqrt(sample_var + eps), axis=0)
    dsample_mean += dsample_var * np.sum(-2 * (x - sample_mean), axis=0) / N
    dx = dx_norm / np.sqrt(sample_var + eps)
    dx += dsample_var * 2 * (x - sample_mean) / N
    dx += dsample_mean / N
    return dx, dgamma, dbeta


def staged_forward(x, gamma, beta, bn_param):
    """The graph of the well-known blog post, one variable for each node."""
    eps = bn_param.get("eps", 1e-5)
    N, D = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    return gamma * xhat + beta, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)


def staged_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D), dtype=dout.dtype) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dx1, axis=0)
    dx2 = 1.0 / N * np.ones((N, D), dtype=dout.dtype) * dmu
    return dx1 + dx2, dgamma, dbeta


def cs231n_alt(dout, cache):
    x, x_norm, sample_mean, sample_var, gamma, beta, eps = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_norm).sum(axis=0)
    dx_norm = dout * gamma
    dx = (1 / N) * (1 / np.sqrt(sample_var + eps)) * (
        N * dx_norm - np.sum(dx_norm, axis=0) - x_norm * np.sum(dx_norm * x_norm, axis=0)
    )  # fmt: skip
    return dx, dgamma, dbeta
