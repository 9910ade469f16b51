"""What each term and each view gives to the fused graph."""

import numpy as np
from scipy.linalg import lapack

from .. import _labels
from .._compat import check_sample_weight
from .._row_weights import weight_of_one
from .._threads import single_threaded_blas
from ..fusion import fuse
from ._model import (
    centred,
    check_one_each,
    present_views,
    read_polynomial,
    scaled,
    split_pipeline,
    square,
)
from ._results import TermContributions

__all__ = ["term_contributions"]

_LEAST_LEFT = 1e-3  # of the fused graph's largest entry, where a term is subtracted from it


def leave_one_out_score(kernel, targets, ridge=1.0, sample_weight=None):
    """Share of the targets' variance explained by leave-one-out ridge predictions.

    Weights count as when weights of terms are learned, see :func:`legofuse.weights.leave_one_out`.
    """
    weight = np.ones(len(kernel)) if sample_weight is None else sample_weight
    system = np.array(kernel, order="C")
    system.reshape(-1)[:: len(system) + 1] += ridge / weight
    given = np.column_stack([np.ones(len(kernel)), targets])
    root, info = lapack.dpotrf(system.T)
    if info:  # negative weights, or relations that are no kernels
        inverse = _inverse(system)
        diagonal, solved = np.diagonal(inverse), inverse @ given
    else:
        root, _ = lapack.dtrtri(root, overwrite_c=1)
        diagonal, solved = np.einsum("ij,ij->i", root, root), root @ (root.T @ given)
    sums = solved[:, 0]
    shares = sums / sums.sum()  # the intercept is not penalised
    fitted = solved[:, 1:] - np.outer(shares, sums @ targets)
    whole = np.maximum(weight, 1.0)  # one unit of weight is left out
    left = (whole - 1) / ridge + (diagonal - sums * shares) / whole
    errors = fitted / left[:, None]
    about = targets - np.average(targets, axis=0, weights=weight)
    return float(1 - weight @ (errors**2).sum(axis=1) / (weight @ (about**2).sum(axis=1)))


def _inverse(system):
    try:
        return np.linalg.inv(system)
    except np.linalg.LinAlgError:  # weights so large that the ridge is rounded away
        return np.linalg.pinv(system, hermitian=True)


def read_targets(y, target_type, rows):
    """One-hot classes, or real columns, of some rows, as the transformer reads them."""
    targets, classes = _labels.read_targets(y, np.shape(y)[0], target_type)
    if classes is not None:
        targets = (targets == np.unique(classes)).astype(float)
    chosen, whole = targets[rows], len(rows) == len(targets)
    if not (chosen != chosen[0]).any():
        which = "rows" if whole else f"{len(rows)} rows that are looked at"
        raise ValueError(f"y is the same in all {which}: there is nothing that a view could tell.")
    largest = np.abs(targets).max()
    if not 1e-100 < largest < 1e100:  # squares must neither vanish nor overflow; scores are shares
        targets = np.ldexp(targets, -np.frexp(largest)[1])
    return targets[rows]


