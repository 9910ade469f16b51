"""Looking into results, as numbers: arrays and frames. Nothing is drawn here.

Estimators are read through their public attributes and methods alone: this package may import
legofuse.fusion, legofuse.views and legofuse._threads, and nothing else of legofuse. Matrices are
small, or come block by block: every function keeps BLAS to one thread while it computes.
"""

from ._domains import domain_shift
from ._explain import explain
from ._frames import frame_auc, frame_labels, frame_scores
from ._missing import missing_view_curve
from ._permutation import permutation_importance
from ._results import (
    DomainShift,
    Explanation,
    MissingViewCurve,
    PermutationImportance,
    TermContributions,
    ViewAgreement,
    ViewImportances,
)
from ._terms import term_contributions
from ._views import view_agreement, view_importances

__all__ = [
    "DomainShift",
    "Explanation",
    "MissingViewCurve",
    "PermutationImportance",
    "TermContributions",
    "ViewAgreement",
    "ViewImportances",
    "domain_shift",
    "explain",
    "frame_auc",
    "frame_labels",
    "frame_scores",
    "missing_view_curve",
    "permutation_importance",
    "term_contributions",
    "view_agreement",
    "view_importances",
]
