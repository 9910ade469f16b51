"""Several tables, or lists of bags, side by side in one."""

from functools import wraps
from inspect import signature

import numpy as np
from scipy import sparse

from .._labels import refuse_masked
from ._columns import _short, check_named

_IF_BAGS = (
    "If they are bags, each with one label, use LEGOAnomalyClassifier, which learns from bags."
)


def check_not_list_of_views(X):
    """Refuse a bare list or dict of 2-D arrays where one 2-D X is meant.

    Searches and cross-validation split whatever `X` is along its first axis; of a list of views
    they would silently split the *views*. A list of rows stays legal.

    Parameters
    ----------
    X : object
        What a user passed as X.

    Raises
    ------
    TypeError
        If X is a dict, what `stack_views` returns (unless it is taken apart), or a list, tuple,
        Series or 1-D array of 2-D arrays, frames or sparse matrices.
    ValueError
        If X is a 3-D array.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.views import check_not_list_of_views
    >>> check_not_list_of_views([[0.0, 1.0], [2.0, 3.0]])  # two rows
    >>> check_not_list_of_views([np.eye(2), np.eye(2)])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    TypeError: X is a list of 2 two-dimensional arrays, not one table...
    """
    if isinstance(X, dict) and not sparse.issparse(X):  # a dok_matrix is a dict
        raise TypeError(
            f"X is a dict of {len(X)} entries, not one table with a row for each sample. If they "
            "are views, `stack_views` of this dict returns both, the table X and the columns of "
            "each view: `X, views = stack_views(Xs)`; pass `views=views` to the estimator."
        )
    if isinstance(X, tuple) and len(X) == 2 and isinstance(X[1], dict):
        raise TypeError(
            "X is a pair of a table and a dict, as stack_views returns: take it apart, `X, views = "
            "stack_views(Xs)`, and pass `views=views` to the estimator."
        )
    if getattr(X, "ndim", None) == 3:
        raise ValueError(
            f"X has dim 3, shape {tuple(X.shape)}, not one table with a row for each sample. "
            f"{_IF_BAGS} If they are views, one for each entry of the first axis, "
            "`X, views = stack_views(list(X))` puts them side by side."
        )
    if _is_sequence(X) and len(X) and all(map(_is_table, X)):
        raise TypeError(
            f"X is a {type(X).__name__} of {len(X)} two-dimensional arrays, not one table with a "
            "row for each sample. If they are views, stack them side by side first: "
            "`X, views = stack_views(Xs)`, and pass `views=views` to the estimator; a search or "
            "cross-validation would split the views, not the samples."
            + f" {_IF_BAGS}"
            * _may_be_bags(X)
        )


def _is_sequence(X):
    if hasattr(X, "iloc"):
        return X.ndim == 1 and X.dtype == object
    return isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1)


def _may_be_bags(tables):
    """Bags have the same columns, which views may have, too; views have the same rows."""
    shapes = [t.shape if hasattr(t, "shape") else (len(t), len(t[0])) for t in tables]
    rows, columns = map(set, zip(*shapes, strict=True))
    return len(columns) == 1 or len(rows) > 1


def _of_one_argument(function):
    """Say how several views are given where a call gives them one by one."""

    @wraps(function)
    def called(*views, **named):
        try:
            signature(function).bind(*views, **named)
        except TypeError:
            raise TypeError(
                f"{function.__name__} takes all views in one argument: `stack_views([a, b])`, or "
                'with names `stack_views({"audio": a, "video": b})`.'
            ) from None
        return function(*views, **named)

    return called


