"""The small convolutional network written in one piece, right and wrong."""

import numpy as np

from cs_nn.layers.activations import relu_backward, relu_forward
from cs_nn.layers.affine import affine_backward, affine_forward
from cs_nn.layers.convolution import conv_backward_fast, conv_forward_fast
from cs_nn.layers.losses import softmax_loss
from cs_nn.layers.pooling import (
    avg_pool_backward,
    avg_pool_forward,
    max_pool_backward_fast,
    max_pool_forward_fast,
)
from cs_nn.training.networks import ConvNet


class Net:
    """A correct network in one piece; the misconceptions below override what is wrong."""

    weights = ("W1", "W2", "W3")
    penalised = weights

    def __init__(
        self,
        input_dim=(1, 8, 8),
        num_filters=32,
        filter_size=3,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        rng=None,
    ):
        rng = np.random.default_rng() if rng is None else rng
        c, h, w = input_dim
        self.reg = reg
        self.shapes = {
            "W1": (num_filters, c, filter_size, filter_size),
            "W2": (num_filters * self.pooled(h, w), hidden_dim),
            "W3": (hidden_dim, num_classes),
        }
        self.params = {}
        for key, size in zip(self.weights, (num_filters, hidden_dim, num_classes), strict=True):
            self.params[key] = self.first(rng, self.shapes[key], weight_scale)
            self.params["b" + key[1]] = self.first_bias(rng, size)

    def pooled(self, h, w):
        return (h // 2) * (w // 2)

    def first(self, rng, shape, scale):
        return scale * rng.normal(size=shape)

    def first_bias(self, rng, size):
        return np.zeros(size)

    def pad(self):
        return self.params["W1"].shape[2] // 2

    pool = (max_pool_forward_fast, max_pool_backward_fast)
    relu1 = relu2 = (relu_forward, relu_backward)
    flat = (lambda maps: maps.reshape(len(maps), -1), lambda d, shape: d.reshape(shape))

    def last(self, scores):
        """What is done to the scores; nothing."""
        return scores, 1.0

    def penalty(self):
        return 0.5 * self.reg * sum(np.sum(self.params[key] ** 2) for key in self.penalised)

    def penalty_gradient(self, key):
        return self.reg * self.params[key] if key in self.penalised else 0.0

    def loss(self, X, y=None):
        p, two = self.params, {"pool_height": 2, "pool_width": 2, "stride": 2}
        conv, conv_cache = conv_forward_fast(X, p["W1"], p["b1"], {"stride": 1, "pad": self.pad()})
        active, relu1 = self.relu1[0](conv)
        pooled, pool_cache = type(self).pool[0](active, two)
        rows = type(self).flat[0](pooled)
        hidden, affine1 = affine_forward(rows, p["W2"], p["b2"])
        hidden, relu2 = self.relu2[0](hidden)
        scores, affine2 = affine_forward(hidden, p["W3"], p["b3"])
        scores, slope = self.last(scores)
        if y is None:
            return self.answer(scores)
        loss, d = self.data_loss(scores, y)
        grads = {}
        d, grads["W3"], grads["b3"] = affine_backward(d * slope, affine2)
        d = self.relu2[1](d, relu2)
        d, grads["W2"], grads["b2"] = affine_backward(d, affine1)
        d = type(self).flat[1](d, pooled.shape)
        d = type(self).pool[1](d, pool_cache)
        d = self.relu1[1](d, relu1)
        _, grads["W1"], grads["b1"] = conv_backward_fast(d, conv_cache)
        grads = {key: value + self.penalty_gradient(key) for key, value in grads.items()}
        return self.finish(loss + self.penalty(), grads)

    def answer(self, scores):
        return scores

    def data_loss(self, scores, y):
        return softmax_loss(scores, y)

    def finish(self, loss, grads):
        return loss, grads


def passing(x, *_):
    return x, None


def passing_back(d, cache):
    return d


class HalfForgotten(Net):
    def penalty(self):
        return 2 * super().penalty()


class GradientDoubled(Net):
    def penalty_gradient(self, key):
        return 2 * super().penalty_gradient(key)


class PenaltyNotInGradient(Net):
    def penalty_gradient(self, key):
        return 0.0


class PenaltyNotInLoss(Net):
    def penalty(self):
        return 0.0


class FiltersNotPenalised(Net):
    penalised = ("W2", "W3")


class BiasesPenalised(Net):
    penalised = ("W1", "b1", "W2", "b2", "W3", "b3")


class PaddedByOne(Net):
    def pad(self):
        return 1


class SecondReluForgotten(Net):
    relu2 = (passing, passing_back)


class FirstReluForgotten(Net):
    relu1 = (passing, passing_back)


class FirstReluOnlyForward(Net):
    relu1 = (relu_forward, passing_back)


class SecondReluOnlyForward(Net):
    relu2 = (relu_forward, passing_back)


class ScoresThroughRelu(Net):
    def last(self, scores):
        return np.maximum(scores, 0), (scores > 0).astype(scores.dtype)


class ChannelsLast(Net):
    flat = (
        lambda maps: maps.transpose(0, 2, 3, 1).reshape(len(maps), -1),
        lambda d, shape: d.reshape(shape[0], *shape[2:], shape[1]).transpose(
            0, 3, 1, 2
        ),  # back to (N, F, H, W)
    )


class AreaOverFour(Net):
    def pooled(self, h, w):
        return h * w // 4


class AveragePool(Net):
    pool = (avg_pool_forward, avg_pool_backward)


def spread_over_the_window(d, cache):
    """Average pooling's way back, which gives all four pixels a quarter, four times over."""
    return 4 * avg_pool_backward(d, cache)


class PoolGradientToAll(Net):
    """Backward of the pooling without a winner; the cache of either pooling begins alike."""

    pool = (
        lambda x, p: (max_pool_forward_fast(x, p)[0], avg_pool_forward(x, p)[1]),
        spread_over_the_window,
    )


class MadeForEight(Net):
    """Counts the units of an 8×8 image whatever its size."""

    def __init__(self, input_dim=(1, 8, 8), *args, **options):
        super().__init__((input_dim[0], 8, 8), *args, **options)


class OwnArrays(Net):
    """Computes with the arrays that params held at first."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.first_params = dict(self.params)

    def loss(self, X, y=None):
        now, self.params = self.params, self.first_params
        try:
            return super().loss(X, y)
        finally:
            self.params = now


class SumOfLosses(Net):
    def data_loss(self, scores, y):
        loss, d = softmax_loss(scores, y)
        return loss * len(y), d * len(y)


class Probabilities(Net):
    def answer(self, scores):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)


class Classes(Net):
    def answer(self, scores):
        return scores.argmax(axis=1)


class LossOnly(Net):
    def finish(self, loss, grads):
        return loss


class ScaleIgnored(Net):
    def first(self, rng, shape, scale):
        return 1e-3 * rng.normal(size=shape)


class ScaleOfTheVariance(Net):
    def first(self, rng, shape, scale):
        return np.sqrt(scale) * rng.normal(size=shape)


class AllZero(Net):
    def first(self, rng, shape, scale):
        return np.zeros(shape)


class PenaltyByDefault(Net):
    def __init__(self, *args, reg=0.5, **options):
        super().__init__(*args, reg=reg, **options)


class OwnGenerator(Net):
    def first(self, rng, shape, scale):
        return scale * np.random.default_rng().normal(size=shape)


class Positive(Net):
    def first(self, rng, shape, scale):
        return scale * rng.uniform(0, 12**0.5, size=shape)


class RandomBiases(Net):
    def first_bias(self, rng, size):
        return 0.01 * rng.normal(size=size)


class PoolingForgotten(Net):
    """Counts the units of the image as if it were not pooled."""

    def __init__(self, input_dim=(1, 8, 8), *args, **options):
        super().__init__(input_dim, *args, **options)
        _, h, w = input_dim
        filters, _ = self.params["b1"].size, None
        self.params["W2"] = np.zeros((filters * h * w, self.params["b2"].size))


class StepTaken(Net):
    def finish(self, loss, grads):
        for key in self.params:
            self.params[key] = self.params[key] - 0.01 * grads[key]
        return loss, grads


class Inheriting(ConvNet):
    def loss(self, X, y=None):
        self.X = X.copy()
        if y is None:
            return super().loss(X)
        loss, grads = super().loss(X, y)
        return np.float64(loss), dict(grads)


class InLayers:
    """Layers in a list, each a pair of closures."""

    def __init__(self, input_dim=(1, 8, 8), num_filters=32, filter_size=3, hidden_dim=100,
                 num_classes=10, weight_scale=1e-3, reg=0.0, rng=None):  # fmt: skip
        rng = rng or np.random.default_rng()
        C, H, W = input_dim
        F, K = num_filters, filter_size
        self.params, self.reg = {}, reg
        for i, shape in enumerate(
            [(F, C, K, K), (F * (H // 2) * (W // 2), hidden_dim), (hidden_dim, num_classes)], 1
        ):
            self.params[f"W{i}"] = rng.normal(0, weight_scale, shape)
            self.params[f"b{i}"] = np.zeros(shape[0] if i == 1 else shape[1])

    def loss(self, X, y=None):
        P = self.params
        param = {"stride": 1, "pad": (P["W1"].shape[-1] - 1) // 2}
        steps = [
            (lambda x: conv_forward_fast(x, P["W1"], P["b1"], param), conv_backward_fast, 1),
            (relu_forward, relu_backward, 0),
            (
                lambda x: max_pool_forward_fast(
                    x, {"pool_height": 2, "pool_width": 2, "stride": 2}
                ),
                max_pool_backward_fast,
                0,
            ),
            (lambda x: affine_forward(x, P["W2"], P["b2"]), affine_backward, 2),
            (relu_forward, relu_backward, 0),
            (lambda x: affine_forward(x, P["W3"], P["b3"]), affine_backward, 3),
        ]
        caches, out = [], X
        for forward, _, _ in steps:
            out, cache = forward(out)
            caches.append(cache)
        if y is None:
            return out
        loss, d = softmax_loss(out, y)
        grads = {}
        for (_, backward, i), cache in zip(reversed(steps), reversed(caches), strict=True):
            result = backward(d, cache)
            if i:
                d, grads[f"W{i}"], grads[f"b{i}"] = result
                grads[f"W{i}"] = grads[f"W{i}"] + self.reg * P[f"W{i}"]
                loss = loss + 0.5 * self.reg * np.sum(np.square(P[f"W{i}"]))
            else:
                d = result
        return loss, grads
