"""``python -m autograder check NOTEBOOK``: what a student runs before handing in."""

import sys

from autograder.precheck import main

if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["check"]:
        words = words[1:]
    sys.exit(main(words))
