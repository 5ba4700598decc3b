"""A mistake in a helper shows in every exercise that calls it: the reference, with that mistake."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def in_place_of_the_reference(mistakes: Mapping[str, Any]) -> Iterator[bool]:
    """While open, the reference package calls wrong functions wherever it uses its own from
    another module; whether it does so anywhere.

    Args:
        mistakes: exercise → a wrong function, or a dict of several by name.
    """
    functions: dict[str, Any] = {}
    for name, wrong in mistakes.items():
        functions |= wrong if isinstance(wrong, Mapping) else {name: wrong}
    places = [
        (module, key, vars(module)[key])
        for path, module in list(sys.modules.items())
        if path.partition(".")[0] == "cs_nn" and module is not None
        for key in functions
        if key in vars(module)
    ]
    # A package that only hands the name on, or the module it is defined in, does not call it.
    used = any(
        getattr(thing, "__module__", "") != module.__name__ and not hasattr(module, "__path__")
        for module, _, thing in places
    )
    try:
        for module, key, thing in places:
            setattr(module, key, _with_the_cache_of(thing, functions, key))
        yield used
    finally:
        for module, key, thing in places:
            setattr(module, key, thing)


def _with_the_cache_of(reference: Any, functions: Mapping[str, Any], name: str) -> Any:
    """A wrong forward pass whose cache the reference's own backward pass can read."""
    wrong = functions[name]
    backward = name.replace("_forward", "_backward")
    if backward == name or backward in functions:
        return wrong

    def forward(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return wrong(*args, **kwargs)[0], reference(*args, **kwargs)[1]

    return forward
