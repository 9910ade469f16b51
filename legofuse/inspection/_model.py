"""What inspection reads from an estimator: its polynomial, its views, its graphs."""

from functools import reduce
from itertools import combinations, product
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from .._random import random_generator
from ..fusion import fuse
from ..views._take import take_column

_MAX_TERMS = 5000
_FEWEST = 3  # rows that are related to one another


class Polynomial(NamedTuple):
    """The fusion of a fitted estimator, term by term.

    Attributes
    ----------
    powers : ndarray of shape (n_terms, n_graphs)
    weights : ndarray of shape (n_terms,)
    terms : list of str
    owners : list of str
        The view of each graph.
    views : list of str
    """

    powers: Any
    weights: Any
    terms: Any
    owners: Any
    views: Any

    @property
    def membership(self):
        """1 where a graph is of a view, of shape (n_graphs, n_views)."""
        return (np.array(self.owners)[:, None] == np.array(self.views)).astype(float)

    @property
    def view_shares(self):
        """Share of each view in each term by exponent, of shape (n_terms, n_views)."""
        return self.powers / self.powers.sum(axis=1, keepdims=True) @ self.membership

    def factors(self, present, weights=None):
        """Row factors that make up for missing views: sqrt(complete / own relation to itself)."""
        weights = self.weights if weights is None else weights
        if present.all():
            return np.ones(len(present))
        patterns, pattern = np.unique(present, axis=0, return_inverse=True)
        lacks = (1 - patterns) @ self.membership.T
        diagonal = (lacks @ (self.powers > 0).T == 0) @ weights
        same_sign = diagonal * np.sign(weights.sum()) > 0
        ratio = np.divide(weights.sum(), diagonal, out=np.zeros_like(diagonal), where=same_sign)
        factors = np.where(patterns.all(axis=1), 1.0, np.sqrt(ratio))
        return factors[pattern.reshape(-1)]


def read_polynomial(model):
    """Terms of a fitted fusion that is a polynomial in the entries of its relations."""
    kind = type(model).__name__
    if getattr(model, "expansion", "elementwise") == "hops":
        raise ValueError(f"{kind} with expansion='hops' cannot be taken apart: use 'elementwise'.")
    if getattr(model, "zeroth", "ones") == "identity":
        raise ValueError(f"{kind} with zeroth='identity' cannot be taken apart: use 'ones'.")
    return read_terms(model)


def read_terms(model):
    """Terms and weights of a fitted fusion; a separable one is multiplied out."""
    owners = [view for view, _ in model.graphs_]
    powers, weights = model.powers_, np.asarray(model.weights_, dtype=float)
    terms = list(model.terms_)
    if model.interactions == "separable":
        powers, weights, terms = _multiply_out(powers, weights, terms)
    return Polynomial(powers, weights, terms, owners, list(dict.fromkeys(owners)))


def _multiply_out(powers, weights, terms):
    n_graphs = powers.shape[1]
    factors = weights.reshape(n_graphs, -1)
    if factors.shape[1] ** n_graphs > _MAX_TERMS:
        raise ValueError(
            f"a separable fusion of {n_graphs} graphs stands for {factors.shape[1] ** n_graphs} "
            f"terms, above the limit of {_MAX_TERMS} that inspection lists: choose one relation, "
            "a lower degree, or interactions='pairwise'."
        )
    grid = np.array(list(product(range(factors.shape[1]), repeat=n_graphs)))[1:]
    grid = grid[np.argsort(grid.sum(axis=1), kind="stable")]
    names = [terms[k] for k in np.flatnonzero(powers.sum(axis=1) == 1)]
    listed = [
        " * ".join(
            name if p == 1 else f"{name}^{p}" for name, p in zip(names, row, strict=True) if p
        )
        for row in grid
    ]
    return grid, factors[np.arange(n_graphs), grid].prod(axis=1), listed


def open_up(estimator):
    """A search's best estimator, or what is given, and its steps: of no Pipeline, it alone."""
    inside = getattr(estimator, "best_estimator_", estimator)
    return inside, [step for _, step in getattr(inside, "steps", None) or [("", inside)]]


def split_pipeline(estimator, X=None):
    """Return the fusion transformer in an estimator, X as it sees it, and the step after it."""
    estimator, steps = open_up(estimator)
    where = [k for k, step in enumerate(steps) if hasattr(step, "relation_graphs")]
    if not where:
        raise TypeError(
            "needs a fitted LEGOFusionTransformer, or a Pipeline with one; got "
            f"{type(estimator).__name__}{_of_bags(estimator, steps) or _around(estimator)}."
        )
    k = where[0]
    check_is_fitted(steps[k])
    if X is None:  # only the transformer is wanted
        return steps[k], None, None
    if len(steps) - k > 2:
        raise ValueError(
            "the fusion transformer must be the last step of the Pipeline or the one before it; "
            f"{len(steps) - k - 1} steps follow it."
        )
    for step in steps[:k]:
        if step is not None and step != "passthrough":
            X = step.transform(X)
    head = steps[k + 1] if k + 1 < len(steps) else None
    return steps[k], X, None if head == "passthrough" else head


