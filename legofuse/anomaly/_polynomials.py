"""Weights that compete: several polynomials over the same graphs, none looks at labels."""

import numpy as np

from ..fusion import fuse, fuse_several
from ..weights import normaliser

_FEW_ENTRIES, _FEW_TERMS = 1 << 15, 32  # of which all terms are kept, for several weights


def candidate_weights(graphs, expansion, always=()):
    """Weights of the terms that compete: all terms alike, one relation's alone, one view's alone.

    Each set of weights is scaled so that a complete unit's fused relation to itself is 1.

    Parameters
    ----------
    graphs : list of (view, relation)
    expansion : Expansion
    always : collection of int
        Graphs that are in every candidate and make none of their own.

    Returns
    -------
    dict of str to ndarray of shape (n_terms,)

    Examples
    --------
    >>> from legofuse.anomaly._polynomials import candidate_weights
    >>> from legofuse.terms import list_terms
    >>> candidate_weights([("a", "rbf"), ("b", "rbf")], list_terms(2, 1, "total"))
    {'all': array([0.5, 0.5]), 'a': array([1., 0.]), 'b': array([0., 1.])}
    """
    free = [k for k in range(len(graphs)) if k not in always]
    found = {"all": _spread_over(range(len(graphs)), len(graphs), expansion)}
    for part in (1, 0):
        labels = [graphs[k][part] for k in free]
        for label in dict.fromkeys(labels):
            chosen = [k for k, other in zip(free, labels, strict=True) if other == label]
            if len(chosen) < len(free):
                weights = _spread_over([*chosen, *always], len(graphs), expansion)
                found[str(label) if part == 0 else f"[{label}]"] = weights
    return found


def _spread_over(chosen, n_graphs, expansion):
    """Equal weights of the terms (or powers) of some graphs; their self-relation is 1."""
    powers, chosen = expansion.powers, list(chosen)
    if expansion.separable:
        factors = np.zeros((n_graphs, len(powers) // n_graphs))
        factors[:, 0] = 1.0
        factors[chosen] = 1 / factors.shape[1]
        weights = factors.ravel()
        one = np.ones(1)
        ones = [one if expansion.degree is None else [one] * expansion.degree] * n_graphs
        complete = float(expansion.fuse(ones, weights, np.ones(1))[0])
        weights[: factors.shape[1]] /= complete  # scales the product
        return weights
    others = [k for k in range(n_graphs) if k not in chosen]
    weights = (powers[:, others] == 0).all(axis=1).astype(float)
    return weights / weights.sum()


class Polynomials:
    """Several weights of one expansion, by name.

    Parameters
    ----------
    expansion : Expansion
    weights : dict of str to ndarray of shape (n_terms,)
        A complete unit's relation to itself is 1 by each.
    """

    def __init__(self, expansion, weights):
        self.expansion, self.weights = expansion, weights
        self.complete = dict.fromkeys(weights, 1.0)
        if expansion.degree is None:
            one = np.ones((1, expansion.powers.shape[1]))
            self.complete = {name: float(self._diagonal(name, one)[0]) for name in weights}
        plain = not (expansion.separable or expansion.identity or expansion.degree)
        self.used: dict = {
            name: (expansion.powers[w > 0], w[w > 0]) if plain else None
            for name, w in weights.items()
        }

    def fuse(self, name, graphs, equal=None, present=None, others=None):
        """Fuse expanded graphs; missing views are made up for.

        Parameters
        ----------
        name : str
            Of the weights.
        graphs : list of ndarray of shape (n_units, n_references)
            Of ``Expansion.graphs``.
        equal : ndarray of shape (n_units, n_references), optional
            The identity.
        present, others : ndarray of shape (n_units, n_graphs) and (n_references, n_graphs)
            False where a graph's view is missing; None where none is.

        Returns
        -------
        ndarray of shape (n_units, n_references)
        """
        if self.used[name] is not None:
            fused = fuse(graphs, *self.used[name])
        else:
            fused = self.expansion.fuse(graphs, self.weights[name], equal)
        return self._complete(name, fused, present, others)

    def fuse_each(self, names, graphs, equal=None, present=None, others=None):
        """Yield each name and what :meth:`fuse` gives for it."""
        parts, powers = (present, others), self.expansion.powers
        plain = all(self.used[name] is not None for name in names)
        few = len(names) > 1 and len(powers) <= _FEW_TERMS
        if plain and few and graphs[0].size <= _FEW_ENTRIES:
            found = fuse_several(graphs, powers, np.stack([self.weights[name] for name in names]))
            for name, fused in zip(names, found, strict=True):
                yield name, self._complete(name, fused, *parts)
            return
        for name in names:
            yield name, self.fuse(name, graphs, equal, *parts)

    def _complete(self, name, fused, present, others):
        """Make up for missing views, in place."""
        if self.expansion.degree is None:
            for axis, part in ((1, present), (0, others)):
                if part is not None:
                    fused *= np.expand_dims(self.factor(name, part), axis)
        return fused

    def factor(self, name, present):
        """Root of a complete unit's relation to itself over that of each unit, else 0."""
        diagonal = self._diagonal(name, np.asarray(present, dtype=float))
        return normaliser(np.where(diagonal > 1e-12, diagonal, 0.0), self.complete[name])

    def _diagonal(self, name, present):
        have = self.expansion.present(present)
        weights = self.weights[name]
        return self.expansion.fuse(list(have.T.copy()), weights, np.ones(len(have)))
