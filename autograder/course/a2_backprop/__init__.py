"""a2_backprop: modular backpropagation and the multi-layer perceptron."""

from autograder.course.a2_backprop import (
    affine,
    binary,
    divergence,
    elu,
    leaky_relu,
    maxout,
    networks,
    prelu,
    regression,
    relu,
    sigmoids,
    soft_labels,
    softmax,
    svm,
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
        svm,
        regression,
        binary,
        divergence,
        soft_labels,
        networks,
    )
    for exercise in module.EXERCISES
)
