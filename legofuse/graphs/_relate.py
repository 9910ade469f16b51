"""Relations of encoded rows to encoded references."""

from collections import Counter

import numpy as np

from ..relations import default_widths, inner_products, relate, relate_to_mean
from ._rows import encoding_of


def relate_rows(rows, references, graphs, learned):
    """Relate encoded rows to encoded references in every graph.

    Parameters
    ----------
    rows, references : Rows
        Of n_rows rows and n_references (dense) rows. Arrays of dense ones may be torch tensors,
        save for a caller's relation.
    graphs : list of (view, relation)
    learned : dict of (view, domain) to Statistics

    Returns
    -------
    list of ndarray or Tensor of shape (n_rows, n_references)

    Raises
    ------
    ValueError
        If a caller's relation returns a wrong shape or values that are not finite.
    """
    related, inner = [], _InnerProducts(rows, references, graphs)
    for view, relation in graphs:
        one, other = (part.encoded[view, encoding_of(relation)] for part in (rows, references))
        if callable(relation):
            related.append(_call(relation, view, one, other))
        else:
            products = inner.take(view, relation, one, other)
            gamma, reach = _gamma(learned, view, relation), _reach(learned, view)
            related.append(relate(one, other, relation, gamma, products, reach))
    return related


def relate_rows_to_mean(rows, references, graph, share):
    """Relate encoded rows to a mean of encoded references in one graph, where that is quick.

    Parameters
    ----------
    rows, references : Rows
        Of n_rows rows and n_references (dense) rows.
    graph : (view, relation)
    share : ndarray of shape (n_references,)
        Weight of each reference.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        None where all relations must be known: their relation is no inner product.
    """
    view, relation = graph
    one, other = (part.encoded[view, encoding_of(relation)] for part in (rows, references))
    return relate_to_mean(one, other, relation, share)


def error_factor(graph, learned):
    """How many times the rounding of inner products a relation is uncertain by.

    Parameters
    ----------
    graph : (view, relation)
    learned : dict of (view, domain) to Statistics

    Returns
    -------
    float
        At least 1; above it where a Gaussian is much narrower than the rows are long.
    """
    view, relation = graph
    return max(1.0, 2 * _gamma(learned, view, relation)) if relation == "spherical" else 1.0


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
        if encoding_of(relation) == "gaussian" and all(scaled in part for part in self.parts):
            return scaled
        return view, encoding_of(relation)

    def take(self, view, relation, one, other):
        """The products that a relation starts from; the caller may write over them."""
        source = self._source(view, relation)
        if source not in self.found:
            self.found[source] = inner_products(*(part[source] for part in self.parts))
        self.users[source] -= 1
        products = self.found[source] if self.users[source] else self.found.pop(source)
        if encoding_of(relation) == "gaussian" and source[1] == "correlation":
            products = products * (one.norms**0.5)[:, None]
            products *= other.norms**0.5
        elif self.users[source]:
            products = products * 1  # a copy, of an array or a tensor
        return products


def _gamma(learned, view, relation):
    """Inverse squared width of a relation: learned, or known where domains standardise."""
    relation = "gaussian" if relation == "linear" else relation
    if (view, None) in learned:
        stats = learned[view, None]
        return stats.gamma if relation == "rbf" else stats.widths.get(relation)
    n_features = max(len(stats.mean) for (name, _), stats in learned.items() if name == view)
    return 1.0 / n_features if relation == "rbf" else default_widths(n_features).get(relation)


def _reach(learned, view):
    """How long standardised rows may be for ``linear``, by the domain whose rows reach farthest."""
    return max(stats.reach for (name, _), stats in learned.items() if name == view)


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
    given = [part.rows[some].copy() for part, some in zip(parts, have, strict=True)]
    name = getattr(relation, "__name__", repr(relation))
    try:
        found = relation(*given)
    except Exception as error:
        kinds = " and ".join(f"{type(part).__name__} of shape {part.shape}" for part in given)
        error.add_note(f"Raised by the relation {name!r} of view {view!r}, called on {kinds}.")
        raise
    values = np.asarray(found)
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
    with np.errstate(over="ignore"):
        values = values.astype(full.dtype, copy=False)
    if not np.isfinite(values).all():
        raise ValueError(
            f"The relation {name!r} of view {view!r} returned NaN or infinity, or values that are "
            f"too large for {full.dtype}."
        )
    if rows.present is None and references.present is None:
        full[:] = values
    else:
        index = [np.arange(n)[part] for n, part in zip(shape, have, strict=True)]
        full[np.ix_(*index)] = values
    return full
