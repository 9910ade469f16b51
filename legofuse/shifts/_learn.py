"""Shifts of the domains of training rows."""

import numpy as np

from ..graphs import take
from ..relations import statistics
from ._known import Shifts
from ._moved import as_array, move
from ._shrinkage import Cells, centre_of, class_means, estimate

ROWS = 100_000  # as many as statistics read


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
    labels, codes = np.unique(domains[:ROWS], return_inverse=True)
    if len(labels) == 1 and not classes:
        nothing = dict.fromkeys(columns, 0.0)
        return Shifts(labels.tolist(), {}, dict(learned), nothing, share, coupling)
    rows, weight = rows[:ROWS], weight[:ROWS]
    strata, kinds = np.unique(strata[:ROWS], return_inverse=True)
    maps, aligned, mixed, middles = {}, {}, {}, {}
    for view, index in columns.items():
        stats, shape = learned[view, None], (len(strata), len(labels))
        cells = Cells(X, index, rows, weight, np.ravel_multi_index((kinds, codes), shape), stats)
        offsets, factors, mixed[view] = estimate(cells, shape)
        middles[view] = class_means(cells, shape, offsets, factors)
        if len(labels) == 1:
            aligned[view, None] = stats
            continue
        for k, label in enumerate(labels.tolist()):
            maps[view, label] = centre_of(stats, offsets[k], factors[k]), factors[k]
        block = as_array(take(X, index, rows))
        moved = move(block, domains[:ROWS], view, maps, stats.mean)
        wanted = stats.components is not None, np.isfinite(stats.reach)
        aligned[view, None] = statistics(moved, weight, *wanted)
    labels = np.unique(domains).tolist()
    return Shifts(labels, maps, aligned, mixed, share, coupling, middles if classes else None)
