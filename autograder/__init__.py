"""Checks, diagnosis and grading for the course; ``check`` is what a notebook calls."""

from autograder.check import NotYet, check

__all__ = ["NotYet", "check"]
