"""The affine layer and the activations against PyTorch."""

from functools import partial

import numpy as np

from cs_nn.layers import activations as act
from cs_nn.layers.affine import affine_backward, affine_forward
from tests.against_torch import layer_case

KINKS = np.array([[-2.0, -0.5, 0.0], [0.0, 0.5, 3.0]])


def normal(*shapes, dtype=np.float64):
    """Standard-normal arrays of these shapes; the last one is the upstream gradient."""

    def draw(rng):
        return [rng.standard_normal(shape).astype(dtype) for shape in shapes]

    return draw


def with_kinks(rng):
    return [KINKS, rng.standard_normal(KINKS.shape)]


def torch_maxout(torch, x, w, b):
    pieces = torch.einsum("nd,kdm->knm", x.reshape(len(x), -1), w) + b[:, None]
    return pieces.max(dim=0).values


def elementwise(name, torch_forward, draw=with_kinks, **options):
    """An activation whose functions are ``<name>_forward`` and ``<name>_backward``."""
    label = "-".join([name, *(f"{key}={value}" for key, value in options.items())])
    forward = partial(getattr(act, f"{name}_forward"), **options)
    return layer_case(label, forward, getattr(act, f"{name}_backward"), torch_forward, draw)


CASES = [
    layer_case(
        "affine",
        affine_forward,
        affine_backward,
        lambda torch, x, w, b: torch.nn.functional.linear(x.reshape(len(x), -1), w.T, b),
        normal((5, 2, 3), (6, 4), (4,), (5, 4)),
    ),
    layer_case(
        "affine-float32",
        affine_forward,
        affine_backward,
        lambda torch, x, w, b: torch.nn.functional.linear(x, w.T, b),
        normal((5, 6), (6, 4), (4,), (5, 4), dtype=np.float32),
        tolerance=1e-5,
    ),
    elementwise("sigmoid", lambda torch, x: torch.sigmoid(x)),
    elementwise("tanh", lambda torch, x: torch.tanh(x)),
    elementwise("relu", lambda torch, x: torch.relu(x)),
    elementwise("leaky_relu", lambda torch, x: torch.nn.functional.leaky_relu(x, 0.01)),
    elementwise("leaky_relu", lambda torch, x: torch.nn.functional.leaky_relu(x, 0.3), slope=0.3),
    elementwise("elu", lambda torch, x: torch.nn.functional.elu(x)),
    elementwise("elu", lambda torch, x: torch.nn.functional.elu(x, 0.7), alpha=0.7),
    layer_case(
        "prelu-channels",
        act.prelu_forward,
        act.prelu_backward,
        lambda torch, x, slope: torch.nn.functional.prelu(x, slope),
        normal((4, 3, 2, 2), (3,), (4, 3, 2, 2)),
    ),
    layer_case(
        "prelu-one",
        act.prelu_forward,
        act.prelu_backward,
        lambda torch, x, slope: torch.nn.functional.prelu(x, slope),
        normal((4, 3), (), (4, 3)),
    ),
    layer_case(
        "maxout",
        act.maxout_forward,
        act.maxout_backward,
        torch_maxout,
        normal((4, 2, 3), (3, 6, 5), (3, 5), (4, 5)),
    ),
]
