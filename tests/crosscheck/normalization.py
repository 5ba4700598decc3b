"""Normalisation layers, dropout, max-norm, clipping and resizing against PyTorch."""

from functools import partial

import numpy as np

from cs_nn.data.augmentation import random_resized_crop
from cs_nn.layers.dropout import dropout_backward, dropout_forward
from cs_nn.layers.image_normalization import (
    groupnorm_backward,
    groupnorm_forward,
    spatial_batchnorm_backward,
    spatial_batchnorm_forward,
)
from cs_nn.layers.normalization import (
    batchnorm_backward,
    batchnorm_backward_alt,
    batchnorm_forward,
    layernorm_backward,
    layernorm_forward,
)
from cs_nn.regularizers import clip_gradient_norm, max_norm
from tests.against_torch import Case, layer_case
from tests.crosscheck.layers import normal

IMAGES = normal((2, 6, 2, 3), (6,), (6,), (2, 6, 2, 3))
ROWS = normal((7, 5), (5,), (5,), (7, 5))


def draw_test_mode(rng):
    """gamma, beta, running mean, running variance and x."""
    return [*rng.standard_normal((3, 5)), rng.random(5), rng.standard_normal((7, 5))]


def batchnorm(x, gamma, beta, eps=1e-5):
    return batchnorm_forward(x, gamma, beta, {"mode": "train", "eps": eps})


def spatial_batchnorm(x, gamma, beta):
    return spatial_batchnorm_forward(x, gamma, beta, {"mode": "train"})


def layernorm(x, gamma, beta, eps=1e-5):
    return layernorm_forward(x, gamma, beta, {"eps": eps})


def groupnorm(G, x, gamma, beta):
    return groupnorm_forward(x, gamma, beta, G, {})


def torch_batchnorm(torch, x, gamma, beta, eps=1e-5):
    return torch.nn.functional.batch_norm(
        x, None, None, weight=gamma, bias=beta, training=True, eps=eps
    )


def torch_layernorm(torch, x, gamma, beta, eps=1e-5):
    return torch.nn.functional.layer_norm(x, x.shape[1:], gamma, beta, eps)


def torch_groupnorm(G, torch, x, gamma, beta):
    return torch.nn.functional.group_norm(x, G, gamma, beta)


def moments_of_dropout(x, dout):
    """Mean and mean square of the output and of the gradient over many masks."""
    outs, dxs = [], []
    for seed in range(4000):
        out, cache = dropout_forward(x, {"mode": "train", "p": 0.7, "seed": seed})
        outs.append(out)
        dxs.append(dropout_backward(dout, cache))
    return {
        "out": np.mean(outs, axis=0),
        "out_square": np.mean(np.square(outs), axis=0),
        "dx": np.mean(dxs, axis=0),
        "dx_square": np.mean(np.square(dxs), axis=0),
    }


def torch_moments_of_dropout(torch, x, dout):
    """The same; PyTorch's p is the probability of dropping."""
    torch.manual_seed(0)
    many = x.detach().expand(20_000, *x.shape).clone().requires_grad_()
    out = torch.nn.functional.dropout(many, p=0.3, training=True)
    (dx,) = torch.autograd.grad(out, many, dout.expand_as(out))
    return {
        "out": out.mean(dim=0),
        "out_square": (out**2).mean(dim=0),
        "dx": dx.mean(dim=0),
        "dx_square": (dx**2).mean(dim=0),
    }


def clip(limit, *grads):
    return {f"gradient{i}": g for i, g in enumerate(clip_gradient_norm(list(grads), limit))}


def torch_clip(limit, torch, *grads):
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in grads]
    for parameter, g in zip(parameters, grads, strict=True):
        parameter.grad = g.detach().clone()
    torch.nn.utils.clip_grad_norm_(parameters, limit)
    return {f"gradient{i}": parameter.grad for i, parameter in enumerate(parameters)}


def resize(size, images):
    return {"out": random_resized_crop(images, np.random.default_rng(0), size, scale=(1, 1))}


def torch_resize(size, torch, images):
    out = torch.nn.functional.interpolate(
        images, size=(size, size), mode="bilinear", align_corners=False
    )
    return {"out": out}


CASES = [
    layer_case("batchnorm", batchnorm, batchnorm_backward, torch_batchnorm, ROWS),
    layer_case("batchnorm-alt", batchnorm, batchnorm_backward_alt, torch_batchnorm, ROWS),
    layer_case(
        "batchnorm-eps=0.1",
        partial(batchnorm, eps=0.1),
        batchnorm_backward,
        partial(torch_batchnorm, eps=0.1),
        ROWS,
    ),
    layer_case(
        "batchnorm-float32",
        batchnorm,
        batchnorm_backward,
        torch_batchnorm,
        normal((7, 5), (5,), (5,), (7, 5), dtype=np.float32),
        tolerance=1e-5,
    ),
    Case(
        "batchnorm-test-mode",
        draw_test_mode,
        lambda gamma, beta, mean, var, x: {
            "out": batchnorm_forward(
                x, gamma, beta, {"mode": "test", "running_mean": mean, "running_var": var}
            )[0]
        },
        lambda torch, gamma, beta, mean, var, x: {
            "out": torch.nn.functional.batch_norm(
                x, mean.detach(), var.detach(), gamma, beta, training=False
            )
        },
    ),
    layer_case("layernorm", layernorm, layernorm_backward, torch_layernorm, ROWS),
    layer_case(
        "layernorm-eps=0.1",
        partial(layernorm, eps=0.1),
        layernorm_backward,
        partial(torch_layernorm, eps=0.1),
        ROWS,
    ),
    layer_case(
        "spatial-batchnorm", spatial_batchnorm, spatial_batchnorm_backward, torch_batchnorm, IMAGES
    ),
    *(
        layer_case(
            f"groupnorm-{G}",
            partial(groupnorm, G),
            groupnorm_backward,
            partial(torch_groupnorm, G),
            IMAGES,
        )
        for G in (1, 2, 3, 6)
    ),
    Case(
        "dropout-moments",
        normal((3, 4), (3, 4)),
        moments_of_dropout,
        torch_moments_of_dropout,
        tolerance=0.15,
    ),
    # PyTorch adds 1e-6 to the norm before it divides, and 1e-7 in renorm.
    Case("clip-long", normal((3, 4), (4,)), partial(clip, 1.5), partial(torch_clip, 1.5), 1e-5),
    Case("clip-short", normal((3, 4), (4,)), partial(clip, 50.0), partial(torch_clip, 50.0), 1e-5),
    Case(
        "max-norm",
        normal((6, 8)),
        lambda w: {"w": max_norm(w, 2.5)},
        lambda torch, w: {"w": torch.renorm(w, 2, 1, 2.5)},
        1e-6,
    ),
    Case("resize-up", normal((2, 3, 5, 7)), partial(resize, 9), partial(torch_resize, 9)),
    Case("resize-down", normal((2, 3, 8, 8)), partial(resize, 3), partial(torch_resize, 3)),
]
