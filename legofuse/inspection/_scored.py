"""What is scored again and again, and which columns of which samples are changed meanwhile."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_is_fitted

from .._compat import check_sample_weight, scorer_name
from .._labels import check_domains, spell_time
from ..views import resolve_views
from ..views._take import take_column
from ._model import as_bags, holds_bags, n_columns, n_samples, open_up
from ._told import told_domains

__all__ = ["has_domains", "known_scorer", "look_at", "score_name", "score_options"]

_OWN_SCORES = {ClassifierMixin.score: "accuracy", RegressorMixin.score: "R²"}


class Looked(NamedTuple):
    """What is looked at.

    Attributes
    ----------
    estimator : object
        What is scored.
    X : array, frame, sparse, or list of bags
        As the estimator is given it.
    parts : list of (ndarray of int, dict of str to ndarray)
        Which samples, and the columns of their views, domain by domain where there are some.
    scorer : callable
    """

    estimator: Any
    X: Any
    parts: Any
    scorer: Any


def look_at(estimator, X, views, scoring, sample_domain, related=False):
    """Read what is given; views are by default those of the estimator, or those it relates by."""
    domains = None
    if sample_domain is not None:
        sample = "bag" if holds_bags(X) else "row"
        domains = check_domains(sample_domain, n_samples(X), sample=sample)
        estimator = told_domains(estimator, domains)
    if views is None:
        estimator, X, views, scorer = known_views(estimator, X, scoring)
        views = _of_graphs(estimator, views) if related else views
    else:
        estimator, scorer = known_scorer(estimator, scoring)
    apart = isinstance(views, dict) and any(isinstance(part, dict) for part in views.values())
    if apart and domains is None:
        raise ValueError("views differ from domain to domain: give sample_domain, one for a bag.")
    if domains is None:
        domains = _domain_column(estimator, X)
    X = as_bags(X) if apart or holds_bags(X) else X
    if domains is None:
        return Looked(estimator, X, [(np.arange(n_samples(X)), read_views(views, X))], scorer)
    groups = [(label, np.flatnonzero(domains == label)) for label in np.unique(domains).tolist()]
    if apart:
        views = {spell_time(label): own for label, own in views.items()}
        check_domains(domains, len(X), sample="bag", known=views)
        read = {label: read_views(views[label], X, where) for label, where in groups}
        _check_same_names(read)
    else:
        read = dict.fromkeys([label for label, _ in groups], read_views(views, X))
    return Looked(estimator, X, [(where, read[label]) for label, where in groups], scorer)


def _check_same_names(views):
    """Raise unless views of all domains are called the same."""
    first, *others = views
    for label in others:
        if set(views[label]) != set(views[first]):
            raise ValueError(
                f"All domains must have views of the same names: {first!r} has "
                f"{list(views[first])}, {label!r} has {list(views[label])}."
            )


def _of_graphs(estimator, views):
    """Views that rows are related by: with nothing but its place in time a unit has none."""
    _, (first, *_) = open_up(estimator)
    graphs = getattr(first, "graphs_", None)
    if graphs is None:
        return views
    related = dict(graphs)
    if any(isinstance(columns, dict) for columns in views.values()):
        return {label: _of_graphs(estimator, own) for label, own in views.items()}
    return {view: columns for view, columns in views.items() if view in related}


def _domain_column(estimator, X):
    """Domains that a column of X holds as a step sees it, None where none does."""
    inside, steps = open_up(estimator)
    places = _domain_places(steps)
    k = next((k for k, place in enumerate(places) if place is not None), None)
    if k is None:
        return None
    X = inside[:k].transform(X) if k else X
    (where,) = resolve_views({"domain_column": [places[k]]}, n_columns(X))["domain_column"]
    return check_domains(take_column(X, where), n_samples(X), what="domain_column")


def _domain_places(steps):
    """Column of X that holds domains, for each step, as it was when fitted; None where none."""
    return [getattr(step, "_domain_index", None) for step in steps]


def has_domains(estimator, sample_domain):
    """Whether there are domains, that are given or that a column of X holds."""
    _, steps = open_up(estimator)
    return sample_domain is not None or any(place is not None for place in _domain_places(steps))


def score_options(sample_weight, X):
    """What a scorer is given beside rows and targets."""
    if sample_weight is None:
        return {}
    return {"sample_weight": check_sample_weight(sample_weight, X, dtype=np.float64)}


def known_views(whole, X, scoring):
    """The estimator from the step with views on, X as that step sees it, views and scorer."""
    estimator, steps = open_up(whole)
    start = next((k for k, step in enumerate(steps) if getattr(step, "views_", None)), None)
    if start is None:
        check_is_fitted(whole)
        raise ValueError(
            "views must be given: neither the estimator nor a step of it has views_, as a fitted "
            "LEGOFusionTransformer and LEGOAnomalyClassifier have."
        )
    views = steps[start].views_
    scored, scorer = known_scorer(whole, scoring)
    if start == 0:
        return scored, X, views, scorer
    return estimator[start:], estimator[:start].transform(X), views, scorer


def known_scorer(whole, scoring):
    """What is scored, and how: by default a search's best estimator by its own scorer.

    A search itself passes no weights on.
    """
    if isinstance(scoring, list | tuple | set | dict):
        raise TypeError(f"scoring must be the name of one score, or a callable; got {scoring!r}.")
    own = getattr(whole, "scorer_", None)
    if scoring is not None or own is None or not hasattr(whole, "best_estimator_"):
        return whole, check_scoring(whole, scoring=scoring)
    if isinstance(own, dict):
        return whole.best_estimator_, own[whole.refit]
    if not getattr(whole, "multimetric_", False):
        return whole.best_estimator_, own
    return whole.best_estimator_, lambda *args, **options: own(*args, **options)[whole.refit]


def score_name(estimator, scoring=None):
    """What a score is called: as `scoring` is, or what the estimator itself counts, or "score".

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse.inspection._scored import score_name
    >>> score_name(make_pipeline(Ridge())), score_name(Ridge(), "neg_log_loss")
    ('R²', 'neg log loss')
    """
    if scoring is None:
        scoring = _own_scoring(estimator)
    if scoring is None:
        _, (*_, last) = open_up(estimator)
        if last is not estimator:
            return score_name(last)
        own = "accuracy" if hasattr(last, "score_units") else "score"
        return _OWN_SCORES.get(getattr(type(last), "score", None), own)
    name = scoring if isinstance(scoring, str) else scorer_name(scoring)
    name = name.removesuffix("_score").replace("_", " ")
    return {"r2": "R²", "roc auc": "ROC AUC", "<lambda>": "score"}.get(name, name)


def _own_scoring(estimator):
    """What a search, or a linear model that searches by itself, scores by; None for others."""
    if getattr(type(estimator), "score", None) in _OWN_SCORES:  # whatever it searches by
        return None
    refit = getattr(estimator, "refit", None)
    if getattr(estimator, "multimetric_", False) and isinstance(refit, str):
        return refit
    return getattr(estimator, "scoring", None)


def read_views(views, X, where=None):
    """Positions of the columns of each view in X, the same in all bags of it, or in some."""
    if not holds_bags(X):
        return _read_views(views, X)
    found, names, width = None, None, None
    for i, bag in enumerate(X) if where is None else ((i, X[i]) for i in where):
        same = found is not None and n_columns(bag) == width
        if same and (not names or names == list(getattr(bag, "columns", []))):
            continue
        try:
            again = _read_views(views, bag)
        except ValueError as error:
            raise ValueError(f"bag {i}: {error}") from error
        if found is None:
            first = i
            found, names, width = again, list(getattr(bag, "columns", [])), n_columns(bag)
        for view, columns in found.items():
            if not np.array_equal(columns, again[view]):
                raise ValueError(
                    f"view {view!r}: bag {i} has its columns in another order than bag {first}; "
                    "order the columns of all bags alike."
                )
    return found


def _read_views(views, table):
    return resolve_views(views, n_columns(table), frame=table)
