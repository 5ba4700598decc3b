"""Two-layer networks: right ones, and wrong ones that differ in one part."""

import numpy as np


def softmax(scores, y):
    z = scores - scores.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    dscores = np.exp(log_p)
    dscores[rows, y] -= 1
    return -log_p[rows, y].mean(), dscores / len(y)


class Net:
    """A correct network in small parts; the misconceptions below override one each."""

    penalised = ("W1", "W2")

    def __init__(self, input_dim, hidden_dim, num_classes, weight_scale=1e-3, reg=0.0, rng=None):
        rng = np.random.default_rng() if rng is None else rng
        self.reg = reg
        self.params = self.start(rng, weight_scale, input_dim, hidden_dim, num_classes)

    def start(self, rng, scale, d, h, c):
        return {
            "W1": scale * rng.normal(size=(d, h)),
            "b1": np.zeros(h),
            "W2": scale * rng.normal(size=(h, c)),
            "b2": np.zeros(c),
        }

    def hidden(self, z):
        return np.maximum(z, 0)

    def back(self, dhidden, z):
        return dhidden * (z > 0)

    def penalty(self):
        return 0.5 * self.reg * sum(np.sum(self.params[k] ** 2) for k in self.penalised)

    def pull(self, key):
        return self.reg * self.params[key] if key in self.penalised else 0 * self.params[key]

    def scores(self, X):
        p = self.params
        rows = X.reshape(len(X), -1)
        z = rows @ p["W1"] + p["b1"]
        hidden = self.hidden(z)
        return rows, z, hidden, hidden @ p["W2"] + p["b2"]

    def loss(self, X, y=None):
        rows, z, hidden, scores = self.scores(X)
        if y is None:
            return scores
        loss, dscores = softmax(scores, y)
        dz = self.back(dscores @ self.params["W2"].T, z)
        grads = {
            "W1": rows.T @ dz,
            "b1": dz.sum(axis=0),
            "W2": hidden.T @ dscores,
            "b2": dscores.sum(axis=0),
        }
        return loss + self.penalty(), {k: g + self.pull(k) for k, g in grads.items()}


class HalfForgottenInTheLoss(Net):
    def penalty(self):
        return 2 * super().penalty()


class HalfInTheGradientToo(Net):
    def pull(self, key):
        return 0.5 * super().pull(key)


class TwoInTheGradient(Net):
    def penalty(self):
        return 2 * super().penalty()

    def pull(self, key):
        return 2 * super().pull(key)


class NoPenaltyInTheGradient(Net):
    def pull(self, key):
        return 0


class NoPenaltyInTheLoss(Net):
    def penalty(self):
        return 0


class NoPenaltyAtAll(Net):
    penalised = ()


class BiasesPenalised(Net):
    penalised = ("W1", "b1", "W2", "b2")


class OnlyTheFirstPenalised(Net):
    penalised = ("W1",)


class OnlyTheLastPenalised(Net):
    penalised = ("W2",)


class NormNotSquared(Net):
    def penalty(self):
        return 0.5 * self.reg * sum(np.sqrt(np.sum(self.params[k] ** 2)) for k in self.penalised)


class NoNonlinearity(Net):
    def hidden(self, z):
        return z

    def back(self, dhidden, z):
        return dhidden


class MaskForgotten(Net):
    def back(self, dhidden, z):
        return dhidden


class MaskFromTheGradient(Net):
    def back(self, dhidden, z):
        return np.maximum(dhidden, 0)


class ScoresRectified(Net):
    def scores(self, X):
        rows, z, hidden, scores = super().scores(X)
        return rows, z, hidden, np.maximum(scores, 0)


class ProbabilitiesForScores(Net):
    def loss(self, X, y=None):
        if y is None:
            scores = self.scores(X)[-1]
            z = np.exp(scores - scores.max(axis=1, keepdims=True))
            return z / z.sum(axis=1, keepdims=True)
        return super().loss(X, y)


class LabelsForScores(Net):
    def loss(self, X, y=None):
        return self.scores(X)[-1].argmax(axis=1) if y is None else super().loss(X, y)


class NotFlattened(Net):
    def scores(self, X):
        p = self.params
        z = X @ p["W1"] + p["b1"]
        hidden = self.hidden(z)
        return X, z, hidden, hidden @ p["W2"] + p["b2"]


class GradientsSummed(Net):
    def loss(self, X, y=None):
        if y is None:
            return self.scores(X)[-1]
        loss, grads = super().loss(X, y)
        n = len(X)
        return loss, {k: n * (g - self.pull(k)) + self.pull(k) for k, g in grads.items()}


class GradientsAveragedTwice(Net):
    def loss(self, X, y=None):
        if y is None:
            return self.scores(X)[-1]
        loss, grads = super().loss(X, y)
        n = len(X)
        return loss, {k: (g - self.pull(k)) / n + self.pull(k) for k, g in grads.items()}


class SecondBiasMissing(Net):
    def scores(self, X):
        rows, z, hidden, scores = super().scores(X)
        return rows, z, hidden, scores - self.params["b2"]


class ZeroWeights(Net):
    def start(self, rng, scale, d, h, c):
        return super().start(rng, 0.0, d, h, c)


class ScaleIgnored(Net):
    def start(self, rng, scale, d, h, c):
        return super().start(rng, 1e-3, d, h, c)


