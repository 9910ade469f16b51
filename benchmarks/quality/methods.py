"""What is compared. A method takes the training part of a task and returns a fitted model.

A method is a function ``(views, y, names) -> (predict, info)``: ``predict(test views)`` gives
classes, ``info`` holds the cross-validated accuracy and what was chosen. ``views`` is a list of
arrays with the same rows.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from legofuse import LEGOFusionTransformer, stack_views

from . import missing, tuning
from .tuning import (
    grid,
    median_off_diagonal,
    search,
    side_by_side,
    squared_distances,
    to_span,
)

ALPHAS = np.logspace(-6, 3, 19)
PREPARATIONS = ("standardise", "normalise")


class NotHereError(RuntimeError):
    """A method that cannot run here, with the reason."""


@dataclass(frozen=True)
class Method:
    """A column of the table."""

    name: str
    title: str
    group: str  # ours, variant, baseline, missing or peer
    fit: object
    missing_views: bool = False  # whether it takes views that are missing (NaN blocks)
    package: str = ""


def lego(views, y, names, **parameters):
    """The transformer with default settings and a ridge readout: nothing is tuned."""
    X, columns = stack_views(dict(zip(names, views, strict=True)))
    fusion = LEGOFusionTransformer(columns, random_state=0, **parameters)
    pipe = make_pipeline(fusion, RidgeClassifierCV(alphas=ALPHAS)).fit(X, y)
    return lambda test: pipe.predict(np.hstack(test)), {"chosen": {}}


def _fit_lr(X, y, C):
    return LogisticRegression(C=C, max_iter=300).fit(X, y)


def tuned_lr(views, y):
    """Logistic regression on views side by side.

    Returns a function from views to probabilities, the classes, what was chosen and its accuracy.
    """
    candidates = grid(how=PREPARATIONS, C=(1.0, 10.0, 100.0, 1e3, 1e4, 1e5))

    def score_fold(candidates, a, b):
        own, other = [X[a] for X in views], [X[b] for X in views]
        parts = {how: to_span(*side_by_side(own, other, how)) for how in PREPARATIONS}
        return [
            _fit_lr(parts[c["how"]][0], y[a], c["C"]).score(parts[c["how"]][1], y[b])
            for c in candidates
        ]

    best, accuracy = search(score_fold, candidates, y)
    prepared, _ = side_by_side(views, [X[:1] for X in views], best["how"])
    model = _fit_lr(*to_span(prepared), y, best["C"])

    def probabilities(test):
        return model.predict_proba(to_span(*side_by_side(views, test, best["how"]))[1])

    return probabilities, model.classes_, best, accuracy


def concat_lr(views, y, names):
    """Logistic regression on the concatenation."""
    probabilities, classes, best, accuracy = tuned_lr(views, y)
    info = {"cv": accuracy, "chosen": best}
    return lambda test: classes[probabilities(test).argmax(axis=1)], info


def concat_svm(views, y, names):
    """RBF SVM on the concatenation; widths relative to the median squared distance."""
    candidates = grid(how=PREPARATIONS, width=(0.5, 2.0), C=(1.0, 10.0, 100.0))

    def kernels(train, other, c):
        train, other = side_by_side(train, other, c["how"])
        own, cross = squared_distances(train, train), squared_distances(other, train)
        gamma = c["width"] / median_off_diagonal(own)
        return np.exp(-gamma * own), np.exp(-gamma * cross)

    def score_fold(candidates, a, b):
        made = {}
        scores = []
        for c in candidates:
            key = c["how"], c["width"]
            if key not in made:
                made[key] = kernels([X[a] for X in views], [X[b] for X in views], c)
            own, cross = made[key]
            scores.append(_fit_svm(own, y[a], c["C"]).score(cross, y[b]))
        return scores

    best, accuracy = search(score_fold, candidates, y)
    model = _fit_svm(kernels(views, [X[:1] for X in views], best)[0], y, best["C"])
    info = {"cv": accuracy, "chosen": best}
    return lambda test: model.predict(kernels(views, test, best)[1]), info


def _fit_svm(kernel, y, C):
    return SVC(C=C, kernel="precomputed").fit(kernel, y)


def single_view(views, y, names):
    """Logistic regression on each view; predicts by the view that wins cross-validation."""
    fitted = [tuned_lr([X], y) for X in views]
    scores = [accuracy for *_, accuracy in fitted]
    best = int(np.argmax(scores))

    def predict(test, view=None):
        view = best if view is None else view
        probabilities, classes, *_ = fitted[view]
        return classes[probabilities([test[view]]).argmax(axis=1)]

    info = {"cv": scores[best], "chosen": {"view": names[best]}}
    return predict, info


def late_lr(views, y, names):
    """Mean of the probabilities of one logistic regression for each view."""
    fitted = [tuned_lr([X], y) for X in views]
    classes = fitted[0][1]

    def predict(test):
        mean = sum(f[0]([X]) for f, X in zip(fitted, test, strict=True))
        return classes[mean.argmax(axis=1)]

    return predict, {"chosen": {"views": [f[2] for f in fitted]}}


def boosting(views, y, names):
    """Histogram gradient boosting on the concatenation."""
    X = np.hstack(views)
    candidates = grid(learning_rate=(0.05, 0.2), max_leaf_nodes=(7, 31))

    def make(c):
        some = min(1.0, 200 / X.shape[1])  # features a split looks at: wide sets end in minutes
        return HistGradientBoostingClassifier(max_iter=60, max_features=some, random_state=0, **c)

    def score_fold(candidates, a, b):
        return [make(c).fit(X[a], y[a]).score(X[b], y[b]) for c in candidates]

    best, accuracy = search(score_fold, candidates, y)
    model = make(best).fit(X, y)
    return lambda test: model.predict(np.hstack(test)), {"cv": accuracy, "chosen": best}


def _ours():
    variants = {
        "degree 1": {"degree": 1},
        "degree 3": {"degree": 3},
        "degree 4": {"degree": 4},
        "degree 4, additive": {"degree": 4, "interactions": "additive"},
        "degree 2, additive": {"interactions": "additive"},
        "degree 2, pairwise": {"interactions": "pairwise"},
        "degree 2, separable": {"interactions": "separable"},
        "uniform weights": {"weights": "uniform"},
        "alignment weights": {"weights": "alignment"},
        "consensus weights": {"weights": "consensus"},
        "neural weights": {"weights": "neural"},
        "cosine only": {"relation": "cosine"},
        "correlation only": {"relation": "correlation"},
    }
    yield Method("legofuse", "legofuse", "ours", lego, True)
    for title, parameters in variants.items():
        name = "legofuse_" + title.replace("degree 2, ", "").replace(", ", " ").replace(" ", "_")
        name = name.removesuffix("_weights").removesuffix("_only")
        yield Method(name, f"legofuse, {title}", "variant", partial(lego, **parameters), True)


def _methods():
    from . import peers

    yield from _ours()
    yield Method("concat_lr", "concatenation + LR", "baseline", concat_lr)
    yield Method("concat_svm", "concatenation + RBF SVM", "baseline", concat_svm)
    yield Method("late_lr", "late fusion, LR", "baseline", late_lr)
    yield Method("single_view", "best single view by CV", "baseline", single_view)
    yield Method("boosting", "concatenation + gradient boosting", "baseline", boosting)
    for name, title, fit in (
        ("late_present", "late fusion over the views present, LR", missing.late_present),
        ("boosting_nan", "gradient boosting, NaN as a value", missing.boosting_nan),
    ):
        yield Method(name, title, "missing", fit, True)
    for name, title, fit, package in peers.PEERS:
        yield Method(name, title, "peer", fit, name == "nemo", package)


METHODS = {method.name: method for method in _methods()}
COLUMNS = (
    "concat_lr",
    "concat_svm",
    "late_lr",
    "average_mkl",
    "easy_mkl",
    "kernel_fusion",
    "mcca",
)  # the columns that ranks are taken among, beside legofuse
GROUPS = {
    "columns": ("legofuse", *COLUMNS),
    "ours": ("legofuse",),
    "baselines": tuple(m.name for m in METHODS.values() if m.group == "baseline"),
    "peers": tuple(m.name for m in METHODS.values() if m.group == "peer"),
    "variants": tuple(m.name for m in METHODS.values() if m.group == "variant"),
    "quick": ("legofuse", "concat_lr", "concat_svm", "late_lr", "single_view"),
    "robustness": ("legofuse", "legofuse_uniform", "concat_lr", "concat_svm", "easy_mkl"),
    "missing": ("legofuse", "concat_lr", "concat_svm", "late_present", "boosting_nan", "nemo"),
    "all": tuple(METHODS),
}
BUDGET = tuning.BUDGET
