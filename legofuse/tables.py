"""Tables: what estimators read from X and domains, and check.

This module may import views and _labels of legofuse, nothing else of it.
"""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import validate_data

from ._labels import check_domains, refuse_masked
from .views import check_not_list_of_views, resolve_views
from .views._missing import find_missing
from .views._numbers import MOST_LETTERS, check_frame, read_numbers
from .views._take import take_column, take_columns, used_columns

__all__ = ["Table", "read_columns", "read_domains"]


class Table(NamedTuple):
    """Checked input.

    Attributes
    ----------
    X : ndarray or CSR of shape (n_rows, n_used), float32 or float64
        The columns that views use.
    columns : dict of str to ndarray
        Columns of each view in this X.
    views : dict of str to ndarray
        Columns of each view in the caller's X.
    missing : ndarray of shape (n_rows, n_views), bool, or None
        True where a view is missing; None when none is.
    domains : ndarray or Series of shape (n_rows,), or None
        What the domain column holds.
    """

    X: Any
    columns: Any
    views: Any
    missing: Any
    domains: Any

    def __len__(self):
        """Return the number of rows."""
        return self.X.shape[0]


def _is_frame(X):
    return hasattr(X, "columns") and (hasattr(X, "iloc") or hasattr(X, "select"))


def read_columns(estimator, X, *, reset, offsets=None, numbers=None):
    """Read the columns that views use from X.

    Parameters
    ----------
    estimator : estimator
        Has ``views`` (see :func:`legofuse.views.resolve_views`) and perhaps a ``domain_column``;
        gets (``reset``) or has ``n_features_in_`` and ``feature_names_in_``.
    X : array-like, frame or sparse of shape (n_rows, n_features)
    reset : bool
        True in fit.
    offsets : ndarray of shape (n_bags + 1,), optional
        Where rows are units of bags: bag i holds rows ``offsets[i]:offsets[i + 1]``.
    numbers : list of int, optional
        What errors call the bags, or rows; by default their places.

    Returns
    -------
    Table

    Raises
    ------
    TypeError, ValueError
        If X is no table of numbers, or holds infinity, masked values or partly missing views.
    """
    check_not_list_of_views(X)
    check_frame(X)
    refuse_masked(X, "X")
    _check_not_texts(X)
    # what is fitted, set_params does not change
    domain_column = getattr(estimator, "domain_column" if reset else "_domain_index", None)
    selective = _is_frame(X) or domain_column is not None or _may_hold_words(X)
    rules = {
        "accept_sparse": "csr",
        "dtype": [np.float64, np.float32],
        "ensure_all_finite": False,
        "estimator": estimator,
    }
    if not selective and not reset and _as_fitted(estimator, X):
        pass  # nothing to be converted, nothing to be said
    elif not selective:
        del rules["estimator"]
        X = validate_data(estimator, X, reset=reset, **rules)
    else:
        X = X if hasattr(X, "shape") else np.asarray(X)
        if len(X.shape) != 2:
            raise ValueError(f"Expected 2D array, got {len(X.shape)}D array instead.")
        try:
            validate_data(estimator, X, reset=reset, skip_check_array=True)
        except ValueError as error:
            if not reset:
                _note_columns(estimator, X, error)
            raise
    if reset:
        names = getattr(estimator, "feature_names_in_", None)
        estimator.__dict__.pop("_domain_index", None)
        where = None
        if domain_column is not None:
            where = estimator._domain_index = _domain_index(domain_column, X, names)
        views = _resolve(estimator.views, X, names, domain_column, where)
    else:
        views = estimator.views_
    domains = None if domain_column is None else take_column(X, estimator._domain_index)
    used, columns = used_columns(views)
    if len(used) < X.shape[1]:
        X = take_columns(X, used)
    if selective:
        X = read_numbers(X, columns, used, **rules)
    if sp.issparse(X):
        X = sp.csr_array(X)
        if not X.has_canonical_format:  # repeated entries add up, in a copy
            X = X.copy()
            X.sum_duplicates()
    names = getattr(estimator, "feature_names_in_", None)
    labels = used if names is None else names[used]
    missing = find_missing(X, columns, offsets, labels, numbers)
    if sp.issparse(X) and missing.any():  # what is centred or missing is no zero
        X = X.toarray()
    return Table(X, columns, views, missing if missing.any() else None, domains)


