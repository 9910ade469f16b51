"""Ragged bags packed into one array of units."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from .._labels import refuse_masked
from ._form import FLAT, check_form, is_2d, is_bag_sequence, is_frame, is_table


class Bags(NamedTuple):
    """A packed batch of ragged bags, as `check_bags` returns it.

    Attributes
    ----------
    units : ndarray of shape (n_units_total, n_features)
        The units of all bags, one bag after the other.
    offsets : ndarray of int64, shape (n_bags + 1,)
        Bag i holds ``units[offsets[i]:offsets[i + 1]]``.
    n_padding : ndarray of int64, shape (n_bags,)
        Trailing all-NaN units of a 3-D array; they are not among `units`.
    feature_names : list of str or None
        Names of the columns, where the bags came as frames.
    """

    units: np.ndarray
    offsets: np.ndarray
    n_padding: np.ndarray
    feature_names: list | None

    @property
    def lengths(self):
        """Number of units of each bag, shape (n_bags,)."""
        return np.diff(self.offsets)

    @property
    def bag_of_unit(self):
        """Index of the bag that each unit is in, shape (n_units_total,)."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def split(self, values):
        """Cut an array with one row for each unit into a list with one array for each bag.

        Parameters
        ----------
        values : ndarray of shape (n_units, ...)
            One row for each unit.

        Returns
        -------
        list of ndarray
            One array for each bag.
        """
        return np.split(values, self.offsets[1:-1])


def check_bags(X, n_labels=None, numbers=None):
    """Check bags and pack them into one array of units.

    Parameters
    ----------
    X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
        Of a 3-D array (n_bags, n_units, n_features), trailing units that are all NaN are padding.
        Each row of a 2-D array is a bag of one unit. Bags may be frames.
    n_labels : int, optional
        How many labels came with X, where that is known.
    numbers : list of int, optional
        What errors call the bags; by default their places in X.

    Returns
    -------
    Bags
        A named tuple ``(units, offsets, n_padding, feature_names)``; `units` is float32 if all of
        X is float32 or shorter, else float64. NaN and infinity are not looked at.

    Raises
    ------
    TypeError
        If X is no sequence, sparse, a dict, or a list of lists of bags.
    ValueError
        If X is 1-D, there is no bag, a bag is empty, not numeric, not 2-D or of another width, has
        masked values, or the number of bags is not `n_labels`.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import check_bags
    >>> bags = check_bags([np.zeros((2, 3)), np.ones((1, 3))])
    >>> bags.units.shape, bags.offsets, bags.lengths
    ((3, 3), array([0, 2, 3]), array([2, 1]))
    """
    X = check_form(X)
    refuse_masked(X, "X")
    if n_labels is not None:
        _check_n_labels(X, n_labels)
    if is_bag_sequence(X):
        return _pack(X, numbers or range(len(X)))
    names = _names(X)
    X = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite=False, allow_nd=True)
    if X.ndim > 3:
        raise ValueError(
            "X must be a sequence of bags (n_units, n_features), a 3-D array of bags, or a 2-D "
            f"array of bags of one unit each; got {X.ndim} dimensions."
        )
    if X.ndim == 3:
        return _unpad(X, numbers or range(len(X)))
    return Bags(X, np.arange(len(X) + 1), np.zeros(len(X), dtype=np.int64), names)


def pack_frames(X, n_labels=None, numbers=None):
    """Join bags that are frames of one kind (or the rows of one), whose columns may hold anything.

    Parameters
    ----------
    X : object
        Bags in any form that :func:`check_bags` takes.
    n_labels : int, optional
        How many labels came with X, where that is known.
    numbers : list of int, optional
        What errors call the bags; by default their places in X.

    Returns
    -------
    Bags or None
        Its units are a frame. None where X is something else, which :func:`check_bags` looks at.

    Examples
    --------
    >>> import pandas as pd
    >>> from legofuse.bags import pack_frames
    >>> bag = pd.DataFrame({"height": [1.5, 2.5], "place": ["here", "there"]})
    >>> pack_frames([bag, bag[:1]]).units["place"].tolist()
    ['here', 'there', 'here']
    """
    is_one = is_frame(X)
    if not is_one and not (is_bag_sequence(X) and all(map(is_frame, X))):
        return None
    frames = [X] if is_one else list(X)
    if len({type(frame) for frame in frames}) > 1 or not len(X):
        return None
    if n_labels is not None:
        _check_n_labels(X, n_labels)
    numbers = (numbers or range(len(X)))[: len(frames)]
    if not is_one:
        for frame, i in zip(frames, numbers, strict=True):
            _refuse_empty(frame, i)
    lengths = [1] * len(X) if is_one else list(map(len, frames))
    names = common_names(frames, numbers)
    if names is None and any(list(f.columns) != list(frames[0].columns) for f in frames):
        return None  # they would be joined by what the columns are called
    units = X if is_one else _join_frames(frames)
    return Bags(units, _offsets(lengths), np.zeros(len(lengths), np.int64), names)


