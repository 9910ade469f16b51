"""Principal components of encoded rows, each weighed by its variance."""

import numpy as np
import scipy.sparse as sp

ROWS = 500  # from which components are learned
_ROWS_EACH = 4  # for each component


def principal_components(encoded, weight):
    r"""Learn the principal components of encoded rows.

    With :math:`A` the rows less their mean, times the roots of their shares of the weight, and
    :math:`A A^T = U \Lambda U^T`, the axes are the rows of :math:`U^T A`: no wide matrix is
    decomposed. Kept are components whose variance is beyond what n rows of independent columns
    show by chance (Marchenko & Pastur 1967),

    .. math:: \lambda > s \Big(\frac1{\sqrt n} + \frac1{\sqrt d}\Big)^2, \quad
        s = \sum_j v_j, \quad d = s^2 / \sum_j v_j^2

    with v the variances of the columns: of pure noise, none.

    Parameters
    ----------
    encoded : Encoded
        The first 500 rows are read.
    weight : ndarray of shape (n_rows,)

    Returns
    -------
    dict of str to ndarray
        ``"axes"``, of shape (n_components, n_features): principal axes times the standard
        deviations along them, at most one for four rows. ``"centre"``, of shape (n_components,):
        the mean row in them.
    """
    rows, share = encoded.rows[:ROWS], weight[:ROWS]
    if encoded.factor is not None:
        rows = sp.diags_array(encoded.factor[:ROWS]) @ rows
    share = share / share.sum()
    mean = np.asarray(rows.T @ share.astype(rows.dtype))
    gram = rows @ rows.T
    gram = np.asarray(gram @ np.eye(len(share)) if sp.issparse(gram) else gram, dtype=float)
    means = gram @ share
    gram += share @ means - means - means[:, None]
    root = np.sqrt(share)
    variances, directions = np.linalg.eigh(gram * np.outer(root, root))
    squares = rows.multiply(rows) if sp.issparse(rows) else rows**2
    spread = np.maximum(share @ squares - mean.astype(float) ** 2, 0)
    total = spread.sum()
    by_chance = np.sqrt(share @ share)  # 1 / sqrt(n) where all weights are equal
    if total > 0:
        by_chance += np.sqrt(spread @ spread) / total
    edge = max(total * by_chance**2, 100 * np.finfo(rows.dtype).eps)
    kept = np.flatnonzero(variances > edge)[::-1][: max(2, len(share) // _ROWS_EACH)]
    left = (directions[:, kept] * root[:, None]).astype(rows.dtype)
    axes = np.asarray((rows.T @ left).T) - np.outer(left.sum(axis=0), mean)
    axes = np.asfortranarray(axes)  # scipy would copy the transpose for each block of rows
    return {"axes": axes, "centre": axes @ mean}


def in_components(encoded, components):
    """Encoded rows in principal components; rows without the view stay zero.

    Parameters
    ----------
    encoded : Encoded
    components : dict of str to ndarray
        Of :func:`principal_components`.

    Returns
    -------
    ndarray of shape (n_rows, n_components), at least one column
        0 for rows at the mean, up to rounding.
    """
    rows = np.asarray(encoded.rows @ components["axes"].T)
    if encoded.factor is not None:
        rows *= encoded.factor[:, None]
    rows -= components["centre"]
    if encoded.present is not None:
        rows[~encoded.present] = 0
    noise = 30 * np.finfo(rows.dtype).eps * np.sqrt((components["axes"] ** 2).sum())
    rows[np.abs(rows).max(axis=1, initial=0) <= noise] = 0
    return rows if rows.shape[1] else np.zeros((len(rows), 1), rows.dtype)
