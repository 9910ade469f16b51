"""Terms: which there are, what they are called, how their weights are found and shared out.

This module may import expansion, fusion and weights of legofuse.
"""

from itertools import product

import numpy as np

from .expansion import Expansion
from .fusion import count_terms, exponents
from .weights import alignment, consensus, importances, loo, packed_diagonal, uniform

__all__ = [
    "check_range",
    "given_weights",
    "learn_weights",
    "list_terms",
    "name_terms",
    "view_importances",
]

MAX_TERMS = 5000


def list_terms(n_graphs, degree, interactions, expansion="elementwise", zeroth="ones", alone=()):
    """List the terms of a fusion.

    Parameters
    ----------
    n_graphs, degree : int
    interactions, expansion, zeroth : str
        As in :class:`~legofuse.LEGOFusionTransformer`.
    alone : sequence of int
        Graphs that enter as they are, without powers and products.

    Returns
    -------
    Expansion

    Raises
    ------
    ValueError
        If there are more than 5000 terms.

    Examples
    --------
    >>> from legofuse.terms import list_terms
    >>> list_terms(2, 2, "additive").powers.tolist()
    [[1, 0], [0, 1], [2, 0], [0, 2]]
    >>> list_terms(2, 2, "additive", alone=[0]).powers.tolist()
    [[0, 1], [0, 2], [1, 0]]
    """
    others = np.setdiff1d(np.arange(n_graphs), alone)
    n_graphs = len(others)
    n_terms = count_terms(n_graphs, degree, interactions)
    if n_terms > MAX_TERMS:
        raise ValueError(
            f"{n_graphs} graphs at degree={degree} and interactions={interactions!r} give "
            f"{n_terms} terms, above the limit of {MAX_TERMS}. With these graphs and this degree "
            f"interactions='additive' has {count_terms(n_graphs, degree, 'additive')} terms, "
            f"'pairwise' {count_terms(n_graphs, degree, 'pairwise')}, 'separable' "
            f"{count_terms(n_graphs, degree, 'separable')}. Choose one of these, a lower degree, "
            "or one relation instead of relation='auto' (fewer graphs a view)."
        )
    powers = exponents(n_graphs, degree, interactions)
    if len(alone):
        of_others = np.zeros((len(powers), n_graphs + len(alone)), powers.dtype)
        of_others[:, others] = powers
        powers = np.vstack([of_others, np.eye(of_others.shape[1], dtype=powers.dtype)[alone]])
    return Expansion(
        powers,
        separable=interactions == "separable",
        identity=zeroth == "identity",
        degree=degree if expansion == "hops" else None,
    )


def name_terms(graphs, powers):
    """Readable names of terms.

    Parameters
    ----------
    graphs : list of (view, relation)
    powers : ndarray of shape (n_terms, n_graphs)

    Returns
    -------
    list of str

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.terms import name_terms
    >>> name_terms([("audio", "cosine"), ("text", "cosine")], np.array([[2, 1], [0, 1]]))
    ['audio^2 * text', 'text']
    """
    views = [view for view, _ in graphs]
    names = [
        f"{view}[{getattr(relation, '__name__', relation)}]" if views.count(view) > 1 else view
        for view, relation in graphs
    ]
    terms = []
    for k, row in enumerate(powers):
        factors = [
            name if power == 1 else f"{name}^{power}"
            for name, power in zip(names, row, strict=True)
            if power
        ]
        # the rows of separable terms begin with the zeroth power of each graph
        terms.append(" * ".join(factors) or f"{names[k * len(names) // len(powers)]}^0")
    return terms


def check_range(graphs, named, expansion, learned):
    """Raise where products of a caller's relation leave the range of its type.

    Parameters
    ----------
    graphs : list of packed graphs
        Of a training sample; an identity may come last.
    named : list of (view, relation)
        The view of each graph.
    expansion : Expansion
        Hops are normalised, and in range.
    learned : bool
        Whether weights are learned, which takes squares of the terms unless they are separable.
        In double precision importances of views take them, whatever is learned.

    Raises
    ------
    ValueError
        If a term, or its square, does.
    """
    callables = [k for k, (_, relation) in enumerate(named) if callable(relation)]
    if not callables or expansion.degree is not None:
        return
    of_views, dtype = graphs[: len(named)], graphs[0].dtype
    largest = np.array([max(np.abs(graph).max(initial=0.0), 1e-300) for graph in of_views], float)
    powers, squared = expansion.powers, learned and not expansion.separable
    squared = squared or dtype == np.float64
    if expansion.separable:  # the product of the highest powers is a term, too
        powers = np.vstack([powers, powers.max(axis=0)])
    sizes = powers @ np.log(largest)
    if sizes.max() * (1 + squared) < np.log(np.finfo(dtype).max):
        return
    worst = max(callables, key=lambda k: powers[sizes.argmax(), k] * np.log(largest[k]))
    what = "squares of products" if squared else "products"
    raise ValueError(
        f"The relation of view {named[worst][0]!r} is as large as {largest[worst]:.3g}, so that "
        f"{what} of powers of relations leave the range of {dtype}: divide what it returns by a "
        "number, or lower the degree."
    )


