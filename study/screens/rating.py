"""The screen of a rating: a prompt, one image, one point on a line."""

from study.screens.component import Screen, present
from study.screens.trial import recorder, trial_data
from study.session import Place, Session
from study.storage.records import TrialRow

_ANCHORS = ("bad", "poor", "fair", "good", "excellent")
_WORDS = ("rating_image", "rating_unset", "rating_spoken", "rating_hint_keys", "rating_hint_touch", "continue")


def show_rating(session: Session, participant: str, place: Place, trial: TrialRow) -> None:
    """Show the image that is to be rated, and record its rating before anything is shown again."""
    data = trial_data(session, place, trial, words=_WORDS)
    data |= {"anchors": tuple(session.texts[anchor] for anchor in _ANCHORS)}
    present(Screen("rating", data, "answer", recorder(session, participant), shared=("trial",)))
