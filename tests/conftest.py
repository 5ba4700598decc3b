"""Runs ``cs_nn`` with its jaxtyping annotations checked at every call; tames hypothesis."""

import os

# Before NumPy loads: on a busy machine the threads of a small matrix product wait for each other,
# and training a network in a test takes twenty times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("cs_nn", "beartype.beartype")

# The same examples at every run, however slow the machine is just now.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
