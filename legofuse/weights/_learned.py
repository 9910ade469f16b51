"""What a criterion learns; equal weights."""

from typing import Any, NamedTuple

import numpy as np


class Learned(NamedTuple):
    """What a criterion learns.

    Attributes
    ----------
    weights : ndarray of shape (n_terms,)
    loo_score : float or None
        Share of the targets' variance that the leave-one-out predictions explain.
    n_iter : int
    """

    weights: Any
    loo_score: Any = None
    n_iter: int = 1


def uniform(n_terms):
    """Equal weights.

    Parameters
    ----------
    n_terms : int
        Number of terms.

    Returns
    -------
    Learned
        The weights.

    Examples
    --------
    >>> from legofuse.weights import uniform
    >>> uniform(2).weights
    array([1., 1.])
    """
    return Learned(np.ones(n_terms))
