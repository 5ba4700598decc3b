"""Ensembles: several models that vote, or one model averaged over its own past."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from cs_nn.arrays import Array, Scalar


def ensemble_predict(probabilities: Sequence[Float[Array, "N C"]]) -> Int[Array, "N"]:
    """Return the class with the highest probability in the mean over the models.

    Args:
        probabilities: for each model, its class probabilities, (N, C).

    Returns:
        Class numbers, (N,); a tie goes to the lowest.

    Raises:
        ValueError: if there is no model, or the models differ in shape.

    Source: CS231n, "Model ensembles"; Hansen and Salamon 1990.
    """
    if len(probabilities) == 0:
        raise ValueError("An ensemble needs the probabilities of at least one model.")
    if len({np.shape(p) for p in probabilities}) > 1:
        raise ValueError("All models must give probabilities of the same shape (N, C).")
    return np.argmax(np.mean(probabilities, axis=0), axis=1)


def snapshot_ensemble(
    net: Any, run_cycle: Callable[[Any], Any], cycles: int
) -> list[dict[str, Array]]:
    """Train one network through several learning-rate cycles and keep it as it was after each.

    Args:
        net: a network with ``params``, arrays by name.
        run_cycle: ``run_cycle(net)`` trains the network through one cycle, down to a small rate.
        cycles: number of cycles, 0 or more.

    Returns:
        Copies of ``net.params``, one for each cycle, oldest first.

    Source: Huang et al. 2017, "Snapshot ensembles: train 1, get M for free", section 3.
    """
    snapshots = []
    for _ in range(cycles):
        run_cycle(net)
        snapshots.append({name: w.copy() for name, w in net.params.items()})
    return snapshots


class ParameterAverage:
    """A running average of the parameters, often better at test time than the last ones.

    Args:
        params: arrays by name; the average starts as a copy of them.
        decay: weight of the past in each update, in [0, 1]; near 1 averages over about
            1/(1 − decay) updates.

    Attributes:
        average: the averaged parameters, arrays by name, with the shapes and dtypes of ``params``.

    Raises:
        ValueError: if ``decay`` is not in [0, 1].

    Source: Polyak and Juditsky 1992; with exponential weights as in CS231n, "Model ensembles".
    """

    def __init__(self, params: dict[str, Array], decay: Scalar) -> None:
        if not 0 <= decay <= 1:
            raise ValueError(f"decay is {decay}: give a number between 0 and 1.")
        self.decay = float(decay)
        self.average = {name: w.copy() for name, w in params.items()}

    def update(self, params: dict[str, Array]) -> None:
        """Move the average a little towards ``params``, decay·average + (1−decay)·params."""
        if set(params) != set(self.average):
            raise ValueError("The parameters have other names than those the average started with.")
        self.average = {
            name: self.decay * self.average[name] + (1 - self.decay) * w
            for name, w in params.items()
        }
