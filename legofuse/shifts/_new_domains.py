"""Domains that fit did not see: their shifts, and how well classes given to their rows fit them."""

import numpy as np

from .._labels import call_view
from ..graphs import take
from ._learn import ROWS
from ._moved import as_array
from ._shrinkage import NOTHING, centre_of, factor_of, trust_offset

_LARGEST = 1e100  # standardised number whose square is safe to add up


def with_domains(shifts, X, columns, domains, learned, shares=None):
    """The same, with domains that fit did not see: their rows' own means and spreads.

    Parameters
    ----------
    shifts : Shifts
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
    domains : ndarray of shape (n_rows,)
    learned : dict of (view, None) to Statistics
    shares : dict of label to ndarray of shape (n_classes,), optional
        Shares of the classes in these domains, where they are known: what unequal shares do to
        means and spreads is no shift then.

    Returns
    -------
    Shifts
    """
    new = [label for label in np.unique(domains).tolist() if label not in shifts.labels]
    maps = dict(shifts.maps)
    for label in new:
        rows = np.flatnonzero(domains == label)[:ROWS]
        known = None if shares is None else shares.get(label)
        for view, index in columns.items():
            stats = learned[view, None]
            with np.errstate(over="ignore"):
                z = (as_array(take(X, index, rows)) - stats.mean) / stats.scale
            z = z[~np.isnan(z[:, 0])].astype(float)
            if len(z) == 0:
                continue
            if np.abs(z).max() > _LARGEST:
                raise ValueError(
                    f"{call_view(view, columns)}: features of domain {label!r} overflow when "
                    "standardised by the training rows; rescale the features."
                )
            middle, total, within, mixed = _expected(shifts, view, stats, known)
            factor = factor_of(len(z), len(z) * z.var(axis=0), total)
            offset = z.mean(axis=0) * factor - middle
            offset *= trust_offset(len(z), offset, within, mixed)
            maps[view, label] = centre_of(stats, offset, factor), factor
    return shifts._replace(labels=shifts.labels + new, maps=maps)


def _expected(shifts, view, stats, shares):
    """What rows without a shift would have: mean, variance, that within classes, and how far
    unequal shares of classes may move the mean."""
    if shares is None:
        scale, varies = shifts.aligned[view, None].scale, np.isfinite(stats.scale)
        wanted = np.where(varies & np.isfinite(scale), scale, 0) / np.where(varies, stats.scale, 1)
        wanted = wanted.astype(float) ** 2
        return 0.0, wanted, wanted, shifts.mixed[view]
    means, within = shifts.classes[view]
    seen = ~np.isnan(means[:, 0])
    shares = shares[seen] / max(shares[seen].sum(), 1e-300)
    middle = shares @ means[seen]
    total = np.where(within > NOTHING, within + shares @ means[seen] ** 2 - middle**2, 0)
    return middle, total, within, 0.0


def class_slope(shifts, X, columns, label, rows, classes, learned):
    r"""How far the rows of a domain lie as their classes do in training, by the classes given.

    .. math:: \frac{\sum_k n_k \langle b_k - b, m_k - m \rangle}{\sum_k n_k |m_k - m|^2}

    with means b of the rows and m of the training rows, by class and overall: 1 where the classes
    given are the true ones, around 0 where they have nothing to do with those.

    Parameters
    ----------
    shifts : Shifts
        With the domain in its maps, and classes.
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
    label : object
        The domain.
    rows : ndarray of shape (n_chosen,), int
    classes : ndarray of shape (n_chosen,), int
    learned : dict of (view, None) to Statistics

    Returns
    -------
    float
        Mean over views, features counting by their variance within classes; within [0, 1].
    """
    slopes = []
    for view, index in columns.items():
        if (view, label) not in shifts.maps:
            continue
        (means, within), stats = shifts.classes[view], learned[view, None]
        block, factor = as_array(take(X, index, rows)), shifts.maps[view, label][1]
        z = (block - stats.mean) / stats.scale * factor
        have = ~np.isnan(z[:, 0]) & ~np.isnan(means[classes, 0])
        member = np.eye(len(means))[classes[have]]
        counts, seen = member.sum(axis=0), member.any(axis=0)
        share, varies = counts[seen] / max(counts.sum(), 1), within > NOTHING
        found, known = member.T[seen] @ z[have] / counts[seen, None], means[seen]
        found, known = found - share @ found, known - share @ known
        whole = share @ (known**2 / np.where(varies, within, np.inf)).sum(axis=1)
        if whole > 0:
            part = share @ (found * known / np.where(varies, within, np.inf)).sum(axis=1)
            slopes.append(part / whole)
    return float(np.clip(np.mean(slopes), 0, 1)) if slopes else 0.0
