"""Symmetric graphs as packed lower triangles: half the memory and half the work."""

from functools import lru_cache

import numpy as np

_REMEMBERED = 400  # units of a graph up to which it is remembered where entries lie


def pack(graph):
    """Lower triangle of a symmetric graph, row by row.

    Parameters
    ----------
    graph : ndarray of shape (n_units, n_units)
        A symmetric graph.

    Returns
    -------
    ndarray of shape (n_units * (n_units + 1) / 2,)
        The triangle.

    Raises
    ------
    ValueError
        If the graph is not square.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import pack
    >>> pack(np.array([[1.0, 2.0], [2.0, 3.0]]))
    array([1., 2., 3.])
    """
    n_units = len(graph)
    if graph.shape != (n_units, n_units):
        raise ValueError(f"A graph to pack must be square; got shape {graph.shape}.")
    if n_units > _REMEMBERED:
        return graph[np.tril_indices(n_units)]
    return graph.reshape(-1)[_places(n_units)[0]]


def unpack(packed):
    """Symmetric graph of a packed lower triangle.

    Parameters
    ----------
    packed : ndarray of shape (n_units * (n_units + 1) / 2,)
        Lower triangle, row by row.

    Returns
    -------
    ndarray of shape (n_units, n_units)
        The graph.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import unpack
    >>> unpack(np.array([1.0, 2.0, 3.0]))
    array([[1., 2.],
           [2., 3.]])
    """
    n_units = side(packed)
    if n_units <= _REMEMBERED:
        return packed[_places(n_units)[2]]
    lower = np.zeros((n_units, n_units), packed.dtype)
    lower[np.tril_indices(n_units)] = packed
    return mirror(lower)


@lru_cache(maxsize=4)
def _places(n_units):
    """Where packed entries lie in a graph by rows, in one by columns, and the graph's in them."""
    rows, columns = np.tril_indices(n_units)
    whole = np.empty((n_units, n_units), dtype=np.intp)
    whole[rows, columns] = whole[columns, rows] = np.arange(len(rows))
    return rows * n_units + columns, columns * n_units + rows, whole


def side(packed):
    return int(np.sqrt(2 * len(packed)))


def packed_diagonal(n_units):
    """Where the diagonal lies in a packed triangle.

    Parameters
    ----------
    n_units : int
        Number of rows of the graph.

    Returns
    -------
    ndarray of shape (n_units,), int
        Indices.
    """
    return np.cumsum(np.arange(1, n_units + 1)) - 1


def pack_gradient(gradient):
    """Pack a symmetric gradient: each entry off the diagonal stands for two."""
    packed = 2 * pack(gradient)
    packed[packed_diagonal(len(gradient))] /= 2
    return packed


def mirror(lower):
    """Fill the upper triangle of a matrix from its lower one."""
    n_units = len(lower)
    if n_units <= _REMEMBERED:
        by_row, by_column, whole = _places(n_units)
        if lower.flags.f_contiguous:
            return lower.T.reshape(-1)[by_column][whole]
        return lower.reshape(-1)[by_row][whole]
    full = np.tril(lower)
    full += np.tril(lower, -1).T
    return full
