"""Which blocks of a table are missing, and which are broken."""

import numpy as np
from scipy import sparse

from .._labels import call_view


def missing_blocks(X, views, offsets=None, labels=None, numbers=None):
    """Which views are missing (all NaN) in which rows.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        The table. Columns in no view are not looked at.
    views : dict of str to ndarray of int
        As `resolve_views` returns them.
    offsets : ndarray of shape (n_bags + 1,), optional
        Where rows are units of bags: bag i holds rows ``offsets[i]:offsets[i + 1]``, and errors
        name bag and unit.
    labels : sequence of n_features names or ints, optional
        What errors call the columns; by default their indices.
    numbers : list of int, optional
        What errors call the bags (the rows, where there are no offsets); by default their places.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_views)
        True where the whole block of the view is NaN.

    Raises
    ------
    ValueError
        If a block is NaN in part, or X has an infinity in a view.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.views import missing_blocks
    >>> X = np.array([[1.0, 2.0, 3.0], [np.nan, np.nan, 4.0]])
    >>> missing_blocks(X, {"a": np.array([0, 1]), "b": np.array([2])})
    array([[False, False],
           [ True, False]])
    """
    missing = np.zeros((X.shape[0], len(views)), dtype=bool)
    values = X.data if sparse.issparse(X) else X
    if values.dtype.kind != "f":
        return missing
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):  # one cheap pass: NaN and infinities survive a sum
            return missing
    rows = None

    def place(row):
        return _place(row if rows is None else int(rows[row]), offsets, numbers)

    if sparse.issparse(X):
        entries = X.tocoo()
        rows = np.unique(entries.row[~np.isfinite(entries.data)])
        X = X.tocsr()[rows]
    for k, (name, columns) in enumerate(views.items()):
        of_view = columns if labels is None else [labels[column] for column in columns]
        block = X[:, _as_slice(columns)]
        block = block.toarray() if sparse.issparse(block) else block
        found = _missing_rows(
            call_view(name, views), block, of_view, place, "row" if offsets is None else "unit"
        )
        missing[slice(None) if rows is None else rows, k] = found
    return missing


def _as_slice(columns):
    """A slice for a contiguous run, so that its block is a view of X, not a copy."""
    first, last = int(columns[0]), int(columns[-1])
    is_run = last - first + 1 == len(columns) and np.all(np.diff(columns) == 1)
    return slice(first, last + 1) if is_run else columns


def _missing_rows(where, block, labels, place, what):
    holes = np.isnan(block)
    partly = holes.any(axis=1)
    wholly = holes.all(axis=1)
    partly &= ~wholly
    if partly.any():
        row = int(np.argmax(partly))
        raise ValueError(
            f"{where}: {_rows(partly.sum(), what)} partly NaN (first: "
            f"{place(row)}, {_columns(labels, holes[row])}). Impute these values "
            "before, for instance by SimpleImputer"
            + ", or make the whole block NaN to mark the view as missing there" * (where != "X")
            + "."
        )
    infinite = np.isinf(block).any(axis=1)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise ValueError(
            f"{where}: {_rows(infinite.sum(), what)} not finite: infinity found (first: "
            f"{place(row)}, {_columns(labels, np.isinf(block[row]))}). Replace or drop "
            "these values."
        )
    return wholly


def _rows(count, what):
    return f"{count} {what} is" if count == 1 else f"{count} {what}s are"


def _place(row, offsets, numbers):
    bag = row if offsets is None else int(np.searchsorted(offsets, row, side="right")) - 1
    number = bag if numbers is None else numbers[bag]
    return f"row {number}" if offsets is None else f"unit {row - offsets[bag]} of bag {number}"


def _columns(labels, chosen):
    found = [labels[place] for place in np.flatnonzero(chosen)]
    shown = ", ".join(repr(x) if isinstance(x, str) else str(x) for x in found[:5])
    shown += ", ..." if len(found) > 5 else ""
    return f"column{'s' if len(found) > 1 else ''} {shown}"
