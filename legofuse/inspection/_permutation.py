"""Permutation importance of whole views."""

import numpy as np
import scipy.sparse as sp

from .._random import random_generator
from .._threads import single_threaded_blas
from ..views._take import float_values, replace_columns
from ._model import check_not_empty, holds_bags, read_column
from ._results import PermutationImportance, spread
from ._scored import look_at, score_name, score_options

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
    sample_domain=None,
    random_state=None,
):
    """Fall of a score when the columns of one view are permuted together over the rows.

    Columns of a view keep their relation to one another and lose that to the other views and to
    y. In bags, the view is permuted over all units of all bags. Where there are domains, by
    `sample_domain` or a domain column, it is permuted within each of them: rows are given no
    features of other domains, which they could be told by.

    Parameters
    ----------
    estimator : object
        Fitted. Any estimator does if `views` is given.
    X : array, frame or sparse of shape (n_samples, n_features), or bags
        Held-out samples. Bags are a sequence of (n_units_i, n_features), or one array, padded by
        units that are all NaN.
    y : array-like of shape (n_samples,)
        Their targets.
    views : int, dict or list of (str, columns), optional
        Columns of each view in X, given as to the estimators; single columns may be views, too,
        where no view is missing. After a ColumnTransformer, for words say, give the steps behind it
        and what it makes (``pipe[1:]`` and ``pipe[0].transform(X)``). By default ``views_`` of the
        estimator, or of the first step of a Pipeline that has some: these are views of what that
        step is given, so that X is passed through the steps before it, and that is what is
        permuted.
    scoring : str or callable, optional
        As in :func:`sklearn.model_selection.cross_val_score`; by default the estimator's own.
    n_repeats : int, default=5
        Number of permutations of each view.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows (or bags) in the scores.
    sample_domain : array-like of shape (n_samples,), optional
        Domain of each row (or bag); needed if fit was given domains. Every step whose methods ask
        for it is told, by any scorer, without metadata routing.
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
        score, `scoring` is of several, weights are negative, or weights or domains are of another
        length.

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
    name = score_name(estimator, scoring)
    estimator, X, parts, scorer = look_at(estimator, X, views, scoring, sample_domain)
    names = list(parts[0][1])
    options = score_options(sample_weight, X)
    rng = random_generator(random_state)
    with single_threaded_blas():
        score = float(scorer(estimator, X, y, **options))
        falls = np.empty((len(names), n_repeats))
        for k, view in enumerate(names):
            columns = [(where, views[view]) for where, views in parts]
            for r in range(n_repeats):
                falls[k, r] = score - scorer(estimator, _permuted(X, columns, rng), y, **options)
    return PermutationImportance(names, falls.mean(axis=1), spread(falls), falls, name, score)


def _permuted(X, columns, rng):
    """X with some columns permuted together over its rows (or over the units of all bags).

    Columns are those of parts of the samples, each of which is permuted in itself.
    """
    if holds_bags(X):
        return _permuted_bags(X, columns, rng)
    if not hasattr(X, "shape"):
        X = np.asarray(X)
    order = np.empty(X.shape[0], int)
    for where, _ in columns:
        order[where] = rng.permutation(where)
    columns = columns[0][1]
    if sp.issparse(X):
        table, kept = sp.csc_array(X), np.setdiff1d(np.arange(X.shape[1]), columns)
        parts = table[:, kept], table[:, columns][order]
        places = np.argsort(np.concatenate([kept, columns]))
        return sp.csr_array(sp.hstack(parts, format="csc")[:, places])
    if hasattr(X, "iloc"):
        return replace_columns(X, {c: X.iloc[order, c].to_numpy() for c in columns.tolist()})
    if hasattr(X, "with_columns"):
        return X.with_columns([X.to_series(c).gather(order) for c in columns.tolist()])
    return replace_columns(X, {c: X[order, c] for c in columns.tolist()})


def _permuted_bags(bags, columns, rng):
    new = list(bags)
    for where, index in columns:
        part = [bags[i] for i in where]
        part = [bag if hasattr(bag, "columns") else np.array(bag, dtype=float) for bag in part]
        ends = np.cumsum([len(bag) for bag in part])
        order, values = rng.permutation(ends[-1]), {}
        tables = [float_values(bag) for bag in part]
        for c in index.tolist():
            column = np.concatenate([read_column(table, c) for table in tables])[order]
            values[c] = np.split(column, ends[:-1])
        for k, i in enumerate(where):
            new[i] = replace_columns(part[k], {c: split[k] for c, split in values.items()})
    return new
