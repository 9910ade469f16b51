"""What keeps a fit on many rows cheap changes nothing on few, and little on many."""

import tracemalloc

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from legofuse import LEGOFusionTransformer, graphs, landmarks
from legofuse.sampling import _sorted_order, canonical_rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3000, 12)).astype(np.float32)
Y = (X[:, 0] * X[:, 5] > 0).astype(int)


def make(**parameters):
    defaults = {"views": 3, "relation": "correlation", "n_landmarks": 40, "max_fit_samples": 100}
    return LEGOFusionTransformer(**(defaults | {"random_state": 0} | parameters))


def test_memory_mapped_rows(tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = make().fit(mapped, Y)
    expected = make().fit(X, Y)
    assert_array_equal(model.weights_, expected.weights_)
    assert_array_equal(model.transform(mapped), expected.transform(X))
    assert type(model._fused.references.encoded["view0", "correlation"].rows) is np.ndarray


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=30))
@settings(deadline=None)
def test_order_is_the_stable_order_of_all_keys(rows):
    keys = np.array(rows, np.uint64)
    expected = np.lexsort([np.arange(len(keys)), *keys.T[::-1]])
    assert_array_equal(_sorted_order(keys), expected)


@pytest.mark.parametrize("missing", [False, True])
def test_statistics_of_a_canonical_sample(monkeypatch, missing):
    rows = X.copy()
    if missing:
        rows[: len(X) // 2, :4] = np.nan
    columns = {"a": np.arange(4), "b": np.arange(4, 12)}
    order, weight, _ = canonical_rows(rows)
    exact = graphs.learn_statistics(rows, columns, order, weight)
    monkeypatch.setattr(graphs, "_STATISTICS_ROWS", 1000)
    sampled = graphs.learn_statistics(rows, columns, order, weight)
    for key, stats in exact.items():
        assert not np.array_equal(sampled[key].mean, stats.mean)
        assert_allclose(sampled[key].mean, stats.mean, atol=0.15)
        assert_allclose(sampled[key].scale, stats.scale, rtol=0.1)
    shuffled = RNG.permutation(len(rows))
    again, weight, _ = canonical_rows(rows[shuffled])
    for key, stats in graphs.learn_statistics(rows[shuffled], columns, again, weight).items():
        assert_array_equal(stats.mean, sampled[key].mean)


def test_kmeans_landmarks_among_a_sample(monkeypatch):
    seen = []
    original = landmarks.nearest_to_means
    monkeypatch.setattr(landmarks, "_KMEANS_POOL", 500)
    monkeypatch.setattr(
        landmarks,
        "nearest_to_means",
        lambda rows, *rest: seen.append(len(rows)) or original(rows, *rest),
    )
    model = make(landmarks="kmeans", n_landmarks=10).fit(X, Y)
    assert seen == [500]
    assert len(np.unique(model.landmarks_)) == 10


def test_fit_copies_no_table():
    rows = np.tile(X, (20, 4))  # 60000 x 48 float32: 11.5 MB
    rows += RNG.normal(size=rows.shape).astype(np.float32)
    y = np.tile(Y, 20)
    views = {"a": slice(4, 20), "b": slice(20, 40)}  # a run of columns
    make(views=views).fit(rows[:200], y[:200])
    tracemalloc.start()
    try:
        model = make(views=views).fit(rows, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * rows.nbytes
    assert model.transform(rows[:5]).dtype == np.float32


def test_threads_give_what_one_gives():
    model, many = make().fit(X, Y), np.tile(X, (5, 1))
    one = model.transform(many)
    assert_allclose(model.set_params(n_jobs=2).transform(many), one, atol=1e-5)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_threads_whatever_the_backend(backend):
    model, many = make().fit(X, Y), np.tile(X, (5, 1))  # several blocks
    one = model.transform(many)
    with joblib.parallel_config(backend, n_jobs=2):  # they are written to one array: no processes
        assert_allclose(model.transform(many), one, atol=1e-5)
