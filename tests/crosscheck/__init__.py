"""Tables of operations compared with PyTorch, one module per area, each exporting ``CASES``."""
