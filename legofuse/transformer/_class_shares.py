"""Shares of the classes in a domain that fit did not see, told by predictions on its own rows.

The mean of such a domain is that of its classes and its shift; knowing how many rows of each
class there are tells one from the other. Predictions are those of ridge regression on the landmarks
in the fused graph. Shares and shifts are estimated in turn; shares are believed as far as the
predicted classes lie as the classes do in training.
"""

import numpy as np
from scipy.linalg import solve

from ..shifts import class_slope, with_domains

_TURNS = 3
_ROWS = 100_000  # as many as shifts read
_BLOCK = 1024


def learn_head(fused, weights):
    """Ridge regression of classes on the landmarks.

    Parameters
    ----------
    fused : FusedGraph
        To the landmarks.
    weights : ndarray of shape (n_landmarks, n_classes)
        Of training rows that equal a landmark, by class; the ridge is one over their sum, as when
        weights of the fusion are learned.

    Returns
    -------
    list of ndarray
        Coefficients of shape (n_landmarks, n_classes) and intercepts.
    """
    weight = weights.sum(axis=1, keepdims=True)
    if not weight.any():  # landmarks that the caller gave, none of which counts
        weight = np.ones_like(weight)
    targets = weights / np.where(weight > 0, weight, 1)
    root = np.sqrt(weight)
    kernel = root * fused(fused.references, fused.marks).astype(float) * root.T
    kernel = (kernel + kernel.T) / 2
    kernel[np.diag_indices(len(kernel))] += 1.0  # weights are scaled for this ridge
    found = root * solve(kernel, root * np.hstack([targets, np.ones_like(root)]), assume_a="sym")
    fitted, sums = found[:, :-1], found[:, -1:]
    intercept = fitted.sum(axis=0) / sums.sum()
    return [fitted - sums * intercept, intercept]


def align_by_classes(fused, head, shares, X, domains):
    """Shifts with those of domains that fit did not see, their shares of classes predicted.

    Parameters
    ----------
    fused : FusedGraph
    head : list of ndarray
        Of :func:`learn_head`.
    shares : ndarray of shape (n_classes,)
        Shares of the classes in training.
    X : ndarray or CSR of shape (n_rows, n_features)
    domains : ndarray of shape (n_rows,)

    Returns
    -------
    Shifts
    """

    def shifts_by(found):
        return with_domains(fused.shifts, X, fused.columns, domains, fused.learned, found)

    shifts = shifts_by(None)
    new = [label for label in np.unique(domains).tolist() if label not in fused.shifts.labels]
    for _ in range(_TURNS):
        found = {}
        for label in new:
            rows = np.flatnonzero(domains == label)[:_ROWS]
            rows, classes = _predict(fused, head, X, domains, rows, shifts)
            slope = class_slope(shifts, X, fused.columns, label, rows, classes, fused.learned)
            found[label] = shares + slope * (_shares(classes, shares) - shares)
        shifts = shifts_by(found)
    return shifts


def _predict(fused, head, X, domains, rows, shifts):
    """Classes of the rows that have a view, by the head; and which rows these are."""
    weights, intercept = head
    kept, classes = [rows[:0]], [rows[:0]]
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        encoded = fused.encode(X[part], domains[part], shifts)
        graph = fused(encoded, fused.mark(X[part], domains[part]))
        found = (graph @ weights + intercept).argmax(axis=1)
        have = slice(None) if encoded.present is None else encoded.present.any(axis=1)
        kept.append(part[have])
        classes.append(found[have])
    return np.concatenate(kept), np.concatenate(classes)


def _shares(classes, shares):
    """Shares of classes, drawn towards those in training: the more so the fewer rows there are."""
    n_classes = len(shares)
    counts = np.bincount(classes, minlength=n_classes)
    return (counts + n_classes * shares) / (len(classes) + n_classes)
