"""Heads weighed by the log-loss of held-out bags."""

import copy

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.model_selection import StratifiedKFold

from ._bags import units_of

N_FOLDS = 5
CALIBRATION_RIDGE = 0.02
TEMPERATURE = 0.5  # of the likelihood: held-out losses of several heads are noisy
MOST_BAGS = 200  # more bags do not make one head of many win outright
LEAST_WEIGHT = 0.02


def held_out_logits(heads, features, offsets, labels, weight, seed):
    """Logits of each bag by heads fitted without it, in folds stratified by label.

    Parameters
    ----------
    heads : list of heads
    features : dict from (name, kind) to ndarray
    offsets, labels, weight : ndarrays, of the bags
    seed : int

    Returns
    -------
    ndarray of shape (n_heads, n_bags), or None if a class has a single bag
    """
    n_folds = min(N_FOLDS, np.bincount(labels, minlength=2).min())
    if n_folds < 2:
        return None
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    out = np.empty((len(heads), len(labels)))
    for train, test in folds.split(labels, labels):
        for k, head in enumerate(heads):
            part = copy.copy(head)
            values, ends = take_bags(features, head, offsets, train)
            part.fit(values, ends, labels[train], weight[train])
            out[k, test] = part.bag_logits(*take_bags(features, head, offsets, test))
    return out


def take_bags(features, head, offsets, bags):
    """Features of some bags that a head reads, and the offsets of their units."""
    rows, ends = units_of(offsets, bags)
    values = features[head.name, head.kind]
    return values[rows if head.kind == "units" else bags], ends


def calibrate(logits, labels, weight):
    """Slope (at least 0) and shift that make logits fit labels (Platt), and the log-loss.

    Returns
    -------
    slope, shift, loss : float
    """
    scale = np.sqrt(np.average((logits - np.average(logits, weights=weight)) ** 2, weights=weight))
    scale = scale if scale > 1e-12 else 1.0
    sign, share = 2.0 * labels - 1, weight / weight.sum()

    def objective(p):
        margin = sign * (p[0] * logits / scale + p[1])
        slope = -sign * share * expit(-margin)
        value = share @ np.logaddexp(0, -margin) + 0.5 * CALIBRATION_RIDGE * p[0] ** 2
        gradient = [slope @ logits / scale + CALIBRATION_RIDGE * p[0], slope.sum()]
        return value, np.array(gradient)

    bounds = [(0, None), (None, None)]
    slope, shift = minimize(objective, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds).x
    margin = sign * (slope * logits / scale + shift)
    return slope / scale, shift, float(share @ np.logaddexp(0, -margin))


def weigh(losses, n_bags):
    """Weights from held-out losses: a tempered likelihood, small ones cut off.

    Examples
    --------
    >>> from legofuse.anomaly._stack import weigh
    >>> weigh([0.3, 0.3, 0.9], 100)
    array([0.5, 0.5, 0. ])
    """
    losses = np.asarray(losses)
    weights = np.exp(-TEMPERATURE * min(n_bags, MOST_BAGS) * (losses - losses.min()))
    weights /= weights.sum()
    weights[weights < min(LEAST_WEIGHT, weights.max())] = 0
    return weights / weights.sum()
