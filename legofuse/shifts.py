r"""Shifts between domains: what is known of them, and rows moved to where they would be without.

Features of a row are taken as (class) + (domain) + rest, standardised by all training rows; the
second part is estimated beside the first, so that classes of unequal frequency do not pass for a
shift, and shrunk towards none where a domain has few rows. As in ComBat (Johnson, Li and Rabinovic,
"Adjusting batch effects in microarray expression data", Biostatistics 2007) the spread of the rest
is brought to the common one.

This module may import graphs and relations of legofuse.
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ._labels import call_view
from .graphs import Rows, encode_rows, relate_rows, take
from .relations import Statistics, statistics

__all__ = [
    "Shifts",
    "class_slope",
    "encode_moved",
    "learn_shifts",
    "pack_shifts",
    "relate_moved",
    "unpack_shifts",
    "with_domains",
]

_ROWS = 100_000  # as many as statistics read
_BLOCK = 4096
_CAUTION = 5.0  # how many times their own error estimates are shrunk for
_LARGEST = 1e100  # standardised number whose square is safe to add up
_NOTHING = 1e-12  # variance of a standardised feature that does not vary, or share of variance


class Shifts(NamedTuple):
    """What is known of domains.

    Attributes
    ----------
    labels : list
        The domains.
    maps : dict of (view, label) to (ndarray, ndarray)
        Centre and factor of each feature: x moves to (x - centre) * factor + common mean. A domain
        without is where it should be.
    aligned : dict of (view, None) to Statistics
        Of the training rows once moved.
    mixed : dict of str to float
        How far unequal shares of classes typically move the mean of a domain, squared, in units
        of the variance within classes.
    share : float
        Share of relations between moved rows; the rest is between rows as they are.
    coupling : float
        Relation of rows in different domains, over that of rows in one.
    classes : dict of str to list of two ndarrays, or None
        Of each view, means of the classes, (n_classes, n_features), once moved, and variance within
        classes, (n_features,), both standardised; a class that has no row with the view has NaN.
    """

    labels: list
    maps: dict
    aligned: dict
    mixed: dict
    share: float
    coupling: float
    classes: Any = None


def learn_shifts(
    X, columns, rows, weight, domains, strata, learned, share=0.5, coupling=1.0, classes=False
):
    """Learn where the domains of training rows lie.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
        The columns of each view.
    rows : ndarray of shape (n_chosen,), int
        The training rows; the first 100000 are read.
    weight, domains, strata : ndarray of shape (n_chosen,)
        Weight, domain and class of each.
    learned : dict of (view, None) to Statistics
        Of all of them.
    share, coupling : float
        As in :class:`Shifts`.
    classes : bool
        Whether to learn where the classes lie, for domains that are seen later.

    Returns
    -------
    Shifts
        One domain alone is not moved.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.graphs import learn_statistics
    >>> from legofuse.shifts import learn_shifts
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> site = np.arange(400) % 2
    >>> X[site == 1] += 10
    >>> columns, rows, ones = {"a": np.arange(2)}, np.arange(400), np.ones(400)
    >>> learned = learn_statistics(X, columns, rows, ones)
    >>> found = learn_shifts(X, columns, rows, ones, site, 0 * site, learned)
    >>> [found.maps["a", k][0].round(1).tolist() for k in (0, 1)]  # centres
    [[0.0, 0.0], [9.9, 10.1]]
    """
    labels, codes = np.unique(domains[:_ROWS], return_inverse=True)
    if len(labels) == 1 and not classes:
        nothing = dict.fromkeys(columns, 0.0)
        return Shifts(labels.tolist(), {}, dict(learned), nothing, share, coupling)
    rows, weight = rows[:_ROWS], weight[:_ROWS]
    strata, kinds = np.unique(strata[:_ROWS], return_inverse=True)
    maps, aligned, mixed, middles = {}, {}, {}, {}
    for view, index in columns.items():
        stats, shape = learned[view, None], (len(strata), len(labels))
        cells = _Cells(X, index, rows, weight, np.ravel_multi_index((kinds, codes), shape), stats)
        offsets, factors, mixed[view] = _estimate(cells, shape)
        middles[view] = _class_means(cells, shape, offsets, factors)
        if len(labels) == 1:
            aligned[view, None] = stats
            continue
        for k, label in enumerate(labels.tolist()):
            maps[view, label] = _centre(stats, offsets[k], factors[k]), factors[k]
        block = _dense(take(X, index, rows))
        moved = _move(block, domains[:_ROWS], view, maps, stats.mean)
        wanted = stats.components is not None, np.isfinite(stats.reach)
        aligned[view, None] = statistics(moved, weight, *wanted)
    labels = np.unique(domains).tolist()
    return Shifts(labels, maps, aligned, mixed, share, coupling, middles if classes else None)


class _Cells:
    """Weight, sums and sums of squares of standardised rows, by cell (class and domain)."""

    def __init__(self, X, index, rows, weight, cells, stats):
        n_cells, n_features = int(cells.max()) + 1, len(index)
        self.count = np.zeros(n_cells)
        self.sums, self.squares = np.zeros((2, n_cells, n_features))
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            z = (_dense(take(X, index, rows[part])) - stats.mean) / stats.scale
            have = ~np.isnan(z[:, 0])
            z, mass = z[have].astype(float), weight[part][have]
            where = cells[part][have], np.arange(len(z))
            member = sp.csr_array((mass, where), shape=(n_cells, len(z)))
            self.count += np.bincount(where[0], mass, n_cells)
            self.sums += member @ z
            self.squares += member @ z**2

    def variation(self):
        """Sums of squares about the means; of equal numbers 0, not what rounding leaves."""
        means = self.sums / np.maximum(self.count[:, None], 1e-300)
        about = self.squares - means * self.sums
        return np.where(about > _NOTHING * self.squares, about, 0.0)


def _estimate(cells, shape):
    """Offsets and factors of each domain, (n_domains, n_features), in standardised units.

    And how far unequal shares of classes move the mean of a domain, squared, in error variances.
    """
    n_classes, n_domains = shape
    kind, domain = np.unravel_index(np.arange(len(cells.count)), shape)
    inside, count = np.eye(n_domains)[domain], cells.count[:, None]
    mass = inside.T @ cells.count
    squares = inside.T @ cells.variation()
    common = squares.sum(axis=0) / max(mass.sum(), 1e-300)
    factors = np.array([_factor(*each, common) for each in zip(mass, squares, strict=True)])
    sums = cells.sums * factors[domain]
    design = np.hstack([np.eye(n_classes)[kind], inside])
    normal = design.T @ (count * design)
    normal[n_classes:, n_classes:] += 1e-3 * np.eye(n_domains)  # one of the offsets is free
    offsets = np.linalg.lstsq(normal, design.T @ sums, rcond=None)[0][n_classes:]
    whole = (inside.T @ sums) / np.maximum(mass, 1e-300)[:, None]
    offsets, whole = (part - mass @ part / max(mass.sum(), 1e-300) for part in (offsets, whole))
    varies = common > _NOTHING
    mixed = float(_typical(((whole - offsets) ** 2)[:, varies] / common[varies]))
    for k, n_rows in enumerate(mass):
        offsets[k] *= _trust_offset(n_rows, offsets[k], common)
    return offsets, factors, mixed


def _class_means(cells, shape, offsets, factors):
    """Means of the classes without the shifts of domains, and the variance within them."""
    kind, domain = np.unravel_index(np.arange(len(cells.count)), shape)
    inside, count, factors = np.eye(shape[0])[:, kind], cells.count[:, None], factors[domain]
    squares = cells.variation() * factors**2
    sums, mass = inside @ (cells.sums * factors - count * offsets[domain]), inside @ count
    means = np.divide(sums, mass, out=np.full_like(sums, np.nan), where=mass > 0)
    return [means, squares.sum(axis=0) / max(mass.sum(), 1e-300)]


def _centre(stats, offset, factor):
    """Where a domain lies in the features as given; constant ones stay where they are."""
    return stats.mean + np.where(np.isfinite(stats.scale), stats.scale, 0) * offset / factor


def _typical(squares):
    """Variance of normal numbers from the median of their squares."""
    return np.median(squares) / 0.455 if squares.size else 0.0


def _trust(variance, error):
    """Share to believe of estimates of some variance, of which a part is error."""
    variance = max(float(variance) - error, 0.0)
    return variance / (variance + _CAUTION * error)


def _trust_offset(n_rows, offset, common, mixed=0.0):
    """Share to believe of the offset of a domain, by how large it is in its features."""
    varies = common > _NOTHING
    if n_rows <= 0 or not varies.any():
        return 0.0
    return _trust(_typical(offset[varies] ** 2 / common[varies]), 1 / n_rows + mixed)


def _factor(n_rows, squares, common):
    """Factor that brings the spread of a domain to the common one, as far as it is believed.

    ``squares`` are sums of squares about means, ``common`` is a variance.
    """
    varies = common > _NOTHING
    if n_rows <= 0 or not varies.any():
        return np.ones_like(common)
    ratio = np.ones_like(common)
    ratio[varies] = squares[varies] / common[varies] / n_rows
    ratio[ratio < _NOTHING] = 0  # equal numbers, up to rounding
    overall = float(np.median(ratio[varies])) or 1.0
    ratio[varies] = overall * (n_rows * ratio[varies] / overall + 1) / (n_rows + 1)
    logs = np.log(ratio)
    return np.exp(-0.5 * logs * _trust(_typical(logs[varies] ** 2), 2 / n_rows))


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
        rows = np.flatnonzero(domains == label)[:_ROWS]
        known = None if shares is None else shares.get(label)
        for view, index in columns.items():
            stats = learned[view, None]
            with np.errstate(over="ignore"):
                z = (_dense(take(X, index, rows)) - stats.mean) / stats.scale
            z = z[~np.isnan(z[:, 0])].astype(float)
            if len(z) == 0:
                continue
            if np.abs(z).max() > _LARGEST:
                raise ValueError(
                    f"{call_view(view, columns)}: features of domain {label!r} overflow when "
                    "standardised by the training rows; rescale the features."
                )
            middle, total, within, mixed = _expected(shifts, view, stats, known)
            factor = _factor(len(z), len(z) * z.var(axis=0), total)
            offset = z.mean(axis=0) * factor - middle
            offset *= _trust_offset(len(z), offset, within, mixed)
            maps[view, label] = _centre(stats, offset, factor), factor
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
    total = np.where(within > _NOTHING, within + shares @ means[seen] ** 2 - middle**2, 0)
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
        z = (_dense(take(X, index, rows)) - stats.mean) / stats.scale * shifts.maps[view, label][1]
        have = ~np.isnan(z[:, 0]) & ~np.isnan(means[classes, 0])
        member = np.eye(len(means))[classes[have]]
        counts, seen = member.sum(axis=0), member.any(axis=0)
        share, varies = counts[seen] / max(counts.sum(), 1), within > _NOTHING
        found, known = member.T[seen] @ z[have] / counts[seen, None], means[seen]
        found, known = found - share @ found, known - share @ known
        whole = share @ (known**2 / np.where(varies, within, np.inf)).sum(axis=1)
        if whole > 0:
            part = share @ (found * known / np.where(varies, within, np.inf)).sum(axis=1)
            slopes.append(part / whole)
    return float(np.clip(np.mean(slopes), 0, 1)) if slopes else 0.0


def _dense(block):
    return block.toarray() if sp.issparse(block) else block


def _move(block, domains, view, maps, mean):
    """Rows of one view, moved to where they would be in no domain."""
    moved = block.copy()
    for label in np.unique(domains).tolist():
        if (view, label) in maps:
            where = domains == label
            centre, factor = maps[view, label]
            with np.errstate(over="ignore"):
                moved[where] = (block[where] - centre) * factor + mean
    if np.isinf(moved).any():
        raise ValueError(
            f"{call_view(view, {name for name, _ in maps})}: features overflow {moved.dtype} when "
            "domains are aligned; rescale the features."
        )
    return moved


def encode_moved(X, columns, graphs, learned, shifts, domains=None, dense=False):
    """Encode rows for every graph, as they are and (where their domains are shifted) moved.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
    graphs : list of (view, relation)
    learned : dict of (view, None) to Statistics
    shifts : Shifts or None
        Without, each domain is encoded by its own statistics, if domains are given.
    domains : ndarray of shape (n_rows,), optional
    dense : bool
        Make sparse rows dense (references must be).

    Returns
    -------
    Rows
    """
    if shifts is None or domains is None:
        return encode_rows(X, columns, graphs, learned, domains, dense)
    rows = encode_rows(X, columns, graphs, learned, dense=dense)
    order = np.argsort(np.array(shifts.labels))
    codes = order[np.searchsorted(np.array(shifts.labels), domains, sorter=order)]
    if not shifts.maps or not shifts.share:
        return Rows(rows.encoded, rows.present, None, codes)
    X = _dense(X)
    whole = X.copy()
    for view, index in columns.items():
        mean = learned[view, None].mean
        whole[:, index] = _move(take(X, index), domains, view, shifts.maps, mean)
    moved = encode_rows(whole, columns, graphs, shifts.aligned, dense=dense)
    return Rows(rows.encoded, rows.present, moved, codes)


def relate_moved(rows, references, graphs, learned, shifts):
    """Relate encoded rows to encoded references: as they are, moved, or both, by share.

    Parameters
    ----------
    rows, references : Rows
    graphs : list of (view, relation)
    learned : dict of (view, None) to Statistics
    shifts : Shifts or None

    Returns
    -------
    list of ndarray of shape (n_rows, n_references)
        Averages of kernels, times a kernel: kernels.
    """
    moved = [part for part in (rows, references) if part.moved is not None]
    if shifts is None or (not moved and shifts.coupling == 1):
        return relate_rows(rows, references, graphs, learned)
    related: Any = None
    if not moved or shifts.share < 1:
        related = relate_rows(rows, references, graphs, learned)
    if moved:
        one, other = (part if part.moved is None else part.moved for part in (rows, references))
        aligned = relate_rows(one, other, graphs, shifts.aligned)
        if related is None:
            related = aligned
        else:
            related = [
                (1 - shifts.share) * one + shifts.share * other
                for one, other in zip(related, aligned, strict=True)
            ]
    if shifts.coupling != 1 and len(shifts.labels) > 1:
        apart = rows.codes[:, None] != references.codes
        for graph in related:
            graph[apart] *= shifts.coupling
    return related


def pack_shifts(shifts):
    """Take shifts apart into lists, for any format of files."""
    if shifts is None:
        return None
    maps = [[*key, list(value)] for key, value in shifts.maps.items()]
    aligned = [[view, list(value)] for (view, _), value in shifts.aligned.items()]
    return [shifts.labels, maps, aligned, *shifts[3:]]


def unpack_shifts(state):
    """Put them together again."""
    if state is None:
        return None
    labels, maps, aligned, *numbers = state
    return Shifts(
        labels,
        {(view, label): tuple(value) for view, label, value in maps},
        {(view, None): Statistics(*value) for view, value in aligned},
        *numbers,
    )
