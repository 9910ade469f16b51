"""Weights: leave-one-out against the literal loop, gradients, alignment, consensus."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import nnls

from legofuse import LEGOFusionTransformer
from legofuse.fusion import exponents, fuse
from legofuse.weights import (
    alignment,
    centred_products,
    consensus,
    importances,
    leave_one_out,
    loo,
    normaliser,
    pack,
    ridge_path,
    start_factors,
    uniform,
    unpack,
)
from legofuse.weights._agreement import _some_rows
from legofuse.weights._criterion import LeaveOneOut, Prior
from legofuse.weights._model import Model
from legofuse.weights._packing import rows_of
from legofuse.weights._strength import shares_of_strengths


def kernels(n=9, m=2, seed=0):
    rng = np.random.default_rng(seed)
    graphs = []
    for _ in range(m):
        rows = rng.normal(size=(n, 3))
        rows /= np.linalg.norm(rows, axis=1)[:, None]
        graphs.append(rows @ rows.T)
    return graphs


def ridge_predict(K, Y, weight, k):
    """Weighted kernel ridge (ridge 1) with an unpenalised intercept: values at rows k of K."""
    n = len(Y)
    system = np.zeros((n + 1, n + 1))
    system[:n, :n] = K[:, :n] + np.diag(1 / weight)
    system[:n, n] = 1
    system[n, :n] = 1
    solution = np.linalg.solve(system, np.vstack([Y, np.zeros((1, Y.shape[1]))]))
    return k @ solution[:n] + solution[n]


def literal_loop(K, Y, weight):
    """Leave out one unit of weight (all of a row of weight up to one), refit, predict."""
    residuals = []
    for i in range(len(Y)):
        left = weight.copy()
        left[i] -= min(1.0, weight[i])
        kept = np.flatnonzero(left > 1e-12)
        sub = K[np.ix_(kept, kept)]
        residuals.append(Y[i] - ridge_predict(sub, Y[kept], left[kept], K[i, kept]))
    return np.array(residuals)


def test_of_one_unit_nothing_is_left():
    with pytest.raises(ValueError, match="at least 2 units; got 1"):
        leave_one_out(np.eye(1), np.ones((1, 1)))


@pytest.mark.parametrize(
    "weight", [np.r_[0.0, np.ones(5)], np.r_[np.nan, np.ones(5)], np.ones((6, 1)), np.ones(5)]
)
def test_leave_one_out_needs_a_positive_weight_for_each_unit(weight):
    targets = np.arange(6.0)[:, None]
    with pytest.raises(ValueError, match="a positive number for each of the 6 units"):
        leave_one_out(np.eye(6), targets, weight)
    graphs = [pack(np.outer(v, v)) for v in (np.ones(6), np.arange(6.0))]
    with pytest.raises(ValueError, match="a positive number for each of the 6 units"):
        loo(graphs, np.eye(2, dtype=int), targets, sample_weight=weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_is_the_literal_loop(weighted):
    rng = np.random.default_rng(1)
    K, Y = 3 * sum(kernels()), rng.normal(size=(9, 2))
    weight = np.array([1, 2, 1, 3, 1, 0.5, 1, 2.5, 1.0]) if weighted else np.ones(9)
    residuals, _ = leave_one_out(K, Y, weight)
    assert_allclose(residuals, literal_loop(K, Y, weight), rtol=1e-9)
    if not weighted:
        assert_allclose(leave_one_out(K, Y)[0], residuals)


def test_a_weight_is_a_repetition():
    rng = np.random.default_rng(2)
    K, Y = 2 * sum(kernels()), rng.normal(size=(9, 1))
    times = np.array([1, 2, 1, 1, 3, 1, 1, 1, 2])
    where = np.repeat(np.arange(9), times)
    weighted, _ = leave_one_out(K, Y, times.astype(float))
    repeated, _ = leave_one_out(K[np.ix_(where, where)], Y[where])
    assert_allclose(repeated, weighted[where], rtol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_gradient(weighted):
    rng = np.random.default_rng(3)
    K, Y = sum(kernels()), rng.normal(size=(9, 2))
    weight = rng.uniform(0.3, 3, 9) if weighted else np.ones(9)
    direction = rng.normal(size=(9, 9))
    direction += direction.T

    def loss(t):
        return np.sum(leave_one_out(K + t * direction, Y, weight)[0] ** 2)

    residuals, pull_back = leave_one_out(K, Y, weight)
    gradient = pull_back(2 * residuals)
    assert_allclose(gradient, gradient.T, atol=1e-9)
    finite = (loss(1e-6) - loss(-1e-6)) / 2e-6
    assert_allclose(np.sum(gradient * direction), finite, rtol=1e-6)


def test_leave_one_out_where_the_ridge_leaves_the_graph_singular():
    K = np.zeros((3, 3))
    K[0, 1] = K[1, 0] = 1
    residuals, pull_back = leave_one_out(K, np.array([[1.0], [0.0], [0.0]]))
    assert np.isfinite(residuals).all()
    assert np.isfinite(pull_back(residuals)).all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_products_of_many_graphs_of_single_precision_do_not_overflow():
    X, y = np.random.default_rng(0).normal(size=(20, 6)), np.arange(20) % 2
    scores = [
        LEGOFusionTransformer(2, degree=1, interactions="separable", random_state=0)
        .fit(X.astype(dtype), y)
        .loo_score_
        for dtype in (np.float32, np.float64)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def test_leave_one_out_of_indefinite_graphs():
    rng = np.random.default_rng(4)
    K = rng.normal(size=(9, 9))
    K = 3 * (K + K.T)
    residuals, _ = leave_one_out(K, rng.normal(size=(9, 1)))
    rng = np.random.default_rng(4)
    rng.normal(size=(9, 9))
    assert_allclose(residuals, literal_loop(K, rng.normal(size=(9, 1)), np.ones(9)), rtol=1e-8)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("missing", [False, True])
def test_model_gradient(separable, missing):
    """The weights' gradient through normalisation by the available views."""
    rng = np.random.default_rng(5)
    graphs, present = kernels(8, 3), None
    if missing:
        present = rng.random((8, 3)) < 0.7
        present[:, 0] |= ~present.any(axis=1)
        graphs = [g * np.outer(p, p) for g, p in zip(graphs, present.T, strict=True)]
    powers = exponents(3, 2, "separable" if separable else "total")
    model = Model([pack(g) for g in graphs], powers, separable, None, present)
    weights, slope = rng.uniform(0.2, 1, len(powers)), rng.normal(size=(8, 8))
    slope += slope.T
    graph, to_weights = model.graph(weights)
    if not separable:
        literal = fuse(graphs, powers, weights)
        if missing:
            have = [p.astype(float) for p in present.T]
            scale = normaliser(fuse(have, powers, weights), weights.sum())
            literal = literal * np.outer(scale, scale)
        assert_allclose(graph, literal, atol=1e-12)
    if missing:
        complete = weights.sum() if not separable else graph.diagonal().max()
        assert_allclose(graph.diagonal(), complete)
    step = 1e-6 * np.eye(len(weights))
    finite = [
        (np.sum(slope * model.graph(weights + h)[0]) - np.sum(slope * model.graph(weights - h)[0]))
        / 2e-6
        for h in step
    ]
    assert_allclose(to_weights(slope), finite, rtol=1e-5, atol=1e-6)


