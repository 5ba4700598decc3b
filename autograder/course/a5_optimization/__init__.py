"""a5: optimisers, schedules, second-order steps."""

from autograder.course.a5_optimization import (
    adam,
    adamax,
    adaptive,
    descent,
    momentum,
    nesterov,
    rprop,
)

EXERCISES = (
    *descent.EXERCISES,
    *momentum.EXERCISES,
    *nesterov.EXERCISES,
    *adaptive.EXERCISES,
    *adam.EXERCISES,
    *adamax.EXERCISES,
    *rprop.EXERCISES,
)
