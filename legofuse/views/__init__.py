"""What a view is: named columns of one table, stacking of views, and which blocks are missing.

Pure functions on arrays and frames; of legofuse only _labels is imported here, and pandas only when
a pandas frame was passed.
"""

from ._columns import resolve_views
from ._missing import missing_blocks
from ._stack import check_not_list_of_views, stack_views

__all__ = ["check_not_list_of_views", "missing_blocks", "resolve_views", "stack_views"]
