"""The search that every tuned method shares: 3-fold cross-validation on training rows."""

import itertools

import numpy as np
from sklearn.model_selection import StratifiedKFold

FOLDS = 3
CANDIDATES = 12
BUDGET = (
    f"Every tuned method: {FOLDS}-fold stratified cross-validation on the training rows, at most "
    f"{CANDIDATES} candidates, preprocessing (standardise features, or L2-normalise the rows of "
    "each view) among them. Late fusion and single views: that many for each view. Gradient "
    "boosting: 4 candidates (trees do not care about scale; by default a leaf has 20 rows, so that "
    "tens of rows teach it nothing). Stacked forests and legofuse: defaults, not tuned."
)


def grid(**options):
    """All combinations, as dicts, first options varying slowest."""
    found = [
        dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())
    ]
    if len(found) > CANDIDATES:
        raise ValueError(f"{len(found)} candidates exceed the budget of {CANDIDATES}.")
    return found


def search(score_fold, candidates, y):
    """Mean accuracy of each candidate over the folds, and the best.

    Parameters
    ----------
    score_fold : callable
        ``(candidates, train rows, held-out rows) -> accuracies``, one for each candidate, so that
        candidates may share work within a fold.
    candidates : list of dict
    y : ndarray of shape (n,)

    Returns
    -------
    best : dict
        The first of the best candidates.
    accuracy : float
        Its cross-validated accuracy.
    """
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    scores = [score_fold(candidates, a, b) for a, b in folds.split(y[:, None], y)]
    sizes = [len(b) for _, b in folds.split(y[:, None], y)]
    mean = np.average(scores, axis=0, weights=sizes)
    best = int(np.argmax(mean))
    return candidates[best], float(mean[best])


def prepare(train, other, how):
    """Standardise features by training rows or L2-normalise rows; mean squared norm 1 in training.

    Returns both parts.
    """
    if how == "standardise":
        mean, scale = train.mean(axis=0), train.std(axis=0)
        scale = np.where(scale > 1e-12 * np.maximum(np.abs(mean), 1e-300), scale, np.inf)
        train, other = (train - mean) / scale, (other - mean) / scale
    else:
        train, other = (X / np.maximum(_norms(X), 1e-300) for X in (train, other))
    size = np.sqrt(np.mean(_norms(train) ** 2)) or 1.0
    return train / size, other / size


def side_by_side(train, other, how):
    """Views prepared one by one and concatenated. L2 norms are taken within each view: taken over
    the whole row, the view of the largest scale would be all that is left."""
    parts = [prepare(A, B, how) for A, B in zip(train, other, strict=True)]
    sizes = [np.sqrt(A.shape[1]) if how == "standardise" else 1.0 for A, _ in parts]
    total = np.linalg.norm(sizes)  # standardised: all features count alike, as in one scaler
    return tuple(
        np.hstack([part[i] * (size / total) for part, size in zip(parts, sizes, strict=True)])
        for i in range(2)
    )


def _norms(X):
    return np.sqrt(np.einsum("ij,ij->i", X, X))[:, None]


def to_span(train, *others):
    """Coordinates in the span of the training rows: linear models lose nothing, and wide data
    become no wider than there are rows."""
    if train.shape[1] <= len(train):
        return (train, *others)
    values, vectors = np.linalg.eigh(train @ train.T)
    keep = values > 1e-10 * values[-1]
    basis = train.T @ (vectors[:, keep] / np.sqrt(values[keep]))
    return tuple(X @ basis for X in (train, *others))


def squared_distances(X, Z):
    """Squared Euclidean distances (n, m), not negative."""
    norms = np.einsum("ij,ij->i", X, X)[:, None] + np.einsum("ij,ij->i", Z, Z)
    return np.maximum(norms - 2 * X @ Z.T, 0)


def median_off_diagonal(distances):
    """Median of the positive entries; 1 where there is none."""
    positive = distances[distances > 0]
    return float(np.median(positive)) if positive.size else 1.0
