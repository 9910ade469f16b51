"""LEGOFusionTransformer: the contract of its parameters, attributes and methods."""

import pickle
import warnings
from decimal import Decimal
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.utils.class_weight import compute_sample_weight

from legofuse import LEGOFusionTransformer
from legofuse.fusion import exponents, fuse, fuse_separable
from legofuse.graphs import AUTO, continuous_views
from legofuse.relations import RELATIONS, cosine
from legofuse.terms import learn_weights
from legofuse.transformer import _learning, _training

VIEWS = {"a": slice(0, 3), "b": slice(3, 5), "c": slice(5, 9)}
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 9))
Y = np.arange(40) % 3
MISSING = X.copy()
MISSING[20:, 5:] = np.nan
MISSING[:5, :3] = np.nan
SITES = np.repeat(["north", "south"], 20)


def make(**parameters):
    """Few iterations: hardly any claim here depends on how far weights are learned."""
    defaults = {"views": VIEWS, "relation": "cosine", "max_iter": 2}
    return LEGOFusionTransformer(**(defaults | parameters))


@pytest.fixture
def heard(monkeypatch):
    """What fit tells the learning of weights, as it is told."""
    options = {}

    def listen(*args, **given):
        options.update(given)
        return learn_weights(*args, **given)

    monkeypatch.setattr(_learning, "learn_weights", listen)
    return options


def test_fitted_attributes():
    model = make(degree=3, interactions="pairwise", max_iter=100).fit(X, Y)
    assert list(model.views_) == ["a", "b", "c"]
    assert_array_equal(model.views_["b"], [3, 4])
    assert model.graphs_ == [("a", "cosine"), ("b", "cosine"), ("c", "cosine")]
    assert_array_equal(model.powers_, exponents(3, 3, "pairwise"))
    assert model.weights_.shape == (len(model.powers_),)
    assert (model.weights_ >= 0).all()
    assert model.terms_[:6] == ["a", "b", "c", "a^2", "a * b", "a * c"]
    assert "a^3 * c^3" in model.terms_
    assert sum(model.view_importances_.values()) == pytest.approx(1)
    assert list(model.view_importances_) == ["a", "b", "c"]
    assert sorted(model.landmarks_) == list(range(40))
    assert model.ridge_ == 1
    assert model.loo_score_ < 1
    assert model.n_iter_ >= 1
    assert model.n_features_in_ == 9
    assert not hasattr(model, "feature_names_in_")


def test_names_of_views_with_several_graphs():
    model = make(relation={"a": "auto", "b": "rbf", "c": "cosine"}, degree=1).fit(X, Y)
    assert {"a[cosine]", "a[correlation]", "b", "c"} <= set(model.terms_)
    keys = list(model.relation_graphs(X))
    assert keys == model.graphs_
    assert set(model.view_importances_) == set(VIEWS)
    assert list(make().fit(X, Y).relation_graphs(X)) == ["a", "b", "c"]


def test_names_of_separable_terms():
    model = make(interactions="separable").fit(X, Y)
    assert model.terms_ == ["a^0", "a", "a^2", "b^0", "b", "b^2", "c^0", "c", "c^2"]
    assert_array_equal(model.powers_, exponents(3, 2, "separable"))


@pytest.mark.parametrize("interactions", ["additive", "pairwise", "total", "separable"])
@pytest.mark.parametrize("relation", ["cosine", "correlation", "angular", "rbf"])
def test_fused_graph_is_the_literal_one(interactions, relation):
    model = make(interactions=interactions, relation=relation, degree=2).fit(X, Y)
    # relations of references to themselves are those of the training statistics
    graphs = [RELATIONS[relation](X[:, c], X[:, c]) for c in VIEWS.values()]
    if interactions == "separable":
        G = fuse_separable(graphs, model.weights_.reshape(3, 3))
    else:
        G = fuse(graphs, model.powers_, model.weights_)
    assert_allclose(model.fused_graph(X, X), G, atol=1e-9 * G.max())
    assert_allclose(model.fused_graph(X), G[:, model.landmarks_], atol=1e-9 * G.max())
    for name, graph in zip(VIEWS, graphs, strict=True):
        found = model.relation_graphs(X)[name]
        assert_allclose(found, graph[:, model.landmarks_], atol=1e-9)


@pytest.mark.parametrize(
    "parameters",
    [
        {"interactions": "total"},
        {"interactions": "separable"},
        {"interactions": "separable", "weights": [0, 1, 1, 0, 1, 0, 5, 5, 5]},
        {"interactions": "total", "expansion": "hops"},
        {"interactions": "separable", "expansion": "hops", "weights": "uniform"},
        {"interactions": "pairwise", "zeroth": "identity"},
        {"interactions": "separable", "zeroth": "identity"},
    ],
)
def test_view_importances_are_the_formula(parameters):
    """Terms written out one by one; the scale of a factor of a product does not matter."""
    model = make(relation="correlation", output="relations", **parameters).fit(X, Y)
    relations, eye = list(model.relation_graphs(X, X).values()), np.eye(len(X))
    if model.expansion == "hops":
        relations = [np.maximum(R, 0) for R in relations]
        relations = [R / np.sqrt(np.outer(R.sum(axis=0), R.sum(axis=0))) for R in relations]
    powers, weights = model.powers_, model.weights_
    if model.interactions == "separable":
        powers = np.array(list(product(range(3), repeat=3)))[1:]
        weights = weights.reshape(3, 3)[np.arange(3), powers].prod(axis=1)

    def power(R, p, alone):
        if p == 0:
            return eye if model.zeroth == "identity" and alone else np.ones_like(R)
        return np.linalg.matrix_power(R, p) if model.expansion == "hops" else R**p

    literal = np.zeros(3)
    for a, weight in zip(powers, weights, strict=True):
        alone = model.interactions == "separable" or np.count_nonzero(a) == 1
        K = np.prod([power(R, p, alone) for R, p in zip(relations, a, strict=True)], axis=0)
        K = K - K.mean(axis=0)
        literal += weight * np.linalg.norm(K - K.mean(axis=1, keepdims=True)) * a / a.sum()
    assert_allclose(list(model.view_importances_.values()), literal / literal.sum(), rtol=1e-6)


def test_importances_of_very_many_products_do_not_tell_graphs_of_the_same_columns_apart():
    views = {f"view{k}": slice(0, 3) for k in range(9)}  # 3^9 - 1 terms
    model = make(views=views, interactions="separable").fit(X, Y)
    assert_allclose(list(model.view_importances_.values()), 1 / 9, rtol=1e-6)


def test_a_class_without_weight_is_no_class():
    weight = (Y != 1).astype(float)
    weighted = make().fit(X, Y, sample_weight=weight)
    left = make().fit(X[Y != 1], Y[Y != 1])
    assert_array_equal(weighted.transform(X), left.transform(X))
    with pytest.raises(ValueError, match="at least two classes in y; got 1 class"):
        make().fit(X, Y, sample_weight=(Y == 1).astype(float))


