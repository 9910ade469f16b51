"""Index sets: which terms a fusion polynomial has."""

from itertools import combinations, combinations_with_replacement
from math import comb

import numpy as np

INTERACTIONS = ("additive", "pairwise", "total", "separable")


def count_terms(n_graphs, degree, interactions="total"):
    """Count the terms of an index set without listing them.

    Parameters
    ----------
    n_graphs, degree : int
        Number of graphs M and highest power D, both at least 1.
    interactions : {"additive", "pairwise", "total", "separable"}
        The index set, see :func:`exponents`.

    Returns
    -------
    int
        Number of terms.

    Examples
    --------
    >>> from legofuse.fusion import count_terms
    >>> count_terms(6, 3, "total")
    83
    """
    if interactions not in INTERACTIONS:
        raise ValueError(
            f"interactions must be one of {', '.join(map(repr, INTERACTIONS))}; "
            f"got {interactions!r}."
        )
    m, d = n_graphs, degree
    if m < 1 or d < 1:
        raise ValueError(f"n_graphs and degree must be at least 1; got {m} and {d}.")
    return {
        "additive": m * d,
        "pairwise": m * d + comb(m, 2) * d * d,
        "total": comb(m + d, d) - 1,
        "separable": m * (d + 1),
    }[interactions]


def exponents(n_graphs, degree, interactions="total"):
    r"""List the terms of a fusion polynomial.

    Parameters
    ----------
    n_graphs : int
        Number of graphs M.
    degree : int
        Highest power D.
    interactions : {"additive", "pairwise", "total", "separable"}, default="total"
        - ``"additive"``: powers 1..D of one graph at a time, M * D terms.
        - ``"pairwise"``: at most two non-zero exponents, each at most D (the paper's fusion of
          a pair of graphs), M * D + C(M, 2) * D**2 terms.
        - ``"total"``: all terms with 1 <= sum(a) <= D, C(M + D, D) - 1 terms.
        - ``"separable"``: a product of one polynomial per graph; one row per graph and power
          0..D, graph by graph, for :func:`fuse_separable`.

    Returns
    -------
    ndarray of shape (n_terms, n_graphs), int64
        One term a row, in graded lexicographic order.

    Raises
    ------
    ValueError
        For an unknown index set, or ``n_graphs`` or ``degree`` below 1.

    Examples
    --------
    >>> from legofuse.fusion import exponents
    >>> exponents(2, 2).tolist()
    [[1, 0], [0, 1], [2, 0], [1, 1], [0, 2]]
    """
    count_terms(n_graphs, degree, interactions)
    eye = np.eye(n_graphs, dtype=np.int64)
    steps = range(1, degree + 1)
    if interactions == "separable":
        return np.vstack([p * eye[m] for m in range(n_graphs) for p in range(degree + 1)])
    if interactions == "total":
        chosen = [
            eye[list(c)].sum(axis=0)
            for d in steps
            for c in combinations_with_replacement(range(n_graphs), d)
        ]
    else:
        chosen = [p * eye[m] for m in range(n_graphs) for p in steps]
        if interactions == "pairwise":
            chosen += [
                p * eye[m] + q * eye[k]
                for m, k in combinations(range(n_graphs), 2)
                for p in steps
                for q in steps
            ]
    terms = np.array(chosen)
    return terms[np.lexsort([*(-terms.T[::-1]), terms.sum(axis=1)])]


def one_exponent_each(powers):
    """Rewrite terms over graphs as terms over (graph, power) pairs, for hop expansions.

    Where the p-th power of a graph is not an entry-wise one (a matrix power, say), every power
    is a graph of its own with exponent 1.

    Parameters
    ----------
    powers : array-like of shape (n_terms, n_graphs)
        Exponents of each term.

    Returns
    -------
    pairs : list of (graph, power)
        The graphs of their own that the terms need.
    indicators : ndarray of shape (n_terms, n_pairs)
        1 where a pair is in a term.

    Examples
    --------
    >>> from legofuse.fusion import one_exponent_each
    >>> one_exponent_each([[1, 0], [2, 1]])
    ([(0, 1), (0, 2), (1, 1)], array([[1, 0, 0],
           [0, 1, 1]]))
    """
    powers = np.asarray(powers)
    pairs = sorted({(m, p) for a in powers.tolist() for m, p in enumerate(a) if p})
    indicators = np.stack([powers[:, m] == p for m, p in pairs], axis=1).astype(np.int64)
    return pairs, indicators
