"""What curvature teaches over time: BFGS and L-BFGS."""

import numpy as np

from autograder.battery.functions import CONDUCT, Function
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.optim.second_order import (
    bfgs_update,
    lbfgs_direction,
)


def definite(rng, n, low=0.5, high=6.0):
    """A symmetric positive definite matrix with eigenvalues between low and high."""
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    values = np.sort(rng.uniform(low, high, n))
    values[0], values[-1] = low, high
    matrix = (q * rng.permutation(values)) @ q.T
    return (matrix + matrix.T) / 2


def in_other_memory(cases):
    """The first two cases again, as strided arrays and in float32."""
    first, second = cases[:2]
    return [
        Case("strided " + first.label, strided(first.args), "non-contiguous"),
        Case("float32 " + second.label, as_dtype(second.args, np.float32), "float32"),
    ]


def pair(rng, n, curvature=None):
    """A step s and the change y of a gradient, with sᵀy > 0 or as given."""
    s = numbers(rng, n)
    y = definite(rng, n) @ s + 0.1 * numbers(rng, n)
    if s @ y < 0.1 * (s @ s):
        y = y + s
    if curvature is not None:
        y = y - s * (s @ y - curvature) / (s @ s)
    return s, y


def bfgs_cases(rng):
    def case(n, check="", tags=(), curvature=None, words=""):
        s, y = pair(rng, n, curvature)
        args = {"h_inv": definite(rng, n), "s": s, "y": y}
        return Case(f"h_inv of shape ({n}, {n}){words}", args, check, frozenset(tags))

    made = [case(3, tags=[CONDUCT]), case(5), case(4)]
    negative = " and sᵀy < 0"
    return [
        *made,
        case(1, "one dimension"),
        case(3, "no positive curvature", curvature=-0.4, words=negative),
        case(2, "no positive curvature", curvature=-2.0, words=negative),
        case(3, "no positive curvature", curvature=1e-11, words=" and sᵀy = 1e-11"),
        case(3, "little curvature", curvature=1e-5, words=" and sᵀy = 1e-5"),
        *in_other_memory(made),
    ]


def lbfgs_cases(rng):
    def case(n, pairs, check="", tags=()):
        drawn = [pair(rng, n) for _ in range(pairs)]
        args = {
            "gradient": numbers(rng, n),
            "s_list": [s for s, _ in drawn],
            "y_list": [y for _, y in drawn],
        }
        words = f"gradient of shape ({n},) and {pairs} pair{'s' * (pairs != 1)}"
        extra = {"kept": ["s_list", "y_list"]}
        return Case(words, args, check, frozenset(tags), extra)

    made = [case(4, 3, tags=[CONDUCT]), case(3, 2), case(6, 4)]
    narrow = case(4, 3, "float32")
    lists = {key: [v.astype(np.float32) for v in narrow.args[key]] for key in ("s_list", "y_list")}
    args = {"gradient": narrow.args["gradient"].astype(np.float32), **lists}
    return [
        *made,
        case(5, 1, "one pair"),
        case(3, 0, "no pairs"),
        case(2, 5, "more pairs than dimensions"),
        Case("float32 " + narrow.label, args, "float32"),
    ]


def bfgs_written_out(h_inv, s, y):
    sy = np.dot(s, y)
    if sy <= 1e-10:
        return h_inv
    hy = h_inv @ y
    return h_inv + (sy + y @ hy) * np.outer(s, s) / sy**2 - (np.outer(hy, s) + np.outer(s, hy)) / sy


def bfgs_with_columns(h_inv, s, y):
    s, y = s.reshape(-1, 1), y.reshape(-1, 1)
    curvature = (y.T @ s).item()
    if not curvature > 1e-10:
        return np.copy(h_inv)
    eye = np.identity(len(s)).astype(h_inv.dtype)
    v = eye - y @ s.T / curvature
    return v.T @ h_inv @ v + s @ s.T / curvature


