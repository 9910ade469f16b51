"""Shares of the classes in a domain that fit did not see, told by predictions on its own rows.

The mean of such a domain is that of its classes and its shift; knowing how many rows of each
class there are tells one from the other. Predictions are those of ridge regression on the landmarks
in the fused graph. Shares and shifts are estimated in turn.
"""

import numpy as np
from scipy.linalg import solve

from ..sampling import mark_rows
from ..shifts import with_domains

_TURNS = 3
_BELIEVED = 0.6  # of what predicted shares differ from those in training
_ROWS = 100_000  # as many as shifts read
_BLOCK = 1024


def learn_head(fused, classes, n_classes):
    """Ridge regression of classes on the landmarks.

    Parameters
    ----------
    fused : FusedGraph
        To the landmarks.
    classes : ndarray of shape (n_landmarks,), int
    n_classes : int

    Returns
    -------
    list of ndarray
        Coefficients of shape (n_landmarks, n_classes) and intercepts.
    """
    targets = np.eye(n_classes)[classes]
    kernel = fused(fused.references, fused.marks).astype(float)
    kernel = (kernel + kernel.T) / 2
    kernel[np.diag_indices(len(kernel))] += 1.0  # weights are scaled for this ridge
    ones = np.ones((len(kernel), 1))
    found = solve(kernel, np.hstack([targets, ones]), assume_a="sym")
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
        counts = {}
        for label in new:
            rows = np.flatnonzero(domains == label)[:_ROWS]
            counts[label] = _count(fused, head, X, domains, rows, shifts)
        shifts = shifts_by({label: _blend(found, shares) for label, found in counts.items()})
    return shifts


def _count(fused, head, X, domains, rows, shifts):
    """How many rows are predicted to be in each class; those without any view are left out."""
    weights, intercept = head
    counts = np.zeros(len(intercept))
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        encoded = fused.encode(X[part], domains[part], shifts)
        marks = None if fused.marks is None else mark_rows(X[part], domains[part])
        found = (fused(encoded, marks) @ weights + intercept).argmax(axis=1)
        if encoded.present is not None:
            found = found[encoded.present.any(axis=1)]
        counts += np.bincount(found, minlength=len(counts))
    return counts


def _blend(counts, shares):
    """Shares by counts, drawn towards those in training: the more so the fewer rows there are."""
    n_classes = len(shares)
    found = (counts + n_classes * shares) / (counts.sum() + n_classes)
    return shares + _BELIEVED * (found - shares)
