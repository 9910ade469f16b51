"""Other people's multi-view methods, from an environment of their own; imported when called.

Kernels of the multiple-kernel methods: for each view one cosine and one RBF kernel, of width 1 /
median squared distance.
"""

import itertools
import warnings
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils import check_array

from .tuning import grid, median_off_diagonal, prepare, search, squared_distances, to_span

PREPARATIONS = ("standardise", "normalise")


def package_version(name):
    """Version of an installed package, or an ImportError that says how to get it."""
    try:
        return version(name)
    except PackageNotFoundError as error:
        raise ImportError(
            f"{name} is not installed here: pip install -r benchmarks/requirements-peers.txt"
        ) from error


def view_kernels(train, other, how, width=1.0):
    """Cosine and RBF kernels of each view: lists of (n, n) and of (m, n) arrays."""
    own, cross = [], []
    for A, B in zip(train, other, strict=True):
        A, B = prepare(A, B, how)
        units = [X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-300) for X in (A, B)]
        own.append(units[0] @ units[0].T)
        cross.append(units[1] @ units[0].T)
        distances = squared_distances(A, A)
        gamma = width / median_off_diagonal(distances)
        own.append(np.exp(-gamma * distances))
        cross.append(np.exp(-gamma * squared_distances(B, A)))
    return own, cross


def _kernel_method(views, y, candidates, kernels, fit):
    """Tune a method that takes (own kernels, y, candidate) and predicts from cross kernels."""

    def rows(which):
        return [X[which] for X in views]

    def score_fold(candidates, a, b):
        made, scores = {}, []
        for c in candidates:
            key = c["how"], c.get("width")
            if key not in made:
                made[key] = kernels(rows(a), rows(b), c)
            own, cross = made[key]
            scores.append(float(np.mean(fit(own, y[a], c)(cross) == y[b])))
        return scores

    best, accuracy = search(score_fold, candidates, y)
    predict = fit(kernels(views, [X[:1] for X in views], best)[0], y, best)

    def predict_test(test):
        return predict(kernels(views, test, best)[1])

    return predict_test, {"cv": accuracy, "chosen": best}


def _by_preparation(train, other, c):
    from torch import from_numpy  # MKLpy computes with torch

    kernels = view_kernels(train, other, c["how"])
    return tuple([from_numpy(np.ascontiguousarray(K)) for K in part] for part in kernels)


def average_mkl(views, y, names):
    """MKLpy's AverageMKL: the mean kernel."""
    from MKLpy.algorithms import AverageMKL

    candidates = grid(how=PREPARATIONS, C=(0.1, 1.0, 10.0, 100.0, 1e3, 1e4))

    def fit(own, y, c):
        model = AverageMKL(learner=SVC(C=c["C"], kernel="precomputed")).fit(own, y)
        return lambda cross: np.asarray(model.predict(cross))

    return _kernel_method(views, y, candidates, _by_preparation, fit)


def easy_mkl(views, y, names):
    """MKLpy's EasyMKL: kernel weights of largest margin."""
    from MKLpy.algorithms import EasyMKL

    candidates = grid(how=PREPARATIONS, lam=(0.1, 0.5, 0.9), C=(10.0, 1e3))

    def fit(own, y, c):
        learner = SVC(C=c["C"], kernel="precomputed")
        model = EasyMKL(lam=c["lam"], learner=learner).fit(own, y)
        return lambda cross: np.asarray(model.predict(cross))

    return _kernel_method(views, y, candidates, _by_preparation, fit)


def kernel_fusion(views, y, names):
    """polyview's KernelFusion (centred, normalised RBF kernels) and an SVM.

    It computes square kernels only, so training and test rows enter together and the blocks are cut
    out: the centring sees the test rows, never their labels.
    """
    from polyview.fusion import KernelFusion, KernelSpec

    candidates = grid(how=PREPARATIONS, width=(0.5, 2.0), C=(1.0, 10.0, 100.0))

    def kernels(train, other, c):
        parts = [prepare(A, B, c["how"]) for A, B in zip(train, other, strict=True)]
        specs = [
            KernelSpec("rbf", gamma=c["width"] / median_off_diagonal(squared_distances(A, A)))
            for A, _ in parts
        ]
        fused = KernelFusion(specs).fit_transform([np.vstack(part) for part in parts])
        n = len(train[0])
        return fused[:n, :n], fused[n:, :n]

    def fit(own, y, c):
        return SVC(C=c["C"], kernel="precomputed").fit(own, y).predict

    _, info = _kernel_method(views, y, candidates, kernels, fit)

    def predict_test(test):
        # the centring depends on the test rows: fit on the training block of this kernel
        own, cross = kernels(views, test, info["chosen"])
        return fit(own, y, info["chosen"])(cross)

    return predict_test, info


