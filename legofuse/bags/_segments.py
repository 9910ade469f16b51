"""Bags resampled to equal temporal segments, and the way back to their units."""

from numbers import Integral

import numpy as np
from scipy import sparse

from ._form import is_2d, is_bag_sequence, is_frame
from ._pack import check_bags


def segment_means(units, offsets, n_segments=32):
    """Resample every bag of a packed batch to the same number of temporal segments.

    A bag of n units is cut at ``floor(i * n / n_segments)``, and each segment is the mean of its
    units; a bag with fewer units than segments repeats them [1]_. Missing values (NaN) are left out
    of the means, so a view is missing in a segment only where all its units miss it.

    Parameters
    ----------
    units : ndarray of shape (n_units_total, n_features)
        The units of all bags, in temporal order.
    offsets : ndarray of int, shape (n_bags + 1,)
        Where each bag begins and ends, as in `Bags`; no bag may be empty.
    n_segments : int, default=32
        Segments a bag.

    Returns
    -------
    ndarray of shape (n_bags, n_segments, n_features)
        The segments; float32 and float64 are kept.

    See Also
    --------
    unit_segments : Carries scores of segments back to the units.

    References
    ----------
    .. [1] W. Sultani, C. Chen and M. Shah, "Real-world anomaly detection in surveillance videos",
       CVPR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import segment_means, unit_segments
    >>> units, offsets = np.array([[0.0], [2.0], [4.0], [7.0]]), np.array([0, 3, 4])
    >>> segment_means(units, offsets, n_segments=2)[:, :, 0]
    array([[0., 3.],
           [7., 7.]])
    >>> scores = np.array([[0.1, 0.9], [0.5, 0.5]])  # one for each segment
    >>> scores.ravel()[unit_segments(offsets, n_segments=2)]
    array([0.1, 0.9, 0.9, 0.5])
    """
    _check_n_segments(n_segments)
    starts = offsets[:-1, None] + np.arange(n_segments) * np.diff(offsets)[:, None] // n_segments
    shape = (*starts.shape, units.shape[1])
    sizes = np.maximum(np.diff(starts, axis=1, append=offsets[1:, None]), 1).ravel()
    ends = np.cumsum(sizes)
    members = np.repeat(starts.ravel() - ends + sizes, sizes) + np.arange(ends[-1])
    ones = np.ones(ends[-1], dtype=units.dtype)
    sums = sparse.csr_array((ones, members, np.append(0, ends)), shape=(len(ends), len(units)))
    holes = np.isnan(units)
    if not holes.any():
        segments = sums @ units
        segments /= sizes[:, None]
        return segments.reshape(shape)
    segments = sums @ np.where(holes, 0, units)
    with np.errstate(invalid="ignore"):
        segments /= sums @ (~holes).astype(units.dtype)  # 0 / 0: missing in the whole segment
    return segments.reshape(shape)


def unit_segments(offsets, n_segments=32):
    """The segment that each unit's score is read from, after `segment_means`.

    Parameters
    ----------
    offsets : ndarray of int, shape (n_bags + 1,)
        Where each bag begins and ends.
    n_segments : int, default=32
        Segments a bag.

    Returns
    -------
    ndarray of int64, shape (n_units_total,)
        Index into the flattened (n_bags * n_segments) scores of segments. Of several segments that
        repeat one unit, the last.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import unit_segments
    >>> unit_segments(np.array([0, 4, 6]), n_segments=2)
    array([0, 0, 1, 1, 2, 3])
    """
    _check_n_segments(n_segments)
    lengths = np.diff(offsets)
    bag = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(offsets[-1]) - offsets[bag]
    return bag * n_segments + ((place + 1) * n_segments - 1) // lengths[bag]


def segment(X, n_segments=32):
    """Resample one bag, or each of several, to `n_segments` equal temporal segments by averaging.

    Parameters
    ----------
    X : 2-D array (one bag), or sequence of 2-D arrays, or 3-D array (bags)
        Units in temporal order; as in `check_bags`, save that a 2-D array is one bag.
    n_segments : int, default=32
        Segments a bag.

    Returns
    -------
    ndarray of shape (n_segments, n_features) or (n_bags, n_segments, n_features)
        The segments, as `segment_means` describes them.

    Raises
    ------
    ValueError
        If `n_segments` is no positive int, or X is wrong in a way that `check_bags` tells.

    Examples
    --------
    In a Pipeline, before an estimator of bags:

    >>> import numpy as np
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from legofuse.bags import segment
    >>> resample = FunctionTransformer(segment, kw_args={"n_segments": 4})
    >>> resample.fit_transform([np.zeros((9, 2)), np.ones((3, 2))]).shape
    (2, 4, 2)
    """
    is_one = getattr(X, "ndim", None) == 2 or is_frame(X) or (is_2d(X) and not is_bag_sequence(X))
    bags = check_bags([X] if is_one else X)
    segments = segment_means(bags.units, bags.offsets, n_segments)
    return segments[0] if is_one else segments


def _check_n_segments(n_segments):
    if not isinstance(n_segments, Integral) or isinstance(n_segments, bool) or n_segments < 1:
        raise ValueError(f"n_segments must be an int of at least 1, got {n_segments!r}.")
