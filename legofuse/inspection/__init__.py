"""Looking into results, as numbers: arrays and frames. Nothing is drawn here.

This package may import legofuse.fusion and nothing else of legofuse.
"""

from ._frames import frame_auc, frame_labels, frame_scores

__all__ = ["frame_auc", "frame_labels", "frame_scores"]
