"""A long table cut into bags by the bag id of each row."""

import numpy as np
from scipy import sparse

from .._labels import check_ids, is_missing, refuse_masked
from ._form import is_frame, refuse_groupby


def to_bags(X, groups):
    """Cut a long table into bags by the bag id of each row.

    Parameters
    ----------
    X : array or frame of shape (n_units_total, n_features)
        The units of all bags, in any order; a frame is cut into frames, a sparse matrix is refused.
    groups : array-like of shape (n_units_total,)
        The bag of each unit: ints or strings; a Series has the index of the frame X.

    Returns
    -------
    bags : list of arrays or frames of shape (n_units_i, n_features)
        Units keep the order they have in X.
    ids : ndarray of shape (n_bags,)
        The id of each bag, sorted as by `numpy.unique` (strings as d0, d1, d10, d2), whatever the
        order of the rows. Labels in an order of their own would go to other bags without an error:
        take them by id, ``y = labels.loc[ids]`` of a Series that ids index. Times with a zone in
        a column of polars are instants of UTC without it.

    Raises
    ------
    TypeError
        If X is sparse, or a groupby of pandas.
    ValueError
        If `groups` is not one id for each row of X, has another index, an id is missing (NaN or
        None), or ids are of types that cannot be sorted together.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import to_bags
    >>> bags, ids = to_bags(np.arange(6.0).reshape(3, 2), groups=["b", "a", "b"])
    >>> ids.tolist(), [bag.tolist() for bag in bags]
    (['a', 'b'], [[[2.0, 3.0]], [[0.0, 1.0], [4.0, 5.0]]])

    Labels follow the ids:

    >>> import pandas as pd
    >>> labels = pd.Series({"b": "normal", "a": "anomaly"})
    >>> y = labels.loc[ids]
    >>> y.tolist()
    ['anomaly', 'normal']
    """
    refuse_groupby(X)
    if sparse.issparse(X):
        raise TypeError("X is sparse; bags must be dense: use `.toarray()`.")
    refuse_masked(X, "X")
    X = X if is_frame(X) else np.asarray(X)
    given, groups = groups, np.asarray(groups)
    if len(X.shape) != 2:
        raise ValueError(f"X must be one table of units with 2 dimensions, got {len(X.shape)}.")
    if groups.shape != X.shape[:1]:
        raise ValueError(
            f"groups must hold one bag id for each of the {len(X)} rows of X, got "
            f"{_instead_of_ids(X, groups)}."
        )
    if hasattr(X, "iloc") and hasattr(given, "iloc") and not X.index.equals(given.index):
        raise ValueError(
            "X and groups have different indices, so an id may not belong to the row beside it: "
            "give `groups.loc[X.index]`, or, where rows are in one order whatever the indices say, "
            "`groups.to_numpy()`."
        )
    if any(map(is_missing, given)):
        raise ValueError("groups has missing ids (NaN or None): every unit must be in a bag.")
    groups = check_ids(given, len(groups), what="groups", sample="row")
    ids, bag_of_unit = np.unique(groups, return_inverse=True)
    order = np.argsort(bag_of_unit, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(bag_of_unit))[:-1])[: len(ids)]
    return [X.iloc[row] if hasattr(X, "iloc") else X[row] for row in rows], ids


def _instead_of_ids(X, groups):
    """What a caller gave that is not one id for each row, and what to give."""
    name = groups.item() if groups.size == 1 else None
    if is_frame(X) and name in list(X.columns):
        rest = f"X.drop(columns={name!r})" if hasattr(X, "iloc") else f"X.drop({name!r})"
        return (
            f"{name!r}, the name of a column: pass the column and drop it from the features, "
            f"`to_bags({rest}, X[{name!r}])`"
        )
    if groups.ndim:
        return f"shape {groups.shape}"
    where = "of a frame's column `X[name]`" if is_frame(X) else "of an array's column k `X[:, k]`"
    return f"{name!r}: give the ids themselves, {where}"
