"""Checks, diagnosis and grading; ``check`` and ``reuse`` are what a notebook calls."""

from autograder.check import NotYet, check
from autograder.reuse import reuse

__all__ = ["NotYet", "check", "reuse"]
