"""Maxout: pieces that are mixed up, left out, or cut short."""

import numpy as np

from autograder.exercise import Misconception
from cs_nn.layers.activations import maxout_forward


def pieces_mixed(x, w, b):
    k, d, m = w.shape
    z = (x.reshape(len(x), -1) @ w.reshape(d, k * m)).reshape(len(x), k, m) + b
    return z.max(axis=1), (x, w, b)


def last_piece_left_out(x, w, b):
    last = max(len(w) - 1, 1)
    return maxout_forward(x, w[:last], b[:last])[0], (x, w, b)


def first_piece_left_out(x, w, b):
    first = min(len(w) - 1, 1)
    return maxout_forward(x, w[first:], b[first:])[0], (x, w, b)


def biases_apart(x, w, b):
    return maxout_forward(x, w, 0 * b)[0] + b.max(axis=0), (x, w, b)


def who_for_what(x, w, b):
    z = x.reshape(len(x), -1) @ w + b[:, None, :]
    return z.argmax(axis=0), (x, w, b)


def _keeps_all(x, w, b):
    return maxout_forward(x, w, b)[0], (x, w, b)


def shared_out(change):
    """A pair whose backward changes (dx, dw, db), given x, w, dout and who won."""

    def backward(dout, cache):
        x, w, b = cache
        rows = x.reshape(len(x), -1)
        won = (rows @ w + b[:, None, :]).argmax(axis=0)
        mine = np.where(np.arange(len(w))[:, None, None] == won, dout, 0).astype(dout.dtype)
        right = np.einsum("knm,kdm->nd", mine, w).reshape(x.shape), rows.T @ mine, mine.sum(axis=1)
        return change(*right, rows, w, mine)

    return {"maxout_forward": _keeps_all, "maxout_backward": backward}


def dx_of_the_last_piece(dx, dw, db, rows, w, mine):
    return (mine[-1] @ w[-1].T).reshape(dx.shape), dw, db


def without_adding(dx, dw, db, rows, w, mine):
    """What ``dw[won] = …`` leaves where several examples chose one piece: the last of them."""
    dw, db = np.zeros_like(dw), np.zeros_like(db)
    for row, part in zip(rows, mine.transpose(1, 0, 2), strict=True):
        for k, m in np.argwhere(part != 0):
            dw[k, :, m], db[k, m] = row * part[k, m], part[k, m]
    return dx, dw, db


def winner_of_an_example(dout, cache):
    x, w, b = cache
    rows = x.reshape(len(x), -1)
    won = (rows @ w + b[:, None, :]).sum(axis=2).argmax(axis=0)
    mine = np.where((np.arange(len(w))[:, None] == won)[:, :, None], dout, 0).astype(dout.dtype)
    return np.einsum("knm,kdm->nd", mine, w).reshape(x.shape), rows.T @ mine, mine.sum(axis=1)


def dx_with_the_first_weights(dx, dw, db, rows, w, mine):
    return (mine.sum(axis=0) @ w[0].T).reshape(dx.shape), dw, db


FORWARD_MISTAKES = (
    Misconception(
        "pieces-mixed",
        pieces_mixed,
        "The weights of different pieces are mixed: w is reshaped to two axes although the axis "
        "of the pieces comes first. Move it before you reshape, or take one piece at a time.",
        "values",
    ),
    Misconception(
        "last-piece-left-out",
        last_piece_left_out,
        "The last piece never competes: where does your loop or slice end?",
        "values",
        0.5,
    ),
    Misconception(
        "first-piece-left-out",
        first_piece_left_out,
        "The first piece never competes: where does your loop or slice begin?",
        "values",
        0.5,
    ),
    Misconception(
        "largest-bias-added",
        biases_apart,
        "The largest product and the largest bias are looked for apart, and may come from "
        "different pieces. A piece is its product and its bias together: compare the sums.",
        "values",
        0.5,
    ),
    Misconception(
        "who-for-what",
        who_for_what,
        "You return which piece is the largest, not how large it is.",
        "values",
    ),
)
BACKWARD_MISTAKES = (
    Misconception(
        "input-gradient-of-the-last-piece",
        shared_out(dx_of_the_last_piece),
        "dx holds only what comes back through the last piece: each piece overwrites the one "
        "before. x feeds all of them, so their gradients add.",
        "dx",
        0.4,
    ),
    Misconception(
        "last-example-of-each-piece",
        shared_out(without_adding),
        "Where several examples chose the same piece, only the last of them is left in dw and db: "
        "an assignment to an index that comes twice keeps one. The gradients add.",
        "dw",
        0.5,
    ),
    Misconception(
        "one-winner-for-an-example",
        {"maxout_forward": _keeps_all, "maxout_backward": winner_of_an_example},
        "One piece wins for all units of an example. Each unit has a maximum, and a winner, of "
        "its own.",
        "dx",
        0.5,
    ),
    Misconception(
        "input-gradient-with-the-first-weights",
        shared_out(dx_with_the_first_weights),
        "dx goes back through the weights of the first piece, whoever won. Take those of the "
        "winner.",
        "dx",
        0.4,
    ),
)