def term_contributions(
    estimator,
    X,
    y=None,
    *,
    sample_weight=None,
    sample_domain=None,
    max_samples=500,
    random_state=None,
):
    r"""Share of each term, and of each view, in the fused graph, and what is lost without it.

    The share of term a is :math:`A_a \|H K_a H\|_F` over the sum of these. What is lost is the
    fall of the leave-one-out score of ridge regression when the term (or all terms with the view)
    goes and the others are scaled up alike, as they are for rows that miss the view.

    Parameters
    ----------
    estimator : LEGOFusionTransformer, or Pipeline with one
        Fitted.
    X : array-like, frame or sparse of shape (n_samples, n_features)
        Rows that the shares are taken on.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
        Targets.
    sample_weight : array-like of shape (n_samples,), optional
        Positive weights of the rows, those of the fit where it had some: its ridge belongs to them.
    sample_domain : array-like of shape (n_samples,), optional
        Needed if fit was given it.
    max_samples : int, default=500
        So many rows are drawn where there are more: cost is cubic in them, for each term.
    random_state : int, RandomState or None, default=None
        Draws rows.

    Returns
    -------
    TermContributions
        Shares and losses, by term and by view. More than 1 may be lost: the score without a view
        is below 0 where predictions are worse than the mean of the targets.

    Raises
    ------
    ValueError, TypeError
        If there is no fusion transformer, its terms cannot be taken apart (hops, an identity),
        fewer than 3 rows have a view and a weight, `max_samples` is below 3, weights are negative,
        or y is not finite, of another length or always the same.

    Notes
    -----
    The ridge is that of the fit (1), or the best one of the whole fused graph where weights were
    learned by a criterion that fixes none. Terms are inspected with their weights as they are, or
    scaled up alike where others go; nothing is fitted again.
    Equal rows are looked at one by one, and predict one another: give rows of measurements that
    occur several times once, with their number as ``sample_weight``.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.inspection import term_contributions
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> model = LEGOFusionTransformer(views, relation="correlation").fit(X, y)
    >>> found = term_contributions(model, X, y)
    >>> float(found.shares.sum().round(6)), len(found.terms), len(found.views)
    (1.0, 9, 3)
    """
    model, X, _ = split_pipeline(estimator, X)
    polynomial = read_polynomial(model)
    if y is not None:
        check_one_each(y, X)
    weight, one = None, 1.0
    present = present_views(model, X)
    if sample_weight is not None:
        weight = check_sample_weight(sample_weight, X, dtype=np.float64)
        one = max(getattr(model, "_row_weight", 1.0), weight_of_one(weight[present.any(axis=1)]))
    with single_threaded_blas():
        graphs = square(model, X, sample_domain, max_samples, random_state, weight, present)
        weight = None if weight is None else weight[graphs.rows] / one
        return _contributions(model, polynomial, graphs, y, weight, one)


def _contributions(model, polynomial, graphs, y, weight, one):
    """Shares, and losses where there is y, on rows related to one another."""
    norms = np.abs(polynomial.weights) * _norms(polynomial, graphs, weight)
    shares = norms / (norms.sum() or 1.0)
    view_shares = shares @ polynomial.view_shares
    lost = view_lost = score = None
    if y is not None:
        targets = read_targets(y, model.target_type, graphs.rows)
        whole = fuse(graphs.relations, polynomial.powers, polynomial.weights)
        kernel = graphs.kernel(polynomial, polynomial.weights, whole)
        ridge = _ridge(model, kernel, targets, weight, one)
        score = leave_one_out_score(kernel, targets, ridge, weight)

        def lost_without(gone, fused=None):
            weights = np.where(gone, 0.0, polynomial.weights)
            if not weights.any():
                return np.nan
            sums = polynomial.weights.sum(), weights.sum()
            scale = sums[0] / sums[1] if min(sums) > 0 else 1.0  # signs stay
            kernel = scale * graphs.kernel(polynomial, weights, fused)
            return score - leave_one_out_score(kernel, targets, ridge, weight)

        rows, lost = np.arange(len(shares)), np.zeros(len(shares))
        for k in np.flatnonzero(polynomial.weights):
            lost[k] = lost_without(rows == k, _less(graphs, polynomial, whole, k))
        has = polynomial.powers @ polynomial.membership > 0
        view_lost = np.array([lost_without(gone) for gone in has.T])
    return TermContributions(
        polynomial.terms,
        polynomial.weights,
        shares,
        lost,
        polynomial.views,
        view_shares,
        view_lost,
        score,
    )


def _ridge(model, kernel, targets, weight, one):
    if model.ridge_ is not None:
        return model.ridge_ / one
    ridges = np.logspace(-6, 3, 19)
    scores = [leave_one_out_score(kernel, targets, ridge, weight) for ridge in ridges]
    return ridges[int(np.nanargmax(scores))]


def _less(graphs, polynomial, fused, k):
    """The fused graph of all terms less the k-th; None where no digits of it would be left."""
    rest = fused - polynomial.weights[k] * graphs.term(polynomial.powers[k])
    return rest if np.abs(rest).max() > _LEAST_LEFT * np.abs(fused).max() else None


def term_kernels(polynomial, graphs):
    """Kernels of the terms one by one, missing views made up for."""
    scale = polynomial.factors(graphs.present)
    for row in polynomial.powers:
        yield scaled(graphs.term(row), scale)


def _norms(polynomial, graphs, weight):
    root = None if weight is None else np.sqrt(weight)

    def norm(kernel):
        kernel = centred(kernel, weight)
        return np.linalg.norm(kernel if root is None else root[:, None] * kernel * root)

    return np.array([norm(kernel) for kernel in term_kernels(polynomial, graphs)])
