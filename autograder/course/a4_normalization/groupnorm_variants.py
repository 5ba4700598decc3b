"""Correct group normalisation as students write it: the style of CS231n, and a loop."""

import numpy as np


def cs231n_forward(x, gamma, beta, G, gn_param):
    eps = gn_param.get("eps", 1e-5)
    N, C, H, W = x.shape
    x_group = np.reshape(x, (N, G, C // G, H, W))
    mean = np.mean(x_group, axis=(2, 3, 4), keepdims=True)
    var = np.var(x_group, axis=(2, 3, 4), keepdims=True)
    x_groupnorm = (x_group - mean) / np.sqrt(var + eps)
    x_norm = np.reshape(x_groupnorm, (N, C, H, W))
    out = x_norm * gamma.reshape(1, C, 1, 1) + beta.reshape(1, C, 1, 1)
    return out, (G, x, x_norm, mean, var, beta, gamma, eps)


def cs231n_backward(dout, cache):
    G, x, x_norm, mean, var, beta, gamma, eps = cache
    N, C, H, W = dout.shape
    dbeta = np.sum(dout, axis=(0, 2, 3), keepdims=True).reshape(beta.shape)
    dgamma = np.sum(dout * x_norm, axis=(0, 2, 3), keepdims=True).reshape(gamma.shape)
    dx_norm = (dout * gamma.reshape(1, C, 1, 1)).reshape(N, G, C // G, H, W)
    x_group = x.reshape(N, G, C // G, H, W)
    M = C // G * H * W
    dvar = np.sum(dx_norm * -0.5 * (x_group - mean) * (var + eps) ** -1.5, axis=(2, 3, 4),
                  keepdims=True)  # fmt: skip
    dmean = np.sum(-dx_norm / np.sqrt(var + eps), axis=(2, 3, 4), keepdims=True)
    dx = dx_norm / np.sqrt(var + eps) + dvar * 2 * (x_group - mean) / M + dmean / M
    return dx.reshape(N, C, H, W), dgamma, dbeta


def loop_forward(x, gamma, beta, G, gn_param):
    h = np.zeros(x.shape, gamma.dtype)
    std = np.zeros((len(x), G), gamma.dtype)
    size = x.shape[1] // G
    for n in range(len(x)):
        for g in range(G):
            part = slice(g * size, (g + 1) * size)
            block = x[n, part].astype(gamma.dtype)
            std[n, g] = (block.var() + gn_param.get("eps", 1e-5)) ** 0.5
            h[n, part] = (block - block.mean()) / std[n, g]
    out = gamma.reshape(1, -1, 1, 1) * h + beta.reshape(1, -1, 1, 1)
    return out, [h, std, gamma, beta]


def loop_backward(dout, cache):
    h, std, gamma, beta = cache
    dx = np.zeros_like(dout)
    d = dout * gamma.reshape(1, -1, 1, 1)
    size = dout.shape[1] // std.shape[1]
    for n, g in np.ndindex(*std.shape):
        part = slice(g * size, (g + 1) * size)
        own, mine = d[n, part], h[n, part]
        dx[n, part] = (own - own.mean() - mine * np.mean(own * mine)) / std[n, g]
    dgamma = np.einsum("nchw,nchw->c", dout, h)
    return dx, dgamma.reshape(gamma.shape), np.einsum("nchw->c", dout).reshape(beta.shape)
