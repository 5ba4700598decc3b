"""Runs ``cs_nn`` with its jaxtyping annotations checked at every call."""

from jaxtyping import install_import_hook

install_import_hook("cs_nn", "beartype.beartype")
