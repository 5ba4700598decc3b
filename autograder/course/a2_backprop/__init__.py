"""a2_backprop: modular backpropagation and the multi-layer perceptron."""

from autograder.course.a2_backprop import (
    affine,
    binary,
    divergence,
    elu,
    leaky_relu,
    linear,
    maxout,
    prelu,
    regression,
    relu,
    relu_layer,
    sequential,
    sigmoids,
    soft_labels,
    softmax,
    svm,
    train_step,
    two_layer_net,
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
        linear,
        relu_layer,
        sequential,
        two_layer_net,
        train_step,
    )
    for exercise in module.EXERCISES
)
