"""Numbers of a table: what frames and their columns must be, and errors that say which is not."""

import numpy as np
from sklearn.utils import check_array

from .._labels import call_view
from ._take import take_column

MOST_LETTERS = 30  # of a text that an error quotes
_NA = "it holds objects, NA of pandas among them"
_FILL = (
    "Missing numbers are NaN: `X.astype('Float64')` makes such of a frame, and "
    "`X.to_numpy(float, na_value=np.nan)` an array of it."
)
_ENCODE = (
    "Encode it first, for instance in a ColumnTransformer; if it only identifies rows, leave it "
    "out: drop it from X, or give `views` without it."
)


def check_frame(X):
    """Refuse records, and frames not computed, or in which a name stands for several columns."""
    if fields := getattr(getattr(X, "dtype", None), "names", None):
        raise TypeError(
            f"X is an array of records (fields {', '.join(map(repr, fields))}), not a table of "
            "numbers: give a frame, `pd.DataFrame(X)`."
        )
    if hasattr(X, "collect_schema") and not hasattr(X, "shape"):
        raise TypeError("X is a frame of polars that is not computed: give X.collect().")
    names = list(X.columns) if hasattr(X, "columns") else []
    if len(set(names)) < len(names):
        name = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"X has {names.count(name)} columns named {name!r}: rename them, so that names differ, "
            "or give an array (`X.to_numpy()`) and views by position."
        )


def read_numbers(X, columns, used, **rules):
    """Numbers of a table, as :func:`sklearn.utils.check_array` reads them.

    Parameters
    ----------
    X : array, frame or sparse of shape (n_rows, n_used)
    columns : dict of str to ndarray of int
        Where the columns of each view are in X.
    used : ndarray of shape (n_used,), int
        What errors call the columns where X has no names.
    **rules
        As :func:`~sklearn.utils.check_array` takes them.
    """
    if _holds_times(X):  # scikit-learn makes numbers of some
        raise TypeError(_where_not_numeric(X, columns, used))
    try:
        return check_array(X, **rules)
    except (TypeError, ValueError) as error:
        raise type(error)(_where_not_numeric(X, columns, used) or str(error)) from error


def _holds_times(X):
    """Whether an array, or a column of a frame, is of dates, times or durations."""
    return any(map(_is_time, X.dtypes if hasattr(X, "columns") else [getattr(X, "dtype", None)]))


def _is_time(dtype):
    of_polars = getattr(dtype, "is_temporal", None)
    return of_polars() if of_polars else getattr(dtype, "kind", "O") in "mM"


def _where_not_numeric(X, columns, used):
    """Which column of which view holds no numbers, in words; None if all do."""
    names = list(X.columns) if hasattr(X, "columns") else used.tolist()
    for view, index in columns.items():
        for k in index:
            why = _why_no_numbers(take_column(X, k))
            if why:
                return (
                    f"{call_view(view, columns)}: column {names[k]!r} holds no numbers ({why}). "
                    f"{_FILL if why == _NA else _ENCODE}"
                )
    return None


def _why_no_numbers(column):
    """What a column holds that are no numbers; empty if they are."""
    values = np.asarray(column)
    if values.dtype.kind in "mM":
        return "it holds times"
    try:
        values.astype(np.float64)
    except (TypeError, ValueError) as error:
        text = next((str(value) for value in values if _is_word(value)), None)
        if text is None and any(type(value).__name__ == "NAType" for value in values):
            return _NA
        if text is None:
            return f"dtype {values.dtype}: {error}"
        kind = str(getattr(column, "dtype", "")).lower()  # of pandas and polars
        what = "categories" if kind.startswith(("category", "categorical", "enum")) else "text"
        return f"it holds {what}, such as {text[:MOST_LETTERS]!r}"
    return ""


def _is_word(value):
    """Whether a value is text that spells no number."""
    try:
        return isinstance(value, str) and float(value) is None
    except ValueError:
        return True
