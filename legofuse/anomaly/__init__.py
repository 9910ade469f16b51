"""Weakly supervised anomaly detection over bags of units: one label a bag, none a unit.

`_bags` reads and merges bags, `_checks` judges labels, `_fusion` relates units to references,
`_heads` fits linear heads on what is read from the fused graph, `_stack` weighs heads by held-out
bags, and `_classifier` puts them together. No torch is needed.
"""

from ._classifier import LEGOAnomalyClassifier

__all__ = ["LEGOAnomalyClassifier"]
