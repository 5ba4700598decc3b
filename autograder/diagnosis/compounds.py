"""Two mistakes at once: the answer of a misconception, times a factor that has a meaning."""

from __future__ import annotations

import numpy as np

from autograder.battery.compare import as_array
from autograder.battery.kind import Suspect, may_refuse
from autograder.diagnosis.evidence import Evidence, Row
from autograder.diagnosis.relation import Relation, factor_names, near
from autograder.values import Raised


def compound(evidence: Evidence, aspect: str) -> tuple[Suspect, Relation] | None:
    """The misconception of which the answers are a multiple, the same in all cases, if there is
    just one such factor with a name."""
    for suspect in evidence.task.suspects():
        relation = _factor(evidence, aspect, suspect)
        if relation is not None:
            return suspect, relation
    return None


def _factor(evidence: Evidence, aspect: str, suspect: Suspect) -> Relation | None:
    found: dict[str, Relation] | None = None
    entries = 0
    wrong_alone = False
    for row, theirs in _rows(evidence, aspect, suspect):
        e, g = as_array(theirs), as_array(row.got)
        refused = may_refuse(row.trial.case, theirs)
        if isinstance(row.got, Raised) or refused:
            continue
        if e is None or g is None or e.shape != g.shape or e.dtype.kind != "f" or not np.any(e):
            return None
        narrow = np.float32 in (e.dtype, g.dtype)
        e, g = e.astype(float), g.astype(float)
        factor = float(np.vdot(e, g) / np.vdot(e, e))
        if not np.isfinite(factor) or not near(g, factor * e, 1e-5 if narrow else 1e-6):
            return None
        named = {r.code: r for r in factor_names(row, factor)}
        if row.trial.case.check and not (found and named.keys() & found.keys()):
            continue  # a special case may have no such size, or one that is 1
        found = {code: r for code, r in (found or named).items() if code in named}
        if not found:
            return None
        right = as_array(row.expected)
        wrong_alone |= right is not None and right.shape == e.shape and not near(e, right, 1e-5)
        entries += e.size
    return next(iter(found.values())) if found and wrong_alone and entries >= 8 else None


def _rows(evidence: Evidence, aspect: str, suspect: Suspect) -> list[tuple[Row, object]]:
    rows = []
    for i, (trial, findings) in enumerate(zip(evidence.trials, evidence.findings, strict=True)):
        if trial.case.check == "speed":
            continue
        for f in findings:
            if f.aspect == aspect:
                row = Row(trial, f.expected, f.got, f.fault)
                rows.append((row, suspect.observed[i].values.get(aspect)))
    return rows