def _of_bags(estimator, steps):
    """What to use of a classifier of bags, empty for anything else."""
    if not hasattr(steps[-1], "score_units"):
        return ""
    alone = steps[-1] is estimator
    return (
        f"{',' if alone else ' with'} a classifier of bags: explain takes the scores of its "
        "units apart, view_importances and permutation_importance tell what its views count, and "
        "WeightsDisplay draws the weights_ of its terms_"
    )


_COPIES = {  # where meta-estimators keep what they fitted
    "calibrated_classifiers_[0].estimator": lambda meta: meta.calibrated_classifiers_[0].estimator,
    "estimators_[0]": lambda meta: meta.estimators_[0],
    "estimator_": lambda meta: meta.estimator_,
    "regressor_": lambda meta: meta.regressor_,
}


def _around(estimator):
    """What to give in place of a meta-estimator around a model of ours, empty for others."""
    inner = _model_within(estimator)
    if inner in (None, estimator):
        return ""
    if hasattr(estimator, "cv_results_"):
        return (
            ", a search that kept no fit: set refit=True, or give a Pipeline fitted with its "
            "best_params_"
        )
    what = type(inner).__name__
    advice = f" around a {what}: give the fitted {what}, or a Pipeline of which it is a step"
    for place, take in _COPIES.items():
        try:
            known = _model_within(take(estimator)) is not None
        except (AttributeError, IndexError, TypeError):
            continue
        if known:
            return f"{advice}, such as one that was fitted here, `.{place}`"
    return advice


def _model_within(estimator):
    """A model of ours among an estimator and its parameters, those of parameters too."""
    inside = estimator.get_params().values() if hasattr(estimator, "get_params") else []
    for part in (estimator, *inside):
        if not isinstance(part, type) and (
            hasattr(part, "relation_graphs") or hasattr(part, "score_units")
        ):
            return part
    return None


def split_classifier(estimator, X=None):
    """The classifier of bags in an estimator, or that itself, and X as it sees it."""
    estimator, steps = open_up(estimator)
    if not hasattr(steps[-1], "score_units"):
        return estimator, X
    if X is not None and len(steps) > 1:
        X = estimator[:-1].transform(X)
    return steps[-1], X


def take_rows(X, rows):
    """Rows of an array, frame or sparse matrix."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    X = X.tocsr() if issparse(X) else X
    return X[rows] if hasattr(X, "shape") else np.asarray(X)[rows]


def read_column(X, index):
    """A column of numbers of an array or frame."""
    column = take_column(X, index)
    return np.asarray(column.to_numpy() if hasattr(X, "columns") else column, dtype=float)


def check_one_each(y, X, sample="row"):
    """Raise unless there is one value (or row) of y for each row of X, or bag in it."""
    n_rows, given = n_samples(X), np.shape(y)
    if not given or given[0] != n_rows:
        raise ValueError(
            f"y must have one value for each of {n_rows} {sample}s; got shape {given}."
        )


def check_place(place, n, what, name="row"):
    """A place among n, counted from the end where negative, as a number from 0."""
    if not isinstance(place, Integral) or isinstance(place, bool):
        raise TypeError(f"{name} must be an int, a place among the {n} {what}; got {place!r}.")
    if not -n <= place < n:
        raise IndexError(f"{name}={place} is not among the {n} {what}.")
    return int(place) % n


def check_unit(row, lengths, what):
    """A unit among all of some bags: counted over them, or a pair (bag, unit) as that count."""
    ends = np.cumsum([0, *lengths])
    if not isinstance(row, tuple) or len(row) != 2:
        return check_place(row, int(ends[-1]), what)
    bag = check_place(row[0], len(lengths), "bags", "bag")
    return int(ends[bag]) + check_place(row[1], lengths[bag], f"units of bag {bag}", "unit")


def check_apart(views):
    """Raise where views share some of their columns: without one the other is partly missing."""
    for (one, first), (other, second) in combinations(views.items(), 2):
        shared = np.intersect1d(first, second)
        if 0 < len(shared) < max(len(first), len(second)):
            raise ValueError(
                f"views {one!r} and {other!r} share {len(shared)} column(s), so that none can lack "
                "one and have all of the other: only views that share no column can be taken away "
                "one by one."
            )


def check_not_empty(X):
    """Raise where there is neither a row nor a bag."""
    if X is None or isinstance(X, str) or getattr(X, "shape", None) == ():
        raise TypeError(f"X must be a table, or bags; got {X!r}.")
    n = n_samples(X) if hasattr(X, "shape") or hasattr(X, "__len__") else None
    if isinstance(n, Integral) and n == 0:  # lazy input may not know
        raise ValueError("X is empty: give at least one row, or one bag.")


def n_samples(X):
    """Number of rows, or of bags."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def n_columns(table):
    """Number of columns."""
    shape = table.shape if hasattr(table, "shape") else np.shape(table[:1])
    if len(shape) != 2:
        raise ValueError(
            f"X must be a table, with a row for each sample, or bags of such; got shape {shape}."
        )
    return shape[1]


