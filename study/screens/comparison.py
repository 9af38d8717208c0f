"""The screen of a comparison: a prompt, two images, one choice."""

from study.config import StudyTable
from study.screens.component import Screen, present
from study.screens.trial import recorder, trial_data
from study.session import Place, Session
from study.storage.records import TrialRow

_WORDS = ("left", "right", "upper", "lower", "left_image", "right_image", "upper_image", "lower_image", "tie")
# Where the images stand one above the other, the first is the upper one.
_STACKED = {"left": "upper", "right": "lower"}


def show_comparison(session: Session, participant: str, place: Place, trial: TrialRow) -> None:
    """Show the comparison that is due, and record its answer before anything is shown again."""
    data = trial_data(session, place, trial, words=_WORDS)
    data |= {
        "prompt_stacked": data["prompt"],
        "tie": isinstance(session.table, StudyTable) and session.table.tie,
        "told": trial.expected is not None,
    }
    if trial.expected:
        # A catch trial says in words which side to take, in the prompt's place.
        data |= {
            "prompt": session.texts[f"catch_{trial.expected}"],
            "prompt_stacked": session.texts[f"catch_{_STACKED[trial.expected]}"],
        }
    present(Screen("comparison", data, "answer", recorder(session, participant), shared=("trial",)))
