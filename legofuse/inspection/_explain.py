"""What one prediction, or one unit's anomaly score, is made of: parts that add up to it."""

import warnings
from itertools import combinations
from math import comb
from numbers import Integral

import numpy as np
from scipy.special import logit
from sklearn.utils.validation import check_is_fitted

from .._labels import check_domains
from .._random import random_generator
from .._threads import single_threaded_blas
from ..fusion import fuse
from ..views._take import replace_columns
from ._model import (
    as_bags,
    check_apart,
    check_not_empty,
    n_samples,
    present_views,
    read_polynomial,
    split_classifier,
    split_pipeline,
)
from ._results import Explanation

__all__ = ["explain"]

_MOST_VIEWS = 6  # of which all subsets are tried
_LOGIT = "logit of the unit score"
_SMALLEST = 1e-12  # a score of 0 or 1 has no finite logit


def explain(
    estimator,
    X,
    *,
    target=None,
    coef=None,
    intercept=0.0,
    method="auto",
    sample_domain=None,
    n_permutations=20,
    random_state=None,
):
    r"""Take predictions, or anomaly scores of units, apart into parts that add up to them.

    A linear model on the embedding (or on the relations to landmarks) is a sum over landmarks,
    terms of the fusion, and views:

    .. math:: f(x) = b + \sum_j \alpha_j \sum_a A_a \prod_m R_m(x, z_j)^{a_m},

    where a term is divided among its views by exponent, :math:`a_m / |a|`. So is the logit of a
    unit's anomaly score by linear heads. Any other score of units is divided among the views by
    Shapley values: what a view adds, averaged over all orders in which views may come, where a
    view that has not come is missing in every unit.

    Parameters
    ----------
    estimator : Pipeline, LEGOFusionTransformer or LEGOAnomalyClassifier
        A fitted Pipeline of the transformer and a linear model (with ``coef_``), a search over
        one, the transformer alone with `coef`, the classifier, or a Pipeline that ends with it.
    X : array-like, frame or sparse of shape (n_samples, n_features), or bags
        What to explain.
    target : class label, int or str, optional
        The class, or the column of y (its place, or its name where fit was given a frame), whose
        score is explained. By default the second of two classes, the predicted class of each row
        where there are more, or the first column. The score of the first of two classes is that
        of the second with the opposite sign. Scores of units are always of the anomalous class.
    coef : array-like of shape (n_components,), optional
        Coefficients of a linear model on what the transformer puts out, where it is given alone.
    intercept : float, default=0
        Its intercept.
    method : {"auto", "sums", "shapley"}, default="auto"
        How scores of units are taken apart: ``"auto"`` is by sums where they are sums over
        reference units, and else by Shapley values. Predictions of rows are taken apart by sums.
    sample_domain : array-like of shape (n_samples,), optional
        Needed by a transformer or classifier that was given it in fit.
    n_permutations : int, default=20
        Orders of views that are tried where there are more than 6 views, each also reversed.
    random_state : int, RandomState or None, default=None
        Draws these orders.

    Returns
    -------
    Explanation
        With ``base + view_parts.sum(axis=1) == scores``, and the same summed over landmarks.

    Raises
    ------
    ValueError, TypeError
        If X is empty, the model is not linear, its terms cannot be taken apart (hops, an
        identity), views share columns where they are to be taken apart by Shapley values, or a
        `target`, `coef` or `method` is given that does not go with the estimator.

    Notes
    -----
    A view that is missing in a row has no part in its score, save that Shapley values count what
    it says of the bag that a unit is in. Where a row misses every view, its score is all base.

    Of units the base is one number for Shapley values: the logit of the share of anomalous bags in
    fit. For sums it differs from unit to unit, even within a bag: a unit's score is the geometric
    mean of its own probability and that of its bag, of which only the logit of its own is a sum
    over reference units. The base is all else: intercepts, what heads on extremes (or those that
    domains share) say apart from reference units, and the difference that the bag makes, the logit
    of the score less that of the unit's own probability. What views say of the bag, Shapley values
    tell.

    References
    ----------
    Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.inspection import explain
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> pipe = make_pipeline(LEGOFusionTransformer(views), RidgeClassifier()).fit(X, y)
    >>> found = explain(pipe, X[:3], target=0)
    >>> found.parts.shape  # rows, views, landmarks
    (3, 3, 178)
    >>> total = found.base + found.parts.sum(axis=(1, 2))
    >>> bool(np.allclose(total, pipe.decision_function(X[:3])[:, 0]))
    True
    """
    check_not_empty(X)
    if method not in ("auto", "sums", "shapley"):
        raise ValueError(f"method must be 'auto', 'sums' or 'shapley'; got {method!r}.")
    index = X.index if hasattr(X, "iloc") and not hasattr(X, "dask") else None
    whole, X = split_classifier(estimator, X)
    with single_threaded_blas():
        if hasattr(whole, "score_units"):
            draws = {"n_permutations": n_permutations, "random_state": random_state}
            _check_bag_options(whole, target, coef)
            return _explain_bags(whole, X, sample_domain, method, **draws)
        if method == "shapley":
            raise ValueError(
                "method='shapley' takes scores of units apart; predictions of rows by a linear "
                "model are sums: use method='auto'."
            )
        found = _explain_rows(whole, X, sample_domain, target, coef, intercept)
        return found._replace(index=index)


