"""Which graphs there are: (view, relation) pairs."""

import numpy as np
import scipy.sparse as sp

from ..relations import RELATIONS
from ._statistics import take

AUTO = ("cosine", "correlation", "bhattacharyya", "gaussian", "spherical")
FOR_CLASSES, FOR_REAL_VALUES = ("principal",), ("linear",)  # of "auto", by what y is; none: classes
FOR_CONTINUOUS = ("local", "robust")  # of "auto", where weights of continuous views are learned
_ROWS_LOOKED_AT = 500


def list_graphs(views, relation, more=()):
    """List the graphs: one (view, relation) pair each, view by view.

    Parameters
    ----------
    views : iterable of str
        Names of the views.
    relation : str, callable or dict
        One of ``RELATIONS``, ``"auto"``, a callable, or a dict from view to one of these.
    more : tuple of str, or dict of these by view
        Relations of ``"auto"`` beside ``AUTO``.

    Returns
    -------
    list of (str, str or callable)

    Raises
    ------
    ValueError
        For an unknown relation, or a dict that lacks a view or names an unknown one.

    Examples
    --------
    >>> from legofuse.graphs import list_graphs
    >>> list_graphs(["text", "image"], {"text": "auto", "image": "rbf"})
    [('text', 'cosine'), ('text', 'correlation'), ('text', 'bhattacharyya'), ('text', 'gaussian'),
     ('text', 'spherical'), ('image', 'rbf')]
    """
    views = list(views)
    if isinstance(relation, dict):
        unknown, lacking = set(relation) - set(views), [v for v in views if v not in relation]
        if unknown or lacking:
            faults = [f"it lacks {lacking}"] * bool(lacking)
            faults += [f"it names unknown views {sorted(map(str, unknown))}"] * bool(unknown)
            raise ValueError(
                f"relation must name every view once: {' and '.join(faults)}; "
                f"the views are {views}{' (views=None is one of all columns)' * (views == ['x'])}."
            )
    graphs = []
    for view in views:
        chosen = relation[view] if isinstance(relation, dict) else relation
        if callable(chosen):
            graphs.append((view, chosen))
        elif isinstance(chosen, str) and chosen == "auto":
            added = more.get(view, ()) if isinstance(more, dict) else more
            graphs += [(view, name) for name in (*AUTO, *added)]
        elif isinstance(chosen, str) and chosen in RELATIONS:
            graphs.append((view, chosen))
        else:
            raise ValueError(
                f"relation must be 'auto', one of {', '.join(map(repr, RELATIONS))}, a callable, "
                f"or a dict from view to one of these; got {chosen!r}"
                + f" for view {view!r}" * (views != ["x"])
                + "."
            )
    return graphs


def continuous_views(X, columns, rows):
    """Views whose features take a value of their own in most rows, as measurements do.

    Counts, words and categories repeat few values; so do sparse views, most of whose entries are 0.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
    rows : ndarray of int
        Distinct rows; of each view the first 500 that have it are looked at.

    Returns
    -------
    set of str

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.graphs import continuous_views
    >>> X = np.column_stack([np.arange(9) / 7, np.arange(9) % 2])
    >>> continuous_views(X, {"length": np.array([0]), "sex": np.array([1])}, np.arange(9))
    {'length'}
    """
    found = set()
    for view, index in columns.items():
        if sp.issparse(X):  # without missing views
            values = take(X, index, rows[:_ROWS_LOOKED_AT])
            n_zero = np.prod(values.shape) - values.nnz
            if n_zero - len(index) >= 0.5 * np.prod(values.shape):  # need not be made dense
                continue
            values = values.toarray()
        else:
            have = rows[~np.isnan(X[rows, index[0]])][:_ROWS_LOOKED_AT]
            values = take(X, index, have)
        values = np.sort(values, axis=0)
        n_repeated = np.count_nonzero(np.diff(values, axis=0) == 0)
        if n_repeated < 0.5 * values.size:
            found.add(view)
    return found


def chosen_by_auto(graphs, relation):
    """Which graphs ``"auto"`` chose, and are centred for it: a list of bool."""
    if isinstance(relation, dict):
        return [isinstance(relation[view], str) and relation[view] == "auto" for view, _ in graphs]
    return [isinstance(relation, str) and relation == "auto"] * len(graphs)
