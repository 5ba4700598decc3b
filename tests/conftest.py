"""Runs ``cs_nn`` with its jaxtyping annotations checked at every call; tames hypothesis."""

from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("cs_nn", "beartype.beartype")

# The same examples at every run, however slow the machine is just now.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
