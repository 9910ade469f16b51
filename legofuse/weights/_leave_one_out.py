"""Leave-one-out residuals of kernel ridge regression, and losses of them."""

import numpy as np
from scipy.linalg import eigh, lapack

from ._packing import mirror

_SINGLE_FROM = 400  # units from which gradients are computed in single precision


def leave_one_out(graph, targets, sample_weight=None):
    r"""Leave-one-out residuals of kernel ridge regression, and how to differentiate them.

    The ridge is 1 (the scale of the graph carries it) and the intercept is not penalised. With
    :math:`C = (G + W^{-1})^{-1}`, :math:`c = C 1`, :math:`P = C - c c^T / 1^T c` and
    :math:`s_i = \max(w_i, 1)`,

    .. math:: e_i = \frac{(P Y)_i}{v_i}, \quad v_i = s_i - 1 + P_{ii} / s_i

    One unit of weight is left out, which equals leaving out one of w repeated rows; a row of
    weight 1 or less is left out whole.

    Parameters
    ----------
    graph : ndarray of shape (n_units, n_units)
        Fused graph, symmetric.
    targets : ndarray of shape (n_units, n_targets)
        Real values, or one column of 0 and 1 for each class.
    sample_weight : ndarray of shape (n_units,), optional
        Positive weights w; all 1 by default.

    Returns
    -------
    residuals : ndarray of shape (n_units, n_targets)
        Target minus the prediction made without the unit.
    pull_back : callable
        Takes the derivative of a loss with respect to the residuals (same shape) to its
        derivative with respect to the graph, shape (n_units, n_units), symmetric.

    Raises
    ------
    ValueError
        If there are fewer than two units: nothing is left to predict the other by. If a weight is
        not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import leave_one_out
    >>> residuals, _ = leave_one_out(np.zeros((3, 3)), np.array([[0.0], [1.0], [5.0]]))
    >>> residuals.ravel().round(6)  # the mean of the two others
    array([-3. , -1.5,  4.5])
    """
    n_units = len(graph)
    if n_units < 2:
        raise ValueError(f"leaving one out needs at least 2 units; got {n_units}.")
    weight = unit_weights(sample_weight, n_units)
    kernel = np.array(graph, dtype=float, order="F")
    kernel.reshape(-1, order="F")[:: n_units + 1] += 1 / weight
    factor, info = lapack.dpotrf(kernel, lower=1)
    if info:  # hops and callers' relations need not be positive definite
        projector = _inverse(kernel)
    else:
        projector = mirror(lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    sums = projector.sum(axis=1)
    projector -= np.outer(sums, sums / sums.sum())
    whole = np.maximum(weight, 1.0)
    share = whole - 1 + np.diagonal(projector) / whole
    fitted = projector @ targets
    residuals = fitted / share[:, None]

    def pull_back(slope):
        slope = slope / share[:, None]  # with respect to P Y
        falls = np.einsum("ik,ik->i", slope, residuals) / whole  # minus that to diag(P)
        # dP = -P dG P, so dG = -P (sym(slope Y^T) - diag(falls)) P
        pulled = projector @ slope
        # single precision is enough for a gradient, and its rounding is symmetrised away
        half = projector.astype(np.float32 if n_units > _SINGLE_FROM else float, copy=False)
        gradient = ((half * falls.astype(half.dtype)) @ half).astype(float, copy=False)
        gradient -= 0.5 * (pulled @ fitted.T)
        gradient -= 0.5 * (fitted @ pulled.T)
        return gradient

    return residuals, pull_back


def unit_weights(sample_weight, n_units):
    """Weights of units, 1 by default; raises ValueError unless each is positive."""
    weight = np.ones(n_units) if sample_weight is None else np.asarray(sample_weight, float)
    if weight.shape != (n_units,) or not (weight > 0).all():
        raise ValueError(
            f"sample_weight must hold a positive number for each of the {n_units} units: leave out "
            "units of weight 0."
        )
    return weight


def ridge_path(graph, targets, weight, scales):
    """Leave-one-out residuals at several scales of a graph, from one decomposition.

    Parameters
    ----------
    graph : ndarray of shape (n_units, n_units)
        Symmetric.
    targets : ndarray of shape (n_units, n_targets)
        Real values, or one column of 0 and 1 for each class.
    weight : ndarray of shape (n_units,)
        Positive weights.
    scales : iterable of float
        Factors of the graph; the ridge is 1.

    Yields
    ------
    scale : float
        Those at which graph and ridge are positive definite.
    residuals : ndarray of shape (n_units, n_targets)
        As of :func:`leave_one_out`.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import leave_one_out, ridge_path
    >>> graph, targets = np.eye(3), np.array([[0.0], [1.0], [5.0]])
    >>> for scale, residuals in ridge_path(graph, targets, np.ones(3), [0.5, 2.0]):
    ...     print(scale, np.allclose(residuals, leave_one_out(scale * graph, targets)[0]))
    0.5 True
    2.0 True
    """
    root, whole = np.sqrt(weight), np.maximum(weight, 1.0)
    values, vectors = eigh(graph * np.outer(root, root), driver="evd")
    vectors *= root[:, None]
    scales = np.array([scale for scale in scales if (1 + scale * values > 1e-12).all()])
    shrunk = 1 / (1 + np.multiply.outer(values, scales))
    row_sums = vectors @ (shrunk * vectors.sum(axis=0)[:, None])
    totals = row_sums.sum(axis=0)
    diagonals = vectors**2 @ shrunk - row_sums**2 / totals
    inner, missed = vectors.T @ targets, row_sums.T @ targets
    for k, scale in enumerate(scales):
        fitted = vectors @ (shrunk[:, k, None] * inner)
        fitted -= np.outer(row_sums[:, k] / totals[k], missed[k])
        yield scale, fitted / (whole - 1 + diagonals[:, k] / whole)[:, None]


def squared_loss(residuals, targets, share, temperature):
    """Weighted mean of squared residuals and its derivatives.

    Parameters
    ----------
    residuals, targets : ndarray of shape (n_units, n_targets)
        Leave-one-out residuals, and what they are of (not used).
    share : ndarray of shape (n_units,)
        Weights that add up to 1.
    temperature : float
        Not used: this loss has none.

    Returns
    -------
    loss : float
        The loss.
    slope : ndarray of shape (n_units, n_targets)
        With respect to the residuals.
    temperature_slope : float
        0.
    """
    loss = float(share @ np.einsum("ik,ik->i", residuals, residuals))
    return loss, 2 * share[:, None] * residuals, 0.0


def softmax_loss(residuals, targets, share, temperature):
    r"""Cross-entropy of leave-one-out predictions and its derivatives.

    .. math:: -\sum_i p_i \log \mathrm{softmax}(\tau (Y - E))_{i, y_i}

    Parameters
    ----------
    residuals, targets : ndarray of shape (n_units, n_classes)
        E and one-hot Y.
    share : ndarray of shape (n_units,)
        Weights p that add up to 1.
    temperature : float
        :math:`\log \tau`.

    Returns
    -------
    loss : float
        The loss.
    slope : ndarray of shape (n_units, n_classes)
        With respect to the residuals.
    temperature_slope : float
        Derivative with respect to the temperature.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import softmax_loss
    >>> loss, _, _ = softmax_loss(np.full((1, 2), 0.5), np.array([[1.0, 0.0]]), np.ones(1), 0.0)
    >>> round(loss, 4)
    0.3133
    """
    scale = np.exp(temperature)
    predictions = targets - residuals
    log_odds = scale * predictions
    log_odds -= log_odds.max(axis=1, keepdims=True)
    log_odds -= np.log(np.exp(log_odds).sum(axis=1, keepdims=True))
    loss = -float(share @ (targets * log_odds).sum(axis=1))
    slope = share[:, None] * (np.exp(log_odds) - targets)
    return loss, -scale * slope, scale * float((slope * predictions).sum())


def _inverse(kernel):
    """Inverse of a symmetric matrix, of as much of it as has one."""
    try:
        return np.linalg.inv(kernel)
    except np.linalg.LinAlgError:  # entries so large that the ridge is lost in their rounding
        return np.linalg.pinv(kernel, hermitian=True)
