"""What a batch of bags looks like: lists of arrays or frames, 3-D arrays, tables."""

from collections.abc import Collection

import numpy as np
from scipy import sparse


def check_form(X):
    """Refuse what is not a batch of bags: views by name or in a list, a single row.

    Parameters
    ----------
    X : object
        What a user passed as bags.

    Returns
    -------
    object
        The same; other sequences of bags, such as a Series, in a list.

    Raises
    ------
    TypeError
        If X is no sequence, a dict, a list of lists of bags or of bags with their ids, or the pair
        that `to_bags` or `stack_views` returns.
    ValueError
        If X is 1-D (one unit, not a bag), or holds 1-D items of unequal lengths.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import check_form
    >>> check_form([np.zeros((1, 2))])
    [array([[0., 0.]])]
    >>> check_form(np.zeros(3))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: X is 1-D, of shape (3,), not bags: a bag is 2-D, (n_units, n_features)...
    """
    refuse_pair(X)
    refuse_groupby(X)
    X = in_a_list(X)
    sized = hasattr(X, "__len__") or hasattr(X, "__array__")
    if getattr(X, "shape", None) == () or isinstance(X, str | bytes) or not sized:
        kind = type(X.item() if hasattr(X, "item") else X).__name__
        raise TypeError(
            f"X is of type {kind}, not a sequence of bags: give a list of arrays "
            "(n_units, n_features)."
        )
    refuse_ids(X)
    if isinstance(X, list | tuple) and len(X) and all(map(_holds_bags, X)):
        raise TypeError(
            f"X is a {type(X).__name__} of {len(X)} sequences of bags, not one. If they are views, "
            "stack them side by side first: `X, views = stack_views(Xs)`, and pass `views=views` "
            "to the estimator."
        )
    refuse_flat(X)
    if _is_row(X):
        raise ValueError(
            f"X is 1-D, of shape ({len(X)},), not bags: a bag is 2-D, (n_units, n_features). "
            "Reshape your data: one bag is given as `[bag]`, a single unit as `[[unit]]`."
        )
    return X


def refuse_pair(X):
    """Raise where X is what `to_bags` or `stack_views` returns, not taken apart."""
    if not (isinstance(X, tuple) and len(X) == 2):
        return
    bags, other = X
    if isinstance(other, dict):
        raise TypeError(
            "X is a pair of bags and a dict, as stack_views returns: take it apart, `X, views = "
            "stack_views(Xs)`, and pass `views=views` to the estimator."
        )
    if isinstance(bags, list) and is_bag_sequence(bags) and len(getattr(other, "shape", ())) == 1:
        raise TypeError(
            "X is a pair of bags and their ids, as to_bags returns: take it apart, `bags, ids = "
            "to_bags(X, groups)`."
        )


def refuse_ids(X):
    """Raise where bags come with ids: in a dict, or as pairs of an id and a bag."""
    if isinstance(X, dict) and not sparse.issparse(X):  # a dok_matrix is a dict
        raise TypeError(
            "X is a dict, not a sequence of bags; of views by name, each a list of bags, "
            "`X, views = stack_views(Xs)` makes one list; of bags by id, `list(X.values())` does, "
            "in the order of the labels."
        )
    if isinstance(X, list | tuple) and len(X) and all(map(_is_bag_with_id, X)):
        raise TypeError(
            f"X is a {type(X).__name__} of pairs, an id and a bag, not of bags: give "
            "`[bag for _, bag in X]`, in the order of the labels."
        )


def refuse_groupby(X):
    """Raise where X is a groupby of pandas: its bags come with ids, in an order of their own."""
    if hasattr(X, "ngroups"):
        raise TypeError(
            "X is a groupby of pandas, not a sequence of bags: `bags, ids = to_bags(table, "
            "groups)` cuts a table by the bag id of each row, and labels follow the ids."
        )


FLAT = "`bag.reshape(-1, 1)` where units have one feature, `bag[None]` where it is one unit"


def refuse_flat(X):
    """Raise where X holds 1-D items of unequal lengths; of equal ones it is a table of rows."""
    is_array = getattr(X, "ndim", None) == 1 and X.dtype == object
    if not (isinstance(X, list | tuple) or is_array) or not len(X) or not all(map(_is_1d, X)):
        return
    lengths = list(map(len, X))
    other = next((i for i, n in enumerate(lengths) if n != lengths[0]), None)
    if other is not None:
        raise ValueError(
            f"X holds 1-D items of unequal lengths ({lengths[0]} in item 0, {lengths[other]} in "
            f"item {other}), not bags: a bag is 2-D, (n_units, n_features). Give {FLAT}."
        )


def in_a_list(X):
    """A Series or another collection of arrays as a list; anything else as it is."""
    known = isinstance(X, list | tuple | dict | str | bytes) or sparse.issparse(X)
    known = known or hasattr(X, "__array__")
    is_series = hasattr(X, "iloc") and X.ndim == 1 and X.dtype == object
    return list(X) if is_series or (not known and isinstance(X, Collection)) else X


def is_bag_sequence(X):
    """True for a list, tuple or object array whose items are two-dimensional or frames."""
    if isinstance(X, np.ndarray) and (X.dtype != object or X.ndim != 1):
        return False
    return isinstance(X, list | tuple | np.ndarray) and len(X) > 0 and any(map(is_2d, X))


def _is_1d(item):
    if isinstance(item, list | tuple):
        return all(map(np.isscalar, item))
    return len(getattr(item, "shape", ())) == 1


def is_2d(item):
    if isinstance(item, list | tuple):
        first = item[0] if len(item) else None
        return isinstance(first, list | tuple) or getattr(first, "ndim", None) == 1
    return len(getattr(item, "shape", ())) == 2


def is_table(X):
    """Whether X is one table, each row of which is a bag of one unit.

    Parameters
    ----------
    X : object
        Bags in any form that :func:`check_bags` takes.

    Returns
    -------
    bool
        True for a 2-D array, a frame and a list of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import is_table
    >>> bag = np.zeros((2, 3))
    >>> is_table(bag), is_table(bag.tolist()), is_table([bag])
    (True, True, False)
    """
    return is_2d(X) and not is_bag_sequence(X)


def is_frame(X):
    return hasattr(X, "columns") and hasattr(X, "shape")


def _is_row(X):
    """True for an array or list of numbers, or of other things without a shape."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and all(map(np.isscalar, X))
    is_flat = len(getattr(X, "shape", ())) == 1 and not sparse.issparse(X)
    return is_flat and len(X) > 0 and not is_bag_sequence(X)


def _is_bag_with_id(item):
    """True for a pair as a groupby yields them."""
    if not (isinstance(item, tuple) and len(item) == 2 and is_2d(item[1])):
        return False
    return isinstance(item[0], str | bytes | tuple) or not hasattr(item[0], "__len__")


def _holds_bags(item):
    return getattr(item, "ndim", None) == 3 or is_bag_sequence(item)
