"""What a view is: named columns of one table, stacking of views, and which blocks are missing.

Pure functions on arrays and frames; nothing of legofuse is imported here, and pandas only when a
pandas frame was passed.
"""

import difflib
from numbers import Integral

import numpy as np
from scipy import sparse

__all__ = ["check_not_list_of_views", "missing_blocks", "resolve_views", "stack_views"]


# ------------------------------------------------------------------ which columns form which view
def resolve_views(views, n_features, feature_names=None, frame=None):
    """Turn a view specification into column indices.

    Parameters
    ----------
    views : None, int, dict or list of (str, columns)
        None is one view, named ``"x"``, of all columns. An int k splits the columns into k
        contiguous runs, as equal as possible, named ``"view0"``, ``"view1"``, ... Otherwise each
        view has a name and columns: a name or an int (negative counts from the end), a list of
        these, a slice of ints or of names (the last name included, as in ``ColumnTransformer``),
        a boolean mask, or a callable that gets `frame` and returns one of these. Views may overlap
        and need not use every column.
    n_features : int
        Number of columns of X.
    feature_names : sequence of str, optional
        Names of the columns; by default those of `frame`, if it has names.
    frame : array or frame, optional
        The X that callables are called on.

    Returns
    -------
    dict of str to ndarray of int64
        The column indices of each view, in the order given.

    Raises
    ------
    TypeError
        If the specification or a name is of a wrong type.
    ValueError
        If a view has no columns or unknown ones, a name is used twice, or there are fewer columns
        than views asked for.

    Examples
    --------
    >>> from legofuse.views import resolve_views
    >>> resolve_views({"left": slice(0, 2), "right": [-1]}, n_features=4)
    {'left': array([0, 1]), 'right': array([3])}
    >>> resolve_views({"audio": ["mfcc0", "mfcc1"]}, 3, feature_names=["mfcc0", "mfcc1", "hue"])
    {'audio': array([0, 1])}
    >>> resolve_views(2, n_features=3)
    {'view0': array([0, 1]), 'view1': array([2])}
    """
    columns = np.arange(n_features, dtype=np.int64)
    if views is None:
        return {"x": columns}
    if isinstance(views, Integral) and not isinstance(views, bool | np.bool_):
        return _contiguous_runs(int(views), columns)
    names = _column_names(feature_names, frame)
    return {
        name: _resolve_columns(name, spec, columns, names, frame)
        for name, spec in _named(views, "views", "columns").items()
    }


def _contiguous_runs(k, columns):
    if k < 1:
        raise ValueError(f"views={k}: the number of views must be at least 1.")
    if len(columns) < k:
        raise ValueError(
            f"views={k} asks for {k} views, but X has only n_features = {len(columns)} columns; "
            "give at most that many views."
        )
    return {f"view{i}": run for i, run in enumerate(np.array_split(columns, k))}


def _named(pairs, what, values):
    """A dict from a dict or a list of (name, value) pairs, names checked."""
    items = pairs.items() if isinstance(pairs, dict) else pairs
    if not isinstance(pairs, dict | list | tuple) or not all(
        isinstance(item, list | tuple) and len(item) == 2 for item in items
    ):
        raise TypeError(
            f"{what} must be None, an int, a dict {{name: {values}}} or a list of "
            f"(name, {values}); got {_short(pairs)}."
        )
    if not items:
        raise ValueError(f"{what} is empty: name at least one view.")
    named = {}
    for name, value in items:
        if not isinstance(name, str):
            raise TypeError(
                f"{what}: a view's name must be a string, got {_short(name)}; give a dict "
                f"{{name: {values}}} or a list of (name, {values})."
            )
        if name in named:
            raise ValueError(f"{what}: the name {name!r} is used for two views; rename one.")
        named[name] = value
    return named


def _column_names(feature_names, frame):
    if feature_names is None:
        feature_names = getattr(frame, "columns", None)
    if feature_names is None:
        return None
    names = list(feature_names)
    return [str(name) for name in names] if all(isinstance(n, str) for n in names) else None


