"""A product of one polynomial for each graph, and its adjoint."""

import numpy as np

from ._arrays import as_floats, check_shapes, flatten, float_type, leaves, namespace
from ._blocks import in_blocks
from ._polynomial import polynomial


def fuse_separable(relations, factors, zeroth=None):
    r"""Fuse relations by a product of one polynomial for each.

    .. math:: G = \prod_m \Big(\sum_p a_{mp} R_m^{(p)}\Big) - \prod_m a_{m0}

    The paper's rank-one weights, for any number of graphs; the constant is taken out. With a
    `zeroth` of its own there is none, and nothing is taken out.

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
        The fused graph.

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
    first = leaves(relations)[0]
    xp = namespace(first)
    if xp is not np:
        floats = as_floats(xp, relations if zeroth is None else [*relations, zeroth])
        relations, zeroth = floats[: len(relations)], None if zeroth is None else floats[-1]
        first = leaves(relations)[0]
        factors = xp.as_tensor(factors, dtype=first.dtype, device=first.device)
        return _product(relations, factors, zeroth)
    flat, flat_zeroth, dtype = _flatten(relations, zeroth)
    factors = np.asarray(factors, dtype=dtype)
    out = np.empty(first.shape, dtype=dtype)
    target = out.reshape(-1)

    def work(blocks):
        for part, _, _ in blocks:
            block, ones = _part(flat, flat_zeroth, part)
            target[part] = _product(block, factors, ones)

    if target.size:
        in_blocks(work, target.size, len(relations), factors.shape[1])
    return out


def _check_factors(relations, factors):
    relations = list(relations)
    check_shapes(leaves(relations))
    shape = np.shape(factors)
    if len(shape) != 2 or shape[0] != len(relations) or shape[1] < 2:
        raise ValueError(
            f"factors must have shape ({len(relations)}, degree + 1), a row for each relation; "
            f"got {shape}."
        )
    return relations


def _flatten(relations, zeroth):
    """Relations (or lists of their powers) and zeroth power as flat arrays, and their type."""
    dtype = float_type(leaves(relations))
    flat = [
        [flatten(power, dtype) for power in r] if isinstance(r, list) else flatten(r, dtype)
        for r in relations
    ]
    return flat, None if zeroth is None else flatten(zeroth, dtype), dtype


def _part(flat, zeroth, part):
    block = [[x[part] for x in r] if isinstance(r, list) else r[part] for r in flat]
    return block, None if zeroth is None else zeroth[part]


def _power(relation, p):
    """The p-th power, p >= 1, of a relation or of a list of its powers."""
    return relation[p - 1] if isinstance(relation, list) else relation**p


def _factor(relation, row, zeroth):
    return _powers(relation, row) + (row[0] if zeroth is None else row[0] * zeroth)


def _powers(relation, row):
    """Weighted sum of the powers of a relation from the first on."""
    if isinstance(relation, list):
        return sum(a * power for a, power in zip(row[1:], relation, strict=True))
    return polynomial(relation, row[1:]) * relation


def _product(relations, factors, zeroth):
    if zeroth is not None:
        product = 1.0
        for relation, row in zip(relations, factors, strict=True):
            product = product * _factor(relation, row, zeroth)
        return product
    fused, constant = None, 1.0  # the constant is left out, not taken off: it may outweigh the rest
    for relation, row in zip(relations, factors, strict=True):
        value = _powers(relation, row)
        fused = value if fused is None else fused * row[0] + (fused + constant) * value
        constant = constant * row[0]
    return fused


def fuse_separable_adjoint(relations, factors, gradient, zeroth=None):
    r"""Pull a gradient with respect to a separable fused graph back to its factors.

    .. math:: \frac{\partial \ell}{\partial a_{mp}} = \sum_{ij}
        \frac{\partial \ell}{\partial G_{ij}} R_m^{(p)}[i, j] \prod_{k \ne m} f_k[i, j]

    Parameters
    ----------
    relations : sequence of M arrays of shape (..., n_units, n_references)
        Or lists of powers, as in :func:`fuse_separable`.
    factors : ndarray of shape (M, degree + 1)
        Weights of each graph's powers.
    gradient : ndarray of shape (..., n_units, n_references)
        Gradient of a loss with respect to the fused graph.
    zeroth : ndarray of the relations' shape, optional
        Zeroth power of the graphs, if not all ones.

    Returns
    -------
    ndarray of shape (M, degree + 1), float64
        Gradient of the loss with respect to the factors.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.fusion import fuse_separable_adjoint
    >>> graphs = [np.array([[0.5]]), np.array([[0.2]])]
    >>> fuse_separable_adjoint(graphs, np.ones((2, 2)), np.ones((1, 1)))
    array([[0.2, 0.6],
           [0.5, 0.3]])
    """
    flat, flat_zeroth, dtype = _flatten(_check_factors(relations, factors), zeroth)
    factors, slope = np.asarray(factors, dtype=dtype), flatten(gradient, dtype)

    def work(blocks):
        total = np.zeros(factors.shape)
        for part, _, _ in blocks:
            block, ones = _part(flat, flat_zeroth, part)
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
    total = np.sum(in_blocks(work, slope.size, len(flat), factors.shape[1]), axis=0)
    if zeroth is None:
        others = factors[:, 0].astype(float)
        constant = [np.prod(np.delete(others, m)) for m in range(len(others))]
        total[:, 0] -= np.multiply(constant, slope.sum(dtype=float))
    return total
