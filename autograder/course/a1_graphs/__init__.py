"""a1_graphs: chain rule, computation graphs, numerical gradients."""

from autograder.course.a1_graphs import (
    copy_gate,
    flat,
    gates,
    jacobians,
    neurons,
    numerical_gradient,
    relative_error,
    value,
    vectors,
)

EXERCISES = tuple(
    exercise
    for module in (
        numerical_gradient,
        relative_error,
        neurons,
        gates,
        copy_gate,
        flat,
        jacobians,
        vectors,
        value,
    )
    for exercise in module.EXERCISES
)
