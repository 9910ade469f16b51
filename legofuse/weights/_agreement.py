"""Weights in closed form: alignment with the targets, or consensus among the terms."""

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import nnls

from ..fusion import each_term, fuse_adjoint
from ._importances import row_sums
from ._learned import Learned
from ._packing import pack_gradient, side
from ._scale import moderate

_MOST_PAIRED = 500  # terms; of more, sums of pairs are too many to be evaluated each
_ROUNDING = 64.0  # rounding units that a kernel which does not vary may seem to vary by


def centred_products(relations, powers, sample_weight):
    r"""Inner products of the centred kernels of all terms.

    .. math:: \langle H K_a H, H K_b H \rangle

    The uncentred product depends on a + b only and streams through
    :func:`~legofuse.fusion.fuse_adjoint`. Of many terms, and where centring leaves so little that
    the difference would be rounding, the kernels are centred first.

    Parameters
    ----------
    relations : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    sample_weight : ndarray of shape (n_units,)
        Weight of each unit.

    Returns
    -------
    products : ndarray of shape (n_terms, n_terms)
        Inner product of each pair of terms.
    row_means : ndarray of shape (n_units, n_terms)
        Weighted means of the rows of the terms' kernels.
    """
    total = sample_weight.sum()
    row_means = row_sums(relations, powers, sample_weight / total)
    outer = pack_gradient(np.outer(sample_weight, sample_weight))
    if len(powers) > _MOST_PAIRED:
        return _centred_first(relations, powers, sample_weight, outer, row_means), row_means
    pairs = powers[:, None] + powers[None]
    sums, where = _distinct(pairs.reshape(-1, powers.shape[1]))
    products = fuse_adjoint(relations, sums, outer)[where.reshape(pairs.shape[:2])]
    means, squares = row_means.T @ sample_weight / total, np.diag(products).copy()
    products -= 2 * total * (row_means.T * sample_weight) @ row_means
    products += total**2 * np.outer(means, means)
    if (np.diag(products) < _unit(relations) ** 0.75 * squares).any():
        products = _centred_first(relations, powers, sample_weight, outer, row_means)
    return products, row_means


def _unit(relations):
    """Rounding unit of graphs, the coarsest where they differ."""
    return max(np.finfo(r.dtype).eps if r.dtype.kind == "f" else 0.0 for r in relations)


def _centred_first(relations, powers, weight, outer, row_means):
    """The same products from centred kernels; 0 of those that are constant up to rounding."""
    rows, columns = np.tril_indices(len(weight))
    means, root = weight @ row_means / weight.sum(), np.sqrt(outer)
    products, squares = np.zeros((len(powers), len(powers))), np.zeros(len(powers))
    for part, values in each_term(relations, powers):
        values *= root[part]
        squares += np.einsum("ij,ij->i", values, values)
        values -= (row_means[rows[part]] + row_means[columns[part]] - means).T * root[part]
        products += values @ values.T
    noise = np.diag(products) <= (_ROUNDING * _unit(relations)) ** 2 * squares
    products[noise] = 0
    products[:, noise] = 0
    return products


def _distinct(rows):
    """Distinct rows of whole numbers, sorted, and which of them each row is."""
    codes, size = np.zeros(len(rows), int), rows.max(initial=0) + 1
    for column in rows.T:  # much faster than by whole rows
        codes = np.unique(codes * size + column, return_inverse=True)[1]
    first = np.unique(codes, return_index=True)[1]
    return rows[first], codes


