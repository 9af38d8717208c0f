"""Answer: Bradley-Terry scores with intervals and the verdicts on the claims. Runs on any laptop. See README.md."""