def centre(K, weight):
    share = weight / weight.sum()
    H = np.eye(len(K)) - np.outer(np.ones(len(K)), share)
    root = np.sqrt(weight)
    return root[:, None] * (H @ K @ H.T) * root


@pytest.mark.parametrize("weighted", [False, True])
def test_centred_products(weighted):
    weight = np.random.default_rng(0).uniform(0.5, 2, 9) if weighted else np.ones(9)
    graphs, powers = kernels(), exponents(2, 3)
    products, means = centred_products([pack(g) for g in graphs], powers, weight)
    centred = [centre(fuse(graphs, [a], np.ones(1)), weight) for a in powers]
    literal = [[np.sum(x * y) for x in centred] for y in centred]
    assert_allclose(products, literal, atol=1e-9)
    assert means.shape == (9, len(powers))


def test_of_many_terms_no_sums_of_pairs_are_listed(monkeypatch):
    monkeypatch.setattr("legofuse.weights._agreement._distinct", None)
    graphs, powers, weight = kernels(5, 24), exponents(24, 2, "pairwise"), np.arange(1.0, 6)
    products, _ = centred_products([pack(g) for g in graphs], powers, weight)
    terms = [centre(fuse(graphs, [a], np.ones(1)), weight).ravel() for a in powers]
    assert_allclose(products, np.array(terms) @ np.transpose(terms), atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weights", ["alignment", "consensus"])
def test_a_constant_view_alone_gets_no_weight(weights, dtype):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 7)), np.arange(60) % 2
    X[:, 3:] = [0.1, 7.3, -2.2, 1e3]
    X = X.astype(dtype)
    model = LEGOFusionTransformer({"a": [0, 1, 2], "b": [3, 4, 5, 6]}, weights=weights).fit(X, y)
    of_a = model.powers_[:, [view == "a" for view, _ in model.graphs_]].any(axis=1)
    assert not model.weights_[~of_a].any()
    assert model.weights_[of_a].any()
    none = LEGOFusionTransformer({"b": [3, 4, 5, 6]}, weights=weights).fit(X, y)
    assert_allclose(none.weights_, none.weights_[0])
    assert none.weights_[0] > 0


