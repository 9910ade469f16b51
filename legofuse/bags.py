"""What a bag is: several units under one label. Packing, segments, and per-unit transformers.

A bag is an (n_units, n_features) array; a batch of ragged bags is packed into one array of units
plus offsets, so that what follows needs no loop over bags. Nothing of legofuse is imported here.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import check_array, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

__all__ = ["Bags", "PerUnit", "check_bags", "segment", "segment_means", "to_bags", "unit_segments"]


# ------------------------------------------------------------------ packing
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
        """Cut an array with one row for each unit into a list with one array for each bag."""
        return np.split(values, self.offsets[1:-1])


def check_bags(X, n_labels=None):
    """Check bags and pack them into one array of units.

    Parameters
    ----------
    X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
        Of a 3-D array (n_bags, n_units, n_features), trailing units that are all NaN are padding.
        Each row of a 2-D array is a bag of one unit. Bags may be frames.
    n_labels : int, optional
        How many labels came with X, where that is known.

    Returns
    -------
    Bags
        A named tuple ``(units, offsets, n_padding, feature_names)``; `units` is float32 if all of
        X is float32 or shorter, else float64. NaN and infinity are not looked at.

    Raises
    ------
    TypeError
        If X is sparse, or a dict.
    ValueError
        If there is no bag, a bag is empty, not numeric, not 2-D or of another width, or the number
        of bags is not `n_labels`.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import check_bags
    >>> bags = check_bags([np.zeros((2, 3)), np.ones((1, 3))])
    >>> bags.units.shape, bags.offsets, bags.lengths
    ((3, 3), array([0, 2, 3]), array([2, 1]))
    """
    if isinstance(X, dict):
        raise TypeError(
            "X is a dict, not a sequence of bags; of views by name, each a list of bags, "
            "`X, views = stack_views(Xs)` makes one list."
        )
    if n_labels is not None:
        _check_n_labels(X, n_labels)
    if _is_bag_sequence(X):
        return _pack(X)
    names = _names(X)
    X = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite=False, allow_nd=True)
    if X.ndim > 3:
        raise ValueError(
            "X must be a sequence of bags (n_units, n_features), a 3-D array of bags, or a 2-D "
            f"array of bags of one unit each; got {X.ndim} dimensions."
        )
    if X.ndim == 3:
        return _unpad(X)
    return Bags(X, np.arange(len(X) + 1), np.zeros(len(X), dtype=np.int64), names)


def _is_bag_sequence(X):
    """True for a list, tuple or object array whose items are two-dimensional or frames."""
    if isinstance(X, np.ndarray) and (X.dtype != object or X.ndim != 1):
        return False
    return isinstance(X, list | tuple | np.ndarray) and len(X) > 0 and any(map(_is_2d, X))


def _is_2d(item):
    if isinstance(item, list | tuple):
        first = item[0] if len(item) else None
        return isinstance(first, list | tuple) or getattr(first, "ndim", None) == 1
    return len(getattr(item, "shape", ())) == 2


def _check_n_labels(X, n_labels):
    n_bags = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_bags == n_labels:
        return
    message = f"{n_bags} bags but {n_labels} labels"
    if _is_bag_sequence(X) and all(_is_2d(item) and _n_rows(item) == n_labels for item in X):
        raise ValueError(
            f"{message}: did you mean `stack_views`? Each array has {n_labels} rows, so X looks "
            "like a list of views: use `X, views = stack_views(Xs)`."
        )
    raise ValueError(f"{message}: give one label for each bag.")


def _n_rows(item):
    return item.shape[0] if hasattr(item, "shape") else len(item)


def _names(frame):
    """Column names of a frame, or None where there are none (or they are not strings)."""
    names = list(getattr(frame, "columns", []))
    return names if names and all(isinstance(name, str) for name in names) else None


def _pack(X):
    bags = [_check_bag(bag, i) for i, bag in enumerate(X)]
    width = bags[0].shape[1]
    for i, bag in enumerate(bags):
        if bag.shape[1] != width:
            raise ValueError(
                f"bag {i} has {bag.shape[1]} features, but bag 0 has {width}; all bags must have "
                "the same features (bags of several domains need views by domain and "
                "`sample_domain`)."
            )
    lengths = [len(bag) for bag in bags]
    names = _common_names(X)
    return Bags(np.concatenate(bags), _offsets(lengths), np.zeros(len(bags), np.int64), names)


def _common_names(bags):
    names = _names(bags[0])
    for i, bag in enumerate(bags):
        if _names(bag) != names:
            raise ValueError(
                f"bag {i} has other column names than bag 0; order the columns of all bags alike."
            )
    return names


def _offsets(lengths):
    return np.concatenate([[0], np.cumsum(lengths)])


def _check_bag(bag, i):
    if sparse.issparse(bag):
        raise TypeError(f"bag {i} is sparse; bags must be dense: use `.toarray()`.")
    try:
        units = np.asarray(bag)
        if units.dtype.kind == "c":
            raise TypeError("complex numbers")
        if units.dtype not in (np.float32, np.float64):
            units = units.astype(np.float32 if units.dtype == np.float16 else np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"bag {i} is not an array of real numbers (n_units, n_features)."
        ) from error
    if len(units) == 0:
        raise ValueError(f"bag {i} is empty: it has no units. Drop it, and its label.")
    if units.ndim != 2:
        raise ValueError(f"bag {i} must have 2 dimensions (n_units, n_features), got {units.ndim}.")
    return units


def _unpad(X):
    """Pack a 3-D array, its trailing all-NaN units left out."""
    n_bags, n_units, width = X.shape
    n_real = np.full(n_bags, n_units)
    with np.errstate(over="ignore", invalid="ignore"):
        may_have_nan = not np.isfinite(X.sum())
    if may_have_nan:
        real = ~np.isnan(X).all(axis=2)
        n_real = np.where(real.any(axis=1), n_units - np.argmax(real[:, ::-1], axis=1), 0)
    if np.any(n_real == 0):
        i = int(np.argmax(n_real == 0))
        raise ValueError(f"bag {i} is empty: all its units are NaN. Drop it, and its label.")
    units = X[np.arange(n_units) < n_real[:, None]] if may_have_nan else X.reshape(-1, width)
    return Bags(units, _offsets(n_real), n_units - n_real, None)


def to_bags(X, groups):
    """Cut a long table into bags by the bag id of each row.

    Parameters
    ----------
    X : array or frame of shape (n_units_total, n_features)
        The units of all bags, in any order; a frame is cut into frames, a sparse matrix is refused.
    groups : array-like of shape (n_units_total,)
        The bag of each unit: ints or strings.

    Returns
    -------
    bags : list of arrays or frames of shape (n_units_i, n_features)
        Units keep the order they have in X.
    ids : ndarray of shape (n_bags,)
        The id of each bag, sorted as by `numpy.unique`, whatever the order of the rows.

    Raises
    ------
    TypeError
        If X is sparse.
    ValueError
        If `groups` is not one id for each row of X, or an id is missing (NaN or None).

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import to_bags
    >>> bags, ids = to_bags(np.arange(6.0).reshape(3, 2), groups=["b", "a", "b"])
    >>> ids.tolist(), [bag.tolist() for bag in bags]
    (['a', 'b'], [[[2.0, 3.0]], [[0.0, 1.0], [4.0, 5.0]]])
    """
    if sparse.issparse(X):
        raise TypeError("X is sparse; bags must be dense: use `.toarray()`.")
    X = X if _is_frame(X) else np.asarray(X)
    groups = np.asarray(groups)
    if len(X.shape) != 2:
        raise ValueError(f"X must be one table of units with 2 dimensions, got {len(X.shape)}.")
    if groups.shape != X.shape[:1]:
        raise ValueError(
            f"groups must hold one bag id for each of the {len(X)} rows of X, got shape "
            f"{groups.shape}."
        )
    if any(group is None or group != group for group in groups.tolist()):
        raise ValueError("groups has missing ids (NaN or None): every unit must be in a bag.")
    ids, bag_of_unit = np.unique(groups, return_inverse=True)
    order = np.argsort(bag_of_unit, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(bag_of_unit))[:-1])
    return [X.iloc[row] if hasattr(X, "iloc") else X[row] for row in rows], ids


def _is_frame(X):
    return hasattr(X, "columns") and hasattr(X, "shape")


# ------------------------------------------------------------------ segments
def segment_means(units, offsets, n_segments=32):
    """Resample every bag of a packed batch to the same number of temporal segments.

    A bag of n units is cut at ``floor(i * n / n_segments)``, and each segment is the mean of its
    units; a bag with fewer units than segments repeats them [1]_. Missing values (NaN) are left out
    of the means, so a view is missing in a segment only where all its units miss it.

    Parameters
    ----------
    units : ndarray of shape (n_units_total, n_features)
        The units of all bags, in temporal order.
    offsets : ndarray of int, shape (n_bags + 1,)
        Where each bag begins and ends, as in `Bags`; no bag may be empty.
    n_segments : int, default=32
        Segments a bag.

    Returns
    -------
    ndarray of shape (n_bags, n_segments, n_features)
        The segments; float32 and float64 are kept.

    See Also
    --------
    unit_segments : Carries scores of segments back to the units.

    References
    ----------
    .. [1] W. Sultani, C. Chen and M. Shah, "Real-world anomaly detection in surveillance videos",
       CVPR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import segment_means, unit_segments
    >>> units, offsets = np.array([[0.0], [2.0], [4.0], [7.0]]), np.array([0, 3, 4])
    >>> segment_means(units, offsets, n_segments=2)[:, :, 0]
    array([[0., 3.],
           [7., 7.]])
    >>> scores = np.array([[0.1, 0.9], [0.5, 0.5]])  # one for each segment
    >>> scores.ravel()[unit_segments(offsets, n_segments=2)]
    array([0.1, 0.9, 0.9, 0.5])
    """
    _check_n_segments(n_segments)
    starts = offsets[:-1, None] + np.arange(n_segments) * np.diff(offsets)[:, None] // n_segments
    shape = (*starts.shape, units.shape[1])
    sizes = np.maximum(np.diff(starts, axis=1, append=offsets[1:, None]), 1).ravel()
    ends = np.cumsum(sizes)
    members = np.repeat(starts.ravel() - ends + sizes, sizes) + np.arange(ends[-1])
    ones = np.ones(ends[-1], dtype=units.dtype)
    sums = sparse.csr_array((ones, members, np.append(0, ends)), shape=(len(ends), len(units)))
    holes = np.isnan(units)
    if not holes.any():
        segments = sums @ units
        segments /= sizes[:, None]
        return segments.reshape(shape)
    segments = sums @ np.where(holes, 0, units)
    with np.errstate(invalid="ignore"):
        segments /= sums @ (~holes).astype(units.dtype)  # 0 / 0: missing in the whole segment
    return segments.reshape(shape)


def unit_segments(offsets, n_segments=32):
    """The segment that each unit's score is read from, after `segment_means`.

    Parameters
    ----------
    offsets : ndarray of int, shape (n_bags + 1,)
        Where each bag begins and ends.
    n_segments : int, default=32
        Segments a bag.

    Returns
    -------
    ndarray of int64, shape (n_units_total,)
        Index into the flattened (n_bags * n_segments) scores of segments. Of several segments that
        repeat one unit, the last.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.bags import unit_segments
    >>> unit_segments(np.array([0, 4, 6]), n_segments=2)
    array([0, 0, 1, 1, 2, 3])
    """
    _check_n_segments(n_segments)
    lengths = np.diff(offsets)
    bag = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(offsets[-1]) - offsets[bag]
    return bag * n_segments + ((place + 1) * n_segments - 1) // lengths[bag]


def segment(X, n_segments=32):
    """Resample one bag, or each of several, to `n_segments` equal temporal segments by averaging.

    Parameters
    ----------
    X : 2-D array (one bag), or sequence of 2-D arrays, or 3-D array (bags)
        Units in temporal order; as in `check_bags`, save that a 2-D array is one bag.
    n_segments : int, default=32
        Segments a bag.

    Returns
    -------
    ndarray of shape (n_segments, n_features) or (n_bags, n_segments, n_features)
        The segments, as `segment_means` describes them.

    Raises
    ------
    ValueError
        If `n_segments` is no positive int, or X is wrong in a way that `check_bags` tells.

    Examples
    --------
    In a Pipeline, before an estimator of bags:

    >>> import numpy as np
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from legofuse.bags import segment
    >>> resample = FunctionTransformer(segment, kw_args={"n_segments": 4})
    >>> resample.fit_transform([np.zeros((9, 2)), np.ones((3, 2))]).shape
    (2, 4, 2)
    """
    is_one = (
        getattr(X, "ndim", None) == 2 or _is_frame(X) or (_is_2d(X) and not _is_bag_sequence(X))
    )
    bags = check_bags([X] if is_one else X)
    segments = segment_means(bags.units, bags.offsets, n_segments)
    return segments[0] if is_one else segments


def _check_n_segments(n_segments):
    if not isinstance(n_segments, Integral) or isinstance(n_segments, bool) or n_segments < 1:
        raise ValueError(f"n_segments must be an int of at least 1, got {n_segments!r}.")


# ------------------------------------------------------------------ transformers of units
def _transformer_has(method):
    return available_if(
        lambda self: hasattr(getattr(self, "transformer_", self.transformer), method)
    )


class PerUnit(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Apply a transformer of rows to the units of bags.

    The units of all bags are stacked, the transformer is fitted on them, and what it makes of them
    is cut into bags again: ``PerUnit(StandardScaler())`` stands before an estimator of bags in a
    Pipeline. A 2-D X goes to the transformer as it is.

    Parameters
    ----------
    transformer : transformer
        Any scikit-learn transformer that gives a row for each row: a scaler, PCA, a
        ColumnTransformer (bags that are frames stay frames), a Pipeline of these.
    broadcast_y : bool, default=False
        Whether `fit` gives the transformer y, each unit with the (weak) label of its bag.

    Attributes
    ----------
    transformer_ : transformer
        The fitted clone.
    n_features_in_, feature_names_in_
        What the fitted transformer says of the units.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from legofuse.bags import PerUnit
    >>> bags = [np.array([[0.0], [2.0]]), np.array([[4.0]])]
    >>> scaler = PerUnit(StandardScaler(with_std=False)).fit(bags)
    >>> [bag.tolist() for bag in scaler.transform(bags)]
    [[[-2.0], [0.0]], [[2.0]]]
    """

    def __init__(self, transformer, *, broadcast_y=False):
        self.transformer = transformer
        self.broadcast_y = broadcast_y

    def fit(self, X, y=None):
        """Fit the transformer on the units of all bags.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays or frames, 3-D array, or 2-D table
            Bags, as `check_bags` describes them.
        y : array-like of shape (n_bags,), optional
            Labels of the bags, used with `broadcast_y` only.

        Returns
        -------
        PerUnit
            Itself.
        """
        units, lengths, _ = _stack(X, len(y) if hasattr(y, "__len__") else None)
        if not self.broadcast_y or y is None:
            y = None
        elif lengths is not None:
            y = np.repeat(np.asarray(y), lengths, axis=0)
        self.transformer_ = clone(self.transformer).fit(units, y)
        return self

    def transform(self, X):
        """Transform every unit.

        Parameters
        ----------
        X : as in `fit`
            Bags.

        Returns
        -------
        list of arrays or frames, 3-D array, or 2-D table
            Bags in the form X has; a 3-D array keeps its NaN padding. Sparse output is made dense.
        """
        check_is_fitted(self)
        units, *form = _stack(X)
        return _unstack(self.transformer_.transform(units), *form)

    @_transformer_has("get_feature_names_out")
    def get_feature_names_out(self, input_features=None):
        """Names of the features of a transformed unit, as the transformer gives them."""
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    @_transformer_has("set_output")
    def set_output(self, *, transform=None):
        """Choose "default", "pandas" or "polars" output, as in scikit-learn, for each bag."""
        for name in {"transformer", "transformer_"} & vars(self).keys():
            getattr(self, name).set_output(transform=transform)
        return self

    def __getattr__(self, name):
        if name in ("n_features_in_", "feature_names_in_") and "transformer_" in vars(self):
            return getattr(self.transformer_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags = inner.input_tags
        tags.transformer_tags = inner.transformer_tags
        tags.requires_fit = inner.requires_fit
        tags.target_tags.required = inner.target_tags.required and self.broadcast_y
        return tags


def _stack(X, n_labels=None):
    """Units of all bags as one table, lengths of the bags, and the shape of a 3-D X."""
    is_cube = getattr(X, "ndim", None) == 3
    if not is_cube and not _is_bag_sequence(X):
        return X, None, None
    if not is_cube and all(map(_is_frame, X)) and len({type(frame) for frame in X}) == 1:
        lengths = np.array([len(frame) for frame in X])
        if 0 not in lengths:
            _common_names(X)
            return _concatenate(X), lengths, None
    bags = check_bags(X, n_labels)
    return bags.units, bags.lengths, X.shape[:2] if is_cube else None


def _concatenate(frames):
    if hasattr(frames[0], "iloc"):
        import pandas as pd

        return pd.concat(frames)
    import polars as pl

    return pl.concat(frames)


def _unstack(values, lengths, shape):
    """Values of units, one row each, in the form that the bags had."""
    if lengths is None:
        return values
    values = values.toarray() if sparse.issparse(values) else values
    if shape is None:
        rows = values.iloc if hasattr(values, "iloc") else values
        ends = np.cumsum(lengths).tolist()
        return [rows[end - n : end] for end, n in zip(ends, lengths.tolist(), strict=True)]
    values = np.asarray(values)
    padded = np.full((*shape, values.shape[1]), np.nan, np.result_type(values, np.float32))
    padded[np.arange(shape[1]) < lengths[:, None]] = values
    return padded