@_of_one_argument
def stack_views(Xs):
    """Put views side by side into one X, and say which columns each view got.

    Parameters
    ----------
    Xs : dict of str to view, list of (str, view), or list of views
        A view is a 2-D array, frame or sparse matrix (n_samples, n_features_v), or, for bags, a
        list of (n_units_i, n_features_v) arrays or a 3-D array (n_bags, n_units, n_features_v).
        In a list, views without names are called ``"view0"``, ``"view1"``, ...

    Returns
    -------
    X : ndarray, frame, CSR matrix, or list of ndarrays
        Frames of one library stay a frame, with columns named ``"<view>__<column>"``; if any view
        is sparse, X is CSR; of lists of bags X is a list of (n_units_i, n_features) arrays.
    views : dict of str to slice
        The columns of each view, ready to be passed to an estimator.

    Raises
    ------
    TypeError
        If `Xs` is no dict or list, a name is not a string, a view is no table, or views are given
        as several arguments.
    ValueError
        If views differ in their numbers of samples, bags or units, are not numeric, or are frames
        with different indices.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.views import stack_views
    >>> X, views = stack_views({"audio": np.zeros((5, 2)), "video": np.ones((5, 3))})
    >>> X.shape, views
    ((5, 5), {'audio': slice(0, 2, None), 'video': slice(2, 5, None)})
    """
    if not isinstance(Xs, dict | list | tuple):
        raise TypeError(
            "stack_views takes a dict {name: array} or a list of arrays, one for each view; got "
            f"{type(Xs).__name__}."
        )
    is_pairs = not isinstance(Xs, dict) and any(
        isinstance(x, list | tuple) and len(x) == 2 and isinstance(x[0], str) for x in Xs
    )
    if not isinstance(Xs, dict) and not is_pairs:
        Xs = {f"view{i}": x for i, x in enumerate(Xs)}
    blocks = check_named(Xs, "what stack_views takes", "array")
    of_bags = [name for name, block in blocks.items() if _is_bags(block)]
    if of_bags and len(of_bags) < len(blocks):
        other = next(name for name in blocks if name not in of_bags)
        raise ValueError(
            f"view {of_bags[0]!r} is a list of bags, but view {other!r} is not; give every view as "
            "a list with one (n_units, n_features) array for each bag."
        )
    return _stack_bags(blocks) if of_bags else _stack_tables(blocks)


def _is_frame(x):
    return hasattr(x, "columns") and hasattr(x, "shape")


def _is_table(x):
    """True for anything two-dimensional: array, frame, sparse, list of rows."""
    if sparse.issparse(x) or _is_frame(x) or getattr(x, "ndim", None) == 2:
        return True
    return (
        isinstance(x, list | tuple)
        and len(x) > 0
        and (isinstance(x[0], list | tuple) or getattr(x[0], "ndim", None) == 1)
    )


def _is_bags(block):
    if isinstance(block, np.ndarray) and block.dtype != object:
        return False
    if isinstance(block, list | tuple) or (isinstance(block, np.ndarray) and block.ndim == 1):
        return any(map(_is_table, block))
    return False


def _stack_tables(blocks):
    if all(_is_frame(block) for block in blocks.values()):
        libraries = {type(block).__module__.partition(".")[0] for block in blocks.values()}
        if len(libraries) == 1:
            _check_lengths(blocks)
            return _stack_frames(blocks), _slices({n: b.shape[1] for n, b in blocks.items()})
    tables = {name: _as_table(f"view {name!r}", block) for name, block in blocks.items()}
    _check_sizes({name: table.shape[0] for name, table in tables.items()}, "rows")
    parts = list(tables.values())
    if any(sparse.issparse(part) for part in parts):
        X = sparse.hstack(parts, format="csr")
    else:
        dimensions = {name: table.ndim for name, table in tables.items()}
        if len(set(dimensions.values())) > 1:
            raise ValueError(f"views differ in their number of dimensions: {dimensions}.")
        if parts[0].ndim == 3:
            _check_sizes({name: table.shape[1] for name, table in tables.items()}, "units a bag")
        X = np.concatenate(parts, axis=-1)
    return X, _slices({name: table.shape[-1] for name, table in tables.items()})


def _as_table(where, block, row="sample"):
    """One view as a numeric array of 2 (3 for bags) dimensions, or as CSR."""
    if sparse.issparse(block):
        return block.tocsr()
    if not _may_be_table(block):
        kind = "None" if block is None else f"of type {type(block).__name__}"
        raise TypeError(
            f"{where} is {kind}, not a table: give an array or a frame with a row for each {row}. "
            f"Rows of {row}s that lack a view are NaN; a view that all lack is left out."
        )
    refuse_masked(block, where)
    try:
        table = np.asarray(block)
        if table.dtype.kind not in "fiubc":
            table = table.astype(np.float64)
    except (ValueError, TypeError) as error:
        why = _where_text(block)
        raise ValueError(
            f"{where} is not a numeric array with rows of equal length{why}."
        ) from error
    if table.dtype.kind == "c":
        raise ValueError(
            f"{where} holds complex numbers: give real ones, for instance "
            "np.hstack([x.real, x.imag]) or np.abs(x)."
        )
    if table.ndim not in (2, 3):
        hint = "; reshape(-1, 1) makes one column of it" if table.ndim == 1 else ""
        raise ValueError(f"{where} must have 2 dimensions, got {table.ndim}{hint}.")
    if table.shape[-1] == 0:
        raise ValueError(f"{where} has no columns.")
    return table


def _may_be_table(block):
    if isinstance(block, str | bytes | dict | set | frozenset) or getattr(block, "ndim", None) == 0:
        return False
    return hasattr(block, "__len__") or hasattr(block, "__array__")


