"""What a relation learns from training rows."""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ._encoding import encode
from ._principal import ROWS, principal_components

_BLOCK = 4096  # rows at a time


class Statistics(NamedTuple):
    """What a relation learns from the training rows of one view.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        Mean and standard deviation. The scale of a constant feature is infinite: standardised, it
        is 0 in every row, whatever numbers come later, in whatever unit.
    gamma : float
        Inverse squared width of ``rbf``: 1 / (n_features * variance).
    widths : dict of str to float
        Inverse squared widths of ``gaussian`` and ``spherical``, 1 / mean squared distance, and of
        ``local``, eight times the first. Twice the first is the inverse mean square of standardised
        rows, for ``linear``.
    components : dict of str to ndarray, or None
        Principal axes and centre, for ``principal`` where that is wanted.
    reach : float
        Twice the length of the longest standardised row, for ``linear`` where that is wanted.
    """

    mean: Any
    scale: Any
    gamma: float
    widths: Any
    components: Any = None
    reach: float = np.inf


def statistics(X, sample_weight=None, principal=False, linear=False):
    """Learn the statistics of one view, rows that miss it left out.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_units, n_features)
        A dense row that is all NaN is left out.
    sample_weight : ndarray of shape (n_units,), optional
        Weight of each unit; 1 where none are given.
    principal, linear : bool, default=False
        Whether to learn principal components, for ``"principal"``, and how far rows reach, for
        ``"linear"``.

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
    (array([1., 1.]), array([ 1., inf]))
    """
    weight = np.ones(X.shape[0]) if sample_weight is None else np.asarray(sample_weight, float)
    dtype = X.dtype
    if not sp.issparse(X):
        present = ~np.isnan(X[:, 0]) if X.shape[1] else np.ones(len(X), bool)
        if not present.all():
            X, weight = X[present], weight[present]
    if X.shape[0] == 0:  # no row of this domain has the view
        nothing = {"axes": np.zeros((0, X.shape[1]), dtype), "centre": np.zeros(0, dtype)}
        return Statistics(
            np.zeros(X.shape[1], dtype),
            np.ones(X.shape[1], dtype),
            1.0,
            default_widths(1),
            nothing if principal else None,
        )
    components = None
    if principal:
        first = np.flatnonzero(weight > 0)[:ROWS]
        components = principal_components(encode(X[first], "bhattacharyya"), weight[first])
    direction = _squared_mean_direction(X, weight)
    given, unit = X, _units(X)
    if unit is not None:
        X = sp.csr_array(X @ sp.diags_array(1 / unit)) if sp.issparse(X) else X / unit
    mean, scale = _moments(X, weight)
    if unit is not None:
        scale = np.where(scale > 0, scale * unit, 0)
        mean = mean * unit
    learned = summarise(mean, scale, _spherical_width(1 - direction, dtype), dtype)
    if linear:
        learned = learned._replace(reach=reach(given[weight > 0], learned))
    return learned._replace(components=components)


def summarise(mean, scale, spherical, dtype):
    """Statistics of a view from its moments, however these were added up.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_features,)
        Mean and standard deviation of each feature, 0 for constant ones.
    spherical : float
        Inverse squared width of ``spherical``.
    dtype : dtype
        Of mean and scale in the result.

    Returns
    -------
    Statistics
        Of the view.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import summarise
    >>> summarise(np.zeros(2), np.array([2.0, 0.0]), 0.5, np.float32).gamma
    0.25
    """
    size = max(np.abs(mean).max(initial=0), scale.max(initial=0)) or 1.0
    overall = np.average((mean / size - (mean / size).mean()) ** 2) + ((scale / size) ** 2).mean()
    gamma = 1.0
    if overall > 0:  # within the range of floats, whatever the size of the numbers
        log_gamma = -np.log(len(mean) * overall) - 2 * np.log(size)
        gamma = float(np.exp(np.clip(log_gamma, -700, 700)))
    varying = max(1, int(np.count_nonzero(scale)))
    scale = np.where(scale > 0, scale, np.inf)
    widths = default_widths(varying, spherical)
    return Statistics(mean.astype(dtype), scale.astype(dtype), gamma, widths)