class ScaleOfTheVariance(Net):
    def start(self, rng, scale, d, h, c):
        return super().start(rng, np.sqrt(scale), d, h, c)


class UniformWeights(Net):
    def start(self, rng, scale, d, h, c):
        params = super().start(rng, scale, d, h, c)
        return params | {k: scale * rng.random(params[k].shape) for k in ("W1", "W2")}


class RandomBiases(Net):
    def start(self, rng, scale, d, h, c):
        params = super().start(rng, scale, d, h, c)
        return params | {"b1": scale * rng.normal(size=h), "b2": scale * rng.normal(size=c)}


class GeneratorIgnored(Net):
    def start(self, rng, scale, d, h, c):
        return super().start(np.random.default_rng(0), scale, d, h, c)


class SecondShapeTransposed(Net):
    def start(self, rng, scale, d, h, c):
        params = super().start(rng, scale, d, h, c)
        return params | {"W2": params["W2"].T}


class SecondPenalisedTwice(Net):
    def penalty(self):
        return self.reg * np.sum(self.params["W2"] ** 2)


class FirstPenalisedTwice(Net):
    def penalty(self):
        return self.reg * np.sum(self.params["W1"] ** 2)


class GradientsAddUp(Net):
    """Sums of gradients that are kept from call to call."""

    def loss(self, X, y=None):
        if y is None:
            return super().loss(X)
        loss, grads = super().loss(X, y)
        before = getattr(self, "grads", {})
        self.grads = {k: g + before.get(k, 0 * g) for k, g in grads.items()}
        return loss, dict(self.grads)


class OneColumnForAll(Net):
    def start(self, rng, scale, d, h, c):
        params = super().start(rng, scale, d, h, c)
        wide = {k: np.repeat(params[k][:, :1], params[k].shape[1], axis=1) for k in ("W1", "W2")}
        return params | wide


class OneByOne:
    """Written from scratch, as a student of CS231n would."""

    def __init__(
        self,
        input_dim=3 * 32 * 32,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        rng=None,
    ):
        self.params = {}
        self.reg = reg
        rng = rng or np.random.default_rng()
        self.params["W1"] = rng.normal(0, weight_scale, (input_dim, hidden_dim))
        self.params["W2"] = rng.normal(0, weight_scale, (hidden_dim, num_classes))
        self.params["b1"] = np.zeros((hidden_dim,))
        self.params["b2"] = np.zeros((num_classes,))

    def loss(self, X, y=None):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N = X.shape[0]
        flat = X.reshape(N, -1)
        h1 = np.maximum(0, flat.dot(W1) + b1)
        scores = h1.dot(W2) + b2
        if y is None:
            return scores
        loss, grads = 0, {}
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
        loss = -np.sum(np.log(probs[np.arange(N), y])) / N
        loss += 0.5 * self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        dscores = probs
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads["W2"] = h1.T.dot(dscores) + self.reg * W2
        grads["b2"] = np.sum(dscores, axis=0)
        dh1 = dscores.dot(W2.T)
        dh1[h1 <= 0] = 0
        grads["W1"] = flat.T.dot(dh1) + self.reg * W1
        grads["b1"] = np.sum(dh1, axis=0)
        return loss, grads


class ParametersOfTheClass(Net):
    params = {}  # noqa: RUF012 - the mistake

    def __init__(self, input_dim, hidden_dim, num_classes, weight_scale=1e-3, reg=0.0, rng=None):
        rng = np.random.default_rng() if rng is None else rng
        self.reg = reg
        self.params.update(self.start(rng, weight_scale, input_dim, hidden_dim, num_classes))


class OwnCopies(Net):
    """Computes with what it started with."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.own = dict(self.params)

    def loss(self, X, y=None):
        given, self.params = self.params, self.own
        answer = super().loss(X, y)
        self.params = given
        return answer


class ZerosForNoLabels(Net):
    def loss(self, X, y=None):
        return Net.loss(self, X, y if np.any(y) else None)


class WithScale(Net):
    """Other draws, extra keys, a list of two."""

    def start(self, rng, scale, d, h, c):
        second = rng.standard_normal((h, c)) * scale
        first = rng.standard_normal((d, h)) * scale
        return {"b2": np.zeros(c), "W2": second, "b1": 0.0 * first[0], "W1": first}

    def loss(self, X, y=None):
        if y is None:
            return Net.loss(self, X)
        loss, grads = Net.loss(self, X, y)
        return [float(loss), grads | {"norm": np.zeros(1)}]


class ByLoops(Net):
    def loss(self, X, y=None):
        total, sums = 0.0, {k: np.zeros_like(v) for k, v in self.params.items()}
        scores = []
        for i in range(len(X)):
            rows, z, hidden, one = self.scores(X[i : i + 1])
            scores.append(one[0])
            if y is None:
                continue
            loss, dscores = softmax(one, y[i : i + 1])
            total += loss
            dz = self.back(dscores @ self.params["W2"].T, z)
            sums["W1"] += np.outer(rows, dz)
            sums["b1"] += dz[0]
            sums["W2"] += np.outer(hidden, dscores)
            sums["b2"] += dscores[0]
        if y is None:
            return np.array(scores)
        grads = {k: total / len(X) + self.pull(k) for k, total in sums.items()}
        return total / len(X) + self.penalty(), grads
