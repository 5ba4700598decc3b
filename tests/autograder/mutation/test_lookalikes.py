"""Mistakes that no misconception foresees are named by what the answer looks like."""

import dataclasses

import numpy as np
import pytest

from autograder.course import exercises
from autograder.grading import brief, grade, namespace_with
from autograder.student import LocalStudent


def named(exercise_name, implementation, assignment):
    """(code, message) of what is said when no misconception is declared at all."""
    exercise = next(e for e in exercises(assignment) if e.name == exercise_name)
    bare = dataclasses.replace(exercise, misconceptions=())
    student = LocalStudent(namespace_with(bare, implementation))
    result = grade(brief(bare, np.random.default_rng(5)), student)
    assert result.score < result.max_score
    return [(d.code, d.message) for d in result.diagnoses]


def rate_written_out(w, dw, config=None):
    config = dict(config or {})
    v = config.get("momentum", 0.9) * config.get("velocity", np.zeros_like(w)) - 1e-2 * dw
    return w + v, {**config, "velocity": v}


def over_one_plus(rate, t, k):
    return rate / (k + t)


def sigmoid_of_the_output(dout, cache):
    s = 1 / (1 + np.exp(-np.asarray(cache)))
    return dout * s * (1 - s)


@pytest.mark.parametrize(
    ("assignment", "name", "implementation", "code", "words"),
    [
        ("a5_optimization", "sgd_momentum", rate_written_out, "learning_rate-hard-coded",
         "as if learning_rate had its default value"),
        ("a5_optimization", "inverse_time_decay", over_one_plus, "like:a-pair-of-parentheses",
         "as if a pair of parentheses were missing or stood elsewhere"),
    ],
)  # fmt: skip
def test_a_foreign_mistake_is_likened_to_another_question_or_a_slip(
    assignment, name, implementation, code, words
):
    said = named(name, implementation, assignment)
    assert any(c.startswith(code) and words in message for c, message in said), said


def test_a_backward_pass_from_a_wrong_cache_is_likened_to_that():
    def forward(x):
        out = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
        return out.astype(x.dtype if x.dtype.kind == "f" else float), out

    pair = {"sigmoid_forward": forward, "sigmoid_backward": sigmoid_of_the_output}
    said = named("sigmoid_backward", pair, "a2_backprop")
    assert [code for code, _ in said] == ["applied-twice"]
    assert "as if the function were applied twice" in said[0][1]


def test_an_answer_like_nothing_known_gets_no_likeness():
    rng = np.random.default_rng(0)

    def noise(rate, t, k):
        return rate * (1 + 0.1 * float(rng.random()))

    assert all("as if" not in message for _, message in named(
        "inverse_time_decay", noise, "a5_optimization"))  # fmt: skip
