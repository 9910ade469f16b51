"""Graphs: the relations of rows to references, view by view, for an estimator.

Between the pure relations and the estimators: which (view, relation) pairs there are, what each
learned on training rows (by domain where there are several), and the relations of new rows.

This module may import legofuse.relations and nothing else of legofuse.
"""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from .relations import (
    RELATIONS,
    Encoded,
    Statistics,
    default_widths,
    densify,
    encode,
    inner_products,
    relate,
    statistics,
    unit_length,
)

__all__ = [
    "AUTO",
    "Encoded",
    "Rows",
    "Statistics",
    "dense_rows",
    "encode_rows",
    "learn_statistics",
    "list_graphs",
    "relate_rows",
]

_STATISTICS_ROWS = 100_000
_SHARED = {"angular": "cosine", "spherical": "cosine", "linear": "gaussian", "local": "gaussian"}
AUTO = ("cosine", "correlation", "bhattacharyya", "gaussian", "spherical")
FOR_CLASSES, FOR_REAL_VALUES = ("principal",), ("linear",)  # of "auto", by what y is
FOR_CONTINUOUS = ("local", "robust")  # of "auto", where weights of continuous views are learned
_ROWS_LOOKED_AT = 500


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


def list_graphs(views, relation, more=()):
    """List the graphs: one (view, relation) pair each, view by view.

    Parameters
    ----------
    views : iterable of str
        Names of the views.
    relation : str, callable or dict
        One of ``RELATIONS``, ``"auto"``, a callable, or a dict from view to one of these.
    more : tuple of str, or dict of these by view
        Relations of ``"auto"`` beside ``AUTO``.

    Returns
    -------
    list of (str, str or callable)

    Raises
    ------
    ValueError
        For an unknown relation, or a dict that lacks a view or names an unknown one.

    Examples
    --------
    >>> from legofuse.graphs import list_graphs
    >>> list_graphs(["text", "image"], {"text": "auto", "image": "rbf"})
    [('text', 'cosine'), ('text', 'correlation'), ('text', 'bhattacharyya'), ('text', 'gaussian'),
     ('text', 'spherical'), ('image', 'rbf')]
    """
    views = list(views)
    if isinstance(relation, dict):
        unknown, lacking = set(relation) - set(views), [v for v in views if v not in relation]
        if unknown or lacking:
            faults = [f"it lacks {lacking}"] * bool(lacking)
            faults += [f"it names unknown views {sorted(map(str, unknown))}"] * bool(unknown)
            raise ValueError(
                f"relation must name every view once: {' and '.join(faults)}; "
                f"the views are {views}."
            )
    graphs = []
    for view in views:
        chosen = relation[view] if isinstance(relation, dict) else relation
        if callable(chosen):
            graphs.append((view, chosen))
        elif isinstance(chosen, str) and chosen == "auto":
            added = more.get(view, ()) if isinstance(more, dict) else more
            graphs += [(view, name) for name in (*AUTO, *added)]
        elif isinstance(chosen, str) and chosen in RELATIONS:
            graphs.append((view, chosen))
        else:
            raise ValueError(
                f"relation must be 'auto', one of {', '.join(map(repr, RELATIONS))}, a callable, "
                f"or a dict from view to one of these; got {chosen!r} for view {view!r}."
            )
    return graphs


def continuous_views(X, columns, rows):
    """Views whose features take a value of their own in most rows, as measurements do.

    Counts, words and categories repeat few values. Sparse views are none of these.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
    rows : ndarray of int
        Distinct rows; of each view the first 500 that have it are looked at.

    Returns
    -------
    set of str

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.graphs import continuous_views
    >>> X = np.column_stack([np.arange(9) / 7, np.arange(9) % 2])
    >>> continuous_views(X, {"length": np.array([0]), "sex": np.array([1])}, np.arange(9))
    {'length'}
    """
    if sp.issparse(X):
        return set()
    found = set()
    for view, index in columns.items():
        have = rows[~np.isnan(X[rows, index[0]])][:_ROWS_LOOKED_AT]
        values = np.sort(take(X, index, have), axis=0)
        n_repeated = np.count_nonzero(np.diff(values, axis=0) == 0)
        if n_repeated < 0.5 * values.size:
            found.add(view)
    return found


def chosen_by_auto(graphs, relation):
    """Which graphs ``"auto"`` chose, and are centred for it: a list of bool."""
    if isinstance(relation, dict):
        return [isinstance(relation[view], str) and relation[view] == "auto" for view, _ in graphs]
    return [isinstance(relation, str) and relation == "auto"] * len(graphs)