def test_iterations_are_at_most_max_iter():
    assert make(max_iter=2, tol=0).fit(X, Y).n_iter_ <= 2


def test_output():
    embedding = make().fit(X, Y)
    relations = make(output="relations").fit(X, Y)
    assert_array_equal(relations.transform(X), embedding.fused_graph(X))
    Phi = embedding.transform(X)
    G = embedding.fused_graph(X, X)
    assert_allclose(Phi @ Phi.T, G, atol=1e-8 * G.max())
    few = make(n_components=4).fit(X, Y)
    assert_allclose(few.transform(X), Phi[:, :4])
    norms = np.linalg.norm(Phi, axis=0)
    assert (np.diff(norms) <= 1e-9 * norms[0]).all()  # largest eigenvalue first
    assert embedding.get_feature_names_out()[1] == "legofusiontransformer1"
    assert len(relations.get_feature_names_out()) == 40


@pytest.mark.parametrize(
    "y",
    [
        Y % 2,
        Y % 2 == 1,
        np.array(["cat", "dog", "eel"])[Y],
        Y.tolist(),
        pd.Series(np.array(["cat", "dog", "eel"])[Y], dtype="string"),
        pd.Series(Y, dtype="category"),
        pl.Series(Y),
        X[:, 0] + X[:, 4],
        X[:, :2],
        np.eye(3, dtype=int)[Y],
        (X[:, :1] > 0).astype(int),
        X[:, 0] * 1e200,
        X[:, 0] * 1e-200,
        1e9 + X[:, 0],
    ],
)
@pytest.mark.parametrize("weights", ["loo", "consensus"])
def test_kinds_of_targets(y, weights):
    model = make(weights=weights, degree=1).fit(X, y)
    assert np.isfinite(model.transform(X)).all()
    assert (model.weights_ >= 0).all()


def test_target_type():
    numbers = Y.astype(float)
    classes = make(target_type="classification").fit(X, numbers)
    assert_array_equal(classes.weights_, make().fit(X, Y).weights_)
    real = make(target_type="regression").fit(X, Y)
    assert_array_equal(real.weights_, make().fit(X, numbers).weights_)
    assert np.abs(real.weights_ - classes.weights_).max() > 0


def test_classes_may_have_any_names():
    for names in (np.array(["z", "b", "k"]), np.array([7, -1, 100])):
        assert_allclose(
            make(max_iter=100).fit(X, names[Y]).weights_,
            make(max_iter=100).fit(X, Y).weights_,
            rtol=1e-3,
        )


def test_sampling_respects_limits():
    model = make(n_landmarks=7, max_fit_samples=11, random_state=0).fit(X, Y)
    assert len(model.landmarks_) == 7
    assert set(Y[model.landmarks_]) == {0, 1, 2}
    assert model.transform(X).shape[1] <= 7
    again = make(n_landmarks=7, max_fit_samples=11, random_state=0).fit(X, Y)
    assert_array_equal(model.transform(X), again.transform(X))
    other = make(n_landmarks=7, max_fit_samples=11, random_state=1).fit(X, Y)
    assert set(other.landmarks_) != set(model.landmarks_)


@pytest.mark.parametrize("landmarks", ["stratified", "random", "kmeans"])
def test_landmarks(landmarks):
    model = make(landmarks=landmarks, n_landmarks=6, random_state=0).fit(X, Y)
    assert len(set(model.landmarks_)) == 6


def test_parameters_set_after_fit_do_not_matter():
    model = make().fit(X, Y)
    expected = model.fused_graph(X, X)
    model.set_params(views=None, relation="rbf", degree=3, expansion="hops", zeroth="identity")
    assert_array_equal(model.fused_graph(X, X), expected)
    hops = make(expansion="hops", relation="rbf", output="relations").fit(X, Y)
    hops.set_params(expansion="elementwise")
    with pytest.raises(ValueError, match="references cannot be given"):
        hops.fused_graph(X, X)


def test_given_landmarks():
    model = make(landmarks=[4, 2, 9]).fit(X, Y)
    assert_array_equal(model.landmarks_, [4, 2, 9])
    assert_allclose(model.fused_graph(X), model.fused_graph(X, X[[4, 2, 9]]))
    twice = make(landmarks=[4, 2, 9, 4]).fit(X, Y)
    assert np.isfinite(twice.transform(X)).all()


def test_given_weights():
    weights = np.array([1, 0, 0, 0.5, 0, 0, 0, 0, 0])
    model = make(weights=weights).fit(X)
    assert_array_equal(model.weights_, weights)
    R = cosine(X[:, :3], X[:, :3])
    assert_allclose(model.fused_graph(X, X), R + R**2 / 2)
    assert model.ridge_ is None
    factors = make(interactions="separable", weights=np.ones(9)).fit(X, Y)
    assert_array_equal(factors.weights_, 1)


@pytest.mark.parametrize("interactions", ["total", "separable"])
def test_other_criteria_scale_the_mean_diagonal_to_one(interactions):
    criteria = ["uniform"] if interactions == "separable" else ["uniform", "alignment", "consensus"]
    for weights in criteria:
        model = make(weights=weights, interactions=interactions).fit(X, Y)
        assert model.fused_graph(X, X).diagonal().mean() == pytest.approx(1)


def test_negative_weights():
    model = make(nonnegative=False, weights="alignment", output="relations", degree=3).fit(X, Y)
    assert (model.weights_ < 0).any()
    assert np.isfinite(model.transform(X)).all()


def test_callables_and_a_relation_for_each_view():
    relation = {"a": rbf_kernel, "b": "rbf", "c": lambda x, z: cosine(x, z)}
    model = make(relation=relation, degree=1).fit(X, Y)
    graphs = model.relation_graphs(X)
    assert_allclose(graphs["a"], rbf_kernel(X[:, :3], X[model.landmarks_, :3]))
    model = make(relation=relation, degree=1).fit(MISSING, Y)
    assert_array_equal(model.relation_graphs(MISSING[20:])["c"], 0)  # no row has the view


def squares(x, z):
    return (x @ z.T) ** 2


def partition(labels):
    return {tuple(k for k, other in enumerate(labels) if other == label) for label in labels}


@pytest.mark.filterwarnings("ignore:The fused graph is not positive")
@pytest.mark.parametrize(
    ("options", "grouped"),
    [
        ({"relation": "auto"}, True),
        ({"relation": "auto", "weights": "neural", "max_iter": 1}, True),
        ({"relation": {"a": squares, "b": "cosine", "c": squares}}, True),
        ({"relation": "auto", "expansion": "hops"}, False),
        ({"relation": "auto", "interactions": "pairwise", "zeroth": "identity"}, False),
    ],
    ids=["auto", "neural", "callable", "hops", "identity"],
)
def test_graphs_of_a_view_and_of_a_relation_are_grouped(options, grouped, heard):
    model = make(**options).fit(MISSING, Y)
    assert ("groups" in heard) == grouped
    if grouped:
        views, relations = (partition(labels) for labels in zip(*model.graphs_, strict=True))
        assert [partition(labels) for labels in heard["groups"]] == [views, relations]
        assert any(len(alike) > 1 for alike in relations)


