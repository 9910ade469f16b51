"""How a score falls when views go missing."""

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import check_scoring

from .._random import random_generator
from .._threads import single_threaded_blas
from ._model import check_one_each, holds_bags, read_column, replace_columns
from ._permutation import known_views
from ._results import MissingViewCurve

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
    random_state=None,
):
    """Score of a fitted estimator when shares of all blocks (a row's view) are removed at random.

    Every row keeps at least one view, so that the share removed is below the share asked for
    where that is high.

    Parameters
    ----------
    estimator : object
        Fitted, and able to take rows that miss views: a Pipeline of the transformer and a
        predictor, say.
    X : array or frame of shape (n_samples, n_features)
        Dense; rows that were not used to fit tell most.
    y : array-like of shape (n_samples,)
        Targets.
    shares : sequence of float, default=(0, 0.25, 0.5, 0.75)
        Shares of views removed.
    views : dict of str to index array or slice, optional
        By default ``views_`` of the estimator, or of the first step of a Pipeline that has some;
        X is passed through the steps before it.
    scoring : str or callable, optional
        As in :func:`sklearn.model_selection.cross_val_score`.
    n_repeats : int, default=5
        Number of random removals at each share.
    random_state : int, RandomState or None, default=None
        Seed or source of the draws.

    Returns
    -------
    MissingViewCurve
        Scores, by share and repeat.

    Raises
    ------
    ValueError
        If a share is not in [0, 1), no views are known, or there is a single one.
    TypeError
        If X is sparse, or bags.

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
    _refuse_bags(X)
    if views is None:
        estimator, X, views, scorer = known_views(estimator, X, scoring)
    else:
        scorer = check_scoring(estimator, scoring=scoring)
    views = dict(views)
    if issparse(X):
        raise TypeError(
            "views are not removed from a sparse X: make it dense with X.toarray(), or in the step "
            "of the Pipeline that makes it (sparse_threshold=0 of a ColumnTransformer)."
        )
    if len(views) < 2:
        raise ValueError("there is a single view: a row without it has nothing to go by.")
    check_one_each(y, X)
    have = _present(X, views)
    rng = random_generator(random_state)
    scores = np.empty((len(shares), n_repeats))
    for repeat in range(n_repeats):
        draws = rng.uniform(size=(len(y), len(views)))
        kept = (rng.uniform(size=draws.shape) * have).argmax(axis=1)  # a view that is there
        for k, share in enumerate(shares):
            part = _remove(X, views, draws < share, kept)
            with single_threaded_blas():
                scores[k, repeat] = scorer(estimator, part, y)
    return MissingViewCurve(shares, scores)


def _refuse_bags(X):
    if holds_bags(X):
        raise TypeError(
            f"missing_view_curve takes one table, and X is {len(X)} bags, or views: it removes "
            "views of rows. Of bags, set the columns of a view to NaN in units of your choice and "
            "score these, or use permutation_importance, which takes bags."
        )


def _present(X, views):
    width = np.arange(X.shape[1] if hasattr(X, "shape") else len(X[0]))
    found = [
        np.any([~np.isnan(read_column(X, c)) for c in width[columns]], axis=0)
        for columns in views.values()
    ]
    return np.stack(found, axis=1)


def _remove(X, views, gone, kept):
    """X without some blocks; every row keeps one view."""
    gone = gone.copy()
    gone[np.arange(len(gone)), kept] = False
    if not gone.any():
        return X
    new: dict = {}
    width = np.arange(X.shape[1] if hasattr(X, "shape") else len(X[0]))
    for columns, lost in zip(views.values(), gone.T, strict=True):
        for c in width[columns].tolist():
            new[c] = np.where(lost, np.nan, new.get(c, read_column(X, c)))
    return replace_columns(X, new)
