"""The checks, by kind. Importing it registers every kind, conversation and fixture of the course,
so that public examples, which know them by name only, can be read back."""

from autograder.battery import objectives, optimisers, series

__all__ = ["objectives", "optimisers", "series"]
