"""Permutation importance of whole views."""

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_is_fitted

from .._compat import check_sample_weight
from .._random import random_generator
from .._threads import single_threaded_blas
from ..views import resolve_views
from ._model import (
    check_not_empty,
    float_values,
    holds_bags,
    n_columns,
    read_column,
    replace_columns,
)
from ._results import PermutationImportance

__all__ = ["permutation_importance"]


def permutation_importance(
    estimator,
    X,
    y,
    *,
    views=None,
    scoring=None,
    n_repeats=5,
    sample_weight=None,
    random_state=None,
):
    """Fall of a score when the columns of one view are permuted together over the rows.

    Columns of a view keep their relation to one another and lose that to the other views and to
    y. In bags, the view is permuted over all units of all bags.

    Parameters
    ----------
    estimator : object
        Fitted. Any estimator does if `views` is given.
    X : array, frame or sparse of shape (n_samples, n_features), or list of (n_units_i, n_features)
        Held-out samples.
    y : array-like of shape (n_samples,)
        Their targets.
    views : int, dict or list of (str, columns), optional
        Columns of each view in X, given as to the estimators. By default ``views_`` of the
        estimator, or of the first step of a Pipeline that has some: these are views of what that
        step is given, so that X is passed through the steps before it, and that is what is
        permuted.
    scoring : str or callable, optional
        As in :func:`sklearn.model_selection.cross_val_score`; by default the estimator's own.
    n_repeats : int, default=5
        Number of permutations of each view.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows (or bags) in the scores.
    random_state : int, RandomState or None, default=None
        Seed or source of the draws.

    Returns
    -------
    PermutationImportance
        Falls of the score, by view.

    Raises
    ------
    ValueError, TypeError
        If X is empty, no views are known or columns of them are not in X, the estimator has no
        score, or weights are negative or of another length.

    See Also
    --------
    sklearn.inspection.permutation_importance : The same, column by column.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import RidgeClassifierCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.inspection import permutation_importance
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> pipe = make_pipeline(LEGOFusionTransformer(views), RidgeClassifierCV()).fit(X, y)
    >>> found = permutation_importance(pipe, X, y, random_state=0)
    >>> found.views[found.importances_mean.argmax()]
    'colour'
    """
    if n_repeats < 1:
        raise ValueError(f"n_repeats must be at least 1; got {n_repeats!r}.")
    check_not_empty(X)
    if views is None:
        estimator, X, views, scorer = known_views(estimator, X, scoring)
    else:
        estimator, scorer = known_scorer(estimator, scoring)
    views = read_views(views, X)
    options = score_options(sample_weight, X)
    rng = random_generator(random_state)
    with single_threaded_blas():
        score = float(scorer(estimator, X, y, **options))
        falls = np.empty((len(views), n_repeats))
        for k, columns in enumerate(views.values()):
            for r in range(n_repeats):
                falls[k, r] = score - scorer(estimator, _permuted(X, columns, rng), y, **options)
    return PermutationImportance(list(views), falls.mean(axis=1), falls.std(axis=1), falls, score)


def score_options(sample_weight, X):
    """What a scorer is given beside rows and targets."""
    if sample_weight is None:
        return {}
    return {"sample_weight": check_sample_weight(sample_weight, X, dtype=np.float64)}


def known_views(whole, X, scoring):
    """The estimator from the step with views on, X as that step sees it, views and scorer."""
    estimator = getattr(whole, "best_estimator_", whole)
    steps = [step for _, step in getattr(estimator, "steps", [])] or [estimator]
    start = next((k for k, step in enumerate(steps) if getattr(step, "views_", None)), None)
    if start is None:
        check_is_fitted(whole)
        raise ValueError(
            "views must be given: neither the estimator nor a step of it has views_, as a fitted "
            "LEGOFusionTransformer and LEGOAnomalyClassifier have."
        )
    views = steps[start].views_
    if any(isinstance(columns, dict) for columns in views.values()):
        raise ValueError("views differ from domain to domain: give the views of one, and its rows.")
    scored, scorer = known_scorer(whole, scoring)
    if start == 0:
        return scored, X, views, scorer
    return estimator[start:], estimator[:start].transform(X), views, scorer


def known_scorer(whole, scoring):
    """What is scored, and how: by default a search's best estimator by its own scorer.

    A search itself passes no weights on.
    """
    own = getattr(whole, "scorer_", None)
    if scoring is not None or own is None or not hasattr(whole, "best_estimator_"):
        return whole, check_scoring(whole, scoring=scoring)
    if isinstance(own, dict):
        return whole.best_estimator_, own[whole.refit]
    if not getattr(whole, "multimetric_", False):
        return whole.best_estimator_, own
    return whole.best_estimator_, lambda *args, **options: own(*args, **options)[whole.refit]


def read_views(views, X):
    """Positions of the columns of each view in X, the same in all bags of it."""
    if not holds_bags(X):
        return _read_views(views, X)
    found, names, width = None, None, None
    for i, bag in enumerate(X):
        same = found is not None and n_columns(bag) == width
        if same and (not names or names == list(getattr(bag, "columns", []))):
            continue
        try:
            again = _read_views(views, bag)
        except ValueError as error:
            raise ValueError(f"bag {i}: {error}") from error
        if found is None:
            found, names, width = again, list(getattr(bag, "columns", [])), n_columns(bag)
        for view, columns in found.items():
            if not np.array_equal(columns, again[view]):
                raise ValueError(
                    f"view {view!r}: bag {i} has its columns in another order than bag 0; order "
                    "the columns of all bags alike."
                )
    return found


def _read_views(views, table):
    return resolve_views(views, n_columns(table), frame=table)


def _permuted(X, columns, rng):
    """X with some columns permuted together over its rows (or over the units of all bags)."""
    X = list(X) if getattr(X, "ndim", 2) == 1 else X
    if isinstance(X, list | tuple) and np.ndim(X[0]) == 2:
        bags = [bag if hasattr(bag, "columns") else np.array(bag, dtype=float) for bag in X]
        ends = np.cumsum([len(bag) for bag in bags])
        order, new = rng.permutation(ends[-1]), {}
        tables = [float_values(bag) for bag in bags]
        for c in columns.tolist():
            values = np.concatenate([read_column(table, c) for table in tables])[order]
            new[c] = np.split(values, ends[:-1])
        return [
            replace_columns(bag, {c: parts[i] for c, parts in new.items()})
            for i, bag in enumerate(bags)
        ]
    if not hasattr(X, "shape"):
        X = np.asarray(X)
    if len(X.shape) == 3:
        raise ValueError("give bags as a list of (n_units_i, n_features) arrays.")
    order = rng.permutation(X.shape[0])
    if sp.issparse(X):
        columns_of = sp.csc_array(X)
        shuffled = columns_of[order]
        parts = [
            (shuffled if c in set(columns.tolist()) else columns_of)[:, [c]]
            for c in range(X.shape[1])
        ]
        return sp.csr_array(sp.hstack(parts))
    if hasattr(X, "iloc"):
        return replace_columns(X, {c: X.iloc[order, c].to_numpy() for c in columns.tolist()})
    if hasattr(X, "with_columns"):
        return X.with_columns([X.to_series(c).gather(order) for c in columns.tolist()])
    return replace_columns(X, {c: X[order, c] for c in columns.tolist()})
