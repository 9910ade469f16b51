"""Terms: which there are, what they are called, how their weights are found and shared out.

This module may import expansion, fusion and weights of legofuse.
"""

import numpy as np

from .expansion import Expansion
from .fusion import count_terms, exponents, one_exponent_each
from .weights import alignment, consensus, importances, loo, packed_diagonal, uniform

__all__ = ["given_weights", "learn_weights", "list_terms", "name_terms", "view_importances"]

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


def learn_weights(criterion, graphs, equal, expansion, targets, sample_weight, **options):
    """Learn weights by a criterion's name, on packed expanded graphs of a training sample.

    Parameters
    ----------
    criterion : {"loo", "alignment", "consensus", "uniform"}
    graphs : list of packed graphs
    equal : packed identity or None
    expansion : Expansion
    targets : ndarray of shape (n_units, n_targets) or None
    sample_weight : ndarray of shape (n_units,)
    **options
        ``present``, ``groups``, ``views``, ``factors``, ``max_iter``, ``tol`` for ``"loo"``,
        ``nonnegative`` for ``"alignment"``.

    Returns
    -------
    Learned
        Scaled for a ridge of 1 by ``"loo"``, for a mean diagonal of 1 by others.
    """
    terms, nonnegative = expansion.terms(), options.pop("nonnegative", True)
    if criterion == "loo":
        return loo(
            graphs,
            terms,
            targets,
            sample_weight=sample_weight,
            separable=expansion.separable,
            zeroth=equal if expansion.separable else None,
            **options,
        )
    if criterion == "alignment":
        found = alignment(
            graphs, terms, targets, sample_weight=sample_weight, nonnegative=nonnegative
        )
    elif criterion == "consensus":
        found = consensus(graphs, terms, sample_weight=sample_weight)
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


def given_weights(weights, n_terms, nonnegative):
    """Check weights that the caller gives.

    Parameters
    ----------
    weights : array-like of shape (n_terms,)
    n_terms : int
    nonnegative : bool

    Returns
    -------
    ndarray of shape (n_terms,), float64

    Raises
    ------
    ValueError
        If the shape or type is wrong, or a value not finite, or negative where it must not be.
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
    return given


def view_importances(graphs, expansion, weights, sample_weight, views):
    """Share of each view in the fused graph's centred norm.

    Parameters
    ----------
    graphs : list of packed expanded graphs
    expansion : Expansion
    weights : ndarray of shape (n_terms,)
    sample_weight : ndarray of shape (n_units,)
    views : list of str
        The view of each graph. A separable fusion counts each power of a graph by itself.

    Returns
    -------
    dict of str to float
        They add up to 1.
    """
    terms, owners = expansion.terms(), views
    if expansion.separable:
        used = expansion.powers.sum(axis=1) > 0
        terms, weights = terms[used], weights[used]
        if expansion.degree is not None:
            graphs = [hop for hop_list in graphs for hop in hop_list]
            terms = np.eye(len(graphs), dtype=np.int64)
            owners = [view for view in views for _ in range(expansion.degree)]
    elif expansion.degree is not None:
        owners = [views[m] for m, _ in one_exponent_each(expansion.powers)[0]]
    shares = importances(graphs, terms, weights, sample_weight)
    found = dict.fromkeys(views, 0.0)
    for view, share in zip(owners, shares, strict=False):  # an identity belongs to no view
        found[view] += float(share)
    total = sum(found.values()) or 1.0
    return {view: share / total for view, share in found.items()}
