"""The affine layer: what students get wrong about x·w + b and its gradients."""

import numpy as np

from autograder.battery.functions import Backward, Forward
from autograder.course.drawing import layer_cases, numbers
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.affine import affine_backward, affine_forward

REFERENCE = {"affine_forward": affine_forward, "affine_backward": affine_backward}


def draw(rng, shape, m=3):
    d = int(np.prod(shape[1:]))
    m = 8 if d > 1000 else m
    return {"x": numbers(rng, *shape), "w": numbers(rng, d, m), "b": numbers(rng, m)}


def one_unit(rng):
    """M = 1, whose axis a squeeze takes away."""
    args = draw(rng, (4, 5), m=1)
    return [
        Case("x of shape (4, 5) and one unit", args, "M = 1", extra={"dout": numbers(rng, 4, 1)})
    ]


CASES = layer_cases(
    draw,
    lambda args: (len(args["x"]), args["w"].shape[1]),
    ordinary=((5, 7), (2, 6), (6, 4)),
    square=(3, 3),
    more=one_unit,
    speed=(8, 4000),
)


def without_bias(x, w, b):
    return x.reshape(len(x), -1) @ w, (x, w, b)


def without_reshape(x, w, b):
    return x @ w + b, (x, w, b)


def bias_per_example(x, w, b):
    out = x.reshape(len(x), -1) @ w
    return out + b.sum(), (x, w, b)


def reshaped_in_column_order(x, w, b):
    return x.reshape(len(x), -1, order="F") @ w + b, (x, w, b)


def averaged_over_features(x, w, b):
    return x.reshape(len(x), -1) @ w / len(w) + b, (x, w, b)


def add_bias_in_place(x, w, b):
    rows = x.reshape(len(x), -1)
    if len(w.T) == rows.shape[1]:
        rows += 0
    w *= 1
    b += 1e-3
    return rows @ w + b - 1e-3, (x, w, b)


def _rows(x):
    return x.reshape(len(x), -1)


def gradients(dout, cache):
    x, w = cache[:2]
    return (dout @ w.T).reshape(x.shape), _rows(x).T @ dout, dout.sum(axis=0)


def mean_of_bias(dout, cache):
    dx, dw, _ = gradients(dout, cache)
    return dx, dw, dout.mean(axis=0)


def bias_kept_as_row(dout, cache):
    dx, dw, _ = gradients(dout, cache)
    return dx, dw, dout.sum(axis=0, keepdims=True)


def bias_summed_to_a_scalar(dout, cache):
    dx, dw, _ = gradients(dout, cache)
    return dx, dw, dout.sum()


def bias_over_the_wrong_axis(dout, cache):
    dx, dw, _ = gradients(dout, cache)
    return dx, dw, dout.sum(axis=1)


def bias_not_summed(dout, cache):
    dx, dw, _ = gradients(dout, cache)
    return dx, dw, dout


def input_gradient_left_flat(dout, cache):
    x, w = cache[:2]
    return dout @ w.T, _rows(x).T @ dout, dout.sum(axis=0)


def weights_averaged_over_the_batch(dout, cache):
    dx, dw, db = gradients(dout, cache)
    return dx, dw / len(dout), db


def all_averaged_over_the_batch(dout, cache):
    dx, dw, db = gradients(dout, cache)
    return dx, dw / len(dout), db / len(dout)


def weights_transposed(dout, cache):
    dx, dw, db = gradients(dout, cache)
    return dx, dw.T, db


def last_example_only(dout, cache):
    dx, _, db = gradients(dout, cache)
    for row, upstream in zip(_rows(cache[0]), dout, strict=True):
        dw = np.outer(row, upstream)
    return dx, dw, db


def input_without_transpose(dout, cache):
    x, w = cache[:2]
    return (dout @ w).reshape(x.shape), _rows(x).T @ dout, dout.sum(axis=0)


def dw_first(dout, cache):
    dx, dw, db = gradients(dout, cache)
    return dw, dx, db


def dout_scaled_in_place(dout, cache):
    answer = gradients(dout, cache)
    dout *= 0
    return answer


_last = {}


def _forward_with_global(x, w, b):
    _last["x"], _last["w"] = x, w
    return _rows(x) @ w + b, None


def _backward_with_global(dout, cache):
    return gradients(dout, (_last["x"], _last["w"]))


def loop_forward(x, w, b):
    n, m = len(x), w.shape[1]
    out = np.zeros((n, m), dtype=np.result_type(x, w, b))
    for i in range(n):
        for j in range(m):
            out[i, j] = np.sum(x[i].ravel() * w[:, j]) + b[j]
    return out, (x, w, b)


def einsum_forward(x, w, b):
    return np.einsum("nd,dm->nm", x.reshape(x.shape[0], -1), w) + b[None, :], (x, w, b)


