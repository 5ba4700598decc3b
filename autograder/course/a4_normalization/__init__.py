"""a4_normalization: batch normalisation, dropout, regularisation."""

from autograder.course.a4_normalization import (
    batchnorm,
    batchnorm_gradients,
    dropout,
    dropout_gradients,
)

EXERCISES = (
    *batchnorm.EXERCISES,
    *batchnorm_gradients.EXERCISES,
    *dropout.EXERCISES,
    *dropout_gradients.EXERCISES,
)
