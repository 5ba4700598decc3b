"""Inputs for convolution, and correct convolutions as students write them."""

import numpy as np

from autograder.battery.functions import CONDUCT
from autograder.battery.kind import SPEED
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case
from cs_nn.layers.convolution import conv_backward, conv_forward

REFERENCE = {"conv_forward": conv_forward, "conv_backward": conv_backward}


def inputs(rng, x, f, window, stride, pad):
    """x (N, C, H, W), f filters of the given window."""
    return {
        "x": numbers(rng, *x),
        "w": numbers(rng, f, x[1], *window),
        "b": numbers(rng, f),
        "conv_param": {"stride": stride, "pad": pad},
    }


def out_shape(args):
    (n, _, h, w), (f, _, hh, ww) = args["x"].shape, args["w"].shape
    stride, pad = args["conv_param"]["stride"], args["conv_param"]["pad"]
    return n, f, 1 + (h + 2 * pad - hh) // stride, 1 + (w + 2 * pad - ww) // stride


def cases_for(backward):
    """The suite; a backward pass also gets upstream gradients and a case for its speed."""

    def cases(rng):
        def case(x, f, window, stride, pad, check="", tags=(), change=None, words="", **extra):
            args = inputs(rng, x, f, window, stride, pad)
            if change is not None:
                args = change(args)
            extra["dout"] = numbers(rng, *out_shape(args)).astype(np.result_type(args["w"]))
            size = f"{window[0]}×{window[1]} filters, stride {stride}, pad {pad}"
            label = f"{words}x of shape {x}, {f} {size}"
            public = check != SPEED
            facts = {"a stride above 1": stride > 1, "padding": pad > 0}
            tags = {*tags, *(fact for fact, holds in facts.items() if holds)}
            return Case(label, args, check, frozenset(tags), extra, public)

        def narrow(args):
            return as_dtype(args, np.float32)

        def whole(args):
            return {**args, "x": np.rint(3 * args["x"]).astype(np.int64)}

        made = [
            case((3, 2, 4, 5), 4, (3, 2), 1, 1, tags=[CONDUCT]),
            case((3, 3, 6, 5), 2, (2, 3), 2, 1),
            case((1, 2, 5, 8), 2, (3, 3), 2, 2),
            case((2, 3, 5, 4), 2, (3, 2), 1, 0, "no padding"),
            case((2, 1, 7, 6), 3, (3, 3), 3, 0, "no padding"),
            case((2, 2, 6, 8), 3, (3, 2), 3, 1, "windows that do not come out even"),
            case((2, 2, 4, 6), 3, (2, 3), 1, 1, "N = 1", change=lambda a: {**a, "x": a["x"][:1]}),
            case((2, 3, 4, 3), 2, (1, 1), 1, 0, "1×1 filters"),
            case((3, 2, 3, 4), 4, (3, 4), 1, 0, "filters as large as the image"),
            case((2, 3, 4, 5), 2, (3, 3), 1, 1, "non-contiguous", change=strided, words="strided "),
            case((2, 2, 5, 4), 3, (3, 2), 2, 1, "float32", change=narrow, words="float32 "),
        ]
        if backward:
            shape = (3, 3, 36, 36)
            made.append(case(shape, 3, (3, 3), 1, 1, SPEED, seconds=1.2))
        else:
            tags = ["any float", "may refuse"]
            made.append(
                case((2, 2, 4, 5), 3, (3, 3), 1, 1, "integer inputs", tags, whole, "integer ")
            )
        return made

    return cases


def padded(x, pad, mode="constant"):
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode=mode)


# Correct, as students write them ------------------------------------------------------


def naive_forward(x, w, b, conv_param):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    stride, pad = conv_param["stride"], conv_param["pad"]
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, H_out, W_out), dtype=np.result_type(x.dtype, w.dtype))
    x_pad = np.pad(x, ((0,), (0,), (pad,), (pad,)), "constant")
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    hs, ws = i * stride, j * stride
                    out[n, f, i, j] = np.sum(x_pad[n, :, hs : hs + HH, ws : ws + WW] * w[f]) + b[f]
    cache = (x, w, b, conv_param)
    return out, cache


def naive_backward(dout, cache):
    x, w, b, conv_param = cache
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    stride, pad = conv_param["stride"], conv_param["pad"]
    x_pad = np.pad(x, ((0,), (0,), (pad,), (pad,)), "constant")
    dx_pad, dw, db = np.zeros_like(x_pad), np.zeros_like(w), np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            db[f] += np.sum(dout[n, f])
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    hs, ws = i * stride, j * stride
                    dw[f] += x_pad[n, :, hs : hs + HH, ws : ws + WW] * dout[n, f, i, j]
                    dx_pad[n, :, hs : hs + HH, ws : ws + WW] += w[f] * dout[n, f, i, j]
    dx = dx_pad[:, :, pad : pad + H, pad : pad + W]
    return dx, dw, db


def windows_forward(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    view = np.lib.stride_tricks.sliding_window_view(padded(x, p), w.shape[2:], axis=(2, 3))
    view = view[:, :, ::s, ::s]
    return np.einsum("ncijhw,fchw->nfij", view, w) + b[None, :, None, None], [x, w, view, s, p]


def windows_backward(dout, cache):
    x, w, view, s, p = cache
    dw = np.einsum("nfij,ncijhw->fchw", dout, view)
    dx = np.zeros_like(padded(x, p), dtype=dout.dtype)
    for h in range(w.shape[2]):
        for k in range(w.shape[3]):
            part = np.einsum("nfij,fc->ncij", dout, w[:, :, h, k])
            i, j = h + s * np.arange(dout.shape[2]), k + s * np.arange(dout.shape[3])
            np.add.at(dx, (slice(None), slice(None), i[:, None], j), part)
    end = -p if p else None
    return [dx[:, :, p:end, p:end], dw, np.einsum("nfij->f", dout)]


def columns_forward(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    wide, (f, _, hh, ww) = padded(x, p), w.shape
    high, broad = 1 + (wide.shape[2] - hh) // s, 1 + (wide.shape[3] - ww) // s
    columns = np.stack(
        [
            wide[:, :, i * s : i * s + hh, j * s : j * s + ww].reshape(len(x), -1)
            for i in range(high)
            for j in range(broad)
        ],
        axis=1,
    )
    out = columns @ w.reshape(f, -1).T + b
    out = out.transpose(0, 2, 1).reshape(len(x), f, high, broad)
    return out, {"x": x, "w": w, "columns": columns, "param": (s, p)}


def columns_backward(dout, cache):
    (s, p), x, w, columns = cache["param"], cache["x"], cache["w"], cache["columns"]
    n, f, high, broad = dout.shape
    flat = dout.reshape(n, f, -1)
    dw = sum(flat[k] @ columns[k] for k in range(n)).reshape(w.shape)
    dx = np.zeros(padded(x, p).shape, dout.dtype)
    back = np.einsum("nfk,fm->nkm", flat, w.reshape(f, -1))
    for k in range(high * broad):
        i, j = divmod(k, broad)
        part = back[:, k].reshape(n, *w.shape[1:])
        dx[:, :, i * s : i * s + w.shape[2], j * s : j * s + w.shape[3]] += part
    return dx[:, :, p : p + x.shape[2], p : p + x.shape[3]], dw, flat.sum(axis=2).sum(axis=0)
