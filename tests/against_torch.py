"""Compares cs_nn with PyTorch, operation by operation: shapes, values and gradients.

A table of cases stands in each module of ``tests/crosscheck/``. It is used in three ways:

    python -m tests.against_torch            compare with PyTorch now; exit 1 on a mismatch
    python -m tests.against_torch --write    store PyTorch's answers under tests/data/torch_*.npz
    pytest tests/cs_nn/test_torch_stored.py  compare with the stored answers; PyTorch not needed

To add operations, write ``tests/crosscheck/<area>.py`` with a list ``CASES`` (see ``layer_case``,
``loss_case``; ``Case`` itself takes anything else) and run ``--write <area>``.
"""

import argparse
import importlib
import pkgutil
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent / "data"
Inputs = Sequence[np.ndarray]
Answers = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One operation, done by us and by PyTorch on the same inputs.

    ``draw(rng)`` makes the arrays; ``ours(*inputs)`` returns named arrays;
    ``theirs(torch, *tensors)`` returns named tensors under the same names. The tensors that it
    is given require a gradient where they hold floating-point numbers.
    """

    name: str
    draw: Callable[[np.random.Generator], Inputs]
    ours: Callable[..., dict[str, Any]]
    theirs: Callable[..., dict[str, Any]]
    tolerance: float = 1e-9

    def inputs(self) -> list[np.ndarray]:
        """The arrays of this case; the name is the seed, so that no case depends on another."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        return [np.asarray(array) for array in self.draw(rng)]

    def our_answers(self, inputs: Inputs) -> Answers:
        return {name: np.asarray(value) for name, value in self.ours(*inputs).items()}

    def their_answers(self, inputs: Inputs) -> Answers:
        import torch

        tensors = [torch.tensor(array) for array in inputs]
        for tensor in tensors:
            tensor.requires_grad_(tensor.is_floating_point())
        answers = self.theirs(torch, *tensors)
        return {name: value.detach().numpy() for name, value in answers.items()}


def layer_case(
    name: str,
    forward: Callable[..., tuple[np.ndarray, Any]],
    backward: Callable[..., Any],
    torch_forward: Callable[..., Any],
    draw: Callable[[np.random.Generator], Inputs],
    *,
    tolerance: float = 1e-9,
) -> Case:
    """A forward/backward pair. The last array that ``draw`` returns is the upstream gradient.

    ``forward(*arrays) -> (out, cache)`` and ``backward(dout, cache) -> gradients``; the other side
    is ``torch_forward(torch, *tensors) -> out``, differentiated by PyTorch. Bind options
    (``conv_param``, ``alpha``) with a small function on either side.
    """

    def ours(*inputs):
        out, cache = forward(*inputs[:-1])
        gradients = backward(inputs[-1], cache)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        return {"out": out} | {f"gradient{i}": gradient for i, gradient in enumerate(gradients)}

    def theirs(torch, *tensors):
        out = torch_forward(torch, *tensors[:-1])
        wanted = [tensor for tensor in tensors[:-1] if tensor.requires_grad]
        gradients = torch.autograd.grad(out, wanted, tensors[-1])
        return {"out": out} | {f"gradient{i}": gradient for i, gradient in enumerate(gradients)}

    return Case(name, draw, ours, theirs, tolerance)


def loss_case(
    name: str,
    loss: Callable[..., tuple[Any, np.ndarray]],
    torch_loss: Callable[..., Any],
    draw: Callable[[np.random.Generator], Inputs],
    *,
    tolerance: float = 1e-9,
) -> Case:
    """A loss ``loss(x, *others) -> (loss, dx)``, and ``torch_loss(torch, x, *others) -> loss``."""

    def ours(*inputs):
        value, dx = loss(*inputs)
        return {"loss": value, "dx": dx}

    def theirs(torch, *tensors):
        value = torch_loss(torch, *tensors)
        (dx,) = torch.autograd.grad(value, tensors[:1])
        return {"loss": value, "dx": dx}

    return Case(name, draw, ours, theirs, tolerance)


def assert_same(ours: Answers, theirs: Answers, tolerance: float) -> None:
    """Same names, same shapes, same dtypes, values within ``tolerance`` (relative and absolute)."""
    assert set(ours) == set(theirs), f"we answer {sorted(ours)}, PyTorch {sorted(theirs)}"
    for name, theirs_array in theirs.items():
        array = ours[name]
        assert array.shape == theirs_array.shape, f"{name}: {array.shape} != {theirs_array.shape}"
        assert array.dtype == theirs_array.dtype, f"{name}: {array.dtype} != {theirs_array.dtype}"
        np.testing.assert_allclose(
            array, theirs_array, rtol=tolerance, atol=tolerance, err_msg=name
        )


def areas() -> list[str]:
    """The names of the modules in tests/crosscheck/."""
    from tests import crosscheck

    return sorted(module.name for module in pkgutil.iter_modules(crosscheck.__path__))


def cases(area: str) -> list[Case]:
    """The table of one area."""
    return importlib.import_module(f"tests.crosscheck.{area}").CASES


def stored_file(area: str) -> Path:
    """Where PyTorch's answers for one area lie."""
    return DATA / f"torch_{area}.npz"


def write(area: str) -> None:
    """Stores the inputs and PyTorch's answers of one area, the same bytes at every run."""
    arrays = {}
    for case in cases(area):
        inputs = case.inputs()
        arrays |= {f"{case.name}/input/{i}": array for i, array in enumerate(inputs)}
        answers = case.their_answers(inputs)
        arrays |= {f"{case.name}/answer/{name}": array for name, array in answers.items()}
    DATA.mkdir(exist_ok=True)
    np.savez_compressed(stored_file(area), **arrays)


def read(area: str) -> dict[str, tuple[list[np.ndarray], Answers]]:
    """Stored inputs and PyTorch's answers by case name."""
    stored: dict[str, tuple[list[np.ndarray], Answers]] = {}
    with np.load(stored_file(area)) as file:
        for key in file.files:
            case, kind, name = key.rsplit("/", 2)
            inputs, answers = stored.setdefault(case, ([], {}))
            if kind == "input":
                inputs.append(file[key])
            else:
                answers[name] = file[key]
    return stored


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="compare cs_nn with PyTorch")
    parser.add_argument("--write", action="store_true", help="store PyTorch's answers")
    parser.add_argument("areas", nargs="*", help=f"any of: {', '.join(areas())}; all by default")
    chosen = parser.parse_args(arguments)
    mismatches = 0
    for area in chosen.areas or areas():
        if chosen.write:
            write(area)
        for case in cases(area):
            inputs = case.inputs()
            try:
                assert_same(case.our_answers(inputs), case.their_answers(inputs), case.tolerance)
                print(f"same      {area}: {case.name}")
            except AssertionError as error:
                mismatches += 1
                print(f"DIFFERENT {area}: {case.name}\n{error}")
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