def learn_statistics(X, columns, rows, weight, domains=None, graphs=()):
    """Learn the statistics of every view, by domain.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
        The columns of each view; a dict of these by domain where features differ.
    rows : ndarray of shape (n_chosen,), int
        The rows to learn from, in the order to add them up.
    weight : ndarray of shape (n_chosen,)
    domains : ndarray of shape (n_chosen,), optional
        One label a chosen row; None is one domain, named None.
    graphs : list of (view, relation)
        Of a view with ``"principal"`` the components are learned too.

    Returns
    -------
    dict of (str, domain) to Statistics

    Raises
    ------
    ValueError
        For ``"principal"`` with domains, each of which would have components of its own.

    Notes
    -----
    At most the first 100000 rows of a domain that have the view are read. In canonical order they
    are a random sample, and more rows would change a mean by less than 0.003 standard deviations.
    """
    groups = {None: slice(None)} if domains is None else split_domains(domains)
    learned, principal = {}, {view for view, relation in graphs if relation == "principal"}
    if principal and domains is not None:
        raise ValueError(
            f"relation='principal' (view {min(principal)!r}) has no meaning between domains that "
            "are standardised apart: choose another relation for it."
        )
    for domain, where in groups.items():
        for view in columns:
            index = _columns_of(columns, view, domain)
            chosen = _first_present(X, index, rows[where])
            learned[view, domain] = statistics(
                take(X, index, rows[where][chosen]), weight[where][chosen], view in principal
            )
    return learned


def _first_present(X, index, rows):
    """Positions of the first rows that have a view: as many as statistics need."""
    if len(rows) <= _STATISTICS_ROWS:
        return slice(None)
    if sp.issparse(X):
        return slice(_STATISTICS_ROWS)
    return np.flatnonzero(~np.isnan(X[:, index[0]][rows]))[:_STATISTICS_ROWS]


def split_domains(domains):
    """Where each domain's rows are: dict from label to index array, in order of appearance."""
    labels, codes = np.unique(domains, return_inverse=True)
    return {label: np.flatnonzero(codes == code) for code, label in enumerate(labels.tolist())}


def take(X, columns, rows=slice(None)):
    """Take columns (contiguous ones as a slice, without a copy) and rows of X."""
    if len(columns) and np.array_equal(columns, np.arange(columns[0], columns[0] + len(columns))):
        columns = slice(int(columns[0]), int(columns[-1]) + 1)
    if isinstance(rows, slice) and rows == slice(None):
        return X[:, columns]
    if isinstance(columns, slice) and not sp.issparse(X):
        return X[rows, columns]
    return X[rows][:, columns]


def _columns_of(columns, view, domain):
    """Columns of a view, which may differ from domain to domain."""
    index = columns[view]
    return index[domain] if isinstance(index, dict) else index


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


def _encoding(relation):
    return _SHARED.get(relation, relation) if isinstance(relation, str) else relation


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
    names: dict = {}
    for view, relation in graphs:
        names.setdefault(view, {})[_encoding(relation)] = None
    encoded = {}
    for view, wanted in names.items():
        parts: dict = {name: [] for name in wanted}
        for domain, where in groups.items():
            block = take(X, _columns_of(columns, view, domain), where)
            found = _encode_block(block, wanted, learned[view, domain], domains is not None)
            for name, part in found.items():
                part = densify(part) if dense or domains is not None else part
                if isinstance(columns[view], dict):
                    part = _widen(part, max(map(len, columns[view].values())))
                parts[name].append(part)
        for name, some in parts.items():
            encoded[view, name] = some[0] if domains is None else _gather(some, groups, X.shape[0])
    present = [encoded[view, _encoding(relation)].present for view, relation in graphs]
    if all(p is None for p in present):
        return Rows(encoded, None)
    n_rows = X.shape[0]
    present = [np.ones(n_rows, bool) if p is None else p for p in present]
    return Rows(encoded, np.stack(present, axis=1))


def _encode_block(block, names, stats, by_domain):
    """Encode rows of one view and domain by every name; what starts alike starts once."""
    standardise = True if by_domain else None
    found: dict = {}
    for name in sorted(names, key=lambda name: name == "correlation"):  # last, from the others
        if callable(name):
            found[name] = _raw(block, stats if by_domain else None)
        elif name == "correlation" and "gaussian" in found:
            found[name] = unit_length(found["gaussian"])
        else:
            found[name] = encode(block, name, stats, standardise)
    return found


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
    key = view, _encoding(relation)
    moved = None if rows.moved is None else dense_rows(rows.moved, graph)
    return Rows({key: densify(rows.encoded[key])}, rows.present, moved, rows.codes)


