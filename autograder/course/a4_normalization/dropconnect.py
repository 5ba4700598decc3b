"""DropConnect: the mask belongs to the weights, forward and backward."""

import numpy as np

from autograder.battery.dropconnect import DropConnectBackward, DropConnectForward
from autograder.battery.functions import CONDUCT
from autograder.course.a4_normalization import dropout
from autograder.course.drawing import as_dtype, numbers, strided
from autograder.exercise import Case, Exercise, Misconception
from cs_nn.layers.dropout import dropconnect_backward, dropconnect_forward

FORWARD, BACKWARD = "dropconnect_forward", "dropconnect_backward"
REFERENCE = {FORWARD: dropconnect_forward, BACKWARD: dropconnect_backward}


def independent(rng, shape):
    """Examples from which the weights in use can be found again."""
    while True:
        x = numbers(rng, *shape)
        if np.linalg.cond(x.reshape(len(x), -1)) < 10:
            return x


def cases(rng):
    def case(
        shape, m, p, check="", *, wide=(50, 40), x=None, dtype: type = np.float64, tags=(), words=""
    ):
        d = int(np.prod(shape[1:]))
        args = {
            "x": independent(rng, shape) if x is None else x,
            "w": numbers(rng, d, m),
            "b": numbers(rng, m),
            "dropconnect_param": {"p": p},
        }
        extra = {
            "wide": list(wide),
            "seeds": [int(s) for s in rng.integers(1, 2**31, size=2)],
            "dout": numbers(rng, shape[0], m).astype(dtype),
            "tolerance": 1e-3,
        }
        label = f"{words}x of shape {shape}, w of shape {(d, m)} and p = {p}"
        return Case(label, as_dtype(args, dtype), check, frozenset(tags), extra)

    room = strided({"x": independent(rng, (11, 6))})["x"]
    return [
        case((11, 6), 7, 0.7, wide=(80, 70), tags=[CONDUCT]),
        case((13, 8), 5, 0.4, wide=(60, 90)),
        case((9, 5), 8, 0.8, wide=(80, 75)),
        case((13, 2, 2, 2), 5, 0.6, "more than two dimensions"),
        case((11, 6), 7, 0.7, "non-contiguous", x=room, words="strided "),
        case((11, 6), 7, 0.7, "float32", dtype=np.float32, words="float32 "),
    ]


def rows(x):
    return x.reshape(len(x), -1)


def forward(mask=dropout.draw, scale=lambda p: 1 / p, test=lambda w, p: w, bias=1):
    """DropConnect forward with one thing changed."""

    def dropconnect(x, w, b, dropconnect_param):
        p = dropconnect_param["p"]
        if dropconnect_param["mode"] == "test":
            used, kept = test(w, p), None
        else:
            kept = mask(w.shape, dropconnect_param)
            used = w * kept * scale(p)
        return rows(x) @ used + bias * b, (x, w, b, used, kept, p)

    return dropconnect


def masks_per_example(x, w, b, dropconnect_param):
    if dropconnect_param["mode"] == "test":
        return forward()(x, w, b, dropconnect_param)
    p = dropconnect_param["p"]
    kept = dropout.draw((len(x), *w.shape), dropconnect_param).astype(w.dtype)
    return np.einsum("nd,ndm,dm->nm", rows(x), kept, w) / p + b, None


def inputs_dropped(x, w, b, dropconnect_param):
    if dropconnect_param["mode"] == "test":
        return forward()(x, w, b, dropconnect_param)
    p = dropconnect_param["p"]
    kept = dropout.draw(rows(x).shape, dropconnect_param)
    return (rows(x) * kept / p) @ w + b, None


def outputs_dropped(x, w, b, dropconnect_param):
    out = rows(x) @ w + b
    if dropconnect_param["mode"] == "test":
        return out, None
    return out * dropout.draw(out.shape, dropconnect_param) / dropconnect_param["p"], None


def dropped_at_test_time(x, w, b, dropconnect_param):
    return forward()(x, w, b, dropconnect_param | {"mode": "train"})


def weights_changed(x, w, b, dropconnect_param):
    out, cache = forward()(x, w, b, dropconnect_param)
    if cache[4] is not None:
        w *= cache[4]
    return out, cache


def right(dout, cache):
    x, w, b, used, kept, p = cache
    dw = rows(x).T @ dout
    if kept is not None:
        dw = dw * kept / p
    return (dout @ used.T).reshape(x.shape), dw, dout.sum(axis=0)


def _forward_with_settings(x, w, b, dropconnect_param):
    return forward()(x, w, b, dropconnect_param)[0], (x, w, b, dict(dropconnect_param))


