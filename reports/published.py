"""What the paper printed of its predictor, to stand beside one's own numbers and never among them: other people, images and encoders."""

from dataclasses import dataclass

SOURCE = "PAMELA, Maerten et al. 2026"
NOT_COMPARABLE = "other data, not comparable in level"


@dataclass(frozen=True)
class Model:
    """A row of Table 2: held-out users, each user alone and their average."""

    name: str
    user_srocc: float
    average_srocc: float
    user_plcc: float
    average_plcc: float
    user_accuracy: float
    average_accuracy: float


@dataclass(frozen=True)
class Inputs:
    """A row of Table 3: SROCC, PLCC and accuracy, averaged over data sets; `gap` is None where the paper prints none."""

    name: str
    seen: tuple[float, float, float]
    unseen: tuple[float, float, float]
    gap: tuple[float, float, float] | None


@dataclass(frozen=True)
class Shots:
    """A row of Table 4, at temperature .1: how many images of a new person, and how many neighbours."""

    images: int
    neighbours: int
    srocc: float
    plcc: float
    accuracy: float


@dataclass(frozen=True)
class Pairs:
    """From section 7.1: the share of diverging preferences told right, and about how many there were."""

    users: str
    share: float
    pairs: int


MODELS = (
    Model("LAION", 0.1516, 0.1511, 0.1471, 0.1426, 0.5110, 0.5156),
    Model("Q-Align (IQA)", 0.2497, 0.3290, 0.2416, 0.3244, 0.5865, 0.6096),
    Model("Q-Align (Aesthetics)", 0.2677, 0.3273, 0.2906, 0.3606, 0.5932, 0.6109),
    Model("ImageReward", 0.2841, 0.2314, 0.2855, 0.2044, 0.5978, 0.5762),
    Model("DeQA", 0.2371, 0.2864, 0.2105, 0.2741, 0.5818, 0.5950),
    Model("HPSv3", 0.4019, 0.5076, 0.4444, 0.5880, 0.6427, 0.6773),
    Model("PAMELA", 0.4514, 0.5269, 0.4722, 0.6116, 0.6631, 0.6798),
)
ABLATIONS = (
    Inputs("Full model", (0.5563, 0.5887, 0.7311), (0.4975, 0.5183, 0.7057), (0.0588, 0.0704, 0.0253)),
    Inputs("No text", (0.5922, 0.6200, 0.7460), (0.4788, 0.4981, 0.6981), (0.1135, 0.1219, 0.0480)),
    Inputs("No demographics", (0.5734, 0.6006, 0.7381), (0.4896, 0.5126, 0.7029), (0.0837, 0.0880, 0.0353)),
    Inputs("No metadata", (0.5639, 0.5933, 0.7333), (0.4544, 0.4835, 0.6872), (0.1095, 0.1098, 0.0461)),
    Inputs("No demo+meta", (0.5676, 0.5985, 0.7340), (0.4723, 0.4989, 0.6932), (0.0953, 0.0995, 0.0408)),
    Inputs("No participant", (0.5081, 0.5349, 0.7115), (0.5322, 0.5614, 0.7191), None),
)
FEW_SHOT = (
    Shots(5, 1, 0.3917, 0.4224, 0.6406),
    Shots(5, 5, 0.3829, 0.4023, 0.6369),
    Shots(10, 1, 0.4136, 0.4353, 0.6474),
    Shots(10, 5, 0.3880, 0.4230, 0.6383),
    Shots(15, 1, 0.4430, 0.4633, 0.6601),
    Shots(15, 5, 0.4514, 0.4722, 0.6631),
    Shots(15, 10, 0.4486, 0.4623, 0.6622),
    Shots(20, 5, 0.4191, 0.4424, 0.6513),
    Shots(20, 10, 0.4110, 0.4298, 0.6500),
    Shots(25, 5, 0.4182, 0.4347, 0.6509),
    Shots(25, 10, 0.4100, 0.4243, 0.6472),
)
DIVERGING = (Pairs("seen", 0.6144, 71_700), Pairs("unseen", 0.5523, 13_000))


def label(table: str) -> str:
    """Return what heads a block of the paper's numbers.

    >>> label("Table 4")
    'PAMELA, Maerten et al. 2026, Table 4: other data, not comparable in level'
    """
    return f"{SOURCE}, {table}: {NOT_COMPARABLE}"
