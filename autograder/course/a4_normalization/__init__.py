"""a4_normalization: batch normalisation, dropout, regularisation."""

from autograder.course.a4_normalization import (
    batchnorm,
    batchnorm_gradients,
    dropout,
    dropout_gradients,
    groupnorm,
    layernorm,
    spatial,
)

EXERCISES = (
    *batchnorm.EXERCISES,
    *batchnorm_gradients.EXERCISES,
    *layernorm.EXERCISES,
    *spatial.EXERCISES,
    *groupnorm.EXERCISES,
    *dropout.EXERCISES,
    *dropout_gradients.EXERCISES,
)
