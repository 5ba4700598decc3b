"""a5: optimisers, schedules, second-order steps."""

from autograder.course.a5_optimization import (
    adam,
    adamax,
    adaptive,
    batches,
    curvature,
    decay,
    descent,
    momentum,
    nesterov,
    plateau,
    quadratics,
    rprop,
    steps,
    waves,
)

EXERCISES = (
    *descent.EXERCISES,
    *momentum.EXERCISES,
    *nesterov.EXERCISES,
    *adaptive.EXERCISES,
    *adam.EXERCISES,
    *adamax.EXERCISES,
    *rprop.EXERCISES,
    *batches.EXERCISES,
    *decay.EXERCISES,
    *waves.EXERCISES,
    *plateau.EXERCISES,
    *steps.EXERCISES,
    *curvature.EXERCISES,
    *quadratics.EXERCISES,
)