def learn_weights(
    criterion,
    graphs,
    equal,
    expansion,
    targets,
    sample_weight,
    *,
    nonnegative=True,
    one=1.0,
    **options,
):
    """Learn weights by a criterion's name, on packed expanded graphs of a training sample.

    Parameters
    ----------
    criterion : {"loo", "alignment", "consensus", "uniform"}
    graphs : list of packed graphs
    equal : packed identity or None
    expansion : Expansion
    targets : ndarray of shape (n_units, n_targets) or None
    sample_weight : ndarray of shape (n_units,)
    nonnegative : bool, default=True
        For ``"alignment"``.
    one : float, default=1.0
        For ``"loo"`` and ``"consensus"``: the weight that stands for one row.
    **options
        Of :func:`~legofuse.weights.loo`.

    Returns
    -------
    Learned
        Scaled for a ridge of 1 by ``"loo"``, for a mean diagonal of 1 by others.
    """
    terms = expansion.terms()
    if criterion == "loo":
        found = loo(
            graphs,
            terms,
            targets,
            sample_weight=sample_weight / one,
            separable=expansion.separable,
            zeroth=equal if expansion.separable else None,
            **options,
        )
        factors = len(graphs) if expansion.separable else 1  # of which the first is scaled
        found.weights[: len(terms) // factors] /= one
        return found
    if criterion == "alignment":
        found = alignment(
            graphs, terms, targets, sample_weight=sample_weight, nonnegative=nonnegative
        )
    elif criterion == "consensus":
        found = consensus(graphs, terms, sample_weight=sample_weight / one)
    else:
        found = uniform(len(terms))
    where = packed_diagonal(len(sample_weight))
    entries = [[p[where] for p in g] if isinstance(g, list) else g[where] for g in graphs]
    diagonal = expansion.fuse(entries, found.weights, None if equal is None else equal[where])
    mean = np.average(diagonal, weights=sample_weight)
    if not mean > 0:
        return found
    if expansion.separable:  # a product of one factor for each graph
        mean = mean ** (1 / len(graphs))
    return found._replace(weights=found.weights / mean)


def given_weights(weights, n_terms, nonnegative, dtype=np.float64, n_factors=1):
    """Check weights that the caller gives.

    Parameters
    ----------
    weights : array-like of shape (n_terms,)
    n_terms : int
    nonnegative : bool
    dtype : dtype
        Type of the relations, whose range the fused graph must not leave.
    n_factors : int
        Number of graphs of separable terms, whose weights are multiplied.

    Returns
    -------
    ndarray of shape (n_terms,), float64

    Raises
    ------
    ValueError
        If the shape or type is wrong, or a value not finite, too large, or negative where it must
        not be.
    """
    given = np.asarray(weights)
    if given.shape != (n_terms,) or given.dtype.kind not in "iuf":
        raise ValueError(
            f"weights must be an array of {n_terms} numbers, one for each term "
            f"(legofuse.fusion.exponents lists them); got shape {given.shape}, dtype "
            f"{given.dtype}."
        )
    given = given.astype(float)
    if not np.isfinite(given).all():
        raise ValueError("weights holds NaN or infinity.")
    if nonnegative and (given < 0).any():
        raise ValueError(
            f"weights holds {np.count_nonzero(given < 0)} negative value(s), but nonnegative=True."
        )
    largest = np.abs(given.reshape(n_factors, -1)).max(axis=1)
    with np.errstate(divide="ignore"):
        size = np.log(largest).sum()
    if size > np.log(np.finfo(dtype).max) / 2:
        raise ValueError(
            f"weights holds values up to {largest.max():g}, too large for relations of type "
            f"{np.dtype(dtype)}: divide all weights by one number."
        )
    return given


def view_importances(graphs, expansion, weights, sample_weight, views, equal=None, factors=None):
    r"""Share of each view in the fused graph's centred norm.

    .. math:: v_m \propto \sum_a |A_a| \, \|H K_a H\|_F \, a_m / |a|

    Parameters
    ----------
    graphs : list of packed expanded graphs
    expansion : Expansion
    weights : ndarray of shape (n_terms,)
    sample_weight : ndarray of shape (n_units,)
    views : list of str
        The view of each graph. Of a separable fusion that stands for more than 5000 terms each
        power of a graph counts by itself, with its share of the graph's factors.
    equal : packed identity, where a separable fusion needs one
    factors : ndarray of shape (n_rows,), optional
        What makes up for missing views, see :func:`~legofuse.weights.normaliser`.

    Returns
    -------
    dict of str to float
        They add up to 1.
    """
    terms, powers = expansion.terms(), expansion.powers
    if expansion.separable:
        powers, weights = _write_out(powers, weights)
        terms = powers
        if expansion.degree is not None:
            graphs = [hop for hops in graphs for hop in hops]
            which = np.arange(1, expansion.degree + 1)
            terms = (powers[:, :, None] == which).reshape(len(powers), -1).astype(np.int64)
        if expansion.identity and equal is not None:
            graphs = [*graphs, equal]
            terms = np.column_stack([terms, (powers == 0).any(axis=1)])
    shares = importances(graphs, terms, weights, sample_weight, powers, factors)
    found = dict.fromkeys(views, 0.0)
    for view, share in zip(views, shares, strict=True):
        found[view] += float(share)
    return found


def _write_out(powers, weights):
    """The terms that factors stand for, and their weights up to scale; else those of a factor."""
    n_graphs = powers.shape[1]
    factors = np.abs(weights.reshape(n_graphs, -1))
    sums = factors.sum(axis=1, keepdims=True)
    factors = np.divide(factors, sums, out=np.zeros_like(factors), where=sums > 0)
    if factors.shape[1] ** n_graphs > MAX_TERMS:
        used = powers.sum(axis=1) > 0
        return powers[used], factors.ravel()[used]
    written = np.array(list(product(range(factors.shape[1]), repeat=n_graphs)))[1:]
    return written, factors[np.arange(n_graphs), written].prod(axis=1)
