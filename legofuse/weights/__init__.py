r"""Weights: how much each term of the fusion polynomial counts.

Every criterion is a function of relations, powers and targets that returns a :class:`Learned`.
Square relations are kept as packed lower triangles (:func:`pack`), half the memory and half the
work; the kernels of single terms are never stored: everything streams through
:func:`~legofuse.fusion.fuse` and :func:`~legofuse.fusion.fuse_adjoint`.

This package may import legofuse.fusion and nothing else of legofuse.
"""

from ._agreement import alignment, centred_products, consensus
from ._importances import importances
from ._learned import Learned, uniform
from ._leave_one_out import leave_one_out, ridge_path, softmax_loss, squared_loss
from ._loo import loo
from ._model import normaliser
from ._packing import pack, packed_diagonal, unpack
from ._start import start_factors

__all__ = [
    "Learned",
    "alignment",
    "centred_products",
    "consensus",
    "importances",
    "leave_one_out",
    "loo",
    "normaliser",
    "pack",
    "packed_diagonal",
    "ridge_path",
    "softmax_loss",
    "squared_loss",
    "start_factors",
    "uniform",
    "unpack",
]