def _resolve_columns(view, spec, columns, names, frame):
    where = f"view {view!r}"
    if callable(spec):
        if frame is None:
            raise TypeError(f"{where}: columns given by a callable need a frame to be called on.")
        spec = spec(frame)
    if isinstance(spec, slice):
        found = columns[_positions_slice(where, spec, names)]
    else:
        found = _resolve_list(where, spec, columns, names)
    if len(found) == 0:
        raise ValueError(
            f"{where} has no columns: {_short(spec)} selects none of the {len(columns)} columns "
            f"of X{_known(names)}."
        )
    return found


def _positions_slice(where, spec, names):
    start, stop = spec.start, spec.stop
    if isinstance(start, str) or isinstance(stop, str):
        start = None if start is None else _position(where, start, names)
        stop = None if stop is None else _position(where, stop, names) + 1
    for bound in (start, stop, spec.step):
        if isinstance(bound, bool) or not (bound is None or isinstance(bound, Integral)):
            raise TypeError(f"{where}: a slice is of ints or of names, got {spec!r}.")
    return slice(start, stop, spec.step)


def _resolve_list(where, spec, columns, names):
    is_scalar = isinstance(spec, str | Integral) and not isinstance(spec, bool | np.bool_)
    if isinstance(spec, dict | set | frozenset) or not (is_scalar or hasattr(spec, "__iter__")):
        hint = " (views by domain need `sample_domain`)" if isinstance(spec, dict) else ""
        raise TypeError(
            f"{where}: columns must be names, ints, a slice, a boolean mask or a callable, got "
            f"{_short(spec)}{hint}."
        )
    items = [spec] if is_scalar else list(spec)
    if items and all(isinstance(item, str) for item in items):
        return np.array([_position(where, item, names) for item in items], dtype=np.int64)
    if items and all(isinstance(item, bool | np.bool_) for item in items):
        if len(items) != len(columns):
            raise ValueError(
                f"{where}: the boolean mask has {len(items)} entries, but X has {len(columns)} "
                "columns; give one entry for each."
            )
        return columns[np.array(items, dtype=bool)]
    if not all(isinstance(i, Integral) and not isinstance(i, bool | np.bool_) for i in items):
        raise TypeError(
            f"{where}: columns must be all names, all ints or all booleans, got {_short(spec)}."
        )
    n = len(columns)
    outside = [int(item) for item in items if not -n <= item < n]
    if outside:
        raise ValueError(
            f"{where}: column {outside[0]} does not exist; X has {n} columns (0 to {n - 1})."
        )
    return columns[np.array(items, dtype=np.int64)]


def _position(where, name, names):
    if names is None:
        raise ValueError(
            f"{where}: column {name!r} is given by name, but X has no column names (all strings); "
            "fit on a frame, or give ints or slices."
        )
    if name not in names:
        raise ValueError(f"{where}: unknown column {name!r}{_known(names, near=name)}.")
    return names.index(name)


def _known(names, near=None):
    """Say which names there are, the nearest first where one was mistyped."""
    if not names:
        return ""
    if near is not None:
        close = difflib.get_close_matches(near, names, n=3, cutoff=0.6)
        if close:
            return f"; the nearest known names are {', '.join(map(repr, close))}"
    shown = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
    return f"; known names are {shown}"


def _short(value, limit=80):
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else f"{text[:limit]}... ({type(value).__name__})"


# ------------------------------------------------------------------ several tables into one
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
        If X is a dict, or a list or tuple of 2-D arrays, frames or sparse matrices.

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
    if isinstance(X, dict):
        what = f"a dict of {len(X)} entries"
    elif isinstance(X, list | tuple) and len(X) and all(_is_table(item) for item in X):
        what = f"a {type(X).__name__} of {len(X)} two-dimensional arrays"
    else:
        return
    raise TypeError(
        f"X is {what}, not one table with a row for each sample. If they are views, stack them "
        "side by side first: `X, views = stack_views(Xs)`, and pass `views=views` to the "
        "estimator; a search or cross-validation would split the views, not the samples."
    )


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
        If `Xs` is no dict or list, or a name is not a string.
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
    blocks = _named(Xs, "stack_views", "array")
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
        return len(block) > 0 and _is_table(block[0])
    return False


