"""a3_initialization: preprocessing and weight initialisation."""

from autograder.course.a3_initialization import (
    initializers,
    lsuv,
    orthogonal,
    preprocessing,
    signals,
    special,
    whitening,
)

EXERCISES = (
    *preprocessing.EXERCISES,
    *whitening.EXERCISES,
    *initializers.EXERCISES,
    *special.EXERCISES,
    *orthogonal.EXERCISES,
    *lsuv.EXERCISES,
    *signals.EXERCISES,
)
