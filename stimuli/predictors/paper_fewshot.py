"""New people as the paper sees them (section 3.2, equation 1): profiles of ratings, their nearest neighbours, softmax weights."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from stimuli.experiment import ExperimentError
from stimuli.predictors.interface import Array, Codes, Rows


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest known users, nearest first: their numbers, the cosines of the profiles, and softmax weights that add up to one."""

    user: Codes
    cosine: Array
    weight: Array

    @property
    def entropy(self) -> float:
        """Entropy of the weights in nats; the logarithm of the number of neighbours where all weigh the same."""
        return entropy(self.weight)


def profile(image: Rows, rating: Array) -> Array:
    """Return the mean of image features weighted by ratings, shape (width,).

    Raises:
        ExperimentError: there is no rating, or ratings do not add up to more than zero.
    """
    if not len(rating) or not rating.sum() > 0:
        raise ExperimentError(
            f"the paper's profile of a new person needs ratings that add up to more than zero; found {len(rating)} that add up to "
            f"{float(rating.sum()):g}. Give at least one rating from 1 to 5, or ask for the population's prediction"
        )
    mean: Array = rating @ image / rating.sum()
    return mean


def profiles(image: Rows, user: Codes, rated: Codes, rating: Array, users: int) -> Array:
    """Return the profiles of many users, shape (users, width); `rated` are rows of `image`. All of them have rated something."""
    table = sparse.csr_array((rating, (user, rated)), shape=(users, len(image)))
    found: Array = (table @ image.astype(np.float64)) / np.asarray(table.sum(axis=1)).reshape(-1, 1)
    return found


def nearest(person: Array, known: Array, number: int, temperature: float) -> Neighbours:
    """Return the `number` nearest of `known` profiles (users, width) by cosine, all of them where there are fewer."""
    cosines = unit(known) @ unit(person)
    # Equal cosines keep the order of users, so that equal inputs give equal neighbours.
    chosen = np.argsort(-cosines, kind="stable")[:number]
    return Neighbours(chosen, cosines[chosen], softmax(cosines[chosen] / temperature))


def softmax(values: Array) -> Array:
    """Return positive weights that add up to one, shape (values,)."""
    raised = np.exp(values - values.max())
    weights: Array = raised / raised.sum()
    return weights


def entropy(weight: Array) -> float:
    """Return the entropy of weights in nats.

    >>> round(entropy(np.full(5, 0.2)), 3), entropy(np.array([1.0, 0.0]))
    (1.609, 0.0)
    """
    some = weight[weight > 0]
    return float(-(some * np.log(some)).sum()) + 0.0


def unit(rows: Array) -> Array:
    """Return rows of length one; a row of zeros stays one."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: Array = rows / np.where(length > 0, length, 1)
    return scaled
