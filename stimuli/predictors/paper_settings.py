"""The knobs of the paper's predictor; what the paper does not say is marked as our choice."""

from dataclasses import dataclass

from stimuli.experiment import ExperimentError


@dataclass(frozen=True)
class PaperModel:
    """How the fusion transformer is built, trained and shown new people.

    From the paper (section 4): `learning_rate`, `warm_up` steps, `batch`, `epochs`, `neighbours` (K) and `temperature` (τ). The
    paper says neither size nor regularisation: `width`, `layers`, `heads`, `hidden`, `dropout`, `weight_decay` and `user_spread`
    (standard deviation of the user table at the start) are ours. From PyTorch's standard deviation of 1 the table would hardly move
    at this learning rate. The four flags leave an input out, as the ablations of Table 3 do.
    """

    width: int = 256
    layers: int = 2
    heads: int = 4
    hidden: int = 1024
    dropout: float = 0.1
    user_spread: float = 0.02
    learning_rate: float = 2e-5
    weight_decay: float = 0.01
    warm_up: int = 100
    batch: int = 32
    epochs: int = 10
    neighbours: int = 5
    temperature: float = 0.1
    no_text: bool = False
    no_metadata: bool = False
    no_demographics: bool = False
    no_user: bool = False

    def __post_init__(self) -> None:
        wrong = [name for name in ("width", "layers", "heads", "hidden", "batch", "epochs", "neighbours") if getattr(self, name) < 1]
        wrong += [name for name in ("learning_rate", "temperature") if not getattr(self, name) > 0]
        wrong += [name for name in ("user_spread", "weight_decay", "warm_up") if not getattr(self, name) >= 0]
        if wrong:
            listed = ", ".join(f"{name} = {getattr(self, name)}" for name in wrong)
            raise ExperimentError(f"the paper's model cannot be built with {listed}; give larger numbers")
        if not 0 <= self.dropout < 1:
            raise ExperimentError(f"the paper's model cannot be built with dropout = {self.dropout}; give a share from 0 to below 1")
        if self.width % self.heads:
            raise ExperimentError(
                f"the paper's model cannot split a width of {self.width} among {self.heads} heads; make the width a multiple of the heads"
            )
