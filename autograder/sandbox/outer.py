"""The outer wall (bubblewrap)."""

from __future__ import annotations

from autograder.sandbox.process import WarmProcess


class WallsMissing(Exception):
    """This machine cannot give the walls; the message says what to do."""


class Walled(WarmProcess):
    isolation = "full"

    def __init__(self, *args: object) -> None:
        raise WallsMissing("the walls are being built; ask for --isolation none")
