"""What each graph counts for in a fused graph."""

import numpy as np

from ..fusion import fuse_adjoint
from ._packing import pack_gradient, rows_of
from ._scale import moderate

_BLOCK_SIZE = 1 << 21  # entries of all graphs together


def importances(graphs, powers, weights, sample_weight, shared_by=None, factors=None):
    r"""Share of each graph in the fused graph's centred norm.

    .. math:: v_m \propto \sum_a |A_a| \, \|H D K_a D H\|_F \, a_m / |a|

    with D the factors that make up for missing views, the identity where there are none.

    Parameters
    ----------
    graphs : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    weights : ndarray of shape (n_terms,)
        Magnitudes count.
    sample_weight : ndarray of shape (n_units,)
        Weight of each unit.
    shared_by : ndarray of shape (n_terms, n_shares), optional
        Exponents that the norm of a term is shared out by; by default its powers.
    factors : ndarray of shape (n_units,), optional
        What rows and columns of the kernels are multiplied by (:func:`normaliser`); 1 by default.

    Returns
    -------
    ndarray of shape (M,), or (n_shares,)
        Adds up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import importances, pack
    >>> graphs = [pack(np.outer(v, v)) for v in ([1.0, -1.0], [2.0, -2.0])]
    >>> importances(graphs, np.eye(2, dtype=int), np.ones(2), np.ones(2))
    array([0.2, 0.8])
    """
    sample_weight = moderate(sample_weight)
    total = sample_weight.sum()
    factors = np.ones(len(sample_weight)) if factors is None else factors
    squares = _squares(graphs, powers, sample_weight * factors**2)
    share = factors * sample_weight / total
    row_means = row_sums(graphs, powers, share, np.float64) * factors[:, None]
    squares -= 2 * total * (sample_weight @ row_means**2)
    squares += (sample_weight @ row_means) ** 2
    norms = np.sqrt(np.maximum(squares, 0)) * np.abs(weights)
    shared_by = powers if shared_by is None else shared_by
    parts = norms @ (shared_by / shared_by.sum(axis=1, keepdims=True))
    if not parts.sum() > 0:
        parts = np.ones_like(parts)
    return parts / parts.sum()


def _squares(graphs, powers, mass):
    """Squared norm of every term's graph, its rows and columns weighed by mass."""
    outer = pack_gradient(np.outer(mass, mass))
    squares, step = np.zeros(len(powers)), max(1, _BLOCK_SIZE // len(graphs))
    for start in range(0, len(outer), step):
        part = slice(start, start + step)
        some = [graph[part].astype(float, copy=False) ** 2 for graph in graphs]
        squares += fuse_adjoint(some, powers, outer[part])
    return squares


def row_sums(graphs, powers, share, dtype=None):
    """Sum over each row of every term's graph, its columns weighed by share; in blocks of rows.

    The type is that of the graphs by default; centring nearly constant ones needs float64.
    """
    n_units = len(share)
    sums, step = np.empty((n_units, len(powers))), max(1, _BLOCK_SIZE // (n_units * len(graphs)))
    for start in range(0, n_units, step):
        part = slice(start, min(start + step, n_units))
        some = [
            graph.astype(dtype or graph.dtype, copy=False)
            for graph in rows_of(graphs, n_units, part)
        ]
        weight = np.broadcast_to(share, some[0].shape)
        sums[part] = fuse_adjoint(some, powers, weight, by_row=True)
    return sums