def list_cache_forward(x, w, b):
    flat = np.array([example.flatten() for example in x])
    return np.dot(flat, w) + np.tile(b, (len(x), 1)), {"x": x, "w": w, "b": b}


def einsum_backward(dout, cache):
    x, w = cache[:2]
    rows = _rows(x)
    dw = np.einsum("nd,nm->dm", rows, dout)
    return (
        np.einsum("nm,dm->nd", dout, w).reshape(x.shape),
        dw,
        np.ones(len(dout), dout.dtype) @ dout,
    )


def loop_backward(dout, cache):
    x, w = cache[:2]
    dx, dw = np.zeros(x.shape, dout.dtype), np.zeros(w.shape, dout.dtype)
    db = np.zeros(w.shape[1], dout.dtype)
    for i in range(len(x)):
        dx[i] = (w @ dout[i]).reshape(x.shape[1:])
        dw += np.outer(x[i], dout[i])
        db += dout[i]
    return dx, dw, db


def list_backward(dout, cache):
    return list(gradients(dout, cache))


def examples_mixed(x, w, b):
    return x.reshape(len(w), len(x)).T @ w + b, (x, w, b)


def bias_for_each_feature(x, w, b):
    return x.reshape(len(x), -1) @ w + len(w) * b, (x, w, b)


def bias_along_the_batch(x, w, b):
    return (w.T @ x.reshape(len(x), -1).T + b).T, (x, w, b)


def bias_missing_its_row(x, w, b):
    return np.squeeze(x.reshape(len(x), -1) @ w + b), (x, w, b)


def weights_reshaped(dout, cache):
    dx, dw, db = gradients(dout, cache)
    return dx, dw.T.reshape(dw.shape), db


def bias_of_the_last_example(dout, cache):
    dx, dw, _ = gradients(dout, cache)
    return dx, dw, dout[-1].copy()


def last_of_both(dout, cache):
    return *last_example_only(dout, cache)[:2], dout[-1].copy()


def everything_averaged(dout, cache):
    return tuple(gradient / len(dout) for gradient in gradients(dout, cache))


def dout_left_out_of_dx(dout, cache):
    x, w = cache[:2]
    dx = np.broadcast_to(w.sum(axis=1), (len(x), len(w)))
    return dx.reshape(x.shape).astype(dout.dtype), *gradients(dout, cache)[1:]


