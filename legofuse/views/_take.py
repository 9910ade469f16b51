"""Columns of arrays, sparse matrices and frames: taken and replaced."""

import numpy as np
from scipy import sparse


def take_column(X, index):
    """One column of an array, sparse matrix or list of rows; of a frame the Series.

    A Series alone knows the time zone of its times: arrays of those of polars lose it.
    """
    if hasattr(X, "iloc"):
        return X.iloc[:, index]
    if hasattr(X, "to_series"):
        return X.to_series(int(index))
    if sparse.issparse(X):
        return X.tocsc()[:, [index]].toarray().ravel()
    return np.asarray(X)[:, index]


def take_columns(X, used):
    """Columns of a table by sorted indices; of an array a run of them is a view of it."""
    if hasattr(X, "iloc"):
        return X.iloc[:, used]
    if hasattr(X, "columns"):
        return X[:, used.tolist()]
    if sparse.issparse(X):
        X = X.tocsr()  # matrices of coordinates have no columns to take
    if isinstance(X, np.ndarray) and used[-1] - used[0] + 1 == len(used):
        return X[:, used[0] : used[-1] + 1]  # a run of columns is not copied
    return X[:, used]


def used_columns(views):
    """Columns that some view has, sorted, and where those of each view are among them."""
    is_used = np.zeros(1 + max(index.max() for index in views.values()), bool)
    for index in views.values():
        is_used[index] = True
    places = np.cumsum(is_used) - 1
    return np.flatnonzero(is_used), {view: places[index] for view, index in views.items()}


def float_values(X):
    """The values of a pandas frame that holds floats of one kind alone; anything else as it is.

    Columns of an array are read, and written, a hundred times as fast as those of a frame.
    """
    kinds = set(X.dtypes) if hasattr(X, "iloc") else set()
    floats = len(kinds) == 1 and all(isinstance(k, np.dtype) and k.kind == "f" for k in kinds)
    return X.to_numpy() if floats else X


def replace_columns(X, columns):
    """A copy of an array or frame with some columns, by index, replaced."""
    if (table := float_values(X)) is not X:
        return type(X)(replace_columns(table, columns), index=X.index, columns=X.columns)
    if hasattr(X, "iloc"):
        new = X.copy()
        for index, values in columns.items():
            new.isetitem(index, values)
        return new
    if hasattr(X, "with_columns"):
        series = type(X.to_series(0))
        return X.with_columns([series(X.columns[i], values) for i, values in columns.items()])
    new = np.array(X)
    floats = any(np.asarray(values).dtype.kind == "f" for values in columns.values())
    if floats and new.dtype.kind in "biu":  # whole numbers cannot hold NaN
        new = new.astype(float)
    for index, values in columns.items():
        new[:, index] = values
    return new
