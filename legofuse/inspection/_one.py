"""One row, or unit, of many explained: no more is taken apart than must be for that."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._labels import check_domains
from ._explain import explain
from ._model import (
    as_bags,
    check_place,
    check_unit,
    holds_bags,
    n_samples,
    split_classifier,
    split_pipeline,
    take_rows,
)

__all__ = ["explain_one"]


def explain_one(estimator, X, row, **options):
    """An explanation that holds one row of X, or unit of its bags, and where it is in that.

    Of bags `row` is counted over all units, or a pair (bag, unit).

    The row is explained alone, or with the rest of its bag, or with the rows of its domain where
    that is aligned by its own rows: parts are those of an explanation of all of X.
    """
    model, X = split_classifier(estimator, X)
    domains, of_bags = options.get("sample_domain"), hasattr(model, "score_units")
    if domains is not None:
        domains = check_domains(domains, n_samples(X), sample="bag" if of_bags else "row")
    if of_bags:
        check_is_fitted(model)
        lengths = [len(bag) for bag in as_bags(X)]
        row, ends = check_unit(row, lengths, "units of X"), np.cumsum(lengths)
        bag = int(np.searchsorted(ends, row, side="right"))
        rows, place = np.array([bag]), row - (int(ends[bag - 1]) if bag else 0)
    else:
        fusion, _, _ = split_pipeline(model)
        row = check_place(row, n_samples(X), "rows of X")
        rows = _aligned_with(fusion, X, row, domains)
        place = int(np.flatnonzero(rows == row)[0])
    if domains is not None:
        options["sample_domain"] = domains[rows]
    X = X[rows[0] : rows[0] + 1] if holds_bags(X) else take_rows(X, rows)
    return explain(model, X, **options), place


def _aligned_with(fusion, X, row, domains):
    """Rows without which a row would be moved elsewhere, itself among them."""
    if getattr(fusion, "unseen_domains", None) != "batch":
        return np.array([row])
    if domains is None:  # told by a column, or by none
        return np.arange(n_samples(X))
    return np.flatnonzero(domains == domains[row])