def _backward_redrawing(dout, cache):
    x, w, b, param = cache
    return right(dout, forward()(x, w, b, param)[1])


def dx(wrong):
    return lambda dout, cache: (wrong(dout, *cache), *right(dout, cache)[1:])


def dw(wrong):
    def backward(dout, cache):
        x, w, b, used, kept, p = cache
        dx, dw, db = right(dout, cache)
        return dx, (dw if kept is None else wrong(rows(x).T @ dout, kept, p)), db

    return backward


def db(wrong):
    return lambda dout, cache: (*right(dout, cache)[:2], wrong(dout))


def changes_dout(dout, cache):
    answer = right(dout, cache)
    dout += 1
    return answer


_last = {}


def _forward_with_global(x, w, b, dropconnect_param):
    out, _last["cache"] = forward()(x, w, b, dropconnect_param)
    return out, None


def _backward_with_global(dout, cache):
    return right(dout, _last["cache"])


def legacy_forward(x, w, b, dropconnect_param):
    if "seed" in dropconnect_param:
        np.random.seed(dropconnect_param["seed"])  # noqa: NPY002
    p = dropconnect_param["p"]
    if dropconnect_param["mode"] == "train":
        mask = (np.random.rand(*w.shape) < p) / p  # noqa: NPY002
        w_used = (w * mask).astype(w.dtype)
    else:
        mask = None
        w_used = w
    out = x.reshape(x.shape[0], -1).dot(w_used) + b
    return out, (x, w_used, mask)