def bfgs_with_einsum(h_inv, s, y):
    sy = np.sum(s * y)
    if sy > 1e-10:
        v = np.eye(s.size, dtype=s.dtype) - np.einsum("i,j->ij", y, s) / sy
        return np.einsum("ki,kl,lj->ij", v, h_inv, v) + np.einsum("i,j->ij", s, s) / sy
    return h_inv.copy()


def lbfgs(*, first=True, backwards=True, gamma="newest", minus=True, beta="y", matched=True):
    """The two-loop recursion with switches for what may go wrong in it."""

    def direction(gradient, s_list, y_list):
        if len(s_list) == 0:
            return -gradient if minus else gradient.copy()
        pairs = list(zip(s_list, y_list, strict=True))
        order = pairs[::-1] if backwards else pairs
        q, alphas = gradient.copy(), []
        for s, y in order:
            alphas.append(s @ q / (s @ y))
            q = q - alphas[-1] * y
        newest = {"newest": pairs[-1], "oldest": pairs[0]}.get(gamma)
        if newest is not None:
            q = q * (newest[0] @ newest[1]) / (newest[1] @ newest[1])
        if gamma == "inverted":
            s, y = pairs[-1]
            q = q * (y @ y) / (s @ y)
        if gamma == "of steps":
            s, y = pairs[-1]
            q = q * (s @ s) / (s @ y)
        second = list(zip(order, alphas if matched else alphas[::-1], strict=True))
        for (s, y), alpha in second[::-1] if first else second:
            b = (y if beta == "y" else s) @ q / (s @ y)
            q = q + (alpha - b) * s
        return -q if minus else q

    return direction


def lbfgs_from_the_matrix(gradient, s_list, y_list):
    """The same direction from the matrix that the recursion avoids."""
    n = len(gradient)
    h = np.eye(n, dtype=gradient.dtype)
    if len(s_list):
        h = h * (s_list[-1] @ y_list[-1]) / (y_list[-1] @ y_list[-1])
    for s, y in zip(s_list, y_list, strict=True):
        v = np.eye(n, dtype=gradient.dtype) - np.outer(y, s) / (s @ y)
        h = v.T @ h @ v + np.outer(s, s) / (s @ y)
    return -(h @ gradient)


def lbfgs_by_index(gradient, s_list, y_list):
    m = len(s_list)
    if m == 0:
        return -1 * gradient
    rho = [1 / np.dot(y_list[i], s_list[i]) for i in range(m)]
    alpha, q = [0.0] * m, np.array(gradient)
    for i in reversed(range(m)):
        alpha[i] = rho[i] * s_list[i].dot(q)
        q -= alpha[i] * y_list[i]
    r = q * np.dot(s_list[-1], y_list[-1]) / np.dot(y_list[-1], y_list[-1])
    for i in range(m):
        r += s_list[i] * (alpha[i] - rho[i] * y_list[i].dot(r))
    return np.negative(r)


def lbfgs_recursive(gradient, s_list, y_list):
    def apply(q, k):
        if k < 0:
            s, y = s_list[-1], y_list[-1]
            return q * (s @ y / (y @ y))
        s, y = s_list[k], y_list[k]
        a = s @ q / (s @ y)
        r = apply(q - a * y, k - 1)
        return r + s * (a - y @ r / (s @ y))

    return -apply(gradient, len(s_list) - 1) if len(s_list) else -gradient


def _bfgs(h_inv, s, y, *, guard=True, last=None, swap=False):
    """The update with switches for what may go wrong in it."""
    rho = 1 / (s @ y)
    if guard and s @ y <= (1e-10 if guard is True else 0):
        return h_inv.copy()
    left = np.eye(len(s), dtype=h_inv.dtype) - rho * np.outer(s, y)
    if swap:
        left = left.T
    return left @ h_inv @ left.T + (rho if last is None else last) * np.outer(s, s)


def _hessian_update(h, s, y):
    if s @ y <= 1e-10:
        return h.copy()
    hs = h @ s
    return h + np.outer(y, y) / (s @ y) - np.outer(hs, hs) / (s @ hs)


def _rank_one(h_inv, s, y):
    if s @ y <= 1e-10:
        return h_inv.copy()
    rest = s - h_inv @ y
    return h_inv + np.outer(rest, rest) / (rest @ y)