def _where_text(block):
    """What to do with a view that holds text; empty if it holds none."""
    values = block.to_numpy() if hasattr(block, "to_numpy") else block
    try:
        texts = [value for value in np.asarray(values, dtype=object).flat if isinstance(value, str)]
    except ValueError:  # rows of unequal length
        return ""
    if not texts:
        return ""
    return (
        f": it holds text ({_short(texts[0], 30)}). Turn it into numbers first, for instance words "
        "by `TfidfVectorizer().fit_transform(texts)`, or categories by OneHotEncoder"
    )


def _stack_frames(blocks):
    frames = [
        _renamed(block, [f"{name}__{column}" for column in block.columns])
        for name, block in blocks.items()
    ]
    if not hasattr(frames[0], "iloc"):
        stacked = frames[0]
        for frame in frames[1:]:
            stacked = stacked.hstack(frame)
        return stacked
    first, *others = blocks
    for other in others:
        if not blocks[first].index.equals(blocks[other].index):
            raise ValueError(
                f"views {first!r} and {other!r} have different row indices, so their rows may not "
                f"belong together; {_how_to_join(blocks[first].index, blocks[other].index)}, or, "
                "where rows are in one order whatever the indices say, `reset_index(drop=True)` "
                "both."
            )
    import pandas as pd

    return pd.concat(frames, axis=1)


def _check_lengths(frames):
    sizes = {name: len(frame) for name, frame in frames.items()}
    try:
        _check_sizes(sizes, "rows")
    except ValueError as error:
        indices = [getattr(frame, "index", range(len(frame))) for frame in frames.values()]
        if all(list(index) == list(range(len(index))) for index in indices):
            raise
        first = indices[0]
        other = next(index for index in indices if len(index) != len(first))
        raise ValueError(f"{error} Rows have an index: {_how_to_join(first, other)}.") from None


def _how_to_join(first, other):
    """What brings two pandas frames with different indices together."""
    if first.nlevels != other.nlevels:
        return (
            f"their indices have {first.nlevels} and {other.nlevels} levels: give both an index of "
            "the same, by `set_index` or `droplevel`"
        )
    if not (first.is_unique and other.is_unique):
        return (
            "a label stands at several rows, so labels do not say which rows belong together: give "
            "each row one of its own, by `set_index`"
        )
    if len(first) == len(other) and first.isin(other).all():
        return "they have the same rows in another order: reorder one with `.loc`"
    return (
        "give each view `.reindex(index)`, where `index = a.index.union(b.index)` makes rows that "
        "a view lacks NaN (there it is missing) and `a.index.intersection(b.index)` leaves those "
        "that all have, as `pd.concat(frames, axis=1, join='inner')` does"
    )


def _renamed(frame, names):
    if hasattr(frame, "set_axis"):
        return frame.set_axis(names, axis=1)
    return frame.rename(dict(zip(frame.columns, names, strict=True)))


def _stack_bags(blocks):
    _check_sizes({name: len(bags) for name, bags in blocks.items()}, "bags")
    X = []
    for i in range(len(next(iter(blocks.values())))):
        parts = {}
        for name, bags in blocks.items():
            where = f"view {name!r}, bag {i}"
            if sparse.issparse(bags[i]):
                raise ValueError(f"{where} is sparse; bags must be dense: use `.toarray()`.")
            parts[name] = _as_table(where, bags[i], row="unit")
            if parts[name].ndim != 2:
                raise ValueError(f"{where} must be a 2-D array (n_units, n_features).")
        _check_sizes({name: len(part) for name, part in parts.items()}, "units", f" in bag {i}")
        widths = {name: part.shape[1] for name, part in parts.items()}
        if i == 0:
            first = widths
        for name in widths:
            if widths[name] != first[name]:
                raise ValueError(
                    f"view {name!r}: bag {i} has {widths[name]} features, bag 0 has {first[name]}."
                )
        X.append(np.concatenate(list(parts.values()), axis=1))
    return X, _slices(first)


def _check_sizes(sizes, what, where=""):
    if len(set(sizes.values())) > 1:
        counts = ", ".join(f"{name!r} has {size}" for name, size in sizes.items())
        raise ValueError(
            f"views have different numbers of {what}{where}: {counts}; the same {what} must be in "
            "every view, in the same order (mark a missing view with NaN)."
        )


def _slices(widths):
    ends = np.cumsum(list(widths.values())).tolist()
    return {name: slice(end - widths[name], end) for name, end in zip(widths, ends, strict=True)}