def legacy_backward(dout, cache):
    x, w_used, mask = cache
    dx = dout.dot(w_used.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    if mask is not None:
        dw = (dw * mask).astype(dout.dtype)
    return dx, dw, np.sum(dout, axis=0)


def einsum_forward(x, w, b, dropconnect_param):
    p, flat = dropconnect_param["p"], rows(x)
    scale = np.ones_like(w)
    if dropconnect_param["mode"] == "train":
        rng = np.random.default_rng(dropconnect_param.get("seed"))
        scale = rng.binomial(1, p, w.shape).astype(w.dtype) / p
    return np.einsum("nd,dm,dm->nm", flat, w, scale) + b, {"x": x, "w": w, "scale": scale}


def einsum_backward(dout, cache):
    x, w, scale = cache["x"], cache["w"], cache["scale"]
    dx = np.einsum("nm,dm,dm->nd", dout, w, scale).reshape(x.shape)
    return [dx, np.einsum("nd,nm->dm", rows(x), dout) * scale, np.einsum("nm->m", dout)]


def functions(forward, backward):
    return {FORWARD: forward, BACKWARD: backward}


def mistake(code, backward, sentence, aspect, severity=None):
    return Misconception(code, functions(forward(), backward), sentence, aspect, severity)


FORWARD_MISTAKES = (
    Misconception(
        "mask-inverted",
        forward(dropout.dropped_with_p),
        "p is the probability of keeping a weight; here weights are dropped with probability p.",
        "keep fraction",
        0.4,
    ),
    Misconception(
        "not-scaled-up",
        forward(scale=lambda p: 1),
        "What is kept is not scaled up: divide the mask by p, so that the expected weights are w.",
        "scale",
        0.35,
    ),
    Misconception(
        "scaled-down",
        forward(scale=lambda p: p),
        "What is kept is multiplied by p; it must make up for what is dropped.",
        "scale",
        0.35,
    ),
    Misconception(
        "scaled-at-test-time",
        forward(test=lambda w, p: w * p),
        "Test mode multiplies the weights by p. Training has made up for the dropped ones already.",
        "test mode",
        0.3,
    ),
    Misconception(
        "dropped-at-test-time",
        dropped_at_test_time,
        "Test mode drops weights too, so that the answer is a matter of luck.",
        "test mode",
        0.35,
    ),
    Misconception(
        "inputs-dropped",
        inputs_dropped,
        "The mask lies on the inputs; that is dropout. DropConnect switches off single weights: "
        "draw the mask in the shape of w.",
        "independence",
        0.5,
    ),
    Misconception(
        "outputs-dropped",
        outputs_dropped,
        "The mask lies on the outputs; that is dropout. DropConnect switches off single weights: "
        "draw the mask in the shape of w.",
        "scale",
        0.5,
    ),
    Misconception(
        "masks-per-example",
        masks_per_example,
        "Each example has a mask of its own. This course draws one mask for the batch, in the "
        "shape of w.",
        "one mask for the batch",
        0.3,
    ),
    Misconception(
        "one-draw-for-each-input",
        forward(dropout.one_draw_per_row),
        "All weights of an input are dropped together; each weight is drawn for itself.",
        "independence",
        0.35,
    ),
    Misconception(
        "one-draw-for-each-unit",
        forward(dropout.one_mask_for_all_rows),
        "All weights of a unit are dropped together; each weight is drawn for itself.",
        "independence",
        0.35,
    ),
    Misconception(
        "normal-draws",
        forward(dropout.normal_draws),
        "The draws that are compared with p are normal; u < p is true with probability p only if "
        "u is uniform in [0, 1).",
        "keep fraction",
        0.35,
    ),
    Misconception(
        "the-same-mask-every-time",
        forward(dropout.always_the_same),
        "Without a seed every call draws the same mask. No seed means a fresh one at every call.",
        "no seed",
        0.25,
    ),
    Misconception(
        "seed-ignored",
        forward(dropout.seed_ignored),
        "dropconnect_param['seed'] is not used; with a seed the mask must be the same every time.",
        "same seed",
        0.15,
    ),
    *dropout.seed_mistakes(forward, "dropconnect_param"),
    Misconception(
        "bias-forgotten",
        forward(bias=0),
        "The bias b never enters. It is never dropped either.",
        "p = 1",
        0.3,
    ),
    Misconception(
        "weights-changed",
        weights_changed,
        "The mask is multiplied into w itself, so that weights are lost for ever: the next call "
        "finds zeros. Make a masked copy.",
        "conduct",
    ),
)

BACKWARD_MISTAKES = (
    Misconception(
        "mask-redrawn",
        functions(_forward_with_settings, _backward_redrawing),
        "Backward draws the mask once more. With a seed that happens to give the same one; without "
        "one forward and backward have two masks. Keep the mask itself in the cache.",
        "dx without a seed",
        0.3,
    ),
    mistake(
        "dx-through-dropped-weights",
        dx(lambda dout, x, w, b, used, kept, p: (dout @ w.T).reshape(x.shape)),
        "dx flows through weights that were dropped. Forward multiplied by the masked weights, so "
        "backward must too.",
        "dx",
        0.35,
    ),
    mistake(
        "dx-without-the-scale",
        dx(
            lambda dout, x, w, b, used, kept, p: (
                dout @ (used if kept is None else w * kept).T
            ).reshape(x.shape)
        ),
        "dx uses the masked weights without their 1/p.",
        "dx",
        0.3,
    ),
    mistake(
        "dw-of-dropped-weights",
        dw(lambda dense, kept, p: dense / p),
        "Dropped weights receive a gradient, though they took no part: the mask belongs in dw.",
        "dw where dropped",
        0.35,
    ),
    mistake(
        "dw-without-mask-and-scale",
        dw(lambda dense, kept, p: dense),
        "dw is that of a plain affine layer. w reaches the output through mask/p: chain it.",
        "dw where dropped",
        0.4,
    ),
    mistake(
        "dw-without-the-scale",
        dw(lambda dense, kept, p: dense * kept),
        "dw is masked but lacks its 1/p.",
        "dw where kept",
        0.3,
    ),
    mistake(
        "db-is-a-mean",
        db(lambda dout: dout.mean(axis=0)),
        "db is a mean over the batch where the sum belongs.",
        "db",
        0.2,
    ),
    mistake(
        "db-keeps-an-axis",
        db(lambda dout: dout.sum(axis=0, keepdims=True)),
        "b is (M,), and so is its gradient; an axis of length 1 is left over.",
        "db",
        0.15,
    ),
    mistake(
        "input-gradient-left-flat",
        lambda dout, cache: (rows(right(dout, cache)[0]), *right(dout, cache)[1:]),
        "dx must come back in the shape in which x came in.",
        "more than two dimensions",
    ),
    mistake(
        "upstream-gradient-changed",
        changes_dout,
        "dout belongs to the layer above. Operators such as += write into the caller's array.",
        "conduct",
    ),
    Misconception(
        "cache-in-a-global",
        functions(_forward_with_global, _backward_with_global),
        "What backward needs is kept outside the cache; the next layer overwrites it.",
        "conduct",
    ),
)

EXERCISES = (
    Exercise(
        name=FORWARD,
        kind=DropConnectForward(),
        reference=REFERENCE,
        cases=cases,
        misconceptions=FORWARD_MISTAKES,
        variants=(legacy_forward, einsum_forward, forward()),
    ),
    Exercise(
        name=BACKWARD,
        kind=DropConnectBackward(),
        reference=REFERENCE,
        cases=cases,
        misconceptions=BACKWARD_MISTAKES,
        variants=(
            functions(legacy_forward, legacy_backward),
            functions(einsum_forward, einsum_backward),
            functions(forward(), right),
        ),
    ),
)
