"""Missing views: blocks removed at random, and the methods that take what is left as it is."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from .tuning import grid, search

SHARES = (10, 30, 50, 70)


def remove_blocks(train, test, share, rng):
    """NaN in place of a share of all blocks (a row's view), in training and test rows alike.

    Every row keeps one view, drawn at random; the blocks to go are drawn among the others, all of
    which go where the share cannot be reached (two views, more than half).
    """
    sizes = [len(train[0]), len(test[0])]
    n_rows, n_views = sum(sizes), len(train)
    gone = np.zeros((n_rows, n_views), bool)
    start = 0
    for size in sizes:  # the share holds in each part
        rows = np.arange(start, start + size)
        free = np.ones((size, n_views), bool)
        free[np.arange(size), rng.integers(n_views, size=size)] = False
        where = np.flatnonzero(free)
        chosen = rng.permutation(where)[: round(share * size * n_views)]
        gone[rows] = np.isin(np.arange(free.size), chosen).reshape(free.shape)
        start += size
    cut = sizes[0]
    return tuple(
        [np.where(lost[:, None], np.nan, X) for X, lost in zip(part, mask.T, strict=True)]
        for part, mask in ((train, gone[:cut]), (test, gone[cut:]))
    )


def late_present(views, y, names):
    """Logistic regressions view by view, on the rows that have the view; their probabilities are
    averaged over the views that a row has."""
    from .methods import tuned_lr

    classes, fitted = np.unique(y), []
    for X in views:
        have = ~np.isnan(X).all(axis=1)
        fitted.append(tuned_lr([X[have]], y[have]) if len(np.unique(y[have])) > 1 else None)

    def predict(test):
        total = np.zeros((len(test[0]), len(classes)))
        for model, X in zip(fitted, test, strict=True):
            have = np.flatnonzero(~np.isnan(X).all(axis=1))
            if model is not None and len(have):
                probabilities, seen, *_ = model
                total[np.ix_(have, np.searchsorted(classes, seen))] += probabilities([X[have]])
        return classes[total.argmax(axis=1)]

    return predict, {"chosen": {"views": [m and m[2] for m in fitted]}}


def boosting_nan(views, y, names):
    """Histogram gradient boosting on the concatenation; it takes NaN as a value of its own."""
    X = np.hstack(views)

    def make(c):
        some = min(1.0, 200 / X.shape[1])
        return HistGradientBoostingClassifier(max_iter=60, max_features=some, random_state=0, **c)

    def score_fold(candidates, a, b):
        return [make(c).fit(X[a], y[a]).score(X[b], y[b]) for c in candidates]

    best, accuracy = search(score_fold, grid(learning_rate=(0.05, 0.2), max_leaf_nodes=(7, 31)), y)
    model = make(best).fit(X, y)
    return lambda test: model.predict(np.hstack(test)), {"cv": accuracy, "chosen": best}