def mcca(views, y, names):
    """cca-zoo's regularised multiset CCA and logistic regression on all projections."""
    from cca_zoo.linear import MCCA

    candidates = grid(how=PREPARATIONS, shrinkage=(0.1, 0.5, 0.9), C=(10.0, 1e3))

    def features(train, other, c):
        parts = [to_span(*prepare(A, B, c["how"])) for A, B in zip(train, other, strict=True)]
        smallest = min(min(A.shape) for A, _ in parts)
        model = MCCA(min(50, smallest), shrinkage=c["shrinkage"]).fit([A for A, _ in parts])
        both = [np.hstack(model.transform([part[i] for part in parts])) for i in range(2)]
        return prepare(*both, "standardise")

    def score_fold(candidates, a, b):
        made, scores = {}, []
        for c in candidates:
            key = c["how"], c["shrinkage"]
            if key not in made:
                made[key] = features([X[a] for X in views], [X[b] for X in views], c)
            own, other = made[key]
            model = LogisticRegression(C=c["C"], max_iter=300).fit(own, y[a])
            scores.append(model.score(other, y[b]))
        return scores

    best, accuracy = search(score_fold, candidates, y)

    def predict(test):
        own, other = features(views, test, best)
        return LogisticRegression(C=best["C"], max_iter=300).fit(own, y).predict(other)

    return predict, {"cv": accuracy, "chosen": best}


def stacking(views, y, names):
    """multiviewstacking's stacked random forests, its default learners."""
    from multiviewstacking import MultiViewStacking
    from sklearn.ensemble import RandomForestClassifier

    smallest = int(np.bincount(y).min())
    if smallest < 10:
        raise ValueError(f"multiviewstacking needs 10 rows of a class; here {smallest}.")
    edges = np.cumsum([0] + [X.shape[1] for X in views])
    model = MultiViewStacking(
        views_indices=[list(range(a, b)) for a, b in itertools.pairwise(edges)],
        first_level_learners=[RandomForestClassifier(random_state=0) for _ in views],
        meta_learner=RandomForestClassifier(random_state=0),
    ).fit(np.hstack(views), y)
    return lambda test: np.asarray(model.predict(np.hstack(test))), {"chosen": {}}


def snf_compute():
    """The functions of snfpy 0.2.2, which knows an argument by the name it had before 1.6."""
    from snf import compute

    compute.check_array = lambda X, force_all_finite=True, **others: check_array(
        X, ensure_all_finite=force_all_finite, **others
    )
    return compute


def snf(views, y, names):
    """snfpy's similarity network fusion: labels spread over the fused network.

    Networks hold given rows only, so training and test rows enter together, never the test labels.
    """
    compute = snf_compute()
    candidates = grid(how=PREPARATIONS, K=(10, 20), mu=(0.3, 0.5, 0.8))

    def spread(train, test, y, c):
        pairs = [prepare(A, B, c["how"]) for A, B in zip(train, test, strict=True)]
        own, other = (list(part) for part in zip(*pairs, strict=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            k = min(c["K"], len(own[0]) + len(other[0]) - 1)
            return compute.group_predict(own, other, y, K=k, mu=c["mu"])

    def score_fold(candidates, a, b):
        own, other = [X[a] for X in views], [X[b] for X in views]
        return [np.mean(spread(own, other, y[a], c) == y[b]) for c in candidates]

    best, accuracy = search(score_fold, candidates, y)
    return lambda test: spread(views, test, y, best), {"cv": accuracy, "chosen": best}


def nemo(views, y, names):
    """imml's NEMO (neighbours within the views that rows share) and an RBF SVM on its embedding.

    It embeds given rows only, so training and test rows enter together, never the test labels.
    """
    from imml.cluster import NEMO

    n_classes = len(np.unique(y))
    candidates = grid(how=PREPARATIONS, per_class=(1, 4), C=(1.0, 10.0, 100.0))

    def predict(test):
        made = {}
        for how, per_class in itertools.product(PREPARATIONS, (1, 4)):
            parts = [_prepare_present(A, B, how) for A, B in zip(views, test, strict=True)]
            size = min(per_class * n_classes, sum(len(part) for part in parts[0]) - 2)
            model = NEMO(n_clusters=int(size), random_state=0)
            made[how, per_class] = np.asarray(model.fit([np.vstack(p) for p in parts]).embedding_)

        def score_fold(candidates, a, b):
            return [
                SVC(C=c["C"]).fit(Z[a], y[a]).score(Z[b], y[b])
                for c in candidates
                for Z in [made[c["how"], c["per_class"]][: len(y)]]
            ]

        best, _ = search(score_fold, candidates, y)
        Z = made[best["how"], best["per_class"]]
        return SVC(C=best["C"]).fit(Z[: len(y)], y).predict(Z[len(y) :])

    return predict, {"chosen": {}}


def _prepare_present(train, other, how):
    """The same as ``prepare`` for the rows that have the view; NaN stays."""
    parts = []
    have = [~np.isnan(X).all(axis=1) for X in (train, other)]
    for X, rows, found in zip(
        (train, other), have, prepare(train[have[0]], other[have[1]], how), strict=True
    ):
        filled = np.full(X.shape, np.nan)
        filled[rows] = found
        parts.append(filled)
    return parts


PEERS = (
    ("average_mkl", "MKLpy AverageMKL", average_mkl, "MKLpy"),
    ("easy_mkl", "MKLpy EasyMKL", easy_mkl, "MKLpy"),
    ("kernel_fusion", "polyview KernelFusion + SVC", kernel_fusion, "polyview"),
    ("mcca", "cca-zoo MCCA + LR", mcca, "cca-zoo"),
    ("stacking", "multiviewstacking", stacking, "multiviewstacking"),
    ("snf", "snfpy label spreading", snf, "snfpy"),
    ("nemo", "imml NEMO + RBF SVM", nemo, "imml"),
)