def _raw(block, stats):
    """Rows for a caller's relation: as they are, or standardised by domain."""
    if sp.issparse(block):
        return Encoded(block if stats is None else (block.toarray() - stats.mean) / stats.scale)
    missing = np.isnan(block[:, 0])
    if stats is not None:
        block = (block - stats.mean) / stats.scale
    return Encoded(block, present=~missing if missing.any() else None)


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


def relate_rows(rows, references, graphs, learned):
    """Relate encoded rows to encoded references in every graph.

    Parameters
    ----------
    rows, references : Rows
        Of n_rows rows and n_references (dense) rows.
    graphs : list of (view, relation)
    learned : dict of (view, domain) to Statistics

    Returns
    -------
    list of ndarray of shape (n_rows, n_references)

    Raises
    ------
    ValueError
        If a caller's relation returns a wrong shape or values that are not finite.
    """
    related, inner = [], _InnerProducts(rows, references, graphs)
    for view, relation in graphs:
        one, other = (part.encoded[view, _encoding(relation)] for part in (rows, references))
        if callable(relation):
            related.append(_call(relation, view, one, other))
        else:
            products = inner.take(view, relation, one, other)
            gamma = _gamma(learned, view, relation)
            related.append(relate(one, other, relation, gamma, products))
    return related


class _InnerProducts:
    """Inner products of rows and references, computed once for graphs that share them.

    Those of standardised rows are those of correlation times the lengths of the rows.
    """

    def __init__(self, rows, references, graphs):
        self.parts = rows.encoded, references.encoded
        self.found: dict = {}
        self.users = Counter(self._source(*graph) for graph in graphs if not callable(graph[1]))

    def _source(self, view, relation):
        scaled = view, "correlation"
        if _encoding(relation) == "gaussian" and all(scaled in part for part in self.parts):
            return scaled
        return view, _encoding(relation)

    def take(self, view, relation, one, other):
        """The products that a relation starts from; the caller may write over them."""
        source = self._source(view, relation)
        if source not in self.found:
            self.found[source] = inner_products(*(part[source] for part in self.parts))
        self.users[source] -= 1
        products = self.found[source] if self.users[source] else self.found.pop(source)
        if _encoding(relation) == "gaussian" and source[1] == "correlation":
            products = products * np.sqrt(one.norms)[:, None]
            products *= np.sqrt(other.norms)
        elif self.users[source]:
            products = products.copy()
        return products


def _gamma(learned, view, relation):
    """Inverse squared width of a relation: learned, or known where domains standardise."""
    relation = "gaussian" if relation == "linear" else relation
    if (view, None) in learned:
        stats = learned[view, None]
        return stats.gamma if relation == "rbf" else stats.widths.get(relation)
    n_features = max(len(stats.mean) for (name, _), stats in learned.items() if name == view)
    return 1.0 / n_features if relation == "rbf" else default_widths(n_features).get(relation)


def _call(relation, view, rows, references):
    """Call a caller's relation on the rows that have the view; 0 elsewhere."""
    shape = rows.rows.shape[0], references.rows.shape[0]
    parts = rows, references
    have = [slice(None) if part.present is None else part.present for part in parts]
    full = np.zeros(shape, dtype=references.rows.dtype)
    target = full[have[0]][:, have[1]]
    if target.size == 0:
        return full
    # copies: what a relation does to its arguments is no matter
    found = relation(*(part.rows[some].copy() for part, some in zip(parts, have, strict=True)))
    values, name = np.asarray(found), getattr(relation, "__name__", repr(relation))
    if values.dtype.kind not in "biuf":
        raise TypeError(
            f"The relation {name!r} of view {view!r} must return an array of real numbers; it "
            f"returned {type(found).__name__} of dtype {values.dtype}."
        )
    if values.shape != target.shape:
        raise ValueError(
            f"The relation {name!r} of view {view!r} must return shape (n_units, n_references) = "
            f"{target.shape}; it returned {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"The relation {name!r} of view {view!r} returned NaN or infinity.")
    if rows.present is None and references.present is None:
        full[:] = values
    else:
        index = [np.arange(n)[part] for n, part in zip(shape, have, strict=True)]
        full[np.ix_(*index)] = values
    return full
