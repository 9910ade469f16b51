"""What keeps a fit on many rows cheap changes nothing on few, and little on many."""

import threading
import time
import tracemalloc

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from legofuse import LEGOFusionTransformer, graphs, landmarks
from legofuse._threads import map_threads
from legofuse.anomaly._bags import canonical_bags
from legofuse.config import config_context, get_config
from legofuse.fused import block_rows
from legofuse.relations import RELATIONS
from legofuse.sampling import _sorted_order, canonical_rows, fingerprint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3000, 12)).astype(np.float32)
Y = (X[:, 0] * X[:, 5] > 0).astype(int)


def make(**parameters):
    defaults = {"views": 3, "relation": "correlation", "n_landmarks": 40, "max_fit_samples": 100}
    return LEGOFusionTransformer(**(defaults | {"random_state": 0} | parameters))


@pytest.mark.parametrize("width", [1, 7, 40_000])
def test_fingerprints_are_sums_of_scattered_words_whatever_the_block(width, monkeypatch):
    """Against Python's own integers, bit by bit."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((3, width))
    rows[0, 0], rows[1, 0], rows[2, 0] = -0.0, np.nan, np.inf

    def scatter(word):
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
        return word ^ word >> 31

    def literal(row, which):
        total = 0
        for column, value in enumerate(row + 0.0):
            seed = (which * width + column + 1) * 0x9E3779B97F4A7C15 % 2**64
            word = int(np.float64(value).view(np.uint64))
            word = scatter(word) if which == 2 else word
            total += scatter(word * (scatter(seed) | 1) % 2**64)
        return total % 2**64

    expected, kept = [[literal(row, which) for which in (0, 1, 2)] for row in rows], rows.copy()
    assert fingerprint(rows).tolist() == expected
    monkeypatch.setattr("legofuse.sampling._CACHED", 2 * width)  # two rows at once
    assert fingerprint(rows).tolist() == expected
    assert_array_equal(rows, kept)


@pytest.mark.parametrize("value", [1.0, 2.0, -2.0, 0.125, 512.0])
def test_rows_with_a_round_number_in_different_columns_are_told_apart(value):
    n_rows = 20_000
    places = np.arange(n_rows)
    table = sp.csr_array((np.full(n_rows, value), (places, places)))
    assert len(np.unique(fingerprint(table), axis=0)) == n_rows
    assert len(canonical_rows(table)[0]) == n_rows
    few = np.eye(300) * value
    assert len(canonical_bags(few, np.arange(301), np.zeros(300, int), np.ones(300)).rows) == 300


def test_every_nan_has_one_fingerprint():
    words = np.array([0x7FF8 << 48, 0xFFF8 << 48, (0x7FF8 << 48) + 5], dtype=np.uint64)
    rows = np.column_stack([words.view(float), np.ones(3)])
    for table in (rows, sp.csr_array(rows)):
        assert len(np.unique(fingerprint(table), axis=0)) == 1


HOLDERS = {
    "object": lambda rows: rows.astype(object),
    "words": lambda rows: rows.astype(str),
    "long": lambda rows: rows.astype(np.longdouble),
    "masked": np.ma.masked_array,
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_fingerprints_are_of_numbers_whatever_holds_them(holder):
    rows = np.array([[0.5, 2.0], [-1.0, 4.0]])
    assert_array_equal(fingerprint(holder(rows)), fingerprint(rows))


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
    monkeypatch.setattr(graphs._statistics, "_STATISTICS_ROWS", 1000)
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


def sparse_rows(n_rows=2000, n_features=60_000, n_words=30):
    """Counts of few of many words."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, n_features, (n_rows, n_words))
    counts = rng.integers(1, 5, words.size).astype(np.float32)
    ends = np.arange(0, words.size + 1, n_words)
    return sp.csr_array((counts, words.ravel(), ends), shape=(n_rows, n_features))