def default_widths(n_features, spherical=0.5):
    """Inverse squared widths for standardised rows.

    Parameters
    ----------
    n_features : int
        How many features vary.
    spherical : float, default=0.5
        That of ``spherical``; by default for directions that spread all around.

    Returns
    -------
    dict of str to float
        Of ``gaussian``, ``local`` and ``spherical``.

    Examples
    --------
    >>> from legofuse.relations import default_widths
    >>> default_widths(2)
    {'gaussian': 0.25, 'local': 2.0, 'spherical': 0.5}
    """
    gaussian = 0.5 / n_features
    return {"gaussian": gaussian, "local": 8 * gaussian, "spherical": spherical}


def reach(X, stats):
    """How far rows reach: twice the length of the longest one once standardised.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_units, n_features)
        At least one row.
    stats : Statistics
        What standardises them.

    Returns
    -------
    float
        A length, within which ``linear`` is what it says.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.relations import reach, statistics
    >>> X = np.array([[0.0], [2.0]])
    >>> reach(X, statistics(X))
    2.0
    """
    parts = (encode(X[k : k + _BLOCK], "gaussian", stats) for k in range(0, X.shape[0], _BLOCK))
    return 2 * float(max(part.norms.max() for part in parts)) ** 0.5


def _spherical_width(spread, dtype):
    """Inverse squared width from the variance of directions; the default if it is rounding."""
    return 0.5 / max(spread, 1e-3) if spread > 10 * np.finfo(dtype).eps else 0.5


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
    total = weight.sum()
    if sp.issparse(X):
        if not X.has_canonical_format:  # repeated entries add up, in a copy
            X = X.copy()
            X.sum_duplicates()
        blank = _weight_of_blanks(X, weight)
        mean = np.asarray(X.T @ weight) / total
        mean += (_weighted_sum(X, weight, mean) - blank * mean) / total  # to the last digit
        square = _weighted_sum(X, weight, mean, square=True) + blank * mean**2
    else:
        first = X[np.argmax(weight > 0)].astype(float)  # a number of a constant column
        mean = first + _weighted_sum(X, weight, first) / total
        square = _weighted_sum(X, weight, mean, square=True)
    variance = square / total
    noise = (10 * np.finfo(X.dtype).eps * np.abs(mean)) ** 2
    return mean, np.where(variance <= noise, 0.0, np.sqrt(variance))


def _weight_of_blanks(X, weight):
    """Weight of the rows that store nothing in a column; none is exactly 0."""
    stored = sp.csr_array((np.ones(len(X.data)), X.indices, X.indptr), shape=X.shape)
    blank = weight.sum() - np.asarray(stored.T @ weight)
    counted = (weight > 0).astype(float)
    return np.where(np.asarray(stored.T @ counted) == counted.sum(), 0.0, np.maximum(blank, 0))


def _squared_mean_direction(X, weight):
    """Squared length of the weighted mean of the rows scaled to length 1."""
    total = np.zeros(X.shape[1])
    for start in range(0, X.shape[0], _BLOCK):
        rows = encode(X[start : start + _BLOCK], "cosine")
        part = weight[start : start + _BLOCK]
        total += rows.rows.T @ (part if rows.factor is None else part * rows.factor)
    mass = weight.sum()
    return float(total @ total) / mass**2 if mass > 0 else 0.0


def _weighted_sum(X, weight, centre, square=False):
    """Sum of w_i (x_i - centre) or of its square over what X stores, in float64 and row blocks."""
    total = np.zeros(X.shape[1])
    for start in range(0, X.shape[0], _BLOCK):
        part = X[start : start + _BLOCK]
        if sp.issparse(part):
            rows = sp.csr_array(
                (part.data - centre[part.indices], part.indices, part.indptr), shape=part.shape
            )
            values = rows.data
        else:
            values = rows = part - centre
        if square:
            values *= values
        total += weight[start : start + _BLOCK] @ rows
    return total
