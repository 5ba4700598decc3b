"""Runs ``cs_nn`` with its jaxtyping annotations checked at every call."""

import os

# Before NumPy loads: on a busy machine the threads of a small matrix product wait for each other,
# and training a network in a test takes twenty times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from jaxtyping import install_import_hook

install_import_hook("cs_nn", "beartype.beartype")