@pytest.mark.parametrize(
    ("options", "most"),
    [({}, 1e9), ({"weights": "uniform"}, 1e18), ({"interactions": "separable"}, 1e6)],
)
def test_a_callable_may_return_what_its_type_can_hold(options, most):
    def scaled(factor):
        return lambda x, z: np.exp(-np.abs(x[:, :1] - z[:, 0])).astype(float) * factor

    table = X.astype(np.float32)
    model = make(relation=scaled(most), max_iter=3, **options).fit(table, Y)
    assert np.isfinite(model.transform(table)).all()
    with pytest.raises(ValueError, match=r"as large as .* leave the range of float32: divide"):
        make(relation=scaled(100 * most), **options).fit(table, Y)
    with pytest.raises(ValueError, match=r"returned NaN or infinity, or values .* for float32"):
        make(relation=scaled(1e39), **options).fit(table, Y)


@pytest.mark.parametrize("interactions", ["pairwise", "separable"])
def test_a_callable_beside_an_identity(interactions):
    options = {"relation": lambda x, z: x @ z.T, "zeroth": "identity", "max_iter": 3}
    model = make(interactions=interactions, **options).fit(X, Y)
    assert np.isfinite(model.transform(X)).all()


@pytest.mark.parametrize(
    ("options", "factor"), [({"weights": "uniform"}, 1e90), ({"interactions": "separable"}, 1e30)]
)
def test_a_callable_whose_importances_would_leave_the_range(options, factor):
    with pytest.raises(ValueError, match=r"that squares of products .* range of float64: divide"):
        make(relation=lambda x, z: factor * (x @ z.T), **options).fit(X, Y)


@pytest.mark.parametrize("views", [VIEWS, None])
def test_a_callable_may_write_over_its_arguments(views):
    def careless(x, z):
        x -= 1
        z *= 2
        return x @ z.T

    given = X.copy()
    model = make(views=views, relation=careless, output="relations").fit(given, Y)
    expected = make(views=views, relation=lambda x, z: (x - 1) @ (2 * z).T, output="relations")
    expected = expected.fit(X, Y).transform(X)
    for _ in range(2):
        assert_array_equal(model.transform(given), expected)
    assert_array_equal(given, X)


# ------------------------------------------------------------------ expansions
def test_hops_of_new_rows():
    model = make(relation="rbf", expansion="hops", degree=3, weights="uniform").fit(X, Y)
    R = [RELATIONS["rbf"](X[:, c], X[:, c]) for c in VIEWS.values()]
    W = [r / np.sqrt(np.outer(r.sum(axis=1), r.sum(axis=1))) for r in R]
    hops = [[w, w @ w, w @ w @ w] for w in W]
    G = 0
    for a, weight in zip(model.powers_, model.weights_, strict=True):
        term = weight
        for m, p in enumerate(a):
            term = term * hops[m][p - 1] if p else term
        G = G + term
    assert_allclose(model.fused_graph(X), G[:, model.landmarks_], rtol=1e-9, atol=1e-12)


def test_hops_of_repeated_rows_with_different_targets():
    table, y = np.vstack([X, X[:5]]), np.r_[Y, (Y[:5] + 1) % 3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = make(expansion="hops").fit(table, y)
    assert len(model.landmarks_) == 40
    assert_allclose(model.transform(table)[40:], model.transform(X[:5]))


def test_hops_and_domains_relate_to_all_rows():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = make(expansion="hops", domains="per-domain", n_landmarks=40)
        model.fit(X, Y, sample_domain=np.repeat([0, 1], [30, 10]))
    assert sorted(model.landmarks_) == list(range(40))


@pytest.mark.parametrize("interactions", ["pairwise", "separable"])
def test_identity(interactions):
    model = make(zeroth="identity", interactions=interactions, weights="uniform").fit(X, Y)
    graphs = [cosine(X[:, c], X[:, c]) for c in VIEWS.values()]
    eye, weights = np.eye(40), model.weights_
    if interactions == "separable":
        G = fuse_separable(graphs, weights.reshape(3, 3), eye)
    else:
        G = 0
        for a, weight in zip(model.powers_, weights, strict=True):
            term = weight * np.prod([g**p for g, p in zip(graphs, a, strict=True) if p], axis=0)
            G = G + (term * eye if np.count_nonzero(a) == 1 else term)
    assert_allclose(model.fused_graph(X), G[:, model.landmarks_], atol=1e-9)
    new = X[:2] + 0.1
    assert np.isfinite(model.transform(new)).all()


# ------------------------------------------------------------------ missing views
@pytest.mark.parametrize("relation", ["cosine", "correlation", "angular", "rbf", "auto"])
def test_missing_views(relation):
    model = make(relation=relation).fit(MISSING, Y)
    Z = model.transform(MISSING)
    assert np.isfinite(Z).all()
    complete = make(relation=relation, weights=model.weights_).fit(MISSING, Y)
    assert_allclose(complete.transform(MISSING), Z, atol=1e-8 * np.abs(Z).max())
    G = model.fused_graph(MISSING, MISSING)
    assert np.linalg.eigvalsh((G + G.T) / 2)[0] > -1e-9 * G.max() * len(G)


@pytest.mark.parametrize("sparse", [sp.csr_array, sp.csc_matrix])
def test_views_are_missing_in_sparse_tables_too(sparse):
    """As stack_views marks them, of a sparse view beside one with rows of NaN."""
    model = make(relation="auto").fit(sparse(MISSING), Y)
    expected = make(relation="auto").fit(MISSING, Y)
    assert_array_equal(model.transform(sparse(MISSING)), expected.transform(MISSING))
    complete = make(relation="correlation").fit(sparse(X), Y)
    dense = complete.transform(MISSING)
    assert_allclose(complete.transform(sparse(MISSING)), dense, atol=1e-12)


def test_missing_views_are_made_up_for():
    model = make(weights="uniform").fit(MISSING, Y)
    have = ~np.isnan(MISSING[:, [0, 3, 5]])
    graphs = []
    for columns, present in zip(VIEWS.values(), have.T, strict=True):
        rows = np.nan_to_num(MISSING[:, columns])
        graphs.append(cosine(rows, rows) * np.outer(present, present))
    G = fuse(graphs, model.powers_, model.weights_)
    factor = np.sqrt(model.weights_.sum() / G.diagonal())
    expected = G * np.outer(factor, factor)
    assert_allclose(model.fused_graph(MISSING, MISSING), expected, atol=1e-12)


def test_rows_without_any_view_get_the_prior():
    table = X.copy()
    table[3] = np.nan
    model = make(output="relations")
    with pytest.warns(UserWarning, match=r"1 row\(s\) miss every view .* left out of the fit"):
        model.fit(table, Y)
    assert 3 not in model.landmarks_
    with pytest.warns(UserWarning, match="given the mean of the training rows"):
        found = model.transform(table)
    kept = np.delete(np.arange(40), 3)
    assert_allclose(found[3], found[kept].mean(axis=0))
    without = make(output="relations").fit(X[kept], Y[kept])
    assert_array_equal(without.weights_, model.weights_)


# ------------------------------------------------------------------ domains
def test_relations_of_aligned_rows_and_of_rows_as_they_are_are_averaged():
    shifted = X + 5 * (SITES == "south")[:, None]
    model = make(degree=1, domain_alignment=0.3, domain_coupling=0.8)
    model.fit(shifted, Y, sample_domain=SITES)
    shifts, moved = model._fused.shifts, shifted.copy()
    for view, columns in VIEWS.items():
        for site in ("north", "south"):
            centre, factor = shifts.maps[view, site]
            rows = shifted[site == SITES][:, columns]
            mean = model._fused.learned[view, None].mean
            moved[site == SITES, columns] = (rows - centre) * factor + mean
    expected = sum(
        w * (0.7 * cosine(shifted[:, c], shifted[:, c]) + 0.3 * cosine(moved[:, c], moved[:, c]))
        for w, c in zip(model.weights_, VIEWS.values(), strict=True)
    )
    expected *= np.where(SITES[:, None] == SITES, 1, 0.8)
    G = model.fused_graph(shifted, shifted, sample_domain=SITES, reference_domain=SITES)
    assert_allclose(G, expected, atol=1e-9 * G.max())
    assert set(model.relation_graphs(shifted, sample_domain=SITES)) == set(VIEWS)
    sparse = make(degree=1, domain_alignment=0.3, domain_coupling=0.8)
    sparse.fit(sp.csr_array(shifted), Y, sample_domain=SITES)
    found = sparse.fused_graph(sp.csr_array(shifted), sample_domain=SITES)
    assert_allclose(found, G[:, sparse.landmarks_], rtol=1e-3, atol=1e-3 * G.max())


def test_domain_column():
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(9)]).assign(site=SITES, note="text")
    views = {"a": ["x0", "x1"], "b": ["x4", "x5"]}
    model = make(views=views, domain_column="site").fit(frame, Y)
    routed = make(views=views).fit(frame, Y, sample_domain=SITES)
    assert_array_equal(model.transform(frame), routed.transform(frame, sample_domain=SITES))
    frames = pl.from_pandas(frame)
    assert_array_equal(make(views=views, domain_column="site").fit(frames, Y).transform(frames),
                       model.transform(frame))  # fmt: skip
    table = np.c_[X, SITES == "south"]
    numbers = make(domain_column=-1).fit(table, Y)
    assert np.isfinite(numbers.transform(table)).all()
    categories = frame.assign(site=frame["site"].astype("category"))
    assert_array_equal(make(views=views, domain_column="site").fit(categories, Y).transform(frame),
                       model.transform(frame))  # fmt: skip


