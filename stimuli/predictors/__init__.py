"""Predictors of what one person will like: one interface, the default `bayes`, and the paper's model for reproduction."""

from stimuli.parts import Shelf

BAYES, PAPER = "bayes", "paper"

SHELF = Shelf(role="predictor", here=(BAYES, PAPER), later={}, instead=BAYES)
