r"""Centring: relations less their means over the landmarks.

With :math:`m(x) = \frac{t}{N} \sum_k r(x, z_k)` over the N landmarks z that have the view,

.. math:: \bar r(x, z) = s \, \Big( r(x, z) - m(x) - m(z) + \frac{t}{N} \sum_k m(z_k) \Big)

is the inner product of what x and z are beyond t times the mean landmark. It is positive
semi-definite where r is, for any t. A unit whose view is missing has relation 0 to everything: it
counts as that point, not as one that is unlike all others. The scale s makes the landmarks'
relations to themselves 1 on average.

Where all landmarks have the view, t = 1: an intercept makes up for errors of the mean. Where some
lack it, an intercept shared with them does not, and taking off a mean that is mostly error makes
leave-one-out predictions worse than those of new rows. As James and Stein have it, the mean is
shrunk then, by a multiple of its error: with :math:`g` the squared length of the mean and
:math:`d` the mean of the landmarks' relations to themselves, :math:`e = (d - g) / (N - 1)` of g is
error on average, and :math:`t = \max(0, 1 - 3 e / g)`.

This module imports nothing from legofuse.
"""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Centre", "centred", "learn_centre"]

_CAUTION = 3.0  # how many times its error the mean is shrunk for


class Centre(NamedTuple):
    """What centring one relation needs to know of the landmarks.

    Attributes
    ----------
    share : ndarray of shape (n_landmarks,)
        Weights of the mean: equal for the landmarks that have the view, they add up to t.
    means : ndarray of shape (n_landmarks,)
        t times the mean relation of each landmark to the landmarks.
    grand : float
        t times the mean of these.
    scale : float
        Factor of the centred relation; 0 where all landmarks are alike.
    """

    share: Any
    means: Any
    grand: float
    scale: float


def learn_centre(relation, present=None, error=1.0):
    """Learn what centring needs from the relation of the landmarks to one another.

    Parameters
    ----------
    relation : ndarray of shape (n_landmarks, n_landmarks)
    present : ndarray of shape (n_landmarks,), bool, optional
        False where the view is missing.
    error : float, default=1.0
        How many times the rounding of inner products the relation is uncertain by.

    Returns
    -------
    Centre

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.centring import learn_centre
    >>> learn_centre(np.eye(2)).scale
    2.0
    """
    n_landmarks = len(relation)
    present = np.ones(n_landmarks, bool) if present is None else present
    count = np.count_nonzero(present)
    equal = (present / max(1, count)).astype(relation.dtype)
    share, means = equal, relation @ equal
    diagonal = np.diagonal(relation).astype(float)
    size = float(diagonal @ equal)
    if count < n_landmarks:
        shrink = relation.dtype.type(_believed(float(means @ equal), size, count))
        share, means = shrink * equal, shrink * means
    grand = float(means @ share)
    left = float((diagonal - 2 * means + grand) @ equal)
    noise = error * np.finfo(relation.dtype).eps ** 0.75 * abs(size)  # what rounding may leave
    return Centre(share, means, grand, 1 / left if left > noise else 0.0)


def _believed(square, size, count):
    """Share to take off of a mean of some squared length, of ``count`` points of some size."""
    if square <= 0:
        return 0.0
    error = max(size - square, 0.0) / max(count - 1, 1)
    return max(0.0, 1 - _CAUTION * error / square)


def centred(relation, centre, means, reference_means, present=None, reference_present=None):
    """Centre a relation; its array is written over.

    Parameters
    ----------
    relation : ndarray of shape (n_rows, n_references)
        Or a torch tensor; then all other arrays are, those of the centre too.
    centre : Centre
    means : ndarray of shape (n_rows,)
        Relation of each row to the landmarks, added up by ``centre.share``.
    reference_means : ndarray of shape (n_references,)
        The same of each reference.
    present, reference_present : ndarray of bool, optional
        False where the view is missing.

    Returns
    -------
    ndarray of shape (n_rows, n_references)
        0 where the view is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.centring import centred, learn_centre
    >>> relation = np.eye(2)
    >>> centre = learn_centre(relation)
    >>> centred(relation, centre, centre.means, centre.means)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    relation -= (means - centre.grand)[:, None]
    relation -= reference_means
    relation *= centre.scale
    if present is not None:
        relation[~present] = 0
    if reference_present is not None:
        relation[:, ~reference_present] = 0
    return relation
