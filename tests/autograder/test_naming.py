"""Mistakes in strange company keep their names: a student who reads another one mends the wrong
line."""

import numpy as np
import pytest

from autograder import course
from autograder.grading import brief, grade, namespace_with
from autograder.student import LocalStudent


def codes(assignment, name, implementation, seed=5):
    """What a student's code is told, and whether it keeps full marks."""
    exercise = next(e for e in course.exercises(assignment) if e.name == name)
    task = brief(exercise, np.random.default_rng(seed))
    result = grade(task, LocalStudent(namespace_with(exercise, implementation)))
    return [d.code for d in result.diagnoses], result.score == result.max_score


def test_right_answers_in_another_order_are_called_that():
    def product_graph(x, y, z):
        return (x + y) * z, x + y, z, z

    assert codes("a1_graphs", "product_graph", product_graph) == (["another-order"], False)


def test_whoever_refuses_integers_is_named_all_the_same():
    def tanh_forward(x):
        out = np.tanh(x, out=x)  # TypeError for integers, as is allowed
        return out, out

    assert codes("a2_backprop", "tanh_forward", tanh_forward)[0] in (
        ["input-changed"],
        ["changes-its-input"],
    )


def test_a_special_case_that_fails_for_itself_does_not_hide_the_mistake():
    def leaky_relu_forward(x, slope=0.01):
        out = np.array(x)
        if out.dtype.kind == "i":
            raise ValueError("no integers here")
        out[out <= 0] = slope
        return out, (x, slope)

    given, _ = codes("a2_backprop", "leaky_relu_forward", leaky_relu_forward)
    assert given[0] == "constant-on-the-left"
    assert given[1].startswith("raised:ValueError")


def test_a_mistake_that_raises_unless_the_matrix_is_square_is_named_by_the_square_ones():
    def squared_norm_graph(W, x):
        q = W @ x
        return q @ q, np.outer(2 * q, x), W @ (2 * q)

    given, _ = codes("a1_graphs", "squared_norm_graph", squared_norm_graph)
    assert given == ["transpose-forgotten-in-dx"]


def test_two_mistakes_in_one_answer_are_both_named():
    def mse_loss(x, y):
        return np.mean((x - y) ** 2), 2 * x / len(x)

    given, _ = codes("a2_backprop", "mse_loss", mse_loss)
    assert given == ["target-forgotten-in-the-gradient+ratio:D"]


def test_a_suspect_that_contradicts_the_student_elsewhere_is_cleared():
    class MultiplyGate:
        def forward(self, x, y):
            self.x, self.y = x, y
            return x * y

        def backward(self, dz):
            return dz * self.y, dz * self.x * self.y

    given, _ = codes("a1_graphs", "MultiplyGate", MultiplyGate)
    assert "product-written-into-x" not in given


class RemembersTheFirst:
    def forward(self, x, y):
        self.kept = getattr(self, "kept", (x, y))
        return x * y

    def backward(self, dz):
        return dz * self.kept[1], dz * self.kept[0]


def turned_round(jacobians):
    jacobians.reverse()
    product = jacobians[0]
    for link in jacobians[1:]:
        product = product @ link
    return product


@pytest.mark.parametrize(
    ("assignment", "name", "wrong"),
    [
        ("a1_graphs", "MultiplyGate", RemembersTheFirst),
        ("a1_graphs", "chain_rule", turned_round),
        ("a2_backprop", "prelu_forward", lambda x, slope: (
            np.maximum(x, slope.reshape((-1,) + (1,) * (x.ndim - 2)) * x if slope.ndim
                       else slope * x), None)),
    ],
)  # fmt: skip
def test_what_shows_only_at_a_second_look_costs_points(assignment, name, wrong):
    given, full = codes(assignment, name, wrong)
    assert given
    assert not full
