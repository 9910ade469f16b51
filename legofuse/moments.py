"""Moments: mean and scale of every view from parts of the rows, wherever those are.

Each block of rows gives its partial moments, which are merged in any order (Chan, Golub &
LeVeque 1983, eq. 2.1); what comes out are those of all rows together.

This module may import graphs and relations of legofuse.
"""

from typing import Any, NamedTuple

import numpy as np

from .graphs import take
from .relations import reach, summarise

__all__ = ["Moments", "merge_moments", "partial_moments", "refine_statistics"]


class Moments(NamedTuple):
    """Moments of some rows of one view.

    Attributes
    ----------
    mass : float
        Sum of the weights.
    mean, square : ndarray of shape (n_features,), float64
        Weighted mean, and weighted sum of squared deviations from it.
    """

    mass: float
    mean: Any
    square: Any


def partial_moments(X, columns, weight):
    """Moments of a block of rows, by view.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        A view that is all NaN in a row is missing there.
    columns : dict of str to index array
        The columns of each view.
    weight : ndarray of shape (n_rows,)

    Returns
    -------
    dict of str to Moments

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.moments import partial_moments
    >>> found = partial_moments(np.array([[0.0], [2.0]]), {"a": np.array([0])}, np.ones(2))
    >>> found["a"]
    Moments(mass=2.0, mean=array([1.]), square=array([2.]))
    """
    found = {}
    for view, index in columns.items():
        rows = take(X, index).astype(np.float64)
        counted = (weight > 0) & ~np.isnan(rows[:, 0])
        mass, rows = weight[counted], rows[counted]
        total = float(mass.sum())
        if total > 0:
            mean = mass @ rows / total
            with np.errstate(over="ignore", invalid="ignore"):  # see refine_statistics
                mean += mass @ (rows - mean) / total  # to the last digit: constant is constant
                found[view] = Moments(total, mean, mass @ (rows - mean) ** 2)
    return found


def merge_moments(one, other):
    """Moments of the rows of two parts together.

    Parameters
    ----------
    one, other : dict of str to Moments

    Returns
    -------
    dict of str to Moments

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.moments import merge_moments, partial_moments
    >>> X, columns = np.arange(6.0)[:, None], {"a": np.array([0])}
    >>> parts = [partial_moments(X[part], columns, np.ones(3)) for part in (slice(3), slice(3, 6))]
    >>> merge_moments(*parts)["a"]
    Moments(mass=6.0, mean=array([2.5]), square=array([17.5]))
    """
    merged = dict(one)
    for key, b in other.items():
        a = merged.get(key)
        if a is None:
            merged[key] = b
            continue
        mass, gap = a.mass + b.mass, b.mean - a.mean
        with np.errstate(over="ignore", invalid="ignore"):
            square = a.square + b.square + gap**2 * (a.mass * b.mass / mass)
        merged[key] = Moments(mass, a.mean + gap * (b.mass / mass), square)
    return merged


def refine_statistics(learned, moments, X, columns):
    """Statistics of a sample, with mean and scale of all rows put in.

    Parameters
    ----------
    learned : dict of (str, None) to Statistics
    moments : dict of str to Moments
        Views whose squares overflow keep what the sample gave.
    X : ndarray of shape (n_rows, n_features)
        The sample: how far its rows reach is measured by mean and scale of all.
    columns : dict of str to index array

    Returns
    -------
    dict of (str, None) to Statistics
    """
    refined = dict(learned)
    for view, found in moments.items():
        known = learned[view, None]
        dtype = known.mean.dtype
        variance = found.square / found.mass
        if not (np.isfinite(variance).all() and np.isfinite(found.mean).all()):
            continue
        noise = (10 * np.finfo(dtype).eps * np.abs(found.mean)) ** 2
        scale = np.where(variance <= noise, 0.0, np.sqrt(variance))
        again = summarise(found.mean, scale, known.widths["spherical"], dtype)
        if np.isfinite(known.reach):
            again = again._replace(reach=reach(take(X, columns[view]), again))
        refined[view, None] = again._replace(components=known.components)
    return refined
