"""a2_backprop: modular backpropagation and the multi-layer perceptron."""

from autograder.course.a2_backprop import (
    affine,
    elu,
    leaky_relu,
    maxout,
    networks,
    prelu,
    relu,
    sigmoids,
    softmax,
)

EXERCISES = tuple(
    exercise
    for module in (
        affine,
        sigmoids,
        relu,
        leaky_relu,
        elu,
        prelu,
        maxout,
        softmax,
        networks,
    )
    for exercise in module.EXERCISES
)
