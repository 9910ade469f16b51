"""Weights in closed form: alignment with the targets, or consensus among the terms."""

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import nnls
from scipy.sparse.csgraph import connected_components

from ..fusion import each_term, fuse_adjoint
from ._importances import row_sums
from ._learned import Learned
from ._packing import pack_gradient, packed_among, packed_diagonal, side
from ._scale import moderate

_MOST_PAIRED = 64  # terms; of more, sums of pairs are too many to be evaluated each
_MOST_COMPARED = 250_000  # rows times terms, by consensus
_FEWEST_COMPARED = 100  # rows
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

    The leading eigenvector of the matrix C, over the norms of the centred kernels:

    .. math:: C_{ab} = \max\Big(0, \sum_{i \ne j} \tilde K_a[i, j] \tilde K_b[i, j]\Big) \Big/
        \big(\|\tilde K_a\|_F \|\tilde K_b\|_F\big), \quad \tilde K = H K H

    It is non-negative (Perron and Frobenius). STATIS counts the diagonals too. Here they are left
    out of the products, as by the unbiased estimate of dependence: kernels by which a row is like
    itself alone, as high powers of small relations are, agree on nothing else, and would have
    cosines near 1 all the same. Of many terms, some rows alone are compared, drawn evenly, those of
    a view that few rows have more often; their weights make up for it.

    Terms that agree with none of those that lead have no weight. Where several groups of terms lead
    alike, and agree with no other, all of them have.

    Parameters
    ----------
    relations : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    sample_weight : ndarray of shape (n_units,), optional
        Weight of each unit; 1 where none are given. A unit of weight 2 is that unit twice, and only
        what either is to itself is left out.

    Returns
    -------
    Learned
        The weights.

    References
    ----------
    Lavit, Escoufier, Sabatier and Traissac, "The ACT (STATIS method)", CSDA 1994.
    Song, Smola, Gretton, Bedo and Borgwardt, "Feature Selection via Dependence Maximization",
    JMLR 2012 (diagonals left out).

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
    n_units = side(relations[0])
    weight = np.ones(n_units) if sample_weight is None else np.asarray(sample_weight, float)
    itself = np.sqrt(1 / np.maximum(weight, 1))  # root of the share of a unit's pairs with itself
    kept, weight = _some_rows(relations, moderate(weight), len(powers))
    if len(kept) < n_units:
        where = packed_among(kept)
        relations = [relation[where] for relation in relations]
    products, row_means = centred_products(relations, powers, weight)
    inverse = _inverse_norms(products)
    own = _diagonals(relations, powers) - 2 * row_means + weight @ row_means / weight.sum()
    own *= (weight * itself[kept])[:, None]
    cosines = np.maximum((products - own.T @ own) * np.outer(inverse, inverse), 0)
    return _learned(_leading(cosines, _ROUNDING * _unit(relations)), inverse)


def _leading(matrix, rounding):
    """Leading eigenvector of a non-negative matrix, of blocks that lead alike the sum of theirs.

    Else it would be any one of many vectors where kernels that do not agree are equally strong, as
    of factors of a design, and which of them rounding, or the order of the views, would say.
    """
    _, block = connected_components(matrix > rounding * matrix.max(), directed=False)
    blocks = [np.flatnonzero(block == k) for k in range(block.max() + 1)]
    pairs = [_last_pair(matrix if len(blocks) == 1 else matrix[np.ix_(k, k)]) for k in blocks]
    most = max(value for value, _ in pairs)
    leads = [value >= (1 - rounding) * most for value, _ in pairs]
    found = np.zeros(len(matrix))
    for where, lead, (_, vector) in zip(blocks, leads, pairs, strict=True):
        if lead:  # the sum of all terms, projected on what the vectors span
            found[where] = vector if sum(leads) == 1 else vector * vector.sum()
    return found


def _last_pair(matrix):
    """Largest eigenvalue of a non-negative matrix, and its eigenvector."""
    last = len(matrix) - 1
    values, vectors = eigh(matrix, subset_by_index=[last, last])
    return values[0], np.abs(vectors[:, 0])


def _some_rows(relations, weight, n_terms):
    """Rows that kernels are compared on, and their weights: as many as many terms leave time for.

    Rows are drawn evenly, in proportion to their weight and to how rare the rarest view is that
    they have (the others have no relation to themselves in it), and weigh as much less.
    """
    n_kept = max(_FEWEST_COMPARED, _MOST_COMPARED // n_terms)
    if n_kept >= len(weight):
        return np.arange(len(weight)), weight
    where, rarity = packed_diagonal(len(weight)), np.ones_like(weight)
    for relation in relations:
        has = relation[where] != 0
        if weight[has].any():
            rarity[has] = np.maximum(rarity[has], weight.sum() / weight[has].sum())
    place = np.cumsum(weight * rarity)
    at = (np.arange(n_kept) + 0.5) / n_kept * place[-1]
    kept, times = np.unique(np.searchsorted(place, at), return_counts=True)
    return kept, times / rarity[kept]


def _diagonals(relations, powers):
    """Diagonal of every term's kernel, a column each."""
    where = packed_diagonal(side(relations[0]))
    diagonals = np.empty((len(where), len(powers)))
    for part, values in each_term([relation[where] for relation in relations], powers):
        diagonals[part] = values.T
    return diagonals


def _inverse_norms(products):
    """1 / norm of each kernel, 0 where that vanishes beside the largest."""
    norms = np.sqrt(np.maximum(np.diag(products), 0))
    return np.divide(1, norms, out=np.zeros_like(norms), where=norms > 1e-9 * norms.max())


def _learned(solution, inverse):
    """Weights of the terms from those of kernels of norm 1; alike where these tell nothing."""
    if not solution.any():
        solution = np.ones_like(solution)
    return Learned(solution * inverse if inverse.any() else np.ones_like(inverse))
