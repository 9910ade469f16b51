"""What must hold for any data: theorems of the fused graph and of its fit."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from legofuse import LEGOFusionTransformer
from legofuse.fusion import exponents, fuse
from legofuse.relations import RELATIONS

VIEWS = {"a": slice(0, 3), "b": slice(3, 5), "c": slice(5, 9)}
SETTINGS = settings(deadline=None, max_examples=15)
seeds = st.integers(0, 10_000)
indices = st.sampled_from(["additive", "pairwise", "total", "separable"])
relations = st.sampled_from(["cosine", "correlation", "angular", "rbf"])


def table(seed, n=18, missing=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 9))
    y = rng.permutation(np.arange(n) % 2)
    if missing:
        gone = rng.random((n, 3)) < 0.4
        gone[:4] = False
        gone[gone.all(axis=1)] = [False, True, True]
        for k, columns in enumerate(VIEWS.values()):
            X[gone[:, k], columns] = np.nan
    return X, y


def fitted(seed, missing=False, **parameters):
    X, y = table(seed, missing=missing)
    return LEGOFusionTransformer(VIEWS, **parameters).fit(X, y), X, y


@SETTINGS
@given(seed=seeds, relation=relations, interactions=indices, missing=st.booleans())
def test_fused_graph_is_symmetric_and_psd(seed, relation, interactions, missing):
    model, X, _ = fitted(seed, missing, relation=relation, interactions=interactions)
    assert (model.weights_ >= 0).all()
    G = model.fused_graph(X, X)
    size = np.abs(G).max()
    assert_allclose(G, G.T, atol=1e-6 * size)
    assert np.linalg.eigvalsh((G + G.T) / 2)[0] > -1e-6 * size * len(G)
    if relation in ("cosine", "correlation", "rbf"):  # whatever views a row has
        diagonal = G.diagonal()
        assert_allclose(diagonal, diagonal[0], rtol=1e-6)


@SETTINGS
@given(seed=seeds, missing=st.booleans())
def test_any_nonnegative_weights_give_a_kernel(seed, missing):
    weights = np.random.default_rng(seed).exponential(size=9) * (np.arange(9) % 3 < 2)
    model, X, _ = fitted(seed, missing, relation="cosine", weights=weights)
    G = model.fused_graph(X, X)
    assert np.linalg.eigvalsh((G + G.T) / 2)[0] > -1e-9 * np.abs(G).max() * len(G)


def test_signed_weights_need_not_give_a_kernel():
    """A counter-example is found among random weights with one negative entry."""
    rng = np.random.default_rng(0)
    powers, least = exponents(2, 2), 0.0
    for _ in range(50):
        graphs = [RELATIONS["cosine"](x, x) for x in rng.normal(size=(2, 8, 3))]
        weights = rng.exponential(size=5)
        weights[rng.integers(5)] *= -1
        least = min(least, np.linalg.eigvalsh(fuse(graphs, powers, weights))[0])
    assert least < -0.1


@SETTINGS
@given(seed=seeds, interactions=indices, missing=st.booleans())
@example(seed=1277, interactions="separable", missing=True)  # the search tries huge factors
def test_permuting_samples_permutes_everything(seed, interactions, missing):
    model, X, y = fitted(seed, missing, interactions=interactions, relation="cosine")
    order = np.random.default_rng(seed).permutation(len(X))
    other = LEGOFusionTransformer(VIEWS, interactions=interactions, relation="cosine")
    other.fit(X[order], y[order])
    assert_array_equal(other.weights_, model.weights_)
    assert_array_equal(order[other.landmarks_], model.landmarks_)
    assert_array_equal(other.transform(X), model.transform(X))
    assert_allclose(model.transform(X[order]), model.transform(X)[order], atol=1e-12)
    G = model.fused_graph(X, X)
    assert_allclose(model.fused_graph(X[order], X), G[order], rtol=1e-10, atol=1e-12)
    assert_allclose(model.fused_graph(X, X[order]), G[:, order], rtol=1e-10, atol=1e-12)


@SETTINGS
@given(seed=seeds, relation=relations, weights=st.sampled_from(["alignment", "consensus"]))
def test_permuting_views_permutes_terms(seed, relation, weights):
    X, y = table(seed)
    parameters = {"relation": relation, "weights": weights}
    model = LEGOFusionTransformer(VIEWS, **parameters).fit(X, y)
    other = LEGOFusionTransformer(dict(reversed(VIEWS.items())), **parameters).fit(X, y)
    mine = {tuple(a): w for a, w in zip(model.powers_, model.weights_, strict=True)}
    theirs = [mine[tuple(a[::-1])] for a in other.powers_]
    assert_allclose(other.weights_, theirs, rtol=1e-4, atol=1e-4 * max(theirs))
    size = np.abs(model.fused_graph(X)).max()
    assert_allclose(other.fused_graph(X), model.fused_graph(X), atol=1e-4 * size)


@SETTINGS
@given(seed=seeds)
def test_scaling_rows_leaves_cosine_graphs_unchanged(seed):
    model, X, _ = fitted(seed, relation="cosine")
    factors = np.random.default_rng(seed).uniform(0.01, 100, (len(X), 1))
    assert_allclose(model.fused_graph(X * factors, X), model.fused_graph(X, X), rtol=1e-9)


@SETTINGS
@given(seed=seeds, weights=st.sampled_from(["uniform", "alignment"]))
def test_a_duplicated_view_changes_nothing_under_additive(seed, weights):
    """Up to how the weight is shared among the two."""
    X, y = table(seed)
    parameters = {"relation": "cosine", "interactions": "additive", "weights": weights}
    views = {"a": VIEWS["a"]}
    one = LEGOFusionTransformer(views, **parameters).fit(X, y)
    two = LEGOFusionTransformer(views | {"again": VIEWS["a"]}, **parameters).fit(X, y)
    assert_allclose(two.fused_graph(X), one.fused_graph(X), atol=1e-4)
    by_power = [two.weights_[two.powers_.max(axis=1) == p].sum() for p in (1, 2)]
    assert_allclose(by_power, one.weights_, atol=1e-4)


@settings(deadline=None, max_examples=6)  # all relations, learned twice
@given(seed=seeds, missing=st.booleans())
def test_fit_is_idempotent(seed, missing):
    model, X, y = fitted(seed, missing, n_landmarks=9, max_fit_samples=12, random_state=0)
    before = model.transform(X), model.weights_.copy(), model.landmarks_.copy()
    model.fit(X, y)
    for one, other in zip(
        before, (model.transform(X), model.weights_, model.landmarks_), strict=True
    ):
        assert_array_equal(one, other)


@SETTINGS
@given(seed=seeds)
def test_embedding_reproduces_the_graph_of_the_landmarks(seed):
    model, X, _ = fitted(seed, relation="correlation")
    Z = X[model.landmarks_]
    Phi, G = model.transform(Z), model.fused_graph(Z)
    assert_allclose(Phi @ Phi.T, G, atol=1e-8 * np.abs(G).max())


@pytest.mark.filterwarnings("ignore:sample_weight holds whole numbers")
@pytest.mark.parametrize("weights", ["loo", "alignment", "consensus"])
def test_weight_two_is_a_repetition(weights):
    X, y = table(1)
    times = np.random.default_rng(0).integers(0, 4, len(X))
    parameters = {"weights": weights, "relation": "cosine"}
    weighted = LEGOFusionTransformer(VIEWS, **parameters).fit(X, y, sample_weight=times)
    where = np.random.default_rng(1).permutation(np.repeat(np.arange(len(X)), times))
    repeated = LEGOFusionTransformer(VIEWS, **parameters).fit(X[where], y[where])
    assert_array_equal(weighted.weights_, repeated.weights_)
    assert_array_equal(weighted.transform(X), repeated.transform(X))
