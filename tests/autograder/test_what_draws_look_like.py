"""Mistakes with random numbers, and behind a normalisation, that nobody has foreseen: what a
student reads of them; and honest draws, of which nothing must be said."""

import dataclasses

import numpy as np
import pytest

from autograder import course, validate
from autograder.battery.augmentation import hang_together
from autograder.battery.draws import FOR_ITSELF, shape_of, togetherness
from autograder.battery.masks import fixed_number
from autograder.grading import brief


def codes(name, implementation):
    """What a mistake is called by an exercise that knows no misconceptions."""
    exercise = next(e for a in course.assignments() for e in course.exercises(a) if e.name == name)
    unnamed = dataclasses.replace(exercise, misconceptions=())
    result = validate.attempt(unnamed, brief(unnamed, np.random.default_rng(3)), implementation)
    return [d.code for d in result.diagnoses]


@pytest.mark.parametrize("shape", [(300, 40), (40, 320), (120, 90)])
def test_nothing_is_said_of_honest_draws(shape):
    rng = np.random.default_rng(4)
    for _ in range(60):
        normal, uniform = 0.1 * rng.normal(size=shape), rng.uniform(-1, 1, shape)
        assert (togetherness(normal), shape_of(normal, 0.01)) == (FOR_ITSELF, "normal")
        assert (togetherness(uniform), shape_of(uniform, 1 / 3)) == (FOR_ITSELF, "uniform")


@pytest.mark.parametrize(
    ("draw", "code"),
    [
        (
            lambda w: w / np.linalg.norm(w, axis=0) * w.std() * len(w) ** 0.5,
            "units:all-units-have-weights-of-the-same-length",
        ),
        (
            lambda w: np.concatenate([w[:, ::2], -w[:, ::2]], axis=1),
            "units:some-units-are-mirror-images-of-others",
        ),
        (lambda w: np.repeat(w[:, ::2], 2, axis=1), "units:some-units-are-copies-of-others"),
        (lambda w: w - w.mean(), "distribution:normal-with-a-mean-of-exactly-0"),
        (
            lambda w: np.clip(w, -2 * w.std(), 2 * w.std()),
            "distribution:heaped-at-both-ends",
        ),
        (
            lambda w: w / np.arange(1, len(w) + 1)[:, None] ** 0.5,
            "distribution:of-another-spread-in-each-row",
        ),
        (lambda w: 0 * w, "units:every-weight-is-the-same-number"),
        (lambda w: w / w.shape[0] ** 0.5, "variance:2/fan_in²"),
        (lambda w: 6**0.5 * w, "variance:12/fan_in"),
    ],
)
def test_an_initialiser_is_told_what_its_draws_look_like(draw, code):
    def kaiming_normal(fan_in, fan_out, rng):
        return draw((2 / fan_in) ** 0.5 * rng.standard_normal((fan_in, fan_out)))

    assert code in codes("kaiming_normal", kaiming_normal)


def test_a_fixed_number_and_a_shared_draw_are_seen_and_honest_ones_are_not():
    rng = np.random.default_rng(5)
    coins = [rng.random((5, 8)) < 0.7 for _ in range(24)]
    fixed = [rng.permutation(np.arange(40) < 28).reshape(5, 8) for _ in range(24)]
    assert fixed_number([mask.astype(float) for mask in fixed])
    assert not fixed_number([mask.astype(float) for mask in coins])
    assert not fixed_number([fixed[0].astype(float)] * 24)  # always one mask: another fault
    a, b = rng.uniform(-1, 1, (2, 100))
    assert hang_together(a, 3 * a + 1)
    assert not hang_together(a, b)


@pytest.mark.parametrize(
    ("mean", "var", "code"),
    [
        (0, 1, "path:mean-left-out"),
        (1, 0.5, "path:variance-half"),
        (1, -1, "path:variance-wrong-sign"),
        (2, 1, "path:mean-twice"),
        (1, 7, "path:variance-times"),
    ],
)
def test_a_path_through_a_normalisation_is_weighed(mean, var, code):
    def layernorm_forward(x, gamma, beta, ln_param):
        std = np.sqrt(x.var(axis=1, keepdims=True) + ln_param.get("eps", 1e-5))
        h = (x - x.mean(axis=1, keepdims=True)) / std
        return gamma * h + beta, (h, std, gamma)

    def layernorm_backward(dout, cache):
        h, std, gamma = cache
        d = dout * gamma
        means = d.mean(axis=1, keepdims=True), (d * h).mean(axis=1, keepdims=True)
        dx = (d - mean * means[0] - var * h * means[1]) / std
        return dx.astype(dout.dtype), (dout * h).sum(axis=0), dout.sum(axis=0)

    pair = {"layernorm_forward": layernorm_forward, "layernorm_backward": layernorm_backward}
    assert code in codes("layernorm_backward", pair)
