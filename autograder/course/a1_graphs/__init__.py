"""a1_graphs: chain rule, computation graphs, numerical gradients."""

from autograder.course.a1_graphs import flat, gates, jacobians, neurons, numerical, value, vectors

EXERCISES = tuple(
    exercise
    for module in (numerical, neurons, gates, flat, jacobians, vectors, value)
    for exercise in module.EXERCISES
)