def holds_bags(X):
    """Whether X is several tables, bags or views, and not one."""
    if getattr(X, "ndim", None) == 3:
        return True
    is_sequence = not hasattr(X, "columns") and getattr(X, "ndim", 1) == 1 and hasattr(X, "__len__")
    return bool(is_sequence and len(X) and np.ndim(next(iter(X))) == 2)


def as_bags(X):
    """Bags in any form as a list."""
    if isinstance(X, list | tuple) and X and not hasattr(X[0], "columns") and np.ndim(X[0]) == 1:
        X = np.asarray(X)  # rows of one table
    if getattr(X, "ndim", None) == 3:  # trailing units that are all NaN are padding
        lengths = [int(np.flatnonzero(~np.isnan(bag).all(axis=1))[-1:].sum()) + 1 for bag in X]
        return [bag[:n] for bag, n in zip(X, lengths, strict=True)]
    if getattr(X, "ndim", None) == 2 or hasattr(X, "columns"):
        return [X[i : i + 1] for i in range(len(X))]
    return list(X)


def present_views(model, X):
    """Which views each row has, (n_rows, n_views) of 0 and 1."""
    check_not_empty(X)
    width = n_columns(X)
    if width != model.n_features_in_:
        raise ValueError(
            f"X has {width} features, but {type(model).__name__} is expecting "
            f"{model.n_features_in_} features as input."
        )
    first = [int(index[0]) for index in model.views_.values()]
    if issparse(X):
        return (~np.isnan(X.tocsc()[:, first].toarray())).astype(float)
    return np.stack([~np.isnan(read_column(X, c)) for c in first], axis=1).astype(float)


class Square(NamedTuple):
    """Graphs of some rows among themselves.

    Attributes
    ----------
    relations : list of ndarray of shape (n_rows, n_rows)
    present : ndarray of shape (n_rows, n_views)
    rows : ndarray of int
        Which of the caller's rows.
    unit : float
        Rounding unit of the relations, the coarsest where they differ.
    """

    relations: Any
    present: Any
    rows: Any
    unit: float

    def kernel(self, polynomial, weights, fused=None):
        """Fused graph by some weights, missing views made up for."""
        if fused is None:
            fused = fuse(self.relations, polynomial.powers, weights)
        return scaled(fused, polynomial.factors(self.present, weights))

    def term(self, powers):
        """One term's product of the relations, in an array that may be one of them."""
        factors = [r for r, power in zip(self.relations, powers, strict=True) for _ in range(power)]
        return reduce(np.multiply, factors)


def scaled(kernel, factors):
    """A kernel with its rows and columns multiplied; itself where all factors are 1."""
    return kernel if (factors == 1).all() else kernel * factors[:, None] * factors


def check_most(max_samples, fewest=_FEWEST):
    """Raise where fewer rows would be drawn than are needed."""
    if not max_samples >= fewest:
        raise ValueError(f"max_samples must be at least {fewest}; got {max_samples!r}.")


def square(model, X, sample_domain, max_samples, random_state, sample_weight=None, present=None):
    """Relate at most `max_samples` rows that have a view, and a weight, to one another."""
    check_most(max_samples)
    present = present_views(model, X) if present is None else present
    has, what = present.any(axis=1), "a view"
    if sample_weight is not None:
        has, what = has & (sample_weight > 0), "a view and a weight above 0"
    rows = np.flatnonzero(has)
    if len(rows) < _FEWEST:
        raise ValueError(f"needs at least {_FEWEST} rows that have {what}; got {len(rows)}.")
    if len(rows) > max_samples:
        rng = random_generator(random_state)
        rows = np.sort(rng.choice(rows, max_samples, replace=False))
    part = take_rows(X, rows)
    domain = None if sample_domain is None else np.asarray(sample_domain)[rows]
    found = model.relation_graphs(part, part, domain, domain)
    unit = max(float(np.finfo(graph.dtype).eps) for graph in found.values())
    relations = [np.asarray(graph, dtype=float) for graph in found.values()]
    return Square(relations, present[rows], rows, unit)


def centred(kernel, weight=None):
    """H K H, rows weighed where weights are given."""
    means = np.average(kernel, axis=0, weights=weight)
    other = np.average(kernel, axis=1, weights=weight)
    return kernel - means - other[:, None] + np.average(means, weights=weight)
