r"""Centring: relations less their means over the landmarks.

With :math:`m(x) = \frac1N \sum_k r(x, z_k)` over the landmarks z that have the view,

.. math:: \bar r(x, z) = s \, \Big( r(x, z) - m(x) - m(z) + \frac1N \sum_k m(z_k) \Big)

is the inner product of what x and z are beyond the mean landmark. It is positive semi-definite
where r is. A unit whose view is missing has relation 0 to everything: it counts as the mean
landmark, not as one that is unlike all others. The scale s makes the landmarks' relations to
themselves 1 on average.

This module imports nothing from legofuse.
"""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Centre", "centred", "learn_centre"]


class Centre(NamedTuple):
    """What centring one relation needs to know of the landmarks.

    Attributes
    ----------
    share : ndarray of shape (n_landmarks,)
        Weights of the mean: equal for the landmarks that have the view, they add up to 1.
    means : ndarray of shape (n_landmarks,)
        Mean relation of each landmark to the landmarks.
    grand : float
        Mean of these.
    scale : float
        Factor of the centred relation; 0 where all landmarks are alike.
    """

    share: Any
    means: Any
    grand: float
    scale: float


def learn_centre(relation, present=None):
    """Learn what centring needs from the relation of the landmarks to one another.

    Parameters
    ----------
    relation : ndarray of shape (n_landmarks, n_landmarks)
    present : ndarray of shape (n_landmarks,), bool, optional
        False where the view is missing.

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
    share = present / max(1, np.count_nonzero(present))
    share = share.astype(relation.dtype)
    means = relation @ share
    grand = float(means @ share)
    diagonal = np.diagonal(relation).astype(float)
    size = float(diagonal @ share)
    left = float((diagonal - 2 * means + grand) @ share)
    noise = np.finfo(relation.dtype).eps ** 0.75 * abs(size)  # what rounding may leave
    return Centre(share, means, grand, 1 / left if left > noise else 0.0)


def centred(relation, centre, means, reference_means, present=None, reference_present=None):
    """Centre a relation; its array is written over.

    Parameters
    ----------
    relation : ndarray of shape (n_rows, n_references)
    centre : Centre
    means : ndarray of shape (n_rows,)
        Mean relation of each row to the landmarks.
    reference_means : ndarray of shape (n_references,)
        Mean relation of each reference to the landmarks.
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
    relation -= (means - centre.grand).astype(relation.dtype)[:, None]
    relation -= reference_means
    relation *= relation.dtype.type(centre.scale)
    if present is not None:
        relation[~present] = 0
    if reference_present is not None:
        relation[:, ~reference_present] = 0
    return relation
