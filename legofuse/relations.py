r"""Relations: how similar the units of one view are to references.

Each relation is a function ``(X, references) -> (n_units, n_references)`` and a positive
semi-definite kernel. Rows are independent of one another: everything a relation knows about
the data (:class:`Statistics`) is learned on training rows.

For streams of rows the same functions come in two steps: :func:`encode` turns rows into
vectors ready for a matrix product, once; :func:`relate` multiplies encoded rows with encoded
references. A unit whose view is missing is encoded as the zero vector and has relation 0 to
everything, itself included.

This module imports nothing from legofuse.
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

__all__ = [
    "RELATIONS",
    "Encoded",
    "Statistics",
    "angular",
    "bhattacharyya",
    "correlation",
    "cosine",
    "encode",
    "gaussian",
    "inner_products",
    "linear",
    "rbf",
    "relate",
    "spherical",
    "statistics",
]


_FROM_NORMS = ("rbf", "gaussian", "linear")  # encoded as plain vectors, not of length 1


class Statistics(NamedTuple):
    """What a relation learns from the training rows of one view.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        Mean and standard deviation; the scale of a constant feature is 1.
    gamma : float
        Inverse squared width of ``rbf``: 1 / (n_features * variance).
    widths : dict of str to float
        Inverse squared widths of ``gaussian`` and ``spherical``: 1 / mean squared distance.
        Twice the former is the inverse mean square of standardised rows, for ``linear``.
    """

    mean: Any
    scale: Any
    gamma: float
    widths: Any


class Encoded(NamedTuple):
    """Rows of one view, ready for a matrix product.

    Attributes
    ----------
    rows : ndarray or CSR of shape (n_units, n_features)
    offset : ndarray of shape (n_features,) or None
        Still to be subtracted from every row of a sparse matrix.
    factor : ndarray of shape (n_units,) or None
        Still to be multiplied to every row of a sparse matrix.
    norms : ndarray of shape (n_units,) or None
        Squared norms, for ``rbf``, ``gaussian`` and ``linear``.
    present : ndarray of shape (n_units,), bool, or None
        False where the view is missing; None when no row misses it.
    """

    rows: Any
    offset: Any = None
    factor: Any = None
    norms: Any = None
    present: Any = None

    def __getitem__(self, index):
        """Take some of the rows (a slice or an index array)."""
        return Encoded(
            self.rows[index],
            self.offset,
            *(None if part is None else part[index] for part in tuple(self)[2:]),
        )


def statistics(X, sample_weight=None):
    """Learn the statistics of one view, rows that miss it left out.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_units, n_features)
        A dense row that is all NaN is left out.
    sample_weight : ndarray of shape (n_units,), optional
        Weight of each unit; 1 where none are given.

    Returns
    -------
    Statistics
        What the relation needs to know of the training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import statistics
    >>> learned = statistics(np.array([[0.0, 1.0], [2.0, 1.0]]))
    >>> learned.mean, learned.scale
    (array([1., 1.]), array([1., 1.]))
    """
    weight = np.ones(X.shape[0]) if sample_weight is None else np.asarray(sample_weight, float)
    dtype = X.dtype
    if not sp.issparse(X):
        present = ~np.isnan(X[:, 0]) if X.shape[1] else np.ones(len(X), bool)
        if not present.all():
            X, weight = X[present], weight[present]
    if X.shape[0] == 0:  # no row of this domain has the view
        widths = {"gaussian": 0.5, "spherical": 0.5}
        return Statistics(np.zeros(X.shape[1], dtype), np.ones(X.shape[1], dtype), 1.0, widths)
    direction = _squared_mean_direction(X, weight)
    unit = _units(X)
    if unit is not None:
        X = sp.csr_array(X @ sp.diags_array(1 / unit)) if sp.issparse(X) else X / unit
    mean, scale = _moments(X, weight)
    if unit is not None:
        scale = np.where(scale > 0, scale * unit, 0)
        mean = mean * unit
    return summarise(mean, scale, 0.5 / max(1 - direction, 1e-3), dtype)


def summarise(mean, scale, spherical, dtype):
    """Statistics of a view from its mean, its standard deviation and the width of spherical."""
    size = max(np.abs(mean).max(initial=0), scale.max(initial=0)) or 1.0
    overall = np.average((mean / size - (mean / size).mean()) ** 2) + ((scale / size) ** 2).mean()
    gamma = 1.0
    if overall > 0:  # within the range of floats, whatever the size of the numbers
        log_gamma = -np.log(len(mean) * overall) - 2 * np.log(size)
        gamma = float(np.exp(np.clip(log_gamma, -700, 700)))
    varying = max(1, int(np.count_nonzero(scale)))
    scale = np.where(scale > 0, scale, 1.0)
    widths = {"gaussian": 0.5 / varying, "spherical": spherical}
    return Statistics(mean.astype(dtype), scale.astype(dtype), gamma, widths)


def _units(X):
    """Powers of two by which columns of extreme numbers are divided; None where none is needed."""
    if sp.issparse(X):
        largest = np.maximum(X.max(axis=0).toarray(), -X.min(axis=0).toarray()).ravel()
    else:
        largest = np.maximum(X.max(axis=0), -X.min(axis=0))
    if not ((largest > 1e15) | ((largest > 0) & (largest < 1e-15))).any():
        return None
    exponent = np.frexp(np.where(largest > 0, largest, 1.0).astype(float))[1] - 1
    return np.ldexp(1.0, np.clip(exponent, -1000, 1000))


def _moments(X, weight):
    """Mean and standard deviation of each column, 0 for constant ones."""
    if sp.issparse(X):
        total = weight.sum()
        mean = np.asarray(X.T @ weight) / total
        square = np.asarray(X.multiply(X).T @ weight) / total
        variance = np.maximum(square - mean**2, 0)
        noise = 10 * np.finfo(X.dtype).eps * square
    else:
        total = weight.sum()
        first = X[0].astype(float)
        mean = first + _weighted_sum(X, weight, first) / total
        variance = _weighted_sum(X, weight, mean, square=True) / total
        noise = (10 * np.finfo(X.dtype).eps * np.abs(mean)) ** 2
    return mean, np.where(variance <= noise, 0.0, np.sqrt(variance))


def _squared_mean_direction(X, weight, block=4096):
    """Squared length of the weighted mean of the rows scaled to length 1."""
    total = np.zeros(X.shape[1])
    for start in range(0, X.shape[0], block):
        rows = encode(X[start : start + block], "cosine")
        part = weight[start : start + block]
        total += rows.rows.T @ (part if rows.factor is None else part * rows.factor)
    mass = weight.sum()
    return float(total @ total) / mass**2 if mass > 0 else 0.0


def _weighted_sum(X, weight, centre, square=False, block=4096):
    """Sum of w_i (x_i - centre) or of its square, in float64 and row blocks."""
    total = np.zeros(X.shape[1])
    for start in range(0, X.shape[0], block):
        rows = X[start : start + block] - centre
        if square:
            rows *= rows
        total += weight[start : start + block] @ rows
    return total


def _inverse(norms):
    """1 / norm, 0 where the norm vanishes."""
    return np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)


def encode(X, relation, stats=None, standardise=None):
    """Turn rows of one view into vectors ready for :func:`relate`.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_units, n_features), float32 or float64
        A dense row that is all NaN misses the view.
    relation : str
        One of :data:`RELATIONS`.
    stats : Statistics, optional
        Of the training rows; needed by ``"correlation"``, ``"gaussian"``, ``"linear"`` and when
        standardising.
    standardise : bool, optional
        Start from standardised features. By default these three do; with several domains every
        relation does.

    Returns
    -------
    Encoded
        The encoded rows.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import encode
    >>> encode(np.array([[3.0, 4.0]]), "cosine").rows
    array([[0.6, 0.8]])
    """
    if standardise is None:
        standardise = relation in ("correlation", "gaussian", "linear")
    if relation == "bhattacharyya" and not standardise:
        X = _signed_root(X)
    if sp.issparse(X):
        return _encode_sparse(X, relation, stats, standardise)
    missing = np.isnan(X[:, 0]) if X.shape[1] else np.zeros(len(X), bool)
    present = ~missing if missing.any() else None
    if standardise:
        rows = (X - stats.mean) / stats.scale
        if relation == "bhattacharyya":
            rows = _signed_root(rows)
    elif relation == "rbf" and stats is not None:
        rows = X - stats.mean  # leaves distances alone and rounds less
    else:
        rows = X.copy()
    if present is not None:
        rows[missing] = 0
    if relation in _FROM_NORMS:
        norms = _finite(np.einsum("ij,ij->i", rows, rows), relation)
        return Encoded(rows, norms=norms, present=present)
    largest = np.abs(rows).max(axis=1, initial=0)
    extreme = (largest > 0) & ((largest < 1e-15) | (largest > 1e15))
    if extreme.any():  # squares must neither vanish nor overflow
        rows[extreme] /= largest[extreme, None]
    rows *= _inverse(np.sqrt(np.einsum("ij,ij->i", rows, rows)))[:, None]
    return Encoded(rows, present=present)


def _signed_root(X):
    """sign(x) sqrt(|x|), entry by entry."""
    if sp.issparse(X):
        X = sp.csr_array(X, copy=True)
        X.data = np.sign(X.data) * np.sqrt(np.abs(X.data))
        return X
    return np.sign(X) * np.sqrt(np.abs(X))


def _encode_sparse(X, relation, stats, standardise):
    """The same for CSR: centring stays a correction of rank one, X is never densified."""
    offset = None
    if standardise:
        X = X @ sp.diags_array(1.0 / stats.scale).astype(X.dtype)
        offset = stats.mean / stats.scale
        if relation == "bhattacharyya":  # roots of centred features are not sparse
            return encode((X.toarray() - offset), relation)
    elif relation == "rbf":
        offset = None if stats is None else stats.mean  # as for dense rows
    else:
        X = _tamed(X)
    X = sp.csr_array(X)
    with np.errstate(over="ignore"):
        norms = np.asarray(X.multiply(X).sum(axis=1)).ravel()
    if relation in _FROM_NORMS:
        _finite(norms, relation)
    if offset is not None:
        whole = norms + offset @ offset
        norms = np.maximum(norms - 2 * (X @ offset) + offset @ offset, 0)
        norms[norms <= 10 * np.finfo(X.dtype).eps * whole] = 0  # at the mean, up to rounding
    if relation in _FROM_NORMS:
        return Encoded(X, offset, norms=norms)
    return Encoded(X, offset, factor=_inverse(np.sqrt(norms)))


def _finite(norms, relation):
    if not np.isfinite(norms).all():
        raise ValueError(
            f"relation={relation!r}: squared distances overflow {norms.dtype}; rescale the "
            "features."
        )
    return norms


def _tamed(X):
    """Divide sparse rows of extreme numbers, whose squares would vanish or overflow."""
    largest = abs(X).max(axis=1).toarray().ravel() if X.shape[1] else np.zeros(X.shape[0])
    extreme = (largest > 0) & ((largest < 1e-15) | (largest > 1e15))
    if not extreme.any():
        return X
    return sp.diags_array(_inverse(np.where(extreme, largest, 1).astype(X.dtype))) @ X


def densify(encoded):
    """Make encoded rows plain vectors (few rows: landmarks, training sample)."""
    if not sp.issparse(encoded.rows):
        return encoded
    rows = encoded.rows.toarray(order="F")  # scipy would copy the transpose for each block of rows
    if encoded.offset is not None:
        rows -= encoded.offset
    norms = np.einsum("ij,ij->i", rows, rows)  # rounds less than what the sparse rows gave
    if encoded.factor is None:
        return Encoded(rows, norms=norms, present=encoded.present)
    rows *= np.where(encoded.factor > 0, _inverse(np.sqrt(norms)), 0)[:, None]
    return Encoded(rows, present=encoded.present)


def inner_products(encoded, references):
    """Inner products of encoded rows and encoded references, where all relations start.

    Parameters
    ----------
    encoded, references : Encoded
        Of n_units rows and of n_references (dense) rows, by one relation.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        Those of the vectors that the encoded rows stand for.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import encode, inner_products
    >>> rows = encode(np.array([[1.0, 0.0], [0.0, 2.0]]), "cosine")
    >>> inner_products(rows, rows)
    array([[1., 0.],
           [0., 1.]])
    """
    inner = np.asarray(encoded.rows @ references.rows.T)
    if encoded.offset is not None:
        inner -= references.rows @ encoded.offset
    if encoded.factor is not None:
        inner *= encoded.factor[:, None]
    return inner


def relate(encoded, references, relation, gamma=None, inner=None):
    """Relate encoded rows to encoded references.

    Parameters
    ----------
    encoded, references : Encoded
        Of n_units rows and of n_references (dense) rows, by the same relation.
    relation : str
        One of :data:`RELATIONS`.
    gamma : float, optional
        Inverse squared width, for ``"rbf"``, ``"gaussian"``, ``"spherical"`` and ``"linear"``.
    inner : ndarray of shape (n_units, n_references), optional
        Of :func:`inner_products`, where they are known; it is written over.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        The relation.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import encode, relate
    >>> rows = encode(np.array([[1.0, 0.0], [1.0, 1.0]]), "angular")
    >>> relate(rows, rows, "angular").round(6)
    array([[1.  , 0.75],
           [0.75, 1.  ]])
    """
    if inner is None:
        inner = inner_products(encoded, references)
    if relation in ("rbf", "gaussian"):
        inner *= -2
        inner += encoded.norms[:, None]
        inner += references.norms
        np.maximum(inner, 0, out=inner)
        inner *= -min(gamma, float(np.finfo(inner.dtype).max))
        np.exp(inner, out=inner)
    elif relation == "linear":
        inner *= 2 * gamma  # the inverse mean square of a row
    else:
        np.clip(inner, -1, 1, out=inner)
        if relation == "angular":
            np.arccos(inner, out=inner)
            inner /= -np.pi
            inner += 1
        elif relation == "spherical":  # |x - z|^2 = 2 - 2 cos on the sphere
            inner -= 1
            inner *= 2 * gamma
            np.exp(inner, out=inner)
    if relation in ("angular", "rbf", "gaussian", "spherical"):
        if encoded.present is not None:
            inner[~encoded.present] = 0
        if references.present is not None:
            inner[:, ~references.present] = 0
    return inner


def _related(X, references, relation, stats=None, gamma=None):
    X, references = _float(X), _float(references)
    if X.shape[1] != references.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} features, but the references have {references.shape[1]}."
        )
    if stats is None and relation not in ("cosine", "angular"):
        stats = statistics(references)
    if gamma is None and relation in ("gaussian", "spherical", "linear"):
        gamma = stats.widths["gaussian" if relation == "linear" else relation]
    targets = densify(encode(references, relation, stats))
    return relate(encode(X, relation, stats), targets, relation, gamma)


def _float(X):
    X = sp.csr_array(X) if sp.issparse(X) else np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"Expected a 2-D array of units by features; got {X.ndim} dimension(s).")
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def cosine(X, references):
    r"""Cosine similarity, the paper's relation.

    .. math:: r(x, z) = x \cdot z / (|x| |z|)

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [-1, 1]; 0 for a row of zeros; of the dtype of X (float32 or float64).

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import cosine
    >>> cosine([[1, 0], [3, 4]], [[1, 0]])
    array([[1. ],
           [0.6]])
    """
    return _related(X, references, "cosine")


def correlation(X, references, mean=None, scale=None):
    """Cosine similarity of standardised features.

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Sparse rows are centred by a correction of rank one and never made dense.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.
    mean, scale : array-like of shape (n_features,), optional
        Mean and standard deviation of the features; by default those of the references.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [-1, 1]; 0 for a row at the mean.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import correlation
    >>> correlation([[0.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [2.0, 3.0]]).round(6)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    learned = statistics(_float(references))
    dtype = learned.mean.dtype
    stats = Statistics(
        learned.mean if mean is None else np.asarray(mean, dtype),
        learned.scale if scale is None else np.asarray(scale, dtype),
        learned.gamma,
        learned.widths,
    )
    return _related(X, references, "correlation", stats)


def angular(X, references):
    r"""Angular similarity.

    .. math:: r(x, z) = 1 - \arccos(\cos(x, z)) / \pi

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows of one view.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1]; 0.5 for a row of zeros.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import angular
    >>> angular([[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    array([[1. , 0.5, 0. ]])
    """
    return _related(X, references, "angular")


def rbf(X, references, gamma=None):
    r"""Gaussian similarity.

    .. math:: r(x, z) = \exp(-\gamma |x - z|^2)

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.
    gamma : float, optional
        By default 1 / (n_features * variance of the references).

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1].

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import rbf
    >>> rbf([[0.0], [1.0]], [[0.0]], gamma=1.0).round(3)
    array([[1.   ],
           [0.368]])
    """
    stats = statistics(_float(references))
    return _related(X, references, "rbf", stats, stats.gamma if gamma is None else gamma)


def gaussian(X, references, gamma=None):
    r"""Gaussian similarity of standardised features.

    .. math:: r(x, z) = \exp(-\gamma |\tilde x - \tilde z|^2)

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Features are standardised with their mean and standard deviation.
    gamma : float, optional
        By default 1 / mean squared distance of standardised rows = 1 / (2 n_features).

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1].

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import gaussian
    >>> gaussian([[0.0], [2.0]], [[0.0], [2.0]]).round(3)
    array([[1.   , 0.135],
           [0.135, 1.   ]])
    """
    return _related(X, references, "gaussian", gamma=gamma)


def spherical(X, references, gamma=None):
    r"""Gaussian similarity of directions: all powers of the cosine at once.

    .. math:: r(x, z) = \exp(-2 \gamma (1 - \cos(x, z)))

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.
    gamma : float, optional
        By default 1 / mean squared distance of the references scaled to length 1.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [0, 1].

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import spherical
    >>> spherical([[3.0, 0.0], [0.0, 1.0]], [[1.0, 0.0]], gamma=0.5).round(3)
    array([[1.   ],
           [0.368]])
    """
    return _related(X, references, "spherical", gamma=gamma)


def bhattacharyya(X, references):
    r"""Cosine of signed square roots; for distributions, the Bhattacharyya coefficient.

    .. math:: r(x, z) = \cos(\tilde x, \tilde z), \quad
        \tilde x_k = \mathrm{sign}(x_k) \sqrt{|x_k|}

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Rows to look at.
    references : array-like or sparse of shape (n_references, n_features)
        Rows that the others are related to.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        In [-1, 1]; in [0, 1] for counts and histograms, which large entries dominate less.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import bhattacharyya
    >>> bhattacharyya([[1, 0], [9, 16]], [[1, 0]])
    array([[1. ],
           [0.6]])
    """
    return _related(X, references, "bhattacharyya")


def linear(X, references):
    r"""Inner product of standardised features, as linear and ridge regression have it.

    .. math:: r(x, z) = \tilde x \cdot \tilde z / d

    Parameters
    ----------
    X : array-like or sparse of shape (n_units, n_features)
        Sparse rows are centred by a correction of rank one and never made dense.
    references : array-like or sparse of shape (n_references, n_features)
        The d features that vary among them are standardised with their mean and deviation.

    Returns
    -------
    ndarray of shape (n_units, n_references)
        Unbounded; of references to themselves 1 on average.

    Raises
    ------
    ValueError
        If the numbers of features differ.

    Examples
    --------
    >>> from legofuse.relations import linear
    >>> linear([[0.0, 1.0], [4.0, 3.0]], [[0.0, 1.0], [2.0, 3.0]])
    array([[ 1., -1.],
           [-2.,  2.]])
    """
    return _related(X, references, "linear")


RELATIONS = {
    "cosine": cosine,
    "correlation": correlation,
    "angular": angular,
    "rbf": rbf,
    "gaussian": gaussian,
    "spherical": spherical,
    "bhattacharyya": bhattacharyya,
    "linear": linear,
}
