"""Transforms onto axes whose signs are free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograder.battery.functions import Function
from autograder.battery.kind import Observed
from autograder.exercise import Case
from autograder.student import Student


@dataclass(frozen=True)
class Rotated(Function):
    """``(train, test, …) -> (train, test)``; an axis and its opposite are one.

    The largest entry of each column of train is made positive, and the column of test goes with
    it, so that opposite signs in train and test stay wrong.
    """

    outputs: tuple[str, ...] = ("train", "test")

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = super().script(name, student, case)
        train, test = (seen.values.get(key) for key in self.outputs)
        if isinstance(train, np.ndarray) and train.ndim == 2 and len(train):
            with np.errstate(all="ignore"):
                largest = np.nanargmax(np.nan_to_num(np.abs(train), nan=-1.0), axis=0)
                sign = np.where(train[largest, np.arange(train.shape[1])] < 0, -1, 1)
            seen.values["train"] = train * sign.astype(train.dtype)
            if isinstance(test, np.ndarray) and test.ndim == 2 and test.shape[1] == len(sign):
                seen.values["test"] = test * sign.astype(test.dtype)
        return seen