def peak_bytes(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_transform_keeps_no_relations():
    model = make(n_landmarks=500, n_components=10).fit(X, Y)
    many = np.tile(X, (10, 1))
    relations = len(many) * 500 * 4  # 60 MB; a block has 2**20 numbers at most
    assert peak_bytes(lambda: model.transform(many)) < relations / 4


@pytest.mark.parametrize("options", [{}, {"expansion": "hops", "output": "relations"}])
@pytest.mark.parametrize("limit", ["1", "3"])
def test_fits_in_blocks_and_threads_are_the_same(monkeypatch, limit, options):
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    whole = make(n_landmarks=len(X), **options).fit(X, Y)
    for name, size in (("_BLOCK_SIZE", 1), ("_LEAST_ROWS", 16), ("_THREADED_SIZE", 1)):
        monkeypatch.setattr(f"legofuse.fused.{name}", size)
    blocks = make(n_landmarks=len(X), **options).fit(X, Y)
    assert_allclose(blocks.weights_, whole.weights_, rtol=1e-6)
    assert_allclose(blocks._prior, whole._prior, atol=1e-8 * np.abs(whole._prior).max())
    graphs = [model.fused_graph(X) for model in (blocks, whole)]
    assert_allclose(*graphs, atol=1e-8 * np.abs(graphs[0]).max())


@pytest.mark.parametrize("limit", ["1", "2"])
def test_threads_keep_order_settings_and_errors(monkeypatch, limit):
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    with config_context(engine="numba"):
        found = map_threads(lambda k: (k, get_config()["engine"]), range(9))
    assert found == [(k, "numba") for k in range(9)]
    seen = set(map_threads(lambda k: time.sleep(0.01) or threading.get_ident(), range(9)))
    assert len(seen) == int(limit)
    with pytest.raises(ZeroDivisionError):
        map_threads(lambda k: 1 // k, range(3))


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_after_an_error_threads_begin_nothing_more(monkeypatch, error):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    begun, failed = [], threading.Event()

    def work(k):
        begun.append(k)
        if k == 0:
            failed.wait(60)  # the error is that of a later item
        if k == 1:
            failed.set()
            raise error("of item 1")
        time.sleep(0.01)

    with pytest.raises(error, match="of item 1"):
        map_threads(work, range(200))
    assert len(begun) < 100


@pytest.mark.parametrize(("n_references", "n_graphs"), [(500, 2), (100, 1), (5000, 30), (40, 3)])
def test_blocks_are_of_the_size_of_a_cache(monkeypatch, n_references, n_graphs):
    size = block_rows(n_references, n_graphs) * n_references * (n_graphs + 1)
    assert size <= 1 << 20 or block_rows(n_references, n_graphs) == 64
    assert size > 1 << 19
    model, seen = make(n_landmarks=40, relation="cosine").fit(X, Y), []
    encode = model._fused.encode
    monkeypatch.setattr(
        model._fused, "encode", lambda rows, *rest: seen.append(len(rows)) or encode(rows, *rest)
    )
    model.transform(np.tile(X, (5, 1)))
    assert max(seen) == block_rows(40, 3)
    assert sum(seen) == 5 * len(X)


@pytest.mark.parametrize("relation", ["cosine", "correlation", "rbf", "auto"])
def test_sparse_rows_stay_sparse(relation):
    rows, y = sparse_rows(), np.arange(2000) % 2
    dense = rows.shape[0] * rows.shape[1] * 4  # 480 MB
    model = make(views=2, relation=relation)
    assert peak_bytes(lambda: model.fit(rows, y)) < dense / 6  # 100 rows and 40 landmarks are dense
    assert peak_bytes(lambda: model.transform(rows)) < dense / 10
    assert model.transform(rows).dtype == np.float32
    for (_, name), part in model._fused.references.encoded.items():
        if name != "principal":  # scipy copies what is not, where rows are sparse
            assert part.rows.T.flags.c_contiguous
    some = slice(0, 1990, 199)
    assert_allclose(model.transform(rows[some]), model.transform(rows[some].toarray()), atol=2e-4)


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_float32_stays_float32(relation, kind):
    rows = kind(np.where(X[:300] > 0.5, X[:300], 0))
    model = make(relation=relation, expansion="elementwise").fit(rows, Y[:300])
    assert model.transform(rows).dtype == np.float32
    assert model.fused_graph(rows).dtype == np.float32
    assert {graph.dtype for graph in model.relation_graphs(rows).values()} == {np.dtype("f4")}
    assert {part.rows.dtype for part in model._fused.references.encoded.values()} == {
        np.dtype("f4")
    }
    assert model._fused.weights.dtype == model.normalization_.dtype == np.float32


def test_threads_work_at_the_same_time(monkeypatch):
    model = make().fit(X, Y).set_params(n_jobs=2)
    encode, both = model._fused.encode, threading.Barrier(2, timeout=30)

    def meet(rows, *rest):
        both.wait()  # breaks if blocks come one after the other
        return encode(rows, *rest)

    monkeypatch.setattr(model._fused, "encode", meet)
    step = block_rows(40, 3)
    model.transform(np.resize(X, (2 * step, X.shape[1])))
