"""Opens the study of an experiment: makes its database from the images and the settings, or goes on with the one that is there."""

from study.opening.laying import open_study

__all__ = ["open_study"]
