"""Gradient checkers side by side on correct and on faulty gradients of a deep ReLU network.

    python -m benchmarks.gradcheck --seeds 200 --faults 20

A false alarm is a correct network called wrong. Faults are planted in one entry of a correct
gradient: 1e-4 relative in an entry of median size, 1e-4 in the smallest entry of all, and the
smallest entry four times too large. A fault is caught ("fail"), left open ("inconclusive", which
only our checker can say) or passed. Thresholds: CS231n's recipe calls 1e-5 and more wrong; norm
ratio and scipy (which returns a norm) are held to 1e-5 of the gradient's norm; torch has its
defaults.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from benchmarks.deep_relu_net import Net, flatten, gradient, loss, make_net, unflatten
from cs_nn.gradcheck import check_gradient, numeric_gradient, relative_error

Checker = Callable[[Net, np.ndarray], str]


def ours(net: Net, grads: np.ndarray) -> str:
    return check_gradient(
        lambda params: loss(net, params), unflatten(net, grads), net.params, mode="entries"
    ).verdict


def _central(net: Net) -> np.ndarray:
    return numeric_gradient(lambda v: loss(net, unflatten(net, v)), flatten(net.params))


def cs231n(net: Net, grads: np.ndarray) -> str:
    return "fail" if relative_error(_central(net), grads) > 1e-5 else "pass"


def norm_ratio(net: Net, grads: np.ndarray) -> str:
    numeric = _central(net)
    ratio = np.linalg.norm(numeric - grads) / (np.linalg.norm(numeric) + np.linalg.norm(grads))
    return "fail" if ratio > 1e-5 else "pass"


def scipy_check_grad(net: Net, grads: np.ndarray) -> str:
    from scipy.optimize import check_grad

    error = check_grad(lambda v: loss(net, unflatten(net, v)), lambda _: grads, flatten(net.params))
    return "fail" if error > 1e-5 * np.linalg.norm(grads) else "pass"


def torch_slow(net: Net, grads: np.ndarray) -> str:
    return _torch(net, grads, fast=False)


def torch_fast(net: Net, grads: np.ndarray) -> str:
    return _torch(net, grads, fast=True)


def _torch(net: Net, grads: np.ndarray, fast: bool) -> str:
    """The same network in torch; the fault goes into the backward pass of an identity."""
    import torch

    right = flatten(gradient(net))
    factors = np.divide(grads, right, out=np.ones_like(right), where=right != 0)
    scales = [torch.from_numpy(v.copy()) for v in unflatten(net, factors).values()]

    class Planted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value, scale):
            ctx.save_for_backward(scale)
            return value.clone()

        @staticmethod
        def backward(ctx, d):
            return d * ctx.saved_tensors[0], None

    X, y = torch.from_numpy(net.X), torch.from_numpy(net.y)
    others = torch.ones(len(net.y), net.params[f"b{net.depth - 1}"].size, dtype=torch.float64)
    others[torch.arange(len(net.y)), y] = 0
    faulty = not np.array_equal(grads, right)

    def torch_loss(*values):
        params = values
        if faulty:
            params = [Planted.apply(v, s) for v, s in zip(values, scales, strict=True)]
        h = X
        for i in range(net.depth):
            h = h @ params[2 * i] + params[2 * i + 1]
            if i < net.depth - 1:
                h = torch.relu(h)
        margins = torch.relu(h - h.gather(1, y[:, None]) + 1) * others
        penalty = sum((w * w).sum() for w in params[::2])
        return margins.sum() / len(net.y) + 0.5 * net.reg * penalty

    inputs = tuple(torch.from_numpy(v.copy()).requires_grad_() for v in net.params.values())
    agrees = torch.autograd.gradcheck(torch_loss, inputs, fast_mode=fast, raise_exception=False)
    return "pass" if agrees else "fail"


CHECKERS: dict[str, Checker] = {
    "check_gradient": ours,
    "CS231n recipe": cs231n,
    "norm ratio": norm_ratio,
    "scipy check_grad": scipy_check_grad,
    "torch slow": torch_slow,
    "torch fast": torch_fast,
}
FAULTS = ("1e-4, median entry", "1e-4, smallest entry", "4x, smallest entry")


def planted(grads: np.ndarray, fault: str) -> np.ndarray:
    """A copy of ``grads`` with one wrong entry."""
    faulty = grads.copy()
    size = np.abs(grads)
    usable = np.flatnonzero(size > 1e-13 * size.max())  # below, the gradient itself is round-off
    order = usable[np.argsort(size[usable])]
    index = order[len(order) // 2] if "median" in fault else order[0]
    faulty[index] *= 4 if fault.startswith("4x") else 1 + 1e-4
    return faulty


def row(name: str, first: int, seeds: int, faults: int) -> list[str]:
    """One line of the table: what ``name`` says of correct and of faulty networks."""
    check = CHECKERS[name]
    counts: Counter[str] = Counter()
    spent = 0.0
    for seed in range(first, first + seeds):
        net = make_net(seed)
        grads = flatten(gradient(net))
        started = time.process_time()
        counts[check(net, grads)] += 1
        spent += time.process_time() - started
    cells = [name, f"{counts['fail']}", f"{counts['inconclusive']}"]
    for fault in FAULTS:
        found: Counter[str] = Counter()
        for seed in range(first, first + faults):
            net = make_net(seed)
            found[check(net, planted(flatten(gradient(net)), fault))] += 1
        cells.append(f"{found['fail']} / {found['inconclusive']} / {found['pass']}")
    return [*cells, f"{1e3 * spent / seeds:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200, help="correct networks")
    parser.add_argument("--first", type=int, default=1000, help="seed of the first network")
    parser.add_argument("--faults", type=int, default=20, help="networks with each fault")
    parser.add_argument("--only", choices=list(CHECKERS), nargs="*", default=list(CHECKERS))
    arguments = parser.parse_args()
    entries = arguments.seeds * flatten(make_net(0).params).size
    seeds = f"seeds from {arguments.first} on"
    print(
        f"{arguments.seeds} correct networks, {seeds}, {entries:,} entries; "
        f"{arguments.faults} per fault"
    )
    print("faults: caught / left open / passed")
    columns = ("checker", "false alarms", "left open", *FAULTS, "ms a network")
    print("".join(f"{column:>22}" for column in columns))
    for name in arguments.only:
        print(
            "".join(
                f"{c:>22}" for c in row(name, arguments.first, arguments.seeds, arguments.faults)
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
