"""The fusion polynomial and its adjoint."""

import numpy as np

from ._arrays import as_floats, check, flatten, float_type, namespace
from ._blocks import aligned_empty, in_blocks
from ._compiled import adjoint_compiled, fuse_compiled, is_compiled
from ._plan import make_plan, term_steps

_TERM_ENTRIES = 512  # of every term at once


def polynomial(base, coefficients):
    """Evaluate ``sum_p coefficients[p] * base**p`` entry by entry (Horner).

    Parameters
    ----------
    base : array or tensor
        Any shape.
    coefficients : sequence of shape (degree + 1,)
        Weight of each power, the zeroth first.

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
        The fused graph, of the relations' dtype (whole numbers give floats). Tensors carry
        gradients with respect to ``weights`` and ``relations``.

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
    relations, powers = check(relations, powers, weights)
    xp = namespace(relations[0])
    if xp is not np:
        return _fuse_tensors(xp, relations, powers, weights)
    weights = np.asarray(weights)
    out = _target(relations, out)
    flat, target = [flatten(r, out.dtype) for r in relations], out.reshape(-1)
    if is_compiled(target.size, powers, out.dtype):
        fuse_compiled(flat, powers, weights, target)
        return out
    used = weights != 0
    if not used.all():
        powers, weights = powers[used], weights[used]
    _fuse_blocks(flat, powers, weights, target)
    return out


def _target(relations, out):
    """The array to write into: the given one, checked, or a new one."""
    dtype, shape = float_type(relations), relations[0].shape
    if out is None:
        return np.empty(shape, dtype=dtype)
    if (out.shape, out.dtype) != (shape, dtype) or not out.flags.c_contiguous:
        raise ValueError(
            f"out must be a C-contiguous array of shape {shape} and dtype {dtype}; got shape "
            f"{out.shape}, dtype {out.dtype}."
        )
    return out


def _monomials(relations, steps, one):
    """All monomials of a plan, place 0 being the constant 1."""
    values = [one]
    for parent, graph in steps:
        values.append(relations[graph] if parent == 0 else values[parent] * relations[graph])
    return values


def each_term(relations, powers):
    r"""Evaluate every term by itself, block by block: for what a fused graph does not tell.

    Parameters
    ----------
    relations : sequence of M ndarrays of shape (n_entries,)
        One relation graph each.
    powers : array-like of shape (n_terms, M), int
        Exponents of each term.

    Yields
    ------
    part : slice
        Some of the entries, in turn.
    values : ndarray of shape (n_terms, n_entries of the part), float64
        The terms there.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.fusion import each_term
    >>> [(part, values)] = each_term([np.array([2.0, 3.0])], [[1], [2]])
    >>> values
    array([[2., 3.],
           [4., 9.]])
    """
    relations, powers = check(relations, powers)
    (steps, places), size = term_steps(powers), relations[0].size
    for start in range(0, size, _TERM_ENTRIES):
        part = slice(start, min(start + _TERM_ENTRIES, size))
        block = [r[part].astype(float) for r in relations]
        yield part, np.stack(_monomials(block, steps, np.ones_like(block[0])))[places]


def fuse_several(relations, powers, weights):
    r"""Fuse the same relations by several weights at once.

    Every term is evaluated once and kept, so that this is for few entries and few terms, where a
    call of :func:`fuse` for each takes longer than its arithmetic.

    Parameters
    ----------
    relations : sequence of M ndarrays of shape (..., n_units, n_references)
        One relation graph each, all of one shape and dtype.
    powers : array-like of shape (n_terms, M), int
        Exponents of each term.
    weights : ndarray of shape (n_sets, n_terms)
        The weights of the terms, a row for each fused graph.

    Returns
    -------
    ndarray of shape (n_sets, ..., n_units, n_references)
        The fused graphs, of the relations' dtype (whole numbers give floats).

    Raises
    ------
    ValueError
        If graphs differ in shape, or `weights` has not a column for each term.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.fusion import fuse_several
    >>> fuse_several([np.array([2.0, 3.0])], [[1], [2]], np.array([[1.0, 0.0], [1.0, 1.0]]))
    array([[ 2.,  3.],
           [ 6., 12.]])
    """
    relations, powers = check(relations, powers)
    weights = np.asarray(weights)
    if weights.ndim != 2 or weights.shape[1] != len(powers):
        raise ValueError(
            f"weights must have shape (n_sets, {len(powers)}), one for each term; "
            f"got {weights.shape}."
        )
    dtype, size = float_type(relations), relations[0].size
    flat = [flatten(r, dtype) for r in relations]
    if is_compiled(size, powers, dtype):
        fused = np.empty((len(weights), size), dtype)
        for row, target in zip(weights, fused, strict=True):
            fuse_compiled(flat, powers, row, target)
    else:
        steps, places = term_steps(powers)
        matrix = np.zeros((len(weights), len(steps) + 1), dtype)
        np.add.at(matrix.T, places, weights.T)
        terms = np.empty((len(steps) + 1, size), dtype)
        terms[0] = 1
        _grow(terms, steps, flat, one=True)
        fused = matrix @ terms
    return fused.reshape(len(weights), *relations[0].shape)


def _fuse_tensors(xp, relations, powers, weights):
    """Torch path of :func:`fuse`: the same plan on whole tensors."""
    relations = as_floats(xp, relations)
    one = xp.ones_like(relations[0])
    if len(powers) == 0:
        return 0 * one
    weights = xp.as_tensor(weights, dtype=one.dtype, device=one.device)
    plan = make_plan(powers)
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


def _scratch(blocks, n_rows, dtype):
    """Room for n_rows monomials over the largest of the blocks; the first one is 1."""
    width = max(count * chunk for _, count, chunk in blocks)
    stack = aligned_empty(n_rows, width, dtype)
    stack[0] = 1
    return stack


def _chunks(stack, n_chunks, chunk):
    """The view (n_chunks, n_rows, chunk) of a stack: one small matrix for each chunk."""
    return stack.reshape(len(stack), n_chunks, chunk).transpose(1, 0, 2)


def _grow(stack, steps, relations, one=False):
    """Fill the monomials of ``steps`` into stack[1:] from stack[0] up, which may be all 1."""
    for place, (parent, graph) in enumerate(steps, start=1):
        if parent == 0 and one:
            stack[place] = relations[graph]
        else:
            np.multiply(stack[parent], relations[graph], out=stack[place])


def _fuse_blocks(flat, powers, weights, target):
    """Numpy path of :func:`fuse`: a small GEMM, then Horner's rule over the left monomials.

    Where these are among the right ones they are there already: one sum of products does.
    """
    if len(weights) == 0 or target.size == 0:
        target[:] = 0
        return
    plan, dtype = make_plan(powers), target.dtype
    matrix = _matrix(plan, weights, dtype)

    def work(blocks):
        right, left = (_scratch(blocks, n, dtype) for n in matrix.shape[::-1])
        for part, n_chunks, chunk in blocks:
            block = [r[part] for r in flat]
            width = n_chunks * chunk
            monomials, value = right[:, :width], left[:, :width]
            _grow(monomials, plan.right, block, one=True)
            chunks = (_chunks(stack, n_chunks, chunk) for stack in (monomials, value))
            np.matmul(matrix, next(chunks), out=next(chunks))
            if plan.is_nested:
                np.einsum("ij,ij->j", value, monomials[: len(value)], out=target[part])
                continue
            for place in range(len(plan.left), 0, -1):
                parent, graph = plan.left[place - 1]
                value[place] *= block[graph]
                if place > 1:
                    value[parent] += value[place]
            # the first of the left monomials is a multiple of 1, whose sum is last
            np.add(value[0], value[1], out=target[part])

    in_blocks(work, target.size, *matrix.shape)


def fuse_adjoint(relations, powers, gradient, by_row=False):
    r"""Pull a gradient with respect to the fused graph back to the weights.

    .. math:: \frac{\partial \ell}{\partial A_a} =
        \sum_{ij} \frac{\partial \ell}{\partial G_{ij}} \prod_m R_m[i, j]^{a_m}

    The transpose of :func:`fuse`, in the same blocks: no term's kernel is ever stored.

    Parameters
    ----------
    relations : sequence of M arrays of shape (..., n_units, n_references)
        One relation for each graph.
    powers : array-like of shape (n_terms, M), int
        Exponents of each term.
    gradient : ndarray of shape (..., n_units, n_references)
        Gradient of a loss with respect to the fused graph.
    by_row : bool, default=False
        Sum over the references only: how much each unit contributes.

    Returns
    -------
    ndarray of shape (n_terms,), or (..., n_units, n_terms) by row, float64
        Gradient of the loss with respect to the weights.

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
    relations, powers = check(relations, powers)
    if tuple(gradient.shape) != tuple(relations[0].shape):
        raise ValueError(
            f"gradient must have the relations' shape {tuple(relations[0].shape)}; "
            f"got {tuple(gradient.shape)}."
        )
    if len(powers) == 0 or gradient.size == 0:
        return np.zeros((*(gradient.shape[:-1] if by_row else ()), len(powers)))
    dtype = float_type(relations)
    flat, slope = [flatten(r, dtype) for r in relations], flatten(gradient, dtype)
    run = gradient.shape[-1] if by_row else None
    adjoint = adjoint_compiled if is_compiled(slope.size, powers, dtype) else _adjoint_blocks
    sums = adjoint(flat, powers, slope, run)
    return sums.reshape(*gradient.shape[:-1], -1) if by_row else sums.sum(axis=0)


