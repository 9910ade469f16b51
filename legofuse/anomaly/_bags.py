"""Bags as the classifier reads them: packed, checked, merged, in canonical order."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from ..bags import check_bags, is_table, pack_frames
from ..sampling import fingerprint, mark_rows
from ..tables import read_columns


class Units:
    """Units, and the domain of each where there are several.

    Parameters
    ----------
    X : ndarray of shape (n_units, n_features)
    domains : ndarray of shape (n_units,), optional
    """

    def __init__(self, X, domains=None):
        self.X, self.domains = X, domains

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return Units(self.X[index], None if self.domains is None else self.domains[index])


class Packed(NamedTuple):
    """Checked bags.

    Attributes
    ----------
    X : ndarray of shape (n_units, n_used), float64
        Columns that views use, of the units that have a view.
    offsets : ndarray of shape (n_bags + 1,)
        Where each bag begins and ends in X; a bag all of whose units miss every view is empty.
    columns : dict of str to ndarray
    views : dict of str to ndarray
    has_view : ndarray of shape (n_all_units,), bool
    all_offsets : ndarray of shape (n_bags + 1,)
        Where each bag begins and ends among all units.
    domains : ndarray of shape (n_bags,) or None
        Where features differ between them, columns are dicts by view and domain, and views dicts
        by domain.
    """

    X: np.ndarray
    offsets: np.ndarray
    columns: dict
    views: dict
    has_view: np.ndarray
    all_offsets: np.ndarray
    domains: np.ndarray | None = None

    @property
    def units(self):
        """The units with their domains."""
        return Units(self.X, self.unit_domains)

    @property
    def unit_domains(self):
        """Domain of each unit, or None."""
        return None if self.domains is None else np.repeat(self.domains, np.diff(self.offsets))


def read_bags(estimator, X, n_labels=None, *, time_view=None, reset, numbers=None):
    """Read bags in any form that `check_bags` takes; sets ``n_features_in_`` if `reset`.

    A unit that has nothing but its position in time counts as without a view.
    """
    if sparse.issparse(X):
        raise TypeError("Sparse input is not supported: bags must be dense, use `.toarray()`.")
    if isinstance(X, list | tuple) and not len(X):
        raise ValueError("Found 0 bags in X while a minimum of 1 is required.")
    bags = pack_frames(X, n_labels, numbers)
    if bags is None:
        bags = check_bags(X, n_labels, numbers)
    elif bags.feature_names is None:  # ints, or of several types
        units = bags.units.set_axis(range(bags.units.shape[1]), axis=1)
        bags = bags._replace(units=units)
    offsets = bags.offsets
    rows = {"offsets": None if is_table(X) else offsets, "numbers": numbers}
    table = read_columns(estimator, bags.units, reset=reset, **rows)
    if sparse.issparse(table.X):  # of a frame whose columns all are
        raise TypeError("Sparse input is not supported: give frames as `X.sparse.to_dense()`.")
    values = np.ascontiguousarray(table.X, dtype=np.float64)
    has_view = np.ones(len(values), bool)
    if table.missing is not None:
        described = [view != time_view for view in table.columns]
        has_view = ~table.missing[:, described].all(axis=1)
        values = values[has_view]
        offsets = np.append(0, np.cumsum(has_view))[offsets]
    return Packed(values, offsets, table.columns, table.views, has_view, bags.offsets)


def units_of(offsets, bags):
    """Rows of the units of some bags, in the order of these bags, and their new offsets."""
    lengths = np.diff(offsets)[bags]
    new = np.append(0, np.cumsum(lengths))
    rows = np.arange(new[-1]) + np.repeat(offsets[:-1][bags] - new[:-1], lengths)
    return rows, new


class Canonical(NamedTuple):
    """Merged bags in canonical order.

    Attributes
    ----------
    rows : ndarray of shape (n_units,), int
        Which units, bag after bag; those of a bag sorted by content.
    offsets : ndarray of shape (n_bags + 1,)
    labels : ndarray of shape (n_bags,), int
    weight : ndarray of shape (n_bags,)
    distinct : ndarray of int
        Which units have content that no other has, sorted by content.
    mass : ndarray of shape (n_distinct,)
        Weight of all units of that content.
    owner : ndarray of shape (n_distinct,), int
        The bag of label 0 that holds that content, n_bags where several do, -1 where none does.
    home : ndarray of shape (n_distinct,), int
        The first bag that holds that content.
    """

    rows: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray
    weight: np.ndarray
    distinct: np.ndarray
    mass: np.ndarray
    owner: np.ndarray
    home: np.ndarray

    @property
    def unit_weight(self):
        """Weight of each unit: that of its bag."""
        return np.repeat(self.weight, np.diff(self.offsets))

    @property
    def several_units(self):
        """Whether a bag has several units."""
        return len(self.rows) > len(self.labels)

    @property
    def two_of_each(self):
        """Whether there are two bags of each class, so that bags can be held out."""
        return np.bincount(self.labels, minlength=2).min() > 1


def canonical_bags(X, offsets, labels, weight, ordered=False, domains=None):
    """Merge bags equal in units (in any order) and label, and sort them by content.

    A bag of weight two then means the same as the bag twice, in whatever order bags and units
    come. Bags of weight 0 and empty bags are dropped.

    Parameters
    ----------
    X : ndarray of shape (n_units, n_features)
    offsets : ndarray of shape (n_bags + 1,)
    labels : ndarray of shape (n_bags,), int
    weight : ndarray of shape (n_bags,)
    ordered : bool
        The order of units within a bag is part of its content, and is kept.
    domains : ndarray of shape (n_bags,), optional
        Bags of different domains are different.

    Returns
    -------
    Canonical
    """
    lengths = np.diff(offsets)
    marks = mark_rows(X, None if domains is None else np.repeat(domains, lengths))
    bag = np.repeat(np.arange(len(lengths)), lengths)
    order = np.arange(len(X)) if ordered else np.lexsort((marks[:, 2], *marks[:, :2].T, bag))
    running = np.zeros((len(X) + 1, 3), np.uint64)
    place = np.arange(len(X)) - offsets[bag] if ordered else np.empty((len(X), 0))
    sorting, telling = (np.column_stack([part, place]) for part in (marks[:, :2], marks[:, 2]))
    # marks of marks: a sum of plain ones would not see values swapped between units
    units = np.column_stack([fingerprint(telling)[:, 2], fingerprint(sorting)[:, :2]])
    np.cumsum(units, axis=0, out=running[1:])
    bag_marks = running[offsets[1:]] - running[offsets[:-1]]
    keys = np.column_stack([bag_marks, lengths.astype(np.uint64), labels.astype(np.uint64)])
    kept = np.flatnonzero((weight > 0) & (lengths > 0))
    kept = kept[np.lexsort(keys[kept].T)]
    new = np.ones(len(kept), bool)
    new[1:] = (keys[kept[1:]] != keys[kept[:-1]]).any(axis=1)
    first = np.flatnonzero(new)
    merged = np.add.reduceat(weight[kept], first) if len(first) else weight[:0]
    rows, starts = units_of(offsets, kept[first])
    rows = order[rows]
    _, where, same = np.unique(marks[rows], axis=0, return_index=True, return_inverse=True)
    mass = np.bincount(same.ravel(), np.repeat(merged, np.diff(starts)))
    owner = _owners(same.ravel(), starts, labels[kept[first]])
    home = np.searchsorted(starts, where, side="right") - 1
    return Canonical(rows, starts, labels[kept[first]], merged, rows[where], mass, owner, home)


def _owners(content, offsets, labels):
    """The bag of label 0 with each content, n_bags for several, -1 for none."""
    bag = np.repeat(np.arange(len(labels)), np.diff(offsets))
    known = labels[bag] == 0
    bag, content, first = bag[known], content[known], np.full(content.max(initial=-1) + 1, -1)
    last = first.copy()
    first[content[::-1]], last[content] = bag[::-1], bag
    return np.where(first == last, last, len(labels))
