r"""Expansion: what the fusion polynomial is evaluated on.

Entry-wise powers of relations need nothing. Hops (matrix powers of the normalised graph) and an
identity for the zeroth power are turned into graphs of their own here.

This module may import legofuse.fusion and nothing else of legofuse.
"""

from typing import Any, NamedTuple

import numpy as np

from .fusion import fuse, fuse_separable, one_exponent_each

__all__ = ["Expansion", "hop_operators", "hops"]


def hop_operators(relation, weight, degree):
    r"""Operators that turn a row of relations to all training rows Z into hops.

    With negative entries clipped, :math:`d_i = \sum_j w_j R_{ij}` and
    :math:`W = D^{-1/2} R D^{-1/2}`, hop p of a row x is
    :math:`w(x, Z)\,(\Omega\, W(Z, Z))^{p-1}`, :math:`\Omega = \mathrm{diag}(w)`.

    Parameters
    ----------
    relation : ndarray of shape (n_references, n_references)
    weight : ndarray of shape (n_references,)
    degree : int

    Returns
    -------
    scale : ndarray of shape (n_references,)
        The diagonal of :math:`D^{-1/2}`.
    operators : list of degree - 1 ndarrays of shape (n_references, n_references)
    """
    clipped = np.maximum(relation, 0)
    scale = _inverse_root(clipped @ weight)
    step = (weight[:, None] * clipped * np.outer(scale, scale)).astype(relation.dtype)
    operators = [step] if degree > 1 else []
    for _ in range(2, degree):
        operators.append(operators[-1] @ step)
    return scale.astype(relation.dtype), operators


def _inverse_root(degrees):
    return np.divide(1, np.sqrt(degrees), out=np.zeros_like(degrees), where=degrees > 0)


def hops(relation, weight, scale, operators):
    """Hops 1..degree of rows related to all training rows.

    Parameters
    ----------
    relation : ndarray of shape (n_rows, n_references)
    weight, scale : ndarray of shape (n_references,)
    operators : list of ndarray
        Of :func:`hop_operators`.

    Returns
    -------
    list of ndarray of shape (n_rows, n_references)
    """
    clipped = np.maximum(relation, 0)
    first = clipped * scale * _inverse_root(clipped @ weight)[:, None].astype(scale.dtype)
    return [first] + [first @ operator for operator in operators]


class Expansion(NamedTuple):
    """A fusion polynomial over graphs, hops and an identity.

    Attributes
    ----------
    powers : ndarray of shape (n_terms, n_graphs)
        The terms as users see them.
    separable, identity : bool
        Whether the weights are factors, and whether the zeroth power is an identity.
    degree : int or None
        Highest hop; None for entry-wise powers.
    """

    powers: Any
    separable: bool = False
    identity: bool = False
    degree: Any = None

    def terms(self):
        """Terms over the expanded graphs."""
        if self.separable:
            return self.powers
        terms = self.powers if self.degree is None else one_exponent_each(self.powers)[1]
        if self.identity:
            alone = (self.powers > 0).sum(axis=1) == 1
            terms = np.column_stack([terms, alone.astype(np.int64)])
        return terms

    def graphs(self, relations, hop_lists=None, equal=None):
        """Expanded graphs of relations.

        Parameters
        ----------
        relations : list of M arrays
        hop_lists : list of M lists of arrays, for hops
        equal : array, for an identity: 1 where row and reference are equal

        Returns
        -------
        list of arrays (or of lists of arrays)
        """
        if self.degree is not None:
            if self.separable:
                return hop_lists
            pairs, _ = one_exponent_each(self.powers)
            relations = [hop_lists[m][p - 1] for m, p in pairs]
        return [*relations, equal] if self.identity and not self.separable else list(relations)

    def present(self, present):
        """Which expanded graphs a row has, from which graphs it has."""
        if self.identity and not self.separable:
            return np.column_stack([present, np.ones(len(present), bool)])
        return present

    def fuse(self, graphs, weights, equal=None, out=None):
        """Fuse expanded graphs, into ``out`` if given."""
        if self.separable:
            zeroth = equal if self.identity else None
            fused = fuse_separable(graphs, weights.reshape(len(graphs), -1), zeroth)
            if out is not None:
                out[:] = fused
            return fused if out is None else out
        return fuse(graphs, self.terms(), weights, out)
