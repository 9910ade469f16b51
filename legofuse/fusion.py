r"""The fusion polynomial: one graph from many, entry by entry.

This module is the whole idea and imports nothing from legofuse. ``fuse``, ``fuse_separable`` and
``polynomial`` work on numpy arrays and on torch tensors alike (so that autograd sees them); numpy
arrays are processed in blocks that stay in the processor's cache. The adjoints, which autograd
has of its own, are for numpy.

A term :math:`a = (a_1, \dots, a_M)` is a row of ``powers``. Each is split into a left and a
right monomial, :math:`R^a = L_l \circ R_r`, so that the fused graph is

.. math:: G = \sum_l L_l \circ \Big(\sum_r A_{lr} R_r\Big)

whose inner sum is one small matrix product per block and whose outer sum has few terms:
two graphs with powers up to 8 need 9 left and 9 right monomials for 80 terms.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import combinations, combinations_with_replacement
from math import comb
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "count_terms",
    "exponents",
    "fuse",
    "fuse_adjoint",
    "fuse_separable",
    "fuse_separable_adjoint",
    "one_exponent_each",
    "polynomial",
]

INTERACTIONS = ("additive", "pairwise", "total", "separable")
_BLOCK_SIZE = 1 << 20  # numbers of scratch space for each thread: within the shared cache
_BLAS_THREAD_SIZE = 1 << 18  # multiply-adds below which OpenBLAS stays in the calling thread
_THREADED_SIZE = 1 << 23


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


def polynomial(base, coefficients):
    """Evaluate ``sum_p coefficients[p] * base**p`` entry by entry (Horner).

    Parameters
    ----------
    base : array or tensor
        Any shape.
    coefficients : sequence of shape (degree + 1,)

    Returns
    -------
    array or tensor
        Of the shape of ``base``.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.fusion import polynomial
    >>> polynomial(np.array([2.0, 3.0]), [1.0, 0.0, 1.0])
    array([ 5., 10.])
    """
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * base + coefficient
    return value if len(coefficients) > 1 else value + 0 * base


class _Plan(NamedTuple):
    """How to evaluate one index set: monomials as (parent, graph) products, and the cells."""

    left: tuple[tuple[int, int], ...]
    right: tuple[tuple[int, int], ...]
    rows: Any
    columns: Any


def _closure(monomials):
    """Steps that build all monomials by one multiplication each, and the place of each.

    Place 0 is the constant 1; step k is (place of the parent, graph to multiply with).
    """
    zero = (0,) * len(monomials[0])
    places, steps = {zero: 0}, []
    for a in sorted(set(monomials), key=lambda a: (sum(a), a)):
        path = []  # from a down to the nearest monomial that is there already
        while a not in places:
            graph = max(m for m, p in enumerate(a) if p)
            path.append((a, graph))
            a = tuple(p - (m == graph) for m, p in enumerate(a))
        place = places[a]
        for child, graph in reversed(path):
            steps.append((place, graph))
            place = places[child] = len(steps)
    return tuple(steps), places


def _splits(terms):
    """Candidate splits of every term into (left, right): by graph, and by sorted position."""
    n_graphs = len(terms[0])
    for k in range(n_graphs + 1):
        zeros_left, zeros_right = (0,) * k, (0,) * (n_graphs - k)
        yield [(a[:k] + zeros_right, zeros_left + a[k:]) for a in terms]
    highest = max(map(sum, terms))
    for size in range(1, min(highest, 4)):
        pairs = []
        for a in terms:
            left, budget = [], size if sum(a) > size else 0
            for p in a:
                left.append(min(p, budget))
                budget -= left[-1]
            pairs.append((tuple(left), tuple(p - q for p, q in zip(a, left, strict=True))))
        yield pairs


@lru_cache(maxsize=64)
def _plan(key, n_graphs):
    """Choose the cheapest split of the terms (bytes of an int64 array of shape (-1, n_graphs))."""
    terms = [tuple(a) for a in np.frombuffer(key, dtype=np.int64).reshape(-1, n_graphs).tolist()]
    best, lowest = None, float("inf")
    for pairs in _splits(terms):
        left, left_places = _closure([pair[0] for pair in pairs])
        right, right_places = _closure([pair[1] for pair in pairs])
        n_left, n_right = len(left) + 1, len(right) + 1
        cost = 2 * n_left + n_right + n_left * n_right / 8  # passes over a block in cache
        if cost < lowest:
            rows = np.array([left_places[pair[0]] for pair in pairs])
            columns = np.array([right_places[pair[1]] for pair in pairs])
            best, lowest = _Plan(left, right, rows, columns), cost
    return best


def _make_plan(powers):
    powers = np.ascontiguousarray(powers, dtype=np.int64)
    return _plan(powers.tobytes(), powers.shape[1])


def _namespace(array):
    """The library an array belongs to: numpy or torch (imported already if tensors exist)."""
    return np if isinstance(array, np.ndarray | np.generic) else sys.modules["torch"]


def _float_type(arrays):
    """The common dtype of arrays: float32 or wider."""
    dtype = np.result_type(*arrays)
    return dtype if dtype.kind == "f" else np.dtype(float)


def _check_shapes(relations):
    shapes = {tuple(r.shape) for r in relations}
    if not shapes:
        raise ValueError("Give at least one relation.")
    if len(shapes) > 1:
        raise ValueError(f"All relations must have one shape; got {sorted(shapes)}.")


def _check(relations, powers, weights=None):
    relations = list(relations)
    _check_shapes(relations)
    powers = np.asarray(powers)
    if powers.ndim != 2 or powers.shape[1] != len(relations):
        raise ValueError(
            f"powers must have shape (n_terms, {len(relations)}), a column for each relation; "
            f"got {powers.shape}."
        )
    if powers.size and (powers.dtype.kind not in "iub" or powers.min() < 0):
        raise ValueError(f"powers must be whole numbers, at least 0; got {powers.tolist()}.")
    if weights is not None and tuple(weights.shape) != (len(powers),):
        raise ValueError(
            f"weights must have shape ({len(powers)},), one for each term; "
            f"got {tuple(weights.shape)}."
        )
    return relations, powers


def _monomials(relations, steps, one):
    """All monomials of a plan, place 0 being the constant 1."""
    values = [one]
    for parent, graph in steps:
        values.append(relations[graph] if parent == 0 else values[parent] * relations[graph])
    return values


def fuse(relations, powers, weights, out=None):
    r"""Fuse relations by a polynomial in their entries.

    .. math:: G = \sum_a A_a \, R_1^{\circ a_1} \circ \dots \circ R_M^{\circ a_M}

    PSD relations and :math:`A \ge 0` give a PSD :math:`G` (Schur product theorem).

    Parameters
    ----------
    relations : sequence of M arrays or tensors of shape (..., n_units, n_references)
        One relation graph each, all of one shape, dtype and library (numpy or torch).
    powers : array-like of shape (n_terms, M), int
        Exponents of each term (:func:`exponents`). The row of zeros is the constant 1.
    weights : array or tensor of shape (n_terms,)
        The weight of each term.
    out : ndarray, optional
        C-contiguous array of the result's shape and dtype to write into (numpy only).

    Returns
    -------
    array or tensor of shape (..., n_units, n_references)
        The fused graph, of the relations' dtype. Tensors carry gradients with respect to
        ``weights`` and ``relations``.

    Raises
    ------
    ValueError
        If shapes do not agree.

    References
    ----------
    "Learnable Expansion of Graph Operators for Multi-Modal Feature Fusion", ICLR 2025.
    The expansion for M graphs generalises the paper's sum over pairs of powers.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.fusion import exponents, fuse
    >>> a, b = np.array([[1.0, 0.5]]), np.array([[1.0, 0.2]])
    >>> fuse([a, b], exponents(2, 2), np.ones(5))  # a + b + a*a + a*b + b*b
    array([[5.  , 1.09]])
    """
    if not hasattr(weights, "shape"):
        weights = np.asarray(weights, dtype=float)
    relations, powers = _check(relations, powers, weights)
    xp = _namespace(relations[0])
    if xp is not np:
        return _fuse_tensors(xp, relations, powers, weights)
    weights = np.asarray(weights)
    used = weights != 0
    if not used.all():
        powers, weights = powers[used], weights[used]
    return _fuse_blocks(relations, powers, weights, out)


def _fuse_tensors(xp, relations, powers, weights):
    """Torch path of :func:`fuse`: the same plan on whole tensors."""
    one = xp.ones_like(relations[0])
    if len(powers) == 0:
        return 0 * one
    weights = xp.as_tensor(weights, dtype=one.dtype, device=one.device)
    plan = _make_plan(powers)
    shape = (len(plan.left) + 1, len(plan.right) + 1)
    cells = xp.as_tensor(plan.rows * shape[1] + plan.columns, device=weights.device)
    matrix = xp.zeros(shape[0] * shape[1], dtype=weights.dtype, device=weights.device)
    matrix = matrix.index_add(0, cells, weights).reshape(shape)
    inner = xp.tensordot(matrix, xp.stack(_monomials(relations, plan.right, one)), 1)
    left = _monomials(relations, plan.left, one)
    return sum((x * t for x, t in zip(left[1:], inner[1:], strict=True)), inner[0])


def _matrix(plan, weights, dtype):
    matrix = np.zeros((len(plan.left) + 1, len(plan.right) + 1), dtype=dtype)
    np.add.at(matrix, (plan.rows, plan.columns), weights)
    return matrix


def _n_threads(size):
    """Threads worth starting: one for each processor, as BLAS does, none for small arrays."""
    if size < _THREADED_SIZE:
        return 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return int(limit) if limit.isdigit() and int(limit) > 0 else os.cpu_count() or 1


def _in_blocks(work, size, n_left, n_right, chunk=None):
    """Call ``work(blocks)`` in each thread; blocks are (slice, n_chunks, chunk) triples.

    Chunks are small enough for BLAS to stay in the calling thread and blocks of chunks small
    enough for the cache. Returns the list of what the calls returned.
    """
    if chunk is None:
        chunk = max(64, min(2048, _BLAS_THREAD_SIZE // (n_left * n_right), size))
    per_block = max(1, _BLOCK_SIZE // ((n_left + n_right) * chunk))
    whole = size // chunk
    blocks = [
        (slice(k * chunk, min(k + per_block, whole) * chunk), min(per_block, whole - k), chunk)
        for k in range(0, whole, per_block)
    ]
    if size % chunk:
        blocks.append((slice(whole * chunk, size), 1, size % chunk))
    n_threads = min(_n_threads(size * (n_left + n_right)), len(blocks))
    if n_threads == 1:
        return [work(blocks)]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(work, [blocks[k::n_threads] for k in range(n_threads)]))


def _flat(array, dtype):
    return np.ascontiguousarray(array, dtype=dtype).reshape(-1)


def _scratch(blocks, n_rows, dtype):
    """Room for n_rows monomials over the largest of the blocks, filled with ones."""
    return np.ones((n_rows, max(count * chunk for _, count, chunk in blocks)), dtype)


def _chunks(stack, n_chunks, chunk):
    """The view (n_chunks, n_rows, chunk) of a stack: one small matrix for each chunk."""
    return stack.reshape(len(stack), n_chunks, chunk).transpose(1, 0, 2)


def _grow(stack, steps, relations):
    """Fill the monomials of ``steps`` into stack[1:] from stack[0] up."""
    for place, (parent, graph) in enumerate(steps, start=1):
        np.multiply(stack[parent], relations[graph], out=stack[place])


def _fuse_blocks(relations, powers, weights, out):
    """Numpy path of :func:`fuse`: a small GEMM, then Horner's rule over the left monomials."""
    dtype, shape = _float_type(relations), relations[0].shape
    if out is None:
        out = np.empty(shape, dtype=dtype)
    elif (out.shape, out.dtype) != (shape, dtype) or not out.flags.c_contiguous:
        raise ValueError(
            f"out must be a C-contiguous array of shape {shape} and dtype {dtype}; got shape "
            f"{out.shape}, dtype {out.dtype}."
        )
    target = out.reshape(-1)
    if len(weights) == 0 or target.size == 0:
        target[:] = 0
        return out
    plan = _make_plan(powers)
    matrix = _matrix(plan, weights, dtype)
    flat = [_flat(r, dtype) for r in relations]

    def work(blocks):
        right, left = (_scratch(blocks, n, dtype) for n in matrix.shape[::-1])
        for part, n_chunks, chunk in blocks:
            block = [r[part] for r in flat]
            width = n_chunks * chunk
            monomials, value = right[:, :width], left[:, :width]
            _grow(monomials, plan.right, block)
            chunks = (_chunks(stack, n_chunks, chunk) for stack in (monomials, value))
            np.matmul(matrix, next(chunks), out=next(chunks))
            for place in range(len(plan.left), 0, -1):
                parent, graph = plan.left[place - 1]
                value[place] *= block[graph]
                value[parent] += value[place]
            target[part] = value[0]

    _in_blocks(work, target.size, *matrix.shape)
    return out


