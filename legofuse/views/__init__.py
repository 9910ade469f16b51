"""What a view is: named columns of one table, stacking of views, and which blocks are missing.

Pure functions on arrays and frames, and one transformer, `ImputeWithin`. Of legofuse only _labels
and _all_or_nothing are imported here, and pandas only when a pandas frame was passed.
"""

from ._columns import resolve_views
from ._impute import ImputeWithin
from ._missing import missing_blocks
from ._stack import check_not_list_of_views, stack_views

__all__ = [
    "ImputeWithin",
    "check_not_list_of_views",
    "missing_blocks",
    "resolve_views",
    "stack_views",
]
