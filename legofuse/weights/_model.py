"""The fusion polynomial as a function of its weights."""

from typing import Any

import numpy as np

from ..fusion import fuse, fuse_adjoint, fuse_separable, fuse_separable_adjoint
from ._packing import pack_gradient, packed_among, unpack

_FALL = 0.1  # of weights where they start, from degree to degree


class Model:
    """A fusion polynomial as a function of its weights, on packed graphs."""

    def __init__(self, relations, powers, separable=False, zeroth=None, present=None):
        self.relations, self.powers = relations, powers
        self.separable, self.zeroth = separable, zeroth
        self.shape = (len(relations), -1)
        self.diagonals: Any = None
        if present is not None:  # relations of a row to itself, the last row complete
            self.diagonals = np.vstack([present, np.ones(present.shape[1])]).T.astype(float)

    def first(self, n_units):
        """The same model of the first units only."""
        return self._cut(slice(n_units * (n_units + 1) // 2), np.arange(n_units))

    def among(self, units):
        """The same model of some units, whose indices rise."""
        return self._cut(packed_among(units), units)

    def _cut(self, entries, units):
        def cut(graph):
            return [p[entries] for p in graph] if isinstance(graph, list) else graph[entries]

        zeroth = None if self.zeroth is None else self.zeroth[entries]
        graphs = [cut(graph) for graph in self.relations]
        other = Model(graphs, self.powers, self.separable, zeroth)
        if self.diagonals is not None:
            other.diagonals = np.ascontiguousarray(self.diagonals[:, [*units, -1]])
        return other

    def start(self, factors=1.0):
        """Weights that fall tenfold from degree to degree, shared within each degree.

        Alike there, or in proportion to the product of the factors of a term's graphs.
        """
        degrees = self.powers.sum(axis=1)
        if self.separable:
            return np.where(degrees == 0, 1.0, _FALL ** (degrees - 1.0) / len(self.relations))
        parts = np.prod(np.power(factors, self.powers), axis=1)
        return _FALL ** (degrees - 1.0) * parts / np.bincount(degrees, parts)[degrees]

    def _fuse(self, relations, weights, zeroth):
        if self.separable:
            return fuse_separable(relations, weights.reshape(self.shape), zeroth)
        return fuse(relations, self.powers, weights)

    def _adjoint(self, relations, weights, slope, zeroth):
        if self.separable:
            factors = weights.reshape(self.shape)
            return fuse_separable_adjoint(relations, factors, slope, zeroth).ravel()
        return fuse_adjoint(relations, self.powers, slope)

    def graph(self, weights):
        """Return the fused graph and how to pull a gradient with respect to it back."""
        graph = unpack(self._fuse(self.relations, weights, self.zeroth))
        if self.diagonals is None:
            return graph, lambda slope: self._adjoint(
                self.relations, weights, pack_gradient(slope), self.zeroth
            )
        diagonal = self._fuse(list(self.diagonals), weights, None)
        scale = normaliser(diagonal[:-1], diagonal[-1])
        graph *= scale[:, None]
        graph *= scale

        def pull_back(slope):
            shares = np.einsum("ij,ij->i", slope, graph)
            inverse = np.divide(1, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
            falls = np.append(-shares, shares.sum()) * inverse
            slope = pack_gradient(slope * np.outer(scale, scale))
            direct = self._adjoint(self.relations, weights, slope, self.zeroth)
            return direct + self._adjoint(list(self.diagonals), weights, falls, None)

        return graph, pull_back


def normaliser(diagonal, complete):
    r"""Row factors that make up for missing views: sqrt(G of a complete row / G_ii).

    Parameters
    ----------
    diagonal : ndarray of shape (n_units,)
        Relation of each unit to itself in the fused graph.
    complete : float
        The same for a unit that has every view.

    Returns
    -------
    ndarray of shape (n_units,)
        Exactly 1 for a complete unit, 0 for one that misses every view.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import normaliser
    >>> normaliser(np.array([4.0, 1.0, 0.0]), 4.0)
    array([1., 2., 0.])
    """
    comparable = diagonal * np.sign(complete) > 0  # negative weights may turn the sign
    return np.sqrt(np.divide(complete, diagonal, out=np.zeros_like(diagonal), where=comparable))
