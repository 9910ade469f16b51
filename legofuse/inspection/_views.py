"""How much the views count, how sure that is, and how alike their graphs are."""

import numpy as np
from sklearn.base import clone

from .._random import random_generator
from .._threads import single_threaded_blas
from ._model import (
    centred,
    present_views,
    read_polynomial,
    split_classifier,
    split_pipeline,
    square,
)
from ._results import ViewAgreement, ViewImportances
from ._terms import term_kernels

__all__ = ["view_agreement", "view_importances"]

_FEWEST = 4  # rows whose centred relations, without diagonals, are not all 0
_ROUNDING = 64  # rounding units that a graph which does not vary may seem to vary by


def view_importances(
    estimator,
    X,
    y=None,
    *,
    n_bootstrap=100,
    level=0.9,
    sample_domain=None,
    max_samples=300,
    random_state=None,
):
    """Importance of each view with a bootstrap interval.

    Without y the weights stay as they are and the interval tells how much importances depend on
    the rows that they are computed on, which takes moments. With y the estimator is fitted anew on
    each bootstrap sample, which tells how far the learned weights can be relied on and takes as
    long as `n_bootstrap` fits, 100 by default; samples in which all targets are equal, or that lack
    a view, are drawn again. Repeated rows enter a transformer as weights of at most 1: beside its
    twin a row would be predicted by it, and weights learned from that. Where the estimator's
    ``verbose`` is set, each fit prints its stages, and how many fits are done.

    Parameters
    ----------
    estimator : LEGOFusionTransformer, LEGOAnomalyClassifier, or Pipeline with one
        Fitted. The classifier needs y.
    X : array-like, frame or sparse of shape (n_samples, n_features), or bags
        Rows to look at.
    y : array-like of shape (n_samples,), optional
        Targets; with them the estimator is fitted `n_bootstrap` times.
    n_bootstrap : int, default=100
        Number of times that rows (or bags) are drawn again; with y that many fits.
    level : float, default=0.9
        Share of the bootstrap samples between the ends of the interval, which is shifted so that
        their mean is the importance (repeated rows inflate a graph's diagonal).
    sample_domain : array-like of shape (n_samples,), optional
        Domain of each row; needed if fit was given domains.
    max_samples : int, default=300
        Number of rows used without y.
    random_state : int, RandomState or None, default=None
        Seed or source of the draws.

    Returns
    -------
    ViewImportances
        Importances and their intervals.

    Raises
    ------
    ValueError, TypeError
        If the level is not between 0 and 1, `max_samples` is below 3, or the estimator has no
        importances.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.inspection import view_importances
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> model = LEGOFusionTransformer(views).fit(X, y)
    >>> found = view_importances(model, X, random_state=0)
    >>> bool((found.low <= found.importances).all() and (found.importances <= found.high).all())
    True
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1; got {level!r}.")
    if n_bootstrap < 2:
        raise ValueError(f"n_bootstrap must be at least 2; got {n_bootstrap!r}.")
    rng = random_generator(random_state)
    model, inner = split_classifier(estimator, X)
    if hasattr(model, "score_units"):
        X = inner
        if y is None:
            raise ValueError("y is needed for a classifier of bags, which is fitted anew.")
    else:
        model, X, _ = split_pipeline(estimator, X)
    if not hasattr(model, "view_importances_"):
        raise TypeError(f"this {type(model).__name__} has no view_importances_.")
    views = list(model.view_importances_)
    point = np.array(list(model.view_importances_.values()))
    with single_threaded_blas():
        if y is None:
            samples = _resample(model, X, sample_domain, max_samples, n_bootstrap, rng)
        else:
            samples = _refit(model, X, y, sample_domain, n_bootstrap, rng)
    tail = (1 - level) / 2
    ends = np.quantile(samples - samples.mean(axis=0), [tail, 1 - tail], axis=0)
    low, high = np.clip(point + ends, 0, 1)
    return ViewImportances(views, point, np.minimum(low, point), np.maximum(high, point), samples)


def _resample(model, X, sample_domain, max_samples, n_bootstrap, rng):
    """Importances under bootstrap weights of the rows, the fusion as it is."""
    polynomial = read_polynomial(model)
    graphs = square(model, X, sample_domain, max_samples, rng)
    n = len(graphs.rows)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=n_bootstrap).T.astype(float)
    samples = np.zeros((n_bootstrap, len(polynomial.views)))
    for kernel, weight, shares in zip(
        term_kernels(polynomial, graphs), polynomial.weights, polynomial.view_shares, strict=True
    ):
        if weight == 0:
            continue
        means = kernel @ counts / n
        squares = (counts * (kernel**2 @ counts)).sum(axis=0)
        squares += (counts * means).sum(axis=0) ** 2 - 2 * n * (counts * means**2).sum(axis=0)
        norms = abs(weight) * np.sqrt(np.maximum(squares, 0))
        samples += np.outer(norms, shares)
    samples[~(samples.sum(axis=1) > 0)] = 1.0  # no graph varies: all alike, as when fitted
    return samples / samples.sum(axis=1, keepdims=True)


def _refit(model, X, y, sample_domain, n_bootstrap, rng):
    """Importances of the estimator fitted on bootstrap samples, as weights of the rows."""
    n, samples, targets = len(y), [], np.asarray(y)
    options = {} if sample_domain is None else {"sample_domain": sample_domain}
    tables = not hasattr(model, "score_units")
    has = present_views(model, X) > 0 if tables else np.ones((n, 1), bool)

    def lacks(drawn):
        """Whether a rare view is not among rows, or all targets but those of a rare class are."""
        no_view = (has[drawn].any(axis=0) < has.any(axis=0)).any()
        return no_view or (_alike(targets[drawn]) and not _alike(targets))

    for done in range(1, n_bootstrap + 1):
        counts = rng.multinomial(n, np.full(n, 1 / n)).astype(float)
        while lacks(counts > 0):
            counts = rng.multinomial(n, np.full(n, 1 / n)).astype(float)
        weight = counts / counts.max() if tables else counts  # of at most 1: left out whole
        fitted = clone(model).fit(X, y, sample_weight=weight, **options)
        samples.append(list(fitted.view_importances_.values()))
        if model.verbose:
            print(f"[view_importances] {done}/{n_bootstrap} fits")
    return np.array(samples)


def _alike(targets):
    return bool((targets == targets[:1]).all())


def view_agreement(
    estimator, X, *, by="view", sample_domain=None, max_samples=500, random_state=None
):
    r"""How alike the graphs of the views are: cosines between the centred graphs.

    .. math:: \frac{\langle \tilde R_m, \tilde R_k \rangle}{\|\tilde R_m\|_F \|\tilde R_k\|_F}

    with relations of different rows alone, centred so that of independent views the products have
    mean 0 (:math:`\tilde R` has no diagonal). So 1 is said of views that tell the same, 0 of views
    that have nothing to do with each other, and what is below 0 is chance. Were the diagonals
    counted, views of many features would all seem alike, noise too, for a row is like itself in
    each. The graph of a view with several relations is the mean of these, each at norm 1 with its
    diagonal, constant ones left out. Each pair of views is compared on the rows that have both.

    Parameters
    ----------
    estimator : LEGOFusionTransformer, or Pipeline with one
        Fitted.
    X : array-like, frame or sparse of shape (n_samples, n_features)
        Rows to look at.
    by : {"view", "graph"}, default="view"
        Whether to compare views or each of their graphs.
    sample_domain : array-like of shape (n_samples,), optional
        Domain of each row; needed if fit was given domains.
    max_samples : int, default=500
        Number of rows, drawn at random, that are related to one another.
    random_state : int, RandomState or None, default=None
        Seed or source of the draws.

    Returns
    -------
    ViewAgreement
        Cosines between the graphs.

    Raises
    ------
    ValueError, TypeError
        If `by` is unknown, `max_samples` is below 3, or there is no fusion transformer.

    References
    ----------
    Escoufier's RV coefficient: Robert and Escoufier, "A unifying tool for linear multivariate
    statistical methods", Applied Statistics 1976. Without its bias: Székely and Rizzo, "Partial
    distance correlation with methods for dissimilarities", Annals of Statistics 2014.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.inspection import view_agreement
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "phenols again": slice(5, 9)}
    >>> model = LEGOFusionTransformer(views, relation="correlation").fit(X, y)
    >>> cosines = view_agreement(model, X).cosines
    >>> bool(cosines[1, 2] > 0.999 > cosines[0, 1])
    True
    """
    if by not in ("view", "graph"):
        raise ValueError(f"by must be 'view' or 'graph'; got {by!r}.")
    model, X, _ = split_pipeline(estimator, X)
    with single_threaded_blas():
        return _agreement(model, square(model, X, sample_domain, max_samples, random_state), by)


def _agreement(model, graphs, by):
    """Cosines between the centred graphs of some rows, by view or by graph."""
    views = list(dict.fromkeys(view for view, _ in model.graphs_))
    place = {view: k for k, view in enumerate(views)}
    if by == "view":
        names = views
        groups = [[k for k, (v, _) in enumerate(model.graphs_) if v == view] for view in views]
    else:
        names = [_graph_name(view, relation, model.graphs_) for view, relation in model.graphs_]
        groups = [[k] for k in range(len(names))]
    has = [graphs.present[:, place[model.graphs_[g[0]][0]]] > 0 for g in groups]

    def graph(k, rows):
        parts = [graphs.relations[i][np.ix_(rows, rows)] for i in groups[k]]
        return between_rows(sum(_at_norm_1(part, graphs.unit) for part in parts), graphs.unit)

    whole = None
    if np.all(has):  # one graph each, whatever the pair
        whole = [graph(k, np.arange(len(graphs.rows))) for k in range(len(names))]
    cosines = np.full((len(names), len(names)), np.nan)
    for i in range(len(names)):
        for j in range(i + 1):
            rows = np.flatnonzero(has[i] & has[j])
            if len(rows) < _FEWEST:
                continue
            one, other = (graph(k, rows) if whole is None else whole[k] for k in (i, j))
            size = np.linalg.norm(one) * np.linalg.norm(other)
            cosines[i, j] = cosines[j, i] = np.vdot(one, other) / size if size > 0 else np.nan
    return ViewAgreement(names, cosines)


def _at_norm_1(kernel, unit):
    """A kernel over the norm of it centred; all 0 where it is constant up to rounding."""
    size = np.linalg.norm(centred(kernel))
    varies = size > _ROUNDING * unit * np.linalg.norm(kernel)
    return kernel / size if varies else np.zeros_like(kernel)


def between_rows(kernel, unit):
    """A kernel centred without its diagonal, as the unbiased estimate of dependence has it.

    All 0 where that is within rounding, whose unit is that of the relations.
    """
    n, rounding = len(kernel), _ROUNDING * unit * np.linalg.norm(kernel)
    others = kernel - np.diag(np.diag(kernel))
    sums = others.sum(axis=0)
    others -= (sums + sums[:, None]) / (n - 2)
    others += sums.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(others, 0)
    return others if np.linalg.norm(others) > rounding else np.zeros_like(others)


def _graph_name(view, relation, graphs):
    several = sum(other == view for other, _ in graphs) > 1
    return f"{view}[{getattr(relation, '__name__', relation)}]" if several else view
