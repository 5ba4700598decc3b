"""Neural networks in NumPy, written to be read: the reference package of the course."""
