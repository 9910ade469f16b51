"""Sampling: canonical order, merged repetitions, training samples.

A row of weight two must mean the same as a row that occurs twice, in whatever order rows come:
rows are told apart by their content, merged, sorted by it, and only then sampled.

This module imports nothing from legofuse.
"""

import zlib

import numpy as np
import scipy.sparse as sp

__all__ = ["canonical_rows", "fingerprint", "mark_rows", "stratified_sample"]

_CACHED = 16384  # words that are mixed at once
_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _mix(words):
    """Scatter the bits of 64-bit words (the finaliser of splitmix64; 0 stays 0)."""
    return _mix_in_place(words.copy(), np.empty_like(words))


def _mix_in_place(words, spare):
    """The same on the words themselves; `spare` is room for as many."""
    for shift, factor in ((30, _MIX[0]), (27, _MIX[1]), (31, None)):
        words ^= np.right_shift(words, np.uint64(shift), out=spare)
        if factor is not None:
            words *= factor
    return words


def _words(values):
    """Numbers as 64-bit words; -0.0 becomes 0.0 and every NaN the same NaN."""
    values = np.add(np.asarray(values), 0.0, dtype=np.float64, casting="unsafe")
    values[np.isnan(values)] = np.nan
    return values.view(np.uint64)


def fingerprint(X):
    """192 bits for each row that tell rows of different content apart, the last 64 alone.

    Rows are sorted by the first 128, which cannot tell apart in which column some round numbers,
    such as 2, are: their words end in zeros, and so do products with them.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)

    Returns
    -------
    ndarray of shape (n_rows, 3), uint64
        Equal for equal rows, dense or sparse.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.sampling import fingerprint
    >>> one, two, three = fingerprint(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]])).tolist()
    >>> one == two, one == three
    (True, False)
    """
    n_rows, n_features = X.shape
    seeds = np.arange(1, 3 * n_features + 1, dtype=np.uint64).reshape(3, n_features)
    keys = _mix(seeds * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)
    marks = np.zeros((n_rows, 3), np.uint64)
    block = 4096 if sp.issparse(X) else max(1, _CACHED // max(1, n_features))
    for start in range(0, n_rows, block):
        rows = X[start : start + block]
        of = slice(start, start + block)
        words = _words(rows.data if sp.issparse(rows) else rows)
        mixed, spare = np.empty_like(words), np.empty_like(words)
        for which in (0, 1, 2):
            if which == 2:
                _mix_in_place(words, spare)
            of_words = keys[which][rows.indices] if sp.issparse(rows) else keys[which]
            _mix_in_place(np.multiply(words, of_words, out=mixed), spare)
            if sp.issparse(rows):
                sums = np.append(np.uint64(0), np.cumsum(mixed, dtype=np.uint64))
                marks[of, which] = sums[rows.indptr[1:]] - sums[rows.indptr[:-1]]
            else:
                marks[of, which] = mixed.sum(axis=1, dtype=np.uint64)
    return marks


def mark_rows(X, domains=None):
    """Fingerprints of rows, those of equal rows in different domains told apart.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    domains : ndarray of shape (n_rows,), optional
        Labels: the same ones give the same marks in any process.

    Returns
    -------
    ndarray of shape (n_rows, 3), uint64

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.sampling import mark_rows
    >>> one, two = mark_rows(np.ones((2, 3)), np.array(["north", "south"])).tolist()
    >>> one == two
    False
    """
    marks = fingerprint(X)
    if domains is None:
        return marks
    labels, codes = np.unique(domains, return_inverse=True)
    names = [label if isinstance(label, str) else _number(label) for label in labels.tolist()]
    salts = np.array([zlib.crc32(name.encode()) for name in names], dtype=np.uint64)
    return _mix(marks + salts[codes][:, None])


def _number(label):
    """1, 1.0 and True are the same label."""
    return repr(float(label)) if isinstance(label, int | float) else str(label)


def _sorted_order(keys):
    """Stable order of the rows of keys, by their first number; others only where that ties."""
    order = np.argsort(keys[:, 0], kind="stable")
    first = keys[order, 0]
    same = first[1:] == first[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if len(tied):
        rows = order[tied]
        order[tied] = rows[np.lexsort([rows, *keys[rows].T[::-1]])]
    return order


def canonical_rows(X, targets=None, sample_weight=None, domains=None):
    """Merge equal rows, adding up their weights, and sort them by content.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
    targets : ndarray of shape (n_rows, n_targets), optional
        Rows merge only where the targets are equal as well.
    sample_weight : ndarray of shape (n_rows,), optional
        Rows of weight 0 are dropped.
    domains : ndarray of shape (n_rows,), optional
        Rows merge only within a domain.

    Returns
    -------
    rows : ndarray of shape (n_distinct,), int
        The first occurrence of each distinct row, in canonical order.
    weights : ndarray of shape (n_distinct,)
    is_new : ndarray of shape (n_distinct,), bool
        False where the row differs from one before it in its target only.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.sampling import canonical_rows
    >>> rows, weights, _ = canonical_rows(np.array([[1.0], [2.0], [1.0]]))
    >>> sorted(zip(rows.tolist(), weights.tolist()))
    [(0, 2.0), (1, 1.0)]
    """
    n_rows = X.shape[0]
    weight = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, float)
    kept = np.flatnonzero(weight > 0)
    marks = fingerprint(X)
    if domains is not None:
        codes = np.unique(domains[kept], return_inverse=True)[1]
        if codes.any():  # a single domain leaves the order as it is
            marks[kept] = _mix(marks[kept] + codes[:, None].astype(np.uint64))
    keys = marks if targets is None else np.hstack([marks, fingerprint(np.asarray(targets))])
    kept = kept[_sorted_order(keys[kept])]
    sorted_keys = keys[kept]
    starts = np.ones(len(kept), bool)
    starts[1:] = (sorted_keys[1:] != sorted_keys[:-1]).any(axis=1)
    first = np.flatnonzero(starts)
    rows = kept[first]
    merged = np.add.reduceat(weight[kept], first) if len(first) else weight[:0]
    is_new = np.ones(len(rows), bool)
    is_new[1:] = (marks[rows[1:]] != marks[rows[:-1]]).any(axis=1)
    return rows, merged, is_new


def stratified_sample(strata, n_samples, rng):
    """Sample positions, each stratum in proportion and none left out while room lasts.

    Parameters
    ----------
    strata : ndarray of shape (n_rows,), int
        Stratum of each row.
    n_samples : int
    rng : numpy.random.RandomState

    Returns
    -------
    ndarray of at most n_samples positions, sorted

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.sampling import stratified_sample
    >>> strata = np.array([0] * 90 + [1] * 10)
    >>> chosen = stratified_sample(strata, 20, np.random.RandomState(0))
    >>> np.bincount(strata[chosen]).tolist()
    [18, 2]
    """
    n_rows = len(strata)
    if n_samples >= n_rows:
        return np.arange(n_rows)
    labels, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
    ideal = counts * (n_samples / n_rows)
    quota = np.minimum(np.maximum(np.floor(ideal), 1), counts).astype(int)
    order = np.argsort(quota - ideal, kind="stable")
    while quota.sum() != n_samples:
        step = 1 if quota.sum() < n_samples else -1
        ranked = order if step > 0 else order[::-1]
        able = [k for k in ranked if (quota[k] < counts[k] if step > 0 else quota[k] > 1)]
        able = able or [k for k in ranked if quota[k] > 0]
        for k in able[: abs(n_samples - quota.sum())]:
            quota[k] += step
    chosen = [
        rng.choice(np.flatnonzero(codes == k), quota[k], replace=False) for k in range(len(labels))
    ]
    return np.sort(np.concatenate(chosen))