def _stack_tables(blocks):
    if all(_is_frame(block) for block in blocks.values()):
        libraries = {type(block).__module__.partition(".")[0] for block in blocks.values()}
        if len(libraries) == 1:
            _check_sizes({name: len(block) for name, block in blocks.items()}, "rows")
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


def _as_table(where, block):
    """One view as a numeric array of 2 (3 for bags) dimensions, or as CSR."""
    if sparse.issparse(block):
        return block.tocsr()
    try:
        table = np.asarray(block)
        if table.dtype.kind not in "fiub":
            table = table.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where} is not a numeric array with rows of equal length.") from error
    if table.ndim not in (2, 3):
        hint = "; reshape(-1, 1) makes one column of it" if table.ndim == 1 else ""
        raise ValueError(f"{where} must have 2 dimensions, got {table.ndim}{hint}.")
    if table.shape[-1] == 0:
        raise ValueError(f"{where} has no columns.")
    return table


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
                "belong together; reorder one with `.loc`, or `reset_index(drop=True)` both."
            )
    import pandas as pd

    return pd.concat(frames, axis=1)


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
            parts[name] = _as_table(where, bags[i])
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


# ------------------------------------------------------------------ missing views
def missing_blocks(X, views):
    """Which views are missing (all NaN) in which rows.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        The table. Columns in no view are not looked at.
    views : dict of str to ndarray of int
        As `resolve_views` returns them.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_views)
        True where the whole block of the view is NaN.

    Raises
    ------
    ValueError
        If a block is NaN in part, X has an infinity in a view, or a sparse X has NaN in a view.

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
    if sparse.issparse(X):
        _check_finite_sparse(X.tocoo(), views)
        return missing
    for k, (name, columns) in enumerate(views.items()):
        missing[:, k] = _missing_rows(name, X[:, _as_slice(columns)], columns)
    return missing


def _as_slice(columns):
    """A slice for a contiguous run, so that its block is a view of X, not a copy."""
    first, last = int(columns[0]), int(columns[-1])
    is_run = last - first + 1 == len(columns) and np.all(np.diff(columns) == 1)
    return slice(first, last + 1) if is_run else columns


def _missing_rows(name, block, columns):
    holes = np.isnan(block)
    partly = holes.any(axis=1)
    wholly = holes.all(axis=1)
    partly &= ~wholly
    if partly.any():
        row = int(np.argmax(partly))
        raise ValueError(
            f"view {name!r}: {_rows(partly.sum())} partly NaN (first: row {row}, "
            f"{_columns(columns[holes[row]])}). Impute these values, or make the whole block NaN "
            "to mark the view as missing in that row."
        )
    infinite = np.isinf(block).any(axis=1)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise ValueError(
            f"view {name!r}: {_rows(infinite.sum())} not finite: infinity found (first: row "
            f"{row}, {_columns(columns[np.isinf(block[row])])}). Replace or drop these values."
        )
    return wholly


def _check_finite_sparse(X, views):
    bad = ~np.isfinite(X.data)
    for name, columns in views.items():
        entries = bad & np.isin(X.col, columns)
        if entries.any():
            row = int(X.row[entries].min())
            raise ValueError(
                f"view {name!r}: {_rows(len(np.unique(X.row[entries])))} not finite: NaN or "
                f"infinity found in sparse X (first: row {row}). Replace these values; a missing "
                "view can be marked by NaN only in a dense X."
            )


def _rows(count):
    return f"{count} row is" if count == 1 else f"{count} rows are"


def _columns(columns):
    shown = ", ".join(str(column) for column in columns[:5])
    shown += ", ..." if len(columns) > 5 else ""
    return f"column{'s' if len(columns) > 1 else ''} {shown}"
