"""a3_initialization: preprocessing and weight initialisation."""

EXERCISES = ()
