"""What a bag is: several units under one label. Packing, segments, and per-unit transformers.

A bag is an (n_units, n_features) array; a batch of ragged bags is packed into one array of units
plus offsets, so that what follows needs no loop over bags. Nothing else of legofuse is imported
here.
"""

from ._cut import to_bags
from ._form import check_form, is_table
from ._pack import Bags, check_bags, pack_frames
from ._per_unit import PerUnit
from ._segments import segment, segment_means, unit_segments

__all__ = [
    "Bags",
    "PerUnit",
    "check_bags",
    "check_form",
    "is_table",
    "pack_frames",
    "segment",
    "segment_means",
    "to_bags",
    "unit_segments",
]