def fuse_adjoint(relations, powers, gradient, by_row=False):
    r"""Pull a gradient with respect to the fused graph back to the weights.

    .. math:: \frac{\partial \ell}{\partial A_a} =
        \sum_{ij} \frac{\partial \ell}{\partial G_{ij}} \prod_m R_m[i, j]^{a_m}

    The transpose of :func:`fuse`, in the same blocks: no term's kernel is ever stored.

    Parameters
    ----------
    relations : sequence of M arrays of shape (..., n_units, n_references)
    powers : array-like of shape (n_terms, M), int
    gradient : ndarray of shape (..., n_units, n_references)
    by_row : bool, default=False
        Sum over the references only: how much each unit contributes.

    Returns
    -------
    ndarray of shape (n_terms,), or (..., n_units, n_terms) by row, float64

    Raises
    ------
    ValueError
        If shapes do not agree.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.fusion import fuse_adjoint
    >>> fuse_adjoint([np.array([[1.0, 0.5]])], [[1], [2]], np.ones((1, 2)))
    array([1.5 , 1.25])
    """
    relations, powers = _check(relations, powers)
    if tuple(gradient.shape) != tuple(relations[0].shape):
        raise ValueError(
            f"gradient must have the relations' shape {tuple(relations[0].shape)}; "
            f"got {tuple(gradient.shape)}."
        )
    if len(powers) == 0 or gradient.size == 0:
        return np.zeros((*(gradient.shape[:-1] if by_row else ()), len(powers)))
    plan = _make_plan(powers)
    dtype = _float_type(relations)
    flat, slope = [_flat(r, dtype) for r in relations], _flat(gradient, dtype)
    n_left, n_right = len(plan.left) + 1, len(plan.right) + 1

    def work(blocks):
        right, left = _scratch(blocks, n_right, dtype), _scratch(blocks, n_left, dtype)
        total = np.zeros((n_left, n_right))
        for part, n_chunks, chunk in blocks:
            block = [r[part] for r in flat]
            width = n_chunks * chunk
            monomials, pulled = right[:, :width], left[:, :width]
            _grow(monomials, plan.right, block)
            pulled[0] = slope[part]
            _grow(pulled, plan.left, block)
            pulled, monomials = (_chunks(stack, n_chunks, chunk) for stack in (pulled, monomials))
            products = np.matmul(pulled, monomials.transpose(0, 2, 1))
            if by_row:
                rows[part.start // chunk : part.stop // chunk] = products[
                    :, plan.rows, plan.columns
                ]
            else:
                total += products.sum(axis=0)
        return total

    rows = np.empty((slope.size // gradient.shape[-1] if by_row else 0, len(powers)))
    chunk = gradient.shape[-1] if by_row else None
    total = np.sum(_in_blocks(work, slope.size, n_left, n_right, chunk), axis=0)
    return rows.reshape(*gradient.shape[:-1], -1) if by_row else total[plan.rows, plan.columns]


def fuse_separable(relations, factors, zeroth=None):
    r"""Fuse relations by a product of one polynomial for each.

    .. math:: G = \prod_m \Big(\sum_p a_{mp} R_m^{(p)}\Big) - \prod_m a_{m0}

    The paper's rank-one weights, for any number of graphs; the constant is taken out.

    Parameters
    ----------
    relations : sequence of M arrays or tensors of shape (..., n_units, n_references)
        A graph whose powers are not entry-wise is a list of its powers 1..degree instead.
    factors : array or tensor of shape (M, degree + 1)
        Weights of the powers 0..degree of each graph.
    zeroth : array or tensor of the relations' shape, optional
        The zeroth power of every graph. By default all ones.

    Returns
    -------
    array or tensor of shape (..., n_units, n_references)

    Raises
    ------
    ValueError
        If there is not one row of factors for each relation, of at least two powers.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.fusion import fuse_separable
    >>> a, b = np.array([[0.5]]), np.array([[0.2]])
    >>> fuse_separable([a, b], np.ones((2, 2)))  # (1 + a)(1 + b) - 1
    array([[0.8]])
    """
    relations = _check_factors(relations, factors)
    first = relations[0][0] if isinstance(relations[0], list) else relations[0]
    xp = _namespace(first)
    if xp is not np:
        factors = xp.as_tensor(factors, dtype=first.dtype, device=first.device)
        return _product(relations, factors, zeroth)
    flat, flat_zeroth, dtype = _flat_stacks(relations, zeroth)
    factors = np.asarray(factors, dtype=dtype)
    out = np.empty(first.shape, dtype=dtype)
    target = out.reshape(-1)

    def work(blocks):
        for part, _, _ in blocks:
            target[part] = _product(*_part(flat, flat_zeroth, part, factors))

    if target.size:
        _in_blocks(work, target.size, len(relations), factors.shape[1])
    return out


def _check_factors(relations, factors):
    relations = list(relations)
    stacks = [r if isinstance(r, list) else [r] for r in relations]
    _check_shapes([power for stack in stacks for power in stack])
    shape = np.shape(factors)
    if len(shape) != 2 or shape[0] != len(relations) or shape[1] < 2:
        raise ValueError(
            f"factors must have shape ({len(relations)}, degree + 1), a row for each relation; "
            f"got {shape}."
        )
    return relations


def _flat_stacks(relations, zeroth):
    stacks = [r if isinstance(r, list) else [r] for r in relations]
    dtype = _float_type([power for stack in stacks for power in stack])
    flat = [[_flat(power, dtype) for power in stack] for stack in stacks]
    flat = [x if isinstance(r, list) else x[0] for x, r in zip(flat, relations, strict=True)]
    return flat, None if zeroth is None else _flat(zeroth, dtype), dtype


def _part(flat, zeroth, part, factors):
    block = [[x[part] for x in r] if isinstance(r, list) else r[part] for r in flat]
    return block, factors, None if zeroth is None else zeroth[part]


def _power(relation, p):
    """The p-th power, p >= 1, of a relation or of a list of its powers."""
    return relation[p - 1] if isinstance(relation, list) else relation**p


def _factor(relation, row, zeroth):
    if isinstance(relation, list):
        value = sum(a * power for a, power in zip(row[1:], relation, strict=True))
    else:
        value = polynomial(relation, row[1:]) * relation
    return value + (row[0] if zeroth is None else row[0] * zeroth)


def _product(relations, factors, zeroth):
    product, constant = 1.0, 1.0
    for relation, row in zip(relations, factors, strict=True):
        product = product * _factor(relation, row, zeroth)
        constant = constant * row[0]
    return product - constant if zeroth is None else product


def fuse_separable_adjoint(relations, factors, gradient, zeroth=None):
    r"""Pull a gradient with respect to a separable fused graph back to its factors.

    .. math:: \frac{\partial \ell}{\partial a_{mp}} = \sum_{ij}
        \frac{\partial \ell}{\partial G_{ij}} R_m^{(p)}[i, j] \prod_{k \ne m} f_k[i, j]

    Parameters
    ----------
    relations : sequence of M arrays of shape (..., n_units, n_references)
        Or lists of powers, as in :func:`fuse_separable`.
    factors : ndarray of shape (M, degree + 1)
    gradient : ndarray of shape (..., n_units, n_references)
    zeroth : ndarray of the relations' shape, optional

    Returns
    -------
    ndarray of shape (M, degree + 1), float64

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.fusion import fuse_separable_adjoint
    >>> graphs = [np.array([[0.5]]), np.array([[0.2]])]
    >>> fuse_separable_adjoint(graphs, np.ones((2, 2)), np.ones((1, 1)))
    array([[0.2, 0.6],
           [0.5, 0.3]])
    """
    flat, flat_zeroth, dtype = _flat_stacks(_check_factors(relations, factors), zeroth)
    factors, slope = np.asarray(factors, dtype=dtype), _flat(gradient, dtype)

    def work(blocks):
        total = np.zeros(factors.shape)
        for part, _, _ in blocks:
            block, _, ones = _part(flat, flat_zeroth, part, factors)
            values = [_factor(r, row, ones) for r, row in zip(block, factors, strict=True)]
            for m, relation in enumerate(block):
                pulled = slope[part].copy()
                for k, value in enumerate(values):
                    if k != m:
                        pulled *= value
                total[m, 0] += (pulled if ones is None else pulled * ones).sum(dtype=float)
                for p in range(1, factors.shape[1]):
                    total[m, p] += pulled @ _power(relation, p)
        return total

    if slope.size == 0:
        return np.zeros(factors.shape)
    total = np.sum(_in_blocks(work, slope.size, len(flat), factors.shape[1]), axis=0)
    if zeroth is None:
        others = factors[:, 0].astype(float)
        constant = [np.prod(np.delete(others, m)) for m in range(len(others))]
        total[:, 0] -= np.multiply(constant, slope.sum(dtype=float))
    return total


def one_exponent_each(powers):
    """Rewrite terms over graphs as terms over (graph, power) pairs, for hop expansions.

    Where the p-th power of a graph is not an entry-wise one (a matrix power, say), every power
    is a graph of its own with exponent 1.

    Parameters
    ----------
    powers : array-like of shape (n_terms, n_graphs)

    Returns
    -------
    pairs : list of (graph, power)
        The graphs of their own that the terms need.
    indicators : ndarray of shape (n_terms, n_pairs)

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
