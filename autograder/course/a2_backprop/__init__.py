"""a2_backprop: modular backpropagation and the multi-layer perceptron."""

from autograder.course.a2_backprop import activations, affine, losses, networks

EXERCISES = (
    *affine.EXERCISES,
    *activations.EXERCISES,
    *losses.EXERCISES,
    *networks.EXERCISES,
)
