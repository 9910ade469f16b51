"""The fusion transformer: many views in, one embedding (or fused graph) out.

``fit`` reads, samples, chooses landmarks, learns weights and maps the landmarks; ``transform``
streams rows through relations, polynomial and map. The mathematics is in relations, fusion,
weights and readouts.
"""

from ._estimator import LEGOFusionTransformer

__all__ = ["LEGOFusionTransformer"]

LEGOFusionTransformer.__module__ = __name__  # what pickles and skops files call it
