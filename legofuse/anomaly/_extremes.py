r"""Bags related to bags by the extremes of their features.

Of each feature the largest and the smallest value of a bag's units, in one row a bag: such rows are
related as units are, Gaussian in each view, the mean over views. That tells bags in which several
kinds of units must meet, of which no single unit, and no single reference, knows.

.. math:: r(B, C) = \frac{1}{M} \sum_m \exp(-\gamma_m |s_m(B) - s_m(C)|^2)

with :math:`s_m(B)` the standardised extremes of view m: the statistics of Gärtner et al., in a
Gaussian in place of a polynomial.

T. Gärtner, P. Flach, A. Kowalczyk, A. Smola. Multi-instance kernels. ICML 2002.
"""

from typing import Any

import numpy as np

from ..fused import FusedGraph
from ..graphs import learn_statistics
from ..readouts import embedding_map
from ..terms import list_terms
from ._blocks import rows_at_once

_MOST_BAGS = 512  # that others are related to
_BLOCK_SIZE = 1 << 20  # numbers of relations computed at once


class Extremes:
    """Features of bags: Nyström features of the graph of their extremes.

    Parameters
    ----------
    X : ndarray of shape (n_units, n_features)
        Units of the training bags; a view whose columns are NaN is missing.
    offsets : ndarray of shape (n_bags + 1,)
    weight : ndarray of shape (n_bags,)
    columns : dict of str to index array
        Columns of each view.
    """

    def __init__(self, X, offsets, weight, columns):
        n_features, bags = X.shape[1], np.arange(len(weight))
        table = extremes(X, offsets)
        doubled = {
            view: np.append(index, index + n_features)
            for view, index in columns.items()
            if not np.isnan(table[:, index[0]]).all()
        }
        graphs = [(view, "gaussian") for view in doubled]
        learned = learn_statistics(table, doubled, bags, weight)
        n_known = min(len(bags), _MOST_BAGS)
        known = bags[np.linspace(0, len(bags) - 1, n_known).round().astype(int)]
        terms = list_terms(len(graphs), 1, "additive")
        self.fused: Any = FusedGraph(doubled, graphs, terms, learned, table[known])
        self.fused.set_weights(np.full(len(graphs), 1 / len(graphs)))
        self.to_features = embedding_map(self.fused(self.fused.references), tol=1e-8)[0]

    def __call__(self, X, offsets, to_values=None):
        """Features of bags, (n_bags, n_components), or what a map takes relations to instead."""
        to_values = self.to_features if to_values is None else to_values
        step = rows_at_once(_BLOCK_SIZE, len(self.fused), self.fused.graphs)
        found = []
        for first in range(0, max(1, len(offsets) - 1), step):
            ends = offsets[first : first + step + 1]
            table = extremes(X[ends[0] : ends[-1]], ends - ends[0])
            found.append(self.fused(self.fused.encode(table)) @ to_values)
        return np.concatenate(found)


def extremes(X, offsets):
    """Largest and smallest value of each feature in each bag; NaN where no unit has it.

    Parameters
    ----------
    X : ndarray of shape (n_units, n_features)
    offsets : ndarray of shape (n_bags + 1,)
        No bag may be empty.

    Returns
    -------
    ndarray of shape (n_bags, 2 * n_features)
    """
    starts = offsets[:-1]
    return np.hstack([function.reduceat(X, starts) for function in (np.fmax, np.fmin)])
