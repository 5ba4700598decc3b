"""Convolution and pooling, readable and fast, against PyTorch."""

import numpy as np

from cs_nn.layers import convolution, pooling
from tests.against_torch import layer_case

FORMS = {
    "readable": (convolution.conv_forward, convolution.conv_backward),
    "fast": (convolution.conv_forward_fast, convolution.conv_backward_fast),
}
POOLS = {
    "max-readable": (pooling.max_pool_forward, pooling.max_pool_backward, "max_pool2d"),
    "max-fast": (pooling.max_pool_forward_fast, pooling.max_pool_backward_fast, "max_pool2d"),
    "avg-readable": (pooling.avg_pool_forward, pooling.avg_pool_backward, "avg_pool2d"),
    "avg-fast": (pooling.avg_pool_forward_fast, pooling.avg_pool_backward_fast, "avg_pool2d"),
}


def normal(dtype, *shapes):
    return lambda rng: [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def coarse(*shapes):
    """Small integers as floats, so that windows are full of ties."""
    return lambda rng: [rng.integers(-2, 3, size=shape).astype(float) for shape in shapes]


def conv(form, x, w, out, stride, pad, dtype=np.float64, tolerance=1e-9):
    forward, backward = FORMS[form]
    return layer_case(
        f"conv-{form}-{x}-{w}-stride{stride}-pad{pad}-{np.dtype(dtype).name}",
        lambda x, w, b: forward(x, w, b, {"stride": stride, "pad": pad}),
        backward,
        lambda torch, x, w, b: torch.nn.functional.conv2d(x, w, b, stride=stride, padding=pad),
        normal(dtype, x, w, w[:1], out),
        tolerance=tolerance,
    )


def pool(form, x, window, stride, out):
    forward, backward, torch_name = POOLS[form]
    height, width = window
    pool_param = {"pool_height": height, "pool_width": width, "stride": stride}
    return layer_case(
        f"pool-{form}-{x}-{window}-stride{stride}",
        lambda x: forward(x, pool_param),
        backward,
        lambda torch, x: getattr(torch.nn.functional, torch_name)(x, window, stride=stride),
        coarse(x, out),
    )


CASES = [
    case
    for form in FORMS
    for case in (
        conv(form, (2, 3, 5, 6), (4, 3, 3, 3), (2, 4, 5, 6), stride=1, pad=1),
        conv(form, (2, 3, 7, 8), (2, 3, 3, 4), (2, 2, 3, 3), stride=2, pad=0),
        conv(form, (1, 1, 5, 9), (3, 1, 1, 5), (1, 3, 3, 3), stride=3, pad=1),
        conv(form, (3, 2, 4, 4), (2, 2, 4, 4), (3, 2, 1, 1), stride=1, pad=0),
        conv(form, (2, 2, 4, 5), (2, 2, 3, 2), (2, 2, 3, 4), 2, 2, np.float32, 1e-4),
    )
] + [
    case
    for form in POOLS
    for case in (
        pool(form, (2, 3, 4, 6), (2, 2), 2, (2, 3, 2, 3)),
        pool(form, (2, 3, 5, 7), (3, 2), 1, (2, 3, 3, 6)),
        pool(form, (1, 2, 7, 6), (2, 3), 3, (1, 2, 2, 2)),
    )
]
