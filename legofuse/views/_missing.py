"""Which blocks of a table are missing, and which are broken."""

import numpy as np
from scipy import sparse

from .._labels import call_view
from ._columns import resolve_views
from ._numbers import read_numbers
from ._take import take_columns, used_columns

_MOST_VIEWS = 5  # that an error lists


def missing_blocks(X, views):
    """Which views are missing (all NaN) in which rows.

    Parameters
    ----------
    X : array-like, frame or sparse of shape (n_rows, n_features)
        The table. Columns in no view are not looked at.
    views : dict, list of (str, columns), int or None
        Which columns form which view, as :func:`resolve_views` takes them.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_views)
        True where the whole block of the view is NaN.

    Raises
    ------
    TypeError
        If `views` are of a wrong type, or a view holds times.
    ValueError
        If X is not 2-D, a block is NaN in part, X has an infinity or no numbers in a view, or
        `views` do not fit X.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.views import missing_blocks
    >>> X = np.array([[1.0, 2.0, 3.0], [np.nan, np.nan, 4.0]])
    >>> missing_blocks(X, {"a": slice(0, 2), "b": [2]})
    array([[False, False],
           [ True, False]])
    """
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(f"Expected 2D array, got {len(X.shape)}D array instead.")
    columns = resolve_views(views, X.shape[1], frame=X)
    used, places = used_columns(columns)
    table = read_numbers(
        take_columns(X, used),
        places,
        used,
        accept_sparse="csr",
        ensure_all_finite=False,
        ensure_min_samples=0,
    )
    labels = list(X.columns) if hasattr(X, "columns") else range(X.shape[1])
    return find_missing(table, places, labels=[labels[k] for k in used])


def find_missing(X, views, offsets=None, labels=None, numbers=None):
    """Find the missing views of a table that was read: as :func:`missing_blocks`.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
    views : dict of str to ndarray of int
        As :func:`resolve_views` returns them.
    offsets : ndarray of shape (n_bags + 1,), optional
        Where rows are units of bags: bag i holds rows ``offsets[i]:offsets[i + 1]``, and errors
        name bag and unit.
    labels : sequence of n_features names or ints, optional
        What errors call the columns; by default their indices.
    numbers : list of int, optional
        What errors call the bags (the rows, where there are no offsets); by default their places.
    """
    missing = np.zeros((X.shape[0], len(views)), dtype=bool)
    values = X.data if sparse.issparse(X) else X
    if values.dtype.kind != "f":
        return missing
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):  # one cheap pass: NaN and infinities survive a sum
            return missing
    rows, broken = None, {}

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
        where, what = call_view(name, views), "row" if offsets is None else "unit"
        found, partly = _missing_rows(where, block, of_view, place, what)
        missing[slice(None) if rows is None else rows, k] = found
        if partly:
            broken[where] = partly
    if broken:
        raise ValueError(_say_partly(broken, offsets is not None))
    return missing


def _as_slice(columns):
    """A slice for a contiguous run, so that its block is a view of X, not a copy."""
    first, last = int(columns[0]), int(columns[-1])
    is_run = last - first + 1 == len(columns) and np.all(np.diff(columns) == 1)
    return slice(first, last + 1) if is_run else columns


def _missing_rows(where, block, labels, place, what):
    """Rows that lack the view; how many are partly NaN, and the first, in words (or None)."""
    holes = np.isnan(block)
    partly = holes.any(axis=1)
    wholly = holes.all(axis=1)
    partly &= ~wholly
    infinite = np.isinf(block).any(axis=1)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise ValueError(
            f"{where}: {_rows(infinite.sum(), what)} not finite: infinity found (first: "
            f"{place(row)}, {_columns(labels, np.isinf(block[row]))}). Replace or drop "
            "these values."
        )
    if not partly.any():
        return wholly, None
    row, count = int(np.argmax(partly)), int(partly.sum())
    said = f"{_rows(count, what)} partly NaN (first: {place(row)}, {_columns(labels, holes[row])})"
    return wholly, (count, said)


def _say_partly(broken, of_bags):
    """Which views are NaN in part, and what to do about it."""
    (where, (_, said)), *others = broken.items()
    if where == "X":
        return f"X: {said}. Impute these values before, for instance by SimpleImputer."
    listed = [f"{count} in {view}" for view, (count, _) in others[:_MOST_VIEWS]]
    if len(others) > _MOST_VIEWS:
        listed.append(f"some in {len(others) - _MOST_VIEWS} more views")
    also = f"; so are {', '.join(listed)}" if listed else ""
    imputer = "PerUnit(ImputeWithin(views))" if of_bags else "ImputeWithin(views)"
    return (
        f"{where}: {said}{also}. Impute these values before, by legofuse's `{imputer}`, which "
        "leaves missing views alone (SimpleImputer would fill them), or make the whole block NaN "
        "to mark the view as missing there."
    )


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