def _check_bag_options(whole, target, coef):
    """Refuse what scores of units know nothing of."""
    if coef is not None:
        raise ValueError(f"coef is given, but the {type(whole).__name__} has heads of its own.")
    if target is None:
        return
    check_is_fitted(whole)
    if target not in whole.classes_.tolist():
        raise ValueError(f"target={target!r} is not one of the classes {whole.classes_.tolist()}.")
    if target != whole.pos_label_:
        raise ValueError(
            f"target={target!r} is the normal class, but scores of units say how anomalous they "
            f"are: give target={whole.pos_label_!r}, or none, and turn the sign of the parts."
        )


def _explain_bags(whole, X, sample_domain, method, **draws):
    """Parts of the scores of units."""
    if not hasattr(whole, "views_"):
        check_is_fitted(whole)
    found = None if method == "shapley" else _unit_sums(whole, X, sample_domain)
    if found is None and method == "sums":
        raise ValueError(
            f"scores of units by this {type(whole).__name__} are no sums over reference "
            "units: use method='shapley'."
        )
    if found is None:
        found = _unit_shapley(whole, X, sample_domain, **draws)
    return found


def _explain_rows(whole, X, sample_domain, target, coef, intercept):
    """Parts of what a linear model says of rows."""
    model, X, head = split_pipeline(whole, X)
    if (head is None) == (coef is None):
        raise ValueError(
            "coef must be given for a transformer alone: coefficients of its features in a linear "
            "model. Of a Pipeline that ends in such a model nothing need be given."
            if coef is None
            else "coef is given, but the Pipeline has a model of its own."
        )
    polynomial = read_polynomial(model)
    if head is None:
        direction, base = np.asarray(coef, dtype=float)[None], np.atleast_1d(float(intercept))
        chosen = np.zeros(n_samples(X), dtype=int)
        targets, scores, name = None, None, "score"
    else:
        direction, base = _linear(head)
        name = "decision value" if hasattr(head, "classes_") else "prediction"
    features = model.transform(X, sample_domain=sample_domain)
    if head is not None:
        names = getattr(model, "_target_names", None)
        scores, chosen, targets = _scores(head, features, target, names)
    else:
        scores = features @ direction[0] + base[0]
    if model.normalization_ is not None:
        direction = direction @ model.normalization_.T
    parts, prior = _relation_parts(model, polynomial, X, sample_domain, direction[chosen])
    return Explanation(
        scores,
        base[chosen] + prior,
        polynomial.views,
        parts.sum(axis=2),
        np.asarray(model.landmarks_),
        parts,
        targets,
        score_name=name,
    )


