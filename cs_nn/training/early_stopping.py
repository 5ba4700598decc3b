"""Stop training when the validation loss no longer falls, and go back to the best weights."""

from cs_nn.arrays import Array, Scalar


class EarlyStopping:
    """Watches the validation loss and keeps the best weights seen.

    Args:
        patience: how many steps in a row may pass without an improvement, at least 1.
    Attributes:
        best_loss: the lowest loss so far; infinite before the first step.
        best_weights: a copy of the weights that gave it; None before the first step.
    Raises:
        ValueError: `patience` is less than 1.
    Source:
        Prechelt 1998, "Early stopping — but when?", criterion UP with strips of length 1.
    """

    best_loss: float
    best_weights: dict[str, Array] | None

    def __init__(self, patience: int) -> None:
        if patience < 1:
            raise ValueError(f"EarlyStopping needs a patience of at least 1 step, not {patience}.")
        self.patience = patience
        self.best_loss = float("inf")
        self.best_weights = None
        self._steps_without_improvement = 0

    def step(self, loss: Scalar, weights: dict[str, Array]) -> bool:
        """Report one validation loss and the weights it was measured with.

        Args:
            loss: lower is better; only a strictly lower one is an improvement (nan never is).
            weights: arrays by name; copied when they are the best, so they may change later.
        Returns:
            True when it is time to stop.
        """
        if loss < self.best_loss:
            self.best_loss = float(loss)
            self.best_weights = {name: w.copy() for name, w in weights.items()}
            self._steps_without_improvement = 0
        else:
            self._steps_without_improvement += 1
        return self._steps_without_improvement >= self.patience
