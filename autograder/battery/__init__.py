"""The checks, by kind. Importing the package registers every kind and every conversation."""

from autograder.battery import classes, functions, networks

__all__ = ["classes", "functions", "networks"]
