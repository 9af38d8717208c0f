"""The names of the parts a study chooses (generator, rewriter, scorer, encoder): which are here, and what to say of the others."""

from collections.abc import Mapping
from dataclasses import dataclass

from stimuli.experiment import ExperimentError
from stimuli.studyfile import did_you_mean


class UnknownPartError(ExperimentError):
    """A part was asked for by a name that means nothing, or that this version cannot make yet."""


@dataclass(frozen=True)
class Shelf:
    """All parts of one role: those `here`, and those of `later` versions with what they are; `instead` names one to use meanwhile."""

    role: str
    here: tuple[str, ...]
    later: Mapping[str, str]
    instead: str

    def complaint(self, name: str) -> str | None:
        """Return what is wrong with a name that means nothing, as the end of a sentence; None for a known name."""
        known = (*self.here, *self.later)
        return None if name in known else f'is "{name}", which is no known {self.role}; {did_you_mean(name, known)}'

    def awaited(self, name: str) -> str | None:
        """Return what to say of a name that only a later version can make; None for any other."""
        return f'{self.role} "{name}" ({self.later[name]}) comes with a later version' if name in self.later else None

    def refusal(self, name: str) -> UnknownPartError:
        """Return the error for a name that is not here."""
        if name in self.later:
            return UnknownPartError(
                f'{self.role} "{name}": {self.later[name]} comes with a later version; use {self.role} = "{self.instead}" for now'
            )
        return UnknownPartError(f'{self.role} "{name}" is not known; {did_you_mean(name, (*self.here, *self.later))}')
