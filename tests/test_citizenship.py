"""The transformer among scikit-learn's tools, frames, processes and threads."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_info, threadpool_limits

from legofuse import LEGOFusionTransformer
from legofuse.config import config_context

WINE, TARGET = load_wine(return_X_y=True)
WINE, TARGET = WINE[::2], TARGET[::2]
VIEWS = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
FRAME = load_wine(as_frame=True).data[::2].reset_index(drop=True)


def make(**parameters):
    return LEGOFusionTransformer(**({"views": VIEWS, "relation": "correlation"} | parameters))


def pipeline(**parameters):
    return Pipeline([("fuse", make(**parameters)), ("clf", RidgeClassifier())])


@contextmanager
def two_threads_stay():
    """Libraries are given two threads, and must have them in the end."""

    def numbers():
        return [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]

    with threadpool_limits(2):
        before = numbers()
        yield
        assert {number for _, number in before} == {2}
        assert set(before) <= set(numbers())


def test_clone():
    model = make(weights=np.ones(9), landmarks=[0, 1, 2], relation={"a": "rbf"})
    copy = clone(model)
    assert copy.get_params().keys() == model.get_params().keys()
    assert not hasattr(clone(make().fit(WINE, TARGET)), "weights_")


def test_pickle_and_joblib(tmp_path):
    for parameters in ({}, {"interactions": "separable"}, {"output": "relations"}):
        model = make(**parameters).fit(WINE, TARGET)
        joblib.dump(model, tmp_path / "model.joblib")
        for copy in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
            assert_array_equal(copy.transform(WINE), model.transform(WINE))
            assert copy.terms_ == model.terms_


@pytest.mark.slow
def test_grid_search_in_processes():
    grid = {"fuse__degree": [1, 2], "fuse__relation": ["cosine", "correlation"]}
    search = GridSearchCV(pipeline(), grid, n_jobs=2, cv=3).fit(WINE, TARGET)
    assert search.best_score_ > 0.9


def test_nested_cross_validation():
    search = GridSearchCV(pipeline(), {"fuse__degree": [1, 2]}, cv=2)
    assert cross_val_score(search, WINE, TARGET, cv=2).mean() > 0.9


def test_in_front_beside_and_behind():
    scaled = ColumnTransformer([("all", StandardScaler(), list(FRAME.columns))])
    union = FeatureUnion([("fuse", make(n_components=5)), ("pca", PCA(2))])
    pipe = make_pipeline(scaled, union, LogisticRegression())
    assert pipe.fit(FRAME, TARGET).score(FRAME, TARGET) > 0.95
    names = pipe[:-1].get_feature_names_out()
    assert names[0] == "fuse__legofusiontransformer0"
    assert len(names) == 7
    inside = ColumnTransformer(
        [("fuse", make(views=2), list(FRAME.columns[:6])), ("rest", "passthrough", [7, 8])]
    )
    assert inside.fit_transform(FRAME, TARGET).shape[0] == len(FRAME)


def test_frozen_and_calibrated():
    model = make().fit(WINE, TARGET)
    frozen = make_pipeline(FrozenEstimator(model), LogisticRegression()).fit(WINE, TARGET)
    assert_array_equal(frozen[:-1].transform(WINE), model.transform(WINE))
    probabilities = CalibratedClassifierCV(pipeline(), cv=2).fit(WINE, TARGET).predict_proba(WINE)
    assert_allclose(probabilities.sum(axis=1), 1)


def test_kernel_machine_on_the_fused_graph():
    model = make().fit(WINE, TARGET)
    K = model.fused_graph(WINE, WINE)
    K /= K.diagonal().mean()
    machine = SVC(kernel="precomputed", C=10, random_state=0).fit(K, TARGET)
    assert machine.score(K, TARGET) > 0.95


def test_a_linear_kernel_on_the_embedding_is_the_fused_graph():
    model = make().fit(WINE, TARGET)
    features, K = model.transform(WINE), model.fused_graph(WINE, WINE)
    linear = SVC(kernel="linear", random_state=0).fit(features, TARGET)
    precomputed = SVC(kernel="precomputed", random_state=0).fit(K, TARGET)
    expected = precomputed.decision_function(K)
    assert_allclose(linear.decision_function(features), expected, atol=1e-2)


def test_relations_are_in_the_order_of_landmarks():
    model = make(output="relations")
    relations = model.fit_transform(WINE, TARGET)
    assert sorted(model.landmarks_) == list(range(len(WINE))) != model.landmarks_.tolist()
    expected = model.fused_graph(WINE, WINE)[:, model.landmarks_]
    assert_allclose(relations, expected, atol=1e-10)


def test_regression():
    y = WINE[:, 0]
    pipe = make_pipeline(make(), Ridge())
    folds = KFold(3, shuffle=True, random_state=0)  # rows are sorted by class
    assert cross_val_score(pipe, WINE, y, cv=folds).mean() > 0.8


def test_metadata_routing():
    weight = np.random.default_rng(0).uniform(0.5, 2, len(TARGET))
    sites = np.where(np.arange(len(TARGET)) % 2, "a", "b")
    with sklearn.config_context(enable_metadata_routing=True):
        fuse = make().set_fit_request(sample_weight=True, sample_domain=True)
        fuse.set_transform_request(sample_domain=True)
        clf = RidgeClassifier().set_fit_request(sample_weight=True)
        pipe = make_pipeline(fuse, clf)
        pipe.fit(WINE, TARGET, sample_weight=weight, sample_domain=sites)
        direct = make().fit(WINE, TARGET, sample_weight=weight, sample_domain=sites)
        assert_array_equal(pipe[0].weights_, direct.weights_)
        predicted = pipe.predict(WINE, sample_domain=sites)
        assert np.mean(predicted == TARGET) > 0.95
        with pytest.raises(Exception, match="sample_weight"):
            make_pipeline(make(), clf).fit(WINE, TARGET, sample_weight=weight)
        with pytest.raises(ValueError, match=r"cross_val_predict do not: give these domain_column"):
            cross_val_predict(pipe, WINE, TARGET, params={"sample_domain": sites})


def test_domain_column_in_a_search():
    table = FRAME.assign(site=np.where(np.arange(len(FRAME)) % 2, "a", "b"))
    pipe = pipeline(views={"a": slice(0, 5), "b": slice(5, 13)}, domain_column="site")
    assert np.mean(cross_val_predict(pipe, table, TARGET, cv=3) == TARGET) > 0.9


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    views = {
        "a": ["alcohol", "ash"],
        "b": slice("magnesium", "flavanoids"),
        "c": make_column_selector(pattern="^color|hue") if library == "pandas" else ["hue"],
    }
    frame = FRAME if library == "pandas" else pl.from_pandas(FRAME)
    model = make(views=views).fit(frame, TARGET).set_output(transform=library)
    assert_array_equal(model.feature_names_in_, FRAME.columns)
    out = model.transform(frame)
    assert isinstance(out, pd.DataFrame if library == "pandas" else pl.DataFrame)
    assert list(out.columns) == list(model.get_feature_names_out())
    assert_array_equal(model.views_["b"], [4, 5, 6])
    if library == "pandas":
        assert_array_equal(out.index, frame.index)
    with pytest.raises(ValueError, match="feature names"):
        model.transform(frame[list(reversed(FRAME.columns))])


def test_text():
    texts = ["red wine", "white wine", "old red", "new white", "red oak", "white grape"] * 5
    y = np.array([0, 1] * 15)
    pipe = make_pipeline(TfidfVectorizer(), LEGOFusionTransformer(2), RidgeClassifier())
    assert pipe.fit(texts, y).score(texts, y) == 1


def test_html_repr_links_to_the_documentation():
    page = "generated/api/legofuse.LEGOFusionTransformer.html"
    assert page not in make()._repr_html_()
    with config_context(documentation="https://example.org/{latest}/"):
        html = make_pipeline(make(), RidgeClassifier()).fit(WINE, TARGET)._repr_html_()
    assert f'href="https://example.org/{{latest}}/{page}"' in html


def test_html_repr_names_the_fit():
    model = make()
    assert "LEGOFusionTransformer" in model._repr_html_()
    fitted = make().fit(WINE, TARGET)
    assert "Fitted" in fitted._repr_html_() or "fitted" in fitted._repr_html_()
    assert "correlation" in repr(model)


def test_nothing_global_changes(global_state_stays):
    errors, filters = np.geterr(), list(warnings.filters)
    with two_threads_stay():
        for landmarks in ("stratified", "random", "kmeans"):
            model = make(n_landmarks=9, max_fit_samples=20, landmarks=landmarks).fit(WINE, TARGET)
            model.transform(WINE)
    assert np.geterr() == errors
    assert list(warnings.filters) == filters


def test_random_state():
    parameters = {"n_landmarks": 9, "max_fit_samples": 20}
    one, other = (make(random_state=3, **parameters).fit(WINE, TARGET) for _ in range(2))
    assert_array_equal(one.transform(WINE), other.transform(WINE))
    state = np.random.RandomState(3)
    first = make(random_state=state, **parameters).fit(WINE, TARGET)
    assert_array_equal(first.transform(WINE), one.transform(WINE))
    second = make(random_state=state, **parameters).fit(WINE, TARGET)
    assert set(second.landmarks_) != set(first.landmarks_)


def test_fits_at_once_give_what_one_gives():
    expected = make().fit(WINE, TARGET).transform(WINE)
    with two_threads_stay(), ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: make().fit(WINE, TARGET).transform(WINE), range(8)))
    for one in found:
        assert_allclose(one, expected, rtol=1e-7, atol=1e-9)


def test_input_is_left_as_it_is():
    X, y, weight = WINE.copy(), TARGET.copy(), np.ones(len(WINE))
    views = dict(VIEWS)
    for array in (X, y, weight):
        array.setflags(write=False)
    model = make(views=views).fit(X, y, sample_weight=weight)
    model.transform(X)
    model.fused_graph(X, X)
    assert_array_equal(X, WINE)
    assert model.views is views
    assert views == VIEWS