def test_single_precision_of_nearly_constant_graphs_gives_the_weights_of_double():
    graphs = [(1 + 1e-4 * K).astype(np.float32) for K in kernels(30, 3)]
    one, double = (
        consensus([pack(g.astype(dtype)) for g in graphs], exponents(3, 2)).weights
        for dtype in (np.float32, np.float64)
    )
    assert_allclose(one, double, rtol=1e-2)


@pytest.mark.parametrize("nonnegative", [False, True])
def test_alignment_is_the_literal_least_squares(nonnegative):
    rng = np.random.default_rng(6)
    weight, Y = rng.uniform(0.5, 2, 9), rng.normal(size=(9, 2))
    graphs, powers = kernels(), exponents(2, 2)
    found = alignment(
        [pack(g) for g in graphs], powers, Y, sample_weight=weight, nonnegative=nonnegative
    ).weights
    terms = [centre(fuse(graphs, [a], np.ones(1)), weight).ravel() for a in powers]
    goal = centre(Y @ Y.T, weight).ravel()
    design = np.array(terms).T
    literal = nnls(design, goal)[0] if nonnegative else np.linalg.lstsq(design, goal)[0]
    assert_allclose(found / np.abs(found).max(), literal / np.abs(literal).max(), atol=1e-3)
    if nonnegative:
        assert (found >= 0).all()


def test_alignment_of_nearly_constant_single_precision_graphs():
    graphs = [(1 + 1e-5 * K).astype(np.float32) for K in kernels(30, 3)]
    Y = np.eye(2)[np.arange(30) % 2]
    for nonnegative in (True, False):
        found = alignment([pack(g) for g in graphs], exponents(3, 3), Y, nonnegative=nonnegative)
        assert np.isfinite(found.weights).all()


def literal_consensus(graphs, powers, weight):
    """Leading eigenvector of cosines whose products leave out the diagonals, over the norms.

    Of weights up to 1.
    """
    terms = [centre(fuse(graphs, [a], np.ones(1)), weight) for a in powers]
    norms = np.array([np.linalg.norm(t) for t in terms])
    others = ~np.eye(len(weight), dtype=bool)
    products = np.array([[np.sum((a * b)[others]) for a in terms] for b in terms])
    cosines = np.maximum(products / np.outer(norms, norms), 0)
    return np.abs(np.linalg.eigh(cosines)[1][:, -1]) / norms


@pytest.mark.parametrize("n_graphs", [2, 11])  # sums of pairs are few, or too many
def test_consensus_is_the_leading_eigenvector(n_graphs):
    graphs, powers = kernels(9, n_graphs), exponents(n_graphs, 2)
    weight = np.random.default_rng(0).uniform(0.2, 1, 9)
    found = consensus([pack(g) for g in graphs], powers, sample_weight=weight).weights
    literal = literal_consensus(graphs, powers, weight)
    assert_allclose(found / found.max(), literal / literal.max(), rtol=1e-8)
    assert (found >= 0).all()


def test_consensus_of_many_terms_compares_some_rows_from_everywhere(monkeypatch):
    monkeypatch.setattr("legofuse.weights._agreement._FEWEST_COMPARED", 5)
    monkeypatch.setattr("legofuse.weights._agreement._MOST_COMPARED", 25)
    graphs, powers, some = kernels(17, 2), exponents(2, 2), [1, 5, 8, 11, 15]
    found = consensus([pack(g) for g in graphs], powers).weights
    literal = literal_consensus([g[np.ix_(some, some)] for g in graphs], powers, np.ones(5))
    assert_allclose(found / found.max(), literal / literal.max(), rtol=1e-8)


def test_consensus_of_some_rows_knows_heavy_rows_and_rare_views(monkeypatch):
    monkeypatch.setattr("legofuse.weights._agreement._FEWEST_COMPARED", 40)
    monkeypatch.setattr("legofuse.weights._agreement._MOST_COMPARED", 1)
    graphs, weight = [pack(g) for g in kernels(200, 2)], np.ones(200)
    weight[150:] = 1e-6
    rare = kernels(200, 3)[2]
    rare[5:] = rare[:, 5:] = 0
    kept, mass = _some_rows([*graphs, pack(rare)], weight, 9)
    assert (kept[:5] == np.arange(5)).all()
    assert (kept < 150).all()
    assert len(kept) > 20
    assert mass[:5].sum() / mass.sum() == pytest.approx(5 / 150, rel=0.1)
    weight[:5] = 0  # the rare view has no weight at all
    kept, mass = _some_rows([*graphs, pack(rare)], weight, 9)
    assert kept[0] >= 5
    assert np.isfinite(mass).all()


def test_consensus_a_weight_of_two_is_a_unit_twice():
    graphs, powers = kernels(7, 3), exponents(3, 2)
    times = np.array([1, 3, 1, 2, 1, 1, 4])
    twice = np.repeat(np.arange(7), times)
    repeated = consensus([pack(g[np.ix_(twice, twice)]) for g in graphs], powers).weights
    found = consensus([pack(g) for g in graphs], powers, sample_weight=times).weights
    assert_allclose(found / found.max(), repeated / repeated.max(), rtol=1e-8)


