"""Which columns form which view."""

import difflib
from numbers import Integral

import numpy as np

_MOST_NAMES = 10  # of which all are listed
_KEEP_NAMES = (
    "in a Pipeline, a step before that makes an array of a frame keeps its names by "
    '`.set_output(transform="pandas")`'
)

_NAME_THEM = "`{f'view{i}': columns for i, columns in enumerate(views)}` names them"
_STACK = (
    "`X, views = stack_views(Xs)` makes one X of separate arrays, and says which columns are whose"
)

_JOIN_LEVELS = (
    "names are strings: join the levels by `X.columns = X.columns.map('_'.join)`, or give a "
    "callable that returns a mask, `lambda X: X.columns.get_level_values(0) == 'rna'`"
)


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
        and need not use every column; a view holds a column once.
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
        If a view has no columns, unknown ones or one of them twice, a name is used for two views,
        or there are fewer columns than views asked for.

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
    named = check_named(views, "views", "columns")
    _check_not_pairs_of_columns(views, names)
    return {
        name: _resolve_columns(name, spec, columns, names, frame) for name, spec in named.items()
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


def check_named(pairs, what, values):
    """A dict from a dict or a list of (name, value) pairs, names checked."""
    items = pairs.items() if isinstance(pairs, dict) else pairs
    if not isinstance(pairs, dict | list | tuple) or not all(
        isinstance(item, list | tuple) and len(item) == 2 for item in items
    ):
        others = "None, an int, " if what == "views" else ""
        raise TypeError(
            f"{what} must be {others}a dict {{name: {values}}} or a list of (name, {values}); got "
            f"{_short(pairs)}{_how_to_name(pairs, what)}."
        )
    if not items:
        raise ValueError(f"{what} is empty: name at least one view.")
    named = {}
    for name, value in items:
        if not isinstance(name, str):
            raise TypeError(
                f"{what}: a view's name must be a string, got {_short(name)}; give a dict "
                f"{{name: {values}}} or a list of (name, {values})"
                f"{_how_to_name(pairs, what)}."
            )
        if name in named:
            raise ValueError(f"{what}: the name {name!r} is used for two views; rename one.")
        named[name] = value
    return named


def _how_to_name(views, what):
    """Say how a list of views without names gets names, or is stacked where these are arrays."""
    if what != "views" or not isinstance(views, list | tuple):
        return ""
    if any(map(_is_table, views)):
        return f"; {_STACK}"
    kinds = str | slice | list | tuple | range | np.ndarray
    return f"; {_NAME_THEM}" if views and all(isinstance(v, kinds) for v in views) else ""


def _check_not_pairs_of_columns(views, names):
    """Raise where lists of two names may be pairs of a view's name and its column, or two columns.

    Tuples are pairs, and so are lists whose first name is that of no column.
    """
    for item in views if names and isinstance(views, list | tuple) else ():
        if isinstance(item, list) and item[0] in names and isinstance(item[1], str):
            raise TypeError(
                f"views: {_short(item)} may be two columns, or the name of a view and its column: "
                f"give a dict; {_NAME_THEM} where they are columns."
            )


def _is_table(spec):
    """Whether this is an array, frame or list of rows where columns of X are meant."""
    if isinstance(spec, list):
        return len(spec) > 1 and all(map(_is_row, spec))
    return len(getattr(spec, "shape", ())) > 1


def _is_row(row):
    if isinstance(row, list):
        return not any(isinstance(value, str) for value in row)  # names of columns in groups
    return isinstance(row, np.ndarray) and row.ndim > 0


def _column_names(feature_names, frame):
    """The position of each name (the first, where names repeat), or None without names."""
    if feature_names is None:
        feature_names = getattr(frame, "columns", None)
    if feature_names is None:
        return None
    names = list(feature_names)
    if not all(isinstance(name, str) for name in names):
        return None
    return {str(name): i for i, name in reversed(list(enumerate(names)))}


def _resolve_columns(view, spec, columns, names, frame):
    where = f"view {view!r}"
    if _is_table(spec):
        shape = np.shape(spec) if hasattr(spec, "shape") else (len(spec), len(spec[0]))
        raise TypeError(
            f"{where}: columns of X are meant, got a table of shape {tuple(shape)}; {_STACK}."
        )
    if callable(spec):
        if frame is None:
            raise TypeError(f"{where}: columns given by a callable need a frame to be called on.")
        try:
            spec = spec(frame)
        except Exception as error:
            hint = "" if hasattr(frame, "columns") else f" X has no column names; {_KEEP_NAMES}."
            error.add_note(f"{where}: raised by the callable that chooses its columns.{hint}")
            raise
    if isinstance(spec, slice):
        found = columns[_positions_slice(where, spec, names, len(columns), frame)]
    else:
        found = _resolve_list(where, spec, columns, names, frame)
    if len(found) == 0:
        raise ValueError(
            f"{where} has no columns: {_short(spec)} selects none of the {len(columns)} columns "
            f"of X{_known(names)}. Correct it, or drop this entry of views."
        )
    _check_once(where, found, names)
    return found


def _check_once(where, found, names):
    """Raise where a column is in the view twice: it would count twice, and X holds it once."""
    columns, counts = np.unique(found, return_counts=True)
    if (counts > 1).any():
        column = int(columns[counts > 1][0])
        called = {index: name for name, index in (names or {}).items()}.get(column, column)
        raise ValueError(f"{where} has column {called!r} twice: give each of its columns once.")


def _positions_slice(where, spec, names, n_columns, frame):
    if spec.step == 0:
        raise ValueError(f"{where}: a slice's step must not be 0, got {spec!r}.")
    bounds = [bound for bound in (spec.start, spec.stop) if bound is not None]
    kinds = {str if isinstance(bound, str) else type(bound) for bound in bounds}
    if kinds == {str}:
        start = None if spec.start is None else _position(where, spec.start, names, frame)
        stop = None if spec.stop is None else _position(where, spec.stop, names, frame) + 1
        return slice(start, stop, spec.step)
    if not all(issubclass(kind, Integral) and kind is not bool for kind in kinds):
        raise TypeError(f"{where}: a slice is of ints or of names, got {spec!r}.")
    if spec.stop is not None and spec.stop > n_columns:
        raise ValueError(
            f"{where}: {spec!r} ends beyond the last column; X has {n_columns} columns (end the "
            "slice with None to take all that are there; where a step before learns how many "
            "columns it makes, such as one-hot or text, fix that number: other views shift, too)."
        )
    return spec


def _resolve_list(where, spec, columns, names, frame):
    if getattr(spec, "shape", None) == ():  # a scalar of numpy, or an array that holds one
        spec = spec.item()
    is_scalar = isinstance(spec, str | Integral) and not isinstance(spec, bool | np.bool_)
    if isinstance(spec, dict | set | frozenset) or not (is_scalar or hasattr(spec, "__iter__")):
        hint = (
            " (views by domain are for bags: LEGOAnomalyClassifier)"
            if isinstance(spec, dict)
            else ""
        )
        raise TypeError(
            f"{where}: columns must be names, ints, a slice, a boolean mask or a callable, got "
            f"{_short(spec)}{hint}."
        )
    items = [spec] if is_scalar else list(spec)
    if items and all(isinstance(item, str) for item in items):
        return np.array([_position(where, item, names, frame) for item in items], dtype=np.int64)
    if items and all(isinstance(item, bool | np.bool_) for item in items):
        if len(items) != len(columns):
            raise ValueError(
                f"{where}: the boolean mask has {len(items)} entries, but X has {len(columns)} "
                "columns; give one entry for each."
            )
        return columns[np.array(items, dtype=bool)]
    if not all(isinstance(i, Integral) and not isinstance(i, bool | np.bool_) for i in items):
        pairs = items and all(isinstance(item, tuple) for item in items)
        raise TypeError(
            f"{where}: columns must be all names, all ints or all booleans, got {_short(spec)}"
            f"{f'; {_JOIN_LEVELS}' if pairs else ''}."
        )
    n = len(columns)
    outside = [int(item) for item in items if not -n <= item < n]
    if outside:
        raise ValueError(
            f"{where}: column {outside[0]} does not exist; X has {n} columns (0 to {n - 1})"
            f"{_if_label(outside[0], frame)}."
        )
    return columns[np.array(items, dtype=np.int64)]


def _if_label(number, frame):
    """Say that ints are positions, where columns of the frame are called by ints."""
    labels = getattr(frame, "columns", None)
    if labels is None or not any(isinstance(x, Integral) and x == number for x in labels):
        return ""
    return "; ints are positions, and names must be strings: X.columns = X.columns.astype(str)"


def _position(where, name, names, frame):
    if names is None and getattr(getattr(frame, "columns", None), "nlevels", 1) > 1:
        raise ValueError(
            f"{where}: column {name!r} is given by name, but the columns of X have several levels; "
            f"{_JOIN_LEVELS}."
        )
    if names is None:
        raise ValueError(
            f"{where}: column {name!r} is given by name, but X has no column names (all strings); "
            f"fit on a frame, or give ints or slices; {_KEEP_NAMES}."
        )
    if name not in names:
        raise ValueError(f"{where}: unknown column {name!r}{_known(names, near=name)}.")
    return names[name]


def _known(names, near=None):
    """Say which names there are, the nearest first where one was mistyped."""
    if not names:
        return ""
    names = sorted(names, key=names.get)
    if near is not None:
        prefixed = [name for name in names if name.endswith(f"__{near}")]  # a ColumnTransformer's
        close = prefixed[:3] or difflib.get_close_matches(near, names, n=3, cutoff=0.6)
        if close:
            return f"; the nearest known names are {', '.join(map(repr, close))}"
    shown = names if len(names) <= _MOST_NAMES else names[: _MOST_NAMES - 2]
    more = f" and {len(names) - len(shown)} more" * (len(shown) < len(names))
    return f"; known names are {', '.join(map(repr, shown))}{more}"


def _short(value, limit=80):
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else f"{text[:limit]}... ({type(value).__name__})"
