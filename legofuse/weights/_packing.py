"""Symmetric graphs as packed lower triangles: half the memory and half the work."""

import numpy as np


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

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import pack
    >>> pack(np.array([[1.0, 2.0], [2.0, 3.0]]))
    array([1., 2., 3.])
    """
    return graph[np.tril_indices(len(graph))]


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
    lower = np.zeros((n_units, n_units), packed.dtype)
    lower[np.tril_indices(n_units)] = packed
    return mirror(lower)


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
    full = np.tril(lower)
    full += np.tril(lower, -1).T
    return full
