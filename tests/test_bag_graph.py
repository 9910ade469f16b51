"""The graph of a bag's own units: against a literal loop, and what spreads over it."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from legofuse import LEGOAnomalyClassifier
from legofuse.anomaly import _own_graph
from legofuse.anomaly._bags import Units
from legofuse.anomaly._blocks import whole_bags
from legofuse.anomaly._linear import Projected
from legofuse.inspection import explain

VIEWS = {"first": slice(0, 3), "second": [3, 4]}
TIMED = {**VIEWS, "position": [5]}


def fit(bags, y, views=TIMED, **options):
    options = {"n_references": 20, "random_state": 0} | options
    return LEGOAnomalyClassifier(views, **options).fit(bags, y)


@pytest.fixture(scope="module")
def data(timed_bags):
    return timed_bags()


@pytest.fixture(scope="module")
def fitted(data):
    return fit(*data, reference="both", time_view="position")


LIGHT = {"relation": "correlation"}  # three polynomials compete instead of five


def literal_own(fusion, X, name):
    """Fused graph of one bag, pair after pair, term after term; missing views made up for."""
    graphs, weights = fusion.own.graphs, fusion.own.polynomials.weights[name]
    powers, columns = fusion.own.polynomials.expansion.powers, fusion.landmarks.columns
    relations, have = [], []
    for view, relation in graphs:
        values, stats = X[:, columns[view]], fusion.learned[view, None]
        have.append(~np.isnan(values[:, 0]))
        gamma = stats.gamma
        if relation != "rbf":
            values = (values - stats.mean) / stats.scale
            gamma = stats.widths.get("gaussian")
        values = np.nan_to_num(values)
        if relation == "correlation":
            values /= np.linalg.norm(values, axis=1, keepdims=True) + 1e-300
            graph = values @ values.T
        else:
            graph = np.exp(-gamma * ((values[:, None] - values) ** 2).sum(axis=2))
        relations.append(graph * np.outer(have[-1], have[-1]))
    have = np.array(have, dtype=float)
    graph = np.zeros((len(X), len(X)))
    for i, j in np.ndindex(graph.shape):
        entries = np.array([r[i, j] for r in relations])
        value = sum(w * np.prod(entries**a) for w, a in zip(weights, powers, strict=True))
        own = [
            sum(w * np.prod(have[:, k] ** a) for w, a in zip(weights, powers, strict=True))
            for k in (i, j)
        ]
        graph[i, j] = value / np.sqrt(own[0] * own[1]) if min(own) > 0 else 0.0
    return graph


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("time_view", [None, "position"])
def test_what_spreads_is_the_mean_of_a_literal_graph(missing, time_view, timed_bags):
    bags, y = timed_bags(missing=missing)
    views = VIEWS if time_view is None else TIMED
    model = fit(bags, y, views, reference="both", pooling="units", time_view=time_view)
    fusion = model._members[0].fusion
    X, offsets = np.concatenate(bags), np.append(0, np.cumsum([len(bag) for bag in bags]))
    values = np.random.RandomState(1).normal(size=(len(X), 2))
    X = X if time_view else X[:, :5]
    for name in ("all", "[correlation]", "second"):
        smooth = fusion.smooth(Units(X), offsets, name, values)
        for a, b in pairwise(offsets[:9]):
            graph = np.maximum(literal_own(fusion, X[a:b], name), 0)
            degrees = graph.sum(axis=1, keepdims=True)
            mean = graph @ values[a:b] / np.where(degrees > 0, degrees, 1)
            expected = np.where(degrees > 0, mean, values[a:b])
            np.testing.assert_allclose(smooth[a:b], expected, rtol=1e-8)


@pytest.mark.parametrize("block", [1, 7, 10_000])
def test_blocks_do_not_matter(data, fitted, block, monkeypatch):
    expected = fitted.decision_function(data[0])
    monkeypatch.setattr(_own_graph, "_BLOCK_UNITS", block)
    monkeypatch.setattr(_own_graph, "_BLOCK_SIZE", block)
    np.testing.assert_allclose(fitted.decision_function(data[0]), expected, atol=1e-10)


def test_a_long_bag_is_related_in_parts(fitted, monkeypatch):
    long = [np.random.RandomState(0).normal(size=(500, 6))]
    expected = fitted.score_units(long)
    monkeypatch.setattr(_own_graph, "_BLOCK_SIZE", 1)
    np.testing.assert_allclose(fitted.score_units(long), expected, atol=1e-10)


def test_whole_bags_cover_all():
    offsets = np.append(0, np.cumsum(np.random.RandomState(0).randint(1, 9, 50)))
    runs = list(whole_bags(offsets, 12))
    assert runs[0][0] == 0
    assert runs[-1][1] == 50
    for (_, stop), (start, _) in pairwise(runs):
        assert stop == start


def noisy_runs(n_bags, seed):
    """What tells anomalies is very noisy; anomalous units lie in one place of two."""
    rng = np.random.RandomState(seed)
    y, bags = np.arange(n_bags) % 2, []
    for label in y:
        first = np.arange(12) < 6
        place = np.where(first, 3.0, -3.0) * rng.choice([-1, 1])
        bags.append(np.column_stack([first * label + rng.normal(scale=1.5, size=12), place]))
    return bags, y


def test_a_graph_that_denoises_is_spread_over():
    views = {"signal": [0], "place": [1]}
    bags, y = noisy_runs(100, 0)
    options = {"pooling": "units", "relation": "gaussian", "top_k": 3, "time_view": "place"}
    found = {
        reference: fit(bags, y, views, reference=reference, **options)
        for reference in ("landmarks", "auto", "both")
    }
    assert found["landmarks"].reference_ == "landmarks"
    assert found["auto"].reference_ == found["both"].reference_ == "both"
    new, truth = noisy_runs(200, 1)
    areas = {
        name: roc_auc_score(truth, model.decision_function(new)) for name, model in found.items()
    }
    assert areas["auto"] > areas["landmarks"] + 0.01


def test_units_without_a_graph_to_spread_over_stay_as_they_are():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    X[y == 1] += 1
    model = LEGOAnomalyClassifier(random_state=0).fit(X, y)
    assert model.reference_ == "landmarks"
    spread = LEGOAnomalyClassifier(random_state=0, reference="both", pooling="units").fit(X, y)
    plain = LEGOAnomalyClassifier(random_state=0, reference="landmarks", pooling="units").fit(X, y)
    np.testing.assert_allclose(spread.decision_function(X), plain.decision_function(X), atol=1e-6)


@pytest.mark.parametrize("reference", ["auto", "both"])
def test_order_weights_and_pickles(data, reference):
    bags, y = data
    options = LIGHT | {"reference": reference, "time_view": "position"}
    rng = np.random.RandomState(3)
    order = rng.permutation(len(bags))
    shuffled = [bags[i][rng.permutation(len(bags[i]))] for i in order]
    model = fit(bags, y, **options)
    expected = model.decision_function(bags)
    other = fit(shuffled, y[order], **options)
    np.testing.assert_allclose(other.decision_function(bags), expected, atol=1e-10)
    weight = rng.randint(0, 3, len(bags))
    repeated = [bag for bag, w in zip(bags, weight, strict=True) for _ in range(w)]
    weighted = LEGOAnomalyClassifier(TIMED, n_references=20, random_state=0, **options)
    weighted.fit(bags, y, sample_weight=weight)
    plain = fit(repeated, np.repeat(y, weight), **options)
    np.testing.assert_array_equal(weighted.decision_function(bags), plain.decision_function(bags))
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.decision_function(bags), expected)
    for one, two in zip(copy.score_units(bags), model.score_units(bags), strict=True):
        np.testing.assert_array_equal(one, two)


def test_position_is_in_the_graph_of_the_bag_only(data):
    bags, y = data
    model = fit(bags, y, reference="both", pooling="units", time_view="position")
    assert model.graphs_ == [(v, r) for v in VIEWS for r in ("correlation", "gaussian")]
    assert set(model.view_importances_) == set(VIEWS)
    moved = [bag.copy() for bag in bags]
    for bag in moved:
        bag[:, 5] = bag[::-1, 5]
    assert not np.array_equal(model.decision_function(moved), model.decision_function(bags))
    alone = fit(bags, y, reference="landmarks", time_view="position", **LIGHT)
    np.testing.assert_array_equal(alone.decision_function(moved), alone.decision_function(bags))
    shifted = [bag.copy() for bag in bags]
    for k, bag in enumerate(shifted):
        bag[:, 5] += 1000 * k  # only differences within a bag matter
    other = fit(shifted, y, reference="both", pooling="units", time_view="position")
    widths = [m._members[0].fusion.learned["position", None].gamma for m in (model, other)]
    assert widths[0] == pytest.approx(widths[1])


def test_a_unit_that_has_a_position_only_gets_the_prior(data, fitted):
    bags, _ = data
    holed = [bag.copy() for bag in bags[:3]]
    holed[1][0, :5] = np.nan
    with pytest.warns(UserWarning, match="1 unit"):
        assert fitted.score_units(holed)[1][0] == fitted.prior_
    holed = [bag.copy() for bag in bags[:3]]
    holed[1][0, 5] = np.nan  # a unit whose position is unknown
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(np.concatenate(fitted.score_units(holed))).all()


def test_importances_by_products_with_an_identity_are_the_formula(data):
    """Every product of powers written out; the zeroth is the identity."""
    options = {"zeroth": "identity", "interactions": "separable", "relation": "correlation"}
    model = fit(*data, VIEWS, n_references=500, **options)
    landmarks = model._members[0].fusion.landmarks
    relations = landmarks.relations(landmarks.references)
    factors, literal = np.asarray(model.weights_).reshape(2, 3), np.zeros(2)
    for powers in list(np.ndindex(3, 3))[1:]:
        graphs = [R**p if p else np.eye(len(R)) for R, p in zip(relations, powers, strict=True)]
        K = np.prod(graphs, axis=0)
        K = K - K.mean(axis=0)
        share = np.linalg.norm(K - K.mean(axis=1, keepdims=True)) / sum(powers)
        literal += factors[[0, 1], powers].prod() * share * np.array(powers)
    found = list(model.view_importances_.values())
    np.testing.assert_allclose(found, literal / literal.sum(), rtol=1e-6)


EXPANSIONS = [
    {"interactions": "separable"},
    {"interactions": "pairwise", "degree": 3},
    {"expansion": "hops", "n_references": 500},
    {"expansion": "hops", "interactions": "separable", "n_references": 500},
    {"zeroth": "identity", "interactions": "pairwise", "n_references": 500},
    {"zeroth": "identity", "interactions": "separable", "n_references": 500},
]


@pytest.mark.parametrize("options", EXPANSIONS, ids=str)
def test_every_expansion(data, options, timed_bags):
    bags, y = data
    options = options | {"reference": "both", "relation": "correlation"}
    model = fit(bags, y, VIEWS, **options)
    assert roc_auc_score(y, model.decision_function(bags)) > 0.9
    assert len(model.weights_) == len(model.terms_) == len(model.powers_)
    assert sum(model.view_importances_.values()) == pytest.approx(1)
    new, truth = timed_bags(seed=1)
    assert roc_auc_score(truth, model.decision_function(new)) > 0.8
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.decision_function(new), model.decision_function(new))
    found = explain(model, new)
    total = found.base + found.view_parts.sum(axis=1)
    np.testing.assert_allclose(total, found.scores, atol=1e-6)


def test_a_unit_fused_with_itself_is_one(data):
    for options in EXPANSIONS[:2]:
        model = fit(*data, VIEWS, reference="both", pooling="relations", **options)
        fusion = model._members[0].fusion
        for polynomials in (fusion.polynomials, fusion.own.polynomials):
            complete = np.ones((1, polynomials.expansion.powers.shape[1]))
            for name in polynomials.weights:
                assert polynomials.factor(name, complete) == pytest.approx(1)


@pytest.mark.parametrize("parameters", [{"n_ensemble": 3}, {"n_ensemble": 2, "reference": "both"}])
def test_members_of_an_ensemble_are_averaged(data, parameters, timed_bags):
    bags, y = data
    model = fit(bags, y, VIEWS, **parameters, **LIGHT)
    new, truth = timed_bags(seed=1)
    assert roc_auc_score(truth, model.decision_function(new)) > 0.9
    ends = np.append(0, np.cumsum([len(bag) for bag in new]))
    X = np.concatenate(new)[:, :5]
    each = [member.bag_logits(Units(X), ends) for member in model._members]
    assert len(each) == parameters["n_ensemble"]
    np.testing.assert_allclose(model.decision_function(new), np.mean(each, axis=0))
    assert not np.allclose(*each[:2])
    assert sum(model.heads_.values()) == pytest.approx(1)
    assert model.weights_.sum() == pytest.approx(1)
    found = explain(model, new, method="sums")
    np.testing.assert_allclose(found.base + found.landmark_parts.sum(axis=1), found.scores)


def test_fused_graphs(data):
    bags, y = data
    model = fit(bags, y, VIEWS, **LIGHT)
    graphs = model.fused_graphs(bags)
    assert [graph.shape for graph in graphs] == [(len(bag), 160) for bag in bags]
    few = fit(bags, y, VIEWS, pooling="units").fused_graphs(bags)
    assert [graph.shape for graph in few] == [(len(bag), 20) for bag in bags]
    landmarks, units = model._members[0].places[0].T
    for j, (bag, unit) in enumerate(zip(landmarks, units, strict=True)):
        assert graphs[bag][unit, j] == pytest.approx(1)
    holed = [bag.copy() for bag in bags[:2]]
    holed[0][1, :5] = np.nan
    with pytest.warns(UserWarning, match="relations of 0"):
        assert (model.fused_graphs(holed)[0][1] == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_view": "tempo"}, "time_view must name one of the views"),
        ({"views": {"position": [5]}, "time_view": "position"}, "and not the only one"),
        ({"expansion": "hops"}, "expansion='hops' needs all .* as references; got n_references=20"),
        ({"zeroth": "identity"}, "zeroth='identity' needs interactions='pairwise'"),
        ({"reference": "all"}, "'reference' parameter"),
        ({"expansion": "jumps"}, "'expansion' parameter"),
        ({"n_ensemble": 0}, "'n_ensemble' parameter"),
    ],
)
def test_bad_parameters(data, options, message):
    views = options.pop("views", TIMED)
    with pytest.raises(ValueError, match=message):
        fit(*data, views, **options)


TRUSTED = [
    "legofuse.anomaly.LEGOAnomalyClassifier",
    "legofuse.anomaly._fusion.UnitFusion",
    "legofuse.anomaly._linear.LinearMember",
    "legofuse.fused.FusedGraph",
]


def test_skops(data):
    skops = pytest.importorskip("skops.io")
    model = fit(*data, reference="both", time_view="position", n_ensemble=2, **LIGHT)
    stored = skops.dumps(model)
    assert skops.get_untrusted_types(data=stored) == TRUSTED
    loaded = skops.loads(stored, trusted=TRUSTED)
    np.testing.assert_array_equal(
        loaded.decision_function(data[0]), model.decision_function(data[0])
    )


def test_without_a_random_state_the_global_generator_stays(data, global_state_stays):
    fit(*data, random_state=None)


def test_verbose_tells_of_each_stage(data, capsys):
    fit(*data, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    stages = [line for line in lines if line.startswith("[LEGOAnomalyClassifier]")]
    assert len(stages) == 3
    assert "1/3 read: 40 distinct of 40 bags" in stages[0]


def test_threads_give_what_one_gives(data):
    bags, y = data
    options = LIGHT | {"reference": "both", "time_view": "position"}
    expected = fit(bags, y, **options).decision_function(bags)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: fit(bags, y, **options).decision_function(bags), range(3)))
    for one in found:
        np.testing.assert_allclose(one, expected, atol=1e-9)


def test_sums_of_relations_give_what_features_give(data):
    """New units take a short cut: one sum of relations for each linear head."""
    bags, y = data
    model = fit(bags, y, reference="both", top_k=2)
    expected = model.decision_function(bags), np.concatenate(model.score_units(bags))
    member = model._members[0]
    assert member._of_bags.maps
    assert member._of_both.maps
    member._of_bags = Projected(member.heads, {}, None)
    member._of_both = Projected([*member.heads, *(member.of_units or [])], {}, None)
    np.testing.assert_allclose(model.decision_function(bags), expected[0], atol=1e-9)
    np.testing.assert_allclose(np.concatenate(model.score_units(bags)), expected[1], atol=1e-9)


@pytest.mark.parametrize("X", [[], np.empty((0, 3, 6)), np.empty((0, 6)), None, 3.0])
def test_no_bags(fitted, X):
    with pytest.raises((ValueError, TypeError)) as error:
        fitted.predict(X)
    assert len(str(error.value)) > 20