def test_consensus_is_not_among_graphs_in_which_rows_are_like_themselves_alone():
    rng = np.random.default_rng(0)
    topic = rng.normal(size=(60, 2))
    told = [topic @ topic.T + np.diag(rng.uniform(0, 0.1, 60)) for _ in range(2)]
    alone = [np.eye(60) + 0.01 * v @ v.T for v in rng.normal(size=(3, 60, 2))]
    found = consensus([pack(g) for g in told + alone], np.eye(5, dtype=int)).weights
    shares = found * [np.linalg.norm(centre(g, np.ones(60))) for g in told + alone]
    assert shares[2:].max() < 0.1 * shares[:2].min()


def test_consensus_of_graphs_without_relations_between_rows_is_alike():
    found = consensus([pack(np.eye(6)), pack(2 * np.eye(6))], np.eye(2, dtype=int)).weights
    assert_allclose(found, [2 * found[1], found[1]])
    assert found[1] > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_consensus_of_graphs_that_agree_with_none_and_are_equally_strong_is_alike(dtype):
    design = np.indices((3, 3, 3)).reshape(3, -1)
    graphs = [1.0 * (factor[:, None] == factor) for factor in design]  # which agree below chance
    graphs.append(0.9 * graphs[0] + 0.1 * np.eye(27))  # agrees with the first
    for some in ([0, 1, 2], [2, 0, 1], [1, 2]):
        packed = [pack(graphs[k].astype(dtype)) for k in some]
        found = consensus(packed, np.eye(len(some), dtype=int)).weights
        assert_allclose(found, found[0], rtol=1e-5)
    packed = [pack(graph.astype(dtype)) for graph in graphs]
    found = consensus(packed, np.eye(4, dtype=int)).weights
    assert_array_equal(found > 0, [True, False, False, True])  # where rounding has no weight


def test_importances_are_the_formula():
    graphs, powers = kernels(), exponents(2, 2)
    rng = np.random.default_rng(7)
    weights, weight = rng.uniform(0, 1, len(powers)), rng.uniform(0.5, 2, 9)
    found = importances([pack(g) for g in graphs], powers, weights, weight)
    literal = np.zeros(2)
    for a, w in zip(powers, weights, strict=True):
        literal += w * np.linalg.norm(centre(fuse(graphs, [a], np.ones(1)), weight)) * a / a.sum()
    assert_allclose(found, literal / literal.sum(), rtol=1e-8)
    assert_allclose(importances([pack(np.ones((3, 3)))] * 2, powers, weights, np.ones(3)), 0.5)
    factors, literal = rng.uniform(0, 2, 9), np.zeros(2)
    found = importances([pack(g) for g in graphs], powers, weights, weight, factors=factors)
    for a, w in zip(powers, weights, strict=True):
        kernel = fuse(graphs, [a], np.ones(1)) * np.outer(factors, factors)
        literal += w * np.linalg.norm(centre(kernel, weight)) * a / a.sum()
    assert_allclose(found, literal / literal.sum(), rtol=1e-8)


def test_importances_of_nearly_constant_graphs_in_single_precision_are_the_formula():
    graphs = [g.astype(np.float32) for g in kernels()]
    graphs[0] = 1 + np.float32(1e-4) * graphs[0]
    powers, weight = exponents(2, 2), np.linspace(1, 2, 9)
    found = importances([pack(g) for g in graphs], powers, np.ones(len(powers)), weight)
    doubled = [pack(g.astype(float)) for g in graphs]
    expected = importances(doubled, powers, np.ones(len(powers)), weight)
    assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("separable", [False, True])
def test_loo_does_not_fall_behind_the_single_graphs(separable):
    rng = np.random.default_rng(8)
    n = 60
    signal, noise = rng.normal(size=(n, 3)), rng.normal(size=(n, 3))
    graphs = [pack(x @ x.T / 3) for x in (signal, noise)]
    Y = (signal @ [1.0, -1.0, 0.5] + 0.1 * rng.normal(size=n))[:, None]
    powers = exponents(2, 2, "separable" if separable else "total")
    found = loo(graphs, powers, Y, separable=separable)
    assert found.loo_score > 0.8
    assert (found.weights >= 0).all()
    assert found.n_iter >= 1


def test_loo_needs_targets_that_differ():
    with pytest.raises(ValueError, match="All targets are equal"):
        loo([pack(np.eye(4))], [[1]], np.ones((4, 1)))


@pytest.mark.parametrize("shape", [(3, 4), (500, 2), (4,)])
def test_only_square_graphs_are_packed(shape):
    with pytest.raises(ValueError, match=r"must be square; got shape \("):
        pack(np.ones(shape))


