r"""The graph of a bag's own units, and what spreads over it.

.. math:: z' = (1 - \beta) z + \beta D^{-1} G_+ z

with G the fused graph of the units of one bag, negative entries clipped, and D its row sums.
Blocks of whole bags are related at once and entries between bags are dropped, so that there is no
loop over bags.
"""

import numpy as np

from ..expansion import hop_operators, hops
from ..graphs import relate_rows
from ._blocks import join, rows_at_once, whole_bags

_BLOCK_UNITS = 192  # units of several bags that are related at once
_BLOCK_SIZE = 1 << 21  # numbers of relations computed at once


class OwnGraph:
    """Fused graph of the units of each bag among themselves.

    Parameters
    ----------
    graphs : list of (view, relation)
        A view of positions may be among them that other graphs do not have.
    polynomials : Polynomials
        Over these graphs.
    """

    def __init__(self, graphs, polynomials):
        self.graphs, self.polynomials = graphs, polynomials

    def smooth(self, values, rows, marks, offsets, learned):
        """Mean of values over related units of the same bag, weighted by the clipped graph.

        Parameters
        ----------
        values : dict of str to ndarray of shape (n_units, n_values)
            By name of the weights that fuse the graph.
        rows : Rows
            The units, encoded.
        marks : ndarray of shape (n_units, 3) or None
            Their fingerprints, where the zeroth power is an identity.
        offsets : ndarray of shape (n_bags + 1,)
        learned : dict of (view, domain) to Statistics

        Returns
        -------
        dict of str to ndarray of shape (n_units, n_values)
            A unit without relations, not even to itself, keeps its value.
        """
        out = {name: np.empty_like(part) for name, part in values.items()}
        for a, part, stop, fused in self.blocks(values, rows, marks, offsets, learned):
            for name, graph in fused:
                graph = np.maximum(graph, 0)
                degrees = graph.sum(axis=1, keepdims=True)
                alone = degrees <= 0
                mean = graph @ values[name][a:stop] / np.where(alone, 1.0, degrees)
                out[name][part] = np.where(alone, values[name][part], mean)
        return out

    def blocks(self, names, rows, marks, offsets, learned):
        """Fused graphs of blocks of whole bags, 0 between bags.

        Yields
        ------
        start : int
        part : slice
            The rows that the graphs have, of these units.
        stop : int
            The columns are units start to stop.
        fused : iterator of (str, ndarray of shape (n_part, stop - start))
        """
        bag = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        for first, last in whole_bags(offsets, _BLOCK_UNITS):
            a, stop = int(offsets[first]), int(offsets[last])
            step = rows_at_once(_BLOCK_SIZE, stop - a, self.graphs)
            if self.polynomials.expansion.degree is not None:
                step = stop - a  # hops go through all units of a bag
            whole = rows[a:stop]
            known = None if marks is None else marks[a:stop]
            for begin in range(a, stop, step):
                part = slice(begin, min(begin + step, stop))
                same = bag[part, None] == bag[a:stop]
                of = rows[part], None if marks is None else marks[part]
                yield a, part, stop, self._fuse(names, of, (whole, known), same, learned)

    def per_bag(self, rows, marks, n_bags, learned):
        """Expanded graphs of bags of as many units each, and the identity or None.

        Parameters
        ----------
        rows, marks, learned
            As of :meth:`smooth`.
        n_bags : int

        Returns
        -------
        graphs : list of ndarray (or of lists of ndarray) of shape (n_bags, n_units, n_units)
        equal : ndarray of the same shape, or None
        """
        n_units = len(rows) // n_bags
        bag, found = np.repeat(np.arange(n_bags), n_units), []
        for first, last in whole_bags(np.arange(n_bags + 1) * n_units, _BLOCK_UNITS):
            part = slice(first * n_units, last * n_units)
            block = rows[part], None if marks is None else marks[part]
            same = bag[part, None] == bag[part]
            graphs, equal = self._expand(block, block, same, learned)
            found.append((_diagonal(graphs, last - first), _diagonal(equal, last - first)))
        graphs, equal = (join(parts) for parts in zip(*found, strict=True))
        return graphs, equal

    def _fuse(self, names, of, whole, same, learned):
        graphs, equal = self._expand(of, whole, same, learned)
        parts = of[0].present, whole[0].present
        for name, fused in self.polynomials.fuse_each(names, graphs, equal, *parts):
            yield name, fused * same

    def _expand(self, of, whole, same, learned):
        """Expanded graphs of some units of a block and all of it, and the identity or None."""
        (rows, marks), (others, other_marks) = of, whole
        polynomials, equal = self.polynomials, None
        relations = relate_rows(rows, others, self.graphs, learned)
        hop_lists = None
        if polynomials.expansion.degree is not None:
            ones, hop_lists = np.ones(len(others)), []
            for relation in relations:
                operators = hop_operators(relation * same, ones, polynomials.expansion.degree)
                hop_lists.append(hops(relation * same, ones, *operators))
        if polynomials.expansion.identity:
            equal = (marks[:, None] == other_marks).all(axis=2).astype(float) * same
        return polynomials.expansion.graphs(relations, hop_lists, equal), equal


def _diagonal(tree, n_bags):
    """The diagonal blocks of square matrices, of shape (n_bags, n_units, n_units)."""
    if tree is None:
        return None
    if isinstance(tree, list):
        return [_diagonal(part, n_bags) for part in tree]
    n_units, each = len(tree) // n_bags, np.arange(n_bags)
    return tree.reshape(n_bags, n_units, n_bags, n_units)[each, :, each]
