"""a3_initialization: preprocessing and weight initialisation."""

from autograder.course.a3_initialization import (
    initializers,
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
    *signals.EXERCISES,
)
