"""Weights of rows: whether they count rows, and how much stands for one row.

What decides is kept of parts of the rows and merged, so that it is known of all of them wherever
they are, and of rows as they were given after equal ones are merged.

This module imports nothing from legofuse.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["RowWeights", "are_counts", "merge_row_weights", "weigh_rows", "weight_of_one"]

_MOST_COUNTED = 1e7


class RowWeights(NamedTuple):
    """What is kept of the weights of some rows.

    Attributes
    ----------
    whole : bool
        Whether all are whole numbers, up to rounding.
    most, total : float
        The largest, and their sum.
    number : int
        How many are above 0.
    """

    whole: bool
    most: float
    total: float
    number: int


def weigh_rows(sample_weight):
    """Keep of weights what says how they count.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,)

    Returns
    -------
    RowWeights

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse._row_weights import weigh_rows
    >>> weigh_rows(np.array([1.0, 0.0, 0.5]))
    RowWeights(whole=False, most=1.0, total=1.5, number=2)
    """
    nearest = np.rint(sample_weight)
    rounding = np.minimum(1e-6 * nearest, 1e-3)  # that of float32; 0 is never rounded
    whole = bool((np.abs(sample_weight - nearest) <= rounding).all())
    above = sample_weight[sample_weight > 0]
    return RowWeights(whole, float(above.max(initial=0)), float(above.sum()), len(above))


def merge_row_weights(one, other):
    """What is kept of the rows of two parts together.

    Parameters
    ----------
    one, other : RowWeights

    Returns
    -------
    RowWeights

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse._row_weights import merge_row_weights, weigh_rows
    >>> merge_row_weights(weigh_rows(np.array([1.0, 0.0])), weigh_rows(np.array([0.5])))
    RowWeights(whole=False, most=1.0, total=1.5, number=2)
    """
    most, total = max(one.most, other.most), one.total + other.total
    return RowWeights(one.whole and other.whole, most, total, one.number + other.number)


def are_counts(sample_weight):
    """Whether weights are whole numbers, up to rounding: how often rows occur.

    Beyond ten millions numbers in single precision are whole whatever they say.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,) or RowWeights

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse._row_weights import are_counts
    >>> are_counts(np.array([1.0, 3.0])), are_counts(np.array([0.5, 3.0]))
    (True, False)
    """
    known = _known(sample_weight)
    return known.whole and 0 < round(known.most) <= _MOST_COUNTED


def weight_of_one(sample_weight, may_count=True):
    """The weight that stands for one row, where rows are left out one by one.

    Whole numbers (up to rounding) count rows: one of several equal ones is left out. Weights with
    fractions tell how much rows matter; none of them is more than one row.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,) or RowWeights
    may_count : bool, default=True
        False where whole numbers, too, tell how much rows matter.

    Returns
    -------
    float
        1 where weights count rows; else the largest weight, but at most twenty times the mean,
        lest few rows be all that is left out.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse._row_weights import weight_of_one
    >>> weight_of_one(np.array([1.0, 3.0])), weight_of_one(np.array([0.5, 3.0]))
    (1.0, 3.0)
    >>> heavy = np.append(np.ones(99), 1001.0)
    >>> weight_of_one(heavy), weight_of_one(heavy, may_count=False)
    (1.0, 220.0)
    """
    known = _known(sample_weight)
    if may_count and are_counts(known):
        return 1.0
    return min(known.most, 20 * (known.total / known.number))


def _known(sample_weight):
    return sample_weight if isinstance(sample_weight, RowWeights) else weigh_rows(sample_weight)