@pytest.mark.parametrize("where", [0, 9])
@pytest.mark.parametrize(("views", "parts"), [(None, [9]), (2, [5, 4])])
def test_views_by_number_leave_out_the_domain_column(views, parts, where):
    table = np.insert(X.astype(object), where, SITES, axis=1)
    model = make(views=views, domain_column=where).fit(table, Y)
    assert [len(index) for index in model.views_.values()] == parts
    assert sorted(np.concatenate(list(model.views_.values()))) == [
        k for k in range(10) if k != where
    ]
    told = make(views=views).fit(X, Y, sample_domain=SITES)
    assert_array_equal(model.transform(table), told.transform(X, sample_domain=SITES))
    with pytest.raises(ValueError, match="no column but domain_column=0"):
        make(views=None, domain_column=0).fit(table[:, [where]], Y)


def test_landmarks_per_domain():
    model = make(domains="per-domain", n_landmarks=10, random_state=0)
    model.fit(X, Y, sample_domain=np.repeat([0, 1], [34, 6]))
    assert np.count_nonzero(model.landmarks_ >= 34) == 5
    model = make(domains="per-domain", n_landmarks=20, random_state=0)
    model.fit(X, Y, sample_domain=np.repeat([0, 1], [34, 6]))
    assert np.count_nonzero(model.landmarks_ >= 34) == 6  # all there are
    assert len(model.landmarks_) == 20


@pytest.mark.filterwarnings("ignore:sample_weight holds whole numbers")
def test_what_tells_classes_in_an_unseen_domain_counts_rows_by_their_weight():
    """Ridge regression on repeated rows, with an intercept that is not penalised."""
    counts = np.random.default_rng(1).integers(0, 4, size=len(Y))
    model = make(unseen_domains="batch", max_iter=10)
    model.fit(X, Y, sample_weight=counts, sample_domain=SITES)
    (head, intercept), fused = model._head[0], model._fused
    kernel = fused(fused.references, fused.marks)
    rows = np.repeat(np.arange(len(kernel)), counts[model.landmarks_])
    n, system = len(rows), np.ones((len(rows) + 1, len(rows) + 1))
    system[:n, :n] = kernel[np.ix_(rows, rows)] + np.eye(n)
    system[n, n] = 0
    targets = np.vstack([np.eye(3)[Y[model.landmarks_]][rows], np.zeros((1, 3))])
    solved = np.linalg.solve(system, targets)
    expected = kernel[:, rows] @ solved[:n] + solved[n]
    assert_allclose(kernel @ head + intercept, expected, atol=1e-8)


def test_weights_with_fractions_say_how_much_rows_matter():
    """None is more than one row: their scale is that of the weights of terms alone."""
    weight = np.random.default_rng(0).uniform(0.2, 5, size=len(Y))
    large = make(max_iter=20).fit(X, Y, sample_weight=weight)
    small = make(max_iter=20).fit(X, Y, sample_weight=weight / weight.max())
    assert large.loo_score_ == pytest.approx(small.loo_score_, rel=1e-6)
    assert_allclose(large.weights_ * weight.max(), small.weights_, rtol=1e-4)
    separable = make(interactions="separable", max_iter=20)
    graphs = [
        clone(separable).fit(X, Y, sample_weight=part).fused_graph(X) * part.max()
        for part in (weight, weight / weight.max())
    ]
    assert_allclose(*graphs, rtol=1e-3, atol=1e-3 * np.abs(graphs[1]).max())


