"""Transfer: frozen weights, features, fine-tuning."""

import numpy as np

from autograder.battery.classes import Scripted
from autograder.course.a6_training.babysitting import tell
from autograder.course.a6_training.by_heart import BY_POSITION, bowl_cases
from autograder.course.drawing import as_dtype, numbers
from autograder.exercise import Case, Exercise
from cs_nn.layers.activations import relu_forward
from cs_nn.layers.convolution import conv_forward
from cs_nn.layers.pooling import avg_pool_forward, max_pool_forward
from cs_nn.training.networks import ConvNet
from cs_nn.training.transfer import feature_extractor, fine_tune, freeze


def freeze_cases(rng):
    def case(names, check="", dtype=np.float64, more=None):
        shapes = {"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,), **(more or {})}
        grads = as_dtype({key: numbers(rng, *shape) for key, shape in shapes.items()}, dtype)
        return Case(f"names = {names}", {"grads": grads, "names": names}, check)

    return [
        case(["W1", "b1"]),
        case(["b2"]),
        case(["W2", "W1", "b2"]),
        case([], "nothing to freeze"),
        case(["W1", "b1", "W2", "b2"], "everything frozen"),
        case(["W1"], "float32", np.float32),
        case(["W1", "b2"], "names that begin alike", more={"W10": (2, 3), "b21": (3,)}),
        case(["W12"], "names that begin alike", more={"W12": (2, 3), "2": (3,)}),
    ]


def frozen(change):
    """A freeze as ``{key: change(key, gradient, names)}``; None leaves the key out."""

    def freeze(grads, names):
        new = {key: change(key, value, names) for key, value in grads.items()}
        return {key: value for key, value in new.items() if value is not None}

    return freeze


def dict_changed(grads, names):
    for key in names:
        grads[key] = np.zeros_like(grads[key])
    return grads


def arrays_changed(grads, names):
    for key in names:
        grads[key][...] = 0
    return dict(grads)


def freeze_by_copy(grads, names):
    new = {key: value.copy() for key, value in grads.items()}
    for key in names:
        new[key][:] = 0
    return new


FREEZE = Exercise(
    name="freeze",
    kind=Scripted("frozen"),
    reference={"freeze": freeze},
    cases=freeze_cases,
    misconceptions=(
        tell(
            "the-others-frozen",
            frozen(lambda key, g, names: g if key in names else np.zeros_like(g)),
            "The named parameters keep their gradients and all others lose theirs. It is the other "
            "way round.",
            "gradient of W1",
            0.5,
        ),
        tell(
            "gradients-left-out",
            frozen(lambda key, g, names: None if key in names else g),
            "The frozen names are missing in the new dictionary. They should be there, with zeros, "
            "so that an optimiser finds every parameter.",
            "gradient of W1",
            0.4,
        ),
        tell(
            "zero-instead-of-an-array",
            frozen(lambda key, g, names: 0.0 if key in names else g),
            "A frozen gradient is the number 0. It should be an array of zeros in the same shape.",
            "gradient of W1",
        ),
        tell(
            "only-the-first-name",
            frozen(lambda key, g, names: np.zeros_like(g) if key in names[:1] else g),
            "Only the first name is frozen.",
            "gradient of b1",
        ),
        tell(
            "names-that-begin-alike",
            frozen(lambda key, g, names: np.zeros_like(g) if key.startswith(tuple(names)) else g),
            "A parameter is frozen if its name begins with one of the names: W10 goes with W1. "
            "Only the names themselves count.",
            "gradient of W10",
            0.2,
        ),
        tell(
            "names-inside-names",
            frozen(lambda key, g, names: g * (not any(name in key for name in names))),
            "A parameter is frozen if one of the names occurs anywhere in its own: W10 goes with "
            "W1. Only whole names count.",
            "gradient of W10",
            0.2,
            ("names-that-begin-alike",),
        ),
        tell(
            "nothing-frozen",
            frozen(lambda key, g, names: g),
            "The gradients come back as they were.",
            "gradient of W1",
            0.5,
        ),
        tell(
            "dictionary-changed",
            dict_changed,
            "The dictionary that was passed in is changed; the caller may need its gradients, to "
            "measure them say. Make a new one.",
            "conduct",
            0.2,
        ),
        tell(
            "arrays-changed",
            arrays_changed,
            "The dictionary is new, but the zeros are written into the caller's arrays.",
            "conduct",
            0.2,
            ("dictionary-changed",),
        ),
        tell(
            "float32-lost",
            frozen(lambda key, g, names: np.zeros(g.shape) if key in names else g),
            "The zeros are float64 where the gradient is float32.",
            "float32",
            0.1,
        ),
    ),
    variants=(
        freeze_by_copy,
        frozen(lambda key, g, names: g * (key not in names)),
        lambda grads, names: {**grads, **{key: np.zeros_like(grads[key]) for key in names}},
    ),
)


def feature_cases(rng):
    def two(n, dims, hidden, check="", dtype=np.float64):
        d = int(np.prod(dims))
        params = {
            "W1": numbers(rng, d, hidden),
            "b1": numbers(rng, hidden),
            "W2": numbers(rng, hidden, 3),
            "b2": numbers(rng, 3),
        }
        args = as_dtype({"X": numbers(rng, n, *dims), "params": params}, dtype)
        return Case(f"a TwoLayerNet and X of shape {args['X'].shape}", args, check)

    def convolutional(n, channels, side, filters, size, hidden):
        params = {
            "W1": numbers(rng, filters, channels, size, size),
            # So low that in some windows all maps are negative, where the ReLU shows.
            "b1": -4 - np.abs(numbers(rng, filters)),
            "W2": numbers(rng, filters * (side // 2) ** 2, hidden),
            "b2": numbers(rng, hidden),
            "W3": numbers(rng, hidden, 4),
            "b3": numbers(rng, 4),
        }
        X = rng.normal(size=(n, channels, side, side))
        label = f"a ConvNet with {size}×{size} filters and X of shape {X.shape}"
        return Case(label, {"X": X, "params": params}, "ConvNet")

    return [
        two(5, (4,), 7),
        two(3, (6,), 4),
        two(6, (3,), 5),
        two(1, (4,), 6, "N = 1"),
        two(3, (2, 2, 2), 5, "more than two dimensions"),
        two(4, (5,), 6, "float32", np.float32),
        convolutional(3, 2, 4, 3, 3, 6),
        convolutional(2, 1, 6, 2, 5, 5),
    ]


def _rows(X):
    return X.reshape(len(X), -1)


def _pooled(net, X, relu=True, pad=None):
    p = net.params
    pad = p["W1"].shape[2] // 2 if pad is None else pad
    maps, _ = conv_forward(X, p["W1"], p["b1"], {"stride": 1, "pad": pad})
    maps = np.maximum(maps, 0) if relu else maps
    return max_pool_forward(maps, {"pool_height": 2, "pool_width": 2, "stride": 2})[0]


def _averaged(net, X):
    """The maps after the ReLU, each 2×2 window of them averaged."""
    p = net.params
    maps, _ = conv_forward(X, p["W1"], p["b1"], {"stride": 1, "pad": p["W1"].shape[2] // 2})
    two = {"pool_height": 2, "pool_width": 2, "stride": 2}
    return avg_pool_forward(np.maximum(maps, 0), two)[0]


def _hidden(maps, net):
    return np.maximum(_rows(maps) @ net.params["W2"] + net.params["b2"], 0)


def features(two=None, conv=None):
    """An extractor by the kind of network; the parts that are not given are right."""

    def good_two(p, X):
        return np.maximum(_rows(X) @ p["W1"] + p["b1"], 0)

    def good_conv(net, X):
        p = net.params
        return np.maximum(_rows(_pooled(net, X)) @ p["W2"] + p["b2"], 0)

    def feature_extractor(net, X):
        if "W3" in net.params:
            return (conv or good_conv)(net, X)
        return (two or good_two)(net.params, X)

    return feature_extractor


def last_layer_spoilt(net, X):
    last, out = ("3" if "W3" in net.params else "2"), features()(net, X)
    net.params["W" + last] = np.eye(out.shape[1])
    net.params["b" + last] = np.zeros(out.shape[1])
    return out


def by_class(net, X):
    p = net.params
    if isinstance(net, ConvNet):
        X, w, b = _pooled(net, X), p["W2"], p["b2"]
    elif p.get("W3") is not None:
        X, w, b = _pooled(net, X), p["W2"], p["b2"]
    else:
        w, b = p["W1"], p["b1"]
    out = np.zeros((len(X), len(b)), dtype=w.dtype)
    for i, row in enumerate(_rows(X)):
        out[i] = relu_forward(row @ w + b)[0]
    return out


FEATURES = Exercise(
    name="feature_extractor",
    kind=Scripted("features"),
    reference={"feature_extractor": feature_extractor, "ConvNet": ConvNet},
    cases=feature_cases,
    misconceptions=(
        tell(
            "before-the-relu",
            features(
                two=lambda p, X: _rows(X) @ p["W1"] + p["b1"],
                conv=lambda net, X: _rows(_pooled(net, X)) @ net.params["W2"] + net.params["b2"],
            ),
            "The features are taken before the ReLU. What the last layer sees comes after it.",
            "features",
            0.4,
        ),
        tell(
            "scores-returned",
            features(
                two=lambda p, X: np.maximum(_rows(X) @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"],
                conv=lambda net, X: net.loss(X),
            ),  # fmt: skip
            "The last layer is applied too: these are the scores. Stop before it.",
            "features",
            0.5,
        ),
        tell(
            "bias-forgotten",
            features(
                two=lambda p, X: np.maximum(_rows(X) @ p["W1"], 0),
                conv=lambda net, X: np.maximum(_rows(_pooled(net, X)) @ net.params["W2"], 0),
            ),
            "The bias of the hidden layer is missing.",
            "features",
            0.3,
        ),
        tell(
            "input-not-flattened",
            features(two=lambda p, X: np.maximum(X @ p["W1"] + p["b1"], 0)),
            "An example may have several axes; the network flattens it first.",
            "more than two dimensions",
            0.2,
        ),
        tell(
            "maps-returned",
            features(conv=lambda net, X: _pooled(net, X)),
            "For a ConvNet you stop behind the pooling. There is one more hidden layer before the "
            "last affine one.",
            "ConvNet",
            0.3,
        ),
        tell(
            "flattened-maps-returned",
            features(conv=lambda net, X: _rows(_pooled(net, X))),
            "For a ConvNet you stop behind the pooling. There is one more hidden layer before the "
            "last affine one.",
            "ConvNet",
            0.3,
        ),
        tell(
            "average-pooling",
            features(conv=lambda net, X: _hidden(_averaged(net, X), net)),
            "For a ConvNet the maps are averaged. The network was trained with max pooling, so its "
            "hidden layer expects maxima.",
            "ConvNet",
        ),
        tell(
            "maps-flattened-with-channels-last",
            features(conv=lambda net, X: _hidden(_pooled(net, X).transpose(0, 2, 3, 1), net)),
            "For a ConvNet the pooled maps are flattened in the order height, width, filters. The "
            "rows of W2 belong to (filters, height, width), the order in which it was trained.",
            "ConvNet",
            0.2,
        ),
        tell(
            "padding-hard-coded",
            features(
                conv=lambda net, X: np.maximum(
                    _rows(_pooled(net, X, pad=1)) @ net.params["W2"] + net.params["b2"], 0
                )
            ),
            "The padding is 1 whatever the filter size: only 3×3 filters keep the size of the "
            "image then. How many zeros does a filter of size k need on each side?",
            "ConvNet",
            0.2,
        ),
        tell(
            "last-layer-spoilt",
            last_layer_spoilt,
            "The features are read through the last layer, whose weights are overwritten for it "
            "and stay so. The network must be the same afterwards: copy it, or leave that layer "
            "out.",
            "conduct",
            0.2,
        ),
        tell(
            "first-relu-forgotten",
            features(
                conv=lambda net, X: (
                    np.maximum(
                        _rows(_pooled(net, X, relu=False)) @ net.params["W2"] + net.params["b2"], 0
                    )
                    if (net.params["b1"] is not None)
                    else None
                )
            ),
            "For a ConvNet the ReLU behind the convolution is missing.",
            "ConvNet",
            0.3,
        ),
        tell(
            "only-for-two-layers",
            features(
                conv=lambda net, X: np.maximum(
                    _rows(X) @ net.params["W1"].reshape(_rows(X).shape[1], -1), 0
                )
            ),
            "A ConvNet is treated like a TwoLayerNet; its first layers are a convolution and a "
            "pooling.",
            "ConvNet",
            0.3,
        ),
    ),
    variants=(features(), by_class, lambda net, X: np.clip(_before(net, X), 0, None)),
)


def _before(net, X):
    p = net.params
    last = "2" if "W3" in p else "1"
    X = _pooled(net, X) if "W3" in p else X
    return np.dot(_rows(X), p["W" + last]) + p["b" + last][None, :]


def some_rates(rng, names):
    """Rates for most of the parameters; the others stay."""
    left_out = names[int(rng.integers(len(names)))]
    return {key: float(np.round(rng.uniform(0.05, 0.4), 3)) for key in names if key != left_out}


def tune(step, *, before=True, count=0):
    """Fine-tuning with switches; ``step(net, grads, rates)`` makes one step."""

    def fine_tune(net, X, y, learning_rates, steps):
        losses = []
        for _ in range(steps + count):
            loss, grads = net.loss(X, y)
            step(net, grads, learning_rates)
            losses.append(loss if before else net.loss(X, y)[0])
        return losses

    return fine_tune


def plain_step(net, grads, rates):
    for key, rate in rates.items():
        net.params[key] = net.params[key] - rate * grads[key]


def all_with_one_rate(net, grads, rates):
    for key in grads:
        net.params[key] = net.params[key] - next(iter(rates.values())) * grads[key]


def paired_by_position(net, grads, rates):
    for key, gradient in zip(list(net.params), grads.values(), strict=True):
        net.params[key] = net.params[key] - rates.get(key, 0.0) * gradient


def absent_at_a_default(net, grads, rates):
    for key in grads:
        net.params[key] = net.params[key] - rates.get(key, 1e-2) * grads[key]


def largest_rate(net, grads, rates):
    for key in rates:
        net.params[key] = net.params[key] - max(rates.values()) * grads[key]


def uphill(net, grads, rates):
    for key, rate in rates.items():
        net.params[key] = net.params[key] + rate * grads[key]


def only_weights(net, grads, rates):
    plain_step(net, grads, {key: rate for key, rate in rates.items() if key.startswith("W")})


def nothing_stored(net, grads, rates):
    new = {key: net.params[key] - rate * grads[key] for key, rate in rates.items()}
    assert new is not None


def gradients_renewed(net, X, y, learning_rates, steps):
    losses = []
    for _ in range(steps):
        losses.append(net.loss(X, y)[0])
        for key, rate in learning_rates.items():
            net.params[key] = net.params[key] - rate * net.loss(X, y)[1][key]
    return losses


def rates_filled_in(net, X, y, learning_rates, steps):
    for key in net.params:
        learning_rates.setdefault(key, 0.0)
    return tune(plain_step)(net, X, y, learning_rates, steps)


def absent_at_zero(net, grads, rates):
    for key in net.params:
        net.params[key] = net.params[key] - rates.get(key, 0.0) * grads[key]


def frozen_first(net, grads, rates):
    grads = freeze(grads, [key for key in grads if key not in rates])
    for key, gradient in grads.items():
        net.params[key] -= rates.get(key, 1) * gradient


TUNE = Exercise(
    name="fine_tune",
    kind=Scripted("descent"),
    reference={"fine_tune": fine_tune},
    cases=lambda rng: bowl_cases(rng, some_rates),
    misconceptions=(
        tell(
            "one-rate-for-all",
            tune(all_with_one_rate),
            "One rate serves all parameters, those without a rate included. Each has its own, and "
            "where none is given it stays put.",
            "W1 at the end",
            0.4,
        ),
        tell("paired-by-position", tune(paired_by_position), BY_POSITION, "W1 at the end", 0.3),
        tell(
            "default-rate-where-absent",
            tune(absent_at_a_default),
            "Parameters without a rate move all the same. Absent means 0: that is how layers are "
            "frozen.",
            "W1 at the end",
            0.3,
        ),
        tell(
            "gradients-renewed-for-each-parameter",
            gradients_renewed,
            "The gradients are computed anew for each parameter, when others have moved already. "
            "All parameters of a step use the gradients of one point.",
            "W1 at the end",
            0.3,
        ),
        tell(
            "rates-filled-in",
            rates_filled_in,
            "learning_rates gets new entries. The dictionary is the caller's: read it with a "
            "default instead.",
            "conduct",
            0.1,
        ),
        tell(
            "largest-rate-for-all",
            tune(largest_rate),
            "The largest rate is used for every parameter that has one.",
            "W1 at the end",
            0.4,
        ),
        tell(
            "step-uphill",
            tune(uphill),
            "The steps go along the gradient, where the loss grows.",
            "W1 at the end",
            0.5,
        ),  # fmt: skip
        tell(
            "biases-not-trained",
            tune(only_weights),
            "The biases stay as they are although they have rates.",
            "b1 at the end",
            0.3,
        ),
        tell(
            "parameters-not-stored",
            tune(nothing_stored),
            "net.params stays as it was: the new arrays never go back.",
            "W1 at the end",
            0.5,
        ),
        tell(
            "losses-after-the-steps",
            tune(plain_step, before=False),
            "Each loss is measured after its step; each should come before.",
            "losses",
            0.2,
        ),
        tell(
            "one-step-too-many",
            tune(plain_step, count=1),
            "One step too many is made.",
            "losses",
            0.3,
        ),
    ),
    variants=(tune(absent_at_zero), tune(frozen_first), tune(plain_step)),
)

EXERCISES = (FREEZE, FEATURES, TUNE)