def _join_frames(frames):
    if hasattr(frames[0], "iloc"):
        import pandas as pd

        return pd.concat(frames)
    import polars as pl

    return pl.concat(frames, how="vertical_relaxed")


def _check_n_labels(X, n_labels):
    n_bags = _n_rows(X)
    if n_bags == n_labels:
        return
    message = f"{n_bags} bags but {n_labels} labels"
    if is_bag_sequence(X) and all(is_2d(item) and _n_rows(item) == n_labels for item in X):
        raise ValueError(
            f"{message}: did you mean `stack_views`? Each array has {n_labels} rows, so X looks "
            "like a list of views: use `X, views = stack_views(Xs)`."
        )
    table = " Each row of a 2-D X is a bag of one unit; one bag is given as `[X]`." * is_table(X)
    raise ValueError(f"{message}: give one label for each bag.{table}")


def _n_rows(item):
    return item.shape[0] if hasattr(item, "shape") else len(item)


def _names(frame):
    """Column names of a frame, or None where there are none (or they are not strings)."""
    names = list(getattr(frame, "columns", []))
    return names if names and all(isinstance(name, str) for name in names) else None


def _pack(X, numbers):
    bags = list(map(_check_bag, X, numbers))
    width = bags[0].shape[1]
    for i, bag in zip(numbers, bags, strict=True):
        if bag.shape[1] != width:
            raise ValueError(
                f"bag {i} has {bag.shape[1]} features, but bag {numbers[0]} has {width}; all bags "
                "must have the same features (bags of several domains need views by domain and "
                "`sample_domain`)."
            )
    lengths = [len(bag) for bag in bags]
    names = common_names(X, numbers)
    return Bags(np.concatenate(bags), _offsets(lengths), np.zeros(len(bags), np.int64), names)


def common_names(bags, numbers):
    names = _names(bags[0])
    for i, bag in zip(numbers, bags, strict=True):
        if _names(bag) != names:
            raise ValueError(
                f"bag {i} has other column names than bag {numbers[0]}"
                f"{_difference(_names(bag), names, i, numbers[0])}."
            )
    return names


def _difference(names, first, i, j):
    """In what names of columns of bag i differ from those of bag j, and what to do."""
    if names is None or first is None:
        return (
            f": bag {j if first is None else i} has no names, or not strings. Give all bags as "
            "frames with the same names, or all as arrays"
        )
    here, there = ([c for c in a if c not in b] for a, b in ((names, first), (first, names)))
    if not here and not there:
        return "; order the columns of all bags alike"
    differ = [
        f"bag {k} has {', '.join(map(repr, found[:3]))}{', ...' * (len(found) > 3)}, "
        f"which bag {other} lacks"
        for k, other, found in ((i, j, here), (j, i, there))
        if found
    ]
    return f": {', and '.join(differ)}. Give all bags the same columns, in the same order"


def _offsets(lengths):
    return np.concatenate([[0], np.cumsum(lengths)])


def _check_bag(bag, i):
    if sparse.issparse(bag):
        raise TypeError(f"bag {i} is sparse; bags must be dense: use `.toarray()`.")
    refuse_masked(bag, f"bag {i}")
    try:
        units = np.asarray(bag)
        if units.dtype.kind in "cmM":
            raise TypeError("complex numbers, or times")
        if units.dtype not in (np.float32, np.float64):
            units = units.astype(np.float32 if units.dtype == np.float16 else np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"bag {i} is not an array of real numbers (n_units, n_features)."
        ) from error
    if units.ndim:
        _refuse_empty(units, i)
    if units.ndim != 2:
        hint = f": give {FLAT}" if units.ndim == 1 else ""
        raise ValueError(
            f"bag {i} must have 2 dimensions (n_units, n_features), got {units.ndim}{hint}."
        )
    return units


def _refuse_empty(bag, i):
    if len(bag) == 0:
        raise ValueError(f"bag {i} is empty: it has no units. Drop it, and its label.")


def _unpad(X, numbers):
    """Pack a 3-D array, its trailing all-NaN units left out."""
    n_bags, n_units, width = X.shape
    if not n_units:
        raise ValueError(f"X of shape {X.shape} holds bags without units.")
    n_real = np.full(n_bags, n_units)
    with np.errstate(over="ignore", invalid="ignore"):
        may_have_nan = not np.isfinite(X.sum())
    if may_have_nan:
        real = ~np.isnan(X).all(axis=2)
        n_real = np.where(real.any(axis=1), n_units - np.argmax(real[:, ::-1], axis=1), 0)
    if np.any(n_real == 0):
        i = numbers[int(np.argmax(n_real == 0))]
        raise ValueError(f"bag {i} is empty: all its units are NaN. Drop it, and its label.")
    units = (
        X[np.arange(n_units) < n_real[:, None]]
        if may_have_nan
        else X.reshape(n_bags * n_units, width)
    )
    return Bags(units, _offsets(n_real), n_units - n_real, None)