@pytest.mark.parametrize("table", ["measured", "counted"])
@pytest.mark.parametrize("weights", ["loo", "neural"])
def test_the_scale_of_weights_with_fractions_does_not_matter(table, weights):
    rng = np.random.default_rng(0)
    rows = X.copy() if table == "measured" else rng.integers(3, size=X.shape).astype(float)
    rows[3], y = rows[0], np.where(np.arange(len(Y)) == 3, Y[0], Y)
    weight = np.append(rng.uniform(0.1, 1.7, size=len(Y) - 1), 300.0)  # above 20 times the mean
    model, found = make(weights=weights, max_iter=3), []
    for factor in (1.0, 1 / weight.max(), 1 / weight.sum(), 1e-6, 1e-12, 1e-60, 1e9, 1e60):
        model.fit(rows, y, sample_weight=factor * weight)
        found.append(model.weights_ / model.weights_.sum())
        if weights == "loo":
            assert model.loo_score_ > -0.5
        assert_allclose(found[-1], found[0], rtol=1e-4, atol=1e-9)


def test_tiny_weights_are_no_counts():
    weight, scores = np.append(1.0, np.full(len(Y) - 1, 1e-9)), []
    for factor in (1.0, 0.3):
        scores.append(make(max_iter=5).fit(X, Y, sample_weight=factor * weight).loo_score_)
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_a_row_that_outweighs_all_others_but_is_not_drawn_does_not_matter():
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(300, 9)), np.arange(300) % 2
    rows[y == 1, :3] += 1
    weight, found = rng.uniform(0.3, 0.6, size=300), []
    for heaviest in (0.5, 1e12):
        weight[7] = heaviest
        model = make(relation="cosine", max_fit_samples=40, max_iter=5, random_state=0)
        found.append(model.fit(rows, y, sample_weight=weight).loo_score_)
    assert found[0] > 0.1
    assert found[1] == pytest.approx(found[0], rel=1e-6)


def test_equal_weights_are_none():
    codes = np.random.default_rng(0).integers(2, size=(40, 9))  # of which some are equal
    codes[:, 0] = codes[5:15] = 1
    for rows in (X, codes):
        expected = make(max_iter=10).fit(rows, Y)
        model = make(max_iter=10).fit(rows, Y, sample_weight=np.full(len(Y), 0.3))
        found, wanted = (m._fused.learned for m in (model, expected))
        for key in wanted:
            assert_allclose(found[key].mean, wanted[key].mean, rtol=1e-6)
        assert model.loo_score_ == pytest.approx(expected.loo_score_, rel=1e-6)
        assert_allclose(0.3 * model.weights_, expected.weights_, rtol=1e-4)


@pytest.mark.parametrize("weight", [1e-60, 1e60])
def test_extreme_weights_leave_the_graph_in_the_range_of_single_precision(weight):
    rows, weight = X.astype(np.float32), np.full(len(Y), weight)
    expected = make(max_iter=5).fit(rows, Y).transform(rows)
    found = make(max_iter=5).fit(rows, Y, sample_weight=weight).transform(rows)
    assert found.shape == expected.shape
    assert np.isfinite(found).all()
    assert 0.1 < np.abs(found).max() / np.abs(expected).max() < 10


def test_weights_with_fractions_count_by_their_roots_in_means_and_spreads():
    rng = np.random.default_rng(0)
    weight, counts = rng.uniform(0.1, 3, size=len(Y)), rng.integers(1, 4, size=len(Y))
    for given, in_means in ((weight, np.sqrt(weight)), (counts, counts)):
        model = make(max_iter=2).fit(X, Y, sample_weight=given)
        for view, columns in model.views_.items():
            learned, values = model._fused.learned[view, None], X[:, columns]
            mean = np.average(values, axis=0, weights=in_means)
            assert_allclose(learned.mean, mean)
            spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=in_means))
            assert_allclose(learned.scale, spread)


def test_a_row_is_the_same_as_its_parts():
    """Whether their weights add up to whole numbers or not."""
    for total in (np.full(len(Y), 1.0), 0.7 * (np.arange(len(Y)) % 3 + 1)):
        whole = make(max_iter=5).fit(X, Y, sample_weight=total)
        parts = np.concatenate([total * 0.25, total * 0.75])
        split = make(max_iter=5).fit(np.vstack([X, X]), np.append(Y, Y), sample_weight=parts)
        assert_allclose(split.weights_, whole.weights_, rtol=1e-9)
        assert_allclose(split.transform(X), whole.transform(X), atol=1e-9)


@pytest.mark.parametrize("weights", ["loo", "alignment"])
@pytest.mark.parametrize(
    "target",
    [Y, np.array(list("pqr"))[Y], Y == 0, X[:, 0] * X[:, 3]],
    ids=["whole numbers", "strings", "booleans", "real values"],
)
def test_a_column_of_targets_is_taken_as_a_row_of_them(target, weights):
    expected = make(weights=weights).fit_transform(X, target)
    for column in (target[:, None], pd.DataFrame({"y": target}), pd.Series(target)):
        assert_array_equal(make(weights=weights).fit_transform(X, column), expected)


def test_balanced_weights_do_not_let_random_classes_be_told():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 6)), (np.arange(120) < 15).astype(int)
    weight = compute_sample_weight("balanced", y)
    assert weight.max() > 3
    model = LEGOFusionTransformer(2, relation="gaussian").fit(X, y, sample_weight=weight)
    assert model.loo_score_ < 0.3


def test_repeated_measurements_do_not_predict_one_another():
    rng = np.random.default_rng(0)
    X, y, times = rng.normal(size=(60, 4)), np.arange(60) % 2, rng.integers(1, 9, size=60)
    model = LEGOFusionTransformer(2, relation="gaussian", max_iter=20)
    once, rows = clone(model).fit(X, y), np.repeat(np.arange(60), times)
    assert once.loo_score_ < 0.3
    repeated = clone(model).fit(X[rows], y[rows])
    assert repeated.loo_score_ < 0.3
    weighed = clone(model).fit(X, y, sample_weight=times)
    assert_array_equal(repeated.weights_, weighed.weights_)
    twice = clone(model).fit(X, y, sample_weight=np.full(60, 2))
    assert twice.loo_score_ == pytest.approx(once.loo_score_)
    assert_allclose(2 * twice.weights_, once.weights_, rtol=1e-6)


def test_whole_weights_of_rows_that_may_agree_by_chance_warn_that_they_count_rows():
    codes, weight = np.random.default_rng(0).integers(5, size=(40, 9)), np.where(Y == 0, 10, 1)
    with pytest.warns(UserWarning, match=r"count as repeated rows.*sample_weight.max\(\)"):
        make(max_iter=2).fit(codes, Y, sample_weight=weight)
    make(max_iter=2, weights="uniform").fit(codes, Y, sample_weight=weight)
    make(max_iter=2).fit(codes, Y, sample_weight=weight / 10)
    make(max_iter=2).fit(X, Y, sample_weight=weight)


