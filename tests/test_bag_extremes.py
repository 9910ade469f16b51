"""Bags related to bags by the extremes of their features."""

import pickle
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from legofuse import LEGOAnomalyClassifier
from legofuse.anomaly._extremes import Extremes, extremes
from legofuse.anomaly._heads import EXTREMES, ExtremesHead
from legofuse.anomaly._linear import LinearMember
from legofuse.inspection import explain

COLUMNS = {"one": np.array([0, 1]), "other": np.array([2])}
OFFSETS = np.array([0, 2, 3, 7, 9, 12])


def units(missing=False):
    X = np.random.default_rng(0).normal(size=(12, 3))
    if missing:
        X[[0, 4], :2] = np.nan  # of some units of two bags
        X[7:9, 2] = np.nan  # of a whole bag
    return X


def literal(X, weight, columns=COLUMNS):
    """The formula, entry by entry; a bag without a view has relation 0 there."""
    bags = [X[a:b] for a, b in pairwise(OFFSETS)]
    found = np.zeros((len(bags), len(bags)))
    for index in columns.values():
        rows = [bag[:, index][~np.isnan(bag[:, index[0]])] for bag in bags]
        have = np.array([len(part) > 0 for part in rows])
        table = [np.append(p.max(axis=0), p.min(axis=0)) for p in rows if len(p)]
        mean = np.average(table, axis=0, weights=weight[have])
        scale = np.sqrt(np.average((table - mean) ** 2, axis=0, weights=weight[have]))
        table = (table - mean) / scale
        gaps = ((table[:, None] - table) ** 2).sum(axis=2)
        found[np.ix_(have, have)] += np.exp(-gaps / (2 * table.shape[1])) / len(columns)
    return found


def test_extremes_of_bags():
    X = units()
    found = extremes(X, OFFSETS)
    for bag, (a, b) in enumerate(pairwise(OFFSETS)):
        np.testing.assert_array_equal(found[bag], [*X[a:b].max(axis=0), *X[a:b].min(axis=0)])
    X[0] = X[7:9] = np.nan
    found = extremes(X, OFFSETS)
    np.testing.assert_array_equal(found[0], [*X[1], *X[1]])
    assert np.isnan(found[3]).all()


@pytest.mark.parametrize("weight", [np.ones(5), np.array([1.0, 2, 1, 3, 1])], ids=["one", "many"])
def test_features_are_those_of_the_formula(weight):
    features = Extremes(units(), OFFSETS, weight, COLUMNS)(units(), OFFSETS)
    np.testing.assert_allclose(features @ features.T, literal(units(), weight), atol=1e-6)


def test_a_missing_view_is_made_up_for():
    X, weight = units(missing=True), np.ones(5)
    features = Extremes(X, OFFSETS, weight, COLUMNS)(X, OFFSETS)
    expected = literal(X, weight)
    expected /= np.sqrt(np.outer(expected.diagonal(), expected.diagonal()))
    np.testing.assert_allclose(features @ features.T, expected, atol=1e-6)


def test_a_view_that_no_bag_has_is_left_out():
    X = np.column_stack([units(), np.full(12, np.nan)])
    wider = COLUMNS | {"none": np.array([3])}
    found, expected = (
        Extremes(part, OFFSETS, np.ones(5), columns)(part, OFFSETS)
        for part, columns in ((X, wider), (units(), COLUMNS))
    )
    np.testing.assert_allclose(found, expected)


def test_many_bags_are_related_to_some(monkeypatch):
    monkeypatch.setattr("legofuse.anomaly._extremes._MOST_BAGS", 3)
    found = Extremes(units(), OFFSETS, np.ones(5), COLUMNS)
    assert len(found.fused) == 3
    graph = literal(units(), np.ones(5))
    known = [0, 2, 4]
    features = found(units(), OFFSETS)
    np.testing.assert_allclose(features @ features[known].T, graph[:, known], atol=1e-6)


def meeting_bags(n_bags=100, seed=0, n_units=20):
    """In anomalous bags units of two kinds meet; in normal ones two of the same kind do."""
    rng = np.random.default_rng(seed)
    labels, bags = np.arange(n_bags) % 2, []
    for label in labels:
        bag = rng.normal(size=(n_units, 10))
        one, other = rng.choice(n_units, 2, replace=False)
        kind = rng.integers(2)
        bag[one, kind] += 4
        bag[other, 1 - kind if label else kind] += 4
        bags.append(bag)
    return bags, labels


