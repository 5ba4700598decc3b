"""Pages that promise something runnable are run."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_worked_example_of_a_new_exercise_runs_as_written():
    text = (DOCS / "exercises.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.S)
    namespace: dict = {"__name__": "docs_exercises"}
    for block in blocks:
        exec(compile(block, "docs/exercises.md", "exec"), namespace)
    exercises = namespace["EXERCISES"]
    assert [e.name for e in exercises] == ["softplus_forward", "softplus_backward"]
    assert all(len(e.variants) >= 3 and len(e.misconceptions) >= 2 for e in exercises)
