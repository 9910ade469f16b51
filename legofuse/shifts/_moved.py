"""Rows moved to where they would be without their domains, encoded and related."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from .._labels import call_view, number_labels
from ..graphs import Rows, encode_rows, relate_rows, take


def as_array(block):
    """Rows as they are, sparse ones dense."""
    return block.toarray() if sp.issparse(block) else block


def move(block, domains, view, maps, mean):
    """Rows of one view, moved to where they would be in no domain."""
    moved = block.copy()
    for label in np.unique(domains).tolist():
        if (view, label) in maps:
            where = domains == label
            centre, factor = maps[view, label]
            with np.errstate(over="ignore"):
                moved[where] = (block[where] - centre) * factor + mean
    if np.isinf(moved).any():
        raise ValueError(
            f"{call_view(view, {name for name, _ in maps})}: features overflow {moved.dtype} when "
            "domains are aligned; rescale the features."
        )
    return moved


def encode_moved(X, columns, graphs, learned, shifts, domains=None, dense=False):
    """Encode rows for every graph, as they are and (where their domains are shifted) moved.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
    graphs : list of (view, relation)
    learned : dict of (view, None) to Statistics
    shifts : Shifts or None
        Without, each domain is encoded by its own statistics, if domains are given.
    domains : ndarray of shape (n_rows,), optional
    dense : bool
        Make sparse rows dense (references must be).

    Returns
    -------
    Rows
    """
    if shifts is None or domains is None:
        return encode_rows(X, columns, graphs, learned, domains, dense)
    rows = encode_rows(X, columns, graphs, learned, dense=dense)
    codes = number_labels(domains)  # labels that fit did not see may differ from call to call
    if not shifts.maps or not shifts.share:
        return Rows(rows.encoded, rows.present, None, codes)
    X = as_array(X)
    whole = np.empty(X.shape, X.dtype)  # each column is in a view
    for view, index in columns.items():
        mean = learned[view, None].mean
        whole[:, index] = move(take(X, index), domains, view, shifts.maps, mean)
    moved = encode_rows(whole, columns, graphs, shifts.aligned, dense=dense)
    return Rows(rows.encoded, rows.present, moved, codes)


def relate_moved(rows, references, graphs, learned, shifts):
    """Relate encoded rows to encoded references: as they are, moved, or both, by share.

    Parameters
    ----------
    rows, references : Rows
    graphs : list of (view, relation)
    learned : dict of (view, None) to Statistics
    shifts : Shifts or None

    Returns
    -------
    list of ndarray of shape (n_rows, n_references)
        Averages of kernels, times a kernel: kernels.
    """
    if related_as_they_are(rows, references, shifts):
        return relate_rows(rows, references, graphs, learned)
    moved = [part for part in (rows, references) if part.moved is not None]
    related: Any = None
    if not moved or shifts.share < 1:
        related = relate_rows(rows, references, graphs, learned)
    if moved:
        one, other = (part if part.moved is None else part.moved for part in (rows, references))
        aligned = relate_rows(one, other, graphs, shifts.aligned)
        if related is None:
            related = aligned
        else:
            related = [
                (1 - shifts.share) * one + shifts.share * other
                for one, other in zip(related, aligned, strict=True)
            ]
    if _couples(rows, references, shifts):
        apart = rows.codes[:, None] != references.codes
        for graph in related:
            graph[apart] *= shifts.coupling
    return related


def related_as_they_are(rows, references, shifts):
    """Whether nothing that is known of domains changes relations of rows to references.

    Parameters
    ----------
    rows, references : Rows
    shifts : Shifts or None

    Returns
    -------
    bool
    """
    moved = rows.moved is not None or references.moved is not None
    return shifts is None or not (moved or _couples(rows, references, shifts))


def _couples(rows, references, shifts):
    """Whether some rows and references are in different domains, and related by less for that."""
    if shifts.coupling == 1:
        return False
    one = references.codes[0]
    return bool((rows.codes != one).any() or (references.codes != one).any())
