"""a4_normalization: batch normalisation, dropout, regularisation."""

from autograder.course.a4_normalization import (
    augmentation,
    batchnorm,
    batchnorm_gradients,
    clipping,
    colour,
    dropconnect,
    dropout,
    dropout_gradients,
    early_stopping,
    geometry,
    groupnorm,
    layernorm,
    mc_dropout,
    regularizers,
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
    *dropconnect.EXERCISES,
    *regularizers.EXERCISES,
    *clipping.EXERCISES,
    *augmentation.EXERCISES,
    *colour.EXERCISES,
    *geometry.EXERCISES,
    *mc_dropout.EXERCISES,
    *early_stopping.EXERCISES,
)
