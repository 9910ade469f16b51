"""Where weights start: lower where a view alone surely tells less than the best one."""

import numpy as np

from ._leave_one_out import ridge_path
from ._packing import unpack

_SURE = 4.0  # squared standard errors up to which a difference counts for nothing
_LEAST = 0.02  # factor of a view that tells nothing
_MOST_UNITS = 400
_SCALES = np.logspace(-2, 4, 13)


def start_factors(relations, views, targets, weight, present=None):
    r"""Factor of each graph where weights start: how much its view tells beside the best one.

    Kernel ridge regression on the mean of a view's graphs alone lowers the squared leave-one-out
    error of unit i by :math:`g_{vi}` (at the ridge that is best for the view). With b the view
    of the largest mean, d the mean difference to it and s its standard error, views start at

    .. math:: 1 - \max(0, 1 - 4 s^2 / d^2) (1 - \max(0, \bar g_v) / \bar g_b) ,

    so that a view starts lower as far as it is sure (a positive-part James-Stein factor) that it
    tells less. Where labels are noisy or units few nothing is sure, and all views start alike.

    Parameters
    ----------
    relations : sequence of M packed graphs (:func:`pack`)
        Relations of the units to one another.
    views : sequence of M labels
        The view of each graph.
    targets : ndarray of shape (n_units, n_targets)
        Real values, or one column of 0 and 1 for each class.
    weight : ndarray of shape (n_units,)
        Positive weights.
    present : ndarray of shape (M, n_units), bool, optional
        Where units have the view of a graph; a view is judged by these.

    Returns
    -------
    ndarray of shape (M,)
        In [0.02, 1]; the first 400 units are looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import pack, start_factors
    >>> y = np.linspace(-1, 1, 50)
    >>> graphs = [pack(np.outer(v, v)) for v in (y, np.sin(99 * np.arange(50)))]
    >>> signal, noise = start_factors(graphs, ["signal", "noise"], y[:, None], np.ones(50))
    >>> float(signal), bool(noise < 0.1)
    (1.0, True)
    """
    n_units = min(len(targets), _MOST_UNITS)
    targets, weight = targets[:n_units], weight[:n_units]
    codes = first_places(views)
    names = np.unique(codes)
    gains = np.stack([_gain(relations, codes == code, targets, weight) for code in names])
    has = np.ones(gains.shape, bool)
    if present is not None:
        has = np.stack([present[code, :n_units] for code in names]).astype(bool)
    told = np.array([_mean(g[h], weight[h]) for g, h in zip(gains, has, strict=True)])
    best = int(np.argmax(told))
    factors = np.ones(len(names))
    if told[best] > 0:
        for k in np.flatnonzero(np.arange(len(names)) != best):
            both = has[k] & has[best]
            factors[k] = _factor(gains[k][both], gains[best][both], weight[both])
    return factors[np.searchsorted(names, codes)]


def first_places(labels):
    """Place of the first label that equals each one; callables among them cannot be sorted."""
    labels = list(labels)
    return np.array([labels.index(label) for label in labels])


def _gain(relations, members, targets, weight):
    """Fall of each unit's squared leave-one-out error by the graphs of a view."""
    n_units = len(targets)
    total = np.zeros(n_units * (n_units + 1) // 2)
    for k in np.flatnonzero(members):
        total += relations[k][: len(total)]
    graph = unpack(total)
    share = weight / weight.sum()
    size = share @ np.diagonal(graph)
    centred = targets - share @ targets
    if size > 0:
        graph /= size
    errors = [(r**2).sum(axis=1) for _, r in ridge_path(graph, centred, weight, _SCALES)]
    alone = (centred**2).sum(axis=1)
    return alone - min(errors, key=lambda error: share @ error) if errors else np.zeros(n_units)


def _mean(values, weight):
    total = weight.sum()
    return float(weight @ values / total) if total > 0 else 0.0


def _factor(gain, best, weight):
    """Shrunk ratio of what a view and the best one tell of the units that have both."""
    if len(gain) < 2 or _mean(best, weight) <= 0:
        return 1.0
    difference = best - gain
    mean = _mean(difference, weight)
    if mean <= 0:
        return 1.0
    variance = _mean((difference - mean) ** 2, weight) / (len(gain) - 1)
    sure = max(0.0, 1.0 - _SURE * variance / mean**2)
    ratio = max(0.0, _mean(gain, weight)) / _mean(best, weight)
    return max(_LEAST, 1.0 - sure * (1.0 - min(1.0, ratio)))