def test_uniform_weights():
    assert uniform(3).weights.tolist() == [1, 1, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_units", [1, 2, 63, 64, 65, 150])  # blocks of 64 rows are mirrored
def test_packing_keeps_every_entry(n_units, dtype):
    K = np.random.default_rng(n_units).normal(size=(n_units, n_units)).astype(dtype)
    K += K.T
    packed = pack(K)
    assert packed.dtype == dtype
    assert_array_equal(packed, K[np.tril_indices(n_units)])
    assert_array_equal(pack(np.asfortranarray(np.tril(K))), packed)
    assert_array_equal(unpack(packed), K)
    for part in (slice(0, 1), slice(n_units // 2, n_units)):
        assert_array_equal(rows_of([packed, 2 * packed], n_units, part)[1], 2 * K[part])


def test_importances_are_added_up_in_blocks(monkeypatch):
    graphs, powers = [pack(g) for g in kernels()], exponents(2, 2)
    weight = np.random.default_rng(7).uniform(0.5, 2, 9)
    whole = importances(graphs, powers, np.ones(len(powers)), weight)
    monkeypatch.setattr("legofuse.weights._importances._BLOCK_SIZE", 40)  # two rows
    assert_allclose(importances(graphs, powers, np.ones(len(powers)), weight), whole, rtol=1e-12)


@pytest.mark.parametrize("groups", [(), ([0, 0, 1], ["a", "b", "a"])])
@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("classes", [False, True])
def test_criterion_gradient(separable, classes, groups):
    """Of the whole criterion, shrinkage included, against finite differences."""
    rng = np.random.default_rng(9)
    powers = exponents(3, 2, "separable" if separable else "total")
    model = Model([pack(g) for g in kernels(12, 3)], powers, separable)
    Y = np.eye(2)[np.arange(12) % 2] if classes else rng.normal(size=(12, 2))
    prior = Prior(powers, 0.2, None if separable else 5.0, groups)
    criterion = LeaveOneOut(model, prior, Y, np.ones(12), classes)
    start, theta = model.start(), rng.normal(size=len(prior) + 2) / 5
    _, gradient = criterion(theta, start)
    finite = [
        (criterion(theta + h, start)[0] - criterion(theta - h, start)[0]) / 2e-6
        for h in 1e-6 * np.eye(len(theta))
    ]
    assert_allclose(gradient, finite, rtol=1e-4, atol=1e-7)


def test_terms_of_a_graph_are_shrunk_together():
    powers = exponents(2, 2)  # two graphs, five terms
    prior = Prior(powers, 0.25, 4.0)
    first_graph, second_degree, a_term = np.eye(len(prior))[[0, 2, 3]]
    assert_allclose(prior.expand(first_graph), 2 * powers[:, 0])
    assert_allclose(prior.expand(second_degree), 2 * (powers.sum(axis=1) == 2))
    assert_allclose(prior.expand(a_term), [0.5, 0, 0, 0, 0])


def covariance(prior):
    """Of log weights, where each number has variance 1."""
    logs = np.array([prior.expand(number) for number in np.eye(len(prior))])
    return logs.T @ logs


def test_graphs_of_a_group_count_partly_alike():
    views, relations = [0, 0, 1, 1], ["cosine", "rbf", "cosine", "rbf"]
    prior = Prior(np.eye(4, dtype=int), 0.2, 5.0, (views, relations))
    alike = np.array([[3, 1, 1, 0], [1, 3, 0, 1], [1, 0, 3, 1], [0, 1, 1, 3]]) / 3
    assert_allclose(covariance(prior), alike / 0.2 + np.eye(4) / 5)


@pytest.mark.parametrize("groups", [([0, 1, 2],), (["a"] * 3, [2, 1, 0])])
def test_groups_of_one_graph_or_of_all_change_nothing(groups):
    powers = exponents(3, 2)
    prior, alone = Prior(powers, 0.2, 5.0, groups), Prior(powers, 0.2, 5.0)
    assert np.array_equal(prior.shared, alone.shared)


def test_names_and_sequence_of_groups_do_not_matter():
    powers, views, relations = exponents(4, 2), [0, 0, 1, 1], [0, 1, 0, 2]
    prior = Prior(powers, 0.2, 5.0, (views, relations))
    renamed = Prior(powers, 0.2, 5.0, (["x", "z", "x", "y"], [5, 5, 3, 3]))
    assert_allclose(covariance(prior), covariance(renamed))


def test_labels_of_groups_may_be_functions():
    powers, names = exponents(4, 2), ["x", "y", "x", "z"]
    prior = Prior(powers, 0.2, 5.0, (names,))
    of_functions = Prior(powers, 0.2, 5.0, ([{"x": abs, "y": "y", "z": len}[n] for n in names],))
    assert np.array_equal(prior.shared, of_functions.shared)
    with pytest.raises(ValueError, match="one label for each of 4 graphs"):
        Prior(powers, 0.2, 5.0, (names[:3],))


def noise_share(seed, groups):
    """Weight of three graphs of noise beside three that tell the classes."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(6, 40, 5)), np.arange(40) % 2
    X[:3, :, 0] += 2 * y
    graphs, powers = [pack(x @ x.T / 5) for x in X], np.eye(6, dtype=int)
    weights = loo(graphs, powers, np.eye(2)[y], classes=True, groups=groups).weights
    return weights[3:].sum() / weights.sum()


def test_a_group_of_noise_is_shrunk_away_together():
    views = [0, 0, 0, 1, 1, 1]
    shares = np.array([[noise_share(k, ()), noise_share(k, (views,))] for k in range(5)])
    assert shares[:, 1].mean() < shares[:, 0].mean()


@pytest.mark.parametrize("classes", [False, True])
def test_a_path_of_ridges_is_the_literal_loop(classes):
    rng = np.random.default_rng(2)
    graph = kernels(8)[0] - 0.05 * np.eye(8)  # no kernel: large scales are left out
    Y = np.eye(2)[np.arange(8) % 2] if classes else rng.normal(size=(8, 1))
    weight = np.array([1, 2, 0.5, 1, 3, 1, 1, 1])
    path = dict(ridge_path(graph, Y, weight, [0.1, 1.0, 7.0, 1e4]))
    assert list(path) == [0.1, 1.0, 7.0]
    for scale, residuals in path.items():
        assert_allclose(residuals, literal_loop(scale * graph, Y, weight), atol=1e-9)


def told_views(seed=0, n_units=60, strength=2.0):
    """Graphs of two views that tell the classes and of one of noise, each twice; classes."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(3, n_units, 4)), np.arange(n_units) % 2
    X[:2, :, 0] += strength * y
    views = np.repeat(["one", "other", "noise"], 2)
    graphs = [pack(x @ x.T) for x in X for _ in range(2)]
    return graphs, views, np.eye(2)[y]


@pytest.mark.parametrize(("weighed", "missing"), [(False, False), (True, False), (True, True)])
def test_start_factors_by_the_formula(weighed, missing):
    graphs, views, targets = told_views()
    weight, has = np.ones(60), np.ones((3, 60), bool)
    if weighed:
        weight = np.random.default_rng(0).choice([0.5, 1, 3, 9], size=60)
    if missing:
        has[0, ::3] = has[1, ::4] = has[2, ::5] = False
    graphs = [pack(unpack(g) * np.outer(has[k // 2], has[k // 2])) for k, g in enumerate(graphs)]
    share, gains = weight / weight.sum(), []
    centred = targets - share @ targets
    for k in (0, 2, 4):
        graph = unpack(graphs[k])
        graph = graph / (share @ np.diagonal(graph))
        path = [literal_loop(s * graph, centred, weight) for s in np.logspace(-2, 4, 13)]
        error = min(((r**2).sum(axis=1) for r in path), key=lambda error: share @ error)
        gains.append((centred**2).sum(axis=1) - error)
    b = np.argmax([np.average(g[has[k]], weights=weight[has[k]]) for k, g in enumerate(gains)])
    expected = np.ones(3)
    for k in {0, 1, 2} - {b}:
        both = has[k] & has[b]
        told, best, mass = gains[k][both], gains[b][both], weight[both]
        told_mean, best_mean = np.average([told, best], axis=1, weights=mass)
        d = best_mean - told_mean
        variance = np.average((best - told - d) ** 2, weights=mass) / (both.sum() - 1)
        sure = max(0, 1 - 4 * variance / d**2) if d > 0 else 0
        expected[k] = max(0.02, 1 - sure * (1 - max(0, told_mean) / best_mean))
    found = start_factors(graphs, views, targets, weight, np.repeat(has, 2, axis=0))
    assert_allclose(found, np.repeat(expected, 2), rtol=1e-6)
    assert found[4] < 0.3 < 0.8 < min(found[:4]) or weighed


def test_halves_start_where_the_whole_does():
    graphs, views, targets = told_views()
    model = Model(graphs, np.eye(6, dtype=int))
    prior = Prior(model.powers, 0.2, 5.0)
    factors = np.array([1, 1, 1, 1, 1, 0.1])
    whole = LeaveOneOut(model, prior, targets, np.ones(60), True, views, factors)
    half = whole.among(np.arange(0, 60, 2))
    direct = LeaveOneOut(half.model, prior, half.targets, np.ones(30), True, views, factors)
    assert_allclose(half.start(), direct.start())
    start = whole.start()
    assert_allclose(start[5], 0.1 * start[4])


@pytest.mark.parametrize("separable", [False, True])
def test_start_is_at_the_best_of_some_scales(separable):
    powers = exponents(3, 2, "separable" if separable else "total")
    graphs, noise = kernels(30, 3), np.random.default_rng(2).normal(size=(30, 1))
    model, targets = (
        Model([pack(g) for g in graphs], powers, separable),
        graphs[0][:, :1] + noise / 5,
    )
    prior = Prior(powers, 0.2, None if separable else 5.0)
    growing = powers.sum(axis=1) > 0
    found = LeaveOneOut(model, prior, targets, np.ones(30), False).start()
    losses = []
    for scale in [0.1, 1.0, 10.0]:
        graph, _ = model.graph(np.where(growing, scale, 1.0) * found)
        losses.append((leave_one_out(graph, targets)[0] ** 2).mean())
    assert np.argmin(losses) == 1
    unscaled = model.start()[growing]
    assert_allclose(found[growing] / found[growing][0], unscaled / unscaled[0])


def test_start_factors_follow_the_graphs():
    graphs, views, targets = told_views(1)
    weight = np.random.default_rng(0).uniform(0.5, 2, size=60)
    found = start_factors(graphs, views, targets, weight)
    order = [4, 0, 3, 1, 5, 2]
    moved = start_factors([7 * graphs[k] for k in order], views[order], targets, weight)
    assert_allclose(moved, found[order])
    assert_allclose(start_factors(graphs, views, 5 * targets + 3, weight), found)


def test_views_start_alike_where_nothing_is_sure():
    rng = np.random.default_rng(3)
    found = []
    for seed in range(20):
        graphs, views, targets = told_views(seed)
        found.append(start_factors(graphs, views, rng.permutation(targets), np.ones(60)))
    assert np.mean(np.array(found) == 1) > 0.8
    alone = start_factors(graphs[:2], views[:2], targets, np.ones(60))
    assert alone.tolist() == [1, 1]
    assert start_factors(graphs, views, targets[:3] * 0 + 0.5, np.ones(3)).tolist() == [1] * 6


def test_a_view_is_judged_by_the_units_that_have_it():
    graphs, views, targets = told_views(n_units=120)
    has = np.arange(120) % 3 == 0
    cut = [pack(unpack(graphs[k]) * np.outer(has, has)) for k in (0, 1)]
    present = np.ones((6, 120), bool)
    present[:2] = has
    plain = start_factors([*cut, *graphs[2:]], views, targets, np.ones(120))
    judged = start_factors([*cut, *graphs[2:]], views, targets, np.ones(120), present)
    assert judged[0] > plain[0] + 0.2
    assert judged[4] < 0.3
    options = {"views": views, "classes": True, "strengths": (1e9,)}
    learned = loo([*cut, *graphs[2:]], np.eye(6, dtype=int), targets, present=present.T, **options)
    assert_allclose(learned.weights / learned.weights[2], judged / judged[2], rtol=1e-3)


def test_weights_start_lower_in_a_view_of_noise():
    graphs, views, targets = told_views(n_units=40)
    options = {"classes": True, "strengths": (1e9,)}
    powers = exponents(6, 2, "total")
    fixed = loo(graphs, powers, targets, **options).weights
    told = loo(graphs, powers, targets, views=views, **options).weights
    noise = powers[:, 4:].any(axis=1)
    assert told[noise].sum() / told.sum() < fixed[noise].sum() / fixed.sum() / 2
    linear = powers.sum(axis=1) == 1
    assert told[linear].sum() / told.sum() == pytest.approx(fixed[linear].sum() / fixed.sum())


def test_weights_start_by_the_factors_of_their_graphs():
    graphs, _, targets = told_views(n_units=40)
    powers = exponents(6, 2, "total")
    options = {"classes": True, "strengths": (1e9,)}
    fixed = loo(graphs, powers, targets, **options).weights
    lower = loo(graphs, powers, targets, factors=[1, 0.1, 1, 1, 1, 1], **options).weights
    assert_allclose(lower[1] / lower[0], 0.1 * fixed[1] / fixed[0], rtol=1e-3)
    square = np.flatnonzero(powers[:, 1] == 2)[0]
    other = np.flatnonzero(powers[:, 0] == 2)[0]
    assert_allclose(lower[square] / lower[other], 0.01, rtol=1e-3)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_step_to_where_the_graph_overflows_is_taken_back():
    relations = [pack(np.full((4, 4), 1e30, np.float32))] * 2
    targets = np.eye(2)[[0, 1, 0, 1]]
    powers = np.array([[1, 0], [2, 0]])
    prior = Prior(powers, 1.0, None)
    criterion = LeaveOneOut(Model(relations, powers), prior, targets, np.ones(4), True)
    loss, slope = criterion(np.zeros(len(prior) + 2), np.ones(2))
    assert np.isfinite(loss)
    assert np.isfinite(slope).all()


def test_model_among_is_the_model_of_these_units():
    graphs, units = kernels(), np.array([0, 2, 3])
    powers = exponents(len(graphs), 2, "total")
    weights = np.linspace(1, 2, len(powers))
    whole, _ = Model([pack(g) for g in graphs], powers).graph(weights)
    some, _ = Model([pack(g) for g in graphs], powers).among(units).graph(weights)
    assert_allclose(some, whole[np.ix_(units, units)])


def strengths_for(n_units, seed, classes=True, informative=1.0):
    """Shares of three strengths where one of eight graphs tells the classes, or none does."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_units) % 2
    X = rng.normal(size=(8, n_units, 5))
    X[0, :, 0] += 6 * informative * y
    X[1:] += rng.normal(size=(7, 1, 5))
    targets = np.eye(2)[y] if classes else y[:, None] + 0.1 * rng.normal(size=(n_units, 1))
    powers = exponents(8, 1, "total")
    model = Model([pack(x @ x.T / 5) for x in X], powers)
    priors = [Prior(powers, 0.2 * s, 5.0 * s) for s in (1.0, 30.0, 1e4)]
    criterion = LeaveOneOut(model, priors[0], targets, np.ones(n_units), classes)
    return shares_of_strengths(criterion, priors)


@pytest.mark.parametrize("classes", [False, True])
def test_shrinkage_is_weak_where_held_out_rows_gain_by_it(classes):
    shares = strengths_for(80, 0, classes, informative=0.5)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] > 0.5 > 10 * shares[2]


def test_the_likeliest_strength_may_lie_beyond_one_that_is_surely_worse():
    """Log-likelihoods need not fall steadily from the best strength on: all are tried."""
    rng = np.random.RandomState(16)
    n_rows, width = rng.choice([60, 120, 200]), int(rng.choice([2, 4]))
    y = rng.randint(2, size=n_rows)
    X = rng.randn(n_rows, 2 * width) + 0.6 * y[:, None] * rng.randn(2 * width)
    views = {"a": slice(0, width), "b": slice(width, 2 * width)}
    model = LEGOFusionTransformer(views, expansion="hops", output="relations")
    model.fit(X, y.astype(str))
    assert model.loo_score_ > 0.54


def test_strengths_count_alike_where_rows_cannot_be_halved():
    assert_allclose(strengths_for(6, 0), 1 / 3)


def test_shrinkage_is_strong_where_graphs_tell_nothing():
    weak = np.mean([strengths_for(30, seed, informative=0.0)[0] for seed in range(5)])
    assert weak < 1 / 3


def test_a_single_strength_is_a_fixed_shrinkage():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(2, 30, 4))
    graphs = [pack(x @ x.T / 4) for x in X]
    powers, targets = exponents(2, 2, "total"), np.eye(2)[(X[0, :, 0] > 0).astype(int)]
    start = LeaveOneOut(Model(graphs, powers), Prior(powers, 1.0, 1.0), targets, np.ones(30), True)
    fixed = loo(graphs, powers, targets, classes=True, strengths=(1e9,)).weights
    assert_allclose(fixed / fixed.sum(), start.start() / start.start().sum(), rtol=1e-3)
    free = loo(graphs, powers, targets, classes=True).weights
    assert free[0] / free[1] > fixed[0] / fixed[1]


def test_many_units_learn_once_at_the_likeliest_strength():
    rng = np.random.default_rng(4)
    n_units, strengths = 402, (0.5, 50.0)
    signal, noise = rng.normal(size=(2, n_units, 3))
    graphs = [pack(x @ x.T / 3) for x in (signal, noise)]
    powers, targets = exponents(2, 1, "total"), (signal[:, :1] + rng.normal(size=(n_units, 1)))
    centred = targets - targets.mean()
    first = Model(graphs, powers).first(400)
    priors = [Prior(powers, 0.2 * s, 5.0 * s) for s in strengths]
    criterion = LeaveOneOut(first, priors[0], (centred / centred.std())[:400], np.ones(400), False)
    likeliest = strengths[np.argmax(shares_of_strengths(criterion, priors))]
    chosen = loo(graphs, powers, targets, strengths=strengths).weights
    once = loo(graphs, powers, targets, strengths=(likeliest,)).weights
    assert_allclose(chosen, once, rtol=1e-6)


@pytest.mark.parametrize("criterion", ["alignment", "consensus", "uniform"])
@pytest.mark.parametrize("of", ["y", "sample_weight"])
@pytest.mark.parametrize("factor", [2.0**300, 2.0**-300])
def test_units_of_targets_and_sample_weights_do_not_matter(criterion, of, factor):
    rows = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    given = {"y": rows[:, 0].astype(float), "sample_weight": np.linspace(1, 2, 30)}
    model = LEGOFusionTransformer(2, relation="cosine", weights=criterion)
    expected = model.fit(rows, **given).weights_
    shares = list(model.view_importances_.values())
    found = model.fit(rows, **(given | {of: given[of] * factor}))
    assert_allclose(found.weights_, expected, rtol=1e-3)
    assert_allclose(list(found.view_importances_.values()), shares, rtol=1e-4)
