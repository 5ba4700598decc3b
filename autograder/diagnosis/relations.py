"""How one wrong array relates to the right one: ratio, sign, transposition, one term too many …

Each relation looks at a single case and answers with a `Relation` or ``None``. Relations are
symbolic where they can be ("N times", not "3 times"), so that several cases can agree.
"""

from __future__ import annotations

import numpy as np

from autograder.battery.compare import as_array
from autograder.diagnosis import amounts, invariants, normalised, places
from autograder.diagnosis.evidence import Row
from autograder.diagnosis.relation import Relation, Rule, near

RULES: tuple[Rule, ...] = (
    normalised.paths,
    places.last_everywhere,
    amounts.zero,
    amounts.ratio,
    amounts.step_ratio,
    amounts.given_back,
    places.transposed,
    places.keepdims,
    places.wrong_axis,
    amounts.signs,
    places.label_only,
    places.by_sign_of_input,
    places.cut_to_whole,
    places.reordered,
    places.one_for_each,
    amounts.complement,
    amounts.wrong_mask,
    amounts.argument_factor,
    amounts.extra_term,
    amounts.off_by_a_sum,
    amounts.other_factor,
    places.permuted,
    places.shifted,
    places.by_axis,
    places.by_position,
    invariants.unbalanced,
)
"""In the order of trust."""


def relations(row: Row) -> list[Relation]:
    """All relations that hold on one case, the most telling first."""
    e, g = as_array(row.expected), as_array(row.got)
    if e is None or g is None or e.size == 0 or e.dtype.kind == "b":
        return []
    e, g = (a.astype(np.float64) if a.dtype.kind == "b" else a for a in (e, g))
    if e.shape == g.shape and near(g, e):
        return []  # right but for the dtype or the last digits
    with np.errstate(all="ignore"):
        found = (rule(row, e, g) for rule in RULES)
        lists = (f if isinstance(f, list) else [f] for f in found if f is not None)
        return [relation for several in lists for relation in several]
