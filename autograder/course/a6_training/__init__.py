"""a6: convolution, and training a network in practice."""

from autograder.course.a6_training import (
    average_pooling,
    convolution,
    convolution_backward,
    max_pooling,
    networks,
    refining,
    sampling,
    searching,
)

EXERCISES = (
    *convolution.EXERCISES,
    *convolution_backward.EXERCISES,
    *max_pooling.EXERCISES,
    *average_pooling.EXERCISES,
    *networks.EXERCISES,
    *sampling.EXERCISES,
    *searching.EXERCISES,
    *refining.EXERCISES,
)
