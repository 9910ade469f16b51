r"""Readouts: from a fused graph to features.

This module imports nothing from legofuse.
"""

import numpy as np
from scipy.linalg import eigh

__all__ = ["degree", "degree_variance", "embedding_map", "spectrum", "top_k"]


def embedding_map(graph, n_components=None, tol=None):
    r"""Nyström map of a landmark graph: ``G(x, Z) @ map`` are features of x.

    .. math:: \Phi(x) = G(x, Z)\, G(Z, Z)^{-1/2}

    in the basis of the eigenvectors of G(Z, Z), largest eigenvalue first, so that
    :math:`\Phi(x) \cdot \Phi(x') \approx G(x, x')`. The sign of each column is fixed by its
    entry of largest magnitude.

    Parameters
    ----------
    graph : ndarray of shape (n_landmarks, n_landmarks)
        Fused graph of the landmarks, symmetric.
    n_components : int, optional
        Largest number of features; by default all that are numerically there.
    tol : float, optional
        Eigenvalues below ``tol`` times the largest are dropped; by default
        n_landmarks times the rounding unit.

    Returns
    -------
    projection : ndarray of shape (n_landmarks, n_components)
        The map.
    negative_share : float
        Share of the spectrum's absolute sum that was negative (0 for a kernel, up to rounding).

    References
    ----------
    Williams and Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NIPS 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.readouts import embedding_map
    >>> projection, negative = embedding_map(np.diag([4.0, 1.0]))
    >>> projection.round(6) + 0.0
    array([[0.5, 0. ],
           [0. , 1. ]])
    """
    values, vectors = eigh((graph + graph.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    if tol is None:
        tol = len(values) * np.finfo(graph.dtype).eps
    total = np.abs(values).sum()
    negative_share = float(-values[values < 0].sum() / total) if total > 0 else 0.0
    kept = values > tol * max(values[0], 0)
    if n_components is not None:
        kept[n_components:] = False
    if not kept.any():
        return np.zeros((len(values), 1), dtype=graph.dtype), negative_share
    values, vectors = values[kept], vectors[:, kept]
    largest = np.argmax(np.abs(vectors).round(8), axis=0)
    signs = np.sign(vectors[largest, np.arange(len(values))])
    return vectors * (signs / np.sqrt(values)), negative_share


def degree(graph, threshold=None):
    """Row sums of a graph, over entries at or above a threshold if one is given.

    Parameters
    ----------
    graph : array of shape (..., n_units, n_references)
        One graph, or several.
    threshold : float, optional
        Entries below it are left out.

    Returns
    -------
    array of shape (..., n_units)
        Degree of each unit.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.readouts import degree
    >>> degree(np.array([[1.0, 0.2], [0.2, 1.0]]), threshold=0.5)
    array([1., 1.])
    """
    return (graph if threshold is None else graph * (graph >= threshold)).sum(-1)


def degree_variance(graph, threshold=None):
    """Variance of the degrees of each graph.

    Parameters
    ----------
    graph : array of shape (..., n_units, n_references)
        One graph, or several.
    threshold : float, optional
        Entries below it are left out.

    Returns
    -------
    array of shape (...)
        Variance of each graph's degrees.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.readouts import degree_variance
    >>> float(degree_variance(np.array([[1.0, 1.0], [1.0, 3.0]])))
    1.0
    """
    degrees = degree(graph, threshold)
    return ((degrees - degrees.mean(-1, keepdims=True)) ** 2).mean(-1)


def top_k(graph, k):
    """Mean of the k strongest relations of each unit.

    Parameters
    ----------
    graph : ndarray of shape (..., n_units, n_references)
        One graph, or several.
    k : int
        Capped at n_references.

    Returns
    -------
    ndarray of shape (..., n_units)
        Mean of each unit's strongest relations.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.readouts import top_k
    >>> top_k(np.array([[0.0, 1.0, 0.5]]), 2)
    array([0.75])
    """
    k = min(k, graph.shape[-1])
    return np.partition(graph, -k, axis=-1)[..., -k:].mean(-1)


def spectrum(graph, n_values=None):
    """Eigenvalues of a square symmetric graph, largest first.

    Parameters
    ----------
    graph : ndarray of shape (..., n_units, n_units)
        One graph, or several.
    n_values : int, optional
        How many; by default all.

    Returns
    -------
    ndarray of shape (..., n_values)
        Eigenvalues.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.readouts import spectrum
    >>> spectrum(np.diag([1.0, 3.0]), 1)
    array([3.])
    """
    return np.linalg.eigvalsh(graph)[..., ::-1][..., :n_values]
