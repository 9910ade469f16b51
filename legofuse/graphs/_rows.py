"""Rows encoded for every graph."""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ..relations import Encoded, along_components, densify, encode, unit_length
from ._statistics import columns_of, split_domains, take

_SHARED = {"angular": "cosine", "spherical": "cosine", "linear": "gaussian", "local": "gaussian"}
_FROM_OTHERS = ("correlation", "principal")


class Rows(NamedTuple):
    """Rows encoded for every graph.

    Attributes
    ----------
    encoded : dict of (view, encoding) to Encoded
    present : ndarray of shape (n_rows, n_graphs), bool, or None
        False where a graph's view is missing; None when none is.
    moved : Rows or None
        The same rows without the shift of their domains; None where there is none.
    codes : ndarray of shape (n_rows,), int, or None
        Number of each row's domain.
    """

    encoded: Any
    present: Any
    moved: Any = None
    codes: Any = None

    def __getitem__(self, index):
        """Take some of the rows."""
        present = None if self.present is None else self.present[index]
        encoded = {key: value[index] for key, value in self.encoded.items()}
        others = (None if part is None else part[index] for part in (self.moved, self.codes))
        return Rows(encoded, present, *others)

    def __len__(self):
        """Return the number of rows."""
        return next(iter(self.encoded.values())).rows.shape[0]


def encode_rows(X, columns, graphs, learned, domains=None, dense=False):
    """Encode rows for every graph.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
        Or to a dict of these by domain: relations of rows of different domains have no meaning
        then.
    graphs : list of (view, relation)
    learned : dict of (view, domain) to Statistics
    domains : ndarray of shape (n_rows,), optional
        With domains every relation starts from features standardised by domain.
    dense : bool
        Make sparse rows dense (references must be).

    Returns
    -------
    Rows
    """
    groups = {None: slice(None)} if domains is None else split_domains(domains)
    groups = groups or {next(iter(learned))[1]: np.arange(0)}  # no rows, as those of any domain
    names: dict = {}
    for view, relation in graphs:
        names.setdefault(view, {})[encoding_of(relation)] = None
    encoded = {}
    for view, wanted in names.items():
        parts: dict = {name: [] for name in wanted}
        for domain, where in groups.items():
            block = take(X, columns_of(columns, view, domain), where)
            found = _encode_block(block, wanted, learned[view, domain], domains is not None)
            for name, part in found.items():
                part = densify(part) if dense or domains is not None else part
                if isinstance(columns[view], dict):
                    part = _widen(part, max(map(len, columns[view].values())))
                parts[name].append(part)
        for name, some in parts.items():
            encoded[view, name] = some[0] if domains is None else _gather(some, groups, X.shape[0])
    present = [encoded[view, encoding_of(relation)].present for view, relation in graphs]
    if all(p is None for p in present):
        return Rows(encoded, None)
    n_rows = X.shape[0]
    present = [np.ones(n_rows, bool) if p is None else p for p in present]
    return Rows(encoded, np.stack(present, axis=1))


def _encode_block(block, names, stats, by_domain):
    """Encode rows of one view and domain by every name; what starts alike starts once."""
    standardise = True if by_domain else None
    found: dict = {}
    for name in sorted(names, key=lambda name: name in _FROM_OTHERS):  # last
        if callable(name):
            found[name] = _raw(block, stats if by_domain else None)
        elif name == "correlation" and "gaussian" in found:
            found[name] = unit_length(found["gaussian"])
        elif name == "principal" and "bhattacharyya" in found:
            found[name] = along_components(found["bhattacharyya"], stats)
        else:
            found[name] = encode(block, name, stats, standardise)
    return found


def _raw(block, stats):
    """Rows for a caller's relation: as they are, or standardised by domain."""
    if sp.issparse(block):
        return Encoded(block if stats is None else (block.toarray() - stats.mean) / stats.scale)
    missing = np.isnan(block[:, 0])
    if stats is not None:
        block = (block - stats.mean) / stats.scale
    return Encoded(block, present=~missing if missing.any() else None)


def _widen(part, width):
    """Rows of a domain with zeros for the features that only others have.

    Squared distances are scaled as if there were so many features, for widths of Gaussians.
    """
    n_rows, n_features = part.rows.shape
    if n_features == width:
        return part
    rows = np.zeros((n_rows, width), part.rows.dtype)
    rows[:, :n_features] = part.rows
    if part.norms is None:
        return part._replace(rows=rows)
    scale = width / n_features
    return part._replace(rows=rows * np.sqrt(scale), norms=part.norms * scale)


def _gather(parts, groups, n_rows):
    """Put the rows of the domains back into the order of X."""
    order = np.argsort(np.concatenate(list(groups.values())), kind="stable")
    joined: list = []
    for fields in zip(*parts, strict=True):
        if all(f is None for f in fields):
            joined.append(None)
            continue
        filled = [
            np.ones(part.rows.shape[0], bool) if f is None else f
            for f, part in zip(fields, parts, strict=True)
        ]
        joined.append(np.concatenate(filled)[order])
    return Encoded(*joined)


def dense_rows(rows, graph):
    """Take of encoded rows what one graph reads, made dense.

    Parameters
    ----------
    rows : Rows
    graph : (view, relation)

    Returns
    -------
    Rows
    """
    view, relation = graph
    key = view, encoding_of(relation)
    moved = None if rows.moved is None else dense_rows(rows.moved, graph)
    return Rows({key: densify(rows.encoded[key])}, rows.present, moved, rows.codes)


def encoding_of(relation):
    """The encoding that a relation reads."""
    return _SHARED.get(relation, relation) if isinstance(relation, str) else relation
