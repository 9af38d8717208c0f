"""Predictors of what one person will like: one interface, the default `bayes`, and the paper's model for reproduction."""

from stimuli.parts import Shelf

BAYES, BAYES_NETWORK, PAPER = "bayes", "bayes-network", "paper"
# Those that know how little they know of somebody's taste, so that steering may be cautious.
UNSURE = (BAYES, BAYES_NETWORK)

SHELF = Shelf(role="predictor", here=(BAYES, BAYES_NETWORK, PAPER), later={}, instead=BAYES)