def _entry_by_entry(h_inv, s, y):
    if s @ y <= 1e-10:
        return h_inv.copy()
    eye, rho = np.eye(len(s), dtype=h_inv.dtype), 1 / (s @ y)
    return (eye - rho * (s * y)) @ h_inv @ (eye - rho * (y * s)) + rho * np.outer(s, s)


def _of_davidon_fletcher_powell(h_inv, s, y):
    if s @ y <= 1e-10:
        return h_inv.copy()
    hy = h_inv @ y
    return h_inv + np.outer(s, s) / (s @ y) - np.outer(hy, hy) / (y @ hy)


def _guarded_by_size(h_inv, s, y):
    return h_inv.copy() if abs(s @ y) <= 1e-10 else _bfgs(h_inv, s, y, guard=False)


def _bfgs_in_place(h_inv, s, y):
    h_inv[...] = _bfgs(h_inv, s, y)
    return h_inv


def _in_place_direction(gradient, s_list, y_list):
    result = lbfgs()(gradient, s_list, y_list)
    gradient[...] = -result
    return result


EXERCISES = (
    Exercise(
        name="bfgs_update",
        kind=Function(),
        reference={"bfgs_update": bfgs_update},
        cases=bfgs_cases,
        misconceptions=(
            Misconception(
                "update-without-curvature",
                lambda h_inv, s, y: _bfgs(h_inv, s, y, guard=False),
                "The update is made although sᵀy is not positive. Then the matrix is no longer "
                "positive definite and the next direction may lead uphill.",
                "no positive curvature",
                0.3,
            ),
            Misconception(
                "guard-at-zero",
                lambda h_inv, s, y: _bfgs(h_inv, s, y, guard="at zero"),
                "The guard is sᵀy > 0, so tiny positive values blow the update up. The limit here "
                "is 1e-10.",
                "no positive curvature",
                0.15,
            ),
            Misconception(
                "guard-of-the-size",
                _guarded_by_size,
                "The guard looks at |sᵀy|, so curvature that is clearly negative passes, and the "
                "matrix is no longer positive definite. The sign is what matters.",
                "no positive curvature",
                0.2,
            ),
            Misconception(
                "product-for-outer-product",
                _entry_by_entry,
                "s and y are multiplied entry by entry. Taken off the identity, the vector is "
                "broadcast to all rows without complaint; a column times a row is what makes a "
                "matrix.",
                "values",
                0.4,
            ),
            Misconception(
                "dfp",
                _of_davidon_fletcher_powell,
                "This is the update of Davidon, Fletcher and Powell, the older sister of BFGS. It "
                "maps y to s as well, but is another matrix, and recovers worse from bad steps.",
                "values",
                0.4,
            ),
            Misconception(
                "last-term-forgotten",
                lambda h_inv, s, y: _bfgs(h_inv, s, y, last=0),
                "The term with s·sᵀ is missing, so the new matrix does not map y to s.",
                "values",
                0.4,
            ),
            Misconception(
                "last-term-not-scaled",
                lambda h_inv, s, y: _bfgs(h_inv, s, y, last=1),
                "The term s·sᵀ is not divided by sᵀy.",
                "values",
                0.4,
            ),
            Misconception(
                "s-and-y-swapped",
                lambda h_inv, s, y: _bfgs(h_inv, y, s),
                "s and y have changed places. That is the update of the Hessian itself in its "
                "dual form; here the inverse is kept, and it must map y to s.",
                "values",
                0.4,
            ),
            Misconception(
                "factors-transposed",
                lambda h_inv, s, y: _bfgs(h_inv, s, y, swap=True),
                "The factors on the two sides of H⁻¹ are exchanged: on the left it is I − ρsyᵀ.",
                "values",
                0.4,
            ),
            Misconception(
                "hessian-updated",
                lambda h_inv, s, y: _hessian_update(h_inv, s, y),
                "This is the update of the Hessian. Here its inverse is kept, so that no system "
                "need be solved.",
                "values",
                0.4,
            ),
            Misconception(
                "rank-one",
                lambda h_inv, s, y: _rank_one(h_inv, s, y),
                "This is the symmetric rank-one update. It maps y to s as well, but need not stay "
                "positive definite.",
                "values",
                0.4,
            ),
            Misconception(
                "changed-in-place",
                lambda h_inv, s, y: _bfgs_in_place(h_inv, s, y),
                "h_inv is overwritten. It belongs to the caller: make a new matrix.",
                "conduct",
            ),
            Misconception(
                "float32-lost",
                lambda h_inv, s, y: _bfgs(h_inv.astype(float), s, y),
                "A float32 matrix comes back as float64: np.eye without a dtype does that.",
                "float32",
                0.1,
            ),
        ),
        variants=(bfgs_written_out, bfgs_with_columns, bfgs_with_einsum),
    ),
    Exercise(
        name="lbfgs_direction",
        kind=Function(),
        reference={"lbfgs_direction": lbfgs_direction},
        cases=lbfgs_cases,
        misconceptions=(
            Misconception(
                "direction-uphill",
                lbfgs(minus=False),
                "The direction has the wrong sign: along it the function grows.",
                "values",
                0.4,
            ),
            Misconception(
                "oldest-pair-first",
                lbfgs(backwards=False),
                "The first loop runs from the oldest pair to the newest. It must undo the updates "
                "in reverse: the newest comes first.",
                "values",
                0.4,
            ),
            Misconception(
                "second-loop-backwards",
                lbfgs(first=False),
                "The second loop runs in the same order as the first. It must run the other way, "
                "from the oldest pair to the newest.",
                "values",
                0.4,
            ),
            Misconception(
                "alphas-in-the-wrong-order",
                lbfgs(matched=False),
                "The pairs come in the right order in both loops, but the α do not: they were "
                "collected from the newest pair to the oldest and are read in that order again. "
                "Each α belongs to its pair.",
                "values",
                0.4,
            ),
            Misconception(
                "not-scaled",
                lbfgs(gamma="none"),
                "The recursion starts from the identity. It should be scaled by sᵀy/yᵀy of the "
                "newest pair, or the first steps have the wrong length.",
                "values",
                0.3,
            ),
            Misconception(
                "scaled-by-the-oldest-pair",
                lbfgs(gamma="oldest"),
                "The scale comes from the oldest pair. The newest one knows the curvature here.",
                "values",
                0.3,
            ),
            Misconception(
                "scale-inverted",
                lbfgs(gamma="inverted"),
                "The scale is the curvature, where its inverse is needed: sᵀy belongs on top.",
                "values",
                0.3,
            ),
            Misconception(
                "scale-of-the-steps",
                lbfgs(gamma="of steps"),
                "The scale is sᵀs/sᵀy. The one asked for is sᵀy/yᵀy; both have the right unit, but "
                "not the same value.",
                "values",
                0.2,
            ),
            Misconception(
                "beta-with-s",
                lbfgs(beta="s"),
                "In the second loop β comes from y, the change of the gradient, not from s.",
                "values",
                0.4,
            ),
            Misconception(
                "only-the-newest-pair",
                lambda gradient, s_list, y_list: lbfgs()(gradient, s_list[-1:], y_list[-1:]),
                "Only the newest pair is used. The recursion goes through all of them.",
                "values",
                0.4,
            ),
            Misconception(
                "gradient-itself",
                lambda gradient, s_list, y_list: -gradient,
                "The direction is always −g: the pairs have no influence.",
                "values",
                0.5,
            ),
            Misconception(
                "gradient-changed-in-place",
                lambda gradient, s_list, y_list: _in_place_direction(gradient, s_list, y_list),
                "The gradient is overwritten. q should start as a copy of it.",
                "conduct",
            ),
            Misconception(
                "pairs-needed",
                lambda gradient, s_list, y_list: (
                    lbfgs()(gradient, s_list, y_list) if s_list[-1] is not None else None
                ),
                "Without pairs it fails. The very first step has none yet: go along −g.",
                "no pairs",
                0.2,
            ),
        ),
        variants=(lbfgs_from_the_matrix, lbfgs_by_index, lbfgs_recursive),
    ),
)
