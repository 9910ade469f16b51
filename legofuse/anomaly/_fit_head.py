"""Linear heads, fitted by the cross-entropy of pooled logits.

With bags of one unit a head is plain logistic regression; so heads on pooled relations, one row a
bag, are convex and fitted by the same function.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from ._top_k import counts, is_few, largest_of, peel, top_k_shares

PENALTY = 0.02  # ridge on features of norm about 1, as a share of one bag's loss


def fit_head(
    features, offsets, labels, weight, k, max_iter=30, penalty=PENALTY, base=0.0, start=None
):
    r"""Fit a linear head by binary cross-entropy on top-k pooled logits.

    .. math:: \frac{1}{\sum_b w_b} \Big(\sum_b w_b \log(1 + e^{-s_b z_b})
        + \tfrac{\lambda}{2} |v|^2\Big), \quad z_b = \mathrm{mean\,top}_k (x_i \cdot v + c)

    It starts from logistic regression on units labelled as their bags, where bags have several.

    Parameters
    ----------
    features : ndarray of shape (n_units, n_features)
    offsets : ndarray of shape (n_bags + 1,)
    labels : ndarray of shape (n_bags,)
        0 or 1.
    weight : ndarray of shape (n_bags,)
    k : int or float
    max_iter : int
    penalty : float
        The ridge, as a share of one bag's loss.
    base : float or ndarray of shape (n_units,)
        Added to the logits of units.
    start : ndarray of shape (n_features + 1,), optional
        That regression, where it is known; the zero vector where bags have one unit.

    Returns
    -------
    coef : ndarray of shape (n_features + 1,)
        The intercept last.
    n_iter : int
    """
    n_iter, single = 0, len(features) == len(labels)
    if start is None and not single:
        start, n_iter = fit_labelled(features, offsets, labels, weight, penalty, base)
    elif start is None:
        start, max_iter = np.zeros(features.shape[1] + 1), max(max_iter, 100)
    share, sign, ridge = weight / weight.sum(), 2.0 * labels - 1, penalty / weight.sum()
    pooling = None if single else (offsets, k)
    objective = _Objective(features, base, share, sign, ridge, pooling)
    options = {"maxiter": max_iter}
    found = minimize(objective, start, jac=objective.slope, method="L-BFGS-B", options=options)
    return found.x, n_iter + int(found.nit)


class _Objective:
    """What :func:`fit_head` minimises, and its gradient: found together, asked for in turn.

    It is evaluated many thousand times in a fit, on few numbers: each call of a function counts.
    """

    def __init__(self, features, base, share, sign, ridge, pooling):
        self.features, self.base, self.share, self.ridge = features, base, share, ridge
        self.shifted = isinstance(base, np.ndarray) or base != 0
        self.minus, self.pull = -sign, -sign * share
        self.pooling = pooling
        self.known: Any = None
        if pooling is not None:
            lengths = np.diff(pooling[0])
            self.starts, self.bag = pooling[0][:-1], np.repeat(np.arange(len(lengths)), lengths)
            few = is_few(pooling[1])
            self.count = counts(lengths, pooling[1]) if few else None
            self.one = few and pooling[1] == 1

    def __call__(self, coef):
        inner = coef[:-1]
        logits = self.features @ inner
        logits += coef[-1]
        if self.shifted:
            logits += self.base
        few, shares, pooled = self._pool(logits)
        falls = self.minus * pooled
        loss = self.share @ np.logaddexp(0.0, falls)
        slope = self.pull * expit(falls)
        gradient = np.empty(len(coef))
        gradient[-1] = slope.sum()
        read = self.features
        if self.pooling is not None:
            slope = slope[self.bag[few]] if shares is None else shares[few] * slope[self.bag[few]]
            read = read if len(few) == len(read) else read.take(few, axis=0)
        gradient[:-1] = read.T @ slope
        gradient[:-1] += self.ridge * inner
        self.known = coef.tobytes(), gradient
        return loss + 0.5 * self.ridge * inner @ inner

    def slope(self, coef):
        """The gradient."""
        if self.known is None or self.known[0] != coef.tobytes():
            self(coef)
        return self.known[1]

    def _pool(self, logits):
        """Units that count, shares of all units (None where each is 1), and logits of bags."""
        if self.pooling is None:
            return None, None, logits
        if self.one:
            largest = np.maximum.reduceat(logits, self.starts)
            return largest_of(logits, largest, self.bag), None, largest
        if self.count is None:
            shares = top_k_shares(logits, *self.pooling)
        else:
            shares = peel(logits, self.starts, self.bag, self.count)
        return shares.nonzero()[0], shares, np.add.reduceat(shares * logits, self.starts)


def fit_labelled(features, offsets, labels, weight, penalty=PENALTY, base=0.0):
    """Logistic regression on units that carry their bag's label, the bag's weight divided.

    Parameters and returns as of :func:`fit_head`.
    """
    lengths = np.diff(offsets)
    singles = np.arange(len(features) + 1)
    given = singles, np.repeat(labels, lengths), np.repeat(weight / lengths, lengths)
    return fit_head(features, *given, 1, penalty=penalty, base=base)
