"""Landmarks: which training rows samples are related to.

This module may import legofuse.sampling and nothing else of legofuse.
"""

import reprlib

import numpy as np
import scipy.sparse as sp

from .sampling import stratified_sample

__all__ = ["LANDMARKS", "choose_landmarks", "given_landmarks", "nearest_to_means", "view_features"]

LANDMARKS = ("stratified", "random", "kmeans")
_KMEANS_POOL = 10_000


def choose_landmarks(method, n_landmarks, strata, features, rng):
    """Choose landmarks among candidate rows.

    Parameters
    ----------
    method : {"stratified", "random", "kmeans"}
    n_landmarks : int
    strata : ndarray of shape (n_candidates,), int
        Classes, for ``"stratified"``.
    features : callable
        From positions to their features, an ndarray of shape (n_positions, n_features), for
        ``"kmeans"``, which looks at a random 20 candidates a landmark (at least 10000).
    rng : numpy.random.RandomState

    Returns
    -------
    ndarray of at most n_landmarks positions, sorted

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.landmarks import choose_landmarks
    >>> strata = np.repeat([0, 1], [80, 20])
    >>> rng = np.random.RandomState(0)
    >>> np.bincount(strata[choose_landmarks("stratified", 10, strata, None, rng)]).tolist()
    [8, 2]
    """
    n_candidates = len(strata)
    if n_landmarks >= n_candidates:
        return np.arange(n_candidates)
    if method == "stratified":
        return stratified_sample(strata, n_landmarks, rng)
    if method == "random":
        return np.sort(rng.choice(n_candidates, n_landmarks, replace=False))
    pool, size = np.arange(n_candidates), max(_KMEANS_POOL, 20 * n_landmarks)
    if size < n_candidates:
        pool = np.sort(rng.choice(n_candidates, size, replace=False))
    return pool[nearest_to_means(features(pool), n_landmarks, rng)]


def nearest_to_means(rows, n_landmarks, rng):
    """Positions of the rows nearest to the centres of k-means, sorted.

    Parameters
    ----------
    rows : ndarray of shape (n_candidates, n_features)
    n_landmarks : int
        At most n_candidates.
    rng : numpy.random.RandomState

    Returns
    -------
    ndarray of n_landmarks positions
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import pairwise_distances_argmin

    means = MiniBatchKMeans(n_landmarks, random_state=rng, n_init=1, batch_size=4096).fit(rows)
    nearest = np.unique(pairwise_distances_argmin(means.cluster_centers_, rows))
    if len(nearest) < n_landmarks:  # two centres may share their nearest row
        others = np.setdiff1d(np.arange(len(rows)), nearest)
        extra = rng.choice(others, n_landmarks - len(nearest), replace=False)
        nearest = np.sort(np.append(nearest, extra))
    return nearest


def given_landmarks(landmarks, n_rows):
    """Check landmarks given as indices of training rows.

    Parameters
    ----------
    landmarks : array-like of int
    n_rows : int

    Returns
    -------
    ndarray of int

    Raises
    ------
    ValueError
        If they are no 1-D integers between 0 and n_rows - 1.
    """
    try:
        given = np.asarray(landmarks)
    except ValueError:  # sequences of unequal lengths
        given = np.empty(0, object)
    if given.ndim != 1 or given.dtype.kind not in "iu" or len(given) == 0:
        got = reprlib.repr(landmarks)  # cut short: it may be a table
        if given.ndim > 1 or hasattr(landmarks, "dtype"):
            kind = "an array" if isinstance(landmarks, np.ndarray) else type(landmarks).__name__
            shape = tuple(getattr(landmarks, "shape", given.shape))
            got = f"{kind} of shape {shape} and dtype {getattr(landmarks, 'dtype', given.dtype)}"
        mask = " (np.flatnonzero gives those of a mask)" * (given.dtype == bool)
        raise ValueError(
            f"landmarks must be one of {', '.join(map(repr, LANDMARKS))}, or a 1-D array of row "
            f"indices{mask}; got {got}."
        )
    if given.min() < 0 or given.max() >= n_rows:
        raise ValueError(
            f"landmarks must be row indices between 0 and {n_rows - 1}; got values from "
            f"{given.min()} to {given.max()}."
        )
    return given.astype(np.intp)


def view_features(X, columns, learned):
    """Standardised features of every view side by side, each view of equal weight.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    columns : dict of str to index array
    learned : dict of (view, None) to Statistics

    Returns
    -------
    ndarray; 0 where a view is missing
    """
    X = X.toarray() if sp.issparse(X) else X
    parts = []
    for view, index in columns.items():
        stats = learned[view, None]
        parts.append((X[:, index] - stats.mean) / stats.scale / np.sqrt(len(index)))
    return np.nan_to_num(np.hstack(parts))
