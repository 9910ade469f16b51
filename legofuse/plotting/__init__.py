"""Pictures of what inspection finds, in scikit-learn's Display convention.

A display holds numbers; ``from_estimator`` (or another ``from_``) makes one and draws it, ``plot``
draws it again, and what was drawn is in ``ax_`` and ``figure_``. Colours are told apart by
colour-blind readers, and nothing is told by colour alone. Matplotlib (``legofuse[plot]``) is
imported when something is drawn, and not before.

This package may import legofuse.inspection and nothing else of legofuse.
"""

from ._curves import HistoryDisplay, MissingViewDisplay
from ._graphs import EmbeddingDisplay, GraphsDisplay
from ._scores import ExplanationDisplay, UnitScoresDisplay
from ._weights import ImportancesDisplay, WeightsDisplay

__all__ = [
    "EmbeddingDisplay",
    "ExplanationDisplay",
    "GraphsDisplay",
    "HistoryDisplay",
    "ImportancesDisplay",
    "MissingViewDisplay",
    "UnitScoresDisplay",
    "WeightsDisplay",
]
