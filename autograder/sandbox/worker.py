"""The warm process: loads what notebooks need, then forks one child per submission.

Runs inside the jail as ``worker.py EDITION DESCRIPTOR`` with a control socket as that descriptor;
or, where there is no fork, once per submission over stdin and stdout (``worker.py EDITION once``).
It never sees a submission: the child gets its own channel from the grader, passed on unread.
"""

import os
import sys

RUNTIME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def find_packages(edition: str) -> None:
    """Makes the edition importable, and our own modules under the name ``autograder``."""
    sys.path[:0] = [edition, RUNTIME]
    import autograder

    ours = os.path.join(RUNTIME, "autograder")
    autograder.__path__[:] = [ours, *(p for p in autograder.__path__ if p != ours)]


if __name__ == "__main__":
    find_packages(sys.argv[1])
    if sys.argv[2] == "once":
        from autograder.sandbox.warm import serve_once

        serve_once()
    else:
        from autograder.sandbox.warm import serve_many

        serve_many(int(sys.argv[2]))
