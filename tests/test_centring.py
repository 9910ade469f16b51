"""Centred relations: feature-space centring, kernels with views missing, any references."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics.pairwise import rbf_kernel

from legofuse import LEGOFusionTransformer
from legofuse.centring import centred, learn_centre
from legofuse.fusion import exponents, fuse
from legofuse.graphs import (
    encode_rows,
    learn_statistics,
    list_graphs,
    relate_rows,
    relate_rows_to_mean,
)
from legofuse.relations import RELATIONS
from legofuse.weights import unpack

VIEWS = {"a": slice(0, 3), "b": slice(3, 5)}


def table(n=30, missing=True, seed=0, dtype=float):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)).astype(dtype)
    y = rng.permutation(np.arange(n) % 3)
    if missing:
        X[: n // 4, :3] = np.nan
        X[-n // 4 :, 3:] = np.nan
    return X, y


@pytest.mark.parametrize("missing", [False, True])
def test_centring_is_that_of_features(missing):
    """Of a linear kernel, whose features are there to be centred."""
    rng = np.random.default_rng(0)
    Z, X = rng.normal(size=(8, 3)) + 2, rng.normal(size=(5, 3))
    have, has = np.arange(8) != 3, np.arange(5) != 1
    if not missing:
        have[:], has[:] = True, True
    Z[~have], X[~has] = 0, 0
    mean = Z[have].mean(axis=0)
    if missing:  # shrunk: of its squared length some is error, which counts three times
        error = np.sum((Z[have] - mean) ** 2) / (7 * 6)
        mean *= 1 - 3 * error / np.sum(mean**2)
    A, B = (X - mean) * has[:, None], (Z - mean) * have[:, None]
    scale = have.sum() / np.sum(B**2)
    centre = learn_centre(Z @ Z.T, have)
    assert_allclose(centre.scale, scale)
    found = centred(X @ Z.T, centre, X @ Z.T @ centre.share, centre.means, has, have)
    assert_allclose(found, scale * A @ B.T, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mean_that_is_all_error_is_left(dtype):
    """Unlike landmarks have a mean by chance alone; where all have the view it is taken off."""
    have = np.arange(8) > 1
    relation = np.eye(8, dtype=dtype) * have
    centre = learn_centre(relation, have)
    assert not centre.share.any()
    assert_allclose(centre.scale, 1, rtol=1e-6)
    assert_allclose(learn_centre(np.eye(6, dtype=dtype)).share.sum(), 1, rtol=1e-6)


@given(
    seed=st.integers(0, 10**6), dtype=st.sampled_from([np.float32, np.float64]), n=st.integers(2, 9)
)
@settings(max_examples=25, deadline=None)
def test_polynomials_of_centred_relations_are_kernels_with_views_missing(seed, dtype, n):
    """For every A >= 0, whatever is missing and however much of the mean is taken off."""
    rng = np.random.default_rng(seed)
    graphs = []
    for _ in range(2):
        X = rng.normal(size=(n + 4, 3)) + rng.uniform(0, 3)
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        have = rng.random(n + 4) < 0.5
        relation = (X @ X.T).astype(dtype) * np.outer(have, have)
        centre = learn_centre(relation[:n, :n], have[:n])
        means = relation[:, :n] @ centre.share
        assert 0 <= centre.share.sum() <= 1 + 1e-6
        graphs.append(centred(relation, centre, means, means, have, have))
    powers = exponents(2, 3)
    G = fuse(graphs, powers, rng.exponential(size=len(powers)).astype(dtype)).astype(float)
    assert np.linalg.eigvalsh((G + G.T) / 2)[0] > -1e-5 * max(1, np.abs(G).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_landmarks_that_are_all_alike_have_no_centred_relation(dtype):
    for relation in (np.ones((4, 4)), 0.1 * np.ones((4, 4)), np.zeros((4, 4))):
        centre = learn_centre(relation.astype(dtype))
        assert centre.scale == 0
        assert centre.means.dtype == dtype


def test_centred_kernels_stay_kernels():
    X, _ = table(missing=False)
    kernel = rbf_kernel(X, X[:9])
    centre = learn_centre(rbf_kernel(X[:9]))
    means = kernel @ centre.share
    G = centred(rbf_kernel(X), centre, means, means)
    assert np.linalg.eigvalsh(G)[0] > -1e-10
    assert_allclose(G[:9, :9].mean(axis=0), 0, atol=1e-12)
    assert_allclose(np.diagonal(G[:9, :9]).mean(), 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_auto_graphs_are_centred(dtype):
    X, y = table(dtype=dtype)
    model = LEGOFusionTransformer(VIEWS).fit(X, y)
    complete = ~np.isnan(X).any(axis=1)
    graphs = model.relation_graphs(X, X)
    to_landmarks = model.relation_graphs(X)
    for (view, _), graph in graphs.items():
        missing = np.isnan(X[:, VIEWS[view]]).any(axis=1)
        assert graph.dtype == dtype
        assert (graph[missing] == 0).all()
        assert (graph[:, missing] == 0).all()
        assert np.linalg.eigvalsh(graph)[0] > -1e-4
    marks = model.landmarks_
    for key, graph in graphs.items():
        assert_allclose(graph[:, marks], to_landmarks[key], atol=1e-5)
    G = model.fused_graph(X[complete], X[complete])
    literal = fuse(
        [g[complete][:, complete] for g in graphs.values()], model.powers_, model.weights_
    )
    assert_allclose(G, literal, rtol=1e-4, atol=1e-4 * np.abs(G).max())
    assert np.linalg.eigvalsh(model.fused_graph(X, X).astype(float))[0] > -1e-4 * np.abs(G).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_centred_whole_where_no_landmark_lacks_a_view(dtype):
    X, y = table(missing=False, dtype=dtype)
    model = LEGOFusionTransformer(VIEWS).fit(X, y)
    X[:5, :3] = np.nan
    for graph in model.relation_graphs(X).values():
        assert_allclose(graph.sum(axis=1), 0, atol=1e-3)


@pytest.mark.filterwarnings("ignore:The fused graph is not positive")
def test_named_relations_and_hops_are_not_centred():
    X, y = table(missing=False)
    some = LEGOFusionTransformer(VIEWS, relation={"a": "auto", "b": "rbf"}).fit(X, y)
    for (view, _), graph in some.relation_graphs(X).items():
        assert (np.abs(graph.sum(axis=1)) < 1e-6).all() == (view == "a")
    hops = LEGOFusionTransformer(VIEWS, expansion="hops").fit(X, y)
    assert min(hops.relation_graphs(X)["a", "gaussian"].min(axis=1)) > 0
    for weights in ("uniform", "consensus", "alignment"):
        plain = LEGOFusionTransformer(VIEWS, weights=weights).fit(X, y)
        assert min(plain.relation_graphs(X)["a", "gaussian"].min(axis=1)) > 0
    assert list_graphs(VIEWS, "auto") == some.graphs_[:5] + [("b", r) for _, r in some.graphs_[:5]]


def test_weights_that_were_learned_can_be_given():
    X, y = table()
    learned = LEGOFusionTransformer(VIEWS).fit(X, y)
    given = LEGOFusionTransformer(VIEWS, weights=learned.weights_).fit(X, y)
    assert_allclose(given.transform(X), learned.transform(X))


def test_a_fit_is_the_same_after_pickling():
    X, y = table()
    model = LEGOFusionTransformer(VIEWS).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_allclose(again.transform(X), model.transform(X))
    assert_allclose(again.fused_graph(X, X[:5]), model.fused_graph(X, X[:5]))


def test_a_view_missing_in_new_rows_shifts_no_score():
    """Scores of rows that lack a view lie around those of the mean row, class by class."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    y = np.repeat([0.0, 1.0], 60)
    X = np.column_stack([rng.normal(size=(120, 3)) + 5, rng.normal(size=(120, 2)) + y[:, None]])
    model = LEGOFusionTransformer(VIEWS, target_type="classification").fit(X, y)
    head = Ridge().fit(model.transform(X), y)
    lacking = X.copy()
    lacking[:, :3] = np.nan
    assert abs(head.predict(model.transform(lacking)).mean() - 0.5) < 0.05


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("domains", [None, np.repeat(["s", "t"], 15)])
def test_weights_are_learned_on_the_graphs_they_are_applied_to(missing, domains, monkeypatch):
    monkeypatch.setattr("legofuse.fused._ROWS_AMONG", 7)  # blocks of rows
    X, y = table(missing=missing)
    model = LEGOFusionTransformer(VIEWS).fit(X, y, sample_domain=domains)
    fused = model._fused
    assert all(centre is not None for centre in fused.centres)
    rows = fused.encode(X, domains)
    learned_on = fused.among(rows, None)[0]
    applied_to = fused.with_references(fused.encode(X, domains, dense=True)).relations(rows)
    for one, two in zip(learned_on, applied_to, strict=True):
        assert_allclose(unpack(one), two, atol=1e-10)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("relation", sorted(RELATIONS))
