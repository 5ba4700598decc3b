"""What one submission may use. The defaults are the course's; `csnn.toml` and flags change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Times in seconds of CPU, sizes in bytes.

    cell_seconds, call_seconds: for one cell, and for one call of a function.
    submission_seconds: for all cells and calls of one submission together.
    patience:    wall time may be this many times the CPU time before the backstop falls (code
                 that sleeps uses no CPU; a machine that is busy must not cost a student marks).
    memory:      for all processes of the submission together, beside what the warm process uses.
    processes:   processes and threads together.
    file_size:   of one file;  scratch: of all files;  output: of printed text kept per cell.
    reply:       of the arrays in one answer.
    lives:       how often a session whose process died is started again for the next exercise.
    """

    cell_seconds: float = 10.0
    call_seconds: float = 10.0
    submission_seconds: float = 120.0
    patience: float = 3.0
    memory: int = 2048 * MIB
    processes: int = 64
    file_size: int = 64 * MIB
    scratch: int = 256 * MIB
    output: int = MIB
    reply: int = 64 * MIB
    lives: int = 12

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"the limit {field.name} must be greater than zero")
            if field.type == "int":  # 1.5G on the command line; the kernel wants whole bytes
                object.__setattr__(self, field.name, int(getattr(self, field.name)))

    def with_(self, **changes: Any) -> Limits:
        """These limits with some of them changed."""
        return replace(self, **changes)

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Limits:
        """From a table of a course's configuration.

        Raises:
            ValueError: for a name that is no limit, or a value that is not above zero.
        """
        known = [field.name for field in fields(Limits)]
        for name in data:
            if name not in known:
                raise ValueError(f"there is no limit {name!r}; the limits are {', '.join(known)}")
        return Limits(**data)
