"""a6: convolution, and training a network in practice."""

from autograder.course.a6_training import (
    average_pooling,
    babysitting,
    by_heart,
    convolution,
    convolution_backward,
    diagnosing,
    ensembles,
    loop,
    max_pooling,
    networks,
    refining,
    sampling,
    searching,
    transfer,
    watching,
)

EXERCISES = (
    *convolution.EXERCISES,
    *convolution_backward.EXERCISES,
    *max_pooling.EXERCISES,
    *average_pooling.EXERCISES,
    *networks.EXERCISES,
    *babysitting.EXERCISES,
    *by_heart.EXERCISES,
    *watching.EXERCISES,
    *sampling.EXERCISES,
    *searching.EXERCISES,
    *refining.EXERCISES,
    *diagnosing.EXERCISES,
    *ensembles.EXERCISES,
    *transfer.EXERCISES,
    *loop.EXERCISES,
)
