"""The losses against torch.nn.functional."""

import numpy as np

from cs_nn.layers import losses
from tests.against_torch import loss_case


def logits_and_labels(rng, dtype=np.float64):
    return [4 * rng.standard_normal((6, 5)).astype(dtype), rng.integers(5, size=6)]


def pair(rng):
    return list(rng.standard_normal((2, 3, 4)))


def logits_and_targets(rng):
    return [20 * rng.standard_normal((3, 4)), rng.uniform(0, 1, (3, 4)).round(1)]


def logits_and_distributions(rng):
    p = rng.dirichlet(np.ones(5), size=4)
    p[1] = [0.5, 0, 0.5, 0, 0]
    return [4 * rng.standard_normal((4, 5)), p]


def torch_svm(torch, x, y):
    """PyTorch divides by the number of classes as well."""
    return torch.nn.functional.multi_margin_loss(x, y) * x.shape[1]


def torch_kl(torch, x, p):
    log_q = torch.log_softmax(x, dim=1)
    return torch.nn.functional.kl_div(log_q, p, reduction="batchmean")


CASES = [
    loss_case(
        "softmax",
        losses.softmax_loss,
        lambda torch, x, y: torch.nn.functional.cross_entropy(x, y),
        logits_and_labels,
    ),
    loss_case(
        "softmax-float32",
        losses.softmax_loss,
        lambda torch, x, y: torch.nn.functional.cross_entropy(x, y),
        lambda rng: logits_and_labels(rng, np.float32),
        tolerance=1e-5,
    ),
    loss_case("svm", losses.svm_loss, torch_svm, logits_and_labels),
    loss_case("mse", losses.mse_loss, lambda torch, x, y: torch.nn.functional.mse_loss(x, y), pair),
    loss_case("l1", losses.l1_loss, lambda torch, x, y: torch.nn.functional.l1_loss(x, y), pair),
    loss_case(
        "bce_with_logits",
        losses.bce_with_logits_loss,
        lambda torch, x, y: torch.nn.functional.binary_cross_entropy_with_logits(x, y),
        logits_and_targets,
    ),
    loss_case("kl_div", losses.kl_div_loss, torch_kl, logits_and_distributions),
]
