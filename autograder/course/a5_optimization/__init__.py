"""a5: optimisers, schedules, second-order steps."""

from autograder.course.a5_optimization import adam, adamax, momentum

EXERCISES = (*momentum.EXERCISES, *adam.EXERCISES, *adamax.EXERCISES)
