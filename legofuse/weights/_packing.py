"""Symmetric graphs as packed lower triangles: half the memory and half the work."""

import numpy as np
from scipy.linalg import lapack

_BLOCK = 64  # rows that are mirrored at a time


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
    return _routine("trttp", graph)(graph.T, uplo="U")[0]


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
    return mirror(_routine("tpttr", packed)(side(packed), packed, uplo="U")[0].T)


def rows_of(graphs, n_units, part):
    """Some rows of symmetric graphs, from their packed lower triangles.

    Parameters
    ----------
    graphs : sequence of packed graphs (:func:`pack`)
    n_units : int
        Number of rows of each.
    part : slice
        The rows; it has a start and a stop.

    Returns
    -------
    list of ndarray of shape (n_rows of the part, n_units)
    """
    rows, columns = np.ogrid[part, :n_units]
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    where = high * (high + 1) // 2 + low
    return [graph.take(where) for graph in graphs]


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


def packed_among(units):
    """Where the triangle of some units lies in a packed triangle; their indices rise."""
    rows, columns = np.tril_indices(len(units))
    rows, columns = units[rows], units[columns]
    return rows * (rows + 1) // 2 + columns


def pack_gradient(gradient):
    """Pack a symmetric gradient: each entry off the diagonal stands for two."""
    packed = 2 * pack(gradient)
    packed[packed_diagonal(len(gradient))] /= 2
    return packed


def mirror(lower):
    """Fill the upper triangle of a matrix from its lower one, in place."""
    n_units = len(lower)
    above = ~np.tri(min(_BLOCK, n_units), dtype=bool)
    for start in range(0, n_units, _BLOCK):
        stop = min(start + _BLOCK, n_units)
        square = lower[start:stop, start:stop]
        np.copyto(square, square.T, where=above[: stop - start, : stop - start])
        lower[start:stop, stop:] = lower[stop:, start:stop].T
    return lower


def _routine(name, array):
    """A routine of LAPACK for packed triangles, whose columns are our rows."""
    return getattr(lapack, ("s" if array.dtype == np.float32 else "d") + name)
