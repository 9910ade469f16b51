r"""Relations: how similar the units of one view are to references.

Each relation is a function ``(X, references) -> (n_units, n_references)`` and a positive
semi-definite kernel. Rows are independent of one another: everything a relation knows about
the data (:class:`Statistics`) is learned on training rows.

For streams of rows the same functions come in two steps: :func:`encode` turns rows into
vectors ready for a matrix product, once; :func:`relate` multiplies encoded rows with encoded
references. A unit whose view is missing is encoded as the zero vector and has relation 0 to
everything, itself included.

This package imports nothing from legofuse.
"""

from ._encoding import Encoded, along_components, densify, encode, unit_length
from ._functions import (
    RELATIONS,
    angular,
    bhattacharyya,
    correlation,
    cosine,
    gaussian,
    linear,
    local,
    principal,
    rbf,
    robust,
    spherical,
)
from ._products import inner_products, relate, relate_to_mean
from ._statistics import Statistics, default_widths, reach, statistics, summarise

__all__ = [
    "RELATIONS",
    "Encoded",
    "Statistics",
    "along_components",
    "angular",
    "bhattacharyya",
    "correlation",
    "cosine",
    "default_widths",
    "densify",
    "encode",
    "gaussian",
    "inner_products",
    "linear",
    "local",
    "principal",
    "rbf",
    "reach",
    "relate",
    "relate_to_mean",
    "robust",
    "spherical",
    "statistics",
    "summarise",
    "unit_length",
]