def test_rounding_does_not_turn_counts_into_importance():
    codes, counts = np.random.default_rng(0).integers(5, size=(40, 9)), np.arange(40) % 4 + 1.0
    single = counts.astype(np.float32)
    for weight in (counts, counts * 0.1 / 0.1, single, single * np.float32(1 + 2e-7)):
        with pytest.warns(UserWarning, match="count as repeated rows"):
            model = make(max_iter=2).fit(codes, Y, sample_weight=weight)
        assert model.loo_score_ > 0.3  # of equal rows


def test_a_row_that_outweighs_all_others_is_not_all_that_is_left_out():
    weight = np.random.default_rng(0).uniform(0.1, 0.9, size=len(Y))
    weight[3] = 5000.0
    model = make(max_iter=10).fit(X + 3 * np.eye(3)[Y] @ np.ones((3, 9)), Y, sample_weight=weight)
    assert model._row_weight < 5000


def test_whole_numbers_that_are_likely_no_classes_warn():
    target, real = np.arange(len(X)), make(max_iter=2, target_type="regression")
    with pytest.warns(UserWarning, match="40 different whole numbers in 40 rows.*'regression'"):
        make(max_iter=2).fit(X, target)
    real.fit(X, target)
    make(max_iter=2, target_type="classification").fit(X, target)
    make(max_iter=2).fit(X, target % 20)
    rows, weight = np.vstack([X, *[X[:1] + k for k in range(200)]]), np.repeat([1, 0], [40, 200])
    with pytest.warns(UserWarning, match="40 different whole numbers in 40 rows"):
        make(max_iter=2).fit(rows, np.append(target, np.zeros(200, int)), sample_weight=weight)
    make(max_iter=2).fit(np.vstack([X, X + 1]), np.append(target, target))  # faces, two of each


def test_unseen_domain():
    model = make(unseen_domains="batch", domain_alignment=1).fit(X, Y, sample_domain=SITES)
    rows = np.vstack([X] * 50)
    batch = model.transform(rows * 3 + 7, sample_domain=["east"] * 2000)
    again = model.transform(rows * 2 - 9, sample_domain=["west"] * 2000)
    assert_allclose(batch, again, atol=0.02 * np.abs(batch).max())
    assert np.isfinite(model.transform(X[:1], sample_domain=["east"])).all()
    lacking = X[:4].copy()
    lacking[:, :3] = np.nan
    assert np.isfinite(model.transform(lacking, sample_domain=["east"] * 4)).all()


def test_a_domain_may_lack_a_view():
    model = make(relation="auto").fit(MISSING, Y, sample_domain=SITES)
    assert np.isfinite(model.transform(MISSING, sample_domain=SITES)).all()


# ------------------------------------------------------------------ degenerate but legal
@pytest.mark.parametrize("weights", ["loo", "alignment", "consensus", "uniform"])
@pytest.mark.parametrize(
    "table",
    [
        np.c_[np.ones((40, 3)), X[:, 3:]],
        np.c_[np.zeros((40, 3)), X[:, 3:]],
        np.vstack([np.zeros((5, 9)), X[5:]]),
        np.vstack([X[:20], X[:20]]),
        X > 0,
        (10 * X).astype(int),
        X.astype(np.float16),
        X.astype(object),
        X.astype(">f8"),
        np.asfortranarray(X),
        X * 1e-30,
        X * 1e30,
        1e8 + X,
        np.ones((40, 9)),  # rows that differ in their targets only
    ],
)  # fmt: skip
def test_degenerate_tables(table, weights):
    for relation in ("auto", "angular"):
        model = make(relation=relation, weights=weights, degree=1).fit(table, Y)
        assert np.isfinite(model.transform(table)).all()
        assert np.isfinite(list(model.view_importances_.values())).all()


def test_few_rows():
    for y in (Y, X[:, 0], None):
        for n in (2, 3):
            model = make(n_landmarks=500).fit(X[:n], None if y is None else y[:n])
            assert np.isfinite(model.transform(X)).all()


def test_one_feature_one_row():
    model = LEGOFusionTransformer().fit(X[:, :1], Y)
    assert_allclose(model.transform(X[:1, :1]), model.transform(X[:, :1])[:1], atol=1e-10)


def test_overlapping_and_unused_columns():
    table = X.copy()
    model = make(views={"a": [0, 1, 2], "b": [2, 1], "c": -2}).fit(table, Y)
    before = model.transform(table)
    table[:, 5] = np.nan  # in no view
    assert_array_equal(model.transform(table), before)


def test_rare_targets_are_sampled():
    y = np.zeros(40)
    y[7] = 1.0
    make(max_fit_samples=10).fit(X, y)
    make(max_fit_samples=10).fit(X, np.c_[np.ones(40), y])
    few = make(max_fit_samples=2, n_landmarks=1, target_type="classification")
    few.fit(X, np.arange(40))


