"""Checks, diagnosis and grading for the course; ``check`` is what a notebook calls."""