def alignment(relations, powers, targets, *, sample_weight=None, nonnegative=True):
    r"""Learn weights by centred kernel-target alignment.

    .. math:: \min_{A} A^T M A - 2 A^T b, \quad M_{ab} = \langle H K_a H, H K_b H \rangle,
        \quad b_a = \langle H K_a H, Y Y^T \rangle

    on kernels of norm 1 and with a small ridge on M, which is badly conditioned.

    Parameters
    ----------
    relations : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    targets : ndarray of shape (n_units, n_targets)
        Real values, or one column of 0 and 1 for each class.
    sample_weight : ndarray of shape (n_units,), optional
        Weight of each unit; 1 where none are given.
    nonnegative : bool
        Whether A >= 0 is required, so that the fused graph is a kernel.

    Returns
    -------
    Learned
        The weights.

    References
    ----------
    Cortes, Mohri and Rostamizadeh, "Algorithms for Learning Kernels Based on Centered
    Alignment", JMLR 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import alignment, pack
    >>> signal, noise = np.linspace(-1, 1, 20), np.sin(99 * np.arange(20))
    >>> graphs = [pack(np.outer(v, v)) for v in (signal, noise)]
    >>> weights = alignment(graphs, np.eye(2, dtype=int), signal[:, None]).weights
    >>> bool(weights[0] > 10 * weights[1])
    True
    """
    weight = np.ones(len(targets)) if sample_weight is None else np.asarray(sample_weight, float)
    weight, targets = moderate(weight), moderate(targets)
    products, _ = centred_products(relations, powers, weight)
    centred = moderate((targets - weight @ targets / weight.sum()) * weight[:, None])
    goals = fuse_adjoint(relations, powers, pack_gradient(centred @ centred.T))
    inverse = _inverse_norms(products)
    matrix = products * np.outer(inverse, inverse)
    goals = goals * inverse / max(np.abs(goals * inverse).max(), 1e-300)
    values, vectors = eigh(matrix)
    values = np.maximum(values, 0) + 1e-6  # float32 graphs may leave it slightly indefinite
    if nonnegative:
        root = np.sqrt(values)
        solution = nnls(
            root[:, None] * vectors.T, vectors.T @ goals / root, maxiter=50 * len(goals)
        )[0]
    else:
        solution = vectors @ (vectors.T @ goals / values)
    return _learned(solution, inverse)


def consensus(relations, powers, *, sample_weight=None):
    r"""Weights by which the terms agree best with one another (STATIS).

    The leading eigenvector of the matrix of cosines between centred kernels, over the norms of
    these. Cosines below 0 count as 0, so that it is non-negative (Perron and Frobenius).

    Parameters
    ----------
    relations : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    sample_weight : ndarray of shape (n_units,), optional
        Weight of each unit; 1 where none are given.

    Returns
    -------
    Learned
        The weights.

    References
    ----------
    Lavit, Escoufier, Sabatier and Traissac, "The ACT (STATIS method)", CSDA 1994.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import consensus, pack
    >>> a, b = np.linspace(-1, 1, 20), np.sin(99 * np.arange(20))
    >>> graphs = [pack(np.outer(v, v)) for v in (a, a, b)]
    >>> weights = consensus(graphs, np.eye(3, dtype=int)).weights
    >>> bool(weights[0] > 2 * weights[2])
    True
    """
    if sample_weight is None:
        sample_weight = np.ones(side(relations[0]))
    weight = moderate(np.asarray(sample_weight, float))
    products, _ = centred_products(relations, powers, weight)
    inverse = _inverse_norms(products)
    cosines, last = np.maximum(products * np.outer(inverse, inverse), 0), len(products) - 1
    leading = np.abs(eigh(cosines, subset_by_index=[last, last])[1][:, 0])
    return _learned(leading, inverse)


def _inverse_norms(products):
    """1 / norm of each kernel, 0 where that vanishes beside the largest."""
    norms = np.sqrt(np.maximum(np.diag(products), 0))
    return np.divide(1, norms, out=np.zeros_like(norms), where=norms > 1e-9 * norms.max())


def _learned(solution, inverse):
    """Weights of the terms from those of kernels of norm 1; alike where these tell nothing."""
    if not solution.any():
        solution = np.ones_like(solution)
    return Learned(solution * inverse if inverse.any() else np.ones_like(inverse))
