"""What views learn on training rows, by domain; columns and rows of a table."""

import numpy as np
import scipy.sparse as sp

from ..relations import statistics

_STATISTICS_ROWS = 100_000


def learn_statistics(X, columns, rows, weight, domains=None, graphs=()):
    """Learn the statistics of every view, by domain.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
        The columns of each view; a dict of these by domain where features differ.
    rows : ndarray of shape (n_chosen,), int
        The rows to learn from, in the order to add them up.
    weight : ndarray of shape (n_chosen,)
    domains : ndarray of shape (n_chosen,), optional
        One label a chosen row; None is one domain, named None.
    graphs : list of (view, relation)
        Of a view with ``"principal"`` the components are learned too, of one with ``"linear"`` how
        far rows reach.

    Returns
    -------
    dict of (str, domain) to Statistics

    Raises
    ------
    ValueError
        For ``"principal"`` with domains, each of which would have components of its own.

    Notes
    -----
    At most the first 100000 rows of a domain that have the view are read. In canonical order they
    are a random sample, and more rows would change a mean by less than 0.003 standard deviations.
    """
    groups = {None: slice(None)} if domains is None else split_domains(domains)
    learned: dict = {}
    principal, linear = (
        {view for view, relation in graphs if relation == name} for name in ("principal", "linear")
    )
    if principal and domains is not None:
        raise ValueError(
            f"relation='principal' (view {min(principal)!r}) has no meaning between domains that "
            "are standardised apart: choose another relation for it."
        )
    for domain, where in groups.items():
        for view in columns:
            index = columns_of(columns, view, domain)
            chosen = _first_present(X, index, rows[where])
            learned[view, domain] = statistics(
                take(X, index, rows[where][chosen]),
                weight[where][chosen],
                view in principal,
                view in linear,
            )
    return learned


def _first_present(X, index, rows):
    """Positions of the first rows that have a view: as many as statistics need."""
    if len(rows) <= _STATISTICS_ROWS:
        return slice(None)
    if sp.issparse(X):
        return slice(_STATISTICS_ROWS)
    return np.flatnonzero(~np.isnan(X[:, index[0]][rows]))[:_STATISTICS_ROWS]


def split_domains(domains):
    """Where each domain's rows are: dict from label to index array, in order of appearance."""
    labels, codes = np.unique(domains, return_inverse=True)
    return {label: np.flatnonzero(codes == code) for code, label in enumerate(labels.tolist())}


def take(X, columns, rows=slice(None)):
    """Take columns (contiguous ones as a slice, without a copy) and rows of X."""
    if len(columns) and np.array_equal(columns, np.arange(columns[0], columns[0] + len(columns))):
        columns = slice(int(columns[0]), int(columns[-1]) + 1)
    if isinstance(rows, slice) and rows == slice(None):
        return X[:, columns]
    if isinstance(columns, slice) and not sp.issparse(X):
        return X[rows, columns]
    return X[rows][:, columns]


def columns_of(columns, view, domain):
    """Columns of a view, which may differ from domain to domain."""
    index = columns[view]
    return index[domain] if isinstance(index, dict) else index
