"""How a score falls when views go missing."""

import numpy as np
import scipy.sparse as sp

from .._random import random_generator
from .._threads import single_threaded_blas
from ..views._take import float_values, replace_columns
from ._model import check_apart, check_not_empty, check_one_each, holds_bags, read_column
from ._results import MissingViewCurve
from ._scored import look_at, score_options

__all__ = ["missing_view_curve"]


def missing_view_curve(
    estimator,
    X,
    y,
    *,
    shares=(0.0, 0.25, 0.5, 0.75),
    views=None,
    scoring=None,
    n_repeats=5,
    sample_weight=None,
    sample_domain=None,
    random_state=None,
):
    """Score of a fitted estimator when shares of all blocks (a row's view) are removed at random.

    Every row keeps at least one view, so that the share removed is below the share asked for
    where that is high. In bags, rows are the units of all bags.

    Parameters
    ----------
    estimator : object
        Fitted, and able to take rows that miss views: a Pipeline of the transformer and a
        predictor, say.
    X : array, frame or sparse of shape (n_samples, n_features), or bags
        Rows (or bags) that were not used to fit tell most. A sparse table holds NaN wherever
        blocks are removed: that takes as much memory as a dense one, or more.
    y : array-like of shape (n_samples,)
        Targets.
    shares : sequence of float, default=(0, 0.25, 0.5, 0.75)
        Shares of views removed.
    views : int, dict or list of (str, columns), optional
        Columns of each view in X, given as to the estimators. By default ``views_`` of the
        estimator, or of the first step of a Pipeline that has some, but for a ``time_view``, which
        stays; X is passed through the steps before it.
    scoring : str or callable, optional
        As in :func:`sklearn.model_selection.cross_val_score`.
    n_repeats : int, default=5
        Number of random removals at each share.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows (or bags) in the scores.
    sample_domain : array-like of shape (n_samples,), optional
        Domain of each row (or bag); needed if fit was given domains. Every step whose methods ask
        for it is told, by any scorer, without metadata routing.
    random_state : int, RandomState or None, default=None
        Seed or source of the draws.

    Returns
    -------
    MissingViewCurve
        Scores, by share and repeat.

    Raises
    ------
    ValueError
        If a share is not in [0, 1), X is empty, no views are known, columns of them are not in X,
        there is a single one, those of the estimator share columns, y does not fit X, weights are
        negative, or weights or domains are of another length.
    TypeError
        If the estimator has no score, or `scoring` is of several.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import RidgeClassifierCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.inspection import missing_view_curve
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> pipe = make_pipeline(LEGOFusionTransformer(views), RidgeClassifierCV()).fit(X, y)
    >>> curve = missing_view_curve(pipe, X, y, random_state=0)
    >>> bool(curve.scores[0].mean() > curve.scores[-1].mean())
    True
    """
    shares = np.asarray(shares, dtype=float)
    if shares.ndim != 1 or not ((shares >= 0) & (shares < 1)).all():
        raise ValueError(f"shares must be numbers from 0 up to below 1; got {shares.tolist()}.")
    if n_repeats < 1:
        raise ValueError(f"n_repeats must be at least 1; got {n_repeats!r}.")
    check_not_empty(X)
    given = estimator, X, views, scoring, sample_domain
    estimator, X, parts, scorer = look_at(*given, related=True)
    if len(parts[0][1]) < 2:
        raise ValueError("there is a single view: a row without it has nothing to go by.")
    for _, known in parts if views is None else ():  # other estimators may take parts of a view
        check_apart(known)
    _check_targets(y, X)
    options = score_options(sample_weight, X)
    views = _by_table(parts, X)
    tables = X if holds_bags(X) else [X]
    have = np.concatenate(list(map(_present, tables, views)))
    rng = random_generator(random_state)
    scores = np.empty((len(shares), n_repeats))
    for repeat in range(n_repeats):
        draws = rng.uniform(size=have.shape)
        kept = (rng.uniform(size=draws.shape) * have).argmax(axis=1)  # a view that is there
        for k, share in enumerate(shares):
            part = _remove(X, views, draws < share, kept)
            with single_threaded_blas():
                scores[k, repeat] = scorer(estimator, part, y, **options)
    return MissingViewCurve(shares, scores)


def _by_table(parts, X):
    """Columns of the views of each bag, in one order, or of the only table."""
    if not holds_bags(X):
        return [list(parts[0][1].values())]
    found: list = [None] * len(X)
    for where, views in parts:
        for bag in where:
            found[bag] = [views[view] for view in parts[0][1]]
    return found


def _check_targets(y, X):
    if not holds_bags(X):
        return check_one_each(y, X)
    try:
        check_one_each(y, X, "bag")
    except ValueError as error:
        raise ValueError(
            f"{error} X is a sequence of {len(X)} tables, each of which is a bag of units: where "
            "they are views of the same rows, join them by stack_views."
        ) from error


def _present(X, views):
    if sp.issparse(X):
        return _present_in_sparse(X, views)
    X = float_values(X)
    found = [np.any([~np.isnan(read_column(X, c)) for c in columns], axis=0) for columns in views]
    return np.stack(found, axis=1)


def _remove(X, views, gone, kept):
    """X without some blocks; every row, or unit of bags, keeps one view."""
    gone = gone.copy()
    gone[np.arange(len(gone)), kept] = False
    if not gone.any():
        return X
    if holds_bags(X):
        parts = np.split(gone, np.cumsum([len(bag) for bag in X])[:-1])
        return list(map(_without, X, views, parts))
    return (_sparse_without if sp.issparse(X) else _without)(X, views[0], gone)


def _without(X, views, gone):
    new: dict = {}
    table = float_values(X)
    for columns, lost in zip(views, gone.T, strict=True):
        for c in columns.tolist():
            new[c] = np.where(lost, np.nan, new.get(c, read_column(table, c)))
    return replace_columns(X, new)


def _present_in_sparse(X, views):
    found = sp.coo_array(X)
    nan = np.isnan(found.data)
    marks = sp.csc_array((np.ones(nan.sum()), (found.row[nan], found.col[nan])), shape=X.shape)
    return np.stack([(marks[:, c] > 0).sum(axis=1) < len(c) for c in views], axis=1)


def _sparse_without(X, views, gone):
    """A sparse table with NaN in some blocks, which is how it marks that they are missing."""
    found, width = sp.coo_array(X), X.shape[1]
    kept, cells = np.ones(found.nnz, bool), []
    for columns, lost in zip(views, gone.T, strict=True):
        kept &= ~(lost[found.row] & np.isin(found.col, columns))
        cells.append((np.flatnonzero(lost)[:, None] * width + columns).ravel())
    row, col = np.divmod(np.concatenate(cells), width)  # views may overlap: NaN + NaN is NaN
    kind = found.dtype if found.dtype.kind == "f" else float
    data = np.concatenate([found.data[kept], np.full(len(row), np.nan)], dtype=kind)
    places = np.concatenate([found.row[kept], row]), np.concatenate([found.col[kept], col])
    return sp.csr_array((data, places), shape=X.shape)