def test_dtype():
    for dtype in (np.float32, np.float64):
        model = LEGOFusionTransformer(VIEWS).fit(X.astype(dtype), Y)
        assert model.transform(X.astype(dtype)).dtype == dtype
        assert model.fused_graph(X.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("relation", sorted(RELATIONS))
def test_dense_and_sparse_tables_may_be_mixed(relation):
    table = X * (X > 0.3)
    dense = make(relation=relation).fit(table, Y)
    sparse = make(relation=relation).fit(sp.csr_matrix(table), Y)
    expected = dense.fused_graph(table)
    for model in (dense, sparse):
        for kind in (np.asarray, sp.csr_array, sp.csc_matrix, sp.coo_array):
            assert_allclose(model.fused_graph(kind(table)), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", [sp.coo_array, sp.coo_matrix, sp.bsr_array, sp.dok_matrix])
def test_sparse_tables_of_any_format_hold_a_domain_column(kind):
    table = np.insert(X * (X > 0.3), 0, np.arange(len(X)) % 2, axis=1)
    views = {"a": slice(1, 4), "b": slice(4, 10)}
    dense = make(views=views, domain_column=0).fit(table, Y)
    sparse = make(views=views, domain_column=0).fit(kind(table), Y)
    assert_array_equal(sparse.landmarks_, dense.landmarks_)
    assert_allclose(sparse.transform(kind(table)), dense.transform(table), rtol=1e-6, atol=1e-8)


def test_repeated_entries_of_a_sparse_table_add_up():
    whole = sp.csr_array(X * (X > 0.3))
    halves = sp.csr_matrix(
        (np.repeat(whole.data / 2, 2), np.repeat(whole.indices, 2), 2 * whole.indptr), X.shape
    )
    stored = halves.nnz
    model, other = make().fit(whole, Y), make().fit(halves, Y)
    assert halves.nnz == stored
    assert_array_equal(other.landmarks_, model.landmarks_)
    assert_allclose(other.transform(halves), model.transform(whole))


def test_memory_maps_and_read_only_arrays(tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_array_equal(make().fit(mapped, Y).transform(mapped), make().fit(X, Y).transform(X))


def test_blocks_of_rows_and_threads(monkeypatch):
    model = make().fit(X, Y)
    whole = model.transform(X)
    monkeypatch.setattr("legofuse.fused._BLOCK_SIZE", 1)
    monkeypatch.setattr("legofuse.fused._LEAST_ROWS", 16)
    assert_allclose(model.transform(X), whole, atol=1e-12)
    assert_allclose(model.set_params(n_jobs=2).transform(X), whole, atol=1e-12)


def test_embedding_of_an_indefinite_graph_warns():
    relation = lambda a, b: -np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=2))  # noqa: E731
    with pytest.warns(UserWarning, match="not positive semi-definite"):
        model = make(relation=relation, weights="uniform", degree=1).fit(X, Y)
    assert np.isfinite(model.transform(X)).all()


def test_learned_weights_help_on_wine():
    wine, y = load_wine(return_X_y=True)
    views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    model = LEGOFusionTransformer(views).fit(wine, y)
    assert model.loo_score_ > 0.8


def relations_of(table, y=None, views=None, **options):
    """Relations of each view that a fit entered."""
    model = LEGOFusionTransformer(views, **options).fit(table, y)
    found = {}
    for view, relation in model.graphs_:
        found.setdefault(view, []).append(relation)
    return model, found


def test_auto_is_local_and_robust_too_for_measurements():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    table = np.hstack([rng.normal(size=(40, 3)), rng.poisson(2.0, (40, 2))])
    table[4, :3] = np.nan
    views = {"lengths": slice(0, 3), "counts": slice(3, 5)}
    model, found = relations_of(table, y, views)
    assert found["counts"] == [*AUTO, "principal"]
    assert found["lengths"] == [*AUTO, "principal", "local", "robust"]
    beside = model.powers_[:, [6, 7]]
    assert beside.sum(axis=0).tolist() == [1, 1]  # alone: no powers, no products
    assert model.powers_[beside.any(axis=1)].sum() == 2
    assert model.terms_[-2:] == ["lengths[local]", "lengths[robust]"]
    assert np.isfinite(model.transform(table)).all()


@pytest.mark.parametrize(
    "options",
    [
        {"weights": "uniform"},
        {"weights": "alignment"},
        {"weights": "neural"},
        {"interactions": "separable"},
        {"expansion": "hops"},
        {"zeroth": "identity", "interactions": "pairwise"},
        {"relation": {"all": "cosine"}},
    ],
)
def test_auto_is_local_and_robust_only_where_that_is_learned(options):
    table, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    _, found = relations_of(table, y, {"all": slice(0, 3)}, **options)
    assert not {"local", "robust"} & set(found["all"])


def test_relations_that_are_named_are_alone_with_others():
    table, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 2
    relation = {"one": "auto", "two": "local"}
    model, found = relations_of(table, y, {"one": [0, 1], "two": [2, 3]}, relation=relation)
    assert found["two"] == ["local"]
    assert model.powers_[:, -1].max() == 2  # of what was named there are powers
    assert model.terms_[-2:] == ["one[local]", "one[robust]"]
    assert model.powers_[-2:].sum() == 2


@pytest.mark.parametrize("n_with", [1, 40])
def test_a_view_that_few_rows_have_is_judged_by_these(n_with):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(700, 4))
    table[:, 2:] = np.eye(2)[np.arange(700) % 2]
    table[:-n_with, 2:] = np.nan
    columns = {"lengths": np.array([0, 1]), "sexes": np.array([2, 3])}
    many = n_with > 1
    assert ("sexes" in continuous_views(table, columns, np.arange(700))) != many
    table[:, 2:] += rng.normal(size=(700, 2))
    assert continuous_views(table, columns, np.arange(700)) == set(columns)
    assert continuous_views(table, columns, np.arange(0)) == set()


@pytest.mark.parametrize(("n_values", "is_one"), [(51, True), (49, False)])
def test_measurements_have_a_value_of_their_own_in_most_rows(n_values, is_one):
    rng = np.random.default_rng(0)
    table = np.append(np.arange(n_values), np.zeros(100 - n_values))[rng.permutation(100), None]
    found = continuous_views(table, {"a": np.array([0])}, np.arange(100))
    assert found == ({"a"} if is_one else set())


def test_rows_that_differ_in_y_alone_repeat_no_values():
    table = np.random.default_rng(0).normal(size=(12, 3))
    _, found = relations_of(np.tile(table, (4, 1)), np.arange(48.0))
    assert "robust" in next(iter(found.values()))


def test_local_is_an_eighth_power_with_domains_too():
    table, sites = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 2
    options = {"degree": 1, "weights": [1.0], "domain_alignment": 0}
    for told in (None, sites):
        wide, local = (
            LEGOFusionTransformer(relation=name, **options).fit(table, sample_domain=told)
            for name in ("gaussian", "local")
        )
        same = np.ones((20, 20)) if told is None else sites[:, None] == sites[wide.landmarks_]
        expected = (same * wide.fused_graph(table, sample_domain=told)) ** 8
        found = same * local.fused_graph(table, sample_domain=told)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_auto_enters_beside_starts_at_a_tenth(heard):
    table = np.random.default_rng(0).normal(size=(20, 4))
    model, _ = relations_of(table, np.arange(20) % 2, {"one": [0, 1], "two": [2, 3]})
    beside = [relation in ("local", "robust") for _, relation in model.graphs_]
    assert sum(beside) == 4
    assert heard["factors"].tolist() == np.where(beside, 0.1, 1.0).tolist()
    assert list(heard["views"]) == [view for view, _ in model.graphs_]
    relations_of(table, np.arange(20) % 2, relation="local")
    assert heard["factors"].tolist() == [1.0]


@pytest.mark.parametrize(("most", "n_terms"), [(29, 29), (28, 27), (26, 22), (21, 20)])
@pytest.mark.parametrize("real", [False, True])
def test_auto_leaves_out_what_would_be_too_many_terms(most, n_terms, real, monkeypatch):
    monkeypatch.setattr(_training, "MAX_TERMS", most)
    y = np.arange(20.0) if real else np.arange(20) % 2
    model, _ = relations_of(np.random.default_rng(0).normal(size=(20, 3)), y)
    assert len(model.terms_) == n_terms


def test_weights_are_given_for_as_many_terms_as_there_are():
    table, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    for n_terms, has in ((27, False), (29, True)):
        _, found = relations_of(table, y, weights=np.ones(n_terms))
        assert ("robust" in next(iter(found.values()))) == has
    for weights in (np.ones(28), np.array(1.0), np.ones((29, 1))):
        with pytest.raises(ValueError, match=r"array of 27 numbers.*got shape \("):
            relations_of(table, y, weights=weights)


