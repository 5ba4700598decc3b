"""``python -m autograder check NOTEBOOK``: what a student runs before handing in."""

from __future__ import annotations

import sys

from autograder.precheck import main

if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] != ["check"]:
        sys.exit("python -m autograder check NOTEBOOK [--json]")
    sys.exit(main(words[1:]))
