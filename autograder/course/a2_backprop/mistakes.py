"""Mistakes that any pair of forward and backward pass can have, made from a correct pair."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.exercise import Misconception


def kept_in_a_global(reference: Mapping[str, Any], name: str) -> Misconception:
    """The cache is kept outside, so that a second forward pass overwrites it."""
    forward, backward = reference[f"{name}_forward"], reference[f"{name}_backward"]
    kept = {}

    def keeps(*args):
        out, kept["cache"] = forward(*args)
        return out, None

    def remembers(dout, cache):
        return backward(dout, kept["cache"])

    return Misconception(
        "cache-in-a-global",
        {f"{name}_forward": keeps, f"{name}_backward": remembers},
        "What backward needs is kept outside the cache; the next layer of this kind in the "
        "network overwrites it.",
        "conduct",
    )


def dout_changed(backward: Callable[..., Any]) -> Misconception:
    """The answer is right and written into dout on the way."""

    def overwrites(dout, cache):
        answer = backward(dout.copy(), cache)
        dout *= 0.5
        return answer

    return Misconception(
        "upstream-gradient-changed",
        overwrites,
        "dout belongs to the layer above, which may still need it. Operators such as *= write "
        "into the caller's array: make a new one.",
        "conduct",
    )


def input_changed(forward: Callable[..., Any]) -> Misconception:
    """The answer is right and x is no longer what it was."""

    def overwrites(x, *rest):
        answer = forward(x.copy(), *rest)
        x *= -1
        return answer

    return Misconception(
        "input-changed",
        overwrites,
        "x itself is changed on the way. The caller still needs it, and another branch of the "
        "graph may share it: write into a new array.",
        "conduct",
    )


def upstream_forgotten(backward: Callable[..., Any]) -> Misconception:
    """The local slope without the chain rule."""

    def local(dout, cache):
        return backward(np.ones_like(dout), cache)

    return Misconception(
        "upstream-gradient-forgotten",
        local,
        "This is the local slope alone. The chain rule multiplies it with what comes from above.",
        "dx",
    )


def derivative_for_the_function(slope: Callable[..., np.ndarray]) -> Misconception:
    """Forward returns what backward needs."""

    def forward(x, *rest):
        return slope(x, *rest), x

    return Misconception(
        "derivative-for-the-function",
        forward,
        "You return the slope of the function. Forward returns its value; the slope is for "
        "backward.",
        "values",
    )