def test_auto_is_linear_too_for_real_values():
    X, y = np.random.RandomState(0).normal(size=(20, 3)), np.arange(20.0)
    relations = [relation for _, relation in LEGOFusionTransformer().fit(X, y).graphs_]
    assert relations == [*AUTO, "linear", "local", "robust"]
    for other in (y > 9, None):
        relations = [relation for _, relation in LEGOFusionTransformer().fit(X, other).graphs_]
        assert "linear" not in relations


@pytest.mark.parametrize("sign", [1, -1, 0])
def test_complete_rows_stay_as_they_are_beside_rows_that_miss_a_view(sign):
    given = np.array([1.0 + sign, -3.0, 1.0, 0.5, 0.5])
    views = {"a": slice(0, 3), "c": slice(5, 9)}
    options = {"nonnegative": False, "output": "relations", "zeroth": "ones"}
    for weights in (given, -given):
        model = make(views=views, weights=weights, **options).fit(MISSING)
        whole = model.transform(MISSING)
        assert np.isfinite(whole).all()
        assert_allclose(model.transform(MISSING[5:20]), whole[5:20], atol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "interactions", "value"),
    [(np.float32, "total", 1e30), (np.float64, "total", 1e200), (np.float64, "separable", 1e100)],
)
def test_weights_that_leave_the_range_of_floats_are_refused(dtype, interactions, value):
    n_terms = 9
    with pytest.raises(ValueError, match="too large for relations of type float"):
        make(weights=np.full(n_terms, value), interactions=interactions).fit(X.astype(dtype), Y)


@pytest.mark.parametrize("output", ["relations", "embedding"])
@pytest.mark.parametrize("fitted", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [X, MISSING], ids=["complete", "missing"])
def test_rows_of_another_float_type_than_in_fit(rows, fitted, output):
    model = make(relation="auto", output=output, random_state=0).fit(rows.astype(fitted), Y)
    for method in (model.transform, model.fused_graph):
        found = [method(rows.astype(dtype)) for dtype in (np.float32, np.float64)]
        assert_allclose(*found, atol=1e-4)
        assert found[1].dtype == fitted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weights", ["uniform", "alignment"])
def test_hops_do_not_depend_on_the_scale_of_sample_weights(weights, dtype):
    rng = np.random.default_rng(0)
    X, y, mass = rng.normal(size=(40, 4)).astype(dtype), np.arange(40) % 2, rng.uniform(1, 3, 40)
    model = LEGOFusionTransformer(2, relation="gaussian", expansion="hops", weights=weights)
    one, *others = (
        model.fit(X, y, sample_weight=mass * c).fused_graph(X, None) for c in (1, 7, 1e-90, 1e90)
    )
    for other in others:
        assert_allclose(other, one, rtol=1e-2 if dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("weights", ["uniform", "alignment", "loo"])
def test_hops_of_a_lone_row_of_no_weight_stay_finite(weights):
    rng = np.random.default_rng(0)
    X, y, mass = rng.normal(size=(40, 4)).astype(np.float32), np.arange(40) % 2, np.ones(40)
    X[0], mass[0] = 100, 1e-60
    model = LEGOFusionTransformer(2, relation="gaussian", expansion="hops", weights=weights)
    assert np.isfinite(model.fit(X, y, sample_weight=mass).transform(X)).all()


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_few_distinct_rows_that_recur_are_learned(noise):
    """Their repeats tell their targets, also where no other row tells them (exclusive or)."""
    rng = np.random.default_rng(0)
    cells = rng.integers(2, size=(2, 600))
    y = (cells[0] ^ cells[1]) ^ (rng.random(600) < noise)
    X = np.hstack([np.eye(2)[cell] for cell in cells])
    model = LEGOFusionTransformer(2).fit(X, y)
    readout = RidgeClassifier().fit(model.transform(X), y)
    assert readout.score(model.transform(X), y) > 0.95 - noise
    assert model.loo_score_ > 0.3


def test_objects_that_are_floats_are_real_values():
    real = make().fit(X, X[:, 3])
    for kind in (float, Decimal):
        boxed = np.array(list(map(kind, X[:, 3])), dtype=object)
        assert_array_equal(make().fit(X, boxed).weights_, real.weights_)
    classes = make().fit(X, Y)
    assert_array_equal(make().fit(X, Y.astype(object)).weights_, classes.weights_)


@pytest.mark.parametrize("least", [0.2, 0.9])
def test_auto_enters_the_same_graphs_of_sparse_and_dense_rows(least):
    table = X * (np.abs(X) > least)
    for weight in (None, (Y + 1) / 2):
        dense, sparse = (
            make(relation="auto").fit(rows, Y, weight) for rows in (table, sp.csr_array(table))
        )
        assert dense.graphs_ == sparse.graphs_
        assert (("a", "local") in dense.graphs_) == (least < 0.5)
        assert_allclose(sparse.weights_, dense.weights_, atol=1e-6)


def test_linear_rows_far_beyond_the_fit_do_not_explode():
    """Nor after a pickle, nor where domains are aligned."""
    rng = np.random.default_rng(0)
    rows, target = rng.normal(size=(60, 4)), rng.normal(size=60)
    far = rng.normal(size=(3, 4))
    for domains in (None, np.arange(60) % 2):
        model = LEGOFusionTransformer(2, relation="linear", weights="uniform")
        model.fit(rows, target, sample_domain=domains)
        where = {} if domains is None else {"sample_domain": [0, 0, 1]}
        known = np.abs(model.transform(rows, sample_domain=domains)).max()
        for again in (model, pickle.loads(pickle.dumps(model))):
            assert np.abs(again.transform(1e6 * far, **where)).max() < 20 * known


def test_without_y_principal_relations_enter_where_terms_are_not_too_many(monkeypatch):
    views = {"a": slice(0, 2), "b": slice(2, 4)}
    X = np.random.default_rng(0).normal(size=(20, 4))
    for most, last in ((90, "principal"), (89, "spherical")):
        monkeypatch.setattr(_training, "MAX_TERMS", most)
        model = LEGOFusionTransformer(views).fit(X)
        assert model.graphs_[-1] == ("b", last)
        assert np.isfinite(model.transform(X)).all()
    given = LEGOFusionTransformer(views, weights=np.ones(69)).fit(X)  # 65, and two beside a view
    assert [relation for _, relation in given.graphs_[5:7]] == ["local", "robust"]


def test_without_y_the_order_of_the_views_says_nothing():
    design = np.indices((3, 3)).reshape(2, -1).T.astype(float)
    for order in ("ab", "ba"):
        views = {name: ["ab".index(name)] for name in order}
        model = LEGOFusionTransformer(views, relation="rbf", degree=1).fit(design)
        assert model.view_importances_ == pytest.approx({"a": 0.5, "b": 0.5})
