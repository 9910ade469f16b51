r"""Shifts between domains: what is known of them, and rows moved to where they would be without.

Features of a row are taken as (class) + (domain) + rest, standardised by all training rows; the
second part is estimated beside the first, so that classes of unequal frequency do not pass for a
shift, and shrunk towards none where a domain has few rows. As in ComBat (Johnson, Li and Rabinovic,
"Adjusting batch effects in microarray expression data", Biostatistics 2007) the spread of the rest
is brought to the common one.

This package may import graphs and relations of legofuse.
"""

from ._known import Shifts, pack_shifts, unpack_shifts
from ._learn import learn_shifts
from ._moved import encode_moved, relate_moved, related_as_they_are
from ._new_domains import class_slope, with_domains

__all__ = [
    "Shifts",
    "class_slope",
    "encode_moved",
    "learn_shifts",
    "pack_shifts",
    "relate_moved",
    "related_as_they_are",
    "unpack_shifts",
    "with_domains",
]
