"""Rows of one view as vectors ready for a matrix product."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ._principal import in_components

_FROM_NORMS = ("rbf", "gaussian", "linear", "local")  # encoded as plain vectors, not of length 1
_LEAST_DIGITS = 1e-4  # relative error of products of centred sparse rows that is accepted
_STANDARDISED = ("correlation", "gaussian", "linear", "local", "robust")


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
        Squared norms, for ``rbf``, ``gaussian``, ``local`` and ``linear``.
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
        Of the training rows; needed by ``"correlation"``, ``"gaussian"``, ``"linear"``,
        ``"local"``, ``"robust"``, ``"principal"`` and when standardising.
    standardise : bool, optional
        Start from standardised features. By default the first five do; with several domains every
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
    if relation == "principal":
        return along_components(encode(X, "bhattacharyya", stats, standardise), stats)
    if standardise is None:
        standardise = relation in _STANDARDISED
    if relation == "bhattacharyya" and not standardise:
        X = _entrywise(_signed_root, X)
    if sp.issparse(X):
        return _encode_sparse(X, relation, stats, standardise)
    missing = np.isnan(X[:, 0]) if X.shape[1] else np.zeros(len(X), bool)
    present = ~missing if missing.any() else None
    if standardise:
        with np.errstate(over="ignore"):  # refused below, where it matters
            rows = X - stats.mean
            rows /= stats.scale
        if relation in _BENDS:
            rows = _BENDS[relation](rows)
    elif relation == "rbf" and stats is not None:
        rows = X - stats.mean  # leaves distances alone and rounds less
    else:
        rows = X.copy()
    if present is not None:
        rows[missing] = 0
    norms = np.einsum("ij,ij->i", rows, rows)
    if relation in _FROM_NORMS:
        return Encoded(rows, norms=_finite(norms, relation), present=present)
    return Encoded(_scaled(rows, norms, rows), present=present)


def along_components(encoded, stats):
    """Rows in principal components, scaled to length 1.

    Parameters
    ----------
    encoded : Encoded
        By ``"bhattacharyya"``.
    stats : Statistics
        Of the training rows, with components.

    Returns
    -------
    Encoded
        The same rows as :func:`encode` makes by ``"principal"``, for less.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import along_components, encode, statistics
    >>> X = np.array([[0.0, 1.0], [4.0, 1.0], [4.0, 9.0]])
    >>> stats = statistics(X, principal=True)
    >>> found = along_components(encode(X, "bhattacharyya"), stats).rows
    >>> bool((found == encode(X, "principal", stats).rows).all())
    True
    """
    rows = in_components(encoded, stats.components)
    norms = np.einsum("ij,ij->i", rows, rows)
    return Encoded(_scaled(rows, norms, rows), present=encoded.present)


def unit_length(encoded):
    """Scale rows encoded as plain vectors to length 1.

    Parameters
    ----------
    encoded : Encoded
        By ``"gaussian"``: standardised rows with their norms.

    Returns
    -------
    Encoded
        The same rows as :func:`encode` makes of them by ``"correlation"``, for less.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import encode, statistics, unit_length
    >>> X = np.array([[0.0, 1.0], [2.0, 3.0]])
    >>> unit_length(encode(X, "gaussian", statistics(X))).rows.round(3)
    array([[-0.707, -0.707],
           [ 0.707,  0.707]])
    """
    rows, norms = encoded.rows, encoded.norms
    if sp.issparse(rows):
        return encoded._replace(factor=_inverse(np.sqrt(norms)), norms=None)
    return Encoded(_scaled(rows, norms, np.empty_like(rows)), present=encoded.present)


def _scaled(rows, norms, out):
    """Rows over their lengths, into ``out``; zero rows stay."""
    if len(norms) and not (norms.min() > 1e-30 and norms.max() < 1e30):
        largest = np.abs(rows).max(axis=1, initial=0)
        if not np.isfinite(largest).all():
            raise ValueError(
                f"Features overflow {rows.dtype} when standardised by the training rows; rescale "
                "the features."
            )
        extreme = (largest > 0) & ((largest < 1e-15) | (largest > 1e15))
        if extreme.any():  # squares must neither vanish nor overflow
            rows, norms = rows.copy(), norms.copy()
            rows[extreme] /= largest[extreme, None]
            norms[extreme] = np.einsum("ij,ij->i", rows[extreme], rows[extreme])
    return np.multiply(rows, _inverse(np.sqrt(norms))[:, None], out=out)


def _signed_root(values):
    """sign(x) sqrt(|x|)."""
    roots = np.abs(values)
    np.sqrt(roots, out=roots)
    return np.copysign(roots, values, out=roots)


# what bends standardised features
_BENDS: dict[str, Callable] = {"bhattacharyya": _signed_root, "robust": np.tanh}


def _entrywise(function, X):
    """A function that is 0 at 0 of each entry."""
    if not sp.issparse(X):
        return function(X)
    X = sp.csr_array(X, copy=True)
    X.data = function(X.data)
    return X


def _bent(X, offset, function):
    """A function of sparse rows less an offset, as sparse rows less another offset."""
    X, moved = sp.csr_array(X, copy=True), function(-offset)
    X.data = function(X.data - offset[X.indices]) - moved[X.indices]
    return X, -moved


def _standardised(X, mean, scale, size):
    """Sparse rows over their scales, and the offset that is still to be subtracted.

    Of features that vary little beside their size (means in the unit of distances), products less
    an offset would keep no digits: they are stored in full (few rows hold a 0 there) and centred
    here.
    """
    offset = mean / scale
    scaled = sp.csr_array(X @ sp.diags_array(1.0 / scale).astype(X.dtype))
    far = np.flatnonzero(size > (_LEAST_DIGITS / np.finfo(X.dtype).eps) ** 0.5)
    if len(far) == 0:
        return scaled, offset
    centred = (X[:, far].toarray() - mean[far]) / scale[far]
    is_far = np.zeros(X.shape[1], bool)
    is_far[far] = True
    scaled.data[is_far[scaled.indices]] = 0
    where = np.broadcast_to(far, centred.shape).ravel(), np.arange(len(centred) + 1) * len(far)
    return scaled + sp.csr_array((centred.ravel(), *where), X.shape), np.where(is_far, 0, offset)


def _encode_sparse(X, relation, stats, standardise):
    """The same for CSR: centring stays a correction of rank one, X is never densified."""
    offset = None
    if standardise:
        X, offset = _standardised(X, stats.mean, stats.scale, abs(stats.mean) / stats.scale)
        if relation in _BENDS:
            X, offset = _bent(X, offset, _BENDS[relation])
    elif relation == "rbf":
        if stats is not None:  # as for dense rows
            unit, size = np.ones_like(stats.mean), abs(stats.mean) * stats.gamma**0.5
            X, offset = _standardised(X, stats.mean, unit, size)
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
    if np.isnan(norms).any():
        raise ValueError(f"relation={relation!r}: rows hold NaN in part, or infinity.")
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
    """Make encoded rows plain vectors (few rows: landmarks, training sample).

    Parameters
    ----------
    encoded : Encoded
        Dense ones are returned as they are.

    Returns
    -------
    Encoded
        With nothing left to be subtracted or multiplied.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> from legofuse.relations import densify, encode
    >>> densify(encode(sp.csr_array([[3.0, 4.0]]), "cosine")).rows
    array([[0.6, 0.8]])
    """
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
