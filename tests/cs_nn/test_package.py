"""The package as a whole: light to import, and its examples tell the truth."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import cs_nn

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(cs_nn.__path__, "cs_nn.")
    if not module.name.startswith("cs_nn.plots")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    results = doctest.testmod(importlib.import_module(name), extraglobs={"np": np})
    assert results.failed == 0


def test_importing_everything_but_plots_loads_only_numpy_and_jaxtyping():
    """A notebook starts fast, and a student needs no scipy or matplotlib to compute."""
    code = f"""
import sys
import numpy.random, jaxtyping
before = {{name.split(".")[0] for name in sys.modules}}
for name in {MODULES!r}:
    __import__(name)
after = {{name.split(".")[0] for name in sys.modules}}
print(*sorted(after - before - set(sys.stdlib_module_names) - {{"__mp_main__"}}))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["cs_nn"]
