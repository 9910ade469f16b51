"""Graphs: the relations of rows to references, view by view, for an estimator.

Between the pure relations and the estimators: which (view, relation) pairs there are, what each
learned on training rows (by domain where there are several), and the relations of new rows.

This package may import legofuse.relations and nothing else of legofuse.
"""

from ..relations import Encoded, Statistics
from ._choice import (
    AUTO,
    FOR_CLASSES,
    FOR_CONTINUOUS,
    FOR_REAL_VALUES,
    chosen_by_auto,
    continuous_views,
    list_graphs,
)
from ._relate import error_factor, relate_rows, relate_rows_to_mean
from ._rows import Rows, dense_rows, encode_rows
from ._statistics import learn_statistics, split_domains, take

__all__ = [
    "AUTO",
    "FOR_CLASSES",
    "FOR_CONTINUOUS",
    "FOR_REAL_VALUES",
    "Encoded",
    "Rows",
    "Statistics",
    "chosen_by_auto",
    "continuous_views",
    "dense_rows",
    "encode_rows",
    "error_factor",
    "learn_statistics",
    "list_graphs",
    "relate_rows",
    "relate_rows_to_mean",
    "split_domains",
    "take",
]