def _linear(head):
    """Coefficients (n_outputs, n_features) and intercepts of a linear model.

    There is an output for each class, also of two.
    """
    head = getattr(head, "best_estimator_", head)
    if not hasattr(head, "coef_"):
        raise TypeError(
            f"{type(head).__name__} has no coef_: only a linear model is a sum over landmarks. "
            "Fit a Pipeline that ends with the linear model itself."
        )
    coef = np.atleast_2d(np.asarray(head.coef_, dtype=float))
    base = np.broadcast_to(np.asarray(head.intercept_, dtype=float), (len(coef),))
    if hasattr(head, "classes_") and len(coef) == 1:
        return np.vstack([-coef, coef]), np.append(-base, base)
    return coef, base


def _column(target, n_columns, names):
    """Which column of y is meant, by its place or its name; the first by default."""
    if target is None:
        return 0
    if isinstance(target, str) and target in names:
        return names.index(target)
    whole = isinstance(target, Integral) and not isinstance(target, bool)
    if not whole or target not in range(n_columns):
        called = "" if isinstance(names, range) else f", or one of {names}"
        raise ValueError(
            f"target must be a column of y, 0 to {n_columns - 1}{called}; got {target!r}."
        )
    return int(target)


def _scores(head, features, target, names):
    """The explained score of each row, the output that gives it, and what that stands for."""
    n = len(features)
    classes = getattr(head, "classes_", None)
    if classes is None:
        values = np.asarray(head.predict(features)).reshape(n, -1)
        names = range(values.shape[1]) if names is None or len(names) != values.shape[1] else names
        chosen = np.full(n, _column(target, values.shape[1], names))
        return values[:, chosen[0]], chosen, np.array(names)[chosen] if len(names) > 1 else None
    values = np.asarray(head.decision_function(features)).reshape(n, -1)
    if len(classes) < 2:
        raise ValueError("The classifier was fitted on one class: there is no score to explain.")
    if target is not None and target not in classes.tolist():
        raise ValueError(f"target={target!r} is not one of the classes {classes.tolist()}.")
    two = values.shape[1] == 1  # the score is that of the second
    values = np.hstack([-values, values]) if two else values
    chosen = np.ones(n, dtype=int) if two else values.argmax(axis=1)
    if target is not None:
        chosen[:] = classes.tolist().index(target)
    return values[np.arange(n), chosen], chosen, classes[chosen]


