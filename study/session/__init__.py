"""A participant's way through a study, without any page; the pages, the simulation and the load all take this way."""

from study.session.chooser import CHOOSER_VARIABLE, Chooser
from study.session.machine import Session, now
from study.session.place import Outcome, Place, Stage
from study.session.running import open_running

__all__ = ["CHOOSER_VARIABLE", "Chooser", "Outcome", "Place", "Session", "Stage", "now", "open_running"]
