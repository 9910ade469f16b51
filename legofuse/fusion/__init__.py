r"""The fusion polynomial: one graph from many, entry by entry.

This package is the whole idea and imports nothing from legofuse but its settings. ``fuse``,
``fuse_separable`` and ``polynomial`` work on numpy arrays and on torch tensors alike (so that
autograd sees them); numpy arrays are processed in blocks that stay in the processor's cache, or by
code that numba compiled where ``legofuse.config`` says so. The adjoints, which autograd has of its
own, are for numpy.

A term :math:`a = (a_1, \dots, a_M)` is a row of ``powers``. Each is split into a left and a
right monomial, :math:`R^a = L_l \circ R_r`, so that the fused graph is

.. math:: G = \sum_l L_l \circ \Big(\sum_r A_{lr} R_r\Big)

whose inner sum is one small matrix product per block and whose outer sum has few terms:
two graphs with powers up to 8 need 9 left and 9 right monomials for 80 terms.
``fuse_several`` alone evaluates every term, where entries are so few that calls cost more.
"""

from ._polynomial import each_term, fuse, fuse_adjoint, fuse_several, polynomial
from ._separable import fuse_separable, fuse_separable_adjoint
from ._terms import INTERACTIONS, count_terms, exponents, one_exponent_each

__all__ = [
    "INTERACTIONS",
    "count_terms",
    "each_term",
    "exponents",
    "fuse",
    "fuse_adjoint",
    "fuse_separable",
    "fuse_separable_adjoint",
    "fuse_several",
    "one_exponent_each",
    "polynomial",
]