def _relation_parts(model, polynomial, X, sample_domain, alpha):
    """Parts (n_rows, n_views, n_landmarks), and what rows without any view score."""
    graphs = model.relation_graphs(X, sample_domain=sample_domain).values()
    graphs = [np.asarray(graph, dtype=float) for graph in graphs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of rows without views: transform warned
        fused = model.fused_graph(X, sample_domain=sample_domain).astype(float)
    present = present_views(model, X)
    shares = [
        fuse(graphs, polynomial.powers, polynomial.weights * share)
        for share in polynomial.view_shares.T
    ]
    rows = polynomial.factors(present)
    raw = sum(shares) * rows[:, None]
    # what the landmarks' own missing views are made up for by: fused = raw * factor of landmark
    squares = (raw**2).sum(axis=0)
    empty = ~present.any(axis=1)
    products = (raw[~empty] * fused[~empty]).sum(axis=0)
    columns = np.divide(products, squares, out=np.ones_like(squares), where=squares > 0)
    scale = alpha * columns * rows[:, None]
    parts = np.stack([share * scale for share in shares], axis=1)
    return parts, np.where(empty, (fused * alpha).sum(axis=1), 0.0)


def _unit_sums(model, X, sample_domain):
    """Parts by view and reference unit where the classifier can tell them, else None."""
    if not hasattr(model, "_unit_parts"):
        return None
    options = {} if sample_domain is None else {"sample_domain": sample_domain}
    bags, _ = read_units(model, X, sample_domain)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of units without a view
        found = model._unit_parts(bags, **options)
        if found is None:
            return None
    scores = _unit_logits(model, X, options)
    references, parts, base = found
    views = list(dict.fromkeys(view for view, _ in model.graphs_))
    offsets = np.append(0, np.cumsum([len(bag) for bag in bags]))
    given = scores, base, views, parts.sum(axis=2), references, parts
    return Explanation(*given, offsets=offsets, score_name=_LOGIT)


def _unit_shapley(model, X, sample_domain, n_permutations, random_state):
    """Shapley values of the views in the logit of each unit's score."""
    bags, columns = read_units(model, X, sample_domain)
    used = {view for view, _ in model.graphs_}
    views = [view for view in columns[0] if view in used]
    for own in {id(own): own for own in columns}.values():  # one for each domain
        check_apart({view: own[view] for view in views})
    offsets = np.append(0, np.cumsum([len(bag) for bag in bags]))
    options = {} if sample_domain is None else {"sample_domain": sample_domain}
    base = float(_logit(model.prior_))
    scores = _unit_logits(model, X, options)
    known: dict = {frozenset(): np.full(offsets[-1], base), frozenset(views): scores}

    def value(shown):
        if shown not in known:
            hidden = [view for view in views if view not in shown]
            masked = [_mask(bag, where, hidden) for bag, where in zip(bags, columns, strict=True)]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of units without a view
                known[shown] = _logit(np.concatenate(model.score_units(masked, **options)))
        return known[shown]

    parts = np.zeros((offsets[-1], len(views)))
    for view, before, share in _arrivals(views, n_permutations, random_state):
        parts[:, views.index(view)] += share * (value(before | {view}) - value(before))
    given = scores, np.full(len(scores), base), views, parts
    return Explanation(*given, offsets=offsets, score_name=_LOGIT)


def _unit_logits(model, X, options):
    """Logits of scores of the caller's bags, so that the model warns of what is odd about these."""
    return _logit(np.concatenate(model.score_units(X, **options)))


def _logit(scores):
    return logit(np.clip(scores, _SMALLEST, 1 - _SMALLEST))


def _arrivals(views, n_permutations, random_state):
    """Which view comes after which others, and the share of that among the orders of views."""
    n = len(views)
    if n <= _MOST_VIEWS:
        for view in views:
            others = [other for other in views if other != view]
            for size in range(n):
                share = 1 / (n * comb(n - 1, size))
                for before in combinations(others, size):
                    yield view, frozenset(before), share
        return
    rng = random_generator(random_state)
    for _ in range(n_permutations):
        order = [views[k] for k in rng.permutation(n)]
        for way in (order, order[::-1]):
            for k, view in enumerate(way):
                yield view, frozenset(way[:k]), 0.5 / n_permutations


def read_units(model, X, sample_domain):
    """Bags as a list, and the columns of the views in each."""
    bags = as_bags(X)
    views = model.views_
    if not any(isinstance(columns, dict) for columns in views.values()):
        return bags, [views] * len(bags)
    if sample_domain is None:
        raise ValueError("views differ from domain to domain: give sample_domain, one for a bag.")
    domains = check_domains(sample_domain, len(bags), sample="bag", known=views).tolist()
    return bags, [views[domain] for domain in domains]


def _mask(bag, views, hidden):
    """A copy of a bag in which some views are missing."""
    bag = bag if hasattr(bag, "columns") else np.array(bag, dtype=float)
    indices = np.arange(bag.shape[1])
    missing = np.full(len(bag), np.nan)
    return replace_columns(bag, {k: missing for v in hidden for k in indices[views[v]].tolist()})
