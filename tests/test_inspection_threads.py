"""Inspection and reports compute with one thread of BLAS, and leave the number as it was."""

import matplotlib
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info, threadpool_limits

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer, inspection, report

matplotlib.use("Agg")

X, y = load_wine(return_X_y=True)
SITE = np.arange(len(X)) % 2
VIEWS = {"a": slice(0, 5), "b": slice(5, 13)}


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(scope="module")
def pipe():
    return make_pipeline(LEGOFusionTransformer(VIEWS), RidgeClassifier()).fit(X[::2], y[::2])


@pytest.fixture(scope="module")
def classifier():
    return LEGOAnomalyClassifier(VIEWS, n_references=20, random_state=0).fit(*bags())


def bags():
    rows = np.flatnonzero(y < 2)[:120]
    return [X[part] for part in np.split(rows, 30)], y[rows[::4]]


LOOKS = {
    "terms": lambda pipe, path: inspection.term_contributions(pipe, X, y),
    "importances": lambda pipe, path: inspection.view_importances(pipe, X),
    "importances anew": lambda pipe, path: inspection.view_importances(pipe, X, y, n_bootstrap=2),
    "agreement": lambda pipe, path: inspection.view_agreement(pipe, X),
    "shift": lambda pipe, path: inspection.domain_shift(pipe, X, SITE),
    "explain": lambda pipe, path: inspection.explain(pipe, X[:3]),
    "permuted": lambda pipe, path: inspection.permutation_importance(pipe, X, y, n_repeats=1),
    "missing": lambda pipe, path: inspection.missing_view_curve(pipe, X, y, n_repeats=1),
    "report": lambda pipe, path: report.write(pipe, X[::3], y[::3], path / "page.html"),
}


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("fails", [False, True])
def test_blas_has_one_thread_and_then_what_it_had(pipe, tmp_path, monkeypatch, name, fails):
    seen = []

    def spy(original):
        def watched(self, *args, **kwargs):
            seen.append(set(blas_threads()))
            if fails:
                raise OSError("no luck")
            return original(self, *args, **kwargs)

        return watched

    for method in ("transform", "relation_graphs", "fit"):
        original = getattr(LEGOFusionTransformer, method)
        monkeypatch.setattr(LEGOFusionTransformer, method, spy(original))
    with threadpool_limits(3, user_api="blas"):
        before = blas_threads()
        assert 3 in before
        if fails:
            with pytest.raises(OSError, match="no luck"):
                LOOKS[name](pipe, tmp_path)
        else:
            LOOKS[name](pipe, tmp_path)
        assert blas_threads() == before
    assert seen
    assert all(threads == {1} for threads in seen)


@pytest.mark.parametrize("method", ["sums", "shapley"])
def test_so_of_bags(classifier, tmp_path, monkeypatch, method):
    given, labels = bags()
    seen, original = [], LEGOAnomalyClassifier.score_units

    def watched(self, *args, **kwargs):
        seen.append(set(blas_threads()))
        return original(self, *args, **kwargs)

    monkeypatch.setattr(LEGOAnomalyClassifier, "score_units", watched)
    with threadpool_limits(3, user_api="blas"):
        before = blas_threads()
        inspection.explain(classifier, given[:2], method=method)
        report.write(classifier, given, labels, tmp_path / "page.html")
        assert blas_threads() == before
    assert len(seen) > 2
    assert all(threads == {1} for threads in seen)