def _adjoint_blocks(flat, powers, slope, run=None):
    """Numpy path of :func:`fuse_adjoint`: sums over runs of entries, or over all in one row."""
    plan, dtype = make_plan(powers), slope.dtype
    n_left, n_right = len(plan.left) + 1, len(plan.right) + 1

    def work(blocks):
        right, left = _scratch(blocks, n_right, dtype), _scratch(blocks, n_left, dtype)
        total = np.zeros((n_left, n_right))
        for part, n_chunks, chunk in blocks:
            block = [r[part] for r in flat]
            width = n_chunks * chunk
            monomials, pulled = right[:, :width], left[:, :width]
            _grow(monomials, plan.right, block, one=True)
            if plan.is_nested:
                np.multiply(monomials[: len(pulled)], slope[part], out=pulled)
            else:
                pulled[0] = slope[part]
                _grow(pulled, plan.left, block)
            pulled, monomials = (_chunks(stack, n_chunks, chunk) for stack in (pulled, monomials))
            products = np.matmul(pulled, monomials.transpose(0, 2, 1))
            if run is None:
                total += products.sum(axis=0)
            else:
                cells = products[:, plan.rows, plan.columns]
                rows[part.start // chunk : part.stop // chunk] = cells
        return total

    rows = np.empty((0 if run is None else slope.size // run, len(powers)))
    total = np.sum(in_blocks(work, slope.size, n_left, n_right, run), axis=0)
    return total[plan.rows, plan.columns][None] if run is None else rows