EXERCISES = (
    Exercise(
        name="affine_forward",
        kind=Forward(),
        reference=REFERENCE,
        cases=CASES,
        misconceptions=(
            Misconception(
                "bias-forgotten",
                without_bias,
                "The bias b never enters: without it every output is tied to the origin. Compare "
                "your line with the formula of the layer, term by term.",
                "values",
            ),
            Misconception(
                "input-not-flattened",
                without_reshape,
                "An example may have several axes, an image say; the layer sees it as one row of "
                "D numbers. Look at what shape x must have before it meets w.",
                "more than two dimensions",
            ),
            Misconception(
                "bias-summed",
                bias_per_example,
                "Each output has a bias of its own, b has one number for each column. Here every "
                "column gets the same number: let broadcasting line b up with the columns.",
                "values",
            ),
            Misconception(
                "flattened-in-column-order",
                reshaped_in_column_order,
                "The numbers of an example reach w in another order than they lie in memory. Look "
                "at the order argument of reshape, and at what happens to the last axis.",
                "more than two dimensions",
            ),
            Misconception(
                "mean-over-features",
                averaged_over_features,
                "A unit adds up its weighted inputs; it does not average them. Where does the "
                "division by the number of features come from?",
                "values",
            ),
            Misconception(
                "inputs-changed",
                add_bias_in_place,
                "An array that you are given belongs to the caller. Operators such as += write "
                "into it: the caller's parameters change without an update step.",
                "conduct",
            ),
            Misconception(
                "examples-mixed",
                examples_mixed,
                "The rows hold numbers of several examples: x is reshaped to (D, N) and turned "
                "round, which is not the same as reshaping it to (N, D).",
                "values",
                0.5,
            ),
            Misconception(
                "bias-for-each-feature",
                bias_for_each_feature,
                "The bias is added once for each feature. It is added once, when the sum over the "
                "features is done.",
                "values",
                0.5,
            ),
            Misconception(
                "bias-along-the-batch",
                bias_along_the_batch,
                "The bias meets the wrong axis: b has a number for each unit, not for each "
                "example. Only where the sizes happen to agree does this run at all.",
                "values",
                0.5,
            ),
            Misconception(
                "single-example-squeezed",
                bias_missing_its_row,
                "A batch of one loses its first axis. out is (N, M), also when N is 1.",
                "N = 1",
                0.2,
            ),
        ),
        variants=(loop_forward, einsum_forward, list_cache_forward),
    ),
    Exercise(
        name="affine_backward",
        kind=Backward("affine_forward", ("dx", "dw", "db"), ("x", "w", "b")),
        reference=REFERENCE,
        cases=CASES,
        misconceptions=(
            Misconception(
                "bias-gradient-is-a-mean",
                mean_of_bias,
                "Did you take the mean over the batch where the gradient needs the sum? The same b "
                "is added to every row, and gradients of a shared number add up.",
                "db",
                0.3,
            ),
            Misconception(
                "bias-gradient-keeps-an-axis",
                bias_kept_as_row,
                "A gradient has exactly the shape of what it is the gradient of, and b is (M,). A "
                "leftover axis of length 1 broadcasts silently in the update and bites later.",
                "db",
                0.2,
            ),
            Misconception(
                "bias-gradient-is-a-scalar",
                bias_summed_to_a_scalar,
                "Each entry of b has a gradient of its own. You added over the outputs too: over "
                "which axis do the examples lie?",
                "db",
                0.3,
            ),
            Misconception(
                "bias-gradient-over-the-wrong-axis",
                bias_over_the_wrong_axis,
                "The sum must run over the examples and leave one number for each output; yours "
                "leaves one for each example.",
                "db",
                0.3,
            ),
            Misconception(
                "bias-gradient-not-summed",
                bias_not_summed,
                "b was broadcast to every row of the batch, so its gradient collects what comes "
                "back from all rows.",
                "db",
                0.3,
            ),
            Misconception(
                "input-gradient-left-flat",
                input_gradient_left_flat,
                "dx must come back in the shape in which x came in; you flattened x on the way "
                "forward, so undo it on the way back.",
                "more than two dimensions",
                0.2,
            ),
            Misconception(
                "weight-gradient-is-a-mean",
                weights_averaged_over_the_batch,
                "dw is divided by the batch size. If the loss is a mean, the 1/N is in dout "
                "already; here the contributions of the examples simply add.",
                "dw",
                0.3,
            ),
            Misconception(
                "parameter-gradients-are-means",
                all_averaged_over_the_batch,
                "dw and db are divided by the batch size. The loss owns the 1/N, and it has "
                "reached you inside dout; a layer only adds up.",
                "dw",
                0.4,
            ),
            Misconception(
                "last-example-only",
                last_example_only,
                "dw is that of the last example: in the loop each example overwrites what the "
                "one before it left. Gradients of a shared array add up.",
                "dw",
                0.3,
            ),
            Misconception(
                "weight-gradient-transposed",
                weights_transposed,
                "dw must have the shape of w, (D, M). Ask which of the two factors has D rows "
                "once it is transposed, and put it first.",
                "dw",
                0.3,
            ),
            Misconception(
                "input-gradient-without-transpose",
                input_without_transpose,
                "On the way back the weights carry M numbers to D numbers, the other way round "
                "than forward. It only runs when w is square, and is wrong even then.",
                "dx",
                0.3,
            ),
            Misconception(
                "gradients-in-the-wrong-order",
                dw_first,
                "Gradients are returned in the order of the arguments of the forward pass: x, "
                "then w, then b.",
                "dx",
                0.3,
            ),
            Misconception(
                "upstream-gradient-changed",
                dout_scaled_in_place,
                "dout belongs to the layer above, which may still need it. Operators such as *= "
                "write into the caller's array.",
                "conduct",
            ),
            Misconception(
                "cache-in-a-global",
                {"affine_forward": _forward_with_global, "affine_backward": _backward_with_global},
                "What backward needs is kept outside the cache. A network has many affine layers: "
                "the second forward pass overwrites what the first one stored.",
                "conduct",
            ),
            Misconception(
                "weight-gradient-reshaped",
                weights_reshaped,
                "dw has the right numbers in the wrong places: it was (M, D) and was brought to "
                "(D, M) by a reshape, which keeps the order of the numbers. Turning rows into "
                "columns is something else.",
                "dw",
                0.4,
            ),
            Misconception(
                "last-example-only-in-db",
                bias_of_the_last_example,
                "db is that of the last example. Every example feels the same bias, so what comes "
                "back from all of them adds up.",
                "db",
                0.3,
            ),
            Misconception(
                "last-example-only-in-both",
                last_of_both,
                "dw and db are those of the last example: in the loop each example overwrites what "
                "the one before it left. Gradients of a shared array add up.",
                "dw",
                0.5,
            ),
            Misconception(
                "everything-averaged",
                everything_averaged,
                "All three gradients are divided by the batch size. The loss owns the 1/N, and it "
                "has reached you inside dout.",
                "dx",
                0.5,
            ),
            Misconception(
                "upstream-gradient-left-out-of-dx",
                dout_left_out_of_dx,
                "dx adds up the weights alone; dout never enters. The chain rule multiplies with "
                "it.",
                "dx",
                0.4,
            ),
        ),
        variants=(
            loop_backward,
            einsum_backward,
            list_backward,
            {"affine_forward": loop_forward, "affine_backward": loop_backward},
        ),
    ),
)