LIGHT = {"relation": "gaussian", "degree": 1, "random_state": 0}  # one polynomial competes


@pytest.fixture(scope="module")
def fitted():
    return LEGOAnomalyClassifier(**LIGHT).fit(*meeting_bags())


def test_kinds_that_must_meet_are_found(fitted):
    new, truth = meeting_bags(200, seed=1)
    assert roc_auc_score(truth, fitted.decision_function(new)) > 0.7
    assert any("extremes" in name for name in fitted.heads_)
    alone = LEGOAnomalyClassifier(pooling="units", **LIGHT).fit(*meeting_bags())
    assert roc_auc_score(truth, alone.decision_function(new)) < 0.65
    assert np.isfinite(fitted.weights_).all()
    assert sum(fitted.view_importances_.values()) == pytest.approx(1)


def test_a_unit_scores_as_a_bag_of_it(fitted):
    new, _ = meeting_bags(4, seed=1)
    member = fitted._members[0]
    assert any(isinstance(head, ExtremesHead) for head, _, _ in member.heads)
    alone = np.concatenate([fitted.decision_function([u[None] for u in bag]) for bag in new])
    found = fitted.score_units(new)
    of_bags = fitted.predict_proba(new)[:, 1]
    for scores, logits, bag in zip(found, np.split(alone, 4), of_bags, strict=True):
        np.testing.assert_allclose(scores**2, bag / (1 + np.exp(-logits)))


def test_explanations_add_up(fitted):
    new, _ = meeting_bags(4, seed=1)
    found = explain(fitted, new, method="sums")
    np.testing.assert_allclose(found.base + found.view_parts.sum(axis=1), found.scores, atol=1e-8)
    assert np.ptp(found.base) > 0  # what extremes say of each unit


def test_pickles_and_sequence(fitted):
    new, _ = meeting_bags(6, seed=1)
    expected = fitted.decision_function(new)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.decision_function(new), expected)
    order = [3, 0, 5, 1, 4, 2]
    found = fitted.decision_function([new[k] for k in order])
    np.testing.assert_allclose(found, expected[order])
    one_by_one = np.concatenate([fitted.decision_function([bag]) for bag in new])
    np.testing.assert_allclose(one_by_one, expected)


def test_weights_are_repetitions():
    bags, labels = meeting_bags(40)
    weight = np.random.RandomState(0).randint(0, 3, 40)
    repeated = np.repeat(np.arange(40), weight)
    models = [
        LEGOAnomalyClassifier(**LIGHT).fit(bags, labels, sample_weight=weight),
        LEGOAnomalyClassifier(**LIGHT).fit([bags[k] for k in repeated], labels[repeated]),
    ]
    one, other = (model.decision_function(bags) for model in models)
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_blocks_of_bags_are_as_all_at_once(fitted, monkeypatch):
    new, _ = meeting_bags(30, seed=1)
    expected = fitted.decision_function(new), np.concatenate(fitted.score_units(new))
    monkeypatch.setattr("legofuse.anomaly._extremes._BLOCK_SIZE", 1)
    found = fitted.decision_function(new), np.concatenate(fitted.score_units(new))
    np.testing.assert_allclose(found[0], expected[0], atol=1e-10)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-10)


def test_heads_in_relations_are_those_in_features(fitted):
    member, offsets = fitted._members[0], np.arange(0, 601, 20)
    table = np.concatenate(meeting_bags(30, seed=1)[0])
    features = {EXTREMES: member.extremes(table, offsets)}
    values = {EXTREMES: member.extremes(table, offsets, member._of_bags.to_values)}
    for (head, _, _), (fast, _, _) in zip(member.heads, member._of_bags.heads, strict=True):
        if isinstance(head, ExtremesHead):
            assert values[EXTREMES].shape[1] < features[EXTREMES].shape[1]
            np.testing.assert_allclose(
                fast.bag_logits(values, offsets), head.bag_logits(features, offsets), atol=1e-10
            )


def test_scoring_units_takes_little_memory(fitted):
    bags = [np.random.default_rng(0).normal(size=(20000, 10))]
    tracemalloc.start()
    fitted.score_units(bags)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20000 * len(fitted._members[0].extremes.fused) * 8


def test_members_without_them_keep_none(timed_bags):
    model = LEGOAnomalyClassifier(random_state=0, pooling="units").fit(*timed_bags())
    assert all(isinstance(m, LinearMember) and m.extremes is None for m in model._members)
