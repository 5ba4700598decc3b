"""Maxout: the largest of k affine pieces."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.a2_backprop.maxout_mistakes import BACKWARD_MISTAKES, FORWARD_MISTAKES
from autograder.course.a2_backprop.mistakes import dout_changed, kept_in_a_global
from autograder.course.drawing import layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.activations import maxout_backward, maxout_forward

MAXOUT = {"maxout_forward": maxout_forward, "maxout_backward": maxout_backward}


def draw(rng, shape, k=4, m=3):
    d = int(np.prod(shape[1:]))
    k = 3 if shape == (3, 3) else k
    return {"x": numbers(rng, *shape), "w": numbers(rng, k, d, m), "b": numbers(rng, k, m)}


def more(rng):
    """Ties, in whole numbers so that they are exact; all pieces negative; one or two pieces."""
    x = rng.integers(-3, 4, (5, 3)).astype(float)
    w = rng.integers(-2, 3, (4, 3, 2)).astype(float)
    b = rng.integers(-2, 3, (4, 2)).astype(float)
    w[2], b[2] = w[0], b[0]
    w[3, :, 1], b[3, 1] = w[1, :, 1], b[1, 1]
    low = draw(rng, (4, 5))
    low["b"] = low["b"] - 30.0
    two = draw(rng, (4, 5), k=2)
    return [
        Case(
            "pieces that tie", {"x": x, "w": w, "b": b}, "ties", extra={"dout": numbers(rng, 5, 2)}
        ),
        Case("pieces that are all negative", low, extra={"dout": numbers(rng, 4, 3)}),
        Case("two pieces", two, extra={"dout": numbers(rng, 4, 3)}),
    ]


CASES = layer_cases(
    draw,
    lambda args: (len(args["x"]), args["w"].shape[2]),
    ordinary=((5, 7), (2, 6), (7, 5)),
    square=(3, 3),
    speed=(8, 4000),
    more=more,
)


def pieces(x, w, b):
    """All k affine maps, (k, N, M)."""
    return x.reshape(len(x), -1) @ w + b[:, None, :]


def out_of(choose):
    """Forward with another way to make one of the pieces."""

    def forward(x, w, b):
        return choose(pieces(x, w, b), x, w, b), (x, w, b)

    return forward


def without_bias(x, w, b):
    return pieces(x, w, 0 * b).max(axis=0), (x, w, b)


def bias_after_the_maximum(x, w, b):
    return pieces(x, w, 0 * b).max(axis=0) + b.sum(axis=0), (x, w, b)


def not_flattened(x, w, b):
    return (x @ w + b[:, None, :]).max(axis=0), (x, w, b)


def started_at_zero(x, w, b):
    out = np.zeros((len(x), w.shape[2]), dtype=np.result_type(x, w))
    for piece in pieces(x, w, b):
        out = np.maximum(out, piece)
    return out, (x, w, b)


def gradients(x, w, mask):
    """(dx, dw, db) for a dout already shared out to the pieces, (k, N, M)."""
    rows = x.reshape(len(x), -1)
    dx = np.einsum("knm,kdm->nd", mask, w).reshape(x.shape)
    return dx, np.einsum("nd,knm->kdm", rows, mask), mask.sum(axis=1)


def keeps_all(x, w, b):
    return maxout_forward(x, w, b)[0], (x, w, b)


def shared_by(share):
    """A pair whose backward shares dout among the pieces in another way."""

    def backward(dout, cache):
        x, w, b = cache
        return gradients(x, w, share(pieces(x, w, b), dout).astype(dout.dtype))

    return {"maxout_forward": keeps_all, "maxout_backward": backward}


def to_the_last_winner(all_pieces, dout):
    last = len(all_pieces) - 1 - all_pieces[::-1].argmax(axis=0)
    return dout * (np.arange(len(all_pieces))[:, None, None] == last)


def to_the_first_winner(all_pieces, dout):
    return dout * (np.arange(len(all_pieces))[:, None, None] == all_pieces.argmax(axis=0))


def to_every_winner(all_pieces, dout):
    return dout * (all_pieces == all_pieces.max(axis=0))


def shared_among_winners(all_pieces, dout):
    wins = all_pieces == all_pieces.max(axis=0)
    return dout * wins / wins.sum(axis=0)


def but(change):
    """Backward with one gradient changed."""

    def backward(dout, cache):
        dx, dw, db = maxout_backward(dout, cache)
        return change(dx, dw, db, dout)

    return backward


def by_loops(x, w, b):
    rows = x.reshape(x.shape[0], -1)
    out = rows @ w[0] + b[0]
    winner = np.zeros(out.shape, dtype=int)
    for k in range(1, len(w)):
        piece = rows @ w[k] + b[k]
        winner[piece > out] = k
        out = np.maximum(out, piece)
    return out, {"x": x, "w": w, "winner": winner}


def by_einsum(x, w, b):
    z = np.einsum("nd,kdm->nkm", x.reshape(len(x), -1), w) + b
    return np.max(z, axis=1), (x, w, b, np.argmax(z, axis=1))


def by_stacking(x, w, b):
    z = np.stack([np.dot(x.reshape(len(x), -1), piece) + bias for piece, bias in zip(w, b)], -1)  # noqa: B905
    return np.take_along_axis(z, z.argmax(-1)[..., None], -1)[..., 0], (x, w, b)


def backward_by_loops(dout, cache):
    x, w, winner = cache["x"], cache["w"], cache["winner"]
    rows = x.reshape(x.shape[0], -1)
    dx, dw = np.zeros(rows.shape, dout.dtype), np.zeros(w.shape, dout.dtype)
    db = np.zeros((w.shape[0], w.shape[2]), dout.dtype)
    for k in range(len(w)):
        mine = dout * (winner == k)
        dx += mine @ w[k].T
        dw[k] = rows.T @ mine
        db[k] = mine.sum(0)
    return dx.reshape(x.shape), dw, db


def backward_by_einsum(dout, cache):
    x, w, b, winner = cache
    hot = np.stack([winner == k for k in range(len(b))]).astype(dout.dtype)
    return list(gradients(x, w, hot * dout))


EXERCISES = (
    Exercise(
        name="maxout_forward",
        kind=Forward(),
        reference=MAXOUT,
        cases=CASES,
        misconceptions=(
            Misconception(
                "sum-of-the-pieces",
                out_of(lambda z, x, w, b: z.sum(axis=0)),
                "You add the pieces, so the unit is affine again. Only the largest one comes out.",
                "values",
            ),
            Misconception(
                "mean-of-the-pieces",
                out_of(lambda z, x, w, b: z.mean(axis=0)),
                "You average the pieces, so the unit is affine again. Only the largest one comes "
                "out.",
                "values",
            ),
            Misconception(
                "smallest-piece",
                out_of(lambda z, x, w, b: z.min(axis=0)),
                "The smallest piece comes out where the largest should.",
                "values",
            ),
            Misconception(
                "first-two-pieces-only",
                out_of(lambda z, x, w, b: z[:2].max(axis=0)),
                "Only the first two pieces are compared. Their number is that of the first axis "
                "of w.",
                "values",
                0.4,
            ),
            Misconception(
                "largest-in-magnitude",
                out_of(
                    lambda z, x, w, b: np.take_along_axis(z, np.abs(z).argmax(0)[None], axis=0)[0]
                ),
                "The piece of largest magnitude comes out, be it negative. The maximum minds "
                "the sign.",
                "values",
            ),
            Misconception(
                "maximum-over-the-outputs",
                out_of(
                    lambda z, x, w, b: np.repeat(z.max(axis=(0, 2))[:, None], z.shape[2], axis=1)
                ),
                "The maximum runs over the units as well, so all columns are alike. Each unit has "
                "k pieces of its own.",
                "values",
            ),
            Misconception(
                "bias-forgotten",
                without_bias,
                "The biases never enter; each piece is affine, not linear.",
                "values",
            ),
            Misconception(
                "bias-after-the-maximum",
                bias_after_the_maximum,
                "The maximum is taken before the biases are added. Each piece has its own bias, "
                "which has a say in who wins.",
                "values",
            ),
            Misconception(
                "maximum-started-at-zero",
                started_at_zero,
                "No output is ever below 0: your running maximum starts at 0. Pieces may all be "
                "negative; start with the first of them.",
                "values",
                0.4,
            ),
            Misconception(
                "input-not-flattened",
                not_flattened,
                "An example may have several axes; the unit sees it as one row of D numbers.",
                "more than two dimensions",
                0.2,
            ),
            *FORWARD_MISTAKES,
        ),
        variants=(by_loops, by_einsum, by_stacking),
    ),
    Exercise(
        name="maxout_backward",
        kind=Backward("maxout_forward", ("dx", "dw", "db"), ("x", "w", "b")),
        reference=MAXOUT,
        cases=CASES,
        misconceptions=(
            Misconception(
                "gradient-to-every-piece",
                shared_by(lambda z, dout: dout + 0 * z),
                "Every piece gets the gradient. A piece that lost the maximum had no influence on "
                "the output, so it gets none.",
                "dw",
            ),
            Misconception(
                "ties-to-all",
                shared_by(to_every_winner),
                "Where pieces tie, each of them gets the full gradient. In this course the one "
                "with the lowest index gets it, alone.",
                "ties",
            ),
            Misconception(
                "ties-to-the-last",
                shared_by(to_the_last_winner),
                "Where pieces tie, the last one gets the gradient; in this course it is the first.",
                "ties",
            ),
            Misconception(
                "ties-shared",
                shared_by(shared_among_winners),
                "Where pieces tie, they share the gradient; in this course the one with the lowest "
                "index gets it all.",
                "ties",
            ),
            Misconception(
                "dout-forgotten",
                shared_by(lambda z, dout: to_the_first_winner(z, np.ones_like(dout))),
                "You pass on who won, without the upstream gradient. The chain rule multiplies "
                "with it.",
                "dw",
            ),
            Misconception(
                "bias-gradient-is-a-mean",
                but(lambda dx, dw, db, dout: (dx, dw, db / len(dout))),
                "db is averaged over the batch where the gradient needs the sum: the same bias is "
                "added to every row.",
                "db",
                0.3,
            ),
            Misconception(
                "bias-gradient-summed-over-pieces",
                but(lambda dx, dw, db, dout: (dx, dw, db.sum(axis=0))),
                "db has the pieces added up. Each piece has a bias of its own: db is (k, M).",
                "db",
                0.3,
            ),
            Misconception(
                "parameter-gradients-are-means",
                but(lambda dx, dw, db, dout: (dx, dw / len(dout), db / len(dout))),
                "dw and db are divided by the batch size. The loss owns the 1/N, and it has "
                "reached you inside dout.",
                "dw",
                0.4,
            ),
            Misconception(
                "input-gradient-left-flat",
                but(lambda dx, dw, db, dout: (dx.reshape(len(dx), -1), dw, db)),
                "dx must come back in the shape in which x came in; undo the flattening.",
                "more than two dimensions",
                0.2,
            ),
            Misconception(
                "weight-gradient-transposed",
                but(lambda dx, dw, db, dout: (dx, dw.transpose(0, 2, 1), db)),
                "dw must have the shape of w, (k, D, M); the last two axes are swapped.",
                "dw",
                0.3,
            ),
            Misconception(
                "gradients-in-the-wrong-order",
                but(lambda dx, dw, db, dout: (dw, dx, db)),
                "Gradients are returned in the order of the arguments: x, then w, then b.",
                "dx",
                0.3,
            ),
            dout_changed(maxout_backward),
            kept_in_a_global(MAXOUT, "maxout"),
            *BACKWARD_MISTAKES,
        ),
        variants=(
            {"maxout_forward": by_loops, "maxout_backward": backward_by_loops},
            {"maxout_forward": by_einsum, "maxout_backward": backward_by_einsum},
            shared_by(to_the_first_winner),
        ),
    ),
)
