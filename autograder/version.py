"""The version of the grader as a digest of what it is made of: the key of kept results."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_NOT_GRADING = {"cli", "records", "public"}  # how results are shown decides no score


@cache
def grader_version() -> str:
    """A digest of exercises, battery, sandbox, reference and the NumPy they run on."""
    import numpy as np

    digest = hashlib.sha256(f"{sys.version_info[:2]} {np.__version__}".encode())
    for package in (_HERE, _HERE.parent / "cs_nn"):
        for file in sorted(package.rglob("*.py")):
            if file.relative_to(package).parts[0] not in _NOT_GRADING:
                digest.update(f"\0{file.relative_to(package).as_posix()}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