def _check_not_texts(X):
    """Refuse a text, or a sequence of texts, where a table is meant."""
    is_flat = isinstance(X, str | list | tuple) or len(getattr(X, "shape", ())) == 1
    if sp.issparse(X) or not is_flat:
        return
    items = [X] if isinstance(X, str) else X
    text = next((str(item) for item in items if isinstance(item, str | bytes)), None)
    if text is not None:
        raise ValueError(
            f"X is 1-D and holds text ({text[:MOST_LETTERS]!r}), not one table of numbers with a "
            "row for each sample. Turn texts into numbers first, by a TfidfVectorizer before this "
            "estimator in a Pipeline; columns of text beside numbers, by a ColumnTransformer."
        )


def _note_columns(estimator, X, error):
    """Say how columns are put in order, and how views are marked as missing that have none."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or not _is_frame(X):
        return
    here = set(X.columns)
    lacking = [view for view, index in estimator.views_.items() if here.isdisjoint(names[index])]
    if 0 < len(lacking) < len(estimator.views_):
        error.add_note(
            f"X has no column of view {', '.join(map(repr, lacking))}. Rows that lack a view have "
            "NaN in all its columns: `X.reindex(columns=model.feature_names_in_)` adds them to a "
            "pandas frame."
        )
    if here.issuperset(names):
        error.add_note(
            "X has all columns that fit saw: `X[list(model.feature_names_in_)]` selects them in "
            "their order."
        )


def _as_fitted(estimator, X):
    """Whether X is what validation would return: an array of floats as wide as that of fit.

    Looking here first makes scoring a few rows faster by what validation takes.
    """
    return (
        type(X) is np.ndarray
        and X.dtype in (np.float64, np.float32)
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
    )


def _may_hold_words(X):
    return isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUSTmM"


def _domain_index(column, X, names):
    is_one = isinstance(column, str | Integral) and not isinstance(column, bool | np.bool_)
    if not is_one:
        raise TypeError(f"domain_column must be a name, an int or None; got {column!r}.")
    try:
        found = resolve_views({"domain_column": [column]}, X.shape[1], names, X)
    except ValueError as error:
        raise ValueError(
            "domain_column" + str(error).removeprefix("view 'domain_column'")
        ) from None
    return int(found["domain_column"][0])


def _resolve(views, X, names, domain_column, where):
    """Columns of each view; None and an int stand for all but that of the domain, at `where`."""
    if where is not None and (views is None or isinstance(views, Integral)):
        others = np.delete(np.arange(X.shape[1]), where)
        if len(others) == 0:
            raise ValueError(f"X has no column but domain_column={domain_column!r}.")
        return {view: others[index] for view, index in resolve_views(views, len(others)).items()}
    resolved = resolve_views(views, X.shape[1], feature_names=names, frame=X)
    for view, columns in resolved.items():
        if where is not None and where in columns:
            raise ValueError(
                f"domain_column={domain_column!r} is a column of view {view!r}: it must be in no "
                "view."
            )
    return resolved


def read_domains(table, sample_domain):
    """Domain of each row: from ``sample_domain`` or the domain column, as labels.

    Parameters
    ----------
    table : Table
    sample_domain : array-like of shape (n_rows,) or None

    Returns
    -------
    ndarray of shape (n_rows,), or None

    Raises
    ------
    ValueError
        If both are given, the length is wrong, or labels are missing or of several types.
    """
    if sample_domain is None:
        domains, what = table.domains, "domain_column"
    elif table.domains is not None:
        raise ValueError("Give either sample_domain or domain_column, not both.")
    else:
        domains, what = sample_domain, "sample_domain"
    if domains is None:
        return None
    return check_domains(domains, table.X.shape[0], what=what)
