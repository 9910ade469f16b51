"""Torch modules of the fusion: trained by gradients, alone or inside the estimators.

The only place of legofuse that imports torch or skorch. Everything random is drawn from
generators that are passed in, so that torch's global generator stays as it is; nothing sets the
number of threads.
"""

from .bag_fit import fit_bags, restore_bags, score_bags
from .bag_model import BagLoss, BagModel, BagSettings
from .batches import PackedBags, TensorBatches, TensorData
from .fusion import FusionPolynomial, fuse_fixed
from .generators import make_generator
from .heads import LinearHead, MLPHead
from .losses import (
    WeightedLoss,
    binary_cross_entropy,
    cross_entropy,
    degree_variance_penalty,
    squared_error,
)
from .nets import Net, OnEpoch, epoch_losses, fit_net, make_net, resolve_device
from .pooling import bag_index, max_pool, pad, top_k_pool
from .propagation import Propagation, propagate
from .relate import relate_on
from .state import load_module, module_arrays, net_arrays, restore_net, to_arrays, to_tensors

__all__ = [
    "BagLoss",
    "BagModel",
    "BagSettings",
    "FusionPolynomial",
    "LinearHead",
    "MLPHead",
    "Net",
    "OnEpoch",
    "PackedBags",
    "Propagation",
    "TensorBatches",
    "TensorData",
    "WeightedLoss",
    "bag_index",
    "binary_cross_entropy",
    "cross_entropy",
    "degree_variance_penalty",
    "epoch_losses",
    "fit_bags",
    "fit_net",
    "fuse_fixed",
    "load_module",
    "make_generator",
    "make_net",
    "max_pool",
    "module_arrays",
    "net_arrays",
    "pad",
    "propagate",
    "relate_on",
    "resolve_device",
    "restore_bags",
    "restore_net",
    "score_bags",
    "squared_error",
    "to_arrays",
    "to_tensors",
    "top_k_pool",
]