def test_the_mean_of_inner_products_is_that_with_the_mean(relation, sparse):
    rng = np.random.default_rng(0)
    X, share = np.abs(rng.normal(size=(20, 6))), rng.uniform(size=12)
    columns, graph = {"a": np.arange(6)}, [("a", relation)]
    learned = learn_statistics(X, columns, np.arange(20), np.ones(20), graphs=graph)
    references = encode_rows(X[:12], columns, graph, learned)
    rows = encode_rows(sp.csr_array(X) if sparse else X, columns, graph, learned)
    found = relate_rows_to_mean(rows, references, graph[0], share)
    if relation in ("bhattacharyya", "correlation", "cosine", "principal", "robust"):
        related = relate_rows(rows, references, graph, learned)[0]
        assert_allclose(found, related @ share, atol=1e-12)
    else:
        assert found is None


def test_rounding_of_narrow_gaussians_is_not_stretched():
    """Directions at an offset differ by rounding, which a narrow Gaussian multiplies."""
    rng = np.random.default_rng(0)
    Z = (rng.normal(size=(120, 4)) + 3e3).astype(np.float32)
    model = LEGOFusionTransformer(1).fit(Z, np.arange(120) % 2)
    relations = model.relation_graphs(Z)
    assert np.abs(relations["view0", "spherical"]).max() == 0
    assert np.abs(relations["view0", "gaussian"]).max() > 0.5
    doubled = model.fit(Z.astype(float), np.arange(120) % 2).relation_graphs(Z.astype(float))
    assert np.abs(doubled["view0", "spherical"]).max() > 0.5


def test_noise_of_a_relation_counts_by_its_error():
    relation = 1 + 1e-4 * np.eye(4, dtype=np.float32)
    assert learn_centre(relation).scale > 0
    assert learn_centre(relation, error=1000).scale == 0


def test_no_rows_have_no_relations_to_other_references():
    X, y = table(missing=False)
    fused = LEGOFusionTransformer(VIEWS).fit(X, y)._fused
    others = fused.with_references(fused.encode(X[:4], dense=True))
    assert {r.shape for r in others.relations(fused.encode(X)[:0])} == {(0, 4)}
